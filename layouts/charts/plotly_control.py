"""A control chart as a Plotly figure: the same drawing as `charts.control`, to be explored."""

from __future__ import annotations

from plotly import graph_objects as go

from layouts import formats
from layouts.charts.control import spans
from layouts.charts.course import LONG
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
    _target(figure, view)
    _earlier(figure, view)
    _year_ago(figure, view, chart)
    _values(figure, view, chart)
    _marks(figure, view)
    amounts = [
        one for point in chart.points for one in (point.value, point.lower, point.upper) if one is not None
    ]
    beside = (*view.earlier, *view.year_ago.values())
    amounts += [row.value for row in beside if row.value is not None]
    aims = [aim for line in view.aims for _start, aim in line if aim is not None]
    is_share = view.metric.unit == "percent" and chart.kind is not ChartKind.G
    figure.update_yaxes(range=span([*amounts, *aims]), tickformat=".0%" if is_share else ",~g")
    figure.update_xaxes(hoverformat="%b %d, %Y", tickangle=0, nticks=7, tickformat=_days(view, chart))
    figure.update_layout(height=HEIGHT, margin={**MARGIN, "r": EDGE})
    return figure


def _days(view: ControlView, chart: Chart) -> str:
    """How days are written beside the axis: the year beneath, where it changes, so that they fit a phone."""
    first = view.earlier[0].period.start if view.earlier else chart.points[0].start
    return "%b\n%Y" if chart.points[-1].start - first > LONG else "%b %-d\n%Y"


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


def _target(figure: go.Figure, view: ControlView) -> None:
    """The target in force in each period, in steps."""
    for line in view.aims:
        figure.add_scatter(
            x=[start for start, _aim in line],
            y=[aim for _start, aim in line],
            mode="lines",
            name=_("Target"),
            line={"dash": "dash", "shape": "hv", "width": 1.5, "color": TARGET_ON_BOTH},
            text=[formats.target(view.metric, aim) for _start, aim in line],
            hovertemplate=f"{_('Target')} %{{text}}<extra></extra>",
        )


def _earlier(figure: go.Figure, view: ControlView) -> None:
    """What was before the chart: no limits, nothing judged. It ends at the chart's first value."""
    if not view.earlier:
        return
    first = view.chart.points[0] if view.chart else None
    rows = [(row.period.start, row.value) for row in view.earlier]
    joined = [*rows, (first.start, first.value)] if first else rows
    figure.add_scatter(
        x=[start for start, _value in joined],
        y=[value for _start, value in joined],
        mode="lines",
        name=_("Earlier"),
        line={"width": 1.2, "color": GREY},
        text=[formats.value(view.metric, value) for _start, value in joined],
        hovertemplate=f"{_('Earlier')} %{{text}}<extra></extra>",
    )


def _year_ago(figure: go.Figure, view: ControlView, chart: Chart) -> None:
    """The same periods a year before, each above the one it is compared with."""
    if not view.year_ago:
        return
    found = [view.year_ago.get(one.start) for one in chart.points]
    figure.add_scatter(
        x=[one.start for one in chart.points],
        y=[row.value if row else None for row in found],
        mode="lines+markers",
        name=_("A year before"),
        line={"dash": "dot", "width": 1.6, "color": GREY},
        marker={"symbol": "x-thin-open", "size": 6, "color": GREY},
        text=[formats.value(view.metric, row.value) if row else "" for row in found],
        customdata=[formats.day(row.period.start) if row else "" for row in found],
        hovertemplate=f"{_('A year before')} (%{{customdata}}) %{{text}}<extra></extra>",
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
