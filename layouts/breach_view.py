"""What of a metric, or of a department's metrics, is about to miss its deadline: read from today's records.

No sentence is made here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from layouts.views import Edition
from metrics.model import Metric
from store import breaches
from store.breaches import Breaches, OpenCase
from store.engine import Connection

AGES = (7, 14, 30, 90)
"""The last day of each class of what is overdue; beyond the last is one more."""

OLDEST = 10


@dataclass(frozen=True)
class BreachView:
    """The open cases of one metric by the day they are due, and the oldest of them."""

    edition: Edition
    metric: Metric
    found: Breaches
    oldest: tuple[OpenCase, ...] = ()

    @property
    def open(self) -> int:
        """How many are open and due within the days ahead."""
        return sum(day.open for day in self.found.days)

    @property
    def misses(self) -> float | None:
        """How many of them are expected to miss their deadline; None where that cannot be said."""
        return total(day.misses for day in self.found.days)

    @property
    def overdue(self) -> int:
        """How many are open beyond their deadline."""
        return sum(self.found.overdue.values())


def breach_view(
    connection: Connection, edition: Edition, metric: Metric, *, oldest: bool
) -> BreachView | None:
    """What of a metric is about to miss its deadline.

    None for a metric without one, and for an older publication: the records of today say nothing of its day.
    oldest: with the oldest open cases, which are records and no numbers.
    """
    known = edition.knowledge.get(metric.source)
    if edition.is_pinned or known is None or known.known_until is None:
        return None
    as_of = edition.publication.as_of
    found = breaches.breaches_of(connection, edition.catalogue, metric, as_of)
    if found is None or not (found.overdue or any(day.open for day in found.days)):
        return None
    cases = breaches.open_cases(connection, edition.catalogue, metric, as_of, OLDEST) if oldest else []
    return BreachView(edition, metric, found, tuple(cases))


def breach_views(
    connection: Connection, edition: Edition, metrics: Iterable[Metric]
) -> tuple[BreachView, ...]:
    """The same for each of several metrics that has a deadline, without single cases."""
    found = (breach_view(connection, edition, one, oldest=False) for one in metrics)
    return tuple(one for one in found if one is not None)


def by_age(overdue: Mapping[int, int]) -> tuple[int, ...]:
    """How many are overdue in each class of AGES, and beyond."""
    counted: Counter[int] = Counter()
    for days, count in overdue.items():
        counted[sum(days > last for last in AGES)] += count
    return tuple(counted[place] for place in range(len(AGES) + 1))


def by_day(views: Iterable[BreachView]) -> tuple[tuple[date, int, float | None], ...]:
    """Of several metrics together: by day how many open cases are due, and how many will be late."""
    days = zip(*(one.found.days for one in views), strict=True)
    return tuple(
        (some[0].day, sum(one.open for one in some), total(one.misses for one in some)) for some in days
    )


def total(numbers: Iterable[float | None]) -> float | None:
    """The sum; None where one of them cannot be said."""
    found = list(numbers)
    return None if None in found else sum(one for one in found if one is not None)
