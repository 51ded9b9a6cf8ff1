"""Where numbers lie on a picture: straight scales, round ticks, and labels that do not collide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """A straight line from numbers [low, high] to places [start, end] of a picture."""

    low: float
    high: float
    start: float
    end: float

    def at(self, number: float) -> float:
        """The place of a number, to a tenth of a unit."""
        share = (number - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def span(
    numbers: Sequence[float], *, margin: float = 0.08, never_below: float | None = 0.0
) -> tuple[float, float]:
    """The range a picture of `numbers` needs, with a margin; never empty, (0, 1) for no numbers.

    never_below: where nothing lies below it, the margin does not go there either.
    """
    if not numbers:
        return 0.0, 1.0
    low, high = min(numbers), max(numbers)
    room = (high - low) * margin or abs(high) * margin or 1.0
    bottom = low - room
    if never_below is not None and low >= never_below:
        bottom = max(bottom, never_below)
    return bottom, high + room


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers inside [low, high], at most `most` of them, evenly apart."""
    step = _round_step((high - low) / most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    digits = digits_of(step)
    found = [round(index * step, digits) for index in range(first, last + 1)]
    return found if len(found) <= most else found[:: math.ceil(len(found) / most)]


def digits_of(step: float) -> int:
    """How many digits after the point a tick of this step needs."""
    return max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if _leads_with_25(step) else 0)


def tick_digits(found: Sequence[float]) -> int:
    """How many digits after the point the labels of these ticks need."""
    if len(found) < 2:
        return 2
    return digits_of(min(later - sooner for sooner, later in pairwise(found)))


def spread(places: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Places moved as little as it takes to lie `apart`, inside [low, high], in their order."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = [min(max(place, low), high) for place in places]
    for one, other in pairwise(order):
        moved[other] = max(moved[other], moved[one] + apart)
    for one, other in reversed(list(pairwise(order))):
        moved[other] = min(moved[other], high)
        moved[one] = min(moved[one], moved[other] - apart)
    return moved


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in ROUND_STEPS if step * power >= least * (1 - 1e-9))


def _leads_with_25(step: float) -> bool:
    power = 10.0 ** math.floor(math.log10(step) + 1e-9)
    return abs(step / power - 2.5) < 1e-6
