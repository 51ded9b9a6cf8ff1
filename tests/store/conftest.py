"""A town for the tests of the store, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metrics.catalogue import load
from store.engine import open_engine
from tests.bare_store import bare_engine, clock, engine, home, kill_during
from tests.layouts.published_city import published_city
from tests.town import Town, write_city

__all__ = ["bare_engine", "city", "clock", "engine", "home", "kill_during", "published_city", "town"]


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write_city(tmp_path / "test")


@pytest.fixture
def town(any_engine_url: str, city: Path) -> Iterator[Town]:
    engine = open_engine(any_engine_url)
    yield Town(engine, load(city))
    engine.dispose()
