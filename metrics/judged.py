"""The periods of one grain that are judged together, and what their days say of chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from metrics.facts import Pooled, cells
from metrics.history import Columns, History
from metrics.scoring import Bound
from metrics.spread import LEAST_DAYS, WEEKS_BEFORE, YEAR_OF_WEEKS, Shares, Spread, Totals

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]

_BOTH: tuple[Literal["left", "right"], ...] = ("left", "right")


@dataclass(slots=True)
class Case:
    """A period to be judged: its days, what they pool to, its target, the days a historical one is from."""

    columns: Columns
    pooled: Pooled
    target: Bound | None
    past: tuple[Columns, ...] = ()


@dataclass(frozen=True)
class Judged:
    """The cases side by side, shape (cases,), NaN for None, with what their days say of chance."""

    history: History
    cases: Sequence[Case]
    district: str | None

    @property
    def is_historical(self) -> bool:
        return self.history.metric.historical

    @cached_property
    def value(self) -> Numbers:
        return _array(one.pooled.value for one in self.cases)

    @cached_property
    def has(self) -> Marks:
        return ~np.isnan(self.value)

    @cached_property
    def numerator(self) -> Numbers:
        return _array(one.pooled.numerator for one in self.cases)

    @cached_property
    def denominator(self) -> Numbers:
        return _array(one.pooled.denominator for one in self.cases)

    @cached_property
    def bounds(self) -> tuple[Numbers, Numbers]:
        return _bounds([one.pooled for one in self.cases])

    @cached_property
    def opened(self) -> Numbers:
        """The open, known days of each period."""
        return _array(self.history.open_and_known(one.columns) for one in self.cases)

    # The days a historical target is pooled from are the city's, in a district too.

    @cached_property
    def past(self) -> list[Pooled]:
        return [self.history.city_pool.over(*one.past) for one in self.cases]

    @cached_property
    def past_value(self) -> Numbers:
        return _array(one.value for one in self.past)

    @cached_property
    def past_numerator(self) -> Numbers:
        return _array(one.numerator for one in self.past)

    @cached_property
    def past_denominator(self) -> Numbers:
        return _array(one.denominator for one in self.past)

    @cached_property
    def past_bounds(self) -> tuple[Numbers, Numbers]:
        return _bounds(self.past)

    @cached_property
    def past_opened(self) -> Numbers:
        return _array(sum(self.history.open_and_known(columns) for columns in one.past) for one in self.cases)

    @cached_property
    def past_ranges(self) -> Numbers:
        return _array(len(one.past) for one in self.cases)

    # How much days differ.

    def _window(self, least: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The days of each period, and before them as many as it takes to make so many."""
        columns = np.array([one.columns for one in self.cases], dtype=np.int64)
        return np.maximum(np.minimum(columns[:, 0], columns[:, 1] - least), 0), columns[:, 1]

    @cached_property
    def spread(self) -> Spread:
        facts, usable = self.history.facts, self.history.usable_mask
        amounts = cells(facts.numerator, facts.city_numerator, facts, self.district)
        sizes = cells(facts.denominator, facts.city_denominator, facts, self.district)
        return Spread.of(amounts, sizes, usable, *self._window(YEAR_OF_WEEKS))

    @cached_property
    def shares(self) -> Shares:
        facts = self.history.facts
        good = cells(facts.numerator, facts.city_numerator, facts, self.district)
        cases = cells(facts.denominator, facts.city_denominator, facts, self.district)
        return Shares.of(good, cases, self.history.usable_mask, *self._window(YEAR_OF_WEEKS))

    def under(self, aims: Numbers, least: int) -> tuple[Shares, Numbers]:
        """How the share of values under the aim of each case differs by day, and how many its period has.

        It differs over `least` days or the period. A value on the aim counts half. NaN without an aim.
        """
        (first, end), starts = self._window(least), np.array([one.columns[0] for one in self.cases])
        dispersion, freedom, under = (np.full(len(aims), np.nan) for _ in range(3))
        has = ~np.isnan(aims)
        if not has.any():
            return Shares(dispersion, freedom), under
        first, end, starts = first[has], end[has], starts[has]
        runs = _Runs.of(aims[has], first, end)
        low, every = self._by_day(runs)
        usable = runs.day >= 0
        usable[usable] = self.history.usable_mask[runs.day[usable]]
        found = Shares.of(low, every, usable, first + runs.shift, end + runs.shift)
        dispersion[has], freedom[has] = found.dispersion, found.freedom
        so_far = np.concatenate([[0.0], np.cumsum(np.where(usable, low, 0.0))])
        under[has] = so_far[end + runs.shift] - so_far[starts + runs.shift]
        return Shares(dispersion, freedom), under

    def _by_day(self, runs: _Runs) -> tuple[Numbers, Numbers]:
        """How many values under the aim of each run, and how many at all, each of its days has."""
        days, values, counts = self._entries
        read = slice(*np.searchsorted(days, [runs.day.min(), runs.day.max() + 1]))
        day, value, count = days[read], values[read], counts[read]
        steps, place = np.unique(value, return_inverse=True)
        width = len(steps) + 1
        key = day * width + place
        order = np.argsort(key, kind="stable")
        key, so_far = key[order], np.concatenate([[0], np.cumsum(count[order])])

        def up_to(places: NDArray[np.int64]) -> NDArray[np.int64]:
            """How many values a day has below a place in the rising order of all values there are."""
            found: NDArray[np.int64] = so_far[np.searchsorted(key, runs.day * width + places)]
            return found

        before = up_to(np.zeros_like(runs.day))
        below, on = (up_to(runs.each(np.searchsorted(steps, runs.aim, side=side))) for side in _BOTH)
        return (below + on) / 2 - before, (up_to(np.full_like(runs.day, width)) - before).astype(np.float64)

    @cached_property
    def _entries(self) -> tuple[NDArray[np.int64], Numbers, NDArray[np.int64]]:
        facts = self.history.facts
        here = slice(None)
        if self.district is not None:
            here = facts.entry_district == facts.row(self.district)
        return facts.entry_day[here], facts.entry_value[here], facts.entry_count[here]

    @cached_property
    def totals(self) -> Totals:
        return self._totals(LEAST_DAYS)

    @cached_property
    def totals_of_a_year(self) -> Totals:
        return self._totals(YEAR_OF_WEEKS)

    def _totals(self, least: int) -> Totals:
        facts, counted = self.history.facts, self.history.usable_mask & self.history.open_mask
        amounts = cells(facts.numerator, facts.city_numerator, facts, self.district)
        return Totals.of(amounts, counted, *self._window(least))


@dataclass(frozen=True)
class _Runs:
    """The days that are held against each aim, one run after the other.

    aim: shape (runs,), each once. day: shape (days of all runs,), their column numbers, under 0 before there
    are facts. shift: shape (cases,), from a column number to its place in the run of the case's aim.
    """

    aim: Numbers
    day: NDArray[np.int64]
    shift: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, aims: Numbers, first: NDArray[np.int64], end: NDArray[np.int64]) -> _Runs:
        aim, run = np.unique(aims, return_inverse=True)
        begin, stop = np.full(len(aim), np.iinfo(np.int64).max), np.zeros(len(aim), dtype=np.int64)
        # The first days of a window are held against those of the weeks before it.
        np.minimum.at(begin, run, first - WEEKS_BEFORE)
        np.maximum.at(stop, run, end)
        lengths = stop - begin
        shift = np.cumsum(lengths) - lengths - begin
        day = np.arange(int(lengths.sum())) - np.repeat(shift, lengths)
        return cls(aim, day, shift[run], lengths)

    def each(self, runs: NDArray[np.int64]) -> NDArray[np.int64]:
        """A number of each run, on each of its days."""
        return np.repeat(runs, self.lengths)


def _array(numbers: Iterable[float | None]) -> Numbers:
    return np.array(list(numbers), dtype=np.float64)


def _bounds(pools: Sequence[Pooled]) -> tuple[Numbers, Numbers]:
    """The intervals of percentiles: infinite where there is a value and no bound, NaN without value."""
    low, high = _array(one.low for one in pools), _array(one.high for one in pools)
    has = ~np.isnan(_array(one.value for one in pools))
    return np.where(has & np.isnan(low), -np.inf, low), np.where(has & np.isnan(high), np.inf, high)
