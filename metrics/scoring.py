"""From a value and its target to a score: 1.00 is on target, whatever the unit and whichever way is good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.model import Aggregation, Direction, Target, Weight

DEFAULT_CAP = 1.25

Bound = float | tuple[float, float]
"""A target or a floor: a number, or the pair (low, high) of a band."""

Method = Literal["linear", "cityscore"]

_Dated = TypeVar("_Dated", Target, Weight)


@dataclass(frozen=True)
class TargetInForce:
    """What a period is held to. floor is None where every target leaves it to the rule."""

    value: Bound
    floor: Bound | None


# --- scores ------------------------------------------------------------------------------------


def score(
    value: float | None,
    target: Bound | None,
    direction: Direction | str,
    *,
    method: Method = "linear",
    floor: Bound | None = None,
    cap: float = DEFAULT_CAP,
) -> float | None:
    """How well `value` meets `target`: 1.0 is on target, 0.0 at or beyond the floor (method 5).

    linear: 1 + (a - t)/(t - f), clipped to [0, cap]; a floor not given is `default_floor` of a target
    that is no share. within: target and floor are pairs (low, high); 1.0 inside the band, linear to 0.0
    at the floors, never above. cityscore: see `cityscore`; cap and floor are ignored.
    None where value or target is None, and for a neutral metric.
    ValueError for a direction or method unknown, a value that is no finite number, a cap under 1, a
    floor on the wrong side of its target, a target of 0 without floor, and a band without floors.
    """
    direction = _direction(direction)
    if value is None or target is None or direction is Direction.NEUTRAL:
        return None
    if not math.isfinite(value):
        raise ValueError(f"the value {value} is no finite number; a value that is missing is None")
    if method == "cityscore":
        return cityscore(value, target, direction)
    if method != "linear":
        raise ValueError(f"method {method!r} is not known; give linear or cityscore")
    _check_cap(cap)
    if direction is Direction.WITHIN:
        return _within(float(value), _band(target), _floors(floor, _band(target)))
    goal = _number(target, direction)
    base = default_floor(goal, direction, is_share=False) if floor is None else _number(floor, direction)
    _check_side(goal, base, direction)
    return min(max(1.0 + (float(value) - goal) / (goal - base), 0.0), float(cap))


def cityscore(value: float | None, target: Bound | None, direction: Direction | str) -> float | None:
    """Boston's arithmetic exactly: value/target where higher is better, target/value where lower is.

    `target` may be a baseline. There is no cap. None where the division is impossible (a zero actual
    where lower is better), where value or target is None, and for bands and neutral metrics, which
    Boston does not have. Source: the metric_logic column of Boston's published scores.
    """
    direction = _direction(direction)
    if value is None or target is None or direction in (Direction.NEUTRAL, Direction.WITHIN):
        return None
    goal = _number(target, direction)
    above, below = (value, goal) if direction is Direction.HIGHER_IS_BETTER else (goal, value)
    if below == 0:
        return None
    quotient = float(above) / float(below)
    return quotient if math.isfinite(quotient) else None


def default_floor(target: float, direction: Direction | str, *, is_share: bool) -> float:
    """Where the score reaches 0 when nobody said (method 5).

    0 where higher is better; where lower is better twice the target, but 1 for a share, so that a share
    and its complement score the same. ValueError for a target of 0, from which no floor follows, and
    for bands and neutral metrics, which have none of their own.
    """
    direction = _direction(direction)
    if direction in (Direction.NEUTRAL, Direction.WITHIN):
        raise ValueError(f"there is no default floor for {direction}; a band needs a floor of (low, high)")
    if target == 0:
        raise ValueError("a target of 0 needs a floor: say at which value the score is 0")
    if direction is Direction.HIGHER_IS_BETTER:
        return 0.0
    return 1.0 if is_share else 2.0 * target


def ceiling(
    target: Bound | None,
    direction: Direction | str,
    aggregation: Aggregation,
    *,
    is_share: bool,
    best: float | None = None,
    method: Method = "linear",
    floor: Bound | None = None,
    cap: float = DEFAULT_CAP,
) -> float | None:
    """The score of a perfect period (method 5).

    The perfect value is `best` where given; else 0 where lower is better, and 1 for a share where
    higher is. A quantity that has no best (a count, a mean, a median of no share) can reach the cap; a
    band reaches 1.0. A floor not given follows from `is_share`.
    None for a neutral metric or no target, and by `cityscore` where there is no most.
    """
    direction = _direction(direction)
    if target is None or direction is Direction.NEUTRAL:
        return None
    if direction is Direction.WITHIN:
        return None if method == "cityscore" else 1.0
    perfect = _perfect(direction, aggregation, is_share, best)
    if perfect is None:
        return None if method == "cityscore" else float(cap)
    if floor is None and method == "linear":
        floor = default_floor(_number(target, direction), direction, is_share=is_share)
    return score(perfect, target, direction, method=method, floor=floor, cap=cap)


def score_array(
    values: ArrayLike,
    targets: ArrayLike,
    floors: ArrayLike,
    direction: Direction | str,
    cap: float = DEFAULT_CAP,
) -> NDArray[np.float64]:
    """`score` by the linear method for many values at once, the same to the last bit.

    values: shape (...); targets and floors broadcast to it, with a last axis of 2 (low, high) for
    `within`. NaN stands for None here, inside only: no value or no target gives NaN, no floor takes the
    default. Errors as in `score`, wherever there is a value and a target.
    """
    direction = _direction(direction)
    _check_cap(cap)
    value, target, floor = (np.asarray(one, dtype=np.float64) for one in (values, targets, floors))
    if any(np.isinf(one).any() for one in (value, target, floor)):
        raise ValueError("a value, target or floor is infinite; one that is missing is NaN")
    if direction is Direction.NEUTRAL:
        return np.full(value.shape, np.nan)
    if direction is Direction.WITHIN:
        below = _line(value, target[..., 0], floor[..., 0], Direction.HIGHER_IS_BETTER)
        above = _line(value, target[..., 1], floor[..., 1], Direction.LOWER_IS_BETTER)
        _check_bands(value, target)
        return np.clip(np.minimum(below, above), 0.0, 1.0)
    default = np.where(target == 0, np.nan, 0.0 if direction is Direction.HIGHER_IS_BETTER else 2.0 * target)
    floor = np.where(np.isnan(floor), default, floor)
    return np.clip(_line(value, target, floor, direction), 0.0, cap)


# --- what is in force --------------------------------------------------------------------------


def target_in_force(
    targets: Sequence[Target],
    start: date,
    end: date,
    exposure: Mapping[date, float] | None = None,
    *,
    direction: Direction | str | None = None,
    is_share: bool = False,
) -> TargetInForce | None:
    """The mean of the targets, and of their floors, in force on the days of [start, end) (method 4).

    Days weigh by `exposure`, the denominator of each day (a day not in it has none); all equally where
    it is not given or adds up to 0. One target in force throughout is given back exactly. Of two
    targets dated the same day the later in `targets` holds. Where some floors are given and others
    left to the rule, `direction` and `is_share` say which rule.
    None where on some day that weighs no target is in force. ValueError for an empty range, and for
    floors partly given without a direction.
    """
    held = _in_force(targets, start, end, exposure)
    if held is None:
        return None
    value = _mean_bound([(target.value, weight) for target, weight in held])
    if all(target.floor is None for target, _ in held):
        return TargetInForce(value, None)
    floors = [(_floor_of(target, direction, is_share), weight) for target, weight in held]
    return TargetInForce(value, _mean_bound(floors))


def weight_in_force(
    weights: Sequence[Weight], start: date, end: date, exposure: Mapping[date, float] | None = None
) -> float | None:
    """The mean of the weights in force on the days of [start, end), by the rules of `target_in_force`."""
    held = _in_force(weights, start, end, exposure)
    return None if held is None else _mean([(weight.value, share) for weight, share in held])


# --- inside ------------------------------------------------------------------------------------


def _direction(direction: Direction | str) -> Direction:
    if isinstance(direction, Direction):
        return direction
    try:
        return Direction(direction)
    except ValueError:
        known = ", ".join(Direction)
        raise ValueError(f"direction {direction!r} is not known; give one of {known}") from None


def _check_cap(cap: float) -> None:
    if not 1 <= cap < math.inf:
        raise ValueError(f"the cap {cap} must be 1 or more: on target is 1.00")


def _number(bound: Bound, direction: Direction) -> float:
    if isinstance(bound, tuple):
        raise ValueError(f"{bound} is a band; {direction} needs one number as target and as floor")
    return float(bound)


def _check_side(target: float, floor: float, direction: Direction) -> None:
    if not math.isfinite(target - floor):
        raise ValueError(f"the target {target} and the floor {floor} must be finite numbers")
    if direction is Direction.HIGHER_IS_BETTER and not floor < target:
        raise ValueError(f"the floor {floor} must lie below the target {target}: higher is better")
    if direction is Direction.LOWER_IS_BETTER and not floor > target:
        raise ValueError(f"the floor {floor} must lie above the target {target}: lower is better")


def _band(bound: Bound) -> tuple[float, float]:
    if not isinstance(bound, tuple):
        raise ValueError(f"{bound} is no band; within needs a target of (low, high)")
    low, high = bound
    if not low <= high:
        raise ValueError(f"the band {bound} must go from low to high")
    return float(low), float(high)


def _floors(floor: Bound | None, band: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(floor, tuple):
        raise ValueError(f"the band {band} needs a floor of (low, high): where the score is 0 on either side")
    _check_side(band[0], floor[0], Direction.HIGHER_IS_BETTER)
    _check_side(band[1], floor[1], Direction.LOWER_IS_BETTER)
    return float(floor[0]), float(floor[1])


def _within(value: float, band: tuple[float, float], floors: tuple[float, float]) -> float:
    below = 1.0 + (value - band[0]) / (band[0] - floors[0])
    above = 1.0 + (value - band[1]) / (band[1] - floors[1])
    return min(max(min(below, above), 0.0), 1.0)


def _perfect(
    direction: Direction, aggregation: Aggregation, is_share: bool, best: float | None
) -> float | None:
    if best is not None:
        return best
    if direction is Direction.LOWER_IS_BETTER:
        return 0.0
    return 1.0 if is_share and aggregation not in (Aggregation.COUNT, Aggregation.STOCK) else None


def _line(
    value: NDArray[np.float64], target: NDArray[np.float64], floor: NDArray[np.float64], direction: Direction
) -> NDArray[np.float64]:
    """The unclipped line through 0 at the floor and 1 at the target; NaN where value or target is NaN."""
    value, target, floor = np.broadcast_arrays(value, target, floor)
    scored = ~(np.isnan(value) | np.isnan(target))
    right = floor < target if direction is Direction.HIGHER_IS_BETTER else floor > target
    if (scored & ~right).any():
        at = tuple(np.argwhere(scored & ~right)[0])
        raise ValueError(
            f"the floor {floor[at]} is missing or on the wrong side of the target {target[at]}: {direction}"
        )
    line = np.full(value.shape, np.nan)
    line[scored] = 1.0 + (value[scored] - target[scored]) / (target[scored] - floor[scored])
    return line


def _check_bands(value: NDArray[np.float64], target: NDArray[np.float64]) -> None:
    if (~np.isnan(value) & (target[..., 0] > target[..., 1])).any():
        raise ValueError("a band must go from low to high")


def _in_force(
    dated: Sequence[_Dated], start: date, end: date, exposure: Mapping[date, float] | None
) -> list[tuple[_Dated, float]] | None:
    """What is in force with how much of the period; None where something that weighs has nothing."""
    if start >= end:
        raise ValueError(f"the period from {start} to {end} is empty")
    in_order = sorted(dated, key=lambda one: one.valid_from)
    changes: list[_Dated] = [one for one in in_order if start < one.valid_from < end]
    standing: _Dated | None = next((one for one in reversed(in_order) if one.valid_from <= start), None)
    if not changes:
        return None if standing is None else [(standing, 1.0)]
    weights = _segment_weights([start, *(one.valid_from for one in changes), end], exposure)
    held = list(zip(changes, weights[1:], strict=True))
    if weights[0] > 0:
        if standing is None:
            return None
        held.insert(0, (standing, weights[0]))
    return [(one, weight) for one, weight in held if weight > 0]


def _segment_weights(bounds: Sequence[date], exposure: Mapping[date, float] | None) -> list[float]:
    lengths = [(later - sooner).days for sooner, later in pairwise(bounds)]
    if exposure is None:
        return [float(length) for length in lengths]
    weights = [
        math.fsum(exposure.get(first + timedelta(days=index), 0.0) for index in range(length))
        for first, length in zip(bounds, lengths, strict=False)
    ]
    return weights if any(weights) else [float(length) for length in lengths]


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    """The weighted mean; one value throughout is given back as it is, without rounding."""
    first = weighted[0][0]
    if all(value == first for value, _ in weighted):
        return first
    return math.fsum(value * weight for value, weight in weighted) / math.fsum(
        weight for _, weight in weighted
    )


def _mean_bound(weighted: Sequence[tuple[Bound, float]]) -> Bound:
    numbers = [(value, weight) for value, weight in weighted if not isinstance(value, tuple)]
    pairs = [(value, weight) for value, weight in weighted if isinstance(value, tuple)]
    if numbers and pairs:
        raise ValueError("a number and a band are in force in one period; end one where a period ends")
    if numbers:
        return _mean(numbers)
    low, high = ([(pair[side], weight) for pair, weight in pairs] for side in (0, 1))
    return _mean(low), _mean(high)


def _floor_of(target: Target, direction: Direction | str | None, is_share: bool) -> Bound:
    if target.floor is not None:
        return target.floor
    if direction is None or isinstance(target.value, tuple):
        raise ValueError(
            f"the target from {target.valid_from} has no floor while another in the period has one; add it"
        )
    return default_floor(target.value, direction, is_share=is_share)
