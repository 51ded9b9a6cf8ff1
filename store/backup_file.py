"""The file a backup is: what is in it, and how it is read and proved whole.

A zip of `manifest.json`, `tables/<name>.jsonl` (a JSON array per row, in the order of the table's
columns, sorted by its key) and, where asked for, `snapshots/<source>/<year>/<file>`. It says nothing of
the engine it was made on. Equal rows give equal members.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.types import TypeEngine

from store.engine import StoreError
from store.record_tables import RECORDS, shapes
from store.schema import Identity, Number, PlainText, metadata

FORMAT = 1
MANIFEST = "manifest.json"
PIECE = 1 << 20

Tell = Callable[[str], None]
"""Takes a sentence on how far long work is."""

Word = Literal["text", "integer", "long", "number"]
_TYPES: dict[Word, TypeEngine[Any]] = {
    "text": PlainText,
    "integer": Integer(),
    "long": Identity,
    "number": Number,
}


@dataclass(frozen=True)
class TableColumn:
    """A column as any engine can make it."""

    name: str
    type: Word
    optional: bool


@dataclass(frozen=True)
class TableMember:
    """A table in a backup; indexes are those beside its key, the columns by name."""

    name: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]
    indexes: dict[str, tuple[str, ...]]
    rows: int
    sha256: str

    @property
    def member(self) -> str:
        """The member of the zip that holds the rows."""
        return f"tables/{self.name}.jsonl"

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in the order of a row's cells."""
        return tuple(column.name for column in self.columns)

    def table(self) -> Table:
        """The table, in a collection of its own."""
        columns = [Column(one.name, _TYPES[one.type], nullable=one.optional) for one in self.columns]
        return Table(self.name, MetaData(), *columns, PrimaryKeyConstraint(*self.key), sqlite_strict=True)


@dataclass(frozen=True)
class SnapshotMember:
    """A snapshot in a backup; path is that below the city's `snapshots`."""

    path: str
    bytes: int
    sha256: str

    @property
    def member(self) -> str:
        """The member of the zip that holds the bytes."""
        return f"snapshots/{self.path}"


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. made_at is an instant text, program the build that made it."""

    format: int
    city: str
    time_zone: str
    week_start: str
    made_at: str
    program: str
    migrations: tuple[str, ...]
    tables: tuple[TableMember, ...]
    snapshots: tuple[SnapshotMember, ...]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables)

    def text(self) -> str:
        """The manifest as the JSON that `BackupFile` reads."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)


_SHAPE = TypeAdapter(Manifest)


def word(column: Column) -> Word:
    """How a backup calls the type of a column of ours."""
    if isinstance(column.type, BigInteger):
        return "long"
    if isinstance(column.type, Integer):
        return "integer"
    return "number" if isinstance(column.type, Float) else "text"


class BackupFile:
    """A backup opened for reading."""

    def __init__(self, path: Path, zipped: zipfile.ZipFile) -> None:
        self._path, self._zipped = path, zipped
        self.manifest = self._manifest()

    def prove(self, tell: Tell) -> None:
        """Reads every member; raises StoreError at the first that is not what its SHA-256 says."""
        members: list[TableMember | SnapshotMember] = [*self.manifest.tables, *self.manifest.snapshots]
        for one in members:
            tell(f"{self._path.name}: reading {one.member}")
            digest = hashlib.sha256()
            for piece in self.pieces(one):
                digest.update(piece)
            if digest.hexdigest() != one.sha256:
                raise self._damaged(f"{one.member} is not what was written")

    def rows(self, table: TableMember) -> Iterator[list[Any]]:
        """The rows of a table, one list of cells each."""
        with self._opened(table.member) as file:
            yield from map(json.loads, file)

    def pieces(self, one: TableMember | SnapshotMember) -> Iterator[bytes]:
        """The bytes of a member, some at a time."""
        with self._opened(one.member) as file:
            while piece := file.read(PIECE):
                yield piece

    @contextmanager
    def _opened(self, member: str) -> Iterator[Any]:
        try:
            with self._zipped.open(member) as file:
                yield file
        except (KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error, ValueError) as error:
            raise self._damaged(f"{member} cannot be read") from error

    def _manifest(self) -> Manifest:
        with self._opened(MANIFEST) as file:
            text = file.read()
        try:
            found = json.loads(text)
            if isinstance(found, dict) and isinstance(found.get("format"), int) and found["format"] > FORMAT:
                raise StoreError(f"{self._path} was made by a newer program; update the program.")
            manifest = _SHAPE.validate_python(found)
        except (ValidationError, ValueError) as error:
            raise self._damaged(f"its {MANIFEST} says nothing that can be understood") from error
        for snapshot in manifest.snapshots:
            self._refuse_places_elsewhere(snapshot)
        for table in manifest.tables:
            if table.name not in (*metadata.tables, shapes.name) and not table.name.startswith(RECORDS):
                raise self._damaged(f"{table.name} is no table of ours")
        return manifest

    def _refuse_places_elsewhere(self, snapshot: SnapshotMember) -> None:
        place = PurePosixPath(snapshot.path)
        if place.is_absolute() or ".." in place.parts or "\\" in snapshot.path:
            raise self._damaged(f"{snapshot.path} lies outside of the snapshots")

    def _damaged(self, why: str) -> StoreError:
        return StoreError(f"{self._path} is damaged: {why}; take another backup.")


@contextmanager
def opened(path: Path) -> Iterator[BackupFile]:
    """The backup at `path`, for reading; StoreError where there is none or it is damaged."""
    try:
        with zipfile.ZipFile(path) as zipped:
            yield BackupFile(path, zipped)
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}).") from error
    except zipfile.BadZipFile as error:
        raise StoreError(f"{path} is damaged or no backup: {error}; take another backup.") from error
