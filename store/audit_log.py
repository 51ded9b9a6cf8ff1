"""The audit log: what people changed, kept as rows that are only added, in the transaction of the act."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select

from store.engine import Writing, from_text
from store.schema import audit_log

SECRETS = frozenset({"password", "secret", "token", "hash", "cookie"})
"""What no word of an entry may be called."""


@dataclass(frozen=True)
class Actor:
    """Who changes something. person None: somebody at the command line of this machine."""

    person: int | None
    name: str


BY_HAND = Actor(None, "command line")


@dataclass(frozen=True)
class Entry:
    """One thing that was done: `person 7` is a subject, `role granted` an act."""

    id: int
    at: datetime
    actor: Actor
    act: str
    subject: str
    words: Mapping[str, Any]


def add(write: Writing, actor: Actor, act: str, subject: str, **words: Any) -> None:
    """Adds an entry in the transaction of what it tells. Raises ValueError for a word that names a secret."""
    if not SECRETS.isdisjoint(words):
        raise ValueError(f"no secret belongs into the audit log: {sorted(SECRETS & words.keys())}")
    row = {
        "at": write.now,
        "actor": actor.person,
        "actor_name": actor.name,
        "act": act,
        "subject": subject,
        "words": json.dumps(words, ensure_ascii=False, sort_keys=True),
    }
    write.connection.execute(insert(audit_log), row)


def entries(
    connection: Connection,
    *,
    subject: str | None = None,
    actor: int | None = None,
    act: str | None = None,
    since: str | None = None,
    until: str | None = None,
    before: int | None = None,
    after: int | None = None,
    most: int = 100,
) -> list[Entry]:
    """The newest entries, newest first: of a subject, by an actor, of one act, from an instant until another.

    before: only those with numbers under it; after: the oldest of those with numbers over it.
    """
    columns = audit_log.c
    wanted: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (subject, columns.subject.__eq__),
        (actor, columns.actor.__eq__),
        (act, columns.act.__eq__),
        (since, columns.at.__ge__),
        (until, columns.at.__lt__),
        (before, columns.id.__lt__),
        (after, columns.id.__gt__),
    ]
    tests = [test(given) for given, test in wanted if given is not None]
    statement = select(audit_log).where(*tests).limit(most)
    if after is None:
        return [_entry(row) for row in connection.execute(statement.order_by(columns.id.desc()))]
    return [_entry(row) for row in connection.execute(statement.order_by(columns.id))][::-1]


def acts(connection: Connection) -> list[str]:
    """Every act that was ever done, in order of the alphabet."""
    return list(connection.execute(select(audit_log.c.act).distinct().order_by("act")).scalars())


def _entry(row: Row) -> Entry:
    return Entry(
        id=row.id,
        at=from_text(row.at),
        actor=Actor(row.actor, row.actor_name),
        act=row.act,
        subject=row.subject,
        words=json.loads(row.words),
    )
