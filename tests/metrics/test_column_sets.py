"""Ready-made sets of columns: a source names one, changes what differs, and adds what is its own."""

from __future__ import annotations

import json

import pytest

from metrics import catalogue, column_sets
from metrics.model import Column
from tests.builders import write_folder

CITY = 'id = "test"\nname = "Testville"\ntime_zone = "America/New_York"\n'
CALLS = """
id = "calls"
name = "Calls"
kind = "file"
columns = "incident_clocks"
[options]
path = "calls.csv"
"""
OWN = """
[own_columns.call]
aliases = ["CallTime"]
format = "%m/%d/%Y %H:%M:%S"
[own_columns.arrive]
not_beyond_minutes = 90
[own_columns.transport]
type = "instant"
"""


@pytest.fixture
def write(tmp_path):
    def files(source: str, **more: str):
        return write_folder(tmp_path, {"city.toml": CITY, "sources/calls.toml": source, **more})

    return files


def errors(folder) -> list[str]:
    return [str(one) for one in catalogue.check(folder) if one.level == "error"]


@pytest.mark.parametrize("name", column_sets.known())
def test_every_set_is_a_source_without_mistakes(write, name):
    assert catalogue.check(write(CALLS.replace("incident_clocks", name))) == []


def test_a_source_changes_some_columns_and_adds_others(write):
    calls = catalogue.load(write(CALLS + OWN)).sources["calls"]
    assert (calls.key, calls.arrival, calls.closed) == ("incident", "call", "clear")
    call = calls.column("call")
    assert (call.format, call.aliases[0], call.required) == ("%m/%d/%Y %H:%M:%S", "CallTime", True)
    assert "call_time" in call.aliases
    assert (calls.column("arrive").not_within_seconds, calls.column("arrive").not_beyond_minutes) == (3, 90)
    assert calls.columns[-1] == Column("transport", "instant")


def test_the_word_of_the_source_wins_over_that_of_the_set(write):
    source = CALLS.replace("[options]", 'key = "unit"\nquiet_minutes = 5\n[options]')
    calls = catalogue.load(write(source)).sources["calls"]
    assert (calls.key, calls.quiet_minutes) == ("unit", 5)


def test_what_was_published_with_a_set_recomputes_without_it(write, tmp_path, monkeypatch):
    loaded = catalogue.load(write(CALLS + OWN))
    assert "column_sets/incident_clocks.toml" in json.loads(loaded.text)
    monkeypatch.setattr(column_sets, "FOLDER", tmp_path / "gone")
    assert catalogue.from_text(loaded.text) == loaded


def test_a_city_may_have_sets_of_its_own(write):
    ours = '[columns.incident]\ntype = "text"\n'
    folder = write(
        CALLS.replace("incident_clocks", "ours").replace("[options]", 'key = "incident"\n[options]'),
        **{"column_sets/ours.toml": ours},
    )
    assert catalogue.load(folder).sources["calls"].columns == (Column("incident", "text"),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("clocks", "clock", "columns: there is no set of columns `incident_clock`. Fix: Did you mean"),
        ('columns = "incident_clocks"', "", "own_columns: they change a ready-made set of columns"),
        ("90", "0", "no time fits between not_within_seconds and not_beyond_minutes"),
        ("90", "-1", "columns.arrive, not_beyond_minutes: -1 is negative"),
        ('type = "instant"', 'type = "instnt"', "columns.transport, type"),
        (
            'type = "instant"',
            'type = "day"\nnot_before = "call"\nnot_within_seconds = 3',
            "columns.transport, not_within_seconds: it is counted between this instant and the one in",
        ),
    ],
)
def test_a_mistake_in_the_changes_is_told_with_its_place(write, old, new, said):
    assert any(said in one for one in errors(write((CALLS + OWN).replace(old, new, 1))))


def test_a_strange_word_in_a_set_is_told_with_the_file(write):
    folder = write(CALLS, **{"column_sets/incident_clocks.toml": 'kind = "file"\n[columns.incident]\n'})
    assert any(
        "column_sets/incident_clocks.toml: kind: `kind` is not a word" in one for one in errors(folder)
    )
