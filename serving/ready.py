"""Answers ready to send: what was answered once is sent again as it was, before Flask is asked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from serving import guard
from store.engine import StoreError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STATE = "serving.state"
"""Under this name a view tells, in the environment of a request, as long as which state its answer holds."""

FOR_EVER = -1
"""In the place of a state: the answer holds as long as this process lives. States begin at 0."""

MOST_BYTES = 64_000_000
MOST_BYTES_OF_ONE = 4_000_000
OVERHEAD = 2_000
"""About what an answer takes beside its body."""

LONGEST_WORDS = 500
"""A request that says more than this in its query or a header is not kept: keys take room too."""

NO_TIME = bytes(4)
"""In the place of the time that gzip notes (RFC 1952): every process gives the same bytes under one tag."""

KEPT_STATUSES = ("200 ", "304 ")
READING = ("GET", "HEAD")
CONDITIONS = (
    "HTTP_IF_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_RANGE",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_RANGE",
)
"""What only Flask knows how to answer; of all conditions the tag a reader has is answered here."""

Key = tuple[str | None, ...]
"""Everything of a request that an answer for everybody may depend on, and the tags the reader has."""


@dataclass(frozen=True)
class Ready:
    """An answer as it went out, and the state it holds for; `again` is held by who makes it anew."""

    state: int
    status: str
    headers: list[tuple[str, str]]
    body: bytes
    again: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tag(self) -> str:
        """The entity tag without what tells one compression from another; '' where it has none."""
        return self.header("ETag").removeprefix("W/").strip('"').partition(":")[0]

    def header(self, wanted: str) -> str:
        """A header of the answer; '' where it has none."""
        return next((value for name, value in self.headers if name.lower() == wanted.lower()), "")


class ReadyAnswers:
    """A WSGI application before another: sends again what the other one answered while the state is the same.

    Only answers are kept that their view has said a state for (STATE), so that they are the same for every
    reader; they are sent with the very headers they first went out with. Who the server would refuse is never
    answered from here.
    """

    def __init__(
        self, inner: WSGIApplication, state: Callable[[], int], public_name: str = "", room: int = MOST_BYTES
    ) -> None:
        self._inner, self._state, self._public_name = inner, state, public_name
        self._kept = Shelf(room)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        key = _key(environ, self._public_name)
        if key is None:
            return self._inner(environ, start_response)
        found = self._kept.get(key)
        if found is None:
            return self._ask(key, environ, start_response)
        if self._holds(found):
            return self._send(found, key, environ, start_response)
        # Everybody wants the new answer at once: one makes it, the others wait for that.
        with found.again:
            newer = self._kept.get(key)
            if newer is None or not self._holds(newer):
                return self._ask(key, environ, start_response)
        return self._send(newer, key, environ, start_response)

    def _holds(self, found: Ready) -> bool:
        try:
            return found.state == FOR_EVER or found.state == self._state()
        except StoreError:
            return False

    def _send(
        self, found: Ready, key: Key, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        has = environ.get("HTTP_IF_NONE_MATCH")
        if has is not None and len(has) > LONGEST_WORDS:
            return self._inner(environ, start_response)
        if has is not None and (found.tag in has or "*" in has):
            unchanged = self._kept.get((*key, has))
            if unchanged is None or unchanged.state != found.state:
                return self._ask((*key, has), environ, start_response)
            found = unchanged
        start_response(found.status, list(found.headers))
        return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [found.body]

    def _ask(self, key: Key, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """What the inner application answers, kept where it may be."""
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *failure: object) -> object:
            # The server says the time of day itself, each time anew.
            said[:] = [(status, [one for one in headers if one[0].lower() != "date"])]
            return start_response(status, headers, *failure)  # type: ignore[arg-type]

        given = self._inner(environ, start)  # type: ignore[arg-type]
        state = environ.get(STATE)
        if state is None or environ["REQUEST_METHOD"] != "GET" or not said[0][0].startswith(KEPT_STATUSES):
            return given
        try:
            body = b"".join(given)
        finally:
            getattr(given, "close", _nothing)()
        answer = Ready(state, *said[0], body)
        if answer.header("Content-Encoding") == "gzip":
            answer = replace(answer, body=body[:4] + NO_TIME + body[8:])
        self._keep(key, answer)
        return [answer.body]

    def _keep(self, key: Key, answer: Ready) -> None:
        is_about_tags = len(key) > len(_PARTS)
        differs_by = answer.header("Vary").lower()
        if is_about_tags == answer.status.startswith("304") and differs_by in ("", "accept-encoding"):
            self._kept.put(key, answer)


class Shelf:
    """Answers by their keys; the longest unused make room when there are too many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes = most_bytes, 0
        self._lock = threading.Lock()
        self._answers: OrderedDict[Key, Ready] = OrderedDict()

    def get(self, key: Key) -> Ready | None:
        """The answer last put under this key, if it is still there."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: Key, answer: Ready) -> None:
        """Puts an answer in the place of the one before; one that is very large is not kept."""
        if len(answer.body) > MOST_BYTES_OF_ONE:
            return
        with self._lock:
            self._bytes -= _size(key, self._answers.pop(key, None))
            self._answers[key] = answer
            self._bytes += _size(key, answer)
            while self._bytes > self._most:
                self._bytes -= _size(*self._answers.popitem(last=False))


_PARTS = ("HTTP_HOST", "PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT_ENCODING")


def _key(environ: WSGIEnvironment, public_name: str) -> Key | None:
    """Under what an answer to this request is kept; None where only the inner application may answer."""
    if environ["REQUEST_METHOD"] not in READING or any(name in environ for name in CONDITIONS):
        return None
    try:
        guard.check_way(environ, public_name)
    except guard.Refused:
        return None
    key = tuple([environ.get(name) for name in _PARTS])
    return key if all(len(part or "") <= LONGEST_WORDS for part in key) else None


def _size(key: Key, answer: Ready | None) -> int:
    if answer is None:
        return 0
    words = [*key, *(word for header in answer.headers for word in header)]
    return len(answer.body) + sum(len(word or "") for word in words) + OVERHEAD


def _nothing() -> None:
    """In the place of the `close` that not every iterable has."""
