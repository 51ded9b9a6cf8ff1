"""Acts on problems with numbers: to report one as staff, and to answer those that anybody reported."""

from __future__ import annotations

from layouts.access import Role
from layouts.acts import Done, Form, act
from layouts.acts.about import PUBLIC, metric_called, metric_of, of_problem, page_of, seen_by_of
from layouts.formats import _
from metrics.model import Metric
from store import problems
from store.engine import reading
from store.problems import About, State

MOST_WORDS = 1000


@act("report_problem", Role.VIEWER)
def report_problem(form: Form) -> Done:
    """Reports that something is wrong with the number of a metric."""
    metric = metric_of(form)
    words = form.text("words", most=MOST_WORDS)
    with form.writing() as write:
        problems.report(write, About(metric.id, form.given.get("grain", "")[:10]), words, form.person)
    return Done(page_of(metric.id, "problems"), _("It is reported to the department."))


@act("answer_problem", Role.EDITOR, department=of_problem)
def answer_problem(form: Form) -> Done:
    """Answers a problem, closes it with a reason, or opens it again."""
    number = form.id("problem_id")
    state = form.one_of("state", State)
    words = form.text("words", most=MOST_WORDS)
    is_public = seen_by_of(form, _asked_about(form, number)) == PUBLIC
    with form.writing() as write:
        after = problems.answer(write, form.person, number, state, words, is_public=is_public)
    said = _("The answer is on the public page now.") if is_public else _("The answer is kept for staff.")
    return Done(page_of(after.metric, "problems"), said)


def _asked_about(form: Form, number: int) -> Metric:
    with reading(form.desk.engine) as connection:
        return metric_called(form, problems.metric_of(connection, number) or "")
