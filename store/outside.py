"""Databases of others: read and never written, a page of rows after the last row of the page before."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlglot
from sqlalchemy import (
    BigInteger,
    ColumnClause,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    NullPool,
    Select,
    and_,
    bindparam,
    column,
    create_engine,
    event,
    false,
    func,
    literal_column,
    make_url,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlglot import exp
from sqlglot.errors import SqlglotError

from store.engine import StoreError

ROWS_AT_ONCE = 2000
"""How many rows of a cursor the server hands over at a time."""

_AT_CONNECT = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA busy_timeout = {milliseconds}"),
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET statement_timeout = {milliseconds}",
    ),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time = {milliseconds}"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_statement_time = {seconds}"),
    "mssql": ("SET LOCK_TIMEOUT {milliseconds}",),
}
"""What makes a session read-only and impatient, where the engine has words for it."""

_AT_BEGIN = {"oracle": "SET TRANSACTION READ ONLY"}
_PATIENCE = {"pyodbc": ("timeout", 1), "oracledb": ("call_timeout", 1000)}
"""The drivers whose connections have a patience of their own: the attribute, and its parts of a second."""

_NAMES_OF_DIALECTS = {"postgresql": "postgres", "mssql": "tsql", "mariadb": "mysql"}
_WRITES = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock)
_STEPS_BETWEEN_LOOKS = 20_000


class OutsideError(StoreError):
    """Another database cannot be read; one line without its password. passing: asking again may help."""

    def __init__(self, message: str, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


@dataclass(frozen=True)
class Condition:
    """A column held against a value: operator is >=, <=, <, >, or "is" and "is not" with value None."""

    column: str
    operator: str
    value: Any = None


Conditions = Sequence[Condition]
"""Conditions that all hold."""


class Outside:
    """One table or query of another database; every question has a transaction of its own, rolled back.

    address: a URL of SQLAlchemy. given: the name of a table as the database spells it, its schema before a
    point, or one SELECT. seconds: how long a question may take. Raises OutsideError.
    """

    def __init__(self, address: str, given: str, *, is_query: bool, seconds: int) -> None:
        self._url = _url(address)
        self._seconds = seconds
        schema, _, name = given.strip().rpartition(".")
        backend = self._url.get_backend_name()
        self._from = _subquery(given, backend) if is_query else table(name, schema=schema or None)
        self._engine = _engine(self._url, seconds)

    @property
    def mark(self) -> str:
        """A short text that differs for different databases; nothing can be read from it."""
        place = repr((self._url.get_backend_name(), self._url.host, self._url.port, self._url.database))
        return hashlib.sha256(place.encode()).hexdigest()[:16]

    def names(self) -> list[str]:
        """The names of the columns."""
        with self._asked() as connection:
            return list(connection.execute(self._select([literal_column("*")]).where(false())).keys())

    def newest(self, name: str, conditions: Conditions = ()) -> Any:
        """The largest value of a column; None where there is none."""
        with self._asked() as connection:
            return connection.execute(self._select([func.max(column(name))], conditions)).scalar()

    def count(self, conditions: Conditions = ()) -> int:
        """How many rows there are."""
        with self._asked() as connection:
            return int(connection.execute(self._select([func.count()], conditions)).scalar_one())

    def page(
        self,
        names: Sequence[str],
        conditions: Conditions,
        order: Sequence[str],
        after: Sequence[Any] | None,
        limit: int,
    ) -> list[tuple[Any, ...]]:
        """Up to `limit` rows of the columns `names` by `order`, those after a position in it where given."""
        statement = self._select([column(name) for name in names], conditions)
        statement = statement.order_by(*map(column, order)).limit(limit)
        if after is not None:
            statement = statement.where(_behind(order, after))
        with self._asked() as connection:
            return [tuple(row) for row in _streamed(connection, statement)]

    def values(self, name: str) -> Iterator[Any]:
        """Every value of a column, in no order, without holding all of them."""
        with self._asked() as connection:
            for row in _streamed(connection, self._select([column(name)])):
                yield row[0]

    def _select(self, what: Sequence[Any], conditions: Conditions = ()) -> Select[Any]:
        return select(*what).select_from(self._from).where(*map(_clause, conditions))

    @contextmanager
    def _asked(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise OutsideError(self._told(error.orig or error), error.connection_invalidated) from error
        except SQLAlchemyError as error:
            raise OutsideError(self._told(error)) from error

    def _told(self, error: BaseException) -> str:
        said = " ".join(str(error).split())
        if self._url.password:
            said = said.replace(str(self._url.password), "***")
        return f"The database answered: {said}. A question may take {self._seconds} seconds."


def refuse_writing(query: str, backend: str) -> None:
    """OutsideError unless `query` is one SELECT that neither changes nor locks anything.

    What functions it calls do is for the account's rights: give one that may only read.
    """
    name = _NAMES_OF_DIALECTS.get(backend, backend)
    dialect = name if name in {one.value for one in sqlglot.Dialects} else None
    try:
        found = sqlglot.parse(query, dialect)
    except SqlglotError as error:
        raise OutsideError(f"the query cannot be understood ({' '.join(str(error).split())})") from error
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        raise OutsideError("the query is not one SELECT and nothing else")
    writing = [node for node in found[0].walk() if isinstance(node, _WRITES)]
    if writing:
        raise OutsideError(f"the query does more than read ({type(writing[0]).__name__.upper()})")


def _subquery(query: str, backend: str) -> Any:
    """A query in the place of a table; its colons are no parameters, and it may end in a comment."""
    refuse_writing(query, backend)
    plain = query.strip().rstrip(";").replace(":", "\\:")
    return text(f"({plain}\n) given")


def _url(address: str) -> URL:
    try:
        kind, mark, rest = address.partition("://")
        url = make_url(f"{kind.lower()}{mark}{rest}")
    except (ArgumentError, ValueError):
        raise OutsideError(
            "it is no address of a database; give one like postgresql://user:password@host:5432/name"
        ) from None
    plain = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
    url = url.set(drivername=plain.get(url.drivername, url.drivername))
    is_file = url.get_backend_name() == "sqlite" and url.database and not url.database.startswith("file:")
    if is_file and not Path(str(url.database)).is_file():
        raise OutsideError(f"there is no file {url.database}")
    return url


def _engine(url: URL, seconds: int) -> Engine:
    backend = url.get_backend_name()
    try:
        engine = create_engine(url, poolclass=NullPool)
    except NoSuchModuleError:
        raise OutsideError(f"nothing here knows databases of the kind {backend}") from None
    except ImportError as error:
        raise OutsideError(
            f"the driver of {backend} is not installed; run: python -m pip install {error.name}"
        ) from None
    except (ArgumentError, ValueError):
        raise OutsideError("its address has a port or a parameter that nothing here knows") from None

    @event.listens_for(engine, "connect")
    def restrain(raw: Any, _record: object) -> None:
        attribute, parts = _PATIENCE.get(engine.driver, ("", 1))
        if attribute:
            setattr(raw, attribute, seconds * parts)
        cursor = raw.cursor()
        for words in _AT_CONNECT.get(backend, ()):
            cursor.execute(words.format(seconds=seconds, milliseconds=seconds * 1000))
        cursor.close()
        raw.commit()
        if backend == "sqlite":
            ends = time.monotonic() + seconds
            raw.set_progress_handler(lambda: time.monotonic() > ends, _STEPS_BETWEEN_LOOKS)
            raw.text_factory = _lossless

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if backend in _AT_BEGIN:
            connection.exec_driver_sql(_AT_BEGIN[backend])

    return engine


def _lossless(raw: bytes) -> str:
    """Text of a SQLite file; bytes that are no UTF-8 stay visible, so that their row alone is refused."""
    return raw.decode("utf-8", "surrogateescape")


def _streamed(connection: Connection, statement: Select[Any]) -> Any:
    return connection.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE})


def _behind(order: Sequence[str], position: Sequence[Any]) -> ColumnElement[bool]:
    """What comes after a position: after its first value, or at it and behind in the columns that follow."""
    first: ColumnClause[Any] = column(order[0])
    value = _bound(position[0])
    if len(order) == 1:
        return first > value
    rest = _behind(order[1:], position[1:])
    # The first term alone says nothing new; it is the one an index can be walked by.
    return and_(first >= value, or_(first > value, and_(first == value, rest)))


def _clause(condition: Condition) -> ColumnElement[bool]:
    here: ColumnClause[Any] = column(condition.column)
    if condition.value is None:
        return here.is_(None) if condition.operator == "is" else here.is_not(None)
    return here.op(condition.operator, is_comparison=True)(_bound(condition.value))


def _bound(value: Any) -> Any:
    """A bound value of the type it came in: one with a time zone must not lose it on the way back."""
    if isinstance(value, datetime):
        return bindparam(None, value, DateTime(timezone=value.tzinfo is not None))
    return bindparam(None, value, BigInteger() if isinstance(value, int) else None)
