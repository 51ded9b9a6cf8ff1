"""What is about to miss its deadline: how many of the open cases will, by the day they are due.

A forecast says of each open case what became of the cases that were open as long before their deadline in
the twelve weeks before. It is held against the eight weeks that have passed: what it would have said at the
start of each, and what came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

AHEAD_DAYS = 14
HISTORY_DAYS = 84
WEEK_DAYS = 7
CHECKED_WEEKS = 8
BACK_DAYS = HISTORY_DAYS + WEEK_DAYS * CHECKED_WEEKS
"""How far back cases are looked at, by the day they were due."""

FEWEST_CASES = 20
"""Of fewer past cases in all nothing is forecast."""

PULL = 5.0
"""So many cases of the overall share are added to those of one lead: three of three are no certainty."""


@dataclass(frozen=True)
class DueCase:
    """Cases opened, due and closed on the same days. closed None: still open; missed: not closed in time."""

    opened: date
    due: date
    closed: date | None
    missed: bool
    count: int = 1

    @property
    def leads(self) -> slice:
        """The mornings before the deadline, in days, on which it was open."""
        least = 0 if self.closed is None else max(0, (self.due - self.closed).days)
        return slice(least, max(least, min(AHEAD_DAYS, (self.due - self.opened).days)))


@dataclass(frozen=True)
class DueDay:
    """The open cases due on a day, and how many of them are expected to miss it; None where none can be."""

    day: date
    open: int
    misses: float | None


@dataclass(frozen=True)
class Breaches:
    """The open cases by the day they are due, and how good such forecasts were.

    overdue: by how many days, open cases whose deadline has passed; they have missed it. weeks: so many past
    weeks were forecast. error: by how many cases a week, on average. came: how many misses came a week, of
    the cases that were open when it began. Both are None where no week could be forecast.
    """

    as_of: date
    days: tuple[DueDay, ...]
    overdue: Mapping[int, int]
    weeks: int
    error: float | None
    came: float | None


def breaches(cases: Iterable[DueCase], as_of: date) -> Breaches:
    """What is about to miss its deadline, as of the morning of a day.

    cases: as they read then; those due from BACK_DAYS before it on, and all that are open.
    """
    table, overdue = _Table(as_of), Counter[int]()
    for one in cases:
        table.add(one)
        if one.closed is None and one.due < as_of:
            overdue[(as_of - one.due).days] += one.count
    share, ahead = table.shares(0), table.open_on(0)
    days = tuple(
        DueDay(
            as_of + timedelta(days=lead),
            int(ahead[lead]),
            None if share is None else float(ahead[lead] * share[lead]),
        )
        for lead in range(AHEAD_DAYS)
    )
    checks = [held for week in range(1, CHECKED_WEEKS + 1) if (held := table.check(week * WEEK_DAYS))]
    error = sum(abs(said - came) for said, came in checks) / len(checks) if checks else None
    came = sum(came for _, came in checks) / len(checks) if checks else None
    return Breaches(as_of, days, dict(sorted(overdue.items())), len(checks), error, came)


class _Table:
    """Cases by the day they were due, and by how many days before it they were open on its morning.

    seen, missed: shape (days, leads), row 0 being BACK_DAYS before as_of.
    """

    def __init__(self, as_of: date) -> None:
        self._first = as_of - timedelta(days=BACK_DAYS)
        shape = BACK_DAYS + AHEAD_DAYS, AHEAD_DAYS
        self._seen, self._missed = np.zeros(shape), np.zeros(shape)
        self._all = np.zeros(shape[0])

    def add(self, one: DueCase) -> None:
        row = (one.due - self._first).days
        if 0 <= row < len(self._all):
            self._all[row] += one.count
            self._seen[row, one.leads] += one.count
            if one.missed:
                self._missed[row, one.leads] += one.count

    def open_on(self, days_ago: int) -> NDArray[np.float64]:
        """Shape (leads,): of the cases open on a morning, how many were due so many days later."""
        return np.diagonal(self._seen, days_ago - BACK_DAYS)[:AHEAD_DAYS]

    def shares(self, days_ago: int) -> NDArray[np.float64] | None:
        """Shape (leads,): the share of those open so long before it that missed their deadline.

        From the deadlines of the HISTORY_DAYS before a morning; None for too few.
        """
        end = BACK_DAYS - days_ago
        past = slice(end - HISTORY_DAYS, end)
        if self._all[past].sum() < FEWEST_CASES:
            return None
        seen, missed = self._seen[past].sum(axis=0), self._missed[past].sum(axis=0)
        overall = missed.sum() / seen.sum() if seen.any() else 0.0
        shares: NDArray[np.float64] = (missed + PULL * overall) / (seen + PULL)
        return shares

    def check(self, days_ago: int) -> tuple[float, float] | None:
        """What would have been said on a morning of the misses of that week, and what came."""
        share = self.shares(days_ago)
        if share is None:
            return None
        came = np.diagonal(self._missed, days_ago - BACK_DAYS)[:WEEK_DAYS]
        return float(self.open_on(days_ago)[:WEEK_DAYS] @ share[:WEEK_DAYS]), float(came.sum())
