"""Rows behind a stand-in: a table that is asked in SQL, as the clauses of most protocols nearly are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any


class Rows:
    """Rows by their key, each with an id the server gave it and the mark of its last change.

    A row that is put again keeps its id and moves its mark; one that was taken away gets another id.
    """

    def __init__(self, key: str, id_name: str, mark_name: str, id_form: Callable[[int], Any] = int) -> None:
        self._id_form = id_form
        self.key, self.id_name, self.mark_name = key, id_name, mark_name
        self.rows: dict[Any, dict[str, Any]] = {}
        self._given = 0
        self._database: sqlite3.Connection | None = None

    def put(self, row: Mapping[str, Any], mark: Any, id_: Any = None) -> None:
        """Adds a row, or replaces the one of its key."""
        held = self.rows.get(row[self.key])
        if held is None:
            self._given += 1
        given = held[self.id_name] if held else (self._id_form(self._given) if id_ is None else id_)
        self.rows[row[self.key]] = {self.id_name: given, self.mark_name: mark, **row}
        self._database = None

    def fill(self, rows: Iterable[Mapping[str, Any]], mark: Any) -> None:
        """Puts many rows."""
        for row in rows:
            self.put(row, mark)

    def take(self, key: Any) -> None:
        """Removes a row."""
        del self.rows[key]
        self._database = None

    def names(self) -> list[str]:
        """The columns."""
        return list(dict.fromkeys(name for row in self.rows.values() for name in row))

    def found(self, columns: str = "*", where: str = "", rest: str = "") -> list[dict[str, Any]]:
        """The rows that fit, from SQL whose names are quoted."""
        if self._database is None:
            self._database = self._filled()
        condition = f"WHERE {where}" if where else ""
        cursor = self._database.execute(f"SELECT {columns} FROM held {condition} {rest}")
        names = [one[0] for one in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _filled(self) -> sqlite3.Connection:
        database = sqlite3.connect(":memory:", check_same_thread=False)
        names = self.names() or [self.id_name, self.mark_name, self.key]
        columns = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        database.execute(f"CREATE TABLE held ({columns})")
        cells = ([_plain(row.get(name)) for name in names] for row in self.rows.values())
        database.executemany(f"INSERT INTO held VALUES ({marks})", cells)
        return database


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
