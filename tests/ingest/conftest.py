"""A desk to ingest at: an empty city database, a clock that can be set, and waits that take no time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import settings
from ingest.run import Desk
from metrics.model import City, Column, Source
from store import quarantine, records, runs
from store.engine import Clock, open_engine, reading
from tests.bare_store import HandClock
from tests.ingest.stand_ins.ckan import Portal
from tests.ingest.stand_ins.frame import serving
from tests.laid import lay

NOW = datetime(2026, 8, 18, 9, 0, tzinfo=UTC)
CITY = City(id="test", name="Testville", time_zone="America/New_York")
CASES = Source(
    id="cases",
    name="Cases",
    kind="file",
    key="id",
    arrival="opened",
    quiet_minutes=60,
    columns=(
        Column("id", "text", required=True),
        Column("opened", "instant"),
        Column("closed", "instant", not_before="opened"),
        Column("topic", "text"),
        Column("amount", "number"),
    ),
)


class Bench:
    """A desk with a database, and what a test asks about it."""

    def __init__(self, url: str, folder: Path, clock: Clock | None = None) -> None:
        self.hand = HandClock()
        self.hand.now = NOW
        self.clock = clock or self.hand
        self.folder = folder
        self.engine = open_engine(url)
        self.said: list[str] = []
        lay(self.engine, CITY, self.clock)
        self.desk = Desk(
            self.engine,
            CITY,
            folder / "snapshots",
            folder,
            self.clock,
            self.said.append,
            secret=settings.secret,
        )

    def file(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def source(self, path: str = "cases.csv", **options: object) -> Source:
        return replace(CASES, options={"path": path, **options})

    def records(self, source: Source = CASES) -> dict[object, tuple[object, ...]]:
        """The records as they are now, by key, in the order of the declared columns and their days."""
        table = records.record_table(source)
        names = records.stage_columns(source)
        with reading(self.engine) as connection:
            if not records.held_columns(connection, source):
                return {}
            found = connection.execute(table.select().where(table.c["_withdrawn_at"].is_(None)))
            return {row._mapping[source.key]: tuple(row._mapping[name] for name in names) for row in found}

    def last_run(self, source: Source = CASES) -> runs.Run:
        with reading(self.engine) as connection:
            return runs.last_runs(connection)[source.id]

    def quarantined(self, source: Source = CASES) -> list[quarantine.QuarantinedRow]:
        with reading(self.engine) as connection:
            return quarantine.quarantined(connection, source.id)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench on SQLite."""
    made = Bench(f"sqlite:///{tmp_path / 'test.db'}", tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def any_bench(any_engine_url: str, tmp_path: Path) -> Iterator[Bench]:
    """A bench on SQLite, then on PostgreSQL."""
    made = Bench(any_engine_url, tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def ckan() -> Iterator[Portal]:
    """A portal without tables."""
    with serving(Portal()) as stand_in:
        yield stand_in


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every wait between attempts, in seconds; none of them is waited."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken
