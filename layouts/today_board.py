"""The scoreboard of the mayor's page: how its rows are found, grouped and sorted, and every department."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.asking_form import asking_form, search_input
from layouts.components import (
    chip,
    labelled,
    labelled_by,
    row,
    scrolling,
    section,
    signs_key,
    small_score,
    table,
)
from layouts.formats import Level, _, boards
from layouts.formats import today as sentences
from layouts.links import PREFIX, department_link
from layouts.scoreboard import Ordering, board
from layouts.today_query import BOSTON, Asked, Grouping
from layouts.today_view import matching
from layouts.views import CityView, DepartmentLine, Line
from metrics.model import Grain

FEW, FEW_CONDITIONS = 8, 4
"""How many rows a phone shows before it is asked for all."""

MOST = 100
"""How many rows are sent before all are asked for: more would keep a browser waiting."""


def every_metric(city: CityView, asked: Asked) -> list[html.Section]:
    """The tables of the services and of the conditions, under the tools they share."""
    period = formats.period(city.composite.period) if city.composite else ""
    found: list[html.Section] = []
    if city.services:
        caption = _("Every service, {period}").format(period=period)
        shown = _board(city, city.services, caption, asked, FEW)
        found.append(section(_("Every service"), tools(city, asked), *shown, _key(), id="services"))
    if city.conditions:
        caption = _("Conditions of the city, {period}").format(period=period)
        beside = _("Conditions stand beside the city's score, never inside it.")
        above = [] if city.services else [tools(city, asked)]
        shown = _board(city, city.conditions, caption, asked, FEW_CONDITIONS)
        found.append(section(_("How the city is doing"), *above, *shown, id="conditions", beside=beside))
    return found


def _board(city: CityView, lines: Sequence[Line], caption: str, asked: Asked, few: int) -> list[Component]:
    """A table, with the way to those of its rows that it leaves out.

    Where all rows are sent the browser hides those that do not match; of many only those that do are sent.
    """
    is_large = len(lines) > MOST
    found = matching(lines, asked.wanted) if is_large else tuple(lines)
    if not found:
        return [html.P(boards.no_match(asked.wanted), className="card")]
    ordering = Ordering(
        by=asked.by,
        sort=asked.sort,
        address=lambda word: asked.link(city.edition, sort=word),
        most=None if asked.is_all else MOST,
        few=None if asked.is_all else few,
    )
    shown: list[Component] = [board(city, found, caption, ordering)]
    if len(found) > few and not asked.is_all:
        shown.append(_way_to_all(city, asked, len(found)))
    return shown


def _way_to_all(city: CityView, asked: Asked, count: int) -> html.P:
    """Where rows are left out on every screen it says so; else only phones leave some out."""
    way = dcc.Link(boards.show_all(count), href=asked.link(city.edition, show="all"))
    if count > MOST:
        return html.P([f"{boards.left_out(MOST, count)} ", way], className="show-all")
    return html.P(way, className="show-all on-phones")


def tools(city: CityView, asked: Asked) -> html.Div:
    """How the rows are grouped, and a field that filters them by name (assets/pages.js)."""
    links = [_grouping_link(city, one, asked) for one in Grouping]
    boston = dcc.Link(
        _("As Boston shows it"),
        href=asked.link(city.edition, view=BOSTON),
        className="chosen" if asked.is_boston else None,
    )
    pin = {"publication": str(city.edition.publication.id)} if city.edition.is_pinned else {}
    form = asking_form(
        f"{PREFIX}today",
        search_input("q", _("Filter by name"), asked.wanted, style="filters"),
        button=_("Find"),
        hidden={**asked.words(q=""), **pin},
        part="services",
        style="filter",
    )
    said = html.Span(id="filtered", role="status", className="small muted", **_said())
    return html.Div(
        [
            html.Nav([*links, boston], className="switch", **labelled(_("Order"))),
            html.Div([form, said], className="finding-tools", role="search"),
        ],
        className="tools",
    )


def _said() -> dict[str, Any]:
    return {"data-said": boards.matching()}


def _grouping_link(city: CityView, one: Grouping, asked: Asked) -> dcc.Link:
    group = "" if one is Grouping.NEED else str(one)
    return dcc.Link(
        sentences.grouping_word(one),
        href=asked.link(city.edition, group=group, sort="", view=""),
        className="chosen" if one is asked.by and not asked.is_boston else None,
    )


def _key() -> html.Div:
    chips = [html.Li(chip(level, formats.level_word(level))) for level in Level]
    return html.Div(
        [html.Ul(chips, className="key", role="list"), signs_key()],
        className="table-foot",
    )


# --- departments ---------------------------------------------------------------------------------


def departments(city: CityView) -> list[html.Section]:
    """The scores of the departments, where there are at least two that have services."""
    asked = [one for one in city.departments if any(part.total for part in one.composites.values())]
    if len(asked) < 2:
        return []
    heads = [
        (_("Department"), ""),
        (_("On target"), ""),
        *((formats.grain_word(grain), "number-cell") for grain in Grain),
    ]
    rows = [_department_row(one, city) for one in asked]
    shown = table(_("The score of each department's services"), heads, rows, className="departments")
    card = scrolling(shown, labelled_by("departments"), "sheet scroll")
    return [section(_("Departments"), card, id="departments")]


def _department_row(one: DepartmentLine, city: CityView) -> html.Tr:
    """A department's scores; why it has none stands under its name."""
    shown = one.composites.get(city.opening) if city.opening else None
    counted = formats.on_target(shown) if shown and shown.total else formats.NOTHING
    name: list[Component] = [dcc.Link(one.name, href=department_link(city.edition, one.id))]
    if shown and shown.total and shown.score is None:
        why = formats.reason(shown.reason, city.edition.catalogue)
        name.append(html.Span(why, className="muted"))
    made = row(name, (counted, "counted"))
    made.children.extend(_department_cell(one, grain) for grain in Grain)
    return made


def _department_cell(one: DepartmentLine, grain: Grain) -> html.Td:
    named: dict[str, Any] = {"data-grain": formats.grain_word(grain)}
    return html.Td(small_score(one.composites.get(grain)), className="number-cell", role="cell", **named)
