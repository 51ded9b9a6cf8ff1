"""Values beside each other become one type: texts that mean instants or days, whole and real numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NoReturn
from zoneinfo import ZoneInfo

from sqlglot import exp

from metrics import expression_tree as tree
from metrics.expression_tree import Kind, Node
from metrics.expression_words import ExpressionError, place

SAID: Mapping[str, str] = {
    "test": "a test",
    "boolean": "true or false",
    "integer": "a number",
    "double": "a number",
    "number": "a number",
    "text": "text",
    "instant": "an instant",
    "day": "a day",
    "null": "null",
}
NUMBERS = ("integer", "double")

_LONGEST_QUOTE = 60
_MOST_DIGITS = 15
_LARGEST_INTEGER = 2**63 - 1
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})( \d{2}:\d{2}(:\d{2})?)?", re.ASCII)
_MOMENT_FORM = "Write 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM', in the city's time."
_DAY_FORM = "Write 'YYYY-MM-DD'."


@dataclass(frozen=True)
class Reading:
    """What is being read: the text and the city's zone."""

    text: str
    zone: ZoneInfo

    def refuse(self, node: exp.Expr, what: str, fix: str) -> NoReturn:
        """Raises ExpressionError at the first word of the node, or of what is around it."""
        span = _span(node)
        while span is None and node.parent is not None:
            node = node.parent
            span = _span(node)
        raise ExpressionError(what, fix, place(self.text, span[0]) if span else None)

    def quote(self, node: exp.Expr) -> str:
        """The words of the node as they were written, or sqlglot's name of it where they are not known."""
        span = _span(node)
        return self.text[span[0] : span[1] + 1][:_LONGEST_QUOTE] if span else type(node).__name__.lower()

    def literal(self, node: exp.Expr) -> tree.Constant:
        """A text or a number written out."""
        text = node.name
        if not node.is_string:
            return self._number(node, text)
        if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text):
            self.refuse(node, "The text has a character that no database keeps", "Leave it out.")
        return tree.Constant("text", text)

    def alike(self, nodes: Sequence[exp.Expr], values: Sequence[Node]) -> list[Node]:
        """The values as one type; texts written out become instants or days beside such columns."""
        kinds = {value.kind for value in values}
        for moment in ("instant", "day"):
            if moment in kinds:
                values = [
                    self._as_moment(node, value, moment) for node, value in zip(nodes, values, strict=True)
                ]
        if not all(value.kind in NUMBERS for value in values):
            self._check_same(nodes, values)
            return list(values)
        return [as_double(value) for value in values] if "double" in kinds else list(values)

    def moment(self, node: exp.Expr, value: Node) -> Node:
        """The value, an instant where it is a text written out."""
        return self._as_moment(node, value, "instant")

    def _number(self, node: exp.Expr, text: str) -> tree.Constant:
        whole, point, places = text.partition(".")
        if not point:
            if len(whole.lstrip("0")) > len(str(_LARGEST_INTEGER)) or int(whole) > _LARGEST_INTEGER:
                self.refuse(node, "The number is too large", f"The largest whole one is {_LARGEST_INTEGER}.")
            return tree.Constant("integer", int(whole))
        if len((whole + places).lstrip("0")) > _MOST_DIGITS or len(places) > _MOST_DIGITS:
            self.refuse(node, "The number has too many digits", f"Give at most {_MOST_DIGITS}.")
        return tree.Constant("double", Decimal(text))

    def _as_moment(self, node: exp.Expr, value: Node, kind: Kind) -> Node:
        if not (isinstance(value, tree.Constant) and value.kind == "text"):
            return value
        return self._day(node, str(value.value)) if kind == "day" else self._instant(node, str(value.value))

    def _check_same(self, nodes: Sequence[exp.Expr], values: Sequence[Node]) -> None:
        first = values[0]
        for node, value in zip(nodes, values, strict=True):
            if value.kind != first.kind and not (value.kind in NUMBERS and first.kind in NUMBERS):
                what = f"{_sentence(SAID[first.kind])} and {SAID[value.kind]} cannot stand beside each other"
                self.refuse(node, what, _fix_for({first.kind, value.kind}))

    def _day(self, node: exp.Expr, text: str) -> Node:
        try:
            if _MOMENT.fullmatch(text) and len(text) == len("YYYY-MM-DD"):
                return tree.Constant("day", date.fromisoformat(text).isoformat())
        except ValueError:
            pass
        return self.refuse(node, f"'{text[:_LONGEST_QUOTE]}' is not a day", _DAY_FORM)

    def _instant(self, node: exp.Expr, text: str) -> Node:
        """The instant of a local time; of a time the clocks show twice, the first."""
        try:
            match = _MOMENT.fullmatch(text)
            local = datetime.fromisoformat(text).replace(tzinfo=self.zone) if match else None
            instant = local.astimezone(UTC) if local else None
        except (ValueError, OverflowError):
            match = local = instant = None
        if match is None or local is None or instant is None:
            self.refuse(node, f"'{text[:_LONGEST_QUOTE]}' is not an instant", _MOMENT_FORM)
        if match[2] and instant.astimezone(self.zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            self.refuse(node, f"The clocks of {self.zone.key} skip '{text}'", "Write a time that exists.")
        stored = instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        return tree.Constant("instant", stored, match[1])


def as_double(value: Node) -> Node:
    """A number as a real one."""
    if value.kind == "double":
        return value
    return (
        tree.Constant("double", value.value)
        if isinstance(value, tree.Constant)
        else tree.AsDouble("double", value)
    )


def as_operand(value: Node) -> Node:
    """A number as arithmetic takes it: real, and of a size that overflows on neither engine."""
    return tree.bounded(as_double(value))


def as_test(value: Node) -> Node:
    """A boolean or null as a test: empty is not true."""
    if value.kind == "test":
        return value
    return tree.IsTrue("test", tree.Constant("boolean", 0) if value.kind == "null" else value)


def _span(node: exp.Expr) -> tuple[int, int] | None:
    """Offsets of the first and the last letter whose places sqlglot kept."""
    known = [part.meta for part in node.walk() if "start" in part.meta]
    return (min(meta["start"] for meta in known), max(meta["end"] for meta in known)) if known else None


def _fix_for(kinds: set[Kind]) -> str:
    if kinds == {"instant", "day"}:
        return "Compare instants with instants and days with days."
    if "text" in kinds and kinds & {"integer", "double"}:
        return "Write numbers without quotes and texts in single quotes."
    if "boolean" in kinds:
        return "A column of true and false is a test by itself, or is compared with true or false."
    return "Compare columns and literals of one type."


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
