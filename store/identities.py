"""Identities: which account at the city's OpenID Connect provider is which person."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from store import audit_log, people
from store.engine import Writing
from store.people import Person
from store.schema import identities


def find(connection: Connection, issuer: str, subject: str) -> Person | None:
    """The person an account belongs to, disabled or not; None for one that belongs to nobody yet."""
    is_it = (identities.c.issuer == issuer, identities.c.subject == subject)
    person = connection.execute(select(identities.c.person).where(*is_it)).scalar_one_or_none()
    return None if person is None else people.get(connection, person)


def has_one(connection: Connection, person: int, issuer: str) -> bool:
    """Whether somebody has an account at a provider already: a second one is not theirs by its e-mail."""
    is_theirs = (identities.c.person == person, identities.c.issuer == issuer)
    return connection.execute(select(identities.c.id).where(*is_theirs)).first() is not None


def link(write: Writing, person: Person, issuer: str, subject: str) -> None:
    """Makes an account theirs, once and for good. The subject is told to no log: it may name somebody."""
    row = {"person": person.id, "issuer": issuer, "subject": subject, "linked_at": write.now}
    write.connection.execute(insert(identities), row)
    audit_log.add(write, person.actor, "city account linked", person.subject, issuer=issuer)
