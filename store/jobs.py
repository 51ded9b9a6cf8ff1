"""The worker's due jobs: each (job, due time) is entered once, done once, and never lost with a worker.

All that is entered here is entered by the holder of the lease (`store.lease`), so a job found under way
in the name of another belongs to a worker that has ended or lost the lease.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from store.engine import Clock, Writing, from_text_or_none, instant_text, writing
from store.lease import Holder
from store.schema import jobs as _jobs

FAILED = "failed"
GIVEN_UP = "given_up"
OVERTAKEN = "overtaken"
SUCCEEDED = "succeeded"
LOSSES = 3
"""A job that was under way when so many workers ended is what ends them; it is not begun again."""

Words = Mapping[str, Any]
"""A plain JSON object."""

WasDone = Callable[[Connection, datetime], bool]
"""Whether a job that was begun at an instant has left its work behind, though nobody entered its end."""


@dataclass(frozen=True)
class Job:
    """One execution of a job. finished_at None: under way; outcome and result say how it ended.

    outcome: succeeded, failed, given_up (LOSSES) or overtaken (a later due time came first). losses: how
    many workers ended in the middle of it.
    """

    job: str
    due_at: datetime
    holder: str
    claimed_at: datetime
    losses: int
    progress: Words | None
    finished_at: datetime | None
    outcome: str | None
    result: Words | None


def claim(write: Writing, me: Holder, job: str, due: datetime, was_done: WasDone) -> bool:
    """Enters that `me` begins a job that is due; False when it need not be done, or not again.

    What failed under an earlier holder is tried again, what was lost with one is taken up. `write` is a
    transaction of `store.lease.holding`.
    """
    found = find(write.connection, job, due)
    if found is None:
        row = {"job": job, "due_at": instant_text(due), "losses": 0, **_begun(write, me)}
        write.connection.execute(insert(_jobs).values(row))
        return True
    is_over = found.finished_at is not None
    if found.holder == me.id or (is_over and found.outcome != FAILED):
        return False
    losses = found.losses + (not is_over)
    if not is_over and was_done(write.connection, found.claimed_at):
        return _close(write, job, due, SUCCEEDED, {"sentence": "Done by a worker that ended after it."})
    if losses >= LOSSES:
        return _close(write, job, due, GIVEN_UP, {"sentence": f"{losses} workers ended in the middle of it."})
    _change(write, job, due, losses=losses, **_begun(write, me))
    return True


def tell(engine: Engine, clock: Clock, me: Holder, job: str, due: datetime, words: Words) -> None:
    """Says how far a job is; nothing where it is no longer ours."""
    with writing(engine, clock) as write:
        _change(write, job, due, me, progress=_json(words))


def finish(
    engine: Engine, clock: Clock, me: Holder, job: str, due: datetime, outcome: str, result: Words
) -> bool:
    """Enters how a job ended; False where another worker has taken it up meanwhile."""
    with writing(engine, clock) as write:
        words = {"finished_at": write.now, "outcome": outcome, "result": _json(result)}
        return _change(write, job, due, me, **words)


def put_back(engine: Engine, clock: Clock, me: Holder, job: str, due: datetime) -> None:
    """Forgets that a job was begun, as nothing of it could be done yet."""
    with writing(engine, clock) as write:
        write.connection.execute(delete(_jobs).where(*_key(job, due), *_mine(me)))


def overtake(write: Writing, latest: Mapping[str, datetime]) -> int:
    """Closes what was lost and is not worth taking up: a later due time has come. Gives how many."""
    late = [one for one in under_way(write.connection) if latest.get(one.job) != one.due_at]
    for one in late:
        _close(write, one.job, one.due_at, OVERTAKEN, {"sentence": "It was due again before it was done."})
    return len(late)


def find(connection: Connection, job: str, due: datetime) -> Job | None:
    """The execution of a job that was due at an instant; None when it was never begun."""
    row = connection.execute(select(_jobs).where(*_key(job, due))).one_or_none()
    return None if row is None else _job(row)


def under_way(connection: Connection) -> list[Job]:
    """What is being done, or was when its worker ended; oldest first."""
    statement = select(_jobs).where(_jobs.c.finished_at.is_(None)).order_by(_jobs.c.claimed_at)
    return [_job(row) for row in connection.execute(statement)]


def _begun(write: Writing, me: Holder) -> dict[str, Any]:
    ended = dict.fromkeys(("progress", "finished_at", "outcome", "result"))
    return {"holder": me.id, "claimed_at": write.now, **ended}


def _close(write: Writing, job: str, due: datetime, outcome: str, result: Words) -> bool:
    _change(write, job, due, finished_at=write.now, outcome=outcome, result=_json(result), progress=None)
    return False


def _change(write: Writing, job: str, due: datetime, me: Holder | None = None, **values: Any) -> bool:
    """me: only as long as the job is under way in this name."""
    statement = update(_jobs).where(*_key(job, due), *(_mine(me) if me else ())).values(values)
    return write.connection.execute(statement).rowcount == 1


def _key(job: str, due: datetime) -> tuple[Any, Any]:
    return _jobs.c.job == job, _jobs.c.due_at == instant_text(due)


def _mine(me: Holder) -> tuple[Any, Any]:
    return _jobs.c.holder == me.id, _jobs.c.finished_at.is_(None)


def _json(words: Words) -> str:
    return json.dumps(dict(words), ensure_ascii=False, sort_keys=True)


def _job(row: Row) -> Job:
    fields = dict(row._mapping)
    for name in ("due_at", "claimed_at", "finished_at"):
        fields[name] = from_text_or_none(fields[name])
    for name in ("progress", "result"):
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    return Job(**fields)
