"""A new publication shows in every web process within two seconds, and no answer mixes two publications."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

import app
import ingest.__main__
import store.__main__

PROJECT = Path(__file__).resolve().parents[1]
PROCESSES = 2
READERS = 8
SECONDS = 2.0
PAUSE = 0.06
METRIC = "potholes_on_time"
PATHS = (
    "/",
    f"/metric/{METRIC}",
    f"/embed/metric/{METRIC}",
    f"/embed/metric/{METRIC}.svg",
    "/embed/score",
    "/api/v1/scores",
    f"/api/v1/metrics/{METRIC}",
    f"/api/v1/metrics/{METRIC}/series.csv?grain=week",
)
NUMBER = re.compile(rb'publication (\d+),|"publication":\{"id":(\d+)')


@dataclass(frozen=True)
class Heard:
    """One answer: when it was asked for, by which reader, its tag and the publication it tells."""

    asked: float
    path: str
    tag: str
    publication: int


class Reader(threading.Thread):
    """Keeps one connection open and asks along it for one address after the other."""

    def __init__(self, port: int, first: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.first, self.stop = port, first, stop
        self.heard: list[Heard] = []
        self.failures: list[str] = []
        self._has: dict[str, Heard] = {}

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        number = self.first
        while not self.stop.wait(PAUSE):
            self._ask(connection, PATHS[number % len(PATHS)], is_returning=number // len(PATHS) % 2 == 1)
            number += 1
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, path: str, *, is_returning: bool) -> None:
        had = self._has.get(path) if is_returning else None
        asked = time.monotonic()
        connection.request("GET", path, headers={"If-None-Match": had.tag} if had else {})
        answer = connection.getresponse()
        body = answer.read()
        tag = answer.headers.get("ETag", "")
        if answer.status == 304 and had and tag == had.tag:
            found = had.publication
        elif answer.status == 200:
            found = _publication(answer, body)
        else:
            self.failures.append(f"{path}: {answer.status} {tag} {body[:200]!r}")
            return
        self._has[path] = Heard(asked, path, tag, found)
        self.heard.append(self._has[path])


def _publication(answer: http.client.HTTPResponse, body: bytes) -> int:
    """The one publication an answer tells; a CSV has it in its name."""
    name = answer.headers.get("Content-Disposition")
    if name:
        return int(re.search(r"_(\d+)\.csv", name).group(1))
    [number] = {int(one or other) for one, other in NUMBER.findall(body)}
    return number


class Town:
    """A new city with its commands, its server and its file of cases, which may grow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "springfield"
        assert app.main(["new-city", str(self.folder)]) == 0
        self.database = folder / "data" / "springfield" / "cityscore.db"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            **os.environ,
            "CITY": str(self.folder),
            "PORT": str(self.port),
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": "",
            "SCHEDULER": "off",
            "WEB_PROCESSES": str(PROCESSES),
        }

    def cases(self, hours_late: int) -> Path:
        """A file of a hundred days of cases, closed so many hours after they were due."""
        lines = ["id,topic,opened,due,closed"]
        today = datetime.now(UTC).replace(tzinfo=None, hour=12, minute=0, second=0, microsecond=0)
        for back in range(2, 102):
            opened = today - timedelta(days=back)
            due = opened + timedelta(hours=12)
            for number in range(4):
                late = hours_late if number % 2 else -1
                closed = due + timedelta(hours=late)
                times = (opened, due, closed)
                lines.append(f"{back}-{number},Pothole," + ",".join(f"{one.isoformat()}Z" for one in times))
        file = self.folder.parent / f"cases{hours_late}.csv"
        file.write_text("\n".join(lines) + "\n")
        return file

    def command(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr or done.stdout

    def serve(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(PROJECT / "app.py")],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_until_served(self) -> None:
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                connection.close()
            except OSError:
                time.sleep(0.1)
                continue
            assert answer.status == 200
            return
        raise AssertionError("the server did not answer in time")


class Clerk(threading.Thread):
    """Looks into the database all the time and notes when the second publication was there."""

    def __init__(self, database: Path) -> None:
        super().__init__(daemon=True)
        self.database, self.seen = database, None

    def run(self) -> None:
        book = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        while not self.seen:
            looked = time.monotonic()
            if book.execute("SELECT count(*) FROM publications").fetchone() == (2,):
                self.seen = looked
            time.sleep(0.005)
        book.close()


def _who_answers(parent: int, port: int, status: str = "ESTABLISHED") -> set[int]:
    """The processes that hold connections of readers; with LISTEN those that take new ones."""
    found = set()
    for process in psutil.Process(parent).children(recursive=True):
        connections = process.net_connections("tcp")
        if any(one.status == status and one.laddr.port == port for one in connections):
            found.add(process.pid)
    return found


def _wait_until_all_listen(parent: int, port: int) -> None:
    """Readers that come while one process is still starting would all be answered by the others."""
    until = time.monotonic() + 30
    while len(_who_answers(parent, port, "LISTEN")) < PROCESSES and time.monotonic() < until:
        time.sleep(0.2)


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        assert ingest.__main__.main(["run", "requests", "--from", str(made.cases(hours_late=1))]) == 0
        assert store.__main__.main(["publish"]) == 0
    return made


def test_a_new_publication_is_everywhere_within_two_seconds(town):
    stop = threading.Event()
    readers = [Reader(town.port, first, stop) for first in range(READERS)]
    clerk = Clerk(town.database)
    served = town.serve()
    try:
        town.wait_until_served()
        _wait_until_all_listen(served.pid, town.port)
        for one in (clerk, *readers):
            one.start()
        town.command("ingest", "run", "requests", "--from", str(town.cases(hours_late=-1)))
        town.command("store", "publish", "--reason", "The cases came again")
        clerk.join(60)
        time.sleep(2 * SECONDS)
        assert len(_who_answers(served.pid, town.port)) == PROCESSES
    finally:
        stop.set()
        for one in readers:
            one.join(30)
        served.send_signal(signal.SIGTERM)
        assert served.wait(30) == 0
    assert [failure for one in readers for failure in one.failures] == []
    heard = [one for reader in readers for one in reader.heard]
    old = {one.publication for one in heard if one.asked > clerk.seen + SECONDS}
    assert old == {2}, "an answer was older than two seconds"
    assert {one.publication for one in heard if one.asked < clerk.seen - SECONDS} == {1}
    assert {one.path for one in heard if one.asked > clerk.seen + SECONDS} == set(PATHS)
    told: dict[tuple[str, str], set[int]] = {}
    for one in heard:
        told.setdefault((one.path, one.tag), set()).add(one.publication)
    assert all(len(numbers) == 1 for numbers in told.values()), "one tag stood for two publications"
    assert len(told) == 2 * len(PATHS), "each address has one tag for each publication, in every process"
