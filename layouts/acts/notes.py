"""Acts on notes: to write one on a metric in a period, and to take it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from layouts.access import Role, department_of_metric, of_metric
from layouts.acts import Done, Form, Wrong, act
from layouts.desk import at_hand
from layouts.formats import _
from layouts.links import PREFIX
from metrics.model import Grain, Metric
from metrics.periods import local_day, periods
from store import notes
from store.engine import reading
from store.notes import NoteKind

PUBLIC, INTERNAL = "public", "internal"
SEEN_BY = (PUBLIC, INTERNAL)

LONGEST = timedelta(days=93)
"""A quarter has no more days."""


def of_note(given: Mapping[str, Any]) -> str | None:
    """The department of the note whose number is in the field `note_id`; None where there is none such."""
    number = str(given.get("note_id", ""))
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        return None
    with reading(at_hand().engine) as connection:
        found = notes.note(connection, int(number))
    return None if found is None else department_of_metric(found.metric)


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
    return Done(f"{PREFIX}metric/{metric.id}?grain={grain}#notes", said)


@act("withdraw_note", Role.EDITOR, department=of_note)
def withdraw_note(form: Form) -> Done:
    """Takes a note back, with a reason."""
    number, why = form.id("note_id"), form.line("why")
    with form.writing() as write:
        found = notes.note(write.connection, number)
        notes.withdraw(write, form.person, number, why)
    assert found is not None, "it was just withdrawn"
    return Done(f"{PREFIX}metric/{found.metric}?grain={found.grain}#notes", _("The note is taken back."))


def metric_of(form: Form) -> Metric:
    """The metric in the field `metric_id`."""
    wanted = form.given.get("metric_id", "")
    found = form.desk.find_metric(wanted) or form.desk.catalogue.metrics.get(wanted)
    if found is None:
        raise Wrong("", _("There is no such metric any more; open the page again."))
    return found


def period_given(form: Form) -> tuple[Grain, date]:
    """The grain and the first day in the fields `grain` and `start`: of a period that has begun."""
    city = form.desk.catalogue.city
    grain = form.one_of("grain", Grain)
    start = form.day("start", latest=local_day(city, form.clock()))
    begun = periods(city, grain, start, start + LONGEST)
    if all(one.start != start for one in begun):
        raise Wrong("", _("There is no such period; open the page again."))
    return grain, start


def seen_by_of(form: Form, metric: Metric) -> str:
    """Who will see it; nobody but staff sees anything of a metric that is not public."""
    seen_by = form.choice("seen_by", SEEN_BY)
    if seen_by == PUBLIC and not metric.public:
        raise Wrong("seen_by", _("This metric is not public, so the note cannot be; keep it for staff."))
    return seen_by
