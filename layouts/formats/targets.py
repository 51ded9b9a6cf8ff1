"""The sentences about targets: what is in force, what was tried and proposed, and what it would change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from layouts.formats.words import grain_word
from metrics.model import City, Direction, Grain, Metric, Period, Target
from store.proposals import Proposed, State
from store.target_requests import PREVIEWED
from store.targets import Kind, Proposal

if TYPE_CHECKING:
    from layouts.target_view import TargetLine, TargetsView, TargetView

# --- the list ------------------------------------------------------------------------------------


def list_headline(view: TargetsView) -> str:
    """How many proposals wait for an approver."""
    count = len(view.waiting)
    if not count:
        return _("No target waits for a decision")
    return ngettext("One target waits for a decision", "{count} targets wait for a decision", count).format(
        count=count
    )


def in_force(line: TargetLine) -> str:
    """The target of today, or why there is none."""
    if line.now is not None:
        return numbers.target_set(line.metric, line.now)
    return why_none(line.metric)


def why_none(metric: Metric) -> str:
    """Why a metric has no target of its own."""
    if metric.direction is Direction.NEUTRAL:
        return _("Shown without a target")
    if metric.historical:
        return _("Its own past")
    return _("None yet")


def ahead(line: TargetLine) -> str:
    """The targets dated later than today; "" for none."""
    return "; ".join(
        _("{target} from {day}").format(
            target=numbers.target_set(line.metric, one), day=days.day(one.valid_from)
        )
        for one in line.ahead
    )


def why_set(target: Target) -> str:
    """Why and by whom a target was set."""
    return _("{reason} ({by})").format(reason=target.reason, by=target.approved_by)


# --- one metric ----------------------------------------------------------------------------------


def headline(view: TargetView, line: TargetLine) -> str:
    """What a metric is held to, and since when."""
    metric = view.metric
    if line.now is None:
        return _("{metric}: {none}").format(metric=metric.name, none=why_none(metric))
    return _("{metric}: target {target} since {day}").format(
        metric=metric.name,
        target=numbers.target_set(metric, line.now),
        day=days.day(line.now.valid_from),
    )


def value_label(metric: Metric) -> str:
    """What the field for a target is called, with the unit."""
    return _with_unit(metric, _("Low end of the band") if _is_band(metric) else _("Target"))


def high_label(metric: Metric) -> str:
    """What the field for the high end of a band is called."""
    return _with_unit(metric, _("High end of the band"))


def floor_label(metric: Metric, *, is_high: bool = False) -> str:
    """What the field for the value is called at which the score is 0."""
    if not _is_band(metric):
        return _with_unit(metric, _("Value at which the score is 0"))
    said = _("Above the band the score is 0 from") if is_high else _("Below the band the score is 0 from")
    return _with_unit(metric, said)


def value_hint(metric: Metric) -> str:
    """How the number of a target is meant."""
    if metric.per == "open_day" and str(metric.aggregation) == "count":
        return _("So many on each open day.")
    if str(metric.aggregation) == "count":
        return _("So many in each {period}.").format(period=_per(metric.per))
    if metric.direction is Direction.LOWER_IS_BETTER:
        return _("Less is better: the target is met at this or less.")
    if metric.direction is Direction.HIGHER_IS_BETTER:
        return _("More is better: the target is met at this or more.")
    return ""


def day_hint(view: TargetView) -> str:
    """From which day a target may be without changing what is published."""
    if view.final_until is None:
        return ""
    return _("Scores up to {day} are final; an earlier day is a correction.").format(
        day=days.day(view.final_until)
    )


def proposal_words(metric: Metric, proposed: Proposed) -> str:
    """What is proposed from when."""
    return asked_words(metric, proposed.asked)


def asked_words(metric: Metric, asked: Proposal) -> str:
    """What target was tried, from when."""
    assert isinstance(asked.change, Target), "nothing else is tried"
    return target_words(metric, asked.change, asked.kind)


def target_words(metric: Metric, target: Target, kind: Kind) -> str:
    """A target from its day on, and whether it is a correction."""
    said = {"target": numbers.target_set(metric, target), "day": days.day(target.valid_from)}
    if target.floor is not None:
        low, high = target.floor if isinstance(target.floor, tuple) else (target.floor, None)
        said["floor"] = numbers.target(metric, low, high)
        if kind is Kind.CORRECTION:
            return _("{target} from {day}, score 0 at {floor}, as a correction").format(**said)
        return _("{target} from {day}, score 0 at {floor}").format(**said)
    if kind is Kind.CORRECTION:
        return _("{target} from {day}, as a correction").format(**said)
    return _("{target} from {day}").format(**said)


def proposal_state(proposed: Proposed, city: City) -> str:
    """Who proposed it when, and what became of it."""
    made = _("{name}, {instant}").format(
        name=proposed.author_name, instant=days.instant(proposed.made_at, city)
    )
    if proposed.decided_at is None:
        return _("Proposed by {made}; waits for an approver.").format(made=made)
    decided = _("{name}, {instant}").format(
        name=proposed.decided_by, instant=days.instant(proposed.decided_at, city)
    )
    said = {
        State.APPROVED: _("Proposed by {made}; approved by {decided}."),
        State.REFUSED: _("Proposed by {made}; refused by {decided}: {why}"),
        State.WITHDRAWN: _("Proposed by {made}; taken back by {decided}."),
    }
    return said[proposed.state].format(made=made, decided=decided, why=proposed.why or "")


# --- what was tried ------------------------------------------------------------------------------


def is_good(result: Mapping[str, Any] | None) -> bool:
    """Whether the worker could try a target."""
    return result is not None and result.get("outcome") == PREVIEWED


def finding(result: Mapping[str, Any]) -> str:
    """The finding of the back-test at the coarsest grain of most use: the week, else the finest there is."""
    trials = {one["grain"]: one for one in result["trials"]}
    one = trials.get(Grain.WEEK) or next(iter(trials.values()), None)
    if one is None:
        return _("There is no year to hold it against: nothing is scored yet.")
    low, high = one["likely"]
    said = _(
        "It would have been met in {met} of the last {periods}: likely in {low} to {high} of those to come."
    )
    periods = _("{count} {grain}").format(
        count=one["periods"], grain=grain_plural(Grain(one["grain"]), one["periods"])
    )
    return said.format(met=one["met"], periods=periods, low=numbers.share(low), high=numbers.share(high))


def grain_plural(grain: Grain, count: int) -> str:
    """Periods of a grain, counted."""
    return {
        Grain.DAY: ngettext("day", "days", count),
        Grain.WEEK: ngettext("week", "weeks", count),
        Grain.MONTH: ngettext("month", "months", count),
        Grain.QUARTER: ngettext("quarter", "quarters", count),
    }[grain]


def met_words(met: int, periods: int) -> str:
    """How many of how many."""
    return _("{met} of {periods}").format(met=met, periods=periods) if periods else _("none in force")


def likely_words(likely: tuple[float, float]) -> str:
    """The share of periods that are likely to meet it."""
    return _("{low} to {high}").format(low=numbers.share(likely[0]), high=numbers.share(likely[1]))


def newest_words(one: Mapping[str, Any]) -> str:
    """The newest period by its grain."""
    return days.short_period(period_of(one))


def score_words(one: Mapping[str, Any]) -> str:
    """The newest score by the target, beside the one so far."""
    return _("{score} (so far {before})").format(
        score=numbers.score(one["score"]), before=numbers.score(one["score_so_far"])
    )


def period_of(one: Mapping[str, Any]) -> Period:
    """The period that a result names."""
    return Period(Grain(one["grain"]), date.fromisoformat(one["start"]), date.fromisoformat(one["end"]))


def effect_words(effect: Mapping[str, Any] | None) -> str:
    """How much of what is published would change."""
    if effect is None:
        return _("No published score changes: the target begins after all of them.")
    if not effect["scores"] and not effect["composites"]:
        return _("No published score changes.")
    said = ngettext(
        "{count} published score would change", "{count} published scores would change", effect["scores"]
    ).format(count=numbers.count(effect["scores"]))
    both = ngettext(
        "{said}, and {count} score of departments and the city; {final} of all are final.",
        "{said}, and {count} scores of departments and the city; {final} of all are final.",
        effect["composites"],
    )
    return both.format(
        said=said, count=numbers.count(effect["composites"]), final=numbers.count(effect["restated"])
    )


def headline_change(one: Mapping[str, Any]) -> str:
    """The city's score at a grain as it is and as it would be."""
    return _("{grain}, {period}: {before} becomes {after}").format(
        grain=grain_word(Grain(one["grain"])),
        period=days.short_period(period_of(one)),
        before=numbers.score(one["before"]),
        after=numbers.score(one["after"]),
    )


def _with_unit(metric: Metric, label: str) -> str:
    unit = numbers.unit(metric)
    return _("{label}, in {unit}").format(label=label, unit=unit) if unit else label


def _is_band(metric: Metric) -> bool:
    return metric.direction is Direction.WITHIN


def _per(word: str) -> str:
    return {
        "day": _("day"),
        "week": _("week"),
        "month": _("month"),
        "quarter": _("quarter"),
        "year": _("year"),
    }.get(word, word)
