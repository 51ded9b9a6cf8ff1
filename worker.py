"""The composition root of time: loads every source on its schedule, publishes, answers requests, tidies."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

import settings
from ingest import entry_answers, source_answers
from ingest.backfill import STEPS
from ingest.contract import SourceError
from ingest.delivered import load_delivery
from ingest.desk import BUSY, Asked, Desk, RunReport
from ingest.replay import replay
from ingest.run import run_source
from metrics.catalogue import CatalogueError, find_city, load
from metrics.catalogue_source_rules import WEEKDAYS
from metrics.model import Catalogue, Source
from serving.processes import GRACE_SECONDS, end_with_parent
from store import (
    corrections,
    deliveries,
    housekeeping,
    jobs,
    lease,
    publications,
    rebases,
    records,
    requests,
    runs,
    source_requests,
    target_requests,
    targets,
)
from store.engine import Clock, Engine, StoreError, Writing, database_url, open_engine, reading, system_clock
from store.jobs import FAILED, SUCCEEDED
from store.lease import Holder
from store.migrations import migrate
from store.publish import publish
from store.pulse import Teller, tenure

LEAVE_SECONDS = GRACE_SECONDS - 2
FINISH_SECONDS = 1.0
"""How long work under way may take to end by itself before it is left, unless it is just being written."""

POLL_SECONDS = 1.0
LOOK = timedelta(seconds=15)
"""How often we look whether a command has loaded something: it may be loading one source after another."""

LATER = timedelta(seconds=30)
"""After how long a source is tried again that somebody else is loading."""

AGAIN_SECONDS = 5.0
NEWS = "news"
UNDER_WAY = "under_way"
"""The outcome of a request that was not answered yet: it goes on when there is nothing else to do."""

TIDY_AT = "30 3 * * *"
EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
LONGEST_SHIFT = timedelta(hours=3)
"""More than any clock was ever set forward at once."""

LOOKED_BACK = tuple(timedelta(hours=hours) for hours in (1, 24, 8 * 24, 32 * 24, 366 * 24))

CAN_WAIT = (deliveries.KIND, source_requests.BACKFILL)
"""Requests that wait where another run of their source is under way; who sent others is told so."""

KINDS = (
    source_requests.RUN,
    "publish",
    deliveries.KIND,
    entry_answers.REQUEST,
    corrections.KIND,
    source_requests.DRY_RUN,
    source_requests.BACKFILL,
    source_requests.STOP,
    target_requests.PREVIEW,
    source_requests.REPLAY,
)
"""The requests that are answered."""

Words = Mapping[str, Any]
Ended = tuple[str, Words]
"""How a job ended (`store.jobs`), and what is said of it."""


class _RefusedError(Exception):
    """A request cannot be answered as it was made; the message says why and the fix."""


# --- when --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timetable:
    """The times of a schedule, five words of cron, on a city's clocks; every time is an instant in UTC.

    A time that the clocks skip comes as long after midnight as on other days, one that they show twice
    comes the first time only. What is for every hour goes on through both.
    """

    crontab: str
    time_zone: str

    def after(self, instant: datetime) -> datetime | None:
        """The first time at `instant` or later; None when there is none any more."""
        zone = ZoneInfo(self.time_zone)
        local = instant.astimezone(zone)
        if self.crontab.split()[1] == "*":
            fire = self._shown_next(local)
            return None if fire is None else fire - (local.utcoffset() or timedelta(0))
        shown = self._shown_next((instant - LONGEST_SHIFT).astimezone(zone))
        while shown is not None:
            fire = shown.replace(tzinfo=zone).astimezone(UTC)
            if fire >= instant:
                return fire
            shown = self._shown_next(shown + timedelta(seconds=1))
        return None

    def latest(self, now: datetime) -> datetime | None:
        """The last time up to `now`, however many have passed; None when none did within a year."""
        for back in LOOKED_BACK:
            found, fire = None, self.after(now - back)
            while fire is not None and fire <= now:
                found, fire = fire, self.after(fire + timedelta(seconds=1))
            if found is not None:
                return found
        return None

    def _shown_next(self, shown: datetime) -> datetime | None:
        """What the clocks show at the next time; asked in a real zone, the trigger loses days in some."""
        return _trigger(self.crontab).get_next_fire_time(None, shown.replace(tzinfo=UTC))


@cache
def _trigger(crontab: str) -> CronTrigger:
    minute, hour, day, month, weekday = crontab.split()
    fields = {"minute": minute, "hour": hour, "day": day, "month": month, "day_of_week": _weekdays(weekday)}
    return CronTrigger(**fields, timezone=UTC)


def _weekdays(word: str) -> str:
    """Cron counts weekdays from Sunday, the trigger from Monday: names mean the same to both."""
    if word == "*":
        return word
    return ",".join(sorted({name for part in word.lower().split(",") for name in _weekdays_of(part)}))


def _weekdays_of(part: str) -> Iterator[str]:
    """The days of one part: `1`, `mon`, `1-5`, `fri-mon`, `*/2`; 7 is Sunday too."""
    span, _, step = part.partition("/")
    first, _, last = ("0-6" if span == "*" else span).partition("-")
    low, high = _weekday(first), _weekday(last or first)
    for number in range(low, high + (7 if high < low else 0) + 1, int(step or 1)):
        yield WEEKDAYS[number % 7]


def _weekday(word: str) -> int:
    return int(word) if word.isdecimal() else WEEKDAYS.index(word)


# --- what ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """Something to do at set times. `work` gives how it ended, None when it could not begin and must wait.

    was_done: whether a worker that ended had already done it.
    """

    name: str
    times: Timetable
    work: Callable[[Desk], Ended | None]
    was_done: jobs.WasDone = lambda _connection, _since: False


@dataclass
class Duties:
    """What one worker sees to while it holds the lease: a city's definitions, the desk, and who it is.

    snapshot_days: how long every snapshot is kept. published_after: the newest run whose records, and the
    newest decisions about targets and charts, that the last publishing knew of.
    """

    catalogue: Catalogue
    desk: Desk
    me: Holder = field(default_factory=lease.this_process)
    snapshot_days: int = housekeeping.SNAPSHOT_DAYS
    published_after: tuple[int, int, int] = field(default=(0, 0, 0), init=False)
    _next: dict[str, datetime] = field(default_factory=dict, init=False)

    def begin(self) -> None:
        """Takes over from the worker before: its requests wait again, what is due again is closed."""
        now = self.desk.clock()
        due = {job.name: job.times.latest(now) for job in self.jobs()}
        with self.holding(self.desk.engine, self.desk.clock) as write:
            requests.release(write)
            jobs.overtake(write, {name: one for name, one in due.items() if one is not None})

    def attend(self) -> bool:
        """Does the most urgent thing there is to do, and no more; False when there is nothing.

        Requests come first, then sources that are due, then what they changed is published. The steps of a
        backfill come last, one at a time, so that nothing else waits for all of it. Raises LeaseLostError,
        with nothing begun, when another worker has taken over.
        """
        *first, last = self.jobs()
        return (
            self._answer_one(besides=(source_requests.BACKFILL,))
            or any(self._do_if_due(job) for job in first)
            or self._publish_news()
            or self._do_if_due(last)
            or self._answer_one()
        )

    def jobs(self) -> list[Job]:
        """Everything that has its time, in the order in which it is done when all of it is due."""
        city = self.catalogue.city
        loads = [
            Job(
                f"load {source.id}",
                Timetable(source.schedule, city.time_zone),
                partial(self._load, source),
                partial(runs.has_succeeded_since, source=source.id, trigger="schedule"),
            )
            for source in self.catalogue.sources.values()
            if source.kind != deliveries.PUSHED
        ]
        hour = Timetable(f"0 {city.publication_hour} * * *", city.time_zone)
        night = Timetable(TIDY_AT, city.time_zone)
        return [*loads, Job("publish", hour, self._publish), Job("tidy", night, self._tidy)]

    def holding(self, engine: Engine, clock: Clock) -> AbstractContextManager[Writing]:
        """A write transaction that only the holder of the lease can begin."""
        return lease.holding(engine, clock, self.me)

    def _do_if_due(self, job: Job) -> bool:
        now = self.desk.clock()
        if now < self._next.get(job.name, now):
            return False
        due = job.times.latest(now)
        following = job.times.after(now + timedelta(microseconds=1)) or NEVER
        if due is None or not self._claim(job, due):
            self._next[job.name] = following
            return False
        has_begun = self._do(job, due)
        self._next[job.name] = following if has_begun else self.desk.clock() + LATER
        return has_begun

    def _claim(self, job: Job, due: datetime) -> bool:
        with self.holding(self.desk.engine, self.desk.clock) as write:
            return jobs.claim(write, self.me, job.name, due, job.was_done)

    def _do(self, job: Job, due: datetime) -> bool:
        row = (self.desk.engine, self.desk.clock, self.me, job.name, due)
        with Teller(partial(jobs.tell, *row)) as teller:
            ended = job.work(replace(self.desk, progress=teller))
        if ended is None:
            jobs.put_back(*row)
            return False
        jobs.finish(*row, *ended)
        return True

    # --- loading, publishing, tidying ---

    def _load(self, source: Source, desk: Desk) -> Ended | None:
        report = self._run(source, desk, Asked(trigger="schedule"))
        if report.outcome == BUSY:
            return None
        return (SUCCEEDED if report.outcome in runs.GOOD_OUTCOMES else FAILED), report.words()

    def _run(self, source: Source, desk: Desk, asked: Asked) -> RunReport:
        """Runs a source; what it says on the way names it."""
        begin = f"{source.id}: "
        tell = desk.progress
        named = replace(desk, progress=lambda said: tell(said if said.startswith(begin) else begin + said))
        named.progress("is being read")
        report = run_source(named, source, asked, dated=records.dated_columns(self.catalogue, source))
        _say(report.line(), is_failure=report.outcome not in runs.GOOD_OUTCOMES)
        self._next.pop(NEWS, None)
        return report

    def _publish(self, desk: Desk, as_of: date | None = None, reason: str | None = None) -> Ended:
        """Publishes what is new; nothing before any source has ever been loaded."""
        city = self.catalogue.city
        if not self._knows_anything():
            sentence = f"{city.id}: no source has been loaded yet, so nothing is published"
            _say(sentence)
            return SUCCEEDED, {"outcome": "nothing_loaded", "sentence": sentence}
        desk.progress(f"{city.id}: scores are being worked out")
        self.published_after = self._newest()
        try:
            report = publish(desk.engine, self.catalogue, desk.clock, as_of=as_of, reason=reason)
        except StoreError as error:
            _say(f"{city.id}: not published: {error}", is_failure=True)
            return FAILED, {"outcome": FAILED, "sentence": str(error)}
        _say(report.line(city.id))
        return SUCCEEDED, report.words(city.id)

    def _publish_news(self) -> bool:
        """Publishes what was loaded or approved since the last publishing, whoever did it."""
        now = self.desk.clock()
        if now < self._next.get(NEWS, now):
            return False
        self._next[NEWS] = now + LOOK
        if self._newest() == self.published_after:
            return False
        self._publish(self.desk)
        return True

    def _tidy(self, desk: Desk) -> Ended:
        desk.progress(f"{self.catalogue.city.id}: what is no longer needed is being removed")
        try:
            done = housekeeping.tidy(
                desk.engine, desk.clock, self.catalogue, desk.snapshots, self.snapshot_days
            )
        except StoreError as error:
            _say(f"{self.catalogue.city.id}: not tidied: {error}", is_failure=True)
            return FAILED, {"sentence": str(error)}
        _say(done.line(self.catalogue.city.id))
        return SUCCEEDED, done.words(self.catalogue.city.id)

    def _newest(self) -> tuple[int, int, int]:
        with reading(self.desk.engine) as connection:
            return (
                runs.newest_good(connection),
                targets.newest(connection),
                rebases.newest(connection),
            )

    def _knows_anything(self) -> bool:
        with reading(self.desk.engine) as connection:
            if publications.current(connection) is not None:
                return True
            known = runs.knowledge(connection, self.catalogue.sources)
        return any(one.known_until is not None for one in known.values())

    # --- requests ---

    def _answer_one(self, besides: tuple[str, ...] = ()) -> bool:
        """Answers the oldest request that waits, but for some kinds."""
        desk = self.desk
        resting = [kind for kind in CAN_WAIT if desk.clock() < self._next.get(kind, EVER)]
        request = requests.claim(desk.engine, desk.clock, self.holding, (*besides, *resting))
        if request is None:
            return False
        with Teller(partial(self._tell, request)) as teller:
            try:
                result = self._answer(request, replace(desk, progress=teller))
            except _RefusedError as error:
                result = {"outcome": "refused", "sentence": str(error)}
        is_busy = result["outcome"] == BUSY and request.kind in CAN_WAIT
        if is_busy:
            # What was accepted is not refused because somebody else is loading the source.
            self._next[request.kind] = desk.clock() + LATER
        if is_busy or result["outcome"] == UNDER_WAY:
            so_far = result if request.kind == source_requests.BACKFILL else None
            requests.put_back(desk.engine, desk.clock, request.id, self.holding, so_far)
        else:
            requests.finish(desk.engine, desk.clock, request.id, result, self.holding)
        return True

    def _tell(self, request: requests.Request, words: Words) -> None:
        """Says how far a request is, beside what was said of it when it was put back."""
        said = {**(request.progress or {}), **words}
        requests.progress(self.desk.engine, self.desk.clock, request.id, said)

    def _answer(self, request: requests.Request, desk: Desk) -> Words:
        if request.kind == source_requests.RUN:
            return self._answer_run(request.arguments, desk)
        if request.kind == "publish":
            reason = request.arguments.get("reason")
            as_of = _day(request.arguments, "as_of")
            return self._publish(desk, as_of, None if reason is None else str(reason))[1]
        if request.kind == deliveries.KIND:
            return self._answer_delivery(request, desk)
        if request.kind == entry_answers.REQUEST:
            return self._answer_entry(request.arguments, desk)
        if request.kind == corrections.KIND:
            return self._answer_correction(request.arguments, desk)
        if request.kind == source_requests.BACKFILL:
            return self._answer_backfill(request, desk)
        if request.kind == source_requests.STOP:
            return self._stop_backfill(request.arguments)
        if request.kind == source_requests.DRY_RUN:
            since, until = _days(request.arguments)
            source = self._source(request.arguments)
            return source_answers.tried(desk, source, self.catalogue, since, until)
        if request.kind == source_requests.REPLAY:
            return self._answer_replay(request.arguments, desk)
        if request.kind == target_requests.PREVIEW:
            return self._answer_preview(request.arguments)
        raise _RefusedError(
            f"The worker knows no request of the kind {request.kind!r}; it knows {', '.join(KINDS)}."
        )

    def _answer_backfill(self, request: requests.Request, desk: Desk) -> Words:
        """The next step of it. What is left is told by the ledger, whoever ended in the middle of it."""
        source, (since, until) = self._source(request.arguments), _days(request.arguments)
        step = request.arguments.get("step", "month")
        if since is None or until is None or step not in STEPS:
            raise _RefusedError(f"A backfill needs since, until and a step of {', '.join(STEPS)}; give them.")
        wanted = source_answers.backfill_pieces(since, until, step)
        if len(wanted) > source_answers.MOST_PIECES:
            raise _RefusedError(f"{len(wanted)} steps are too many for one backfill; take longer steps.")
        dated = records.dated_columns(self.catalogue, source)
        words = source_answers.backfill_step(desk, source, wanted, request.created_at, dated)
        is_over = words["outcome"] not in (UNDER_WAY, BUSY)
        _say(words["sentence"], is_failure=is_over and words["outcome"] != SUCCEEDED)
        if is_over:
            self._next.pop(NEWS, None)
        return words

    def _stop_backfill(self, arguments: Words) -> Words:
        """Nobody works at it now, as its steps come after every other request."""
        words = {
            "outcome": "stopped",
            "sentence": f"{arguments.get('by')} stopped it; what was read is kept.",
        }
        with self.holding(self.desk.engine, self.desk.clock) as write:
            found = requests.get(write.connection, int(arguments["request"]))
            kept = {**(found.progress or {}), **words} if found else words
            stopped = requests.cancel(write, [int(arguments["request"])], kept)
        return (
            words if stopped else {"outcome": "over", "sentence": "It was over before it could be stopped."}
        )

    def _answer_replay(self, arguments: Words, desk: Desk) -> Words:
        source = self._source(arguments)
        report = replay(desk, source, records.dated_columns(self.catalogue, source))
        _say(report.line(), is_failure=report.outcome not in runs.GOOD_OUTCOMES)
        self._next.pop(NEWS, None)
        return source_answers.replay_words(report)

    def _answer_preview(self, arguments: Words) -> Words:
        try:
            return target_requests.answer(self.desk.engine, self.catalogue, arguments)
        except StoreError as error:
            raise _RefusedError(str(error)) from error

    def _answer_correction(self, arguments: Words, desk: Desk) -> Words:
        """The record as corrected, then a publication: killed between the two, the next one says why."""
        source = self._source(arguments)
        try:
            with self.holding(desk.engine, desk.clock) as write:
                done = corrections.apply(write, source, int(arguments["correction"]))
        except StoreError as error:
            raise _RefusedError(str(error)) from error
        if done.applied_at is None:
            return {"outcome": "lapsed", "sentence": done.why or ""}
        return self._publish(desk)[1]

    def _answer_entry(self, arguments: Words, desk: Desk) -> Words:
        source = self._source(arguments)
        dated = records.dated_columns(self.catalogue, source)
        try:
            result = entry_answers.answer(desk, source, arguments, dated, self.catalogue)
        except SourceError as error:
            raise _RefusedError(str(error)) from error
        self._next.pop(NEWS, None)
        return result

    def _answer_delivery(self, request: requests.Request, desk: Desk) -> Words:
        source = self._source(request.arguments)
        with reading(desk.engine) as connection:
            delivery = deliveries.of_request(connection, request.id)
        if delivery is None:
            raise _RefusedError("The rows of this delivery are not there; send them again.")
        dated = records.dated_columns(self.catalogue, source)
        report = load_delivery(desk, source, delivery, dated)
        _say(report.line(), is_failure=report.outcome not in runs.GOOD_OUTCOMES)
        self._next.pop(NEWS, None)
        return {**report.words(), "notes": report.message, "rejections": list(report.rejections)}

    def _source(self, arguments: Words) -> Source:
        name, sources = str(arguments.get("source")), self.catalogue.sources
        if name not in sources:
            known = ", ".join(sources) or "none"
            raise _RefusedError(f"{self.catalogue.city.id} has no source {name}; its sources are: {known}.")
        return sources[name]

    def _answer_run(self, arguments: Words, desk: Desk) -> Words:
        source, (since, until) = self._source(arguments), _days(arguments)
        return self._run(source, desk, Asked(since, until, trigger="request")).words()


def _days(arguments: Words) -> tuple[date | None, date | None]:
    """The first and the last day of what is asked for."""
    since, until = _day(arguments, "since"), _day(arguments, "until")
    if since and until and since > until:
        raise _RefusedError(f"since {since} is after until {until}; change one of them.")
    return since, until


def _day(arguments: Words, name: str) -> date | None:
    given = arguments.get(name)
    try:
        return None if given is None else date.fromisoformat(str(given))
    except ValueError as error:
        raise _RefusedError(f"{name} is {given!r}; give a day like 2026-01-31.") from error


# --- the process -----------------------------------------------------------------------------------


class Worker:
    """A process's wait for the lease, its work while it has it, and its end."""

    def __init__(self, duties: Duties) -> None:
        self._duties = duties
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._has_failed = True

    def hear(self, *_signal: object) -> None:
        """Asks it to end."""
        self._told.set()

    def run(self) -> int:
        """Works until told to end; 1 when a mistake of the program ended it."""
        self._thread.start()
        self._told.wait()
        self._thread.join(FINISH_SECONDS)
        if self._thread.is_alive():
            self._leave()
        return int(self._has_failed)

    def _run(self) -> None:
        try:
            while not self._told.is_set():
                self._duties = replace(self._duties, me=lease.this_process())
                try:
                    self._work(self._duties)
                except StoreError as error:
                    _say(str(error), is_failure=True)
                    self._told.wait(AGAIN_SECONDS)
            self._has_failed = False
        finally:
            self._told.set()

    def _work(self, duties: Duties) -> None:
        """Works as long as it has the lease."""
        city, desk = duties.catalogue.city.id, duties.desk
        place = desk.engine, desk.clock, desk.snapshots.parent
        with tenure(*place, duties.me, self._told, lambda words: _say(f"{city}: {words}")) as heart:
            if heart is None:
                return
            duties.begin()
            while not self._told.is_set():
                heart.check()
                if not duties.attend():
                    self._told.wait(POLL_SECONDS)

    def _leave(self) -> None:
        """Leaves work under way where it can be left: not while any of it is being written.

        To give up the lease is to write, which waits until nobody else does.
        """
        desk, me = self._duties.desk, self._duties.me
        leaving = threading.Thread(target=_give_up, args=(desk, me), daemon=True)
        leaving.start()
        leaving.join(LEAVE_SECONDS - FINISH_SECONDS)
        self._thread.join(FINISH_SECONDS / 2)
        if self._thread.is_alive():
            _say("The worker stops in the middle of its work; the next start takes it up again.")
            os._exit(0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Works until SIGTERM or Ctrl-C; 1 with one clear line, or one for each mistake, where it cannot."""
    parser = argparse.ArgumentParser(prog="python worker.py", description=__doc__)
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    try:
        chosen = settings.from_environment()
        if not chosen.scheduler:
            print("SCHEDULER=off: there is nothing to do; leave it out to let the worker work.")
            return 0
        duties = _duties(chosen)
    except CatalogueError as error:
        print("\n".join(str(mistake) for mistake in error.mistakes), file=sys.stderr)
        return 1
    except (StoreError, settings.SettingError) as error:
        print(error, file=sys.stderr)
        return 1
    if given.with_parent:
        end_with_parent(sys.stdin.fileno())
    return _work(duties)


def _duties(chosen: settings.Settings) -> Duties:
    folder = find_city(chosen.city)
    catalogue = load(folder)
    engine = open_engine(database_url(chosen, catalogue.city.id))
    migrate(engine, catalogue.city, system_clock)
    snapshots = chosen.data_dir / catalogue.city.id / "snapshots"
    districts = tuple(catalogue.districts.values())
    desk = Desk(
        engine,
        catalogue.city,
        snapshots,
        folder,
        system_clock,
        districts=districts,
        largest=chosen.largest_file,
        secret=settings.secret,
        runs_at_once=chosen.runs_at_once,
    )
    return Duties(catalogue, desk, snapshot_days=chosen.snapshot_days)


def _work(duties: Duties) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    # It warns of each new try; what became of it is said by the run.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    worker = Worker(duties)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, worker.hear)
    return worker.run()


def _give_up(desk: Desk, me: Holder) -> None:
    with suppress(StoreError):
        lease.release(desk.engine, desk.clock, me)


def _say(line: str, *, is_failure: bool = False) -> None:
    print(line, file=sys.stderr if is_failure else sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
