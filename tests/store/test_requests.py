"""Requests of pages: each is taken by one worker, followed, and answered once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from store import requests
from store.engine import reading, writing
from store.schema import house


def get(engine, number):
    with reading(engine) as connection:
        return requests.get(connection, number)


def release(engine, clock):
    with writing(engine, clock) as write:
        return requests.release(write)


def test_a_request_goes_from_waiting_through_progress_to_its_result(engine, clock):
    number = requests.insert(engine, clock, "publish", {"as_of": "2026-07-01", "reason": "ö"})
    waiting = get(engine, number)
    assert (waiting.kind, waiting.arguments) == ("publish", {"as_of": "2026-07-01", "reason": "ö"})
    assert (waiting.claimed_at, waiting.progress, waiting.finished_at, waiting.result) == (None,) * 4
    taken = requests.claim(engine, clock)
    assert taken.id == number
    assert waiting.created_at < taken.claimed_at
    requests.progress(engine, clock, number, {"done": 3, "of": 9})
    assert get(engine, number).progress == {"done": 3, "of": 9}
    assert get(engine, number).finished_at is None
    requests.finish(engine, clock, number, {"publication": 7})
    ended = get(engine, number)
    assert ended.result == {"publication": 7}
    assert ended.finished_at > taken.claimed_at


def test_requests_are_taken_in_the_order_they_were_made(engine, clock):
    numbers = [requests.insert(engine, clock, "run", {"source": source}) for source in "abc"]
    assert [requests.claim(engine, clock).id for _ in numbers] == numbers
    assert requests.claim(engine, clock) is None


def test_a_request_is_taken_by_one_worker_however_many_ask(engine, clock):
    numbers = [requests.insert(engine, clock, "run", {}) for _ in range(8)]
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda _: requests.claim(engine, clock), range(24)))
    assert sorted(one.id for one in taken if one is not None) == numbers


def test_asking_when_nothing_waits_writes_nothing(engine, clock):
    def written():
        with reading(engine) as connection:
            return connection.execute(select(house.c.last_written_at)).scalar_one()

    before = written()
    assert requests.claim(engine, clock) is None
    assert written() == before


def test_what_a_dead_worker_took_is_put_back_and_what_was_answered_is_not(engine, clock):
    first, second = (requests.insert(engine, clock, "run", {}) for _ in range(2))
    requests.claim(engine, clock)
    requests.finish(engine, clock, first, {})
    requests.claim(engine, clock)
    requests.progress(engine, clock, second, {"done": 1})
    assert release(engine, clock) == 1
    assert get(engine, second).progress is None
    assert requests.claim(engine, clock).id == second


def test_a_request_that_ends_every_worker_is_given_up_and_says_so(engine, clock):
    number = requests.insert(engine, clock, "run", {})
    for losses in range(1, requests.LOSSES):
        requests.claim(engine, clock)
        assert release(engine, clock) == 1
        assert get(engine, number).losses == losses
    requests.claim(engine, clock)
    assert release(engine, clock) == 0
    assert requests.claim(engine, clock) is None
    ended = get(engine, number)
    assert ended.result["outcome"] == "given_up" and "3 workers ended" in ended.result["sentence"]


def test_a_request_nobody_took_is_not_lost(engine, clock):
    number = requests.insert(engine, clock, "run", {})
    assert release(engine, clock) == 0
    assert get(engine, number).losses == 0


def test_nobody_reports_on_a_request_that_is_not_under_way(engine, clock):
    number = requests.insert(engine, clock, "run", {})
    with pytest.raises(ValueError, match="not under way"):
        requests.progress(engine, clock, number, {})
    requests.claim(engine, clock)
    requests.finish(engine, clock, number, {"ok": True})
    with pytest.raises(ValueError, match="not under way"):
        requests.finish(engine, clock, number, {"ok": False})
    assert get(engine, number).result == {"ok": True}


def test_a_request_that_does_not_exist_is_none(engine):
    assert get(engine, 99) is None
