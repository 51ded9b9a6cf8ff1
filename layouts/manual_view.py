"""Values given by hand as pages show them: what is due, what is usual, what was given lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from layouts.access import Need, Role, is_allowed, of_source
from metrics.model import Catalogue, City, Source
from store import entries, manual_values
from store.engine import Connection
from store.entries import Entry
from store.manual_values import KIND, Book, Due
from store.requests import Request

SHOWN = 14
"""Values that one form asks for: as many as are given in two minutes."""

GIVEN = 20


@dataclass(frozen=True)
class ManualLine:
    """A source in the list, with what it waits for."""

    source: Source
    due: Sequence[Due]


@dataclass(frozen=True)
class SourcesView:
    """The sources that whoever asks gives values to."""

    lines: tuple[ManualLine, ...]


@dataclass(frozen=True)
class ManualView:
    """A source that people give the values of. asked: what the form asks for; day: one that was chosen."""

    source: Source
    city: City
    book: Book
    due: Sequence[Due]
    asked: Sequence[Due]
    day: date | None
    given: Sequence[Entry]
    request: Request | None


def mine(connection: Connection, catalogue: Catalogue, today: date) -> list[ManualLine]:
    """The sources that whoever asks right now may give values to, with what each waits for."""
    return [
        ManualLine(one, manual_values.due(manual_values.book(connection, one), catalogue.city, today))
        for one in catalogue.sources.values()
        if one.kind == KIND and is_allowed(Need(Role.EDITOR, of_source({"source_id": one.id})))
    ]


def manual_view(
    connection: Connection,
    catalogue: Catalogue,
    source: Source,
    today: date,
    day: date | None,
    request: int | None,
) -> ManualView:
    """A source with what it waits for; `day`: with the values of that day, given or not."""
    book = manual_values.book(connection, source)
    due = manual_values.due(book, catalogue.city, today)
    asked = due[:SHOWN]
    if day is not None:
        parts = sorted({*book.parts_lately(today), *(of for when, of in book.held if when == day)})
        asked = [Due(day, one) for one in parts]
    return ManualView(
        source,
        catalogue.city,
        book,
        due,
        asked,
        day,
        entries.newest(connection, source.id, GIVEN),
        None if request is None else manual_values.of_source(connection, request, source.id),
    )
