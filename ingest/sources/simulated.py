"""The kind `simulated`: the sources of an invented town, the same for everyone and alive with the clock.

What was planted in them is told in `ingest/sources/simulation/planted.py`. Options of a source:

    seed            a whole number; another seed is another town
    stream          which source of the town this is; the source's own id when left out
    history_months  how far back the first reading goes, from the first of a month; 42 when left out

A reading with a cursor reads again every day about which something may have changed since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from ingest.contract import Extract, Page, Progress, ReadRequest, SourceError
from ingest.sources.simulation.life import Row
from ingest.sources.simulation.streams import STREAMS, rows, spoken_until
from ingest.sources.simulation.town import CALENDAR_YEARS, ZONE
from metrics.model import Source

PAGE_ROWS = 5000
HISTORY_MONTHS = 42
OPTIONS = ("seed", "stream", "history_months")
YEAR_MONTHS = 12


@dataclass(frozen=True)
class Options:
    """The words of a simulated source, checked."""

    seed: int
    stream: str
    history_months: int


def read(source: Source, request: ReadRequest) -> Extract:
    """The records of the town's source up to the start of the run.

    Raises SourceError for an option that is unknown or wrong, for a clock that stands before the
    last reading, and for years whose holidays the town does not know.
    """
    options = _options(source)
    first_day = _first_day(source, options, request)
    return Extract(
        pages=_pages(options, first_day, request),
        updated_at=spoken_until(options.stream, request.now),
        cursor=request.now.astimezone(UTC).isoformat(),
    )


def _options(source: Source) -> Options:
    given = source.options
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise SourceError(_wrong(source, f"has no option {unknown[0]!r}; use only: {', '.join(OPTIONS)}"))
    stream = given.get("stream", source.id)
    if stream not in STREAMS:
        raise SourceError(_wrong(source, f"stream is {stream!r}; write one of: {', '.join(STREAMS)}"))
    return Options(
        seed=_whole_number(source, "seed", given.get("seed")),
        stream=stream,
        history_months=_whole_number(source, "history_months", given.get("history_months", HISTORY_MONTHS)),
    )


def _whole_number(source: Source, name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SourceError(_wrong(source, f"{name} is {value!r}; write a whole number like {name} = 7"))
    return value


def _wrong(source: Source, what: str) -> str:
    return f"sources/{source.id}.toml, [options]: {what}."


def _first_day(source: Source, options: Options, request: ReadRequest) -> date:
    """The first day to read: of the history, of the days asked for, or of what may have changed."""
    today = request.now.astimezone(ZONE).date()
    settles = timedelta(days=STREAMS[options.stream].settles)
    if request.since is not None:
        first = request.since - settles
    elif request.cursor is not None:
        first = _cursor_day(source, request) - settles
    else:
        first = _months_before(today, options.history_months)
    if not CALENDAR_YEARS[0] <= first.year <= today.year < CALENDAR_YEARS[-1]:
        raise SourceError(
            f"The source {source.id} can be simulated from {CALENDAR_YEARS[0]} to {CALENDAR_YEARS[-1] - 1}, "
            f"not from {first} to {today}; set the clock right or ask for fewer days."
        )
    return first


def _cursor_day(source: Source, request: ReadRequest) -> date:
    last = datetime.fromisoformat(request.cursor or "")
    if request.now < last:
        raise SourceError(
            f"This machine's clock says {request.now:%Y-%m-%d %H:%M} UTC, before the last reading of "
            f"{source.id} at {last:%Y-%m-%d %H:%M} UTC; set the clock right."
        )
    return last.astimezone(ZONE).date()


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * YEAR_MONTHS + day.month - 1 - months, YEAR_MONTHS)
    return date(year, month + 1, 1)


def _pages(options: Options, first_day: date, request: ReadRequest) -> Iterator[Page]:
    columns = STREAMS[options.stream].columns
    records = rows(options.seed, options.stream, first_day, request.now)
    line = 1
    while page := list(islice(records, PAGE_ROWS)):
        yield Page(columns, page, first_line=line, place=f"the simulated town, {options.stream}")
        line += len(page)
        _tell(request.progress, page, line - 1)


def _tell(progress: Progress, page: list[Row], read: int) -> None:
    progress(f"{read} records, up to {page[-1][0]}")
