"""The SQL of a checked expression, written so that SQLite and PostgreSQL give the same answer.

Every method gives text that can stand beside any operator. Nothing here decides what is allowed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from metrics import expression_tree as tree
from metrics.expression_tree import Node

Dialect = Literal["sqlite", "postgresql"]

DAY_SUFFIX = "_day"
"""An instant column `c` has its local day in the column `c` + DAY_SUFFIX."""


def write(node: Node, dialect: Dialect, table: str | None = None) -> str:
    """The node as SQL; columns belong to `table` where one is named."""
    writer: _Writer = _SQLite(table) if dialect == "sqlite" else _PostgreSQL(table)
    return writer.write(node)


class _Writer(ABC):
    """What both engines say alike."""

    double: str
    false: str

    def __init__(self, table: str | None) -> None:
        self._prefix = "" if table is None else f"{_name(table)}."
        self._writers: dict[type[Node], Callable[[Any], str]] = {
            tree.Column: self._column,
            tree.Constant: self._constant,
            tree.Connective: self._connective,
            tree.Not: lambda node: f"(NOT {self.write(node.operand)})",
            tree.IsTrue: lambda node: self._leaf(f"{self.write(node.operand)} = 1"),
            tree.Compare: self._compare,
            tree.Between: self._between,
            tree.OneOf: self._one_of,
            tree.Like: lambda node: self._leaf(self.like(self._compared(node.operand), node.pattern)),
            tree.IsNull: lambda node: f"({self.write(node.operand)} IS NULL)",
            tree.Choice: self._choice,
            tree.Coalesce: lambda node: f"coalesce({self._list(node.operands)})",
            tree.Text: self._text,
            tree.AsDouble: lambda node: self._as_double(self.write(node.operand)),
            tree.Bounded: self._bounded,
            tree.Arithmetic: self._arithmetic,
            tree.Elapsed: self._elapsed,
            tree.Microseconds: lambda node: self.microseconds(self.write(node.operand)),
            tree.DaysApart: lambda node: self.days_apart(self.write(node.start), self.write(node.end)),
            tree.Workdays: self._workdays,
        }

    @abstractmethod
    def quoted(self, value: str) -> str:
        """A text literal."""

    @abstractmethod
    def bytewise(self, value: str) -> str:
        """A text as it is compared and lowered: byte by byte, whatever the language of the database."""

    @abstractmethod
    def like(self, value: str, pattern: str) -> str:
        """A test of a text against a pattern in which only % and _ are special, case mattering."""

    @abstractmethod
    def microseconds(self, instant: str) -> str:
        """The whole number of microseconds from 1970 to an instant."""

    @abstractmethod
    def days_apart(self, start: str, end: str) -> str:
        """The whole number of days from one day to another."""

    def write(self, node: Node) -> str:
        return self._writers[type(node)](node)

    def _list(self, nodes: tuple[Node, ...]) -> str:
        return ", ".join(self.write(node) for node in nodes)

    def _leaf(self, test: str) -> str:
        """A test that is false, not unknown, where a value is missing (method 2)."""
        return f"coalesce({test}, {self.false})"

    def _compared(self, node: Node) -> str:
        """The left side of a comparison, which says how texts are compared."""
        value = self.write(node)
        return self.bytewise(value) if node.kind in ("text", "instant", "day") else value

    def _as_double(self, value: str) -> str:
        return f"CAST({value} AS {self.double})"

    def _column(self, node: tree.Column) -> str:
        return self._prefix + _name(node.name + DAY_SUFFIX if node.of_instant else node.name)

    def _constant(self, node: tree.Constant) -> str:
        if node.value is None:
            return "NULL"
        if isinstance(node.value, str):
            return self.quoted(node.value)
        return self._double_constant(Decimal(node.value)) if node.kind == "double" else str(node.value)

    def _double_constant(self, value: Decimal) -> str:
        """A quotient of whole numbers is the nearest double; SQLite's reading of a fraction may not be."""
        places = max(0, -int(value.as_tuple().exponent))
        whole = self._as_double(str(int(value.scaleb(places))))
        return whole if places == 0 else f"({whole} / {self._as_double(str(10**places))})"

    def _connective(self, node: tree.Connective) -> str:
        return "(" + f" {node.word} ".join(self.write(operand) for operand in node.operands) + ")"

    def _compare(self, node: tree.Compare) -> str:
        return self._leaf(f"{self._compared(node.left)} {node.operator} {self.write(node.right)}")

    def _between(self, node: tree.Between) -> str:
        low, high = self.write(node.low), self.write(node.high)
        return self._leaf(f"{self._compared(node.operand)} BETWEEN {low} AND {high}")

    def _one_of(self, node: tree.OneOf) -> str:
        return self._leaf(f"{self._compared(node.operand)} IN ({self._list(node.options)})")

    def _choice(self, node: tree.Choice) -> str:
        branches = [f"WHEN {self.write(test)} THEN {self.write(result)}" for test, result in node.branches]
        return f"(CASE {' '.join(branches)} ELSE {self.write(node.otherwise)} END)"

    def _text(self, node: tree.Text) -> str:
        value = self.write(node.operand)
        return f"lower({self.bytewise(value)})" if node.function == "lower" else f"trim({value})"

    def _bounded(self, node: tree.Bounded) -> str:
        value, most = self.write(node.operand), self._as_double(str(10**tree.LARGEST))
        least = f"{self._as_double('1')} / {most}"
        return (
            f"(CASE WHEN abs({value}) > {most} THEN NULL WHEN abs({value}) < {least}"
            f" THEN {self._as_double('0')} ELSE {value} END)"
        )

    def _arithmetic(self, node: tree.Arithmetic) -> str:
        terms = [self.write(node.first)]
        for operator, term in node.rest:
            value = self.write(term)
            terms.append(f"/ nullif({value}, 0)" if operator == "/" else f"{operator} {value}")
        return f"({' '.join(terms)})"

    def _elapsed(self, node: tree.Elapsed) -> str:
        elapsed = self._as_double(f"{self.write(node.end)} - {self.write(node.start)}")
        return f"({elapsed} / {self._as_double(str(node.unit))})"

    def _workdays(self, node: tree.Workdays) -> str:
        return f"({self._workday(node.end)} - {self._workday(node.start)})"

    def _workday(self, node: Node) -> str:
        """The number of a day. No column of a source has these names, so none is mistaken for ours."""
        return (
            '(SELECT "workdays.number" FROM'
            ' (SELECT "day" AS "workdays.day", "number" AS "workdays.number" FROM workdays) AS "workdays.all"'
            f' WHERE "workdays.day" = {self.write(node)})'
        )


class _SQLite(_Writer):
    double = "REAL"
    false = "0"

    def quoted(self, value: str) -> str:
        return _quoted(value)

    def bytewise(self, value: str) -> str:
        return value

    def like(self, value: str, pattern: str) -> str:
        """SQLite's LIKE takes a for A; its GLOB does not and has other special characters."""
        translated = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
        return f"{value} GLOB {_quoted(''.join(translated.get(letter, letter) for letter in pattern))}"

    def microseconds(self, instant: str) -> str:
        """strftime drops the fraction of a second and julianday rounds it; the text has it whole."""
        seconds = f"CAST(strftime('%s', substr({instant}, 1, 19)) AS INTEGER)"
        return f"({seconds} * 1000000 + CAST(substr({instant}, 21, 6) AS INTEGER))"

    def days_apart(self, start: str, end: str) -> str:
        return f"CAST(julianday({end}) - julianday({start}) AS INTEGER)"


class _PostgreSQL(_Writer):
    double = "DOUBLE PRECISION"
    false = "FALSE"

    def quoted(self, value: str) -> str:
        """An escape string where there is a backslash: it means the same whatever the server's settings."""
        return f"E{_quoted(value)}".replace("\\", "\\\\") if "\\" in value else _quoted(value)

    def bytewise(self, value: str) -> str:
        return f'({value} COLLATE "C")'

    def like(self, value: str, pattern: str) -> str:
        return f"{value} LIKE {self.quoted(pattern)} ESCAPE ''"

    def microseconds(self, instant: str) -> str:
        return f"CAST(extract(epoch FROM CAST({instant} AS TIMESTAMP WITH TIME ZONE)) * 1000000 AS BIGINT)"

    def days_apart(self, start: str, end: str) -> str:
        return f"(CAST({end} AS DATE) - CAST({start} AS DATE))"


def _name(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _quoted(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"
