"""Which worker works: one row that a worker renews as long as it lives, and another takes when it has not.

A lease is taken over when it has expired, or at once when the lock file of its holder shows, on the same
machine, that the holder has ended. Whoever lost it finds out at the next `holding`.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, select, update

from store.engine import Clock, StoreError, Writing, from_text, instant_text, reading, writing
from store.schema import lease as _lease

LEASE = timedelta(seconds=30)
"""How long a lease holds without being renewed: several beats, and a clock that is a little off."""

BEAT_SECONDS = 5.0

_PROMPT_SECONDS = 1.0
"""Whoever waited longer for the right to write may have waited for the holder, which could not renew."""


class LeaseLostError(StoreError):
    """Another worker holds the lease; the message says which."""


@dataclass(frozen=True)
class Holder:
    """A worker: a random id, and for people its machine and process."""

    id: str
    host: str
    pid: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@dataclass(frozen=True)
class Lease:
    """Who works, since when, and until when without another word."""

    holder: Holder
    taken_at: datetime
    expires_at: datetime


def this_process() -> Holder:
    """A holder for the worker that asks; every call is another one."""
    return Holder(uuid.uuid4().hex, socket.gethostname(), os.getpid())


def current(connection: Connection) -> Lease | None:
    """The lease as it stands, expired or not; None when nobody has taken it or its holder gave it up."""
    row = connection.execute(select(_lease)).one_or_none()
    if row is None:
        return None
    holder = Holder(row.holder, row.host, row.pid)
    return Lease(holder, from_text(row.taken_at), from_text(row.expires_at))


def take(engine: Engine, clock: Clock, me: Holder, has_ended: Callable[[Holder], bool]) -> Lease:
    """Takes the lease where it is free and gives it as it stands then: with me, or with another.

    Cheap to ask often: as long as another holds it, nothing is written.
    """
    with reading(engine) as connection:
        found = current(connection)
    if found is not None and not _is_free(found, clock(), me, has_ended):
        return found
    began = time.monotonic()
    with writing(engine, clock) as write:
        is_prompt = time.monotonic() - began < _PROMPT_SECONDS
        now, found = from_text(write.now), current(write.connection)
        if found is not None and not _is_free(found, now, me, has_ended, may_expire=is_prompt):
            return found
        taken_at = found.taken_at if found is not None and found.holder == me else now
        made = Lease(me, taken_at, now + LEASE)
        _enter(write, made)
        return made


@contextmanager
def holding(engine: Engine, clock: Clock, me: Holder) -> Iterator[Writing]:
    """A write transaction that only the holder of the lease may begin, and that renews it.

    Raises LeaseLostError, with nothing written, when another has taken it.
    """
    with writing(engine, clock) as write:
        expires = instant_text(from_text(write.now) + LEASE)
        statement = update(_lease).where(_lease.c.holder == me.id).values(expires_at=expires)
        if write.connection.execute(statement).rowcount != 1:
            other = current(write.connection)
            who = f"is with {other.holder}" if other else "was given up"
            raise LeaseLostError(f"The lease of the worker {who}; this worker ({me}) waits.")
        yield write


def release(engine: Engine, clock: Clock, me: Holder) -> None:
    """Gives the lease up, so that the next worker need not wait; nothing where another has it."""
    with writing(engine, clock) as write:
        write.connection.execute(delete(_lease).where(_lease.c.holder == me.id))


@contextmanager
def sign_of_life(folder: Path, me: Holder) -> Iterator[None]:
    """Holds a lock file of `folder` that is free as soon as this process has ended, however it did."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _sign(folder, me)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def has_ended(folder: Path, holder: Holder) -> bool:
    """Whether a worker is known to have ended; False where that cannot be told: on another machine."""
    path = _sign(folder, holder)
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except (FileNotFoundError, BlockingIOError):
        return False


def sweep_signs(folder: Path, me: Holder) -> None:
    """Removes the lock files that workers which were killed have left."""
    for path in folder.glob(_sign(folder, me).name.replace(me.id, "*")):
        holder = Holder(path.stem.removeprefix("worker-"), "", 0)
        if holder.id != me.id and has_ended(folder, holder):
            path.unlink(missing_ok=True)


def _sign(folder: Path, holder: Holder) -> Path:
    return folder / f"worker-{holder.id}.lock"


def _is_free(
    found: Lease,
    now: datetime,
    me: Holder,
    has_ended: Callable[[Holder], bool],
    *,
    may_expire: bool = True,
) -> bool:
    has_expired = may_expire and found.expires_at <= now
    return found.holder == me or has_expired or has_ended(found.holder)


def _enter(write: Writing, made: Lease) -> None:
    write.connection.execute(delete(_lease))
    write.connection.execute(
        insert(_lease).values(
            only=1,
            holder=made.holder.id,
            host=made.holder.host,
            pid=made.holder.pid,
            taken_at=instant_text(made.taken_at),
            expires_at=instant_text(made.expires_at),
        )
    )
