"""The periods of one grain that are judged together, and what their days say of chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metrics.facts import Pooled, cells
from metrics.history import Columns, History
from metrics.scoring import Bound
from metrics.spread import LEAST_DAYS, WEEKS_BEFORE, YEAR_OF_WEEKS, Shares, Spread, Totals

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]


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
        return self._spread(LEAST_DAYS)

    @cached_property
    def spread_of_a_year(self) -> Spread:
        return self._spread(YEAR_OF_WEEKS)

    def _spread(self, least: int) -> Spread:
        facts, usable = self.history.facts, self.history.usable_mask
        amounts = cells(facts.numerator, facts.city_numerator, facts, self.district)
        sizes = cells(facts.denominator, facts.city_denominator, facts, self.district)
        return Spread.of(amounts, sizes, usable, *self._window(least))

    @cached_property
    def shares(self) -> Shares:
        facts = self.history.facts
        good = cells(facts.numerator, facts.city_numerator, facts, self.district)
        cases = cells(facts.denominator, facts.city_denominator, facts, self.district)
        return Shares.of(good, cases, self.history.usable_mask, *self._window(YEAR_OF_WEEKS))

    def under(self, aims: Numbers, least: int) -> tuple[Shares, Numbers]:
        """How the share of values under the aim of each case differs by day, and how many its period has.

        It differs over `least` days or the period. A value on the aim counts half.
        """
        (first, end), starts = self._window(least), np.array([one.columns[0] for one in self.cases])
        dispersion, freedom, under = (np.full(len(aims), np.nan) for _ in range(3))
        for aim in np.unique(aims[~np.isnan(aims)]):
            at = aims == aim
            # The first days of a window are held against those of the week before it.
            begin, stop = max(0, int(first[at].min()) - WEEKS_BEFORE), int(end[at].max())
            low, every = self._by_day(begin, stop, float(aim))
            usable = self.history.usable_mask[begin:stop]
            found = Shares.of(low, every, usable, first[at] - begin, end[at] - begin)
            dispersion[at], freedom[at] = found.dispersion, found.freedom
            so_far = np.concatenate([[0.0], np.cumsum(np.where(usable, low, 0.0))])
            under[at] = so_far[end[at] - begin] - so_far[starts[at] - begin]
        return Shares(dispersion, freedom), under

    def _by_day(self, begin: int, stop: int, aim: float) -> tuple[Numbers, Numbers]:
        """How many values under an aim, and how many at all, each day of [begin, stop) has."""
        day, value, count = self._entries
        part = slice(*np.searchsorted(day, [begin, stop]))
        counts = count[part].astype(np.float64)
        under = np.where(value[part] < aim, 1.0, np.where(value[part] == aim, 0.5, 0.0))
        low, every = (np.bincount(day[part] - begin, one, stop - begin) for one in (counts * under, counts))
        return low.astype(np.float64), every.astype(np.float64)

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


def _array(numbers: Iterable[float | None]) -> Numbers:
    return np.array(list(numbers), dtype=np.float64)


def _bounds(pools: Sequence[Pooled]) -> tuple[Numbers, Numbers]:
    """The intervals of percentiles: infinite where there is a value and no bound, NaN without value."""
    low, high = _array(one.low for one in pools), _array(one.high for one in pools)
    has = ~np.isnan(_array(one.value for one in pools))
    return np.where(has & np.isnan(low), -np.inf, low), np.where(has & np.isnan(high), np.inf, high)
