"""A control chart as a Plotly figure: the same drawing as `charts.control`, to be explored."""

from __future__ import annotations

from plotly import graph_objects as go

from layouts import formats
from layouts.charts.control import spans
from layouts.charts.scale import span
from layouts.formats import _, notes, signals
from layouts.signal_view import ControlView
from layouts.theme import BETTER_ON_BOTH, GREY, MARGIN, TARGET_ON_BOTH, VALUE_ON_BOTH, WORSE_ON_BOTH
from metrics.limits import ChartKind
from metrics.signals import Chart, Point, Variation

HEIGHT, EDGE = 340, 16
BAND = "rgba(134, 174, 242, 0.16)"
"""The band, seen on light and on dark cards alike."""

SYMBOLS = {
    Variation.IMPROVEMENT: "square",
    Variation.CONCERN: "diamond",
    Variation.HIGH: "triangle-up-open",
    Variation.LOW: "triangle-down-open",
}
COLOURS = {Variation.IMPROVEMENT: BETTER_ON_BOTH, Variation.CONCERN: WORSE_ON_BOTH}


def control_figure(view: ControlView, chart: Chart) -> go.Figure:
    """Limits as a band, the centre, the target and the values; a signal has a shape of its own."""
    figure = go.Figure()
    for points in spans(chart):
        _limits(figure, view, chart, points)
    _target(figure, view, chart)
    _values(figure, view, chart)
    _marks(figure, view)
    amounts = [
        one for point in chart.points for one in (point.value, point.lower, point.upper) if one is not None
    ]
    is_share = view.metric.unit == "percent" and chart.kind is not ChartKind.G
    figure.update_yaxes(range=span([*amounts, *view.targets]), tickformat=".0%" if is_share else ",~g")
    figure.update_xaxes(hoverformat="%b %d, %Y", tickangle=0, nticks=7)
    figure.update_layout(height=HEIGHT, margin={**MARGIN, "r": EDGE})
    return figure


def _limits(figure: go.Figure, view: ControlView, chart: Chart, points: list[Point]) -> None:
    starts = [one.start for one in points]
    edge = {"width": 1, "color": GREY}
    for name, amounts, more in (
        (_("Lower"), [one.lower for one in points], {"line": edge}),
        (_("Upper"), [one.upper for one in points], {"line": edge, "fill": "tonexty", "fillcolor": BAND}),
        (_("Centre"), [one.center for one in points], {"line": {**edge, "dash": "dot"}}),
    ):
        figure.add_scatter(
            x=starts,
            y=amounts,
            mode="lines",
            name=name,
            text=[signals.amount(view.metric, chart, one) for one in amounts],
            hovertemplate=f"{name} %{{text}}<extra></extra>",
            **more,
        )


def _target(figure: go.Figure, view: ControlView, chart: Chart) -> None:
    ends = [chart.points[0].start, chart.points[-1].start]
    for aim in view.targets:
        said = formats.target(view.metric, aim)
        figure.add_scatter(
            x=ends,
            y=[aim, aim],
            mode="lines",
            name=_("Target"),
            line={"dash": "dash", "width": 1.5, "color": TARGET_ON_BOTH},
            hovertemplate=f"{_('Target')} {said}<extra></extra>",
        )


def _marks(figure: go.Figure, view: ControlView) -> None:
    """A line on each marked day with its letter; what it says stands under the chart."""
    for number, mark in view.lettered:
        where = {"x0": mark.day, "x1": mark.day, "y0": 0, "y1": 1, "yref": "paper"}
        figure.add_shape(type="line", line={"width": 1.2, "dash": "dot", "color": GREY}, **where)
        figure.add_annotation(
            text=notes.letter(number), x=mark.day, y=1, yref="paper", yanchor="bottom", showarrow=False
        )


def _values(figure: go.Figure, view: ControlView, chart: Chart) -> None:
    meanings = [view.meaning(one) for one in chart.points]
    plain = ["circle-open" if one.provisional else "circle" for one in chart.points]
    figure.add_scatter(
        x=[one.start for one in chart.points],
        y=[one.value for one in chart.points],
        mode="lines+markers",
        name=_("Value"),
        line={"width": 1.4, "color": VALUE_ON_BOTH},
        marker={
            "opacity": 1,
            "line": {"width": [0 if one else 1 for one in meanings]},
            "size": [11 if one else 5 for one in meanings],
            "symbol": [SYMBOLS[one] if one else dot for one, dot in zip(meanings, plain, strict=True)],
            "color": [COLOURS.get(one, GREY) if one else VALUE_ON_BOTH for one in meanings],
        },
        text=[signals.amount(view.metric, chart, one.value) for one in chart.points],
        customdata=[signals.point_note(one) for one in chart.points],
        hovertemplate="%{text} %{customdata}<extra></extra>",
    )
