"""What people ask of publishing: to publish now, or to say final scores again with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from store import audit_log, requests
from store.engine import StoreError, Writing
from store.people import Person
from store.requests import Request

PUBLISH = "publish"
LONGEST_REASON = 400


def ask(write: Writing, person: Person, *, as_of: date | None = None, reason: str = "") -> int:
    """Asks for a publication; gives the number of the request.

    reason: where definitions have moved final scores, why; it stands in public beside them, with the name of
    who gave it. as_of: the date it is made for, None for the newest there can be. Raises StoreError while
    one is asked for already.
    """
    waiting = requests.unfinished(write.connection, [PUBLISH])
    if waiting:
        raise StoreError(
            f"A publication is asked for already (request {waiting[0].id}); wait until it is answered."
        )
    words = {"as_of": as_of and as_of.isoformat(), "reason": f"{reason} ({person.name})" if reason else None}
    given = {name: word for name, word in words.items() if word is not None}
    number = requests.insert_within(write, PUBLISH, {"by": person.actor.name, **given})
    act = "restatement asked for" if reason else "publication asked for"
    audit_log.add(write, person.actor, act, "publications", request=number, **given)
    return number


def newest(connection: Connection, most: int = 1) -> Sequence[Request]:
    """The newest requests for a publication, newest first."""
    return requests.newest(connection, [PUBLISH], most)
