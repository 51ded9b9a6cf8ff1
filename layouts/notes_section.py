"""The part of a metric's page where people say why the number is what it is."""

from __future__ import annotations

from typing import Any

from dash import html
from markupsafe import Markup

from layouts import forms
from layouts.components import section
from layouts.formats import _, days
from layouts.formats import notes as sentences
from layouts.notes_view import NotesView
from metrics.model import Period
from metrics.periods import periods
from store.notes import Note


def notes_section(view: NotesView) -> list[html.Section]:
    """What was written about a metric, and the form to write more; nothing where there is neither."""
    if not view.notes and not view.may_write:
        return []
    rows = [_note(view, note) for note in view.notes]
    said: Any = html.Ul(rows, className="plain rows") if rows else html.P(_("Nobody has written a note yet."))
    inside = [said, *([forms.shown(_new_note(view))] if view.may_write and view.period else [])]
    return [section(_("Notes"), html.Div(inside, className="card"), id="notes")]


def period_of_note(view: NotesView, note: Note) -> Period | None:
    """The period that a note is about; None where the calendar has none that begins then."""
    found = periods(view.edition.city, note.grain, note.start, view.edition.publication.as_of)
    return found[0] if found and found[0].start == note.start else None


def _note(view: NotesView, note: Note) -> html.Li:
    taking_back = [forms.shown(_withdrawal(note))] if view.may_write else []
    return html.Li(
        [
            html.P(html.B(sentences.about(note, period_of_note(view, note)))),
            html.P(note.words, className="words", dir="auto"),
            html.P(sentences.written(note, view.edition.city), className="small muted", dir="auto"),
            *taking_back,
        ]
    )


def _new_note(view: NotesView) -> Markup:
    period = view.period
    assert period is not None, "asked before"
    made = forms.form(
        "add_note",
        forms.radio_field("kind", _("What kind of note"), sentences.kinds(), chosen="explanation"),
        forms.text_field(
            "words",
            _("What happened in {period}").format(period=days.period(period)),
            hint=_("Plain text. Say what was the cause and what is done about it. Name no private person."),
        ),
        forms.radio_field(
            "seen_by",
            _("Who sees it"),
            sentences.seen_by(may_be_public=view.metric.public),
            chosen="internal",
        ),
        button=_("Add the note"),
        hidden={"metric_id": view.metric.id, "grain": period.grain, "start": period.start.isoformat()},
    )
    return forms.folded(_("Write a note"), made)


def _withdrawal(note: Note) -> Markup:
    made = forms.form(
        "withdraw_note",
        forms.line_field("why", _("Why is it taken back?")),
        button=_("Take it back"),
        id=f"withdraw_note-{note.id}",
        hidden={"note_id": note.id},
    )
    return forms.folded(_("Take this note back"), made)
