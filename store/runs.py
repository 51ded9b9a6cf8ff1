"""The ledger: what every run of every source did, and how far each source is known.

At most one run of a source is under way: whoever starts one holds the lock of ingesting, so a run found
`running` belongs to a process that died.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Select,
    Table,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy import Row as FoundRow

from metrics.model import Knowledge, Source
from store import schema
from store.engine import Clock, StoreError, Writing, from_text_or_none, instant_text, keeping, writing
from store.records import day_column, held_columns, record_table, replaced_table

GOOD_OUTCOMES = ("succeeded", "unchanged")
"""Outcomes after which a source is known further."""

_TURN = 0x72756E
"""Marks the locks of sources among the advisory locks of a PostgreSQL database."""

_PLACE = 0x706C61
"""Marks the places of runs there."""

_runs = schema.runs


class UnderWayError(StoreError):
    """Another run of the source is under way."""

    def __init__(self, source: str) -> None:
        super().__init__(f"Another run of {source} is under way; wait until it has ended.")


class AllUnderWayError(UnderWayError):
    """As many runs of a city are under way as may be at once."""

    def __init__(self, most: int) -> None:
        StoreError.__init__(
            self, f"{most} runs are under way, as many as RUNS_AT_ONCE allows; wait until one has ended."
        )


class RunLostError(StoreError):
    """A run is no longer under way, though whoever did it did not end it: nothing of it is kept."""


@dataclass(frozen=True)
class Run:
    """One execution of one source. `read = new + changed + unchanged + rejected` once it is finished.

    outcome: running, succeeded, failed, interrupted or unchanged. known_until and cursor are what
    holds after it, None when it failed. snapshot is the path of the bytes as received, under the
    snapshots of the city.
    """

    id: int
    source: str
    trigger: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    read: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    withdrawn: int
    known_until: datetime | None
    cursor: str | None
    snapshot: str | None
    message: str | None


@contextmanager
def turn(engine: Engine, source: str) -> Iterator[None]:
    """Holds the right to run a source among all machines of one PostgreSQL; it ends with the connection.

    Raises UnderWayError when another has it. A SQLite file belongs to one machine: a lock file does there.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with keeping(engine) as connection:
        key = zlib.crc32(source.encode()) - 2**31
        held = connection.execute(select(func.pg_try_advisory_lock(_TURN, key))).scalar_one()
        connection.commit()
        if not held:
            raise UnderWayError(source)
        yield


@contextmanager
def place(engine: Engine, most: int) -> Iterator[None]:
    """Holds one of the `most` places of runs among all machines of one PostgreSQL, as for `turn`.

    Raises AllUnderWayError when there is none left.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with keeping(engine) as connection:
        tries = (select(func.pg_try_advisory_lock(_PLACE, number)) for number in range(most))
        held = any(connection.execute(one).scalar_one() for one in tries)
        connection.commit()
        if not held:
            raise AllUnderWayError(most)
        yield


def start(engine: Engine, clock: Clock, source: str, trigger: str) -> int:
    """Opens a run of `source` and gives its id; a run a dead process left open is closed as interrupted."""
    with writing(engine, clock) as write:
        return start_within(write, source, trigger)


def start_within(write: Writing, source: str, trigger: str) -> int:
    """Opens a run in the caller's transaction, as `start` does."""
    _interrupt(write, source)
    statement = insert(_runs).values(
        source=source, trigger=trigger, started_at=write.now, outcome="running", **_counts()
    )
    return write.connection.execute(statement.returning(_runs.c.id)).scalar_one()


def finish(
    write: Writing,
    run_id: int,
    *,
    outcome: str = "succeeded",
    read: int | None = None,
    new: int = 0,
    changed: int = 0,
    unchanged: int = 0,
    rejected: int = 0,
    withdrawn: int = 0,
    known_until: datetime | None = None,
    cursor: str | None = None,
    snapshot: str | None = None,
    message: str | None = None,
) -> None:
    """Closes a run that did its work, in the transaction that did it.

    read None is the sum of the counts (withdrawn apart). Raises ValueError when the counts do not add up
    and RunLostError when the run is not open, so that neither is ever written.
    """
    total = new + changed + unchanged + rejected
    if read is not None and read != total:
        raise ValueError(f"{read} rows were read but {total} are accounted for")
    counts = _counts(
        read=total, new=new, changed=changed, unchanged=unchanged, rejected=rejected, withdrawn=withdrawn
    )
    until = None if known_until is None else instant_text(known_until)
    _close(
        write,
        run_id,
        outcome=outcome,
        known_until=until,
        cursor=cursor,
        snapshot=snapshot,
        message=message,
        **counts,
    )


def fail(
    engine: Engine,
    clock: Clock,
    run_id: int,
    message: str,
    *,
    outcome: str = "failed",
    snapshot: str | None = None,
) -> None:
    """Closes a run that came to nothing, in a transaction of its own; outcome is failed or interrupted."""
    with writing(engine, clock) as write:
        _close(write, run_id, outcome=outcome, message=message, snapshot=snapshot, **_counts())


def last_runs(connection: Connection) -> dict[str, Run]:
    """The newest run of every source that ever ran, under way or not."""
    newest = select(func.max(_runs.c.id)).group_by(_runs.c.source)
    found = connection.execute(select(_runs).where(_runs.c.id.in_(newest)).order_by(_runs.c.source))
    return {row.source: run_of(row) for row in found}


def newest_good(connection: Connection) -> int:
    """The number of the newest run of all that did its work; 0 when there is none."""
    newest = select(_runs.c.id).where(_runs.c.outcome.in_(GOOD_OUTCOMES)).order_by(_runs.c.id.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none() or 0


def newest_good_of(
    connection: Connection, source: str, trigger: str, before: datetime | None = None
) -> int | None:
    """The number of the newest run of `source` asked for by `trigger` that did its work; None without one.

    before: only of those that began before an instant.
    """
    asked = [_runs.c.source == source, _runs.c.trigger == trigger, _runs.c.outcome.in_(GOOD_OUTCOMES)]
    if before is not None:
        asked.append(_runs.c.started_at < instant_text(before))
    return connection.execute(select(func.max(_runs.c.id)).where(*asked)).scalar_one()


def has_succeeded_since(connection: Connection, since: datetime, *, source: str, trigger: str) -> bool:
    """Whether a run of `source` that was asked for by `trigger` began since an instant and did its work."""
    return good_run_since(connection, since, source=source, trigger=trigger) is not None


def good_run_since(connection: Connection, since: datetime, *, source: str, trigger: str) -> Run | None:
    """The newest run of `source` asked for by `trigger` that began since an instant and did its work."""
    good = _runs.c.outcome.in_(GOOD_OUTCOMES)
    row = connection.execute(_asked_since(since, source, trigger).where(good)).first()
    return None if row is None else run_of(row)


def kept_since(connection: Connection, since: datetime, *, source: str, trigger: str) -> bool:
    """Whether a run of `source` asked for by `trigger` since an instant kept a snapshot, however it ended."""
    kept = _runs.c.snapshot.is_not(None)
    return connection.execute(_asked_since(since, source, trigger).where(kept)).first() is not None


def rename_snapshot(write: Writing, source: str, old: str, new: str | None) -> None:
    """Names a snapshot of a source by another path in the ledger, or not at all any more."""
    found = select(_runs.c.id, _runs.c.snapshot).where(
        _runs.c.source == source, _runs.c.snapshot.contains(old, autoescape=True)
    )
    for number, text in write.connection.execute(found).all():
        kept = [new if path == old else path for path in text.splitlines()]
        lines = "\n".join(path for path in kept if path is not None) or None
        write.connection.execute(update(_runs).where(_runs.c.id == number).values(snapshot=lines))


def cursor(connection: Connection, source: str) -> str | None:
    """What the last good run of `source` left for the next one; None when everything must be read."""
    last = _last_ids(source, *GOOD_OUTCOMES).scalar_subquery()
    return connection.execute(select(_runs.c.cursor).where(_runs.c.id == last)).scalar_one_or_none()


def knowledge(
    connection: Connection, sources: Mapping[str, Source], known_at: datetime | None = None
) -> dict[str, Knowledge]:
    """How far each source is known, or was known at `known_at`.

    known_until is that of its last good run, None for a source that never ran well; first_day is where
    the source says it begins, else the day of its earliest arrival (None when there is neither): a source
    that says where it begins and holds no record is known, and empty.
    """
    at = None if known_at is None else instant_text(known_at)
    until = _known_until(connection, at)
    return {
        name: _knowledge(connection, source, until.get(source.id), at) for name, source in sources.items()
    }


def run_of(row: FoundRow) -> Run:
    """A row of the ledger as a run."""
    fields = dict(row._mapping)
    for name in ("started_at", "finished_at", "known_until"):
        fields[name] = from_text_or_none(fields[name])
    return Run(**fields)


def _known_until(connection: Connection, at: str | None) -> dict[str, datetime | None]:
    last = select(func.max(_runs.c.id)).where(_runs.c.outcome.in_(GOOD_OUTCOMES)).group_by(_runs.c.source)
    if at is not None:
        last = last.where(_runs.c.finished_at <= at)
    rows = connection.execute(select(_runs.c.source, _runs.c.known_until).where(_runs.c.id.in_(last)))
    return {row.source: from_text_or_none(row.known_until) for row in rows}


def _knowledge(connection: Connection, source: Source, until: datetime | None, at: str | None) -> Knowledge:
    held = held_columns(connection, source) if until is not None else frozenset()
    tables = [record_table(source), *([replaced_table(source)] if at is not None else [])]
    if not held or not any(_holds_any(connection, table, at) for table in tables):
        return Knowledge(source.id, source.begins if until is not None else None, until)
    if source.begins is not None or source.arrival is None or source.arrival not in held:
        return Knowledge(source.id, source.begins, until)
    arrival = day_column(source, source.arrival)
    firsts = [_earliest(connection, table.c[arrival], at) for table in tables]
    first = min((day for day in firsts if day is not None), default=None)
    return Knowledge(source.id, date.fromisoformat(first) if first else None, until)


def _holds_any(connection: Connection, table: Table, at: str | None) -> bool:
    statement = select(literal(1)).select_from(table).where(*_in_force(table, at)).limit(1)
    return connection.execute(statement).first() is not None


def _earliest(connection: Connection, day: Column[str], at: str | None) -> str | None:
    """The first day in the order of an index, so that the table is not read whole."""
    shown = _in_force(day.table, at)
    return connection.execute(select(day).where(day.is_not(None), *shown).order_by(day).limit(1)).scalar()


def _in_force(table: FromClause, at: str | None) -> list[ColumnElement[bool]]:
    """Tests for the versions that were not withdrawn and were known at `at`; None is now."""
    tests: list[ColumnElement[bool]] = [table.c["_withdrawn_at"].is_(None)]
    if at is not None:
        tests.append(table.c["_recorded_from"] <= at)
        if "_recorded_to" in table.c:
            tests.append(table.c["_recorded_to"] > at)
    return tests


def _interrupt(write: Writing, source: str) -> None:
    is_open = (_runs.c.outcome == "running") & (_runs.c.source == source)
    message = "The run could not say how it ended, as when its process is killed; nothing of it was kept."
    values = {"outcome": "interrupted", "finished_at": write.now, "message": message}
    write.connection.execute(update(_runs).where(is_open).values(values))


def _close(write: Writing, run_id: int, **values: Any) -> None:
    statement = update(_runs).where(_runs.c.id == run_id, _runs.c.outcome == "running")
    if write.connection.execute(statement.values(finished_at=write.now, **values)).rowcount != 1:
        raise RunLostError(f"The run {run_id} was taken over by another; nothing of it was kept.")


def _counts(**counts: int) -> dict[str, int]:
    names = ("read", "new", "changed", "unchanged", "rejected", "withdrawn")
    return {name: counts.get(name, 0) for name in names}


def _asked_since(since: datetime, source: str, trigger: str) -> Select[Any]:
    tests = (_runs.c.source == source, _runs.c.started_at >= instant_text(since), _runs.c.trigger == trigger)
    return select(_runs).where(*tests).order_by(_runs.c.id.desc()).limit(1)


def _last_ids(source: str, *outcomes: str) -> Select[tuple[int]]:
    return select(func.max(_runs.c.id)).where(_runs.c.source == source, _runs.c.outcome.in_(outcomes))
