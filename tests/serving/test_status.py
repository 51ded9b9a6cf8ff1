"""Alive at once, and how fresh everything is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from serving.status import alive, source_states, status
from store import runs
from store.engine import writing
from tests.layouts.published_city import catalogue_of, city_files

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


def test_alive_asks_nothing():
    assert json.loads(alive({}).body) == {"alive": True}


def test_the_status_names_the_last_publication_and_every_source(published_city):
    answer = status(published_city.engine, "harbor", published_city.catalogue.sources, "b")({})
    found = json.loads(answer.body)
    assert (found["city"], found["build"], found["state"] >= 1) == ("harbor", "b", True)
    assert found["publication"]["as_of"] == "2026-11-23"
    assert [source["id"] for source in found["sources"]] == ["cases", "library", "water"]
    assert answer.state is None


def test_a_city_before_its_first_publication_has_a_status_too(empty_database):
    catalogue = catalogue_of(city_files())
    found = json.loads(status(empty_database(catalogue), "harbor", catalogue.sources, "b")({}).body)
    assert found["publication"] is None
    assert all(source["last_run"] is None for source in found["sources"])


def test_a_source_says_how_its_last_run_went(empty_database):
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    clock = lambda: NOW  # noqa: E731
    good = runs.start(engine, clock, "cases", "test")
    with writing(engine, clock) as write:
        runs.finish(write, good, new=3, known_until=NOW)
    bad = runs.start(engine, clock, "library", "test")
    runs.fail(engine, clock, bad, "secret path")
    runs.start(engine, clock, "water", "test")
    found = {one.id: one for one in source_states(engine, catalogue.sources)}
    assert (found["cases"].outcome, found["cases"].read) == ("succeeded", 3)
    assert (found["library"].outcome, found["library"].known_until) == ("failed", None)
    assert (found["water"].outcome, found["water"].finished_at) == ("running", None)
    assert b"secret path" not in status(engine, "harbor", catalogue.sources, "b")({}).body
