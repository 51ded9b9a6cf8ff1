"""Which district cells are withheld from the public, so that small counts point at nobody.

A cell is a district in a month. It is small where one of its counts (cases, those on time, those not) lies
from 1 to the limit; zeros and larger counts are shown. What the city and the other districts leave over would
give a single hidden cell away, so at least two districts are hidden together and their sum is not small
either: all that is left over is one number for several, in each of which nothing up to it can be excluded.

A quarter of a district is shown where each of its months is, and so says nothing that they do not:
overlapping quarters would otherwise differ by just the month that is hidden. What was once withheld stays
so: otherwise two publications would differ by it.

Metrics that look at the same records give each other away: what one hides the other would show, and what one
leaves out is the difference of the two. So they hide the same cells, by the largest of their limits.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.model import City, Metric

LIMIT = 10
"""Counts from 1 to this many are small, unless a city or a metric says otherwise."""

TOGETHER = 2
"""At least so many districts are hidden together."""

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]


def same_records(metrics: Iterable[Metric]) -> list[list[Metric]]:
    """The public metrics that have districts, together where they sort the same records by the same days.

    What they leave out may differ, and what they count.
    """
    found: dict[tuple[str | None, ...], list[Metric]] = {}
    for one in metrics:
        if one.district is not None and one.public and one.retired is None:
            where = " ".join((one.where or "").split())
            found.setdefault((one.source, one.district, one.date, one.until, where), []).append(one)
    return list(found.values())


def limits(city: City, metrics: Iterable[Metric]) -> dict[str, int]:
    """By metric: counts from 1 to this many are small, 0 for none; the largest of all of the same records."""
    asked = list(metrics)
    found = {one.id: city.small_counts if one.small_counts is None else one.small_counts for one in asked}
    for family in same_records(asked):
        found |= dict.fromkeys((one.id for one in family), max(found[one.id] for one in family))
    return found


def small(counts: ArrayLike, limit: int = LIMIT) -> Marks:
    """Which cells are small: those with one count above 0 and up to `limit`. counts: (cells, kinds)."""
    each = np.asarray(counts, dtype=np.float64)
    return np.asarray(((each > 0) & (each <= limit)).any(axis=-1))


def withheld(
    counts: ArrayLike, limit: int = LIMIT, *, already: ArrayLike = False, places: ArrayLike = True
) -> Marks:
    """Which cells of a month are withheld, shape (cells,).

    counts: (cells, kinds), the parts of the city's counts. already: those that were withheld before. places:
    False for what is no district (records that name none): hidden where it is small, but no company for
    another. To the small ones the next smallest are added until two districts are hidden and no count of
    their sum is small, or nothing is left to hide.
    """
    each = np.asarray(counts, dtype=np.float64)
    hidden: Marks = small(each, limit)
    hidden |= np.asarray(already, dtype=bool)
    is_place = np.broadcast_to(np.asarray(places, dtype=bool), len(each))
    if not hidden.any():
        return hidden
    order = np.lexsort((np.arange(len(each)), each.sum(axis=-1), ~is_place))
    for cell in order.tolist():
        if _is_safe(each, hidden, is_place, limit):
            break
        hidden[cell] = True
    return hidden


def _is_safe(each: Numbers, hidden: Marks, is_place: Marks, limit: int) -> bool:
    together = int((hidden & is_place).sum()) >= TOGETHER
    return together and not small(each[hidden].sum(axis=0), limit)
