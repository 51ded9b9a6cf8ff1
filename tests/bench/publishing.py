"""Measures the first publication of a city beside the same values and scores by pandas, and one more day."""

from __future__ import annotations

import math
import sqlite3
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import arithmetic
import city
import figures

ROWS = 200_000
TRIES = range(2)
NIGHT = city.END - timedelta(days=2)
"""In the middle of a month: with the first publication of one the self-test is made."""

GOAL_OF_A_NIGHT = 0.5


def measure() -> None:
    """Prints the figures of a first publication."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        table = arithmetic.frame(city.make(folder / "city", ROWS))
        product = min(_publish(folder / "city", folder / f"data{number}") for number in TRIES)
        plain = figures.cpu(lambda: arithmetic.scores(table))
        compared = _check_scores(folder / "data0", arithmetic.scores(table))
        first, night, nothing = _nights(folder / "city", folder / "nights")
    figures.title(
        f"The first publication of two years, {ROWS:,} records ({compared:,} scores compared, none differs)"
    )
    figures.show("values and scores alone, by pandas from records in memory, not saved", plain, plain)
    figures.show("the product: facts, scores, changes, reasons and composites, saved", product, plain)
    figures.title("One more night, of which the records are read")
    figures.show("the first publication, up to the day before", first, first)
    figures.show("the publication of one more day", night, first, goal=GOAL_OF_A_NIGHT)
    figures.show("the same again, nothing having changed", nothing, first)


def _publish(place: Path, data: Path) -> float:
    """The processor seconds of the command, less those of one with nothing to do."""
    figures.command(place, data, "store", "migrate")
    figures.command(place, data, "ingest", "run")
    idle = figures.command(place, data, "store", "migrate")
    return figures.command(place, data, "store", "publish", "--as-of", city.END.isoformat()) - idle


def _nights(place: Path, data: Path) -> tuple[float, float, float]:
    """The processor seconds of a first publication, of one a day later and of one where nothing changed."""
    figures.command(place, data, "store", "migrate")
    figures.command(place, data, "ingest", "run")
    idle = figures.command(place, data, "store", "migrate")
    first, night, nothing = (
        figures.command(place, data, "store", "publish", "--as-of", day.isoformat()) - idle
        for day in (NIGHT - timedelta(days=1), NIGHT, NIGHT)
    )
    return first, night, nothing


def _check_scores(data: Path, expected: arithmetic.Scores) -> int:
    with sqlite3.connect(data / "bench" / "cityscore.db") as found:
        words = "metric, district, grain, start, value, score"
        rows = found.execute(f"SELECT {words} FROM scores WHERE score IS NOT NULL").fetchall()
    published = {row[:4]: row[4:] for row in rows}
    for key, plain in expected.items():
        if key not in published or not _agree(published[key], plain):
            sys.exit(f"{key}: the product says {published.get(key)}, plain code {plain}: there is no figure")
    return len(expected)


def _agree(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether numbers are the same but for the rounding of the machine."""
    return all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(one, other, strict=True))


if __name__ == "__main__":
    measure()
