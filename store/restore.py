"""How a backup becomes a database again, on either engine: all of it in one transaction, or nothing."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, MetaData, Table, func, inspect, select, update
from sqlalchemy.exc import DBAPIError

from metrics.model import City
from store import audit_log, one_time_links, schema, sessions
from store.audit_log import BY_HAND
from store.backup import tables_kept
from store.backup_file import BackupFile, Manifest, SnapshotMember, TableMember, Tell, opened
from store.bulk import insert_rows
from store.disk import UNFINISHED
from store.engine import Clock, StoreError, Writing, instant_text, locked, reading
from store.migrations import lay, migrate, refuse_unknown
from store.record_tables import all_held_tables, are_sound, create_named_index, shapes

STATE_LEAP = 100_000
"""How far a restored state leaps ahead: beyond any that was shown after the backup was made, so that no
browser takes a page it kept from then for the present one."""


@dataclass(frozen=True)
class RestoreReport:
    """What was restored. snapshots are those written, kept those that were there already."""

    manifest: Manifest
    snapshots: int
    kept: int
    migrations: tuple[str, ...]

    def line(self) -> str:
        """What was done, in one line of counts."""
        made = self.manifest
        there = f" ({self.kept} more were there)" if self.kept else ""
        return (
            f"{made.city}: {len(made.tables)} tables, {made.rows} rows and {self.snapshots} snapshots{there} "
            f"restored as of {made.made_at}, {len(self.migrations)} migrations applied after them"
        )


def restore(
    engine: Engine, city: City, clock: Clock, path: Path, *, snapshots: Path, tell: Tell
) -> RestoreReport:
    """Makes an empty database, and the folder of snapshots, what they were when the backup was made.

    The file is proved whole before anything is touched. Ids go on where they were; the state leaps
    ahead by STATE_LEAP. Raises StoreError for a file that is damaged, of another city or calendar or
    newer than this code, and for a database that holds more than its empty house.
    """
    with opened(path) as file:
        _refuse(file.manifest, city, path)
        file.prove(tell)
        migrate(engine, city, clock)
        with reading(engine) as connection:
            _refuse_rows(connection)
        kept = _fill(engine, city, clock, file, snapshots, tell)
    return RestoreReport(
        file.manifest, kept.count(True), kept.count(False), tuple(migrate(engine, city, clock))
    )


def _refuse(made: Manifest, city: City, path: Path) -> None:
    if made.city != city.id:
        raise StoreError(f"{path} is a backup of the city {made.city}, not of {city.id}; set CITY.")
    refuse_unknown(made.migrations, "This backup")
    for name in ("time_zone", "week_start"):
        was, now = getattr(made, name), getattr(city, name)
        if was != now:
            raise StoreError(f"city.toml says {name} {now}, but the backup counts in {was}; put {name} back.")


def _refuse_rows(connection: Connection) -> None:
    """A database may be filled that has its house and nothing in it: as made by a first migration."""
    own = {schema.house.name, schema.migrations.name}
    tables = [table for table in tables_kept(connection) if table.name not in own]
    filled = [one.name for one in tables if connection.execute(select(1).select_from(one).limit(1)).first()]
    if filled:
        rows = ", ".join(filled[:3]) + (" and more" if len(filled) > 3 else "")
        raise StoreError(
            f"This database is not empty (it has rows in {rows}); "
            "stop the product and move it away, or set another DATABASE_URL or DATA_DIR."
        )


# --- the database --------------------------------------------------------------------------------


def _fill(
    engine: Engine, city: City, clock: Clock, file: BackupFile, snapshots: Path, tell: Tell
) -> list[bool]:
    """Builds the tables as they were at the backup: what later migrations expect to find.

    Gives for each snapshot whether it was written. They are written when every row is known to be right,
    and before the rows are there for good: a restore that was killed can be done over.
    """
    made = file.manifest
    try:
        with locked(engine) as connection:
            _refuse_rows(connection)
            schema.metadata.drop_all(connection)
            shapes.drop(connection, checkfirst=True)
            lay(connection, made.migrations)
            built = set(inspect(connection).get_table_names())
            for one in made.tables:
                _restore_table(connection, file, one, one.name not in built, tell)
            _refuse_impossible(connection, file)
            _leap(connection, city)
            if schema.sessions.name in built:
                _let_nobody_in(connection, clock, file.manifest)
            return [_restore_snapshot(file, one, snapshots, tell) for one in made.snapshots]
    # A number larger than a database holds, half of a character: the drivers raise them as they are.
    except (DBAPIError, psycopg.Error, OverflowError, UnicodeError) as error:
        said = " ".join(str(error).split())
        raise StoreError(f"The backup cannot be written into this database: {said}") from error


def _restore_table(
    connection: Connection, file: BackupFile, one: TableMember, is_missing: bool, tell: Tell
) -> None:
    table = one.table() if is_missing else Table(one.name, MetaData(), autoload_with=connection)
    if is_missing:
        table.create(connection)
    unknown = sorted({*one.names} - {*table.columns.keys()})
    if unknown:
        raise file.damaged(f"{one.name} has no column {unknown[0]}")
    count = 0
    for batch in file.batches(one):
        insert_rows(connection, table, one.names, batch)
        count += len(batch)
        tell(f"{one.name}: {count} of {one.rows} rows")
    if is_missing:
        for name, columns in one.indexes.items():
            create_named_index(connection, table, name, columns)
    if connection.dialect.name == "postgresql":
        name = connection.dialect.identifier_preparer.format_table(table)
        _go_on_counting(connection, table, name)
        connection.exec_driver_sql(f"ANALYZE {name}")


def _refuse_impossible(connection: Connection, file: BackupFile) -> None:
    """What the rows say of the database itself has to be so, or a later command would stumble over it."""
    applied = connection.execute(select(schema.migrations.c.name)).scalars()
    if {*applied} != {*file.manifest.migrations}:
        raise file.damaged("its migrations are not those of its manifest")
    columns = {one.name: {*one.names} for one in file.manifest.tables}
    if not are_sound(connection, columns) or any(
        not columns[one.name].issuperset(one.columns.keys()) for one in all_held_tables(connection)
    ):
        raise file.damaged(f"{shapes.name} names a source that has no such tables")


def _go_on_counting(connection: Connection, table: Table, name: str) -> None:
    """PostgreSQL gives ids from a sequence, which knows nothing of rows that brought theirs."""
    if "id" not in table.columns:
        return
    found = connection.execute(
        select(func.pg_get_serial_sequence(name, "id"), func.max(table.c.id)).select_from(table)
    )
    sequence, last = found.one()
    if sequence is not None and last is not None:
        connection.execute(select(func.setval(sequence, last)))


def _leap(connection: Connection, city: City) -> None:
    house = schema.house
    leapt = connection.execute(
        update(house).where(house.c.city == city.id).values(state=house.c.state + STATE_LEAP)
    )
    if leapt.rowcount != 1:
        raise StoreError(f"The backup holds no house of the city {city.id}; take another backup.")


def _let_nobody_in(connection: Connection, clock: Clock, made: Manifest) -> None:
    """Ends the sessions and links of the backup: what has been ended since then must not let in again."""
    write = Writing(connection, max(instant_text(clock()), made.made_at))
    ended = {"sessions": sessions.end_everybodys(write), "links": one_time_links.end_all(write)}
    if any(ended.values()):
        audit_log.add(write, BY_HAND, "backup restored", "city", made_at=made.made_at, **ended)


# --- the snapshots -------------------------------------------------------------------------------


def _restore_snapshot(file: BackupFile, one: SnapshotMember, folder: Path, tell: Tell) -> bool:
    """Whether a snapshot was written; False where it is there already, with the same bytes."""
    path = folder / one.path
    tell(f"snapshots: {one.path}")
    try:
        if path.exists():
            if _sha256(path) != one.sha256:
                raise StoreError(f"{path} is there already and holds other bytes; move {folder} away.")
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}{UNFINISHED}")
        with unfinished.open("wb") as written:
            for piece in file.pieces(one):
                written.write(piece)
            written.flush()
            os.fsync(written.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"The snapshot {path} cannot be written ({error.strerror}).") from error
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
