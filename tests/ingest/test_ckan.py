"""A portal is read whole or not at all, whatever it does on the way."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ingest import http
from ingest.contract import ReadRequest, SourceError
from ingest.sources import ckan as kind
from metrics.model import City, Column, Source
from tests.ingest.stand_ins.ckan import Table
from tests.ingest.stand_ins.frame import FOREVER, HTML, Answer

CITY = City(id="test", name="Testville", time_zone="America/New_York")
SOURCE = Source(id="cases", name="Cases", kind="ckan", key="id", columns=(Column("id", "text"),))
COUNT = 95


@pytest.fixture
def table(ckan):
    """A table of 95 rows, read 10 at a time."""
    made = Table("r1", [{"id": f"c{number}", "topic": "Pothole"} for number in range(COUNT)])
    ckan.tables["r1"] = made
    return made


@pytest.fixture
def begin(ckan, tmp_path, waits):
    """Begins to read the portal."""

    def read(cursor=None, keep=None, said=None, **options):
        options = {"url": ckan.address, "page_size": 10, **options}
        if "dataset" not in options:
            options.setdefault("resources", ["r1"])
        return kind.read(
            replace(SOURCE, options=options),
            ReadRequest(
                CITY,
                datetime(2026, 8, 18, tzinfo=UTC),
                cursor=cursor,
                work=tmp_path,
                keep=keep or (lambda _copy: None),
                progress=said.append if said is not None else (lambda _sentence: None),
            ),
        )

    return read


def keys(extract):
    """The ids in the order in which they came."""
    return [row[page.columns.index("id")] for page in extract.pages for row in page.rows]


def all_keys():
    return [f"c{number}" for number in range(COUNT)]


def complaint(begin, **more):
    with pytest.raises(SourceError) as caught:
        list(begin(**more).pages)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- when all goes well --------------------------------------------------------------------------------


def test_every_row_comes_once_in_the_order_of_the_portal(begin, ckan, table):
    assert keys(begin()) == all_keys()
    assert [page["offset"] for page in ckan.pages()] == [str(offset) for offset in range(0, 95, 10)]
    assert {page["sort"] for page in ckan.pages()} == {"_id asc"}


def test_lines_count_the_rows_of_the_resource(begin, table):
    pages = list(begin().pages)
    assert [pages[9].line(index) for index in range(len(pages[9].rows))] == [91, 92, 93, 94, 95]
    assert pages[0].place.endswith(", Cases")


def test_numbers_and_truth_come_as_the_portal_wrote_them(begin, ckan, table):
    fields = [{"id": name} for name in ("id", "lat", "n", "ok", "more", "none")]
    row = b'{"id": "a", "lat": 42.10, "n": 7, "ok": true, "more": ["x"], "none": null}'
    body = b'{"success": true, "result": {"total": 1, "fields": %s, "records": [%s]}}'
    body %= json.dumps(fields).encode(), row
    metadata = Answer(b'{"success": true, "result": {}}')
    ckan.next.extend([metadata, Answer(body)])
    [page] = begin().pages
    assert page.rows == [["a", "42.10", "7", "true", '["x"]', None]]


def test_the_bodies_are_kept_as_received(begin, table):
    kept = []
    list(begin(keep=lambda copy: kept.append((copy.name, copy.path.read_bytes()))).pages)
    [(name, packed)] = kept
    assert name == "ckan-r1.jsonl.gz"
    bodies = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    assert [len(body["result"]["records"]) for body in bodies] == [10] * 9 + [5]


def test_an_empty_table_is_no_mistake(begin, table):
    table.rows.clear()
    assert keys(begin()) == []


def test_the_portal_says_how_fresh_it_is(begin, ckan, table):
    ckan.tables["r0"] = Table("r0", [{"id": "old"}], last_modified="2024-01-01T00:00:00")
    extract = begin(resources=["r0", "r1"])
    assert extract.updated_at == datetime(2026, 8, 17, 5, tzinfo=UTC)
    assert keys(extract) == ["old", *all_keys()]


@pytest.mark.parametrize("said", [None, "", "yesterday"])
def test_a_portal_that_does_not_say_how_fresh_it_is(begin, table, said):
    table.last_modified = said
    assert begin().updated_at is None


def test_a_resource_that_did_not_change_is_not_read_again(begin, ckan, table):
    first = begin()
    list(first.pages)
    ckan.asked.clear()
    second = begin(cursor=first.cursor)
    assert second.unchanged
    assert ckan.pages() == []
    assert second.updated_at == first.updated_at


@pytest.mark.parametrize("change", [{"last_modified": "2026-08-18T05:00:00"}, {"hash": "abc"}])
def test_a_resource_that_changed_is_read_again_and_only_that(begin, ckan, table, change):
    ckan.tables["r2"] = Table("r2", [{"id": "other"}])
    first = begin(resources=["r1", "r2"])
    for name, value in change.items():
        setattr(ckan.tables["r2"], name, value)
    assert keys(begin(resources=["r1", "r2"], cursor=first.cursor)) == ["other"]


def test_a_resource_of_which_nothing_is_said_is_always_read(begin, ckan, table):
    table.last_modified = None
    first = begin()
    assert keys(begin(cursor=first.cursor)) == all_keys()


def test_a_portal_that_hides_its_metadata_is_read_all_the_same(begin, ckan, table):
    ckan.next.append(Answer(b"no", 403))
    extract = begin()
    assert (keys(extract), extract.updated_at) == (all_keys(), None)


def test_resources_are_found_by_the_name_in_their_dataset(begin, ckan, table):
    table.name = "311 Service Requests - NEW SYSTEM"
    ckan.tables["r2"] = Table("r2", [{"id": "legacy"}], name="311 Service Requests - 2026")
    ckan.tables["r3"] = Table("r3", [], name="NEW SYSTEM, as a PDF", datastore_active=False)
    assert keys(begin(dataset="311", pattern="*NEW SYSTEM*")) == all_keys()
    said = complaint(begin, dataset="311", pattern="*2027*")
    assert "no table of the dataset 311 is called like '*2027*'" in said
    assert "311 Service Requests - NEW SYSTEM, 311 Service Requests - 2026" in said


def test_only_a_reading_of_everything_that_is_declared_whole_is_complete(begin, ckan, table):
    ckan.tables["r2"] = Table("r2", [{"id": "other"}])
    both = ["r1", "r2"]
    assert not begin(resources=both).complete
    first = begin(resources=both, whole=True)
    assert first.complete
    table.hash = "changed"
    assert not begin(resources=both, whole=True, cursor=first.cursor).complete


# --- when the portal stumbles ------------------------------------------------------------------------


def test_a_portal_that_caps_its_pages_is_read_by_what_comes(begin, ckan, table):
    ckan.cap = 7
    assert keys(begin()) == all_keys()
    assert len(ckan.pages()) == -(-COUNT // 7)


def test_a_portal_that_repeats_its_last_page_for_ever_is_read_to_its_end(begin, ckan, table):
    """Without a total, the end is only known by rows that were there before."""
    answers = []
    for offset in (0, 5, 5):
        rows = [{"_id": offset + n, "id": f"c{offset + n}"} for n in range(5)]
        body = {"success": True, "result": {"fields": [{"id": "_id"}, {"id": "id"}], "records": rows}}
        answers.append(Answer(json.dumps(body).encode()))
    ckan.next.extend([Answer(b'{"success": true, "result": {}}'), *answers])
    assert keys(begin()) == [f"c{n}" for n in range(10)]


def test_a_portal_that_repeats_a_page_before_the_end_gives_nothing(begin, ckan, table):
    ckan.repeats_from = 40
    said = complaint(begin)
    assert "Cases: 40 different rows came of 95, in each of 2 readings" in said
    assert "Try again later." in said


def test_pages_that_overlap_give_every_row_once_and_a_gap_is_noticed(begin, ckan, table):
    ckan.repeats_from = 90
    said = []
    with pytest.raises(SourceError, match="90 different rows came of 95"):
        begin(said=said)
    assert any("reading it again from the beginning" in sentence for sentence in said)


def test_rows_that_move_once_are_read_again_from_the_beginning(begin, ckan, table):
    ckan.plays("moves")
    found = keys(begin())
    assert Counter(found) == Counter([*all_keys(), "moved"])
    assert [page["offset"] for page in ckan.pages()].count("0") == 2


def test_rows_that_keep_moving_give_nothing(begin, ckan, table):
    ckan.plays("moves", times=FOREVER)
    assert "its number of rows went from" in complaint(begin)


def test_a_table_replaced_while_it_is_read_is_read_again(begin, ckan, table):
    ckan.plays("replaced", on=4)
    extract = begin()
    assert keys(extract) == all_keys()
    assert [page["offset"] for page in ckan.pages()].count("0") == 2
    assert extract.updated_at == datetime(2026, 8, 17, 6, tzinfo=UTC)
    assert begin(cursor=extract.cursor).unchanged


def test_a_connection_dropped_on_page_three_is_taken_up_again(begin, ckan, table):
    ckan.plays("drops", on=3)
    assert keys(begin()) == all_keys()
    assert len(ckan.pages()) == 11


def test_a_connection_always_dropped_on_page_three_names_the_page(begin, ckan, table):
    ckan.plays("drops", on=3, times=FOREVER)
    said = complaint(begin)
    assert "/api/3/action/datastore_search (Cases, rows from 21 on) cannot be reached or broke off" in said
    assert len(ckan.pages()) == 2 + http.ATTEMPTS


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "3"}])
def test_a_portal_that_is_asked_too_often_is_waited_for(begin, ckan, table, waits, headers):
    ckan.next.extend([Answer(b"slow down", 429, headers)] * 2)
    assert keys(begin()) == all_keys()
    assert len(waits) == 2
    assert not headers or waits == [3.0, 3.0]


def test_a_server_error_once_is_forgiven(begin, ckan, table, waits):
    ckan.next.append(Answer(b"oops", 500))
    assert keys(begin()) == all_keys()
    assert len(waits) == 1


@pytest.mark.parametrize("page", [HTML, b"\xef\xbb\xbf \n<html></html>"])
def test_a_web_page_with_status_200_is_a_failure(begin, ckan, table, page):
    ckan.next.append(Answer(page, headers={"Content-Type": "text/html"}))
    said = complaint(begin)
    assert "resource_show (resource r1) answered a web page (HTML), not data" in said
    assert "look whether the portal has moved" in said


def test_success_false_with_status_200_is_a_failure(begin, ckan, table):
    ckan.next.append(Answer(b'{"success": false, "error": {"message": "Access denied"}}'))
    assert "answered success = false: Access denied; correct the source's options" in complaint(begin)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "answered something that is not JSON"),
        (b"\xff\xfe\xff", "answered something that is not JSON"),
        (b"[]", "answered success = false: []"),
        (b'{"success": true}', "answered without a result"),
        (b'{"success": true, "result": {"total": 3}}', "in a form that is not CKAN's"),
        (b'{"success": true, "result": {"total": 3, "records": [1]}}', "in a form that is not CKAN's"),
    ],
)
def test_an_answer_of_another_form_is_a_failure(begin, ckan, table, body, said):
    ckan.next.extend([Answer(b'{"success": true, "result": {}}'), Answer(body)])
    assert said in complaint(begin)


def test_a_resource_that_is_gone_says_so(begin, table):
    said = complaint(begin, resources=["nowhere"])
    assert "datastore_search (nowhere, rows from 1 on)" in said or "datastore_search answered 404" in said
    assert "Resource was not found" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"resources": []}, "give one of resources and dataset"),
        ({"resources": ["r1"], "dataset": "d"}, "give one of resources and dataset"),
        ({"url": "data.boston.gov"}, "[options] url: String should match pattern"),
        ({"page_size": 40_000}, "[options] page_size: Input should be less than or equal to 32000"),
        ({"recources": ["r1"]}, "the words of this kind are: url, resources, dataset"),
    ],
)
def test_wrong_options_are_said_before_anything_is_asked(begin, ckan, options, said):
    with pytest.raises(SourceError) as caught:
        begin(**options)
    assert said in str(caught.value)
    assert str(caught.value).startswith("sources/cases.toml, [options]")
    assert ckan.asked == []
