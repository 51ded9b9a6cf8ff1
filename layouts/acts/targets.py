"""Acts on targets: to try one, to propose one that was tried, to approve, refuse or take back a proposal."""

from __future__ import annotations

from urllib.parse import urlencode

from layouts.access import Role, of_metric
from layouts.acts import Done, Form, Wrong, act
from layouts.acts.about import metric_of, stored_under
from layouts.formats import _
from layouts.links import PREFIX
from metrics.model import Direction, Metric, Target
from store import proposals, target_requests
from store.targets import Kind, Proposal

PERCENT = "percent"
DIGITS = 10
"""Dividing by a hundred leaves no more digits than somebody typed."""

of_proposal = stored_under("proposal_id", proposals.metric_of)


@act("try_target", Role.OWNER, department=of_metric)
def try_target(form: Form) -> Done:
    """Asks the worker what a target would change; nothing of it is in force."""
    metric = _scored(form)
    target = Target(
        _value(form, metric),
        form.day("valid_from"),
        form.line("reason"),
        form.person.name,
        _floor(form, metric),
    )
    kind = Kind.CORRECTION if form.is_checked("correction") else Kind.APPROVAL
    with form.writing() as write:
        asked = Proposal(metric.id, target, kind)
        number = target_requests.ask(write, form.person.actor, form.desk.catalogue, asked)
    return Done(page_of(metric.id, "tried", tried=str(number)), _("The target is being tried."))


@act("propose_target", Role.OWNER, department=of_metric)
def propose_target(form: Form) -> Done:
    """Proposes a target whose effect its author has seen."""
    metric, request = _scored(form), form.id("request_id")
    with form.writing() as write:
        proposals.propose(write, form.person, form.desk.catalogue, request, metric.id)
    return Done(page_of(metric.id, "proposals"), _("The target is proposed; it waits for an approver."))


@act("approve_target", Role.APPROVER)
def approve_target(form: Form) -> Done:
    """Approves a proposed target: the next publication follows it."""
    number = form.id("proposal_id")
    with form.writing() as write:
        done = proposals.approve(write, form.person, form.desk.catalogue, number)
    said = _("The target is approved; the scores follow it with the next publication.")
    return Done(page_of(done.asked.metric, "history"), said)


@act("refuse_target", Role.APPROVER)
def refuse_target(form: Form) -> Done:
    """Refuses a proposed target with a reason, which its author is shown."""
    number, why = form.id("proposal_id"), form.line("why")
    with form.writing() as write:
        done = proposals.refuse(write, form.person, number, why)
    return Done(page_of(done.asked.metric, "proposals"), _("The target is refused; its author sees why."))


@act("withdraw_target", Role.OWNER, department=of_proposal)
def withdraw_target(form: Form) -> Done:
    """Takes a proposal back."""
    number = form.id("proposal_id")
    with form.writing() as write:
        done = proposals.withdraw(write, form.person, number)
    return Done(page_of(done.asked.metric, "proposals"), _("The proposal is taken back."))


def page_of(metric: str, part: str = "", **query: str) -> str:
    """The page of a metric's targets, at one of its parts."""
    words = f"?{urlencode(query)}" if query else ""
    return f"{PREFIX}targets/{metric}{words}" + (f"#{part}" if part else "")


def shown_number(metric: Metric, number: float) -> float:
    """A number of a metric as its form has it: a share in percent."""
    return round(number * 100, DIGITS) if metric.unit == PERCENT else number


def _scored(form: Form) -> Metric:
    metric = metric_of(form)
    if metric.direction is Direction.NEUTRAL or metric.historical:
        raise Wrong("", _("This metric is held to no number that could be set."))
    return metric


def _value(form: Form, metric: Metric) -> float | tuple[float, float]:
    low = _number(form, metric, "value")
    if metric.direction is not Direction.WITHIN:
        return low
    high = _number(form, metric, "high")
    if high < low:
        raise Wrong("high", _("The high end lies under the low one."))
    return low, high


def _floor(form: Form, metric: Metric) -> float | tuple[float, float] | None:
    names = ("floor", "floor_high") if metric.direction is Direction.WITHIN else ("floor",)
    given = [name for name in names if form.given.get(name, "").strip()]
    if not given and metric.direction is not Direction.WITHIN:
        return None
    numbers = [_number(form, metric, name) for name in names]
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])


def _number(form: Form, metric: Metric, name: str) -> float:
    number = form.number(name)
    return round(number / 100, DIGITS) if metric.unit == PERCENT else number
