"""How much a department had to do, under its score, on its staff page."""

from __future__ import annotations

from dash import html

from layouts import formats
from layouts.charts.course import NARROW, WIDE
from layouts.charts.demand import demand_picture
from layouts.charts.embedded import Svg
from layouts.components import labelled, row, scrolling, section, table
from layouts.demand_view import DemandView
from layouts.formats import _, demand


def demand_section(view: DemandView | None) -> list[html.Section]:
    """The finding, the two panels and the same as a table; nothing where no records are counted."""
    if view is None:
        return []
    heads = [(_("Period"), ""), (_("Score"), "number-cell"), (_("Records"), "number-cell")]
    rows = [
        row(
            formats.short_period(one.period),
            (formats.score(one.score), "number-cell"),
            (formats.NOTHING if one.records is None else formats.count(one.records), "number-cell"),
        )
        for one in reversed(view.past)
    ]
    name = _("Score and records as a table")
    figure = html.Figure(
        [
            html.P(demand.finding(view)),
            Svg(demand_picture(view, WIDE)),
            Svg(demand_picture(view, NARROW)),
            html.Figcaption([demand.caption(view), " ", demand.beside(view)]),
            html.Details(
                [html.Summary(name), scrolling(table(demand.title(view), heads, rows), labelled(name))]
            ),
        ],
        className="card",
    )
    return [section(demand.title(view), figure, id="demand")]
