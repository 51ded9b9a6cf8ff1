"""What the worker does for whoever asks something of a source: a step of a backfill, a run only tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from ingest.backfill import Piece, Step, left, pieces
from ingest.desk import BUSY, Asked, Desk, RunReport
from ingest.dry_run import Trial, dry_run
from ingest.run import run_source
from metrics.model import Catalogue, Source
from store import runs
from store.engine import Connection, reading
from store.rehearsal import Effect
from store.runs import Run

MOST_PIECES = 1200
"""A hundred years of months, or three of days."""

_COUNTS = ("read", "new", "changed", "unchanged", "rejected", "withdrawn")


def backfill_pieces(since: date, until: date, step: Step) -> list[Piece]:
    """The steps in which a range is read, the newest first: what is known has no hole in it meanwhile."""
    return pieces(since, until, step)[::-1]


def backfill_step(
    desk: Desk, source: Source, wanted: Sequence[Piece], asked_at: datetime, dated: Iterable[str] = ()
) -> dict[str, Any]:
    """Reads the next step of a backfill that was asked for at an instant, and says how far it is then.

    The outcome is `under_way` while steps are left, and `busy` where another run kept it from reading.
    What is left is told by the ledger alone: killed at any moment and asked again, it goes on there. Steps
    that an earlier backfill of the same range has done before it failed are not done again.
    """
    with reading(desk.engine) as connection:
        rest = _left(connection, source, wanted, asked_at)
        done = _done(connection, source, rest, asked_at)
    if len(done) < len(rest):
        piece = rest[len(done)]
        number = len(wanted) - len(rest) + len(done) + 1
        begin = f"{source.id}: step {number} of {len(wanted)}, {piece.since} to {piece.until}"
        desk.progress(begin)
        asked = Asked(piece.since, piece.until, trigger=piece.trigger)
        report = run_source(desk, source, asked, dated=dated)
        if report.outcome == BUSY:
            return _words(source, wanted, rest, done, BUSY, report.message)
        if report.outcome not in runs.GOOD_OUTCOMES:
            return _words(source, wanted, rest, done, report.outcome, report.message)
        with reading(desk.engine) as connection:
            done = _done(connection, source, rest, asked_at)
    is_over = len(done) == len(rest)
    return _words(source, wanted, rest, done, "succeeded" if is_over else "under_way")


def tried(
    desk: Desk, source: Source, catalogue: Catalogue, since: date | None, until: date | None
) -> dict[str, Any]:
    """What a run would do, as a JSON object; it keeps nothing of what it read."""
    return trial_words(dry_run(desk, source, catalogue, Asked(since, until, trigger="request")))


def trial_words(trial: Trial) -> dict[str, Any]:
    """A trial as a JSON object: the counts, examples line by line, and what the scores would be."""
    return {
        **trial.report.words(),
        "notes": trial.report.message,
        "rejections": list(trial.report.rejections),
        "examples": trial.examples(),
        "effect": None if trial.effect is None else _effect(trial.effect),
    }


def replay_words(report: RunReport) -> dict[str, Any]:
    """A replay as a JSON object."""
    return {**report.words(), "notes": report.message}


def _left(connection: Connection, source: Source, wanted: Sequence[Piece], asked_at: datetime) -> list[Piece]:
    """The pieces that were left when the backfill was asked for."""
    newest = [runs.newest_good_of(connection, source.id, piece.trigger, before=asked_at) for piece in wanted]
    return left(wanted, newest)


def _done(connection: Connection, source: Source, rest: Sequence[Piece], asked_at: datetime) -> list[Run]:
    """The runs of those that have been read since, in order, up to the first that has not."""
    found: list[Run] = []
    for piece in rest:
        run = runs.good_run_since(connection, asked_at, source=source.id, trigger=piece.trigger)
        if run is None:
            break
        found.append(run)
    return found


def _words(
    source: Source,
    wanted: Sequence[Piece],
    rest: Sequence[Piece],
    done: Sequence[Run],
    outcome: str,
    why: str = "",
) -> dict[str, Any]:
    counts = {name: sum(getattr(run, name) for run in done) for name in _COUNTS}
    steps = len(wanted) - len(rest) + len(done)
    said = f"{counts['new']} new, {counts['changed']} changed, {counts['unchanged']} unchanged"
    line = f"{source.id}: {steps} of {len(wanted)} steps are read: {said}, {counts['rejected']} rejected"
    return {
        "outcome": outcome,
        "source": source.id,
        "done": steps,
        "of": len(wanted),
        **counts,
        "sentence": f"{line}; {why}" if why else line,
    }


def _effect(found: Effect) -> dict[str, Any]:
    return {
        "why_not": found.why_not,
        "before": None if found.before is None else found.before.isoformat(),
        "after": None if found.after is None else found.after.isoformat(),
        "scores": found.scores,
        "composites": found.composites,
        "restated": found.restated,
        "moved": [
            {
                "metric": one.name,
                "grain": str(one.grain),
                "start": one.start.isoformat(),
                "before": one.before,
                "after": one.after,
            }
            for one in found.moved
        ],
    }
