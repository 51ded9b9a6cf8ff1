"""The expression language of the catalogue: short tests and numbers over a source's columns (method 2).

A leaf test is never unknown: where a value is missing it is false, and `not` turns that into true.
Division is always real, and by zero it has no value. An instant written in an expression is in the
city's time; a date alone is the midnight that begins it. Texts are compared byte by byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from metrics import expression_checks, expression_sql, expression_tree, expression_words
from metrics.expression_checks import Type
from metrics.expression_sql import Dialect
from metrics.expression_words import ExpressionError
from metrics.model import ColumnType

__all__ = ["Expression", "ExpressionError", "parse", "to_sql"]

MOST_STACK = 60
"""SQLite's parser has room for 100; the rest is for the statement around the expression."""


@dataclass(frozen=True)
class Expression:
    """A checked expression.

    columns: the names it uses. negated_columns: those under not or <>, whose being empty counts as an
    answer. tree: what it says, every kind known.
    """

    text: str
    type: Type
    columns: frozenset[str]
    negated_columns: frozenset[str]
    tree: expression_tree.Node


def parse(text: str, columns: Mapping[str, ColumnType], zone: ZoneInfo, *, expects: Type) -> Expression:
    """`text` over the columns of a source, checked; `zone` is the city's, for instants written out.

    Raises ExpressionError with the place and the fix for whatever is not in the language, is no column,
    is compared with another type, or is not what is expected.
    """
    try:
        read = expression_words.read(text, columns)
        tree = expression_checks.check(read, text, columns, zone, expects)
        too_deep = expression_tree.stack(tree) > MOST_STACK
    except RecursionError:
        too_deep = True
    if too_deep:
        raise ExpressionError("The expression is nested too deeply", "Write it flatter, or as two metrics.")
    return Expression(
        text, expects, expression_tree.columns(tree), expression_tree.negated_columns(tree), tree
    )


def to_sql(expression: Expression, dialect: Dialect, table: str | None = None) -> str:
    """The SQL of the expression; it can stand beside any operator.

    A test is true or false, never unknown (0 or 1 on SQLite); a number is a double or null. An instant
    column `c` is read with its local day in `c_day`. Columns are named alone, or with `table`, which
    also keeps SQLite from taking an absent column for a text. Hand the SQL to SQLAlchemy as
    `literal_column`: its `text` would read a colon in a literal as a parameter.
    """
    return expression_sql.write(expression.tree, dialect, table)
