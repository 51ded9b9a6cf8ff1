"""What a kind of source offers: raw text cells page by page, and how fresh they are.

A kind is a module in `ingest/sources/` with one function, `read(source, request) -> Extract`. It knows
a protocol and nothing of columns, types, records or the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Protocol

from metrics.model import City, Source

PAGE_ROWS = 20_000
"""How many rows a page holds at most, so that large sources need little memory."""

LARGEST_FILE = 2_000_000_000
"""How many bytes a file may have, packed or unpacked, where nobody set another limit."""

Cell = str | None
"""One value as received, as text; None where the protocol can say "nothing"."""

Progress = Callable[[str], None]
"""Takes a short sentence about long work; may be called often."""


class SourceError(Exception):
    """A source cannot be read. The message is one line that names the place and the fix."""


@dataclass(frozen=True)
class Unreadable:
    """A line that does not even fall into cells, and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class Page:
    """Some rows of one file or answer, in order, as received.

    columns: the names in the header. rows: cells of each row; a row may be too long or too short.
    place: the file or address, for messages. lines: where each row stands, counted from 1; None
    counts up from first_line. unreadable: lines beside the rows that are refused as they are.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    first_line: int = 1
    place: str = ""
    lines: Sequence[int] | None = None
    unreadable: Sequence[Unreadable] = ()

    def line(self, index: int) -> int:
        """The line on which row `index` of this page begins."""
        return self.first_line + index if self.lines is None else self.lines[index]

    def all_lines(self) -> list[int]:
        """The line on which each row begins."""
        if self.lines is None:
            return list(range(self.first_line, self.first_line + len(self.rows)))
        return list(self.lines)


@dataclass(frozen=True)
class Copy:
    """Bytes as received, in a file that the kind may delete after handing it over."""

    path: Path
    name: str


def keep_nothing(_copy: Copy) -> None:
    """A snapshot sink for sources whose bytes are not worth keeping."""


def say_nothing(_sentence: str) -> None:
    """Progress for nobody."""


def too_large(name: str, largest: int) -> str:
    """What is said of a file beyond the limit."""
    return (
        f"{name} has more than {largest / 1_000_000:,.0f} MB, unpacked where it was packed; if that is "
        "right, set FILE_MEGABYTES to more."
    )


@dataclass(frozen=True)
class Entered:
    """Values that people gave for a day: the number of the entry, and its cells by the names of columns."""

    number: int
    day: date
    cells: Mapping[str, str]


def no_secret(_name: str) -> None:
    """Secrets where there are none."""


@dataclass(frozen=True)
class ReadRequest:
    """What a kind is told about the run it reads for.

    now: the start of the run, in UTC. cursor: what the last successful run of this source left in
    `Extract.cursor`, None when everything must be read. since, until: local days, both included, of
    the rows that will be used; a kind may use them to ask for less. folder: where relative paths of
    options begin. work: a folder of this run alone, gone after it. keep: takes the bytes as received for
    the snapshot. sweep: this run also asks for the key of every record the source still has, where the
    protocol can say them (`Extract.ids`). secret: gives the secret of a name, None where nobody set it; a
    source's file has names only. open_keys: the keys of the records held, not withdrawn, whose
    `closed` column is empty, in their order; none where the source names no such column. largest: how many
    bytes a file may have, unpacked where it was packed. entered: what people gave by hand and counts
    now, by key.
    """

    city: City
    now: datetime
    cursor: str | None = None
    since: date | None = None
    until: date | None = None
    folder: Path = field(default_factory=Path)
    work: Path = field(default_factory=lambda: Path(gettempdir()))
    keep: Callable[[Copy], None] = keep_nothing
    progress: Progress = say_nothing
    sweep: bool = False
    open_keys: Callable[[], Sequence[str]] = tuple
    secret: Callable[[str], str | None] = no_secret
    largest: int = LARGEST_FILE
    entered: Callable[[], Sequence[Entered]] = tuple


@dataclass
class Extract:
    """What one reading of a source gives.

    pages are read once, in order, by the run; SourceError may come from any of them. updated_at: the
    source's own word on how fresh it is, in UTC. cursor: opaque text for the next reading, looked at
    after the last page only. unchanged: nothing new since the request's cursor, there are no pages.
    complete: the pages hold every record the source still has, so that others are withdrawn.
    ids: gives the key of every record that the source still has, as text and in any form the key's column
    is read in, so that others are withdrawn; called once, after the last page and before anything is
    written; None where the kind did not sweep. sizes: for each place (a table, a layer) that was read
    whole, how many rows it gave, looked at after the last page: one that shrank to less than half is not
    believed. notes: sentences for the run's message.
    """

    pages: Iterable[Page] = ()
    updated_at: datetime | None = None
    cursor: str | None = None
    unchanged: bool = False
    complete: bool = False
    ids: Callable[[], Iterable[str]] | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Kind(Protocol):
    """A module in `ingest/sources/`."""

    def read(self, source: Source, request: ReadRequest) -> Extract:
        """Begin to read `source`; raises SourceError when it cannot be reached or understood."""
        ...
