"""Small cities made by hand: definitions without files, and the folder of those that need some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from metrics.facts import Fact, Facts, arrange
from metrics.model import (
    Aggregation,
    Catalogue,
    City,
    Column,
    Department,
    Direction,
    Family,
    Grain,
    Knowledge,
    Metric,
    Source,
    Target,
    Weight,
)
from metrics.plan import Inputs

ALWAYS = date(2000, 1, 1)
CITY = City(id="test", name="Testville", time_zone="America/New_York")
SOURCE = Source(
    id="cases",
    name="Cases",
    kind="file",
    key="case_id",
    arrival="opened",
    columns=(
        Column("case_id", "text", required=True),
        Column("opened", "instant"),
        Column("due", "instant", planned=True),
        Column("closed", "instant"),
        Column("reason", "text", known_with="closed"),
        Column("topic", "text"),
        Column("area", "text"),
        Column("amount", "number"),
    ),
)


def target(value: Any, *, since: date = ALWAYS, floor: Any = None) -> Target:
    """A target with the reasons a catalogue asks for."""
    return Target(value, since, "a test", "the tester", floor)


def metric(name: str, aggregation: Aggregation = Aggregation.RATIO, **changes: Any) -> Metric:
    """A service metric of the test source, on target at 0.80 when it is a ratio."""
    base = Metric(
        id=name,
        name=name.replace("_", " ").capitalize(),
        department="works",
        theme="streets",
        family=Family.SERVICE,
        source="cases",
        aggregation=aggregation,
        date="due",
        unit="percent" if aggregation is Aggregation.RATIO else "cases",
        direction=Direction.HIGHER_IS_BETTER,
        definition="A test metric.",
        limitations="It is invented.",
        owner="The tester",
        numerator="closed <= due" if aggregation is Aggregation.RATIO else None,
        district="area",
        weights=(Weight(1.0, ALWAYS, "all equal"),),
        scored_at=tuple(Grain),
        targets=(target(0.8),),
    )
    return replace(base, **changes)


def catalogue(*metrics: Metric, city: City = CITY, sources: Iterable[Source] = (SOURCE,)) -> Catalogue:
    """A catalogue of these metrics; its text is not meant to be read back."""
    departments = {one.department: Department(one.department, one.department.capitalize()) for one in metrics}
    return Catalogue(
        city=city,
        departments=departments,
        districts={},
        sources={source.id: source for source in sources},
        metrics={one.id: one for one in metrics},
        text="",
        hash="",
    )


def known(first: date, until: datetime | None, source: str = "cases") -> Knowledge:
    """A source known from a day up to an instant."""
    return Knowledge(source, first, until)


def inputs(
    definitions: Catalogue,
    as_of: date,
    facts: Mapping[str, Mapping[tuple[str, date], Fact]],
    knowledge: Mapping[str, Knowledge],
) -> Inputs:
    """The inputs of a plan from facts by metric, district and day."""
    arranged: dict[str, Facts] = {}
    for one in definitions.metrics.values():
        first = knowledge[one.source].first_day or as_of
        cells = facts.get(one.id, {})
        arranged[one.id] = arrange(((d, day, fact) for (d, day), fact in cells.items()), first, as_of)
    return Inputs(definitions, as_of, arranged, knowledge, {})


def utc(*parts: int) -> datetime:
    """An instant in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def write_folder(folder: Path, files: dict[str, str]) -> Path:
    """Writes a city's files and gives the folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
