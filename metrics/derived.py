"""Columns of a source that are computed from the others of their row, in the expression language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from metrics import expression_tree, expressions
from metrics.expression_checks import Type
from metrics.expressions import Expression
from metrics.model import Column, ColumnType, Source

EXPECTS: Mapping[ColumnType, Type] = {
    "text": "text",
    "number": "number",
    "boolean": "test",
    "instant": "instant",
    "day": "day",
}
"""The types a computed column may have, and what its expression must give."""


def computed(source: Source) -> tuple[Column, ...]:
    """The columns of a source that are computed and not read."""
    return tuple(column for column in source.columns if column.expression is not None)


def expression(source: Source, column: Column, zone: ZoneInfo) -> Expression:
    """What a column is computed by, over the columns that are read; ExpressionError where it cannot be."""
    read = {one.name: one.type for one in source.columns if one.expression is None}
    return expressions.parse(column.expression or "", read, zone, expects=EXPECTS[column.type])


def day_of(instant: Expression) -> Expression:
    """The city's day of an instant that is computed."""
    return replace(instant, type="day", tree=expression_tree.local_day(instant.tree))
