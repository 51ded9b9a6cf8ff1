"""Rules that would let refused rows in: for a reason of refusal, the lines to add to the source's file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from metrics.model import Column, Source

_PATTERNS = (
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AaPp][Mm]"), "%m/%d/%Y %I:%M:%S %p"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d [AaPp][Mm]"), "%m/%d/%Y %I:%M %p"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d"), "%m/%d/%Y %H:%M:%S"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d"), "%m/%d/%Y %H:%M"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4}"), "%m/%d/%Y"),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d\d"), "%d.%m.%Y %H:%M"),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"), "%d.%m.%Y"),
)
"""Ways of writing a time that can be told from one: month before day where there are slashes."""

_TIMES = ("instant", "day")
_UNLIKE = ("is not a", "is neither true nor false", "is a date or time that does not exist")
_UNBELIEVED = (
    "is less than",
    "is more than",
    "is before",
    "is after",
    "is within",
    "is outside the years",
    "lies more than",
)
_AT_ITS_SOURCE = ("is the key", "cells where the header", "more or fewer cells", "key stands again")


@dataclass(frozen=True)
class Fix:
    """A rule that lets rows in, as lines under the heading of a column. means: what it does, a word of ours.

    means: format, empty, value, keep, unfit or optional (`layouts.formats.sources`).
    """

    means: str
    column: str
    lines: tuple[str, ...]

    @property
    def toml(self) -> str:
        """The lines with their heading."""
        return "\n".join((f"[columns.{self.column}]", *self.lines))


def fixes(source: Source, column: str | None, rule: str, values: Sequence[str]) -> list[Fix]:
    """The rules to choose from, the likeliest first; [] where only the source itself can mend the rows.

    values: what stands in the refused cells, the most frequent first.
    """
    found = next((one for one in source.columns if one.name == column), None)
    if found is None or any(part in rule for part in _AT_ITS_SOURCE):
        return []
    return [Fix(means, found.name, lines) for means, lines in _lines(found, rule, values)]


def _lines(column: Column, rule: str, values: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    if "is empty, and it is required" in rule:
        return [("optional", ("required = false",))]
    if "none of the values" in rule:
        return [("value", (_value_map(column, values),)), ("keep", ('others = "keep"',))]
    if rule.startswith(_UNLIKE):
        return [*_formats(column, values), ("empty", (_empty(column, values),)), _unfit()]
    if rule.startswith(_UNBELIEVED):
        return [_unfit()]
    return []


def _unfit() -> tuple[str, tuple[str, ...]]:
    return "unfit", ('unfit = "empty"',)


def _formats(column: Column, values: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Another way of writing times, where the cells show one."""
    if column.type not in _TIMES:
        return []
    told = [
        next((words for shape, words in _PATTERNS if shape.fullmatch(one.strip())), None) for one in values
    ]
    seen = [one for one in dict.fromkeys(told) if one is not None and one not in column.formats]
    if not seen:
        return []
    return [("format", (f"format = {_list([*column.formats, *seen])}",))]


def _empty(column: Column, values: Sequence[str]) -> str:
    return f"empty = {_list(dict.fromkeys([*column.empty, *(one.strip() for one in values)]))}"


def _value_map(column: Column, values: Sequence[str]) -> str:
    known = {**column.values, **{one.strip(): "…" for one in values}}
    inside = ", ".join(f"{_text(word)} = {_text(value)}" for word, value in known.items())
    return f"values = {{ {inside} }}"


def _list(words: object) -> str:
    assert isinstance(words, list | dict), "what keeps an order"
    return f"[{', '.join(map(_text, words))}]"


def _text(word: str) -> str:
    """A text as TOML writes it; signs that cannot be seen, or turn the words around them, as numbers."""
    quoted = json.dumps(word, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)
