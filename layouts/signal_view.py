"""What a page shows of a metric's chart: the chart, its target, and what each signal means."""

from __future__ import annotations

from dataclasses import dataclass

from layouts.views import MetricView
from metrics.limits import ChartKind
from metrics.metric_signals import charted_direction
from metrics.model import Grain, Metric, Score
from metrics.signals import Assurance, Chart, Point, Variation, variation

MEANINGS = (*Variation, *Assurance)
"""All that a chart may say, in the order of a key."""


@dataclass(frozen=True)
class ControlView:
    """The chart of a metric at a grain. newest: its newest period, whose target is drawn."""

    metric: Metric
    grain: Grain
    chart: Chart | None
    newest: Score | None

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


def control_of(view: MetricView) -> ControlView:
    """The chart on the page of a metric."""
    return ControlView(view.metric, view.chart_grain, view.chart, view.scores.get(view.chart_grain))
