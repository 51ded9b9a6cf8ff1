"""Tables in workbooks (.xlsx, .xlsm, .xls, .ods) as pages of text cells."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path
from typing import IO, cast

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, load_workbook

from ingest.contract import LARGEST_FILE, PAGE_ROWS, Cell, Page, SourceError
from ingest.sources.headers import Layout, joined
from ingest.sources.packed import check_members

CELL_BYTES = 32
"""What the library needs for each cell of the rectangle around all cells, empty ones included."""

_PIECE = 1 << 20
_CELL = re.compile(rb'<c[^>]*? r="([A-Z]{1,3})([0-9]{1,7})"')
_LONGEST_CELL = 200
_SHEET = "xl/worksheets/"


def workbook_pages(path: Path, name: str, layout: Layout, largest: int = LARGEST_FILE) -> Iterator[Page]:
    """The wanted sheets of a workbook, one after the other; SourceError before the first row of a sheet."""
    if zipfile.is_zipfile(path):
        check_members(path, name, largest)
        _refuse_far_cells(path, name, largest)
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


def _refuse_far_cells(path: Path, name: str, largest: int) -> None:
    """The library makes room for the whole rectangle: one cell far away would end the process."""
    with zipfile.ZipFile(path) as packed:
        for member in packed.namelist():
            if member.startswith(_SHEET):
                with packed.open(member) as file:
                    width, height = _extent(file)
                if width * height * CELL_BYTES > largest:
                    raise SourceError(
                        f"{name} has a sheet of {height} lines and {width} columns, nearly all empty; delete "
                        "the cells far away from the table, or save the table as CSV."
                    )


def _extent(file: IO[bytes]) -> tuple[int, int]:
    """The last column and the last line that a sheet's XML names."""
    width = height = 0
    rest = b""
    while piece := file.read(_PIECE):
        text = rest + piece
        found = _CELL.findall(text)
        width = max([width, *map(_number, {letters for letters, _ in found})])
        height = max([height, *map(int, {line for _, line in found})])
        rest = text[-_LONGEST_CELL:]
    return width, height


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
