"""What a source declares of its cells: what means nothing, other spellings, zeros, what is believed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from ingest.cells import Converted, Value
from ingest.contract import Cell
from metrics.model import Column

NOT_AMONG_VALUES = "is none of the values declared"

_DIGITS = re.compile(r"(\d+)(?:\.0+)?(-\d+)?", re.ASCII)


@dataclass(frozen=True)
class Cleaned:
    """The cells of a column as they are typed; wrong: {index: reason} of cells that must not be kept."""

    cells: Sequence[Cell]
    wrong: Mapping[int, str]


def cleaned(cells: Sequence[Cell], column: Column) -> Cleaned:
    """The cells after the column's `empty`, `values`, `others` and `pad`, each distinct one looked at once.

    Case and outer white space do not tell two spellings apart.
    """
    if not (column.empty or column.values or column.pad):
        return Cleaned(cells, {})
    empty, words, results = _folded(column.empty), _words(column), _results(column)
    clean = partial(_clean, column=column, empty=empty, words=words, results=results)
    answers: dict[Cell, tuple[Cell, bool]] = {cell: clean(cell) for cell in set(cells)}
    wrong = {index: NOT_AMONG_VALUES for index, cell in enumerate(cells) if answers[cell][1]}
    return Cleaned([answers[cell][0] for cell in cells], wrong)


def padded(cell: str, digits: int) -> str:
    """A number written in a text, with zeros before it up to so many digits; anything else as it is.

    `2125` becomes `02125`, and so does `2125.0` of a program that took it for an amount.
    """
    match = _DIGITS.fullmatch(cell)
    return f"{match[1].zfill(digits)}{match[2] or ''}" if match else cell


def unbelievable(converted: Converted, column: Column, today: date | None) -> dict[int, str]:
    """{index: reason} of the values outside of what the column believes.

    today: the day of the run; None where nothing is said of how far ahead one may lie.
    """
    if column.type in ("instant", "day"):
        days = converted.days or converted.values
        return dict(_outside(days, _day_tests(column, today)))
    if column.type in ("integer", "number"):
        return dict(_outside(converted.values, list(_number_tests(column))))
    return {}


def emptied(converted: Converted, indexes: Mapping[int, str]) -> Converted:
    """The same without the values at these indexes."""
    return Converted(
        _without(converted.values, indexes),
        {index: reason for index, reason in converted.wrong.items() if index not in indexes},
        days=_without(converted.days, indexes) if converted.days else (),
    )


_Test = tuple[Callable[[Value], bool], str]


def _clean(
    cell: Cell, column: Column, empty: frozenset[str], words: Mapping[str, str], results: frozenset[str]
) -> tuple[Cell, bool]:
    """What a cell becomes, and whether it is wrong."""
    stripped = (cell or "").strip()
    if not stripped or stripped.casefold() in empty:
        return None, False
    word = words.get(stripped.casefold(), stripped).strip()
    if column.pad:
        word = padded(word, column.pad)
    if column.values and column.type != "district" and column.others != "keep":
        known = stripped.casefold() in words or word.casefold() in results
        if not known:
            return None, column.others == "refuse"
    return word or None, False


def _words(column: Column) -> dict[str, str]:
    return {word.strip().casefold(): value for word, value in column.values.items()}


def _results(column: Column) -> frozenset[str]:
    values = map(str.strip, column.values.values())
    return _folded([padded(value, column.pad) if column.pad else value for value in values])


def _folded(words: Sequence[str]) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in words)


def _number_tests(column: Column) -> Iterator[_Test]:
    least, most = column.min, column.max
    if least is not None:
        yield lambda value: float(value or 0) < least, f"is less than {least:.15g}"
    if most is not None:
        yield lambda value: float(value or 0) > most, f"is more than {most:.15g}"


def _day_tests(column: Column, today: date | None) -> list[_Test]:
    """Days are texts that sort as they count."""
    tests: list[_Test] = []
    if column.earliest is not None:
        first = column.earliest.isoformat()
        tests.append((lambda day: str(day) < first, f"is before {first}"))
    if column.latest is not None:
        last = column.latest.isoformat()
        tests.append((lambda day: str(day) > last, f"is after {last}"))
    if column.ahead_days is not None and today is not None:
        farthest = (today + timedelta(days=column.ahead_days)).isoformat()
        reason = f"lies more than {column.ahead_days} days ahead"
        tests.append((lambda day: str(day) > farthest, reason))
    return tests


def _outside(values: Sequence[Value], tests: Sequence[_Test]) -> Iterator[tuple[int, str]]:
    for is_outside, reason in reversed(tests):
        for index, value in enumerate(values):
            if value is not None and is_outside(value):
                yield index, reason


def _without(values: Sequence[Value], indexes: Mapping[int, str]) -> list[Value]:
    return [None if index in indexes else value for index, value in enumerate(values)]
