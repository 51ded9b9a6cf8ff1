"""Computed columns: expressions run over the staged rows, and rows that they make unfit leave the stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Table, delete, select, text, update

from metrics import derived
from metrics.expression_sql import DAY_SUFFIX, Dialect
from metrics.expressions import Expression, to_sql
from metrics.model import Column, Source


@dataclass(frozen=True)
class Unfit:
    """A row that left the stage for a computed value: its place in the stage from 1, and why.

    row is in the order of `stage_columns`.
    """

    order: int
    column: str
    value: str
    reason: str
    row: tuple[Any, ...]


@dataclass(frozen=True)
class Computing:
    """What computing left out: rows, and how many cells were emptied by (column, reason)."""

    unfit: tuple[Unfit, ...] = ()
    emptied: tuple[tuple[tuple[str, str], int], ...] = ()


def compute(connection: Connection, source: Source, stage: Table, zone: ZoneInfo) -> Computing:
    """Fills the computed columns of every staged row, inside the caller's transaction.

    Each is computed from columns that are read, so their order does not matter. A value outside of
    `min` and `max` is emptied or takes its row out of the stage, as the column says.
    """
    columns = derived.computed(source)
    if not columns:
        return Computing()
    written = dict(
        one
        for column in columns
        for one in _assignments(source, column, zone, cast(Dialect, connection.dialect.name))
    )
    settings = ", ".join(f"{_quoted(name)} = {sql}" for name, sql in written.items())
    connection.execute(text(f"UPDATE {stage.name} SET {settings}"))
    unfit: list[Unfit] = []
    emptied: list[tuple[tuple[str, str], int]] = []
    for column in columns:
        for reason, outside in _outside(column, stage):
            if column.unfit == "empty":
                done = connection.execute(update(stage).where(outside).values({column.name: None})).rowcount
                emptied += [((column.name, reason), done)] if done else []
            else:
                unfit += _taken_out(connection, stage, column, reason, outside)
    return Computing(tuple(sorted(unfit, key=lambda one: one.order)), tuple(emptied))


def _assignments(
    source: Source, column: Column, zone: ZoneInfo, dialect: Dialect
) -> Iterator[tuple[str, str]]:
    """The columns of the stage that a computed one fills, and with what."""
    expression = derived.expression(source, column, zone)
    if column.type == "boolean":
        yield column.name, f"CASE WHEN {_sql(expression, dialect)} THEN 1 ELSE 0 END"
        return
    yield column.name, _sql(expression, dialect)
    if column.type == "instant":
        yield column.name + DAY_SUFFIX, _sql(derived.day_of(expression), dialect)


def _sql(expression: Expression, dialect: Dialect) -> str:
    return to_sql(expression, dialect).replace(":", "\\:")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _outside(column: Column, stage: Table) -> Iterator[tuple[str, ColumnElement[bool]]]:
    value = stage.c[column.name]
    if column.min is not None:
        yield f"is less than {column.min:.15g}", value < column.min
    if column.max is not None:
        yield f"is more than {column.max:.15g}", value > column.max


def _taken_out(
    connection: Connection, stage: Table, column: Column, reason: str, outside: ColumnElement[bool]
) -> list[Unfit]:
    at = 1 + [one.name for one in stage.c][1:].index(column.name)
    rows = connection.execute(select(stage).where(outside)).all()
    connection.execute(delete(stage).where(outside))
    return [Unfit(row[0], column.name, str(row[at]), reason, tuple(row[1:])) for row in rows]
