"""How the sources of a city are, as data, for whoever looks after them: the list of them, and one alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from layouts.status_view import BROKEN, RunStatus, SourceStatus, due_until
from metrics.model import Catalogue, City, Source
from metrics.periods import instant_at, local_day, local_midnight
from store import quarantine, requests, source_ledger, source_requests
from store.engine import Connection
from store.quarantine import QuarantinedRow, Reason
from store.requests import Request
from store.source_ledger import Course, Run

DAYS = 30
RUNS_SHOWN = 12
ROWS_SHOWN = 10
VALUES_SHOWN = 5

_DAY = timedelta(days=1)


class Arrival(StrEnum):
    """How a day of a source came along.

    on_time: it was known when it was due. late: it is known since. failed: it is not, and the last run did
    not come to its end. missing: it is not, and the runs were well or there was none. before: it was due
    before the first run of the source.
    """

    ON_TIME = "on_time"
    LATE = "late"
    FAILED = "failed"
    MISSING = "missing"
    BEFORE = "before"


@dataclass(frozen=True)
class DayMark:
    """One day of data. known_at: since when it is known, None where it is not.

    runs, failed: how many runs ended between its end and the end of the next day, and those that broke.
    """

    day: date
    arrival: Arrival
    due: datetime
    known_at: datetime | None
    runs: int
    failed: int


@dataclass(frozen=True)
class SourceLine:
    """A source at a moment: its last run, open refused rows, what was unusual, and its last days.

    departments: the ids of those with metrics on it.
    """

    status: SourceStatus
    run: Run | None
    refused: int
    unusual: tuple[str, ...]
    days: tuple[DayMark, ...]
    departments: tuple[str, ...]

    @property
    def source(self) -> Source:
        """The source."""
        return self.status.source

    @property
    def has_failed(self) -> bool:
        """Whether its last run did not come to its end."""
        return self.run is not None and self.run.outcome in BROKEN

    @property
    def needs_somebody(self) -> bool:
        """Whether there is something to see to."""
        return self.status.is_late or self.has_failed or bool(self.refused or self.unusual)


@dataclass(frozen=True)
class SourcesView:
    """Every source of a city at `now`. is_worked: whether a worker is there that loads them."""

    catalogue: Catalogue
    now: datetime
    is_worked: bool
    lines: tuple[SourceLine, ...]

    @property
    def city(self) -> City:
        """The city."""
        return self.catalogue.city

    @property
    def late(self) -> tuple[SourceLine, ...]:
        """Those of which a day is missing."""
        return tuple(one for one in self.lines if one.status.is_late)

    @property
    def failed(self) -> tuple[SourceLine, ...]:
        """Those whose last run broke."""
        return tuple(one for one in self.lines if one.has_failed)

    @property
    def refused(self) -> int:
        """The open refused rows of all."""
        return sum(one.refused for one in self.lines)


@dataclass(frozen=True)
class Refused:
    """The open rows of a source for one reason: their values and the first of them are personal data."""

    reason: Reason
    values: tuple[str, ...] = ()
    rows: tuple[QuarantinedRow, ...] = ()


@dataclass(frozen=True)
class SourceView:
    """One source: what was asked to be done with it, its runs, and what was unusual of each by number.

    request: the one that is followed; None where none is to be shown. older: the number before which there
    are more runs, None for none.
    """

    city: City
    now: datetime
    is_worked: bool
    line: SourceLine
    runs: tuple[Run, ...]
    older: int | None
    unusual: Mapping[int, Sequence[str]]
    reasons: tuple[Reason, ...]
    request: Request | None
    asked: tuple[Request, ...]


def sources_view(connection: Connection, catalogue: Catalogue, now: datetime) -> SourcesView:
    """Every source of the catalogue, in its order."""
    known = source_ledger.knowledge(connection, catalogue.sources)
    last = source_ledger.last_runs(connection)
    unusual = source_ledger.unusual(connection, [one.id for one in last.values()])
    refused = quarantine.open_rows(connection)
    came = source_ledger.courses(connection, _since(catalogue.city, now))
    lines = [
        _line(
            catalogue,
            source,
            now,
            known[name].known_until,
            last.get(name),
            refused.get(name, 0),
            unusual,
            came.get(name),
        )
        for name, source in catalogue.sources.items()
    ]
    return SourcesView(catalogue, now, source_ledger.is_worked(connection, now), tuple(lines))


def source_view(
    connection: Connection,
    catalogue: Catalogue,
    source: Source,
    now: datetime,
    *,
    request: int | None = None,
    before: int | None = None,
) -> SourceView:
    """One source. request: the number of the one to follow, else the newest that is not long over."""
    only = {source.id: source}
    known = source_ledger.knowledge(connection, only)[source.id].known_until
    last = source_ledger.page(connection, source.id, 1)
    shown = source_ledger.page(connection, source.id, RUNS_SHOWN + 1, before)
    unusual = source_ledger.unusual(connection, [one.id for one in (*last, *shown)])
    refused = quarantine.open_rows(connection).get(source.id, 0)
    came = source_ledger.courses(connection, _since(catalogue.city, now)).get(source.id)
    asked = source_requests.of_source(connection, source.id)
    return SourceView(
        catalogue.city,
        now,
        source_ledger.is_worked(connection, now),
        _line(catalogue, source, now, known, next(iter(last), None), refused, unusual, came),
        tuple(shown[:RUNS_SHOWN]),
        shown[RUNS_SHOWN - 1].id if len(shown) > RUNS_SHOWN else None,
        unusual,
        tuple(quarantine.reasons(connection, [source.id])),
        _followed(connection, source, asked, now, request),
        tuple(asked),
    )


def refused_view(connection: Connection, reason: Reason) -> Refused:
    """What stands in the open rows that are there for one reason: personal data."""
    values = quarantine.values_of(connection, reason, VALUES_SHOWN)
    rows = quarantine.quarantined(connection, reason.source, ROWS_SHOWN, of=reason)
    return Refused(reason, tuple(values), tuple(rows))


def day_marks(city: City, source: Source, course: Course | None, now: datetime) -> tuple[DayMark, ...]:
    """The last days whose time has come, oldest first; none for a source that never ran."""
    if course is None:
        return ()
    newest = local_day(city, due_until(city, source, now)) - _DAY
    days = [newest - _DAY * back for back in reversed(range(DAYS))]
    return tuple(_mark(city, source, course, day) for day in days)


def departments_of(catalogue: Catalogue, source: str) -> tuple[str, ...]:
    """The departments with metrics on a source, in the order of the catalogue."""
    on_it = {one.department for one in catalogue.metrics.values() if one.source == source}
    return tuple(one for one in catalogue.departments if one in on_it)


def _line(
    catalogue: Catalogue,
    source: Source,
    now: datetime,
    known_until: datetime | None,
    run: Run | None,
    refused: int,
    unusual: Mapping[int, Sequence[str]],
    course: Course | None,
) -> SourceLine:
    city = catalogue.city
    last = RunStatus(run.outcome, run.finished_at or run.started_at, run.read, run.rejected) if run else None
    return SourceLine(
        SourceStatus(source, known_until, due_until(city, source, now), last),
        run,
        refused,
        tuple(unusual.get(run.id, ())) if run else (),
        day_marks(city, source, course, now),
        departments_of(catalogue, source.id),
    )


def _since(city: City, now: datetime) -> datetime:
    """Before the first day of the strip was over, whatever a source's own time is."""
    return local_midnight(city, local_day(city, now) - _DAY * (DAYS + 3))


def _mark(city: City, source: Source, course: Course, day: date) -> DayMark:
    ends = local_midnight(city, day + _DAY)
    due = instant_at(city, day + _DAY, city.publication_hour)
    if source.due_after_minutes is not None:
        due = ends + timedelta(minutes=source.due_after_minutes)
    knowing = (one for one in course.ended if one.is_good and one.known_until and one.known_until >= ends)
    known_at = min((one.finished_at for one in knowing), default=None)
    since = [one for one in course.ended if one.finished_at >= ends]
    of_day = [one for one in since if one.finished_at < ends + _DAY]
    return DayMark(
        day,
        _arrival(course, due, known_at, bool(since) and not since[-1].is_good),
        due,
        known_at,
        len(of_day),
        sum(not one.is_good for one in of_day),
    )


def _arrival(course: Course, due: datetime, known_at: datetime | None, is_broken: bool) -> Arrival:
    if known_at is not None and known_at <= due:
        return Arrival.ON_TIME
    if course.first > due:
        return Arrival.BEFORE
    if known_at is not None:
        return Arrival.LATE
    return Arrival.FAILED if is_broken else Arrival.MISSING


def _followed(
    connection: Connection, source: Source, asked: Sequence[Request], now: datetime, wanted: int | None
) -> Request | None:
    if wanted is not None:
        found = requests.get(connection, wanted)
        return found if found is not None and is_about(found, source.id) else None
    waiting = [one for one in asked if one.finished_at is None]
    if waiting:
        return waiting[-1]
    newest = next(iter(asked), None)
    return newest if newest and newest.finished_at and now - newest.finished_at < _DAY else None


def is_about(request: Request, source: str) -> bool:
    """Whether a request is one that pages follow, and about this source."""
    return request.kind in source_requests.SHOWN and request.arguments.get("source") == source
