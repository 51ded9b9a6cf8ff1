"""Acts on notes and on marks of charts: to write one, and to take it back."""

from __future__ import annotations

from datetime import date

from layouts.access import Role, of_metric
from layouts.acts import Done, Form, act
from layouts.acts.about import PUBLIC, metric_of, of_mark, of_note, page_of, period_given, seen_by_of
from layouts.formats import _
from metrics.periods import local_day
from store import notes
from store.notes import MarkKind, NoteKind

FIRST_DAY = date(1990, 1, 1)


@act("add_note", Role.EDITOR, department=of_metric)
def add_note(form: Form) -> Done:
    """Writes a note on a metric in a period."""
    metric = metric_of(form)
    grain, start = period_given(form)
    kind = form.one_of("kind", NoteKind)
    seen_by = seen_by_of(form, metric)
    words = form.text("words")
    with form.writing() as write:
        notes.add(write, form.person, metric.id, grain, start, kind, words, is_public=seen_by == PUBLIC)
    said = _("The note is on the public page now.") if seen_by == PUBLIC else _("The note is kept for staff.")
    return Done(page_of(metric.id, "notes", grain=grain), said)


@act("withdraw_note", Role.EDITOR, department=of_note)
def withdraw_note(form: Form) -> Done:
    """Takes a note back, with a reason."""
    number, why = form.id("note_id"), form.line("why")
    with form.writing() as write:
        metric = notes.withdraw(write, form.person, number, why)
    return Done(page_of(metric, "notes"), _("The note is taken back."))


@act("add_mark", Role.EDITOR, department=of_metric)
def add_mark(form: Form) -> Done:
    """Marks a day on the charts of a metric."""
    metric = metric_of(form)
    day = form.day("day", earliest=FIRST_DAY, latest=local_day(form.desk.catalogue.city, form.clock()))
    kind = form.one_of("kind", MarkKind)
    seen_by = seen_by_of(form, metric)
    words = form.line("words")
    with form.writing() as write:
        notes.add_mark(write, form.person, metric.id, day, kind, words, is_public=seen_by == PUBLIC)
    return Done(page_of(metric.id, "marks"), _("The day is marked on the charts."))


@act("withdraw_mark", Role.EDITOR, department=of_mark)
def withdraw_mark(form: Form) -> Done:
    """Takes a mark off the charts, with a reason."""
    number, why = form.id("mark_id"), form.line("why")
    with form.writing() as write:
        metric = notes.withdraw_mark(write, form.person, number, why)
    return Done(page_of(metric, "marks"), _("The mark is off the charts."))
