"""What a run is given, and what it says of itself when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from ingest.contract import LARGEST_FILE, Entered, Progress, no_secret, say_nothing
from metrics.model import City, District
from store import runs
from store.engine import Clock, Engine, system_clock

BUSY = "busy"
"""The outcome of a run that did not begin, as another run of the source is under way."""


@dataclass(frozen=True)
class Asked:
    """What one run is asked for beyond "what is new".

    since, until: only rows that arrived on these local days, both included. file: rows come from this
    file, whatever the kind of source. trigger: who asked, for the ledger. known_until: up to when the
    source is complete with the file, as its sender says; None where nobody said. sweep: also ask for
    every key the source still has. accept_fewer: a reading that lost most of the records is right.
    entered: what is taken for the values that people gave, of a run that is only tried.
    """

    since: date | None = None
    until: date | None = None
    file: Path | None = None
    trigger: str = "command"
    known_until: datetime | None = None
    sweep: bool = False
    accept_fewer: bool = False
    entered: tuple[Entered, ...] | None = None

    @property
    def is_partial(self) -> bool:
        """Whether the run tells nothing of what else the source has: it reads some days, or a file."""
        return self.is_ranged or self.file is not None

    @property
    def is_ranged(self) -> bool:
        """Whether the run reads a part of the time, and so says nothing of how far the source is known."""
        return self.since is not None or self.until is not None


@dataclass(frozen=True)
class RunReport:
    """What a run did. read = new + changed + unchanged + rejected.

    known_until: up to when the source is known after it; None when it is not, or the run failed.
    message: notes, or why it failed. rejections: the refused rows summed by reason.
    """

    source: str
    outcome: str
    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    withdrawn: int = 0
    known_until: datetime | None = None
    message: str = ""
    rejections: tuple[str, ...] = ()

    def line(self) -> str:
        """The run in one line of counts, or of what stopped it."""
        if self.outcome not in runs.GOOD_OUTCOMES:
            return f"{self.source}: {self.outcome}: {self.message}"
        withdrawn = f", {self.withdrawn} withdrawn" if self.withdrawn else ""
        return (
            f"{self.source}: {self.new} new, {self.changed} changed, {self.unchanged} unchanged, "
            f"{self.rejected} rejected{withdrawn}"
        )

    def words(self) -> dict[str, str | int]:
        """The same as a JSON object."""
        return {
            "outcome": self.outcome,
            "source": self.source,
            "read": self.read,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "withdrawn": self.withdrawn,
            "sentence": self.line(),
        }


@dataclass(frozen=True)
class Desk:
    """Where runs of one city's sources work: its database, its folders, its clock.

    folder: where relative paths of a source begin. snapshots: where bytes as received are kept. districts:
    what columns of districts are looked up in. largest: how many bytes a file may have. secret: gives
    the secret of a name, None where nobody set it. runs_at_once: how many runs may be under way, of all
    sources; None for what suits the engine.
    """

    engine: Engine
    city: City
    snapshots: Path
    folder: Path = field(default_factory=Path)
    clock: Clock = system_clock
    progress: Progress = say_nothing
    districts: tuple[District, ...] = ()
    largest: int = LARGEST_FILE
    secret: Callable[[str], str | None] = no_secret
    runs_at_once: int | None = None
