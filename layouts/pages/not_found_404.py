"""What Dash shows for an address that leads nowhere, when a link inside the staff pages is wrong."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html

from layouts.access import Role
from layouts.formats import _
from layouts.staff import PREFIX, staff_page

dash.register_page(__name__, path="/404", title="404")


@staff_page(Role.VIEWER)
def layout(**_query: Any) -> html.Div:
    """The page."""
    return html.Div([html.H1(_("There is no such page")), dcc.Link(_("Today"), href=f"{PREFIX}today")])
