"""How records change: the rows of a run are staged, then merged in one transaction, changed ones only.

Where they go to is said in `store.record_tables`, whose public names are given from here too.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from operator import itemgetter
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    case,
    delete,
    exists,
    func,
    insert,
    inspect,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from metrics.model import Source
from store import corrections
from store.computing import Computing, compute
from store.engine import Clock, StoreError, Writing, keeping, told_when_full, trying, writing
from store.record_tables import (
    RecordTables,
    create_index,
    create_named_index,
    dated_columns,
    day_column,
    held_columns,
    keep_versions,
    prepare,
    record_table,
    replaced_table,
    stage_columns,
    tables_of,
)

__all__ = [
    "Conflict",
    "MergeCounts",
    "Row",
    "Stage",
    "dated_columns",
    "day_column",
    "held_columns",
    "open_keys",
    "prepare",
    "record_table",
    "replaced_table",
    "stage_columns",
    "staging",
    "withdraw",
]

Row = tuple[str | int | float | None, ...]
"""A row in the order of `stage_columns`: plain text, finite numbers and None; a boolean is 0 or 1."""

_KEYS_AT_ONCE = 500


@dataclass(frozen=True)
class Conflict:
    """A staged row that another one of the same key, further down, contradicts and replaces.

    line is where it came from, last where the row came from that counts.
    """

    key: str
    line: int
    last: int
    row: Row


@dataclass(frozen=True)
class MergeCounts:
    """What became of the rows of a stage.

    repeated rows say again what another staged row says; conflicts lost to a later row of their key.
    new + changed + unchanged + repeated + len(conflicts) = rows staged and not taken out again.
    notes: what is told of the run besides.
    """

    new: int
    changed: int
    unchanged: int
    repeated: int
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...] = ()


@contextmanager
def staging(engine: Engine, source: Source) -> Iterator[Stage]:
    """A stage for the rows of one run, on a connection of its own that ends with the block.

    Filling it takes no lock: the write transaction begins with `Stage.writing`.
    """
    with keeping(engine) as connection:
        yield Stage(engine, connection, source)


class Stage:
    """The rows of one run on their way into the records, in a temporary table."""

    def __init__(self, engine: Engine, connection: Connection, source: Source) -> None:
        self.connection = connection
        self._engine = engine
        self._source = source
        self._tables = tables_of(source)
        self._lines = array("q")
        self._marks = array("q")
        self._is_indexed = False
        self._taken_out = 0
        self._sealed: tuple[int, tuple[Conflict, ...]] | None = None
        with connection.begin():
            self._tables.stage.create(connection)
            self._tables.touched.create(connection)

    def add(self, rows: Sequence[Row], lines: Sequence[int] | None = None) -> None:
        """Adds rows, with the line each came from (by default they are counted on from 1).

        Raises StoreError when a row does not fit its columns; nothing of this call is kept then.
        """
        if not rows:
            return
        numbers = range(len(self._lines) + 1, len(self._lines) + len(rows) + 1) if lines is None else lines
        if len(numbers) != len(rows):
            raise ValueError(f"{len(rows)} rows came with {len(numbers)} lines")
        names = stage_columns(self._source)
        try:
            with told_when_full(), self.connection.begin():
                if self.connection.dialect.name == "postgresql":
                    _copy_rows(self.connection, self._tables.stage, names, rows, len(self._lines) + 1)
                else:
                    _insert_rows(self.connection, self._tables.stage, names, rows)
        except (DBAPIError, psycopg.Error, OverflowError) as error:
            raise StoreError(
                f"A row of {self._source.id} does not fit its columns: {_cause(error)}"
            ) from error
        self._lines.extend(numbers)
        self._marks.extend(map(hash, map(itemgetter(names.index(self._source.key)), rows)))

    def compute(self, zone: ZoneInfo) -> Computing:
        """Fills the computed columns, after the last row was added; rows they make unfit leave the stage."""
        with self.connection.begin():
            done = compute(self.connection, self._source, self._tables.stage, zone)
        self._taken_out += len(done.unfit)
        return done

    @contextmanager
    def writing(self, clock: Clock) -> Iterator[Writing]:
        """The write transaction in which to merge; equal keys are sorted out before it begins."""
        self._seal()
        with writing(self._engine, clock, self.connection) as write:
            yield write

    @contextmanager
    def trying(self, clock: Clock) -> Iterator[Writing]:
        """The same, of which nothing is left when it ends."""
        self._seal()
        with trying(self._engine, clock, self.connection) as write:
            yield write

    def missing(self) -> list[str]:
        """The keys that the records hold, not withdrawn, and the stage does not: what an extract lost.

        Asked inside `Stage.writing`.
        """
        self._index_keys()
        records, stage = self._tables.records, self._tables.stage
        key = records.c[self._source.key]
        staged = exists().where(stage.c[self._source.key] == key)
        statement = select(key).where(records.c["_withdrawn_at"].is_(None), ~staged).order_by(key)
        return list(self.connection.execute(statement).scalars())

    def staged(self, keys: Sequence[str]) -> set[str]:
        """Those of some keys, written as text, that are in the stage."""
        if not keys or not len(self._lines):
            return set()
        if len(keys) > _KEYS_AT_ONCE:
            self._index_keys()
        column = self._tables.stage.c[self._source.key]
        is_text = self._source.column(self._source.key).type == "text"
        asked: Sequence[str | int] = keys if is_text else list(_whole_numbers(keys))
        found: set[str] = set()
        for start in range(0, len(asked), _KEYS_AT_ONCE):
            some = select(column).where(column.in_(asked[start : start + _KEYS_AT_ONCE]))
            found |= {str(key) for key in self.connection.execute(some).scalars()}
        return found

    def sample(self, most: int) -> list[Row]:
        """At most so many rows of the stage, evenly taken, in the order of `stage_columns`."""
        if not len(self._lines):
            return []
        every = -(-len(self._lines) // most)
        order, *fields = self._tables.stage.c
        some = select(*fields).where(order % every == 0).order_by(order)
        return [tuple(row) for row in self.connection.execute(some)]

    def recorded(self, keys: Sequence[str | int | float | None]) -> dict[str | int | float | None, str]:
        """Of some keys those that records have, withdrawn or not, and since when they say so."""
        records = self._tables.records
        column, since = records.c[self._source.key], records.c["_recorded_from"]
        found: dict[str | int | float | None, str] = {}
        with self.connection.begin():
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = select(column, since).where(column.in_(keys[start : start + _KEYS_AT_ONCE]))
                found |= {row[0]: row[1] for row in self.connection.execute(some)}
        return found

    def merge(self, write: Writing, run_id: int) -> MergeCounts:
        """Brings the records up to the staged rows; only rows that differ are written.

        Where a key was staged more than once its last row counts. Cells that were corrected are kept so as
        long as the source repeats what was wrong (`store.corrections`). The replaced version of a changed
        row is kept; a withdrawn row that is back is changed. Runs inside `Stage.writing`.
        """
        if write.connection is not self.connection:
            raise ValueError("a stage merges in its own transaction, which begins with Stage.writing")
        repeated, conflicts = self._seal()
        staged = len(self._lines) - self._taken_out - repeated - len(conflicts)
        if _is_empty(self.connection, self._tables.records):
            _first_load(write, self._source, self._tables, run_id)
            return MergeCounts(staged, 0, 0, repeated, conflicts)
        held = corrections.hold(write, self._source, self._tables.stage)
        new, changed = _load_differences(write, self._source, self._tables, run_id)
        return MergeCounts(new, changed, staged - new - changed, repeated, conflicts, held.notes)

    def _seal(self) -> tuple[int, tuple[Conflict, ...]]:
        if self._sealed is None:
            begun = self.connection.in_transaction()
            with nullcontext() if begun else self.connection.begin():
                self._sealed = self._sort_out_repeats()
        return self._sealed

    def _sort_out_repeats(self) -> tuple[int, tuple[Conflict, ...]]:
        """What `_sort_out_repeats` says, without asking it where no two keys have the same hash."""
        if self.connection.dialect.name == "postgresql":
            self.connection.exec_driver_sql(f"ANALYZE {self._tables.stage.name}")
        marks = np.sort(self._marks)
        if not (marks[1:] == marks[:-1]).any():
            return 0, ()
        self._index_keys()
        return _sort_out_repeats(self.connection, self._source, self._tables, self._lines)

    def _index_keys(self) -> None:
        if not self._is_indexed:
            create_index(self.connection, self._tables.stage, self._source.key)
            self._is_indexed = True


def open_keys(connection: Connection, source: Source) -> list[str]:
    """The keys of records, not withdrawn, whose `closed` column is empty, in order, as text.

    None of them where the source names no such column or was never prepared.
    """
    if source.closed is None or source.closed not in held_columns(connection, source):
        return []
    table = record_table(source)
    is_open = table.c["_withdrawn_at"].is_(None) & table.c[source.closed].is_(None)
    statement = select(table.c[source.key]).where(is_open).order_by(table.c[source.key])
    return [str(key) for key in connection.execute(statement).scalars()]


def withdraw(write: Writing, source: Source, keys: Sequence[str], run_id: int) -> int:
    """Marks records that their source no longer has, keeping what they said; gives how many were marked.

    Keys that are not held, or are withdrawn already, are passed over.
    """
    tables = tables_of(source)
    key, withdrawn_at = tables.records.c[source.key], tables.records.c["_withdrawn_at"]
    marked = 0
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        gone = key.in_(keys[start : start + _KEYS_AT_ONCE]) & withdrawn_at.is_(None)
        keep_versions(write, tables, gone)
        marks = {"_withdrawn_at": write.now, "_recorded_from": write.now, "_run": run_id}
        marked += write.connection.execute(update(tables.records).where(gone).values(marks)).rowcount
    return marked


# --- filling a stage -----------------------------------------------------------------------------


def _insert_rows(connection: Connection, stage: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """`_order` is SQLite's own row number, which counts on from the highest."""
    quote = connection.dialect.identifier_preparer.quote
    columns, marks = ", ".join(map(quote, names)), ", ".join("?" * len(names))
    statement = f"INSERT INTO {stage.name} ({columns}) VALUES ({marks})"
    connection.exec_driver_sql(statement, rows if isinstance(rows, list) else list(rows))


def _copy_rows(
    connection: Connection, stage: Table, names: Sequence[str], rows: Sequence[Row], first: int
) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, ("_order", *names)))
    with (
        closing(connection.connection.cursor()) as cursor,
        cursor.copy(f"COPY {stage.name} ({columns}) FROM STDIN".encode()) as copy,
    ):
        for order, row in enumerate(rows, first):
            copy.write_row((order, *row))


def _sort_out_repeats(
    connection: Connection, source: Source, tables: RecordTables, lines: Sequence[int]
) -> tuple[int, tuple[Conflict, ...]]:
    """Leaves the last row of each key in the stage: how many others repeat it, which contradict it."""
    stage = tables.stage
    if not _remember_last(connection, stage.c[source.key], tables):
        return 0, ()
    last, earlier = stage.alias("last"), stage.alias("earlier")
    # No index answers an expression: else SQLite goes from each row of a key to all others of it.
    key = func.coalesce(last.c[source.key], last.c[source.key])
    pairs = tables.touched.join(last, last.c["_order"] == tables.touched.c["_order"]).join(
        earlier, (earlier.c[source.key] == key) & (earlier.c["_order"] < last.c["_order"])
    )
    names = stage_columns(source)
    differs = or_(*(earlier.c[name].is_distinct_from(last.c[name]) for name in names))
    found = connection.execute(
        select(earlier, last.c["_order"]).select_from(pairs).where(differs).order_by(earlier.c["_order"])
    )
    key_at = 1 + names.index(source.key)
    conflicts = tuple(
        Conflict(str(row[key_at]), lines[row[0] - 1], lines[row[-1] - 1], tuple(row[1:-1])) for row in found
    )
    lost = select(earlier.c["_order"]).select_from(pairs)
    removed = connection.execute(delete(stage).where(stage.c["_order"].in_(lost))).rowcount
    return removed - len(conflicts), conflicts


def _remember_last(connection: Connection, key: ColumnElement, tables: RecordTables) -> int:
    """Notes in `touched` the last row of every key staged more than once; gives how many there are."""
    last = select(func.max(tables.stage.c["_order"]), literal(0)).group_by(key).having(func.count() > 1)
    connection.execute(insert(tables.touched).from_select(["_order", "is_new"], last))
    return connection.execute(select(func.count()).select_from(tables.touched)).scalar_one()


# --- merging -------------------------------------------------------------------------------------


def _is_empty(connection: Connection, table: Table) -> bool:
    return connection.execute(select(literal(1)).select_from(table).limit(1)).first() is None


def _first_load(write: Writing, source: Source, tables: RecordTables, run_id: int) -> None:
    """Everything at once into the empty table; its indexes are built when it is full."""
    connection, records = write.connection, tables.records
    quote = connection.dialect.identifier_preparer.quote
    there = [
        (str(index["name"]), tuple(map(str, index["column_names"])))
        for index in inspect(connection).get_indexes(records.name)
    ]
    for name, _ in there:
        connection.exec_driver_sql(f"DROP INDEX {quote(name)}")
    _insert_new(write, source, tables, run_id, None)
    for name, columns in there:
        create_named_index(connection, records, name, columns)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {connection.dialect.identifier_preparer.format_table(records)}")


def _load_differences(write: Writing, source: Source, tables: RecordTables, run_id: int) -> tuple[int, int]:
    """Finds the rows that differ once, in `touched`, and does the rest with those alone."""
    connection, touched = write.connection, tables.touched
    connection.execute(delete(touched))
    connection.execute(insert(touched).from_select(["_order", "is_new"], _differences(source, tables)))
    changed = touched.c.is_new == 0
    keep_versions(write, tables, tables.records.c[source.key].in_(_touched_keys(source, tables, changed)))
    _replace_changed(write, source, tables, run_id, changed)
    _insert_new(write, source, tables, run_id, touched.c.is_new == 1)
    total, new = connection.execute(select(func.count(), func.sum(touched.c.is_new))).one()
    return new or 0, total - (new or 0)


def _differences(source: Source, tables: RecordTables) -> Select:
    records, stage = tables.records, tables.stage
    key = records.c[source.key]
    said = [name for name in stage_columns(source) if name != source.key]
    differs = or_(
        key.is_(None),
        records.c["_withdrawn_at"].is_not(None),
        *(records.c[name].is_distinct_from(stage.c[name]) for name in said),
    )
    joined = stage.outerjoin(records, key == stage.c[source.key])
    is_new = case((key.is_(None), 1), else_=0)
    return select(stage.c["_order"], is_new).select_from(joined).where(differs)


def _touched_keys(source: Source, tables: RecordTables, which: ColumnElement[bool]) -> Select:
    stage, touched = tables.stage, tables.touched
    joined = touched.join(stage, stage.c["_order"] == touched.c["_order"])
    return select(stage.c[source.key]).select_from(joined).where(which)


def _insert_new(
    write: Writing, source: Source, tables: RecordTables, run_id: int, which: ColumnElement[bool] | None
) -> None:
    stage, touched = tables.stage, tables.touched
    names = stage_columns(source)
    rows = select(*(stage.c[name] for name in names), literal(write.now), literal(run_id))
    if which is not None:
        joined = touched.join(stage, stage.c["_order"] == touched.c["_order"])
        rows = rows.select_from(joined).where(which)
    statement = insert(tables.records).from_select([*names, "_recorded_from", "_run"], rows)
    write.connection.execute(statement)


def _replace_changed(
    write: Writing, source: Source, tables: RecordTables, run_id: int, changed: ColumnElement[bool]
) -> None:
    records, stage, touched = tables.records, tables.stage, tables.touched
    values: dict[str, ColumnElement] = {
        name: stage.c[name] for name in stage_columns(source) if name != source.key
    }
    values |= {"_recorded_from": literal(write.now), "_withdrawn_at": null(), "_run": literal(run_id)}
    statement = (
        update(records)
        .values(values)
        .where(
            records.c[source.key] == stage.c[source.key], stage.c["_order"] == touched.c["_order"], changed
        )
    )
    write.connection.execute(statement)


def _whole_numbers(keys: Sequence[str]) -> Iterator[int]:
    """The keys that a column of whole numbers can hold."""
    for key in keys:
        if key.removeprefix("-").isdecimal() and -(2**63) <= int(key) < 2**63:
            yield int(key)


def _cause(error: Exception) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(original).split())
