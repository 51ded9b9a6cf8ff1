"""Notes on a metric in a period and marks on its charts: withdrawn with a reason, never deleted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, insert, select, update

from metrics.model import Grain
from store import audit_log
from store.engine import StoreError, Writing, bump_state, from_text, from_text_or_none, instant_text
from store.people import Person
from store.schema import marks, notes


class NoteKind(StrEnum):
    """EXPLANATION: why the number is what it is. REPLY: what those say whom the number is about."""

    EXPLANATION = "explanation"
    REPLY = "reply"


class MarkKind(StrEnum):
    """EVENT: something happened that day. DEFINITION: since then something else is counted."""

    EVENT = "event"
    DEFINITION = "definition"


@dataclass(frozen=True)
class Written:
    """Plain text of somebody. withdrawn_at None: it stands; else withdrawn_by and withdrawn_why say more."""

    id: int
    metric: str
    is_public: bool
    words: str
    writer_name: str
    written_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_why: str | None


@dataclass(frozen=True)
class Note(Written):
    """A note on a metric in the period of a grain that begins on a day."""

    grain: Grain
    start: date
    kind: NoteKind


@dataclass(frozen=True)
class Mark(Written):
    """Something that is drawn on the charts of a metric, on a day."""

    day: date
    kind: MarkKind


# --- reading -------------------------------------------------------------------------------------


def of_metrics(
    connection: Connection,
    metrics: Collection[str],
    *,
    public_only: bool = False,
    until: datetime | None = None,
    most: int = 200,
) -> list[Note]:
    """The newest notes on some metrics that stand, of the latest period first, and of one the newest first.

    until: written up to that instant alone.
    """
    statement = _standing(notes, metrics, public_only, until).limit(most)
    rows = connection.execute(statement.order_by(notes.c.start.desc(), notes.c.id.desc()))
    return [_note(row) for row in rows]


def marks_of(
    connection: Connection, metric: str, *, public_only: bool = False, until: datetime | None = None
) -> list[Mark]:
    """The marks of a metric that stand, the earliest day first. until: as for `of_metrics`."""
    statement = _standing(marks, [metric], public_only, until)
    rows = connection.execute(statement.order_by(marks.c.day, marks.c.id))
    return [_mark(row) for row in rows]


def metric_of_note(connection: Connection, number: int) -> str | None:
    """The metric a note is about, withdrawn or not; None where there is no such note."""
    return connection.execute(select(notes.c.metric).where(notes.c.id == number)).scalar_one_or_none()


def metric_of_mark(connection: Connection, number: int) -> str | None:
    """The metric whose charts are marked, withdrawn or not; None where there is no such mark."""
    return connection.execute(select(marks.c.metric).where(marks.c.id == number)).scalar_one_or_none()


# --- writing -------------------------------------------------------------------------------------


def add(
    write: Writing,
    person: Person,
    metric: str,
    grain: Grain,
    start: date,
    kind: NoteKind,
    words: str,
    *,
    is_public: bool,
) -> int:
    """Writes a note and gives its number; a public one raises the public state."""
    about = {"grain": str(grain), "start": start.isoformat(), "kind": str(kind)}
    return _add(write, person, notes, "note added", metric, words, is_public, about)


def add_mark(
    write: Writing,
    person: Person,
    metric: str,
    day: date,
    kind: MarkKind,
    words: str,
    *,
    is_public: bool,
) -> int:
    """Marks a day on the charts of a metric and gives its number; a public mark raises the public state."""
    about = {"day": day.isoformat(), "kind": str(kind)}
    return _add(write, person, marks, "mark added", metric, words, is_public, about)


def withdraw(write: Writing, person: Person, number: int, why: str) -> str:
    """Takes a note back; gives its metric. Raises StoreError where it is not there any more."""
    return _withdraw(write, person, notes, "note withdrawn", number, why)


def withdraw_mark(write: Writing, person: Person, number: int, why: str) -> str:
    """Takes a mark back; gives its metric. Raises StoreError where it is not there any more."""
    return _withdraw(write, person, marks, "mark withdrawn", number, why)


# --- inside --------------------------------------------------------------------------------------


def _add(
    write: Writing,
    person: Person,
    table: Table,
    act: str,
    metric: str,
    words: str,
    is_public: bool,
    about: dict[str, str],
) -> int:
    row = {
        **about,
        "metric": metric,
        "is_public": int(is_public),
        "words": words,
        "writer": person.id,
        "writer_name": person.name,
        "written_at": write.now,
    }
    number = write.connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one()
    told = {**about, "number": number, "text": words, "public": is_public}
    audit_log.add(write, person.actor, act, f"metric {metric}", **told)
    if is_public:
        bump_state(write)
    return number


def _withdraw(write: Writing, person: Person, table: Table, act: str, number: int, why: str) -> str:
    standing = (table.c.id == number, table.c.withdrawn_at.is_(None))
    gone = {"withdrawn_by": person.name, "withdrawn_at": write.now, "withdrawn_why": why}
    changed = update(table).where(*standing).values(gone).returning(table.c.metric, table.c.is_public)
    row = write.connection.execute(changed).one_or_none()
    if row is None:
        raise StoreError("It is not there any more; open the page again.")
    audit_log.add(write, person.actor, act, f"metric {row.metric}", number=number, reason=why)
    if row.is_public:
        bump_state(write)
    return str(row.metric)


def _standing(
    table: Table, metrics: Collection[str], public_only: bool, until: datetime | None
) -> Select[Any]:
    statement = select(table).where(table.c.metric.in_(list(metrics)), table.c.withdrawn_at.is_(None))
    if public_only:
        statement = statement.where(table.c.is_public == 1)
    if until is not None:
        statement = statement.where(table.c.written_at <= instant_text(until))
    return statement


def _note(row: Row) -> Note:
    return Note(
        **_written(row), grain=Grain(row.grain), start=date.fromisoformat(row.start), kind=NoteKind(row.kind)
    )


def _mark(row: Row) -> Mark:
    return Mark(**_written(row), day=date.fromisoformat(row.day), kind=MarkKind(row.kind))


def _written(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "metric": row.metric,
        "is_public": bool(row.is_public),
        "words": row.words,
        "writer_name": row.writer_name,
        "written_at": from_text(row.written_at),
        "withdrawn_by": row.withdrawn_by,
        "withdrawn_at": from_text_or_none(row.withdrawn_at),
        "withdrawn_why": row.withdrawn_why,
    }
