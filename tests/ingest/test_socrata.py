"""A dataset is read in step with its changes, whatever the portal does on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

import settings
from ingest.contract import ReadRequest, SourceError
from ingest.run import Asked, run_source
from ingest.sources import socrata as kind
from metrics.model import City, Column
from tests.ingest.conftest import CASES
from tests.ingest.stand_ins.frame import FAULTS, FOREVER, serving
from tests.ingest.stand_ins.socrata import DATASET, FIRST, LATER, Socrata

COUNT = 45
CITY = City(id="test", name="Testville", time_zone="America/New_York")


def row(number: int, **more: str | None) -> dict[str, str | None]:
    return {
        "id": f"c{number:02}",
        "opened": "2026-08-16T10:00:00.000",
        "closed": None,
        "topic": "Pothole",
        **more,
    }


@pytest.fixture
def portal(monkeypatch):
    """A dataset of 45 cases, read 10 at a time."""
    monkeypatch.setenv("SOCRATA_APP_TOKEN", "a-token")
    with serving(Socrata()) as made:
        made.rows.fill([row(number) for number in range(COUNT)], FIRST)
        yield made


@pytest.fixture(params=["2.1", "3"])
def source(request, portal):
    """The cases of that portal in either version of the protocol."""
    options = {"url": portal.address, "dataset": DATASET, "version": request.param, "page_size": 10}
    return replace(CASES, kind="socrata", closed="closed", options=options)


def begin(source, tmp_path, cursor=None, **more):
    request = ReadRequest(
        CITY, datetime(2026, 8, 18, tzinfo=UTC), cursor=cursor, work=tmp_path, secret=settings.secret, **more
    )
    return kind.read(source, request)


def keys(extract):
    return [row[page.columns.index("id")] for page in extract.pages for row in page.rows]


def test_every_row_comes_once_each_page_after_the_row_before(source, portal, tmp_path):
    extract = begin(source, tmp_path)
    assert keys(extract) == [f"c{number:02}" for number in range(COUNT)]
    pages = portal.pages()
    assert len(pages) == 6
    assert {(page["select"], page["order"], page["limit"]) for page in pages} == {(":*, *", ":id", "10")}
    assert ":id > 'row-000010'" in pages[1]["where"]
    assert extract.updated_at == datetime.fromtimestamp(portal.changed, UTC)
    assert extract.sizes == {DATASET: COUNT}


def test_the_next_reading_asks_for_what_was_marked_since_with_an_overlap(source, portal, tmp_path):
    first = begin(source, tmp_path)
    portal.asked.clear()
    portal.rows.put(row(7, closed="2026-08-17T12:00:00.000"), LATER)
    portal.rows.put(row(99), LATER)
    second = begin(source, tmp_path, first.cursor)
    assert set(keys(second)) >= {"c07", "c99"}
    page = portal.pages()[0]
    assert page["order"] == ":updated_at, :id"
    assert page["where"] == f":updated_at >= '2026-08-14T05:00:00.000Z' AND :updated_at <= '{LATER}'"
    assert second.sizes == {}
    third = begin(source, tmp_path, second.cursor)
    assert third.unchanged
    assert begin(source, tmp_path, second.cursor, sweep=True).ids is not None


def test_a_row_before_the_overlap_does_not_come_again(source, portal, tmp_path):
    cursor = begin(source, tmp_path).cursor
    portal.rows.put(row(1, topic="Sign"), "2026-08-21T05:00:00.000Z")
    extract = begin(source, tmp_path, cursor)
    again = begin(source, tmp_path, extract.cursor, sweep=True)
    assert keys(again) == ["c01"]


def test_rows_of_one_mark_are_told_apart_by_their_id(source, portal, tmp_path):
    """A portal marks all rows of an upload at once, more of them than a page holds."""
    cursor = begin(source, tmp_path).cursor
    portal.rows.fill([row(number, topic="Sign") for number in range(35)], LATER)
    extract = begin(source, tmp_path, cursor)
    found = keys(extract)
    assert len(found) == len(set(found)) == COUNT


def test_a_portal_that_caps_its_pages_is_read_by_what_comes(source, portal, tmp_path):
    portal.cap = 7
    assert len(keys(begin(source, tmp_path))) == COUNT


def test_an_empty_dataset_is_no_mistake(source, portal, tmp_path):
    for number in range(COUNT):
        portal.rows.take(f"c{number:02}")
    extract = begin(source, tmp_path)
    assert keys(extract) == []
    assert begin(source, tmp_path, extract.cursor).unchanged


def test_a_column_that_is_empty_everywhere_is_there_all_the_same(source, portal, tmp_path):
    """A portal leaves nulls out of its rows."""
    [page, *_] = begin(source, tmp_path).pages
    assert page.columns == ("id", "opened", "closed", "topic")


def test_system_columns_come_only_when_they_are_declared(source, portal, tmp_path):
    updated = Column("touched", "instant", aliases=(":updated_at",))
    source = replace(source, columns=(*source.columns, updated), modified="touched")
    extract = begin(source, tmp_path)
    [page, *_] = extract.pages
    assert ":updated_at" in page.columns and ":id" not in page.columns


def test_a_column_of_the_publisher_may_be_the_mark(source, portal, tmp_path):
    source = replace(source, modified="closed")
    assert len(keys(begin(source, tmp_path))) == COUNT, "rows without the mark are read too"
    portal.rows.put(row(3, closed="2026-08-17T12:00:00.000"), FIRST)
    cursor = begin(source, tmp_path).cursor
    portal.rows.put(row(4, closed="2026-08-17T13:00:00.000"), FIRST)
    assert keys(begin(source, tmp_path, cursor)) == ["c03", "c04"]


def test_a_mark_far_ahead_keeps_no_later_change_away(source, portal, tmp_path):
    source = replace(source, modified="closed")
    portal.rows.put(row(3, closed="2099-01-01T00:00:00.000"), FIRST)
    portal.rows.put(row(4, closed="2026-08-16T12:00:00.000"), FIRST)
    first = begin(source, tmp_path)
    assert len(keys(first)) == COUNT
    portal.rows.put(row(5, closed="2026-08-17T13:00:00.000"), FIRST)
    later = begin(source, tmp_path, first.cursor)
    assert keys(later) == ["c04", "c05", "c03"]
    assert json.loads(later.cursor)["newest"] == "2026-08-17T13:00:00.000"


def test_points_come_as_two_columns(source, portal, tmp_path):
    body = b'[{":id": "1", "id": "a", "where": {"type": "Point", "coordinates": [-71.06, 42.36]}}]'
    rows = [kind._with_places(one) for one in kind._rows(body, "x")]
    assert (rows[0]["where.longitude"], rows[0]["where.latitude"]) == ("-71.06", "42.36")


def test_days_asked_for_narrow_the_question(source, portal, tmp_path):
    begin(source, tmp_path, since=date(2026, 8, 16), until=date(2026, 8, 17))
    assert "opened >= '2026-08-15T00:00:00' AND opened < '2026-08-19T00:00:00'" in portal.pages()[0]["where"]


def test_a_filter_belongs_to_every_question(source, portal, tmp_path):
    portal.rows.put(row(50, topic="Litter"), FIRST)
    source = replace(source, options={**source.options, "where": "topic = 'Litter' OR topic = 'Sign'"})
    extract = begin(source, tmp_path, sweep=True)
    assert keys(extract) == ["c50"]
    assert list(extract.ids()) == ["c50"]


def test_the_token_goes_in_a_header_and_version_3_needs_one(source, portal, tmp_path, monkeypatch):
    begin(source, tmp_path)
    assert {asked.headers["X-App-Token"] for asked in portal.asked} == {"a-token"}
    monkeypatch.delenv("SOCRATA_APP_TOKEN")
    if source.options["version"] == "2.1":
        portal.asked.clear()
        begin(source, tmp_path)
        assert not any("X-App-Token" in asked.headers for asked in portal.asked)
    else:
        with pytest.raises(SourceError, match="set SOCRATA_APP_TOKEN in the environment"):
            begin(source, tmp_path)


def test_a_token_may_be_in_a_file(bench, source, portal, tmp_path, monkeypatch):
    monkeypatch.delenv("SOCRATA_APP_TOKEN")
    (tmp_path / "token").write_text("a-token\n")
    monkeypatch.setenv("SOCRATA_APP_TOKEN_FILE", str(tmp_path / "token"))
    begin(source, tmp_path)
    assert portal.asked[-1].headers["X-App-Token"] == "a-token"
    monkeypatch.setenv("SOCRATA_APP_TOKEN_FILE", str(tmp_path / "nowhere"))
    said = run_source(bench.desk, source).message
    assert said == f"SOCRATA_APP_TOKEN_FILE names {tmp_path}/nowhere, which cannot be read; correct it."


# --- faults ------------------------------------------------------------------------------------------

PASSING = sorted(set(FAULTS) - {"html"})


@pytest.mark.parametrize("fault", [*PASSING, "unordered", "moves", "repeats"])
def test_a_fault_that_passes_changes_nothing_in_the_records(bench, portal, source, waits, fault):
    portal.plays(fault, on=2)
    report = run_source(bench.desk, source)
    assert (report.outcome, report.new, report.rejected) == ("succeeded", COUNT, 0), report.message
    assert set(bench.records(source)) == {f"c{number:02}" for number in range(COUNT)}


LASTING = {
    **dict.fromkeys(("429", "500", "503", "202"), "in each of 6 attempts"),
    "drops": "cannot be reached or broke off",
    "html": "answered a web page (HTML), not data",
    "refuses": "answered no rows: Internal error",
    "repeats": "different rows came of 145, in each of 2 readings",
    "unordered": "different rows came of 145, in each of 2 readings",
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_leaves_everything_as_it_was(bench, portal, source, waits, fault):
    assert run_source(bench.desk, source).new == COUNT
    before, cursor = bench.records(source), bench.last_run(source).cursor
    portal.rows.fill([row(number, topic="Sign") for number in range(145)], LATER)
    portal.asked.clear()
    portal.plays(fault, on=2, times=FOREVER)
    report = run_source(bench.desk, source)
    assert report.outcome == "failed"
    assert LASTING[fault] in report.message
    assert bench.records(source) == before
    portal.faults.clear()
    assert (counts := run_source(bench.desk, source)).new == 100, counts.message
    assert counts.changed == COUNT
    assert bench.last_run(source).cursor != cursor


def test_a_row_that_moves_while_it_is_read_comes_with_the_next_reading(bench, portal, source):
    portal.plays("moves", on=1, times=3)
    run_source(bench.desk, source)
    report = run_source(bench.desk, source)
    assert (report.outcome, report.rejected) == ("succeeded", 0)
    assert len(bench.records(source)) == COUNT


# --- in step with the portal ---------------------------------------------------------------------------


def test_one_state_and_then_the_next_is_the_next_alone(any_bench, portal, source):
    """Late closings, new rows, rows that vanish, and an id that is given again."""
    bench = any_bench
    run_source(bench.desk, source)
    portal.rows.put(row(2, closed="2026-08-17T12:00:00.000"), LATER)
    portal.rows.put(row(60), LATER)
    portal.rows.take("c05")
    portal.rows.take("c06")
    report = run_source(bench.desk, source, Asked(sweep=True))
    assert (report.new, report.changed, report.withdrawn) == (1, 1, 2)
    portal.rows.put(row(6, topic="Sign"), "2026-08-19T05:00:00.000Z")
    assert run_source(bench.desk, source).changed == 1
    alone = replace(source, id="alone")
    run_source(bench.desk, alone)
    assert bench.records(source) == bench.records(alone)
    assert len(bench.records(source)) == COUNT


def test_a_sweep_that_does_not_get_every_id_withdraws_nothing(bench, portal, source):
    run_source(bench.desk, source)
    portal.plays("repeats", on=len(portal.pages()) + 8, times=FOREVER)
    portal.rows.put(row(1, topic="Sign"), "2026-08-21T05:00:00.000Z")
    report = run_source(bench.desk, source, Asked(sweep=True))
    assert (report.outcome, report.withdrawn) == ("succeeded", 0)
    assert "ids of 45; try again later" in report.message


def test_the_same_rows_by_portal_and_by_file_are_the_same_records(bench, portal, source):
    lines = [f"c{number:02},2026-08-16T10:00:00.000,,Pothole,\n" for number in range(COUNT)]
    path = bench.file("cases.csv", "id,opened,closed,topic,amount\n" + "".join(lines))
    run_source(bench.desk, source)
    report = run_source(bench.desk, source, Asked(file=path))
    assert (report.new, report.changed, report.unchanged) == (0, 0, COUNT)
