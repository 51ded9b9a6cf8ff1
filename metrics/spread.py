"""How much the days of a metric, or its earlier periods, differ: what its intervals are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.model import Grain

LEAST_DAYS = 56
"""How many days, those of a shorter period and the ones before it, tell how much days differ."""

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
    (Cochran 1977, section 6.4, ratio estimator); freedom: days less 1.
    """

    scale: Numbers
    freedom: Numbers

    @classmethod
    def of(cls, amounts: Numbers, sizes: Numbers, usable: Marks, first: Columns, end: Columns) -> Spread:
        size = np.where(usable, sizes, 0.0)
        whole = size.sum()
        overall = np.where(usable, amounts, 0.0).sum() / whole if whole else 0.0
        away = np.where(usable, amounts, 0.0) - overall * size
        days, weight, sums, squares, cross, weights = (
            _between(one, first, end) for one in (size > 0, size, away, away * away, away * size, size * size)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = sums / weight
            residual = np.maximum(squares - 2 * mean * cross + mean * mean * weights, 0.0)
            scale = residual / weight * days / (days - 1)
        return cls(scale, np.where(days >= LEAST_KNOWN, days - 1, np.nan))


@dataclass(frozen=True)
class Totals:
    """How much daily totals differ, from each day less the same weekday of the week before.

    That leaves out the pattern of a week and a slow drift. variance: of a day's total. dispersion: that over
    its mean. freedom: two thirds of the pairs, what such differences of neighbours are worth.
    """

    variance: Numbers
    dispersion: Numbers
    freedom: Numbers

    @classmethod
    def of(cls, amounts: Numbers, counted: Marks, first: Columns, end: Columns) -> Totals:
        pair, squares, sums = (np.zeros(len(amounts)) for _ in range(3))
        now, before = slice(_WEEK, None), slice(None, max(0, len(amounts) - _WEEK))
        both = counted[now] & counted[before]
        pair[now] = both
        squares[now] = np.where(both, (amounts[now] - amounts[before]) ** 2, 0.0)
        sums[now] = np.where(both, amounts[now] + amounts[before], 0.0)
        pairs, square, total = (_between(one, first, end) for one in (pair, squares, sums))
        with np.errstate(divide="ignore", invalid="ignore"):
            variance, dispersion = square / (2 * pairs), square / total
        return cls(variance, dispersion, np.where(pairs >= LEAST_KNOWN, pairs * 2 / 3, np.nan))


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


def _between(row: NDArray[np.generic], first: Columns, end: Columns) -> Numbers:
    """The sums of a row over [first, end)."""
    so_far = np.concatenate([[0.0], np.cumsum(row, dtype=np.float64)])
    between: Numbers = so_far[end] - so_far[first]
    return between
