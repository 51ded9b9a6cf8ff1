"""Actions: what somebody set out to do so that a metric moves, with one owner, a due day and its promises.

An action is a row; where it stands is its newest turn. Turns are only added.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from store import audit_log
from store.engine import StoreError, Writing, bump_state, from_text, instant_text
from store.people import Person, Role, everybody
from store.schema import action_turns, actions, people


class State(StrEnum):
    """Where an action stands. DROPPED: it is not done any more, for a reason."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Turn:
    """All of an action from an instant on. words: the promise; of an end what came of it, or why."""

    state: State
    owner: int
    owner_name: str
    due: date
    words: str
    writer_name: str
    written_at: datetime


@dataclass(frozen=True)
class Action:
    """Something that is done so that a metric moves, with its turns, the oldest first."""

    id: int
    metric: str
    words: str
    is_public: bool
    opener_name: str
    opened_at: datetime
    turns: tuple[Turn, ...]

    @property
    def now(self) -> Turn:
        """Where it stands."""
        return self.turns[-1]

    @property
    def promise(self) -> Turn:
        """What was promised last."""
        return next((turn for turn in reversed(self.turns) if turn.state is State.OPEN), self.turns[0])

    @property
    def is_open(self) -> bool:
        """Whether it is neither done nor dropped."""
        return self.now.state is State.OPEN

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been done before today."""
        return self.is_open and self.now.due < today


def of_metrics(
    connection: Connection,
    metrics: Collection[str],
    *,
    public_only: bool = False,
    until: datetime | None = None,
) -> list[Action]:
    """The actions meant to move some metrics: open ones by due day, overdue first, then those that ended.

    until: as they stood at that instant.
    """
    statement = select(actions).where(actions.c.metric.in_(list(metrics)))
    if public_only:
        statement = statement.where(actions.c.is_public == 1)
    rows = connection.execute(statement).all()
    turns = _turns(connection, [row.id for row in rows], until)
    found = [
        Action(
            row.id,
            row.metric,
            row.words,
            bool(row.is_public),
            row.opener_name,
            from_text(row.opened_at),
            tuple(turns[row.id]),
        )
        for row in rows
        if row.id in turns
    ]
    still = sorted((one for one in found if one.is_open), key=lambda one: (one.now.due, one.id))
    ended = [one for one in found if not one.is_open]
    return [*still, *sorted(ended, key=lambda one: (one.now.written_at, one.id), reverse=True)]


def metric_of(connection: Connection, number: int) -> str | None:
    """The metric that an action is meant to move; None where there is no such action."""
    statement = select(actions.c.metric).where(actions.c.id == number)
    return connection.execute(statement).scalar_one_or_none()


def get(connection: Connection, number: int) -> Action | None:
    """An action by its number; None where there is none."""
    metric = metric_of(connection, number)
    found = of_metrics(connection, [metric]) if metric is not None else []
    return next((one for one in found if one.id == number), None)


def owners(connection: Connection, department: str) -> list[Person]:
    """Who may own an action of a department: whoever may write for it, by name."""
    return [one for one in everybody(connection) if one.may(Role.EDITOR, department)]


def begin(
    write: Writing,
    person: Person,
    metric: str,
    words: str,
    *,
    owner: int,
    due: date,
    promise: str,
    is_public: bool,
) -> int:
    """Sets an action up and gives its number; a public one raises the public state."""
    row = {
        "metric": metric,
        "words": words,
        "is_public": int(is_public),
        "opener": person.id,
        "opener_name": person.name,
        "opened_at": write.now,
    }
    number = write.connection.execute(insert(actions).values(row).returning(actions.c.id)).scalar_one()
    _add_turn(write, person, number, State.OPEN, owner, due, promise)
    told = {"number": number, "text": words, "owner": owner, "due": due.isoformat(), "public": is_public}
    audit_log.add(write, person.actor, "action begun", f"metric {metric}", **told)
    if is_public:
        bump_state(write)
    return number


def turn(
    write: Writing, person: Person, number: int, state: State, *, owner: int, due: date, words: str
) -> Action:
    """Moves an action on; gives it as it stands then. Raises StoreError for one that is not there."""
    before = get(write.connection, number)
    if before is None:
        raise StoreError("There is no such action; open the page again.")
    _add_turn(write, person, number, state, owner, due, words)
    told = {"number": number, "owner": owner, "due": due.isoformat(), "text": words}
    about = f"metric {before.metric}"
    audit_log.add(write, person.actor, f"action {state}", about, before=str(before.now.state), **told)
    if before.is_public:
        bump_state(write)
    after = get(write.connection, number)
    assert after is not None, "it was just there"
    return after


def _add_turn(
    write: Writing, person: Person, number: int, state: State, owner: int, due: date, words: str
) -> None:
    row = {
        "action": number,
        "state": str(state),
        "owner": owner,
        "due": due.isoformat(),
        "words": words,
        "writer": person.id,
        "writer_name": person.name,
        "written_at": write.now,
    }
    write.connection.execute(insert(action_turns), row)


def _turns(connection: Connection, numbers: Collection[int], until: datetime | None) -> dict[int, list[Turn]]:
    """The turns of actions, with the names their owners have now."""
    statement = (
        select(action_turns, people.c.name.label("owner_name"))
        .outerjoin(people, people.c.id == action_turns.c.owner)
        .where(action_turns.c.action.in_(list(numbers)))
        .order_by(action_turns.c.id)
    )
    if until is not None:
        statement = statement.where(action_turns.c.written_at <= instant_text(until))
    found: dict[int, list[Turn]] = {}
    for row in connection.execute(statement):
        made = Turn(
            State(row.state),
            row.owner,
            row.owner_name or "",
            date.fromisoformat(row.due),
            row.words,
            row.writer_name,
            from_text(row.written_at),
        )
        found.setdefault(row.action, []).append(made)
    return found
