"""The sources that the reader gives values to, with what each waits for."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts.access import ANY_DEPARTMENT, Need, Role, is_allowed
from layouts.acts.manual import page_of
from layouts.components import labelled, row, scrolling, table
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import manual as say
from layouts.manual_view import SourcesView, mine
from layouts.room_parts import room_crumbs
from layouts.staff import staff_page
from metrics.periods import local_day
from store.engine import reading


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city.name
    return f"{_('Values given by hand')} | {city}" if is_allowed(Need(Role.VIEWER)) else city


dash.register_page(__name__, path="/manual", title=title)


@staff_page(Role.EDITOR, ANY_DEPARTMENT)
def layout(**_query: Any) -> html.Div:
    """Only sources of departments whose values the reader may give."""
    desk = at_hand()
    today = local_day(desk.catalogue.city, desk.clock())
    with reading(desk.engine) as connection:
        view = SourcesView(tuple(mine(connection, desk.catalogue, today)))
    return html.Div(_page(view))


def _page(view: SourcesView) -> list[Component]:
    parts: list[Component] = [
        room_crumbs(_("Values given by hand")),
        html.H1(say.list_headline(view)),
        html.P(
            _("A day without its value is missing in the scores; it is never counted as zero."),
            className="lead",
        ),
    ]
    if not view.lines:
        return parts
    rows = [
        row(
            dcc.Link(line.source.name, href=page_of(line.source.id)),
            (say.line_words(line), "" if line.due else "muted"),
        )
        for line in view.lines
    ]
    name = _("Sources")
    shown = table(name, [(_("Source"), ""), (_("What is due"), "")], rows)
    return [*parts, scrolling(shown, labelled(name), "sheet scroll section")]
