"""What of a record is flagged as wrong, what became of it, and the forms for whoever may say so."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component
from markupsafe import Markup

from layouts import forms
from layouts.access import Person
from layouts.acts.flags import LONGEST_NOTE, WHOLE
from layouts.components import section
from layouts.formats import _, case_lists
from metrics.model import City, Metric, Source
from store.corrections import Correction, State
from store.people import Role


def flag_section(
    source: Source, metric: Metric, key: str | int, found: list[Correction], person: Person, city: City
) -> html.Section:
    """Every flag of a record with what may be done about it, and the form for another one."""
    rows = [html.Li(_flag(source, metric, one, person, city)) for one in found]
    said: list[Component] = [html.Ul(rows, className="plain rows")] if rows else []
    if not rows:
        said.append(html.P(_("Nobody has flagged anything of it.")))
    made = forms.folded(_("Flag it as wrong"), _form(source, metric, key))
    return section(_("Is it wrong?"), html.Div([*said, forms.shown(made)], className="card"), id="flags")


def _flag(source: Source, metric: Metric, one: Correction, person: Person, city: City) -> list[Any]:
    lines: list[Any] = [
        html.P([html.B(case_lists.flag_words(source, one, city))]),
        html.P(one.note, className="words"),
        html.P(case_lists.flag_state(one, city), className="small muted"),
    ]
    if one.state is State.OPEN:
        lines += [forms.shown(made) for made in _ways(metric, one, person)]
    return lines


def _ways(metric: Metric, one: Correction, person: Person) -> list[Markup]:
    hidden = {"flag_id": one.id}
    ways: list[Markup] = []
    if person.may(Role.OWNER, metric.department):
        accept = forms.form(
            "accept_flag", button=_("Accept: correct the record"), id=f"accept-{one.id}", hidden=hidden
        )
        why = forms.line_field("why", _("Why not"), most=LONGEST_NOTE)
        refuse = forms.form("refuse_flag", why, button=_("Refuse"), id=f"refuse-{one.id}", hidden=hidden)
        ways += [accept, forms.folded(_("Refuse it"), refuse)]
    if one.author == person.id or person.may(Role.ADMIN):
        back = forms.form("withdraw_flag", button=_("Take it back"), id=f"back-{one.id}", hidden=hidden)
        ways.append(forms.folded(_("Take the flag back"), back))
    return ways


def _form(source: Source, metric: Metric, key: str | int) -> Markup:
    columns = [one for one in source.columns if one.name != source.key and not one.expression]
    options = [(one.name, one.name) for one in columns]
    options.append((WHOLE, _("The whole record: it does not belong here")))
    return forms.form(
        "flag_record",
        forms.choice_field("column", _("What is wrong"), options),
        forms.optional(
            forms.line_field(
                "value",
                _("What it should say"),
                hint=_("Times as the city's clocks show them, like 2026-07-03 14:05. Nothing means empty."),
            )
        ),
        forms.line_field(
            "note",
            _("Why"),
            most=LONGEST_NOTE,
            hint=_("It stands in public beside every number that changes, with your name: name nobody else."),
        ),
        button=_("Flag it"),
        hidden={"metric_id": metric.id, "key": str(key)},
    )
