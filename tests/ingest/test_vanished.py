"""What a source no longer has is marked, and a reading that is too small is not believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ingest import registry
from ingest.contract import Extract, Page, SourceError
from ingest.run import Asked, run_source
from metrics.model import Column, Source
from store import records
from store.engine import reading
from tests.ingest.conftest import CASES
from tests.ingest.stand_ins.ckan import Table

NUMBERED = Source("cases", "Cases", "file", "id", (Column("id", "integer"), Column("topic", "text")))


class Place:
    """A kind that gives its rows once, then those that are new, and sweeps when it is asked to."""

    def __init__(self, keys):
        self.keys = list(keys)
        self.requests = []
        self.sizes = {}
        self.sweeps = True
        self.fails = False

    def read(self, source, request):
        self.requests.append(request)
        rows = [(key,) for key in self.keys] if request.cursor is None else []
        ids = self.ids if request.sweep and self.sweeps else None
        return Extract([Page(("id",), rows, place="x")], cursor="read", ids=ids, sizes=self.sizes)

    def ids(self):
        if self.fails:
            raise SourceError("the place refuses to list its ids.")
        return iter(self.keys)


@pytest.fixture
def place(monkeypatch):
    """Eight keys."""
    made = Place("abcdefgh")
    monkeypatch.setattr(registry, "kind", lambda _word: made)
    return made


def test_what_a_sweep_misses_is_withdrawn_and_comes_back(any_bench, place):
    bench = any_bench
    run_source(bench.desk, CASES)
    place.keys.remove("b")
    assert run_source(bench.desk, CASES, Asked(sweep=True)).withdrawn == 1
    assert set(bench.records()) == set("acdefgh")
    place.keys.append("b")
    assert run_source(bench.desk, CASES, Asked(sweep=True, accept_fewer=True)).changed == 1
    assert set(bench.records()) == set("abcdefgh")


def test_a_sweep_comes_by_itself_once_a_week(bench, place):
    for _day in range(16):
        run_source(bench.desk, CASES)
        bench.hand.now += timedelta(days=1)
    assert [day for day, one in enumerate(place.requests) if one.sweep] == [0, 7, 14]


def test_a_sweep_that_was_not_done_is_asked_for_again(bench, place):
    place.sweeps = False
    for _ in range(2):
        run_source(bench.desk, CASES)
    assert [one.sweep for one in place.requests] == [True, True]


def test_ids_are_read_as_the_key_is(bench, place):
    """An id of a number column is a number, however a source writes it."""
    place.keys = ["1", "2", "3"]
    run_source(bench.desk, NUMBERED)
    place.keys = ["01", " 3.0 "]
    assert run_source(bench.desk, NUMBERED, Asked(sweep=True)).withdrawn == 1
    assert set(bench.records(NUMBERED)) == {1, 3}


def test_most_records_are_not_withdrawn_unasked_and_the_sweep_is_tried_again(bench, place):
    run_source(bench.desk, CASES)
    place.keys = ["a", "b"]
    report = run_source(bench.desk, CASES, Asked(sweep=True))
    assert report.withdrawn == 0
    assert "6 records are no longer at the source; so many are not withdrawn unasked" in report.message
    assert run_source(bench.desk, CASES, Asked(sweep=True, accept_fewer=True)).withdrawn == 6


def test_a_sweep_that_fails_is_said_and_stops_nothing(bench, place):
    place.fails = True
    report = run_source(bench.desk, CASES)
    assert (report.outcome, report.new, report.withdrawn) == ("succeeded", 8, 0)
    assert "what the source no longer has could not be asked: the place refuses" in report.message
    place.fails = False
    run_source(bench.desk, CASES)
    assert place.requests[-1].sweep, "it was not swept, so it is tried again"


def test_a_place_that_gives_less_than_half_is_refused_until_somebody_says_it_is_right(bench, place):
    place.sizes = {"layer 3": 40}
    run_source(bench.desk, CASES)
    before = bench.last_run()
    place.sizes = {"layer 3": 19}
    report = run_source(bench.desk, CASES)
    assert report.outcome == "failed"
    assert report.message == (
        "cases, layer 3, gave 19 rows where it gave 40 before, and nothing was kept; if that is right, run "
        "it again with --accept-fewer."
    )
    assert bench.last_run().cursor is None
    assert run_source(bench.desk, CASES, Asked(accept_fewer=True)).outcome == "succeeded"
    assert place.requests[-1].cursor is None, "everything is read again, whatever did not change"
    assert run_source(bench.desk, CASES).outcome == "succeeded"
    assert bench.last_run().known_until == before.known_until


@pytest.mark.parametrize(("was", "now"), [(19, 1), (40, 20), (40, 400)])
def test_a_small_place_and_half_of_a_large_one_are_believed(bench, place, was, now):
    place.sizes = {"x": was}
    run_source(bench.desk, CASES)
    place.sizes = {"x": now}
    assert run_source(bench.desk, CASES).outcome == "succeeded"


def test_a_new_place_is_not_held_against_an_old_one(bench, place):
    place.sizes = {"2025": 40_000}
    run_source(bench.desk, CASES)
    place.sizes = {"2026": 30}
    assert run_source(bench.desk, CASES).outcome == "succeeded"


def test_a_table_of_a_portal_that_is_being_filled_is_not_believed(bench, ckan):
    ckan.tables["r1"] = Table("r1", [{"id": f"c{number}"} for number in range(30)])
    portal = replace(CASES, kind="ckan", options={"url": ckan.address, "resources": ["r1"]})
    run_source(bench.desk, portal)
    ckan.tables["r1"] = Table("r1", [{"id": "c1"}], hash="loading")
    assert "gave 1 rows where it gave 30 before" in run_source(bench.desk, portal).message


def test_open_keys_are_those_of_records_without_a_closing(any_bench):
    bench = any_bench
    text = "id,opened,closed\nb,2026-08-17 10:00,\na,,\nc,2026-08-17 10:00,2026-08-17 11:00\n"
    run_source(bench.desk, bench.source(), Asked(file=bench.file("cases.csv", text)))
    with reading(bench.engine) as connection:
        assert records.open_keys(connection, replace(CASES, closed="closed")) == ["a", "b"]
        assert records.open_keys(connection, CASES) == []
        assert records.open_keys(connection, replace(CASES, id="never_read", closed="closed")) == []


def test_a_kind_is_told_the_open_keys(bench, place):
    source = replace(CASES, closed="closed")
    run_source(bench.desk, source)
    run_source(bench.desk, source)
    assert place.requests[-1].open_keys() == list("abcdefgh")
