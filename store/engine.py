"""How the product opens its database: one snapshot to read, one writer at a time, one clock.

Everything that reads does so inside `reading`, everything that writes inside `writing`; nothing else
begins a transaction, save a stage filling its own temporary table (`store.records`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from store.schema import house

Clock = Callable[[], datetime]
"""Gives the present instant, with its time zone."""

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
BUSY_SECONDS = 60
"""How long a writer waits for the one before it: longer than the largest first load takes."""

CLOCK_SLEW = timedelta(seconds=5)
"""A clock this little behind the last write is being adjusted, not wrong."""

_TICK = timedelta(microseconds=1)
_WRITER_LOCK = 0x63697479
_BEGIN = "begin_as"
_CACHE_KIB = {"plain": 2_000, "read": 8_000, "write": 64_000}
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


class Place(Protocol):
    """The settings that say where a database is."""

    @property
    def data_dir(self) -> Path: ...

    @property
    def database_url(self) -> str: ...


class StoreError(Exception):
    """The store cannot do what was asked; the message is one line that says why and the fix."""


class _UndoneError(Exception):
    """Ends a transaction that was only tried."""


@dataclass(frozen=True)
class Writing:
    """A write transaction under way: `now` is its one instant, as text, later than every earlier one."""

    connection: Connection
    now: str


def system_clock() -> datetime:
    """The present instant of this machine, in UTC."""
    return datetime.now(UTC)


def instant_text(instant: datetime) -> str:
    """The 27 characters that stand for an instant in the store; ValueError when it has no time zone."""
    if instant.tzinfo is None:
        raise ValueError(f"the instant {instant.isoformat()} has no time zone")
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='microseconds')}Z"


def from_text(text: str) -> datetime:
    """The instant that a text of the store stands for; ValueError when it is no such text."""
    return datetime.strptime(text, INSTANT_FORMAT).replace(tzinfo=UTC)


def from_text_or_none(text: str | None) -> datetime | None:
    """The instant that a text says; None for none."""
    return None if text is None else from_text(text)


def database_url(settings: Place, city_id: str) -> str:
    """The address of a city's database: DATABASE_URL, else its SQLite file in DATA_DIR (folder made)."""
    if settings.database_url:
        return settings.database_url
    folder = settings.data_dir / city_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be made ({error.strerror}); set DATA_DIR.") from error
    return URL.create("sqlite", database=str(folder / "cityscore.db")).render_as_string(hide_password=False)


def open_engine(url: str) -> Engine:
    """The engine of a SQLite file or a PostgreSQL database; no connection is made yet.

    Raises StoreError for an address that is neither.
    """
    address = _address(url)
    try:
        if address.get_backend_name() == "sqlite":
            return _sqlite_engine(address)
        return create_engine(address, pool_pre_ping=True, pool_reset_on_return="rollback")
    except (ArgumentError, ImportError, ValueError):
        raise StoreError(
            "DATABASE_URL names a driver, a port or a parameter that nothing here knows; "
            "give one like postgresql://user@host:5432/name."
        ) from None


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read-only transaction that sees the database as it was at one moment: when the block began."""
    with _connected(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.execution_options(**{_BEGIN: "read"})
        else:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with _began(connection):
            connection.exec_driver_sql(_first_look(engine))
            yield connection


@contextmanager
def writing(engine: Engine, clock: Clock, connection: Connection | None = None) -> Iterator[Writing]:
    """The one write transaction of the moment, on a connection of its own or the one given.

    `now` is the clock's instant, moved on by a microsecond where it would not be later than the last
    write (a clock up to CLOCK_SLEW behind is treated so). Raises StoreError when the clock is further
    behind, when the database was never migrated, and when another writer holds it for too long.
    """
    with locked(engine, connection) as held:
        yield Writing(held, _new_instant(held, clock))


@contextmanager
def writing_if_free(engine: Engine) -> Iterator[Connection | None]:
    """A write transaction without an instant, for what may as well be left; None while somebody else writes.

    For what need not be told by its time from other writing.
    """
    with _connected(engine) as connection:
        _wait_for_others(connection, 0)
        connection.execution_options(**{_BEGIN: "write"})
        try:
            with ExitStack() as held:
                yield connection if _is_begun(connection, held) else None
        finally:
            connection.execution_options(**{_BEGIN: "plain"})
            _wait_for_others(connection, BUSY_SECONDS)


@contextmanager
def trying(engine: Engine, clock: Clock, connection: Connection | None = None) -> Iterator[Writing]:
    """A write transaction of which nothing is left when its block ends; else as `writing`."""
    with suppress(_UndoneError), writing(engine, clock, connection) as held:
        yield held
        raise _UndoneError


def moved_on(held: Writing) -> Writing:
    """The same transaction a moment later, for what must be told from what was written in it before."""
    return Writing(held.connection, instant_text(from_text(held.now) + _TICK))


@contextmanager
def keeping(engine: Engine) -> Iterator[Connection]:
    """A connection outside the pool, not in a transaction; its temporary tables end with the block."""
    with _connected(engine) as connection:
        connection.detach()
        with told_when_full():
            yield connection


@contextmanager
def told_when_full() -> Iterator[None]:
    """Raises StoreError where the disk of the database takes no more; other errors pass as they are."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        if not _is_full(original):
            raise
        said = " ".join(str(original).split()).rstrip(".")
        raise StoreError(f"The database cannot be written ({said}); see whether its disk is full.") from error


def forget_deleted(engine: Engine) -> None:
    """Rewrites the database without what was deleted or replaced, which a file otherwise holds for long.

    Raises StoreError while somebody else reads or writes.
    """
    try:
        with keeping(engine) as connection:
            driver: Any = connection.connection.dbapi_connection
            if engine.dialect.name == "postgresql":
                driver.autocommit = True
            driver.execute("VACUUM")
            if engine.dialect.name == "postgresql":
                return
            is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except (DBAPIError, psycopg.Error, sqlite3.OperationalError) as error:
        raise StoreError(f"The database could not be rewritten: {error}; do it again.") from error
    if is_busy:
        raise StoreError("The database is being read, and its log could not be emptied; do it again.")


@contextmanager
def locked(engine: Engine, connection: Connection | None = None) -> Iterator[Connection]:
    """A write transaction without an instant, for `store.migrations`, `store.restore` and `writing` alone."""
    if connection is None:
        with _connected(engine) as own, locked(engine, own) as held:
            yield held
        return
    connection.execution_options(**{_BEGIN: "write"})
    try:
        with _began(connection):
            if engine.dialect.name == "postgresql":
                _wait_for_lock(connection)
            yield connection
    finally:
        connection.execution_options(**{_BEGIN: "plain"})


def bump_state(writing: Writing) -> int:
    """Raises the number of the public state by one and gives the new number."""
    statement = update(house).values(state=house.c.state + 1).returning(house.c.state)
    return writing.connection.execute(statement).scalar_one()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # Not even the cause is passed on: it repeats what was written, and a password may be in it.
        raise StoreError(
            "DATABASE_URL is not an address; give one like postgresql://user@host/name."
        ) from None
    backend = address.get_backend_name()
    if backend not in ("sqlite", *_DRIVERS):
        raise StoreError(f"DATABASE_URL begins with {backend}://; only postgresql:// and sqlite:// work.")
    if "@" in (address.host or ""):
        # What follows the first @ would be shown as the host, and is the end of a password.
        raise StoreError("DATABASE_URL has an @ in its name or password; write %40 in place of it.")
    return address.set(drivername=_DRIVERS.get(address.drivername, address.drivername))


def _sqlite_engine(address: URL) -> Engine:
    if not address.database or address.database == ":memory:":
        raise StoreError("A SQLite address needs a file, for example sqlite:///data/city/cityscore.db.")
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver begins and commits transactions by itself, around DDL too, unless told not to.
    connection.isolation_level = None
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: Any) -> None:
    """Two processes that open a new file at once lock each other out here without waiting."""
    deadline = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    begin_as = connection.get_execution_options().get(_BEGIN, "plain")
    if connection.info.get(_BEGIN, "plain") != begin_as:
        connection.exec_driver_sql(f"PRAGMA query_only = {int(begin_as == 'read')}")
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB[begin_as]}")
        connection.info[_BEGIN] = begin_as
    connection.exec_driver_sql("BEGIN IMMEDIATE" if begin_as == "write" else "BEGIN")


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except DBAPIError as error:
        # A parameter may be a password too.
        shown = engine.url.set(query={}).render_as_string()
        why = _without_secrets(_cause(error), engine.url)
        raise StoreError(f"The database {shown} cannot be opened: {why}.") from None
    with connection:
        yield connection


@contextmanager
def _began(connection: Connection) -> Iterator[None]:
    try:
        transaction = connection.begin()
    except OperationalError as error:
        raise StoreError(_why_not_begun(error)) from error
    try:
        with told_when_full(), transaction:
            yield
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise StoreError(f"The database went away: {_cause(error)}; try again when it is back.") from error


def _is_full(error: BaseException | None) -> bool:
    """Whether a driver tells of a disk that is full, or of one that fails, which it cannot always tell."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    return isinstance(error, psycopg.errors.DiskFull)


def _why_not_begun(error: OperationalError) -> str:
    if "locked" in str(error.orig):
        return _too_long()
    return f"The database cannot be used: {_cause(error)}."


def _too_long() -> str:
    return f"Another process has been writing for more than {BUSY_SECONDS} seconds; try again when it ends."


def _cause(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split()).rstrip(".")


def _without_secrets(said: str, address: URL) -> str:
    """What a driver said, without the passwords of an address should it repeat one."""
    query = address.normalized_query.items()
    secrets = [one for name, values in query if "pass" in name.lower() for one in values]
    for secret in filter(None, (address.password, *secrets)):
        said = said.replace(str(secret), "***")
    return said


def _first_look(engine: Engine) -> str:
    """The cheapest statement that makes the engine take its snapshot."""
    return "SELECT 1 FROM sqlite_schema LIMIT 1" if engine.dialect.name == "sqlite" else "SELECT 1"


def _wait_for_lock(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
    try:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
    except OperationalError as error:
        raise StoreError(_too_long()) from error


def _wait_for_others(connection: Connection, seconds: int) -> None:
    """How long a SQLite connection waits for another writer; PostgreSQL is asked for its lock each time."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        driver.execute(f"PRAGMA busy_timeout = {seconds * 1000}")


def _is_begun(connection: Connection, held: ExitStack) -> bool:
    """Begins a write transaction where nobody else has one."""
    try:
        held.enter_context(_began(connection))
    except StoreError:
        return False
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_WRITER_LOCK})").scalar_one())


def _new_instant(connection: Connection, clock: Clock) -> str:
    written = _last_written(connection)
    now, last = clock(), from_text(written)
    if now < last - CLOCK_SLEW:
        raise StoreError(
            f"This machine's clock says {instant_text(now)}, but the database was last written at "
            f"{written}; set the clock right and try again."
        )
    text = instant_text(max(now, last + _TICK))
    connection.execute(update(house).values(last_written_at=text))
    return text


def _last_written(connection: Connection) -> str:
    if inspect(connection).has_table(house.name):
        written = connection.execute(select(house.c.last_written_at)).scalar_one_or_none()
        if written is not None:
            return written
    raise StoreError("The database was never set up; run `python -m store migrate`.")
