"""Whose turn it is to run a source, and the folder that the run works in."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.desk import Desk
from metrics.model import Source
from store import runs


@contextmanager
def turn(desk: Desk, source: Source) -> Iterator[None]:
    """Holds the right to change the records of a source; raises runs.UnderWayError when another has it."""
    with _turn(desk.snapshots.parent, source), runs.turn(desk.engine, source.id):
        yield


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
