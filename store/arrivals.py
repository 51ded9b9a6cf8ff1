"""When what belongs to a day became known, counted from the records: what completeness is measured from.

A record is known as of a date from the publication hour of that date on at which it had arrived, and reads
as it read then: an instant of it that lies at or after that date is empty (method 9). Nothing else enters,
so that a city published day by day and one published once are measured alike. A day counts from the date on
by which its source had spoken of what came after it: a source that fell silent was late, not incomplete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from metrics import maturity, periods
from metrics.expression_sql import Dialect, write
from metrics.expression_tree import columns, conjuncts
from metrics.facts import Facts
from metrics.maturity import MEASURED_DAYS, SETTLED_AGE, Curve, Growth
from metrics.model import Aggregation, Catalogue, City, Knowledge, Metric, Source
from store import records
from store.engine import instant_text
from store.questions import (
    as_of_parameters,
    expression_of,
    masked_by_time,
    parts_of,
    question,
    quoted,
    sql,
    visible,
)

Numbers = NDArray[np.float64]
Parts = tuple[Numbers | None, Numbers | None]
"""Of the numerator and of the denominator, each None where the metric has none that is counted."""

_Late = Mapping[tuple[date, date | None], tuple[float, float]]
"""What late records add to a day (numerator, denominator) as of a date; as of None: by now, however late."""


@dataclass(frozen=True)
class _Window:
    """The last days before as_of, and by when they were known: `known_from` gives each an as_of, or None."""

    city: City
    as_of: date
    first: date
    known_from: Sequence[date | None]

    @property
    def days(self) -> int:
        return (self.as_of - self.first).days


def curves(
    connection: Connection,
    catalogue: Catalogue,
    as_of: date,
    facts: Mapping[str, Facts],
    knowledge: Mapping[str, Knowledge],
) -> dict[str, Curve]:
    """The curve of each metric that can be measured, from its records of the last twelve weeks.

    A stock has none: a closing that comes late takes from it what an opening that comes late adds, so no
    share of it is known. Nor has a metric of a source that was never loaded, or with too few events.
    """
    windows = {
        name: _window(connection, catalogue.city, catalogue.sources[name], known, as_of)
        for name, known in knowledge.items()
        if known.first_day is not None and known.known_until is not None
    }
    found = {
        metric.id: _curve(connection, catalogue, metric, windows[metric.source], facts[metric.id])
        for metric in catalogue.live_metrics()
        if metric.source in windows and metric.aggregation is not Aggregation.STOCK
    }
    return {name: curve for name, curve in found.items() if curve is not None}


def _curve(
    connection: Connection, catalogue: Catalogue, metric: Metric, window: _Window, facts: Facts
) -> Curve | None:
    late = _late(connection, catalogue, metric, window)
    parts = [
        None if total is None else _triangle(window, total, late, part)
        for part, total in enumerate(_totals(metric, facts, window))
    ]
    return maturity.curve(Growth(window.first, parts[0], parts[1]))


# --- the window ---------------------------------------------------------------------------------


def _window(connection: Connection, city: City, source: Source, known: Knowledge, as_of: date) -> _Window:
    first = as_of - timedelta(days=MEASURED_DAYS)
    assert known.first_day and known.known_until, "a source that was never loaded has no window"
    known_end = min(as_of, periods.local_day(city, known.known_until))
    spoken = _spoken_until(connection, city, source, first, as_of) if source.arrival else None
    days = (first + timedelta(days=n) for n in range(MEASURED_DAYS))
    known_from = [
        _first_known(city, day, spoken)
        if known.first_day <= day < known_end and not _in_gap(source, day)
        else None
        for day in days
    ]
    return _Window(city, as_of, first, known_from)


def _first_known(city: City, day: date, spoken: Mapping[date, str] | None) -> date | None:
    """The first as_of by whose publication hour the source had spoken of what came after `day`."""
    after = day + timedelta(days=1)
    if spoken is None:
        return after
    end = instant_text(periods.local_midnight(city, after))
    return next((one for one, until in spoken.items() if one >= after and until >= end), None)


def _in_gap(source: Source, day: date) -> bool:
    return any(gap.from_day <= day <= gap.to_day for gap in source.gaps)


def _spoken_until(
    connection: Connection, city: City, source: Source, first: date, as_of: date
) -> dict[date, str]:
    """For each as_of the newest arrival by its publication hour plus the quiet time, in order of time."""
    assert source.arrival is not None, "asked of sources with an arrival"
    arrival, day = quoted(source.arrival), quoted(records.day_column(source, source.arrival))
    table = quoted(records.record_table(source).name)
    statement = (
        f"{_moments(city, first, as_of)} SELECT {day}, MAX({arrival}), "
        f"MAX(CASE WHEN {arrival} < moments._at THEN {arrival} END) FROM {table} "
        f"JOIN moments ON moments._as_of = {day} "
        f"WHERE {quoted('_withdrawn_at')} IS NULL AND {day} >= :first GROUP BY 1"
    )
    rows = {row[0]: row for row in connection.execute(text(statement), {"first": first.isoformat()})}
    quiet = timedelta(minutes=source.quiet_minutes)
    found, newest = {}, ""
    for one in _dates(first, as_of):
        _, whole, by_the_hour = rows.get(one.isoformat(), (None, None, None))
        until = max(newest, by_the_hour or "")
        found[one] = instant_text(periods.beginning(city, until) + quiet) if until else ""
        newest = max(newest, whole or "")
    return found


def _moments(city: City, first: date, as_of: date) -> str:
    """A table of each as_of and its publication hour."""
    said = ", ".join(
        f"('{one}', '{instant_text(periods.instant_at(city, one, city.publication_hour))}')"
        for one in _dates(first, as_of)
    )
    return f"WITH moments(_as_of, _at) AS (VALUES {said})".replace(":", "\\:")


def _dates(first: date, as_of: date) -> list[date]:
    return [first + timedelta(days=n + 1) for n in range((as_of - first).days)]


# --- what came late -----------------------------------------------------------------------------


def _late(connection: Connection, catalogue: Catalogue, metric: Metric, window: _Window) -> _Late:
    """What records of which something came after their day add to it, as of each date.

    All other records of a day have been the same since it ended, so these alone are looked at again.
    """
    source, dialect = catalogue.sources[metric.source], connection.dialect.name
    asked = question(catalogue, metric, dialect)
    masks = masked_by_time(source, asked.columns) | ({source.arrival} if source.arrival else set())
    later = sorted(quoted(records.day_column(source, name)) for name in masks - {metric.date})
    if not later:
        return {}
    arrived = "1=1"
    if source.arrival and source.arrival != metric.date:
        arrived = f"coalesce({quoted(source.arrival)}, '') < moments._at"
    records_then = (
        f"(SELECT *, {_settles(source, masks, dialect)} AS _settles "
        f"FROM {quoted(records.record_table(source).name)} "
        f"WHERE {quoted('_withdrawn_at')} IS NULL AND {asked.day} >= :first AND {asked.day} < :as_of "
        f"AND ({' OR '.join(f'{name} > {asked.day}' for name in later)})"
        f"{_settled_tests(catalogue, metric, dialect, masks)}) AS known"
    )
    counted, bounds = _counted(catalogue, metric, dialect), as_of_parameters(window.city, window.as_of)
    bounds["first"] = window.first.isoformat()
    # The table of workdays has every day in its key, so that only the days in question are stepped through.
    moving = (
        f"{_moments(window.city, window.first, window.as_of)} SELECT {asked.day}, _as_of, {counted} "
        f"FROM ({visible(source, '_as_of', versions=records_then, before='moments._as_of')} "
        f"CROSS JOIN (SELECT day AS _on FROM workdays) AS days CROSS JOIN moments "
        f"WHERE _on > {asked.day} AND _on <= _settles AND moments._as_of = _on AND {arrived}) AS visible "
        f"WHERE {asked.kept} GROUP BY 1, 2"
    )
    settled = (
        f"SELECT {asked.day}, _settles, {counted} "
        f"FROM ({visible(source, '_settles', versions=records_then)}) AS visible "
        f"WHERE {asked.kept} GROUP BY 1, 2"
    )
    return _by_as_of(
        connection.execute(text(moving), bounds), connection.execute(text(settled), bounds), window
    )


def _settles(source: Source, masks: set[str], dialect: str) -> str:
    """SQL of the last day on which something of a record came that is read now: since then it reads so."""
    greatest = "MAX" if dialect == "sqlite" else "GREATEST"
    days = {name: quoted(records.day_column(source, name)) for name in sorted(masks)}
    come = [
        f"coalesce({day}, '')"
        if name == source.arrival
        else f"CASE WHEN {day} < :as_of THEN {day} ELSE '' END"
        for name, day in days.items()
    ]
    return f"{greatest}({', '.join(come)}, '')"


def _by_as_of(moving: Iterable[Any], settled: Iterable[Any], window: _Window) -> _Late:
    """Sums by day and as_of: of records as they read while they moved, and since the day they settled on."""
    found: dict[tuple[date, date | None], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))

    def add(day: date, as_of: date | None, row: Any) -> None:
        numerator, denominator = found[day, as_of]
        found[day, as_of] = numerator + float(row[2] or 0), denominator + float(row[3] or 0)

    for row in moving:
        add(date.fromisoformat(row[0]), date.fromisoformat(row[1]), row)
    for row in settled:
        day, last = date.fromisoformat(row[0]), date.fromisoformat(row[1] or row[0])
        for as_of in (None, *_dates(max(day, last, window.first), window.as_of)):
            add(day, as_of, row)
    return found


def _settled_tests(catalogue: Catalogue, metric: Metric, dialect: str, masks: set[str]) -> str:
    """The parts of `where` that nothing later changes: asked first, they spare looking at most rows."""
    if not metric.where:
        return ""
    source = catalogue.sources[metric.source]
    moving = masks | {column.name for column in source.columns if column.known_with}
    node = expression_of(catalogue, metric, metric.where, "test").tree
    fixed = [part for part in conjuncts(node) if not columns(part) & moving]
    engine: Dialect = "sqlite" if dialect == "sqlite" else "postgresql"
    return "".join(f" AND {write(part, engine)}" for part in fixed).replace(":", "\\:")


def _counted(catalogue: Catalogue, metric: Metric, dialect: str) -> str:
    """The two numbers that are counted of a day: of amounts, how many there are."""
    if metric.aggregation in (Aggregation.RATIO, Aggregation.COUNT):
        return "SUM({}), SUM({})".format(*parts_of(catalogue, metric, dialect))
    assert metric.value is not None, "the catalogue's rules ask for a value"
    return f"0, COUNT({sql(catalogue, metric, metric.value, 'number', dialect)})"


# --- triangles ----------------------------------------------------------------------------------


def _totals(metric: Metric, facts: Facts, window: _Window) -> Parts:
    """What each day of the window holds by now, shape (days,)."""
    if metric.aggregation is Aggregation.RATIO:
        return _cut(facts.city_numerator, facts, window), _cut(facts.city_denominator, facts, window)
    if metric.aggregation is Aggregation.COUNT:
        return _cut(facts.city_numerator, facts, window), None
    if metric.aggregation is Aggregation.MEAN:
        return None, _cut(facts.city_denominator, facts, window)
    days = facts.numerator.shape[1]
    counts: Numbers = np.bincount(facts.entry_day, weights=facts.entry_count, minlength=days).astype(
        np.float64
    )
    return None, _cut(counts[:days], facts, window)


def _cut(row: Numbers, facts: Facts, window: _Window) -> Numbers:
    """The days of the window, 0 where the facts do not reach."""
    found = np.zeros(window.days)
    start = (window.first - facts.first).days
    held = row[max(0, start) : start + window.days] if start + window.days > 0 else row[:0]
    found[max(0, -start) : max(0, -start) + len(held)] = held
    return found


def _triangle(window: _Window, total: Numbers, late: _Late, part: int) -> Numbers:
    """What was known of each day at each age: shape (days, SETTLED_AGE + 1)."""
    by_now, by_then = np.zeros(window.days), np.zeros((window.days, window.days + 1))
    for (day, as_of), added in late.items():
        row = (day - window.first).days
        if as_of is None:
            by_now[row] = added[part]
        else:
            by_then[row, (as_of - window.first).days] = added[part]
    triangle = np.full((window.days, SETTLED_AGE + 1), np.nan)
    for row, known_from in enumerate(window.known_from):
        if known_from is None:
            continue
        begin, end = (known_from - window.first).days, min(row + 1 + SETTLED_AGE, window.days) + 1
        at_once = total[row] - by_now[row]
        triangle[row, begin - row - 1 : end - row - 1] = at_once + by_then[row, begin:end]
    return triangle
