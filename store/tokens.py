"""Tokens: who may deliver rows to which sources, until when; only the hash of a secret is kept."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, Row, insert, select, update

from store import audit_log, requests
from store.audit_log import BY_HAND, Actor
from store.engine import Clock, StoreError, Writing, from_text, from_text_or_none, instant_text, writing
from store.schema import deliveries, tokens
from store.schema import requests as requests_table

BEGINNING = "cst_"
"""How every secret begins, so that one that leaked into a file can be found by a search."""

SECRET_BYTES = 32
LONGEST_NAME = 100


@dataclass(frozen=True)
class Token:
    """A token without its secret. expires_at None: never; revoked_at None: not revoked."""

    id: int
    name: str
    sources: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True)
class Revoked:
    """What revoking did: deliveries accepted before that are still to be loaded, and those discarded."""

    token: Token
    waiting: int
    discarded: int


def create(
    engine: Engine, clock: Clock, name: str, sources: Sequence[str], expires_at: datetime | None = None
) -> tuple[Token, str]:
    """Makes a token at the command line, as `create_within` does."""
    with writing(engine, clock) as write:
        return create_within(write, BY_HAND, name, sources, expires_at)


def create_within(
    write: Writing, actor: Actor, name: str, sources: Sequence[str], expires_at: datetime | None = None
) -> tuple[Token, str]:
    """Makes a token for some sources; gives it with its secret, which can never be shown again.

    Raises StoreError for a name that is not one line, for no source, and for an end that has passed.
    """
    _refuse_name(name)
    if not sources:
        raise StoreError("A token needs a source to deliver to; name one with --source.")
    secret = BEGINNING + secrets.token_urlsafe(SECRET_BYTES)
    expires = None if expires_at is None else instant_text(expires_at)
    if expires is not None and expires <= write.now:
        raise StoreError("The token would have expired already; give a later day.")
    named = sorted(set(sources))
    row = {
        "name": name,
        "hash": _hash(secret),
        "sources": json.dumps(named),
        "created_at": write.now,
        "expires_at": expires,
    }
    made = write.connection.execute(insert(tokens).values(row).returning(*tokens.c)).one()
    words = {"name": name, "sources": named, "expires_at": expires}
    audit_log.add(write, actor, "token made", f"token {made.id}", **words)
    return _token(made), secret


def find(connection: Connection, secret: str, now: datetime) -> Token | None:
    """The token that a secret opens at `now`; None for one that is unknown, expired or revoked."""
    statement = select(tokens).where(tokens.c.hash == _hash(secret))
    row = connection.execute(statement).one_or_none()
    found = None if row is None else _token(row)
    return found if found is not None and found.is_valid(now) else None


def get(connection: Connection, number: int) -> Token | None:
    """A token by its number, valid or not; None when there is none."""
    row = connection.execute(select(tokens).where(tokens.c.id == number)).one_or_none()
    return None if row is None else _token(row)


def all_tokens(connection: Connection) -> list[Token]:
    """Every token there ever was, oldest first."""
    return [_token(row) for row in connection.execute(select(tokens).order_by(tokens.c.id))]


def revoke(engine: Engine, clock: Clock, number: int, *, discard: bool = False) -> Revoked:
    """Lets a token open nothing any more at the command line, as `revoke_within` does."""
    with writing(engine, clock) as write:
        return revoke_within(write, BY_HAND, number, discard=discard)


def revoke_within(write: Writing, actor: Actor, number: int, *, discard: bool = False) -> Revoked:
    """Lets a token open nothing any more. discard: what it delivered and waits to be loaded never is.

    Raises StoreError for a number that no token has and for a token that is revoked already.
    """
    found = get(write.connection, number)
    if found is None:
        raise StoreError(f"There is no token {number}; `python -m store token list` shows them.")
    if found.revoked_at is not None and not discard:
        raise StoreError(f"The token {number} was revoked at {instant_text(found.revoked_at)}.")
    if found.revoked_at is None:
        statement = update(tokens).where(tokens.c.id == number).values(revoked_at=write.now)
        write.connection.execute(statement)
    mine = select(deliveries.c.request).where(deliveries.c.token == number)
    waits = requests_table.c.claimed_at.is_(None) & requests_table.c.id.in_(mine)
    waiting = list(write.connection.execute(select(requests_table.c.id).where(waits)).scalars())
    words = {"outcome": "discarded", "sentence": "The token was revoked before this was loaded."}
    discarded = requests.cancel(write, waiting, words) if discard else 0
    after = get(write.connection, number)
    assert after is not None, "it was just there"
    audit_log.add(write, actor, "token revoked", f"token {number}", name=after.name, discarded=discarded)
    return Revoked(after, len(waiting) - discarded, discarded)


def _refuse_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise StoreError(
            f"A token needs a name of one line, at most {LONGEST_NAME} characters: who delivers with it."
        )


def _hash(secret: str) -> str:
    # A secret of 256 random bits cannot be guessed from its hash, so a slow hash would gain nothing.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: Row) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        sources=tuple(json.loads(row.sources)),
        created_at=from_text(row.created_at),
        expires_at=from_text_or_none(row.expires_at),
        revoked_at=from_text_or_none(row.revoked_at),
    )
