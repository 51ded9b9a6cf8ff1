"""The file a backup is: what is in it, and how it is read and proved whole.

A zip of `manifest.json`, `tables/<name>.jsonl` (a JSON array per row, in the order of the table's
columns, sorted by its key) and, where asked for, `snapshots/<source>/<year>/<file>`. It says nothing of
the engine it was made on. Equal rows give equal members.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.types import TypeEngine

from store.bulk import Cell
from store.engine import StoreError
from store.record_tables import RECORDS, shapes
from store.schema import Identity, Number, PlainText, metadata

FORMAT = 1
MANIFEST = "manifest.json"
PIECE = 1 << 20
MOST_AT_ONCE = 50_000_000
"""The bytes of the longest manifest, and of the longest row, that are read into memory."""

Tell = Callable[[str], None]
"""Takes a sentence on how far long work is."""

Word = Literal["text", "integer", "long", "number"]
_TYPES: dict[Word, TypeEngine[Any]] = {
    "text": PlainText,
    "integer": Integer(),
    "long": Identity,
    "number": Number,
}
_NAME = re.compile(r"_?[a-z][a-z0-9_]*")
_CELLS = frozenset({str, int, float, type(None)})
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


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


def is_snapshot(path: str) -> bool:
    """Whether a path below `snapshots` is one that is kept: `<source>/<year>/<file>`, all of it printable."""
    parts = path.split("/")
    return (
        len(parts) == 3
        and path.isprintable()
        and "\\" not in path
        and not {"", ".", ".."} & set(parts)
        and parts[1][0] in "0123456789"
    )


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
                raise self.damaged(f"{one.member} is not what was written")

    def batches(self, table: TableMember) -> Iterator[list[list[Cell]]]:
        """The rows of a table, as many at a time as a piece of the file holds."""
        for lines in self._lines(table):
            yield [self._row(table, line) for line in lines]

    def pieces(self, one: TableMember | SnapshotMember) -> Iterator[bytes]:
        """The bytes of a member, some at a time."""
        with self._opened(one.member) as file:
            while piece := file.read(PIECE):
                yield piece

    def damaged(self, why: str) -> StoreError:
        """The error for a file that is not what it should be."""
        return StoreError(f"{self._path} is damaged: {why}; take another backup.")

    def _lines(self, table: TableMember) -> Iterator[list[bytes]]:
        rest = b""
        for piece in self.pieces(table):
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > MOST_AT_ONCE:
                raise self.damaged(f"{table.member} has a row of more than {MOST_AT_ONCE} bytes")
            yield lines
        if rest:
            yield [rest]

    def _row(self, table: TableMember, line: bytes) -> list[Cell]:
        try:
            row = json.loads(line)
        except (RecursionError, ValueError) as error:
            raise self.damaged(f"{table.member} has a row that cannot be read") from error
        if type(row) is not list or len(row) != len(table.columns) or not _CELLS.issuperset(map(type, row)):
            raise self.damaged(f"{table.member} has a row that does not fit its columns")
        return row

    @contextmanager
    def _opened(self, member: str) -> Iterator[Any]:
        try:
            if self._zipped.getinfo(member).compress_type not in _PACKED:
                raise self.damaged(f"{member} is packed in a way no backup is")
            with self._zipped.open(member) as file:
                yield file
        # RuntimeError: the member has a password.
        except (KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, ValueError) as error:
            raise self.damaged(f"{member} cannot be read") from error

    def _manifest(self) -> Manifest:
        with self._opened(MANIFEST) as file:
            # Never without a limit: a small file may unpack to more than there is memory.
            text = file.read(MOST_AT_ONCE + 1)
        if len(text) > MOST_AT_ONCE:
            raise self.damaged(f"its {MANIFEST} has more than {MOST_AT_ONCE} bytes")
        try:
            found = json.loads(text)
            if isinstance(found, dict) and isinstance(found.get("format"), int) and found["format"] > FORMAT:
                raise StoreError(f"{self._path} was made by a newer program; update the program.")
            manifest = _SHAPE.validate_python(found)
        except (RecursionError, ValidationError, ValueError) as error:
            raise self.damaged(f"its {MANIFEST} says nothing that can be understood") from error
        self._refuse_names(manifest)
        return manifest

    def _refuse_names(self, made: Manifest) -> None:
        """Names become tables, files and lines on a terminal: only those are taken that we give."""
        texts = (made.city, made.time_zone, made.week_start, made.made_at, made.program, *made.migrations)
        if not all(text.isprintable() for text in texts):
            raise self.damaged(f"its {MANIFEST} says nothing that can be printed")
        for snapshot in made.snapshots:
            if not is_snapshot(snapshot.path):
                raise self.damaged(f"{snapshot.path!r} is no place of a snapshot")
        if len({table.name for table in made.tables}) < len(made.tables):
            raise self.damaged(f"its {MANIFEST} names a table twice")
        for table in made.tables:
            is_of_records = table.name.startswith(RECORDS) and _NAME.fullmatch(table.name)
            if table.name not in (*metadata.tables, shapes.name) and not is_of_records:
                raise self.damaged(f"{table.name!r} is no table of ours")
            if not _is_sound(table):
                raise self.damaged(f"{table.name} is described in a way no table can be")


def _is_sound(table: TableMember) -> bool:
    """Whether a table has every column once, and its key and indexes are of columns it has."""
    names = set(table.names)
    return (
        len(names) == len(table.columns)
        and all(_NAME.fullmatch(name) for name in (*names, *table.indexes))
        and all(columns and names.issuperset(columns) for columns in (table.key, *table.indexes.values()))
    )


@contextmanager
def opened(path: Path) -> Iterator[BackupFile]:
    """The backup at `path`, for reading; StoreError where there is none or it is damaged."""
    try:
        with _zip(path) as zipped:
            yield BackupFile(path, zipped)
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}).") from error
    except zipfile.BadZipFile as error:
        raise StoreError(f"{path} is damaged or no backup: {error}; take another backup.") from error


def _zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (NotImplementedError, ValueError) as error:
        raise zipfile.BadZipFile("its list of members cannot be read") from error
