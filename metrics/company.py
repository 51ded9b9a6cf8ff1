"""What stands beside a composite: how far it hangs on its weights, on one metric, on chance, on the formula.

Arrays have the metrics along their first axis and, where there are several, the periods along their second.
Scores are those that entered the composite, late seats included, NaN for a metric that did not. Weights are
raw; w in a formula is a weight divided by the sum over what entered, s a score and S their weighted mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.composite import WITHOUT_SCORE, added, weighted_mean
from metrics.model import Direction, Family, Metric, Score
from metrics.scoring import Method, cityscore

ALPHA = 20.0
"""How close other weightings keep to the published one: weights ~ Dirichlet(ALPHA x share)."""

NINETY = 1.645
NINETY_FIVE = 1.96

Numbers = NDArray[np.float64]
Band = tuple[float, float]

_STEP, _FROM, _TO = 0.05, -45.0, 110.0
"""The grid of `share_above`: the integrand falls off like exp(-|t|) or faster well before both ends."""


@dataclass(frozen=True, slots=True)
class Company:
    """What stands beside one composite, each None where there is none (`Composite` says what each is)."""

    geometric: float | None
    leave_one_out: Band | None
    weight_band: Band | None
    sampling_band: Band | None


ALONE = Company(None, None, None, None)
"""A composite that is withheld has nothing beside it."""


def companies(entered: Numbers, weight: Numbers, error: Numbers) -> list[Company]:
    """The company of the composite of each period.

    entered: scores and seats, weight: raw ones, error: the standard errors of the scores, 0 for a seat and
    NaN for a score whose value has no interval; each of shape (metrics, periods).
    """
    columns = zip(
        geometric(entered, weight).tolist(),
        leave_one_out(entered, weight).T.tolist(),
        weight_band(entered, weight).T.tolist(),
        sampling_band(entered, weight, error).T.tolist(),
        strict=True,
    )
    return [
        Company(mean if mean == mean else None, _band(without), _band(weights), _band(chance))
        for mean, without, weights, chance in columns
    ]


def geometric(scores: Numbers, weight: Numbers) -> Numbers:
    """The weighted geometric mean exp(sum w ln s), 0 where a score is 0; NaN where nothing entered.

    A low score pulls it down further than the arithmetic mean, which it never exceeds.
    """
    share = _shares(scores, weight)
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(share > 0, scores, 1.0))
    found = np.exp(added(share * np.where(share > 0, logs, 0.0)))
    whole, _ = weighted_mean(scores, weight)
    return np.minimum(np.maximum(found, _least(scores, share > 0)), whole)


def leave_one_out(scores: Numbers, weight: Numbers) -> Numbers:
    """The least and the most that S is without any one metric; NaN where fewer than two entered.

    Without metric i it is (sum of w s over the others) / (sum of w over the others). S lies between the
    two. A late seat stays what it was while another metric is left out. Shape (2, ...).
    """
    share = _shares(scores, weight)
    enters = share > 0
    others = _sums_of_others(share)
    sums = _sums_of_others(np.where(enters, share * scores, 0.0))
    has_others = enters & (others > 0)
    without = np.divide(sums, others, out=np.zeros_like(sums), where=has_others)
    bounded = np.clip(without, _least(scores, enters), _most(scores, enters))
    whole, _ = weighted_mean(scores, weight)
    least = np.minimum(_least(bounded, has_others), whole)
    most = np.maximum(_most(bounded, has_others), whole)
    return np.where(enters.sum(axis=0) > 1, np.array([least, most]), np.nan)


def weight_sd(scores: Numbers, weight: Numbers, alpha: float = ALPHA) -> Numbers:
    """How far S strays under other weights ~ Dirichlet(alpha w): sqrt(sum w (s - S)^2 / (alpha + 1)).

    The mean over those weights is S itself. NaN where nothing entered.
    """
    share, (whole, _) = _shares(scores, weight), weighted_mean(scores, weight)
    spread = added(np.where(share > 0, share * (scores - whole) ** 2, 0.0))
    return np.where(np.isnan(whole), np.nan, np.sqrt(spread / (alpha + 1)))


def weight_band(scores: Numbers, weight: Numbers) -> Numbers:
    """Where nine in ten other weightings put S: S -/+ 1.645 `weight_sd`. Shape (2, ...)."""
    whole, _ = weighted_mean(scores, weight)
    half = NINETY * weight_sd(scores, weight)
    return np.array([whole - half, whole + half])


def sampling_band(scores: Numbers, weight: Numbers, error: Numbers) -> Numbers:
    """Where chance could have put S: S -/+ 1.96 sqrt(sum w^2 error^2), the metrics held independent.

    error: the standard error of each score (`score_error`), 0 for a late seat, which chance does not move.
    NaN where a metric entered whose error is not known: a band of only the others would look too sure.
    Shape (2, ...).
    """
    share, (whole, _) = _shares(scores, weight), weighted_mean(scores, weight)
    half = NINETY_FIVE * np.sqrt(added(np.where(share > 0, share * error, 0.0) ** 2))
    return np.array([whole - half, whole + half])


def share_above(scores: Mapping[str, float], weights: Mapping[str, float], target: float = 1.0) -> float:
    """The share of other weightings, ~ Dirichlet(ALPHA w), under which the mean is at `target` or above.

    Exact but for rounding. The mean reaches the target where sum G (s - target) >= 0 with independent
    G ~ Gamma(ALPHA w); the chance of that is 1/2 + 1/pi times the integral over u > 0 of
    sin(sum a atan(x u)) / (u prod (1 + x^2 u^2)^(a/2)), where a = ALPHA w and x = s - target (Imhof 1961,
    doi:10.1093/biomet/48.3-4.419). With u = exp(t) the trapezium rule converges faster than any power of
    its step. `scores` are those that entered. ValueError where none has weight.
    """
    pairs = [(score - target, weights[metric]) for metric, score in scores.items() if weights[metric] > 0]
    if not pairs:
        raise ValueError("no score has weight, so there is nothing to weigh in another way")
    apart, weight = np.array(pairs).T
    if (apart >= 0).all():
        return 1.0
    if (apart <= 0).all() and (apart < 0).any():
        return 0.0
    shape = ALPHA * weight / weight.sum()
    slope = np.outer(np.exp(np.arange(_FROM, _TO, _STEP)), apart / np.abs(apart).max())
    angle = (shape * np.arctan(slope)).sum(axis=1)
    damping = np.exp(-0.5 * (shape * np.log1p(slope**2)).sum(axis=1))
    return float(min(max(0.5 + (np.sin(angle) * damping).sum() * _STEP / math.pi, 0.0), 1.0))


# --- one metric --------------------------------------------------------------------------------


def score_error(
    fields: Mapping[str, Numbers],
    direction: Direction,
    method: Method = "linear",
    cap: float = 1.25,
    pooled: int | None = None,
) -> Numbers:
    """The standard error of scores by the delta method: half the interval / 1.96, times the slope.

    pooled: from how many periods of the past the target comes, which strays as well: as much as the value,
    divided by their root. None where somebody set it.

    fields: value, score, low, high, target, target_high, floor and floor_high, each of shape (periods,). On a
    clip (0, the cap, inside a band) the slope is 0: a little more or less changes nothing. NaN where there
    is no score, and where there is a slope but no interval with two ends.
    """
    slope = _slope(fields, direction, method, cap)
    half = (fields["high"] - fields["low"]) / 2
    beside = math.sqrt(1 + 1 / pooled) if pooled else 1.0
    return np.where(slope == 0, 0.0, np.abs(slope) * half / NINETY_FIVE * beside)


def cityscores(value: Numbers, target: Numbers, direction: Direction) -> Numbers:
    """`metrics.scoring.cityscore` for many periods of a metric at once; NaN stands for None."""
    if direction in (Direction.NEUTRAL, Direction.WITHIN):
        return np.full(value.shape, np.nan)
    above, below = (value, target) if direction is Direction.HIGHER_IS_BETTER else (target, value)
    found = np.full(value.shape, np.nan)
    with np.errstate(over="ignore"):
        np.divide(above, below, out=found, where=below != 0)
    return np.where(np.isfinite(found), found, np.nan)


def boston_score(metric: Metric, score: Score) -> float | None:
    """What one published score adds to Boston's mean (method 5), from its value and target.

    None where it adds nothing: without a score that counts, where the formula has no answer, for a service
    at a grain it is not scored at, and for what is not public, which could be worked out from the mean.
    """
    is_told = metric.public and not metric.hide_small_city
    is_member = metric.family is Family.CONDITION or score.period.grain in metric.scored_at
    if not is_told or not is_member or score.score is None or score.status in WITHOUT_SCORE:
        return None
    return cityscore(score.value, score.target, metric.direction)


def boston(scores: Iterable[Numbers], count: int) -> list[float | None]:
    """Boston's composite of each of `count` periods: the unweighted mean of the metrics there are (method 5).

    Each metric's are of shape (periods,), NaN where it has none.
    """
    total, present = np.zeros(count), np.zeros(count)
    for one in scores:
        is_there = ~np.isnan(one)
        total += np.where(is_there, one, 0.0)
        present += is_there
    found = np.divide(total, present, out=np.full(count, np.nan), where=present > 0)
    return [None if number != number else number for number in found.tolist()]


# --- inside ------------------------------------------------------------------------------------


def _shares(scores: Numbers, weight: Numbers) -> Numbers:
    """The weights that add up to 1 over what entered, 0 for a metric that did not."""
    carried = np.where(~np.isnan(scores) & (weight > 0), weight, 0.0)
    total = added(carried)
    return np.divide(carried, total, out=np.zeros_like(carried), where=total > 0)


def _slope(fields: Mapping[str, Numbers], direction: Direction, method: Method, cap: float) -> Numbers:
    """By how much a score moves with its value; NaN where there is no score."""
    value, score, target = fields["value"], fields["score"], fields["target"]
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "cityscore":
            slope = 1 / target if direction is Direction.HIGHER_IS_BETTER else score / value
            return np.where(np.isnan(score), np.nan, slope)
        slope = 1 / (target - fields["floor"])
        if direction is Direction.WITHIN:
            above = 1 / (fields["target_high"] - fields["floor_high"])
            slope, cap = np.where(value > fields["target_high"], above, slope), 1.0
    is_clipped = (score <= 0) | (score >= cap)
    return np.where(np.isnan(score), np.nan, np.where(is_clipped, 0.0, slope))


def _sums_of_others(numbers: Numbers) -> Numbers:
    """For each metric the sum of the others, without taking its own away from a sum it dominates."""
    none = np.zeros_like(numbers[:1])
    before = np.concatenate([none, np.cumsum(numbers, axis=0)[:-1]])
    after = np.concatenate([none, np.cumsum(numbers[::-1], axis=0)[:-1]])[::-1]
    return np.asarray(before + after)


def _least(scores: Numbers, enters: NDArray[np.bool_]) -> Numbers:
    return np.asarray(np.where(enters, scores, np.inf).min(axis=0, initial=np.inf))


def _most(scores: Numbers, enters: NDArray[np.bool_]) -> Numbers:
    return np.asarray(np.where(enters, scores, -np.inf).max(axis=0, initial=-np.inf))


def _band(ends: list[float]) -> Band | None:
    low, high = ends
    return None if low != low or high != high else (low, high)
