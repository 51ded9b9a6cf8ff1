"""Daily facts of one metric as arrays, and the one place that pools them into a value (method 3, 4)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metrics import intervals
from metrics.model import Aggregation

MEDIAN = 0.5

_ABSENT = -1
"""The row of a district without any fact."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One day of one metric in one district, as the store keeps it.

    ratio: numerator, denominator. count: numerator. mean: numerator (sum), denominator (count).
    median, percentile: amounts, the day's multiset as (value, count) in rising order of value.
    stock: numerator, the number open at the end of the day.
    """

    numerator: float = 0.0
    denominator: float = 0.0
    amounts: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Pooled:
    """What a set of days adds up to. value is None where there was nothing to measure.

    low, high: the 95% interval of a median or percentile, each None where there is no such bound.
    """

    value: float | None
    numerator: float | None
    denominator: float | None
    n: int
    end_value: float | None = None
    low: float | None = None
    high: float | None = None


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

    def row(self, district: str) -> int:
        """The row of a district; one that no entry has for one without any fact."""
        return self.districts.index(district) if district in self.districts else _ABSENT


def arrange(
    cells: Iterable[tuple[str, date, Fact]], first: date, end: date, districts: Iterable[str] = ()
) -> Facts:
    """Facts over [first, end) from cells (district, day, fact); days outside are left out.

    districts: those there are even where none of the cells is theirs.
    """
    begin, days = first.toordinal(), max(0, (end - first).days)
    kept = [(district, day.toordinal() - begin, fact) for district, day, fact in cells if first <= day < end]
    names = tuple(sorted({*districts, *(district for district, _, _ in kept)}))
    row_of = {district: row for row, district in enumerate(names)}
    places = np.asarray([row_of[district] * days + day for district, day, _ in kept], dtype=np.int64)
    numerator, denominator = np.zeros(len(names) * days), np.zeros(len(names) * days)
    numerator[places] = [fact.numerator for _, _, fact in kept]
    denominator[places] = [fact.denominator for _, _, fact in kept]
    entries = [
        (day, row_of[district], value, count) for district, day, fact in kept for value, count in fact.amounts
    ]
    entries.sort()
    columns = list(zip(*entries, strict=True)) if entries else [(), (), (), ()]
    return Facts(
        first,
        names,
        numerator.reshape(len(names), days),
        denominator.reshape(len(names), days),
        np.asarray(columns[0], dtype=np.int64),
        np.asarray(columns[1], dtype=np.int64),
        np.asarray(columns[2], dtype=np.float64),
        np.asarray(columns[3], dtype=np.int64),
    )


class Pool:
    """One metric's facts pooled over ranges of days, those that are not usable left out.

    usable: shape (days,), whether each day of the facts is known. district None is the whole city; one
    without any fact has none anywhere.
    """

    def __init__(
        self,
        facts: Facts,
        aggregation: Aggregation,
        usable: NDArray[np.bool_],
        *,
        percentile: float | None = None,
        district: str | None = None,
    ) -> None:
        self._aggregation = aggregation
        self._share = MEDIAN if percentile is None else percentile
        self._known = running(usable)
        if aggregation in (Aggregation.MEDIAN, Aggregation.PERCENTILE):
            row = None if district is None else facts.row(district)
            self._amounts = _Amounts(facts, usable, row)
            return
        self._numerator = _Sums(cells(facts.numerator, facts.city_numerator, facts, district), usable)
        self._denominator = _Sums(cells(facts.denominator, facts.city_denominator, facts, district), usable)

    def over(self, *ranges: tuple[int, int]) -> Pooled:
        """The facts of the days in half-open `ranges` of column numbers, computed once.

        count: value is the total. ratio, mean: sum over sum. median, percentile: Hazen over all values.
        stock: the mean of its days, and the last day's level as end_value. No usable days give NOTHING.
        """
        days = 0
        for start, end in ranges:
            days += self._known[end] - self._known[start]
        if not days:
            return NOTHING
        if self._aggregation in (Aggregation.MEDIAN, Aggregation.PERCENTILE):
            return self._amounts.over(ranges, self._share)
        numerator = self._numerator.over(ranges)
        if self._aggregation is Aggregation.COUNT:
            return Pooled(numerator, numerator, None, round(numerator))
        if self._aggregation is Aggregation.STOCK:
            last = self._numerator.last(ranges, self._known)
            return Pooled(numerator / days, numerator, float(days), days, last)
        denominator = self._denominator.over(ranges)
        value = numerator / denominator if denominator else None
        return Pooled(value, numerator, denominator, round(denominator))


def cells(
    parts: NDArray[np.float64], city: NDArray[np.float64], facts: Facts, district: str | None
) -> NDArray[np.float64]:
    """Shape (days,): the row of a district, or of the whole city where it is None; 0 of one without facts."""
    if district is None:
        return city
    row = facts.row(district)
    return parts[row] if row != _ABSENT else np.zeros(parts.shape[1])


def running(mask: NDArray[np.bool_] | NDArray[np.int64]) -> list[int]:
    """The sum (how many are true) before each place and before the end: one more than there are places."""
    return [0, *np.cumsum(mask).tolist()]


def hazen(values: NDArray[np.float64], counts: NDArray[np.int64], share: float) -> float | None:
    """The quantile `share` of a multiset by Hazen's rule, positions (k - .5)/n; None when it is empty."""
    if not len(values):
        return None
    order = np.argsort(values, kind="stable")
    return _hazen(values[order], np.cumsum(counts[order]), share)


def _hazen(rising: NDArray[np.float64], reached: NDArray[np.int64], share: float) -> float:
    """`hazen` of values in order, `reached` telling how many there are up to and with each."""
    n = int(reached[-1])
    position = min(max(share * n + 0.5, 1.0), float(n))
    below = math.floor(position)
    low, high = (float(rising[np.searchsorted(reached, rank)]) for rank in (below, min(below + 1, n)))
    return low + (high - low) * (position - below)


class _Sums:
    """Exact sums over ranges of a row of amounts: by two look-ups each where all are whole numbers."""

    def __init__(self, row: NDArray[np.float64], usable: NDArray[np.bool_]) -> None:
        usable_row = np.where(usable, row, 0.0)
        self._row: list[float] = usable_row.tolist()
        is_whole = np.array_equal(usable_row, np.rint(usable_row))
        self._so_far: list[float] | None = [0.0, *np.cumsum(usable_row).tolist()] if is_whole else None

    def over(self, ranges: Sequence[tuple[int, int]]) -> float:
        if self._so_far is None:
            return math.fsum(amount for start, end in ranges for amount in self._row[start:end])
        total = 0.0
        for start, end in ranges:
            total += self._so_far[end] - self._so_far[start]
        return total

    def last(self, ranges: Sequence[tuple[int, int]], known: Sequence[int]) -> float:
        """The amount of the last usable day; there is one."""
        days = (day for start, end in reversed(ranges) for day in range(end - 1, start - 1, -1))
        return next(self._row[day] for day in days if known[day + 1] > known[day])


class _Amounts:
    """Multisets over ranges of days."""

    def __init__(self, facts: Facts, usable: NDArray[np.bool_], row: int | None) -> None:
        chosen = usable[facts.entry_day]
        if row is not None:
            chosen &= facts.entry_district == row
        self._values, self._counts = facts.entry_value[chosen], facts.entry_count[chosen]
        days = np.arange(len(usable) + 1)
        self._before: list[int] = np.searchsorted(facts.entry_day[chosen], days).tolist()

    def over(self, ranges: Sequence[tuple[int, int]], share: float) -> Pooled:
        slices = [slice(self._before[start], self._before[end]) for start, end in ranges]
        values = np.concatenate([self._values[one] for one in slices])
        counts = np.concatenate([self._counts[one] for one in slices])
        if not len(values):
            return Pooled(None, None, 0.0, 0)
        order = np.argsort(values, kind="stable")
        rising, reached = values[order], np.cumsum(counts[order])
        n = int(reached[-1])
        low, high = intervals.percentile(rising, reached, share)
        return Pooled(_hazen(rising, reached, share), None, float(n), n, None, low, high)
