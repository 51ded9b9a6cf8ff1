"""Problems: what readers say is wrong with a number, and what became of it.

Of a reader who is not signed in nothing is kept but the words; how many they may send is counted for a while.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, insert, select

from store import attempts, audit_log
from store.audit_log import Actor
from store.engine import StoreError, Writing, bump_state, from_text
from store.people import Person
from store.schema import problem_turns, problems

PUBLIC = Actor(None, "the public")


class State(StrEnum):
    """Where a problem stands. NEW: nobody has said anything. CLOSED: for a reason, without an answer."""

    NEW = "new"
    ANSWERED = "answered"
    CLOSED = "closed"


@dataclass(frozen=True)
class Problem:
    """What somebody said is wrong. period: the grain and first day it is about, "" for none.

    answer: what was said last, "" for nothing; is_public: whether everybody may read it.
    """

    id: int
    metric: str
    grain: str
    start: str
    district: str
    words: str
    writer_name: str
    written_at: datetime
    state: State
    answer: str
    is_public: bool
    answered_by: str
    answered_at: datetime | None


@dataclass(frozen=True)
class About:
    """Which number a problem is about; grain, start and district may be empty."""

    metric: str
    grain: str = ""
    start: str = ""
    district: str = ""


def of_metrics(connection: Connection, metrics: Collection[str], *, most: int = 200) -> list[Problem]:
    """The problems of some metrics: new ones first, the newest first among each."""
    rows = connection.execute(
        select(problems)
        .where(problems.c.metric.in_(list(metrics)))
        .order_by(problems.c.id.desc())
        .limit(most)
    ).all()
    turned = select(problem_turns).where(problem_turns.c.problem.in_([row.id for row in rows]))
    newest = {row.problem: row for row in connection.execute(turned.order_by(problem_turns.c.id))}
    found = [_problem(row, newest.get(row.id)) for row in rows]
    return sorted(found, key=lambda one: one.state is not State.NEW)


def get(connection: Connection, number: int) -> Problem | None:
    """A problem by its number; None where there is none."""
    metric = metric_of(connection, number)
    found = of_metrics(connection, [metric], most=10_000) if metric is not None else []
    return next((one for one in found if one.id == number), None)


def metric_of(connection: Connection, number: int) -> str | None:
    """The metric a problem is about; None where there is no such problem."""
    statement = select(problems.c.metric).where(problems.c.id == number)
    return connection.execute(statement).scalar_one_or_none()


def report(write: Writing, about: About, words: str, person: Person | None, address: str = "") -> int | None:
    """Keeps what somebody says is wrong and gives its number; None where too many came from their address.

    person None: somebody of the public, whose address is counted for and not kept with the problem.
    """
    if person is None and not attempts.begin(write, attempts.of_report(address)):
        return None
    actor = PUBLIC if person is None else person.actor
    row = {
        "metric": about.metric,
        "grain": about.grain,
        "start": about.start,
        "district": about.district,
        "words": words,
        "writer": None if person is None else person.id,
        "writer_name": "" if person is None else person.name,
        "written_at": write.now,
    }
    number = write.connection.execute(insert(problems).values(row).returning(problems.c.id)).scalar_one()
    audit_log.add(write, actor, "problem reported", f"metric {about.metric}", number=number, text=words)
    return number


def answer(
    write: Writing, person: Person, number: int, state: State, words: str, *, is_public: bool
) -> Problem:
    """Answers a problem, closes it or opens it again; raises the public state where a reader sees it."""
    before = get(write.connection, number)
    if before is None:
        raise StoreError("There is no such report; open the page again.")
    row = {
        "problem": number,
        "state": str(state),
        "words": words,
        "is_public": int(is_public),
        "writer": person.id,
        "writer_name": person.name,
        "written_at": write.now,
    }
    write.connection.execute(insert(problem_turns), row)
    told = {"number": number, "text": words, "public": is_public}
    audit_log.add(write, person.actor, f"problem {state}", f"metric {before.metric}", **told)
    if is_public or before.is_public:
        bump_state(write)
    after = get(write.connection, number)
    assert after is not None, "it was just there"
    return after


def _problem(row: Row, turn: Row | None) -> Problem:
    return Problem(
        id=row.id,
        metric=row.metric,
        grain=row.grain,
        start=row.start,
        district=row.district,
        words=row.words,
        writer_name=row.writer_name,
        written_at=from_text(row.written_at),
        state=State.NEW if turn is None else State(turn.state),
        answer="" if turn is None else turn.words,
        is_public=turn is not None and bool(turn.is_public),
        answered_by="" if turn is None else turn.writer_name,
        answered_at=None if turn is None else from_text(turn.written_at),
    )
