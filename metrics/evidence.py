"""What a metric's facts allow to say of each period: the interval of its value and the verdict (method 6).

An unchanged city exactly on target is the yardstick. The facts speak *above* a target where so much or more
would come of such a city in 2.5% of periods or fewer, and *below* where so little would. Higher is better:
above meets, below misses; lower is better: the other way round. A band is met where the facts speak above
its lower and below its upper end, and missed where they speak below the lower or above the upper one. All
else is `cannot_tell`. So on target each of meets and misses is wrong in at most 2.5% of periods, at any n.

By what tails (a fixed target):
- ratio: binomial; count: Poisson; median, percentile: the binomial count of values on either side of the
  target, which is the same as the target lying outside the interval of order statistics. All are exact.
  Where the days of a year differ by more than chance (`Shares`, `Totals`), records come in clumps that share
  their fate, and the tails are those of so many times fewer records.
- mean, and a ratio or count that adds up amounts: Student's t on how much days differ (`Spread` over a year,
  `Totals`), further out on the side on which skewed days are oftener (`leans`); days are taken for
  independent of each other.
- stock: Student's t on how much the earlier periods of the grain differ (`Blocks`).

A target that is the past's own value carries the noise of that past as well: differences of square roots
(counts) and of arc sines (shares) of numbers divided by how much more than chance they spread, of means by t,
of percentiles by their intervals (`intervals.difference`), wider by the same rule.

At an edge no value can be on the good side. With a target of no case at all, or of 100%, a city on target
has the best value in every period, so the best value is no evidence of more: it is `cannot_tell` for ever,
and one case is `misses`. That is no timidity: a rate just over 0 has almost as many periods without a case,
and "meets" would be false in nearly all of them. Likewise zero of a lower-is-better count is `meets` only
where 3.69 or more were expected: of fewer, chance alone gives none oftener than 2.5 times of 100. The score
does not ask for evidence, and is the most it can be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics import intervals
from metrics.facts import MEDIAN
from metrics.history import History
from metrics.intervals import SIDE
from metrics.judged import Case, Judged
from metrics.model import Aggregation, Direction, Grain, Verdict
from metrics.spread import EARLIER, LEAST_DAYS, YEAR_OF_WEEKS, Blocks, Shares, Totals, leans

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
Sides = tuple[Marks, Marks]
Said = tuple[float | None, float | None, Verdict]
"""low, high, verdict of one period."""

_NOISE = 1e-9
"""By so much of a target a value may differ from it through rounding alone."""

_VERDICTS = (Verdict.CANNOT_TELL, Verdict.MEETS, Verdict.MISSES)


def said(history: History, grain: Grain, cases: Sequence[Case], district: str | None = None) -> list[Said]:
    """Interval and verdict of periods of one grain, in order of time; of one district where it is given.

    A bound that does not exist is None; without value or target the verdict says nothing (`cannot_tell`).
    """
    if not cases:
        return []
    found = _weigh(history, grain, cases, district)
    low, high = (np.where(np.isfinite(one), one, np.nan) for one in (found.low, found.high))
    verdict = verdicts(history.metric.direction, found.sides, _targets(cases))
    return list(zip(_optional(low), _optional(high), verdict, strict=True))


def verdicts(
    direction: Direction, sides: Callable[[Numbers], Sides], targets: tuple[Numbers, Numbers]
) -> list[Verdict]:
    """Verdicts from what the facts say of the low and the high end of each target (of a number: itself)."""
    above, below = sides(targets[0])
    if direction is Direction.WITHIN:
        above_high, below_high = sides(targets[1])
        meets, misses = above & below_high, below | above_high
    elif direction is Direction.LOWER_IS_BETTER:
        meets, misses = below, above
    else:
        meets, misses = above, below
    return [_VERDICTS[code] for code in np.where(misses, 2, np.where(meets, 1, 0)).tolist()]


# --- by kind --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """Intervals, shape (cases,), NaN or infinite where there is none, and what speaks of a target."""

    low: Numbers
    high: Numbers
    sides: Callable[[Numbers], Sides]


def _weigh(history: History, grain: Grain, cases: Sequence[Case], district: str | None) -> _Found:
    metric, given = history.metric, Judged(history, cases, district)
    if metric.aggregation in (Aggregation.MEDIAN, Aggregation.PERCENTILE):
        return _percentiles(given)
    if metric.aggregation is Aggregation.STOCK:
        return _stocks(given, grain)
    if metric.aggregation is Aggregation.COUNT:
        return _totals(given) if metric.quantity is not None else _counts(given)
    if metric.aggregation is Aggregation.RATIO and metric.denominator is None:
        return _shares(given)
    return _means(given)


def _shares(given: Judged) -> _Found:
    x, n = given.numerator, given.denominator
    low, high = intervals.wilson(np.where(given.has, x, np.nan), np.where(given.has, n, np.nan))
    if not given.is_historical:
        of = _times(given.shares)
        return _Found(low, high, lambda aim: _by_tails(intervals.binomial_tails(x / of, n / of, aim)))
    y, m = given.past_numerator, given.past_denominator
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = np.fmax(1.0, given.shares.dispersion)
        x, n, y, m = (one / phi for one in (x, n, y, m))
        gap = np.arcsin(np.sqrt(_anscombe(x, n))) - np.arcsin(np.sqrt(_anscombe(y, m)))
        reached = 2 * gap / np.sqrt(1 / n + 1 / m)
    return _Found(low, high, _compared(reached, given.shares.freedom))


def _counts(given: Judged) -> _Found:
    x = given.numerator
    low, high = intervals.garwood(x)
    if not given.is_historical:
        of = _times(given.totals_of_a_year)
        return _Found(low, high, lambda aim: _by_tails(intervals.poisson_tails(x / of, aim / of)))
    days = given.totals
    with np.errstate(divide="ignore", invalid="ignore"):
        times, of = given.opened / given.past_opened, np.fmax(1.0, days.dispersion)
        gap = np.sqrt(x / of + 0.375) - np.sqrt(times * (given.past_numerator / of + 0.375))
        reached = 2 * gap / np.sqrt(1 + times)
    return _Found(low, high, _compared(reached, days.freedom))


def _totals(given: Judged) -> _Found:
    days, x = given.totals, given.numerator
    error = np.sqrt(days.variance * given.opened)
    further = leans(given.totals_of_a_year.lean, days.seen, given.opened)
    low, high = _leaning(x, error, days.freedom, further)
    low = np.fmax(low, np.where(np.isnan(low), np.nan, 0.0))
    if not given.is_historical:
        return _Found(low, high, _outside(low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        times = given.opened / given.past_opened
        reached = (x - times * given.past_numerator) / (error * np.sqrt(1 + times))
    further = leans(given.totals_of_a_year.lean, days.seen, given.opened, given.past_opened)
    return _Found(low, high, _compared(reached, days.freedom, further))


def _means(given: Judged) -> _Found:
    spread = given.spread
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(spread.scale / given.denominator)
        further = leans(spread.lean, spread.seen, given.denominator)
        low, high = _leaning(given.value, error, spread.freedom, further)
        if not given.is_historical:
            return _Found(low, high, _outside(low, high))
        gap = given.value - given.past_value
        reached = gap / np.sqrt(spread.scale * (1 / given.denominator + 1 / given.past_denominator))
    further = leans(spread.lean, spread.seen, given.denominator, given.past_denominator)
    return _Found(low, high, _compared(reached, spread.freedom, further))


def _stocks(given: Judged, grain: Grain) -> _Found:
    step = 3 if grain is Grain.QUARTER and given.history.city.quarter == "trailing" else 1
    blocks = Blocks.of(given.value, EARLIER[grain], step)
    low, high = intervals.student(given.value, blocks.deviation, blocks.freedom)
    low = np.fmax(low, np.where(np.isnan(low), np.nan, 0.0))
    if not given.is_historical:
        return _Found(low, high, _outside(low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = (given.value - given.past_value) / (blocks.deviation * np.sqrt(1 + 1 / given.past_ranges))
    return _Found(low, high, _compared(reached, blocks.freedom))


def _percentiles(given: Judged) -> _Found:
    low, high = given.bounds
    if not given.is_historical:

        def sides(aim: Numbers) -> Sides:
            days, under = given.under(aim, YEAR_OF_WEEKS)
            of, share = _times(days), given.history.metric.percentile or MEDIAN
            below, above = _by_tails(intervals.binomial_tails(under / of, given.denominator / of, share))
            beyond = _outside(low, high)(aim)
            return beyond[0] & ((of == 1) | above), beyond[1] & ((of == 1) | below)

        return _Found(low, high, sides)
    of = _times(given.under(given.past_value, LEAST_DAYS)[0])
    apart = intervals.difference(
        given.value,
        _widened(given.value, (low, high), of),
        given.past_value,
        _widened(given.past_value, given.past_bounds, of),
    )
    return _Found(low, high, lambda _aim: (apart[0] > 0, apart[1] < 0))


# --- what speaks ----------------------------------------------------------------------------------


def _by_tails(tails: tuple[Numbers, Numbers]) -> Sides:
    at_most, at_least = tails
    return at_least <= SIDE, at_most <= SIDE


def _outside(low: Numbers, high: Numbers) -> Callable[[Numbers], Sides]:
    def sides(aim: Numbers) -> Sides:
        slack = _NOISE * np.abs(aim)
        return low > aim + slack, high < aim - slack

    return sides


def _compared(
    reached: Numbers, freedom: Numbers, further: tuple[Numbers, Numbers] | tuple[float, float] = (0.0, 0.0)
) -> Callable[[Numbers], Sides]:
    """A difference to the past in standard errors, with as many degrees of freedom as its spread has."""
    critical = intervals.critical(freedom)

    def sides(_aim: Numbers) -> Sides:
        return (reached > critical + further[0], reached < -critical - further[1])

    return sides


def _leaning(
    value: Numbers, error: Numbers, freedom: Numbers, further: tuple[Numbers, Numbers]
) -> tuple[Numbers, Numbers]:
    """Student's interval, and so many errors wider on the side to which single days reach far."""
    low, high = intervals.student(value, error, freedom)
    return low - error * further[0], high + error * further[1]


def _times(days: Shares | Totals) -> Numbers:
    """How many records speak for as much as one by chance alone does, where days differ by more than that.

    A dispersion found from few days may be too small by luck, as much as Student's t is wider than a normal
    curve. 1 where days differ no more than by chance, or too few are known.
    """
    times = days.dispersion * (intervals.critical(days.freedom) / intervals.Z) ** 2
    return np.where((days.dispersion > 1) & ~np.isnan(times), times, 1.0)


def _widened(value: Numbers, ends: tuple[Numbers, Numbers], times: Numbers) -> tuple[Numbers, Numbers]:
    """The interval of so many times fewer values."""
    wider = np.sqrt(times)
    return value - (value - ends[0]) * wider, value + (ends[1] - value) * wider


def _anscombe(x: Numbers, n: Numbers) -> Numbers:
    return (x + 0.375) / (n + 0.75)


# --- arrays ---------------------------------------------------------------------------------------


def _targets(cases: Sequence[Case]) -> tuple[Numbers, Numbers]:
    pairs = [one.target if isinstance(one.target, tuple) else (one.target, one.target) for one in cases]
    both = np.array(pairs, dtype=np.float64)
    return both[:, 0], both[:, 1]


def _optional(numbers: Numbers) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]
