"""A run either happens whole or not at all, accounts for every row, and repeats without changing anything."""

from __future__ import annotations

import fcntl
import gc
import gzip
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import registry
from ingest import run as run_module
from ingest.contract import Extract, Page, SourceError
from ingest.desk import BUSY
from ingest.registry import KINDS
from ingest.run import Asked, run_source
from ingest.sources import file as files
from metrics.model import Column, Source
from store import records, runs
from store.engine import StoreError, reading
from store.migrations import migrate
from tests.builders import catalogue, metric
from tests.ingest.conftest import CASES, NOW, Bench
from tests.ingest.stand_ins.ckan import Table
from tests.ingest.stand_ins.frame import FOREVER, HTML, Answer, rows_of

HEADER = "id,opened,closed,topic,amount"
GOOD = f"""{HEADER}
a,2026-08-17 10:00,2026-08-17 12:00,Pothole,1
b,2026-08-17 11:00,,Graffiti,2.5
c,2026-08-16 09:00,,Litter,
"""


def counts(report):
    return report.new, report.changed, report.unchanged, report.rejected, report.withdrawn


def ledger_agrees(bench, report, source=CASES):
    """What was reported is what the ledger says, and it adds up."""
    run = bench.last_run(source)
    assert run.outcome == report.outcome
    assert (run.read, *counts(run)) == (report.read, *counts(report))
    assert run.read == run.new + run.changed + run.unchanged + run.rejected
    refused = [one for one in bench.quarantined(source) if one.run == run.id]
    assert run.rejected == len(refused) or run.outcome != "succeeded"
    return run


# --- good rows ---------------------------------------------------------------------------------------


def test_rows_become_records_on_either_engine_and_a_second_run_changes_nothing(any_bench):
    bench = any_bench
    path = bench.file("cases.csv", GOOD)
    first = run_source(bench.desk, bench.source(), Asked(file=path))
    assert (first.outcome, first.read, counts(first)) == ("succeeded", 3, (3, 0, 0, 0, 0))
    records = bench.records()
    assert records["a"] == (
        "a",
        "2026-08-17T14:00:00.000000Z",
        "2026-08-17",
        "2026-08-17T16:00:00.000000Z",
        "2026-08-17",
        "Pothole",
        1.0,
    )
    second = run_source(bench.desk, bench.source(), Asked(file=path))
    assert (second.outcome, second.read, counts(second)) == ("succeeded", 3, (0, 0, 3, 0, 0))
    assert bench.records() == records
    assert second.line() == "cases: 0 new, 0 changed, 3 unchanged, 0 rejected"
    ledger_agrees(bench, second)


def test_a_file_in_place_of_a_source_needs_no_options_but_obeys_those_there_are(bench):
    path = bench.file("elsewhere.csv", GOOD.replace(",", ":"))
    assert run_source(bench.desk, replace(CASES, options={}), Asked(file=path)).outcome == "failed"
    colons = replace(CASES, options={"delimiter": ":"})
    assert run_source(bench.desk, colons, Asked(file=bench.file("x.csv", "id:topic\na:b\n"))).new == 1


def test_a_changed_row_is_changed_and_nothing_else(bench):
    run_source(bench.desk, bench.source(), Asked(file=bench.file("1.csv", GOOD)))
    later = GOOD.replace("b,2026-08-17 11:00,,", "b,2026-08-17 11:00,2026-08-17 15:00,") + "d,,,,\n"
    report = run_source(bench.desk, bench.source(), Asked(file=bench.file("2.csv", later)))
    assert counts(report) == (1, 1, 2, 0, 0)
    assert bench.records()["b"][4] == "2026-08-17"


def test_the_same_rows_by_file_and_by_portal_are_the_same_records(bench, ckan):
    path = bench.file("cases.csv", GOOD)
    ckan.tables["r1"] = Table("r1", rows_of(path))
    run_source(bench.desk, bench.source(), Asked(file=path))
    records = bench.records()
    portal = replace(CASES, kind="ckan", options={"url": ckan.address, "resources": ["r1"], "page_size": 2})
    assert counts(run_source(bench.desk, portal)) == (0, 0, 3, 0, 0)
    assert bench.records() == records
    other = replace(portal, id="others")
    assert counts(run_source(bench.desk, other)) == (3, 0, 0, 0, 0)
    assert bench.records(other) == records


def test_a_source_that_did_not_change_is_not_read(bench):
    bench.file("cases.csv", GOOD)
    first = run_source(bench.desk, bench.source())
    second = run_source(bench.desk, bench.source())
    assert (second.outcome, second.read) == ("unchanged", 0)
    assert second.known_until == first.known_until
    third = run_source(bench.desk, bench.source())
    assert third.outcome == "unchanged", "the memory of a run that read nothing holds"


def test_a_source_whose_definition_changed_is_read_again(bench):
    bench.file("cases.csv", GOOD.replace("topic", "kind"))
    run_source(bench.desk, bench.source())
    columns = [replace(one, aliases=("kind",)) if one.name == "topic" else one for one in CASES.columns]
    mended = replace(bench.source(), columns=tuple(columns))
    assert counts(run_source(bench.desk, mended)) == (0, 3, 0, 0, 0)


def test_the_bytes_as_received_are_kept_and_the_ledger_says_where(bench):
    bench.file("cases.csv.gz", gzip.compress(GOOD.encode()))
    run_source(bench.desk, bench.source("cases.csv.gz"))
    kept = bench.desk.snapshots / bench.last_run().snapshot
    assert gzip.decompress(kept.read_bytes()).decode() == GOOD


def test_the_run_says_how_far_it_is(bench):
    run_source(bench.desk, bench.source(), Asked(file=bench.file("cases.csv", GOOD)))
    assert "cases: 3 rows read" in bench.said


# --- bad rows ----------------------------------------------------------------------------------------

BAD = {
    "x1,2026-02-30 10:00,,,": ("opened", "2026-02-30 10:00", "is a date or time that does not exist"),
    "x2,last week,,,": ("opened", "last week", "is not a date and time like 2026-01-31 14:05:00"),
    "x3,1753-12-14 00:00,,,": ("opened", "1753-12-14 00:00", "is outside the years 1800 to 2200"),
    "x4,2026-08-17 10:00,2026-08-17 09:00,,": ("closed", "2026-08-17 09:00", "is before opened"),
    "x5,,,,many": ("amount", "many", "is not a number"),
    ",,,Pothole,": ("id", None, "is empty, and it is the key"),
    "x6,,": (None, None, "has 3 cells where the header has 5"),
    "x7,,,,,surplus": (None, None, "has 6 cells where the header has 5"),
}


@pytest.mark.parametrize("row", BAD, ids=[reason for _, _, reason in BAD.values()])
def test_a_bad_row_is_quarantined_with_place_and_reason_and_the_good_ones_go_in(bench, row):
    lines = GOOD.splitlines()
    bad = bench.file("cases.csv", "\n".join([*lines[:2], row, *lines[2:]]))
    report = run_source(bench.desk, bench.source(), Asked(file=bad))
    assert (report.outcome, report.read, counts(report)) == ("succeeded", 4, (3, 0, 0, 1, 0))
    assert set(bench.records()) == {"a", "b", "c"}
    [kept] = bench.quarantined()
    assert (kept.line, kept.column, kept.value, kept.reason) == (3, *BAD[row])
    assert list(kept.row.values()) == row.split(",")
    [told] = report.rejections
    assert f"1 rejected, {kept.column or 'has'} " in told
    assert f"cases.csv line 3" in told  # noqa: F541
    assert told in bench.last_run().message


def test_all_bad_rows_together_are_summed_by_reason(bench):
    bad = bench.file("cases.csv", GOOD + "\n".join([*BAD, *BAD]) + "\n")
    report = run_source(bench.desk, bench.source(), Asked(file=bad))
    assert (report.read, report.new, report.rejected) == (19, 3, 16)
    assert report.rejections[0].startswith("4 rejected, has more or fewer cells than the header (first: ")
    assert report.rejections[-1] == "4 rejected for 2 other reasons"
    ledger_agrees(bench, report)


def test_an_identical_row_that_comes_twice_is_unchanged(bench):
    twice = bench.file("cases.csv", GOOD + "b,2026-08-17 11:00,,Graffiti,2.50\n")
    report = run_source(bench.desk, bench.source(), Asked(file=twice))
    assert (report.read, counts(report)) == (4, (3, 0, 1, 0, 0))
    ledger_agrees(bench, report)


def test_of_two_rows_that_contradict_each_other_the_last_counts(any_bench):
    bench = any_bench
    text = GOOD + "a,2026-08-17 10:00,,Sinkhole,1\nb,,,again,\nb,,,and again,\n"
    report = run_source(bench.desk, bench.source(), Asked(file=bench.file("cases.csv", text)))
    assert (report.read, counts(report)) == (6, (3, 0, 0, 3, 0))
    assert bench.records()["a"][5] == "Sinkhole"
    assert bench.records()["b"][5] == "and again"
    refused = {(one.line, one.key, one.column, one.reason) for one in bench.quarantined()}
    assert refused == {
        (2, "a", "id", "key stands again at line 5"),
        (3, "b", "id", "key stands again at line 7"),
        (6, "b", "id", "key stands again at line 7"),
    }
    assert next(one for one in bench.quarantined() if one.line == 2).row["topic"] == "Pothole"
    [told] = report.rejections
    assert told.startswith("3 rejected, id key stands again further down, with other values (first: ")


def test_contradictions_between_files_name_both(bench):
    bench.file("1.csv", "id,topic\na,old\n")
    bench.file("2.csv", "id,topic\nz,z\na,new\n")
    report = run_source(bench.desk, bench.source("*.csv"))
    assert bench.records()["a"][5] == "new"
    [one] = bench.quarantined()
    assert one.line == 2
    assert one.reason.startswith("key stands again at line 3 of ")
    assert one.reason.endswith("2.csv")
    assert "1.csv line 2" in report.rejections[0]


def test_text_no_database_keeps_is_quarantined_readably(any_bench):
    bench = any_bench
    report = run_source(
        bench.desk, bench.source(), Asked(file=bench.file("cases.csv", GOOD + "d,,,nul\x00,\n"))
    )
    assert counts(report) == (3, 0, 0, 1, 0)
    [one] = bench.quarantined()
    assert (one.value, one.row["topic"]) == ("nul\\x00", "nul\x00")


def test_a_key_that_no_index_holds_is_quarantined_and_the_longest_that_is_taken_is_kept(any_bench):
    bench, source = any_bench, any_bench.source()
    # What can be packed would fit into an index of PostgreSQL however long it is.
    signs = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(100))
    bench.file("cases.csv", f"id,topic\n{signs[:1000]},kept\n{signs},refused\n")
    for counts in ((1, 0, 1), (0, 1, 1)):
        report = run_source(bench.desk, source)
        assert (report.new, report.unchanged, report.rejected) == counts, report.message
        bench.file("cases.csv", f"id,topic\n{signs[:1000]},kept\n{signs},refused again\n")
    [row] = bench.quarantined()
    assert (row.column, row.reason) == ("id", "is longer than 1000 bytes, and it is the key")


def test_half_a_letter_from_a_portal_is_quarantined_readably(any_bench, ckan):
    bench = any_bench
    ckan.tables["r1"] = Table("r1", [{"id": "a", "topic": "good"}, {"id": "b", "topic": "half \ud800"}])
    portal = replace(CASES, kind="ckan", options={"url": ckan.address, "resources": ["r1"]})
    report = run_source(bench.desk, portal)
    assert counts(report) == (1, 0, 0, 1, 0)
    [one] = bench.quarantined(portal)
    assert (one.value, one.row["topic"]) == ("half \\ud800", "half \\ud800")


# --- bad sources -------------------------------------------------------------------------------------


def broken_files():
    return {
        "wrong encoding": ("1.csv", b"id,topic\na,\x81\n", "the byte 0x81 on line 2 is neither UTF-8 nor"),
        "no key column": ("2.csv", b"nr,topic\na,b\n", "the column id is missing (found: nr, topic)"),
        "truncated gzip": ("3.csv.gz", gzip.compress(GOOD.encode())[:-20], "ends too early"),
        "a web page": ("4.csv", HTML, "is a web page (HTML or XML)"),
        "empty": ("5.csv", b"", "is empty"),
        "absent": ("nowhere.csv", None, "There is no file"),
    }


@pytest.mark.parametrize("fault", broken_files())
def test_a_source_that_cannot_be_read_changes_nothing_but_the_ledger(bench, fault):
    name, content, said = broken_files()[fault]
    run_source(bench.desk, bench.source(), Asked(file=bench.file("good.csv", GOOD)))
    before, known = bench.records(), bench.last_run().known_until
    path = bench.folder / name if content is None else bench.file(name, content)
    report = run_source(bench.desk, bench.source(), Asked(file=path))
    assert report.outcome == "failed"
    assert name in report.message
    assert said in report.message
    assert "\n" not in report.message
    assert report.line() == f"cases: failed: {report.message}"
    run = ledger_agrees(bench, report)
    assert (run.message, run.read, run.known_until, run.cursor) == (report.message, 0, None, None)
    assert bench.records() == before
    with reading(bench.engine) as connection:
        assert runs.knowledge(connection, {"cases": CASES})["cases"].known_until == known


def test_rows_before_the_fault_are_not_kept(bench, monkeypatch):
    """A portal may die after a million rows were staged."""

    class Dying:
        def read(self, source, request):
            def pages():
                yield Page(("id", "opened"), [("a", "")], place="x")
                raise SourceError("the rest did not come")

            return Extract(pages())

    monkeypatch.setattr(registry, "kind", lambda word: Dying())
    report = run_source(bench.desk, CASES)
    assert (report.outcome, report.message) == ("failed", "the rest did not come")
    assert bench.records() == {}


def test_a_mistake_of_the_program_stops_one_source_only(bench, monkeypatch):
    def kind(_word):
        raise ZeroDivisionError("division by\nzero")

    monkeypatch.setattr(registry, "kind", kind)
    report = run_source(bench.desk, CASES)
    assert (
        report.message
        == "The program made a mistake (ZeroDivisionError: division by zero); please report it."
    )
    ledger_agrees(bench, report)


def test_a_run_that_is_stopped_says_so_in_the_ledger_and_stops(bench, monkeypatch):
    def kind(_word):
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "kind", kind)
    with pytest.raises(KeyboardInterrupt):
        run_source(bench.desk, CASES)
    assert bench.last_run().outcome == "interrupted"


@pytest.mark.parametrize("content", ["id\na\n", "<html>"])
def test_a_run_leaves_the_search_for_cycles_as_it_found_it(bench, content):
    bench.file("cases.csv", content)
    for wanted in (False, True):
        (gc.enable if wanted else gc.disable)()
        try:
            run_source(bench.desk, bench.source())
            assert gc.isenabled() == wanted
        finally:
            gc.enable()


def test_a_disk_that_refuses_is_named(bench):
    bench.file("cases.csv", GOOD)
    (bench.folder / "snapshots").write_text("in the way")
    report = run_source(bench.desk, bench.source())
    assert report.outcome == "failed"
    assert str(bench.folder / "snapshots") in report.message


def test_an_unknown_kind_lists_the_known_ones(bench):
    report = run_source(bench.desk, replace(CASES, kind="carrier_pigeon"))
    known = ", ".join(sorted(KINDS))
    assert f"no kind of source 'carrier_pigeon'; write kind = one of: {known}" in report.message


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("repeats", "different rows came of 30"),
        ("drops", "(Cases, rows from 21 on) cannot be reached or broke off"),
        ("html", "answered a web page (HTML), not data"),
        ("refused", "answered success = false"),
        ("throttled", "answered 429 in each of"),
        ("moves", "its number of rows went from"),
    ],
)
def test_a_portal_that_fails_leaves_the_records_as_they_were(bench, ckan, waits, fault, said):
    ckan.tables["r1"] = Table("r1", [{"id": f"c{n}", "topic": "old"} for n in range(30)])
    portal = replace(CASES, kind="ckan", options={"url": ckan.address, "resources": ["r1"], "page_size": 10})
    assert run_source(bench.desk, portal).new == 30
    before = bench.records(portal)
    ckan.tables["r1"] = Table("r1", [{"id": f"c{n}", "topic": "new"} for n in range(30)], hash="new")
    ckan.asked.clear()
    ckan.repeats_from = 20 if fault == "repeats" else None
    if fault in ("drops", "moves"):
        ckan.plays(fault, on=3 if fault == "drops" else 1, times=FOREVER)
    bodies = {"html": Answer(HTML), "refused": Answer(b'{"success": false}'), "throttled": Answer(b"", 429)}
    ckan.next.extend([bodies[fault]] * 20 if fault in bodies else [])
    report = run_source(bench.desk, portal)
    assert report.outcome == "failed"
    assert said in report.message
    assert ckan.address in report.message
    assert bench.records(portal) == before
    ckan.next.clear()
    ckan.repeats_from = None
    ckan.faults.clear()
    ckan.tables["r1"].rows = [{"id": f"c{n}", "topic": "new"} for n in range(30)]
    assert counts(run_source(bench.desk, portal)) == (0, 30, 0, 0, 0)


def test_only_one_run_of_a_source_at_a_time(bench):
    path = bench.file("cases.csv", GOOD)
    run_source(bench.desk, bench.source(), Asked(file=path))
    with (bench.folder / "ingest-cases.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        report = run_source(bench.desk, bench.source(), Asked(file=path))
        assert report.message == "Another run of cases is under way; wait until it has ended."
        assert report.outcome == BUSY
        assert run_source(bench.desk, replace(bench.source(), id="others"), Asked(file=path)).new == 3
    assert run_source(bench.desk, bench.source(), Asked(file=path)).outcome == "succeeded"


def test_no_more_runs_are_under_way_than_may_be_at_once_whatever_their_sources(any_bench, monkeypatch):
    bench = any_bench
    path = bench.file("cases.csv", GOOD)
    desk = replace(bench.desk, runs_at_once=2)
    begun, go_on = threading.Barrier(3, timeout=60), threading.Event()
    real = files.read

    def wait(source, request):
        begun.wait()
        go_on.wait(60)
        return real(source, request)

    monkeypatch.setattr(files, "read", wait)
    with ThreadPoolExecutor() as threads:
        first = [
            threads.submit(run_source, desk, replace(bench.source(), id=name)) for name in ("one", "two")
        ]
        try:
            begun.wait()
            third = run_source(desk, replace(bench.source(), id="three"), Asked(file=path))
            wider, other = replace(desk, runs_at_once=3), replace(bench.source(), id="four")
            more = run_source(wider, other, Asked(file=path))
        finally:
            go_on.set()
        assert [one.result().outcome for one in first] == ["succeeded", "succeeded"]
    said = "2 runs are under way, as many as RUNS_AT_ONCE allows; wait until one has ended."
    assert (third.outcome, third.message) == (BUSY, said)
    assert more.outcome == "succeeded"
    assert run_source(desk, replace(bench.source(), id="three"), Asked(file=path)).outcome == "succeeded"


def test_only_one_run_of_a_source_at_a_time_on_all_machines_of_a_postgresql(any_bench, tmp_path):
    """Machines that share a database share no lock files."""
    bench = any_bench
    path = bench.file("cases.csv", GOOD)
    elsewhere = replace(bench.desk, snapshots=tmp_path / "elsewhere" / "snapshots")
    with runs.turn(bench.engine, "cases"):
        report = run_source(elsewhere, bench.source(), Asked(file=path))
        assert report.outcome == (BUSY if bench.engine.dialect.name == "postgresql" else "succeeded")
        assert run_source(elsewhere, replace(bench.source(), id="others"), Asked(file=path)).new == 3
    assert run_source(elsewhere, bench.source(), Asked(file=path)).outcome == "succeeded"


def test_a_run_that_was_taken_over_keeps_nothing_and_says_so(bench, monkeypatch):
    """Its lock was lost with its connection, another run began, and then it wants to go on."""
    path = bench.file("cases.csv", GOOD)
    run_source(bench.desk, bench.source(), Asked(file=path))
    before = bench.records(bench.source())
    real = run_module._open

    def meanwhile(*given):
        runs.start(bench.engine, bench.clock, "cases", "another")
        return real(*given)

    monkeypatch.setattr(run_module, "_open", meanwhile)
    changed = bench.file("changed.csv", GOOD.replace("Pothole", "Sign"))
    report = run_source(bench.desk, bench.source(), Asked(file=changed))
    assert report.outcome == "failed" and "taken over by another" in report.message
    assert bench.records(bench.source()) == before


def test_what_a_killed_run_left_on_the_disk_is_gone_after_the_next(bench):
    path = bench.file("cases.csv", GOOD)
    left, of_another = bench.folder / "ingest-cases-x1", bench.folder / "ingest-cases_2-x1"
    for folder in (left, of_another):
        folder.mkdir()
        (folder / "page").write_text("1")
    run_source(bench.desk, bench.source(), Asked(file=path))
    assert [one for one in bench.folder.glob("ingest-*") if one.is_dir()] == [of_another]


def test_a_clock_before_the_last_writing_is_refused_in_one_line(bench):
    path = bench.file("cases.csv", GOOD)
    run_source(bench.desk, bench.source(), Asked(file=path))
    before = bench.records()
    bench.hand.now = NOW - timedelta(days=400)
    report = run_source(bench.desk, bench.source(), Asked(file=path))
    assert report.outcome == "failed"
    assert "This machine's clock says 2025-07-14" in report.message
    assert "set the clock right and try again" in report.message
    assert bench.records() == before


def test_a_database_of_another_city_is_refused(bench):
    with pytest.raises(StoreError, match="belongs to the city test, not to other; set CITY"):
        migrate(bench.engine, replace(bench.desk.city, id="other"), bench.clock)


# --- how far a source is known -----------------------------------------------------------------------


def known_until(bench, *more, source=None, asked=None, name="cases.csv"):
    text = "\n".join([HEADER, *more]) + "\n"
    return run_source(
        bench.desk, source or bench.source(), asked or Asked(file=bench.file(name, text))
    ).known_until


def test_a_file_is_known_until_its_newest_arrival_and_the_quiet_time(bench):
    found = known_until(bench, "a,2026-08-17 10:00,,,", "b,2026-08-16 10:00,,,")
    assert found == datetime(2026, 8, 17, 15, 0, tzinfo=UTC)


def test_a_source_is_never_known_beyond_the_start_of_its_run(bench):
    """09:00 is the time of the run; an arrival at 08:30 and an hour of quiet would reach 09:30."""
    found = known_until(bench, "a,2026-08-18 04:30,,,")
    assert NOW < found < NOW + timedelta(minutes=1)


def test_an_arrival_in_the_future_says_nothing(bench):
    assert known_until(bench, "a,2026-08-17 10:00,,,", "b,2199-01-01 00:00,,,").day == 17


def test_an_older_file_takes_no_knowledge_away(bench):
    newest = known_until(bench, "a,2026-08-17 10:00,,,")
    assert known_until(bench, "b,2026-08-01 10:00,,,") == newest


def test_a_file_of_which_no_row_could_be_used_tells_nothing(bench):
    first = known_until(bench, "a,2026-08-16 10:00,,,")
    assert known_until(bench, "b,2026-08-17 10:00,,,many") == first


def test_a_source_without_arrivals_is_not_known_from_a_file(bench):
    assert known_until(bench, "a,2026-08-17 10:00,,,", source=replace(bench.source(), arrival=None)) is None


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("2026-08-18T05:00:00", datetime(2026, 8, 18, 5, tzinfo=UTC)),
        ("2026-08-19T05:00:00", None),
        (None, datetime(2026, 8, 17, 15, tzinfo=UTC)),
    ],
)
def test_a_portal_is_known_until_it_says_but_not_beyond_the_run(bench, ckan, said, known):
    ckan.tables["r1"] = Table("r1", [{"id": "a", "opened": "2026-08-17T10:00:00"}], last_modified=said)
    portal = replace(CASES, kind="ckan", options={"url": ckan.address, "resources": ["r1"]})
    found = run_source(bench.desk, portal).known_until
    if known is None:
        assert NOW < found < NOW + timedelta(minutes=1)
    else:
        assert found == known


def test_an_unchanged_portal_that_says_it_is_fresh_is_known_further(bench, ckan):
    table = Table("r1", [{"id": "a"}], last_modified="2026-08-18T05:00:00")
    ckan.tables["r1"] = table
    portal = replace(CASES, kind="ckan", options={"url": ckan.address, "resources": ["r1"]})
    run_source(bench.desk, portal)
    report = run_source(bench.desk, portal)
    assert (report.outcome, report.known_until) == ("unchanged", datetime(2026, 8, 18, 5, tzinfo=UTC))
    assert bench.last_run(portal).known_until == report.known_until


# --- ranges, files in place of sources, withdrawals --------------------------------------------------


def test_a_range_reads_its_days_and_leaves_the_memory_of_the_source_alone(bench):
    bench.file("cases.csv", GOOD)
    run_source(bench.desk, bench.source())
    before = bench.last_run()
    bench.file("cases.csv", GOOD + "d,2026-08-16 12:00,,,\ne,2026-08-17 13:00,,,\nf,2026-08-18 01:00,,,\n")
    report = run_source(bench.desk, bench.source(), Asked(date(2026, 8, 17), date(2026, 8, 17)))
    assert (report.read, counts(report)) == (3, (1, 0, 2, 0, 0))
    assert set(bench.records()) == {"a", "b", "c", "e"}
    after = bench.last_run()
    assert (after.cursor, after.known_until) == (before.cursor, before.known_until)
    assert counts(run_source(bench.desk, bench.source())) == (2, 0, 4, 0, 0)


def test_a_range_reads_a_source_that_did_not_change(bench):
    bench.file("cases.csv", GOOD)
    run_source(bench.desk, bench.source())
    report = run_source(bench.desk, bench.source(), Asked(since=date(2026, 8, 17)))
    assert (report.outcome, report.read) == ("succeeded", 2)


def test_a_file_in_place_of_a_source_leaves_its_cursor_alone(bench, ckan):
    ckan.tables["r1"] = Table("r1", [{"id": "a", "topic": "x"}])
    portal = replace(CASES, kind="ckan", options={"url": ckan.address, "resources": ["r1"]})
    run_source(bench.desk, portal)
    run_source(bench.desk, portal, Asked(file=bench.file("b.csv", "id,topic\nb,y\n")))
    assert set(bench.records(portal)) == {"a", "b"}
    assert run_source(bench.desk, portal).outcome == "unchanged"


def whole(bench):
    return bench.source(whole=True)


def test_a_record_that_left_a_whole_source_is_withdrawn_and_may_come_back(any_bench):
    bench = any_bench
    bench.file("cases.csv", GOOD)
    run_source(bench.desk, whole(bench))
    bench.file("cases.csv", "\n".join(GOOD.splitlines()[:3]))
    report = run_source(bench.desk, whole(bench))
    assert counts(report) == (0, 0, 2, 0, 1)
    assert report.line() == "cases: 0 new, 0 changed, 2 unchanged, 0 rejected, 1 withdrawn"
    assert set(bench.records()) == {"a", "b"}
    bench.file("cases.csv", GOOD)
    assert counts(run_source(bench.desk, whole(bench))) == (0, 1, 2, 0, 0)
    assert set(bench.records()) == {"a", "b", "c"}


def test_a_source_not_declared_whole_withdraws_nothing(bench):
    bench.file("cases.csv", GOOD)
    run_source(bench.desk, bench.source())
    bench.file("cases.csv", "\n".join(GOOD.splitlines()[:3]))
    assert counts(run_source(bench.desk, bench.source())) == (0, 0, 2, 0, 0)


def test_a_file_that_lost_most_of_its_rows_withdraws_none(bench):
    bench.file("cases.csv", GOOD)
    run_source(bench.desk, whole(bench))
    bench.file("cases.csv", "\n".join(GOOD.splitlines()[:2]))
    report = run_source(bench.desk, whole(bench))
    assert report.withdrawn == 0
    assert "2 records are no longer at the source; so many are not withdrawn" in report.message


def test_a_record_whose_row_is_refused_today_is_not_withdrawn(bench):
    bench.file("cases.csv", GOOD)
    run_source(bench.desk, whole(bench))
    bench.file("cases.csv", GOOD.replace("c,2026-08-16 09:00", "c,2026-02-30 09:00"))
    assert counts(run_source(bench.desk, whole(bench))) == (0, 0, 2, 1, 0)
    bench.file("cases.csv", GOOD.replace("c,2026-08-16 09:00", ",2026-08-16 09:00"))
    report = run_source(bench.desk, whole(bench))
    assert counts(report) == (0, 0, 2, 1, 0)
    assert "nothing was withdrawn, as some refused rows have no key" in report.message


def test_dated_columns_are_what_metrics_count_by():
    source = Source(
        "cases", "", "file", "id", (Column("opened", "instant"), Column("due", "day"), Column("id", "text"))
    )
    one = metric("one", source="cases", date="due")
    stock = metric("stock", source="cases", date="opened", until="due")
    other = metric("other", source="elsewhere", date="opened")
    assert records.dated_columns(catalogue(one), source) == ("due",)
    assert records.dated_columns(catalogue(one, stock), source) == ("due", "opened")
    assert records.dated_columns(catalogue(other), source) == ()


# --- any dirt ----------------------------------------------------------------------------------------

dirty_cells = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            "a",
            "b",
            "c",
            "",
            "2026-08-17 10:00",
            "2026-02-30 10:00",
            "2026-08-17",
            "1e999",
            "nan",
            '"',
            "\x00",
            "\n",
            ",",
        ]
    ),
)
dirty_files = st.one_of(
    st.lists(st.lists(dirty_cells, min_size=1, max_size=6), max_size=8).map(
        lambda rows: "\n".join([HEADER, *(",".join(row) for row in rows)]).encode("utf-8", "surrogatepass")
    ),
    st.lists(st.binary(max_size=30), max_size=6).map(lambda lines: b"\n".join([HEADER.encode(), *lines])),
    st.binary(max_size=60),
    st.binary(max_size=60).map(gzip.compress),
    st.binary(min_size=1, max_size=40).map(lambda noise: gzip.compress(GOOD.encode())[: -len(noise)] + noise),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(dirty_files, min_size=1, max_size=2))
def test_dirt_never_breaks_out_of_a_run_and_every_row_is_accounted_for(bench: Bench, contents: list[bytes]):
    for content in contents:
        before = bench.records()
        report = run_source(bench.desk, bench.source(), Asked(file=bench.file("dirty.csv", content)))
        assert report.outcome in ("succeeded", "failed"), report.message
        assert not report.message.startswith("The program made a mistake"), report.message
        assert report.read == report.new + report.changed + report.unchanged + report.rejected
        ledger_agrees(bench, report)
        if report.outcome == "failed":
            assert bench.records() == before
        else:
            assert len(bench.records()) == len(before) + report.new
            again = run_source(bench.desk, bench.source(), Asked(file=bench.folder / "dirty.csv"))
            assert (again.read, again.new, again.changed) == (report.read, 0, 0)


def test_what_the_ledger_keeps_of_a_run_is_json_the_next_one_understands(bench):
    bench.file("cases.csv", GOOD)
    run_source(bench.desk, bench.source())
    assert set(json.loads(bench.last_run().cursor)) == {"definition", "cursor", "swept", "sizes"}
