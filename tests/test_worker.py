"""The worker's duties: what is due when, in which order, once each, and how requests are answered."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

import app
import worker
from ingest import turns
from ingest.desk import BUSY, RunReport
from metrics import periods
from metrics.catalogue import from_text
from metrics.model import City, Target
from store import corrections, jobs, lease, pulse, rebases, requests, runs, schema, targets
from store.engine import StoreError, reading, writing
from store.lease import LeaseLostError
from store.pulse import Teller
from store.records import record_table
from tests.people import add_person
from tests.springfield import RECORDS, Springfield, rows, springfield, work_off
from worker import Timetable

__all__ = ["springfield"]

NEW_YORK = "America/New_York"


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ledger(city):
    with reading(city.engine) as connection:
        return connection.execute(select(schema.runs).order_by(schema.runs.c.id)).all()


def job(city, name):
    """The newest execution of a job."""
    with reading(city.engine) as connection:
        due = select(schema.jobs.c.due_at).where(schema.jobs.c.job == name).order_by(schema.jobs.c.due_at)
        found = connection.execute(due).scalars().all()
        return jobs.find(connection, name, datetime.fromisoformat(found[-1])) if found else None


# --- times -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crontab", "now", "latest"),
    [
        ("15 4 * * *", "2026-07-02T12:00", "2026-07-02T08:15"),
        ("15 4 * * *", "2026-07-02T08:15", "2026-07-02T08:15"),
        ("15 4 * * *", "2026-07-02T08:14:59", "2026-07-01T08:15"),
        ("*/10 * * * *", "2026-07-02T12:09", "2026-07-02T12:00"),
        ("0 4 * * 1", "2026-07-02T12:00", "2026-06-29T08:00"),
        ("0 4 * * 0", "2026-07-02T12:00", "2026-06-28T08:00"),
        ("0 4 * * 7", "2026-07-02T12:00", "2026-06-28T08:00"),
        ("0 4 * * 1-5", "2026-07-05T12:00", "2026-07-03T08:00"),
        ("0 4 * * mon-fri", "2026-07-05T12:00", "2026-07-03T08:00"),
        ("0 4 * * fri-sun", "2026-07-02T12:00", "2026-06-28T08:00"),
        ("0 4 * * */3", "2026-07-05T07:00", "2026-07-04T08:00"),
        ("0 4 1 * *", "2026-07-02T12:00", "2026-07-01T08:00"),
        ("0 4 1 1 *", "2026-07-02T12:00", "2026-01-01T09:00"),
        ("0 4 30 2 *", "2026-07-02T12:00", None),
    ],
)
def test_the_latest_time_of_a_schedule_is_found_however_long_ago_it_was(crontab, now, latest):
    found = Timetable(crontab, NEW_YORK).latest(utc(now))
    assert found == (latest and utc(latest))


@pytest.mark.parametrize(
    ("crontab", "first", "fires"),
    [
        # The clocks are set forward at 2:00 on 8 March and back at 2:00 on 1 November 2026.
        ("30 2 * * *", "2026-03-07", ["2026-03-07T07:30", "2026-03-08T07:30", "2026-03-09T06:30"]),
        ("30 1 * * *", "2026-10-31", ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"]),
        ("0 5 * * *", "2026-10-31", ["2026-10-31T09:00", "2026-11-01T10:00", "2026-11-02T10:00"]),
    ],
)
def test_a_daily_schedule_comes_once_on_the_days_the_clocks_change(crontab, first, fires):
    table = Timetable(crontab, NEW_YORK)
    now, found = utc(f"{first}T04:00"), []
    while len(found) < len(fires):
        found.append(table.after(now))
        now = found[-1] + timedelta(seconds=1)
    assert found == [utc(one) for one in fires]


@pytest.mark.parametrize(
    "crontab",
    [
        "0 4 * * fri-mon",
        "*/7 0-6/2 * jan-mar *",
        "0,30 4 1,15 */2 *",
        "59 23 31 dec *",
        "0 4 * * 0,6",
        "0 4 * * SUN",
    ],
)
def test_a_schedule_the_catalogue_allows_is_one_the_worker_understands(springfield, crontab):
    springfield.edit("sources/requests.toml", "0 4 * * *", crontab)
    springfield.reread()
    assert Timetable(crontab, NEW_YORK).after(springfield.now) > springfield.now
    work_off(springfield.worker())


def test_a_worker_that_starts_in_the_hour_after_a_skipped_time_still_finds_it():
    table = Timetable("30 2 * * *", NEW_YORK)
    assert table.after(utc("2026-03-08T07:10")) == utc("2026-03-08T07:30")
    assert table.latest(utc("2026-03-08T07:29")) == utc("2026-03-07T07:30")
    assert table.latest(utc("2026-03-08T07:31")) == utc("2026-03-08T07:30")


def test_an_hourly_schedule_does_not_rest_while_the_clocks_show_an_hour_twice():
    table = Timetable("*/30 * * * *", NEW_YORK)
    now, found = utc("2026-11-01T05:00"), []
    for _ in range(5):
        found.append(table.after(now))
        now = found[-1] + timedelta(seconds=1)
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=30)}


@pytest.mark.parametrize(
    ("crontab", "begins", "loads"),
    [
        # What is shown twice comes the first time; what is skipped comes as long after midnight as ever.
        ("30 1 * * *", "2026-10-31T04:00", ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"]),
        ("30 2 * * *", "2027-03-13T06:00", ["2027-03-13T07:30", "2027-03-14T07:30", "2027-03-15T06:30"]),
    ],
    ids=["back", "forward"],
)
def test_nothing_runs_twice_or_not_at_all_while_the_clocks_change_and_workers_too(
    springfield, monkeypatch, crontab, begins, loads
):
    monkeypatch.setattr(worker.Duties, "_publish", lambda *_: (worker.SUCCEEDED, {}))
    springfield.edit("sources/requests.toml", "0 4 * * *", crontab)
    springfield.reread()
    springfield.drop(RECORDS)
    springfield.now = utc(begins)
    work_off(springfield.worker())
    while springfield.now < utc(loads[-1]) + timedelta(hours=1):
        springfield.now += timedelta(minutes=30)
        work_off(springfield.worker())
    _made_up_for, *planned = [run.started_at[:16] for run in ledger(springfield)]
    assert planned == loads


@pytest.mark.parametrize("zone", [NEW_YORK, "Europe/Berlin", "Asia/Beirut", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("hour", [0, 1, 2, 5])
def test_the_publication_comes_due_when_the_day_opens(zone, hour):
    city = City("c", "C", zone)
    table = Timetable(f"0 {hour} * * *", zone)
    day = date(2026, 1, 1)
    while day < date(2027, 1, 1):
        opens = periods.instant_at(city, day, hour)
        assert table.after(opens - timedelta(minutes=1)) == opens
        assert table.latest(opens + timedelta(hours=20)) == opens
        day += timedelta(days=1)


# --- a day of a city ---------------------------------------------------------------------------


def test_the_worker_loads_what_is_due_and_publishes_once(springfield, capsys):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    assert work_off(duties) == 3
    assert springfield.current().publication.as_of == date(2026, 11, 23)
    said = capsys.readouterr().out
    assert "requests: 21 new, 0 changed" in said and said.count("publication 1") == 1
    assert work_off(duties) == 0
    assert [one.outcome for one in map(partial(job, springfield), ("load requests", "publish", "tidy"))] == [
        "succeeded"
    ] * 3
    assert job(springfield, "load requests").result["new"] == 21
    assert [run.trigger for run in ledger(springfield)] == ["schedule"]


def test_a_worker_that_starts_again_does_nothing_that_was_done(springfield, capsys):
    springfield.drop(RECORDS)
    work_off(springfield.worker())
    capsys.readouterr()
    work_off(springfield.worker())
    assert len(ledger(springfield)) == 1
    assert "nothing has changed" in capsys.readouterr().out


def test_a_source_is_loaded_again_when_its_next_time_has_come(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    springfield.now = utc("2026-11-24T08:59:59")
    work_off(duties)
    assert len(ledger(springfield)) == 1
    springfield.now = utc("2026-11-24T09:00:00")
    work_off(duties)
    assert [run.started_at[:10] for run in ledger(springfield)] == ["2026-11-23", "2026-11-24"]


def test_a_machine_that_slept_for_days_runs_each_source_once_and_publishes_today(springfield):
    springfield.another_source("other", drop="drop2")
    springfield.drop(RECORDS)
    springfield.reread()
    duties = springfield.worker()
    work_off(duties)
    before = len(ledger(springfield))
    springfield.now += timedelta(days=4)
    work_off(duties)
    assert sorted(run.source for run in ledger(springfield)[before:]) == ["other", "requests"]
    assert springfield.current().publication.id == 2
    assert springfield.current().publication.as_of == date(2026, 11, 27)


def test_nothing_is_published_before_anything_was_loaded(springfield, capsys):
    work_off(springfield.worker())
    assert springfield.current() is None
    said = capsys.readouterr()
    assert "requests: failed" in said.err and "nothing is published" in said.out


def test_a_source_that_fails_does_not_stop_the_others(springfield, capsys):
    springfield.another_source("aaa", drop="nowhere")
    springfield.drop(RECORDS)
    springfield.reread()
    work_off(springfield.worker())
    assert "aaa: failed" in capsys.readouterr().err
    assert springfield.current() is not None
    assert (job(springfield, "load aaa").outcome, job(springfield, "load requests").outcome) == (
        "failed",
        "succeeded",
    )


def test_a_source_that_failed_is_tried_again_by_the_next_worker(springfield):
    duties = springfield.worker()
    work_off(duties)
    assert job(springfield, "load requests").outcome == "failed"
    springfield.drop(RECORDS)
    assert work_off(duties) == 0
    work_off(springfield.worker())
    assert job(springfield, "load requests").outcome == "succeeded"


def test_what_a_command_has_loaded_is_published_soon(springfield):
    duties = springfield.worker()
    work_off(duties)
    springfield.drop(RECORDS)
    worker.run_source(springfield.desk, springfield.catalogue.sources["requests"])
    springfield.now += worker.LOOK
    assert work_off(duties) == 1
    assert springfield.current().publication.id == 1


def test_a_publication_that_is_refused_is_said_and_stops_nothing(springfield, capsys):
    springfield.drop(RECORDS)
    work_off(springfield.worker())
    springfield.edit("metrics/potholes_on_time.toml", "value = 0.80", "value = 0.60")
    springfield.reread()
    springfield.now += timedelta(days=1)
    work_off(springfield.worker())
    assert "not published" in capsys.readouterr().err
    assert job(springfield, "publish").outcome == "failed"
    assert "--reason" in job(springfield, "publish").result["sentence"]
    assert job(springfield, "tidy").outcome == "succeeded"


def test_a_source_somebody_else_is_loading_is_tried_again_and_not_given_up(springfield, monkeypatch):
    springfield.drop(RECORDS)
    real = worker.run_source
    answers = [RunReport("requests", BUSY, message="Another run of requests is under way.")]
    monkeypatch.setattr(
        worker, "run_source", lambda *given, **more: answers.pop() if answers else real(*given, **more)
    )
    duties = springfield.worker()
    work_off(duties)
    assert job(springfield, "load requests") is None
    springfield.now += worker.LATER
    work_off(duties)
    assert job(springfield, "load requests").outcome == "succeeded"
    assert springfield.current() is not None


def test_a_source_that_is_due_waits_while_as_many_are_read_as_may_be_at_once(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    with turns.place(replace(duties.desk, runs_at_once=1)), turns.place(duties.desk):
        work_off(duties)
        assert job(springfield, "load requests") is None
    springfield.now += worker.LATER
    work_off(duties)
    assert job(springfield, "load requests").outcome == "succeeded"


def test_jobs_go_by_the_clocks_of_the_city_and_sources_come_first(springfield):
    duties = springfield.worker()
    assert [one.name for one in duties.jobs()] == ["load requests", "publish", "tidy"]
    assert {one.times.time_zone for one in duties.jobs()} == {NEW_YORK}
    assert [one.times.crontab for one in duties.jobs()] == ["0 4 * * *", "0 5 * * *", "30 3 * * *"]


# --- nights ------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["2026-07-20", "2026-03-06", "2026-10-30"])
def test_after_a_night_the_new_day_is_there_published_once_with_the_change_explained(springfield, first):
    """Four nights, one of them with a change of the clocks in two of the cases; the worker looks often."""
    springfield.edit(
        "metrics/potholes_on_time.toml", '["week", "month", "quarter"]', '["day", "week", "month"]'
    )
    text = (springfield.folder / "metrics" / "potholes_on_time.toml").read_text()
    also = text.replace("potholes_on_time", "potholes_filled").replace("closed <= due", "closed is not null")
    (springfield.folder / "metrics" / "potholes_filled.toml").write_text(also)
    springfield.edit("sources/requests.toml", "quiet_minutes = 60", "quiet_minutes = 1440")
    springfield.reread()
    begin = date.fromisoformat(first)
    midnight = datetime(begin.year, begin.month, begin.day, tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)
    springfield.now = midnight + timedelta(hours=15)
    springfield.drop(rows(30, begin - timedelta(days=30)))
    duties = springfield.worker()
    work_off(duties)
    for night in range(1, 5):
        springfield.drop(rows(30 + night, begin - timedelta(days=30)))
        end = springfield.now + timedelta(days=1)
        while springfield.now < end:
            springfield.now += timedelta(minutes=20)
            work_off(duties)
        today = begin + timedelta(days=night)
        assert [run.source for run in ledger(springfield)] == ["requests"] * (night + 1)
        assert springfield.current().publication.as_of == today
        with reading(springfield.engine) as connection:
            published = worker.publications.history(connection)
            assert [one.as_of for one in published].count(today) == 1
            now = published[0]
            composites = worker.publications.latest_composites(connection, now)
        explained = [one for found in composites.values() for one in found.values() if one.change is not None]
        assert explained, "no change was explained"
        for one in explained:
            assert sum(row.contribution for row in one.contributions) == pytest.approx(one.change, abs=1e-12)
    assert any(one.change for one in explained)


# --- requests ----------------------------------------------------------------------------------


def ask(city, kind, **arguments):
    return requests.insert(city.engine, city.clock, kind, arguments)


def answer(city, number):
    with reading(city.engine) as connection:
        return requests.get(connection, number)


def test_a_page_asks_for_a_source_to_be_loaded_and_gets_counts(springfield):
    duties = springfield.worker()
    work_off(duties)
    springfield.drop(RECORDS)
    number = ask(springfield, "run_source", source="requests")
    assert work_off(duties) == 2
    result = answer(springfield, number).result
    assert (result["outcome"], result["source"], result["new"], result["rejected"]) == (
        "succeeded",
        "requests",
        21,
        0,
    )
    assert result["sentence"].startswith("requests: 21 new, 0 changed")
    assert ledger(springfield)[-1].trigger == "request"
    assert springfield.current() is not None, "what it changed was not published"


def test_a_range_that_is_asked_for_is_the_range_that_is_read(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    number = ask(springfield, "run_source", source="requests", since="2026-11-03", until="2026-11-05")
    assert duties.attend()
    assert answer(springfield, number).result["new"] == 3


def test_a_person_publishes_for_a_day_with_a_reason(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    number = ask(springfield, "publish", as_of="2026-11-20", reason="for the council")
    again = ask(springfield, "publish")
    work_off(duties)
    result = answer(springfield, number).result
    assert (result["outcome"], result["publication"], result["as_of"]) == ("published", 2, "2026-11-20")
    assert answer(springfield, again).result["outcome"] == "unchanged"
    assert springfield.current().publication.id == 1, "an earlier day does not become the current one"


def test_an_accepted_correction_is_made_and_published_with_its_reason(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    source = springfield.catalogue.sources["requests"]
    with reading(springfield.engine) as connection:
        key = str(connection.execute(select(record_table(source).c.id)).scalars().first())
    somebody = add_person(springfield.engine, clock=duties.desk.clock)
    with writing(springfield.engine, duties.desk.clock) as write:
        flag = (write, somebody, source, "potholes_on_time", key, "topic", {"topic": "Tree"}, "It was a tree")
        number = corrections.flag(*flag)
        corrections.accept(write, somebody, number, "public_works")
    work_off(duties)
    with reading(springfield.engine) as connection:
        found = corrections.get(connection, number)
        record = connection.execute(
            select(record_table(source).c.topic).where(record_table(source).c.id == key)
        )
        assert record.scalar_one() == "Tree"
    assert found is not None and found.applied_at is not None
    # The file says the same again: the correction holds, and nothing is new.
    before = springfield.current().publication.id
    assert before > 1
    ask(springfield, "run_source", source="requests")
    work_off(duties)
    assert springfield.current().publication.id == before


@pytest.mark.parametrize(
    ("kind", "arguments", "says"),
    [
        ("dance", {}, "knows no request of the kind 'dance'"),
        ("run_source", {"source": "nothing"}, "has no source nothing; its sources are: requests"),
        ("run_source", {}, "has no source None"),
        ("run_source", {"source": "requests", "since": "July"}, "since is 'July'; give a day like"),
        ("run_source", {"source": "requests", "since": "2026-07-02", "until": "2026-07-01"}, "is after"),
        ("publish", {"as_of": "soon"}, "as_of is 'soon'"),
        ("correct_record", {"source": "requests", "correction": 7}, "its record was erased"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason_and_the_fix(springfield, kind, arguments, says):
    duties = springfield.worker()
    number = ask(springfield, kind, **arguments)
    assert duties.attend()
    found = answer(springfield, number)
    assert found.finished_at is not None
    assert found.result["outcome"] == "refused" and says in found.result["sentence"]


def test_a_publication_for_a_day_that_lies_ahead_is_refused_in_the_answer(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    number = ask(springfield, "publish", as_of="2027-01-01")
    work_off(duties)
    assert answer(springfield, number).result["outcome"] == "failed"


def test_requests_are_answered_oldest_first_and_before_what_is_due(springfield):
    springfield.drop(RECORDS)
    numbers = [ask(springfield, "dance") for _ in range(3)]
    duties = springfield.worker()
    for number in numbers:
        assert duties.attend()
        assert answer(springfield, number).finished_at is not None
    assert ledger(springfield) == []


def test_what_a_dead_worker_took_is_answered_by_the_next(springfield):
    springfield.drop(RECORDS)
    number = ask(springfield, "run_source", source="requests")
    requests.claim(springfield.engine, springfield.clock)
    work_off(springfield.worker())
    assert answer(springfield, number).result["outcome"] == "succeeded"


def test_pages_see_how_far_the_worker_is_and_which_source_it_reads(springfield, monkeypatch):
    monkeypatch.setattr(pulse, "TELL_SECONDS", 0.01)
    seen = []
    real = worker.run_source

    def slow(desk, source, *given, **more):
        end = time.monotonic() + 10
        while app._progress(springfield.engine) is None and time.monotonic() < end:
            time.sleep(0.02)
        seen.append(app._progress(springfield.engine))
        return real(desk, source, *given, **more)

    monkeypatch.setattr(worker, "run_source", slow)
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    ask(springfield, "run_source", source="requests")
    work_off(duties)
    assert seen == ["requests: is being read"] * 2
    assert app._progress(springfield.engine) is None


def test_a_teller_whose_words_cannot_be_written_lets_the_work_go_on(monkeypatch):
    monkeypatch.setattr(pulse, "TELL_SECONDS", 0.01)
    heard = []

    def tell(words):
        heard.append(words)
        raise StoreError("busy")

    with Teller(tell) as teller:
        teller("a")
        end = time.monotonic() + 5
        while not heard and time.monotonic() < end:
            time.sleep(0.01)
    assert heard == [{"sentence": "a"}]


# --- the lease ---------------------------------------------------------------------------------


def test_a_worker_that_lost_the_lease_begins_nothing(springfield):
    springfield.drop(RECORDS)
    suspended = springfield.worker()
    springfield.now += lease.LEASE + timedelta(seconds=1)
    other = springfield.worker()
    with pytest.raises(LeaseLostError):
        suspended.attend()
    assert ledger(springfield) == []
    number = ask(springfield, "dance")
    with pytest.raises(LeaseLostError):
        suspended.attend()
    work_off(other)
    assert len(ledger(springfield)) == 1 and answer(springfield, number).finished_at is not None


def test_a_job_that_was_done_when_its_worker_ended_is_not_done_again(springfield, monkeypatch):
    springfield.drop(RECORDS)
    killed = springfield.worker()
    monkeypatch.setattr(jobs, "finish", lambda *_: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        killed.attend()
    monkeypatch.undo()
    assert job(springfield, "load requests").finished_at is None
    work_off(springfield.worker())
    assert len(ledger(springfield)) == 1
    assert job(springfield, "load requests").outcome == "succeeded"
    assert springfield.current() is not None


def test_a_job_that_was_lost_halfway_is_done_by_the_next_worker(springfield, monkeypatch):
    springfield.drop(RECORDS)
    killed = springfield.worker()
    monkeypatch.setattr(worker, "run_source", lambda *_, **__: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        killed.attend()
    monkeypatch.undo()
    work_off(springfield.worker())
    assert [run.outcome for run in ledger(springfield)] == ["succeeded"]
    assert (job(springfield, "load requests").outcome, job(springfield, "load requests").losses) == (
        "succeeded",
        1,
    )


def test_what_ends_every_worker_does_not_keep_the_others_from_being_done(springfield, monkeypatch):
    springfield.another_source("aaa", drop="nowhere")
    springfield.drop(RECORDS)
    springfield.reread()
    real = worker.run_source

    def deadly(desk, source, *given, **more):
        if source.id == "aaa":
            pytest.fail("killed")
        return real(desk, source, *given, **more)

    monkeypatch.setattr(worker, "run_source", deadly)
    for _ in range(jobs.LOSSES):
        with pytest.raises(pytest.fail.Exception):
            work_off(springfield.worker())
    work_off(springfield.worker())
    assert job(springfield, "load aaa").outcome == "given_up"
    assert springfield.current() is not None


def test_what_was_lost_before_it_came_due_again_is_done_once(springfield, monkeypatch):
    springfield.drop(RECORDS)
    killed = springfield.worker()
    monkeypatch.setattr(worker, "run_source", lambda *_, **__: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        killed.attend()
    monkeypatch.undo()
    springfield.now += timedelta(days=1)
    work_off(springfield.worker())
    assert len(ledger(springfield)) == 1
    with reading(springfield.engine) as connection:
        assert jobs.under_way(connection) == []


def test_an_approved_target_is_published_without_being_asked_for(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    before = springfield.current()
    change = Target(0.9, date(2027, 1, 1), "A second crew", "The council")
    proposal = targets.Proposal("potholes_on_time", change)
    targets.approve(springfield.engine, springfield.catalogue, springfield.clock, proposal)
    springfield.now += timedelta(minutes=1)
    work_off(duties)
    after = springfield.current()
    assert after.publication.id == before.publication.id + 1
    assert from_text(after.catalogue_text).metrics["potholes_on_time"].targets[-1] == change
    springfield.now += timedelta(minutes=1)
    work_off(duties)
    assert springfield.current().publication.id == after.publication.id


def test_an_approved_rebase_is_published_without_being_asked_for(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    before = springfield.current().publication.id
    rebase = rebases.Rebase("potholes_on_time", None, date(2026, 11, 2), "A second crew", "The council")
    rebases.approve(springfield.engine, springfield.catalogue, springfield.clock, rebase)
    springfield.now += timedelta(minutes=1)
    work_off(duties)
    assert springfield.current().publication.id == before + 1


def test_replacing_the_holder_forgets_what_the_one_before_knew(springfield):
    springfield.drop(RECORDS)
    duties = springfield.worker()
    work_off(duties)
    fresh = replace(duties, me=lease.this_process())
    assert (fresh.published_after, fresh._next) == ((0, 0, 0), {}) != (duties.published_after, duties._next)


def test_without_the_scheduler_there_is_nothing_to_do(capsys, monkeypatch):
    monkeypatch.setenv("SCHEDULER", "off")
    assert worker.main([]) == 0
    assert "SCHEDULER=off" in capsys.readouterr().out


def test_who_asked_for_a_run_is_in_the_ledger(springfield):
    springfield.drop(RECORDS)
    work_off(springfield.worker())
    with reading(springfield.engine) as connection:
        assert runs.last_runs(connection)["requests"].trigger == "schedule"
        assert runs.newest_good(connection) == 1


def test_another_city_is_another_springfield(tmp_path):
    """The builder makes a folder once, so that two workers may share a city."""
    url = f"sqlite:///{tmp_path / 'c.db'}"
    one, two = Springfield(tmp_path / "s", url), Springfield(tmp_path / "s", url)
    assert one.catalogue.hash == two.catalogue.hash
    one.engine.dispose(), two.engine.dispose()
