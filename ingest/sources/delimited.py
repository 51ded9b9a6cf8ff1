"""Tables in text with delimiters: encoding and delimiter found, lines that are none told apart."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from ingest.contract import LARGEST_FILE, PAGE_ROWS, Page, SourceError, Unreadable
from ingest.sources.headers import Layout, joined
from ingest.sources.packed import refuse_larger, unpacked
from metrics.model import Source

DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8-sig", "cp1252")
"""What `auto` tries, in this order, each on the whole file."""

CHUNK = 1 << 20

BROKEN_QUOTE = "has a quote that does not match"
TOO_LONG = f"has a cell of more than {csv.field_size_limit()} characters"

MOST_READ_AGAIN = 2_000_000
"""So many lines that quotes swallowed may be read again; each row may be written to swallow all others."""

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<")


def text_pages(
    path: Path, name: str, source: Source, layout: Layout, largest: int = LARGEST_FILE
) -> Iterator[Page]:
    """The table of a text, packed with gzip or not; SourceError before its first row, damage apart."""
    with unpacked(path, name) as file:
        _refuse_other_things(file.read(CHUNK), name)
    encoding = encoding_of(path, name, layout.encoding, largest)
    with unpacked(path, name) as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
        for _ in islice(text, layout.header_row - 1):
            pass
        first = text.readline()
        delimiter = layout.delimiter or _delimiter(first, source)
        yield from _delimited(chain([first], text), delimiter, name, layout)


def _delimited(text: Iterator[str], delimiter: str, name: str, layout: Layout) -> Iterator[Page]:
    lines = _Lines(text, delimiter, layout.header_row, name)
    columns = _header(lines.take(layout.header_rows), name, layout)
    while True:
        page = lines.take(PAGE_ROWS)
        yield Page(columns, page.rows, place=name, lines=page.lines, unreadable=page.unreadable)
        if len(page.rows) < PAGE_ROWS:
            return


@dataclass
class _Taken:
    """Rows with something in them, the lines on which they begin, and the lines that are none."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


class _Lines:
    """The lines of a text on their way into rows; next: the number of the one to be read next."""

    def __init__(self, text: Iterator[str], delimiter: str, first: int, name: str) -> None:
        self.next = first
        self._name = name
        self._text = text
        self._delimiter = delimiter
        self._again: deque[str] = deque()
        self._read_again = 0

    def take(self, count: int) -> _Taken:
        """The next `count` rows, fewer only where the text ends.

        A quote that is never closed, or closed inside a word, costs the line it stands on; the reading
        goes on with the next line, not with what the quote would swallow.
        """
        taken = _Taken()
        while len(taken.rows) < count:
            lines: list[str] = []
            reader = csv.reader(self._remembered(lines), delimiter=self._delimiter, strict=True)
            used = 0
            try:
                for row in islice(reader, count - len(taken.rows)):
                    if row:
                        taken.rows.append(row)
                        taken.lines.append(self.next + used)
                    used = reader.line_num
            except csv.Error:
                taken.unreadable.append(_refused(self.next + used, lines[used:]))
                used += 1
                self._put_back(lines[used:])
            if not lines:
                break
            self.next += used
        return taken

    def _put_back(self, lines: list[str]) -> None:
        self._read_again += len(lines)
        if self._read_again > MOST_READ_AGAIN:
            raise SourceError(f"{self._name} has too many quotes that do not match; correct the file.")
        self._again.extendleft(reversed(lines))

    def _remembered(self, lines: list[str]) -> Iterator[str]:
        while self._again:
            lines.append(self._again.popleft())
            yield lines[-1]
        for line in self._text:
            lines.append(line)
            yield line


def _refused(number: int, lines: list[str]) -> Unreadable:
    # A quote left open runs over many lines before the limit of a cell ends it.
    too_long = len(lines) == 1 and len(lines[0]) > csv.field_size_limit()
    return Unreadable(number, lines[0], TOO_LONG if too_long else BROKEN_QUOTE)


def _header(first: _Taken, name: str, layout: Layout) -> tuple[str, ...]:
    wanted = list(range(layout.header_row, layout.header_row + layout.header_rows))
    for line in first.unreadable:
        if line.line in wanted:
            raise SourceError(f"{name} line {line.line}: the header {line.reason}; correct the file.")
    columns = joined(first.rows) if first.lines == wanted else ()
    if not any(column.strip() for column in columns):
        raise SourceError(
            f"{name} has no header on line {layout.header_row}; give header_row, or the right file."
        )
    return columns


def _delimiter(header: str, source: Source) -> str:
    """The sign that splits the header into most of the declared names, then into most names."""
    declared = {name.casefold() for column in source.columns for name in (column.name, *column.aliases)}

    def found(delimiter: str) -> tuple[int, int]:
        try:
            names = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            # A cell that is too long; whoever takes the header says so.
            return 0, 0
        return sum(name.strip().casefold() in declared for name in names), len(names)

    return max(DELIMITERS, key=found)


def _refuse_other_things(head: bytes, name: str) -> None:
    if not head.strip():
        raise SourceError(f"{name} is empty; ask its publisher, or give the right file.")
    if _MARKUP.match(head):
        raise SourceError(
            f"{name} is a web page (HTML or XML), not a table; the address may have moved or ask for a "
            "sign-in."
        )
    if b"\x00" in head.partition(b"\n")[0] and not head.startswith(_UTF_16):
        raise SourceError(f"{name} is not a text file, nor a workbook; give the right file.")


def encoding_of(path: Path, name: str, declared: str, largest: int = LARGEST_FILE) -> str:
    """The encoding of the whole file; SourceError names the first byte that is not in it."""
    if declared != "auto":
        return _declared_encoding(path, name, declared, largest)
    with unpacked(path, name) as file:
        if file.read(2).startswith(_UTF_16):
            return _declared_encoding(path, name, "utf-16", largest)
    for encoding in ENCODINGS:
        wrong = _first_wrong_byte(path, name, encoding, largest)
        if wrong is None:
            return encoding
    raise SourceError(
        f"{name}: {wrong} is neither UTF-8 nor Windows-1252; find out its encoding and write encoding = … "
        "in the source's options."
    )


def _declared_encoding(path: Path, name: str, declared: str, largest: int) -> str:
    try:
        "text".encode(declared)
        codec = codecs.lookup(declared).name
    except LookupError as error:
        raise SourceError(f'There is no encoding {declared!r}; write encoding = "auto".') from error
    encoding = "utf-8-sig" if codec == "utf-8" else codec
    wrong = _first_wrong_byte(path, name, encoding, largest)
    if wrong is not None:
        raise SourceError(
            f'{name}: {wrong} is not {declared}; write encoding = "auto" (or the true one) in the source\'s '
            "options."
        )
    return encoding


def _first_wrong_byte(path: Path, name: str, encoding: str, largest: int) -> str | None:
    """Where the file stops being in `encoding`, in words; None when all of it is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    newlines = read = 0
    with unpacked(path, name) as file:
        while True:
            chunk = file.read(CHUNK)
            read += len(chunk)
            refuse_larger(read, name, largest)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line = newlines + error.object[: error.start].count(b"\n") + 1
                return f"the byte 0x{error.object[error.start]:02x} on line {line}"
            if not chunk:
                return None
            newlines += chunk.count(b"\n")
