"""Every metric with its target, and the targets that wait for a decision."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats, forms
from layouts.access import Need, Role, is_allowed
from layouts.acts.targets import page_of
from layouts.components import labelled, row, scrolling, section, table
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import targets as say
from layouts.links import PREFIX
from layouts.page_parts import refused
from layouts.public.answer import Refusal
from layouts.room_parts import room_crumbs, texts
from layouts.staff import staff_page
from layouts.target_view import DEPARTMENT, TargetLine, TargetsView, targets_view
from metrics.periods import local_day
from store.engine import reading, system_clock


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city.name
    return f"{_('Targets')} | {city}" if is_allowed(Need(Role.VIEWER)) else city


dash.register_page(__name__, path="/targets", title=title)


@staff_page(Role.VIEWER)
def layout(**query: Any) -> html.Div:
    """The targets of all departments, or of the one in `department=`."""
    desk = at_hand()
    today = local_day(desk.catalogue.city, system_clock())
    try:
        with reading(desk.engine) as connection:
            view = targets_view(connection, desk.catalogue, texts(query), today)
    except Refusal as refusal:
        return refused(refusal)
    return html.Div(_page(view))


def _page(view: TargetsView) -> list[Component]:
    return [
        room_crumbs(_("Targets")),
        html.H1(say.list_headline(view)),
        html.P(
            _("An owner tries a target, sees what it would change and proposes it; an approver decides."),
            className="lead",
        ),
        *([_waiting(view)] if view.waiting else []),
        section(_("What every metric is held to"), _filter(view), _list(view), id="all"),
    ]


def _waiting(view: TargetsView) -> html.Section:
    rows = []
    for one in view.waiting:
        metric = view.catalogue.metrics[one.asked.metric]
        way = dcc.Link(metric.name, href=page_of(metric.id, "proposals"))
        rows.append(
            html.Li(
                [
                    html.P([html.B(way), ": ", say.proposal_words(metric, one)], dir="auto"),
                    html.P(say.proposal_state(one, view.catalogue.city), className="small muted", dir="auto"),
                ]
            )
        )
    return section(_("Waiting for an approver"), html.Ul(rows, className="card plain rows"), id="waiting")


def _filter(view: TargetsView) -> Component:
    named = sorted(view.catalogue.departments.values(), key=lambda one: one.name)
    options = [("", _("All departments")), *((one.id, one.name) for one in named)]
    made = forms.asking(
        f"{PREFIX}targets",
        forms.choice_field(DEPARTMENT, _("Department"), options, chosen=view.department),
        button=_("Show these"),
        id="choose",
        clear=_("All of them") if view.department else "",
    )
    return html.Div(forms.shown(made), className="card choosing")


def _list(view: TargetsView) -> Component:
    heads = [(_("Metric"), ""), (_("Target"), ""), (_("Since"), ""), (_("Later"), ""), (_("Why"), "")]
    name = _("Metrics by department")
    shown = table(name, heads, [_row(view, line) for line in view.lines])
    return scrolling(shown, labelled(name), "sheet scroll section")


def _row(view: TargetsView, line: TargetLine) -> html.Tr:
    metric, now = line.metric, line.now
    department = view.catalogue.departments[metric.department].name
    head = [
        dcc.Link(metric.name, href=page_of(metric.id)),
        html.Span(department, className="muted", dir="auto"),
    ]
    return row(
        head,
        (say.in_force(line), "" if now else "muted"),
        (formats.day(now.valid_from) if now else "", ""),
        (say.ahead(line), ""),
        (html.Span(say.why_set(now), dir="auto") if now else "", ""),
    )
