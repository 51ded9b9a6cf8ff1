"""Many rows into one table at once: tuples bound by the driver itself, COPY where the engine has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing

from sqlalchemy import Connection, Table

Cell = str | int | float | None


def insert_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    """Inserts rows whose cells stand in the order of `names`, inside the caller's transaction."""
    preparer = connection.dialect.identifier_preparer
    into = f"{preparer.format_table(table)} ({', '.join(map(preparer.quote, names))})"
    if connection.dialect.name == "postgresql":
        with (
            closing(connection.connection.cursor()) as cursor,
            cursor.copy(f"COPY {into} FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    given = [tuple(row) for row in rows]
    if given:
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({', '.join('?' * len(names))})", given)
