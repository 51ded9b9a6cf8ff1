"""The ledger: counts that add up, runs of dead processes closed, what is known of each source when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from metrics.model import Column, Knowledge, Source
from store import runs
from store.engine import from_text, reading, writing
from store.records import prepare, staging, withdraw
from store.runs import Run

CASES = Source(
    "cases", "Cases", "file", "id", (Column("id", "text"), Column("opened", "instant")), arrival="opened"
)
UNTIL = datetime(2026, 7, 1, 3, tzinfo=UTC)


def ran(engine, clock, source, **result):
    run = runs.start(engine, clock, source, "test")
    with writing(engine, clock) as write:
        runs.finish(write, run, **result)
        return run


def loaded(engine, clock, source, days, *, until=UNTIL, gone=()):
    """A good run that brings one record for each day, None for a record without one."""
    run = runs.start(engine, clock, source.id, "test")
    with writing(engine, clock) as write:
        prepare(write.connection, source)
    with staging(engine, source) as stage:
        stage.add([(key, day and f"{day}T12:00:00.000000Z", day) for key, day in days.items()])
        with stage.writing(clock) as write:
            counts = stage.merge(write, run)
            withdraw(write, source, list(gone), run)
            runs.finish(write, run, new=counts.new, changed=counts.changed, known_until=until)
            return from_text(write.now)


def known(engine, source, known_at=None):
    with reading(engine) as connection:
        return runs.knowledge(connection, {source.id: source}, known_at)[source.id]


def last_run(engine, source="cases"):
    with reading(engine) as connection:
        return runs.last_runs(connection)[source]


# --- the ledger ----------------------------------------------------------------------------------


def test_a_run_is_in_the_ledger_from_its_start_and_complete_at_its_end(engine, clock):
    run = runs.start(engine, clock, "cases", "timer")
    started = last_run(engine)
    assert (started.id, started.outcome, started.trigger, started.finished_at) == (
        run,
        "running",
        "timer",
        None,
    )
    with writing(engine, clock) as write:
        runs.finish(
            write, run, new=1, changed=2, unchanged=3, rejected=4, withdrawn=5, known_until=UNTIL,
            cursor="17", snapshot="cases/2026/x.csv", message="fine",
        )  # fmt: skip
        ended = from_text(write.now)
    assert last_run(engine) == Run(
        id=run, source="cases", trigger="timer", started_at=started.started_at, finished_at=ended,
        outcome="succeeded", read=10, new=1, changed=2, unchanged=3, rejected=4, withdrawn=5,
        known_until=UNTIL, cursor="17", snapshot="cases/2026/x.csv", message="fine",
    )  # fmt: skip
    assert started.started_at < ended


def test_counts_that_do_not_add_up_are_never_written(engine, clock):
    run = runs.start(engine, clock, "cases", "test")
    with pytest.raises(ValueError, match="5 rows were read but 4"), writing(engine, clock) as write:
        runs.finish(write, run, read=5, new=4)
    assert last_run(engine).outcome == "running"


def test_a_run_is_closed_once(engine, clock):
    run = ran(engine, clock, "cases", new=1)
    with pytest.raises(runs.RunLostError, match="taken over by another"), writing(engine, clock) as write:
        runs.finish(write, run)
    with pytest.raises(runs.RunLostError, match="taken over by another"):
        runs.fail(engine, clock, run, "too late")
    assert last_run(engine).new == 1


def test_a_failed_run_says_why_and_changes_neither_knowledge_nor_cursor(engine, clock):
    loaded(engine, clock, CASES, {"1": "2026-06-30"})
    ran(engine, clock, "cases", outcome="unchanged", known_until=UNTIL, cursor="17")
    runs.fail(engine, clock, runs.start(engine, clock, "cases", "test"), "The server answered 500.")
    last = last_run(engine)
    assert (last.outcome, last.message, last.read, last.known_until, last.cursor) == (
        "failed", "The server answered 500.", 0, None, None,
    )  # fmt: skip
    assert known(engine, CASES).known_until == UNTIL
    with reading(engine) as connection:
        assert runs.cursor(connection, "cases") == "17"
        assert runs.cursor(connection, "permits") is None


def test_the_last_run_of_each_source_is_its_newest(engine, clock):
    ran(engine, clock, "cases", new=1)
    ran(engine, clock, "permits", new=2)
    newest = ran(engine, clock, "cases", new=3)
    with reading(engine) as connection:
        found = runs.last_runs(connection)
    assert {source: (run.id, run.new) for source, run in found.items()} == {
        "cases": (newest, 3),
        "permits": (newest - 1, 2),
    }


def test_starting_a_source_closes_what_a_dead_process_left_of_it_alone(engine, clock):
    dead = runs.start(engine, clock, "cases", "test")
    other = runs.start(engine, clock, "permits", "test")
    runs.start(engine, clock, "cases", "test")
    with reading(engine) as connection:
        outcomes = dict(connection.execute(select(runs._runs.c.id, runs._runs.c.outcome)).all())
    assert outcomes == {dead: "interrupted", other: "running", other + 1: "running"}


# --- knowledge -----------------------------------------------------------------------------------


def test_a_source_that_never_ran_or_only_failed_is_not_known(engine, clock):
    assert known(engine, CASES) == Knowledge("cases", None, None)
    runs.fail(engine, clock, runs.start(engine, clock, "cases", "test"), "no")
    assert known(engine, CASES) == Knowledge("cases", None, None)


@pytest.mark.parametrize("source", [CASES, replace(CASES, begins=date(2020, 1, 1))])
def test_a_source_without_records_is_known_from_where_it_says_it_begins(engine, clock, source):
    loaded(engine, clock, source, {})
    assert known(engine, source) == Knowledge("cases", source.begins, UNTIL)
    loaded(engine, clock, source, {"1": "2026-06-30"})
    loaded(engine, clock, source, {}, gone=["1"])
    assert known(engine, source) == Knowledge("cases", source.begins, UNTIL)


def test_a_source_is_known_from_its_earliest_arrival_to_what_its_last_good_run_said(engine, clock):
    loaded(engine, clock, CASES, {"1": "2026-06-30", "2": "2026-06-02", "3": None})
    later = UNTIL + timedelta(days=1)
    loaded(engine, clock, CASES, {"4": "2026-07-01"}, until=later)
    assert known(engine, CASES) == Knowledge("cases", date(2026, 6, 2), later)


def test_a_declared_begin_outranks_the_arrivals_and_neither_is_no_day(engine, clock):
    loaded(engine, clock, CASES, {"1": "2026-06-30", "2": None})
    assert known(engine, replace(CASES, begins=date(2026, 7, 4))).first_day == date(2026, 7, 4)
    assert known(engine, replace(CASES, arrival=None)) == Knowledge("cases", None, UNTIL)


def test_an_arrival_that_is_only_in_the_catalogue_yet_gives_no_day(engine, clock):
    loaded(engine, clock, replace(CASES, arrival=None), {"1": "2026-06-30"})
    newer = replace(CASES, columns=(*CASES.columns, Column("received", "instant")), arrival="received")
    assert known(engine, newer) == Knowledge("cases", None, UNTIL)


def test_what_was_known_at_an_instant_is_what_its_runs_and_records_said(engine, clock):
    before = clock()
    first = loaded(engine, clock, CASES, {"1": "2026-06-30"})
    moved = loaded(engine, clock, CASES, {"1": "2026-06-20"}, until=UNTIL + timedelta(days=1))
    back = loaded(engine, clock, CASES, {"1": "2026-06-25"}, until=UNTIL + timedelta(days=2))
    gone = loaded(engine, clock, CASES, {}, until=UNTIL + timedelta(days=3), gone=["1"])

    def at(instant):
        found = known(engine, CASES, instant)
        return found.first_day, found.known_until

    assert at(before) == (None, None)
    assert at(first) == (date(2026, 6, 30), UNTIL)
    assert at(moved - timedelta(microseconds=1)) == (date(2026, 6, 30), UNTIL)
    assert at(moved) == (date(2026, 6, 20), UNTIL + timedelta(days=1))
    assert at(back) == (date(2026, 6, 25), UNTIL + timedelta(days=2))
    assert at(gone) == at(None) == (None, UNTIL + timedelta(days=3))
