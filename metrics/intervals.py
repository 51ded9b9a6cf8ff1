"""Where a number lies by chance: 95% intervals of shares, counts, percentiles, means and their differences.

Everything takes numbers or arrays that broadcast; two numbers give two floats, arrays give two arrays.
Tails are asked of the incomplete beta and gamma functions (`scipy.special`), which hold to the last digits
where a sum over binomial or Poisson terms would round.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

SIDE = 0.025
"""What an interval leaves out on each side, and how often a verdict may be wrong on each (method 6)."""

Z = float(special.ndtri(1 - SIDE))
"""The two-sided 95% quantile of the normal distribution, 1.959964."""

Numbers = NDArray[np.float64]
Interval = tuple[Any, Any]
"""(low, high): two floats of numbers, two arrays of arrays."""


# --- shares and counts -------------------------------------------------------------------------


def wilson(x: ArrayLike, n: ArrayLike, z: float = Z) -> Interval:
    """Wilson's score interval of a share, `x` of `n`: (2x + z² ∓ z √(z² + 4x(1 - x/n))) / 2(n + z²).

    Without any trial it is (0, 1): nothing is excluded. ValueError where x is not within 0 and n.
    Source: Wilson 1927; Newcombe 1998 method 3.
    """
    good, of = _shares(x, n)
    share = np.divide(good, of, out=np.zeros(np.broadcast_shapes(good.shape, of.shape)), where=of > 0)
    reach = z * np.sqrt(z * z + 4 * good * (1 - share))
    low = np.where(good == 0, 0.0, (2 * good + z * z - reach) / (2 * (of + z * z)))
    high = np.where(good == of, 1.0, (2 * good + z * z + reach) / (2 * (of + z * z)))
    return _given(low, high)


def garwood(x: ArrayLike, z: float = Z) -> Interval:
    """The exact interval of the mean of a Poisson count `x`, from the quantiles of the gamma distribution.

    ValueError for a count below 0. Source: Garwood 1936.
    """
    count = np.asarray(x, dtype=np.float64)
    if (count < 0).any():
        raise ValueError(f"a count of events cannot be below 0: {x!r}")
    side = float(special.ndtr(-z))
    low = np.where(count > 0, special.gammaincinv(np.maximum(count, 1e-300), side), 0.0)
    return _given(low, special.gammainccinv(count + 1, side))


def newcombe(x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, z: float = Z) -> Interval:
    """The interval of the difference of two shares, x1/n1 - x0/n0, made of their Wilson intervals.

    ValueError where a share has no trials. Source: Newcombe 1998 method 10.
    """
    (good1, of1), (good0, of0) = _shares(x1, n1), _shares(x0, n0)
    if (of1 == 0).any() or (of0 == 0).any():
        raise ValueError("a share of nothing has no difference to another one")
    return difference(good1 / of1, wilson(good1, of1, z), good0 / of0, wilson(good0, of0, z))


def difference(one: ArrayLike, around_one: Interval, other: ArrayLike, around_other: Interval) -> Interval:
    """The interval of one - other from the intervals of both: the distances to their ends, squared and added.

    An end that is infinite, of something that has no such bound, makes the difference infinite there.
    Source: Zou and Donner 2008 (MOVER); of Wilson intervals it is `newcombe`.
    """
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    (a_low, a_high), (b_low, b_high) = around_one, around_other
    low = (a - b) - np.hypot(a - a_low, b_high - b)
    high = (a - b) + np.hypot(a_high - a, b - b_low)
    return _given(low, high)


# --- tails -------------------------------------------------------------------------------------


def binomial_tails(x: ArrayLike, n: ArrayLike, p: ArrayLike) -> tuple[Numbers, Numbers]:
    """P(X <= x) and P(X >= x) of X binomial with n trials of chance p; 1 and 1 without any trial."""
    good, of = _shares(x, n)
    chance = np.clip(np.asarray(p, dtype=np.float64), 0.0, 1.0)
    rest = of - good
    at_most = np.where(rest > 0, special.betaincc(good + 1, np.where(rest > 0, rest, 1.0), chance), 1.0)
    at_least = np.where(good > 0, special.betainc(np.where(good > 0, good, 1.0), rest + 1, chance), 1.0)
    return at_most, at_least


def poisson_tails(x: ArrayLike, mean: ArrayLike) -> tuple[Numbers, Numbers]:
    """P(X <= x) and P(X >= x) of X Poisson with a mean, which may be 0."""
    count = np.asarray(x, dtype=np.float64)
    expected = np.asarray(mean, dtype=np.float64)
    at_most = special.gammaincc(count + 1, expected)
    at_least = np.where(count > 0, special.gammainc(np.where(count > 0, count, 1.0), expected), 1.0)
    return at_most, at_least


# --- percentiles -------------------------------------------------------------------------------


def percentile(
    rising: Numbers, reached: NDArray[np.int64], share: float
) -> tuple[float | None, float | None]:
    """The interval of the quantile `share` of what a multiset was drawn from: two of its own values.

    rising: shape (k,), the values in order; reached: shape (k,), how many there are up to and with each. A
    bound that does not exist is None: of a 90th percentile there is no upper one below 36 values. It holds
    for every distribution, with ties too: a value at its rank is beyond the quantile only where a binomial
    count of values below it is so far out that it happens in 2.5% or fewer.
    """
    if not len(rising):
        return None, None
    low, high = ranks(int(reached[-1]), share)

    def at(rank: int | None) -> float | None:
        return None if rank is None else float(rising[np.searchsorted(reached, rank)])

    return at(low), at(high)


def ranks(n: int, share: float) -> tuple[int | None, int | None]:
    """Which of n values in rising order, counted from 1, bound the quantile `share`; None where none does.

    The lower is the largest l with P(B < l) <= 2.5%, the upper the smallest u with P(B >= u) <= 2.5%, for B
    binomial with n and share. n = 100, share = 0.9: 84 and 96. Source: Conover 1999, section 3.2.
    """
    low, mirrored = _low_rank(n, share), _low_rank(n, 1.0 - share)
    return low, None if mirrored is None else n + 1 - mirrored


@lru_cache(maxsize=1 << 16)
def _low_rank(n: int, share: float) -> int | None:
    """The largest rank l with P(B < l) <= 2.5%; looked for around where a normal curve has it."""

    def is_out(below: int) -> bool:
        return below < 0 or bool(special.betaincc(below + 1.0, float(n - below), share) <= SIDE)

    below = math.floor(n * share - Z * math.sqrt(n * share * (1.0 - share)))
    below = min(max(below, -1), n - 1)
    while not is_out(below):
        below -= 1
    while below + 1 < n and is_out(below + 1):
        below += 1
    return below + 1 or None


# --- means -------------------------------------------------------------------------------------


def student(value: ArrayLike, error: ArrayLike, freedom: ArrayLike) -> Interval:
    """value ∓ t × error, t the 97.5% quantile of Student's distribution; NaN where freedom is under 1."""
    center, width = np.asarray(value, dtype=np.float64), np.asarray(error, dtype=np.float64)
    reach = width * critical(freedom)
    return _given(center - reach, center + reach)


def critical(freedom: ArrayLike) -> Numbers:
    """The 97.5% quantile of Student's t with so many degrees of freedom; NaN where they are under 1."""
    degrees = np.asarray(freedom, dtype=np.float64)
    has = degrees >= 1
    return np.where(has, special.stdtrit(np.where(has, degrees, 1.0), 1 - SIDE), np.nan)


# --- inside ------------------------------------------------------------------------------------


def _shares(x: ArrayLike, n: ArrayLike) -> tuple[Numbers, Numbers]:
    good, of = np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if ((good < 0) | (good > of)).any():
        raise ValueError(f"{x!r} of {n!r} is no share: it must lie between 0 and all")
    return good, of


def _given(low: Any, high: Any) -> Interval:
    """Floats for numbers, arrays for arrays."""
    if np.ndim(low) == 0 and np.ndim(high) == 0:
        return float(low), float(high)
    return np.asarray(low), np.asarray(high)
