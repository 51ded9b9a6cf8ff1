"""An ingest killed at any moment leaves a database that the next run heals, with nothing lost or doubled."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest.run import Asked, Desk, run_source
from metrics.model import Source
from store import records, runs
from store.engine import open_engine, reading, system_clock
from tests.bare_store import kill_during
from tests.ingest.conftest import CASES, CITY, Bench

__all__ = ["kill_during"]

ROWS = 5_000
KILLS = 10


def write(path: Path, changed: bool) -> Path:
    """Many rows; the second version changes every third of them, adds some and has some bad ones."""
    lines = ["id,opened,closed,topic,amount"]
    for number in range(ROWS + (500 if changed else 0)):
        topic = "closed" if changed and number % 3 == 0 else "open"
        opened = f"2026-07-{1 + number % 28:02} 10:00"
        bad = "2026-02-30 10:00" if number % 1000 == 999 else opened
        lines.append(f"c{number},{bad},,{topic},{number / 4}")
    path.write_text("\n".join(lines))
    return path


def ingest(begun, url: str, source: Source, path: Path, folder: Path) -> None:
    """What the killed process does; it stays afterwards, to be killed then too."""
    engine = open_engine(url)
    begun()
    run_source(Desk(engine, CITY, folder / "snapshots", clock=system_clock), source, Asked(file=path))
    time.sleep(60)


def versions(bench: Bench, source: Source) -> list[tuple[object, ...]]:
    """Every current and replaced version, without when and by which run it was written."""
    names = records.stage_columns(source)
    with reading(bench.engine) as connection:
        tables = (records.record_table(source), records.replaced_table(source))
        found = [
            (number, *row)
            for number, table in enumerate(tables)
            for row in connection.execute(select(*(table.c[name] for name in names)))
        ]
    return sorted(found, key=repr)


@pytest.fixture
def timed_bench(any_engine_url, tmp_path):
    """A bench that goes by the machine's clock, as the processes do that are killed."""
    made = Bench(any_engine_url, tmp_path, system_clock)
    yield made
    made.engine.dispose()


def test_killed_at_ten_random_moments_the_next_run_heals(timed_bench, kill_during, tmp_path):
    bench = timed_bench
    first, second = write(tmp_path / "1.csv", False), write(tmp_path / "2.csv", True)
    run_source(bench.desk, CASES, Asked(file=first))
    before = versions(bench, CASES)
    began = time.monotonic()
    expected = run_source(bench.desk, CASES, Asked(file=second))
    longest = (time.monotonic() - began) * 1.2
    after = versions(bench, CASES)
    url = bench.engine.url.render_as_string(hide_password=False)
    outcomes = []
    for seed in range(KILLS):
        source = replace(CASES, id=f"killed_{seed}")
        run_source(bench.desk, source, Asked(file=first))
        bench.engine.dispose()
        kill_during(ingest, url, source, second, tmp_path, seed=seed, longest=longest)
        outcomes.append(bench.last_run(source).outcome)
        assert versions(bench, source) in (before, after)
        healed = run_source(bench.desk, source, Asked(file=second))
        assert (healed.outcome, healed.read, healed.rejected) == (
            "succeeded",
            expected.read,
            expected.rejected,
        )
        assert versions(bench, source) == after
        again = run_source(bench.desk, source, Asked(file=second))
        assert (again.new, again.changed, again.read) == (0, 0, expected.read)
    assert outcomes.count("running") >= 1, "no process was killed during its run"
    with reading(bench.engine) as connection:
        ledger = runs.schema.runs
        left = connection.execute(select(ledger.c.id).where(ledger.c.outcome == "running"))
        assert left.all() == []


@pytest.mark.parametrize("seed", range(3))
def test_killed_during_the_first_load_of_all(timed_bench, kill_during, tmp_path, seed):
    bench = timed_bench
    path = write(tmp_path / "1.csv", False)
    url = bench.engine.url.render_as_string(hide_password=False)
    bench.engine.dispose()
    kill_during(ingest, url, CASES, path, tmp_path, seed=seed, longest=0.6)
    healed = run_source(bench.desk, CASES, Asked(file=path))
    assert healed.outcome == "succeeded"
    assert healed.new + healed.unchanged + healed.rejected == ROWS
    assert len(bench.records()) == ROWS - healed.rejected
