"""Which metrics are about closing cases, and from when to when such a case waits: read from the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from metrics import expression_sql
from metrics import expression_tree as tree
from metrics.expression_checks import Type
from metrics.expression_sql import Dialect
from metrics.expressions import parse
from metrics.model import Catalogue, Column, Metric, Source


class WaitUnit(StrEnum):
    """What a wait is counted in."""

    HOURS = "hours"
    DAYS = "days"
    WORKDAYS = "workdays"


UNIT_MICROSECONDS = {WaitUnit.HOURS: 3_600_000_000, WaitUnit.DAYS: 86_400_000_000}


@dataclass(frozen=True)
class Closure:
    """A case of a closure metric waits from one instant column to another, in a unit."""

    opened: str
    closed: str
    unit: WaitUnit


@dataclass(frozen=True)
class Deadline:
    """A case of an on-time metric is to be closed by a planned instant."""

    closed: str
    due: str


def closure(catalogue: Catalogue, metric: Metric) -> Closure | None:
    """The two instants a metric's cases wait between; None for a metric that is not about closing.

    It is one where its value is hours_between, days_between or workdays_between(opened, closed), or where
    its numerator asks for closed <= due, due being planned: the wait then begins at the column that `closed`
    may not lie before, else at the source's arrival. Minutes are a response, which leaves no backlog.
    """
    source = catalogue.sources[metric.source]
    if metric.value:
        return _of_value(source, _tree(catalogue, metric, metric.value, "number"))
    if metric.numerator and not metric.denominator:
        return _of_numerator(source, _tree(catalogue, metric, metric.numerator, "test"))
    return None


def deadline(catalogue: Catalogue, metric: Metric) -> Deadline | None:
    """The two instants an on-time metric compares; None where no numerator asks for closed <= due.

    A due date that is a day has no hour to be closed in.
    """
    source = catalogue.sources[metric.source]
    if not metric.numerator or metric.denominator:
        return None
    for part in tree.conjuncts(_tree(catalogue, metric, metric.numerator, "test")):
        compared = _closed_by(source, part)
        if compared is not None and compared[1].type == "instant":
            return Deadline(compared[0].name, compared[1].name)
    return None


def population(catalogue: Catalogue, metric: Metric, found: Closure, dialect: Dialect) -> str:
    """SQL that is true for a closure metric's cases, open ones too.

    It is `where` without what it says of the case being closed already, and not `exclude`.
    """
    clauses = []
    if metric.where:
        for part in tree.conjuncts(_tree(catalogue, metric, metric.where, "test")):
            if not _asks_for_closed(part, found.closed):
                clauses.append(expression_sql.write(part, dialect))
    if metric.exclude:
        excluded = expression_sql.write(_tree(catalogue, metric, metric.exclude, "test"), dialect)
        clauses.append(f"NOT ({excluded})")
    return " AND ".join(f"({clause})" for clause in clauses) or "1=1"


def wait(catalogue: Catalogue, metric: Metric, found: Closure, dialect: Dialect) -> str:
    """SQL of how long a closed case waited, in the unit of the closure; null for an open one."""
    words = f"{found.unit}_between({found.opened}, {found.closed})"
    return expression_sql.write(_tree(catalogue, metric, words, "number"), dialect)


def _tree(catalogue: Catalogue, metric: Metric, words: str, expects: Type) -> tree.Node:
    columns = {column.name: column.type for column in catalogue.sources[metric.source].columns}
    return parse(words, columns, ZoneInfo(catalogue.city.time_zone), expects=expects).tree


def _of_value(source: Source, node: tree.Node) -> Closure | None:
    """Of the shortest way to say it alone: a sum or a case of waits is not one wait."""
    units = {length: unit for unit, length in UNIT_MICROSECONDS.items()}
    if isinstance(node, tree.Elapsed) and node.unit in units:
        unit = units[node.unit]
    elif isinstance(node, tree.AsDouble) and isinstance(node.operand, tree.Workdays):
        node, unit = node.operand, WaitUnit.WORKDAYS
    elif isinstance(node, tree.Workdays):
        unit = WaitUnit.WORKDAYS
    else:
        return None
    opened, closed = (_happened(source, part) for part in (node.start, node.end))
    return Closure(opened.name, closed.name, unit) if opened and closed else None


def _of_numerator(source: Source, node: tree.Node) -> Closure | None:
    for part in tree.conjuncts(node):
        compared = _closed_by(source, part)
        if compared is None:
            continue
        closed = compared[0]
        opened = closed.not_before or source.arrival
        if opened and opened != closed.name and source.column(opened).type == "instant":
            return Closure(opened, closed.name, WaitUnit.DAYS)
    return None


def _closed_by(source: Source, node: tree.Node) -> tuple[Column, Column] | None:
    """The columns of a test `closed <= due`, due being planned; None for any other test."""
    if not (isinstance(node, tree.Compare) and node.operator in ("<", "<=")):
        return None
    closed, due = _happened(source, node.left), _column(source, node.right)
    return (closed, due) if closed and due and due.planned else None


def _asks_for_closed(node: tree.Node, closed: str) -> bool:
    """Whether a test says `closed is not null` and no more."""
    if not (isinstance(node, tree.Not) and isinstance(node.operand, tree.IsNull)):
        return False
    return isinstance(node.operand.operand, tree.Column) and node.operand.operand.name == closed


def _happened(source: Source, node: tree.Node) -> Column | None:
    """The instant column of things that have happened that a node reads; None for anything else."""
    column = _column(source, node)
    return column if column and column.type == "instant" and not column.planned else None


def _column(source: Source, node: tree.Node) -> Column | None:
    inner = node.operand if isinstance(node, tree.Microseconds) else node
    return source.column(inner.name) if isinstance(inner, tree.Column) else None
