"""A run of any kind of source killed -9 at any moment: what it leaves is true, and the next run heals it."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from unittest import mock

import pytest
from sqlalchemy import Engine, event, inspect, select

from ingest.desk import BUSY, RunReport
from ingest.spool import Spool
from metrics.model import Source
from store import records, runs, schema, snapshots
from store.deliveries import Delivery
from store.disk import UNFINISHED
from store.engine import open_engine, reading
from tests.bare_store import kill_during
from tests.ingest.conftest import Bench
from tests.ingest.every_kind import KINDS, Behind, behind, rows

__all__ = ["kill_during"]

STEP_SECONDS = 0.002
"""How long every step of a run that is to be killed takes at least."""

SHORT_SECONDS = 0.01
"""Within what time after the step that was drawn the kill comes: between two, or in the midst of one."""

QUIET_SECONDS = 20
"""How long a server may take to notice that whoever asked it is gone."""

DONE = ("succeeded", "unchanged")

FEW = [
    pytest.param("sqlite", range(3), id="sqlite"),
    pytest.param("postgresql", range(3, 5), id="postgresql"),
]
MANY = [pytest.param(one, range(5, 55), id=one) for one in ("sqlite", "postgresql")]


@pytest.fixture
def killing(tmp_path, new_database, kill_during, monkeypatch):
    """Makes one kind's rows on an engine, to be killed over them with some seeds."""
    folder = tmp_path / "bench"
    (folder / "tmp").mkdir(parents=True)

    @contextmanager
    def make(kind, engine, seeds):
        bench = Bench(new_database(engine), folder)
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        with behind(kind, bench, monkeypatch) as there:
            yield Killing(there, kill_during, seeds)
        bench.engine.dispose()

    return make


@pytest.mark.parametrize(("engine", "seeds"), FEW)
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_killed_at_any_moment_is_healed_by_the_next(killing, kind, engine, seeds):
    with killing(kind, engine, seeds) as one:
        for seed in seeds:
            one.kill_and_heal(seed)
        one.nothing_is_left()
        assert one.killed_inside, "no process was killed during its run"


@pytest.mark.matrix
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("engine", "seeds"), MANY)
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_killed_at_fifty_moments_is_healed_by_the_next(killing, kind, engine, seeds):
    with killing(kind, engine, seeds) as one:
        for seed in seeds:
            one.kill_and_heal(seed)
        one.nothing_is_left()
        assert one.killed_inside > len(seeds) / 2


class Killing:
    """One kind's rows on one engine, and what a run over their changes makes of them undisturbed."""

    def __init__(self, there: Behind, kill, seeds) -> None:
        self.there, self.bench, self._kill = there, there.bench, kill
        self.clean = there.source("clean")
        for source in (self.clean, *map(self._source, seeds)):
            assert there.run(self.bench.desk, source).outcome == "succeeded"
        self.before = versions(self.bench, self.clean)
        there.put(rows(later=True))
        self._forward()
        taken: list[int] = []
        delivery = self._delivery(self.clean)
        with steps(self.bench.engine, taken.append):
            self.expected = there.run(self.bench.desk, self.clean, delivery)
        self.steps = len(taken)
        self.after = versions(self.bench, self.clean)
        assert (self.expected.outcome, self.expected.rejected) == ("succeeded", 0), self.expected.line()
        assert self.expected.new and self.expected.changed
        fresh = there.source("fresh")
        there.run(self.bench.desk, fresh)
        assert self.bench.records(fresh) == self.bench.records(self.clean)
        self.tables = set(inspect(self.bench.engine).get_table_names())
        self.killed_inside = 0

    def kill_and_heal(self, seed: int) -> None:
        """Kills the run over the changes, looks at what is there, and runs it twice more."""
        source, there = self._source(seed), self.there
        first = self._ledger(source)[-1]
        delivery = self._delivery(source)
        url = self.bench.engine.url.render_as_string(hide_password=False)
        self.bench.engine.dispose()
        drawn = random.Random(f"{there.kind} {seed}").randint(1, self.steps)
        self._kill(work, url, there, source, delivery, drawn, seed=seed, longest=SHORT_SECONDS)
        self._forward()
        was_done = self._tells_the_truth(source, first)
        healed = self._again(source, delivery)
        self._is_healed(source, healed, was_done=was_done)
        third = self._again(source)
        assert (third.new, third.changed, third.withdrawn) == (0, 0, 0)
        assert third.outcome in DONE and versions(self.bench, source) == self.after
        assert "running" not in [run.outcome for run in self._ledger(source)]

    def nothing_is_left(self) -> None:
        """No table, no temporary table, no file but snapshots, locks, and what the rows came from."""
        assert set(inspect(self.bench.engine).get_table_names()) == self.tables
        until = time.monotonic() + QUIET_SECONDS
        while left := temporary_tables(self.bench.engine):
            assert time.monotonic() < until, left
            time.sleep(0.05)
        names = {path.name for path in self.bench.folder.iterdir() if path.suffix != ".lock"}
        assert names <= {
            "snapshots",
            "tmp",
            "cases.csv",
            "theirs.db",
            "test.db",
            "test.db-wal",
            "test.db-shm",
        }
        assert list((self.bench.folder / "tmp").iterdir()) == []
        assert list(self.bench.desk.snapshots.rglob(f"*{UNFINISHED}")) == []

    def _tells_the_truth(self, source: Source, first: runs.Run) -> bool:
        """Whether the run was over when it was killed: its row and the records say the same of it."""
        last, held = self._ledger(source)[-1], versions(self.bench, source)
        if last.outcome in DONE and last.id != first.id:
            assert held == self.after
            assert (last.read, last.new, last.changed) == self._counts(self.expected)
            return True
        assert held == self.before
        if last.id != first.id:
            assert (last.outcome, last.finished_at, last.read) == ("running", None, 0)
            self.killed_inside += 1
        with reading(self.bench.engine) as connection:
            assert runs.cursor(connection, source.id) == first.cursor
        return False

    def _is_healed(self, source: Source, healed: RunReport, *, was_done: bool) -> None:
        assert healed.outcome in DONE, healed.line()
        if not was_done or self.there.kind == "push":
            assert self._counts(healed) == self._counts(self.expected)
        else:
            assert (healed.new, healed.changed) == (0, 0)
        assert versions(self.bench, source) == self.after
        good = [run for run in self._ledger(source) if run.new or run.changed]
        assert len(good) == 2, "the first load and the changes, each once"
        for run in self._ledger(source):
            paths = (run.snapshot or "").splitlines()
            assert all((self.bench.desk.snapshots / path).is_file() for path in paths)
            if run.outcome == "interrupted":
                assert (
                    run.finished_at is not None and run.read == 0 and "nothing of it was kept" in run.message
                )

    def _again(self, source: Source, delivery=None) -> RunReport:
        """The next run; a server may need a moment to see that the one before is gone."""
        until = time.monotonic() + QUIET_SECONDS
        while (report := self.there.run(self.bench.desk, source, delivery)).outcome == BUSY:
            assert time.monotonic() < until
            time.sleep(0.05)
        self._forward()
        return report

    def _delivery(self, source: Source) -> Delivery | None:
        return self.there.deliver(source) if self.there.kind == "push" else None

    def _counts(self, run: RunReport | runs.Run) -> tuple[int, int, int]:
        return run.read, run.new, run.changed

    def _source(self, seed: int) -> Source:
        return self.there.source(f"killed_{seed}")

    def _forward(self) -> None:
        """The killed process went on from the same time."""
        self.bench.hand.now += timedelta(hours=1)

    def _ledger(self, source: Source) -> list[runs.Run]:
        with reading(self.bench.engine) as connection:
            found = select(schema.runs).where(schema.runs.c.source == source.id).order_by(schema.runs.c.id)
            return [runs.run_of(row) for row in connection.execute(found)]


def work(begun, url: str, there: Behind, source: Source, delivery, drawn: int) -> None:
    """What the killed process does: it asks to be killed at one of its steps, and goes on."""
    engine = open_engine(url)

    def tell(step: int) -> None:
        if step == drawn:
            begun()
        time.sleep(STEP_SECONDS)

    with steps(engine, tell):
        there.run(replace(there.bench.desk, engine=engine), source, delivery)
        begun()
        time.sleep(60)


@contextmanager
def steps(engine: Engine, tell) -> Iterator[None]:
    """Tells the number of every step of the runs within the block, just before it is taken.

    Those are the statements and the ends of transactions, the answers and snapshots put on the disk.
    """
    numbers = count(1)

    def step(*_: object) -> None:
        tell(next(numbers))

    def told(function):
        def wrapped(*given, **named):
            step()
            return function(*given, **named)

        return wrapped

    moments = [(engine, name, step) for name in ("before_cursor_execute", "commit", "rollback")]
    for moment in moments:
        event.listen(*moment)
    with (
        mock.patch.object(Spool, "add", told(Spool.add)),
        mock.patch.object(snapshots, "keep", told(snapshots.keep)),
        mock.patch.object(snapshots, "settle", told(snapshots.settle)),
    ):
        yield
    for moment in moments:
        event.remove(*moment)


def versions(bench: Bench, source: Source) -> list[tuple[object, ...]]:
    """Every current and replaced version, without when and by which run it was written."""
    names = records.stage_columns(source)
    with reading(bench.engine) as connection:
        return sorted(
            (
                (number, *row)
                for number, table in enumerate((records.record_table(source), records.replaced_table(source)))
                for row in connection.execute(select(*(table.c[name] for name in names)))
            ),
            key=repr,
        )


def temporary_tables(engine: Engine) -> list[str]:
    """The temporary tables of every connection; a file of SQLite has none beside its own."""
    if engine.dialect.name == "sqlite":
        return []
    with reading(engine) as connection:
        found = "SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'"
        return list(connection.exec_driver_sql(found).scalars())
