"""Tokens: who sends in rows, to which sources and until when; to make one and to revoke one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash
from dash import html
from dash.development.base_component import Component
from markupsafe import Markup

from layouts import formats, forms
from layouts.access import Need, Role, is_allowed
from layouts.components import labelled, row, scrolling, section, table
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import tokens as say
from layouts.room_parts import room_crumbs
from layouts.staff import staff_page
from metrics.model import Catalogue
from metrics.periods import local_day
from store import source_requests, tokens
from store.engine import reading
from store.tokens import Token


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city.name
    return f"{_('Tokens')} | {city}" if is_allowed(Need(Role.ADMIN)) else city


dash.register_page(__name__, path="/admin/tokens", title=title)


@staff_page(Role.ADMIN)
def layout(**_query: Any) -> html.Div:
    """Every token there ever was, those that work first."""
    desk = at_hand()
    with reading(desk.engine) as connection:
        found = tokens.all_tokens(connection)
    now = desk.clock()
    found.sort(key=lambda one: (not one.is_valid(now), -one.id))
    return html.Div(_page(found, desk.catalogue, now))


def _page(found: Sequence[Token], catalogue: Catalogue, now: datetime) -> list[Component]:
    soon = say.ends_soon(found, now)
    what = _("With a token a program sends rows to a source; docs/adding_a_source.md says how.")
    return [
        room_crumbs(_("Tokens")),
        html.H1(say.headline(found, now)),
        html.P(what, className="lead"),
        *([html.P(soon, className="note pinned")] if soon else []),
        html.Div(_making(catalogue, now), className="card section"),
        *([_list(found, catalogue, now)] if found else []),
    ]


def _making(catalogue: Catalogue, now: datetime) -> Component:
    pushed = [(one.id, one.name) for one in catalogue.sources.values() if not source_requests.can_run(one)]
    if not pushed:
        return html.P(
            _("No source of this city takes rows that are sent in; a source of kind push does."),
            className="muted",
        )
    made = forms.form(
        "make_token",
        forms.line_field("name", _("Who sends with it"), most=tokens.LONGEST_NAME),
        forms.boxes_field("sources", _("To which sources"), pushed),
        forms.optional(
            forms.day_field("ends", _("The last day it works"), earliest=local_day(catalogue.city, now))
        ),
        button=_("Make it and show its secret"),
    )
    return forms.shown(forms.folded(_("Make a token"), made, id="make"))


def _list(found: Sequence[Token], catalogue: Catalogue, now: datetime) -> Component:
    name = _("Tokens, those that work first")
    heads = [(_("Who sends"), ""), (_("To"), ""), (_("Made"), ""), (_("State"), ""), (_("Revoke"), "")]
    rows = [_row(one, catalogue, now) for one in found]
    shown = scrolling(table(name, heads, rows, className="tokens"), labelled(name), "sheet scroll")
    return section(_("All tokens"), shown, id="tokens")


def _row(token: Token, catalogue: Catalogue, now: datetime) -> html.Tr:
    named = [catalogue.sources[one].name if one in catalogue.sources else one for one in token.sources]
    works = token.is_valid(now)
    return row(
        html.Span(token.name, dir="auto"),
        (", ".join(named), ""),
        (formats.instant(token.created_at, catalogue.city), ""),
        (say.standing(token, now, catalogue.city), "" if works else "muted"),
        (forms.shown(_revoking(token)) if token.revoked_at is None else formats.NOTHING, ""),
    )


def _revoking(token: Token) -> Markup:
    made = forms.form(
        "revoke_token",
        forms.check_field("discard", _("Discard what it sent and nobody has begun to load")),
        button=_("Revoke it"),
        id=f"revoke-{token.id}",
        hidden={"token_id": token.id},
    )
    return forms.folded(_("Revoke {name}").format(name=token.name), made)
