"""Approved targets: decisions about what metrics are held to, and the catalogue that follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from metrics.catalogue import CatalogueError, with_targets
from metrics.model import WHOLE_CITY, Approved, Catalogue, Metric, Status, Target, Withdrawn
from metrics.scoring import Bound
from store import approvals
from store.approvals import live_metric, refuse_words
from store.definitions import REVISION, names_of, scoring_parts
from store.engine import Clock, StoreError, Writing, from_text, writing
from store.schema import approved_targets, publications, scores


class Kind(StrEnum):
    """An approval is about days whose scores may still change, a correction about published ones."""

    APPROVAL = "approval"
    CORRECTION = "correction"


@dataclass(frozen=True)
class Proposal:
    """A target of a metric that somebody wants to set or withdraw."""

    metric: str
    change: Approved
    kind: Kind = Kind.APPROVAL


Decision = approvals.Decision[Proposal]


def decisions(connection: Connection) -> list[Decision]:
    """Every decision about a target, oldest first, those that later ones replaced included."""
    return [_decision(row) for row in connection.execute(select(approved_targets).order_by("id"))]


def newest(connection: Connection) -> int:
    """The number of the last decision; 0 before the first."""
    return approvals.newest(connection, approved_targets)


def merged(connection: Connection, catalogue: Catalogue) -> Catalogue:
    """The catalogue with all that was decided about its targets: what scores follow from.

    Raises StoreError where a decision does not fit the files any more, with the fix.
    """
    rows = [(one.asked.metric, one.asked.change) for one in decisions(connection)]
    if not rows:
        return catalogue
    try:
        return with_targets(catalogue, rows)
    except CatalogueError as error:
        raise StoreError(f"An approved target does not fit the catalogue: {_first(error)}") from error


def judged(connection: Connection, catalogue: Catalogue, proposal: Proposal) -> Catalogue:
    """The merged catalogue as it would be with a proposal.

    Raises StoreError, with the fix, for a metric that is not there or has ended, a target that the rules of
    the catalogue refuse, one that changes nothing, and an approval of a day whose scores are final
    (method 4) or a correction of one whose are not.
    """
    before = merged(connection, catalogue)
    metric = live_metric(before, proposal.metric, "it is held to nothing any more")
    refuse_words(proposal.change.reason, proposal.change.approved_by)
    _refuse_numbers(proposal)
    _refuse_nothing(metric, proposal)
    _refuse_the_wrong_kind(connection, metric, proposal)
    try:
        return with_targets(before, [(metric.id, proposal.change)])
    except CatalogueError as error:
        raise StoreError(f"{_named(metric, proposal.change)} is refused: {_first(error)}") from error


def approve(engine: Engine, catalogue: Catalogue, clock: Clock, proposal: Proposal) -> Decision:
    """Adds a decision, which the next publication follows; raises StoreError as `judged` does."""
    with writing(engine, clock) as held:
        return approve_within(held, catalogue, proposal)


def approve_within(write: Writing, catalogue: Catalogue, proposal: Proposal) -> Decision:
    """The same in the transaction of something else."""
    judged(write.connection, catalogue, proposal)
    return approvals.add(
        write,
        approved_targets,
        proposal,
        {**columns_of(proposal), "approved_by": proposal.change.approved_by},
    )


def columns_of(proposal: Proposal) -> dict[str, Any]:
    """What was proposed as the columns of a row, without who approved it; `proposal_of` reads it."""
    change = proposal.change
    target = change if isinstance(change, Target) else None
    low, high = _ends(target.value) if target else (None, None)
    floor_low, floor_high = _ends(target.floor) if target else (None, None)
    return {
        "metric": proposal.metric,
        "valid_from": change.valid_from.isoformat(),
        "low": low,
        "high": high,
        "floor_low": floor_low,
        "floor_high": floor_high,
        "kind": proposal.kind.value,
        "reason": change.reason,
    }


def proposal_of(row: Any, approved_by: str) -> Proposal:
    """What was proposed, from the columns of a row; approved_by is who says so."""
    day = date.fromisoformat(row.valid_from)
    value, floor = _bound(row.low, row.high), _bound(row.floor_low, row.floor_high)
    change: Approved = Withdrawn(day, row.reason, approved_by)
    if value is not None:
        change = Target(value, day, row.reason, approved_by, floor)
    return Proposal(row.metric, change, Kind(row.kind))


def final_until(connection: Connection, metric: Metric) -> date | None:
    """The end of the last period of a metric that was published as final; None where none was."""
    statement = (
        select(func.max(scores.c.end))
        .join(publications, publications.c.id == scores.c.publication)
        .where(
            scores.c.metric.in_(names_of(metric)),
            scores.c.district == WHOLE_CITY,
            scores.c.status == Status.FINAL,
            publications.c.is_current == 1,
        )
    )
    found = connection.execute(statement).scalar_one()
    return date.fromisoformat(found) if found else None


def reason_for(connection: Connection, before: Catalogue, after: Catalogue, as_of: date) -> str | None:
    """Why final scores change between two catalogues that differ by approved targets alone.

    The reasons of the corrections among them; later records where there is none, since an approval changes
    nothing that is final. None where definitions differ otherwise too, or by a target of a day before
    `as_of` that nobody approved here.
    """
    if _without_targets(before) != _without_targets(after):
        return None
    decided = {(one.asked.metric, one.asked.change.valid_from): one for one in decisions(connection)}
    reasons = []
    for metric in after.live_metrics():
        for day in _differing_days(before.metrics[metric.id], metric, as_of):
            found = _decided_of(decided, metric, day)
            if found is None or not _stands(metric, found.change):
                return None
            if found.kind is Kind.CORRECTION:
                reasons.append(found.change.reason)
    return "; ".join(dict.fromkeys(reasons)) or REVISION


# --- what is refused ----------------------------------------------------------------------------


def _refuse_numbers(proposal: Proposal) -> None:
    change = proposal.change
    numbers = (*_ends(change.value), *_ends(change.floor)) if isinstance(change, Target) else ()
    if not all(number is None or math.isfinite(number) for number in numbers):
        raise StoreError("A target is an ordinary number; infinity and `nan` are none.")


def _refuse_nothing(metric: Metric, proposal: Proposal) -> None:
    change = proposal.change
    if isinstance(change, Withdrawn) and all(one.valid_from != change.valid_from for one in metric.targets):
        days = ", ".join(str(one.valid_from) for one in metric.targets) or "no day"
        raise StoreError(
            f"{metric.id} has no target from {change.valid_from} to withdraw; its targets begin on {days}."
        )
    if isinstance(change, Target) and change in metric.targets:
        raise StoreError(f"{_named(metric, change)} stands already in the same words.")


def _refuse_the_wrong_kind(connection: Connection, metric: Metric, proposal: Proposal) -> None:
    until, day = final_until(connection, metric), proposal.change.valid_from
    is_past = until is not None and day < until
    if is_past and proposal.kind is Kind.APPROVAL:
        raise StoreError(
            f"{metric.id} has final scores up to {until}, so a target from {day} would change what is "
            f"published; date it {until} or later, or approve it as a correction (--correction)."
        )
    if not is_past and proposal.kind is Kind.CORRECTION:
        raise StoreError(
            f"{metric.id} has no final score that a target from {day} could correct; "
            "approve it without --correction."
        )


def _named(metric: Metric, change: Approved) -> str:
    return f"{metric.id}: the target from {change.valid_from}"


def _first(error: CatalogueError) -> str:
    first = next(mistake for mistake in error.mistakes if mistake.level == "error")
    return f"{first.message} Fix: {first.fix}"


# --- what differs -------------------------------------------------------------------------------


def _without_targets(catalogue: Catalogue) -> tuple[object, ...]:
    bare = {name: replace(metric, targets=()) for name, metric in catalogue.metrics.items()}
    return scoring_parts(replace(catalogue, metrics=bare))


def _differing_days(before: Metric, after: Metric, as_of: date) -> Iterator[date]:
    differing = set(before.targets) ^ set(after.targets)
    yield from sorted({target.valid_from for target in differing if target.valid_from < as_of})


def _decided_of(decided: Mapping[tuple[str, date], Decision], metric: Metric, day: date) -> Proposal | None:
    """What was decided last about a day; None for nothing."""
    found = [decided[name, day] for name in names_of(metric) if (name, day) in decided]
    last = max(found, key=lambda one: one.id, default=None)
    return last.asked if last else None


def _stands(metric: Metric, change: Approved) -> bool:
    """Whether a metric's targets are as a decision says."""
    if isinstance(change, Target):
        return change in metric.targets
    return all(target.valid_from != change.valid_from for target in metric.targets)


# --- rows ---------------------------------------------------------------------------------------


def _ends(bound: Bound | None) -> Sequence[float | None]:
    if bound is None:
        return None, None
    return tuple(map(float, bound)) if isinstance(bound, tuple) else (float(bound), None)


def _decision(row: Any) -> Decision:
    return Decision(row.id, proposal_of(row, row.approved_by), from_text(row.approved_at))


def _bound(low: float | None, high: float | None) -> Bound | None:
    if low is None:
        return None
    return low if high is None else (low, high)
