"""Turns at what is slow: few at once and few in line, so that threads of a process are left for readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class NoTurnError(Exception):
    """So many wait already, or waited so long, that no turn came."""


class Turns:
    """Turns for at_once at a time; in_line is how many may have or await one, seconds how long one waits."""

    def __init__(self, at_once: int, in_line: int, seconds: float) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._line = threading.BoundedSemaphore(in_line)
        self._seconds = seconds

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A turn for the length of the block. Raises NoTurnError; at once where the line is full."""
        if not self._line.acquire(blocking=False):
            raise NoTurnError
        try:
            if not self._turns.acquire(timeout=self._seconds):
                raise NoTurnError
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._line.release()
