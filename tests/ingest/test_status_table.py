"""The table of sources fits the terminal, and colours what needs a look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.__main__ import _status
from ingest.run import run_source
from ingest.status_table import RED, WIDEST, YELLOW, State, is_late, table
from metrics.model import Catalogue
from store.runs import Run
from tests.ingest.conftest import CASES, CITY

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
RUN = Run(1, "cases", "schedule", NOW, NOW, "succeeded", 9, 1, 2, 6, 0, 0, NOW, None, None, None)
GOOD = State("cases", RUN, NOW - timedelta(hours=3, minutes=5), 0, NOW + timedelta(hours=1), late=False)
ZONE = ZoneInfo("America/New_York")


def shown(*states, width=WIDEST, colour=False):
    return list(table(states, NOW, ZONE, width, colour=colour))


def test_times_are_the_citys_and_how_far_behind_is_said():
    [_, line] = shown(GOOD)
    assert "2026-11-23 10:00" in line and "3 h 5 min" in line and line.endswith("2026-11-23 11:00")


def test_a_narrow_terminal_leaves_the_least_needed_out():
    for width in (70, 90, 110):
        assert max(map(len, shown(GOOD, width=width))) <= width
    assert "outcome" in shown(GOOD, width=20)[0], "what is needed stays, however narrow"


def test_colour_is_for_what_failed_or_is_late_and_only_where_asked_for():
    failed = replace(GOOD, run=replace(RUN, outcome="failed"))
    lines = shown(GOOD, failed, replace(GOOD, late=True), colour=True)
    assert [line[:5] for line in lines[1:]] == ["cases", RED, YELLOW]
    assert not any("\x1b" in line for line in shown(GOOD, failed))


def test_late_is_what_should_be_known_by_now():
    midnight = datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert not is_late(CITY, CASES, midnight, NOW)
    assert is_late(CITY, CASES, midnight - timedelta(minutes=1), NOW)
    night = midnight + timedelta(hours=1)
    assert not is_late(CITY, CASES, midnight - timedelta(minutes=1), night), "not due yet"
    assert is_late(CITY, replace(CASES, due_after_minutes=0), midnight - timedelta(minutes=1), night)
    assert is_late(CITY, CASES, None, NOW)


def test_the_command_tells_the_same_on_either_engine(any_bench, capsys):
    source = any_bench.source()
    any_bench.file("cases.csv", "id,opened\na,2026-08-17 10:00\nb,never\n")
    run_source(any_bench.desk, source)
    failing = replace(source, id="failing", options={"path": "gone.csv"})
    assert run_source(any_bench.desk, failing).outcome == "failed"
    sources = {"cases": source, "failing": failing, "asleep": replace(source, id="asleep")}
    assert _status(any_bench.desk, Catalogue(CITY, {}, {}, sources, {}, text="", hash="")) == 0
    _, first, second, third, *notes = capsys.readouterr().out.splitlines()
    assert first.split()[3:8] == ["succeeded", "2", "1", "0", "1"]
    assert "failed" in second and third.split()[:2] == ["asleep", "never"]
    assert notes[0].startswith("failing: There is no file") and notes[1].startswith("asleep has never run")
