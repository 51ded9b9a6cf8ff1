"""Entries: daily values given by people, each with who gave it, when and why; rows are only added."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, func, insert, select

from store.engine import Writing, from_text
from store.schema import entries


class Kind(StrEnum):
    """A value replaces the one before of its key; a withdrawal takes it away."""

    VALUE = "value"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True)
class Given:
    """What somebody gives: the key and day it is for, and its cells by column, as they were written."""

    key: str
    day: date
    cells: Mapping[str, str]
    kind: Kind = Kind.VALUE


@dataclass(frozen=True)
class Entry:
    """What somebody gave, and who, when and why."""

    id: int
    source: str
    given: Given
    reason: str
    entered_by: str
    entered_at: datetime


def add(write: Writing, source: str, given: Sequence[Given], entered_by: str, reason: str) -> int:
    """Adds entries in the caller's transaction; gives how many."""
    rows = [
        {
            "source": source,
            "key": one.key,
            "day": one.day.isoformat(),
            "cells": json.dumps(dict(one.cells), ensure_ascii=False),
            "kind": one.kind.value,
            "reason": reason,
            "entered_by": entered_by,
            "entered_at": write.now,
        }
        for one in given
    ]
    if rows:
        write.connection.execute(insert(entries), rows)
    return len(rows)


def current(connection: Connection, source: str) -> list[Entry]:
    """The entry of each key that counts, by key: the newest one, where it is no withdrawal."""
    newest = select(func.max(entries.c.id)).where(entries.c.source == source).group_by(entries.c.key)
    counts = select(entries).where(entries.c.id.in_(newest), entries.c.kind == Kind.VALUE.value)
    return [_entry(row) for row in connection.execute(counts.order_by(entries.c.key))]


def history(connection: Connection, source: str, day: date | None = None) -> list[Entry]:
    """Every entry of a source there ever was, or those for one day, in the order they were given."""
    statement = select(entries).where(entries.c.source == source).order_by(entries.c.id)
    if day is not None:
        statement = statement.where(entries.c.day == day.isoformat())
    return [_entry(row) for row in connection.execute(statement)]


def newest(connection: Connection, source: str, most: int) -> list[Entry]:
    """The newest entries of a source, newest first."""
    statement = select(entries).where(entries.c.source == source).order_by(entries.c.id.desc()).limit(most)
    return [_entry(row) for row in connection.execute(statement)]


def _entry(row: Row) -> Entry:
    given = Given(row.key, date.fromisoformat(row.day), json.loads(row.cells), Kind(row.kind))
    return Entry(row.id, row.source, given, row.reason, row.entered_by, from_text(row.entered_at))
