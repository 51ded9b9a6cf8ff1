"""One person: their roles, the links that let them in, and everything that was done to them."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component
from markupsafe import Markup

from layouts import forms
from layouts.access import Need, Role, is_allowed
from layouts.audit_section import entries_table
from layouts.components import section
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import people as sentences
from layouts.links import PREFIX
from layouts.page_parts import no_page
from layouts.people_view import PersonView, person_view
from layouts.room_parts import room_crumbs
from layouts.staff import staff_page
from metrics.model import City
from store import people
from store.engine import reading, system_clock
from store.people import LONGEST_NAME, Grant


def title(person_id: str = "") -> str:
    """The name of the person in the browser's tab, for whoever may read it."""
    desk = at_hand()
    if is_allowed(Need(Role.ADMIN)) and _number(person_id) is not None:
        with reading(desk.engine) as connection:
            found = people.get(connection, int(person_id))
        if found is not None:
            return f"{found.name} | {desk.catalogue.city.name}"
    return desk.catalogue.city.name


def _exists(person_id: str) -> bool:
    return _number(person_id) is not None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


dash.register_page(__name__, path_template="/admin/people/<person_id>", title=title, exists=_exists)


@staff_page(Role.ADMIN)
def layout(person_id: str = "", **_query: Any) -> html.Div:
    """One person, or that there is none of that number."""
    desk, number = at_hand(), _number(str(person_id))
    with reading(desk.engine) as connection:
        view = (
            None
            if number is None
            else person_view(connection, desk.catalogue.departments, number, system_clock())
        )
    if view is None:
        return no_page(_("There is no such person"))
    return html.Div(_page(view, desk.catalogue.city))


def _page(view: PersonView, city: City) -> list[Component]:
    person = view.line.person
    way = dcc.Link(_("People and roles"), href=f"{PREFIX}admin/people")
    here = [sentences.standing(view.line, city), sentences.where_signed_in(view.signed_in)]
    waiting = sentences.open_link(view.line, city)
    return [
        room_crumbs(way, person.name),
        html.H1(sentences.person_headline(view), dir="auto"),
        html.P(person.email, className="lead", dir="auto"),
        html.P(". ".join(one.rstrip(".") for one in here) + ".", className="lead"),
        *([html.P(waiting, className="note")] if waiting else []),
        html.Div(
            [
                section(_("Roles"), _roles(view, city), id="roles"),
                section(_("Access"), _access(view), id="access"),
            ],
            className="halves section",
        ),
        section(_("What was done"), entries_table(view.log, city), id="log"),
    ]


def _roles(view: PersonView, city: City) -> html.Div:
    held = [one for one in view.grants if one.ended_at is None]
    ended = [one for one in view.grants if one.ended_at is not None]
    inside: list[Any] = [html.Ul([_grant(view, one, city) for one in held], className="plain rows")]
    if not held:
        inside = [html.P(_("No role: signed in, they see nothing."))]
    given = forms.form(
        "grant_role",
        forms.radio_field("role", _("Role"), sentences.role_choices(), chosen=str(Role.VIEWER)),
        forms.choice_field("department", _("For"), sentences.department_choices(view.departments)),
        button=_("Give the role"),
        hidden={"person_id": view.line.person.id},
    )
    inside.append(forms.shown(forms.folded(_("Give another role"), given)))
    if ended:
        rows = [html.Li(_grant_words(view, one, city)) for one in ended]
        inside.append(
            html.Details([html.Summary(_("Roles that have ended")), html.Ul(rows, className="plain rows")])
        )
    return html.Div(inside, className="card")


def _grant(view: PersonView, grant: Grant, city: City) -> html.Li:
    if grant.role is Role.ADMIN and view.is_last_admin:
        last = _("The last admin keeps this role; make somebody else an admin first.")
        return html.Li([*_grant_words(view, grant, city), html.P(last, className="small")])
    end = forms.form(
        "end_role", button=_("End this role"), id=f"end-{grant.id}", hidden={"grant_id": grant.id}
    )
    return html.Li([*_grant_words(view, grant, city), forms.shown(forms.folded(_("End it"), end))])


def _grant_words(view: PersonView, grant: Grant, city: City) -> list[html.P]:
    return [
        html.P(html.B(sentences.grant_words(grant.role, grant.department, view.departments))),
        html.P(sentences.grant_since(grant, city), className="small muted", dir="auto"),
    ]


def _access(view: PersonView) -> html.Div:
    return html.Div([forms.shown(one) for one in _ways(view)], className="card")


def _ways(view: PersonView) -> list[Markup]:
    person, hidden = view.line.person, {"person_id": view.line.person.id}
    name = forms.line_field("name", _("Name"), value=person.name, most=LONGEST_NAME)
    rename = forms.form("rename_person", name, button=_("Change the name"), hidden=hidden)
    renaming = forms.folded(_("Change the name"), rename)
    if person.disabled_at is not None:
        return [forms.form("enable_person", button=_("Let them in again"), hidden=hidden), renaming]
    ways = [
        forms.form("make_link", button=_("Make a link to come in with a new password"), hidden=hidden),
        renaming,
    ]
    if not view.is_last_admin:
        out = forms.form("disable_person", button=_("Let them in no longer"), hidden=hidden)
        ways.append(forms.folded(_("Let them in no longer"), out))
    return ways
