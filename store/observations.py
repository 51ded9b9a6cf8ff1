"""Daily facts with their vintages: what was known of a day, as of which date, since when."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from metrics.facts import Fact
from store.bulk import insert_rows
from store.engine import Writing
from store.schema import observations

Cell = tuple[str, date]
"""A district and a day."""

NO_FACT = Fact()
_BATCH_OF_DAYS = 500
_COLUMNS = (
    "metric",
    "district",
    "day",
    "as_of",
    "recorded_at",
    "numerator",
    "denominator",
    "amounts",
)


@dataclass(frozen=True, slots=True)
class Changed:
    """A metric's district of which facts changed, from which day on.

    is_there: one of them holds something. is_taken_back: one of them holds nothing any more.
    """

    metric: str
    district: str
    day: date
    is_there: bool
    is_taken_back: bool


def facts(
    connection: Connection,
    metric: str,
    as_of: date,
    known_at: str,
    days: Iterable[date] | None = None,
    *,
    since: date = date.min,
    district: str | None = None,
) -> dict[Cell, Fact]:
    """The facts of a metric as of a date, as known at an instant; of all days or of `days` alone.

    since: of days from then on; district: of this one alone.

    A cell without a fact is absent: no record, which on a known day is nothing rather than unknown.
    """
    found: dict[Cell, Fact] = {}
    chosen = [] if district is None else [observations.c.district == district]
    if since != date.min:
        chosen.append(observations.c.day >= since.isoformat())
    for batch in _batches(days):
        found.update(_facts(connection, metric, as_of, known_at, batch, chosen))
    return found


def changed_since(connection: Connection, known_at: str, as_of: date) -> list[Changed]:
    """Where a fact may differ from what it was as of a date and known at an instant."""
    table = observations
    is_empty = and_(table.c.numerator == 0, table.c.denominator == 0, table.c.amounts.is_(None))
    rows = connection.execute(
        select(
            table.c.metric,
            table.c.district,
            func.min(table.c.day),
            func.min(case((is_empty, 1), else_=0)),
            func.max(case((is_empty, 1), else_=0)),
        )
        .where(or_(table.c.recorded_at > known_at, table.c.as_of > as_of.isoformat()))
        .group_by(table.c.metric, table.c.district)
    )
    return [
        Changed(metric, district, date.fromisoformat(day), is_there=not all_empty, is_taken_back=bool(some))
        for metric, district, day, all_empty, some in rows
    ]


def record(
    writing: Writing, metric: str, as_of: date, now: Mapping[Cell, Fact], before: Mapping[Cell, Fact]
) -> int:
    """Writes a new vintage of each cell whose fact differs from before; a vanished one becomes an empty fact.

    Returns how many cells changed.
    """
    changed = {
        cell: now.get(cell, NO_FACT)
        for cell in sorted(now.keys() | before.keys())
        if now.get(cell, NO_FACT) != before.get(cell, NO_FACT)
    }
    if changed:
        rows = (_row(metric, cell, fact, as_of, writing.now) for cell, fact in changed.items())
        insert_rows(writing.connection, observations, _COLUMNS, rows)
    return len(changed)


def _batches(days: Iterable[date] | None) -> Iterable[list[str] | None]:
    if days is None:
        yield None
        return
    texts = [day.isoformat() for day in days]
    for start in range(0, len(texts), _BATCH_OF_DAYS):
        yield texts[start : start + _BATCH_OF_DAYS]


def _facts(
    connection: Connection,
    metric: str,
    as_of: date,
    known_at: str,
    days: list[str] | None,
    chosen: list[ColumnElement[bool]],
) -> dict[Cell, Fact]:
    table = observations
    conditions = [
        table.c.metric == metric,
        table.c.as_of <= as_of.isoformat(),
        table.c.recorded_at <= known_at,
        *chosen,
    ]
    if days is not None:
        conditions.append(table.c.day.in_(days))
    # Of the vintages of a cell the newest comes last and stays.
    rows = connection.execute(
        select(table.c.district, table.c.day, table.c.numerator, table.c.denominator, table.c.amounts)
        .where(and_(*conditions))
        .order_by(table.c.day, table.c.district, table.c.as_of, table.c.recorded_at)
    ).all()
    newest = {(row[0], row[1]): row[2:] for row in rows}
    day_of = {day: date.fromisoformat(day) for _, day in newest}
    return {
        (district, day_of[day]): _fact(*amounts)
        for (district, day), amounts in newest.items()
        if any(amounts)
    }


def _fact(numerator: float, denominator: float, amounts: str | None) -> Fact:
    multiset = tuple((value, count) for value, count in json.loads(amounts)) if amounts else ()
    return Fact(numerator, denominator, multiset)


def _row(metric: str, cell: Cell, fact: Fact, as_of: date, now: str) -> tuple[str | float | None, ...]:
    district, day = cell
    amounts = json.dumps(fact.amounts) if fact.amounts else None
    return (
        metric,
        district,
        day.isoformat(),
        as_of.isoformat(),
        now,
        fact.numerator,
        fact.denominator,
        amounts,
    )
