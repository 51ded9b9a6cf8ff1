"""A layer is read by its object ids, whatever the server says of limits or forgets on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

import settings
from ingest.contract import ReadRequest, SourceError
from ingest.run import Asked, run_source
from ingest.sources import arcgis as kind
from ingest.sources.domains import Domains
from metrics.model import City
from tests.ingest.conftest import CASES
from tests.ingest.stand_ins.arcgis import FIRST, LATER, LAYER, ArcGis
from tests.ingest.stand_ins.frame import FAULTS, FOREVER, serving

COUNT = 45
CITY = City(id="test", name="Testville", time_zone="America/New_York")
OPENED = 1_785_900_000_000
CLOSED = 1_785_990_000_000


def row(number: int, **more: object) -> dict[str, object]:
    return {"id": f"c{number:02}", "opened": OPENED, "closed": None, "topic": "Pothole", **more}


@pytest.fixture
def server():
    """A layer of 45 cases that keeps the time of the last edit."""
    with serving(ArcGis()) as made:
        made.rows.fill([row(number) for number in range(COUNT)], FIRST)
        yield made


@pytest.fixture
def source(server):
    """The cases of that layer, read 10 at a time."""
    return replace(
        CASES, kind="arcgis", closed="closed", options={"url": server.address + LAYER, "page_size": 10}
    )


def begin(source, tmp_path, cursor=None, **more):
    now = datetime(2026, 8, 18, tzinfo=UTC)
    return kind.read(source, ReadRequest(CITY, now, cursor, work=tmp_path, secret=settings.secret, **more))


def keys(extract):
    return [row[page.columns.index("id")] for page in extract.pages for row in page.rows]


def all_keys():
    return [f"c{number:02}" for number in range(COUNT)]


def pages_of(server):
    return [page["objectIds"].split(",") for page in server.pages()]


def test_every_row_comes_once_by_batches_of_object_ids(source, server, tmp_path):
    extract = begin(source, tmp_path)
    assert keys(extract) == all_keys()
    assert [len(page) for page in pages_of(server)] == [10, 10, 10, 10, 5]
    assert extract.sizes == {server.address + LAYER: COUNT}
    assert extract.updated_at == datetime.fromtimestamp(FIRST / 1000, UTC)


def test_no_more_is_asked_for_than_the_layer_gives(source, server, tmp_path):
    server.cap = 4
    assert keys(begin(source, tmp_path)) == all_keys()
    assert max(len(page) for page in pages_of(server)) == 4


@pytest.mark.parametrize("says_so", [True, False])
def test_a_server_that_gives_less_than_it_promised_is_asked_for_the_rest(source, server, tmp_path, says_so):
    server.said = {"maxRecordCount": 1000}
    server.cap, server.says_so = 4, says_so
    assert sorted(keys(begin(source, tmp_path))) == all_keys()


def test_dates_come_as_instants_in_utc_also_before_1970(source, server, tmp_path):
    server.rows.put(row(0, opened=-86_400_000, closed=9_999_999_999_999_999), FIRST)
    [page, *_] = begin(source, tmp_path).pages
    cells = dict(zip(page.columns, page.rows[0], strict=True))
    assert (cells["opened"], cells["closed"]) == ("1969-12-31T00:00:00.000Z", "9999999999999999")
    server.said = {"datesInUnknownTimezone": True}
    [page, *_] = begin(source, tmp_path).pages
    assert page.rows[0][page.columns.index("opened")] == "1969-12-31T00:00:00.000"


def test_the_next_reading_asks_for_what_was_edited_since_with_an_overlap(source, server, tmp_path):
    cursor = begin(source, tmp_path).cursor
    assert begin(source, tmp_path, cursor).unchanged
    server.rows.fill([row(7, closed=CLOSED), row(99)], LATER)
    server.edited = LATER
    second = begin(source, tmp_path, cursor)
    assert set(keys(second)) >= {"c07", "c99"}
    server.rows.put(row(8, closed=CLOSED), LATER + 1)
    server.edited = LATER + 1
    assert set(keys(begin(source, tmp_path, second.cursor))) == {"c07", "c08", "c99"}


def test_a_layer_that_does_not_keep_edits_is_read_whole_and_says_so(source, server, tmp_path):
    server.tracks, server.edited = False, None
    first = begin(source, tmp_path)
    second = begin(source, tmp_path, first.cursor)
    assert (first.complete, second.complete) == (True, True)
    assert keys(second) == all_keys()
    assert second.updated_at is None


def test_a_column_of_the_publisher_may_be_the_mark(source, server, tmp_path):
    server.tracks, server.edited = False, None
    source = replace(source, modified="closed")
    server.rows.put(row(3, closed=CLOSED), FIRST)
    cursor = begin(source, tmp_path).cursor
    server.rows.put(row(4, closed=CLOSED + 1), FIRST)
    assert keys(begin(source, tmp_path, cursor)) == ["c03", "c04"]


def test_points_come_as_two_columns_when_they_are_wanted(source, server, tmp_path):
    source = replace(source, options={**source.options, "geometry": True})
    [page, *_] = begin(source, tmp_path).pages
    assert page.columns[-2:] == ("longitude", "latitude")
    assert page.rows[0][-2:] == ["-71.06", "42.36"]


def test_long_questions_are_sent_as_a_form(source, server, tmp_path):
    server.rows.fill([row(number) for number in range(400)], FIRST)
    source = replace(source, options={**source.options, "page_size": 1000})
    assert len(keys(begin(source, tmp_path))) == 400
    assert [asked.method for asked in server.asked] == ["GET", "GET", "POST"]


def test_days_asked_for_and_a_filter_narrow_the_question(source, server, tmp_path):
    source = replace(source, options={**source.options, "where": "topic = 'Litter' OR topic = 'Sign'"})
    server.rows.put(row(1, topic="Sign"), FIRST)
    extract = begin(source, tmp_path, since=date(2026, 8, 5), until=date(2026, 8, 6))
    assert keys(extract) == ["c01"]
    assert server.asked[1].parameters["where"] == (
        "opened >= TIMESTAMP '2026-08-04 00:00:00' AND opened < TIMESTAMP '2026-08-08 00:00:00' AND "
        "(topic = 'Litter' OR topic = 'Sign')"
    )


def test_a_token_goes_in_a_header(source, server, tmp_path, monkeypatch):
    server.token = "a-token"
    with pytest.raises(SourceError, match="answered an error: Token Required"):
        begin(source, tmp_path)
    monkeypatch.setenv("ARCGIS_TOKEN", "a-token")
    assert keys(begin(source, tmp_path)) == all_keys()
    assert not any("a-token" in str(asked.parameters) for asked in server.asked)


# --- faults ------------------------------------------------------------------------------------------

PASSING = [*sorted(set(FAULTS) - {"html"}), "busy", "withholds", "repeats", "unordered"]


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_changes_nothing_in_the_records(bench, server, source, waits, fault):
    server.plays(fault, on=2)
    report = run_source(bench.desk, source)
    assert (report.outcome, report.new, report.rejected) == ("succeeded", COUNT, 0), report.message
    assert set(bench.records(source)) == set(all_keys())


LASTING = {
    **dict.fromkeys(("429", "500", "503", "202"), "in each of 6 attempts"),
    "busy": "answered 200 with an error (Error performing query) in each of 6 attempts",
    "drops": "cannot be reached or broke off",
    "html": "answered a web page (HTML), not data",
    "refuses": "answered an error: Error performing query; correct the source's options",
    "repeats": "gives other rows than asked for",
    "withholds": "keeps the row 11 back",
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_leaves_everything_as_it_was(bench, server, source, waits, fault):
    assert run_source(bench.desk, source).new == COUNT
    before = bench.records(source)
    server.rows.fill([row(number, topic="Sign") for number in range(COUNT)], LATER)
    server.edited = LATER
    server.asked.clear()
    server.plays(fault, on=2, times=FOREVER)
    report = run_source(bench.desk, source)
    assert report.outcome == "failed"
    assert LASTING[fault] in report.message
    assert bench.records(source) == before
    server.faults.clear()
    assert run_source(bench.desk, source).changed == COUNT


def test_rows_that_change_come_and_go_while_they_are_read_are_right_after_the_next_run(bench, server, source):
    server.plays("moves", on=1)
    first = run_source(bench.desk, source)
    assert (first.outcome, first.new, first.rejected) == ("succeeded", COUNT - 1, 0)
    server.edited = LATER
    second = run_source(bench.desk, source)
    assert (second.new, second.rejected) == (1, 0)
    assert set(bench.records(source)) == {*all_keys()[:-1], "added"}


def test_a_layer_that_is_replaced_while_it_is_read_is_read_again(bench, server, source, monkeypatch):
    server.tracks, server.edited = False, None
    real, replaced = server._page, []

    def page(parameters):
        if not replaced:
            replaced.append(True)
            for key in all_keys():
                server.rows.take(key)
            server.rows.fill([row(number, topic="Sign") for number in range(COUNT)], FIRST)
        return real(parameters)

    monkeypatch.setattr(server, "_page", page)
    report = run_source(bench.desk, source)
    assert (report.outcome, report.new) == ("succeeded", COUNT)
    assert {one[5] for one in bench.records(source).values()} == {"Sign"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "https://gis.example.gov/arcgis/rest/services"}, "[options] url: String should match"),
        ({"layer": 3}, "the words of this kind are: url, where, token"),
    ],
)
def test_wrong_options_are_said_before_anything_is_asked(source, server, tmp_path, options, said):
    with pytest.raises(SourceError) as caught:
        begin(replace(source, options={**source.options, **options}), tmp_path)
    assert said in str(caught.value)
    assert server.asked == []


# --- in step with the server -----------------------------------------------------------------------------


@pytest.mark.parametrize("tracks", [True, False])
def test_one_state_and_then_the_next_is_the_next_alone(any_bench, server, source, tracks):
    """Late closings, new rows, rows that vanish, and a row given another object id."""
    bench = any_bench
    server.tracks = tracks
    run_source(bench.desk, source)
    server.rows.fill([row(2, closed=CLOSED), row(60)], LATER)
    server.rows.take("c05")
    server.rows.take("c06")
    server.edited = LATER
    report = run_source(bench.desk, source, Asked(sweep=True))
    assert (report.new, report.changed, report.withdrawn) == (1, 1, 2), report.message
    server.rows.put(row(6, topic="Sign"), LATER + 1)
    server.edited = LATER + 1
    assert run_source(bench.desk, source).changed == 1
    alone = replace(source, id="alone")
    run_source(bench.desk, alone)
    assert bench.records(source) == bench.records(alone)
    assert len(bench.records(source)) == COUNT


def test_a_sweep_by_object_ids_needs_no_rows(source, server, tmp_path):
    columns = (replace(source.columns[0], name="objectid"),)
    source = replace(source, key="objectid", columns=columns, arrival=None, closed=None)
    extract = begin(source, tmp_path, begin(source, tmp_path).cursor, sweep=True)
    asked = len(server.pages())
    assert list(extract.ids()) == [str(number) for number in range(1, COUNT + 1)]
    assert len(server.pages()) == asked


def test_the_same_rows_by_layer_and_by_file_are_the_same_records(bench, server, source):
    opened = datetime.fromtimestamp(OPENED / 1000, UTC).isoformat()
    lines = "".join(f"{key},{opened},,Pothole,\n" for key in all_keys())
    run_source(bench.desk, source)
    path = bench.file("cases.csv", f"id,opened,closed,topic,amount\n{lines}")
    report = run_source(bench.desk, source, Asked(file=path))
    assert (report.new, report.changed, report.unchanged) == (0, 0, COUNT)


# --- coded values ----------------------------------------------------------------------------------

TOPICS = {1: "Pothole", 2: "Street light"}


@pytest.fixture
def coded(source, server):
    """The same cases with codes for topics, one of them without a name."""
    server.domains = {"topic": TOPICS}
    server.rows.fill([row(0, topic=1), row(1, topic=2.0), row(2, topic=3)], FIRST)
    return source


def topics(bench, source):
    return [record[5] for _, record in sorted(bench.records(source).items())][:4]


def test_codes_are_read_as_the_names_that_the_layer_gives_them(coded, bench):
    assert run_source(bench.desk, coded).new == COUNT
    assert topics(bench, coded) == ["Pothole", "Street light", "3", "Pothole"]


def test_codes_stay_where_the_source_says_so(coded, bench):
    codes = replace(coded, options={**coded.options, "codes": True})
    run_source(bench.desk, codes)
    assert topics(bench, codes) == ["1", "2.0", "3", "Pothole"]


def test_a_name_that_is_changed_is_changed_in_every_record(coded, server, bench):
    run_source(bench.desk, coded)
    server.domains = {"topic": {**TOPICS, 2: "Lamp", 3: "Graffiti"}}
    report = run_source(bench.desk, coded)
    assert (report.changed, report.unchanged) == (2, COUNT - 2)
    assert topics(bench, coded) == ["Pothole", "Lamp", "Graffiti", "Pothole"]
    assert run_source(bench.desk, coded).outcome == "unchanged"


def test_a_subtype_has_names_of_its_own_and_the_key_keeps_its_codes():
    coded = [{"code": "7", "name": "seven"}, {"code": "a", "name": "anything"}]
    own = {"topic": {"type": "codedValue", "codedValues": [{"code": "7", "name": "of two"}]}}
    domains = Domains(
        {
            "fields": [
                {"name": name, "domain": {"type": "codedValue", "codedValues": coded}}
                for name in ("id", "topic")
            ]
            + [{"name": "Kind", "domain": {"type": "range", "range": ["0", "9"]}}],
            "typeIdField": "kind",
            "types": [{"id": "1", "name": "One"}, {"id": "2", "name": "Two", "domains": own}],
        }
    )
    rows = [{"id": "7", "topic": "7", "Kind": kind} for kind in ("1", "2", None)]
    assert [domains.named(one, "id") for one in rows] == [
        {"id": "7", "topic": "seven", "Kind": "One"},
        {"id": "7", "topic": "of two", "Kind": "Two"},
        {"id": "7", "topic": "seven", "Kind": None},
    ]


def test_an_edit_that_is_dated_ahead_does_not_stop_the_reading(source, server, bench):
    server.rows.put(row(0), 4_000_000_000_000)
    run_source(bench.desk, source)
    server.edited = LATER
    server.rows.put(row(1, topic="Light"), FIRST + 1)
    assert run_source(bench.desk, source).changed == 1
