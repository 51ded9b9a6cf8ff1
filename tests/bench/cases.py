"""Measures a page of the records behind a number among few and among very many records.

The records lie in SQLite, over two years, as a run leaves them. Asked is a page of fifty in the middle of a
quarter, of all and of some. The figure is the processor time of the page among very many records over that
of the same page among few: as long as it is about one, a page costs the same whatever there is.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import city
import figures

from metrics.catalogue import load
from metrics.model import Catalogue, Grain, Knowledge, Period, Publication
from store import cases, records
from store.cases import Chosen, Place
from store.engine import Engine, instant_text, open_engine, reading, system_clock, writing
from store.migrations import migrate
from store.publications import Reading

FEW, MANY = 50_000, 5_000_000
GOAL = 3.0
TRIES = 7
QUARTER = Period(Grain.QUARTER, date(2025, 4, 1), date(2025, 7, 1))
MIDDLE = date(2025, 5, 15)
ASKED = {
    "of all": {},
    "of those that are late": {"met": False},
    "of one district": {"district": "district_03"},
    "of one closure reason": {"values": {"reason": "Case Noted"}},
}


def measure() -> None:
    """Prints the figures of the record list."""
    figures.title(f"A page of 50 records, {MANY:,} beside {FEW:,}")
    few, many = (_timed(count) for count in (FEW, MANY))
    for name, seconds in many.items():
        figures.show(f"a page {name}", seconds, few[name], goal=GOAL)


def _timed(count: int) -> dict[str, float]:
    """The processor time of each page among so many records, in seconds; the best of some tries."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        city.make(folder / "bench", 1)
        catalogue = load(folder / "bench")
        engine = open_engine(f"sqlite:///{folder / 'bench.db'}")
        _fill(engine, catalogue, folder / "bench.db", count)
        found = {asked: _best(engine, catalogue, more) for asked, more in ASKED.items()}
        engine.dispose()
    return found


def _best(engine: Engine, catalogue: Catalogue, more: dict[str, object]) -> float:
    made_for = city.END
    instant = datetime(2026, 1, 1, 6, tzinfo=UTC)
    published = Publication(1, made_for, instant, instant, catalogue.hash, True, None)
    known = {"requests": Knowledge("requests", city.FIRST, instant)}
    opened = Reading(published, catalogue.text, known, 1, 1)
    chosen = Chosen("pothole_on_time", QUARTER, **more)  # type: ignore[arg-type]
    best = float("inf")
    with reading(engine) as connection:
        for _ in range(TRIES):
            began = time.process_time()
            page = cases.page(connection, opened, chosen, Place(MIDDLE, "R"))
            best = min(best, time.process_time() - began)
            assert len(page.cases) == 50, "a page is full"
    return best


def _fill(engine: Engine, catalogue: Catalogue, file: Path, count: int) -> None:
    migrate(engine, catalogue.city, system_clock)
    source = catalogue.sources["requests"]
    with writing(engine, system_clock) as write:
        records.prepare(write.connection, source, records.dated_columns(catalogue, source))
    columns = [column.name for column in records.record_table(source).c]
    table = records.record_table(source).name
    with sqlite3.connect(file) as connection:
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", _rows(columns, count))
        connection.execute("ANALYZE")
    connection.close()


def _rows(columns: list[str], count: int) -> Iterator[tuple[object, ...]]:
    """Requests in order of time, each eighth of a kind, district and reason in turn."""
    first, step = datetime(2024, 1, 1, tzinfo=UTC), (city.END - city.FIRST) / count
    known = instant_text(datetime(2026, 1, 1, tzinfo=UTC))
    for number in range(count):
        opened = first + number * step
        due, closed = opened + timedelta(days=7), opened + timedelta(days=number % 10)
        said: dict[str, object] = {
            "id": f"R{number:09}",
            "kind": city.KINDS[number % len(city.KINDS)],
            "district": city.DISTRICTS[number // 4 % len(city.DISTRICTS)],
            "reason": city.REASONS[number // 3 % 2],
            "address": "1 Tremont St",
            "_recorded_from": known,
            "_withdrawn_at": None,
            "_run": 1,
        }
        for name, instant in (("opened", opened), ("due", due), ("closed", closed)):
            text = instant_text(instant)
            said |= {name: text, f"{name}_day": text[:10]}
        yield tuple(said[name] for name in columns)


if __name__ == "__main__":
    print((__doc__ or "").split("\n\n", 1)[1])
    measure()
    print("\nMissed: " + ("; ".join(figures.missed) or "nothing"))
