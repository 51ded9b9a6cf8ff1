"""Rows written as JSON, an object on each line or a list of objects, as pages of text cells."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ingest.contract import LARGEST_FILE, PAGE_ROWS, Cell, Page, SourceError, Unreadable
from ingest.sources.packed import refuse_larger, unpacked

MOST_NAMES = 1000
"""More different names than this in one page are a mistake, or are meant to fill the memory."""

LONGEST_ELEMENT = 16_000_000
"""How many signs one element of a list may have."""

_SHOWN = 1000
_SEEN_AT_ONCE = 1 << 20
_NO_SPACE = re.compile(r"[^ \t\n\r]")


@dataclass(frozen=True)
class _Item:
    """A row and the line it begins on, or the text of one that is none with the reason."""

    line: int
    row: dict[str, Cell] | None
    text: str = ""
    reason: str = ""


class _Written(str):
    """A number as it is written: no digit of an id or an amount is lost on the way."""


def json_pages(path: Path, name: str, largest: int = LARGEST_FILE) -> Iterator[Page]:
    """The rows of one file, packed with gzip or not; of a list, a row's line is its place in the list.

    Names that a row lacks are empty cells in it; what stands inside an object of a row has both names with
    a point between. Numbers stay as they are written, but 12.0 is 12. A line that is no object is
    unreadable and costs only itself. Raises SourceError naming `name` for a file that is not UTF-8 or, as a
    list, not JSON.
    """
    try:
        with unpacked(path, name) as file, io.TextIOWrapper(file, encoding="utf-8-sig") as text:
            items = _listed(text, name, largest) if _is_list(path, name) else _lined(text, name, largest)
            while taken := list(islice(items, PAGE_ROWS)):
                yield _page(taken, name)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name} is not UTF-8, which JSON always is ({error.reason}); correct it."
        ) from error


def _is_list(path: Path, name: str) -> bool:
    with unpacked(path, name) as file:
        return file.read(1 << 16).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


def _listed(text: io.TextIOWrapper, name: str, largest: int) -> Iterator[_Item]:
    try:
        for number, one in enumerate(_Elements(text, name, largest), 1):
            yield _item(number, one)
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{name} is not JSON ({_cause(error)}); save it again.") from error


class _Elements:
    """The elements of a list one after the other, of a list that is larger than the memory too.

    Raises ValueError at what is no JSON, with the place.
    """

    def __init__(self, text: io.TextIOWrapper, name: str, largest: int) -> None:
        self._text, self._name, self._largest = text, name, largest
        self._seen, self._at, self._read = "", 0, 0
        self._has_ended = False

    def __iter__(self) -> Iterator[Any]:
        self._expect("[")
        if self._sign() != "]":
            yield self._element()
            while self._sign() == ",":
                self._at += 1
                yield self._element()
        self._expect("]")
        if self._sign():
            raise self._wrong("something stands behind the end of the list", self._at)

    def _expect(self, sign: str) -> None:
        if self._sign() != sign:
            raise self._wrong(f"there is no {sign}", self._at)
        self._at += 1

    def _sign(self) -> str:
        """The next sign that is no space; empty at the end."""
        while True:
            found = _NO_SPACE.search(self._seen, self._at)
            if found is not None:
                self._at = found.start()
                return found[0]
            self._at = len(self._seen)
            if self._has_ended:
                return ""
            self._more()

    def _element(self) -> Any:
        self._sign()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._seen, self._at)
            except json.JSONDecodeError as error:
                if self._has_ended or len(self._seen) - self._at > LONGEST_ELEMENT:
                    raise self._wrong(error.msg, error.pos) from error
            else:
                # What ends with all that was seen may go on behind it, as numbers do.
                if end < len(self._seen) or self._has_ended:
                    self._at = end
                    return found
            self._more()

    def _more(self) -> None:
        """Sees more, and forgets what was taken; twice as much each time, or long elements take for ever."""
        rest = self._seen[self._at :]
        found = self._text.read(max(_SEEN_AT_ONCE, len(rest)))
        self._has_ended = not found
        self._read += len(found)
        refuse_larger(self._read, self._name, self._largest)
        self._seen, self._at = rest + found, 0

    def _wrong(self, what: str, at: int) -> ValueError:
        return ValueError(f"{what}, at sign {self._read - len(self._seen) + at + 1}")


def _lined(text: io.TextIOWrapper, name: str, largest: int) -> Iterator[_Item]:
    size = 0
    for number, line in enumerate(text, 1):
        size += len(line)
        refuse_larger(size, name, largest)
        if not line.strip():
            continue
        try:
            yield _item(number, _loads(line), line)
        except (ValueError, RecursionError):
            yield _Item(number, None, line[:_SHOWN], "is not JSON")


def _loads(text: str) -> Any:
    return _DECODER.decode(text)


def _number(written: str) -> _Written:
    return _Written(written.removesuffix(".0"))


_DECODER = json.JSONDecoder(parse_int=_Written, parse_float=_number, parse_constant=_Written)


def _cause(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _item(line: int, found: Any, text: str = "") -> _Item:
    try:
        if isinstance(found, dict):
            return _Item(line, dict(_cells(found)))
        return _Item(line, None, (text or str(found))[:_SHOWN], "is not an object")
    except RecursionError:
        return _Item(line, None, text[:_SHOWN], "is nested too deeply")


def _cells(found: dict[str, Any], before: str = "") -> Iterator[tuple[str, Cell]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _cells(value, f"{before}{name}.")
        else:
            yield before + name, _cell(value)


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _page(items: Sequence[_Item], name: str) -> Page:
    good = [(one.line, one.row) for one in items if one.row is not None]
    columns: dict[str, None] = {}
    for _, row in good:
        columns.update(dict.fromkeys(row))
        if len(columns) > MOST_NAMES:
            raise SourceError(f"{name} has more than {MOST_NAMES} different names in its rows; correct it.")
    return Page(
        columns=tuple(columns),
        rows=[[row.get(column) for column in columns] for _, row in good],
        place=name,
        lines=[line for line, _ in good],
        unreadable=[Unreadable(one.line, one.text, one.reason) for one in items if one.row is None],
    )
