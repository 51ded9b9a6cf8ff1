"""What a change of the records does to the scores, seen in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, select

from metrics.model import WHOLE_CITY, Catalogue, Grain
from store.engine import StoreError, Writing, moved_on
from store.publish import PublishReport, publish_within
from store.schema import composites, publications, scores

REASON = "a dry run"

Done = TypeVar("Done")


@dataclass(frozen=True)
class Moved:
    """A score of the whole city that is another afterwards; None where there was or is none.

    name: a metric, or empty for the headline of the city. start: the first day of its period.
    """

    name: str
    grain: Grain
    start: date
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Effect:
    """What a publication would say afterwards that it would not have said before.

    why_not: why nothing can be said; the rest is empty then. before, after: the dates that publications
    are made for. moved: of each the newest period that is another, the headline first.
    """

    why_not: str = ""
    before: date | None = None
    after: date | None = None
    scores: int = 0
    composites: int = 0
    restated: int = 0
    moved: tuple[Moved, ...] = ()


def effect(held: Writing, catalogue: Catalogue, change: Callable[[Writing], Done]) -> tuple[Done, Effect]:
    """Does `change` between two publications and says in what the second differs; for `trying` alone.

    The first one is made so that what was loaded before and never published is not taken for the change.
    """
    first = _published(held, catalogue)
    done = change(moved_on(held))
    second = _published(moved_on(moved_on(held)), catalogue)
    if isinstance(second, str):
        return done, Effect(why_not=second)
    new = second.publication
    moved = tuple(_moved(held.connection, new.id)) if new else ()
    since = None if isinstance(first, str) else first.as_of
    return done, Effect("", since, second.as_of, second.scores, second.composites, second.restated, moved)


def _published(held: Writing, catalogue: Catalogue) -> PublishReport | str:
    """What publishing did, or why nothing can be published."""
    try:
        return publish_within(held, catalogue, reason=REASON, watches=False)
    except StoreError as error:
        return str(error)


def _moved(connection: Connection, number: int) -> Iterator[Moved]:
    """Of each headline and metric, the newest period at each grain that a publication says anew."""
    told = [(scores, scores.c.district == WHOLE_CITY, scores.c.metric)]
    told.insert(0, (composites, composites.c.scope == "city", composites.c.scope_id))
    for table, chosen, name in told:
        rows = select(name, table.c.grain, table.c.start, table.c.score).where(chosen)
        newest: dict[tuple[str, str], Any] = {}
        for row in connection.execute(rows.where(table.c.publication == number).order_by(table.c.start)):
            newest[row[0], row.grain] = row
        order = list(Grain)
        for what, grain in sorted(newest, key=lambda one: (one[0], order.index(Grain(one[1])))):
            row = newest[what, grain]
            same = (chosen, name == what, table.c.grain == grain, table.c.start == row.start)
            before = _before(connection, table, same, number)
            if before != row.score:
                yield Moved(what, Grain(grain), date.fromisoformat(row.start), before, row.score)


def _before(
    connection: Connection, table: Table, same: Iterable[ColumnElement[bool]], number: int
) -> float | None:
    """What the publication before said of the same period; None where it said nothing."""
    current = select(publications.c.id).where(publications.c.is_current == 1, publications.c.id < number)
    last = select(table.c.score).where(*same, table.c.publication.in_(current))
    return connection.execute(last.order_by(table.c.publication.desc()).limit(1)).scalar()
