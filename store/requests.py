"""What the web asks of the worker: a request is inserted, claimed once, followed and answered.

A page never does long work itself; it inserts a request, and polls `get` for progress and result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update
from sqlalchemy import insert as insert_into

from store.engine import Clock, Writing, from_text_or_none, reading, writing
from store.schema import requests

Words = Mapping[str, Any]
"""A plain JSON object."""

Opening = Callable[[Engine, Clock], AbstractContextManager[Writing]]
"""How a write transaction is begun; `store.engine.writing` is one."""

LOSSES = 3


@dataclass(frozen=True)
class Request:
    """One request. claimed_at None: waiting; finished_at None: under way; result says how it ended.

    losses: how many workers ended in the middle of it.
    """

    id: int
    kind: str
    arguments: Words
    created_at: datetime
    claimed_at: datetime | None
    progress: Words | None
    finished_at: datetime | None
    result: Words | None
    losses: int


def insert(engine: Engine, clock: Clock, kind: str, arguments: Words) -> int:
    """Inserts a request and gives its id."""
    with writing(engine, clock) as write:
        return insert_within(write, kind, arguments)


def insert_within(write: Writing, kind: str, arguments: Words) -> int:
    """Inserts a request in the transaction that stores what it is about, and gives its id."""
    statement = insert_into(requests).values(kind=kind, arguments=_json(arguments), created_at=write.now)
    return write.connection.execute(statement.returning(requests.c.id)).scalar_one()


def claim(
    engine: Engine, clock: Clock, within: Opening = writing, besides: Collection[str] = ()
) -> Request | None:
    """Takes the oldest request nobody took, for this worker alone; None when there is none.

    Cheap to ask often: as long as nothing waits, nothing is written. within: how a transaction is begun
    that only whoever may answer can begin. besides: kinds that must wait for now.
    """
    waits = requests.c.claimed_at.is_(None) & requests.c.kind.not_in(tuple(besides))
    oldest = select(requests.c.id).where(waits).order_by(requests.c.id).limit(1)
    with reading(engine) as connection:
        if connection.execute(oldest).first() is None:
            return None
    with within(engine, clock) as write:
        statement = update(requests).where(requests.c.id == oldest.scalar_subquery())
        row = write.connection.execute(
            statement.values(claimed_at=write.now).returning(*requests.c)
        ).one_or_none()
    return None if row is None else _request(row)


def release(write: Writing) -> int:
    """Puts back what a worker took and never finished; gives how many.

    Only for whoever has just become the one worker: what another has under way would be put back too.
    What was lost with LOSSES workers is what ends them: it is finished with words that say so.
    """
    under_way = requests.c.claimed_at.is_not(None) & requests.c.finished_at.is_(None)
    back = update(requests).where(under_way)
    lost = write.connection.execute(
        back.values(claimed_at=None, progress=None, losses=requests.c.losses + 1)
    ).rowcount
    again = requests.c.finished_at.is_(None) & (requests.c.losses >= LOSSES)
    words = {"outcome": "given_up", "sentence": f"{LOSSES} workers ended in the middle of it."}
    ended = update(requests).where(again)
    given_up = write.connection.execute(
        ended.values(claimed_at=write.now, finished_at=write.now, result=_json(words))
    ).rowcount
    return lost - given_up


def progress(engine: Engine, clock: Clock, request_id: int, words: Words) -> None:
    """Says how far a claimed request is."""
    with writing(engine, clock) as write:
        _change(write, request_id, progress=_json(words))


def finish(engine: Engine, clock: Clock, request_id: int, result: Words, within: Opening = writing) -> None:
    """Answers a claimed request; it can be answered once. within: as for `claim`."""
    with within(engine, clock) as write:
        _change(write, request_id, result=_json(result), finished_at=write.now)


def put_back(
    engine: Engine, clock: Clock, request_id: int, within: Opening = writing, so_far: Words | None = None
) -> None:
    """Lets a claimed request wait again: it could not begin, or goes on later. within: as for `claim`.

    so_far: how far it is then; what comes forward is not what ends workers.
    """
    values: dict[str, Any] = {} if so_far is None else {"progress": _json(so_far), "losses": 0}
    with within(engine, clock) as write:
        _change(write, request_id, **{"claimed_at": None, "progress": None, **values})


def cancel(write: Writing, request_ids: Sequence[int], result: Words) -> int:
    """Answers requests that nobody took yet without doing them; gives how many."""
    waits = requests.c.claimed_at.is_(None) & requests.c.id.in_(request_ids)
    ended = {"claimed_at": write.now, "finished_at": write.now, "result": _json(result)}
    return write.connection.execute(update(requests).where(waits).values(ended)).rowcount


def get(connection: Connection, request_id: int) -> Request | None:
    """A request by its id; None when there is no such request."""
    row = connection.execute(select(requests).where(requests.c.id == request_id)).one_or_none()
    return None if row is None else _request(row)


def under_way(connection: Connection) -> list[Request]:
    """The requests somebody took and has not finished, oldest first."""
    taken = requests.c.claimed_at.is_not(None) & requests.c.finished_at.is_(None)
    statement = select(requests).where(taken).order_by(requests.c.id)
    return [_request(row) for row in connection.execute(statement)]


def unfinished(connection: Connection, kinds: Collection[str]) -> list[Request]:
    """The requests of some kinds that are not answered, oldest first."""
    open_ones = requests.c.finished_at.is_(None) & requests.c.kind.in_(tuple(kinds))
    statement = select(requests).where(open_ones).order_by(requests.c.id)
    return [_request(row) for row in connection.execute(statement)]


def newest(
    connection: Connection, kinds: Collection[str], most: int, *, arguments: Words | None = None
) -> list[Request]:
    """The newest requests of some kinds, newest first; arguments: only of those that were made with these."""
    statement = select(requests).where(requests.c.kind.in_(tuple(kinds)))
    for name, value in (arguments or {}).items():
        # They are written by `_json`, so each stands in them in these very letters.
        said = f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        statement = statement.where(requests.c.arguments.contains(said, autoescape=True))
    found = connection.execute(statement.order_by(requests.c.id.desc()).limit(most))
    return [_request(row) for row in found]


def _change(write: Writing, request_id: int, **values: Any) -> None:
    under_way = requests.c.claimed_at.is_not(None) & requests.c.finished_at.is_(None)
    statement = update(requests).where(requests.c.id == request_id, under_way)
    if write.connection.execute(statement.values(values)).rowcount != 1:
        raise ValueError(f"the request {request_id} is not under way")


def _json(words: Words) -> str:
    return json.dumps(dict(words), ensure_ascii=False, sort_keys=True)


def _request(row: Row) -> Request:
    fields = dict(row._mapping)
    for name in ("created_at", "claimed_at", "finished_at"):
        fields[name] = from_text_or_none(fields[name])
    for name in ("arguments", "progress", "result"):
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    return Request(**fields)
