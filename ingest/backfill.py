"""Reading a long range of a source piece by piece: each step is a run, and the ledger says where to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from ingest.desk import Asked, Desk, RunReport
from ingest.run import run_source
from metrics.model import Source
from store import runs
from store.engine import reading

Step = Literal["day", "week", "month", "quarter", "year"]
STEPS: tuple[str, ...] = get_args(Step)

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Piece:
    """Some days of a backfill, both included."""

    since: date
    until: date

    @property
    def trigger(self) -> str:
        """What the ledger calls the run of it."""
        return f"backfill {self.since}..{self.until}"


def pieces(since: date, until: date, step: Step) -> list[Piece]:
    """The range in steps that begin where the calendar's do, weeks on Monday; the first and last are cut."""
    found = []
    first = since
    while first <= until:
        following = _following(first, step)
        found.append(Piece(first, min(until, following - timedelta(days=1))))
        first = following
    return found


def left(wanted: Sequence[Piece], newest: Sequence[int | None]) -> list[Piece]:
    """The pieces still to be read, when `newest` has the newest good run of each.

    A backfill runs its pieces in order, so those after a piece that ran later than they did, or never ran,
    are not done. One that is whole begins anew.
    """
    done, last = 0, 0
    for number in newest:
        if number is None or number < last:
            break
        done, last = done + 1, number
    return list(wanted if done == len(wanted) else wanted[done:])


def backfill(
    desk: Desk,
    source: Source,
    wanted: Sequence[Piece],
    tell: Callable[[str], None],
    dated: Iterable[str] = (),
) -> RunReport | None:
    """Runs the pieces that are left, oldest first; gives the report of one that failed, which ends it.

    tell: takes a line for each piece. Killed and begun again with the same range and step, it goes on with
    the piece it was at.
    """
    with reading(desk.engine) as connection:
        newest = [runs.newest_good_of(connection, source.id, piece.trigger) for piece in wanted]
    rest = left(wanted, newest)
    if len(rest) < len(wanted):
        done = f"{len(wanted) - len(rest)} of {len(wanted)} steps are done"
        tell(f"{source.id}: {done}; going on at {rest[0].since}")
    columns = tuple(dated)
    for piece in rest:
        asked = Asked(piece.since, piece.until, trigger=piece.trigger)
        report = run_source(desk, source, asked, dated=columns)
        if report.outcome not in runs.GOOD_OUTCOMES:
            return report
        number = wanted.index(piece) + 1
        tell(f"{number} of {len(wanted)}, {piece.since} to {piece.until}: {report.line()}")
    return None


def _following(day: date, step: Step) -> date:
    """The first day of the next step."""
    if step == "day":
        return day + timedelta(days=1)
    if step == "week":
        return day + timedelta(days=7 - day.weekday())
    length = _MONTHS[step]
    month = (day.month - 1) // length * length + length
    return date(day.year + month // 12, month % 12 + 1, 1)
