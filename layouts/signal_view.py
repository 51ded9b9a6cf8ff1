"""What a page shows of a metric's chart: the chart, its target, and what each signal means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from layouts.views import MetricView
from metrics.limits import ChartKind
from metrics.metric_signals import charted_direction
from metrics.model import Grain, Metric, Score
from metrics.signals import Assurance, Chart, Point, Variation, variation
from store.notes import Mark

MEANINGS = (*Variation, *Assurance)
"""All that a chart may say, in the order of a key."""

_AFTER = {
    Grain.DAY: timedelta(days=0),
    Grain.WEEK: timedelta(days=6),
    Grain.MONTH: timedelta(days=30),
    Grain.QUARTER: timedelta(days=92),
}
"""How long after the start of its last period a chart ends."""


@dataclass(frozen=True)
class ControlView:
    """The chart of a metric at a grain. newest: its newest period, whose target is drawn.

    marks: the days marked on its charts, of which those are drawn that lie on it. rows: the published periods
    it is about, whose targets are drawn in steps; without any the newest target is. earlier: periods before
    its points, drawn without limits. year_ago: by the start of a point the same period a year before.
    """

    metric: Metric
    grain: Grain
    chart: Chart | None
    newest: Score | None
    marks: tuple[Mark, ...] = ()
    rows: tuple[Score, ...] = ()
    earlier: tuple[Score, ...] = ()
    year_ago: Mapping[date, Score] = field(default_factory=dict)

    @property
    def lettered(self) -> tuple[tuple[int, Mark], ...]:
        """The marks that lie on the chart, each with its number among all of them."""
        points = self.chart.points if self.chart else ()
        if not points:
            return ()
        begins = self.earlier[0].period.start if self.earlier else points[0].start
        first, last = begins, points[-1].start + _AFTER[self.grain]
        return tuple((number, mark) for number, mark in enumerate(self.marks) if first <= mark.day <= last)

    @property
    def aims(self) -> tuple[tuple[tuple[date, float | None], ...], ...]:
        """The targets in force by period, one line or the two of a band; none where they are on no scale."""
        if self.chart is None or self.chart.kind is ChartKind.G:
            return ()
        if not self.rows:
            ends = (self.chart.points[0].start, self.chart.points[-1].start)
            return tuple(tuple((day, aim) for day in ends) for aim in self.targets)
        lines = (
            tuple((row.period.start, row.target) for row in self.rows),
            tuple((row.period.start, row.target_high) for row in self.rows),
        )
        return tuple(line for line in lines if any(aim is not None for _start, aim in line))

    @property
    def targets(self) -> tuple[float, ...]:
        """The target, or both ends of its band, where it lies on the scale of the chart."""
        if self.newest is None or self.chart is None or self.chart.kind is ChartKind.G:
            return ()
        return tuple(aim for aim in (self.newest.target, self.newest.target_high) if aim is not None)

    def meaning(self, point: Point) -> Variation | None:
        """What the signal at a point means; None where there is none."""
        if self.chart is None or point.signal is None:
            return None
        return variation(point.signal, charted_direction(self.metric, self.chart.kind))

    @property
    def meanings(self) -> tuple[Variation, ...]:
        """What signals of the chart mean, each once, in the order of the words."""
        points = self.chart.points if self.chart else ()
        found = {self.meaning(point) for point in points}
        return tuple(one for one in Variation if one in found)


def control_of(view: MetricView, marks: tuple[Mark, ...] = ()) -> ControlView:
    """The chart on the page of a metric, with the days marked on its charts."""
    newest = view.scores.get(view.chart_grain)
    return ControlView(view.metric, view.chart_grain, view.chart, newest, marks)
