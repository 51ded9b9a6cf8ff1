"""Rows written as JSON, a list of objects or an object on each line, as pages of text cells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from ingest.contract import PAGE_ROWS, Cell, Page, SourceError, Unreadable

ENDINGS = (".json", ".jsonl", ".ndjson")
"""What the names of such files end with; the first is a list, the others have an object on each line."""

MOST_NAMES = 500
"""More different names than this in one page are a mistake, or are meant to fill the memory."""

LONGEST_SHOWN = 1000


class _BadValueError(ValueError):
    """A value inside a row that no cell can hold; the message says why."""


@dataclass(frozen=True)
class _Item:
    """A row, or the text of one that is none with the reason."""

    line: int
    row: dict[str, Cell] | None
    text: str = ""
    reason: str = ""


def json_pages(path: Path, name: str) -> Iterator[Page]:
    """The rows of one file; a row's line is its place in the list, or the line it stands on.

    Names that a row lacks are empty cells in it. Numbers stay as they are written. Raises SourceError
    naming `name` for a file that is not UTF-8 or, as a list, not JSON; a line or an item that is no plain
    object is unreadable and costs only itself.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: byte {error.start + 1} is not UTF-8; JSON is always UTF-8.") from error
    items = _listed(text, name) if path.suffix == ENDINGS[0] else _lined(text)
    while taken := list(islice(items, PAGE_ROWS)):
        yield _page(taken, name)


def _listed(text: str, name: str) -> Iterator[_Item]:
    try:
        found = _loads(text)
    except (ValueError, RecursionError) as error:
        cause = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SourceError(f"{name} is not JSON ({cause}); send a list of objects.") from error
    if not isinstance(found, list) or isinstance(found, _Pairs):
        raise SourceError(f"{name} is not a list; send [{{…}}, {{…}}], also for one row.")
    return (_item(number, one) for number, one in enumerate(found, 1))


def _lined(text: str) -> Iterator[_Item]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield _item(number, _loads(line))
        except (ValueError, RecursionError):
            yield _Item(number, None, line[:LONGEST_SHOWN], "is not JSON")


def _loads(text: str) -> Any:
    return json.loads(
        text,
        parse_int=_Written,
        parse_float=_Written,
        parse_constant=_refuse_constant,
        object_pairs_hook=_Pairs,
    )


class _Written(str):
    """A number as it is written: no digit of an id or an amount is lost on the way."""


class _Pairs(list[tuple[str, Any]]):
    """The names and values of an object; a name may stand in it twice."""


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _item(line: int, found: Any) -> _Item:
    if not isinstance(found, _Pairs):
        return _Item(line, None, _shown(found), "is not an object")
    try:
        row = {name: _cell(name, value) for name, value in found}
    except _BadValueError as error:
        return _Item(line, None, _shown(found), str(error))
    if len(row) < len(found):
        return _Item(line, None, _shown(found), "says a name twice")
    return _Item(line, row)


def _cell(name: str, value: Any) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _BadValueError(f"has a list or an object as {name[:50]}")


def _shown(found: Any) -> str:
    if isinstance(found, _Pairs):
        return ", ".join(f"{name}: {value if isinstance(value, str) else '…'}" for name, value in found)[
            :LONGEST_SHOWN
        ]
    return str(found)[:LONGEST_SHOWN] if isinstance(found, str | bool) else "…"


def _page(items: Iterable[_Item], name: str) -> Page:
    rows = [(one.line, one.row) for one in items if one.row is not None]
    columns: dict[str, None] = {}
    for _, row in rows:
        columns.update(dict.fromkeys(row))
        if len(columns) > MOST_NAMES:
            raise SourceError(f"{name} has more than {MOST_NAMES} different names in its rows; correct it.")
    return Page(
        columns=tuple(columns),
        rows=[[row.get(column) for column in columns] for _, row in rows],
        place=name,
        lines=[line for line, _ in rows],
        unreadable=[Unreadable(one.line, one.text, one.reason) for one in items if one.row is None],
    )
