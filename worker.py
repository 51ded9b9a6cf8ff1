"""The composition root of time: loads every source on its schedule and publishes when the day is open."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

import settings
from ingest.run import Asked, Desk, run_source
from metrics.catalogue import CatalogueError, find_city, load
from metrics.model import Catalogue, Source
from serving.processes import GRACE_SECONDS, end_with_parent
from store import publications, records, requests, runs
from store.engine import StoreError, database_url, open_engine, reading, system_clock, writing
from store.migrations import migrate
from store.publish import publish

MISSED_SECONDS = 20 * 3600
"""A job that is late by less than this (a machine that slept) is still done, once."""

LEAVE_SECONDS = GRACE_SECONDS - 2
TELL_SECONDS = 1.5
LOOK_SECONDS = 15
CATCH_UP = "catch_up"


@dataclass
class Duties:
    """What one worker sees to: a city's definitions, and the desk its sources are read at.

    published_after: the newest run whose records the last publishing knew of.
    """

    catalogue: Catalogue
    desk: Desk
    published_after: int = 0

    def catch_up(self) -> None:
        """Loads every source that never ran or missed its time, then publishes; pages see how far it is."""
        behind = [source for source in self.catalogue.sources.values() if self._is_behind(source)]
        with Teller(self.desk) as teller:
            told = replace(self, desk=replace(self.desk, progress=teller))
            for source in behind:
                told._load(source)
            teller(f"{self.catalogue.city.id}: scores are being worked out")
            self.publish_if_open()

    def load(self, source: str) -> None:
        """Loads one source, then publishes what that changed."""
        self._load(self.catalogue.sources[source])
        self.publish_if_open()

    def look_around(self) -> None:
        """Publishes what somebody else has loaded meanwhile, by a command."""
        if self._newest_run() > self.published_after:
            self.publish_if_open()

    def publish_if_open(self) -> None:
        """Publishes what is new; nothing before any source has ever been loaded."""
        if not self._knows_anything():
            _say(f"{self.catalogue.city.id}: no source has been loaded yet, so nothing is published")
            return
        self.published_after = self._newest_run()
        try:
            report = publish(self.desk.engine, self.catalogue, self.desk.clock)
        except StoreError as error:
            _say(f"{self.catalogue.city.id}: not published: {error}", is_failure=True)
            return
        _say(report.line(self.catalogue.city.id))

    def _load(self, source: Source) -> None:
        asked = Asked(trigger="schedule")
        report = run_source(self.desk, source, asked, dated=records.dated_columns(self.catalogue, source))
        _say(report.line(), is_failure=report.outcome not in runs.GOOD_OUTCOMES)

    def _is_behind(self, source: Source) -> bool:
        """Whether a source was never loaded, or a time of its schedule has passed since."""
        with reading(self.desk.engine) as connection:
            last = runs.last_runs(connection).get(source.id)
        if last is None or last.outcome not in runs.GOOD_OUTCOMES:
            return True
        due = _when(source.schedule, self.catalogue).get_next_fire_time(None, last.started_at)
        return due is not None and due <= self.desk.clock()

    def _newest_run(self) -> int:
        with reading(self.desk.engine) as connection:
            last = runs.last_runs(connection).values()
        return max((run.id for run in last if run.outcome in runs.GOOD_OUTCOMES), default=0)

    def _knows_anything(self) -> bool:
        with reading(self.desk.engine) as connection:
            if publications.current(connection) is not None:
                return True
            known = runs.knowledge(connection, self.catalogue.sources)
        return any(one.known_until is not None for one in known.values())


class Teller:
    """Says in the store, as the progress of a request, how far long work is.

    A thread of its own writes it: whoever works may hold the right to write for a while.
    """

    def __init__(self, desk: Desk) -> None:
        self._engine, self._clock = desk.engine, desk.clock
        self._sentence = self._told = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="teller", daemon=True)
        self._request: int | None = None

    def __call__(self, sentence: str) -> None:
        """What is being done now."""
        self._sentence = sentence

    def __enter__(self) -> Teller:
        # Where somebody else is writing for long, the work is done without saying how far it is.
        with contextlib.suppress(StoreError):
            with writing(self._engine, self._clock) as write:
                requests.release(write)
            claimed = requests.claim(self._engine, self._clock)
            if claimed is None:
                requests.insert(self._engine, self._clock, CATCH_UP, {})
                claimed = requests.claim(self._engine, self._clock)
            self._request = claimed.id if claimed else None
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._request is not None:
            with contextlib.suppress(StoreError):
                requests.finish(self._engine, self._clock, self._request, {})

    def _tell(self) -> None:
        while not self._ended.wait(TELL_SECONDS):
            if self._request is None or self._sentence == self._told:
                continue
            with contextlib.suppress(StoreError):
                self._told = self._sentence
                requests.progress(self._engine, self._clock, self._request, {"sentence": self._told})


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


def schedule(duties: Duties) -> BackgroundScheduler:
    """The jobs of a city, one at a time, on its own clocks: catching up now, each source, the publication."""
    catalogue = duties.catalogue
    scheduler = BackgroundScheduler(
        timezone=ZoneInfo(catalogue.city.time_zone),
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISSED_SECONDS},
    )
    scheduler.add_job(duties.catch_up, id="catch_up", next_run_time=duties.desk.clock())
    for source in catalogue.sources.values():
        when = _when(source.schedule, catalogue)
        scheduler.add_job(duties.load, when, args=[source.id], id=f"load {source.id}")
    hour = _when(f"0 {catalogue.city.publication_hour} * * *", catalogue)
    scheduler.add_job(duties.publish_if_open, hour, id="publish")
    scheduler.add_job(duties.look_around, "interval", seconds=LOOK_SECONDS, id="look_around")
    return scheduler


def _duties(chosen: settings.Settings) -> Duties:
    folder = find_city(chosen.city)
    catalogue = load(folder)
    engine = open_engine(database_url(chosen, catalogue.city.id))
    migrate(engine, catalogue.city, system_clock)
    snapshots = chosen.data_dir / catalogue.city.id / "snapshots"
    return Duties(catalogue, Desk(engine, catalogue.city, snapshots, folder, system_clock))


def _work(duties: Duties) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    # They warn of each new try and each late look; what became of it is said by the run.
    for quiet in ("stamina", "apscheduler"):
        logging.getLogger(quiet).setLevel(logging.ERROR)
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: told.set())
    scheduler = schedule(duties)
    scheduler.start()
    told.wait()
    _leave(scheduler)
    return 0


def _leave(scheduler: BackgroundScheduler) -> None:
    """Lets the work under way end if it ends soon; what is cut off heals at the next start."""
    ended = threading.Thread(target=scheduler.shutdown, kwargs={"wait": True}, daemon=True)
    ended.start()
    ended.join(LEAVE_SECONDS)
    if ended.is_alive():
        _say("The worker stops in the middle of its work; the next start takes it up again.")
        os._exit(0)


def _when(crontab: str, catalogue: Catalogue) -> CronTrigger:
    return CronTrigger.from_crontab(crontab, timezone=ZoneInfo(catalogue.city.time_zone))


def _say(line: str, *, is_failure: bool = False) -> None:
    print(line, file=sys.stderr if is_failure else sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
