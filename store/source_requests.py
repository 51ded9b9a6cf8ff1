"""What people ask to be done with a source, each with its line in the audit log, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import Connection

from metrics.model import Source
from store import audit_log, requests
from store.audit_log import Actor
from store.deliveries import PUSHED
from store.engine import StoreError, Writing
from store.requests import Request

RUN, DRY_RUN, BACKFILL, STOP, REPLAY = "run_source", "dry_run", "backfill", "stop_backfill", "replay"

SHOWN = (RUN, DRY_RUN, BACKFILL, REPLAY)
"""What pages follow."""

UNFINISHED_AT_MOST = 20
"""Of one city: whoever asks for more waits until some are answered."""

_ACTS = {
    RUN: "run asked for",
    DRY_RUN: "dry run asked for",
    BACKFILL: "backfill asked for",
    STOP: "backfill stopped",
    REPLAY: "replay asked for",
}


def ask(
    write: Writing,
    actor: Actor,
    kind: str,
    source: str,
    *,
    since: date | None = None,
    until: date | None = None,
    step: str | None = None,
) -> int:
    """Asks for something to be done with a source; gives the number of the request.

    Raises StoreError while the same is asked for already, and while too much waits.
    """
    waiting = requests.unfinished(write.connection, SHOWN)
    same = [one for one in waiting if one.kind == kind and one.arguments.get("source") == source]
    if same:
        raise StoreError(f"This is asked for already (request {same[0].id}); wait until it is answered.")
    if len(waiting) >= UNFINISHED_AT_MOST:
        raise StoreError(f"{len(waiting)} requests wait for the worker; try again when some are answered.")
    days = {"since": since and since.isoformat(), "until": until and until.isoformat(), "step": step}
    words = {name: word for name, word in days.items() if word is not None}
    number = requests.insert_within(write, kind, {"source": source, "by": actor.name, **words})
    audit_log.add(write, actor, _ACTS[kind], f"source {source}", request=number, **words)
    return number


def can_run(source: Source) -> bool:
    """Whether a source can be read; the rows of the others are sent in."""
    return source.kind != PUSHED


def can_be_ranged(source: Source) -> bool:
    """Whether some days of a source can be read: it tells when its rows arrived."""
    return can_run(source) and source.arrival is not None


def stop(write: Writing, actor: Actor, request: Request) -> int:
    """Asks the worker to leave a backfill where it is. Raises StoreError for one that is over."""
    if request.kind != BACKFILL or request.finished_at is not None:
        raise StoreError("This backfill is over already.")
    words = {"request": request.id, "source": request.arguments.get("source"), "by": actor.name}
    number = requests.insert_within(write, STOP, words)
    audit_log.add(write, actor, _ACTS[STOP], f"source {words['source']}", request=request.id)
    return number


def of_source(
    connection: Connection, source: str, kinds: Collection[str] = SHOWN, most: int = 10
) -> Sequence[Request]:
    """The newest requests about a source, newest first."""
    return requests.newest(connection, kinds, most, arguments={"source": source})
