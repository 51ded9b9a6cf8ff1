"""First publications: a metric the public has never seen waits until its owner saw it and it is approved.

Only in a city that says `approve_first = true`. Steps are rows that are only added; a refusal has a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from store import audit_log
from store.engine import StoreError, Writing, bump_state, from_text
from store.people import Person
from store.schema import catalogues, publications, release_steps


class Step(StrEnum):
    """SEEN: its owner has looked at it, and said something or let it pass. Then it is APPROVED or REFUSED."""

    SEEN = "seen"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True)
class Taken:
    """A step that somebody took. words: what the owner adds, or why it is refused; may be empty."""

    step: Step
    words: str
    writer_name: str
    written_at: datetime


def steps(connection: Connection, metric: str) -> tuple[Taken, ...]:
    """What was decided of a metric before the public saw it, the oldest first."""
    statement = select(release_steps).where(release_steps.c.metric == metric).order_by(release_steps.c.id)
    return tuple(
        Taken(Step(row.step), row.words, row.writer_name, from_text(row.written_at))
        for row in connection.execute(statement)
    )


def approved(connection: Connection) -> frozenset[str]:
    """The metrics that were approved: once is for ever, as what was public cannot be taken back unseen."""
    statement = select(release_steps.c.metric).where(release_steps.c.step == Step.APPROVED).distinct()
    return frozenset(connection.execute(statement).scalars())


def catalogue_texts(connection: Connection) -> list[str]:
    """The definitions of every publication there was, each once."""
    used = select(publications.c.catalogue).where(publications.c.is_current == 1)
    statement = select(catalogues.c.text).where(catalogues.c.hash.in_(used))
    return list(connection.execute(statement).scalars())


def take(write: Writing, person: Person, metric: str, step: Step, words: str) -> None:
    """Takes a step. Raises StoreError for an approval or refusal of what its owner has not seen since.

    Raises it too for a refusal without a reason, and for what is approved already. An approval raises the
    public state.
    """
    before = steps(write.connection, metric)
    if any(one.step is Step.APPROVED for one in before):
        raise StoreError("It is approved already: the public sees it.")
    if step is not Step.SEEN and (not before or before[-1].step is not Step.SEEN):
        raise StoreError("Its owner has to look at it first.")
    if step is Step.REFUSED and not words:
        raise StoreError("Say why it is refused; the reason is shown to its owner.")
    row = {
        "metric": metric,
        "step": str(step),
        "words": words,
        "writer": person.id,
        "writer_name": person.name,
        "written_at": write.now,
    }
    write.connection.execute(insert(release_steps), row)
    audit_log.add(write, person.actor, f"first publication {step}", f"metric {metric}", text=words)
    if step is Step.APPROVED:
        bump_state(write)
