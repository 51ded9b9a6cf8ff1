"""Which definitions numbers follow from, and whether they differ between two catalogues."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import lru_cache

from metrics.catalogue import from_text
from metrics.catalogue_files import DISTRICTS
from metrics.model import (
    WHOLE_CITY,
    Catalogue,
    City,
    Closure,
    Column,
    Gap,
    Grain,
    Metric,
    Period,
    Source,
    Target,
)
from store.questions import district_of

REVISION = "revision"
"""The reason a publication gives by itself when later records changed a final score."""

WORDS_OF_A_CITY = frozenset(
    {
        "name",
        "tagline",
        "district_word",
        "language",
        "contact",
        "demonstration",
        "small_counts",
        "need",
        "reporting_proxy",
        "approve_first",
    }
)
WORDS_OF_A_SOURCE = frozenset(
    {"name", "schedule", "publisher", "licence", "url", "options", "kind", "modified", "closed"}
)
WORDS_OF_A_METRIC = frozenset(
    {
        "name",
        "definition",
        "limitations",
        "owner",
        "public",
        "decimals",
        "clock_start",
        "clock_stop",
        "question",
        "renamed_from",
        "small_counts",
        "hide_small_city",
        "pairs",
        "split_by",
    }
)
BESIDE_THE_DEFINITION = frozenset(
    {"id", "department", "theme", "family", "weights", "targets", "scored_at", "retired"}
)
"""What of a metric changes neither its value nor its score, or does so by a date of its own."""

OF_THE_HEADLINE = frozenset({"minimum_coverage", "closures", "holidays"})
"""What of a city concerns composites alone, or single days."""

WAYS_OF_READING = ("type", "planned", "known_with", "stamps", "format", "not_before")
"""What of a column says how a record is read."""


def scoring_parts(catalogue: Catalogue) -> tuple[object, ...]:
    """The definitions that numbers follow from; a word in an explanation is none of them."""
    return (
        _without(catalogue.city, WORDS_OF_A_CITY),
        [_without(one, WORDS_OF_A_SOURCE) for one in catalogue.sources.values()],
        [_without(one, WORDS_OF_A_METRIC) for one in catalogue.live_metrics()],
        sorted(district_of(catalogue.districts.values()).items()),
    )


def is_redefined(before: str, after: str, names: Collection[str], grain: Grain, district: str) -> bool:
    """Whether what a metric measures, or how it is scored at a grain, differs between two catalogues.

    before, after: the texts of the catalogues. names: the ids the metric had. Dated statements (targets,
    weights, gaps, holidays) are no definition: method 4 calls a change of the past by them a correction.
    False where one of the two does not have the metric.
    """
    sides = _sides(before, after, names)
    if sides is None:
        return False
    was, now = sides
    return (
        _definition(was.metric, grain) != _definition(now.metric, grain)
        or _is_read_otherwise(was.source, now.source)
        or (district != WHOLE_CITY and _aliases(was.catalogue) != _aliases(now.catalogue))
    )


def is_stated_otherwise(before: Catalogue, after: Catalogue, names: Collection[str], period: Period) -> bool:
    """Whether dated statements about a metric's period differ: its target, gaps, closed days, calendar."""
    was, now = find(before, names), find(after, names)
    if was is None or now is None:
        return False
    return _statements(before, was, period) != _statements(after, now, period)


def targets_in_force(metric: Metric, period: Period) -> tuple[Target, ...]:
    """The targets that are in force somewhere in a period, oldest first; empty for a historical target."""
    dated = sorted(metric.targets, key=lambda target: target.valid_from)
    standing = [target for target in dated if target.valid_from <= period.start][-1:]
    inside = [target for target in dated if period.start < target.valid_from < period.end]
    return (*standing, *inside)


def names_of(metric: Metric) -> tuple[str, ...]:
    """The ids under which a metric was published: a new name does not wipe out its past."""
    return (metric.id, metric.renamed_from) if metric.renamed_from else (metric.id,)


def find(catalogue: Catalogue, names: Collection[str]) -> Metric | None:
    """The metric that has one of these ids; None for none."""
    return next((catalogue.metrics[name] for name in names if name in catalogue.metrics), None)


@lru_cache(maxsize=32)
def catalogue_of(text: str) -> Catalogue:
    """The catalogue of a stored text, read once."""
    return from_text(text)


@dataclass(frozen=True)
class _Side:
    """A metric as one of two catalogues defines it."""

    catalogue: Catalogue
    metric: Metric

    @property
    def source(self) -> Source | None:
        return self.catalogue.sources.get(self.metric.source)


def _sides(before: str, after: str, names: Collection[str]) -> tuple[_Side, _Side] | None:
    """A metric in the texts of two catalogues; None where it is not in both, or nothing of it can differ."""
    if not _may_concern(before, after, names):
        return None
    old, new = catalogue_of(before), catalogue_of(after)
    was, now = find(old, names), find(new, names)
    return None if was is None or now is None else (_Side(old, was), _Side(new, now))


def _may_concern(before: str, after: str, names: Collection[str]) -> bool:
    """Whether a file changed in which a definition of the metric may stand: reading catalogues is slow."""
    own = {f"metrics/{name}.toml" for name in names}
    changed = _changed_files(before, after)
    return any(name in own or name == DISTRICTS or name.startswith("sources/") for name in changed)


@lru_cache(maxsize=64)
def _changed_files(before: str, after: str) -> frozenset[str]:
    old, new = _files(before), _files(after)
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


@lru_cache(maxsize=32)
def _files(text: str) -> dict[str, str]:
    return dict(json.loads(text))


def _definition(metric: Metric, grain: Grain) -> dict[str, object]:
    kept = _without(metric, WORDS_OF_A_METRIC | BESIDE_THE_DEFINITION)
    return kept | {"is_scored": grain in metric.scored_at}


def _is_read_otherwise(before: Source | None, after: Source | None) -> bool:
    """Whether a column that both have is read in another way, or a record goes by another key."""
    if before is None or after is None:
        return False
    old = {column.name: _reading(column) for column in before.columns}
    new = {column.name: _reading(column) for column in after.columns}
    return before.key != after.key or any(old[name] != new[name] for name in old.keys() & new.keys())


def _reading(column: Column) -> tuple[object, ...]:
    return tuple(getattr(column, name) for name in WAYS_OF_READING)


def _aliases(catalogue: Catalogue) -> dict[str, str]:
    return dict(district_of(catalogue.districts.values()))


def _statements(catalogue: Catalogue, metric: Metric, period: Period) -> tuple[object, ...]:
    city, source = catalogue.city, catalogue.sources.get(metric.source)
    days: tuple[Closure | Gap, ...] = (*city.closures, *(source.gaps if source else ()))
    return (
        targets_in_force(metric, period),
        [one for one in days if one.touches(period.start, period.end)],
        [day for day in city.holidays if period.start <= day < period.end],
        _without(city, WORDS_OF_A_CITY | OF_THE_HEADLINE),
        (source.begins, source.arrival, source.due_after_minutes) if source else None,
    )


def _without(definition: City | Source | Metric, words: frozenset[str]) -> dict[str, object]:
    return {one.name: getattr(definition, one.name) for one in fields(definition) if one.name not in words}
