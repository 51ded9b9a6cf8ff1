"""The rules that tell a signal from noise: a point outside the limits, a trend, two of three, a shift.

They are those of NHS "Making Data Count" as its R package plotthedots applies them (science 2a). Arrays have
time along their last axis; NaN is a missing point, which breaks every run.
"""

from __future__ import annotations

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


def flags(
    values: Numbers, lines: Lines, *, every_rule: bool = True, whole_runs: bool = True
) -> NDArray[np.int64]:
    """The signal of each point as its place in SIGNALS, 0 for none; of the shape of `values`.

    every_rule: False asks for points outside the limits only. whole_runs: False marks only the point that
    completes a pattern, as if the series ended there.
    """
    slack = _slack(values)
    with np.errstate(invalid="ignore"):
        above, below = values > lines.upper + slack, values < lines.lower - slack
        if not every_rule:
            return np.select([above, below], [1, 2], 0)
        side = sides(values, lines.center)
        near = ((values > lines.near_upper + slack) | (values < lines.near_lower - slack)) & ~above & ~below
    high, low = side > 0, side < 0
    everywhere = np.ones(values.shape, dtype=np.bool_)
    patterns: list[tuple[Marks, int, Marks]] = [
        *((one, RUN, everywhere) for one in trends(values)),
        *((two_of_three(one, near), 3, near & one) for one in (high, low)),
        *((runs(one, RUN), RUN, one) for one in (high, low)),
    ]
    found = [(spread(last, length) if whole_runs else last) & those for last, length, those in patterns]
    return np.select([above, below, *found], range(1, len(SIGNALS)), 0)


def sides(values: Numbers, center: Numbers) -> NDArray[np.int64]:
    """1 above the centre, -1 below, 0 on it and where either is missing."""
    with np.errstate(invalid="ignore"):
        apart = values - center
        slack = _slack(values)
        return (apart > slack).astype(np.int64) - (apart < -slack)


def runs(marks: Marks, length: int) -> Marks:
    """Whether the last `length` points up to each are all marked."""
    found = np.zeros(marks.shape, dtype=np.bool_)
    if marks.shape[-1] >= length:
        windows = np.lib.stride_tricks.sliding_window_view(marks, length, axis=-1)
        found[..., length - 1 :] = windows.all(axis=-1)
    return found


def trends(values: Numbers) -> tuple[Marks, Marks]:
    """Whether each point is the last of RUN that rise, and that fall; two equal neighbours do neither."""
    with np.errstate(invalid="ignore"):
        steps, slack = np.diff(values, axis=-1), _slack(values)
        found = [np.zeros(values.shape, dtype=np.bool_) for _ in range(2)]
        for each, moved in zip(found, (steps > slack, steps < -slack), strict=True):
            each[..., 1:] = runs(moved, RUN - 1)
    return found[0], found[1]


def two_of_three(side: Marks, near: Marks) -> Marks:
    """Whether each point is the last of three on one side of which two or three are near the limit."""
    close = (side & near).astype(np.int64)
    many = close.copy()
    many[..., 1:] += close[..., :-1]
    many[..., 2:] += close[..., :-2]
    return runs(side, 3) & (many >= 2)


def spread(last: Marks, length: int) -> Marks:
    """Every point of the patterns of `length` points of which the last ones are given."""
    found = last.copy()
    for back in range(1, min(length, last.shape[-1])):
        found[..., : last.shape[-1] - back] |= last[..., back:]
    return found


def _slack(values: Numbers) -> Numbers:
    known = np.where(np.isnan(values), 0.0, np.abs(values))
    greatest: Numbers = known.max(axis=-1, keepdims=True, initial=0.0)
    return _EQUAL * greatest
