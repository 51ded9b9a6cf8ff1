"""The way to the rooms of administration, for whoever may enter any."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html

from layouts.access import Need, Role, is_allowed
from layouts.desk import at_hand
from layouts.formats import _, administration
from layouts.rooms import Room, open_rooms
from layouts.staff import staff_page


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city.name
    return f"{_('Administration')} | {city}" if is_allowed(Need(Role.VIEWER)) else city


dash.register_page(__name__, path="/admin", title=title)


@staff_page(Role.VIEWER)
def layout(**_query: Any) -> html.Div:
    """The rooms that the reader may enter; where there is none, whom to ask."""
    rooms = open_rooms()
    heading, lead = administration.opening(len(rooms))
    inside: list[Any] = [html.H1(heading), html.P(lead, className="lead")]
    if rooms:
        listed = html.Ul([_line(room) for room in rooms], className="card plain rows")
        inside.append(html.Div(listed, className="section"))
    return html.Div(inside)


def _line(room: Room) -> html.Li:
    return html.Li(
        [
            html.P(html.B(dcc.Link(room.name(), href=room.href))),
            html.P(room.purpose(), className="small muted"),
        ]
    )
