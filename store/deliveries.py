"""Deliveries: rows that departments send in, kept whole together with the request that loads them.

A delivery and its request are one transaction: either both are there, or neither. The bytes stay in the row
until a run has kept them as a snapshot.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from store import requests, tokens
from store.engine import Clock, StoreError, Writing, from_text, from_text_or_none, instant_text, writing
from store.schema import deliveries
from store.schema import requests as requests_table

PUSHED = "push"
"""The kind of source that rows are delivered to."""

KIND = "delivery"
"""The kind of request that loads a delivery."""

WINDOW = timedelta(minutes=1)
MOST_WAITING = 100
"""How many deliveries of one token may wait to be loaded; they take room."""

WAITING_SECONDS = 60
_PACKING = 3
_COLUMNS = tuple(column for column in deliveries.c if column.name != "body")


@dataclass(frozen=True)
class Offer:
    """What somebody wants to deliver. repeat_key: the sender's name for it, by which a repetition is known.

    known_until: the instant up to which, as the sender says, the source is complete with it; None where
    nothing is said.
    """

    source: str
    repeat_key: str
    media_type: str
    body: bytes
    known_until: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """A delivery that was accepted, without its bytes; `request` is the number of its request."""

    id: int
    token: int
    repeat_key: str
    source: str
    media_type: str
    sha256: str
    bytes: int
    known_until: datetime | None
    request: int
    received_at: datetime


class TokenLostError(StoreError):
    """The token was revoked, or expired, while the bytes were coming in."""


class KeyTakenError(StoreError):
    """The sender has used the name of this delivery for another one."""


class TooManyError(StoreError):
    """The token delivers too often; `seconds` is after how long it is worth trying again."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


def accept(engine: Engine, clock: Clock, token: int, offer: Offer, per_minute: int) -> Delivery:
    """Keeps a delivery and its request in one transaction; the same offer again gives the one that is there.

    Raises TokenLostError, KeyTakenError and TooManyError, and StoreError where the database refuses, with
    nothing kept.
    """
    packed, digest = _packed(offer.body), hashlib.sha256(offer.body).hexdigest()
    with writing(engine, clock) as write:
        _refuse_lost_token(write, token, offer.source)
        before = _find(write.connection, token, offer.repeat_key)
        if before is not None:
            return _same(before, offer, digest)
        refuse_too_many(write.connection, token, from_text(write.now), per_minute)
        request = requests.insert_within(write, KIND, {"source": offer.source})
        row = {
            "token": token,
            "repeat_key": offer.repeat_key,
            "source": offer.source,
            "media_type": offer.media_type,
            "sha256": digest,
            "bytes": len(offer.body),
            "body": packed,
            "known_until": None if offer.known_until is None else instant_text(offer.known_until),
            "request": request,
            "received_at": write.now,
        }
        return _kept(write, row)


def refuse_too_many(connection: Connection, token: int, now: datetime, per_minute: int) -> None:
    """Raises TooManyError for a token that delivered `per_minute` times within WINDOW, or waits too often."""
    mine = deliveries.c.token == token
    recent = mine & (deliveries.c.received_at > instant_text(now - WINDOW))
    times = select(deliveries.c.received_at).where(recent).order_by(deliveries.c.received_at.desc())
    last = list(connection.execute(times.limit(per_minute)).scalars())
    if len(last) >= per_minute:
        left = (from_text(last[-1]) + WINDOW - now).total_seconds()
        raise TooManyError(
            f"This token may deliver {per_minute} times a minute; put more rows into each delivery.",
            max(1, int(left) + 1),
        )
    waiting = select(func.count()).select_from(
        deliveries.join(requests_table, requests_table.c.id == deliveries.c.request)
    )
    if (
        connection.execute(waiting.where(mine, requests_table.c.finished_at.is_(None))).scalar_one()
        >= MOST_WAITING
    ):
        raise TooManyError(
            f"{MOST_WAITING} deliveries of this token wait to be loaded; try again when they are.",
            WAITING_SECONDS,
        )


def is_known(connection: Connection, token: int, repeat_key: str) -> bool:
    """Whether a token has delivered under this name before."""
    return _find(connection, token, repeat_key) is not None


def of_request(connection: Connection, request: int) -> Delivery | None:
    """The delivery that a request loads; None when it loads none."""
    row = connection.execute(select(*_COLUMNS).where(deliveries.c.request == request)).one_or_none()
    return None if row is None else _delivery(row)


def body(connection: Connection, delivery: int) -> bytes | None:
    """The bytes of a delivery as they were received; None once a run has kept them as a snapshot."""
    packed = connection.execute(select(deliveries.c.body).where(deliveries.c.id == delivery)).scalar_one()
    return None if packed is None else gzip.decompress(base64.b64decode(packed))


def forget_body(write: Writing, delivery: int) -> None:
    """Lets go of the bytes of a delivery, which a snapshot holds now."""
    write.connection.execute(update(deliveries).where(deliveries.c.id == delivery).values(body=None))


def _kept(write: Writing, row: dict[str, Any]) -> Delivery:
    try:
        made = write.connection.execute(insert(deliveries).values(row).returning(*_COLUMNS)).one()
    except DBAPIError as error:
        # The error itself repeats what was to be kept, and would be written to a log with it.
        raise StoreError(f"A delivery to {row['source']} cannot be kept: {error.orig}") from None
    return _delivery(made)


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, _PACKING, mtime=0)).decode()


def _refuse_lost_token(write: Writing, token: int, source: str) -> None:
    found = tokens.get(write.connection, token)
    if found is None or not found.is_valid(from_text(write.now)) or source not in found.sources:
        raise TokenLostError("The token is not valid any more; ask for a new one.")


def _find(connection: Connection, token: int, repeat_key: str) -> Delivery | None:
    mine = (deliveries.c.token == token, deliveries.c.repeat_key == repeat_key)
    row = connection.execute(select(*_COLUMNS).where(*mine)).one_or_none()
    return None if row is None else _delivery(row)


def _same(before: Delivery, offer: Offer, digest: str) -> Delivery:
    said = (offer.source, offer.media_type, digest, offer.known_until)
    if said != (before.source, before.media_type, before.sha256, before.known_until):
        raise KeyTakenError(
            "This Idempotency-Key was used for another delivery; give every new delivery a new key."
        )
    return before


def _delivery(row: Row) -> Delivery:
    fields = dict(row._mapping)
    fields["received_at"] = from_text(fields["received_at"])
    fields["known_until"] = from_text_or_none(fields["known_until"])
    return Delivery(**fields)
