"""Where a change comes from: exact parts of a composite's, a ratio's and any function's change (method 8)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics import movement
from metrics.model import Contribution, Direction, Part
from metrics.scoring import DEFAULT_CAP, Bound, Method, score

_SAME = 1e-12
"""Values and targets that differ by less of themselves are one, scaled to two periods and back."""

_FACTORS = (Part.PERFORMANCE, Part.TARGET, Part.DEFINITION)

_K = TypeVar("_K", bound=str)
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Side:
    """A metric as it stood in a composite in one of two periods.

    score: what it entered with, its seat where `late`; None where it did not enter. weight: the raw one.
    value, target and floor are those the score was made of; the floor is given, not left to the rule.
    scale: what value, target and floor are totals over (a count's open known days), 1 for a level, so
    that a longer month is neither performance nor target.
    definition: names how the value was measured (a hash); redefined: this period's value as the other
    side's definition measures it, where that is known.
    """

    score: float | None
    weight: float
    value: float | None = None
    target: Bound | None = None
    floor: Bound | None = None
    direction: Direction = Direction.HIGHER_IS_BETTER
    method: Method = "linear"
    cap: float = DEFAULT_CAP
    late: bool = False
    scale: float = 1.0
    definition: str = ""
    redefined: float | None = None


# --- a composite -------------------------------------------------------------------------------


def contributions(before: Mapping[str, Side], after: Mapping[str, Side]) -> tuple[Contribution, ...]:
    """The parts of one composite's change by metric, adding up to it within 1e-12 (`movement.contributions`).

    Δs splits by Shapley into performance, target and definition. Rows are in the order of `after`, then of
    what is only in `before`. Empty where one of the two composites has no score.
    """
    names = list(dict.fromkeys((*after, *before)))
    pairs = [(before.get(name), after.get(name)) for name in names]
    is_performance = np.array([is_same_rule(*pair) for pair in pairs], dtype=bool).reshape(len(names), 1)
    entries = _entries([one for one, _ in pairs]), _entries([other for _, other in pairs])

    def split(metric: int, _period: int) -> Mapping[Part, float]:
        return score_parts(*pairs[metric])

    return movement.contributions(names, *entries, is_performance, split)[0]


def change_matched(before: Mapping[str, Side], after: Mapping[str, Side]) -> float | None:
    """The change of one composite over the metrics scored on both sides (`movement.change_matched`)."""
    names = list(dict.fromkeys((*after, *before)))
    sides = [_entries([side.get(name) for name in names]) for side in (before, after)]
    change = float(movement.change_matched(*sides)[0])
    return None if math.isnan(change) else change


def _entries(sides: Sequence[Side | None]) -> movement.Entries:
    """The sides of one period as a column."""

    def column(numbers: Iterable[float | None]) -> NDArray[np.float64]:
        return np.array([[number] for number in numbers], dtype=np.float64).reshape(len(sides), 1)

    return movement.Entries(
        column(side.score if side else None for side in sides),
        column(side.weight if side else None for side in sides),
        np.array([[side is not None and side.late] for side in sides], dtype=bool).reshape(len(sides), 1),
    )


# --- any function ------------------------------------------------------------------------------


def shapley(
    function: Callable[[Mapping[_K, _V]], float], before: Mapping[_K, _V], after: Mapping[_K, _V]
) -> dict[_K, float]:
    """What each factor adds to function(after) - function(before), whichever way the factors are ordered.

    The mean, over all orders in which the factors could change, of what the factor's own change does:
    for a product or sum it is Das Gupta's decomposition. The parts add up to the change. The function
    is asked 2^k times for k factors that differ; one that does not differ has part 0.
    ValueError where the two sides do not name the same factors.
    """
    if before.keys() != after.keys():
        raise ValueError(f"the factors {sorted(before)} and {sorted(after)} must be the same")
    changed = [name for name in before if before[name] != after[name]]
    values = [
        function({**before, **{name: after[name] for bit, name in enumerate(changed) if subset >> bit & 1}})
        for subset in range(1 << len(changed))
    ]
    return {**dict.fromkeys(before, 0.0), **{name: _part(values, bit) for bit, name in enumerate(changed)}}


# --- a ratio -----------------------------------------------------------------------------------


def rate_and_mix(
    numerators_before: ArrayLike,
    denominators_before: ArrayLike,
    numerators_after: ArrayLike,
    denominators_after: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The change of a ratio by district: what its rate did and what its share of the cases did.

    All four have shape (districts,), and so have both answers, which together add up to the change of
    sum over sum. With share q, rate p and the ratio of all P: rate = q̄ Δp, mix = Δq (p̄ - P̄), after
    Kitagawa. A district empty in one period borrows the other period's rate there; empty in both it has
    parts 0. None where one of the periods has no cases at all.
    """
    top = [np.asarray(one, dtype=np.float64) for one in (numerators_before, numerators_after)]
    under = [np.asarray(one, dtype=np.float64) for one in (denominators_before, denominators_after)]
    totals = [one.sum() for one in under]
    if not all(totals):
        return None
    shares = [one / total for one, total in zip(under, totals, strict=True)]
    rates = [np.divide(n, d, out=np.zeros_like(d), where=d > 0) for n, d in zip(top, under, strict=True)]
    rates = [np.where(under[side] > 0, rates[side], rates[1 - side]) for side in (0, 1)]
    middle = sum(one.sum() / total for one, total in zip(top, totals, strict=True)) / 2
    rate = (shares[0] + shares[1]) / 2 * (rates[1] - rates[0])
    mix = (shares[1] - shares[0]) * ((rates[0] + rates[1]) / 2 - middle)
    return rate, mix


# --- in print ----------------------------------------------------------------------------------


def apportion(
    printed_change: Decimal | float, contributions: Sequence[float], decimals: int = 2
) -> tuple[Decimal, ...]:
    """Contributions as they are printed: in their order, adding up exactly to the printed change.

    Each is rounded down to `decimals`; what is then missing goes one unit each to the largest
    remainders, of equal ones to the larger contribution. No contributions give none.
    """
    if not contributions:
        return ()
    unit = Decimal(1).scaleb(-decimals)
    exact = [Decimal(repr(float(one))) / unit for one in contributions]
    down = [int(one.to_integral_value(ROUND_FLOOR)) for one in exact]
    wanted = int((Decimal(str(printed_change)) / unit).to_integral_value(ROUND_HALF_EVEN))
    # The printed change may lie more than a rounding away from the exact one: .995 up to 1 prints 0.99.
    for_all, for_some = divmod(wanted - sum(down), len(down))
    by_remainder = sorted(
        range(len(down)), key=lambda index: (exact[index] - down[index], abs(exact[index])), reverse=True
    )
    lifted = set(by_remainder[:for_some])
    return tuple((down[index] + for_all + (index in lifted)) * unit for index in range(len(down)))


# --- inside ------------------------------------------------------------------------------------


def is_same_rule(before: Side | None, after: Side | None) -> bool:
    """Whether nothing but the value can have moved a score: same rules, same target."""
    if before is None or after is None:
        return True
    is_redefined = _rules(before) != _rules(after) or before.definition != after.definition
    return not is_redefined and _is_same_bound(before, after)


def _score(side: Side) -> float:
    if side.score is None:
        raise ValueError("a metric that did not enter has no score to compare")
    return side.score


def score_parts(before: Side | None, after: Side | None) -> dict[Part, float]:
    """The change of one metric's score by what changed it, value, target and definition, by Shapley.

    Empty where it was absent on a side. Nobody is late.
    """
    if before is None or after is None:
        return {}
    change = _score(after) - _score(before)
    is_redefined = _rules(before) != _rules(after) or before.definition != after.definition
    if before.value is None or after.value is None or before.target is None or after.target is None:
        return {Part.DEFINITION: change}
    if is_redefined:
        return _three_parts(before, after)
    old_value, new_value = before.value / before.scale, after.value / after.scale
    if math.isclose(old_value, new_value, rel_tol=_SAME):
        return {Part.TARGET: change}
    one, other = _score_with(old_value, after, after), _score_with(new_value, before, before)
    if one is None or other is None:
        return {Part.DEFINITION: change}
    performance = (other - _score(before) + _score(after) - one) / 2
    return {Part.PERFORMANCE: performance, Part.TARGET: change - performance}


def _three_parts(before: Side, after: Side) -> dict[Part, float]:
    """Shapley over value, target and definition; all definition where they cannot be told apart.

    That is so where a mixture has no score (a floor on the other side of its target after the direction
    turned), and, for the value, where nobody measured either period by the other's definition.
    """
    sides = (before, after)
    corners = {(0, 0, 0): before.score, (1, 1, 1): after.score}

    def mixed(which: Mapping[Part, int]) -> float:
        period, bound, rules = (which[part] for part in (Part.PERFORMANCE, Part.TARGET, Part.DEFINITION))
        found = corners.get((period, bound, rules))
        if found is None:
            found = _score_with(_value(before, after, period, rules), sides[bound], sides[rules])
        if found is None:
            raise ValueError("this mixture of the two definitions has no score")
        return found

    try:
        return shapley(mixed, dict.fromkeys(_FACTORS, 0), dict.fromkeys(_FACTORS, 1))
    except ValueError:
        return {Part.DEFINITION: _score(after) - _score(before)}


def _value(before: Side, after: Side, period: int, rules: int) -> float | None:
    sides = (before, after)
    if before.definition == after.definition:
        return _scaled(sides[period].value, sides[period].scale)
    if before.redefined is None or after.redefined is None:
        return _scaled(sides[rules].value, sides[rules].scale)
    side = sides[period]
    return _scaled(side.value if period == rules else side.redefined, side.scale)


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value / scale


def _score_with(value: float | None, bound: Side, rules: Side) -> float | None:
    """The score of a value on the scale of one day, by one side's target and one side's rules."""
    return score(
        value,
        _bound(bound.target, bound.scale),
        rules.direction,
        method=rules.method,
        floor=_bound(bound.floor, bound.scale),
        cap=rules.cap,
    )


def _rules(side: Side) -> tuple[Direction, Method, float]:
    return side.direction, side.method, side.cap


def _bound(bound: Bound | None, scale: float) -> Bound | None:
    if bound is None or scale == 1.0:
        return bound
    return (bound[0] / scale, bound[1] / scale) if isinstance(bound, tuple) else bound / scale


def _is_same_bound(before: Side, after: Side) -> bool:
    if before.scale == after.scale and before.target == after.target and before.floor == after.floor:
        return True
    one = (*_ends(before.target, before.scale), *_ends(before.floor, before.scale))
    other = (*_ends(after.target, after.scale), *_ends(after.floor, after.scale))
    return len(one) == len(other) and all(
        a is b or (a is not None and b is not None and math.isclose(a, b, rel_tol=_SAME))
        for a, b in zip(one, other, strict=True)
    )


def _ends(bound: Bound | None, scale: float) -> tuple[float | None, ...]:
    scaled = _bound(bound, scale)
    return scaled if isinstance(scaled, tuple) else (scaled,)


def _part(values: Sequence[float], bit: int) -> float:
    """The Shapley value of one factor from the function's values over all subsets of factors, as bits."""
    factors = len(values).bit_length() - 1
    orders = math.factorial(factors)
    steps = []
    for subset in range(len(values)):
        if not subset >> bit & 1:
            size = subset.bit_count()
            share = math.factorial(size) * math.factorial(factors - size - 1) / orders
            steps.append(share * (values[subset | 1 << bit] - values[subset]))
    return math.fsum(steps)
