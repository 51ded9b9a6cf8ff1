"""A publication that plans only what can have changed says what a plan of everything says."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from metrics.catalogue import load
from metrics.model import Catalogue, Composite, Grain, Publication, Score
from metrics.plan import Inputs, Plan, plan
from store import publications, publish, records, schema, standing, vintages
from store.differences import mismatches
from store.engine import open_engine, reading, writing
from store.publication_rows import Key
from store.publish import recompute
from store.vintages import FirstPublished
from tests.builders import write_folder
from tests.town import CITY, DEPARTMENTS, LATE_SOURCE, Town, all_composites, all_scores, metric_file

GAP = """
[[gap]]
from_day = {first}
to_day = {last}
reason = "the machine stood still"
declared = {declared}
"""
DISTRICTS = (
    '{"type": "FeatureCollection", "features": ['
    + ", ".join(
        f'{{"type": "Feature", "geometry": null, "properties": {{"id": "{name}", "name": "{name.title()}"}}}}'
        for name in ("north", "south", "east")
    )
    + "]}"
)
ALL = 'scored_at = ["day", "week", "month", "quarter"]\n'
COARSE = 'scored_at = ["week", "month"]\n'
KINDS = {
    "filed": (
        ALL + 'aggregation = "count"\nunit = "cases"\ndirection = "lower_is_better"\ndate = "opened"',
        (4, 9),
    ),
    "on_time": (
        ALL + 'aggregation = "ratio"\nunit = "percent"\ndirection = "higher_is_better"\ndate = "due"\n'
        'numerator = "closed <= due"\nexclude = "reason in (\'Duplicate\')"',
        (0.8, 0),
    ),
    "soon": (
        COARSE + 'aggregation = "ratio"\nunit = "percent"\ndirection = "higher_is_better"\ndate = "opened"\n'
        'numerator = "days_between(opened, closed) <= 5"\ncalendar = "business"',
        (0.8, 0),
    ),
    "waited": (
        ALL + 'aggregation = "median"\nunit = "days"\ndirection = "lower_is_better"\ndate = "closed"\n'
        'where = "closed is not null"\nvalue = "days_between(opened, closed)"',
        (5, 10),
    ),
    "took": (
        ALL + 'aggregation = "mean"\nunit = "days"\ndirection = "lower_is_better"\ndate = "closed"\n'
        'where = "closed is not null"\nvalue = "days_between(opened, closed)"',
        (5, 10),
    ),
    "open": (
        ALL + 'aggregation = "stock"\nunit = "cases"\ndirection = "lower_is_better"\ndate = "opened"\n'
        'until = "closed"',
        (20, 40),
    ),
    "usual": (
        'scored_at = ["day"]\naggregation = "count"\nunit = "cases"\ndirection = "lower_is_better"\n'
        'date = "opened"\nhistorical = true',
        None,
    ),
}
AT_THE_DESK = ("filed", "on_time", "waited")
"""What is measured of the second source, which has no districts."""

FEW = ("filed", "on_time", "open", "usual")
"""What is measured where every morning of forty days is lived through."""

SHARE = (0.8, 0)
"""The target of shares, which may change."""

BEGIN = date(2026, 1, 5)


@dataclass
class Life:
    """What happens in a small town: the cases of two sources by key, and what the files say."""

    folder: Path
    chance: random.Random
    cases: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"calls": {}, "desk": {}})
    gaps: dict[str, str] = field(default_factory=lambda: {"calls": "", "desk": ""})
    target: float = 0.8
    measured: Sequence[str] = tuple(KINDS)

    def write(self) -> Catalogue:
        """The catalogue as it is now, in files and read from them."""
        files = {"city.toml": CITY, "departments.toml": DEPARTMENTS, "districts.geojson": DISTRICTS}
        for source in self.cases:
            files[f"sources/{source}.toml"] = LATE_SOURCE.format(id=source, more=self.gaps[source])
            for name, (how, target) in KINDS.items():
                if name not in self.measured or (source == "desk" and name not in AT_THE_DESK):
                    continue
                one = f"{source}_{name}"
                files[f"metrics/{one}.toml"] = self._metric(one, source, how, target)
        return load(write_folder(self.folder, files))

    def open_cases(
        self, source: str, day: date, areas: Sequence[str] = ("north", "south", "nowhere")
    ) -> None:
        """New cases of a day; some of them are filed only days later, some never closed."""
        for _ in range(self.chance.randrange(2, 6)):
            opened = at(day, self.chance.randrange(6, 20))
            wait = self.chance.choice([1, 2, 3, 4, 5, 6, 8, 20, None])
            key = f"{source}-{len(self.cases[source])}"
            self.cases[source][key] = {
                "case_id": key,
                "opened": opened,
                "filed": opened + timedelta(days=self.chance.choice([0] * 12 + [1, 2, 6])),
                "due": opened + timedelta(days=5),
                "closed": opened + timedelta(days=wait, hours=1) if wait else None,
                "reason": self.chance.choice([None, None, None, "Duplicate"]) if wait else None,
                "area": self.chance.choice(areas),
            }

    def known(self, source: str, now: datetime) -> list[dict[str, Any]]:
        """The cases as they read by now."""
        return [
            one if one["closed"] and one["closed"] < now else {**one, "closed": None, "reason": None}
            for one in self.cases[source].values()
            if one["filed"] < now
        ]

    def _metric(self, name: str, source: str, how: str, target: tuple[float, float] | None) -> str:
        family = "condition" if name == "desk_filed" else "service"
        district = 'district = "area"\n' if source == "calls" else ""
        now = (self.target, target[1]) if target == SHARE else target
        return metric_file(name, district + how, now, source=source, family=family)


@dataclass
class City:
    """The town's database, with the mornings of its days."""

    life: Life
    town: Town

    def morning(self, day: date) -> None:
        self.town.now = at(day, 14)

    def read(self, source: str) -> None:
        self.town.ingest(*self.life.known(source, self.town.now), source=source)

    def publish(self, day: date) -> Publication | None:
        return self.town.publish(day, reason="a test").publication

    def planned_otherwise(self) -> list[str]:
        """What a plan of everything says otherwise than the current publication."""
        with reading(self.town.engine) as connection:
            now = publications.current(connection)
            assert now is not None
            return mismatches(connection, now.publication, recompute(connection, now))


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


@pytest.fixture
def make(tmp_path: Path, new_database: Callable[[str], str]) -> Iterator[Callable[[Life], City]]:
    """Makes a city of a life in a new database."""
    made: list[City] = []

    def city(life: Life, engine: str = "sqlite") -> City:
        town = Town(open_engine(new_database(engine)), life.write(), at(BEGIN, 1))
        made.append(City(life, town))
        return made[-1]

    yield city
    for one in made:
        one.town.engine.dispose()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[date | None]:
    """The day by which periods stood in each publication; None where everything was planned."""
    found: list[date | None] = []

    def spy(inputs: Inputs) -> Plan:
        found.append(inputs.standing.day if inputs.standing else None)
        return plan(inputs)

    monkeypatch.setattr(publish, "plan", spy)
    return found


# --- whatever happens ----------------------------------------------------------------------------


def new_cases(city: City, day: date) -> None:
    for source in city.life.cases:
        city.life.open_cases(source, day)


def late_record(city: City, day: date) -> None:
    """A case of some day in the past turns up now."""
    past = day - timedelta(days=city.life.chance.choice([3, 9, 20, 60]))
    city.life.open_cases("calls", max(BEGIN, past))


def correction(city: City, day: date) -> None:
    """A closed case turns out otherwise."""
    one = city.life.chance.choice(list(city.life.cases["calls"].values()))
    one |= {"reason": None, "closed": one["opened"] + timedelta(days=2)}


def withdrawal(city: City, day: date) -> None:
    """A case that was read is gone from its source, perhaps the only one of its district."""
    source = city.life.chance.choice(["calls", "desk"])
    known = [one["case_id"] for one in city.life.known(source, city.town.now - timedelta(days=2))]
    if not known:
        return
    only = [key for key in known if city.life.cases[source][key]["area"] == "east"]
    key = (only or known)[-1]
    with writing(city.town.engine, city.town.clock) as held:
        records.withdraw(held, city.town.catalogue.sources[source], [key], 1)
    del city.life.cases[source][key]


def new_district(city: City, day: date) -> None:
    city.life.open_cases("calls", day, ["east"])


def changed_target(city: City, day: date) -> None:
    city.life.target = round(city.life.target - 0.01, 2)
    city.town.catalogue = city.life.write()


def gap(city: City, day: date) -> None:
    """Some days turn out not to be whole, and this is said today."""
    first = day - timedelta(days=city.life.chance.choice([2, 12, 40]))
    last = first + timedelta(days=city.life.chance.choice([0, 1, 4]))
    city.life.gaps["calls"] += GAP.format(first=first, last=last, declared=day)
    city.town.catalogue = city.life.write()


def older_date(city: City, day: date) -> None:
    """Somebody publishes for a date that has passed."""
    city.publish(day - timedelta(days=5))


def again(city: City, day: date) -> None:
    """The sources are read and published twice on one day."""
    city.read("calls")
    city.publish(day)


EVENTS = (late_record, correction, withdrawal, new_district, changed_target, gap, older_date, again)
QUIET = 0.6
"""How many mornings bring nothing but new cases."""


def check(city: City, kept: list[date | None], first: date, count: int) -> None:
    """Lives through some mornings, each checked against a plan of everything."""
    chance, silent_until = city.life.chance, {"calls": first, "desk": first}
    for day in days_from(first, count):
        new_cases(city, day)
        if chance.random() < 0.1:
            continue
        city.morning(day)
        if chance.random() < 0.12:
            silent_until[chance.choice(["calls", "desk"])] = day + timedelta(days=chance.randrange(2, 7))
        for source in city.life.cases:
            if silent_until[source] <= day:
                city.read(source)
        event = None if chance.random() < QUIET else chance.choice(EVENTS)
        if event:
            event(city, day)
        city.publish(day)
        assert city.planned_otherwise() == [], (day, event)
    assert sum(day is not None for day in kept) > count / 3


def lived(
    make: Callable[[Life], City],
    tmp_path: Path,
    seed: int,
    before: int,
    measured: Sequence[str] = tuple(KINDS),
) -> City:
    """A city with some days of cases behind it that nobody has read yet."""
    city = make(Life(tmp_path / "city", random.Random(seed), measured=measured))
    for day in days_from(BEGIN, before):
        new_cases(city, day)
    return city


@pytest.mark.parametrize("seed", [1])
def test_what_is_not_planned_again_has_not_changed(
    make: Callable[[Life], City], kept: list[date | None], tmp_path: Path, seed: int
) -> None:
    city = lived(make, tmp_path, seed, 40)
    check(city, kept, BEGIN + timedelta(days=40), 10)


@pytest.mark.matrix
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 22))
def test_what_is_not_planned_again_never_has_changed(
    make: Callable[[Life], City], kept: list[date | None], tmp_path: Path, seed: int
) -> None:
    city = lived(make, tmp_path, seed, 40 + 10 * (seed % 9))
    check(city, kept, BEGIN + timedelta(days=40 + 10 * (seed % 9)), 45)


# --- day by day ----------------------------------------------------------------------------------


def test_days_published_one_by_one_are_one_backfill_and_say_what_was_said_first(
    make: Callable[[Life], City], kept: list[date | None], tmp_path: Path
) -> None:
    daily = lived(make, tmp_path, 5, 30, FEW)
    first, said = BEGIN + timedelta(days=30), {}
    for day in days_from(first, 14):
        new_cases(daily, day)
        daily.morning(day)
        for source in daily.life.cases:
            daily.read(source)
        published = daily.publish(day)
        assert published is not None
        with reading(daily.town.engine) as connection:
            for name in daily.town.catalogue.metrics:
                one = publications.series(connection, published, name, Grain.DAY)[-1]
                assert one.period.end == day
                said[name, day] = (one.value, one.score, published.id)
    once = make(daily.life)
    once.morning(day)
    for source in once.life.cases:
        once.read(source)
    once.publish(day)
    assert all(kept[1:-1])
    assert everything(daily) == everything(once)
    for name, found in firsts(daily).items():
        for start, told in found.items():
            on_time = start + timedelta(days=1) > first
            assert told.backfilled != on_time
            if on_time and said[name, start + timedelta(days=1)][0] is not None:
                assert (told.value, told.score, told.publication) == said[name, start + timedelta(days=1)]
    assert all(told.backfilled for found in firsts(once).values() for told in found.values())


def everything(city: City) -> tuple[dict[Key, Score], dict[Key, Composite]]:
    """Every score and composite as now known, but for composites of grains at which nothing is scored."""
    with reading(city.town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        whole = all_composites(connection, now.publication)
        told = {
            key: one
            for key, one in whole.items()
            if one.reason is None or one.reason.id != "nothing_scored_at_this_grain"
        }
        return all_scores(connection, now.publication), told


def firsts(city: City) -> dict[str, dict[date, FirstPublished]]:
    with reading(city.town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        return {
            name: vintages.first_published(connection, now.publication, metric, Grain.DAY)
            for name, metric in city.town.catalogue.metrics.items()
        }


# --- what brings everything back -----------------------------------------------------------------


def test_other_code_plans_everything_again(
    make: Callable[[Life], City], kept: list[date | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = lived(make, tmp_path, 7, 60, FEW)
    for count, day in enumerate(days_from(BEGIN + timedelta(days=60), 3)):
        city.morning(day)
        for source in city.life.cases:
            city.read(source)
        if count == 2:
            monkeypatch.setattr(standing, "arithmetic", lambda: "another")
        city.publish(day)
    assert [day is None for day in kept] == [True, False, True]


def test_the_mark_of_the_code_is_kept_with_each_publication(
    make: Callable[[Life], City], tmp_path: Path
) -> None:
    city = lived(make, tmp_path, 7, 10, FEW)
    city.morning(BEGIN + timedelta(days=10))
    city.read("calls")
    city.publish(BEGIN + timedelta(days=10))
    with reading(city.town.engine) as connection:
        assert connection.execute(select(schema.publications.c.arithmetic)).scalars().all() == [
            standing.arithmetic()
        ]
