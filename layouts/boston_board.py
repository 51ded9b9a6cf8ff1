"""The scoreboard as Boston shows it: topic, day, week, month, quarter, and the two city scores beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.boston_view import BostonView, Topic
from layouts.components import Children, labelled_by, row, scrolling, section, table
from layouts.formats import _, boards
from layouts.links import metric_link
from layouts.today_view import matching
from layouts.views import Edition
from metrics.model import Composite, Grain

SILENT: dict[str, Any] = {"aria-hidden": "true"}


def boston(view: BostonView, tools: Component, wanted: str) -> list[html.Section]:
    """One table with a rule above it, and below it the sum that Boston would print beside ours.

    wanted: only topics that hold these words are listed; the sums are of all.
    """
    found = {one.metric.id for one in matching([one.line for one in view.topics], wanted)}
    said = [html.P(boards.boston_rule()), html.P(boards.boston_difference(), className="small muted")]
    heads = [(_("Topic"), ""), *((formats.grain_word(grain), "number-cell") for grain in Grain)]
    rows = [_topic(one, view.city.edition) for one in view.topics if one.line.metric.id in found]
    sums = [
        _composites(_("All topics by Boston's arithmetic"), view, lambda one: one.cityscore),
        _composites(_("Our score"), view, lambda one: one.score),
    ]
    shown = table(boards.boston_caption(view.city), heads, [*rows, *sums], className="boston")
    board = scrolling(shown, labelled_by("services"), "sheet scroll")
    title = _("Every topic, as Boston shows it")
    return [section(title, tools, html.Div(said, className="card boston-rule"), board, id="services")]


def _topic(one: Topic, edition: Edition) -> html.Tr:
    metric = one.line.metric
    name = [
        dcc.Link(metric.name, href=metric_link(edition, metric.id)),
        html.Span(one.line.department, className="muted"),
    ]
    return row(name, *(_cell(one.scores[grain]) for grain in Grain))


def _cell(number: float | None) -> tuple[Children, str]:
    """A score with the sign of Boston's plain rule, in words for those who do not see it."""
    if number is None:
        return html.Span(formats.NOTHING, className="muted"), "number-cell"
    sign, words = boards.boston_side(number)
    shown = [html.Span(sign, **SILENT), html.Span(words, className="unseen")]
    return [boards.boston_score(number), " ", *shown], "number-cell"


def _composites(name: str, view: BostonView, number: Callable[[Composite], float | None]) -> html.Tr:
    found = view.city.composites
    cells = [_cell(number(found[grain]) if grain in found else None) for grain in Grain]
    return row(name, *cells, className="sum")
