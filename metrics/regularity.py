"""What makes a series unfit for rules of independent points: memory, drift, seasons, weekdays, spread.

Series are arrays of one axis in order of time, already put on one scale; NaN is a missing point.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from metrics.limits import Numbers

MEMORY = 0.3
"""From this correlation of neighbours on a chart has many more false alarms than it prints (science 2c)."""

LEAST_POINTS = 12
"""With fewer points nothing is said of a series' regularity."""

_DRIFT = 3.0
_CHANCE_OF_SEASON = 2.6
_WEEKDAYS_DIFFER = 22.46
"""The upper thousandth of chi-squared with six degrees of freedom: equal weekdays reach it so seldom."""

_SPREAD = 0.85
"""The deviation of a mean moving range of many independent points, times the root of how many there are."""


def autocorrelation(values: Numbers) -> float | None:
    """The correlation of each point with the next one (lag 1); None under LEAST_POINTS or without variation.

    Σ (x - x̄)(x' - x̄) over neighbours that are both known, over Σ (x - x̄)².
    """
    known = ~np.isnan(values)
    if known.sum() < LEAST_POINTS:
        return None
    away = np.where(known, values - np.mean(values[known]), 0.0)
    whole = float((away * away).sum())
    return float((away[1:] * away[:-1]).sum()) / whole if whole > 0 else None


def drifts(values: Numbers) -> bool:
    """Whether a series rises or falls all along: Mann and Kendall's test beyond three deviations.

    Neighbours that resemble each other make it find drifts too often.
    """
    known = values[~np.isnan(values)]
    n = len(known)
    if n < LEAST_POINTS:
        return False
    ahead = np.sign(known[None, :] - known[:, None])[np.triu_indices(n, 1)].sum()
    _, ties = np.unique(known, return_counts=True)
    tied = (ties * (ties - 1) * (2 * ties + 5)).sum()
    variance = (n * (n - 1) * (2 * n + 5) - tied) / 18
    return bool(variance > 0 and max(abs(ahead) - 1, 0) / math.sqrt(variance) > _DRIFT)


def is_seasonal(values: Numbers, length: int) -> bool:
    """Whether points resemble those a season of `length` points before, what rises or falls all along apart.

    Their correlation must be above MEMORY and above what chance does to so many pairs. False with fewer than
    two seasons.
    """
    level = _level(values)
    early, late = level[:-length], level[length:]
    both = ~np.isnan(early) & ~np.isnan(late)
    if both.sum() < max(length, LEAST_POINTS) * 0.9:
        return False
    x, y = (one[both] - one[both].mean() for one in (early, late))
    whole = math.sqrt(float((x * x).sum() * (y * y).sum()))
    if whole <= 0:
        return False
    return float((x * y).sum()) / whole > max(MEMORY, _CHANCE_OF_SEASON / math.sqrt(both.sum()))


def weekdays_differ(values: Numbers, weekdays: NDArray[np.int64]) -> bool:
    """Whether the weekdays of a daily series have means of their own: (n - 1) R² against chi-squared."""
    known = ~np.isnan(values)
    n = int(known.sum())
    if n < LEAST_POINTS:
        return False
    away = values - values[known].mean()
    whole = float((away[known] ** 2).sum())
    groups = [away[known & (weekdays == day)] for day in np.unique(weekdays[known])]
    between = sum(len(one) * float(one.mean()) ** 2 for one in groups)
    return whole > 0 and (n - 1) * between / whole > _WEEKDAYS_DIFFER


def spreads(sigma: float, points: int) -> bool:
    """Whether neighbours differ by so much more than by chance (`sigma` times) that it is ruled out."""
    return points >= LEAST_POINTS and sigma > 1 + 3 * _SPREAD / math.sqrt(points - 1)


def _level(values: Numbers) -> Numbers:
    """The values less the straight line that fits them best."""
    time, known = np.arange(len(values), dtype=np.float64), ~np.isnan(values)
    if known.sum() < LEAST_POINTS:
        return values
    t, x = time - time[known].mean(), values - values[known].mean()
    slope: float = (t[known] * x[known]).sum() / (t[known] ** 2).sum()
    return x - slope * t
