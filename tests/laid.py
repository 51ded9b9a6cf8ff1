"""A migrated database in a moment: the first of its kind is migrated, each later one is a copy of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from metrics.model import City
from store import migrations
from store.engine import Clock

TO_BE_MADE: dict[str, URL] = {}
"""The PostgreSQL databases that a test has the address of and that `lay` makes, and where, by their names."""

NEW = "CREATE DATABASE {} TEMPLATE template0 STRATEGY file_copy"
"""Without the strategy every page goes through the log, which costs three times as much."""

Kind = tuple[URL | None, str, str, tuple[str, ...]]
"""Migrated databases are alike when their server, city, first instant and migrations are."""

_kept: dict[Kind, tuple[bytes | str, int]] = {}
"""A file or the name of a database, and how often the clock was read to make it."""


def lay(engine: Engine, city: City, clock: Clock) -> None:
    """Does what `migrate` does, by a copy where an empty database of this kind was migrated before.

    For clocks that go on alike from the same instant; they are read as often either way.
    """
    server = TO_BE_MADE.pop(str(engine.url.database), None)
    if server is None and not _is_new_file(engine.url):
        migrations.migrate(engine, city, clock)
        return
    began = clock()
    kind = (server, repr(city), began.isoformat(), tuple(name for name, _ in migrations.MIGRATIONS))
    if kind not in _kept:
        if server is not None:
            on_server(server, NEW, str(engine.url.database))
        readings = _migrate(engine, city, clock, began)
        _kept[kind] = (_keep(engine.url, server), readings)
        return
    kept, readings = _kept[kind]
    _copy(kept, engine.url, server)
    for _ in range(1, readings):
        clock()


def forget(server: URL) -> None:
    """Drops the databases that are kept on a server."""
    for kind in [one for one in _kept if one[0] == server]:
        kept, _ = _kept.pop(kind)
        on_server(server, "DROP DATABASE {}", str(kept))


def on_server(server: URL, statement: str, *names: str) -> None:
    """Runs a statement about databases; each {} in it is one of the names."""
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _is_new_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()


def _migrate(engine: Engine, city: City, clock: Clock, began: datetime) -> int:
    """Migrates it as from the instant that was read already; gives how often the clock was read."""
    readings = 0

    def from_then_on() -> datetime:
        nonlocal readings
        readings += 1
        return began if readings == 1 else clock()

    migrations.migrate(engine, city, from_then_on)
    engine.dispose()
    return readings


def _keep(url: URL, server: URL | None) -> bytes | str:
    if server is None:
        return Path(str(url.database)).read_bytes()
    name = f"laid_{uuid.uuid4().hex}"
    on_server(server, "CREATE DATABASE {} TEMPLATE {}", name, str(url.database))
    return name


def _copy(kept: bytes | str, url: URL, server: URL | None) -> None:
    if isinstance(kept, bytes):
        Path(str(url.database)).write_bytes(kept)
    elif server is not None:
        on_server(server, "CREATE DATABASE {} TEMPLATE {}", str(url.database), kept)
