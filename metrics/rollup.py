"""Composites over time: who is in one, what it is compared with, and where its change comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from metrics import attribution, movement, periods
from metrics.attribution import Side
from metrics.composite import CODE, Board, Summaries, summaries
from metrics.model import City, Composite, Contribution, Grain, Metric, Part, Period, Score, Status
from metrics.periods import Calendar
from metrics.scoring import Bound

Scope = Literal["city", "department", "theme"]
Numbers = NDArray[np.float64]

_SAME = 1e-12
"""Targets that differ by less of themselves are one, scaled to two periods and back."""

_NUMBERS = ("weight", "score", "seat", "ceiling", "target", "target_high", "floor", "floor_high", "scale")


@dataclass(frozen=True, slots=True)
class Course:
    """A metric's scores at a grain in order of time, with their numbers side by side.

    numbers: shape (fields of _NUMBERS, periods), NaN for None. is_member: whether composites count it.
    """

    metric: Metric
    scores: Sequence[Score]
    numbers: Numbers
    status: NDArray[np.int8]
    is_member: bool


def course(metric: Metric, grain: Grain, scores: Sequence[Score]) -> Course:
    """The scores of a metric at a grain, ready to enter composites."""
    fields = [[getattr(score, name) for score in scores] for name in _NUMBERS]
    numbers = np.array(fields, dtype=np.float64).reshape(len(_NUMBERS), len(scores))
    status = np.array([CODE[score.status] for score in scores], dtype=np.int8)
    return Course(metric, scores, numbers, status, grain in metric.scored_at)


def roll_up(city: City, scope: Scope, scope_id: str, courses: Sequence[Course]) -> list[Composite]:
    """The composites of a scope at one grain, in order of time, each with its change and the parts of it.

    `courses` are those of the scope's service metrics. Where nothing is ever scored at the grain one row,
    for the newest period, says so; a row for every period would say no more.
    """
    found = {score.period.start: score.period for one in courses for score in one.scores}
    chosen = [found[start] for start in sorted(found)]
    members = [one for one in courses if one.is_member]
    if not members:
        chosen = chosen[-1:]
    table = _Table.of(members, chosen)
    return table.composites(city, scope, scope_id, summaries(table.board(), city.minimum_coverage))


@dataclass(frozen=True, slots=True)
class _Table:
    """The members of a scope at a grain and their numbers: (fields, metrics, periods)."""

    members: Sequence[Course]
    periods: Sequence[Period]
    numbers: Numbers
    status: NDArray[np.int8]
    first: Sequence[int]

    @classmethod
    def of(cls, members: Sequence[Course], chosen: Sequence[Period]) -> _Table:
        column_of = {period.start: column for column, period in enumerate(chosen)}
        numbers = np.full((len(_NUMBERS), len(members), len(chosen)), np.nan)
        status = np.zeros((len(members), len(chosen)), dtype=np.int8)
        first = [column_of[one.scores[0].period.start] if one.scores else 0 for one in members]
        for row, (one, begin) in enumerate(zip(members, first, strict=True)):
            columns = slice(begin, begin + len(one.scores))
            numbers[:, row, columns] = one.numbers
            status[row, columns] = one.status
        return cls(members, chosen, numbers, status, first)

    def board(self) -> Board:
        names = tuple(one.metric.id for one in self.members)
        return Board(
            metrics=names,
            status=self.status,
            weight=self._field("weight"),
            score=self._field("score"),
            seat=self._field("seat"),
            ceiling=self._field("ceiling"),
        )

    def composites(self, city: City, scope: Scope, scope_id: str, found: Summaries) -> list[Composite]:
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
                before=earlier,
                change=change.change,
                change_matched=change.matched,
                contributions=change.parts,
            )
            for period, now, earlier, change in zip(self.periods, summary_of, before, changes, strict=True)
        ]

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
        there = ~np.isnan(self._field("weight")) & (self.status != CODE[Status.CLOSED])
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
        entries = movement.Entries(found.entered, self._field("weight"), np.isnan(self._field("score")))
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
        scale = self._field("scale")
        scale = np.where(np.isnan(scale) | (scale == 0), 1.0, scale)
        same = np.ones((len(self.members), len(then)), dtype=bool)
        for name in ("target", "target_high", "floor", "floor_high"):
            daily = self._field(name) / scale
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

    def _field(self, name: str) -> Numbers:
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
