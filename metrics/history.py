"""A metric with its facts and what is known of each day: what each of its periods is judged from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metrics import periods
from metrics.facts import Facts, Pool, running
from metrics.maturity import Completeness, Curve
from metrics.model import City, Gap, Grain, Knowledge, Metric, Period, Score, Source
from metrics.standing import begins

Range = tuple[date, date]
Columns = tuple[int, int]
"""A half-open range of column numbers of the facts."""


@dataclass(frozen=True, eq=False)
class History:
    """A metric with its facts and how far they are known. curve None: how late they come is not measured.

    stands: periods that ended by then need no row; None where all need one. earlier: rows that stand.
    """

    city: City
    metric: Metric
    source: Source
    as_of: date
    facts: Facts
    knowledge: Knowledge
    baselines: Mapping[tuple[str, Grain, date], tuple[Range, ...]]
    curve: Curve | None = None
    stands: date | None = None
    earlier: Sequence[Score] = ()

    def begins(self, grain: Grain) -> date | None:
        """The first day of the first period of a grain that is looked at; None where none is."""
        if self.stands is None:
            return date.min
        return begins(self.city, self.metric, grain, self.stands, self.as_of)

    @cached_property
    def first_known(self) -> date | None:
        """The first day the source covers; None when it holds nothing."""
        return self.knowledge.first_day

    @cached_property
    def known_end(self) -> date:
        """The first day that is not wholly known."""
        if self.knowledge.known_until is None:
            return date.min
        return periods.local_day(self.city, self.knowledge.known_until)

    @cached_property
    def open_mask(self) -> NDArray[np.bool_]:
        """Shape (days,): whether the metric is open on each day of its facts."""
        first, days = self.facts.first, self.facts.numerator.shape[1]
        return periods.open_mask(self.city, self.metric.calendar, first, first + timedelta(days=days))

    @cached_property
    def usable_mask(self) -> NDArray[np.bool_]:
        """Shape (days,): whether each day of the facts is known and in no gap."""
        usable = np.ones(self.facts.numerator.shape[1], dtype=bool)
        usable[max(0, self._index(self.known_end)) :] = False
        for gap in self.source.gaps:
            start, end = self._index(gap.from_day), self._index(gap.to_day) + 1
            usable[max(0, start) : max(0, end)] = False
        return usable

    def pool(self, district: str | None = None) -> Pool:
        """The facts of the usable days, of the whole city or of one district."""
        metric = self.metric
        return Pool(
            self.facts, metric.aggregation, self.usable_mask, percentile=metric.percentile, district=district
        )

    @cached_property
    def city_pool(self) -> Pool:
        """The facts of the whole city."""
        return self.pool()

    def completeness(self, columns: Columns) -> float | None:
        """How much of the known days is known, 1 once they are mature; None where that is not measured."""
        return self._completeness.over(*columns) if self._completeness else None

    @cached_property
    def _completeness(self) -> Completeness | None:
        if self.curve is None:
            return None
        return Completeness(self.curve, self.facts.first, self.usable_mask, min(self.as_of, self.known_end))

    def columns(self, start: date, end: date) -> Columns:
        """The columns of [start, end) as far as there are facts."""
        last = self.facts.numerator.shape[1]
        return min(max(0, self._index(start)), last), min(max(0, self._index(end)), last)

    def usable_days(self, period: Period) -> NDArray[np.int64]:
        """The columns of the usable days of a period."""
        start, end = self.columns(period.start, period.end)
        return start + np.flatnonzero(self.usable_mask[start:end])

    def known(self, columns: Columns) -> int:
        """How many days are usable."""
        return self._known[columns[1]] - self._known[columns[0]]

    def open_and_known(self, columns: Columns) -> int:
        """How many days are usable and open."""
        return self._open_and_known[columns[1]] - self._open_and_known[columns[0]]

    def open_days(self, start: date, end: date) -> int:
        """How many days of [start, end) the metric is open, before its facts begin too."""
        first, last = self._index(start), self._index(end)
        if first >= 0 and last < len(self._open):
            return self._open[last] - self._open[first]
        return periods.open_days(self.city, self.metric.calendar, start, end)

    def is_usable(self, day: date) -> bool:
        """Whether `day` is known and in no gap."""
        index = self._index(day)
        return 0 <= index < len(self.usable_mask) and self._known[index + 1] > self._known[index]

    def is_open(self, day: date) -> bool:
        """Whether the metric's calendar is open on `day`."""
        index = self._index(day)
        if 0 <= index < len(self.open_mask):
            return self._open[index + 1] > self._open[index]
        return periods.is_open(self.city, self.metric.calendar, day)

    def gaps(self, period: Period) -> list[Gap]:
        """The declared gaps that touch a period."""
        return self.source.gaps_in(period.start, period.end)

    def dates(self, columns: Iterable[int]) -> list[date]:
        """The days of column numbers."""
        first = self.facts.first
        return [first + timedelta(days=int(column)) for column in columns]

    def _index(self, day: date) -> int:
        return day.toordinal() - self._first

    @cached_property
    def _first(self) -> int:
        return self.facts.first.toordinal()

    @cached_property
    def _known(self) -> list[int]:
        return running(self.usable_mask)

    @cached_property
    def _open(self) -> list[int]:
        return running(self.open_mask)

    @cached_property
    def _open_and_known(self) -> list[int]:
        return running(self.open_mask & self.usable_mask)
