"""The state of every source as a table for a terminal: last run, rows, how far behind, refused, next run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from metrics.model import City, Source
from metrics.periods import instant_at, local_day, local_midnight
from store.runs import GOOD_OUTCOMES, Run

HEADER = (
    "source",
    "last run",
    "outcome",
    "read",
    "new",
    "changed",
    "refused",
    "behind",
    "known until",
    "next run",
)
WIDEST = 10_000
"""Where nothing is shown on a terminal, lines are as long as they are."""

LEAST_NEEDED = ("new", "changed", "read", "last run", "known until")
"""What is left out where the terminal is narrow, the first first."""

RED, YELLOW, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class State:
    """What is known of a source. refused: its open refused rows. due: its next run, None where it has none.

    late: whether it is not known to where it should be by now.
    """

    source: str
    run: Run | None
    known_until: datetime | None
    refused: int
    due: datetime | None
    late: bool


def is_late(city: City, source: Source, known_until: datetime | None, now: datetime) -> bool:
    """Whether yesterday is unknown though it is due: at the publication hour, or as the source says."""
    today = local_day(city, now)
    midnight = local_midnight(city, today)
    due = instant_at(city, today, city.publication_hour)
    if source.due_after_minutes is not None:
        due = midnight + timedelta(minutes=source.due_after_minutes)
    needed = midnight if now >= due else local_midnight(city, today - DAY)
    return known_until is None or known_until < needed


def table(
    states: Sequence[State], now: datetime, zone: ZoneInfo, width: int, *, colour: bool
) -> Iterator[str]:
    """The lines of the table, at most `width` wide where leaving columns out makes them so."""
    rows = [_cells(one, now, zone) for one in states]
    names = list(HEADER)
    for name in LEAST_NEEDED:
        if _width(names, rows) > width:
            names.remove(name)
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    yield _line({name: name for name in names}, widths)
    for one, row in zip(states, rows, strict=True):
        line = _line(row, widths)
        sign = _sign(one) if colour else ""
        yield f"{sign}{line}{PLAIN}" if sign else line


def _cells(one: State, now: datetime, zone: ZoneInfo) -> dict[str, str]:
    run = one.run
    counts = (run.read, run.new, run.changed) if run else ("", "", "")
    return dict(
        zip(
            HEADER,
            (
                one.source,
                _time(run.started_at, zone) if run else "never",
                run.outcome if run else "",
                *map(str, counts),
                str(one.refused),
                _behind(one, now),
                _time(one.known_until, zone) if one.known_until else "not known",
                _time(one.due, zone) if one.due else "when sent",
            ),
            strict=True,
        )
    )


def _behind(one: State, now: datetime) -> str:
    """How far behind the present a source is known, in its two largest words."""
    if one.known_until is None:
        return "late" if one.late else ""
    gap = max(now - one.known_until, timedelta(0))
    hours = int(gap.seconds // 3600)
    said = f"{gap.days} d {hours} h" if gap >= DAY else f"{hours} h {gap.seconds // 60 % 60} min"
    return f"{said}, late" if one.late else said


def _sign(one: State) -> str:
    if one.run is not None and one.run.outcome not in (*GOOD_OUTCOMES, "running"):
        return RED
    return YELLOW if one.late or one.refused else ""


def _width(names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> int:
    return sum(max(len(name), *(len(row[name]) for row in rows)) + 2 for name in names) - 2


def _line(row: Mapping[str, str], widths: Mapping[str, int]) -> str:
    return "  ".join(row[name].ljust(width) for name, width in widths.items()).rstrip()


def _time(instant: datetime | None, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}" if instant else ""
