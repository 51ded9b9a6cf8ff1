"""How far districts lie apart over time, for staff: a chart with its finding, and its table."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from layouts import formats
from layouts.charts.course import NARROW, WIDE
from layouts.charts.embedded import Svg
from layouts.charts.gap import gap_chart
from layouts.components import labelled, row, scrolling, section, table
from layouts.district_view import Apart, DistrictsView
from layouts.formats import _, gaps


def gap_section(view: DistrictsView, points: Sequence[Apart]) -> list[html.Section]:
    """Nothing where fewer than two periods can be compared."""
    if not points:
        return []
    drawn = [Svg(gap_chart(view, points, size)) for size in (WIDE, NARROW)]
    name = _("How far apart, as a table")
    rows = [
        row(
            formats.short_period(one.period),
            (gaps.distance(view.by, one.spread.widest), "number-cell"),
            (gaps.distance(view.by, one.spread.inner), "number-cell"),
            (formats.count(one.spread.count), "number-cell"),
        )
        for one in reversed(points)
    ]
    shown = scrolling(table(gaps.headline(view, points), gaps.heads(), rows), labelled(name))
    figure = html.Figure(
        [
            html.P(gaps.headline(view, points), className="strong"),
            *drawn,
            html.Figcaption(gaps.caption(view)),
            html.Details([html.Summary(name), shown]),
        ],
        className="card",
    )
    return [section(_("The gap over time"), figure, id="gap")]
