"""What says whether something kept still holds: the public state, entity tags made of it, the build."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

STATE_SECONDS = 1.0
"""How long a process may believe that the public state is what it was."""

PRODUCT = ("layouts", "serving", "metrics", "assets")
SUFFIXES = (".py", ".html", ".css", ".js", ".svg")


class StateWatch:
    """The number of the public state, read at most once in STATE_SECONDS per process."""

    def __init__(self, read: Callable[[], int], now: Callable[[], float] = time.monotonic) -> None:
        self._read, self._now = read, now
        self._lock = threading.Lock()
        self._state = 0
        self._read_at: float | None = None

    def __call__(self) -> int:
        """The number as it is, or was a moment ago."""
        with self._lock:
            now = self._now()
            if self._read_at is None or now - self._read_at >= STATE_SECONDS:
                self._state = self._read()
                self._read_at = now
            return self._state


def entity_tag(state: int, build: str, url: str) -> str:
    """The tag of a public answer: a function of the state, the build and the URL (method 9)."""
    return hashlib.sha256(f"{state}\n{build}\n{url}".encode()).hexdigest()[:32]


def build_id(project: Path) -> str:
    """A name for this version of the code: the same files give the same name."""
    digest = hashlib.sha256()
    for room in PRODUCT:
        for file in sorted((project / room).rglob("*")):
            if file.suffix in SUFFIXES:
                digest.update(str(file.relative_to(project)).encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()[:12]
