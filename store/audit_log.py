"""The audit log: what people changed, kept as rows that are only added, in the transaction of the act."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

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
    before: int | None = None,
    most: int = 100,
) -> list[Entry]:
    """The newest entries, newest first: of a subject, by an actor, with numbers under `before`."""
    statement = select(audit_log).order_by(audit_log.c.id.desc()).limit(most)
    if subject is not None:
        statement = statement.where(audit_log.c.subject == subject)
    if actor is not None:
        statement = statement.where(audit_log.c.actor == actor)
    if before is not None:
        statement = statement.where(audit_log.c.id < before)
    return [_entry(row) for row in connection.execute(statement)]


def _entry(row: Row) -> Entry:
    return Entry(
        id=row.id,
        at=from_text(row.at),
        actor=Actor(row.actor, row.actor_name),
        act=row.act,
        subject=row.subject,
        words=json.loads(row.words),
    )
