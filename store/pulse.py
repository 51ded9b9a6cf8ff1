"""A worker's time with the lease, and what it says in the store meanwhile: that it lives, and how far it is.

Threads of their own say it: whoever works may hold the right to write for a while.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from store import lease
from store.engine import Clock, StoreError
from store.lease import Holder, LeaseLostError

TELL_SECONDS = 1.5
WAIT_SECONDS = 1.0


class Heartbeat:
    """Renews the lease of `me` as long as the block lasts; `check` raises once it is lost."""

    def __init__(self, engine: Engine, clock: Clock, me: Holder) -> None:
        self._engine, self._clock, self._me = engine, clock, me
        self._lost: LeaseLostError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def check(self) -> None:
        """Raises LeaseLostError when another worker has taken the lease."""
        if self._lost is not None:
            raise self._lost

    def _beat(self) -> None:
        while not self._ended.wait(lease.BEAT_SECONDS):
            try:
                with lease.holding(self._engine, self._clock, self._me):
                    pass
            except LeaseLostError as error:
                self._lost = error
                return
            except StoreError:
                # Somebody writes for long, or the database is away: the next beat may find it back.
                continue


@contextmanager
def tenure(
    engine: Engine, clock: Clock, folder: Path, me: Holder, told: threading.Event, say: Callable[[str], None]
) -> Iterator[Heartbeat | None]:
    """Waits until `me` has the lease, holds it while the block lasts, and gives it up; None when told to end.

    folder: where the workers of this machine keep their signs of life. Says once for whom it waits.
    """
    with lease.sign_of_life(folder, me):
        try:
            if not _wait_for_lease(engine, clock, folder, me, told, say):
                yield None
                return
            with Heartbeat(engine, clock, me) as heart:
                yield heart
        finally:
            with suppress(StoreError):
                lease.release(engine, clock, me)


def _wait_for_lease(
    engine: Engine, clock: Clock, folder: Path, me: Holder, told: threading.Event, say: Callable[[str], None]
) -> bool:
    waits_for: Holder | None = None
    while not told.is_set():
        holder = lease.take(engine, clock, me, partial(lease.has_ended, folder)).holder
        if holder == me:
            lease.sweep_signs(folder, me)
            if waits_for is not None:
                say("this worker works now")
            return True
        if holder != waits_for:
            say(f"another worker works ({holder}); this one waits")
            waits_for = holder
        told.wait(WAIT_SECONDS)
    return False


class Teller:
    """Takes sentences about long work, often, and passes on the newest now and then while the block lasts."""

    def __init__(self, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._tell = tell
        self._sentence = self._told = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._pass_on, name="teller", daemon=True)

    def __call__(self, sentence: str) -> None:
        """What is being done now."""
        self._sentence = sentence

    def __enter__(self) -> Teller:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _pass_on(self) -> None:
        while not self._ended.wait(TELL_SECONDS):
            if self._sentence == self._told:
                continue
            # Where somebody else is writing for long, the work is done without saying how far it is.
            with suppress(StoreError):
                self._told = self._sentence
                self._tell({"sentence": self._told})
