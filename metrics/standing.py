"""What of the publication before stands: periods that ended so early that nothing said of them can differ.

Everything a row says looks back from its period's end, never ahead: so a change of anything on a day can
only move rows of periods that end after it, and all that ended by then are left as they were published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from metrics import periods
from metrics.maturity import MEASURED_DAYS
from metrics.model import Aggregation, City, Grain, Metric, Period, Score
from metrics.spread import WEEKS_BEFORE, YEAR_OF_WEEKS

_REACH = timedelta(days=YEAR_OF_WEEKS + WEEKS_BEFORE)
"""How far back a period looks at days: as many as tell how they differ, and what those are held against."""


@dataclass(frozen=True)
class Standing:
    """All periods that ended by `day` stand, in scores and composites alike.

    Of the metrics named in `moved` no score stands, though their composites do. earlier: the whole city's
    published rows of a metric that stand, in order of time; only of those of which some day is not known,
    since a late seat looks back at them. districts: those a metric's facts name, of all days.
    """

    day: date
    moved: frozenset[str] = frozenset()
    districts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[Score]] = field(default_factory=dict)

    def of(self, metric: str) -> date | None:
        """The day by which a metric's periods must have ended to stand; None where none of them does."""
        return None if metric in self.moved else self.day

    def holds(self, period: Period) -> bool:
        """Whether a composite of the period stands."""
        return period.end <= self.day


def begins(city: City, metric: Metric, grain: Grain, stands: date, as_of: date) -> date | None:
    """The first day of the first period to look at; None where all periods of the grain stand.

    It is that of the period before the first that does not stand: changes are told from it. Before a day
    that is the fortnight a composite looks back, and the metric's own previous open day.
    """
    first = periods.period_of(city, grain, stands)
    if first.end > as_of:
        return None
    if grain is not Grain.DAY:
        return periods.before(city, first).start
    opened = periods.previous_open_day(city, metric.calendar, stands)
    return min(stands - timedelta(days=periods.COMPARISON_DAYS), opened or stands)


def facts_begin(city: City, metric: Metric, stands: date | None, as_of: date) -> date:
    """The first day whose facts are asked for; date.min for all there are.

    A target from the past reaches back for years, and so does what tells how much a stock moves.
    """
    if stands is None or metric.historical or metric.aggregation is Aggregation.STOCK:
        return date.min
    starts = [begins(city, metric, grain, stands, as_of) for grain in Grain]
    first = min((start for start in starts if start is not None), default=as_of)
    return min(first - _REACH, as_of - timedelta(days=MEASURED_DAYS))
