"""Closings around their deadline, counted from the records: what `metrics.gaming.heaping` is asked of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text

from metrics.closure import Deadline, closure, deadline
from metrics.gaming import Bunching, Heaping, bunching, heaping
from metrics.model import Catalogue, Knowledge, Metric, Publication
from store import records
from store.bulk import insert_rows
from store.questions import as_of_parameters, question, quoted, sql
from store.schema import bunchings, heaps, publications

RECENT_DAYS = 91
"""Cases due in the last thirteen weeks are looked at."""

USUAL_DAYS = 365
"""The usual is that of the first year on record: a year just before would hide what has become a habit."""

LEAST_USUAL_DAYS = 91
"""With less to compare with nothing is counted."""

COUNTED_EVERY = timedelta(days=7)

BESIDE = tuple(day for day in range(-7, 8) if day)
"""The days beside a deadline, each weekday as often."""

_COLUMNS = tuple(column.name for column in heaps.columns)
_BUNCHED_COLUMNS = tuple(column.name for column in bunchings.columns)
_DEADLINE = (0,)


@dataclass(frozen=True)
class Heap:
    """Of the cases due on [since, until), how many were closed in the hour before they were due and after.

    The usual counts are those of [usual_since, usual_until).
    """

    since: date
    until: date
    before: int
    after: int
    usual_since: date
    usual_until: date
    usual_before: int
    usual_after: int

    @property
    def heaping(self) -> Heaping | None:
        """What the counts say; None where there are too few to say anything."""
        return heaping(self.before, self.after, self.usual_before, self.usual_after)


@dataclass(frozen=True)
class Bunched:
    """The same of the deadline, and in `days` at the same time on each of the days BESIDE it.

    A day counts a case only where it was open already: nobody can close what is not there.
    """

    since: date
    until: date
    before: int
    after: int
    days: tuple[tuple[int, int], ...]

    @property
    def bunching(self) -> Bunching | None:
        """What the counts say; None where there are too few to say anything."""
        return bunching(self.before, self.after, self.days)


def remember(
    connection: Connection,
    catalogue: Catalogue,
    publication: Publication,
    knowledge: Mapping[str, Knowledge],
) -> int:
    """Counts around the deadlines of every on-time metric and keeps it with a publication.

    Only where the last count is a week old or was made with other definitions; how many metrics were counted
    that have a past to compare with.
    """
    if not _is_due(connection, publication):
        return 0
    rows = [
        (publication.id, metric.id, *_texts(heap))
        for metric, found in _on_time(catalogue)
        if (heap := _count(connection, catalogue, metric, found, publication.as_of, knowledge)) is not None
    ]
    insert_rows(connection, heaps, _COLUMNS, rows)
    beside = [
        (publication.id, metric.id, *_bunched_texts(bunched))
        for metric, found in _on_time(catalogue)
        if (bunched := _beside(connection, catalogue, metric, found, publication.as_of, knowledge))
        is not None
    ]
    insert_rows(connection, bunchings, _BUNCHED_COLUMNS, beside)
    return len(rows)


def read(connection: Connection, publication: Publication, metric: str) -> Heap | None:
    """The newest count of a metric that a publication could know; None where it has none."""
    last = _last(connection, publication)
    if last is None:
        return None
    of_metric = select(heaps).where(heaps.c.publication == last, heaps.c.metric == metric)
    row = connection.execute(of_metric).one_or_none()
    return None if row is None else _heap(row)


def read_bunched(connection: Connection, publication: Publication, metric: str) -> Bunched | None:
    """The newest count on the days beside a deadline that a publication could know; None for none."""
    newest = (
        select(bunchings)
        .where(
            bunchings.c.metric == metric,
            bunchings.c.publication <= publication.id,
            bunchings.c.until <= publication.as_of.isoformat(),
        )
        .order_by(bunchings.c.publication.desc())
        .limit(1)
    )
    row = connection.execute(newest).one_or_none()
    if row is None:
        return None
    days = tuple((before, after) for before, after in json.loads(row.days))
    return Bunched(date.fromisoformat(row.since), date.fromisoformat(row.until), row.before, row.after, days)


def _is_due(connection: Connection, publication: Publication) -> bool:
    if not publication.is_current:
        return False
    last = _last(connection, publication)
    if last is None:
        return True
    made = (
        select(heaps.c.until, publications.c.catalogue)
        .join(publications, publications.c.id == heaps.c.publication)
        .where(heaps.c.publication == last)
        .limit(1)
    )
    until, catalogue = connection.execute(made).one()
    is_old = date.fromisoformat(until) + COUNTED_EVERY <= publication.as_of
    return is_old or catalogue != publication.catalogue_hash


def _last(connection: Connection, publication: Publication) -> int | None:
    """The number of the newest publication with a count, up to one and to its date."""
    found = select(func.max(heaps.c.publication)).where(
        heaps.c.publication <= publication.id, heaps.c.until <= publication.as_of.isoformat()
    )
    number: int | None = connection.execute(found).scalar_one()
    return number


def _on_time(catalogue: Catalogue) -> Iterable[tuple[Metric, Deadline]]:
    for metric in catalogue.live_metrics():
        found = deadline(catalogue, metric)
        if found is not None:
            yield metric, found


def _count(
    connection: Connection,
    catalogue: Catalogue,
    metric: Metric,
    found: Deadline,
    as_of: date,
    knowledge: Mapping[str, Knowledge],
) -> Heap | None:
    known = knowledge.get(metric.source)
    if known is None or known.first_day is None:
        return None
    since = as_of - timedelta(days=RECENT_DAYS)
    usual_since = known.first_day
    usual_until = min(usual_since + timedelta(days=USUAL_DAYS), since)
    if (usual_until - usual_since).days < LEAST_USUAL_DAYS:
        return None
    [now] = _around(connection, catalogue, metric, found, as_of, since, as_of)
    [usual] = _around(connection, catalogue, metric, found, as_of, usual_since, usual_until)
    return Heap(since, as_of, *now, usual_since, usual_until, *usual)


def _beside(
    connection: Connection,
    catalogue: Catalogue,
    metric: Metric,
    found: Deadline,
    as_of: date,
    knowledge: Mapping[str, Knowledge],
) -> Bunched | None:
    """None too where it is not known since when a case was open."""
    known, waits = knowledge.get(metric.source), closure(catalogue, metric)
    if known is None or known.first_day is None or waits is None:
        return None
    since, days = as_of - timedelta(days=RECENT_DAYS), (*_DEADLINE, *BESIDE)
    own, *beside = _around(connection, catalogue, metric, found, as_of, since, as_of, days, waits.opened)
    return Bunched(since, as_of, *own, tuple(beside))


def _around(
    connection: Connection,
    catalogue: Catalogue,
    metric: Metric,
    found: Deadline,
    as_of: date,
    since: date,
    until: date,
    days: tuple[int, ...] = _DEADLINE,
    opened: str | None = None,
) -> list[tuple[int, int]]:
    """How many of the cases due on [since, until) were closed in the hour up to their deadline, and after.

    For each of `days` later than it; where `opened` is given of those that were open as the two hours began.
    """
    asked = question(catalogue, metric, connection.dialect.name)
    words = f"hours_between({found.due}, {found.closed})"
    late = sql(catalogue, metric, words, "number", connection.dialect.name)
    day = quoted(records.day_column(catalogue.sources[metric.source], found.due))
    life = f"hours_between({opened}, {found.due})" if opened else "0"
    open_for = sql(catalogue, metric, life, "number", connection.dialect.name)
    is_open = "open_for >= {before}" if opened else "1=1"
    sums = ", ".join(
        f"SUM(CASE WHEN late > {low} AND late <= {low + 1} AND {is_open.format(before=1 - day * 24)} "
        "THEN 1 ELSE 0 END)"
        for day in days
        for low in (day * 24 - 1, day * 24)
    )
    statement = (
        f"SELECT {sums} FROM (SELECT {late} AS late, {open_for} AS open_for "
        f"{asked.among(f'{day} >= :since AND {day} < :until')}) AS waited"
    )
    bounds = {"since": since.isoformat(), "until": until.isoformat()}
    parameters = as_of_parameters(catalogue.city, as_of) | bounds
    counts = [int(one or 0) for one in connection.execute(text(statement), parameters).one()]
    return list(zip(counts[::2], counts[1::2], strict=True))


def _texts(heap: Heap) -> tuple[Any, ...]:
    return (
        heap.since.isoformat(),
        heap.until.isoformat(),
        heap.before,
        heap.after,
        heap.usual_since.isoformat(),
        heap.usual_until.isoformat(),
        heap.usual_before,
        heap.usual_after,
    )


def _bunched_texts(found: Bunched) -> tuple[Any, ...]:
    days = json.dumps([list(day) for day in found.days])
    return found.since.isoformat(), found.until.isoformat(), found.before, found.after, days


def _heap(row: Any) -> Heap:
    return Heap(
        date.fromisoformat(row.since),
        date.fromisoformat(row.until),
        row.before,
        row.after,
        date.fromisoformat(row.usual_since),
        date.fromisoformat(row.usual_until),
        row.usual_before,
        row.usual_after,
    )
