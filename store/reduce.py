"""Records to observations: each metric's expressions run where the records are, for the days touched.

A fact depends on what is known (the records) and on as_of: an instant at or after the midnight that
begins as_of reads as empty, so a later closing is still open (method 9). A day is reduced again when one
of its records changed, when the passing of as_of uncovered an instant of one, or when it is new.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, text

from metrics.facts import Fact
from metrics.model import Aggregation, Catalogue, Metric, Source
from store import observations, records
from store.engine import Writing
from store.observations import NO_FACT, Cell
from store.questions import (
    amounts_of,
    as_of_parameters,
    columns_used,
    district_id,
    district_of,
    masked_by_time,
    prepare_workdays,
    question,
    quoted,
)
from store.schema import reductions

_MOST_TOUCHED_DAYS = 400
"""Above this many touched days one pass over all of them is cheaper than naming each."""


@dataclass(frozen=True)
class Reduction:
    """What reducing one metric did: days looked at (None is all of them) and cells with a new vintage.

    facts: all facts of the metric, where all days were looked at.
    """

    metric: str
    days: int | None
    changed: int
    facts: Mapping[Cell, Fact] | None = None


def reduce(writing: Writing, catalogue: Catalogue, as_of: date) -> list[Reduction]:
    """Brings the observations of every live metric up to what is known now, as of a date."""
    prepare_workdays(writing.connection, catalogue.city)
    for source in catalogue.sources.values():
        records.prepare(writing.connection, source, records.dated_columns(catalogue, source))
    touched = _Touched(writing.connection)
    return [_reduce_metric(writing, catalogue, metric, as_of, touched) for metric in catalogue.live_metrics()]


def _reduce_metric(
    writing: Writing, catalogue: Catalogue, metric: Metric, as_of: date, touched: _Touched
) -> Reduction:
    definition = _definition(catalogue, metric)
    days = _touched_days(writing.connection, catalogue, metric, as_of, definition, touched)
    if days is not None and metric.aggregation is Aggregation.STOCK:
        days = _all_days_from(min(days), as_of) if days else days
    changed = 0
    facts = None
    if days is None or days:
        before = observations.facts(writing.connection, metric.id, as_of, writing.now, days)
        now = _facts(writing.connection, catalogue, metric, as_of, days)
        changed = observations.record(writing, metric.id, as_of, now, before)
        facts = {cell: fact for cell, fact in now.items() if fact != NO_FACT} if days is None else None
    _remember(writing, metric, as_of, definition)
    return Reduction(metric.id, None if days is None else len(days), changed, facts)


def _all_days_from(first: date, end: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((end - first).days)]


# --- which days ---------------------------------------------------------------------------------


def _touched_days(
    connection: Connection,
    catalogue: Catalogue,
    metric: Metric,
    as_of: date,
    definition: str,
    touched: _Touched,
) -> list[date] | None:
    """The days whose facts may differ from those on record; None when all must be looked at.

    Building on the last reduction is right only when it was made with the same definition and for no
    later date: an older as_of leaves vintages behind that a later one must be compared with whole.
    """
    last = connection.execute(select(reductions).where(reductions.c.metric == metric.id)).one_or_none()
    if last is None or last.definition != definition or last.as_of > as_of.isoformat():
        return None
    source = catalogue.sources[metric.source]
    before = date.fromisoformat(last.as_of)
    columns, masks = _day_columns(source, metric), masked_by_time(source, columns_used(catalogue, metric))
    found = touched.changed(source, columns, last.recorded_at)
    found |= touched.uncovered(source, columns, masks, before, as_of)
    new = {day.isoformat() for day in _all_days_from(before, as_of)}
    days = sorted(date.fromisoformat(day) for day in found | new if day < as_of.isoformat())
    return days if len(days) <= _MOST_TOUCHED_DAYS or metric.aggregation is Aggregation.STOCK else None


class _Touched:
    """The days of records that changed or came into view: each question is asked once for all metrics."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answers: dict[tuple[str, ...], frozenset[str]] = {}

    def changed(self, source: Source, day_columns: Iterable[str], since: str) -> set[str]:
        """The days, in `day_columns`, of records that are new, replaced or withdrawn since an instant."""
        tables = (
            (records.record_table(source), "_recorded_from"),
            (records.replaced_table(source), "_recorded_to"),
        )
        return {
            day
            for name in day_columns
            for table, changed in tables
            for day in self._ask(table, name, (changed, ">", since))
        }

    def uncovered(
        self, source: Source, day_columns: Iterable[str], masks: Iterable[str], before: date, as_of: date
    ) -> set[str]:
        """The days of records of which something in `masks` happened in [before, as_of)."""
        table = records.record_table(source)
        return {
            day
            for mask in masks
            for name in day_columns
            for day in self._ask(
                table,
                name,
                (records.day_column(source, mask), ">=", before.isoformat()),
                (records.day_column(source, mask), "<", as_of.isoformat()),
            )
        }

    def _ask(self, table: Table, name: str, *tests: tuple[str, str, str]) -> frozenset[str]:
        question = (table.name, name, *(word for test in tests for word in test))
        if question not in self._answers:
            conditions = [table.c[column].op(sign)(bound) for column, sign, bound in tests]
            days = self._connection.execute(select(table.c[name]).where(*conditions).distinct())
            self._answers[question] = frozenset(day for (day,) in days if day is not None)
        return self._answers[question]


def _day_columns(source: Source, metric: Metric) -> list[str]:
    return [records.day_column(source, name) for name in (metric.date, metric.until) if name]


# --- the facts ----------------------------------------------------------------------------------


def _facts(
    connection: Connection, catalogue: Catalogue, metric: Metric, as_of: date, days: list[date] | None
) -> dict[Cell, Fact]:
    place = _Place(district_of(catalogue.districts.values()))
    if metric.aggregation is Aggregation.STOCK:
        facts = _stock(connection, catalogue, metric, as_of, place, min(days) if days else None)
        wanted = None if days is None else set(days)
        return {cell: fact for cell, fact in facts.items() if wanted is None or cell[1] in wanted}
    gather = _GATHER[metric.aggregation]
    return gather(_rows(connection, catalogue, metric, as_of, days), place)


def _rows(
    connection: Connection, catalogue: Catalogue, metric: Metric, as_of: date, days: list[date] | None
) -> Sequence[Any]:
    dialect = connection.dialect.name
    asked = question(catalogue, metric, dialect)
    amounts, group = amounts_of(catalogue, metric, dialect)
    parameters = as_of_parameters(catalogue.city, as_of)
    chosen = f"{asked.day} < :as_of"
    if days is not None:
        names = {f"day_{n}": day.isoformat() for n, day in enumerate(days)}
        parameters |= names
        chosen = f"{asked.day} IN ({', '.join(f':{name}' for name in names)})"
    statement = (
        f"SELECT {asked.district} AS district, {asked.day} AS day, {amounts} "
        f"{asked.among(chosen)} AND {asked.day} IS NOT NULL GROUP BY 1, 2{group}"
    )
    return connection.execute(text(statement), parameters).all()


class _Place:
    """Puts a record's spelling and day in their cell, each looked up once."""

    def __init__(self, district_ids: Mapping[str, str]) -> None:
        self.district = lru_cache(maxsize=None)(lambda spelling: district_id(spelling, district_ids))
        self.day = lru_cache(maxsize=None)(date.fromisoformat)

    def cell(self, spelling: str | None, day: str) -> Cell:
        return self.district(spelling), self.day(day)


def _gather_sums(rows: Sequence[Any], place: _Place) -> dict[Cell, Fact]:
    sums: dict[Cell, list[tuple[float, float]]] = defaultdict(list)
    for district, day, numerator, denominator, count in rows:
        parts = float(numerator or 0) * count, float(denominator or 0) * count
        sums[place.cell(district, day)].append(parts)
    return {
        cell: Fact(math.fsum(n for n, _ in parts), math.fsum(d for _, d in parts))
        for cell, parts in sums.items()
    }


def _gather_amounts(rows: Sequence[Any], place: _Place) -> dict[Cell, dict[float, int]]:
    amounts: dict[Cell, dict[float, int]] = defaultdict(lambda: defaultdict(int))
    for district, day, amount, count in rows:
        if amount is not None:
            amounts[place.cell(district, day)][float(amount)] += count
    return amounts


def _gather_means(rows: Sequence[Any], place: _Place) -> dict[Cell, Fact]:
    """Sums are added exactly, so that no engine's order of adding shows."""
    return {
        cell: Fact(
            math.fsum(value * count for value, count in multiset.items()), float(sum(multiset.values()))
        )
        for cell, multiset in _gather_amounts(rows, place).items()
    }


def _gather_multisets(rows: Sequence[Any], place: _Place) -> dict[Cell, Fact]:
    return {
        cell: Fact(amounts=tuple(sorted(multiset.items())))
        for cell, multiset in _gather_amounts(rows, place).items()
    }


_GATHER = {
    Aggregation.RATIO: _gather_sums,
    Aggregation.COUNT: _gather_sums,
    Aggregation.MEAN: _gather_means,
    Aggregation.MEDIAN: _gather_multisets,
    Aggregation.PERCENTILE: _gather_multisets,
}


def _stock(
    connection: Connection,
    catalogue: Catalogue,
    metric: Metric,
    as_of: date,
    place: _Place,
    since: date | None,
) -> dict[Cell, Fact]:
    """Open at the end of each day: entered up to it less left up to it, added up day by day.

    A record that left by the day it entered was open at the end of none. since: only the days from then on
    are right, for which what left before need not be looked at; None for all days.
    """
    steps: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for district, entered, left, count in _entries_and_exits(connection, catalogue, metric, as_of, since):
        if left is not None and left <= entered:
            continue
        steps[place.district(district)][place.day(entered)] += count
        if left is not None:
            steps[place.district(district)][place.day(left)] -= count
    facts: dict[Cell, Fact] = {}
    for district, changes in steps.items():
        level = 0
        for day in _all_days_from(min(changes), as_of):
            level += changes.get(day, 0)
            facts[district, day] = Fact(float(level))
    return facts


def _entries_and_exits(
    connection: Connection, catalogue: Catalogue, metric: Metric, as_of: date, since: date | None
) -> Sequence[Any]:
    assert metric.until is not None, "the catalogue's rules ask a stock for `until`"
    asked = question(catalogue, metric, connection.dialect.name)
    until = quoted(records.day_column(catalogue.sources[metric.source], metric.until))
    statement = (
        f"SELECT {asked.district}, {asked.day}, {until}, COUNT(*) {asked.among()} "
        f"AND {asked.day} < :as_of AND coalesce({until}, :as_of) >= :since GROUP BY 1, 2, 3"
    )
    parameters = as_of_parameters(catalogue.city, as_of) | {"since": (since or date.min).isoformat()}
    return connection.execute(text(statement), parameters).all()


# --- definitions --------------------------------------------------------------------------------


def _definition(catalogue: Catalogue, metric: Metric) -> str:
    """A text that changes whenever the same records could give other facts."""
    source = catalogue.sources[metric.source]
    clauses = (
        metric.source,
        metric.aggregation,
        metric.where,
        metric.exclude,
        metric.date,
        metric.until,
        metric.numerator,
        metric.denominator,
        metric.value,
        metric.quantity,
        metric.district,
    )
    city = catalogue.city
    calendar = (city.time_zone, city.holiday_country, city.holiday_subdivision, city.holidays, city.closures)
    districts = sorted(district_of(catalogue.districts.values()).items())
    columns = [source.column(name) for name in columns_used(catalogue, metric)]
    return hashlib.sha256(repr((clauses, calendar, districts, columns)).encode()).hexdigest()


def _remember(writing: Writing, metric: Metric, as_of: date, definition: str) -> None:
    """What the next reduction may build on: nothing after one for an older date, which leaves rows behind
    that hold what the newest date must still be told."""
    here = reductions.c.metric == metric.id
    last = writing.connection.execute(select(reductions.c.as_of).where(here)).scalar_one_or_none()
    writing.connection.execute(delete(reductions).where(here))
    if last is not None and last > as_of.isoformat():
        return
    row = {
        "metric": metric.id,
        "definition": definition,
        "as_of": as_of.isoformat(),
        "recorded_at": writing.now,
    }
    writing.connection.execute(insert(reductions), row)
