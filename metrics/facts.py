"""Daily facts of one metric as arrays, and the one place that pools them into a value (method 3, 4)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metrics.model import Aggregation

MEDIAN = 0.5

_ABSENT = -1
"""The row of a district without any fact."""


@dataclass(frozen=True)
class Fact:
    """One day of one metric in one district, as the store keeps it.

    ratio: numerator, denominator. count: numerator. mean: numerator (sum), denominator (count).
    median, percentile: amounts, the day's multiset as (value, count) in rising order of value.
    stock: numerator, the number open at the end of the day.
    """

    numerator: float = 0.0
    denominator: float = 0.0
    amounts: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True)
class Pooled:
    """What a set of days adds up to. value is None where there was nothing to measure."""

    value: float | None
    numerator: float | None
    denominator: float | None
    n: int
    end_value: float | None = None


NOTHING = Pooled(None, None, None, 0)
"""The pool of no days at all."""


@dataclass(frozen=True)
class Facts:
    """Facts over the days [first, first + number of columns), one row per district.

    numerator, denominator: shape (districts, days). entry_*: the multisets of all cells, one entry per
    (day, district, value), in rising order of day; empty for additive aggregations.
    """

    first: date
    districts: tuple[str, ...]
    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64]
    entry_day: NDArray[np.int64]
    entry_district: NDArray[np.int64]
    entry_value: NDArray[np.float64]
    entry_count: NDArray[np.int64]

    @cached_property
    def city_numerator(self) -> NDArray[np.float64]:
        """Shape (days,): all districts and the unknown one together."""
        return self.numerator.sum(axis=0)

    @cached_property
    def city_denominator(self) -> NDArray[np.float64]:
        """Shape (days,): all districts and the unknown one together."""
        return self.denominator.sum(axis=0)

    @cached_property
    def numerator_so_far(self) -> NDArray[np.float64] | None:
        """Shape (districts + 1, days + 1), the city last: totals before each day; None unless all whole."""
        return _so_far(self.numerator, self.city_numerator)

    @cached_property
    def denominator_so_far(self) -> NDArray[np.float64] | None:
        """The same of the denominators."""
        return _so_far(self.denominator, self.city_denominator)


def arrange(cells: Iterable[tuple[str, date, Fact]], first: date, end: date) -> Facts:
    """Facts over [first, end) from cells (district, day, fact); days outside are left out."""
    kept = [(district, (day - first).days, fact) for district, day, fact in cells if first <= day < end]
    districts = tuple(sorted({district for district, _, _ in kept}))
    row_of = {district: row for row, district in enumerate(districts)}
    shape = (len(districts), max(0, (end - first).days))
    numerator, denominator = np.zeros(shape), np.zeros(shape)
    entries: list[tuple[int, int, float, int]] = []
    for district, day, fact in kept:
        row = row_of[district]
        numerator[row, day] = fact.numerator
        denominator[row, day] = fact.denominator
        entries.extend((day, row, value, count) for value, count in fact.amounts)
    entries.sort()
    columns = list(zip(*entries, strict=True)) if entries else [(), (), (), ()]
    return Facts(
        first,
        districts,
        numerator,
        denominator,
        np.asarray(columns[0], dtype=np.int64),
        np.asarray(columns[1], dtype=np.int64),
        np.asarray(columns[2], dtype=np.float64),
        np.asarray(columns[3], dtype=np.int64),
    )


def day_indices(first: date, ranges: Iterable[tuple[date, date]]) -> NDArray[np.int64]:
    """The column numbers of the days in half-open `ranges`, in order."""
    pieces = [np.arange((start - first).days, (end - first).days) for start, end in ranges]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)


def pool(
    facts: Facts,
    aggregation: Aggregation,
    days: NDArray[np.int64],
    *,
    percentile: float | None = None,
    district: str | None = None,
) -> Pooled:
    """The facts of `days` (column numbers) pooled and computed once; district None is the whole city.

    count: value is the total. ratio, mean: sum over sum. median, percentile: Hazen over all values.
    stock: the mean of its days, and the last day's level as end_value. No days gives NOTHING.
    """
    days = days[(days >= 0) & (days < facts.numerator.shape[1])]
    if not len(days):
        return NOTHING
    row = None if district is None else _row(facts, district)
    if aggregation in (Aggregation.MEDIAN, Aggregation.PERCENTILE):
        share = MEDIAN if percentile is None else percentile
        return _pool_amounts(facts, days, share, row)
    numerator = _total(facts.numerator, facts.city_numerator, facts.numerator_so_far, days, row)
    if aggregation is Aggregation.COUNT:
        return Pooled(numerator, numerator, None, round(numerator))
    if aggregation is Aggregation.STOCK:
        last = facts.city_numerator if row is None else _cells(facts.numerator, row)
        return Pooled(numerator / len(days), numerator, float(len(days)), len(days), float(last[days[-1]]))
    denominator = _total(facts.denominator, facts.city_denominator, facts.denominator_so_far, days, row)
    value = numerator / denominator if denominator else None
    return Pooled(value, numerator, denominator, round(denominator))


def hazen(values: NDArray[np.float64], counts: NDArray[np.int64], share: float) -> float | None:
    """The quantile `share` of a multiset by Hazen's rule, positions (k - .5)/n; None when it is empty."""
    if not len(values):
        return None
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    n = int(reached[-1])
    position = min(max(share * n + 0.5, 1.0), float(n))
    below = math.floor(position)
    low, high = (float(values[order][np.searchsorted(reached, rank)]) for rank in (below, min(below + 1, n)))
    return low + (high - low) * (position - below)


def _so_far(parts: NDArray[np.float64], city: NDArray[np.float64]) -> NDArray[np.float64] | None:
    table = np.vstack([parts, city])
    if not np.array_equal(table, np.rint(table)):
        return None
    return np.hstack([np.zeros((len(table), 1)), np.cumsum(table, axis=1)])


def _total(
    parts: NDArray[np.float64],
    city: NDArray[np.float64],
    so_far: NDArray[np.float64] | None,
    days: NDArray[np.int64],
    row: int | None,
) -> float:
    """The exact sum over days: of whole numbers by two look-ups where the days are one range."""
    first, last = int(days[0]), int(days[-1])
    if row == _ABSENT:
        return 0.0
    if so_far is not None and last - first + 1 == len(days):
        totals = so_far[-1 if row is None else row]
        return float(totals[last + 1] - totals[first])
    return math.fsum((city if row is None else parts[row])[days])


def _row(facts: Facts, district: str) -> int:
    return facts.districts.index(district) if district in facts.districts else _ABSENT


def _cells(table: NDArray[np.float64], row: int) -> NDArray[np.float64]:
    return table[row] if row != _ABSENT else np.zeros(table.shape[1])


def _pool_amounts(facts: Facts, days: NDArray[np.int64], share: float, row: int | None) -> Pooled:
    chosen = _entries_of(facts, days)
    if row is not None:
        chosen = chosen[facts.entry_district[chosen] == row]
    counts = facts.entry_count[chosen]
    n = int(counts.sum())
    value = hazen(facts.entry_value[chosen], counts, share)
    return Pooled(value, None, float(n), n)


def _entries_of(facts: Facts, days: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = np.searchsorted(facts.entry_day, days, side="left")
    ends = np.searchsorted(facts.entry_day, days, side="right")
    pieces = [np.arange(start, end) for start, end in zip(starts, ends, strict=True) if end > start]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)
