"""A server on this machine that plays a protocol over any rows, and stumbles in every way that servers do.

A protocol is a module beside this one: a `StandIn` with `respond`. A test switches faults on by name; those
of FAULTS belong to the wire and happen to every protocol, others are asked for by the protocol itself with
`strikes`.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

HTML = b"<!DOCTYPE html><html><body>Welcome to the new portal</body></html>"


@dataclass
class Answer:
    """One answer. cut: how many bytes of the body are sent before the connection drops.

    slow: seconds between the two halves of the body.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    slow: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One request: parameters are those of the address and of a form, the first of each name."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class Fault:
    """A named fault of the answers from page `on` (counted from 1), played `times` times."""

    name: str
    on: int = 1
    times: int = 1


FOREVER = 1_000_000

FAULTS: dict[str, Callable[[Answer], Answer]] = {
    "drops": lambda answer: replace(answer, cut=len(answer.body) // 2),
    "slow": lambda answer: replace(answer, slow=0.05),
    "html": lambda _: Answer(HTML, headers={"Content-Type": "text/html"}),
    "202": lambda _: Answer(b"{}", 202),
    "429": lambda _: Answer(b"slow down", 429),
    "429, wait": lambda _: Answer(b"slow down", 429, {"Retry-After": "3"}),
    "500": lambda _: Answer(b"oops", 500),
    "503": lambda _: Answer(b"busy", 503),
}
"""What happens on the wire, whatever the protocol."""


@dataclass
class StandIn:
    """The frame of every protocol.

    next: answers given before anything else, one a request. plain: answers by path. asked: every request.
    faults: those switched on.
    """

    next: deque[Answer] = field(default_factory=deque)
    plain: dict[str, Answer] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    def respond(self, asked: Asked) -> Answer:
        """The answer of a server that does not stumble on the wire."""
        raise NotImplementedError

    def is_page(self, asked: Asked) -> bool:
        """Whether a request asks for rows: faults happen to those."""
        raise NotImplementedError

    def pages(self) -> list[dict[str, str]]:
        """The parameters of every request for rows, in order."""
        return [asked.parameters for asked in self.asked if self.is_page(asked)]

    def plays(self, name: str, on: int = 1, times: int = 1) -> None:
        """Switches a fault on."""
        self.faults.append(Fault(name, on, times))

    def strikes(self, name: str) -> bool:
        """Whether a fault happens to the page asked for now, which uses it up once."""
        page = len(self.pages())
        for fault in self.faults:
            if fault.name == name and fault.times and page >= fault.on:
                fault.times -= 1
                return True
        return False

    def answer(self, asked: Asked) -> Answer:
        """What is sent, faults included."""
        self.asked.append(asked)
        if self.next:
            return self.next.popleft()
        if asked.path in self.plain:
            return self.plain[asked.path]
        answer = self.respond(asked)
        if self.is_page(asked):
            for name, strike in FAULTS.items():
                answer = strike(answer) if self.strikes(name) else answer
        return answer


Served = TypeVar("Served", bound=StandIn)


@contextmanager
def serving(stand_in: Served) -> Iterator[Served]:
    """Serves `stand_in` on 127.0.0.1, in a thread of its own as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one packet an answer: the network waits 40 ms between two small ones

        def do_GET(self) -> None:
            _send(self, stand_in.answer(_asked(self)))

        do_POST = do_GET

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


def _asked(handler: BaseHTTPRequestHandler) -> Asked:
    address = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    is_form = "form-urlencoded" in (handler.headers.get("Content-Type") or "")
    words = parse_qs(address.query, keep_blank_values=True)
    words |= parse_qs(body.decode(), keep_blank_values=True) if is_form else {}
    parameters = {name: values[0] for name, values in words.items()}
    return Asked(handler.command, address.path, parameters, dict(handler.headers.items()), body)


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    body = answer.body if answer.cut is None else answer.body[: answer.cut]
    if answer.slow:
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        # An event waits here: tests that count waits replace time.sleep.
        Event().wait(answer.slow)
        body = body[len(body) // 2 :]
    handler.wfile.write(body)
    if answer.cut is not None:
        handler.close_connection = True
