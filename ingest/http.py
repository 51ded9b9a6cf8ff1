"""How the product asks the network: one client, patient with servers that stumble, plain about refusals."""

from __future__ import annotations

import logging
import math
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from pathlib import Path

import httpx
import stamina

from ingest.contract import LARGEST_FILE, Progress, SourceError, say_nothing, too_large
from ingest.redaction import hidden, public

USER_AGENT = "city-performance-dashboard/0.1"
TIMEOUTS = httpx.Timeout(60.0, connect=15.0)
"""Seconds without a byte, and until a connection stands."""

TRY_AGAIN = frozenset({202, 429, 500, 502, 503, 504})
"""The answers that a later attempt may better; 202 is "accepted, ask again for it"."""

ATTEMPTS = 6
PATIENCE_SECONDS = 600
"""How long one request may take with all its repetitions."""

LONGEST_WAIT_SECONDS = 120
"""A server that asks for a longer wait is left alone until the next run."""

AS_IT_WAS = 304
"""The status of an answer to "only if it is another than before" when it is not."""

BODY_SHOWN = 200

CODED = "in a name or password write / as %2F, @ as %40, # as %23, ? as %3F, : as %3A"
"""The usual reason why an address with a name and password cannot be understood."""

# Repetitions are told as progress; stamina's own log lines would come out raw on the terminal.
logging.getLogger("stamina").addHandler(logging.NullHandler())


_rate: ContextVar[float | None] = ContextVar("requests_per_second", default=None)
_asked: dict[str, float] = {}
"""When each host was asked last, or will be, by the clock that only goes forward."""

_turns_lock = threading.Lock()


class RefusedError(SourceError):
    """The server understood and said no: asking again changes nothing."""


class StumblingError(SourceError):
    """The server stumbled in every attempt; status: how it answered, "500" for instance."""

    def __init__(self, message: str, status: str) -> None:
        super().__init__(message)
        self.status = status


class _StumbleError(Exception):
    """An answer that a later attempt may better. wait: seconds the server asked for, None if it did not."""

    def __init__(self, response: httpx.Response, said: str = "") -> None:
        super().__init__(f"HTTP {response.status_code}")
        self.status = f"{response.status_code}{said and f' with an error ({said})'}"
        self.wait = _retry_after(response.headers.get("Retry-After"))


Fault = Callable[[httpx.Response], str | None]
"""What an answer of status 200 says went wrong for now, so that a later attempt may better it; else None."""


def no_fault(_response: httpx.Response) -> None:
    """Nothing is wrong with an answer of status 200."""


def client(contact: str = "") -> httpx.Client:
    """A client for one run of a source; `contact` tells the server's owner whom to write to."""
    agent = (
        f"{USER_AGENT} ({contact})" if contact.isascii() and contact.isprintable() and contact else USER_AGENT
    )
    rate = _rate.get()
    hooks: dict[str, list[Callable[..., object]]] = {"request": [partial(_wait_turn, rate)]} if rate else {}
    headers = {"User-Agent": agent}
    return httpx.Client(
        timeout=TIMEOUTS, follow_redirects=True, headers=headers, event_hooks=hooks, verify=_trusted()
    )


@contextmanager
def paced(requests_per_second: float | None) -> Iterator[None]:
    """Clients made within the block ask a host no more often than this, together with all others of it."""
    token = _rate.set(requests_per_second)
    try:
        yield
    finally:
        _rate.reset(token)


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed; they are read once a process, which takes longer than a page."""
    return httpx.create_ssl_context()


def _wait_turn(rate: float, request: httpx.Request) -> None:
    """Waits until the host of a request may be asked again, and takes the turn."""
    with _turns_lock:
        now = time.monotonic()
        turn = max(now, _asked.get(request.url.host, -math.inf) + 1 / rate)
        _asked[request.url.host] = turn
    if turn > now:
        time.sleep(turn - now)


def get(
    asking: httpx.Client,
    address: str,
    parameters: Mapping[str, str | int] | None = None,
    *,
    what: str = "",
    fault: Fault = no_fault,
    progress: Progress = say_nothing,
    attempts: int = ATTEMPTS,
) -> httpx.Response:
    """The answer of `address`, its body read.

    Connection errors, timeouts, the statuses of TRY_AGAIN and what `fault` tells are repeated with growing,
    jittered waits or the wait the server asks for. Raises SourceError naming the address and `what` was
    asked.
    """

    def ask() -> httpx.Response:
        response = asking.get(address, params=parameters)
        _judge(response, fault)
        return response

    return _patiently(ask, _place(address, what), progress, attempts)


def post(
    asking: httpx.Client,
    address: str,
    *,
    form: Mapping[str, str | int] | None = None,
    json: object = None,
    what: str = "",
    fault: Fault = no_fault,
    progress: Progress = say_nothing,
) -> httpx.Response:
    """The answer to a question too long for an address, sent as a form or as JSON; as for `get`.

    Only for questions: it is repeated like one.
    """

    def ask() -> httpx.Response:
        response = asking.post(address, data=form, json=json)
        _judge(response, fault)
        return response

    return _patiently(ask, _place(address, what), progress)


def download(
    asking: httpx.Client,
    address: str,
    path: Path,
    *,
    headers: Mapping[str, str] | None = None,
    largest: int = LARGEST_FILE,
    progress: Progress = say_nothing,
) -> httpx.Response:
    """Writes the body of `address` to `path`; repeats and errors as for `get`.

    headers may ask for it only when it is another than before: an answer AS_IT_WAS has no body and writes
    nothing. A body of more than `largest` bytes is an error.
    """

    def ask() -> httpx.Response:
        with asking.stream("GET", address, headers=headers) as response:
            if headers and response.status_code == AS_IT_WAS:
                return response
            if not response.is_success:
                response.read()
            _judge(response)
            _write(response, path, largest)
        return response

    return _patiently(ask, public(address), progress)


def _write(response: httpx.Response, path: Path, largest: int) -> None:
    size = 0
    with path.open("wb") as file:
        for part in response.iter_bytes():
            size += len(part)
            if size > largest:
                raise SourceError(too_large(public(str(response.url)), largest))
            file.write(part)


def _patiently(
    ask: Callable[[], httpx.Response], place: str, progress: Progress, times: int = ATTEMPTS
) -> httpx.Response:
    attempts = stamina.retry_context(
        on=_wait, attempts=times, timeout=PATIENCE_SECONDS, wait_initial=0.5, wait_max=30.0
    )
    try:
        for attempt in attempts:
            if attempt.num > 1:
                progress(f"{place}: trying again ({attempt.num} of {times})")
            with attempt:
                return ask()
    except _StumbleError as error:
        raise StumblingError(_still_stumbling(error, place, times), error.status) from error
    except httpx.TimeoutException as error:
        raise SourceError(f"{place} did not answer in time; try again later.") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        fix = f"give one that begins with https://, and {CODED}"
        raise SourceError(f"{place} is not an address; {fix}.") from error
    except httpx.HTTPError as error:
        cause = hidden(str(error)).rstrip(".") or type(error).__name__
        raise SourceError(
            f"{place} cannot be reached or broke off ({cause}); check the address and the network."
        ) from error
    raise AssertionError("a retry context ends with an answer or an error")


def _judge(response: httpx.Response, fault: Fault = no_fault) -> None:
    """Passes a success; raises _StumbleError for what may be better later, RefusedError for the rest."""
    if response.status_code in TRY_AGAIN:
        raise _StumbleError(response)
    if response.is_success:
        said = fault(response)
        if said is not None:
            raise _StumbleError(response, said)
        return
    body = hidden(" ".join(response.text.split()))[:BODY_SHOWN] or "(no text)"
    place = public(str(response.url))
    raise RefusedError(f"{place} answered {response.status_code} {response.reason_phrase}: {body}")


def _wait(error: Exception) -> bool | float:
    """stamina's question after a failure: try again, and if so after how many seconds."""
    if isinstance(error, _StumbleError):
        if error.wait is None:
            return True
        return error.wait <= LONGEST_WAIT_SECONDS and float(error.wait)
    if isinstance(error, httpx.UnsupportedProtocol):
        return False
    return isinstance(error, httpx.TransportError | httpx.DecodingError)


def _still_stumbling(error: _StumbleError, place: str, times: int) -> str:
    answered = f"{place} answered {error.status}"
    if error.wait is not None and error.wait > LONGEST_WAIT_SECONDS:
        return f"{answered} and asks to wait {error.wait:.0f} seconds; run again after that."
    return f"{answered} in each of {times} attempts; try again later."


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, from a number of seconds or a date (RFC 9110 10.2.3); None when it is neither."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _place(address: str, what: str) -> str:
    place = public(address)
    return f"{place} ({what})" if what else place
