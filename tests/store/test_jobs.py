"""Due jobs: entered once, done once, taken up when their worker ended, closed when overtaken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from store import jobs, lease, schema
from store.engine import reading, writing
from store.lease import Holder

A, B = Holder("a", "one", 1), Holder("b", "two", 2)
DUE = datetime(2026, 7, 1, 8, tzinfo=UTC)


@pytest.fixture
def claim(engine, clock):
    """Claims in the name of a worker that has just taken the lease."""

    def claims(who, due=DUE, job="load cases", done=False):
        lease.take(engine, clock, who, lambda _holder: True)
        with lease.holding(engine, clock, who) as write:
            return jobs.claim(write, who, job, due, lambda _connection, _since: done)

    return claims


def found(engine, due=DUE, job="load cases"):
    with reading(engine) as connection:
        return jobs.find(connection, job, due)


def finish(engine, clock, who, outcome="succeeded"):
    return jobs.finish(engine, clock, who, "load cases", DUE, outcome, {"new": 3})


def test_a_due_job_is_begun_once_and_done_once(engine, clock, claim):
    assert claim(A)
    assert not claim(A)
    assert found(engine).finished_at is None
    assert finish(engine, clock, A)
    assert (found(engine).outcome, found(engine).result, found(engine).losses) == (
        "succeeded",
        {"new": 3},
        0,
    )
    assert not claim(A) and not claim(B)
    assert claim(A, due=DUE + timedelta(days=1)) and claim(A, job="publish")


def test_the_same_job_and_time_cannot_be_entered_twice(engine, clock, claim):
    claim(A)
    row = {"job": "load cases", "due_at": "2026-07-01T08:00:00.000000Z", "holder": "x", "claimed_at": "x"}
    with pytest.raises(IntegrityError), writing(engine, clock) as write:
        write.connection.execute(insert(schema.jobs).values(losses=0, **row))


def test_what_was_lost_with_its_worker_is_taken_up_by_the_next(engine, clock, claim):
    claim(A)
    jobs.tell(engine, clock, A, "load cases", DUE, {"sentence": "3 rows"})
    assert found(engine).progress == {"sentence": "3 rows"}
    assert claim(B)
    assert (found(engine).holder, found(engine).losses, found(engine).progress) == ("b", 1, None)
    assert not finish(engine, clock, A), "it is no longer in its hands"
    assert found(engine).finished_at is None
    assert finish(engine, clock, B)


def test_what_left_its_work_behind_is_not_done_again(engine, clock, claim):
    claim(A)
    assert not claim(B, done=True)
    assert found(engine).outcome == "succeeded"


def test_what_ends_every_worker_is_given_up(engine, clock, claim):
    workers = [Holder(str(number), "h", number) for number in range(jobs.LOSSES + 2)]
    assert [claim(one) for one in workers] == [True] * jobs.LOSSES + [False, False]
    assert found(engine).outcome == "given_up"
    assert "3 workers ended" in found(engine).result["sentence"]


def test_what_failed_is_tried_again_by_the_next_worker_only(engine, clock, claim):
    claim(A)
    finish(engine, clock, A, "failed")
    assert not claim(A)
    assert claim(B)
    assert (found(engine).losses, found(engine).outcome, found(engine).result) == (0, None, None)


def test_what_is_due_again_closes_what_was_lost(engine, clock, claim):
    claim(A)
    claim(A, job="load gone")
    claim(A, job="publish")
    later = DUE + timedelta(days=1)
    with writing(engine, clock) as write:
        assert jobs.overtake(write, {"load cases": later, "publish": DUE}) == 2
    assert found(engine).outcome == found(engine, job="load gone").outcome == "overtaken"
    with reading(engine) as connection:
        assert [one.job for one in jobs.under_way(connection)] == ["publish"]
