"""The form for values given by hand, and what became of those that were given."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component
from markupsafe import Markup

from layouts import forms
from layouts.acts.manual import MOST, field_name, page_of, row_name, row_value
from layouts.components import labelled_by
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import manual as say
from layouts.links import PREFIX
from layouts.manual_view import ManualView, mine
from metrics.model import Source
from metrics.periods import local_day
from store.engine import Connection
from store.manual_values import key_names, value_columns
from store.requests import Request

TOLD, POLL, SOURCE, NUMBER = "values-told", "values-poll", "values-source", "values-number"
EVERY = 1500
"""Milliseconds between two looks, as long as the worker has not answered."""


def request_section(source: Source, request: Request) -> html.Section:
    """What was given and what became of it, as soon as the worker has answered."""
    return html.Section(
        [
            html.Div(html.H2(_("What you gave"), id="given-now"), className="section-head"),
            html.Div(told(source, request), id=TOLD, role="status", className="card spaced"),
            dcc.Interval(id=POLL, interval=EVERY, disabled=request.finished_at is not None),
            dcc.Store(id=SOURCE, data=source.id),
            dcc.Store(id=NUMBER, data=request.id),
        ],
        **labelled_by("given-now"),
    )


def told(source: Source, request: Request) -> list[Component]:
    """How it stands, with the rows that are wrong, what changes, and the form that keeps a file."""
    parts: list[Component] = [html.P(html.B(say.state(request)))]
    result = request.result
    if request.finished_at is None or result is None:
        return parts
    for name, lines in say.result_lists(result):
        parts.append(html.H3(name))
        parts.append(html.Ul([html.Li(html.Code(line)) for line in lines], className="plain examples"))
    if result.get("outcome") == "shown" and result.get("changes"):
        keep = forms.form(
            "keep_values_file",
            button=_("Keep these values"),
            hidden={"source_id": source.id, "request_id": request.id},
        )
        parts.append(forms.shown(keep))
    if result.get("outcome") == "entered":
        parts.append(html.P(html.A(_("See what is still due"), href=page_of(source.id))))
    return parts


def values_form(view: ManualView) -> Markup:
    """A field for every value that is asked for, with what it can be and what was usual."""
    columns = value_columns(view.source)
    asked = list(view.asked)[: MOST // max(1, len(columns))]
    fields: list[forms.Field] = []
    hidden: dict[str, str | int] = {"source_id": view.source.id}
    is_correction = False
    for number, due in enumerate(asked):
        hidden[row_name(number)] = row_value(due.day, due.parts)
        before = view.book.held.get((due.day, due.parts), {})
        is_correction = is_correction or bool(before)
        for column in columns:
            label = say.cell_label(due, column, is_only=len(columns) == 1)
            hint = say.cell_hint(column, view.book.usual(due.parts, column.name))
            kind = "number" if column.type in ("integer", "number") else "text"
            name, value = field_name(number, column.name), before.get(column.name, "")
            fields.append(forms.line_field(name, label, value=value, hint=hint, kind=kind))
    fields.append(forms.check_field("sure", _("Values that are far from usual are right")))
    if is_correction:
        fields.append(forms.line_field("reason", _("Why a value changes that was given before")))
    return forms.form("give_values", *fields, button=_("Give these values"), hidden=hidden)


def file_form(view: ManualView) -> Markup:
    """The form that sends a spreadsheet, whose effect is shown before anything is kept."""
    names = [*key_names(view.source), *(one.name for one in value_columns(view.source))]
    return forms.form(
        "try_values_file",
        forms.line_field("file", _("Spreadsheet"), kind="file", hint=say.columns_words(names)),
        forms.optional(forms.line_field("reason", _("Why values change that were given before"))),
        button=_("Show what it would change"),
        hidden={"source_id": view.source.id},
    )


def reminder(connection: Connection) -> list[Component]:
    """The line that says what is due for whoever reads, as the way to it; nothing where nothing is."""
    desk = at_hand()
    today = local_day(desk.catalogue.city, desk.clock())
    due = [line for line in mine(connection, desk.catalogue, today) if line.due]
    if not due:
        return []
    href = page_of(due[0].source.id) if len(due) == 1 else f"{PREFIX}manual"
    return [html.P(dcc.Link(say.reminder(due), href=href), className="note owed", dir="auto")]
