"""How the values behind a median or a percentile spread, on the staff page of its metric."""

from __future__ import annotations

from dash import html

from layouts import formats
from layouts.charts.graph import graph
from layouts.charts.plotly_bars import spread_figure
from layouts.components import labelled, labelled_by, row, scrolling, table
from layouts.formats import _, distributions
from metrics.distribution import Distribution
from metrics.model import Metric, Score


def distribution_section(
    metric: Metric, score: Score | None, found: Distribution | None
) -> list[html.Section]:
    """The bars, what they say and the same as a table; nothing where no values are kept."""
    if found is None or score is None:
        return []
    said = distributions.finding(metric, found)
    heads = [(_("Value"), ""), (_("How many"), "number-cell"), (_("Share"), "number-cell")]
    rows = [
        row(
            distributions.step(metric, step),
            (formats.count(step.count), "number-cell"),
            (distributions.share(found, step), "number-cell"),
        )
        for step in found.steps
    ]
    name = _("The bars as a table")
    figure = html.Figure(
        [
            html.Div(
                [
                    html.H2(_("How the values spread"), id="spread"),
                    html.P(formats.period(score.period), className="small muted"),
                ],
                className="section-head",
            ),
            html.P(said),
            html.Div(
                graph("spread-graph", spread_figure(metric, score, found)), role="group", **labelled(said)
            ),
            html.Figcaption(distributions.caption(metric, found)),
            html.Details(
                [
                    html.Summary(name),
                    scrolling(table(formats.period(score.period), heads, rows), labelled(name)),
                ]
            ),
        ],
        className="card",
    )
    return [html.Section(figure, className="section", **labelled_by("spread"))]
