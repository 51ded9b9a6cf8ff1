"""A small town with a database of its own: definitions, a clock set by hand, cases that come in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from metrics.model import Catalogue, Composite, Grain, Publication, Score, Source
from metrics.periods import local_day
from store import publication_rows, publications, records, runs
from store.engine import instant_text, reading, writing
from store.publication_rows import Key
from store.publish import PublishReport, publish, verify
from store.withheld import NOTHING
from tests.builders import write_folder
from tests.laid import lay

CITY = """
id = "test"
name = "Testville"
time_zone = "America/New_York"
minimum_coverage = 0.5
small_counts = 0
"""
DEPARTMENTS = """
[works]
name = "Public Works"
"""
SOURCE = """
id = "cases"
name = "Cases"
kind = "file"
key = "case_id"
arrival = "opened"
[columns.case_id]
type = "text"
required = true
[columns.opened]
type = "instant"
[columns.due]
type = "instant"
planned = true
[columns.closed]
type = "instant"
[columns.reason]
type = "text"
known_with = "closed"
[columns.area]
type = "text"
"""
METRIC = """
id = "on_time"
name = "On time"
department = "works"
theme = "streets"
family = "service"
source = "cases"
unit = "percent"
definition = "A test metric: cases closed by the day they were due."
limitations = "Invented."
owner = "The tester"
clock_start = "when the case is opened"
clock_stop = "when it is closed"
district = "area"
weight = 1.0
scored_at = ["day", "week", "month"]
aggregation = "ratio"
direction = "higher_is_better"
date = "due"
numerator = "closed <= due"
exclude = "reason in ('Duplicate')"
[[target]]
value = 0.8
valid_from = 2016-01-01
reason = "a test"
approved_by = "the tester"
"""
LATE_SOURCE = """
id = "{id}"
name = "{id}"
kind = "file"
key = "case_id"
arrival = "filed"
quiet_minutes = 720
{more}
[columns.case_id]
type = "text"
required = true
[columns.opened]
type = "instant"
[columns.filed]
type = "instant"
[columns.due]
type = "instant"
planned = true
[columns.closed]
type = "instant"
not_before = "opened"
[columns.reason]
type = "text"
known_with = "closed"
[columns.area]
type = "text"
"""
"""A source whose cases are filed when they are, some days after they were opened."""
METRIC_WORDS = """
id = "{id}"
name = "{id}"
department = "works"
theme = "streets"
family = "{family}"
source = "{source}"
definition = "A test metric."
limitations = "Invented."
owner = "The tester"
clock_start = "when the case is opened"
clock_stop = "when it is closed"
"""
TARGET = """
[[target]]
value = {value}
floor = {floor}
valid_from = 2016-01-01
reason = "a test"
approved_by = "the tester"
"""
DISTRICTS = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null, "properties": '
    '{"id": "north", "name": "North", "aliases": ["N.", "Norte: the"], "population": 10}}]}'
)


def write_city(folder: Path) -> Path:
    """Writes the town's catalogue into `folder`."""
    files = {
        "city.toml": CITY,
        "departments.toml": DEPARTMENTS,
        "sources/cases.toml": SOURCE,
        "metrics/on_time.toml": METRIC,
        "districts.geojson": DISTRICTS,
    }
    return write_folder(folder, files)


def metric_file(
    name: str,
    how: str,
    target: tuple[float, float] | None,
    *,
    source: str = "cases",
    family: str = "service",
) -> str:
    """The file of a metric; how: its lines on what is counted and scored, target: value and floor."""
    words = METRIC_WORDS.format(id=name, source=source, family=family)
    weight = "weight = 1.0\n" if family == "service" else ""
    dated = TARGET.format(value=target[0], floor=target[1]) if target else ""
    return f"{words}{weight}{how}\n{dated}"


def all_composites(connection: Connection, publication: Publication) -> dict[Key, Composite]:
    """Every composite of a publication by (scope, scope id, grain, start)."""
    rows = publications.composite_rows(connection, publication)
    return {key: publication_rows.as_composite(row) for key, row in rows.items()}


def all_scores(connection: Connection, publication: Publication) -> dict[Key, Score]:
    """Every score of a publication by (metric, district, grain, start)."""
    rows = publications.score_rows(connection, publication)
    return {key: publication_rows.as_score(row) for key, row in rows.items()}


class Town:
    """A city's database at work: a clock set by hand, cases that come in, publications."""

    def __init__(
        self, engine: Engine, catalogue: Catalogue, began: datetime = datetime(2026, 6, 1, 12, tzinfo=UTC)
    ) -> None:
        self.engine, self.catalogue = engine, catalogue
        self.now = began
        lay(engine, catalogue.city, self.clock)
        self.now = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def ingest(self, *cases: dict[str, Any], until: datetime | None = None, source: str = "cases") -> None:
        self._ingest(self.catalogue.sources[source], cases, until)

    def _ingest(self, source: Source, cases: tuple[dict[str, Any], ...], until: datetime | None) -> None:
        with writing(self.engine, self.clock) as held:
            records.prepare(held.connection, source, ())
        run = runs.start(self.engine, self.clock, source.id, "test")
        with records.staging(self.engine, source) as stage:
            stage.add([self._row(source, case) for case in cases])
            with stage.writing(self.clock) as held:
                stage.merge(held, run)
                runs.finish(held, run, known_until=until or self.now)

    def publish(self, as_of: date | None = None, reason: str | None = None) -> PublishReport:
        return publish(self.engine, self.catalogue, self.clock, as_of=as_of, reason=reason)

    def month(self, number: int | None = None, district: str = "", back: int = 0) -> Score:
        with reading(self.engine) as connection:
            opened = publications.find(connection, number=number)
            assert opened is not None
            rows = publications.series(
                connection, opened.publication, "on_time", Grain.MONTH, district=district, hidden=NOTHING
            )
            return rows[-1 - back]

    def verified(self) -> list[str]:
        with reading(self.engine) as connection:
            return [line for _, lines in verify(connection) for line in lines]

    def _row(self, source: Source, case: dict[str, Any]) -> tuple[Any, ...]:
        fields: dict[str, Any] = {}
        for column in source.columns:
            given = case.get(column.name)
            fields[column.name] = given
            if column.type == "instant":
                day = local_day(self.catalogue.city, given).isoformat() if given else None
                fields |= {column.name: instant_text(given) if given else None, f"{column.name}_day": day}
        return tuple(fields[name] for name in records.stage_columns(source))


def case(key: str, due: int, closed: int | None, *, month: int = 6, **more: Any) -> dict[str, Any]:
    noon = datetime(2026, month, 1, 16, tzinfo=UTC)
    day = timedelta(days=1)
    return {
        "case_id": key,
        "opened": noon,
        "due": noon + (due - 1) * day,
        "closed": noon + (closed - 1) * day if closed else None,
        "area": "North",
        **more,
    }
