"""How much the days of a metric, or its earlier periods, differ: what its intervals are made of.

Every number here is made of a period's own window of days and of nothing else, in an order of adding that
does not depend on where the facts begin or end: a night that reads a part of them says the same.
"""

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
"""How many days tell how skewed days are, and how much means and shares differ: rare ones need as many."""

FOUR_WEEKS = 28
"""The days of a mean are held against those around them, so many with themselves."""

LEAST_KNOWN = 14
"""Of these so many must be known, else there is no interval."""

EARLIER = {Grain.DAY: 365, Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 12}
"""How many earlier periods tell how much a stock differs from one to the next; four must be known."""

LEAST_EARLIER = 4

WEEKS_BEFORE = 14
"""How many days before a window its first days are held against."""

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
Columns = NDArray[np.int64]

_WEEK = 7


@dataclass(frozen=True)
class Spread:
    """How much the days of a mean or ratio differ from it, per unit of denominator.

    Each day is held against its own four weeks (`within` days), counted back from the end of a window: so a
    whole year tells how much single days differ, as few skewed ones cannot, and a season or a slow drift is
    left out. scale: what a variance of the mean is times its denominator, from the squared residuals of days
    (Cochran 1977, section 6.4, ratio estimator); freedom: days less one for each four weeks. lean: the third
    cumulant of the mean times its denominator squared, over scale to the power 1.5, positive where single
    days reach far up. seen: the denominator it was all found from.
    """

    scale: Numbers
    freedom: Numbers
    lean: Numbers
    seen: Numbers

    @classmethod
    def of(
        cls,
        amounts: Numbers,
        sizes: Numbers,
        usable: Marks,
        first: Columns,
        end: Columns,
        within: int = FOUR_WEEKS,
    ) -> Spread:
        parts, begin = _parts(first, end, within)
        windows = _Windows(*parts)
        size = windows.days(np.where(usable, sizes, 0.0))
        amount = windows.days(np.where(usable, amounts, 0.0))
        days, weight = windows.sums(size > 0), windows.sums(size)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(weight > 0, windows.sums(amount) / weight, 0.0)
            away = amount - windows.each(mean) * size
            # So many days are their squares, and their cubes, worth that are held against their own mean.
            free = np.where(days > 0, days - 1, 0.0)
            freer = np.where(days > 0, days - 3 + 2 / days, 0.0)
            square, cube = windows.sums(away * away), windows.sums(away * away * away)
            days, weight, square, cube, free, freer = (
                np.add.reduceat(part, begin) for part in (days, weight, square, cube, free, freer)
            )
            scale = square / weight * days / free
            lean = cube / weight * days / freer / scale**1.5
        return cls(scale, np.where(days >= LEAST_KNOWN, free, np.nan), lean, weight)


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
        windows = _Windows(first, end)
        pairs, square, total, triples, cube = (
            windows.sums(windows.days(np.where(known, row, 0.0)))
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
        days = Spread.of(good, cases, usable, first, end, within=YEAR_OF_WEEKS)
        windows = _Windows(first, end)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = windows.sums(windows.days(amount)) / windows.sums(windows.days(size))
            scale, pairs = _of_pairs(amount, size, share, windows)
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


def _parts(first: Columns, end: Columns, length: int) -> tuple[tuple[Columns, Columns], Columns]:
    """Ranges cut into parts of a length, the newest first, the oldest shorter; where those of each begin."""
    counts = np.maximum(-(-(end - first) // length), 1)
    begin = np.cumsum(counts) - counts
    steps = np.arange(int(counts.sum())) - np.repeat(begin, counts)
    ends = np.repeat(end, counts) - length * steps
    return (np.maximum(ends - length, np.repeat(first, counts)), ends), begin


def _of_pairs(amount: Numbers, size: Numbers, share: Numbers, windows: _Windows) -> tuple[Numbers, Numbers]:
    """What a variance is times its denominator by pairs of days with cases a week apart, and how many."""
    both = (size > 0) & (_weeks_before(size, 1) > 0)
    apart, sizes = (windows.days(np.where(both, row - _weeks_before(row, 1), 0.0)) for row in (amount, size))
    held = windows.days(np.where(both, size + _weeks_before(size, 1), 0.0))
    away = apart - windows.each(share) * sizes
    pairs = windows.sums(windows.days(both.astype(np.float64)))
    return windows.sums(away * away) / windows.sums(held), pairs


def _weeks_before(row: NDArray[Any], weeks: int) -> NDArray[Any]:
    """What a row held so many weeks before; 0 where there was nothing."""
    back = min(weeks * _WEEK, len(row))
    return np.concatenate([np.zeros(back, dtype=row.dtype), row[: len(row) - back]])


class _Windows:
    """The days of ranges [first, end) of columns one after the other, a nought behind each range."""

    def __init__(self, first: Columns, end: Columns) -> None:
        self._lengths = end - first + 1
        self._begin = np.cumsum(self._lengths) - self._lengths
        self._last = self._begin + self._lengths - 1
        steps = np.arange(int(self._lengths.sum())) - np.repeat(self._begin, self._lengths)
        self._column = np.repeat(first, self._lengths) + steps

    def days(self, row: Numbers) -> Numbers:
        """What a row holds on each day of each range."""
        found: Numbers = np.append(row, 0.0)[self._column]
        found[self._last] = 0.0
        return found

    def sums(self, days: NDArray[np.generic]) -> Numbers:
        """The sum of each range, added up from its own days alone."""
        found: Numbers = np.add.reduceat(days, self._begin, dtype=np.float64)
        return found

    def each(self, ranges: Numbers) -> Numbers:
        """A number of each range, on each of its days."""
        return np.repeat(ranges, self._lengths)
