"""The tables of a source's records: what they are called, what columns they have, how they grow.

A source has two tables. `records_<source>` holds the current version of each key, withdrawn ones
marked by `_withdrawn_at`; `records_<source>_replaced` holds the earlier versions. A version was known
from its `_recorded_from` until its `_recorded_to`, which is the `_recorded_from` of the next one; a
withdrawal is a version too.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    insert,
    inspect,
    literal,
    select,
)
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import TypeEngine

from metrics.model import Catalogue, Source
from store.engine import StoreError, Writing
from store.schema import PlainText

_WholeNumber: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
_Number: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
_TYPES: dict[str, TypeEngine] = {
    "text": PlainText,
    "integer": _WholeNumber,
    "number": _Number,
    "instant": PlainText,
    "day": PlainText,
    "boolean": Integer(),
}
_LONGEST_NAME = 63

RECORDS = "records_"
"""How the names of all tables of records begin."""

shapes = Table(
    "record_columns",
    MetaData(),
    Column("source", PlainText, primary_key=True),
    Column("name", PlainText, primary_key=True),
    Column("type", PlainText, nullable=False),
    Column("is_key", Integer, nullable=False),
    sqlite_strict=True,
)
"""What every column was declared as when it was made: text and day look alike to a database."""


@dataclass(frozen=True)
class RecordTables:
    """The tables of one source; stage and touched are the temporary ones of a run."""

    records: Table
    replaced: Table
    stage: Table
    touched: Table


def record_table(source: Source) -> Table:
    """The current versions of a source, one row per key; a later call gives the same object."""
    return tables_of(source).records


def replaced_table(source: Source) -> Table:
    """The earlier versions of a source, one row per key and `_recorded_from`."""
    return tables_of(source).replaced


def stage_columns(source: Source) -> tuple[str, ...]:
    """The names of a staged row's fields: each declared column, an instant's followed by its local day."""
    return tuple(name for name, _ in _physical(_shape(source)))


def day_column(source: Source, name: str) -> str:
    """The column that holds the local day of a column declared as instant or day."""
    return f"{name}_day" if source.column(name).type == "instant" else name


def dated_columns(catalogue: Catalogue, source: Source) -> tuple[str, ...]:
    """The instants and days of a source that the city's metrics count by, sorted."""
    names = {
        name
        for metric in catalogue.live_metrics()
        if metric.source == source.id
        for name in (metric.date, metric.until)
    }
    dates = {column.name for column in source.columns if column.type in ("instant", "day")}
    return tuple(sorted(dates & names))


def prepare(connection: Connection, source: Source, dated_columns: Iterable[str] = ()) -> None:
    """Makes the tables of a source, adds columns and indexes they lack; does nothing when all is there.

    dated_columns are the declared instants and days that metrics count by; the arrival column is
    indexed with them. Runs inside the caller's write transaction. Raises StoreError for names no
    database holds and for a column whose type, or a source whose key, is not what it was.
    """
    _refuse_names(source)
    tables = tables_of(source)
    held = _held(connection, source)
    _refuse_changes(source, held)
    if not held:
        tables.records.create(connection)
        tables.replaced.create(connection)
    _add_columns(connection, source, tables, held)
    _add_indexes(connection, _indexes(source, tables, dated_columns))


def held_columns(connection: Connection, source: Source) -> frozenset[str]:
    """The declared columns the tables of a source have, empty when the source was never prepared."""
    return frozenset(_held(connection, source))


def all_held_tables(connection: Connection) -> list[Table]:
    """The two tables of every source whose records were ever kept, whether or not a catalogue knows it."""
    inspector = inspect(connection)
    if not inspector.has_table(shapes.name):
        return []
    held: dict[str, dict[str, tuple[str, bool]]] = {}
    for row in connection.execute(select(shapes).order_by(shapes.c.source)):
        held.setdefault(row.source, {})[row.name] = (row.type, bool(row.is_key))
    found = []
    for source, columns in held.items():
        order = [column["name"] for column in inspector.get_columns(f"{RECORDS}{source}")]
        shape = tuple((name, columns[name][0]) for name in sorted(columns, key=order.index))
        key = next(name for name, (_, is_key) in columns.items() if is_key)
        tables = _tables(source, key, shape)
        found += [tables.records, tables.replaced]
    return found


def are_sound(connection: Connection, columns: Mapping[str, Collection[str]]) -> bool:
    """Whether `all_held_tables` can be asked: every source has tables with its columns, and one key.

    columns are those of every table there is, by its name.
    """
    if shapes.name not in columns:
        return True
    held: dict[str, list[tuple[str, str]]] = {}
    keys: Counter[str] = Counter()
    for source, name, kind, is_key in connection.execute(select(shapes)):
        held.setdefault(source, []).append((name, kind))
        keys[source] += bool(is_key)
    return all(keys[source] == 1 and _is_held(source, shape, columns) for source, shape in held.items())


def _is_held(source: str, shape: list[tuple[str, str]], columns: Mapping[str, Collection[str]]) -> bool:
    names = [name for name, _ in _physical(tuple(shape))]
    there = [columns.get(f"{RECORDS}{source}{ending}", ()) for ending in ("", "_replaced")]
    return (
        all(kind in _TYPES for _, kind in shape)
        and len(set(names)) == len(names)
        and not any(name.startswith("_") for name in names)
        and all(name in table for name in names for table in there)
    )


def keep_versions(write: Writing, tables: RecordTables, which: ColumnElement[bool]) -> None:
    """Copies current versions to the replaced ones, known until now."""
    records, replaced = tables.records, tables.replaced
    names = [column.name for column in records.c]
    versions = select(*(records.c[name] for name in names), literal(write.now)).where(which)
    write.connection.execute(insert(replaced).from_select([*names, "_recorded_to"], versions))


# --- shapes and tables ---------------------------------------------------------------------------

_Shape = tuple[tuple[str, str], ...]


def _shape(source: Source) -> _Shape:
    """A district is kept as the text of its id, so that a column of names may become one of districts."""
    return tuple(
        (column.name, "text" if column.type == "district" else column.type) for column in source.columns
    )


def _physical(shape: _Shape) -> Iterator[tuple[str, str]]:
    for name, kind in shape:
        yield name, kind
        if kind == "instant":
            yield f"{name}_day", "day"


def tables_of(source: Source) -> RecordTables:
    """All tables of a source, for `store.records`."""
    return _tables(source.id, source.key, _shape(source))


@lru_cache(maxsize=256)
def _tables(source_id: str, key: str, shape: _Shape) -> RecordTables:
    def columns() -> list[Column]:
        return [Column(name, _TYPES[kind], nullable=name != key) for name, kind in _physical(shape)]

    def versions() -> list[Column]:
        return [
            *columns(),
            Column("_recorded_from", PlainText, nullable=False),
            Column("_withdrawn_at", PlainText),
            Column("_run", _WholeNumber, nullable=False),
        ]

    metadata = MetaData()
    name = f"{RECORDS}{source_id}"
    until = Column("_recorded_to", PlainText, nullable=False)
    return RecordTables(
        records=Table(name, metadata, *versions(), PrimaryKeyConstraint(key), sqlite_strict=True),
        replaced=Table(
            f"{name}_replaced",
            metadata,
            *versions(),
            until,
            PrimaryKeyConstraint(key, "_recorded_from"),
            sqlite_strict=True,
        ),
        stage=_temporary("stage", metadata, *columns()),
        touched=_temporary("touched", metadata, Column("is_new", Integer, nullable=False)),
    )


def _temporary(name: str, metadata: MetaData, *columns: Column) -> Table:
    order = Column("_order", _WholeNumber, primary_key=True, autoincrement=False)
    return Table(f"_{name}", metadata, order, *columns, prefixes=["TEMPORARY"], sqlite_strict=True)


def _refuse_names(source: Source) -> None:
    if source.id.endswith("_replaced"):
        raise StoreError(f"sources/{source.id}.toml: an id may not end in _replaced; give it another.")
    names = stage_columns(source)
    twice = sorted({name for name in names if names.count(name) > 1 or name.startswith("_")})
    if twice:
        raise StoreError(
            f"sources/{source.id}.toml: the column name {twice[0]} is taken (an instant `x` has its day in "
            "`x_day`, names that begin with _ are ours); rename the column."
        )
    longest = max((f"{RECORDS}{source.id}_replaced", *names), key=len)
    if len(longest) > _LONGEST_NAME:
        raise StoreError(
            f"sources/{source.id}.toml: {longest} is longer than the {_LONGEST_NAME} characters a database "
            "allows; shorten the id of the source or the column."
        )


def _held(connection: Connection, source: Source) -> dict[str, tuple[str, bool]]:
    if not inspect(connection).has_table(shapes.name):
        return {}
    statement = select(shapes).where(shapes.c.source == source.id)
    return {row.name: (row.type, bool(row.is_key)) for row in connection.execute(statement)}


def _refuse_changes(source: Source, held: dict[str, tuple[str, bool]]) -> None:
    for name, (_, was_key) in held.items():
        if was_key and name != source.key:
            raise StoreError(
                f"sources/{source.id}.toml: the key was {name} when its records were loaded and is now "
                f"{source.key}; put it back, or give the source a new id."
            )
    for name, kind in _shape(source):
        if name in held and held[name][0] != kind:
            raise StoreError(
                f"sources/{source.id}.toml: the column {name} was {held[name][0]} when its records were "
                f"loaded and is now {kind}; put it back, or give the column a new name (with the old one "
                "among its aliases)."
            )


def _add_columns(
    connection: Connection, source: Source, tables: RecordTables, held: dict[str, tuple[str, bool]]
) -> None:
    missing = tuple((name, kind) for name, kind in _shape(source) if name not in held)
    if not missing:
        return
    if held:
        for table in (tables.records, tables.replaced):
            for name, _ in _physical(missing):
                connection.exec_driver_sql(_add_column(connection, table, name))
    shapes.create(connection, checkfirst=True)
    rows = [
        {"source": source.id, "name": name, "type": kind, "is_key": int(name == source.key)}
        for name, kind in missing
    ]
    connection.execute(insert(shapes), rows)


def _add_column(connection: Connection, table: Table, name: str) -> str:
    column = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
    return f"ALTER TABLE {connection.dialect.identifier_preparer.format_table(table)} ADD COLUMN {column}"


def _indexes(
    source: Source, tables: RecordTables, dated_columns: Iterable[str]
) -> list[tuple[Table, tuple[str, ...]]]:
    """What is looked for: versions that came or went since, and the records of a day by key."""
    dated = {*dated_columns, *([source.arrival] if source.arrival else [])}
    days = sorted(day_column(source, name) for name in dated)
    return [
        (tables.replaced, ("_recorded_to",)),
        (tables.records, ("_recorded_from",)),
        *((tables.records, (name, source.key)) for name in days if name != source.key),
    ]


def _add_indexes(connection: Connection, wanted: list[tuple[Table, tuple[str, ...]]]) -> None:
    inspector = inspect(connection)
    for table in {table.name: table for table, _ in wanted}.values():
        there = {index["name"] for index in inspector.get_indexes(table.name)}
        for columns in (columns for owner, columns in wanted if owner is table):
            if _index_name(table, columns) not in there:
                create_named_index(connection, table, _index_name(table, columns), columns)


def create_index(connection: Connection, table: Table, name: str) -> None:
    """Indexes one column of a table, temporary or not."""
    create_named_index(connection, table, _index_name(table, (name,)), (name,))


def create_named_index(connection: Connection, table: Table, name: str, columns: Iterable[str]) -> None:
    """Indexes columns of a table under a name."""
    quote = connection.dialect.identifier_preparer
    connection.exec_driver_sql(
        f"CREATE INDEX {quote.quote(name)} "
        f"ON {quote.format_table(table)} ({', '.join(map(quote.quote, columns))})"
    )


def _index_name(table: Table, columns: tuple[str, ...]) -> str:
    full = f"{table.name}_by_{'_and_'.join(name.strip('_') for name in columns)}"
    if len(full) <= _LONGEST_NAME:
        return full
    return f"by_{hashlib.sha256(full.encode()).hexdigest()[:24]}"
