"""Erasing one person's record by its key: out of tables and snapshots, for good, with the act on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ingest.contract import SourceError
from ingest.desk import Desk
from ingest.parse import Parser
from ingest.scrubbing import finish_open
from ingest.turns import turn
from metrics.model import Catalogue, Source
from store import erasures, records
from store.engine import StoreError, forget_deleted, instant_text, reading, writing
from store.erasures import Erasure


@dataclass(frozen=True)
class Erased:
    """What was erased. anew, removed: snapshots written without the record, and those removed whole.

    not_rewritten: why the database's file may still hold what was deleted; empty where it does not.
    """

    act: Erasure
    anew: int
    removed: int
    not_rewritten: str = ""


def add_commands(commands: Any) -> None:
    """The words of `ingest erase` and `ingest erased`."""
    erase = commands.add_parser("erase", help="erase one record by its key, for good, as the law may ask")
    erase.add_argument("source", metavar="SOURCE")
    erase.add_argument("key", metavar="KEY")
    erase.add_argument("--by", required=True, metavar="NAME", help="who erases it")
    erase.add_argument("--reason", required=True, metavar="TEXT", help="why; kept, so name nobody in it")
    erase.add_argument(
        "--unseen", action="store_true", help="bar the key though nothing of it is held (it may come yet)"
    )
    commands.add_parser("erased", help="every act of erasing: who, when, why, how much; never what")


def erase(
    desk: Desk, catalogue: Catalogue, source: Source, key: str, by: str, reason: str, *, unseen: bool = False
) -> Erased:
    """Erases a record; what was killed in the middle is ended by the next run, or by asking again.

    Raises SourceError for a key that is none or that nothing is held of, runs.UnderWayError while the source
    is being read.
    """
    for word, said in (("--by", by), ("--reason", reason)):
        if not said.strip() or not said.isprintable():
            raise SourceError(f"{word} is one line and not empty.")
    parser = Parser(source, desk.city.time_zone, records.stage_columns(source))
    typed = next(iter(parser.keys([key])), None)
    if typed is None:
        raise SourceError(f"This is no key of {source.id}; its keys are of the type of {source.key}.")
    metrics = [one.id for one in catalogue.metrics.values() if one.source == source.id]
    with turn(desk, source):
        with reading(desk.engine) as connection:
            if not unseen and not erasures.is_held(connection, source, typed):
                raise SourceError(
                    f"{source.id} holds nothing of this key. Look how it is written; to bar a key that "
                    "may come yet, say --unseen."
                )
        with writing(desk.engine, desk.clock) as write:
            act = erasures.erase(write, source, typed, by, reason, metrics)
        anew, removed = finish_open(desk, source)
        done = Erased(act, anew, removed)
        try:
            forget_deleted(desk.engine)
        except StoreError as error:
            return replace(done, not_rewritten=str(error))
        return done


def lines(desk: Desk, done: Erased) -> Iterator[str]:
    """What was done, and what is left for people to do."""
    counts = ", ".join(f"{count} {name}" for name, count in done.act.counts.items() if count)
    yield f"{done.act.source}: erased {counts or 'nothing that is held now'}"
    yield f"{done.act.source}: {done.anew} snapshots were written without it, {done.removed} removed whole"
    yield "Published scores stay as they are. Later readings pass the record over."
    if done.not_rewritten:
        yield f"{done.not_rewritten} Until then its file may hold what was deleted."
    backups = sorted(path.name for path in (desk.snapshots.parent / "backups").glob("*.zip"))
    here = f" ({len(backups)} in {desk.snapshots.parent / 'backups'})" if backups else ""
    yield (
        f"Backups made before this still hold it{here}: delete them, or erase it again after restoring one. "
        "So does the source itself until its owner erases it there."
    )


def history(desk: Desk) -> Iterator[str]:
    """Every act, one line each, oldest first."""
    with reading(desk.engine) as connection:
        found = erasures.history(connection)
    for one in found:
        counts = ", ".join(f"{count} {name}" for name, count in one.counts.items() if count)
        state = "" if one.finished_at else " (its snapshots are not looked through yet)"
        yield (
            f"{instant_text(one.erased_at)} {one.source} by {one.erased_by}: {one.reason}: "
            f"{counts or 'nothing was held'}{state}"
        )
    if not found:
        yield "nothing was ever erased"
