"""A publication killed at any moment: nothing half-written, the next one heals, everything verifies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from metrics.catalogue import load
from store import publications
from store.engine import database_url, open_engine, reading, system_clock
from tests.town import Town, case

PROJECT = Path(__file__).resolve().parents[2]
KILLS = 10


class Place:
    """Where the town's database is."""

    database_url = ""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir


@pytest.fixture
def environment(city: Path, tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "CITY": str(city), "DATA_DIR": str(tmp_path / "data")}


def test_ten_publications_killed_at_random_leave_a_database_that_verifies(
    city: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    engine = open_engine(database_url(Place(tmp_path / "data"), "test"))
    town = Town(engine, load(city))
    town.clock = system_clock  # type: ignore[method-assign]  # the commands run by the machine's clock
    chance = random.Random(20260701)
    for turn in range(KILLS):
        cases = (case(f"{turn}-{n}", 1 + n % 28, 1 + n % 30) for n in range(300))
        town.ingest(*cases, until=datetime(2026, 7, 1 + turn, 12, tzinfo=UTC))
        killed = _publish(environment, f"2026-07-{1 + turn:02}")
        time.sleep(chance.uniform(0.3, 1.6))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert town.verified() == []
    healed = _publish(environment, "2026-07-10")
    assert healed.wait(timeout=60) == 0
    assert town.verified() == []
    assert town.publish(date(2026, 7, 10)).publication is None
    with reading(engine) as connection:
        current = publications.current(connection)
        assert current is not None and current.publication.as_of.isoformat() == "2026-07-10"
    engine.dispose()


def _publish(environment: dict[str, str], as_of: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "store", "publish", "--as-of", as_of]
    return subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
