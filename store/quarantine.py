"""The rows that were refused: kept whole until a later reading or a replay has an answer for them.

A row is open while nothing newer is known of what it says. It leaves with the run that accepted or
refused its key again, that read its source or, where it shows no key, its file anew, or that replayed it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from store import schema
from store.engine import Writing

OPEN_AT_MOST = 50_000
"""So many open rows a source has; the oldest are let go first."""

NOT_AGAIN = ("broken", "repeated")
"""Forms in which a row is not read again."""

_AT_ONCE = 500

_quarantine = schema.quarantine

Form = Literal["received", "typed", "broken", "repeated"]
"""received: cells as received. typed: values as records would have them. broken: the row did not fall into
cells. repeated: its key stood again in the same reading, and that row was taken."""


@dataclass(frozen=True)
class QuarantinedRow:
    """A refused row: where it stood, what was wrong with which cell, and its fields.

    line, key, column and value are None where there is none to name. place is the file or address, rule
    the reason without what differs from row to row. id, run and recorded_at are the store's own.
    """

    line: int | None
    key: str | None
    column: str | None
    value: str | None
    reason: str
    row: Mapping[str, Any]
    place: str = ""
    rule: str = ""
    form: Form = "received"
    id: int | None = None
    run: int | None = None
    recorded_at: str = ""


@dataclass(frozen=True)
class Reason:
    """How many open rows of a source are there for one reason, and the first of them."""

    source: str
    column: str | None
    rule: str
    count: int
    since: str
    line: int | None
    value: str | None


def quarantine_rows(write: Writing, run_id: int, source: str, rows: Iterable[QuarantinedRow]) -> int:
    """Keeps rows a run refused; gives how many."""
    values = [
        {
            "run": run_id,
            "source": source,
            "line": row.line,
            "key": row.key,
            "column": row.column,
            "value": row.value,
            "reason": row.reason,
            "row": json.dumps(dict(row.row), ensure_ascii=False),
            "recorded_at": write.now,
            "place": row.place,
            "rule": row.rule or row.reason,
            "form": row.form,
        }
        for row in rows
    ]
    if values:
        write.connection.execute(insert(_quarantine), values)
    return len(values)


def quarantined(
    connection: Connection, source: str, limit: int | None = None, *, of: Reason | None = None
) -> list[QuarantinedRow]:
    """The open rows of `source`, by run and line. of: those that are there for one reason."""
    statement = (
        select(_quarantine)
        .where(*_open(source), *_because(of))
        .order_by(_quarantine.c.run, _quarantine.c.line, _quarantine.c.id)
        .limit(limit)
    )
    return [_row(found) for found in connection.execute(statement)]


def reasons(connection: Connection, sources: Sequence[str]) -> list[Reason]:
    """The open rows counted by source, column and rule, the most frequent of a source first."""
    q = _quarantine.c
    counted = (
        select(
            q.source,
            q.column,
            func.coalesce(q.rule, q.reason).label("said"),
            func.count().label("rows"),
            func.min(q.recorded_at).label("since"),
            func.min(q.id).label("first"),
        )
        .where(q.source.in_(sources), q.left_by.is_(None))
        .group_by(q.source, q.column, func.coalesce(q.rule, q.reason))
        .subquery()
    )
    first = _quarantine.alias("first")
    found = connection.execute(
        select(counted, first.c.line, first.c.value)
        .join(first, first.c.id == counted.c.first)
        .order_by(counted.c.source, counted.c.rows.desc(), counted.c.first)
    )
    return [Reason(r.source, r.column, r.said, r.rows, r.since, r.line, r.value) for r in found]


def values_of(connection: Connection, of: Reason, most: int) -> list[str]:
    """What stands in the cells of the open rows that are there for one reason, the most frequent first."""
    q = _quarantine.c
    counted = select(q.value).where(*_open(of.source), *_because(of), q.value.is_not(None)).group_by(q.value)
    found = connection.execute(counted.order_by(func.count().desc(), q.value).limit(most))
    return list(found.scalars())


def open_rows(connection: Connection) -> dict[str, int]:
    """How many rows of each source are open."""
    q = _quarantine.c
    counted = select(q.source, func.count()).where(q.left_by.is_(None)).group_by(q.source)
    return {row[0]: row[1] for row in connection.execute(counted)}


def leave(write: Writing, ids: Sequence[int], run_id: int) -> None:
    """Marks rows as answered by a run."""
    for start in range(0, len(ids), _AT_ONCE):
        chosen = _quarantine.c.id.in_(ids[start : start + _AT_ONCE])
        write.connection.execute(update(_quarantine).where(chosen).values(left_by=run_id))


def refuse_again(write: Writing, rows: Sequence[QuarantinedRow]) -> None:
    """Keeps why open rows are refused today; what they say stays."""
    statement = (
        update(_quarantine)
        .where(_quarantine.c.id == bindparam("of_id"))
        .values(**{name: bindparam(f"to_{name}") for name in ("column", "value", "reason", "rule", "form")})
    )
    values = [
        {
            "of_id": row.id,
            "to_column": row.column,
            "to_value": row.value,
            "to_reason": row.reason,
            "to_rule": row.rule or row.reason,
            "to_form": row.form,
        }
        for row in rows
    ]
    if values:
        write.connection.execute(statement, values)


def supersede(
    write: Writing,
    source: str,
    run_id: int,
    *,
    whole: bool,
    places: Collection[str],
    staged: Callable[[Sequence[str]], Collection[str]],
) -> None:
    """Lets the rows of earlier runs go that this run has an answer for, and the oldest beyond the bound.

    whole: the run read everything the source has. places: the files it read. staged: which of some keys
    are among the rows it accepted.
    """
    q = _quarantine.c
    earlier = (*_open(source), q.run != run_id)
    if whole:
        write.connection.execute(update(_quarantine).where(*earlier).values(left_by=run_id))
    else:
        found = write.connection.execute(select(q.id, q.key, q.place).where(*earlier)).all()
        answered = set(staged(sorted({row.key for row in found if row.key is not None})))
        answered |= _keys_refused(write.connection, source, run_id)
        gone = [r.id for r in found if (r.place in places if r.key is None else r.key in answered)]
        leave(write, gone, run_id)
    _let_oldest_go(write, source)


def _keys_refused(connection: Connection, source: str, run_id: int) -> set[str]:
    keys = select(_quarantine.c.key).where(*_open(source), _quarantine.c.run == run_id)
    return {key for key in connection.execute(keys).scalars() if key is not None}


def _let_oldest_go(write: Writing, source: str) -> None:
    newest_first = select(_quarantine.c.id).where(*_open(source)).order_by(_quarantine.c.id.desc())
    last = write.connection.execute(newest_first.offset(OPEN_AT_MOST).limit(1)).scalar_one_or_none()
    if last is not None:
        write.connection.execute(delete(_quarantine).where(*_open(source), _quarantine.c.id <= last))


def _open(source: str) -> tuple[ColumnElement[bool], ...]:
    return (_quarantine.c.source == source, _quarantine.c.left_by.is_(None))


def _because(of: Reason | None) -> tuple[ColumnElement[bool], ...]:
    if of is None:
        return ()
    q = _quarantine.c
    column = q.column.is_(None) if of.column is None else q.column == of.column
    return (column, func.coalesce(q.rule, q.reason) == of.rule)


def _row(found: Any) -> QuarantinedRow:
    return QuarantinedRow(
        found.line,
        found.key,
        found.column,
        found.value,
        found.reason,
        json.loads(found.row),
        found.place or "",
        found.rule or found.reason,
        found.form or "received",
        found.id,
        found.run,
        found.recorded_at,
    )
