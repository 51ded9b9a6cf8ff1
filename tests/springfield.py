"""A new city as `new-city` makes it, with a clock set by hand and a worker's duties in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import app
import worker
from ingest.desk import Desk
from metrics import catalogue as catalogues
from store import lease, publications
from store.engine import open_engine, reading
from tests.laid import lay

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def rows(days: int, first: date = date(2026, 11, 1)) -> str:
    """A pothole for each of some days: reported, due the day after, every third filled too late."""
    lines = ["id,topic,opened,due,closed"]
    for number in range(days):
        day = first + timedelta(days=number)
        closed = day + timedelta(days=3) if number % 3 == 2 else day
        due = day + timedelta(days=1)
        lines.append(f"{number},Pothole,{day}T08:00:00,{due}T08:00:00,{closed}T20:00:00")
    return "\n".join(lines) + "\n"


RECORDS = rows(21)


class Springfield:
    """The city's folder, its catalogue, and duties whose clock shows `now` until somebody sets it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.now = folder, NOON
        if not folder.exists():
            assert app.main(["new-city", str(folder)]) == 0
        (folder / "drop").mkdir(exist_ok=True)
        self.engine = open_engine(url)
        self.reread()

    def reread(self) -> None:
        """Takes the definitions as they are in the folder now, as a worker does that starts."""
        self.catalogue = catalogues.load(self.folder)
        lay(self.engine, self.catalogue.city, lambda: LONG_AGO)
        self.desk = Desk(
            self.engine, self.catalogue.city, self.folder.parent / "snapshots", self.folder, self.clock
        )

    def clock(self) -> datetime:
        return self.now

    def drop(self, text: str, name: str = "a.csv") -> None:
        (self.folder / "drop" / name).write_text(text)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def another_source(self, name: str, **replaced: str) -> None:
        """A second source like the first."""
        text = (self.folder / "sources" / "requests.toml").read_text().replace('"requests"', f'"{name}"')
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        (self.folder / "sources" / f"{name}.toml").write_text(text)

    def worker(self) -> worker.Duties:
        """The duties of a new worker, which has taken the lease as if the one before had ended."""
        duties = worker.Duties(self.catalogue, self.desk)
        lease.take(self.engine, self.clock, duties.me, lambda _holder: True)
        duties.begin()
        return duties

    def current(self) -> publications.Reading | None:
        with reading(self.engine) as connection:
            return publications.current(connection)


def work_off(duties: worker.Duties) -> int:
    """Lets a worker do what there is to do now; gives how many things that were."""
    done = 0
    while duties.attend():
        done += 1
        assert done < 100, "it never ends"
    return done


@pytest.fixture
def springfield(tmp_path: Path) -> Iterator[Springfield]:
    made = Springfield(tmp_path / "springfield", f"sqlite:///{tmp_path / 'cityscore.db'}")
    yield made
    made.engine.dispose()


@pytest.fixture
def any_springfield(tmp_path: Path, any_engine_url: str) -> Iterator[Springfield]:
    """The same on SQLite, then on PostgreSQL."""
    made = Springfield(tmp_path / "springfield", any_engine_url)
    yield made
    made.engine.dispose()
