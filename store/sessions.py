"""Sessions: who is signed in where, how long it lasts, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, exists, func, insert, select, update

from store import audit_log, people
from store.audit_log import Actor
from store.engine import Clock, Writing, from_text, instant_text, writing_if_free
from store.people import Person
from store.schema import sessions
from store.secrets import hash_of, new_secret

IDLE = timedelta(hours=2)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is known when somebody was last seen: writing on every request would cost too much."""

LONGEST_AGENT = 200


@dataclass(frozen=True)
class Session:
    """One browser in which somebody is signed in. agent: what the browser calls itself."""

    id: int
    person: int
    agent: str
    created_at: datetime
    seen_at: datetime

    @property
    def ends_at(self) -> datetime:
        """When it ends if nothing more is asked for."""
        return min(self.seen_at + IDLE, self.created_at + ABSOLUTE)


def begin(write: Writing, person: Person, agent: str, way: str) -> str:
    """Signs somebody in; gives the secret of the cookie. way: `password`, `link`, `city account`, …"""
    secret = new_secret()
    shown = "".join(letter for letter in agent if letter.isprintable())[:LONGEST_AGENT]
    row = {
        "hash": hash_of(secret),
        "person": person.id,
        "agent": shown,
        "created_at": write.now,
        "seen_at": write.now,
    }
    write.connection.execute(insert(sessions), row)
    audit_log.add(write, person.actor, "signed in", person.subject, way=way)
    return secret


def find(connection: Connection, secret: str, now: datetime) -> tuple[Session, Person] | None:
    """The session of a cookie with its person as they are now; None when it has ended in any way."""
    row = connection.execute(
        select(sessions).where(sessions.c.hash == hash_of(secret), *_live(now))
    ).one_or_none()
    person = None if row is None else people.get(connection, row.person)
    if row is None or person is None or person.disabled_at is not None:
        return None
    return _session(row), person


def touch(engine: Engine, clock: Clock, session: Session) -> Session:
    """Notes that a session was used; not more often than SEEN_EVERY, nor while somebody else writes."""
    now = clock()
    if now < session.seen_at + SEEN_EVERY:
        return session
    with writing_if_free(engine) as connection:
        if connection is None:
            return session
        statement = update(sessions).where(sessions.c.id == session.id, *_live(now))
        connection.execute(statement.values(seen_at=instant_text(now)))
    return Session(session.id, session.person, session.agent, session.created_at, now)


def of_person(connection: Connection, person: int, now: datetime) -> list[Session]:
    """Where somebody is signed in, newest first."""
    statement = select(sessions).where(sessions.c.person == person, *_live(now))
    return [_session(row) for row in connection.execute(statement.order_by(sessions.c.id.desc()))]


def last_seen(connection: Connection) -> dict[int, datetime]:
    """When each person who ever signed in was last seen."""
    statement = select(sessions.c.person, func.max(sessions.c.seen_at)).group_by(sessions.c.person)
    return {person: from_text(seen) for person, seen in connection.execute(statement)}


def end(write: Writing, actor: Actor, person: int, number: int) -> bool:
    """Ends one session of a person; whether there was one to end."""
    return _end(write, actor, person, "signed out", sessions.c.id == number) > 0


def end_all(write: Writing, actor: Actor, person: int, besides: int | None = None) -> int:
    """Ends every session of a person, save one where it is named; gives how many."""
    which = [] if besides is None else [sessions.c.id != besides]
    return _end(write, actor, person, "signed out everywhere", *which)


def end_everybodys(write: Writing) -> int:
    """Ends every session there is; gives how many."""
    live = sessions.c.ended_at.is_(None)
    return write.connection.execute(update(sessions).where(live).values(ended_at=write.now)).rowcount


def tidy(write: Writing) -> int:
    """Removes sessions that are over, but the one each person was last seen in; gives how many."""
    old = sessions.c.created_at <= instant_text(from_text(write.now) - ABSOLUTE)
    later = sessions.alias("later")
    is_later = (later.c.seen_at > sessions.c.seen_at) | (
        (later.c.seen_at == sessions.c.seen_at) & (later.c.id > sessions.c.id)
    )
    seen_since = exists().where(later.c.person == sessions.c.person, is_later)
    return write.connection.execute(delete(sessions).where(old, seen_since)).rowcount


def _end(write: Writing, actor: Actor, person: int, act: str, *which: ColumnElement[bool]) -> int:
    live = (sessions.c.person == person, sessions.c.ended_at.is_(None), *which)
    count = write.connection.execute(update(sessions).where(*live).values(ended_at=write.now)).rowcount
    if count:
        audit_log.add(write, actor, act, people.subject(person), sessions=count)
    return count


def _live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        sessions.c.ended_at.is_(None),
        sessions.c.seen_at > instant_text(now - IDLE),
        sessions.c.created_at > instant_text(now - ABSOLUTE),
    )


def _session(row: Row) -> Session:
    return Session(row.id, row.person, row.agent, from_text(row.created_at), from_text(row.seen_at))
