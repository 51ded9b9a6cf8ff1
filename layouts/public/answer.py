"""What a public page or an API call gives back: bytes with their media type and status, or a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HTML = "text/html; charset=utf-8"
JSON = "application/json"
PROBLEM = "application/problem+json"
CSV = "text/csv; charset=utf-8"

LONGEST_ECHO = 60
"""How much of what a reader wrote is said back."""

RETRY_SECONDS = 5
"""After how long it is worth asking a city again that has not published yet."""


@dataclass(frozen=True)
class Answer:
    """Bytes for a reader.

    state: the number of the public state it was read at, as long as which it may be kept; None: never.
    stream: what is sent in place of the body while it is made.
    """

    body: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    state: int | None = None
    stream: Iterable[bytes] | None = None


class Refusal(Exception):
    """Something that cannot be answered: the HTTP status, a title, and a sentence with the fix."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


def legible(text: str) -> str:
    """What a reader wrote, fit to be said back: its beginning, without what cannot be printed.

    Pictures take no control characters, and long words cost time to set.
    """
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:LONGEST_ECHO]
    )
    return shown + ("…" if len(text) > LONGEST_ECHO else "")


class NothingPublished(Exception):
    """The city has not made its first publication yet."""
