"""Acts before a metric's first publication: its owner has seen it; an approver approves or refuses it."""

from __future__ import annotations

from layouts.access import Role, of_metric
from layouts.acts import Done, Form, Wrong, act
from layouts.acts.about import metric_of, page_of
from layouts.formats import _
from store import releases
from store.releases import Step

DECISIONS = (Step.APPROVED, Step.REFUSED)


@act("pass_release", Role.OWNER, department=of_metric)
def pass_release(form: Form) -> Done:
    """Says that the owner of a metric has seen what the public will see, and what they add to it."""
    metric = metric_of(form)
    if not form.is_checked("seen"):
        raise Wrong("seen", _("Look at it first, then say so here."))
    words = form.text("words", optional=True)
    with form.writing() as write:
        releases.take(write, form.person, metric.id, Step.SEEN, words)
    return Done(page_of(metric.id, "release"), _("It waits for an approver now."))


@act("decide_release", Role.APPROVER)
def decide_release(form: Form) -> Done:
    """Approves the first publication of a metric, or refuses it with a reason that its owner is shown."""
    metric = metric_of(form)
    step = Step(form.choice("step", [str(one) for one in DECISIONS]))
    words = form.text("words", optional=step is Step.APPROVED)
    with form.writing() as write:
        releases.take(write, form.person, metric.id, step, words)
    said = (
        _("The public sees it now.") if step is Step.APPROVED else _("It stays with its owner, who sees why.")
    )
    return Done(page_of(metric.id, "release"), said)
