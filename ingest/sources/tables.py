"""Tables inside files: text with delimiters, packed or not, and workbooks, as pages of text cells."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, cast

from python_calamine import CalamineError, load_workbook

from ingest.contract import PAGE_ROWS, Cell, Page, SourceError, Unreadable
from metrics.model import Source

DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8-sig", "cp1252")
"""What `auto` tries, in this order, each on the whole file."""

CHUNK = 1 << 20

BROKEN_QUOTE = "has a quote that does not match"
TOO_LONG = f"has a cell of more than {csv.field_size_limit()} characters"

_GZIP = b"\x1f\x8b"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<")


@dataclass(frozen=True)
class Layout:
    """How a table lies in its file. delimiter None: found by itself; sheet None: the first."""

    encoding: str = "auto"
    delimiter: str | None = None
    header_row: int = 1
    sheet: str | None = None


def pages(path: Path, name: str, source: Source, layout: Layout) -> Iterator[Page]:
    """The table of one file in pages of at most PAGE_ROWS rows; what it is, its first bytes say.

    Raises SourceError naming `name` for a web page, a damaged or empty file, bytes that are not in the
    encoding and a missing sheet; none of them after a row of the file was given, damage apart.
    """
    with path.open("rb") as file:
        is_workbook = file.read(4).startswith(_WORKBOOKS)
    return _workbook_pages(path, name, layout) if is_workbook else _text_pages(path, name, source, layout)


# --- text ----------------------------------------------------------------------------------------


def _text_pages(path: Path, name: str, source: Source, layout: Layout) -> Iterator[Page]:
    with _unpacked(path, name) as file:
        _refuse_other_things(file.read(CHUNK), name)
    encoding = _encoding(path, name, layout.encoding)
    with _unpacked(path, name) as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
        for _ in islice(text, layout.header_row - 1):
            pass
        first = text.readline()
        delimiter = layout.delimiter or _delimiter(first, source)
        yield from _delimited(chain([first], text), delimiter, name, layout.header_row)


def _delimited(text: Iterator[str], delimiter: str, name: str, header_row: int) -> Iterator[Page]:
    lines = _Lines(text, delimiter, header_row)
    columns = _header(lines.take(1), name, header_row)
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

    def __init__(self, text: Iterator[str], delimiter: str, first: int) -> None:
        self.next = first
        self._text = text
        self._delimiter = delimiter
        self._again: deque[str] = deque()

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
                self._again.extendleft(reversed(lines[used:]))
            if not lines:
                break
            self.next += used
        return taken

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


def _header(first: _Taken, name: str, number: int) -> tuple[str, ...]:
    for line in first.unreadable:
        if line.line == number:
            raise SourceError(f"{name} line {number}: the header {line.reason}; correct the file.")
    row = first.rows[0] if first.lines == [number] else []
    if not any(column.strip() for column in row):
        raise SourceError(f"{name} has no header on line {number}; give header_row, or the right file.")
    return tuple(row)


def _delimiter(header: str, source: Source) -> str:
    """The sign that splits the header into most of the declared names, then into most names."""
    declared = {name.casefold() for column in source.columns for name in (column.name, *column.aliases)}

    def found(delimiter: str) -> tuple[int, int]:
        names = next(csv.reader([header], delimiter=delimiter), [])
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


def _encoding(path: Path, name: str, declared: str) -> str:
    """The encoding of the whole file; SourceError names the first byte that is not in it."""
    if declared != "auto":
        return _declared_encoding(path, name, declared)
    with _unpacked(path, name) as file:
        if file.read(2).startswith(_UTF_16):
            return _declared_encoding(path, name, "utf-16")
    for encoding in ENCODINGS:
        wrong = _first_wrong_byte(path, name, encoding)
        if wrong is None:
            return encoding
    raise SourceError(
        f"{name}: {wrong} is neither UTF-8 nor Windows-1252; find out its encoding and write encoding = … "
        "in the source's options."
    )


def _declared_encoding(path: Path, name: str, declared: str) -> str:
    try:
        "text".encode(declared)
        codec = codecs.lookup(declared).name
    except LookupError as error:
        raise SourceError(f'There is no encoding {declared!r}; write encoding = "auto".') from error
    encoding = "utf-8-sig" if codec == "utf-8" else codec
    wrong = _first_wrong_byte(path, name, encoding)
    if wrong is not None:
        raise SourceError(
            f'{name}: {wrong} is not {declared}; write encoding = "auto" (or the true one) in the source\'s '
            "options."
        )
    return encoding


def _first_wrong_byte(path: Path, name: str, encoding: str) -> str | None:
    """Where the file stops being in `encoding`, in words; None when all of it is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    newlines = 0
    with _unpacked(path, name) as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line = newlines + error.object[: error.start].count(b"\n") + 1
                return f"the byte 0x{error.object[error.start]:02x} on line {line}"
            if not chunk:
                return None
            newlines += chunk.count(b"\n")


@contextmanager
def _unpacked(path: Path, name: str) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        is_packed = file.read(2) == _GZIP
    try:
        with gzip.open(path) if is_packed else path.open("rb") as file:
            yield cast(BinaryIO, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        cause = "ends too early" if isinstance(error, EOFError) else "is damaged"
        raise SourceError(f"{name} {cause} (gzip: {error}); fetch it again.") from error


# --- workbooks -----------------------------------------------------------------------------------


def _workbook_pages(path: Path, name: str, layout: Layout) -> Iterator[Page]:
    table = _sheet(path, name, layout.sheet)
    cells = [_as_text(cell) or "" for row in table[layout.header_row - 1 : layout.header_row] for cell in row]
    while cells and not cells[-1].strip():
        cells.pop()
    if not cells:
        raise SourceError(
            f"{name} has no header on line {layout.header_row}; give sheet and header_row, or the right file."
        )
    filled = [
        (line, row[: len(cells)])
        for line, row in enumerate(table[layout.header_row :], layout.header_row + 1)
        if any(cell not in ("", None) for cell in row)
    ]
    for start in range(0, max(len(filled), 1), PAGE_ROWS):
        part = filled[start : start + PAGE_ROWS]
        rows = [[_as_text(cell) for cell in row] for _, row in part]
        yield Page(tuple(cells), rows, place=name, lines=[line for line, _ in part])


def _sheet(path: Path, name: str, wanted: str | None) -> list[list[object]]:
    try:
        with load_workbook(path) as workbook:
            if wanted is not None and wanted not in workbook.sheet_names:
                names = ", ".join(workbook.sheet_names)
                raise SourceError(f"{name} has no sheet {wanted!r}; its sheets are: {names}.")
            sheet = workbook.get_sheet_by_name(wanted or workbook.sheet_names[0])
            return cast(list[list[object]], sheet.to_python(skip_empty_area=False))
    except CalamineError as error:
        raise SourceError(f"{name} is not a workbook that can be read ({error}); save it again.") from error


def _as_text(cell: object) -> Cell:
    """A workbook's cell as its text file would have it; whole numbers without a decimal point."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return f"{cell.isoformat()} 00:00:00"
    return str(cell)
