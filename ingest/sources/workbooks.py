"""Tables in workbooks (.xlsx, .xlsm, .xls, .ods) as pages of text cells."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path
from typing import cast

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, load_workbook

from ingest.contract import LARGEST_FILE, PAGE_ROWS, Cell, Page, SourceError
from ingest.sources.headers import Layout, joined
from ingest.sources.packed import check_members

TRIAL_BYTES = 200_000_000
"""What a process needs that reads workbooks, besides their sheets."""

TRIAL_SECONDS = 600

_NO_WORKBOOK = 3
_TRIAL = f"""
import resource, sys
from python_calamine import load_workbook
most = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (most, most))
try:
    with load_workbook(sys.argv[1]) as workbook:
        for sheet in workbook.sheet_names:
            workbook.get_sheet_by_name(sheet)
except MemoryError:
    raise
except Exception:
    sys.exit({_NO_WORKBOOK})
"""


def workbook_pages(path: Path, name: str, layout: Layout, largest: int = LARGEST_FILE) -> Iterator[Page]:
    """The wanted sheets of a workbook, one after the other; SourceError before the first row of a sheet."""
    if zipfile.is_zipfile(path):
        check_members(path, name, largest)
    _refuse_too_wide(path, name, largest)
    try:
        with load_workbook(path) as workbook:
            wanted = _wanted(workbook, name, layout.sheet)
            for sheet in wanted:
                table = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
                place = f"{name}, sheet {sheet}" if len(wanted) > 1 else name
                yield from _sheet_pages(cast(list[list[object]], table), place, layout)
    except PasswordError as error:
        raise SourceError(f"{name} is locked by a password; save it without one.") from error
    except CalamineError as error:
        raise SourceError(f"{name} is not a workbook that can be read ({error}); save it again.") from error


def _wanted(workbook: CalamineWorkbook, name: str, sheet: str | None) -> list[str]:
    there = workbook.sheet_names
    if sheet is None:
        return there[:1]
    if sheet in there:
        return [sheet]
    found = (
        [one for one in there if fnmatchcase(one.casefold(), sheet.casefold())] if has_magic(sheet) else []
    )
    if not found:
        raise SourceError(f"{name} has no sheet {sheet!r}; its sheets are: {', '.join(there)}.")
    return found


def _sheet_pages(table: list[list[object]], place: str, layout: Layout) -> Iterator[Page]:
    body = layout.header_row + layout.header_rows - 1
    header = table[layout.header_row - 1 : body]
    columns = list(joined([[_as_text(cell) or "" for cell in row] for row in header]))
    while columns and not columns[-1].strip():
        columns.pop()
    if not columns:
        raise SourceError(
            f"{place} has no header on line {layout.header_row}; give sheet and header_row, or the right "
            "file."
        )
    filled = [
        (line, row[: len(columns)])
        for line, row in enumerate(table[body:], body + 1)
        if any(cell not in ("", None) for cell in row)
    ]
    for start in range(0, max(len(filled), 1), PAGE_ROWS):
        part = filled[start : start + PAGE_ROWS]
        rows = [_texts(row, len(columns)) for _, row in part]
        yield Page(tuple(columns), rows, place=place, lines=[line for line, _ in part])


def _texts(row: Sequence[object], width: int) -> list[Cell]:
    """A row of .ods may be shorter than others: what it lacks is empty."""
    return [*map(_as_text, row), *[""] * (width - len(row))]


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
    if isinstance(cell, time):
        return cell.isoformat()
    return str(cell)


def _refuse_too_wide(path: Path, name: str, largest: int) -> None:
    """Another process reads every sheet first, with little memory to do it in.

    The library makes room for the whole rectangle around all cells and ends its process where there is
    none. One cell far away is enough for that, and each form of workbook can say it in many ways.
    """
    command = [sys.executable, "-I", "-c", _TRIAL, str(path), str(largest + TRIAL_BYTES)]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=TRIAL_SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        ended = None
    if ended not in (0, _NO_WORKBOOK):
        raise SourceError(
            f"{name} has a sheet that is too large to be read, though it may be nearly all empty; delete the "
            "cells far away from the table, or save the table as CSV."
        )
