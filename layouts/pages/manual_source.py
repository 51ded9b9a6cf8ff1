"""One link, two minutes: the values that a source waits for, checked beside their fields, and done."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from layouts import forms
from layouts.access import Need, Role, is_allowed, of_source
from layouts.acts.manual import page_of
from layouts.components import labelled, row, scrolling, section, table
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import manual as say
from layouts.links import PREFIX
from layouts.manual_section import NUMBER, POLL, SOURCE, TOLD, file_form, request_section, told, values_form
from layouts.manual_view import SHOWN, ManualView, manual_view
from layouts.page_parts import no_page, refused
from layouts.public import asking
from layouts.public.answer import Refusal
from layouts.room_parts import number_in, room_crumbs, texts
from layouts.staff import staff_page
from metrics.periods import local_day
from store import manual_values
from store.engine import reading
from store.manual_values import KIND, key_names


def exists(source_id: str) -> bool:
    """Whether people give the values of the source."""
    found = at_hand().catalogue.sources.get(source_id)
    return found is not None and found.kind == KIND


def title(source_id: str = "") -> str:
    """The name of the source in the browser's tab, for whoever may read it."""
    catalogue = at_hand().catalogue
    found = catalogue.sources.get(source_id) if is_allowed(Need(Role.VIEWER)) else None
    city = catalogue.city.name
    return _("Values of {source} | {city}").format(source=found.name, city=city) if found else city


dash.register_page(__name__, path_template="/manual/<source_id>", title=title, exists=exists)


@staff_page(Role.EDITOR, of_source)
def layout(source_id: str = "", **query: Any) -> html.Div:
    """What is due; `day=` has the values of one day, `request=` follows what was given."""
    desk, given = at_hand(), texts(query)
    source = desk.catalogue.sources.get(source_id)
    if source is None or source.kind != KIND:
        return no_page(_("There is no such source"))
    today = local_day(desk.catalogue.city, desk.clock())
    try:
        day = asking.day(given, "day")
    except Refusal as refusal:
        return refused(refusal)
    if day is not None and (day > today or (source.begins is not None and day < source.begins)):
        return no_page(_("No value can be given for this day"))
    with reading(desk.engine) as connection:
        view = manual_view(connection, desk.catalogue, source, today, day, number_in(given.get("request")))
    return html.Div(_page(view))


@dash.callback(
    dash.Output(TOLD, "children"),
    dash.Output(POLL, "disabled"),
    dash.Input(POLL, "n_intervals"),
    dash.State(SOURCE, "data"),
    dash.State(NUMBER, "data"),
    prevent_initial_call=True,
)
@staff_page(Role.EDITOR, of_source)
def follow(_looks: int | None, source_id: Any, number: Any) -> tuple[list[Component], bool]:
    """What became of values that were given, and whether the worker has answered."""
    desk = at_hand()
    with reading(desk.engine) as connection:
        found = manual_values.of_source(connection, number, source_id) if isinstance(number, int) else None
    if found is None:
        raise PreventUpdate
    return told(desk.catalogue.sources[source_id], found), found.finished_at is not None


def _page(view: ManualView) -> list[Component]:
    way = dcc.Link(_("Values given by hand"), href=f"{PREFIX}manual")
    parts: list[Component] = [
        room_crumbs(way, view.source.name),
        html.H1(say.headline(view), dir="auto"),
        html.P(
            _("Leave empty what you do not know: it stays due, and nothing is counted as zero."),
            className="lead",
        ),
    ]
    if view.request is not None:
        parts.append(request_section(view.source, view.request))
    parts.append(section(_asked(view), _form(view), id="give"))
    parts.append(
        section(_("From a spreadsheet"), html.Div(forms.shown(file_form(view)), className="card"), id="file")
    )
    parts.append(section(_("What was given"), _given(view), id="given"))
    return parts


def _asked(view: ManualView) -> str:
    return (
        _("Values that are due")
        if view.day is None
        else _("Values of {day}").format(day=say.day_words(view.day))
    )


def _form(view: ManualView) -> html.Div:
    inside: list[Component] = []
    more = say.more_due(SHOWN, len(view.due)) if view.day is None else ""
    if more:
        inside.append(html.P(more))
    if view.asked:
        inside.append(forms.shown(values_form(view)))
    else:
        inside.append(html.P(_nothing(view)))
    if view.day is not None:
        inside.append(html.P(html.A(_("See what is due instead"), href=page_of(view.source.id))))
    return html.Div(inside, className="card")


def _nothing(view: ManualView) -> str:
    if view.book.held:
        return _("Nothing is due.")
    return _("Nobody has given a value yet: a spreadsheet says which values there are.")


def _given(view: ManualView) -> Component:
    if not view.given:
        return html.P(_("Nobody has given a value yet."), className="card muted")
    names = key_names(view.source)
    heads = [(_("Day"), ""), (_("What was given"), ""), (_("Who"), ""), (_("Why"), "")]
    rows = [
        row(
            html.A(say.day_words(one.given.day), href=page_of(view.source.id, day=one.given.day.isoformat())),
            (html.Span(say.entry_cells(one, view.source, names), dir="auto"), ""),
            (html.Span(say.entry_by(one, view.city), dir="auto"), ""),
            (html.Span(one.reason, dir="auto"), ""),
        )
        for one in view.given
    ]
    name = _("The newest values; a day leads to the form that corrects it")
    return scrolling(table(name, heads, rows), labelled(name), "sheet scroll")
