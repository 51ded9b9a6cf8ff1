"""Corrections of records: flagged as wrong, decided by somebody else, kept while the source repeats itself.

History is never lost: a correction makes a new version of its record, and an erased record takes its
corrections along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from metrics.model import Source
from store import audit_log, people, requests
from store.engine import StoreError, Writing, from_text_or_none, instant_text
from store.people import Person, Role
from store.record_tables import keep_versions, record_table, stage_columns, tables_of
from store.schema import corrections

KIND = "correct_record"
"""What is asked of the worker for one that was accepted."""

Cell = str | int | float | None
Cells = Mapping[str, Cell]

MENDED = "The source says so itself now."
NEWER = "The source says something new, which counts."
GONE = "The source does not hold the record any more."

_MOST_NAMED = 3


class State(StrEnum):
    """OPEN until it is decided; LAPSED when the source said something new."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class Correction:
    """One flagged record. column None: it does not belong in the source at all.

    was: what the flagged cells said, as stored. cells: what they should say; None for the whole record.
    why: of a refusal or a lapse. applied_at None: no record has changed by it yet.
    """

    id: int
    source: str
    key: str
    metric: str
    column: str | None
    was: Cells
    cells: Cells | None
    note: str
    author: int
    author_name: str
    made_at: datetime
    state: State
    decided_by: str | None
    decided_at: datetime | None
    why: str | None
    applied_at: datetime | None


@dataclass(frozen=True)
class Held:
    """What corrections did to the rows of a run: how many hold, and how many lapsed."""

    holding: int = 0
    lapsed: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a run says of it, without naming a record."""
        said = ((self.holding, "held"), (self.lapsed, "lapsed, as the source says something new"))
        return tuple(f"corrections: {count} {what}" for count, what in said if count)


# --- reading -------------------------------------------------------------------------------------


def get(connection: Connection, number: int) -> Correction | None:
    """A correction by its number; None where there is none."""
    row = connection.execute(select(corrections).where(corrections.c.id == number)).one_or_none()
    return None if row is None else _correction(row)


def metric_of(connection: Connection, number: int) -> str | None:
    """The metric a correction was flagged on; None where there is no such correction."""
    statement = select(corrections.c.metric).where(corrections.c.id == number)
    return connection.execute(statement).scalar_one_or_none()


def of_record(connection: Connection, source: str, key: object) -> list[Correction]:
    """All corrections of a record, the newest first."""
    same = (corrections.c.source == source, corrections.c.key == str(key))
    rows = connection.execute(select(corrections).where(*same).order_by(corrections.c.id.desc()))
    return [_correction(row) for row in rows]


def waiting(connection: Connection, metric: str) -> list[Correction]:
    """Those flagged on a metric that nobody has decided yet, the oldest first."""
    same = (corrections.c.metric == metric, corrections.c.state == State.OPEN)
    rows = connection.execute(select(corrections).where(*same).order_by(corrections.c.id))
    return [_correction(row) for row in rows]


def reason_since(connection: Connection, known_at: datetime) -> str | None:
    """Why numbers differ from a publication by corrections that it did not know; None where none was made."""
    after = corrections.c.applied_at > instant_text(known_at)
    rows = connection.execute(select(corrections).where(after).order_by(corrections.c.id)).all()
    if not rows:
        return None
    said = list(dict.fromkeys(_who_and_why(row) for row in rows))
    more = f"; and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
    what = "1 record corrected" if len(rows) == 1 else f"{len(rows)} records corrected"
    return f"{what}: {'; '.join(said[:_MOST_NAMED])}{more}"


# --- what people do ------------------------------------------------------------------------------


def flag(
    write: Writing,
    person: Person,
    source: Source,
    metric: str,
    key: str | int,
    column: str | None,
    cells: Cells | None,
    note: str,
) -> int:
    """Flags a record as wrong and gives the number of the flag.

    column and cells: the cell that is wrong and what it should say, with its local day where it is an
    instant; None for a record that does not belong. note: becomes public beside numbers that change.
    Raises StoreError for what cannot be corrected.
    """
    if column is not None:
        _refuse_column(source, column)
    now = _current(write.connection, source, key)
    if now is None:
        raise StoreError("The source holds no such record any more.")
    was = {name: now[name] for name in (cells or stage_columns(source))}
    if cells is not None and dict(cells) == was:
        raise StoreError("That is what the record says already.")
    same = [one for one in of_record(write.connection, source.id, key) if one.state is State.OPEN]
    if any(one.column == column for one in same):
        raise StoreError("That is flagged already and waits for a decision.")
    row = {
        "source": source.id,
        "key": str(key),
        "metric": metric,
        "column_name": column,
        "was": json.dumps(was),
        "cells": None if cells is None else json.dumps(dict(cells)),
        "note": note,
        "author": person.id,
        "author_name": person.name,
        "made_at": write.now,
        "state": State.OPEN,
    }
    number: int = write.connection.execute(
        insert(corrections).values(row).returning(corrections.c.id)
    ).scalar_one()
    _log(write, person, "record flagged", number, metric)
    return number


def accept(write: Writing, person: Person, number: int, department: str) -> None:
    """Accepts a flag and asks the worker to correct the record.

    Raises StoreError for one that is decided, and for the author's own where somebody else may decide.
    """
    found = _open(write.connection, number)
    _refuse_own(write.connection, person, found, department)
    _decide(write, person, found, State.ACCEPTED, None)
    requests.insert_within(write, KIND, {"correction": number, "source": found.source})


def refuse(write: Writing, person: Person, number: int, department: str, why: str) -> None:
    """Refuses a flag with a reason. Raises StoreError as `accept` does."""
    found = _open(write.connection, number)
    _refuse_own(write.connection, person, found, department)
    _decide(write, person, found, State.REFUSED, why)


def withdraw(write: Writing, person: Person, number: int) -> None:
    """Takes a flag back. Raises StoreError for one that is decided, and for somebody else's."""
    found = _open(write.connection, number)
    if found.author != person.id and not person.may(Role.ADMIN):
        raise StoreError("Only who flagged it can take it back.")
    _decide(write, person, found, State.WITHDRAWN, None)


# --- what the worker and runs do -----------------------------------------------------------------


def apply(write: Writing, source: Source, number: int) -> Correction:
    """Makes a new version of the record as accepted, or lets the correction lapse; once done it stays."""
    found = get(write.connection, number)
    if found is None or found.source != source.id:
        raise StoreError("There is no such correction any more: its record was erased.")
    if found.state is not State.ACCEPTED or found.applied_at is not None:
        return found
    table, key = record_table(source), _key(source, found.key)
    now = _current(write.connection, source, key)
    if now is None or not _says(now, found.was):
        _lapse(write, found, GONE if now is None else NEWER)
    else:
        which = table.c[source.key] == key
        keep_versions(write, tables_of(source), which)
        values: dict[str, Any] = {
            **(found.cells or {"_withdrawn_at": write.now}),
            "_recorded_from": write.now,
        }
        write.connection.execute(update(table).where(which).values(values))
        same = corrections.c.id == number
        write.connection.execute(update(corrections).where(same).values(applied_at=write.now))
    done = get(write.connection, number)
    assert done is not None, "it was just read"
    return done


def hold(write: Writing, source: Source, stage: Table) -> Held:
    """Keeps staged rows to their corrections: a cell that says again what was corrected says what is right.

    What says something new stays as it is, and its correction lapses.
    """
    active = (corrections.c.state == State.ACCEPTED, corrections.c.applied_at.is_not(None))
    chosen = select(corrections).where(corrections.c.source == source.id, *active)
    holding = lapsed = 0
    for found in map(_correction, write.connection.execute(chosen.order_by(corrections.c.id)).all()):
        which = stage.c[source.key] == _key(source, found.key)
        row = write.connection.execute(select(stage).where(which)).first()
        if row is None:
            continue
        said = dict(row._mapping)
        if _says(said, found.was):
            holding += 1
            if found.cells is None:
                write.connection.execute(delete(stage).where(which))
            else:
                write.connection.execute(update(stage).where(which).values(dict(found.cells)))
            continue
        lapsed += 1
        is_mended = found.cells is not None and _says(said, found.cells)
        _lapse(write, found, MENDED if is_mended else NEWER)
    return Held(holding, lapsed)


# --- inside --------------------------------------------------------------------------------------


def _refuse_column(source: Source, name: str) -> None:
    column = source.column(name)
    read = {word for one in source.columns if one.expression for word in re.findall(r"\w+", one.expression)}
    if name == source.key:
        raise StoreError("The key says which record it is; flag the record as one that does not belong.")
    if column.expression or name in read:
        raise StoreError(f"{name} is computed, or others are computed from it; have it mended at the source.")


def _refuse_own(connection: Connection, person: Person, found: Correction, department: str) -> None:
    if found.author != person.id:
        return
    others = [one for one in people.everybody(connection) if one.id != person.id]
    if any(one.may(Role.OWNER, department) for one in others):
        raise StoreError("Somebody else must decide what you have flagged.")


def _open(connection: Connection, number: int) -> Correction:
    found = get(connection, number)
    if found is None or found.state is not State.OPEN:
        raise StoreError("That is decided already; open the page again.")
    return found


def _decide(write: Writing, person: Person, found: Correction, state: State, why: str | None) -> None:
    values = {"state": state, "decided_by": person.name, "decided_at": write.now, "why": why}
    write.connection.execute(update(corrections).where(corrections.c.id == found.id).values(values))
    _log(write, person, f"flag {state}", found.id, found.metric)


def _lapse(write: Writing, found: Correction, why: str) -> None:
    values = {"state": State.LAPSED, "why": why}
    write.connection.execute(update(corrections).where(corrections.c.id == found.id).values(values))


def _log(write: Writing, person: Person, act: str, number: int, metric: str) -> None:
    """Without the record's key or what it says: the log is for ever, and a record can be erased."""
    audit_log.add(write, person.actor, act, f"metric {metric}", number=number)


def _current(connection: Connection, source: Source, key: str | int) -> Mapping[str, Any] | None:
    table = record_table(source)
    held = (table.c[source.key] == key, table.c["_withdrawn_at"].is_(None))
    row = connection.execute(select(table).where(*held)).first()
    return None if row is None else dict(row._mapping)


def _says(row: Mapping[str, Any], cells: Cells) -> bool:
    return all(name in row and row[name] == value for name, value in cells.items())


def _key(source: Source, key: str) -> str | int:
    return key if source.column(source.key).type == "text" else int(key)


def _who_and_why(row: Row) -> str:
    by = row.author_name if row.decided_by == row.author_name else f"{row.author_name} and {row.decided_by}"
    return f"{row.note} ({by})"


def _correction(row: Row) -> Correction:
    fields = dict(row._mapping)
    for name in ("made_at", "decided_at", "applied_at"):
        fields[name] = from_text_or_none(fields[name])
    fields["was"] = json.loads(fields["was"])
    fields["cells"] = json.loads(fields["cells"]) if fields["cells"] else None
    fields["column"] = fields.pop("column_name")
    fields["state"] = State(fields["state"])
    return Correction(**fields)
