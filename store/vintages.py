"""Vintages: what each publication said of a period, and what was first published of it.

Only publications that were current count, up to the one that is read. A period that ended before the
first publication of its metric was filled in afterwards: nothing was published of it at the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from metrics.model import WHOLE_CITY, Grain, Metric, Period, Publication, Status
from store.definitions import names_of
from store.differences import NO_LONGER_KNOWN
from store.schema import publications, scores
from store.withheld import NOTHING, Hidden


@dataclass(frozen=True, slots=True)
class Vintage:
    """What one publication said of a period."""

    period: Period
    publication: int
    value: float | None
    score: float | None
    status: Status
    is_tombstone: bool

    @property
    def is_partial(self) -> bool:
        """Whether the value is of the known days of a period that is not known to its end."""
        return self.status in (Status.LATE, Status.MISSING) and not self.is_tombstone

    @property
    def may_change(self) -> bool:
        """Whether it was published as not settled: what replaces it is an update."""
        return self.is_partial or self.status in (Status.INSUFFICIENT, Status.IMMATURE, Status.PROVISIONAL)


@dataclass(frozen=True, slots=True)
class FirstPublished:
    """What was first published of a period: value, the score said with it, and in which publication.

    All three are None where no value was ever published, and where the period was filled in afterwards.
    is_partial: the value was of a part of its days only, since the source was late or not due yet.
    """

    value: float | None = None
    score: float | None = None
    publication: int | None = None
    backfilled: bool = False
    is_partial: bool = False


NOT_PUBLISHED = FirstPublished()
BACKFILLED = FirstPublished(backfilled=True)


@dataclass(frozen=True, slots=True)
class Told:
    """A period, what was first published of it, and everything said of it, oldest first; never empty."""

    period: Period
    first: FirstPublished
    vintages: tuple[Vintage, ...]


def told(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    grain: Grain,
    *,
    since: date | None = None,
    until: date | None = None,
    district: str = WHOLE_CITY,
    hidden: Hidden = NOTHING,
) -> list[Told]:
    """All that was said of a series up to a publication, in order of time; one look at its rows.

    since, until: periods from `since` on that end by `until`, as in `publications.series`. Of periods that
    are hidden from the reader nothing was ever said.
    """
    began = _began(connection, publication, metric)
    asked = {
        "names": names_of(metric),
        "district": district,
        "grain": grain.value,
        "since": (since or date.min).isoformat(),
        "until": (until or date.max).isoformat(),
        "read_from": publication.id,
    }
    said = [_vintage(grain, row) for row in connection.execute(_SERIES, asked)]
    by_period = groupby(said, key=lambda vintage: vintage.period)
    return [
        _told(period, tuple(vintages), began)
        for period, vintages in by_period
        if not hidden.hides(district, period)
    ]


def first_published(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    grain: Grain,
    *,
    since: date | None = None,
    until: date | None = None,
    district: str = WHOLE_CITY,
    hidden: Hidden = NOTHING,
) -> dict[date, FirstPublished]:
    """What was first published of each period of a series, by its first day."""
    said = told(
        connection, publication, metric, grain, since=since, until=until, district=district, hidden=hidden
    )
    return {one.period.start: one.first for one in said}


def _began(connection: Connection, publication: Publication, metric: Metric) -> date | None:
    """The date for which a metric was first published; None where it never was."""
    asked = {"names": names_of(metric), "read_from": publication.id}
    found = connection.execute(_FIRST_OF_A_METRIC, asked).scalar()
    return date.fromisoformat(found) if found else None


def _told(period: Period, vintages: tuple[Vintage, ...], began: date | None) -> Told:
    if began is None or period.end <= began:
        return Told(period, BACKFILLED, vintages)
    for one in vintages:
        if one.value is not None:
            first = FirstPublished(one.value, one.score, one.publication, is_partial=one.is_partial)
            return Told(period, first, vintages)
    return Told(period, NOT_PUBLISHED, vintages)


def _vintage(grain: Grain, row: Sequence[Any]) -> Vintage:
    start, end, publication, value, score, status, reason = row
    period = Period(grain, date.fromisoformat(start), date.fromisoformat(end))
    is_tombstone = reason is not None and reason.startswith(f'["{NO_LONGER_KNOWN.id}"')
    return Vintage(period, publication, value, score, Status(status), is_tombstone)


_OF_THE_METRIC = scores.c.metric.in_(bindparam("names", expanding=True))
_CURRENT_UP_TO = scores.c.publication.in_(
    select(publications.c.id).where(
        publications.c.is_current == 1, publications.c.id <= bindparam("read_from")
    )
)
_SERIES = (
    select(
        scores.c.start,
        scores.c.end,
        scores.c.publication,
        scores.c.value,
        scores.c.score,
        scores.c.status,
        scores.c.reason,
    )
    .where(
        _OF_THE_METRIC,
        scores.c.district == bindparam("district"),
        scores.c.grain == bindparam("grain"),
        scores.c.start >= bindparam("since"),
        scores.c.end <= bindparam("until"),
        _CURRENT_UP_TO,
    )
    .order_by(scores.c.start, scores.c.publication)
)
# Of every period of a metric there is a row for the whole city.
_FIRST_OF_A_METRIC = select(publications.c.as_of).where(
    publications.c.id
    == select(func.min(scores.c.publication))
    .where(_OF_THE_METRIC, scores.c.district == WHOLE_CITY, _CURRENT_UP_TO)
    .scalar_subquery()
)
