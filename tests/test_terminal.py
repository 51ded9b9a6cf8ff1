"""`python app.py` in a real terminal: Ctrl-C and kill -9 leave no process behind and the port free."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import app
from serving.processes import PortInUse, refuse_port_in_use
from tests.alive import PROJECT, environment_of, free_port, running, until

READY = "Ctrl-C ends it"


class Terminal:
    """A pseudo-terminal in whose foreground the product runs, as when somebody typed the command."""

    def __init__(self, city: Path, data: Path, port: int) -> None:
        self.said = b""
        self.pid, self.screen = pty.fork()
        if not self.pid:
            os.chdir(PROJECT)
            environment = environment_of(city, data, PORT=str(port))
            os.execve(sys.executable, [sys.executable, str(PROJECT / "app.py")], environment)

    def reads(self, seconds: float) -> bool:
        """Takes what is on the screen; False when the terminal has been closed."""
        if select.select([self.screen], [], [], seconds)[0]:
            try:
                self.said += os.read(self.screen, 65536)
            except OSError:
                return False
        return True

    def wait_for(self, words: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while words.encode() not in self.said:
            assert time.monotonic() < end and self.reads(0.2), self.said.decode()

    def press_ctrl_c(self) -> None:
        os.write(self.screen, b"\x03")

    def wait_for_end(self, seconds: float = 20.0) -> int:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.reads(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"it did not end: {self.said.decode()}")

    def hang_up(self) -> None:
        """Closes the window."""
        os.close(self.screen)
        self.screen = -1

    def close(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.screen >= 0:
            os.close(self.screen)


@pytest.fixture
def city(tmp_path):
    assert app.main(["new-city", str(tmp_path / "springfield")]) == 0
    return tmp_path / "springfield"


@pytest.fixture
def opened(city, tmp_path):
    """Starts the product in a terminal of its own."""
    made = []

    def opens(port):
        made.append(Terminal(city, tmp_path / "data", port))
        return made[-1]

    yield opens
    for one in made:
        one.close()
    for pid in running(tmp_path / "data"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_free(port: int) -> bool:
    try:
        refuse_port_in_use(port)
    except PortInUse:
        return False
    return True


@pytest.mark.parametrize("times", [2, pytest.param(10, marks=pytest.mark.matrix)])
def test_ctrl_c_ends_everything_and_it_can_be_started_again_at_once(opened, tmp_path, times):
    port = free_port()
    for _ in range(times):
        terminal = opened(port)
        terminal.wait_for(READY)
        assert len(running(tmp_path / "data")) >= 3
        terminal.press_ctrl_c()
        assert terminal.wait_for_end() == 0
        assert "Traceback" not in terminal.said.decode()
        assert running(tmp_path / "data") == []
        assert is_free(port)


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(10))
def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing(opened, tmp_path, seed):
    port = free_port()
    terminal = opened(port)
    time.sleep(random.Random(seed).random() * 6)
    terminal.press_ctrl_c()
    terminal.wait_for_end()
    until(lambda: running(tmp_path / "data") == [], 15)
    assert is_free(port)


@pytest.mark.matrix
def test_a_terminal_that_is_closed_ends_everything(opened, tmp_path):
    port = free_port()
    terminal = opened(port)
    terminal.wait_for(READY)
    terminal.hang_up()
    until(lambda: running(tmp_path / "data") == [], 20)
    assert is_free(port)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.matrix) for n in range(1, 10))])
def test_kill_9_of_the_parent_leaves_nothing(city, tmp_path, seed):
    """In the peace after the start, and at any moment of it."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, str(PROJECT / "app.py")],
        env=environment_of(city, tmp_path / "data", PORT=str(port)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as parent:
        try:
            if seed:
                time.sleep(random.Random(seed).random() * 6)
            else:
                until(lambda: READY in parent.stdout.readline(), 60)
            parent.kill()
            parent.wait()
            until(lambda: running(tmp_path / "data") == [], 20)
            assert is_free(port)
        finally:
            for pid in running(tmp_path / "data"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
