"""How the product runs on one machine: a parent that hears the terminal, and children that end with it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

HOST = "127.0.0.1"
WEB_THREADS = 8
GRACE_SECONDS = 10.0
"""How long a child may take to end after SIGTERM before it is killed."""

WEB_GRACE_SECONDS = 5
STEP_SECONDS = 0.1
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
STEADY_SECONDS = 30.0
"""A child that ran this long and then ended is started again at once, not after a growing wait."""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PortInUse(Exception):
    """Something already answers on the port; the message is one line with the fix."""


@dataclass
class Child:
    """A process of ours: its name for people, its command, and how it is doing."""

    name: str
    command: Sequence[str]
    is_vital: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    wait: float = field(default=FIRST_WAIT_SECONDS, init=False)
    again_at: float = field(default=0.0, init=False)


# --- the parent --------------------------------------------------------------------------------


def refuse_port_in_use(port: int) -> None:
    """Raises PortInUse where another program listens on the port."""
    with socket.socket() as probe:
        # Ports of connections just closed are free; without this a quick restart would be refused.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except PermissionError as error:
            raise PortInUse(
                f"Port {port} is reserved for the system; choose one above 1023: PORT=8050."
            ) from error
        except OSError as error:
            raise PortInUse(
                f"Port {port} is in use; end the program that uses it or choose another, for example"
                f" PORT={port % 65535 + 1}."
            ) from error


def supervise(children: Sequence[Child], *, port: int, ready: Callable[[], None]) -> int:
    """Starts the children and stays until told to end; 0 when ended by a signal, 1 when a vital child fails.

    `ready` is called once, when the port first answers. A child that ends by itself is started again,
    after a growing wait when it ends again and again; a vital one that ends at once ends everything.
    """
    told = _hear_signals()
    try:
        for child in children:
            _start(child)
        is_ready = False
        while not told:
            time.sleep(STEP_SECONDS)
            if not is_ready and _answers(port):
                is_ready = True
                ready()
            if any(_has_failed(child, is_ready) for child in children):
                return 1
        return 0
    finally:
        _end(children)


def _hear_signals() -> list[int]:
    """A list that holds a signal as soon as one asks to end."""
    told: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    for number in ENDING:
        signal.signal(number, hear)
    return told


def _start(child: Child) -> None:
    # In a session of its own a child does not hear Ctrl-C; its end of the pipe closes when we are gone.
    child.process = subprocess.Popen(child.command, stdin=subprocess.PIPE, start_new_session=True)
    child.started_at = time.monotonic()


def _has_failed(child: Child, is_ready: bool) -> bool:
    """Sees to a child that ended by itself; whether that ends everything."""
    now = time.monotonic()
    if child.process is None:
        if now >= child.again_at:
            _start(child)
        return False
    code = child.process.poll()
    if code is None:
        return False
    _sweep(child)
    if child.is_vital and not is_ready:
        print(f"The {child.name} ended while starting (code {code}).", file=sys.stderr, flush=True)
        return True
    child.wait = FIRST_WAIT_SECONDS if now - child.started_at > STEADY_SECONDS else child.wait * 2
    child.wait = min(child.wait, LONGEST_WAIT_SECONDS)
    child.again_at = now + child.wait
    print(
        f"The {child.name} ended (code {code}); it starts again in {child.wait:.0f} s.",
        file=sys.stderr,
        flush=True,
    )
    child.process = None
    return False


def _end(children: Sequence[Child]) -> None:
    """Asks every child to end, waits, then kills what is left of each child's session."""
    running = [child for child in children if child.process is not None]
    for child in running:
        assert child.process is not None, "just asked"
        with contextlib.suppress(ProcessLookupError):
            child.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in running:
        assert child.process is not None, "just asked"
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(deadline - time.monotonic(), 0.01))
        _sweep(child)


def _sweep(child: Child) -> None:
    """Kills whatever is left in a child's session, so that no orphan keeps the port."""
    assert child.process is not None, "asked only of one that was started"
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()
    if child.process.stdin is not None:
        child.process.stdin.close()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=STEP_SECONDS):
            return True
    except OSError:
        return False


# --- a child -----------------------------------------------------------------------------------


def end_with_parent(lifeline: int, grace: float = GRACE_SECONDS) -> None:
    """Ends this process when the pipe `lifeline` is closed at its other end; for good after `grace`."""

    def watch() -> None:
        while os.read(lifeline, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def serve_web(make: Callable[[], Any], port: int, *, with_parent: bool, processes: int = 1) -> None:
    """Answers HTTP on this machine until SIGTERM; `make` gives the WSGI application in each process.

    with_parent: standard input is a pipe from the parent, and its closing ends every process.
    """
    # A process of the server loses its standard input; a second handle on the pipe stays.
    lifeline = os.dup(sys.stdin.fileno()) if with_parent else None

    def make_with_lifeline() -> Any:
        if lifeline is not None:
            end_with_parent(lifeline, grace=WEB_GRACE_SECONDS)
        return make()

    if lifeline is not None:
        end_with_parent(lifeline)
    Server(
        "app",
        address=HOST,
        port=port,
        interface=Interfaces.WSGI,
        # HTTP/2 names the site in :authority, which need not be the Host that the guard judges by.
        http=HTTPModes.http1,
        workers=processes,
        blocking_threads=WEB_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=WEB_GRACE_SECONDS,
        log_level=LogLevels.error,
    ).serve(target_loader=make_with_lifeline, wrap_loader=False)
