"""Lines of a CSV file that no spreadsheet calculates."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = re.compile(r"[=+\-@\t\r\n]")


def csv_line(cells: Iterable[str | float | None]) -> str:
    """One line of a file; a text that a spreadsheet would calculate begins with an apostrophe."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(map(_harmless, cells))
    return text.getvalue()


def _harmless(cell: str | float | None) -> str | float | None:
    """Text that no spreadsheet calculates: whoever wrote it must not run on another's machine."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
