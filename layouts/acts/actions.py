"""Acts on actions: to set one up, to promise anew, to hand it over, to end it."""

from __future__ import annotations

from datetime import date

from layouts.access import Role, department_of_metric, of_metric
from layouts.acts import Done, Form, Wrong, act
from layouts.acts.about import PUBLIC, metric_of, of_action, page_of, seen_by_of
from layouts.formats import _
from metrics.periods import local_day
from store import actions
from store.actions import State
from store.engine import Writing

MOST_WORDS = 500


@act("add_action", Role.EDITOR, department=of_metric)
def add_action(form: Form) -> Done:
    """Sets an action up for a metric, with one owner, a due day and a promise."""
    metric = metric_of(form)
    words = form.line("words")
    due = form.day("due", earliest=_today(form))
    promise = form.text("promise", most=MOST_WORDS)
    seen_by = seen_by_of(form, metric)
    with form.writing() as write:
        owner = _owner(form, write, metric.department)
        actions.begin(
            write,
            form.person,
            metric.id,
            words,
            owner=owner,
            due=due,
            promise=promise,
            is_public=seen_by == PUBLIC,
        )
    return Done(page_of(metric.id, "actions"), _("The action is set up."))


@act("turn_action", Role.EDITOR, department=of_action)
def turn_action(form: Form) -> Done:
    """Moves an action on: a new promise, day or owner, or its end with what came of it."""
    number = form.id("action_id")
    state = form.one_of("state", State)
    words = form.text("words", most=MOST_WORDS)
    with form.writing() as write:
        before = actions.get(write.connection, number)
        if before is None:
            raise Wrong("", _("There is no such action any more; open the page again."))
        due, owner = before.now.due, before.now.owner
        if state is State.OPEN:
            due = form.day("due", earliest=min(due, _today(form)))
            owner = _owner(form, write, department_of_metric(before.metric))
        after = actions.turn(write, form.person, number, state, owner=owner, due=due, words=words)
    return Done(page_of(after.metric, "actions"), _("The action is brought up to date."))


def _owner(form: Form, write: Writing, department: str | None) -> int:
    known = actions.owners(write.connection, department or "")
    return int(form.choice("owner", [str(one.id) for one in known]))


def _today(form: Form) -> date:
    return local_day(form.desk.catalogue.city, form.clock())
