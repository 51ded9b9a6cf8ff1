"""What pages ask of the worker about targets: what one would change, told before anybody decides on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from metrics.intervals import wilson
from metrics.model import Catalogue, Target
from metrics.scoring import Bound
from metrics.trial import Trial
from store import audit_log, requests
from store.audit_log import Actor
from store.engine import Engine, StoreError, Writing, reading
from store.requests import Request
from store.target_preview import Effect, Preview, preview
from store.targets import Kind, Proposal, judged

PREVIEW = "preview_target"
PREVIEWED = "previewed"

UNFINISHED_AT_MOST = 10
"""Of one city: each takes the worker some seconds."""


def ask(write: Writing, actor: Actor, catalogue: Catalogue, proposal: Proposal) -> int:
    """Asks for the preview of a target; gives the number of the request.

    Raises StoreError as `store.targets.judged` does, and while too many wait.
    """
    judged(write.connection, catalogue, proposal)
    if len(requests.unfinished(write.connection, (PREVIEW,))) >= UNFINISHED_AT_MOST:
        raise StoreError("Other targets are being tried; wait until they are answered.")
    words = _words(proposal)
    number = requests.insert_within(write, PREVIEW, words)
    audit_log.add(write, actor, "target tried", f"metric {proposal.metric}", request=number, **_logged(words))
    return number


def answer(engine: Engine, catalogue: Catalogue, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the target of a request would change, as a JSON object. Raises StoreError as `preview` does."""
    with reading(engine) as connection:
        found = preview(connection, catalogue, proposal_of(arguments))
    return {
        "outcome": PREVIEWED,
        "trials": [_trial(one) for one in found.trials],
        "warnings": list(found.warnings),
        "effect": None if found.effect is None else _effect(found.effect),
        "sentence": _sentence(found),
    }


def proposal_of(arguments: Mapping[str, Any]) -> Proposal:
    """The target that a request is about."""
    value, floor = _bound(arguments["value"]), _bound(arguments.get("floor"))
    assert value is not None, "a request without a value is never inserted"
    day = date.fromisoformat(str(arguments["valid_from"]))
    target = Target(value, day, str(arguments["reason"]), str(arguments["by"]), floor)
    return Proposal(str(arguments["metric"]), target, Kind(arguments["kind"]))


def of_metric(connection: Connection, number: int, metric: str) -> Request | None:
    """The request of a number where it is about a target of the metric; None otherwise."""
    found = requests.get(connection, number)
    is_it = found is not None and found.kind == PREVIEW and found.arguments.get("metric") == metric
    return found if is_it else None


def _words(proposal: Proposal) -> dict[str, Any]:
    change = proposal.change
    if not isinstance(change, Target):
        raise StoreError("Only a target can be tried.")
    return {
        "metric": proposal.metric,
        "value": change.value,
        "floor": change.floor,
        "valid_from": change.valid_from.isoformat(),
        "reason": change.reason,
        "kind": proposal.kind.value,
        "by": change.approved_by,
    }


def _logged(words: Mapping[str, Any]) -> dict[str, Any]:
    return {name: words[name] for name in ("value", "floor", "valid_from", "reason", "kind")}


def _bound(given: Any) -> Bound | None:
    if given is None:
        return None
    return (float(given[0]), float(given[1])) if isinstance(given, list | tuple) else float(given)


def _trial(one: Trial) -> dict[str, Any]:
    low, high = wilson(one.met, one.periods)
    return {
        "grain": str(one.grain),
        "periods": one.periods,
        "met": one.met,
        "likely": [float(low), float(high)],
        "periods_so_far": one.periods_so_far,
        "met_so_far": one.met_so_far,
        "start": one.newest.start.isoformat(),
        "end": one.newest.end.isoformat(),
        "value": one.value,
        "score": one.score,
        "score_so_far": one.score_so_far,
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "publication": effect.publication,
        "as_of": effect.as_of.isoformat(),
        "scores": effect.scores,
        "composites": effect.composites,
        "restated": effect.restated,
        "headlines": [
            {
                "grain": str(one.grain),
                "start": one.period.start.isoformat(),
                "end": one.period.end.isoformat(),
                "before": one.before,
                "after": one.after,
            }
            for one in effect.headlines
        ],
    }


def _sentence(found: Preview) -> str:
    changed = 0 if found.effect is None else found.effect.scores + found.effect.composites
    return (
        f"{found.metric.id}: tried at {len(found.trials)} grains; {changed} published numbers would change."
    )
