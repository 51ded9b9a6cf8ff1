"""How the values of a period spread: its middle, its nine in ten, and how many lie in each step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metrics.facts import MEDIAN, hazen

NINE_IN_TEN = 0.9
TAIL = 0.98
"""Beyond this share of the values all are counted in one last step."""

MOST_STEPS = 24
_STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Step:
    """How many values lie in [low, high); high is None for the last, which has no end."""

    low: float
    high: float | None
    count: int


@dataclass(frozen=True)
class Distribution:
    """The values of a period. median, p90: by Hazen's rule, as published values are (method 3)."""

    n: int
    median: float
    p90: float
    steps: tuple[Step, ...]


def distribution(amounts: Iterable[tuple[float, int]]) -> Distribution | None:
    """The spread of a multiset of (value, count), where a value may come again; None for none."""
    pairs = list(amounts)
    values = np.array([value for value, _count in pairs], dtype=np.float64)
    counts = np.array([count for _value, count in pairs], dtype=np.int64)
    median, p90, tail = (hazen(values, counts, share) for share in (MEDIAN, NINE_IN_TEN, TAIL))
    if median is None or p90 is None or tail is None:
        return None
    return Distribution(int(counts.sum()), median, p90, _steps(values, counts, tail))


def _steps(values: np.ndarray, counts: np.ndarray, tail: float) -> tuple[Step, ...]:
    lowest, highest = float(values.min()), float(values.max())
    width = _width(tail - lowest, are_whole=bool(np.array_equal(values, np.rint(values))))
    first, last = math.floor(lowest / width), math.floor(tail / width)
    place = np.minimum(np.floor(values / width + 1e-9), last + 1).astype(np.int64) - first
    found = np.bincount(place, weights=counts, minlength=last - first + 2).round().astype(int).tolist()
    made = [Step(_at(first + k, width), _at(first + k + 1, width), found[k]) for k in range(last - first + 1)]
    if highest >= (last + 1) * width:
        made.append(Step(_at(last + 1, width), None, found[-1]))
    return tuple(made)


def _at(number: int, width: float) -> float:
    """A border of steps, without the dust of binary fractions."""
    return round(number * width, 9)


def _width(reach: float, *, are_whole: bool) -> float:
    """The smallest round width of which at most MOST_STEPS cover the reach; at least 1 of whole numbers."""
    if reach <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(reach / MOST_STEPS))
    width = next(step * power for step in _STEPS if step * power >= reach / MOST_STEPS * (1 - 1e-9))
    return max(width, 1.0) if are_whole else width
