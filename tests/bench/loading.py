"""Measures the ingest of a large CSV beside plain code that writes the same rows.

The product is run as a city runs it, by `python -m ingest run`, the start of Python and all else included.
The baseline is `executemany` of the ready rows, as sqlite3 takes them, into a table with the columns, the key
and the indexes that the product's own has. Plain code does not read the file, nor look for what is wrong in
it, nor keep a snapshot, nor leave the database to others while it works.
"""

from __future__ import annotations

import csv
import gc
import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import city
import figures
import pandas as pd
from sqlalchemy import create_engine

from metrics.catalogue import load
from store import records
from store.engine import open_engine, system_clock, writing
from store.migrations import migrate

ROWS = int(os.environ.get("ROWS", 1_000_000))
PAGE = 20_000
CHANGED = 20
"""One row in so many is changed."""

GOAL_OF_ALL, GOAL_OF_WRITING, GOAL_OF_PANDAS = 3.0, 1.3, 0.5
GOAL_UNCHANGED, GOAL_CHANGED, GOAL_OF_MEMORY = 1.5, 0.6, 512

WATCH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(code)
"""
"""Runs a command and says what it used. A child is said to have had the memory of the process it was born of,
so that this is a small one."""

Row = tuple[object, ...]


def measure() -> None:
    """Prints the figures of ingest."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        _measure(Path(name))


def _measure(folder: Path) -> None:
    place = folder / "city"
    city.make(place, ROWS, "America/New_York")
    file = place / city.FILE
    first, peak = _first_ingests(place, folder)
    schema, rows = _ready(folder / "data0")
    # What is only held by the measurement must not cost plain code a search for cycles in it.
    gc.collect()
    gc.freeze()
    raw = figures.cpu(lambda: _raw(folder, schema, rows), 2)
    size = file.stat().st_size / 1e6
    figures.title(f"Ingest of {ROWS:,} rows of CSV, {size:.0f} MB, {len(city.COLUMNS)} columns, into SQLite")
    figures.show("executemany of ready rows into such a table, its indexes there", raw, raw)
    after = figures.cpu(lambda: _raw(folder, schema, rows, indexes_last=True), 1)
    figures.show("executemany of ready rows, the indexes made afterwards", after, raw)
    figures.show("csv.reader over the file, its rows dropped", figures.cpu(lambda: _read(file)), raw)
    figures.show("the whole command: snapshot, parsing, checking, writing", first, raw, goal=GOAL_OF_ALL)
    write = figures.cpu(lambda: _write(folder, place, rows), 2)
    figures.show("staging and merging the ready rows alone", write, raw, goal=GOAL_OF_WRITING)
    _against_pandas(folder, schema, rows, write)
    _memory(folder, place, peak)
    _again(folder, place, first)


def _first_ingests(place: Path, folder: Path) -> tuple[float, float]:
    """Processor seconds, the best of two, and MB of memory at the peak of a first ingest."""
    taken = [_ingest(place, folder / f"data{number}") for number in range(2)]
    return min(seconds for seconds, _ in taken), max(peak for _, peak in taken)


def _against_pandas(folder: Path, schema: list[str], rows: list[Row], write: float) -> None:
    table = pd.DataFrame(rows, dtype=object)
    pandas = figures.cpu(lambda: _to_sql(folder, schema, table, is_plain=False), 1)
    figures.title("Writing the same rows by pandas.to_sql, into such a table too")
    figures.show("pandas.to_sql with an engine of SQLAlchemy, as its manual says", pandas, pandas)
    plain = figures.cpu(lambda: _to_sql(folder, schema, table, is_plain=True), 1)
    figures.show("pandas.to_sql with a connection of sqlite3", plain, pandas)
    figures.show("staging and merging the ready rows alone", write, pandas, goal=GOAL_OF_PANDAS)


def _memory(folder: Path, place: Path, peak: float) -> None:
    figures.title("Memory of the whole command at its peak")
    small = folder / "small"
    city.make(small, ROWS // 10, "America/New_York")
    tenth = _ingest(small, folder / "data-small", f"{ROWS // 10} new, 0 changed")[1]
    figures.note(f"{ROWS // 10:,} rows", f"{tenth:.0f} MB")
    goal = f"{GOAL_OF_MEMORY} MB or less"
    figures.note(f"{ROWS:,} rows", f"{peak:.0f} MB", is_met=peak <= GOAL_OF_MEMORY, goal=goal)


def _again(folder: Path, place: Path, first: float) -> None:
    file, data = place / city.FILE, folder / "data0"
    start = figures.command(place, data, "ingest", "status")
    floor = start + figures.cpu(lambda: _hash(file))
    same = min(_ingest(place, data, "0 new, 0 changed, 0 unchanged")[0] for _ in range(3))
    figures.title("The same file again")
    figures.show("starting Python, reading and hashing the file", floor, floor)
    figures.show("the whole command", same, floor, goal=GOAL_UNCHANGED)
    figures.title("Another file, of which some rows differ")
    figures.show("the whole command, the first time", first, first)
    for what, every, goal in (("one row", ROWS, None), (f"1 row in {CHANGED}", CHANGED, GOAL_CHANGED)):
        _rewrite(file, every)
        seconds, _ = _ingest(place, data, f"0 new, {ROWS // every} changed")
        figures.show(f"the whole command, {what} changed", seconds, first, goal=goal)


# --- the product ---------------------------------------------------------------------------------


def _ingest(place: Path, data: Path, said: str = f"{ROWS} new, 0 changed") -> tuple[float, float]:
    """Processor seconds and MB at the peak of `python -m ingest run`; it must say what is expected."""
    figures.command(place, data, "store", "migrate")
    environment = {**os.environ, "CITY": str(place), "DATA_DIR": str(data), "DATABASE_URL": ""}
    command = [sys.executable, "-c", WATCH, sys.executable, "-m", "ingest", "run"]
    done = subprocess.run(command, cwd=figures.PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode or said not in done.stdout:
        told = done.stderr.strip() or done.stdout.strip()
        sys.exit(f"python -m ingest run should say {said!r} and says {told!r}: there is no figure")
    seconds, kilobytes = map(float, done.stdout.split()[-2:])
    return seconds, kilobytes / 1024


def _write(folder: Path, place: Path, rows: list[Row]) -> None:
    """Staging and merging of rows that are ready, as a run does it."""
    catalogue = load(place)
    source = catalogue.sources["requests"]
    with _new_file(folder / "written.db") as path:
        engine = open_engine(f"sqlite:///{path}")
        migrate(engine, catalogue.city, system_clock)
        with writing(engine, system_clock) as write:
            records.prepare(write.connection, source, records.dated_columns(catalogue, source))
        with records.staging(engine, source) as stage:
            for start in range(0, len(rows), PAGE):
                stage.add([row[:-3] for row in rows[start : start + PAGE]])
            with stage.writing(system_clock) as write:
                stage.merge(write, 1)
        engine.dispose()


# --- plain code ----------------------------------------------------------------------------------


def _ready(data: Path) -> tuple[list[str], list[Row]]:
    """The statements that made the table of records and its indexes, and the rows in it."""
    with sqlite3.connect(data / "bench" / "cityscore.db") as found:
        statement = "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC"
        schema = [sql for (sql,) in found.execute(statement, ["records_requests"])]
        rows = found.execute("SELECT * FROM records_requests").fetchall()
    if len(rows) != ROWS:
        sys.exit(f"there are {len(rows)} records of {ROWS} rows: there is nothing to compare")
    return schema, rows


def _raw(folder: Path, schema: list[str], rows: list[Row], indexes_last: bool = False) -> None:
    table, *indexes = schema
    with _new_file(folder / "raw.db") as path, _fast(path) as raw:
        for statement in [table] if indexes_last else schema:
            raw.execute(statement)
        raw.execute("BEGIN")
        marks = ", ".join("?" * len(rows[0]))
        raw.executemany(f"INSERT INTO records_requests VALUES ({marks})", rows)
        for statement in indexes if indexes_last else ():
            raw.execute(statement)
        raw.execute("COMMIT")


def _to_sql(folder: Path, schema: list[str], table: pd.DataFrame, is_plain: bool) -> None:
    with _new_file(folder / "pandas.db") as path, _fast(path) as raw:
        for statement in schema:
            raw.execute(statement)
        table.columns = [name for _, name, *_ in raw.execute("PRAGMA table_info(records_requests)")]
        if is_plain:
            raw.execute("BEGIN")  # pandas commits it
            table.to_sql("records_requests", raw, if_exists="append", index=False)
            return
        engine = create_engine(f"sqlite:///{path}")
        table.to_sql("records_requests", engine, if_exists="append", index=False)
        engine.dispose()


def _read(file: Path) -> None:
    with file.open(newline="") as text:
        for _ in csv.reader(text):
            pass


def _hash(file: Path) -> None:
    with file.open("rb") as content:
        hashlib.file_digest(content, "sha256")


def _rewrite(file: Path, every: int) -> None:
    """Writes the file anew with a longer last cell in one of every so many rows."""
    changed = file.with_suffix(".new")
    with file.open() as old, changed.open("w") as new:
        new.write(next(old))
        for number, line in enumerate(old, 1):
            new.write(line if number % every else f"{line.rstrip()} again\n")
    changed.replace(file)


@contextmanager
def _fast(path: Path) -> Iterator[sqlite3.Connection]:
    """A database set up as the product's own is while it writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -64000"):
            raw.execute(f"PRAGMA {pragma}")
        yield raw


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """A path where no file is, nor is one afterwards."""
    try:
        yield path
    finally:
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()


if __name__ == "__main__":
    measure()
