"""What servers answer: JSON whose numbers stay the texts they were, and never a web page taken for data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ingest import http
from ingest.contract import Cell, SourceError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parsed(body: bytes, place: str) -> Any:
    """The JSON of an answer, its numbers as texts; SourceError naming `place` when it is none."""
    if body.lstrip(BYTE_ORDER_MARK + b" \t\r\n").startswith(b"<"):
        raise SourceError(f"{place} answered a web page (HTML), not data; look whether the portal has moved.")
    try:
        return json.loads(body, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"{place} answered something that is not JSON ({error}); try again later."
        ) from error


def as_text(value: object) -> Cell:
    """A value of an answer as a cell: text as it is, nothing as None, the rest as JSON."""
    if value is None or isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError as error:
        raise SourceError("An answer has a cell that is nested too deeply; ask its publisher.") from error


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list, nothing where it is no list: for what a server need not say."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def whole_number(value: object) -> int | None:
    """A whole number as an answer has it; None for anything else."""
    try:
        return int(str(value))
    except ValueError:
        return None


def short(said: object) -> str:
    """The beginning of what a server gives as its reason."""
    message = said.get("message") if isinstance(said, dict) else None
    return str(message or json.dumps(said))[: http.BODY_SHOWN]


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> list[list[Cell]]:
    """The cells of objects in the order of `columns`; a name that an object lacks is empty in it."""
    return [[as_text(row.get(name)) for name in columns] for row in rows]


def epoch(value: object, milliseconds: bool = False) -> datetime | None:
    """The instant of a number of seconds or milliseconds since 1970 UTC; None when it is no such number."""
    try:
        return datetime.fromtimestamp(float(str(value)) / (1000 if milliseconds else 1), UTC)
    except (ValueError, OverflowError, OSError):
        return None
