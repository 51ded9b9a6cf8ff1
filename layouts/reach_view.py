"""How far back a control chart is shown: its own points, what was before them, or the same season a year ago.

The limits and what the chart says stay those it was published with: looking further back changes no finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from layouts.metric_asked import Asked, Reach
from layouts.views import MetricView
from metrics.limits import ChartKind
from metrics.model import Grain, Period, Score
from metrics.periods import year_before
from metrics.signals import Chart
from store import publications, signals

if TYPE_CHECKING:
    from store.engine import Connection

DAYS = {Reach.WEEKS_52: 7 * 52, Reach.YEARS_3: 3 * 366}
SEASON = {Grain.DAY: 91, Grain.WEEK: 13, Grain.MONTH: 12, Grain.QUARTER: 4}
"""How many of the newest points stand beside those of a year before."""


@dataclass(frozen=True)
class Reached:
    """What is shown of a chart, and beside it.

    chart: with the points that are shown; None where there is none. choices: the reaches to choose from.
    rows: the published periods of what is shown, whose targets are drawn. earlier: those before the first
    point. year_ago: by the start of a point the same period a year before.
    """

    reach: Reach
    choices: tuple[Reach, ...] = ()
    chart: Chart | None = None
    rows: tuple[Score, ...] = ()
    earlier: tuple[Score, ...] = ()
    year_ago: Mapping[date, Score] = field(default_factory=dict)


def reached(connection: Connection, view: MetricView, asked: Asked) -> Reached:
    """What is shown of the chart of a metric. Of events so rare that days between them are charted: all."""
    chart, grain, reach = view.chart, view.chart_grain, asked.chart_reach
    if chart is None or not chart.points or chart.kind is ChartKind.G:
        return Reached(reach, chart=chart)
    first = view.edition.publication.as_of - timedelta(days=DAYS[Reach.YEARS_3] + 400)
    found = publications.series(
        connection,
        view.edition.publication,
        view.metric.id,
        grain,
        since=first,
        hidden=signals.hidden_of(connection, view.metric),
    )
    by_start = {row.period.start: row for row in found}
    if reach is Reach.SEASON:
        return _season(view, chart, by_start)
    since = view.edition.publication.as_of - timedelta(days=DAYS[reach])
    points = tuple(one for one in chart.points if one.start >= since) or chart.points[-1:]
    earlier = tuple(row for row in found if since <= row.period.start < points[0].start)
    rows = (*earlier, *(by_start[one.start] for one in points if one.start in by_start))
    return Reached(reach, tuple(Reach), replace(chart, points=points), rows, earlier)


def _season(view: MetricView, chart: Chart, by_start: Mapping[date, Score]) -> Reached:
    points = chart.points[-SEASON[view.chart_grain] :]
    rows = tuple(by_start[one.start] for one in points if one.start in by_start)
    before = {row.period.start: _year_before(view, row.period) for row in rows}
    year_ago = {start: by_start[day] for start, day in before.items() if day in by_start}
    return Reached(Reach.SEASON, tuple(Reach), replace(chart, points=points), rows=rows, year_ago=year_ago)


def _year_before(view: MetricView, period: Period) -> date:
    return year_before(view.edition.city, period).start
