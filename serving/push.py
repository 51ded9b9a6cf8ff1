"""The door for rows that departments send in: a token is asked for, a delivery kept whole, its state told.

Nothing is read of a body before its token, its source and its size are known to be right; nothing of a token
or a body is ever written to a log.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from flask import Request, request

from serving.routes import Reply
from store import deliveries, requests, tokens
from store.deliveries import Delivery, KeyTakenError, Offer, TokenLostError, TooManyError
from store.engine import Clock, Engine, instant_text, reading, system_clock
from store.tokens import Token

JSON = "application/json"
PROBLEM = "application/problem+json"
ADDRESS = "/api/v1/ingest/requests"

MEDIA_TYPES = ("text/csv", "application/json", "application/jsonl", "application/x-ndjson")
"""What a body may be; the last two are both JSON lines."""

REPEAT_KEY = re.compile(r"[\x21-\x7e]{1,200}")
BODY_SECONDS = 60.0
"""How long a body may take to come in; a thread of the server waits for it."""

BODIES_AT_ONCE = 4
BODIES_OF_ONE = 2
"""How many bodies one process reads at once, of all tokens and of one: the other threads answer readers."""

LEFT_SECONDS = 3600.0
"""For how long a sender that was left and does not hang up counts against those of its token."""

PIECE = 1 << 12
"""How much is waited for at a time: what a slow sender still has to send until its reading ends."""

AGAIN_SECONDS = 2
_LONGEST_NUMBER = 18
_TITLES = {
    400: "The request cannot be understood",
    401: "A token is needed",
    403: "The token is for other sources",
    404: "There is no such thing",
    408: "The rows came too slowly",
    411: "The length is missing",
    413: "The delivery is too large",
    415: "This form of rows is not taken",
    422: "The Idempotency-Key was used before",
    429: "Too many deliveries",
    503: "The server is busy",
}


class Readable(Protocol):
    """A body that comes in."""

    def read(self, size: int, /) -> bytes: ...


class Refusal(Exception):
    """A delivery that is not taken: the status, a sentence with the fix, and headers."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})

    def reply(self) -> Reply:
        """The refusal as RFC 9457 has it."""
        words = {
            "type": "about:blank",
            "title": _TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
        }
        return Reply(_json(words), PROBLEM, self.status, self.headers)


@dataclass(frozen=True)
class Limits:
    """The most bytes of one delivery, and how often one token may deliver in a minute."""

    megabytes: int = 20
    per_minute: int = 30

    @property
    def bytes(self) -> int:
        """The most bytes of one delivery."""
        return self.megabytes * 1_000_000


@dataclass(frozen=True)
class Door:
    """The two addresses of pushing, for the sources of a city that rows are delivered to."""

    engine: Engine
    sources: frozenset[str]
    limits: Limits = Limits()
    clock: Clock = system_clock
    bodies: Bodies = field(default_factory=lambda: Bodies())

    def receive(self, query: Mapping[str, str], source: str) -> Reply:
        """Takes a delivery: 202 with the address of its state, or why it is not taken."""
        try:
            token = self._token(request)
            self._refuse_source(token, source)
            offer = self._offer(query, token, source)
            kept = deliveries.accept(self.engine, self.clock, token.id, offer, self.limits.per_minute)
        except Refusal as refusal:
            return refusal.reply()
        except TokenLostError:
            return _unauthorized("invalid_token").reply()
        except KeyTakenError as error:
            return Refusal(422, str(error)).reply()
        except TooManyError as error:
            return _too_many(error).reply()
        address = f"{ADDRESS}/{kept.request}"
        return Reply(_json(_receipt(kept, address)), JSON, 202, {"Location": address})

    def state(self, query: Mapping[str, str], number: str) -> Reply:
        """How far a delivery is, and what became of its rows; to the token that delivered it only."""
        try:
            token = self._token(request)
            _refuse_words(query, ())
            with reading(self.engine) as connection:
                wanted = int(number) if _is_number(number) else 0
                found, asked = deliveries.of_request(connection, wanted), requests.get(connection, wanted)
            if found is None or asked is None or found.token != token.id:
                raise Refusal(404, "This token has made no delivery of that number.")
        except Refusal as refusal:
            return refusal.reply()
        headers = {} if asked.finished_at else {"Retry-After": str(AGAIN_SECONDS)}
        return Reply(_json(_state(found, asked)), JSON, 200, headers)

    def _token(self, asked: Request) -> Token:
        scheme, _, secret = asked.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise _unauthorized()
        with reading(self.engine) as connection:
            found = tokens.find(connection, secret.strip(), self.clock())
        if found is None:
            raise _unauthorized("invalid_token")
        return found

    def _refuse_source(self, token: Token, source: str) -> None:
        # Said alike of sources that are not there: a token is no means to find out which there are.
        if source not in token.sources:
            raise Refusal(403, "This token may not deliver to that source.")
        if source not in self.sources:
            raise Refusal(404, "Rows are no longer delivered to this source; ask who gave you the token.")

    def _offer(self, query: Mapping[str, str], token: Token, source: str) -> Offer:
        """The delivery that a request makes; its body is read last."""
        _refuse_words(query, ("known_until",))
        known_until = _instant(query)
        repeat_key = _repeat_key(request)
        media_type = _media_type(request)
        length = _length(request, self.limits)
        with reading(self.engine) as connection:
            # A repetition is never too many; whether this is one is known when its body is.
            is_known = deliveries.is_known(connection, token.id, repeat_key)
            if not is_known:
                deliveries.refuse_too_many(connection, token.id, self.clock(), self.limits.per_minute)
        with self.bodies.room(token.id) as turn:
            body = turn.read(request.environ["wsgi.input"], length)
        return Offer(source, repeat_key, media_type, body, known_until)


class Bodies:
    """Who reads a body in this process: few at once, each for a limited time.

    A sender that was left because it is slow takes the room of its own token only, never that of others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: Counter[int] = Counter()
        self._left: Counter[int] = Counter()

    @contextmanager
    def room(self, token: int) -> Iterator[_Turn]:
        """A turn to read one body; Refusal 503 when all are taken."""
        with self._lock:
            mine = self._of[token] + self._left[token]
            if self._of.total() >= BODIES_AT_ONCE or mine >= BODIES_OF_ONE:
                busy = "Other deliveries are coming in; try again in a moment."
                raise Refusal(503, busy, {"Retry-After": str(AGAIN_SECONDS)})
            self._of[token] += 1
        turn = _Turn()
        try:
            yield turn
        finally:
            self._end(token, turn)

    def _end(self, token: int, turn: _Turn) -> None:
        """Gives the room back; that of the token when its sender sends no more, or after LEFT_SECONDS."""
        reader = turn.reader
        is_left = reader is not None and reader.is_alive()
        with self._lock:
            self._of[token] -= 1
            self._left[token] += is_left

        def wait() -> None:
            assert reader is not None, "it is alive"
            reader.join(LEFT_SECONDS)
            with self._lock:
                self._left[token] -= 1

        if is_left:
            threading.Thread(target=wait, daemon=True).start()


class _Turn:
    """One reading; it is over when the bytes are in, or when a sender that was left sends another piece."""

    def __init__(self) -> None:
        self.reader: threading.Thread | None = None

    def read(self, stream: Readable, length: int) -> bytes:
        """The whole body; Refusal where it is shorter than it said, or takes longer than BODY_SECONDS."""
        pieces: list[bytes] = []
        is_left = threading.Event()
        # The server's own reading cannot be given up, so a thread of ours waits where the sender is slow.
        self.reader = threading.Thread(target=_read, args=(stream, length, pieces, is_left), daemon=True)
        self.reader.start()
        self.reader.join(BODY_SECONDS)
        if self.reader.is_alive():
            is_left.set()
            slow = f"The rows took more than {BODY_SECONDS:.0f} seconds to come in; send fewer at a time."
            raise Refusal(408, slow, {"Connection": "close"})
        body = b"".join(pieces)
        if len(body) != length:
            raise Refusal(400, f"Content-Length says {length} bytes and {len(body)} came in; send it again.")
        return body


def _read(stream: Readable, length: int, pieces: list[bytes], is_left: threading.Event) -> None:
    left = length
    # A sender that hangs up ends it; how much is there says so.
    with suppress(OSError):
        while left > 0 and not is_left.is_set() and (piece := stream.read(min(left, PIECE))):
            pieces.append(piece)
            left -= len(piece)


# --- what a request must say ---------------------------------------------------------------------


def _unauthorized(error: str = "") -> Refusal:
    """The same for a token that never was, has expired and was revoked."""
    said = f', error="{error}"' if error else ""
    return Refusal(
        401,
        "Send Authorization: Bearer with a token that is valid; `python -m store token create` makes one.",
        {"WWW-Authenticate": f'Bearer realm="ingest"{said}'},
    )


def _refuse_words(query: Mapping[str, str], known: tuple[str, ...]) -> None:
    if any(word not in known for word in query):
        words = ", ".join(known) or "none"
        raise Refusal(400, f"The address has a parameter that is not known here; known are: {words}.")


def _instant(query: Mapping[str, str]) -> datetime | None:
    given = query.get("known_until")
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
        instant_text(found)
    except (ValueError, OverflowError):
        raise Refusal(
            400, "known_until is no instant; write one like 2026-07-01T04:00:00Z, with its offset."
        ) from None
    return found


def _repeat_key(asked: Request) -> str:
    given = asked.headers.get("Idempotency-Key", "")
    if REPEAT_KEY.fullmatch(given) is None:
        raise Refusal(
            400,
            "Send Idempotency-Key with 1 to 200 visible ASCII characters: a new one for each delivery, and "
            "the same one when you send it again.",
        )
    return given


def _media_type(asked: Request) -> str:
    if asked.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refusal(415, "Send the rows as they are, not compressed.", {"Accept-Encoding": "identity"})
    if asked.mimetype not in MEDIA_TYPES:
        known = ", ".join(MEDIA_TYPES)
        raise Refusal(415, f"Say with Content-Type what the rows are: {known}.", {"Accept-Post": known})
    return asked.mimetype


def _length(asked: Request, limits: Limits) -> int:
    length = asked.content_length
    if length is None:
        raise Refusal(411, "Send Content-Length; a body in chunks is not taken.")
    if length > limits.bytes:
        raise Refusal(
            413,
            f"A delivery has at most {limits.megabytes} MB; send the rows in several, each with its own "
            "Idempotency-Key.",
            {"Connection": "close"},
        )
    if length == 0:
        raise Refusal(400, "The body is empty; send rows.")
    return length


def _too_many(error: TooManyError) -> Refusal:
    return Refusal(429, str(error), {"Retry-After": str(error.seconds)})


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER


# --- what is said ----------------------------------------------------------------------------------


def _receipt(kept: Delivery, address: str) -> dict[str, Any]:
    """The same however often a delivery is repeated, whatever has become of it since."""
    return {
        "request": kept.request,
        "address": address,
        "source": kept.source,
        "received_at": instant_text(kept.received_at),
        "bytes": kept.bytes,
        "sha256": kept.sha256,
    }


def _state(kept: Delivery, asked: requests.Request) -> dict[str, Any]:
    state = "waiting" if asked.claimed_at is None else "running" if asked.finished_at is None else "done"
    return {
        **_receipt(kept, f"{ADDRESS}/{kept.request}"),
        "state": state,
        "progress": asked.progress,
        "finished_at": None if asked.finished_at is None else instant_text(asked.finished_at),
        "result": asked.result,
    }


def _json(words: Mapping[str, Any]) -> bytes:
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
