"""How districts compare: funnels, shrunken values, gaps, order by need, and what equal service would show.

Everything takes arrays over districts. Small districts stray further by chance alone, so nothing here ranks
raw values: a funnel says how far chance reaches at each size, a shrunken value leans on the city's where a
district tells little, and every index stands beside what it would be under equal service.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics import chance, intervals, scoring
from metrics.intervals import Interval, Z
from metrics.model import Direction
from metrics.scoring import Bound

Numbers = NDArray[np.float64]

OUTER_Z = 3.09
"""The wider pair of funnel limits: one district in a thousand lies beyond each by chance."""

WINSORISED = 0.1
"""The share of districts on each side, rounded up, that does not say how much districts spread."""


class Place(StrEnum):
    """Where a district lies in its funnel."""

    WITHIN = "within"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True)
class Index:
    """A measure over districts, and how far chance alone moves it under equal service (one deviation)."""

    value: float
    deviation: float

    @property
    def reach(self) -> float:
        """How far from 0 it comes 95 times in 100 under equal service."""
        return Z * self.deviation


# --- funnels -----------------------------------------------------------------------------------


def funnel_limits(base: ArrayLike, n: ArrayLike, z: float = Z) -> Interval:
    """Between which shares `n` cases lie where the share is `base`: base -/+ z √(base (1 - base) / n).

    Cut off at 0 and 1; (0, 1) without any case. A share lies beyond them exactly where its Wilson interval
    of the same z excludes the base. Source: Spiegelhalter 2005, doi:10.1002/sim.1970.
    """
    share, cases = np.asarray(base, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = z * np.sqrt(share * (1 - share) / cases)
    return _between(share - reach, share + reach, cases > 0, 1.0)


def rate_limits(base: ArrayLike, exposure: ArrayLike, z: float = Z) -> Interval:
    """The same for a rate, events per unit of `exposure`: base -/+ z √(base / exposure), not below 0."""
    rate, over = np.asarray(base, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = z * np.sqrt(rate / over)
    return _between(rate - reach, rate + reach, over > 0, np.inf)


def level_limits(base: ArrayLike, error: ArrayLike, z: float = Z) -> Interval:
    """The same for a level with a known deviation by chance, such as a mean: base -/+ z error.

    Not below 0 where the base is not. (NaN, NaN) where the error is.
    """
    level, one = np.asarray(base, dtype=np.float64), np.asarray(error, dtype=np.float64)
    least = np.where(level >= 0, 0.0, -np.inf)
    low, high = np.maximum(level - z * one, least), level + z * one
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def share_z(x: ArrayLike, n: ArrayLike, base: float) -> Numbers:
    """How many deviations of chance each share x/n lies from the base; 0 where chance has no room."""
    good, of = np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64)
    return _standardised(good - of * base, of * base * (1 - base))


def rate_z(x: ArrayLike, exposure: ArrayLike, base: float) -> Numbers:
    """How many deviations of chance each count x lies from base x exposure; 0 where chance has no room."""
    count, over = np.asarray(x, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    return _standardised(count - over * base, over * base)


def level_z(values: ArrayLike, error: ArrayLike, base: float) -> Numbers:
    """How many deviations of chance each level lies from the base; 0 without error, NaN where it is NaN."""
    away, one = np.asarray(values, dtype=np.float64) - base, np.asarray(error, dtype=np.float64)
    return np.where(np.isnan(one), np.nan, _standardised(away, one**2))


def overdispersion(z: ArrayLike) -> float:
    """How much more than chance districts spread: the mean of z², the outermost tenths drawn in; 1 at least.

    Districts differ for reasons no service answers for; limits are widened by the root of this, so that a
    label means more than that. Source: Spiegelhalter 2005, section 4.
    """
    scores = np.sort(np.asarray(z, dtype=np.float64))
    if not len(scores):
        return 1.0
    cut = min(math.ceil(len(scores) * WINSORISED), (len(scores) - 1) // 2)
    drawn_in = np.clip(scores, scores[cut], scores[len(scores) - 1 - cut])
    return max(1.0, float(np.mean(drawn_in**2)))


def places(z: ArrayLike, phi: float = 1.0, reach: float = Z) -> list[Place]:
    """Where each district lies in a funnel of limits `reach`, widened by the root of `phi`."""
    wide = reach * np.sqrt(phi)
    return [
        Place.ABOVE if one > wide else Place.BELOW if one < -wide else Place.WITHIN
        for one in np.asarray(z, dtype=np.float64).tolist()
    ]


# --- shrinkage ---------------------------------------------------------------------------------


def shrunken_shares(x: ArrayLike, n: ArrayLike) -> Numbers:
    """Each share drawn towards that of all: (x + M m) / (n + M), m the share of all.

    M, how many cases the city counts for, comes by moments: with districts of one size n and variance v of
    their shares it is (m(1 - m) - v) / (v - m(1 - m)/n). Where they spread no more than chance, all are m.
    NaN where nothing happened anywhere. Source: beta-binomial empirical Bayes, Kleinman 1973,
    doi:10.1080/01621459.1973.10481332.
    """
    good, of = np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if of.sum() == 0:
        return np.full(of.shape, np.nan)
    m = float(good.sum() / of.sum())
    between = _between_variance(good, of, m, m * (1 - m), bounded=True)
    if between <= 0:
        return np.full(of.shape, m)
    return _drawn_in(good, of, m, max(m * (1 - m) / between - 1, 0.0))


def shrunken_rates(x: ArrayLike, exposure: ArrayLike) -> Numbers:
    """Each rate x / exposure drawn towards that of all, by the same moments of a gamma-Poisson.

    NaN where there is no exposure anywhere. Source: Marshall 1991, doi:10.2307/2347593.
    """
    count, over = np.asarray(x, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    if over.sum() == 0:
        return np.full(over.shape, np.nan)
    m = float(count.sum() / over.sum())
    between = _between_variance(count, over, m, m, bounded=False)
    if between <= 0:
        return np.full(over.shape, m)
    return _drawn_in(count, over, m, m / between)


def shrunken_levels(values: ArrayLike, error: ArrayLike, base: float) -> Numbers:
    """Each level drawn towards the base: base + (value - base) t² / (t² + error²).

    t², how much true levels differ, is what the spread around the base leaves beyond chance, weighted by
    1 / error²; 0 where it is no more than that. Source: DerSimonian and Laird 1986,
    doi:10.1016/0197-2456(86)90046-2.
    """
    level, one = np.asarray(values, dtype=np.float64), np.asarray(error, dtype=np.float64)
    known = one > 0
    weight = np.divide(1.0, one**2, out=np.zeros_like(one), where=known)
    if known.sum() < 2:
        return np.where(known, base, level)
    center = float((weight * level).sum() / weight.sum())
    found = float((weight * (level - center) ** 2).sum())
    room = weight.sum() - (weight**2).sum() / weight.sum()
    between = max(0.0, (found - (known.sum() - 1)) / room)
    held = np.divide(between, between + one**2, out=np.ones_like(one), where=known)
    return base + (level - base) * held


def _drawn_in(x: Numbers, size: Numbers, m: float, strength: float) -> Numbers:
    """(x + strength m) / (size + strength); a district without anything of its own is as the city."""
    held = size + strength
    return np.divide(x + strength * m, held, out=np.full(held.shape, m), where=held > 0)


def _between_variance(x: Numbers, size: Numbers, m: float, by_chance: float, *, bounded: bool) -> float:
    """How much true levels differ, b: the spread found less that of chance; 0 or below for not at all.

    Σ n (x/n - m)² has the mean (k - 1) c + b (N - Σ n²/N), with c the variance of one case by chance. Of a
    share chance takes less where levels differ, c - b, since each lies nearer to an end than their mean.
    """
    has = size > 0
    others = int(has.sum()) - 1
    found = np.sum((x[has] - m * size[has]) ** 2 / size[has])
    room = size.sum() - np.sum(size**2) / size.sum() - (others if bounded else 0)
    return float((found - others * by_chance) / room) if room > 0 else 0.0


# --- a district and the rest of the city --------------------------------------------------------


def gap(x: ArrayLike, n: ArrayLike) -> tuple[Numbers, Numbers, Numbers]:
    """(gap, low, high): each share less that of the rest of the city, with Newcombe's interval.

    The rest, not the best district: the best of many is the luckiest. NaN without a case on either side.
    """
    good, of = np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64)
    rest_good, rest_of = good.sum() - good, of.sum() - of
    has = (of > 0) & (rest_of > 0)
    x1, x0 = np.where(has, good, 0.0), np.where(has, rest_good, 0.0)
    n1, n0 = np.where(has, of, 1.0), np.where(has, rest_of, 1.0)
    low, high = intervals.newcombe(x1, n1, x0, n0)
    found = x1 / n1 - x0 / n0
    return _where(has, found), _where(has, low), _where(has, high)


def share_ratio(x: ArrayLike, n: ArrayLike) -> tuple[Numbers, Numbers, Numbers]:
    """(ratio, low, high): each share over that of the rest of the city; log ratio -/+ z √(1/x - 1/n + …).

    Half a case is added to every part where one of them is 0. NaN without a case on either side.
    Source: Katz et al. 1978, doi:10.2307/2530610.
    """
    good, of = np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64)
    return _ratio(good, of, good.sum() - good, of.sum() - of, shares=True)


def rate_ratio(x: ArrayLike, exposure: ArrayLike) -> tuple[Numbers, Numbers, Numbers]:
    """(ratio, low, high): each rate over that of the rest of the city; log ratio -/+ z √(1/x₁ + 1/x₀).

    Half an event is added to both where one has none. NaN without exposure on either side.
    """
    count, over = np.asarray(x, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    return _ratio(count, over, count.sum() - count, over.sum() - over, shares=False)


def level_gap(values: ArrayLike, error: ArrayLike, weight: ArrayLike) -> tuple[Numbers, Numbers, Numbers]:
    """(gap, low, high): each level less the weighted mean of the others, -/+ z √(error² + theirs²).

    NaN where there is no other.
    """
    level, one, rest, around = _beside_the_rest(values, error, weight)
    found, reach = level - rest, Z * np.hypot(one, around)
    return found, found - reach, found + reach


def level_ratio(values: ArrayLike, error: ArrayLike, weight: ArrayLike) -> tuple[Numbers, Numbers, Numbers]:
    """(ratio, low, high): each level over the weighted mean of the others, by the errors of their logarithms.

    NaN where there is no other and where one of the two is not above 0.
    """
    level, one, rest, around = _beside_the_rest(values, error, weight)
    has = (level > 0) & (rest > 0)
    own, others = np.where(has, level, 1.0), np.where(has, rest, 1.0)
    reach = np.exp(Z * np.hypot(one / own, around / others))
    ratio = _where(has, own / others)
    return ratio, ratio / reach, ratio * reach


def rate_gap(x: ArrayLike, exposure: ArrayLike) -> tuple[Numbers, Numbers, Numbers]:
    """(gap, low, high): each rate less that of the rest of the city, from the exact intervals of both counts.

    NaN without exposure on either side. Source of the difference: `intervals.difference`.
    """
    count, over = np.asarray(x, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    others, around = count.sum() - count, over.sum() - over
    has = (over > 0) & (around > 0)
    own, rest = np.where(has, over, 1.0), np.where(has, around, 1.0)
    ends = tuple(one / own for one in intervals.garwood(count))
    rest_ends = tuple(one / rest for one in intervals.garwood(np.maximum(others, 0.0)))
    low, high = intervals.difference(count / own, (ends[0], ends[1]), others / rest, rest_ends)
    return _where(has, count / own - others / rest), _where(has, low), _where(has, high)


def _beside_the_rest(
    values: ArrayLike, error: ArrayLike, weight: ArrayLike
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Values and errors, and those of the weighted mean of all the others."""
    level, one = np.asarray(values, dtype=np.float64), np.asarray(error, dtype=np.float64)
    held = np.asarray(weight, dtype=np.float64)
    others = held.sum() - held
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = ((held * level).sum() - held * level) / others
        around = np.sqrt(np.maximum(((held * one) ** 2).sum() - (held * one) ** 2, 0.0)) / others
    return level, one, _where(others > 0, rest), _where(others > 0, around)


def _ratio(
    x1: Numbers, n1: Numbers, x0: Numbers, n0: Numbers, *, shares: bool
) -> tuple[Numbers, Numbers, Numbers]:
    has = (n1 > 0) & (n0 > 0)
    half = np.where((x1 == 0) | (x0 == 0), 0.5, 0.0)
    a, b = x1 + half, x0 + half
    of_a, of_b = (np.where(has, one, 1.0) + (half if shares else 0.0) for one in (n1, n0))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (a / of_a) / (b / of_b)
        spread = 1 / a + 1 / b - ((1 / of_a + 1 / of_b) if shares else 0.0)
        reach = np.exp(Z * np.sqrt(np.maximum(spread, 0.0)))
    return _where(has, ratio), _where(has, ratio / reach), _where(has, ratio * reach)


# --- order by need ------------------------------------------------------------------------------


def ranks(weight: ArrayLike, need: ArrayLike) -> Numbers:
    """Where each district stands in order of need, 0 the least and 1 the greatest: its people's midpoint.

    Districts of equal need share one place, so that the order of a list decides nothing.
    """
    people, wanting = np.asarray(weight, dtype=np.float64), np.asarray(need, dtype=np.float64)
    _, group = np.unique(wanting, return_inverse=True)
    held = np.bincount(group, weights=people)
    middles = (np.cumsum(held) - held / 2) / held.sum()
    return middles[group]


def concentration(values: ArrayLike, weight: ArrayLike, need: ArrayLike, error: ArrayLike = 0.0) -> Index:
    """The concentration index 2 Σ w y (R - ½) / μ: above 0 where more goes to where need is greater.

    weight: people; R: `ranks`; error: the deviation of each value by chance. Its sum over districts does
    not depend on how many there are. ValueError where the mean is 0: there is nothing to be shared.
    Source: Kakwani, Wagstaff and van Doorslaer 1997, doi:10.1016/S0304-4076(96)01807-6.
    """
    y, share, rank = _ordered(values, weight, need)
    mean = float((share * y).sum())
    if mean == 0:
        raise ValueError("a concentration index of nothing but zeros is not defined")
    pull = 2 * share * (rank - 0.5) / mean
    return Index(float((pull * y).sum()), _deviation(pull, error))


def slope(values: ArrayLike, weight: ArrayLike, need: ArrayLike, error: ArrayLike = 0.0) -> Index:
    """The slope index: how much the value rises from the least to the greatest need, by least squares.

    On the scale of the values. ValueError where all districts have the same need.
    """
    y, share, rank = _ordered(values, weight, need)
    away = rank - (share * rank).sum()
    spread = (share * away**2).sum()
    if spread <= 0:
        raise ValueError("districts of equal need have no order and so no slope")
    pull = share * away / spread
    return Index(float((pull * y).sum()), _deviation(pull, error))


def _ordered(values: ArrayLike, weight: ArrayLike, need: ArrayLike) -> tuple[Numbers, Numbers, Numbers]:
    people = np.asarray(weight, dtype=np.float64)
    return np.asarray(values, dtype=np.float64), people / people.sum(), ranks(people, need)


def _deviation(pull: Numbers, error: ArrayLike) -> float:
    return float(np.sqrt(((pull * np.asarray(error, dtype=np.float64)) ** 2).sum()))


# --- equity -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """How a value is scored: what `metrics.scoring.score` needs beside the value."""

    target: Bound
    floor: Bound | None
    direction: Direction
    cap: float = scoring.DEFAULT_CAP

    def score(self, value: float) -> float | None:
        """The score of a value."""
        return scoring.score(value, self.target, self.direction, floor=self.floor, cap=self.cap)

    def capped(self, values: ArrayLike) -> Numbers:
        """The scores of values, none above 1: more in one district makes no good of less in another."""
        each = np.atleast_1d(np.asarray(values, dtype=np.float64))
        floor = np.nan if self.floor is None else self.floor
        return np.minimum(scoring.score_array(each, self.target, floor, self.direction, self.cap), 1.0)


def equity(values: ArrayLike, weight: ArrayLike, rule: Rule) -> float | None:
    """The mean over people of their district's score, none above 1; None where no district has a value.

    It cannot be raised by serving one area beyond the target. values: NaN for a district without one.
    """
    y, people = np.asarray(values, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    has = ~np.isnan(y) & (people > 0)
    if not has.any():
        return None
    return float(np.average(rule.capped(y[has]), weights=people[has]))


def equity_of_shares(base: float, n: ArrayLike, weight: ArrayLike, rule: Rule, phi: float = 1.0) -> float:
    """What `equity` is on average where every district has the same chance `base` (equal service).

    It lies below the city's own score because chance takes from the districts it strikes and, above 1,
    gives nothing. phi: how much more than chance the districts' shares spread; 1 for chance alone.
    """
    return _expected([chance.shared(int(one), base, phi) for one in np.asarray(n).tolist()], weight, rule)


def equity_of_levels(base: float, error: ArrayLike, weight: ArrayLike, rule: Rule) -> float:
    """The same for values with a known deviation by chance, such as means and percentiles."""
    z = _normal()
    found = [rule.capped(base + one * z).mean() for one in np.asarray(error, dtype=np.float64).tolist()]
    return float(np.average(found, weights=np.asarray(weight, dtype=np.float64)))


def _expected(outcomes: list[chance.Chance], weight: ArrayLike, rule: Rule) -> float:
    scores = rule.capped(np.concatenate([one.values for one in outcomes]))
    parts = np.split(scores, np.cumsum([len(one.values) for one in outcomes])[:-1])
    found = [float((one.weights * part).sum()) for one, part in zip(outcomes, parts, strict=True)]
    return float(np.average(found, weights=np.asarray(weight, dtype=np.float64)))


def _normal() -> Numbers:
    z: Numbers = special.ndtri((np.arange(401) + 0.5) / 401)
    return z


# --- inside ------------------------------------------------------------------------------------


def _standardised(away: Numbers, variance: Numbers) -> Numbers:
    deviation = np.sqrt(variance)
    return np.divide(away, deviation, out=np.zeros_like(away), where=deviation > 0)


def _between(low: Numbers, high: Numbers, has: NDArray[np.bool_], most: float) -> Interval:
    bounds = np.where(has, np.maximum(low, 0.0), 0.0), np.where(has, np.minimum(high, most), most)
    if bounds[0].ndim == 0:
        return float(bounds[0]), float(bounds[1])
    return bounds


def _where(has: NDArray[np.bool_], found: Numbers) -> Numbers:
    return np.where(has, found, np.nan)
