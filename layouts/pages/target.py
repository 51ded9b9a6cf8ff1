"""The targets of a metric: what it was held to, what is proposed, and the form that tries another one."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from markupsafe import Markup

from layouts import formats, forms
from layouts.access import Need, Person, Role, is_allowed, of_metric, signed_in
from layouts.acts.targets import shown_number
from layouts.components import row, scrolling, section, table
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import targets as say
from layouts.links import PREFIX
from layouts.page_parts import no_page
from layouts.room_parts import number_in, room_crumbs, texts
from layouts.staff import staff_page
from layouts.target_section import METRIC, NUMBER, POLL, TOLD, preview_parts, told, tried_section
from layouts.target_view import TRIED, TargetView, line_of, target_view
from metrics.model import Direction, Metric
from metrics.periods import local_day
from store import target_requests
from store.engine import reading, system_clock
from store.proposals import Proposed, State


def exists(metric_id: str) -> bool:
    """Whether the city has the metric."""
    return metric_id in at_hand().catalogue.metrics


def title(metric_id: str = "") -> str:
    """The name of the metric in the browser's tab, for whoever may read it."""
    catalogue = at_hand().catalogue
    found = catalogue.metrics.get(metric_id) if is_allowed(Need(Role.VIEWER)) else None
    city = catalogue.city.name
    return _("Target: {metric} | {city}").format(metric=found.name, city=city) if found else city


dash.register_page(__name__, path_template="/targets/<metric_id>", title=title, exists=exists)


@staff_page(Role.VIEWER)
def layout(metric_id: str = "", **query: Any) -> html.Div:
    """The targets of a metric; `tried=` shows what one would change that the worker was asked to try."""
    desk = at_hand()
    today = local_day(desk.catalogue.city, system_clock())
    number = number_in(texts(query).get(TRIED))
    with reading(desk.engine) as connection:
        view = target_view(connection, desk.catalogue, metric_id, number, today)
    if view is None:
        return no_page(_("There is no such metric"))
    return html.Div(_page(view, signed_in(), line_of(view.metric, today)))


@dash.callback(
    dash.Output(TOLD, "children"),
    dash.Output(POLL, "disabled"),
    dash.Input(POLL, "n_intervals"),
    dash.State(METRIC, "data"),
    dash.State(NUMBER, "data"),
    prevent_initial_call=True,
)
@staff_page(Role.OWNER, of_metric)
def follow(_looks: int | None, metric_id: Any, number: Any) -> tuple[list[Component], bool]:
    """What came of a target that was tried, and whether the worker has answered."""
    desk = at_hand()
    with reading(desk.engine) as connection:
        found = target_requests.of_metric(connection, number, metric_id) if isinstance(number, int) else None
    if found is None:
        raise PreventUpdate
    return told(desk.catalogue.metrics[metric_id], found), found.finished_at is not None


def _page(view: TargetView, person: Person, line: Any) -> list[Component]:
    metric = view.metric
    may_propose = person.may(Role.OWNER, metric.department) and view.is_settable
    way = dcc.Link(_("Targets"), href=f"{PREFIX}targets")
    metric_way = dcc.Link(_("See the metric"), href=f"{PREFIX}metric/{metric.id}")
    department = view.catalogue.departments[metric.department].name
    parts: list[Component] = [
        room_crumbs(way, metric.name),
        html.H1(say.headline(view, line), dir="auto"),
        html.P([department, ". ", metric.definition, " ", metric_way], className="lead", dir="auto"),
    ]
    if view.tried is not None and may_propose:
        parts.append(tried_section(metric, view.tried))
    if view.proposed or may_propose:
        parts.append(section(_("Proposals"), _proposals(view, person), id="proposals"))
    if may_propose:
        parts.append(section(_("Try another target"), _trial(view), id="try"))
    parts.append(section(_("What it was held to"), _history(metric), id="history"))
    return parts


def _proposals(view: TargetView, person: Person) -> html.Div:
    if not view.proposed:
        return html.Div(html.P(_("Nobody has proposed another target.")), className="card muted")
    rows = [html.Li(_proposal(view, one, person)) for one in view.proposed]
    return html.Div(html.Ul(rows, className="plain rows"), className="card")


def _proposal(view: TargetView, one: Proposed, person: Person) -> list[Any]:
    city, metric = view.catalogue.city, view.metric
    lines: list[Any] = [
        html.P(html.B(say.proposal_words(metric, one))),
        html.P(one.asked.change.reason, className="words", dir="auto"),
        html.P(say.proposal_state(one, city), className="small muted", dir="auto"),
    ]
    shown = html.Div(preview_parts(metric, one.preview), className="spaced")
    if one.state is not State.OPEN:
        return [*lines, html.Details([html.Summary(_("What it would change, as its author saw it")), shown])]
    return [*lines, shown, *(forms.shown(made) for made in _decisions(one, person))]


def _decisions(one: Proposed, person: Person) -> list[Markup]:
    hidden, made = {"proposal_id": one.id}, []
    if person.may(Role.APPROVER):
        approve = forms.form("approve_target", button=_("Approve it"), id=f"approve-{one.id}", hidden=hidden)
        why = forms.line_field("why", _("Why not"))
        refuse = forms.form("refuse_target", why, button=_("Refuse it"), id=f"refuse-{one.id}", hidden=hidden)
        made += [approve, forms.folded(_("Refuse it"), refuse)]
    if one.author == person.id or person.may(Role.ADMIN):
        back = forms.form("withdraw_target", button=_("Take it back"), id=f"back-{one.id}", hidden=hidden)
        made.append(forms.folded(_("Take it back"), back))
    return made


def _trial(view: TargetView) -> html.Div:
    made = forms.form(
        "try_target",
        *_number_fields(view.metric),
        forms.day_field("valid_from", _("From"), value=view.first_day, hint=say.day_hint(view)),
        forms.line_field("reason", _("Why"), hint=_("It stands in public beside the target.")),
        forms.check_field("correction", _("It corrects scores that are published as final")),
        button=_("Show what it would change"),
        hidden={"metric_id": view.metric.id},
    )
    said = html.P(_("Nothing is saved: you see first how often it would have been met last year."))
    return html.Div([said, forms.shown(made)], className="card")


def _number_fields(metric: Metric) -> list[forms.Field]:
    last = metric.targets[-1] if metric.targets else None
    low, high = _ends(last.value if last else None)
    floor, floor_high = _ends(last.floor if last else None)
    value = _field("value", say.value_label(metric), metric, low, say.value_hint(metric))
    at_zero = _field("floor", say.floor_label(metric), metric, floor)
    if metric.direction is not Direction.WITHIN:
        return [value, forms.optional(at_zero)]
    return [
        value,
        _field("high", say.high_label(metric), metric, high),
        at_zero,
        _field("floor_high", say.floor_label(metric, is_high=True), metric, floor_high),
    ]


def _ends(bound: float | tuple[float, float] | None) -> tuple[float | None, float | None]:
    return bound if isinstance(bound, tuple) else (bound, None)


def _field(name: str, label: str, metric: Metric, number: float | None, hint: str = "") -> forms.Field:
    value = "" if number is None else f"{shown_number(metric, number):g}"
    return forms.line_field(name, label, value=value, kind="number", hint=hint)


def _history(metric: Metric) -> Component:
    if not metric.targets:
        return html.P(say.why_none(metric), className="card muted")
    heads = [(_("From"), ""), (_("Target"), ""), (_("Why"), ""), (_("Approved by"), "")]
    rows = [
        row(
            formats.day(one.valid_from),
            (formats.target_set(metric, one), ""),
            (html.Span(one.reason, dir="auto"), ""),
            (html.Span(one.approved_by, dir="auto"), ""),
        )
        for one in reversed(metric.targets)
    ]
    name = _("Targets, newest first")
    return scrolling(table(name, heads, rows), {"aria-label": name}, "sheet scroll")
