"""Approved targets written back into the text of a metric's file, whose every other line stays as it was."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from metrics.catalogue import CatalogueError
from metrics.catalogue_shapes import Mistake, error
from metrics.model import Approved, Target, Withdrawn

HEADER = re.compile(r"\s*\[\[\s*target\s*\]\]\s*(#.*)?")
ANY_HEADER = re.compile(r"\s*\[[^\[\],=]+\]\s*(#.*)?|\s*\[\[[^\[\],=]+\]\]\s*(#.*)?")
LINE = re.compile(r"[^\n]*\n|[^\n]+")
BESIDE = re.compile(r"\s*(#.*)?")
"""A line that says nothing to a program."""

Table = dict[str, Any]


def exported(file: str, text: str, rows: Sequence[Approved]) -> str:
    """The text of a metric's file with its approved targets in it, each as a [[target]].

    A target of a day that the file has takes the place of that one, a new one stands below the last, a
    withdrawn one is gone with its block; comments above a block and on lines of their own inside one that
    stays are kept. Line ends are the file's. What is written is read again: raises CatalogueError where
    it would not say what was approved, with the block to write by hand.
    """
    said = text
    for row in rows:
        said = _with(said, row)
    if _read(said) != _wanted(tomllib.loads(text), rows):
        raise CatalogueError([_by_hand(file, rows)])
    return said


def block(target: Target, newline: str = "\n") -> str:
    """A target as the lines of a metric's file."""
    return newline.join(["[[target]]", *_words(target)]) + newline


# --- the lines ----------------------------------------------------------------------------------


def _with(text: str, row: Approved) -> str:
    """The text with one row more; unchanged where the place of its block cannot be told."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = LINE.findall(text)
    blocks = _blocks(lines)
    days = [_day(one) for one in _targets(_read(text))]
    if len(blocks) != len(days):
        return text
    at = days.index(str(row.valid_from)) if str(row.valid_from) in days else None
    if at is None:
        return _appended(lines, blocks, row, newline) if isinstance(row, Target) else text
    start, end = blocks[at]
    if isinstance(row, Withdrawn):
        return "".join(_closed_up(lines[:start], lines[end:]))
    kept = [line for line in lines[start + 1 : end] if BESIDE.fullmatch(line.rstrip("\r\n"))]
    said = [word + newline for word in _words(row)]
    return "".join([*lines[: start + 1], *kept, *said, *lines[end:]])


def _blocks(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Where each [[target]] begins and its last word ends: what follows belongs to what comes below."""
    headers = [number for number, line in enumerate(lines) if ANY_HEADER.fullmatch(line.rstrip("\r\n"))]
    found = []
    for start, end in pairwise([*headers, len(lines)]):
        if HEADER.fullmatch(lines[start].rstrip("\r\n")):
            words = [n for n in range(start, end) if not BESIDE.fullmatch(lines[n].rstrip("\r\n"))]
            found.append((start, words[-1] + 1))
    return found


def _appended(lines: Sequence[str], blocks: Sequence[tuple[int, int]], row: Target, newline: str) -> str:
    """Below the last target; below everything where there is none yet."""
    at = blocks[-1][1] if blocks else len(lines)
    above, below = "".join(lines[:at]), "".join(lines[at:])
    ended = above if above.endswith("\n") or not above else above + newline
    return f"{ended}{newline}{block(row, newline)}{below}"


def _closed_up(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """What stands above and below a block that is gone, with one empty line less between them."""
    is_empty = bool(above) and not above[-1].strip()
    return [*above[: len(above) - 1 if is_empty else None], *below]


def _words(target: Target) -> list[str]:
    said = {"value": _number(target.value), "valid_from": str(target.valid_from)}
    if target.floor is not None:
        said["floor"] = _number(target.floor)
    said |= {"reason": _quoted(target.reason), "approved_by": _quoted(target.approved_by)}
    return [f"{word} = {value}" for word, value in said.items()]


def _number(bound: float | tuple[float, float]) -> str:
    if isinstance(bound, tuple):
        return f"[{bound[0]!r}, {bound[1]!r}]"
    return repr(bound)


def _quoted(text: str) -> str:
    """A basic string of TOML, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


# --- what it says -------------------------------------------------------------------------------


def _read(text: str) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _targets(table: Table) -> list[Table]:
    found = table.get("target", [])
    return found if isinstance(found, list) else []


def _day(target: Table) -> str:
    return str(target.get("valid_from"))


def _wanted(table: Table, rows: Iterable[Approved]) -> Table:
    """What the file must say afterwards, in the order of its blocks."""
    targets = list(_targets(table))
    for row in rows:
        days = [_day(one) for one in targets]
        at = days.index(str(row.valid_from)) if str(row.valid_from) in days else None
        said = [_table(row)] if isinstance(row, Target) else []
        if at is not None:
            targets[at : at + 1] = said
        else:
            targets += said
    rest = {word: value for word, value in table.items() if word != "target"}
    return rest | ({"target": targets} if targets else {})


def _table(target: Target) -> Table:
    said = {word: value for word, value in asdict(target).items() if value is not None}
    return {word: list(value) if isinstance(value, tuple) else value for word, value in said.items()}


def _by_hand(file: str, rows: Iterable[Approved]) -> Mistake:
    said = "; ".join(
        ", ".join(_words(row)) if isinstance(row, Target) else f"none from {row.valid_from}" for row in rows
    )
    message = "its targets are not written as [[target]] tables, so none can be put among them."
    return error("target", message, f"Write them by hand: {said}.", file)
