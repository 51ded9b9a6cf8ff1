"""Proposed targets: an owner proposes one that was tried, somebody else approves or refuses it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from metrics.model import Catalogue
from store import audit_log, people, target_requests
from store.engine import StoreError, Writing, from_text
from store.people import Person, Role
from store.schema import target_proposals
from store.targets import Proposal, approve_within, columns_of, judged, proposal_of


class State(StrEnum):
    """A proposal is open until it is decided, or its author takes it back."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Proposed:
    """A target somebody proposes. preview: what they were shown of it (`target_requests.answer`)."""

    id: int
    asked: Proposal
    preview: Mapping[str, Any]
    author: int
    author_name: str
    made_at: datetime
    state: State
    decided_by: str | None
    decided_at: datetime | None
    why: str | None


# --- reading -------------------------------------------------------------------------------------


def get(connection: Connection, number: int) -> Proposed | None:
    """A proposal by number; None where there is none."""
    row = connection.execute(select(target_proposals).where(target_proposals.c.id == number)).one_or_none()
    return None if row is None else _proposed(row)


def of_metrics(connection: Connection, names: Sequence[str]) -> list[Proposed]:
    """Every proposal about a metric by all the ids it has had, newest first."""
    statement = select(target_proposals).where(target_proposals.c.metric.in_(names))
    return [_proposed(row) for row in connection.execute(statement.order_by(target_proposals.c.id.desc()))]


def waiting(connection: Connection) -> list[Proposed]:
    """The proposals that wait for a decision, oldest first."""
    statement = select(target_proposals).where(target_proposals.c.state == State.OPEN)
    return [_proposed(row) for row in connection.execute(statement.order_by(target_proposals.c.id))]


def metric_of(connection: Connection, number: int) -> str | None:
    """The metric that a proposal is about; None where there is none of that number."""
    found = get(connection, number)
    return None if found is None else found.asked.metric


# --- changing ------------------------------------------------------------------------------------


def propose(write: Writing, person: Person, catalogue: Catalogue, request: int, metric: str) -> int:
    """Proposes a target that was tried: the number of its preview says which. Gives the proposal's number.

    Raises StoreError for a preview that is not there, not over or not good any more, and while another
    target of the same metric and day waits.
    """
    found = target_requests.of_metric(write.connection, request, metric)
    if found is None or (found.result or {}).get("outcome") != target_requests.PREVIEWED:
        raise StoreError("Try the target first, and propose it when you have seen what it would change.")
    asked = target_requests.proposal_of(found.arguments)
    judged(write.connection, catalogue, asked)
    same = [one for one in waiting(write.connection) if _is_same(one.asked, asked)]
    if same:
        raise StoreError(f"A target from {asked.change.valid_from} is proposed already and waits.")
    row = {
        **columns_of(asked),
        "preview": json.dumps(dict(found.result or {}), ensure_ascii=False),
        "author": person.id,
        "author_name": person.name,
        "made_at": write.now,
        "state": State.OPEN,
    }
    statement = insert(target_proposals).values(row).returning(target_proposals.c.id)
    number: int = write.connection.execute(statement).scalar_one()
    _log(write, person, "target proposed", number, asked)
    return number


def approve(write: Writing, person: Person, catalogue: Catalogue, number: int) -> Proposed:
    """Approves a proposal: the target is in force from its day on, and the next publication follows it.

    Raises StoreError for one that is decided, for the author's own where somebody else may decide, and as
    `store.targets.judged` does.
    """
    found = _open(write.connection, number)
    _refuse_own(write.connection, person, found)
    change = replace(found.asked.change, approved_by=person.name)
    approve_within(write, catalogue, replace(found.asked, change=change))
    return _decide(write, person, found, State.APPROVED, None)


def refuse(write: Writing, person: Person, number: int, why: str) -> Proposed:
    """Refuses a proposal with a reason. Raises StoreError for one that is decided."""
    return _decide(write, person, _open(write.connection, number), State.REFUSED, why)


def withdraw(write: Writing, person: Person, number: int) -> Proposed:
    """Takes a proposal back. Raises StoreError for one that is decided, and for somebody else's."""
    found = _open(write.connection, number)
    if found.author != person.id and not person.may(Role.ADMIN):
        raise StoreError("Only who proposed it can take it back.")
    return _decide(write, person, found, State.WITHDRAWN, None)


# --- inside --------------------------------------------------------------------------------------


def _is_same(one: Proposal, other: Proposal) -> bool:
    return (one.metric, one.change.valid_from) == (other.metric, other.change.valid_from)


def _open(connection: Connection, number: int) -> Proposed:
    found = get(connection, number)
    if found is None or found.state is not State.OPEN:
        raise StoreError("That is decided already; open the page again.")
    return found


def _refuse_own(connection: Connection, person: Person, found: Proposed) -> None:
    if found.author != person.id:
        return
    others = [one for one in people.everybody(connection) if one.id != person.id]
    if any(one.may(Role.APPROVER) for one in others):
        raise StoreError("Somebody else must decide what you have proposed.")


def _decide(write: Writing, person: Person, found: Proposed, state: State, why: str | None) -> Proposed:
    values = {"state": state, "decided_by": person.name, "decided_at": write.now, "why": why}
    write.connection.execute(update(target_proposals).where(target_proposals.c.id == found.id).values(values))
    _log(write, person, f"target {state}", found.id, found.asked, why=why)
    done = get(write.connection, found.id)
    assert done is not None, "it was just read"
    return done


def _log(write: Writing, person: Person, act: str, number: int, asked: Proposal, **words: Any) -> None:
    said = columns_of(asked)
    told = {name: said[name] for name in ("low", "high", "valid_from", "kind", "reason")}
    audit_log.add(write, person.actor, act, f"metric {asked.metric}", number=number, **told, **words)


def _proposed(row: Row) -> Proposed:
    return Proposed(
        id=row.id,
        asked=proposal_of(row, row.author_name),
        preview=json.loads(row.preview),
        author=row.author,
        author_name=row.author_name,
        made_at=from_text(row.made_at),
        state=State(row.state),
        decided_by=row.decided_by,
        decided_at=None if row.decided_at is None else from_text(row.decided_at),
        why=row.why,
    )
