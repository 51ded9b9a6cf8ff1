"""How values spread, as bars in a Plotly figure, with the middle, nine in ten and the target marked."""

from __future__ import annotations

from plotly import graph_objects as go

from layouts import formats
from layouts.formats import _, distributions
from layouts.theme import GREY, MARGIN, TARGET_ON_BOTH, VALUE_ON_BOTH
from metrics.distribution import Distribution
from metrics.model import Metric, Score

HEIGHT, TOP, EDGE = 340, 16, 16
LINE = 16
"""How much lower each next label stands, so that none lies on another."""


def spread_figure(metric: Metric, score: Score, found: Distribution) -> go.Figure:
    """A bar for each step; a line for the median, for nine in ten, and for each end of the target."""
    figure = go.Figure()
    width = (found.steps[0].high or found.steps[0].low + 1) - found.steps[0].low
    figure.add_bar(
        x=[step.low + width / 2 for step in found.steps],
        y=[step.count for step in found.steps],
        width=width * 0.92,
        marker={"color": VALUE_ON_BOTH},
        text=[distributions.step(metric, step) for step in found.steps],
        textposition="none",
        customdata=[distributions.share(found, step) for step in found.steps],
        hovertemplate="%{text}: %{y} (%{customdata})<extra></extra>",
    )
    marks = [(found.median, _("Half"), GREY), (found.p90, _("Nine in ten"), GREY)]
    marks += [
        (aim, _("Target"), TARGET_ON_BOTH) for aim in (score.target, score.target_high) if aim is not None
    ]
    for place, (at, name, colour) in enumerate(sorted(marks, key=lambda mark: mark[0])):
        _mark(figure, at, f"{name} {formats.value(metric, at)}", colour, place)
    figure.update_layout(
        height=HEIGHT, margin={**MARGIN, "r": EDGE, "t": TOP + LINE * len(marks)}, hovermode="closest"
    )
    return figure


def _mark(figure: go.Figure, at: float, said: str, colour: str, place: int) -> None:
    line = {"width": 1.6, "dash": "dash", "color": colour}
    figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, yref="paper", line=line)
    figure.add_annotation(
        text=said, x=at, y=1, yref="paper", yanchor="bottom", yshift=LINE * place, showarrow=False
    )
