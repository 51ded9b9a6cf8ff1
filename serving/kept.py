"""What may be kept: the number of the public state, entity tags made of it, and answers by their tag."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from serving.routes import Answer

STATE_SECONDS = 1.0
"""How long a process may believe that the public state is what it was."""

ANSWERS = 256
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


class KeptAnswers:
    """The answers last given, by their tag; the longest unused make room."""

    def __init__(self, most: int = ANSWERS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    def get(self, tag: str) -> Answer | None:
        """The answer with this tag, if it is kept."""
        with self._lock:
            if tag in self._answers:
                self._answers.move_to_end(tag)
            return self._answers.get(tag)

    def keep(self, tag: str, answer: Answer) -> None:
        """Keeps an answer."""
        with self._lock:
            self._answers[tag] = answer
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)


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
