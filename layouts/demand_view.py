"""How much a department had to do beside how it did: its score and the records of its measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import TYPE_CHECKING

from layouts.city_view import RECENT
from layouts.department_view import DepartmentView
from layouts.formats.sentences import counts_records
from metrics.model import Composite, Grain, Metric, Period, Score
from metrics.periods import year_before
from store import publications

if TYPE_CHECKING:
    from store.engine import Connection

LEAST = 6
"""Of fewer periods nobody can say what is usual."""


@dataclass(frozen=True)
class Demand:
    """A period: its score, None without one; the records behind it, None where some are not known."""

    period: Period
    score: float | None
    records: int | None


@dataclass(frozen=True)
class DemandView:
    """A department over its recent periods, oldest first. metrics: those whose records are counted.

    year_before: the records of the newest period a year before, None where they are not known.
    """

    metrics: tuple[Metric, ...]
    grain: Grain
    past: tuple[Demand, ...]
    year_before: int | None

    @property
    def newest(self) -> Demand:
        """The newest period."""
        return self.past[-1]

    @property
    def usual(self) -> float | None:
        """The median of the periods before the newest one; None for too few."""
        known = [one.records for one in self.past[:-1] if one.records is not None]
        return median(known) if len(known) >= LEAST else None


def demand_view(connection: Connection, view: DepartmentView) -> DemandView | None:
    """The recent periods of a department at the grain its page opens on.

    None where none of its services counts records, or there are not two periods with a number of them.
    """
    scores, edition = view.scores, view.edition
    lines = [one for one in scores.services if counts_records(one.metric) and one.recent]
    if scores.opening is None or not lines:
        return None
    grain, scope = scores.opening, ("department", view.department.id)
    since = edition.since(grain, RECENT[grain])
    found = publications.composite_series(connection, edition.publication, scope, grain, since)
    by_metric = [{score.period.start: score for score in line.recent} for line in lines]
    past = tuple(_demand(one, by_metric) for one in found[-RECENT[grain] :])
    if sum(one.records is not None for one in past) < 2:
        return None
    before = year_before(edition.city, past[-1].period)
    rows = (
        publications.series(
            connection, edition.publication, line.metric.id, grain, since=before.start, until=before.end
        )
        for line in lines
    )
    earlier = [{score.period.start: score for score in some} for some in rows]
    metrics = tuple(line.metric for line in lines)
    return DemandView(metrics, grain, past, _records(before.start, earlier))


def _demand(composite: Composite, by_metric: Sequence[Mapping[date, Score]]) -> Demand:
    return Demand(composite.period, composite.score, _records(composite.period.start, by_metric))


def _records(start: date, by_metric: Sequence[Mapping[date, Score]]) -> int | None:
    """All records of a period; those of some metrics alone would look like a quiet week."""
    found = [scores[start].n if start in scores else None for scores in by_metric]
    return None if any(one is None for one in found) else sum(one or 0 for one in found)
