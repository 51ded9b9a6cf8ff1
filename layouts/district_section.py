"""A metric by district for staff: map, dots, table and sentences of the public pages, for Dash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.charts.course import NARROW
from layouts.charts.district_map import district_map, map_key, numbered
from layouts.charts.dots import BROAD, dot_plot
from layouts.charts.embedded import Svg
from layouts.components import Children, chip, labelled, row, scrolling, table
from layouts.district_view import DistrictsView, DistrictView
from layouts.formats import _, district_tables, one_district, standings
from layouts.formats import districts as say
from layouts.formats.district_tables import Cell
from layouts.links import district_link, districts_link, records_link
from metrics.districts import Standing
from metrics.model import Metric

Row = tuple[Children, Sequence[Cell]]


def comparison(view: DistrictsView, *, with_records: bool = False) -> list[Component]:
    """What a metric by district is made of, below its heading.

    with_records: each district leads to the records behind it too.
    """
    said = [say.adds_up(view), say.hidden(view), say.equity(view), *say.by_need(view)]
    return [
        *([html.P(f"{say.caution()} {say.proxy(view)}", className="note")] if view.is_reported else []),
        *_pictures(view),
        html.P(say.order(view.edition.city), className="small muted beside"),
        _table(
            formats.period(view.period),
            district_tables.heads(view),
            [*_rows(view, with_records), (_("Whole city"), district_tables.city_cells(view))],
            say.title(view),
        ),
        *(html.P(text, className="small beside") for text in said if text),
    ]


def measures(view: DistrictView) -> Component:
    """Every metric of a district in one table."""
    rows = [(_measure(view, line.metric), district_tables.district_cells(line)) for line in view.lines]
    return _table(one_district.caption(), district_tables.district_heads(), rows, view.district.name)


def _pictures(view: DistrictsView) -> list[Component]:
    drawn, wide = district_map(view), dot_plot(view, BROAD)
    figures: list[Component] = []
    if drawn:
        key = [html.Li([Svg(piece), word]) for piece, word in map_key(view)]
        shown = [
            Svg(drawn),
            html.Ul(key, className="key", role="list"),
            html.Figcaption(say.map_caption(view)),
        ]
        figures.append(html.Figure(shown, className="card"))
    if wide:
        dots: list[Any] = [Svg(wide), Svg(dot_plot(view, NARROW)), html.Figcaption(say.dots_key(view))]
        figures.append(html.Figure(dots, className="card"))
    if not figures:
        return []
    return [html.Div(figures, className="places" if drawn else "places alone")]


def _rows(view: DistrictsView, with_records: bool) -> list[Row]:
    numbers = numbered(view)

    def records(one: Standing) -> list[Component]:
        if not with_records or one.together or one.score.value is None:
            return []
        link = dcc.Link(_("See the records"), href=records_link(view.edition, one.score))
        return [html.Span(link, className="beneath")]

    def name(district: str, text: str) -> Children:
        if district not in view.edition.catalogue.districts:
            return text
        number = f"{numbers[district]} " if district in numbers else ""
        link = district_link(view.edition, district, grain=view.period.grain)
        return dcc.Link(f"{number}{text}", href=link)

    return [
        ([name(one.district, standings.row_name(view, one)), *records(one)], district_tables.cells(view, one))
        for one in view.by.rows
    ]


def _measure(view: DistrictView, metric: Metric) -> Component:
    link = districts_link(view.edition, metric=metric.id, grain=view.grain)
    return dcc.Link(metric.name, href=link)


def _table(caption: str, heads: Sequence[tuple[str, str]], rows: Sequence[Row], name: str) -> Component:
    made = [row(head, *((_shown(cell), cell.style) for cell in cells)) for head, cells in rows]
    return scrolling(table(caption, heads, made, className="district-table"), labelled(name), "sheet scroll")


def _shown(cell: Cell) -> Children:
    if cell.level is not None:
        return chip(cell.level, cell.text)
    return [cell.text, *(html.Span(text, className="beneath") for text in cell.beneath)]
