"""Passwords: what one must be, how it is kept, and how it is checked."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select

from store import audit_log, people, sessions
from store.audit_log import Actor
from store.engine import Writing
from store.schema import passwords
from store.secrets import new_secret

SHORTEST, LONGEST = 15, 200
"""Characters. Length is all that is asked for: rules on kinds of characters make passwords worse.

NIST SP 800-63B-4, 3.1.1.2 (a password that is the only factor has at least 15 characters).
"""

MEMORY_KIB, PASSES, LANES = 65_536, 3, 4
"""RFC 9106, 4: the second recommended option of Argon2id."""


def problem(password: str) -> str | None:
    """Why a text cannot be a password, `short` or `long`; None where it can."""
    length = len(_plain(password))
    if length < SHORTEST:
        return "short"
    return "long" if length > LONGEST else None


def hashed(password: str) -> str:
    """The hash of a password, which takes a while on purpose: make it before a transaction begins."""
    return _hasher().hash(_plain(password))


def is_right(kept: str | None, password: str) -> bool:
    """Whether a password is the one whose hash is kept; None: nobody's, never right and as slow."""
    plain = _plain(password)[: 2 * LONGEST]
    try:
        right = _hasher().verify(kept if kept is not None else _nobodys(), plain)
    except (VerificationError, InvalidHashError):
        return False
    return right and kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than those of today."""
    return _hasher().check_needs_rehash(kept)


def kept_hash(connection: Connection, person: int) -> str | None:
    """The hash of somebody's password; None for who has none."""
    statement = select(passwords.c.hash).where(passwords.c.person == person)
    return connection.execute(statement).scalar_one_or_none()


def change(write: Writing, actor: Actor, person: int, made: str) -> None:
    """Gives somebody the password of this hash; ends every session they have, and links not used yet."""
    keep(write, person, made)
    audit_log.add(write, actor, "password changed", people.subject(person))
    sessions.end_all(write, actor, person)
    found = people.get(write.connection, person)
    if found is not None:
        people.end_links(write, found)


def keep(write: Writing, person: int, made: str) -> None:
    """Keeps a hash in place of the one before: the same password, hashed with the parameters of today."""
    write.connection.execute(delete(passwords).where(passwords.c.person == person))
    row = {"person": person, "hash": made, "changed_at": write.now}
    write.connection.execute(insert(passwords), row)


def _plain(password: str) -> str:
    # What one keyboard composes and another sends in pieces is the same password.
    return unicodedata.normalize("NFC", password.encode("utf-8", "replace").decode("utf-8"))


@lru_cache
def _made(memory: int, passes: int, lanes: int) -> PasswordHasher:
    return PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes, type=Type.ID)


def _hasher() -> PasswordHasher:
    return _made(MEMORY_KIB, PASSES, LANES)


def _nobodys() -> str:
    return _nobodys_hash(MEMORY_KIB, PASSES, LANES)


@lru_cache
def _nobodys_hash(_memory: int, _passes: int, _lanes: int) -> str:
    return _hasher().hash(new_secret())
