"""People and roles: who may sign in, what each may do, and the form that invites somebody."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import forms
from layouts.access import Need, Role, is_allowed
from layouts.acts.people import page_of
from layouts.components import labelled, row, scrolling, section, table
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import people as sentences
from layouts.links import PREFIX
from layouts.page_parts import refused
from layouts.people_view import DISABLED, NAMED, NONE, ROLE, PeopleView, PersonLine, people_view
from layouts.public.answer import Refusal
from layouts.room_parts import room_crumbs, texts
from layouts.staff import staff_page
from metrics.model import City
from store.engine import reading, system_clock
from store.people import LONGEST_EMAIL, LONGEST_NAME

PATH = "/admin/people"


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city.name
    return f"{_('People and roles')} | {city}" if is_allowed(Need(Role.ADMIN)) else city


dash.register_page(__name__, path=PATH, title=title)


@staff_page(Role.ADMIN)
def layout(**query: Any) -> html.Div:
    """Everybody, or those with the role `role=` or with `named=` in their name or address."""
    desk = at_hand()
    try:
        with reading(desk.engine) as connection:
            view = people_view(connection, desk.catalogue.departments, texts(query), system_clock())
    except Refusal as refusal:
        return refused(refusal)
    return html.Div(_page(view, desk.catalogue.city))


def _page(view: PeopleView, city: City) -> list[Component]:
    danger = sentences.few_admins(view)
    return [
        room_crumbs(_("People and roles")),
        html.H1(sentences.headline(view)),
        *([html.P(danger, className="note pinned")] if danger else []),
        html.Div(forms.shown(_invitation(view)), className="card section"),
        section(_("Everybody"), *_list(view, city), id="everybody", beside=sentences.shown(view)),
    ]


def _invitation(view: PeopleView) -> Any:
    made = forms.form(
        "invite_person",
        forms.line_field("name", _("Name"), most=LONGEST_NAME),
        forms.line_field("email", _("E-mail address"), most=LONGEST_EMAIL),
        forms.radio_field("role", _("Role"), sentences.role_choices(), chosen=str(Role.VIEWER)),
        forms.choice_field(
            "department",
            _("For"),
            sentences.department_choices(view.departments),
            hint=_("Editors and owners are for one department; give them others afterwards."),
        ),
        button=_("Invite and show the link"),
    )
    return forms.folded(_("Invite somebody"), made, id="invite")


def _list(view: PeopleView, city: City) -> list[Component]:
    if not view.lines:
        return [_filter(view), html.P(_("Nobody is like that."), className="card muted section")]
    heads = [(_("Who"), ""), (_("May"), ""), (_("When"), "")]
    rows = [_row(view, line, city) for line in view.lines]
    shown = table(_("People in order of their names"), heads, rows, className="people")
    return [_filter(view), scrolling(shown, labelled(_("Everybody")), "sheet scroll section")]


def _filter(view: PeopleView) -> Component:
    made = forms.asking(
        f"{PREFIX}{PATH[1:]}",
        forms.line_field(NAMED, _("Name or address"), value=view.named, kind="search"),
        forms.choice_field(ROLE, _("Role"), sentences.role_filters(NONE, DISABLED), chosen=view.role),
        button=_("Show these"),
        id="choose",
        clear=_("All of them") if view.is_narrowed else "",
    )
    return html.Div(forms.shown(made), className="card choosing")


def _row(view: PeopleView, line: PersonLine, city: City) -> html.Tr:
    person = line.person
    name = [
        dcc.Link(person.name, href=page_of(person.id)),
        html.Span(person.email, className="muted", dir="auto"),
    ]
    style = "muted" if person.disabled_at is not None or line.seen is None else ""
    return row(
        name,
        (sentences.roles_held(person.grants, view.departments), ""),
        (sentences.standing(line, city), style),
    )
