"""Values that people give on a page: which days wait for one, what is usual, what is asked of the worker."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from metrics.model import City, Column, Source
from metrics.periods import is_open
from store import audit_log, entries, requests
from store.audit_log import Actor
from store.engine import StoreError, Writing
from store.requests import Request

ENTER = "enter"
"""The kind of request that gives values."""

KIND = "manual"
"""The kind of source that people give the values of."""

LARGEST_FILE = 500_000
"""Bytes: a file travels to the worker in its request."""

UNFINISHED_AT_MOST = 10
LATELY = timedelta(days=60)
"""Who had a value so long ago is still expected to have one."""

ENOUGH = 5
"""With fewer values nothing is usual yet."""

RECENT = 12
REACH, REACH_OF_SIZE = 0.5, 0.2
"""How far beyond what was usual a value is asked about: as shares of its spread and of its size."""

Parts = tuple[str, ...]
"""The cells that say beside the day which value it is, in the source's order; () where the day is all."""


@dataclass(frozen=True)
class Due:
    """A value that is waited for: of a day, and of which parts."""

    day: date
    parts: Parts


@dataclass(frozen=True)
class Usual:
    """The least and the most of the newest values."""

    least: float
    most: float

    def is_far(self, value: float) -> bool:
        """Whether a value lies so far outside that somebody should look at it again."""
        size = max(abs(self.least), abs(self.most))
        reach = max(REACH * (self.most - self.least), REACH_OF_SIZE * size)
        return not self.least - reach <= value <= self.most + reach


@dataclass(frozen=True)
class Book:
    """All values of a source that count, by day and parts, as they were written."""

    source: Source
    held: Mapping[tuple[date, Parts], Mapping[str, str]]

    def parts_lately(self, today: date) -> list[Parts]:
        """Of what values were given lately: of the newest days, where it is longer ago."""
        newest = max((day for day, _parts in self.held), default=today)
        begin = min(newest, today) - LATELY
        found = {parts for day, parts in self.held if day >= begin}
        if not found:
            return [()] if len(key_names(self.source)) == 1 else []
        return sorted(found)

    def usual(self, parts: Parts, column: str) -> Usual | None:
        """What was usual for some parts lately; None where too few numbers were given."""
        told = sorted((day, cells.get(column)) for (day, of), cells in self.held.items() if of == parts)
        numbers = [number for _day, cell in told if (number := _number(cell)) is not None][-RECENT:]
        return Usual(min(numbers), max(numbers)) if len(numbers) >= ENOUGH else None


def key_names(source: Source) -> Sequence[str]:
    """The columns that say which value it is, the day first."""
    return tuple(source.options.get("key_from", ("day",)))


def value_columns(source: Source) -> list[Column]:
    """The columns that people give."""
    named = {source.key, *key_names(source)}
    return [one for one in source.columns if one.name not in named and one.expression is None]


def book(connection: Connection, source: Source) -> Book:
    """The values of a source that count now."""
    _day, *others = key_names(source)
    held = {}
    for one in entries.current(connection, source.id):
        parts = tuple(one.given.cells.get(name, "") for name in others)
        held[one.given.day, parts] = one.given.cells
    return Book(source, held)


def due(found: Book, city: City, today: date) -> list[Due]:
    """The values that are waited for, oldest first: of every day before today that needs one."""
    parts = found.parts_lately(today)
    return [
        Due(day, one)
        for day in _days_in_need(found.source, city, today)
        for one in parts
        if (day, one) not in found.held
    ]


def ask(
    write: Writing,
    actor: Actor,
    source: Source,
    rows: Sequence[Mapping[str, str]],
    reason: str = "",
) -> int:
    """Asks the worker to check some values and keep them; gives the number of the request."""
    words = {"rows": [dict(row) for row in rows], "reason": reason}
    number = _insert(write, actor, source, words, dry_run=False)
    audit_log.add(
        write, actor, "values given", f"source {source.id}", request=number, rows=len(rows), reason=reason
    )
    return number


def ask_about_file(
    write: Writing, actor: Actor, source: Source, name: str, body: bytes, reason: str = ""
) -> int:
    """Asks the worker what a file of values would change; nothing of it is kept."""
    if len(body) > LARGEST_FILE:
        raise StoreError(f"The file is larger than {LARGEST_FILE // 1000} kB; give it on the machine.")
    words = {"file": {"name": name, "content": base64.b64encode(body).decode()}, "reason": reason}
    number = _insert(write, actor, source, words, dry_run=True)
    audit_log.add(write, actor, "file of values tried", f"source {source.id}", request=number, file=name)
    return number


def keep_file(write: Writing, actor: Actor, source: Source, request: int) -> int:
    """Asks the worker to keep what a file that was tried says.

    Raises StoreError for a request that was not about a file of this source, or found something wrong in it.
    """
    found = of_source(write.connection, request, source.id)
    if found is None or "file" not in found.arguments or (found.result or {}).get("outcome") != "shown":
        raise StoreError("Send the file first, and keep it when you have seen what it would change.")
    words = {name: found.arguments[name] for name in ("file", "reason")}
    number = _insert(write, actor, source, words, dry_run=False)
    name = found.arguments["file"]["name"]
    audit_log.add(write, actor, "file of values given", f"source {source.id}", request=number, file=name)
    return number


def of_source(connection: Connection, number: int, source: str) -> Request | None:
    """The request of a number where it gives values of the source; None otherwise."""
    found = requests.get(connection, number)
    is_it = found is not None and found.kind == ENTER and found.arguments.get("source") == source
    return found if is_it else None


def _insert(
    write: Writing, actor: Actor, source: Source, words: Mapping[str, object], *, dry_run: bool
) -> int:
    if len(requests.unfinished(write.connection, (ENTER,))) >= UNFINISHED_AT_MOST:
        raise StoreError("Other values are being checked; try again in a minute.")
    arguments = {"source": source.id, "by": actor.name, "dry_run": dry_run, **words}
    return requests.insert_within(write, ENTER, arguments)


def _days_in_need(source: Source, city: City, today: date) -> Iterator[date]:
    """Every day before today that needs a value: not closed by the calendar, and in no declared gap."""
    day = source.begins or today
    calendar = source.options.get("calendar", "all")
    while day < today:
        in_a_gap = any(gap.from_day <= day <= gap.to_day for gap in source.gaps)
        if not in_a_gap and is_open(city, calendar, day):
            yield day
        day += timedelta(days=1)


def _number(cell: str | None) -> float | None:
    try:
        found = float(cell) if cell else None
    except ValueError:
        return None
    return found if found is not None and found - found == 0 else None
