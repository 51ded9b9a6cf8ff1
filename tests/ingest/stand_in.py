"""A CKAN portal on this machine that serves any table and stumbles in every way that portals do."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

HTML = b"<!DOCTYPE html><html><body>Welcome to the new portal</body></html>"


@dataclass
class Answer:
    """One answer of a server. cut: how many bytes of the body are sent before the connection drops."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass
class Table:
    """A resource with a datastore: its rows are dicts, numbered by `_id` from 1."""

    id: str
    rows: list[dict[str, Any]]
    name: str = "Cases"
    last_modified: str | None = "2026-08-17T05:00:00.000000"
    hash: str = ""
    datastore_active: bool = True


@dataclass
class Portal:
    """The faults of a portal can be switched on between requests.

    next: answers given before anything else, one a request. cap: rows a page has at most. repeats: from
    which offset on the page before is given again. drops_on: the page (from 1) that breaks off, and
    drops_left how often. moves: rows added at the front after each page, until `moves_left` is 0.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    next: deque[Answer] = field(default_factory=deque)
    cap: int | None = None
    repeats_from: int | None = None
    drops_on: int | None = None
    drops_left: int = 1_000_000
    moves_left: int = 0
    replaced_after: int | None = None
    plain: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    address: str = ""

    def pages(self) -> list[dict[str, str]]:
        """What was asked of the datastore, in order."""
        return [parameters for path, parameters in self.asked if path.endswith("/datastore_search")]

    def answer(self, path: str, parameters: dict[str, str]) -> Answer:
        self.asked.append((path, parameters))
        if self.next:
            return self.next.popleft()
        if path in self.plain:
            return self.plain[path]
        action = path.removeprefix("/api/3/action/")
        if action == "resource_show":
            return self._described(parameters["id"])
        if action == "package_show":
            return _success({"resources": [_metadata(table) for table in self.tables.values()]})
        if action == "datastore_search":
            return self._page(parameters)
        return _failure(404, "Not found")

    def _described(self, id_: str) -> Answer:
        table = self.tables.get(id_)
        return (
            _failure(404, "Not found: Resource was not found.")
            if table is None
            else _success(_metadata(table))
        )

    def _page(self, parameters: dict[str, str]) -> Answer:
        table = self.tables.get(parameters["resource_id"])
        if table is None:
            return _failure(404, "Not found: Resource was not found.")
        offset, limit = int(parameters["offset"]), int(parameters["limit"])
        limit = limit if self.cap is None else min(limit, self.cap)
        if self.repeats_from is not None and offset >= self.repeats_from:
            offset = max(0, self.repeats_from - limit)
        records = [{"_id": number, **row} for number, row in enumerate(table.rows, 1)]
        answer = _success(
            {
                "resource_id": table.id,
                "fields": [{"id": name, "type": "text"} for name in ("_id", *_names(table.rows))],
                "records": records[offset : offset + limit],
                "total": len(records),
                "limit": limit,
                "offset": offset,
            }
        )
        self._stumble(table, answer)
        return answer

    def _stumble(self, table: Table, answer: Answer) -> None:
        if self.drops_on is not None and len(self.pages()) >= self.drops_on and self.drops_left:
            self.drops_left -= 1
            answer.cut = len(answer.body) // 2
        if self.moves_left:
            self.moves_left -= 1
            table.rows.insert(0, dict.fromkeys(_names(table.rows), "moved"))
        if self.replaced_after is not None and len(self.pages()) == self.replaced_after:
            table.last_modified = "2026-08-17T06:00:00.000000"


@contextmanager
def portal(*tables: Table) -> Iterator[Portal]:
    """A portal with these tables, in a thread of its own as long as the block lasts."""
    stand_in = Portal({table.id: table for table in tables})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one packet an answer: the network waits 40 ms between two small ones

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(asked.query).items()}
            _send(self, stand_in.answer(asked.path, parameters))

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        stand_in.address = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV file, packed or not, as a datastore has them: empty cells are null."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [{name: value or None for name, value in row.items() if name != "_id"} for row in rows]


def _names(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(next(iter(rows), {}))


def _metadata(table: Table) -> dict[str, Any]:
    return {
        "id": table.id,
        "name": table.name,
        "last_modified": table.last_modified,
        "metadata_modified": table.last_modified,
        "hash": table.hash,
        "datastore_active": table.datastore_active,
    }


def _success(result: dict[str, Any]) -> Answer:
    return Answer(json.dumps({"help": "", "success": True, "result": result}).encode())


def _failure(status: int, message: str) -> Answer:
    error = {"message": message, "__type": "Not Found Error"}
    return Answer(json.dumps({"success": False, "error": error}).encode(), status)


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    handler.wfile.write(answer.body if answer.cut is None else answer.body[: answer.cut])
    if answer.cut is not None:
        handler.close_connection = True
