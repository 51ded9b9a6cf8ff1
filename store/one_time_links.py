"""One-time links: an invitation, a forgotten password, the first admin; each lets somebody in once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from store import audit_log, passwords, people
from store.audit_log import Actor
from store.engine import StoreError, Writing, from_text, instant_text
from store.schema import one_time_links
from store.secrets import hash_of, new_secret

PATH = "/link/"
"""Where a link leads: this and its secret."""


class Purpose(StrEnum):
    """What a link is for. ADMIN makes whoever follows it an admin: the first one, or again one."""

    INVITE = "invite"
    RESET = "reset"
    ADMIN = "admin"


LASTS = {
    Purpose.INVITE: timedelta(days=7),
    Purpose.RESET: timedelta(hours=24),
    Purpose.ADMIN: timedelta(hours=24),
}


@dataclass(frozen=True)
class Link:
    """A link without its secret. person None: somebody who is not there yet; email: theirs, where known."""

    id: int
    purpose: Purpose
    person: int | None
    email: str | None
    made_by: str
    expires_at: datetime


def make(
    write: Writing, actor: Actor, purpose: Purpose, person: int | None = None, email: str | None = None
) -> str:
    """Makes a link and gives its secret, which can never be shown again; earlier links of its kind end.

    Raises StoreError for a purpose that needs a person without one.
    """
    if person is None and purpose is not Purpose.ADMIN:
        raise StoreError("Say for whom the link is.")
    secret, same = new_secret(), (one_time_links.c.purpose == purpose, _is_for(person, email))
    unused = (*same, one_time_links.c.used_at.is_(None), one_time_links.c.expires_at > write.now)
    write.connection.execute(update(one_time_links).where(*unused).values(expires_at=write.now))
    row = {
        "hash": hash_of(secret),
        "purpose": str(purpose),
        "person": person,
        "email": email,
        "made_by": actor.name,
        "made_at": write.now,
        "expires_at": instant_text(from_text(write.now) + LASTS[purpose]),
    }
    write.connection.execute(insert(one_time_links), row)
    subject = people.subject(person) if person is not None else "city"
    audit_log.add(write, actor, "link made", subject, purpose=str(purpose), email=email)
    return secret


def purpose_for(connection: Connection, person: int) -> Purpose:
    """What a link for somebody is for: an invitation as long as they have no password."""
    return Purpose.INVITE if passwords.kept_hash(connection, person) is None else Purpose.RESET


def find(connection: Connection, secret: str, now: datetime) -> Link | None:
    """The link of a secret; None for one that is unknown, used or expired."""
    statement = select(one_time_links).where(
        one_time_links.c.hash == hash_of(secret),
        one_time_links.c.used_at.is_(None),
        one_time_links.c.expires_at > instant_text(now),
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _link(row)


def waiting(connection: Connection, now: datetime) -> dict[int, Link]:
    """The newest link of each person that can still be used."""
    unused = (one_time_links.c.used_at.is_(None), one_time_links.c.expires_at > instant_text(now))
    statement = select(one_time_links).where(one_time_links.c.person.is_not(None), *unused)
    return {row.person: _link(row) for row in connection.execute(statement.order_by(one_time_links.c.id))}


def use(write: Writing, secret: str) -> Link | None:
    """Uses a link up; None where it cannot be used (any more): of two at once one gets it."""
    found = find(write.connection, secret, from_text(write.now))
    if found is None:
        return None
    mine = (one_time_links.c.id == found.id, one_time_links.c.used_at.is_(None))
    write.connection.execute(update(one_time_links).where(*mine).values(used_at=write.now))
    return found


def end_all(write: Writing) -> int:
    """Ends every link that could still be used; gives how many."""
    unused = (one_time_links.c.used_at.is_(None), one_time_links.c.expires_at > write.now)
    ended = update(one_time_links).where(*unused).values(expires_at=write.now)
    return write.connection.execute(ended).rowcount


def tidy(write: Writing) -> int:
    """Removes links that were used or have expired; gives how many. The audit log tells of them."""
    dead = one_time_links.c.used_at.is_not(None) | (one_time_links.c.expires_at <= write.now)
    return write.connection.execute(delete(one_time_links).where(dead)).rowcount


def _is_for(person: int | None, email: str | None) -> ColumnElement[bool]:
    if person is not None:
        return one_time_links.c.person == person
    return one_time_links.c.person.is_(None) & one_time_links.c.email.is_not_distinct_from(email)


def _link(row: Row) -> Link:
    return Link(
        id=row.id,
        purpose=Purpose(row.purpose),
        person=row.person,
        email=row.email,
        made_by=row.made_by,
        expires_at=from_text(row.expires_at),
    )
