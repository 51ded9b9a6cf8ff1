"""A metric's values over time with the target they are held against, as a Plotly figure."""

from __future__ import annotations

from plotly import graph_objects as go

from layouts import formats
from layouts.charts.course import LABEL_APART
from layouts.charts.line import end_labels, fitting
from layouts.charts.scale import Scale, span, spread
from layouts.formats import _
from layouts.theme import ACCENT, MARGIN, TARGET
from layouts.views import MetricView
from metrics.model import Status

HEIGHT = 340
LABEL_WIDTH = 100.0
MARKED = 60
"""Up to so many points each one is marked."""


def line_figure(view: MetricView) -> go.Figure:
    """The same drawing as `charts.line`, to be explored: values, target as dashed steps, names on hover."""
    figure = go.Figure()
    starts = [score.period.start for score in view.past]
    for aims in ([score.target for score in view.past], [score.target_high for score in view.past]):
        if any(aim is not None for aim in aims):
            figure.add_scatter(
                x=starts,
                y=aims,
                mode="lines",
                name=_("Target"),
                line={"dash": "dash", "shape": "hv", "width": 1.5, "color": TARGET},
                text=[formats.target(view.metric, aim) for aim in aims],
                hovertemplate=f"{_('Target')} %{{text}}<extra></extra>",
            )
    figure.add_scatter(
        x=starts,
        y=[score.value for score in view.past],
        mode="lines+markers" if len(view.past) <= MARKED else "lines",
        name=_("Value"),
        line={"width": 2, "color": ACCENT},
        marker={
            "size": 6,
            "symbol": ["circle-open" if s.status is Status.PROVISIONAL else "circle" for s in view.past],
        },
        text=[formats.value(view.metric, score.value) for score in view.past],
        customdata=[formats.score(score.score) for score in view.past],
        hovertemplate=f"%{{text}} · {_('score')} %{{customdata}}<extra></extra>",
    )
    _arrange(figure, view)
    _label_ends(figure, view)
    return figure


def _arrange(figure: go.Figure, view: MetricView) -> None:
    drawn = [
        number
        for score in view.past
        for number in (score.value, score.target, score.target_high)
        if number is not None
    ]
    is_share = view.metric.unit == "percent"
    figure.update_yaxes(range=span(drawn), tickformat=".0%" if is_share else ",~g")
    figure.update_xaxes(hoverformat="%b %d, %Y")
    figure.update_layout(height=HEIGHT)


def _label_ends(figure: go.Figure, view: MetricView) -> None:
    """The last value and target beside the line, moved apart where they would lie on each other."""
    last = next((score for score in reversed(view.past) if score.value is not None), None)
    if last is None:
        return
    amounts = [number for number in (last.value, last.target, last.target_high) if number is not None]
    low, high = figure.layout.yaxis.range
    upward = Scale(low, high, HEIGHT - MARGIN["t"] - MARGIN["b"], 0.0)
    places = spread([upward.at(number) for number in amounts], LABEL_APART, 0.0, upward.start)
    labels = (fitting(text, LABEL_WIDTH) for text in end_labels(view, last))
    for text, place in zip(labels, places, strict=True):
        figure.add_annotation(
            text=text,
            x=1,
            xref="paper",
            xanchor="left",
            xshift=8,
            y=1 - place / upward.start,
            yref="paper",
            yanchor="middle",
            showarrow=False,
        )
