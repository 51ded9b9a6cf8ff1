"""What the worker does with a source when a page asks: tried runs, replays, backfills; each answered once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

import worker
from ingest import source_answers
from ingest.desk import BUSY, RunReport
from store import audit_log, erasures, publication_requests, requests, runs, schema, source_requests
from store.audit_log import Actor
from store.engine import StoreError, reading, writing
from store.source_requests import BACKFILL, DRY_RUN, REPLAY, RUN
from tests.people import add_person
from tests.springfield import RECORDS, Springfield, rows, springfield, work_off

__all__ = ["springfield"]

ADA = Actor(7, "Ada <ada@city.example>")
MISTAKEN = RECORDS.replace("5,Pothole,2026-11-06T08:00:00", "5,Pothole,soon").replace(
    "6,Pothole,2026-11-07T08:00:00", "6,Pothole,later"
)


def ask(city: Springfield, kind: str, **words) -> int:
    with writing(city.engine, city.clock) as write:
        return source_requests.ask(write, ADA, kind, "requests", **words)


def found(city: Springfield, number: int) -> requests.Request:
    with reading(city.engine) as connection:
        made = requests.get(connection, number)
    assert made is not None
    return made


def triggers(city: Springfield) -> list[tuple[str, str]]:
    with reading(city.engine) as connection:
        told = select(schema.runs.c.trigger, schema.runs.c.outcome).order_by(schema.runs.c.id)
        return [tuple(row) for row in connection.execute(told)]


@pytest.fixture
def settled(springfield: Springfield) -> tuple[Springfield, worker.Duties]:
    """A city whose worker has done what was due, with a file of three months that nobody has read."""
    duties = springfield.worker()
    work_off(duties)
    springfield.drop(rows(85, date(2026, 8, 30)))
    springfield.now += timedelta(seconds=1)
    return springfield, duties


def test_a_dry_run_says_what_would_be_and_keeps_nothing(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    springfield.drop(RECORDS.replace("Pothole,2026-11-05", "Tree,2026-11-05") + "99,Pothole,soon,,\n")
    before = triggers(springfield)
    number = ask(springfield, DRY_RUN)
    work_off(duties)
    result = found(springfield, number).result
    assert (result["outcome"], result["changed"], result["rejected"]) == ("succeeded", 1, 1)
    assert result["examples"]["changed"] == ["changed 4: topic Pothole -> Tree"]
    assert result["effect"]["scores"] > 0 and "why_not" in result["effect"]
    assert triggers(springfield) == before


def test_refused_rows_are_read_again_by_the_definition_of_today(springfield):
    springfield.drop(MISTAKEN)
    work_off(springfield.worker())
    springfield.edit("sources/requests.toml", 'type = "text"', 'type = "text"\nempty = ["none"]')
    text = (springfield.folder / "sources" / "requests.toml").read_text()
    dated = text.replace("[columns.opened]\n", '[columns.opened]\nempty = ["soon", "later"]\n')
    (springfield.folder / "sources" / "requests.toml").write_text(dated)
    springfield.reread()
    springfield.now += timedelta(minutes=1)
    number = ask(springfield, REPLAY)
    duties = springfield.worker()
    assert duties.attend()
    result = found(springfield, number).result
    assert (result["outcome"], result["read"], result["new"], result["rejected"]) == ("succeeded", 2, 2, 0)


def test_a_backfill_is_read_newest_first_a_step_at_a_time_and_everything_else_comes_before(settled):
    springfield, duties = settled
    number = ask(springfield, BACKFILL, since=date(2026, 9, 1), until=date(2026, 11, 20), step="month")
    assert duties.attend()
    so_far = found(springfield, number)
    assert so_far.claimed_at is None and (so_far.progress["done"], so_far.progress["of"]) == (1, 3)
    run = ask(springfield, RUN, until=date(2026, 11, 1))
    assert duties.attend() and found(springfield, run).finished_at is not None
    work_off(duties)
    result = found(springfield, number).result
    assert (result["outcome"], result["done"], result["new"] + result["unchanged"]) == ("succeeded", 3, 81)
    told = [trigger for trigger, _ in triggers(springfield) if trigger.startswith("backfill")]
    assert [one.split()[1][:7] for one in told] == ["2026-11", "2026-10", "2026-09"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_backfill_whose_worker_is_killed_goes_on_where_it_was_and_is_answered_once(
    settled, monkeypatch, when
):
    springfield, duties = settled
    real = source_answers.run_source

    def dies(desk, source, asked, **more):
        if "2026-10" not in asked.trigger:
            return real(desk, source, asked, **more)
        if when == "after":
            real(desk, source, asked, **more)
        raise SystemExit

    number = ask(springfield, BACKFILL, since=date(2026, 9, 1), until=date(2026, 11, 20), step="month")
    with monkeypatch.context() as patched:
        patched.setattr(source_answers, "run_source", dies)
        with pytest.raises(SystemExit):
            work_off(duties)
    assert found(springfield, number).finished_at is None
    springfield.now += timedelta(seconds=1)
    work_off(springfield.worker())
    assert found(springfield, number).result["done"] == 3
    told = [trigger for trigger, _ in triggers(springfield) if trigger.startswith("backfill")]
    assert len(told) == len(set(told)) == 3


def test_a_backfill_that_failed_goes_on_at_the_step_that_failed(settled, monkeypatch):
    springfield, duties = settled
    real = source_answers.run_source

    def fails(desk, source, asked, **more):
        if "2026-10" in asked.trigger:
            return RunReport("requests", "failed", message="The server does not answer.")
        return real(desk, source, asked, **more)

    words = {"since": date(2026, 9, 1), "until": date(2026, 11, 20), "step": "month"}
    with monkeypatch.context() as patched:
        patched.setattr(source_answers, "run_source", fails)
        first = ask(springfield, BACKFILL, **words)
        work_off(duties)
    result = found(springfield, first).result
    assert (result["outcome"], result["done"]) == ("failed", 1)
    assert "does not answer" in result["sentence"]
    springfield.now += timedelta(seconds=1)
    second = ask(springfield, BACKFILL, **words)
    work_off(duties)
    assert found(springfield, second).result["outcome"] == "succeeded"
    assert [one for one, _ in triggers(springfield) if "2026-11" in one] == [
        "backfill 2026-11-01..2026-11-20"
    ]


def test_a_backfill_waits_while_somebody_else_reads_the_source(settled, monkeypatch):
    springfield, duties = settled
    answers = [RunReport("requests", BUSY, message="Another run of requests is under way.")]
    real = source_answers.run_source
    monkeypatch.setattr(
        source_answers,
        "run_source",
        lambda *given, **more: answers.pop() if answers else real(*given, **more),
    )
    number = ask(springfield, BACKFILL, since=date(2026, 11, 1), until=date(2026, 11, 20), step="month")
    work_off(duties)
    assert found(springfield, number).finished_at is None
    springfield.now += worker.LATER
    work_off(duties)
    assert found(springfield, number).result["outcome"] == "succeeded"


def test_a_backfill_is_stopped_between_its_steps_and_keeps_what_was_read(settled):
    springfield, duties = settled
    number = ask(springfield, BACKFILL, since=date(2026, 9, 1), until=date(2026, 11, 20), step="month")
    assert duties.attend()
    with writing(springfield.engine, springfield.clock) as write:
        source_requests.stop(write, ADA, found(springfield, number))
    work_off(duties)
    result = found(springfield, number).result
    assert (result["outcome"], result["done"], result["of"]) == ("stopped", 1, 3)
    with writing(springfield.engine, springfield.clock) as write, pytest.raises(StoreError, match="over"):
        source_requests.stop(write, ADA, found(springfield, number))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({}, "needs since, until and a step"),
        ({"since": date(2026, 1, 2), "until": date(2026, 1, 1), "step": "month"}, "is after"),
        ({"since": date(2026, 1, 1), "until": date(2026, 2, 1), "step": "hour"}, "a step of day, week"),
        ({"since": date(1900, 1, 1), "until": date(2026, 1, 1), "step": "day"}, "steps are too many"),
    ],
)
def test_a_backfill_that_cannot_be_is_refused_with_the_fix(settled, words, says):
    springfield, duties = settled
    number = ask(springfield, BACKFILL, **words)
    work_off(duties)
    assert says in found(springfield, number).result["sentence"]


def test_what_is_asked_for_is_asked_once_and_written_down(springfield):
    number = ask(springfield, RUN, since=date(2026, 11, 1))
    with pytest.raises(StoreError, match=rf"asked for already \(request {number}\)"):
        ask(springfield, RUN)
    ask(springfield, DRY_RUN)
    with reading(springfield.engine) as connection:
        told = [(one.act, one.subject, one.words) for one in audit_log.entries(connection)]
        newest = source_requests.of_source(connection, "requests")
        assert source_requests.of_source(connection, "request") == []
    assert ("run asked for", "source requests", {"request": number, "since": "2026-11-01"}) in told
    assert [one.kind for one in newest] == [DRY_RUN, RUN]
    assert newest[1].arguments["by"] == ADA.name


def test_no_more_is_asked_for_than_a_worker_can_answer(springfield, monkeypatch):
    monkeypatch.setattr(source_requests, "UNFINISHED_AT_MOST", 2)
    ask(springfield, RUN)
    ask(springfield, DRY_RUN)
    with pytest.raises(StoreError, match="2 requests wait for the worker"):
        ask(springfield, REPLAY)


def test_the_ledger_is_asked_for_runs_before_an_instant(settled):
    springfield, duties = settled
    ask(springfield, RUN)
    duties.attend()
    with reading(springfield.engine) as connection:
        asked = (connection, "requests", "request")
        assert runs.newest_good_of(*asked) is not None
        assert runs.newest_good_of(*asked, before=springfield.now) is None


def test_final_scores_are_said_again_for_the_reason_a_person_gave(springfield):
    springfield.drop(RECORDS)
    work_off(springfield.worker())
    springfield.edit("metrics/potholes_on_time.toml", "value = 0.80", "value = 0.60")
    springfield.reread()
    springfield.now += timedelta(minutes=1)
    person = add_person(springfield.engine, clock=springfield.clock)
    with writing(springfield.engine, springfield.clock) as write:
        number = publication_requests.ask(write, person, reason="The target was mistyped")
    work_off(springfield.worker())
    result = found(springfield, number).result
    assert result["outcome"] == "published" and result["restated"] > 0
    assert springfield.current().publication.reason == f"The target was mistyped ({person.name})"


def test_erasing_a_record_takes_what_dry_runs_showed_of_its_source(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    number = ask(springfield, DRY_RUN)
    assert duties.attend()
    assert found(springfield, number).result["examples"]["new"]
    source = springfield.catalogue.sources["requests"]
    with writing(springfield.engine, springfield.clock) as write:
        erasures.erase(write, source, "1", "A. Clerk", "asked for", [])
    result = found(springfield, number).result
    assert (result["examples"], result["rejections"], result["new"]) == ({}, [], 21)
