"""Measures ingest and publishing beside plain code that does the same work: `make bench`.

The product is run as a city runs it: by its commands, each in a process of its own, on a city made in a
temporary folder. What is compared is processor time, for it does not see what else the machine does.
From a command's time that of a command with nothing to do is taken away, so that starting Python and
importing libraries is not counted. Every figure is the best of three, and a ratio to plain code measured
in this same run. Both sides must come to the same numbers; else there is no figure.
"""

from __future__ import annotations

import math
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import arithmetic
import city

PROJECT = Path(__file__).resolve().parents[2]
TRIES = range(3)


def main() -> None:
    """Makes the city, measures both halves and prints them."""
    print((__doc__ or "").split("\n\n", 1)[1])
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder))
        bench.ingest()
        bench.publish()


class Bench:
    """The city in its folder, and the two measurements; each try has a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.city = folder / "city"
        self.rows = city.make(self.city)

    def ingest(self) -> None:
        product = [self._ingest(self.folder / f"data{number}") for number in TRIES]
        write = [cpu(lambda name=f"raw{number}": self._write(name, self.rows)) for number in TRIES]
        read = [cpu(lambda name=f"read{number}": self._write(name, city.read(self.city))) for number in TRIES]
        self._check_records()
        print(f"Ingest of {city.ROWS:,} rows of CSV")
        show(product, write, "the product: snapshot, parsing, checking, staging, merging")
        show(read, write, "csv.reader, then executemany of texts as they are")
        show(write, write, "executemany of ready tuples into a table with a key")

    def publish(self) -> None:
        product = [self._publish(self.folder / f"data{number}") for number in TRIES]
        table = arithmetic.frame(self.rows)
        plain = [cpu(lambda: arithmetic.scores(table)) for _ in TRIES]
        compared = self._check_scores(arithmetic.scores(table))
        print(f"\nThe first publication of two years of these ({compared:,} scores compared, none differs)")
        show(product, plain, "the product: facts, scores, changes, reasons and composites, saved")
        show(plain, plain, "values and scores alone, by pandas from records in memory, not saved")

    def _ingest(self, data: Path) -> float:
        self._command(data, "store", "migrate")
        idle = self._command(data, "ingest", "status")
        return self._command(data, "ingest", "run") - idle

    def _publish(self, data: Path) -> float:
        idle = self._command(data, "store", "migrate")
        return self._command(data, "store", "publish", "--as-of", city.END.isoformat()) - idle

    def _command(self, data: Path, *arguments: str) -> float:
        """The processor seconds of a command of the product, on the database in `data`."""
        environment = {**os.environ, "CITY": str(self.city), "DATA_DIR": str(data), "DATABASE_URL": ""}
        command = [sys.executable, "-m", *arguments]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"python -m {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}")
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _write(self, name: str, rows: list[city.Row]) -> None:
        with sqlite3.connect(self.folder / f"{name}.db", isolation_level=None) as raw:
            raw.execute("PRAGMA journal_mode = WAL")
            raw.execute("PRAGMA synchronous = NORMAL")
            columns = ", ".join(f"{column} TEXT" for column in city.COLUMNS)
            raw.execute(f"CREATE TABLE requests ({columns}, PRIMARY KEY (id))")
            raw.execute("BEGIN")
            raw.executemany("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?)", rows)
            raw.execute("COMMIT")

    def _check_records(self) -> None:
        with self._database() as found:
            counts = found.execute("SELECT new, rejected FROM runs").fetchall()
        if counts != [(city.ROWS, 0)]:
            sys.exit(f"(new, rejected) is {counts} and not {city.ROWS} rows: there is nothing to compare")

    def _check_scores(self, expected: arithmetic.Scores) -> int:
        with self._database() as found:
            words = "metric, district, grain, start, value, score"
            rows = found.execute(f"SELECT {words} FROM scores WHERE score IS NOT NULL").fetchall()
        published = {row[:4]: row[4:] for row in rows}
        for key, plain in expected.items():
            if key not in published or not agree(published[key], plain):
                sys.exit(
                    f"{key}: the product says {published.get(key)}, plain code {plain}: there is no figure"
                )
        return len(expected)

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "data0" / "bench" / "cityscore.db")


def agree(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether numbers are the same but for the rounding of the machine."""
    return all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(one, other, strict=True))


def cpu(work: Callable[[], object]) -> float:
    """The processor seconds of this process while it does the work."""
    before = time.process_time()
    work()
    return time.process_time() - before


def show(tries: list[float], plain: list[float], what: str) -> None:
    """One line: the best of the tries and its ratio to the best of plain code."""
    print(f"  {min(tries):7.2f} s of processor time {min(tries) / min(plain):7.1f} x  {what}", flush=True)


if __name__ == "__main__":
    main()
