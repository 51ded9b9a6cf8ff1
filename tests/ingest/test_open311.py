"""Requests come whole from servers that give no more than they like, and closings come however late."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

import settings
from ingest.contract import ReadRequest, SourceError
from ingest.run import Asked, run_source
from ingest.sources import open311 as kind
from metrics.model import Column
from tests.ingest.conftest import CASES, CITY, NOW
from tests.ingest.stand_ins.frame import FOREVER, Answer, serving
from tests.ingest.stand_ins.open311 import ID, Open311

COUNT = 90


def opened(number: int) -> str:
    """A request every four hours, up to the day before the run."""
    return (datetime(2026, 8, 2, 6, tzinfo=NOW.tzinfo) + timedelta(hours=4 * number)).isoformat()


@pytest.fixture
def server():
    """A server with 90 requests that gives 20 at a time."""
    with serving(Open311(cap=20)) as made:
        for number in range(COUNT):
            made.put(f"r{number:03}", opened(number))
        yield made


@pytest.fixture(params=["json", "xml"])
def source(request, server):
    """The requests of that server, in either form."""
    return of(server, format=request.param)


@pytest.fixture
def plain(server):
    """The requests of that server in JSON."""
    return of(server)


def of(server, **options):
    columns = (
        Column("id", "text", aliases=(ID,), required=True),
        Column("opened", "instant", aliases=("requested_datetime",)),
        Column("closed", "instant", aliases=("closed_datetime",)),
        Column("topic", "text", aliases=("service_name",)),
        Column("status", "text"),
    )
    options = {"url": f"{server.address}/open311/v2", **options}
    begins = date(2026, 7, 1)
    return replace(CASES, kind="open311", columns=columns, closed="closed", begins=begins, options=options)


def begin(source, tmp_path, cursor=None, **more):
    request = ReadRequest(CITY, NOW, cursor=cursor, work=tmp_path, secret=settings.secret, **more)
    return kind.read(source, request)


def keys(extract):
    return [row[page.columns.index(ID)] for page in extract.pages for row in page.rows]


def everything():
    return [f"r{number:03}" for number in range(COUNT)]


def test_a_capped_server_gives_everything_in_shorter_spans(source, server, tmp_path):
    assert sorted(keys(begin(source, tmp_path))) == everything()
    spans = [(page["start_date"], page["end_date"]) for page in server.pages()]
    assert spans[0] == ("2026-06-30T00:00:00Z", "2026-07-07T00:00:00Z")
    assert max(len(stamp) for span in spans for stamp in span) == len("2026-06-30T00:00:00Z")
    assert len(spans) < 60


def test_a_cap_that_is_told_saves_asking_twice(plain, server, tmp_path):
    begin(plain, tmp_path)
    unknown = len(server.pages())
    server.asked.clear()
    told = replace(plain, options={**plain.options, "cap": 20})
    assert sorted(keys(begin(told, tmp_path))) == everything()
    assert len(server.pages()) <= unknown


def test_spans_grow_where_little_comes(plain, server, tmp_path):
    begin(replace(plain, begins=date(2016, 1, 1)), tmp_path)
    lengths = [
        datetime.fromisoformat(page["end_date"]) - datetime.fromisoformat(page["start_date"])
        for page in server.pages()
    ]
    assert max(lengths) == timedelta(days=90)
    assert len(lengths) < 120


def test_a_server_that_gives_much_is_asked_seldom(plain, server, tmp_path):
    server.cap = 1000
    assert sorted(keys(begin(plain, tmp_path))) == everything()
    assert len(server.pages()) < 25


def test_both_forms_give_the_same_columns(source, server, tmp_path):
    server.put("r000", opened(0), opened(3), status="Closed", lat=42.36, note="é & <b>")
    pages = list(begin(source, tmp_path).pages)
    rows = {row[0]: dict(zip(page.columns, row, strict=True)) for page in pages for row in page.rows}
    row = rows["r000"]
    assert (row["lat"], row["note"], row["jurisdiction_id"]) == ("42.36", "é & <b>", None)
    assert row["closed_datetime"] == row["updated_datetime"]
    assert rows["r001"]["closed_datetime"] is None


def test_requests_of_one_moment_are_turned_page_by_page(plain, server, tmp_path):
    """Bloomington dropped the time of day; past the last page the last page comes again."""
    for number in range(55):
        server.put(f"m{number:03}", "2026-08-05T00:00:00Z")
    server.pages_known = True
    paged = replace(plain, options={**plain.options, "page_size": 20})
    assert len(keys(begin(paged, tmp_path))) == COUNT + 55
    with pytest.raises(
        SourceError, match=r"gave 20 requests of one moment and never more of any time; say how"
    ):
        begin(plain, tmp_path)
    told = replace(plain, options={**plain.options, "cap": 20})
    with pytest.raises(SourceError, match="has 20 requests or more of one moment"):
        begin(told, tmp_path)


def test_requests_of_one_moment_are_believed_of_a_server_that_gives_more(plain, server, tmp_path):
    server.cap = 60
    for number in range(40):
        server.put(f"m{number:03}", "2026-08-05T00:00:00Z")
        server.put(f"n{number:03}", f"2026-08-05T12:00:{number:02}Z")
    assert len(keys(begin(plain, tmp_path))) == COUNT + 80


def test_the_next_reading_asks_for_the_overlap_and_for_open_ids_before_it(plain, server, bench):
    server.put("old", "2026-07-02T10:00:00Z")
    source = replace(plain, options={**plain.options, "overlap_days": 2})
    run_source(bench.desk, source)
    server.asked.clear()
    server.put("old", "2026-07-02T10:00:00Z", "2026-08-18T08:00:00Z", status="closed")
    server.put("r003", opened(3), "2026-08-18T08:00:00Z", status="closed")
    report = run_source(bench.desk, source)
    assert (report.new, report.changed) == (0, 2)
    assert bench.records(source)["old"][3] == "2026-08-18T08:00:00.000000Z"
    first = server.pages()[0]["start_date"]
    assert first.startswith("2026-08-16T09:00"), first
    ids = [page[ID] for page in server.pages() if ID in page]
    assert max(len(one.split(",")) for one in ids) == 25
    assert not any("r089" in one for one in ids), "it came with the span"


def test_a_server_without_lists_is_asked_for_one_id_after_the_other(plain, server, bench, waits):
    server.lists = False
    source = replace(plain, options={**plain.options, "overlap_days": 14})
    run_source(bench.desk, source)
    server.put("r001", opened(1), "2026-08-18T08:00:00Z", status="closed")
    del server.requests["r002"]
    server.bad = {"r003"}
    report = run_source(bench.desk, source)
    assert (report.outcome, report.changed, report.withdrawn) == ("succeeded", 1, 0)
    assert "the server breaks off (500) on request r003; nothing was read there" in report.message
    assert "1 open requests are no longer there, r002 the first" in report.message


def test_a_server_that_knows_updates_is_asked_for_those(plain, server, bench):
    server.updates = True
    source = replace(plain, options={**plain.options, "updated_after": True})
    run_source(bench.desk, source)
    server.asked.clear()
    server.put("r003", opened(3), "2026-08-18T08:00:00Z", status="closed")
    assert run_source(bench.desk, source).changed == 1
    assert all("updated_after" in page for page in server.pages())


def test_a_server_that_keeps_everything_tells_what_is_gone(plain, server, bench):
    source = replace(plain, options={**plain.options, "whole": True})
    run_source(bench.desk, source)
    del server.requests["r002"]
    assert run_source(bench.desk, source, Asked(sweep=True)).withdrawn == 1
    assert run_source(bench.desk, plain, Asked(sweep=True)).withdrawn == 0


def test_days_asked_for_are_the_span(plain, server, tmp_path):
    day = date(2026, 8, 5)
    assert keys(begin(plain, tmp_path, since=day, until=day))
    assert {page["start_date"][:10] for page in server.pages()} <= {
        f"2026-08-0{number}" for number in range(4, 8)
    }


def test_one_state_and_then_the_next_is_the_next_alone(any_bench, plain, server):
    bench = any_bench
    run_source(bench.desk, plain)
    server.put("r002", opened(2), "2026-08-17T12:00:00Z", status="closed")
    server.put("new", "2026-08-17T13:00:00Z")
    run_source(bench.desk, plain)
    alone = replace(plain, id="alone")
    run_source(bench.desk, alone)
    assert bench.records(plain) == bench.records(alone)
    assert len(bench.records(plain)) == COUNT + 1


# --- faults ----------------------------------------------------------------------------------------------

PASSING = ["202", "429", "429, wait", "500", "503", "drops", "slow"]


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_changes_nothing_in_the_records(bench, plain, server, waits, fault):
    server.plays(fault, on=6)
    report = run_source(bench.desk, plain)
    assert (report.outcome, report.new, report.rejected) == ("succeeded", COUNT, 0), report.message


LASTING = {
    "500": "answered 500 in each of 6 attempts",
    "503": "answered 503 in each of 6 attempts",
    "drops": "cannot be reached or broke off",
    "html": "answered a web page (HTML), not data",
    "refuses": "answered an error: 400",
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_leaves_everything_as_it_was(bench, source, server, waits, fault):
    run_source(bench.desk, source)
    before = bench.records(source)
    server.put("r002", opened(2), "2026-08-17T12:00:00Z", status="closed")
    server.asked.clear()
    server.plays(fault, on=3, times=FOREVER)
    report = run_source(bench.desk, source)
    assert (report.outcome, LASTING[fault] in report.message) == ("failed", True), report.message
    assert bench.records(source) == before
    server.faults.clear()
    assert run_source(bench.desk, source).changed == 1


def test_a_record_that_breaks_the_server_costs_itself_alone(bench, plain, server, waits):
    server.bad = {"r040"}
    source = replace(plain, options={**plain.options, "whole": True})
    report = run_source(bench.desk, source)
    assert (report.outcome, report.new) == ("succeeded", COUNT - 1)
    assert "the server breaks off (500) on 2026-08-08T" in report.message
    server.bad = set()
    assert run_source(bench.desk, source).new == 1


def test_a_server_that_breaks_on_many_records_is_not_believed(bench, plain, server, waits):
    server.bad = {f"r{number:03}" for number in range(30, 60)}
    assert run_source(bench.desk, plain).outcome == "failed"


def test_a_refusal_shows_what_the_server_says(plain, server, tmp_path):
    wrong = replace(plain, options={**plain.options, "url": f"{server.address}/other"})
    body = b'[{"code": 404, "description": "jurisdiction_id provided was not found"}]'
    server.plain["/other/requests.json"] = Answer(body, 404)
    with pytest.raises(
        SourceError, match=r"answered 404 Not Found: .*jurisdiction_id provided was not found"
    ):
        begin(wrong, tmp_path)


def test_a_key_goes_with_every_question_and_into_no_message(plain, server, tmp_path, monkeypatch, waits):
    monkeypatch.setenv("CITY_311_KEY", "hunter2")
    source = replace(plain, options={**plain.options, "api_key": "CITY_311_KEY", "jurisdiction": "here.gov"})
    extract = begin(source, tmp_path)
    assert {(page["api_key"], page["jurisdiction_id"]) for page in server.pages()} == {
        ("hunter2", "here.gov")
    }
    [page, *_] = extract.pages
    assert page.rows[0][page.columns.index("jurisdiction_id")] == "here.gov"
    server.plays("503", times=FOREVER)
    with pytest.raises(SourceError) as told:
        begin(source, tmp_path)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"begins": None}, "write begins = 2020-01-01"), ({"key": "topic"}, f"the key of this kind is {ID}")],
)
def test_what_a_source_lacks_is_told(plain, tmp_path, change, said):
    with pytest.raises(SourceError, match=said):
        begin(replace(plain, **change), tmp_path)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<service_requests><request>", "answered XML that is broken"),
        (b"<!DOCTYPE html><html></html>", "answered a web page"),
        (b"<a>" + b" " * 1000 + b"</a><!DOCTYPE a>", "answered XML that is broken"),
        (b"<!--%b--><!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>" % (b"x" * 1000), "declares a document type"),
        (b"<report>busy</report>", "answered no requests: busy"),
        (b'{"error": {"message": "busy"}}', "answered no requests: busy"),
        (b"[1]", "answered no requests"),
    ],
)
def test_what_is_no_answer_is_told(plain, server, tmp_path, body, said):
    server.next.append(Answer(body))
    with pytest.raises(SourceError, match=said):
        begin(plain, tmp_path)
