"""A small city with one publication in a database, for tests of everything that renders it.

Its scores are made of facts drawn here: its tables of records are there, as in every city, and empty.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from layouts.desk import Desk
from layouts.views import StartView
from metrics.catalogue import from_text
from metrics.facts import Fact, arrange
from metrics.model import Aggregation, Catalogue, Family, Grain, Knowledge, Metric, Score, Status
from metrics.plan import Inputs, Plan, plan
from store import publications, records, schema, signals
from store.engine import Engine, bump_state, open_engine, writing
from store.publication_rows import composite_to_row, knowledge_to_json, score_to_row
from tests.builders import write_folder
from tests.laid import lay

AS_OF = date(2026, 11, 23)
ORIGIN = date(2023, 6, 1)
FIRST = date(2025, 3, 1)
"""Facts are drawn from ORIGIN on and kept from FIRST on: fewer rows, the same numbers."""
NOW = datetime(2026, 11, 23, 10, 12, tzinfo=UTC)
LONG_NAME = "Sidewalk panels repaired within the time the city promises to people who report them " * 2

CITY = """
id = "harbor"
name = "Harbor City"
time_zone = "America/New_York"
district_word = "neighborhood"
need = "residents in poverty"
contact = "performance@harbor.example"
"""

DEPARTMENTS = """
[public_works]
name = "Public Works"
[parks]
name = "Parks & <Recreation>"
[health]
name = "Health"
"""

SOURCE = """
id = "{id}"
name = "{name}"
kind = "file"
key = "id"
arrival = "opened"
licence = "PDDL"
publisher = "City of Harbor"
[columns.id]
type = "text"
[columns.opened]
type = "instant"
[columns.due]
type = "instant"
planned = true
[columns.closed]
type = "instant"
[columns.minutes]
type = "number"
[columns.area]
type = "text"
"""

METRIC = """
id = "{id}"
name = "{name}"
department = "{department}"
theme = "streets"
family = "{family}"
public = {public}
{weight}
scored_at = {scored_at}
source = "{source}"
aggregation = "{aggregation}"
date = "opened"
district = "area"
unit = "{unit}"
decimals = {decimals}
direction = "{direction}"
definition = "Cases that were due, and how many of them were closed in time."
limitations = "It does not show how well the work was done."
owner = "Director of {department}"
{more}
{target}
"""

TARGET = """
[[target]]
value = {value}
valid_from = {day}
reason = "Service level"
approved_by = "Cabinet"
{floor}
"""

ALL_GRAINS = '["day", "week", "month", "quarter"]'
FROM_WEEK = '["week", "month", "quarter"]'
NEVER = "[]"


@dataclass(frozen=True)
class _Sketch:
    """A metric of the small city: its definition and how its facts run."""

    id: str
    name: str
    department: str
    level: float
    amount: int
    target: float | None
    aggregation: str = "ratio"
    unit: str = "percent"
    direction: str = "higher_is_better"
    scored_at: str = FROM_WEEK
    source: str = "cases"
    family: str = "service"
    public: bool = True
    decimals: int = 1
    raised_to: float | None = None
    floor: str = ""


SKETCHES = (
    _Sketch("pothole_on_time", "Potholes filled on time", "public_works", 0.62, 14, 0.8),
    _Sketch("streetlight_on_time", "Street lights mended on time", "public_works", 0.74, 9, 0.8),
    _Sketch("trash_on_time", "Missed trash picked up on time", "public_works", 0.83, 30, 0.8, raised_to=0.85),
    _Sketch("graffiti_on_time", "Graffiti removed on time", "public_works", 0.88, 12, 0.8),
    _Sketch("sidewalk_on_time", LONG_NAME.strip(), "public_works", 0.79, 6, 0.8),
    _Sketch("tree_on_time", "Trees cared for on time", "parks", 0.70, 5, 0.8),
    _Sketch("park_on_time", "Park repairs on time", "parks", 0.92, 8, 0.8, scored_at=ALL_GRAINS),
    _Sketch(
        "response_minutes",
        "Ambulance response",
        "health",
        6.2,
        40,
        6.0,
        aggregation="mean",
        unit="minutes",
        direction="lower_is_better",
        scored_at=ALL_GRAINS,
    ),
    _Sketch(
        "flu_shots",
        "Flu shots given",
        "health",
        0,
        34,
        30,
        aggregation="count",
        unit="count",
        scored_at=ALL_GRAINS,
        decimals=0,
    ),
    _Sketch("library_on_time", "Library holds filled on time", "parks", 0.9, 20, 0.85, source="library"),
    _Sketch("water_on_time", "Water leaks closed on time", "health", 0.9, 20, 0.85, source="water"),
    _Sketch(
        "requests_opened",
        "Requests opened",
        "public_works",
        0,
        410,
        None,
        aggregation="count",
        unit="requests",
        direction="neutral",
        scored_at=NEVER,
        family="condition",
        decimals=0,
    ),
    _Sketch(
        "secret_on_time", "Inner work on time", "health", 0.5, 10, None, family="condition", public=False
    ),
)


def public_pairs() -> list[Any]:
    """Every public metric and every grain for `make test`, all pairs of them for `make test-all`."""
    grains = [*Grain]
    shown = enumerate(one.id for one in SKETCHES if one.public)
    return [
        pytest.param(metric, grain, marks=[] if grain is grains[turn % 4] else [pytest.mark.matrix])
        for turn, metric in shown
        for grain in grains
    ]


@dataclass(frozen=True)
class PublishedCity:
    """A database with one publication, and what was published."""

    engine: Engine
    url: str
    folder: Path
    catalogue: Catalogue
    plan: Plan

    def score(self, metric: str, grain: str) -> Score:
        """The newest score of a metric for the whole city."""
        found = [s for s in self.plan.scores if (s.metric, s.period.grain, s.district) == (metric, grain, "")]
        return max(found, key=lambda score: score.period.start)


def city_files(sketches: tuple[_Sketch, ...] = SKETCHES) -> dict[str, str]:
    """The files of the city's folder by their names."""
    sources = {"cases": "City cases", "library": "Library system", "water": "Water utility"}
    files = {"city.toml": CITY, "departments.toml": DEPARTMENTS, "districts.geojson": _districts()}
    files |= {f"sources/{one}.toml": SOURCE.format(id=one, name=name) for one, name in sources.items()}
    return files | {f"metrics/{one.id}.toml": _metric_file(one) for one in sketches}


def catalogue_of(files: dict[str, str]) -> Catalogue:
    """The catalogue these files make."""
    return from_text(json.dumps(files))


KNOWN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
KNOWLEDGE = {
    "cases": Knowledge("cases", FIRST, KNOWN),
    "library": Knowledge("library", FIRST, KNOWN - timedelta(days=4)),
    "water": Knowledge("water", None, None),
}
"""The water utility never ran, the library is late."""


def plan_of(
    catalogue: Catalogue,
    sketches: tuple[_Sketch, ...] = SKETCHES,
    knowledge: dict[str, Knowledge] = KNOWLEDGE,
) -> tuple[Plan, dict[str, Knowledge]]:
    """What a publication of the small city says, with its sources known so far."""
    key = f"{catalogue.hash} {sketches} {knowledge}"
    if key not in _PLANS:
        _PLANS[key] = _plan_of(catalogue, sketches, knowledge), knowledge
    return _PLANS[key]


_PLANS: dict[str, tuple[Plan, dict[str, Knowledge]]] = {}


def _plan_of(catalogue: Catalogue, sketches: tuple[_Sketch, ...], knowledge: dict[str, Knowledge]) -> Plan:
    facts = {one.id: arrange(_facts(one, catalogue.metrics[one.id]), FIRST, AS_OF) for one in sketches}
    planned = plan(Inputs(catalogue, AS_OF, facts, knowledge, {}))
    return replace(planned, scores=tuple(_one_provisional(score) for score in planned.scores))


def fill(
    engine: Engine,
    catalogue: Catalogue,
    planned: Plan,
    knowledge: dict[str, Knowledge],
    *,
    as_of: date = AS_OF,
    now: datetime = NOW,
    is_current: bool = True,
) -> None:
    """Writes a publication as an act of publishing would; a copy of the file where it was done before."""
    before, what = _at_rest(engine), _signature(planned)
    key = (sha256(before or b"").digest(), what, repr(catalogue), repr(knowledge), as_of, now, is_current)
    if before and what and key in _FILLED:
        Path(str(engine.url.database)).write_bytes(_FILLED[key])
        return
    _fill(engine, catalogue, planned, knowledge, as_of, now, is_current)
    after = _at_rest(engine)
    if before and what and after:
        _FILLED[key] = after
        if len(_FILLED) > FILLED_KEPT:
            del _FILLED[next(iter(_FILLED))]


_FILLED: dict[tuple[Any, ...], bytes] = {}
FILLED_KEPT = 12


def _at_rest(engine: Engine) -> bytes | None:
    """The whole database of SQLite; None while somebody else has it open, and for other engines."""
    path = Path(str(engine.url.database))
    if engine.dialect.name != "sqlite":
        return None
    engine.dispose()
    return None if Path(f"{path}-wal").exists() else path.read_bytes()


def _signature(planned: Plan) -> object:
    """What tells a plan from all others; None for a long one that is not kept."""
    if any(planned is kept for kept, _ in _PLANS.values()):
        return id(planned)
    return repr(planned) if len(planned.scores) < 100 and len(planned.composites) < 100 else None


def _fill(
    engine: Engine,
    catalogue: Catalogue,
    planned: Plan,
    knowledge: dict[str, Knowledge],
    as_of: date,
    now: datetime,
    is_current: bool,
) -> None:
    with writing(engine, lambda: now) as held:
        for source in catalogue.sources.values():
            records.prepare(held.connection, source)
        known = schema.catalogues.select().where(schema.catalogues.c.hash == catalogue.hash)
        if not held.connection.execute(known).all():
            row = {"hash": catalogue.hash, "text": catalogue.text, "first_seen": held.now}
            held.connection.execute(insert(schema.catalogues), row)
        number = held.connection.execute(
            insert(schema.publications)
            .values(
                as_of=as_of.isoformat(),
                known_at=held.now,
                published_at=held.now,
                catalogue=catalogue.hash,
                knowledge=knowledge_to_json(knowledge),
                is_current=int(is_current),
            )
            .returning(schema.publications.c.id)
        ).scalar_one()
        scores = [score_to_row(score, number) for score in planned.scores]
        composites = [composite_to_row(one, number) for one in planned.composites]
        for table, rows in ((schema.scores, scores), (schema.composites, composites)):
            if rows:
                held.connection.execute(insert(table), rows)
        made = publications.find(held.connection, number=number)
        assert made is not None, "it was just written"
        signals.remember(held.connection, catalogue, made.publication)
        bump_state(held)


@pytest.fixture(scope="session")
def published_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedCity]:
    """A small city with one publication; nobody writes to it."""
    if not _PUBLISHED:
        _PUBLISHED.append(_published_in(tmp_path_factory.mktemp("published")))
    yield _PUBLISHED[0]
    _PUBLISHED[0].engine.dispose()


_PUBLISHED: list[PublishedCity] = []
"""The one city: each folder and module that names the fixture has one of its own."""


def _published_in(folder: Path) -> PublishedCity:
    files = city_files()
    catalogue = catalogue_of(files)
    url = f"sqlite:///{folder / 'cityscore.db'}"
    engine = open_engine(url)
    lay(engine, catalogue.city, lambda: NOW)
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    return PublishedCity(engine, url, write_folder(folder / "harbor", files), catalogue, planned)


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[Callable[[Catalogue], Engine]]:
    """Makes a migrated database without any publication."""
    made: list[Engine] = []

    def make(catalogue: Catalogue) -> Engine:
        engine = open_engine(f"sqlite:///{tmp_path / f'city{len(made)}.db'}")
        made.append(engine)
        lay(engine, catalogue.city, lambda: NOW)
        return engine

    yield make
    for engine in made:
        engine.dispose()


def _metric_file(one: _Sketch) -> str:
    targets = ""
    if one.target is not None:
        targets = TARGET.format(value=one.target, day="2016-01-01", floor=one.floor)
    if one.raised_to is not None:
        targets += TARGET.format(value=one.raised_to, day="2026-07-01", floor=one.floor)
    return METRIC.format(
        id=one.id,
        name=one.name,
        department=one.department,
        family=one.family,
        public=str(one.public).lower(),
        weight="weight = 1.0" if one.family == "service" else "",
        scored_at=one.scored_at,
        source=one.source,
        aggregation=one.aggregation,
        unit=one.unit,
        decimals=one.decimals,
        direction=one.direction,
        more=_COUNTED.get(one.aggregation, ""),
        target=targets,
    )


_COUNTED = {"ratio": 'numerator = "closed <= due"', "mean": 'value = "minutes"'}


def _districts() -> str:
    names = ["North End", "Old Harbor", "Riverside", "Südhöhe"]
    features = [
        {
            "type": "Feature",
            "properties": {
                "id": f"d{number}",
                "name": name,
                "population": 10_000 * number,
                "need": number / 20,
            },
            "geometry": _square(number),
        }
        for number, name in enumerate(names, 1)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def _square(number: int) -> dict[str, object]:
    """Squares in a row from west to east."""
    west, east = -71.0 + 0.02 * number, -70.98 + 0.02 * number
    ring = [[west, 42.3], [east, 42.3], [east, 42.32], [west, 42.32], [west, 42.3]]
    return {"type": "Polygon", "coordinates": [ring]}


def _facts(one: _Sketch, metric: Metric) -> Iterator[tuple[str, date, Fact]]:
    chance = random.Random(one.id)
    for number in range((AS_OF - ORIGIN).days):
        day = ORIGIN + timedelta(days=number)
        wave = 0.06 * math.sin(number / 58) + 0.02 * math.sin(number / 11)
        for district in ("d1", "d2", "d3", "d4", "unknown"):
            amount = max(0, round(chance.gauss(one.amount / 5, math.sqrt(one.amount) / 5)))
            if metric.aggregation is Aggregation.RATIO:
                share = one.level + wave - (0.12 if district == "d3" else 0)
                good = sum(chance.random() < share for _ in range(amount))
                yield district, day, Fact(float(good), float(amount))
            elif metric.aggregation is Aggregation.MEAN:
                yield (
                    district,
                    day,
                    Fact(amount * (one.level + 3 * wave + chance.gauss(0, 0.1)), float(amount)),
                )
            else:
                yield district, day, Fact(float(amount))


def _one_provisional(score: Score) -> Score:
    newest = score.period.end >= AS_OF - timedelta(days=7)
    if score.metric == "graffiti_on_time" and score.status is Status.FINAL and newest:
        return replace(score, status=Status.PROVISIONAL)
    return score


def services(catalogue: Catalogue) -> list[Metric]:
    """The service metrics of a catalogue."""
    return [metric for metric in catalogue.metrics.values() if metric.family is Family.SERVICE]


@pytest.fixture
def desk(published_city: PublishedCity) -> Desk:
    """The desk over the published city."""
    return desk_over(published_city.engine, published_city.catalogue)


def desk_over(engine: Engine, catalogue: Catalogue) -> Desk:
    """A desk whose start page knows only the city."""
    start = StartView(catalogue.city, len(catalogue.metrics), (), None)
    return Desk(engine, catalogue, lambda: start, "build")
