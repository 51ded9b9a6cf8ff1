"""Checking closed cases in the field: which are drawn, how many are enough, and what the found ones say."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from metrics.intervals import wilson

MOST_CHECKED = 20_000
"""Nobody visits more cases than this, so no narrower interval is promised."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What an audit has found so far: `done` of `checked` cases, of `size` that were drawn.

    rate with its Wilson interval of 95%; each None before the first case was checked.
    """

    size: int
    checked: int
    done: int
    rate: float | None
    low: float | None
    high: float | None

    @property
    def is_complete(self) -> bool:
        """Whether every drawn case was checked: the easy ones are often visited first."""
        return self.checked == self.size


def draw(keys: Collection[str], size: int, seed: int) -> list[str]:
    """`size` of the keys at random without repetition, in the order to visit them; all where fewer are there.

    The order is that of the SHA-256 of seed and key: whoever has the keys can check that nobody chose, and a
    case that is added to them leaves the order of the others as it was.
    """
    return sorted(keys, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())[:size]


def verified(size: int, checked: int, done: int) -> Verified:
    """The verified rate of an audit. ValueError where the numbers cannot be: done <= checked <= size."""
    if not 0 <= done <= checked <= size:
        raise ValueError(f"{done} done of {checked} checked of {size} drawn cannot be")
    if checked == 0:
        return Verified(size, 0, 0, None, None, None)
    low, high = wilson(done, checked)
    return Verified(size, checked, done, done / checked, float(low), float(high))


def width(size: int, share: float = 0.5) -> float:
    """How wide the Wilson interval is when `share` of `size` cases is found done; widest at a half."""
    low, high = wilson(share * size, size)
    return float(high) - float(low)


def size_for(wanted: float, share: float = 0.5) -> int:
    """The least number of cases whose Wilson interval is at most `wanted` wide, at a share found done.

    ValueError for a width that is no share between 0 and 1, or that more than MOST_CHECKED cases would need.
    """
    if not 0 < wanted < 1:
        raise ValueError(f"a width lies between 0 and 1, not {wanted:g}")
    if width(MOST_CHECKED, share) > wanted:
        raise ValueError(f"more than {MOST_CHECKED} cases would be needed for a width of {wanted:g}")
    least, most = 1, MOST_CHECKED
    while least < most:
        middle = (least + most) // 2
        if width(middle, share) <= wanted:
            most = middle
        else:
            least = middle + 1
    return least
