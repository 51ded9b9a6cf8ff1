"""What was written about the metrics of a department, and beside a number that needs attention."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts.components import row, scrolling, section, table
from layouts.formats import _
from layouts.formats import notes as sentences
from layouts.links import metric_link
from layouts.notes_view import WrittenView, period_of_note
from metrics.model import Metric
from store.actions import Action
from store.notes import Note

MOST_NOTES = 5


def beside(view: WrittenView, metric: Metric) -> list[Component]:
    """The last note and the last promise about a metric, each the way to it; what is owed too.

    Nothing where nothing was said: who answers for the metric is the way to where it can be.
    """
    note, action = view.last_note(metric.id), view.last_promise(metric.id)
    said: list[tuple[str, str]] = []
    if any(one.id == metric.id for one, _period in view.owed):
        said.append((_("A note is owed."), "notes"))
    if note is not None:
        said.append((sentences.short_note(note, view.edition.city), "notes"))
    if action is not None:
        late = sentences.action_state(action, view.today) if action.is_overdue(view.today) else ""
        said.append((" ".join(one for one in (sentences.short_promise(action), late) if one), "actions"))
    return [
        html.P(
            dcc.Link(text, href=f"{metric_link(view.edition, metric.id)}#{part}", className="said-beside"),
            className="small beside-number",
            dir="auto",
        )
        for text, part in said
    ]


def written_section(view: WrittenView) -> list[Component]:
    """Notes owed and written, open actions and reported problems of a department."""
    inside: list[Any] = [*_owed(view), *_problems(view), *_notes(view)]
    return [
        html.Div(section(_("What is promised"), _actions(view), id="actions"), className="section"),
        html.Div(section(_("Notes"), html.Div(inside, className="card"), id="notes"), className="section"),
    ]


def _owed(view: WrittenView) -> list[Component]:
    return [
        html.P(
            [
                dcc.Link(metric.name, href=f"{metric_link(view.edition, metric.id)}#notes"),
                ": ",
                sentences.note_owed(period),
            ],
            className="note owed",
            dir="auto",
        )
        for metric, period in view.owed
    ]


def _problems(view: WrittenView) -> list[Component]:
    if not view.problems:
        return []
    counted = sentences.problems_counted(len(view.problems), len(view.new_problems))
    links: list[Any] = []
    for name in dict.fromkeys(one.metric for one in view.new_problems):
        links += [" ", dcc.Link(_name(view, name), href=f"{metric_link(view.edition, name)}#problems")]
    return [html.P([counted, *links], dir="auto")]


def _notes(view: WrittenView) -> list[Component]:
    rows = [_note(view, note) for note in view.notes[:MOST_NOTES]]
    if not rows:
        return [html.P(_("Nobody has written a note yet."), className="muted")]
    return [html.Ul(rows, className="plain rows")]


def _note(view: WrittenView, note: Note) -> html.Li:
    about = sentences.about(note, period_of_note(view.edition, note))
    by = sentences.written(note.writer_name, note.written_at, view.edition.city, is_public=note.is_public)
    link = dcc.Link(_name(view, note.metric), href=f"{metric_link(view.edition, note.metric)}#notes")
    return html.Li(
        [
            html.P([html.B(link), f" · {about}"], dir="auto"),
            html.P(note.words, className="words", dir="auto"),
            html.P(by, className="small muted", dir="auto"),
        ]
    )


def _actions(view: WrittenView) -> Component:
    if not view.open_actions:
        return html.P(_("Nothing is promised."), className="card muted")
    heads = [(_("What"), ""), (_("Moves"), ""), (_("Who"), ""), (_("Due"), ""), (_("How it stands"), "")]
    shown = table(
        _("Open actions, what is overdue first"), heads, [_row(view, one) for one in view.open_actions]
    )
    name: dict[str, Any] = {"aria-labelledby": "actions"}
    return scrolling(shown, name, "sheet scroll")


def _row(view: WrittenView, action: Action) -> html.Tr:
    state = sentences.action_state(action, view.today)
    late = " late" if action.is_overdue(view.today) else ""
    way = f"{metric_link(view.edition, action.metric)}#actions"
    said = [html.Br(), html.Span(action.promise.words, className="small muted", dir="auto")]
    return row(
        html.Span(action.words, dir="auto"),
        (dcc.Link(_name(view, action.metric), href=way), ""),
        (html.Span(action.now.owner_name, dir="auto"), ""),
        (sentences.due(action), ""),
        ([html.Span(state, className=f"state{late}"), *said], ""),
    )


def _name(view: WrittenView, metric: str) -> str:
    line = view.lines.get(metric)
    return line.metric.name if line else metric
