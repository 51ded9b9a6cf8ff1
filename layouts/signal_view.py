"""What a page shows of a metric's chart: the chart, its target, and what each signal means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

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

    marks: the days marked on its charts, of which those are drawn that lie on it.
    """

    metric: Metric
    grain: Grain
    chart: Chart | None
    newest: Score | None
    marks: tuple[Mark, ...] = ()

    @property
    def lettered(self) -> tuple[tuple[int, Mark], ...]:
        """The marks that lie on the chart, each with its number among all of them."""
        points = self.chart.points if self.chart else ()
        if not points:
            return ()
        first, last = points[0].start, points[-1].start + _AFTER[self.grain]
        return tuple((number, mark) for number, mark in enumerate(self.marks) if first <= mark.day <= last)

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
