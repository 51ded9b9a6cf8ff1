"""Disks, databases, servers, tokens and clocks that fail during a run: it says so, and nothing is lost."""

from __future__ import annotations

import os
import resource
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from ingest.contract import SourceError
from ingest.desk import RunReport
from ingest.run import run_source
from store import engine as engines
from store import runs, schema
from store.engine import open_engine, reading, writing
from tests.ingest.conftest import Bench
from tests.ingest.every_kind import PAGED, behind, rows
from tests.ingest.stand_ins.frame import FOREVER

NEVER_TOLD = "could not say how it ended"
DAYS = """id,opened,closed,topic,amount
a,{day} 00:59:59,{day} 01:30:00,Pothole,1
b,{day} 01:30:00,{day} 02:30:00,Pothole,2
c,{day} 02:30:00,{day} 03:30:00,Pothole,3
"""


class Faulty:
    """One kind's rows, loaded as they were first; a run over their changes is to come."""

    def __init__(self, there) -> None:
        self.there, self.bench, self.source = there, there.bench, there.source("faulty")
        assert self.run().outcome == "succeeded"
        self.before, [self.first] = self.bench.records(self.source), self.ledger()
        there.put(rows(later=True))
        self.an_hour_later()

    def run(self, **changed: object) -> RunReport:
        return run_source(replace(self.bench.desk, **changed), self.source)

    def an_hour_later(self) -> None:
        self.bench.hand.now += timedelta(hours=1)

    def ledger(self) -> list[runs.Run]:
        table = schema.runs
        with reading(self.bench.engine) as connection:
            found = select(table).where(table.c.source == self.source.id).order_by(table.c.id)
            return [runs.run_of(row) for row in connection.execute(found)]

    def changed_nothing(self, report: RunReport, *said: str) -> None:
        """The run failed and says why; records, cursor and how far the source is known are as before."""
        assert report.outcome == "failed" and "mistake" not in report.message, report.line()
        assert all(one in report.message for one in said), report.message
        assert self.bench.records(self.source) == self.before
        with reading(self.bench.engine) as connection:
            assert runs.cursor(connection, self.source.id) == self.first.cursor
            known = runs.knowledge(connection, {self.source.id: self.source})[self.source.id]
        assert known.known_until == self.first.known_until
        last = self.ledger()[-1]
        if last.outcome == "failed":
            assert last.message == report.message and last.finished_at is not None
        assert (last.id == self.first.id) or (last.read, last.new, last.changed) == (0, 0, 0)

    def catches_up(self, *outcomes: str) -> None:
        """The next run does everything, once; the ledger then shows these outcomes and it."""
        self.an_hour_later()
        healed = self.run()
        assert healed.outcome == "succeeded" and healed.new and healed.changed, healed.line()
        fresh = self.there.source("fresh")
        run_source(self.bench.desk, fresh)
        assert self.bench.records(self.source) == self.bench.records(fresh)
        self.an_hour_later()
        again = self.run()
        assert (again.new, again.changed, again.withdrawn) == (0, 0, 0)
        assert [run.outcome for run in self.ledger()][:-1] == ["succeeded", *outcomes, "succeeded"]
        left = {path.name for path in self.bench.folder.glob("ingest-*")}
        assert left == {"ingest-faulty.lock", "ingest-fresh.lock"}
        assert not list(self.bench.desk.snapshots.rglob("*.part"))


@pytest.fixture
def faulty(tmp_path, new_database, monkeypatch):
    """Makes one kind's rows on an engine, loaded once."""
    with ExitStack() as stack:

        def make(kind, engine="sqlite", **changed):
            bench = Bench(new_database(engine), tmp_path)
            stack.callback(bench.engine.dispose)
            there = stack.enter_context(behind(kind, bench, monkeypatch))
            if changed:
                there.options = {**there.options, **changed}
            return Faulty(there)

        yield make


# --- disks ---------------------------------------------------------------------------------------


def within(limit: int, one: Faulty) -> RunReport:
    """The report of a run in a process whose files may have so many bytes each."""
    url = one.bench.engine.url.render_as_string(hide_password=False)
    one.bench.engine.dispose()
    ends, begins = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        said = "the run ended with an error"
        try:
            engine = open_engine(url)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            report = one.run(engine=engine)
            said = f"{report.outcome}\n{report.message}"
        finally:
            os.write(begins, said.encode())
            os._exit(0)
    os.waitpid(child, 0)
    outcome, _, message = os.read(ends, 10_000).decode().partition("\n")
    os.close(ends)
    os.close(begins)
    one.an_hour_later()
    return RunReport(one.source.id, outcome, message=message)


@pytest.mark.parametrize(
    ("engine", "kind", "limit", "said", "outcomes"),
    [
        ("postgresql", "ckan", 5_000, "The disk is full (File too large); free space", ["failed"]),
        ("postgresql", "file", 3_000, "The snapshot of faulty cannot be kept", ["failed"]),
        ("sqlite", "file", 60_000, "The database cannot be written", ["failed"]),
        ("sqlite", "ckan", 10_000, "cannot be opened", []),
    ],
    ids=["answers", "snapshot", "database", "opening"],
)
def test_a_disk_that_is_full_is_said_and_the_run_after_it_does_its_work(
    faulty, engine, kind, limit, said, outcomes
):
    one = faulty(kind, engine)
    one.changed_nothing(within(limit, one), said)
    one.catches_up(*outcomes)


# --- a database that is locked -------------------------------------------------------------------


@contextmanager
def hindered(one: Faulty, monkeypatch) -> Iterator[object]:
    """Progress of a run that makes another process write from the first row on until the block ends."""
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.2)
    other = open_engine(one.bench.engine.url.render_as_string(hide_password=False))
    with ExitStack() as stack:
        held: list[object] = []

        def progress(said: str) -> None:
            if "rows read" in said and not held:
                held.append(stack.enter_context(writing(other, one.bench.clock)))

        yield progress
    other.dispose()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_database_locked_for_too_long_fails_the_run_and_the_next_one_closes_its_row(
    faulty, engine, monkeypatch
):
    one = faulty("ckan", engine)
    with hindered(one, monkeypatch) as progress:
        impatient = open_engine(one.bench.engine.url.render_as_string(hide_password=False))
        report = one.run(engine=impatient, progress=progress)
        impatient.dispose()
    one.changed_nothing(report, "Another process has been writing for more than")
    assert one.ledger()[-1].outcome == "running"
    one.catches_up("interrupted")
    assert NEVER_TOLD in one.ledger()[1].message


def test_a_run_that_fails_while_nothing_can_be_entered_says_both(faulty, monkeypatch):
    one = faulty("file")
    with hindered(one, monkeypatch) as progress:

        def breaking_off(said: str) -> None:
            progress(said)
            if "rows read" in said:
                raise SourceError("The file broke off.")

        impatient = open_engine(str(one.bench.engine.url))
        report = one.run(engine=impatient, progress=breaking_off)
        impatient.dispose()
    one.changed_nothing(report, "The file broke off. And not entered: Another process has been writing")
    one.catches_up("interrupted")


# --- servers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "fault"), list(zip(PAGED, ("503", "drops") * 2, strict=True)))
def test_a_server_that_is_gone_for_an_hour_leaves_all_as_it_was_and_is_caught_up_with(
    faulty, waits, kind, fault
):
    one = faulty(kind)
    server = one.there.server
    server.plays(fault, on=len(server.pages()) + 2, times=FOREVER)
    for _ in range(2):
        one.changed_nothing(one.run(), server.address.removeprefix("http://"))
        one.bench.hand.now += timedelta(minutes=30)
    assert waits
    server.faults.clear()
    one.catches_up("failed", "failed")


@pytest.mark.parametrize(
    ("kind", "options"), [("socrata", {"version": "3", "token": "TOKEN"}), ("arcgis", {"token": "TOKEN"})]
)
def test_a_token_revoked_between_two_pages_fails_the_run_and_a_new_one_catches_up(
    faulty, waits, monkeypatch, kind, options
):
    monkeypatch.setenv("TOKEN", "a-token")
    one = faulty(kind, **options)
    server = one.there.server
    server.token, respond, asked = "a-token", server.respond, len(server.pages())

    def revoking(question):
        server.token = "another" if len(server.pages()) > asked + 1 else server.token
        return respond(question)

    server.respond = revoking
    report = one.run()
    one.changed_nothing(report, server.address.removeprefix("http://"))
    assert "a-token" not in report.message
    monkeypatch.setenv("TOKEN", "another")
    one.catches_up("failed")


# --- clocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "changes"),
    [("2026-11-01", "2026-11-01T06:00"), ("2027-03-14", "2027-03-14T07:00")],
    ids=["back", "forward"],
)
def test_a_run_during_which_the_city_changes_its_clocks_is_like_any_other(bench, day, changes):
    source = bench.source()
    bench.file("cases.csv", DAYS.format(day=day))
    bench.hand.now = datetime.fromisoformat(changes).replace(tzinfo=UTC) - timedelta(seconds=2.5)
    report = run_source(bench.desk, source)
    run = bench.last_run(source)
    assert run.started_at < datetime.fromisoformat(changes).replace(tzinfo=UTC) < run.finished_at
    bench.hand.now += timedelta(hours=3)
    again = run_source(bench.desk, source)
    assert (again.new, again.changed) == (0, 0)
    later = replace(source, id="later")
    bench.hand.now += timedelta(days=3)
    afterwards = run_source(bench.desk, later)
    assert (afterwards.new, afterwards.rejected) == (report.new, report.rejected)
    assert bench.records(later) == bench.records(source)


def test_a_machine_whose_own_clock_is_set_back_writes_nothing_until_it_is_right(faulty):
    one = faulty("ckan")

    def progress(said: str) -> None:
        if "rows read" in said:
            one.bench.hand.now -= timedelta(hours=1)

    one.changed_nothing(one.run(progress=progress), "set the clock right")
    assert one.ledger()[-1].outcome == "running"
    one.changed_nothing(one.run(), "set the clock right")
    one.an_hour_later()
    one.bench.hand.now += timedelta(hours=6)
    one.catches_up("interrupted")
    assert NEVER_TOLD in one.ledger()[1].message


def test_a_machine_whose_own_clock_is_set_forward_does_the_run_and_starts_none_in_the_past(faulty):
    one = faulty("ckan")

    def progress(said: str) -> None:
        if "rows read" in said:
            one.bench.hand.now += timedelta(hours=1)

    assert one.run(progress=progress).outcome == "succeeded"
    times = [(run.started_at, run.finished_at) for run in one.ledger()]
    assert times == sorted(times)
    again = one.run()
    assert (again.new, again.changed) == (0, 0)
