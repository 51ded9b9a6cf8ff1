"""Composites over time: who is in one, what it is compared with, and where its change comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from metrics import attribution, company, movement, periods
from metrics.attribution import Side
from metrics.company import ALONE, Company
from metrics.composite import CODE, VERDICT_CODE, WITHOUT_SCORE, Board, Summaries, Summary, summaries
from metrics.model import City, Composite, Contribution, Grain, Metric, Part, Period, Score, Status
from metrics.periods import Calendar
from metrics.scoring import Bound

Scope = Literal["city", "department", "theme"]
Numbers = NDArray[np.float64]

_SAME = 1e-12
"""Targets that differ by less of themselves are one, scaled to two periods and back."""

_HELD_TO = ("target", "target_high", "floor", "floor_high")
_READ = ("weight", "score", "seat", "ceiling", *_HELD_TO, "scale", "value", "low", "high")
_NUMBERS = (*_READ, "error", "cityscore")
_read = attrgetter(*_READ)


@dataclass(frozen=True, slots=True)
class Course:
    """A metric's scores at a grain in order of time, with their numbers side by side.

    numbers: shape (fields of _NUMBERS, periods), NaN for None; error: the standard error of the score,
    cityscore: by Boston's arithmetic. is_member: whether composites count it.
    """

    metric: Metric
    scores: Sequence[Score]
    numbers: Numbers
    status: NDArray[np.int8]
    verdict: NDArray[np.int8]
    is_member: bool


def course(metric: Metric, grain: Grain, scores: Sequence[Score]) -> Course:
    """The scores of a metric at a grain, ready to enter composites."""
    read = np.array([_read(score) for score in scores], dtype=np.float64).reshape(len(scores), len(_READ)).T
    status = np.array([CODE[score.status] for score in scores], dtype=np.int8)
    verdict = np.array([VERDICT_CODE[score.verdict] for score in scores], dtype=np.int8)
    named = dict(zip(_READ, read, strict=True))
    pooled = periods.POOLED[grain] if metric.historical else None
    error = company.score_error(named, metric.direction, metric.method, metric.cap, pooled)
    # Of a mean that everybody reads the one part that is not public could be worked out again.
    is_told = metric.public and not metric.hide_small_city
    counts = is_told & ~np.isnan(named["score"]) & ~np.isin(status, [CODE[one] for one in WITHOUT_SCORE])
    found = company.cityscores(named["value"], named["target"], metric.direction)
    numbers = np.vstack([read, error, np.where(counts, found, np.nan)])
    return Course(metric, scores, numbers, status, verdict, grain in metric.scored_at)


def roll_up(
    city: City, scope: Scope, scope_id: str, courses: Sequence[Course], conditions: Sequence[Course] = ()
) -> list[Composite]:
    """The composites of a scope at one grain, in order of time, each with its change and the parts of it.

    `courses` are those of the scope's service metrics; those of its `conditions` are in Boston's arithmetic
    and in nothing else; what is not public is not in it. Where nothing is ever scored at the grain one row,
    for the newest period, says so; a row for every period would say no more.
    """
    found = {score.period.start: score.period for one in courses for score in one.scores}
    chosen = [found[start] for start in sorted(found)]
    members = [one for one in courses if one.is_member]
    if not members:
        chosen = chosen[-1:]
    table = _Table.of(members, chosen)
    rows = [*table.field("cityscore"), *(_cityscores(one, chosen) for one in conditions)]
    summed = summaries(table.board(), city.minimum_coverage)
    return table.composites(city, scope, scope_id, summed, company.boston(rows, len(chosen)))


def _cityscores(one: Course, chosen: Sequence[Period]) -> Numbers:
    """A metric's scores by Boston's arithmetic in the periods chosen, NaN in those it does not have."""
    own = {score.period.start: column for column, score in enumerate(one.scores)}
    column_of = [own.get(period.start, -1) for period in chosen]
    return np.append(one.numbers[_NUMBERS.index("cityscore")], np.nan)[column_of]


@dataclass(frozen=True, slots=True)
class _Table:
    """The members of a scope at a grain and their numbers: (fields, metrics, periods)."""

    members: Sequence[Course]
    periods: Sequence[Period]
    numbers: Numbers
    status: NDArray[np.int8]
    verdict: NDArray[np.int8]
    first: Sequence[int]

    @classmethod
    def of(cls, members: Sequence[Course], chosen: Sequence[Period]) -> _Table:
        column_of = {period.start: column for column, period in enumerate(chosen)}
        numbers = np.full((len(_NUMBERS), len(members), len(chosen)), np.nan)
        status, verdict = (np.zeros((len(members), len(chosen)), dtype=np.int8) for _ in range(2))
        first = [column_of[one.scores[0].period.start] if one.scores else 0 for one in members]
        for row, (one, begin) in enumerate(zip(members, first, strict=True)):
            columns = slice(begin, begin + len(one.scores))
            numbers[:, row, columns] = one.numbers
            status[row, columns] = one.status
            verdict[row, columns] = one.verdict
        return cls(members, chosen, numbers, status, verdict, first)

    def board(self) -> Board:
        names = tuple(one.metric.id for one in self.members)
        return Board(
            metrics=names,
            status=self.status,
            verdict=self.verdict,
            weight=self.field("weight"),
            score=self.field("score"),
            seat=self.field("seat"),
            ceiling=self.field("ceiling"),
        )

    def composites(
        self,
        city: City,
        scope: Scope,
        scope_id: str,
        found: Summaries,
        cityscores: Sequence[float | None],
    ) -> list[Composite]:
        """The composites that were found, with what stands beside each and how each moved."""
        before = self._before(city)
        summary_of = found.all()
        changes = self._changes(found, [one.score for one in summary_of], before)
        return [
            Composite(
                scope=scope,
                scope_id=scope_id,
                period=period,
                score=now.score,
                reason=now.reason,
                coverage=now.coverage,
                ceiling=now.ceiling,
                total=now.total,
                scored=now.scored,
                on_target=now.on_target,
                late=now.late,
                lowest=now.lowest,
                meets=now.meets,
                cannot_tell=now.cannot_tell,
                misses=now.misses,
                before=earlier,
                change=change.change,
                change_matched=change.matched,
                contributions=change.parts,
                geometric=beside.geometric,
                leave_one_out=beside.leave_one_out,
                weight_band=beside.weight_band,
                sampling_band=beside.sampling_band,
                cityscore=cityscore,
            )
            for period, now, earlier, change, beside, cityscore in zip(
                self.periods,
                summary_of,
                before,
                changes,
                self._companies(found, summary_of),
                cityscores,
                strict=True,
            )
        ]

    def _companies(self, found: Summaries, summary_of: Sequence[Summary]) -> list[Company]:
        """What stands beside each composite; a late seat is no estimate, so chance does not move it."""
        error = np.where(np.isnan(found.scores), 0.0, self.field("error"))
        beside = company.companies(found.entered, self.field("weight"), error)
        return [ALONE if now.score is None else one for now, one in zip(summary_of, beside, strict=True)]

    # --- what a period is compared with ---------------------------------------------------------

    def _before(self, city: City) -> list[Period | None]:
        """The period each is compared with; None where the last fortnight had no day like it."""
        if not self.periods or self.periods[0].grain is not Grain.DAY:
            return [periods.before(city, period) for period in self.periods]
        days = [
            periods.comparison_day(city, period.start, open_now)
            for period, open_now in zip(self.periods, self._open_calendars(), strict=True)
        ]
        return [Period(Grain.DAY, day, day + timedelta(days=1)) if day else None for day in days]

    def _open_calendars(self) -> list[frozenset[Calendar]]:
        """The calendars that are open in each period, of members with a row there."""
        there = ~np.isnan(self.field("weight")) & (self.status != CODE[Status.CLOSED])
        calendars = sorted({one.metric.calendar for one in self.members})
        is_open = {
            calendar: there[[one.metric.calendar == calendar for one in self.members]].any(axis=0).tolist()
            for calendar in calendars
        }
        return [
            frozenset(calendar for calendar in calendars if is_open[calendar][column])
            for column in range(len(self.periods))
        ]

    # --- changes --------------------------------------------------------------------------------

    def _changes(
        self, found: Summaries, scores: Sequence[float | None], before: Sequence[Period | None]
    ) -> list[_Change]:
        """How each composite moved, from those of `scores` that are there on both sides."""
        column_of = {
            period.start: column for column, period in enumerate(self.periods) if scores[column] is not None
        }
        pairs = [
            (column_of[earlier.start], column)
            for column, earlier in enumerate(before)
            if earlier and earlier.start in column_of and scores[column] is not None
        ]
        changes = [_NO_CHANGE for _ in self.periods]
        if not pairs:
            return changes
        then, now = (np.array(columns) for columns in zip(*pairs, strict=True))
        entries = movement.Entries(found.entered, self.field("weight"), np.isnan(self.field("score")))
        sides = entries.at(then), entries.at(now)

        def split(row: int, pair: int) -> Mapping[Part, float]:
            return attribution.score_parts(*(self._side(row, column, found) for column in pairs[pair]))

        names = [one.metric.id for one in self.members]
        parts = movement.contributions(names, *sides, self._keeps_target(then, now), split)
        matched = movement.change_matched(*sides).tolist()
        for (early, late), one, rows in zip(pairs, matched, parts, strict=True):
            change = (scores[late] or 0.0) - (scores[early] or 0.0)
            changes[late] = _Change(change, one if one == one else None, rows)
        return changes

    def _keeps_target(self, then: NDArray[np.int64], now: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the targets of two periods are one, each on the scale of a day."""
        scale = self.field("scale")
        scale = np.where(np.isnan(scale) | (scale == 0), 1.0, scale)
        same = np.ones((len(self.members), len(then)), dtype=bool)
        for name in _HELD_TO:
            daily = self.field(name) / scale
            same &= np.isclose(daily[:, then], daily[:, now], rtol=_SAME, atol=0.0, equal_nan=True)
        return same

    def _side(self, row: int, column: int, found: Summaries) -> Side:
        one = self.members[row]
        score = one.scores[column - self.first[row]]
        entered = float(found.entered[row, column])
        return Side(
            score=None if np.isnan(entered) else entered,
            weight=score.weight or 0.0,
            value=score.value,
            target=_bound(score.target, score.target_high),
            floor=_bound(score.floor, score.floor_high),
            direction=one.metric.direction,
            method=one.metric.method,
            cap=one.metric.cap,
            late=score.score is None,
            scale=score.scale or 1.0,
        )

    def field(self, name: str) -> Numbers:
        """One of _NUMBERS, with shape (metrics, periods)."""
        return self.numbers[_NUMBERS.index(name)]


@dataclass(frozen=True, slots=True)
class _Change:
    """How a composite moved; change and matched are None, and parts empty, where one side is withheld."""

    change: float | None
    matched: float | None
    parts: tuple[Contribution, ...]


_NO_CHANGE = _Change(None, None, ())


def _bound(low: float | None, high: float | None) -> Bound | None:
    return low if low is None or high is None else (low, high)
