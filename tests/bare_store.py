"""A database with nothing but its tables, a clock that moves when read, and a process that is killed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from metrics.model import City
from store.engine import open_engine
from tests.laid import lay

HOME = City("home", "Home", "America/New_York")


class HandClock:
    """A clock that stands still between readings and moves a second with each."""

    def __init__(self) -> None:
        self.now = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def home() -> City:
    return HOME


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def bare_engine(any_engine_url: str) -> Iterator[Engine]:
    """An empty database."""
    engine = open_engine(any_engine_url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(bare_engine: Engine, clock: HandClock) -> Engine:
    """A migrated database of the city `home`."""
    lay(bare_engine, HOME, clock)
    return bare_engine


@pytest.fixture
def kill_during() -> Callable[..., None]:
    """Runs a function in a process of its own and kills -9 it within `longest` seconds of its start.

    The function's first argument is what to call when its work begins. The seed decides the moment.
    """

    def run(work: Callable[..., None], *arguments: Any, seed: int, longest: float) -> None:
        context = multiprocessing.get_context("fork")
        begun = context.Event()
        process = context.Process(target=_work, args=(work, begun, arguments))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        assert begun.wait(60), "the work never began"
        time.sleep(random.Random(seed).random() * longest)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL, "the work ended before it could be killed"

    return run


def _work(work: Callable[..., None], begun: Any, arguments: tuple[Any, ...]) -> None:
    work(begun.set, *arguments)
