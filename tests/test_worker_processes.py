"""Real workers, killed, suspended and told to end at any moment: no double run, no lost job, no orphan."""

from __future__ import annotations

import contextlib
import http.server
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

import app
from metrics.catalogue import load
from store import jobs, lease, publications, requests, schema
from store.engine import open_engine, reading, system_clock
from store.migrations import migrate
from store.publish import verify
from tests.alive import PROJECT, environment_of, running, until
from tests.springfield import rows

SOURCES = ("requests", "parks", "lights")
FEW_SEEDS = 1


def seeds(many: int = 50):
    """A few seeds for every day, many for the matrix."""
    return [
        pytest.param(seed, marks=[pytest.mark.matrix] if seed >= FEW_SEEDS else []) for seed in range(many)
    ]


WORKER = """
import sys, time
from datetime import timedelta
from store import lease
lease.LEASE, lease.BEAT_SECONDS = timedelta(seconds={lease}), {lease} / 5
import worker
{more}
sys.exit(worker.main([]))
"""
"""A worker whose lease is short, so that tests need not wait long for its end."""

SLOW_PUBLISH = """
import store.publish
real = store.publish.plan
def slow(inputs):
    print("publishing", flush=True)
    time.sleep({seconds})
    return real(inputs)
store.publish.plan = slow
"""

SLOW_LOAD = """
import ingest.run
real = ingest.run._open
def slow(*given):
    print("loading", flush=True)
    time.sleep({seconds})
    return real(*given)
ingest.run._open = slow
"""


class House:
    """A city with three sources that are due, its database, and the workers started in it."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.city, self.data = folder / "springfield", folder / "data"
        assert app.main(["new-city", str(self.city)]) == 0
        (self.city / "drop").mkdir()
        (self.city / "drop" / "a.csv").write_text(rows(3000))
        first = (self.city / "sources" / "requests.toml").read_text()
        for name in SOURCES[1:]:
            (self.city / "sources" / f"{name}.toml").write_text(first.replace('"requests"', f'"{name}"'))
        self.url = url
        self.catalogue = load(self.city)
        (self.data / "springfield").mkdir(parents=True)
        self.engine = open_engine(url or f"sqlite:///{self.data / 'springfield' / 'cityscore.db'}")
        migrate(self.engine, self.catalogue.city, system_clock)
        self.workers: list[subprocess.Popen[str]] = []

    def start(self, more: str = "", lease_seconds: float = 3.0, data: Path | None = None):
        script = WORKER.format(lease=lease_seconds, more=textwrap.dedent(more))
        self.workers.append(
            subprocess.Popen(
                [sys.executable, "-c", script],
                env=environment_of(self.city, data or self.data, DATABASE_URL=self.url),
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return self.workers[-1]

    def wait_for_words(self, one, words: str, lines: int = 20) -> None:
        for _ in range(lines):
            line = one.stdout.readline()
            if words in line:
                return
            assert line, f"it ended before it said {words!r}"
        raise AssertionError(f"it never said {words!r}")

    def end(self, one) -> tuple[int, float]:
        """Tells a worker to end; gives its exit code and how long it took."""
        began = time.monotonic()
        one.send_signal(signal.SIGTERM)
        return one.wait(20), time.monotonic() - began

    def close(self) -> None:
        for one in self.workers:
            with contextlib.suppress(ProcessLookupError):
                one.send_signal(signal.SIGCONT)
                one.kill()
            one.communicate()
        self.engine.dispose()

    # --- what is true of the database ---

    def rows(self, table):
        with reading(self.engine) as connection:
            return connection.execute(select(table)).all()

    def is_done(self) -> bool:
        done = {row.job for row in self.rows(schema.jobs) if row.finished_at is not None}
        return {*(f"load {name}" for name in SOURCES), "publish", "tidy"} <= done

    def check(self) -> None:
        """No double run, no lost job, nothing half-written."""
        done = Counter(row.job for row in self.rows(schema.jobs))
        found = [(row.job, row.outcome) for row in self.rows(schema.jobs) if row.outcome != "succeeded"]
        assert found == []
        good = [row.source for row in self.rows(schema.runs) if row.outcome in ("succeeded", "unchanged")]
        for name in SOURCES:
            assert good.count(name) == done[f"load {name}"], f"{name} ran {good.count(name)} times"
        assert not [row for row in self.rows(schema.runs) if row.outcome == "failed"]
        with reading(self.engine) as connection:
            assert publications.current(connection) is not None
            assert [line for _, lines in verify(connection) for line in lines] == []


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def any_house(any_engine_url, tmp_path):
    made = House(tmp_path, "" if any_engine_url.startswith("sqlite") else any_engine_url)
    yield made
    made.close()


# --- killed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds())
def test_two_workers_and_a_kill_at_any_moment_do_everything_once(house, seed):
    chance = random.Random(seed)
    first, second = house.start(), house.start()
    killed = chance.choice([first, second])
    until(lambda: house.rows(schema.lease))
    time.sleep(chance.random() * 1.5)
    killed.kill()
    if chance.random() < 0.5:
        house.start()
    until(house.is_done)
    house.check()
    for one in house.workers:
        if one is not killed:
            # One that is still starting does not hear yet, and has nothing to end in peace.
            assert house.end(one)[0] in (0, -signal.SIGTERM), one.stdout.read()
    assert running(house.data) == []
    # The killed one cannot give its lease back, and the others may have ended before they took it over.
    assert [row.pid for row in house.rows(schema.lease)] in ([], [killed.pid])
    assert len(list((house.data / "springfield").glob("worker-*.lock"))) <= 1, "of the one that was killed"


@pytest.mark.parametrize("seed", seeds())
def test_a_worker_killed_again_and_again_gets_everything_done(house, seed):
    chance = random.Random(1000 + seed)
    for _ in range(jobs.LOSSES - 1):
        one = house.start()
        until(lambda: house.rows(schema.lease) or house.is_done())
        time.sleep(chance.random())
        one.kill()
        one.wait()
    house.start()
    until(house.is_done)
    house.check()


@pytest.mark.parametrize("seed", seeds(10))
def test_a_worker_on_another_machine_takes_over_when_the_lease_has_expired(any_house, tmp_path, seed):
    """Machines share the database and no folder, so that neither sees that the other has ended."""
    chance = random.Random(2000 + seed)
    any_house.url = any_house.url or any_house.engine.url.render_as_string(hide_password=False)
    first = any_house.start()
    until(lambda: any_house.rows(schema.lease))
    any_house.start(data=tmp_path / "other machine")
    time.sleep(chance.random() * 2)
    first.kill()
    until(any_house.is_done)
    any_house.data = tmp_path / "other machine"
    any_house.check()


# --- suspended -------------------------------------------------------------------------------------


def test_a_suspended_worker_notices_that_another_works_and_waits(house):
    first = house.start()
    until(house.is_done)
    [before] = house.rows(schema.lease)
    first.send_signal(signal.SIGSTOP)
    second = house.start()
    until(lambda: [row.pid for row in house.rows(schema.lease)] == [second.pid])
    number = requests.insert(house.engine, system_clock, "run_source", {"source": "parks"})
    first.send_signal(signal.SIGCONT)
    house.wait_for_words(first, "this one waits")

    def answered():
        with reading(house.engine) as connection:
            return requests.get(connection, number).result

    assert until(answered)["outcome"] == "unchanged"
    [now] = house.rows(schema.lease)
    assert (now.holder != before.holder, now.pid) == (True, second.pid)
    assert [row.trigger for row in house.rows(schema.runs)].count("request") == 1
    assert house.end(second)[0] == 0
    until(lambda: [row.pid for row in house.rows(schema.lease)] == [first.pid])
    assert house.end(first)[0] == 0


# --- told to end -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds())
def test_told_to_end_at_any_moment_it_ends_soon_and_the_next_one_goes_on(house, seed):
    chance = random.Random(3000 + seed)
    one = house.start()
    until(lambda: house.rows(schema.lease))
    time.sleep(chance.random() * 1.5)
    code, took = house.end(one)
    assert code == 0 and took < 9, one.stdout.read()
    assert house.rows(schema.lease) == []
    house.start()
    until(house.is_done)
    house.check()


def test_a_publication_that_is_being_made_is_finished_before_the_end(house):
    one = house.start(SLOW_PUBLISH.format(seconds=3))
    house.wait_for_words(one, "publishing")
    code, took = house.end(one)
    assert code == 0 and 1 < took < 9
    assert len(house.rows(schema.publications)) == 1
    house.start()
    until(house.is_done)
    assert len(house.rows(schema.publications)) == 1
    house.check()


@pytest.mark.matrix
def test_a_publication_that_takes_too_long_is_left_whole_or_not_at_all(house):
    one = house.start(SLOW_PUBLISH.format(seconds=60))
    house.wait_for_words(one, "publishing")
    code, took = house.end(one)
    assert code == 0 and took < 10
    assert "the next start takes it up again" in one.stdout.read()
    assert house.rows(schema.publications) == []
    house.start()
    until(house.is_done)
    house.check()


@pytest.mark.matrix
def test_what_is_only_being_read_is_left_at_once(house):
    one = house.start(SLOW_LOAD.format(seconds=60))
    house.wait_for_words(one, "loading")
    code, took = house.end(one)
    assert code == 0 and took < 4
    house.start()
    until(house.is_done)
    house.check()


class Stumbling(http.server.BaseHTTPRequestHandler):
    """A portal that asks everybody to come back in a while."""

    def do_GET(self):
        self.send_response(503)
        self.send_header("Retry-After", "100")
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.asked.set()

    def log_message(self, *_words):
        pass


def test_a_worker_that_waits_for_a_server_ends_at_once(house):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stumbling)
    server.asked = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    source = house.city / "sources" / "requests.toml"
    address = f"http://127.0.0.1:{server.server_address[1]}/a.csv"
    source.write_text(source.read_text().replace('path = "drop/*.csv"', f'path = "{address}"'))
    try:
        one = house.start()
        assert server.asked.wait(60)
        time.sleep(0.5)
        code, took = house.end(one)
        assert code == 0 and took < 4, one.stdout.read()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_mistake_of_the_program_ends_the_worker_with_a_trace_and_gives_the_lease_up(house):
    one = house.start("worker.run_source = lambda *_, **__: 1 / 0")
    assert one.wait(60) == 1
    assert "ZeroDivisionError" in one.stdout.read()
    assert house.rows(schema.lease) == []
    house.start()
    until(house.is_done)
    house.check()


@pytest.mark.matrix
def test_a_worker_whose_database_is_locked_for_long_goes_on_afterwards(house):
    """The heart beats again when the writer has ended; nobody takes the lease from it meanwhile."""
    first = house.start(lease_seconds=1.0)
    until(house.is_done)
    [before] = house.rows(schema.lease)
    other = house.start(lease_seconds=1.0)
    house.wait_for_words(other, "this one waits")
    with lease.writing(house.engine, system_clock):
        time.sleep(3)
    time.sleep(2)
    [now] = house.rows(schema.lease)
    assert now.holder == before.holder and now.pid == first.pid
    assert first.poll() is None
