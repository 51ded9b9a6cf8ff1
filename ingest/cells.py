"""One column of raw text cells becomes texts, numbers or truth values, or a reason why a cell cannot."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.contract import Cell

Value = str | int | float | None

WHOLE_NUMBERS = range(-(2**63), 2**63)

_WHOLE = re.compile(r"([+-]?\d{1,30})(?:\.0*)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}


@dataclass(frozen=True)
class Converted:
    """values has one item per cell, None where the cell is empty or wrong; wrong: {index: reason}.

    days: for a column of instants, the city's day of each value. out_of_order: {index: reason} of times that
    are right by themselves and not beside those of another column.
    """

    values: Sequence[Value]
    wrong: Mapping[int, str] = field(default_factory=dict)
    days: Sequence[Value] = ()
    out_of_order: Mapping[int, str] = field(default_factory=dict)


def text(cells: Sequence[Cell]) -> Converted:
    """Text without surrounding white space; an empty cell is None. Nothing else is interpreted."""
    values = [(cell.strip() or None) if cell else None for cell in cells]
    if _is_storable("".join(filter(None, values))):
        return Converted(values)
    wrong = {
        index: "holds characters that a database cannot keep"
        for index, value in enumerate(values)
        if value and not _is_storable(value)
    }
    return Converted([None if index in wrong else value for index, value in enumerate(values)], wrong)


def integer(cells: Sequence[Cell]) -> Converted:
    """Whole numbers of 64 bits; `12.0` is 12."""
    return each(cells, _integer)


def number(cells: Sequence[Cell]) -> Converted:
    """Finite decimal numbers with a point; no thousands signs, no `nan`."""
    return each(cells, _number)


def boolean(cells: Sequence[Cell]) -> Converted:
    """1 for true, t, yes, y, 1 and 0 for false, f, no, n, 0, in any case."""
    return each(cells, _boolean)


def each(cells: Sequence[Cell], convert: Callable[[str], Value]) -> Converted:
    """Converts each distinct cell once; `convert` raises ValueError with the reason."""
    values: dict[Cell, Value] = {}
    reasons: dict[Cell, str] = {}
    for cell in set(cells):
        stripped = cell.strip() if cell else ""
        try:
            values[cell] = convert(stripped) if stripped else None
        except ValueError as error:
            values[cell], reasons[cell] = None, str(error)
    wrong = {index: reasons[cell] for index, cell in enumerate(cells) if cell in reasons} if reasons else {}
    return Converted([values[cell] for cell in cells], wrong)


def _integer(cell: str) -> int:
    match = _WHOLE.fullmatch(cell)
    if match is None:
        raise ValueError("is not a whole number")
    value = int(match[1])
    if value not in WHOLE_NUMBERS:
        raise ValueError("is a whole number too large to keep")
    return value


def _number(cell: str) -> float:
    value = float(cell) if _DECIMAL.fullmatch(cell) else math.nan
    if not math.isfinite(value):
        raise ValueError("is not a number")
    return value


def _boolean(cell: str) -> int:
    word = cell.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("is neither true nor false")
    return int(word in _TRUE)


def _is_storable(value: str) -> bool:
    """PostgreSQL keeps no NUL, and half of a surrogate pair has no bytes at all."""
    if value.isascii():
        return "\x00" not in value
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in value
