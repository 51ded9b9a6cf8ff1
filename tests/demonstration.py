"""The demonstration city on two mornings, worked through by its own duties, with a clock set by hand."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import worker
from ingest.desk import Desk
from ingest.run import run_source
from metrics import periods
from metrics.catalogue import find_city, load
from store import lease, records
from store.engine import open_engine
from store.migrations import migrate
from store.publish import publish

FIRST_MORNING = date(2026, 7, 14)
MONTHS = 15
"""Enough for a year beside a year."""

NEW_METRIC = "park_checks_passed"
"""Published on the second morning for the first time, in a city that approves such metrics first."""

STOPPED = "ambulance_calls"
"""The source that brings nothing on the second morning."""

PAST_PUBLISHING = timedelta(hours=6)


class Demonstration:
    """Its database, its definitions as they are now, and duties that do what pages ask of the worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.engine = open_engine(f"sqlite:///{folder / 'city.db'}")
        shutil.copytree(find_city("demo"), folder / "demo")
        for source in (folder / "demo/sources").glob("*.toml"):
            source.write_text(
                source.read_text().replace("[options]", f"[options]\nhistory_months = {MONTHS}")
            )
        later = (folder / f"demo/metrics/{NEW_METRIC}.toml").rename(folder / "later.toml")
        self._morning(FIRST_MORNING)
        later.rename(folder / f"demo/metrics/{NEW_METRIC}.toml")
        city = folder / "demo/city.toml"
        city.write_text(f"approve_first = true\n{city.read_text()}")
        self._morning(FIRST_MORNING + timedelta(days=1), STOPPED, "Park checks are published from now on")

    def clock(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    @property
    def desk(self) -> Desk:
        districts = tuple(self.catalogue.districts.values())
        return Desk(
            self.engine,
            self.catalogue.city,
            self.folder / "snapshots",
            clock=self.clock,
            districts=districts,
        )

    def answer(self) -> None:
        """The worker does what a page has asked of it, and publishes what that changes."""
        duties = worker.Duties(self.catalogue, self.desk)
        lease.take(self.engine, self.clock, duties.me, lambda _holder: True)
        duties.begin()
        assert duties.attend()
        publish(self.engine, self.catalogue, self.clock)

    def _morning(self, day: date, stopped: str = "", reason: str | None = None) -> None:
        self.catalogue = load(self.folder / "demo")
        self.now = periods.local_midnight(self.catalogue.city, day) + PAST_PUBLISHING
        migrate(self.engine, self.catalogue.city, self.clock)
        for source in self.catalogue.sources.values():
            if source.id != stopped:
                dated = records.dated_columns(self.catalogue, source)
                report = run_source(self.desk, source, dated=dated)
                assert report.outcome == "succeeded", report.message
        publish(self.engine, self.catalogue, self.clock, reason=reason)
