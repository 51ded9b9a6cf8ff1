"""Revisions: every change of a published number, what kind it was, and definitions scored both ways."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from sqlalchemy import Connection, select

from metrics.model import WHOLE_CITY, Grain, Metric, Period, Publication
from store import definitions
from store.engine import from_text as instant_from_text
from store.schema import catalogues, publications
from store.vintages import FirstPublished, Told, Vintage, told
from store.withheld import NOTHING, Hidden


class Kind(StrEnum):
    """Why a number differs from the one published before it (method 9)."""

    UPDATE = "update"
    REVISION = "revision"
    CORRECTION = "correction"
    DEFINITION = "definition"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Revision:
    """A value or a score that another replaced. reason: a person's words, None where none were needed."""

    period: Period
    publication: int
    published_at: datetime
    kind: Kind
    value: float | None
    score: float | None
    before_value: float | None
    before_score: float | None
    reason: str | None


@dataclass(frozen=True)
class Summary:
    """How far the numbers now are from those first published: now - first, of values and of scores.

    periods: how many values are compared; mean is None for none, sd for fewer than two. partial: periods
    left out since their first value was of a part of their days. counts: how many changes of each kind.
    """

    periods: int
    mean: float | None
    sd: float | None
    scored_periods: int
    mean_score: float | None
    sd_score: float | None
    partial: int
    counts: Mapping[Kind, int]


@dataclass(frozen=True)
class Revisions:
    """Every change of a metric at a grain, in order of periods and publications, and their summary.

    firsts: what was first published of each period, by its first day.
    """

    rows: tuple[Revision, ...]
    summary: Summary
    firsts: Mapping[date, FirstPublished]


@dataclass(frozen=True, slots=True)
class BothWays:
    """A period by the definition before a change and by the one after it."""

    period: Period
    old_value: float | None
    old_score: float | None
    new_value: float | None
    new_score: float | None


@dataclass(frozen=True)
class DefinitionChange:
    """A publication by which a metric's definition changed, and the twelve months before it both ways.

    reason is None where no final score changed, so that none was asked for.
    """

    publication: int
    as_of: date
    published_at: datetime
    reason: str | None
    periods: tuple[BothWays, ...]


@dataclass(frozen=True, slots=True)
class _Act:
    """One publication that was current, and the one before it."""

    id: int
    as_of: date
    published_at: datetime
    catalogue: str
    catalogue_before: str
    reason: str | None

    @property
    def both(self) -> tuple[str, str]:
        """The hashes of the catalogues before and of this publication."""
        return self.catalogue_before, self.catalogue

    @property
    def is_by_another(self) -> bool:
        """Whether it was made by another catalogue than the one before it."""
        return self.catalogue != self.catalogue_before

    @property
    def said_why(self) -> str | None:
        """The reason a person gave; None where nobody did."""
        return None if self.reason == definitions.REVISION else self.reason


def revisions(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    grain: Grain,
    *,
    since: date | None = None,
    until: date | None = None,
    district: str = WHOLE_CITY,
    hidden: Hidden = NOTHING,
) -> Revisions:
    """Every change of value or score after the first value of a period; periods filled in stay out."""
    said = told(
        connection, publication, metric, grain, since=since, until=until, district=district, hidden=hidden
    )
    at_their_time = [one for one in said if not one.first.backfilled]
    judge = _Judge(connection, _acts(connection, publication), definitions.names_of(metric), grain, district)
    rows = tuple(row for one in at_their_time for row in judge.changes(one))
    firsts = {one.period.start: one.first for one in said}
    return Revisions(rows, _summary(at_their_time, rows), firsts)


def definition_changes(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    grain: Grain,
    *,
    district: str = WHOLE_CITY,
    hidden: Hidden = NOTHING,
) -> list[DefinitionChange]:
    """Each change of a metric's definition, newest first, with the periods of the twelve months before it.

    old: what was published last under the old definition; new: what is published now, or was last
    under the new one where another followed.
    """
    acts = _acts(connection, publication)
    judge = _Judge(connection, acts, definitions.names_of(metric), grain, district)
    changes = [act for act in acts.values() if act.id in judge.redefining]
    if not changes:
        return []
    said = told(connection, publication, metric, grain, district=district, hidden=hidden)
    ends = [*(act.id for act in changes[1:]), None]
    found = [
        DefinitionChange(act.id, act.as_of, act.published_at, act.said_why, tuple(_both_ways(said, act, end)))
        for act, end in zip(changes, ends, strict=True)
    ]
    return [change for change in reversed(found) if change.periods]


# --- how changes are told apart -----------------------------------------------------------------


def _acts(connection: Connection, publication: Publication) -> dict[int, _Act]:
    """The publications that were current up to this one, by id, oldest first."""
    rows = connection.execute(
        select(publications)
        .where(publications.c.is_current == 1, publications.c.id <= publication.id)
        .order_by(publications.c.id)
    ).all()
    return {
        row.id: _Act(
            row.id,
            date.fromisoformat(row.as_of),
            instant_from_text(row.published_at),
            row.catalogue,
            before.catalogue,
            row.reason,
        )
        for before, row in pairwise([*rows[:1], *rows])
    }


@dataclass(frozen=True)
class _Judge:
    """Says of each change of one metric what it was, from the catalogues before and after it."""

    connection: Connection
    acts: Mapping[int, _Act]
    names: Collection[str]
    grain: Grain
    district: str

    @cached_property
    def redefining(self) -> frozenset[int]:
        """The publications that were the first by another definition of the metric."""
        return frozenset(act.id for act in self.acts.values() if self._redefines(act))

    @cached_property
    def _texts(self) -> dict[str, str]:
        """The catalogues on either side of a change of catalogue, by hash."""
        wanted = {one for act in self.acts.values() if act.is_by_another for one in act.both}
        if not wanted:
            return {}
        found = select(catalogues.c.hash, catalogues.c.text).where(catalogues.c.hash.in_(wanted))
        return {row.hash: row.text for row in self.connection.execute(found)}

    def changes(self, said: Told) -> Iterator[Revision]:
        """The changes of one period after its first value."""
        for before, now in pairwise(said.vintages):
            is_after = said.first.publication is not None and before.publication >= said.first.publication
            if is_after and (before.value, before.score) != (now.value, now.score):
                yield self._change(before, now)

    def _redefines(self, act: _Act) -> bool:
        if not act.is_by_another:
            return False
        old, new = (self._texts[one] for one in act.both)
        return definitions.is_redefined(old, new, self.names, self.grain, self.district)

    def _change(self, before: Vintage, now: Vintage) -> Revision:
        act = self.acts[now.publication]
        kind = self._kind(before, now, act)
        return Revision(
            period=now.period,
            publication=act.id,
            published_at=act.published_at,
            kind=kind,
            value=now.value,
            score=now.score,
            before_value=before.value,
            before_score=before.score,
            reason=act.said_why if kind in (Kind.CORRECTION, Kind.DEFINITION) else None,
        )

    def _kind(self, before: Vintage, now: Vintage, act: _Act) -> Kind:
        if now.is_tombstone:
            return Kind.WITHDRAWN
        if act.id in self.redefining:
            return Kind.DEFINITION
        if before.may_change:
            return Kind.UPDATE
        return Kind.CORRECTION if self._is_corrected(act, now.period) else Kind.REVISION

    def _is_corrected(self, act: _Act, period: Period) -> bool:
        """Whether a person's reason is about this metric: definitions of others may have needed one too."""
        if act.said_why is None:
            return False
        if not act.is_by_another:
            return True
        old, new = (definitions.catalogue_of(self._texts[one]) for one in act.both)
        is_the_same = definitions.scoring_parts(old) == definitions.scoring_parts(new)
        return is_the_same or definitions.is_stated_otherwise(old, new, self.names, period)


# --- summaries ----------------------------------------------------------------------------------


def _summary(said: Sequence[Told], rows: Sequence[Revision]) -> Summary:
    whole = [one for one in said if not one.first.is_partial]
    moved = [_between(one.first.value, one.vintages[-1].value) for one in whole]
    moved_score = [_between(one.first.score, one.vintages[-1].score) for one in whole]
    values, marks = ([one for one in found if one is not None] for found in (moved, moved_score))
    return Summary(
        periods=len(values),
        mean=_mean(values),
        sd=_sd(values),
        scored_periods=len(marks),
        mean_score=_mean(marks),
        sd_score=_sd(marks),
        partial=len(said) - len(whole),
        counts={kind: sum(row.kind is kind for row in rows) for kind in Kind},
    )


def _between(first: float | None, now: float | None) -> float | None:
    return None if first is None or now is None else now - first


def _mean(amounts: Sequence[float]) -> float | None:
    return math.fsum(amounts) / len(amounts) if amounts else None


def _sd(amounts: Sequence[float]) -> float | None:
    """The sample standard deviation."""
    return statistics.stdev(amounts) if len(amounts) > 1 else None


def _both_ways(said: Iterable[Told], act: _Act, end: int | None) -> Iterator[BothWays]:
    """The periods of the twelve months before a change; end: the publication of the next change."""
    earliest = _a_year_before(act.as_of)
    for one in said:
        old = [vintage for vintage in one.vintages if vintage.publication < act.id]
        new = [vintage for vintage in one.vintages if end is None or vintage.publication < end]
        if old and earliest < one.period.end <= act.as_of:
            was, now = old[-1], new[-1]
            yield BothWays(one.period, was.value, was.score, now.value, now.score)


def _a_year_before(day: date) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)
