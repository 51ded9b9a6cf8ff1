"""What a public page or an API call gives back: bytes with their media type and status, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HTML = "text/html; charset=utf-8"
JSON = "application/json"
PROBLEM = "application/problem+json"
CSV = "text/csv; charset=utf-8"

RETRY_SECONDS = 5
"""After how long it is worth asking a city again that has not published yet."""


@dataclass(frozen=True)
class Answer:
    """Bytes for a reader.

    state: the number of the public state it was read at, as long as which it may be kept; None: never.
    """

    body: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    state: int | None = None


class Refusal(Exception):
    """Something that cannot be answered: the HTTP status, a title, and a sentence with the fix."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


class NothingPublished(Exception):
    """The city has not made its first publication yet."""
