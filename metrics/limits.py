"""Control limits: how far the points of a series lie from its centre by chance alone, for each kind of chart.

Arrays have time along their last axis, so that one call takes one series or many; NaN is a missing point.
Sources: Wheeler 1993 and Nelson 1982 (XmR), Montgomery 2012 chapter 7 (p, u), Laney 2002 (P', U'),
Benneyan 2001 (g), Nelson 1994 (t).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

REACH = 2.66
"""How many mean moving ranges a limit of an XmR chart is away from the centre."""

SCREEN = 3.267
"""A moving range of so many times their mean, or more, is no ordinary one (Nelson 1982)."""

SIGMAS = 3.0
RANGE_OF_SIGMA = 1.128
"""The mean range of two independent normal values, in standard deviations."""

NEAR = 2 / 3
"""From which share of the way to a limit on a point is near it."""

LARGE = 1000.0
"""From this mean size of a period on a chart of shares or rates takes the spread from the points (Laney)."""

RARE = 5.0
"""Under so many events a period, the days between events are charted instead."""

OUTSIDE, BESIDE = 0.00135, 0.02275
"""What a normal value does beyond three and beyond two deviations on one side: limits of a g chart."""

POWER = 1 / 3.6
"""Times between events to this power are nearly normal (Nelson 1994)."""

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
Measure = Literal["share", "rate", "count", "amount", "time"]


class ChartKind(StrEnum):
    """Which limits a chart has."""

    XMR = "xmr"
    P = "p"
    LANEY_P = "p_prime"
    U = "u"
    LANEY_U = "u_prime"
    G = "g"
    T = "t"


@dataclass(frozen=True, slots=True)
class Xmr:
    """The limits of an XmR chart. center is None without a value, lower and upper without two in a row."""

    center: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Lines:
    """Where each point should lie, shape of the series, NaN where nothing can be said.

    A point is outside beyond lower and upper, and near a limit beyond near_lower and near_upper.
    """

    center: Numbers
    lower: Numbers
    upper: Numbers
    near_lower: Numbers
    near_upper: Numbers

    def within(self, lowest: float, highest: float) -> Lines:
        """The same lines, the limits cut at the least and the greatest value there can be."""
        lower, upper = (np.clip(one, lowest, highest) for one in (self.lower, self.upper))
        return Lines(self.center, lower, upper, self.near_lower, self.near_upper)


def chart_kind(measure: Measure, mean: float) -> ChartKind:
    """The chart of a measure (science 2b).

    mean: of a share the mean denominator of a period, of a rate and a count the mean number of events; it
    says nothing of amounts (durations, levels, scores) and of times between events.
    """
    if measure == "share":
        return ChartKind.P if mean < LARGE else ChartKind.LANEY_P
    if measure == "rate":
        return ChartKind.U if mean < LARGE else ChartKind.LANEY_U
    if measure == "count" and mean < RARE:
        return ChartKind.G
    return ChartKind.T if measure == "time" else ChartKind.XMR


def xmr(values: Sequence[float | None], *, screen: bool = True) -> Xmr:
    """Centre and limits of single values: mean ± 2.66 × the mean moving range.

    screen: moving ranges of 3.267 times their mean and more are dropped once, unless only ranges of 0 would
    be left. A missing value (None) is in no mean, and there is no range to it nor over it.
    """
    series = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    found = lines(ChartKind.XMR, series, np.ones(len(series)), ~np.isnan(series), screen=screen)
    ends = [one[:1].tolist() for one in (found.center, found.lower, found.upper)]
    return Xmr(*(end[0] if end and end[0] == end[0] else None for end in ends))


def lines(
    kind: ChartKind,
    values: Numbers,
    sizes: Numbers,
    enters: Marks,
    *,
    screen: bool = True,
    groups: NDArray[np.int64] | None = None,
) -> Lines:
    """The lines of a chart, each of the shape of `values` or of one of its series.

    sizes: denominators of shares and rates, ones else. enters: whether a point enters the lines; a missing
    one never does. groups: a number for each point; points of a group (a weekday) have a centre of their own.
    """
    enters = enters & ~np.isnan(values)
    if kind is ChartKind.G:
        return _geometric(values, enters)
    if kind is ChartKind.T:
        powers = lines(ChartKind.XMR, values**POWER, sizes, enters, screen=screen)
        return Lines(*(np.maximum(one, 0.0) ** (1 / POWER) for one in _each(powers)))
    center = _centers(values, sizes, enters, groups)
    if kind is ChartKind.XMR:
        reach = REACH * mean_range(values - center, enters, screen=screen)
        return _around(center, np.broadcast_to(reach[..., None], values.shape))
    spread = _chance(kind, center, sizes)
    if kind in (ChartKind.LANEY_P, ChartKind.LANEY_U):
        spread = spread * sigma_z(values, center, spread, enters)[..., None]
    return _around(center, SIGMAS * spread)


def deviation(kind: ChartKind, center: Numbers, sizes: Numbers) -> Numbers:
    """What chance alone moves each point of a chart, up to a factor that all points share."""
    is_sized = kind in (ChartKind.P, ChartKind.LANEY_P, ChartKind.U, ChartKind.LANEY_U)
    return _chance(kind, center, sizes) if is_sized else np.ones_like(center)


def sigma_z(values: Numbers, center: Numbers, spread: Numbers, enters: Marks) -> Numbers:
    """How many times as much as by chance neighbouring points differ: mean |z - z'| / 1.128 (Laney 2002).

    spread: what chance alone moves each point; points that it cannot move are left out. NaN without
    neighbours.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (values - center) / spread
    return mean_range(z, enters & np.isfinite(z), screen=False) / RANGE_OF_SIGMA


def mean_range(values: Numbers, enters: Marks, *, screen: bool) -> Numbers:
    """The mean moving range of each series; NaN where no two neighbours enter."""
    pairs = enters[..., 1:] & enters[..., :-1]
    ranges = np.where(pairs, np.abs(np.diff(np.where(enters, values, 0.0), axis=-1)), 0.0)
    whole = _mean(ranges, pairs)
    if not screen:
        return whole
    with np.errstate(invalid="ignore"):
        kept = _mean(ranges, pairs & (ranges < SCREEN * whole[..., None]))
        # A series that hardly ever moves would be left without any width, and every point outside it.
        return np.where(kept > 0, kept, whole)


def _chance(kind: ChartKind, center: Numbers, sizes: Numbers) -> Numbers:
    """The binomial or Poisson deviation of each point; NaN for one of no size."""
    is_share = kind in (ChartKind.P, ChartKind.LANEY_P)
    variance = center * (1 - center) if is_share else center
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(np.maximum(variance, 0.0) / np.where(sizes > 0, sizes, np.nan))


def _around(center: Numbers, reach: Numbers) -> Lines:
    near = NEAR * reach
    return Lines(center, center - reach, center + reach, center - near, center + near)


def _centers(values: Numbers, sizes: Numbers, enters: Marks, groups: NDArray[np.int64] | None) -> Numbers:
    """The pooled value at each point: of all that enter, or of those of its group."""
    if groups is None:
        return np.broadcast_to(_pooled(values, sizes, enters)[..., None], values.shape)
    center = np.full(values.shape, np.nan)
    for group in np.unique(groups):
        members = groups == group
        pooled = _pooled(values, sizes, enters & members)
        center = np.where(members, pooled[..., None], center)
    return center


def _pooled(values: Numbers, sizes: Numbers, enters: Marks) -> Numbers:
    weight = np.where(enters, sizes, 0.0)
    whole, amount = weight.sum(axis=-1), (np.where(enters, values, 0.0) * weight).sum(axis=-1)
    return np.divide(amount, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def _mean(values: Numbers, chosen: Marks) -> Numbers:
    many, total = chosen.sum(axis=-1), np.where(chosen, values, 0.0).sum(axis=-1)
    return np.divide(total, many, out=np.full(np.shape(many), np.nan), where=many > 0)


def _geometric(values: Numbers, enters: Marks) -> Lines:
    """Exact quantiles of the geometric distribution with the mean of the points; the centre is its median.

    At most OUTSIDE of all points lie beyond a limit and BESIDE beyond a near one, on each side.
    """
    mean = np.broadcast_to(_mean(values, enters)[..., None], values.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        fading = np.log(mean / (1 + mean))
        upper, near_upper, center = (np.ceil(np.log(one) / fading) - 1 for one in (OUTSIDE, BESIDE, 0.5))
        lower, near_lower = (np.floor(np.log1p(-one) / fading) for one in (OUTSIDE, BESIDE))
    always = mean == 0
    return Lines(*(np.where(always, 0.0, one) for one in (center, lower, upper, near_lower, near_upper)))


def _each(found: Lines) -> tuple[Numbers, ...]:
    return found.center, found.lower, found.upper, found.near_lower, found.near_upper
