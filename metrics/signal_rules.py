"""The rules that tell a signal from noise: a point outside the limits, a trend, two of three, a shift.

They are those of NHS "Making Data Count" as its R package plotthedots applies them (science 2a). Arrays have
time along their last axis; NaN is a missing point, which breaks every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from metrics.limits import Lines, Marks, Numbers

RUN = 7
"""So many points on one side, or rising or falling, make a signal."""

_EQUAL = 1e-12
"""Values this close, as a share of the greatest, are equal: a share is seldom a round binary number."""


class Signal(StrEnum):
    """Why a point is a signal, in order of precedence: where several rules hold, the first is said."""

    ABOVE = "above_limit"
    BELOW = "below_limit"
    RISING = "rising"
    FALLING = "falling"
    TWO_OF_THREE_HIGH = "two_of_three_high"
    TWO_OF_THREE_LOW = "two_of_three_low"
    SHIFT_HIGH = "shift_high"
    SHIFT_LOW = "shift_low"

    @property
    def is_high(self) -> bool:
        """Whether it says that values are, or become, higher."""
        return self in _HIGH


SIGNALS = (None, *Signal)
"""What each number given by `flags` means."""

_HIGH = frozenset({Signal.ABOVE, Signal.RISING, Signal.TWO_OF_THREE_HIGH, Signal.SHIFT_HIGH})


@dataclass(frozen=True, slots=True)
class Pattern:
    """Where a rule holds: `last` marks the points that complete it, `members` those of its points it marks.

    It is made of `length` points, the last one included.
    """

    last: Marks
    length: int
    members: Marks | None = None

    def marked(self) -> Marks:
        """All points the rule marks."""
        found = self.last.copy()
        for back in range(1, min(self.length, found.shape[-1])):
            found[..., :-back] |= self.last[..., back:]
        return found if self.members is None else found & self.members

    def ending(self) -> Marks:
        """The points it would mark if the series ended there."""
        return self.last if self.members is None else self.last & self.members


def flags(values: Numbers, lines: Lines, *, every_rule: bool = True) -> NDArray[np.int64]:
    """The signal of each point as its place in SIGNALS, 0 for none; of the shape of `values`.

    every_rule: False asks for points outside the limits only.
    """
    found = np.zeros(values.shape, dtype=np.int64)
    rules = list(enumerate(patterns(values, lines, every_rule=every_rule), 1))
    for code, rule in reversed(rules):
        found[rule.marked()] = code
    return found


def patterns(values: Numbers, lines: Lines, *, every_rule: bool = True) -> list[Pattern]:
    """Where each rule holds, in the order of SIGNALS; without `every_rule` only the first two."""
    slack = _slack(values)
    with np.errstate(invalid="ignore"):
        above, below = values > lines.upper + slack, values < lines.lower - slack
        outside = [Pattern(above, 1), Pattern(below, 1)]
        if not every_rule:
            return outside
        near_high = (values > lines.near_upper + slack) & ~above
        near_low = (values < lines.near_lower - slack) & ~below
        high, low = values > lines.center + slack, values < lines.center - slack
    return [
        *outside,
        *(Pattern(one, RUN) for one in trends(values)),
        Pattern(two_of_three(high, near_high), 3, near_high),
        Pattern(two_of_three(low, near_low), 3, near_low),
        Pattern(runs(high, RUN), RUN),
        Pattern(runs(low, RUN), RUN),
    ]


def runs(marks: Marks, length: int) -> Marks:
    """Whether the last `length` points up to each are all marked."""
    found = marks.copy()
    for back in range(1, length):
        found[..., back:] &= marks[..., : max(0, marks.shape[-1] - back)]
    found[..., : length - 1] = False
    return found


def trends(values: Numbers) -> tuple[Marks, Marks]:
    """Whether each point is the last of RUN that rise, and that fall; two equal neighbours do neither."""
    rising, falling = (np.zeros(values.shape, dtype=np.bool_) for _ in range(2))
    with np.errstate(invalid="ignore"):
        steps, slack = np.diff(values, axis=-1), _slack(values)
        rising[..., 1:] = runs(steps > slack, RUN - 1)
        falling[..., 1:] = runs(steps < -slack, RUN - 1)
    return rising, falling


def two_of_three(side: Marks, near: Marks) -> Marks:
    """Whether each point is the last of three on one side of which two or three are near the limit."""
    found = runs(side, 3)
    first, second, third = near[..., :-2], near[..., 1:-1], near[..., 2:]
    found[..., 2:] &= (first & second) | (first & third) | (second & third)
    return found


def _slack(values: Numbers) -> Numbers:
    greatest: Numbers = np.fmax.reduce(np.abs(values), axis=-1, keepdims=True, initial=0.0)
    return _EQUAL * greatest
