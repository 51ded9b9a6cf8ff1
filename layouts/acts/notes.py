"""Acts on notes and on marks of charts: to write one, and to take it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from layouts.access import Role, department_of_metric, of_metric
from layouts.acts import Done, Form, Wrong, act
from layouts.desk import at_hand
from layouts.formats import _
from layouts.links import PREFIX
from metrics.model import Grain, Metric
from metrics.periods import local_day, periods
from store import actions, notes, problems
from store.engine import Connection, reading
from store.notes import MarkKind, NoteKind

PUBLIC, INTERNAL = "public", "internal"
SEEN_BY = (PUBLIC, INTERNAL)

FIRST_DAY = date(1990, 1, 1)
LONGEST = timedelta(days=93)
"""A quarter has no more days."""


def stored_under(
    field: str, metric_of: Callable[[Connection, int], str | None]
) -> Callable[[Mapping[str, Any]], str | None]:
    """Tells the department of what is stored under the number in a field; None where there is none such."""

    def told(given: Mapping[str, Any]) -> str | None:
        number = str(given.get(field, ""))
        if not (number.isascii() and number.isdecimal() and len(number) < 18):
            return None
        with reading(at_hand().engine) as connection:
            metric = metric_of(connection, int(number))
        return department_of_metric(metric)

    return told


of_note = stored_under("note_id", notes.metric_of_note)
of_mark = stored_under("mark_id", notes.metric_of_mark)
of_action = stored_under("action_id", actions.metric_of)
of_problem = stored_under("problem_id", problems.metric_of)


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


def page_of(metric: str, part: str, **query: str) -> str:
    """The staff page of a metric, at one of its parts."""
    words = f"?{urlencode(query)}" if query else ""
    return f"{PREFIX}metric/{metric}{words}#{part}"


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
