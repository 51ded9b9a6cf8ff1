"""How much the days of a metric, or its earlier periods, differ: what its intervals are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.intervals import Z
from metrics.model import Grain

LEAST_DAYS = 56
"""How many days, those of a shorter period and the ones before it, tell how much days differ."""

YEAR_OF_WEEKS = 364
"""How many days tell whether counts and shares spread more than by chance alone: rare ones need as many."""

LEAST_KNOWN = 14
"""Of these so many must be known, else there is no interval."""

EARLIER = {Grain.DAY: 365, Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 12}
"""How many earlier periods tell how much a stock differs from one to the next; four must be known."""

LEAST_EARLIER = 4

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
Columns = NDArray[np.int64]

_WEEK = 7


@dataclass(frozen=True)
class Spread:
    """How much the days of a mean or ratio differ from it, per unit of denominator.

    scale: what a variance of the mean is times its denominator, from the squared residuals of days
    (Cochran 1977, section 6.4, ratio estimator); freedom: days less 1. lean: the third cumulant of the mean
    times its denominator squared, over scale to the power 1.5, positive where single days reach far up.
    seen: the denominator it was all found from.
    """

    scale: Numbers
    freedom: Numbers
    lean: Numbers
    seen: Numbers

    @classmethod
    def of(cls, amounts: Numbers, sizes: Numbers, usable: Marks, first: Columns, end: Columns) -> Spread:
        size = np.where(usable, sizes, 0.0)
        away = _away(np.where(usable, amounts, 0.0), size)
        days, weight, sums, *moments = (
            _between(one, first, end) for one in (size > 0, size, away, *_products(away, size))
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            residual, cubes = _about(sums / weight, *moments)
            scale = residual / weight * days / (days - 1)
            lean = cubes / weight / scale**1.5
        return cls(scale, np.where(days >= LEAST_KNOWN, days - 1, np.nan), lean, weight)


@dataclass(frozen=True)
class Totals:
    """How much daily totals differ, from each day less the same weekday of the week before.

    That leaves out the pattern of a week and a slow drift. variance: of a day's total. dispersion: that over
    its mean. freedom: two thirds of the pairs, what such differences of neighbours are worth. lean: the
    skewness of a day's total, from each day less the mean of the same weekdays of the two weeks before, whose
    third cumulant is three quarters of a day's. seen: the pairs.
    """

    variance: Numbers
    dispersion: Numbers
    freedom: Numbers
    lean: Numbers
    seen: Numbers

    @classmethod
    def of(cls, amounts: Numbers, counted: Marks, first: Columns, end: Columns) -> Totals:
        amount = np.where(counted, amounts, 0.0)
        one, two = _weeks_before(amount, 1), _weeks_before(amount, 2)
        both = counted & _weeks_before(counted, 1)
        three = both & _weeks_before(counted, 2)
        pairs, square, total, triples, cube = (
            _between(np.where(known, row, 0.0), first, end)
            for known, row in (
                (both, np.ones_like(amount)),
                (both, (amount - one) ** 2),
                (both, amount + one),
                (three, np.ones_like(amount)),
                (three, (amount - (one + two) / 2) ** 3),
            )
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            variance, dispersion = square / (2 * pairs), square / total
            lean = cube / (0.75 * triples) / variance**1.5
        return cls(variance, dispersion, np.where(pairs >= LEAST_KNOWN, pairs * 2 / 3, np.nan), lean, pairs)


@dataclass(frozen=True)
class Shares:
    """How much more than chance the shares of days differ, from each day and the same weekday a week before.

    Where too few such pairs have cases it is from each day and the share of all of them. dispersion: the
    variance of the number of good ones over the binomial one, NaN where all are good or none is; freedom: two
    thirds of the pairs, or the days less 1.
    """

    dispersion: Numbers
    freedom: Numbers

    @classmethod
    def of(cls, good: Numbers, cases: Numbers, usable: Marks, first: Columns, end: Columns) -> Shares:
        size = np.where(usable, cases, 0.0)
        amount = np.where(usable, good, 0.0)
        days = Spread.of(good, cases, usable, first, end)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = _between(amount, first, end) / _between(size, first, end)
            scale, pairs = _of_pairs(_away(amount, size), size, share - _overall(amount, size), first, end)
            is_paired = pairs >= LEAST_KNOWN
            dispersion = np.where(is_paired, scale, days.scale) / (share * (1 - share))
        return cls(dispersion, np.where(is_paired, pairs * 2 / 3, days.freedom))


@dataclass(frozen=True)
class Blocks:
    """How much the earlier periods of a grain differ, made good for what neighbours have in common.

    deviation: of one period's value. freedom: what so many periods are worth where each resembles the one
    before by the correlation found. With ρ of neighbours, m periods tell a mean like m(1 - ρ)/(1 + ρ) and a
    variance like m(1 - ρ²)/(1 + ρ²) independent ones. Source: Bartlett 1946; von Storch and Zwiers 1999,
    section 6.6.
    """

    deviation: Numbers
    freedom: Numbers

    @classmethod
    def of(cls, values: Numbers, count: int, step: int) -> Blocks:
        ahead = np.concatenate([np.full(count * step, np.nan), values])
        earlier = np.lib.stride_tricks.sliding_window_view(ahead, count * step)[: len(values), ::step]
        known = ~np.isnan(earlier)
        periods = known.sum(axis=1).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(known, earlier, 0.0).sum(axis=1) / periods
            away = np.where(known, earlier - mean[:, None], 0.0)
            squares = (away * away).sum(axis=1)
            alike = np.clip((away[:, 1:] * away[:, :-1]).sum(axis=1) / squares, 0.0, 0.95)
            worth = np.maximum(periods * (1 - alike) / (1 + alike), 1.5)
            variance = squares / periods / (1 - 1 / worth)
            freedom = np.maximum(periods * (1 - alike**2) / (1 + alike**2) - 1, 1.0)
        return cls(np.sqrt(variance), np.where(periods >= LEAST_EARLIER, freedom, np.nan))


def leans(
    lean: Numbers, seen: Numbers, size: Numbers, past: Numbers | float = np.inf
) -> tuple[Numbers, Numbers]:
    """By how much further a mean must lie above, and below, than by Student's t where days are skewed.

    In standard errors, of the mean of `size` less that of a `past` (of none: a target). With a = 1/size and
    b = 1/past a quantile z moves by lean [(z² - 1)/6 (a² - b²) / (a + b)^1.5 - z²/2 / (seen √(a + b))]: the
    first because single days reach far, the second because such days widen the spread they are held against.
    No side is ever let off for it. Source: Cornish and Fisher 1938; with a spread found from the mean's own
    days alone it is Johnson's (1978) for t.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = 1 / size, 1 / np.asarray(past, dtype=np.float64)
        far = (Z * Z - 1) / 6 * (a * a - b * b) / (a + b) ** 1.5
        wide = Z * Z / 2 / (seen * np.sqrt(a + b))
        moved = np.nan_to_num(lean * (far - wide), nan=0.0, posinf=0.0, neginf=0.0)
    return np.maximum(moved, 0.0), np.maximum(-moved, 0.0)


def _overall(amount: Numbers, size: Numbers) -> float:
    whole = float(size.sum())
    return float(amount.sum()) / whole if whole else 0.0


def _away(amount: Numbers, size: Numbers) -> Numbers:
    """How far each day is from the ratio of all days, which keeps the sums of squares exact."""
    found: Numbers = amount - _overall(amount, size) * size
    return found


def _products(away: Numbers, size: Numbers) -> tuple[Numbers, ...]:
    """What `_about` needs the sums of."""
    return (away**2, away * size, size**2, away**3, away**2 * size, away * size**2, size**3)


def _about(mean: Numbers, *sums: Numbers) -> tuple[Numbers, Numbers]:
    """The sums of squares and of cubes of away - mean x size, from the sums of their products."""
    aa, as_, ss, aaa, aas, ass, sss = sums
    squares = np.maximum(aa - 2 * mean * as_ + mean**2 * ss, 0.0)
    return squares, aaa - 3 * mean * aas + 3 * mean**2 * ass - mean**3 * sss


def _of_pairs(
    away: Numbers, size: Numbers, mean: Numbers, first: Columns, end: Columns
) -> tuple[Numbers, Numbers]:
    """What a variance is times its denominator by pairs of days with cases a week apart, and how many."""
    both = (size > 0) & (_weeks_before(size, 1) > 0)
    apart, sizes = (np.where(both, row - _weeks_before(row, 1), 0.0) for row in (away, size))
    held = np.where(both, size + _weeks_before(size, 1), 0.0)
    rows = (both, held, apart**2, apart * sizes, sizes**2)
    pairs, weight, squares, cross, square_sizes = (_between(row, first, end) for row in rows)
    residual = np.maximum(squares - 2 * mean * cross + mean**2 * square_sizes, 0.0)
    return residual / weight, pairs


def _weeks_before(row: NDArray[Any], weeks: int) -> NDArray[Any]:
    """What a row held so many weeks before; 0 where there was nothing."""
    back = min(weeks * _WEEK, len(row))
    return np.concatenate([np.zeros(back, dtype=row.dtype), row[: len(row) - back]])


def _between(row: NDArray[np.generic], first: Columns, end: Columns) -> Numbers:
    """The sums of a row over [first, end)."""
    so_far = np.concatenate([[0.0], np.cumsum(row, dtype=np.float64)])
    between: Numbers = so_far[end] - so_far[first]
    return between
