"""The kind `push`: CSV, JSON lists and JSON lines give the same records, and every row is accounted for."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from ingest.run import Asked, run_source
from ingest.sources.json_lines import MOST_NAMES
from ingest.sources.keys import key_of
from metrics.model import Column
from store import records
from tests.ingest.conftest import CASES

PUSHED = replace(CASES, kind="push")
ROWS = [
    {
        "id": "007",
        "opened": "2026-08-01T09:00:00",
        "closed": None,
        "topic": "Pothole, deep",
        "amount": "12.50",
    },
    {
        "id": "c2",
        "opened": "2026-08-02T09:00:00",
        "closed": "2026-08-03T09:00:00",
        "topic": "ö",
        "amount": None,
    },
]
CSV = """id,opened,closed,topic,amount
007,2026-08-01T09:00:00,,"Pothole, deep",12.50
c2,2026-08-02T09:00:00,2026-08-03T09:00:00,ö,
"""
FORMS = {
    "a.csv": CSV,
    "a.json": json.dumps(ROWS),
    "a.jsonl": "\n".join(json.dumps(row) for row in ROWS),
    "b.json": json.dumps([{**ROWS[0], "amount": 12.5}, {k: v for k, v in ROWS[1].items() if v is not None}]),
}


def rows(bench, source):
    """The records of a source as objects."""
    names = records.stage_columns(source)
    return [dict(zip(names, row, strict=True)) for row in bench.records(source).values()]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_same_rows_gives_the_same_records(bench, name):
    report = run_source(bench.desk, PUSHED, Asked(file=bench.file(name, FORMS[name])))
    assert (report.outcome, report.read, report.new, report.rejected) == ("succeeded", 2, 2, 0)
    found = {row["id"]: (row["topic"], row["amount"], row["closed"]) for row in rows(bench, PUSHED)}
    assert found == {"007": ("Pothole, deep", 12.5, None), "c2": ("ö", None, "2026-08-03T13:00:00.000000Z")}


def test_a_delivery_takes_nothing_away_and_replaces_what_it_says_anew(bench):
    run_source(bench.desk, PUSHED, Asked(file=bench.file("a.csv", CSV)))
    later = [{**ROWS[0], "closed": "2026-08-04T09:00:00"}]
    report = run_source(bench.desk, PUSHED, Asked(file=bench.file("b.json", json.dumps(later))))
    assert (report.new, report.changed, report.withdrawn) == (0, 1, 0)
    again = run_source(bench.desk, PUSHED, Asked(file=bench.file("b.json", json.dumps(later))))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 1)


def test_an_ordinary_run_has_nothing_to_fetch_and_changes_nothing(bench):
    run_source(bench.desk, PUSHED, Asked(file=bench.file("a.csv", CSV)))
    report = run_source(bench.desk, PUSHED)
    assert (report.outcome, report.read) == ("unchanged", 0) and "/api/v1/ingest/cases" in report.message
    assert len(rows(bench, PUSHED)) == 2


def test_the_sender_may_say_up_to_when_the_source_is_complete(bench):
    told = bench.hand.now.replace(hour=4)
    asked = Asked(file=bench.file("a.csv", CSV), known_until=told)
    assert run_source(bench.desk, PUSHED, asked).known_until == told
    ahead = Asked(file=bench.file("a.csv", CSV), known_until=told.replace(year=2027))
    assert run_source(bench.desk, PUSHED, ahead).known_until <= bench.hand.now


def test_rows_that_are_none_cost_only_themselves(bench):
    items = [ROWS[0], 7, "text", None, [1], {"id": "x", "topic": {"a": 1}}, {"topic": "no key"}]
    report = run_source(bench.desk, PUSHED, Asked(file=bench.file("a.json", json.dumps(items))))
    assert (report.read, report.new, report.rejected) == (7, 2, 5)
    lines = '{"id": "a"}\n\n{"id": \nnot json\n{"id": "b", "amount": NaN}\n'
    report = run_source(bench.desk, PUSHED, Asked(file=bench.file("a.jsonl", lines)))
    assert (report.read, report.new, report.rejected) == (4, 1, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "column id is missing"),
        (b"[", "not JSON"),
        (b"<html>", "column id is missing"),
        (b"[" * 200_000, "nested too deeply"),
        (b'["\xff"]', "not UTF-8"),
        (json.dumps([{f"n{i}": 1 for i in range(MOST_NAMES + 1)}]).encode(), "different names"),
        (json.dumps([{"topic": "x"}]).encode(), "column id is missing"),
    ],
)
def test_a_delivery_that_cannot_be_understood_fails_in_one_line_without_our_folders(bench, content, said):
    report = run_source(bench.desk, PUSHED, Asked(file=bench.file("a.json", content)))
    assert report.outcome == "failed" and said in report.message
    assert "\n" not in report.message and str(bench.folder) not in report.message


# --- keys of several columns ---------------------------------------------------------------------

COUNTS = replace(
    CASES,
    id="counts",
    kind="push",
    key="count_id",
    arrival=None,
    columns=(
        Column("count_id", "text"),
        Column("day", "day"),
        Column("district", "text"),
        Column("n", "integer"),
    ),
    options={"key_from": ["day", "district"]},
)


def test_a_key_is_made_of_columns_where_the_rows_have_none(bench):
    first = [{"day": "2026-08-01", "district": "north", "n": 3}, {"Day": "2026-08-01", "n": 4}]
    assert run_source(bench.desk, COUNTS, Asked(file=bench.file("a.json", json.dumps(first[:1])))).new == 1
    again = [{"day": "2026-08-01", "district": "north", "n": 5}, {"day": "2026-08-01", "n": 4}]
    report = run_source(bench.desk, COUNTS, Asked(file=bench.file("a.json", json.dumps(again))))
    assert (report.new, report.changed) == (1, 1)
    assert {row["count_id"]: row["n"] for row in rows(bench, COUNTS)} == {
        "2026-08-01/north": 5,
        "2026-08-01/": 4,
    }


def test_a_row_without_the_first_part_of_its_key_is_refused(bench):
    path = bench.file("a.csv", "day,district,n\n,north,3\n2026-08-01,north,3\n")
    report = run_source(bench.desk, COUNTS, Asked(file=path))
    assert (report.new, report.rejected) == (1, 1)


def test_a_key_made_of_a_column_that_is_not_there_is_a_mistake_of_the_definition(bench):
    wrong = replace(COUNTS, options={"key_from": ["date"]})
    report = run_source(bench.desk, wrong, Asked(file=bench.file("a.csv", "day,n\n")))
    assert report.outcome == "failed" and "no column date" in report.message


@given(st.lists(st.text(alphabet="a/\\ ", max_size=4), min_size=2, max_size=2), st.data())
def test_different_parts_give_different_keys(parts, data):
    other = data.draw(st.lists(st.text(alphabet="a/\\ ", max_size=4), min_size=2, max_size=2))
    stripped = [[part.strip() for part in one] for one in (parts, other)]
    if all(one[0] for one in stripped):
        assert (key_of(parts) == key_of(other)) == (stripped[0] == stripped[1])


def test_nothing_packed_is_opened_however_its_sender_calls_it(bench):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.csv", CSV)
    for content in (packed.getvalue(), gzip.compress(CSV.encode()), b"PAR1", b"\xd0\xcf\x11\xe0"):
        for name in ("a.csv", "a.json", "a.jsonl"):
            report = run_source(bench.desk, PUSHED, Asked(file=bench.file(name, content)))
            assert report.outcome == "failed" and "as they are" in report.message


@pytest.mark.parametrize("name", ["x\ud800", "x\x00y", "x\n2026-01-01 forged", "\x1b[2J"])
def test_a_name_that_its_sender_made_up_forges_no_line_and_stops_no_run(bench, name):
    good = run_source(
        bench.desk, PUSHED, Asked(file=bench.file("a.json", json.dumps([{"id": "1", name: "2"}])))
    )
    assert (good.outcome, good.new) == ("succeeded", 1) and good.message.isprintable()
    bad = run_source(bench.desk, PUSHED, Asked(file=bench.file("b.json", json.dumps([{name: "2"}]))))
    assert "column id is missing" in bad.message and bad.message.isprintable()


def test_a_key_that_comes_again_and_again_is_no_more_work_than_other_rows(bench):
    steps = []

    @event.listens_for(bench.engine, "checkout")
    def count(connection, *_):
        connection.set_progress_handler(lambda: steps.append(1), 1_000)

    used = []
    for rows_ in (1_000, 4_000):
        steps.clear()
        path = bench.file("a.csv", "id,topic\n" + "".join(f"1,{number}\n" for number in range(rows_)))
        assert run_source(bench.desk, PUSHED, Asked(file=path)).rejected == rows_ - 1
        used.append(len(steps))
    assert used[1] < 8 * used[0], "twice the rows, twice the work"
