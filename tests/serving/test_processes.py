"""Processes: children end with their parent, a dead child starts again, a taken port is said."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from serving.processes import PortInUse, refuse_port_in_use

PROJECT = Path(__file__).resolve().parents[2]

PARENT = """
import sys
from serving.processes import Child, supervise
children = [Child("server", [sys.executable, {child!r}, {folder!r}, "web", {port!r}], is_vital=True),
            Child("worker", [sys.executable, {child!r}, {folder!r}, "worker", "0"])]
sys.exit(supervise(children, port={port}, ready=lambda: print("ready", flush=True)))
"""

CHILD = """
import os, pathlib, signal, socket, sys, time
from serving.processes import end_with_parent
folder, name, port = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
(folder / f"{name}.{os.getpid()}").touch()
end_with_parent(sys.stdin.fileno(), grace=1)
if (folder / f"deaf-{name}").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if (folder / f"broken-{name}").exists():
    sys.exit(3)
listening = socket.socket()
if port:
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
helper = os.fork()
if not helper:
    (folder / f"helper-{name}.{os.getpid()}").touch()
while True:
    time.sleep(0.05)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(what, seconds=15.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


class House:
    """A parent with two children, each with a process of its own beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        child = folder / "child.py"
        child.write_text(CHILD)
        parent = folder / "parent.py"
        parent.write_text(
            PARENT.format(child=str(child), folder=str(folder), port=self.port).replace(
                f"{self.port!r}]", f"'{self.port}']"
            )
        )
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        self.parent = subprocess.Popen(
            [sys.executable, str(parent)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def pids(self, name: str) -> list[int]:
        return sorted(
            int(path.suffix[1:]) for path in self.folder.glob(f"{name}.*") if path.suffix[1:].isdigit()
        )

    def all_pids(self) -> list[int]:
        return [pid for name in ("web", "worker", "helper-web", "helper-worker") for pid in self.pids(name)]

    def wait_until_running(self) -> None:
        until(lambda: len(self.all_pids()) >= 4)
        assert self.parent.stdout.readline() == "ready\n"

    def close(self) -> None:
        """Ends the parent in peace where it lives, so that it takes along a child that is just being born."""
        if self.parent.poll() is None:
            self.parent.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.parent.wait(30)
        for pid in (self.parent.pid, *self.pids("web"), *self.pids("worker")):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        self.parent.communicate(timeout=30)


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def is_free(port: int) -> bool:
    try:
        refuse_port_in_use(port)
    except PortInUse:
        return False
    return True


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_everything_ends_and_the_port_is_free(house, ending):
    house.wait_until_running()
    house.parent.send_signal(ending)
    assert house.parent.wait(15) == 0
    until(lambda: not any(map(is_running, house.all_pids())))
    assert is_free(house.port)


def test_a_killed_parent_leaves_nothing(house):
    house.wait_until_running()
    house.parent.kill()
    house.parent.wait()
    until(lambda: not any(is_running(pid) for name in ("web", "worker") for pid in house.pids(name)))


def test_children_do_not_hear_the_terminal(house):
    house.wait_until_running()
    groups = {os.getpgid(pid) for pid in (house.parent.pid, *house.pids("web"), *house.pids("worker"))}
    assert len(groups) == 3


def test_a_dead_worker_starts_again_and_leaves_nothing_behind(house):
    house.wait_until_running()
    [old], [helper] = house.pids("worker"), house.pids("helper-worker")
    os.kill(old, signal.SIGKILL)
    until(lambda: len(house.pids("worker")) == 2)
    assert not is_running(helper)
    assert all(map(is_running, house.pids("web")))


def test_a_deaf_child_is_killed_after_a_while(tmp_path, monkeypatch):
    (tmp_path / "deaf-worker").touch()
    house = House(tmp_path)
    try:
        house.wait_until_running()
        started = time.monotonic()
        house.parent.terminate()
        assert house.parent.wait(20) == 0
        assert time.monotonic() - started > 5
        assert not any(map(is_running, house.all_pids()))
    finally:
        house.close()


def test_a_server_that_cannot_start_ends_everything_with_a_line(tmp_path):
    (tmp_path / "broken-web").touch()
    house = House(tmp_path)
    try:
        assert house.parent.wait(15) == 1
        assert house.parent.stderr.read() == "The server ended while starting (code 3).\n"
        until(lambda: not any(map(is_running, house.all_pids())))
    finally:
        house.close()


def test_a_port_in_use_is_said_in_one_line_with_the_fix():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse) as refused:
            refuse_port_in_use(port)
    message = str(refused.value)
    assert f"Port {port} is in use" in message and "PORT=" in message and "\n" not in message
    refuse_port_in_use(port)


SERVING = """
import os, sys
from serving.processes import serve_web

def make():
    def application(environ, start):
        start("200 OK", [("Content-Type", "text/plain")])
        return [str(os.getpid()).encode()]
    return application

serve_web(make, int(sys.argv[1]), with_parent=True)
"""


HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How a connection in HTTP/2 begins (RFC 9113, 3.4): the preface and an empty frame of settings."""


def ask(port: int) -> bytes | None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.makefile("rb").read().rpartition(b"\r\n\r\n")[2]
    except OSError:
        return None


@pytest.mark.parametrize("how", ["closed pipe", "SIGTERM"])
def test_the_web_server_ends_with_its_workers(tmp_path, how):
    script, port = tmp_path / "serve.py", free_port()
    script.write_text(textwrap.dedent(SERVING))
    served = subprocess.Popen(
        [sys.executable, str(script), str(port)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        start_new_session=True,
    )
    try:
        worker = int(until(lambda: ask(port)))
        assert worker != served.pid and is_running(worker)
        if how == "SIGTERM":
            served.terminate()
        else:
            served.stdin.close()
        until(lambda: not is_running(served.pid) and not is_running(worker))
        assert is_free(port)
    finally:
        served.kill()
        served.communicate() if how == "SIGTERM" else served.wait()
        served.stderr.close()


def test_only_http_1_is_spoken_where_host_is_the_one_name_of_the_site(tmp_path):
    script, port = tmp_path / "serve.py", free_port()
    script.write_text(textwrap.dedent(SERVING))
    with subprocess.Popen(
        [sys.executable, str(script), str(port)],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        start_new_session=True,
    ) as served:
        try:
            until(lambda: ask(port))
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(HTTP2)
                said = connection.recv(9)
        finally:
            served.stdin.close()
    # A server that speaks HTTP/2 would begin with settings of its own: the fourth byte is the frame's kind.
    assert said[3:4] != b"\x04" and said[:6] in (b"", b"HTTP/1")


def test_a_worker_of_the_web_server_ends_when_everybody_above_it_was_killed(tmp_path):
    script, port = tmp_path / "serve.py", free_port()
    script.write_text(textwrap.dedent(SERVING))
    with subprocess.Popen(
        [sys.executable, str(script), str(port)],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        start_new_session=True,
    ) as served:
        worker = int(until(lambda: ask(port)))
        served.kill()
        served.stdin.close()
        served.wait()
        until(lambda: not is_running(worker), 20)
    assert is_free(port)
