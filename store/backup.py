"""How a backup is made: every row as it was at one moment, while others go on writing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, Table, inspect, select

from store import schema
from store.backup_file import (
    FORMAT,
    MANIFEST,
    PIECE,
    Manifest,
    SnapshotMember,
    TableColumn,
    TableMember,
    Tell,
    is_snapshot,
    word,
)
from store.disk import UNFINISHED, settle
from store.engine import StoreError, reading
from store.record_tables import all_held_tables, shapes

ENDING = ".zip"
ROWS_AT_ONCE = 2000
LEFT_BEHIND_SECONDS = 3600
"""An unfinished file that nobody has written to for this long belongs to a process that died."""

_LEVEL = 4
_line = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class BackupReport:
    """A backup that was made: where, how large in bytes, and what it says of itself."""

    path: Path
    bytes: int
    manifest: Manifest

    def line(self) -> str:
        """What was done, in one line of counts."""
        made = self.manifest
        return (
            f"{made.city}: {len(made.tables)} tables, {made.rows} rows and {len(made.snapshots)} snapshots "
            f"backed up, {self.bytes / 1e6:.1f} MB: {self.path}"
        )


def default_name(city_id: str, now: str) -> str:
    """What a backup made at an instant (as text) is called: names sort as their times do."""
    stamp = now.split(".")[0].replace("-", "").replace(":", "")
    return f"{city_id}-{stamp}Z{ENDING}"


def back_up(
    engine: Engine, path: Path, *, now: str, program: str, tell: Tell, snapshots: Path | None = None
) -> BackupReport:
    """Writes all rows, as they are at one moment, into a new file; the snapshots of a folder too if given.

    `now` is the instant text of the moment, `program` the name of this build. The file has its name only
    when all of it is on the disk. Raises StoreError where there is such a file, and where the disk refuses;
    nothing is left then.
    """
    if path.exists():
        raise StoreError(f"{path} is there already; give another name, or remove it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(path.parent)
        with _becoming(path) as file:
            manifest = _fill(file, engine, now, program, tell, snapshots)
        return BackupReport(path, path.stat().st_size, manifest)
    except OSError as error:
        raise StoreError(
            f"The backup {path} cannot be written ({error.strerror}); free space there or name another place."
        ) from error


def tables_kept(connection: Connection) -> list[Table]:
    """Every table of a city's database that is there, in the order of their names."""
    there = set(inspect(connection).get_table_names())
    found = [*schema.metadata.tables.values(), shapes, *all_held_tables(connection)]
    return sorted((table for table in found if table.name in there), key=lambda table: table.name)


@contextlib.contextmanager
def _becoming(path: Path) -> Iterator[IO[bytes]]:
    """A file nobody else may read, which gets its name when the block ends well."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        settle(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _remove_left_behind(folder: Path) -> None:
    for left in folder.glob(f".*{ENDING}.*{UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > LEFT_BEHIND_SECONDS:
                left.unlink()


def _fill(
    file: IO[bytes], engine: Engine, now: str, program: str, tell: Tell, snapshots: Path | None
) -> Manifest:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as zipped:
        with reading(engine) as connection:
            house = connection.execute(select(schema.house)).one()
            applied = connection.execute(select(schema.migrations.c.name)).scalars()
            manifest = Manifest(
                format=FORMAT,
                city=house.city,
                time_zone=house.time_zone,
                week_start=house.week_start,
                made_at=now,
                program=program,
                migrations=tuple(sorted(applied)),
                tables=tuple(_table(zipped, connection, one, tell) for one in tables_kept(connection)),
                snapshots=(),
            )
        kept = tuple(_snapshots(zipped, snapshots, tell)) if snapshots else ()
        manifest = replace(manifest, snapshots=kept)
        zipped.writestr(MANIFEST, manifest.text())
    return manifest


def _table(zipped: zipfile.ZipFile, connection: Connection, table: Table, tell: Tell) -> TableMember:
    indexes = inspect(connection).get_indexes(table.name)
    described = TableMember(
        name=table.name,
        columns=tuple(TableColumn(one.name, word(one), bool(one.nullable)) for one in table.columns),
        key=tuple(column.name for column in table.primary_key.columns),
        indexes={str(one["name"]): tuple(map(str, one["column_names"])) for one in indexes},
        rows=0,
        sha256="",
    )
    count = 0

    def lines() -> Iterable[bytes]:
        nonlocal count
        wanted = select(*table.columns).order_by(*table.primary_key.columns)
        found = connection.execute(wanted.execution_options(yield_per=ROWS_AT_ONCE))
        for rows in found.partitions():
            yield "".join(f"{_line(tuple(row))}\n" for row in rows).encode()
            count += len(rows)
            tell(f"{table.name}: {count} rows")

    _, sha256 = _write(zipped, described.member, lines())
    return replace(described, rows=count, sha256=sha256)


def _snapshots(zipped: zipfile.ZipFile, folder: Path, tell: Tell) -> Iterator[SnapshotMember]:
    """Keeps the snapshots there are; one that is cleared away meanwhile is left out."""
    for path in sorted(folder.glob("*/[0-9]*/*")):
        found = SnapshotMember(path.relative_to(folder).as_posix(), 0, "")
        # A name we do not give would not be taken back.
        if path.suffix == UNFINISHED or not is_snapshot(found.path):
            continue
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            tell(f"snapshots: {found.path}")
            size, sha256 = _write(zipped, found.member, iter(partial(file.read, PIECE), b""))
            yield SnapshotMember(found.path, size, sha256)


def _write(zipped: zipfile.ZipFile, member: str, pieces: Iterable[bytes]) -> tuple[int, str]:
    """Writes a member piece by piece; gives its size in bytes and its SHA-256."""
    digest, size = hashlib.sha256(), 0
    with zipped.open(member, "w", force_zip64=True) as file:
        for piece in pieces:
            digest.update(piece)
            size += file.write(piece)
    return size, digest.hexdigest()
