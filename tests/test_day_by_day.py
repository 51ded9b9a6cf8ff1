"""The demonstration published day by day says, as now known, what it says when it is published once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest.desk import Desk
from ingest.run import run_source
from metrics import periods
from metrics.catalogue import find_city, load
from metrics.model import WHOLE_CITY, Catalogue, Composite, Grain, Publication, Score
from store import publications, records, vintages
from store.differences import mismatches
from store.engine import Engine, open_engine, reading
from store.migrations import migrate
from store.publication_rows import Key
from store.publish import publish, recompute
from store.schema import scores
from store.vintages import FirstPublished
from tests.town import all_composites, all_scores

FIRST = date(2023, 6, 10)
YEARS = timedelta(days=1095)
HISTORY_MONTHS = 5
"""How far back the first reading goes: further than what later readings look at again."""

HOUR = timedelta(hours=6)
"""When the town publishes: an hour past its publication hour."""

CHECKED_EVERY = 90
NO_NUMBER = "nothing_scored_at_this_grain"


@dataclass
class City:
    """The demonstration in a database of its own, with a clock that is set by hand."""

    catalogue: Catalogue
    engine: Engine
    folder: Path
    now: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    first: dict[Key, FirstPublished] = field(default_factory=dict)

    def clock(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def live(self, day: date) -> Publication:
        """Reads what every source has on the morning of a day, and publishes it."""
        self.now = periods.local_midnight(self.catalogue.city, day) + HOUR
        migrate(self.engine, self.catalogue.city, self.clock)
        districts = tuple(self.catalogue.districts.values())
        desk = Desk(
            self.engine,
            self.catalogue.city,
            self.folder / "snapshots",
            clock=self.clock,
            districts=districts,
        )
        for source in self.catalogue.sources.values():
            dated = records.dated_columns(self.catalogue, source)
            report = run_source(desk, source, dated=dated)
            assert report.outcome == "succeeded", report.message
        said = publish(self.engine, self.catalogue, self.clock).publication
        assert said is not None and said.as_of == day and said.published_at.date() == self.now.date()
        return said

    def remember(self, said: Publication) -> None:
        """Notes of each period what was said of it first, when it was said."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(scores).where(scores.c.publication == said.id)).all()
        for row in rows:
            key = (row.metric, row.district, row.grain, row.start)
            if row.value is not None and key not in self.first:
                is_partial = row.status in ("late", "missing")
                self.first[key] = FirstPublished(row.value, row.score, said.id, is_partial=is_partial)

    def planned_otherwise(self) -> list[str]:
        """What a plan of everything says otherwise than the newest publication."""
        with reading(self.engine) as connection:
            now = publications.current(connection)
            assert now is not None
            return mismatches(connection, now.publication, recompute(connection, now))

    def says(self) -> tuple[dict[Key, Score], dict[Key, Composite]]:
        """Every score and every composite that says something, as now known."""
        with reading(self.engine) as connection:
            now = publications.current(connection)
            assert now is not None
            rows = all_scores(connection, now.publication)
            found = all_composites(connection, now.publication)
            return rows, {key: one for key, one in found.items() if not is_empty(one)}


def is_empty(one: Composite) -> bool:
    """Of a grain at which nothing is scored only the newest period is told, and it is told anew each day."""
    return one.reason is not None and one.reason.id == NO_NUMBER


def city_of(folder: Path, months: int) -> City:
    """The demonstration whose first reading goes back so many months."""
    catalogue = load(find_city("demo"))
    sources = {
        name: replace(one, options={**one.options, "history_months": months})
        for name, one in catalogue.sources.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    return City(replace(catalogue, sources=sources), open_engine(f"sqlite:///{folder / 'city.db'}"), folder)


def months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def day_by_day(folder: Path, first: date, last: date) -> City:
    city = city_of(folder / "daily", HISTORY_MONTHS)
    for count, day in enumerate(days(first, last)):
        city.remember(city.live(day))
        if count % CHECKED_EVERY == 0 or day == last:
            assert city.planned_otherwise() == [], day
            print(f"{day}: a plan of everything says the same", flush=True)
    return city


def assert_same(daily: City, once: City) -> int:
    """Both cities say the same of every period, in every number; gives how many rows were compared."""
    (rows, composites), (expected, whole) = daily.says(), once.says()
    assert rows.keys() == expected.keys()
    assert composites.keys() == whole.keys()
    assert [key for key, row in rows.items() if row != expected[key]] == []
    assert [key for key, one in composites.items() if one != whole[key]] == []
    return len(rows) + len(composites)


def assert_true_firsts(city: City, first: date) -> int:
    """What is told as first published is what was said then; gives how many periods were on time."""
    on_time = 0
    with reading(city.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        for metric in city.catalogue.live_metrics():
            for grain in Grain:
                for told in vintages.told(connection, now.publication, metric, grain):
                    key = (metric.id, WHOLE_CITY, grain.value, told.period.start.isoformat())
                    assert told.first.backfilled == (told.period.end <= first), key
                    if not told.first.backfilled:
                        assert told.first == city.first.get(key, FirstPublished()), key
                        on_time += told.first.publication is not None
    return on_time


def compare(folder: Path, first: date, last: date) -> None:
    """Lives a city through all days from `first` to `last`, and one that is published on the last alone."""
    daily = day_by_day(folder, first, last)
    once = city_of(folder / "once", HISTORY_MONTHS + months_between(first, last))
    once.live(last)
    rows, on_time = assert_same(daily, once), assert_true_firsts(daily, first)
    assert all(one.backfilled for one in once_firsts(once))
    print(f"{rows} scores and composites are the same; {on_time} were first published on time", flush=True)


def once_firsts(city: City) -> Iterator[FirstPublished]:
    with reading(city.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        for metric in city.catalogue.live_metrics():
            yield from vintages.first_published(connection, now.publication, metric, Grain.MONTH).values()


@pytest.mark.matrix
@pytest.mark.timeout(6 * 3600)
def test_three_years_day_by_day_are_one_backfill(tmp_path: Path) -> None:
    compare(tmp_path, FIRST, FIRST + YEARS)
