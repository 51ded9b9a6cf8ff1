"""How a table lies in its file: where its header is, what ends it, and which of its rows are no records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from ingest.contract import Cell, Page


@dataclass(frozen=True)
class Layout:
    """How a table lies in its file. delimiter None: found by itself; sheet None: the first.

    header_rows: how many lines the header has, where merged cells stand above others. sheet may be a
    pattern, then of several sheets. member: which files inside a zip file, None where there is one only.
    """

    encoding: str = "auto"
    delimiter: str | None = None
    header_row: int = 1
    header_rows: int = 1
    sheet: str | None = None
    member: str | None = None


def joined(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One name for each column from the lines of a header, joined by a space.

    A cell merged over several columns has its text in the first of them: it counts for the empty ones to
    its right. One with nothing below it is merged downwards and counts for itself only.
    """
    if len(rows) == 1:
        return tuple(rows[0])
    width = max(map(len, rows), default=0)
    lines = [[*row, *[""] * (width - len(row))] for row in rows]
    for number, line in enumerate(lines[:-1]):
        _spread(line, lines[number + 1 :])
    return tuple(
        " ".join(cell.strip() for cell in column if cell.strip()) for column in zip(*lines, strict=True)
    )


def _spread(line: list[str], below: Sequence[Sequence[str]]) -> None:
    over = ""
    for index, cell in enumerate(line):
        if cell.strip():
            over = cell if any(row[index].strip() for row in below) else ""
        else:
            line[index] = over


@dataclass
class Trim:
    """Takes from tables the rows that are no records.

    end_at: a table ends before the first row whose first filled cell is like this. leave_out: rows whose
    first filled cell is like this are passed over. Patterns, in any case. left_out counts both.
    """

    end_at: str | None = None
    leave_out: str | None = None
    left_out: int = 0
    _ended: set[str] = field(default_factory=set)

    def pages(self, pages: Iterable[Page]) -> Iterator[Page]:
        """The pages without those rows, as they come; places tell tables apart."""
        if self.end_at is None and self.leave_out is None:
            yield from pages
            return
        for page in pages:
            yield self._page(page)

    def notes(self) -> list[str]:
        """What was passed over, in a sentence; [] where nothing was."""
        return [f"{self.left_out} rows that are no records were passed over"] if self.left_out else []

    def _page(self, page: Page) -> Page:
        lines = page.all_lines()
        end = next((index for index, row in enumerate(page.rows) if _is_like(row, self.end_at)), None)
        if page.place in self._ended:
            end = 0
        elif end is not None:
            self._ended.add(page.place)
        kept = [i for i, row in enumerate(page.rows[:end]) if not _is_like(row, self.leave_out)]
        self.left_out += len(page.rows) - len(kept)
        last = None if end is None else lines[end] if end < len(lines) else 0
        return replace(
            page,
            rows=[page.rows[i] for i in kept],
            lines=[lines[i] for i in kept],
            unreadable=[one for one in page.unreadable if last is None or one.line < last],
        )


def _is_like(row: Sequence[Cell], pattern: str | None) -> bool:
    if pattern is None:
        return False
    first = next((cell.strip() for cell in row if cell and cell.strip()), "")
    return fnmatchcase(first.casefold(), pattern.casefold())
