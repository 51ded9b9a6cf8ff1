"""The points of a series between two borders: their own limits, the signals in them, what to be wary of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

import numpy as np

from metrics import regularity
from metrics.false_alarms import NEVER, FalseAlarms, Null, expected
from metrics.limits import ChartKind, Lines, Marks, Numbers, deviation, lines, sigma_z
from metrics.signal_rules import SIGNALS, Signal, flags

TRIAL_UNDER = 12
"""Limits made of fewer points are on trial."""

REBASE_FROM = 8
"""So many points on one side of the centre, the last one included, propose a new base."""

WEEKDAY_LEAST = 4
"""A weekday needs so many points for a centre of its own."""

_WEEK = 7
_UNSIZED = frozenset({ChartKind.G, ChartKind.T})


class Caution(StrEnum):
    """A warning: what makes the limits or the rules of a chart less sure than they look."""

    TRIAL = "trial_limits"
    AUTOCORRELATED = "autocorrelated"
    TREND = "trend"
    SEASON = "seasonal"
    WEEKDAYS = "weekday_pattern"
    WEEKDAYS_UNKNOWN = "weekdays_not_adjusted"
    OVERDISPERSED = "overdispersed"


@dataclass(frozen=True, eq=False)
class Series:
    """What is charted, in order of time: arrays of shape (points,).

    values: NaN where there is none, and `reasons` then says why. sizes: denominators of shares and rates,
    ones else. settled: False for a point that may still move. daily: whether each point is a day.
    counted: whether values are numbers of events.
    """

    starts: tuple[date, ...]
    values: Numbers
    sizes: Numbers
    settled: Marks
    reasons: tuple[str | None, ...]
    daily: bool = False
    counted: bool = False

    @classmethod
    def of(
        cls,
        starts: Iterable[date],
        values: Iterable[float | None],
        *,
        sizes: Iterable[float | None] | None = None,
        provisional: Iterable[bool] | None = None,
        reasons: Iterable[str | None] | None = None,
        daily: bool = False,
        counted: bool = False,
    ) -> Series:
        """A series of plain values, None where one is missing; ValueError where the lengths differ."""
        begun, known = tuple(starts), _numbers(values)
        size = np.ones(len(begun)) if sizes is None else _numbers(sizes)
        settled = np.ones(len(begun), bool) if provisional is None else ~np.array([*provisional], bool)
        why = (None,) * len(begun) if reasons is None else tuple(reasons)
        if {len(known), len(size), len(settled), len(why)} != {len(begun)}:
            raise ValueError("a series has one value, size, mark and reason for each of its starts")
        return cls(begun, np.where(size > 0, known, np.nan), size, settled, why, daily, counted)


@dataclass(frozen=True, slots=True)
class Point:
    """One point with its lines, each None where there is none.

    provisional: it may still move; it enters no limits and is judged by no rule. reason: why value is None.
    """

    start: date
    value: float | None
    center: float | None
    lower: float | None
    upper: float | None
    signal: Signal | None
    provisional: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """`points` points on one side since `start`: a base for its owner to name a cause of and approve."""

    start: date
    points: int
    is_high: bool


class Segment:
    """The points [begin, end) of a series, which have their own limits and in which rules run."""

    def __init__(
        self, kind: ChartKind, series: Series, begin: int, end: int, baseline: int | None, screen: bool
    ) -> None:
        here = slice(begin, end)
        self.kind, self.begin, self._screen = kind, begin, screen
        self._daily, self._counted = series.daily, series.counted
        self._starts, self._reasons = series.starts[here], series.reasons[here]
        self._values, self._sizes = series.values[here], series.sizes[here]
        self._settled = series.settled[here]
        # Judged are the settled points only: a run goes neither over a missing nor over a provisional one.
        self._known = np.where(self._settled, self._values, np.nan)
        enters = ~np.isnan(self._known)
        self._fixed = None if baseline is None or enters.sum() <= baseline else baseline
        if self._fixed is not None:
            enters &= np.cumsum(enters) <= self._fixed
        self._enters = enters
        self._weekdays = np.array([day.weekday() for day in self._starts], dtype=np.int64)
        groups = self._weekdays if self._is_adjusted() else None
        self._lines = lines(kind, self._values, self._sizes, enters, screen=screen, groups=groups)
        self._codes = flags(self._known, self._lines, every_rule=not series.daily)

    @property
    def is_trial(self) -> bool:
        """Whether the limits come from too few points to be relied on."""
        return int(self._enters.sum()) < TRIAL_UNDER

    @cached_property
    def judged(self) -> int | None:
        """The place of the last settled point that has limits."""
        has_limits = ~np.isnan(self._known) & ~np.isnan(self._lines.upper + self._lines.lower)
        places = np.flatnonzero(has_limits)
        return int(places[-1]) if len(places) else None

    @cached_property
    def standard(self) -> Numbers:
        """The settled points less their centre, over what chance moves each."""
        with np.errstate(divide="ignore", invalid="ignore"):
            away = self._known - self._lines.center
            found = away / deviation(self.kind, self._lines.center, self._sizes)
        return np.where(np.isfinite(found), found, np.nan)

    @cached_property
    def autocorrelation(self) -> float | None:
        """The correlation of neighbours; None where there are too few."""
        return regularity.autocorrelation(self.standard)

    @property
    def false_alarms(self) -> FalseAlarms:
        """Of an unchanged segment of this size and length."""
        entered = self._known[self._enters]
        if self.judged is None:
            return NEVER
        is_counted = self.kind in (ChartKind.P, ChartKind.U, ChartKind.G)
        is_counted |= self.kind is ChartKind.XMR and self._counted
        sizes = self._sizes[self._enters]
        level = float((entered * sizes).sum() / sizes.sum()) if is_counted else None
        points = int((~np.isnan(self._known)).sum())
        return expected(
            Null(self.kind, points, level, float(sizes.mean()), self._fixed, not self._daily, self._screen)
        )

    def points(self, extent: tuple[float, float]) -> list[Point]:
        """The points with their lines."""
        cut: Lines = self._lines.within(*extent)
        drawn = cut.center, cut.lower, cut.upper
        columns = zip(
            self._starts,
            _optional(self._values),
            *map(_optional, drawn),
            [SIGNALS[code] for code in self._codes.tolist()],
            (~self._settled & ~np.isnan(self._values)).tolist(),
            self._reasons,
            strict=True,
        )
        return [Point(*column) for column in columns]

    def cautions(self) -> Iterable[Caution]:
        """What to be wary of, in a fixed order."""
        if self.is_trial:
            yield Caution.TRIAL
        if (self.autocorrelation or 0.0) > regularity.MEMORY:
            yield Caution.AUTOCORRELATED
        if regularity.drifts(self.standard):
            yield Caution.TREND
        if self._daily and not self._is_adjusted():
            yield Caution.WEEKDAYS_UNKNOWN
        elif self._daily and self._weekdays_differ():
            yield Caution.WEEKDAYS
        if self.kind in (ChartKind.P, ChartKind.U) and self._is_overdispersed():
            yield Caution.OVERDISPERSED

    def proposal(self) -> Proposal | None:
        """The run that has come to the last judged point, where it is long enough."""
        if self.judged is None or self._daily:
            return None
        side = np.sign(self._known - self._lines.center)[: self.judged + 1]
        other = np.flatnonzero(side != side[-1])
        first = int(other[-1]) + 1 if len(other) else 0
        many = len(side) - first
        if side[-1] == 0 or many < REBASE_FROM:
            return None
        return Proposal(self._starts[first], many, bool(side[-1] > 0))

    def _is_adjusted(self) -> bool:
        """Whether each weekday that occurs has enough points for a centre of its own."""
        if not self._daily or self.kind in _UNSIZED:
            return False
        asked = np.unique(self._weekdays[~np.isnan(self._values)])
        many = np.bincount(self._weekdays[self._enters], minlength=_WEEK)
        return len(asked) > 0 and bool((many[asked] >= WEEKDAY_LEAST).all())

    def _weekdays_differ(self) -> bool:
        overall = lines(self.kind, self._values, self._sizes, self._enters).center
        spread = deviation(self.kind, overall, self._sizes)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (self._known - overall) / spread
        return regularity.weekdays_differ(np.where(np.isfinite(z), z, np.nan), self._weekdays)

    def _is_overdispersed(self) -> bool:
        spread = deviation(self.kind, self._lines.center, self._sizes)
        sigma = float(sigma_z(self._values, self._lines.center, spread, self._enters))
        return regularity.spreads(sigma, int(self._enters.sum()))


def _numbers(values: Iterable[float | None]) -> Numbers:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _optional(values: Numbers) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
