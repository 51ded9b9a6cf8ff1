"""A proposed target, and what it would change, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from metrics.model import Metric, Target
from metrics.scoring import Bound
from metrics.trial import Trial
from store.target_preview import Effect, Preview
from store.targets import Kind, Proposal


def preview_lines(given: Preview) -> Iterator[str]:
    """What is proposed, what the last year and the published scores would be by it, and what is doubtful."""
    yield proposal_line(given.metric, given.proposal)
    if given.trials:
        yield "held against the last year:"
        yield from (f"  {_trial(given.metric, one)}" for one in given.trials)
    yield from _effect(given)
    yield from (f"warning: {said}" for said in given.warnings)


def proposal_line(metric: Metric, proposal: Proposal) -> str:
    """Who wants what from when, and why."""
    change = proposal.change
    what = f"target {_said(metric, change.value)}" if isinstance(change, Target) else "no target of its own"
    if isinstance(change, Target) and change.floor is not None:
        what += f", floor {_said(metric, change.floor)},"
    kind = " as a correction" if proposal.kind is Kind.CORRECTION else ""
    return f"{metric.id}: {what} from {change.valid_from}{kind}, by {change.approved_by}: {change.reason}"


def _trial(metric: Metric, one: Trial) -> str:
    so_far = f"{one.met_so_far} of {one.periods_so_far} by the targets so far"
    return (
        f"{one.grain:8} met in {one.met} of {one.periods} periods ({so_far}); from {one.newest.start}: "
        f"value {_said(metric, one.value)}, score {_score(one.score)} (so far {_score(one.score_so_far)})"
    )


def _effect(given: Preview) -> Iterator[str]:
    effect = given.effect
    if effect is None:
        yield "no published score changes"
        return
    yield _effect_line(effect)
    for one in effect.headlines:
        yield f"  city, {one.grain} from {one.period.start}: {_score(one.before)} becomes {_score(one.after)}"


def _effect_line(effect: Effect) -> str:
    return (
        f"publication {effect.publication} as of {effect.as_of}: {effect.scores} scores and "
        f"{effect.composites} composites would change, {effect.restated} of them final"
    )


def _said(metric: Metric, bound: Bound | None) -> str:
    if bound is None:
        return "none"
    if isinstance(bound, tuple):
        return f"{_said(metric, bound[0])} to {_said(metric, bound[1])}"
    return f"{bound:.1%}" if metric.unit == "percent" else f"{bound:g}"


def _score(score: float | None) -> str:
    return "none" if score is None else f"{score:.4f}"
