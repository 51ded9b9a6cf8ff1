"""The lease: one worker at a time, taken over when it expires or its holder is seen to have ended."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from store import lease
from store.engine import from_text, open_engine, reading, system_clock, writing
from store.lease import LEASE, Holder, LeaseLostError
from store.schema import house

A, B = Holder("a", "one", 1), Holder("b", "two", 2)


def nobody_ended(_holder):
    return False


def take(engine, clock, who, has_ended=nobody_ended):
    return lease.take(engine, clock, who, has_ended).holder


def now(engine):
    with reading(engine) as connection:
        return lease.current(connection)


def last_written(engine):
    with reading(engine) as connection:
        return connection.execute(select(house.c.last_written_at)).scalar_one()


def test_the_first_who_asks_has_it_and_the_second_waits(engine, clock):
    assert now(engine) is None
    assert take(engine, clock, A) == A
    assert take(engine, clock, B) == A
    assert take(engine, clock, A) == A


def test_waiting_writes_nothing(engine, clock):
    take(engine, clock, A)
    before = last_written(engine)
    assert take(engine, clock, B) == A
    assert last_written(engine) == before


def test_it_is_taken_over_when_it_has_expired_and_not_before(engine, clock):
    take(engine, clock, A)
    clock.now = now(engine).expires_at - timedelta(seconds=2)
    assert take(engine, clock, B) == A
    clock.now = now(engine).expires_at
    assert take(engine, clock, B) == B
    assert now(engine).taken_at <= clock.now


def test_work_renews_it(engine, clock):
    take(engine, clock, A)
    before = now(engine)
    clock.now += timedelta(seconds=20)
    with lease.holding(engine, clock, A) as write:
        assert from_text(write.now) + LEASE > before.expires_at
    assert now(engine).expires_at > before.expires_at
    assert now(engine).taken_at == before.taken_at


def test_an_expired_lease_that_nobody_took_is_renewed(engine, clock):
    take(engine, clock, A)
    clock.now += timedelta(days=1)
    with lease.holding(engine, clock, A):
        pass
    assert take(engine, clock, B) == A


def test_who_lost_it_finds_out_and_writes_nothing(engine, clock):
    take(engine, clock, A)
    clock.now += LEASE
    take(engine, clock, B)
    before = last_written(engine)
    with pytest.raises(LeaseLostError, match="process 2 on two"), lease.holding(engine, clock, A):
        raise AssertionError("a worker without the lease worked")
    assert last_written(engine) == before


def test_given_up_it_is_free_at_once_and_nobody_gives_up_anothers(engine, clock):
    take(engine, clock, A)
    lease.release(engine, clock, B)
    assert take(engine, clock, B) == A
    lease.release(engine, clock, A)
    with pytest.raises(LeaseLostError, match="given up"), lease.holding(engine, clock, A):
        pass
    assert take(engine, clock, B) == B


def test_a_holder_seen_to_have_ended_is_followed_at_once(engine, clock):
    take(engine, clock, A)
    assert take(engine, clock, B, lambda holder: holder == A) == B


def test_of_many_who_ask_at_once_one_has_it(any_engine_url, engine):
    engines = [open_engine(any_engine_url) for _ in range(6)]
    holders = [Holder(str(number), "h", number) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda one, who: take(one, system_clock, who), engines, holders))
    assert len(set(found)) == 1
    for one in engines:
        one.dispose()


def test_it_is_not_taken_from_a_holder_that_was_busy_writing(any_engine_url, engine, monkeypatch):
    """A holder in a long transaction cannot renew; whoever waited behind it looks again later."""
    monkeypatch.setattr(lease, "_PROMPT_SECONDS", 0.2)
    monkeypatch.setattr(lease, "LEASE", timedelta(seconds=0.05))
    take(engine, system_clock, A)
    time.sleep(0.1)
    begun = threading.Event()

    def writes_for_long():
        with writing(engine, system_clock):
            begun.set()
            time.sleep(0.6)

    thread = threading.Thread(target=writes_for_long)
    thread.start()
    begun.wait()
    other = open_engine(any_engine_url)
    assert take(other, system_clock, B) == A
    thread.join()
    assert take(other, system_clock, B) == B
    other.dispose()


# --- signs of life -------------------------------------------------------------------------------


def holds_its_sign(begun, folder, holder):
    with lease.sign_of_life(folder, holder):
        begun()
        time.sleep(60)


def test_a_sign_of_life_ends_with_its_process_even_when_killed(tmp_path, kill_during):
    me = lease.this_process()
    with lease.sign_of_life(tmp_path, me):
        assert not lease.has_ended(tmp_path, me)
    assert not lease.has_ended(tmp_path, me), "of a worker that left nothing is known nothing"
    assert not list(tmp_path.iterdir())
    kill_during(holds_its_sign, tmp_path, A, seed=1, longest=0.1)
    assert lease.has_ended(tmp_path, A)
    with lease.sign_of_life(tmp_path, me):
        lease.sweep_signs(tmp_path, me)
        assert [path.name for path in tmp_path.iterdir()] == [f"worker-{me.id}.lock"]


def test_of_a_worker_on_another_machine_nothing_is_known(tmp_path):
    assert not lease.has_ended(tmp_path, B)


def test_a_suspended_worker_has_not_ended(tmp_path):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        holds_its_sign(lambda: os.write(writer, b"x"), tmp_path, A)
    os.read(reader, 1)
    try:
        os.kill(child, signal.SIGSTOP)
        assert not lease.has_ended(tmp_path, A)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader), os.close(writer)
    assert lease.has_ended(tmp_path, A)


def test_every_worker_is_another_holder():
    one, two = lease.this_process(), lease.this_process()
    assert one.id != two.id and one.pid == two.pid == os.getpid()
