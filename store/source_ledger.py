"""What the ledger says of sources to whoever looks after them: their runs, and what was unusual of these."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from metrics.model import Knowledge, Source
from store import lease, runs
from store.engine import from_text, instant_text
from store.runs import GOOD_OUTCOMES, Run
from store.schema import run_profiles
from store.schema import runs as ledger

__all__ = ["Course", "Ended", "Run", "courses", "is_worked", "knowledge", "last_runs", "page", "unusual"]


@dataclass(frozen=True)
class Ended:
    """A run as far as it tells how a source came along. known_until: None where the run failed."""

    started_at: datetime
    finished_at: datetime
    outcome: str
    known_until: datetime | None

    @property
    def is_good(self) -> bool:
        """Whether the source was known further, or as far, after it."""
        return self.outcome in GOOD_OUTCOMES


@dataclass(frozen=True)
class Course:
    """How a source came along. first: when its first run began; ended: runs that are over, oldest first.

    The last good run before the time that was asked for is the first of them, where there is one.
    """

    first: datetime
    ended: tuple[Ended, ...]


def courses(connection: Connection, since: datetime) -> dict[str, Course]:
    """How every source that ever ran came along since an instant."""
    c, begin = ledger.c, instant_text(since)
    firsts = select(c.source, func.min(c.started_at).label("at")).group_by(c.source)
    found = {row.source: (from_text(row.at), list[Ended]()) for row in connection.execute(firsts)}
    before = select(func.max(c.id)).where(c.outcome.in_(GOOD_OUTCOMES), c.started_at < begin)
    wanted = (c.started_at >= begin) | c.id.in_(before.group_by(c.source))
    shown = select(c.source, c.started_at, c.finished_at, c.outcome, c.known_until)
    for row in connection.execute(shown.where(wanted, c.finished_at.is_not(None)).order_by(c.id)):
        until = None if row.known_until is None else from_text(row.known_until)
        ended = Ended(from_text(row.started_at), from_text(row.finished_at), row.outcome, until)
        found[row.source][1].append(ended)
    return {name: Course(first, tuple(ended)) for name, (first, ended) in found.items()}


def page(connection: Connection, source: str, most: int, before: int | None = None) -> list[Run]:
    """The newest runs of a source, newest first; before: of those with numbers under it."""
    statement = select(ledger).where(ledger.c.source == source)
    if before is not None:
        statement = statement.where(ledger.c.id < before)
    return [
        runs.run_of(row) for row in connection.execute(statement.order_by(ledger.c.id.desc()).limit(most))
    ]


def unusual(connection: Connection, numbers: Collection[int]) -> dict[int, list[str]]:
    """What was unusual of runs, by their numbers; one that was not looked at has no entry."""
    t = run_profiles.c
    found = connection.execute(select(t.run, t.unusual).where(t.run.in_(tuple(numbers))))
    return {row.run: json.loads(row.unusual) for row in found}


def last_runs(connection: Connection) -> dict[str, Run]:
    """The newest run of every source that ever ran, under way or not."""
    return runs.last_runs(connection)


def knowledge(connection: Connection, sources: Mapping[str, Source]) -> dict[str, Knowledge]:
    """How far each source is known."""
    return runs.knowledge(connection, sources)


def is_worked(connection: Connection, now: datetime) -> bool:
    """Whether a worker holds the lease at `now`."""
    held = lease.current(connection)
    return held is not None and held.expires_at > now
