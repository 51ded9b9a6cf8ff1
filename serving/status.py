"""Whether we are alive, and how fresh every source and the last publication are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from serving.routes import Reply
from store import lease, publications, runs
from store.engine import Clock, Connection, Engine, instant_text, reading, system_clock

JSON = "application/json"


class Named(Protocol):
    """A source, as far as a status needs it."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class SourceState:
    """How far one source is; outcome is the word of its last run. None where it never ran."""

    id: str
    name: str
    known_until: datetime | None
    outcome: str | None
    started_at: datetime | None
    finished_at: datetime | None
    read: int
    rejected: int


def alive(_query: Mapping[str, str]) -> Reply:
    """Says so, without asking the database anything."""
    return Reply(b'{"alive":true}', JSON)


def source_states(engine: Engine, sources: Mapping[str, Any]) -> list[SourceState]:
    """How far every source of a catalogue is, in its order."""
    with reading(engine) as connection:
        last = runs.last_runs(connection)
        known = runs.knowledge(connection, sources)
    return [_state(name, source, known[name].known_until, last.get(name)) for name, source in sources.items()]


def is_worked(connection: Connection, now: datetime) -> bool:
    """Whether a worker holds the lease at `now`: loads sources and publishes."""
    held = lease.current(connection)
    return held is not None and held.expires_at > now


def status(
    engine: Engine,
    city: str,
    sources: Mapping[str, Any],
    build: str,
    clock: Clock = system_clock,
) -> Callable[..., Reply]:
    """Answers /status: how fresh every source is, the last publication, and whether a worker is at work."""

    def answer(_query: Mapping[str, str]) -> Reply:
        with reading(engine) as connection:
            now = publications.current(connection)
            state = publications.state(connection)
            at_work = is_worked(connection, clock())
        body = {
            "city": city,
            "build": build,
            "state": state,
            "worker": at_work,
            "publication": None
            if now is None
            else {
                "id": now.publication.id,
                "as_of": now.publication.as_of.isoformat(),
                "published_at": instant_text(now.publication.published_at),
            },
            "sources": [_source(one) for one in source_states(engine, sources)],
        }
        return Reply(json.dumps(body, ensure_ascii=False).encode(), JSON)

    return answer


def _state(name: str, source: Named, known_until: datetime | None, last: runs.Run | None) -> SourceState:
    return SourceState(
        id=name,
        name=source.name,
        known_until=known_until,
        outcome=last.outcome if last else None,
        started_at=last.started_at if last else None,
        finished_at=last.finished_at if last else None,
        read=last.read if last else 0,
        rejected=last.rejected if last else 0,
    )


def _source(one: SourceState) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "known_until": _instant(one.known_until),
        "last_run": None
        if one.outcome is None
        else {
            "outcome": one.outcome,
            "started_at": _instant(one.started_at),
            "finished_at": _instant(one.finished_at),
            "read": one.read,
            "rejected": one.rejected,
        },
    }


def _instant(given: datetime | None) -> str | None:
    return instant_text(given) if given else None
