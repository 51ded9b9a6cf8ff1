"""Whose turn it is to run a source, and the folder that the run works in."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.desk import Desk
from metrics.model import Source
from store import runs

AT_ONCE, AT_ONCE_SHARED = 2, 4
"""How many runs of a city may be under way where nobody says it, on SQLite and on PostgreSQL.

A file takes one writer at a time: more than a run of the worker and a command beside it gain nothing.
"""


@contextmanager
def turn(desk: Desk, source: Source) -> Iterator[None]:
    """Holds the right to change the records of a source; raises runs.UnderWayError when another has it."""
    with _turn(desk.snapshots.parent, source), runs.turn(desk.engine, source.id):
        yield


@contextmanager
def place(desk: Desk) -> Iterator[None]:
    """Holds one of the places of runs, of any sources; raises runs.AllUnderWayError when there is none left.

    A SQLite file belongs to one machine, which has the places; all machines of a PostgreSQL share them.
    """
    is_shared = desk.engine.dialect.name == "postgresql"
    most = desk.runs_at_once or (AT_ONCE_SHARED if is_shared else AT_ONCE)
    with ExitStack() as held:
        held.enter_context(runs.place(desk.engine, most))
        if not is_shared:
            _take_place(desk.snapshots.parent, most, held)
        yield


def _take_place(folder: Path, most: int, held: ExitStack) -> None:
    """One of the places of this machine, kept as long as `held`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, most + 1):
        with ExitStack() as opened:
            file = opened.enter_context((folder / f"runs-{number}.lock").open("w"))
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.enter_context(opened.pop_all())
                return
    raise runs.AllUnderWayError(most)


@contextmanager
def workplace(folder: Path, source: Source) -> Iterator[Path]:
    """A folder of one run alone, for whoever has the turn; what a run that was killed left is gone before."""
    beginning = f"ingest-{source.id}-"
    for left in folder.glob(f"{beginning}*"):
        shutil.rmtree(left)
    with TemporaryDirectory(prefix=beginning, dir=folder) as work:
        yield Path(work)


@contextmanager
def _turn(folder: Path, source: Source) -> Iterator[None]:
    """Holds the right to run a source on this machine; it ends with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"ingest-{source.id}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise runs.UnderWayError(source.id) from error
        yield
