"""The audit log: who changed what, a page at a time, all that is chosen in the address."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import forms
from layouts.access import Need, Role, is_allowed
from layouts.audit_file import file_link
from layouts.audit_section import AUDIT, audit_link, entries_table
from layouts.audit_view import AuditView, audit_view
from layouts.components import labelled
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import people as sentences
from layouts.page_parts import refused
from layouts.public.answer import Refusal
from layouts.room_parts import room_crumbs, texts
from layouts.staff import staff_page
from store.engine import reading


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city.name
    return f"{_('Audit log')} | {city}" if is_allowed(Need(Role.ADMIN)) else city


dash.register_page(__name__, path="/admin/audit", title=title)


@staff_page(Role.ADMIN)
def layout(**query: Any) -> html.Div:
    """The entries of `person=`, `act=`, `subject=`, from `since=` to `until=`, newest first."""
    desk = at_hand()
    try:
        with reading(desk.engine) as connection:
            view = audit_view(connection, desk.catalogue.city, texts(query))
    except Refusal as refusal:
        return refused(refusal)
    return html.Div(_page(view))


def _page(view: AuditView) -> list[Component]:
    return [
        room_crumbs(_("Audit log")),
        html.H1(sentences.log_headline(view)),
        html.P(sentences.log_lead(), className="lead"),
        html.Section(forms.shown(_filter(view)), className="card choosing", **labelled(_("Which entries"))),
        html.Section([entries_table(view.entries, view.city), _ways(view)], **labelled(_("Entries"))),
    ]


def _filter(view: AuditView) -> Any:
    wanted = view.wanted
    people = [("", _("Anybody")), *((str(one.id), f"{one.name} <{one.email}>") for one in view.people)]
    acts = [("", _("Anything")), *((one, one) for one in view.acts)]
    return forms.asking(
        AUDIT,
        forms.choice_field("person", _("Who"), people, chosen=str(wanted.person or "")),
        forms.choice_field("act", _("What"), acts, chosen=wanted.act or ""),
        forms.line_field("subject", _("About, like “person 7”"), value=wanted.subject or ""),
        forms.day_field("since", _("From"), value=wanted.since),
        forms.day_field("until", _("To"), value=wanted.until),
        button=_("Show these"),
        id="choose",
        clear=_("All of them") if wanted.words() else "",
    )


def _ways(view: AuditView) -> html.Nav:
    words = view.wanted.words()
    ways: list[Component] = []
    if view.after is not None:
        ways.append(dcc.Link(_("Newest"), href=audit_link(**words)))
        ways.append(dcc.Link(_("Newer ones"), href=audit_link(**words, after=str(view.after))))
    if view.before is not None:
        ways.append(dcc.Link(_("Older ones"), href=audit_link(**words, before=str(view.before))))
    ways.append(html.A(_("Download as CSV"), href=file_link(**words)))
    return html.Nav(ways, className="switch ways", **labelled(_("Pages")))
