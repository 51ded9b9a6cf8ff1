"""Pages become rows: columns are found by name, wrong rows are refused with their place and the rest kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.contract import Page, SourceError, Unreadable
from ingest.parse import Parser
from metrics.model import Column, Source
from store.records import stage_columns

SOURCE = Source(
    id="cases",
    name="Cases",
    kind="file",
    key="id",
    arrival="opened",
    columns=(
        Column("id", "text", required=True),
        Column("opened", "instant", aliases=("OPEN_DT",)),
        Column("closed", "instant", not_before="opened"),
        Column("topic", "text", aliases=("type", "service_name")),
        Column("amount", "integer"),
    ),
)
HEADER = ("id", "opened", "closed", "topic", "amount")


def parser(source=SOURCE, **limits):
    return Parser(source, "UTC", stage_columns(source), **limits)


def parse(*rows, columns=HEADER, source=SOURCE, **limits):
    return parser(source, **limits).parse(Page(columns, rows, 2, "cases.csv"))


def only_rejection(*rows, **more):
    [one] = parse(*rows, **more).rejections
    return one


def test_rows_are_in_the_order_of_the_store_with_each_instants_day():
    parsed = parse(("a", "2026-07-01T10:00Z", "", " Pothole ", "007"))
    assert stage_columns(SOURCE) == ("id", "opened", "opened_day", "closed", "closed_day", "topic", "amount")
    assert parsed.rows == [("a", "2026-07-01T10:00:00.000000Z", "2026-07-01", None, None, "Pothole", 7)]
    assert parsed.lines == [2]
    assert parsed.rejections == []


def test_columns_are_found_by_any_of_their_names_in_any_case():
    parsed = parse(("Pothole", "a", "2026-07-01T10:00Z"), columns=(" TYPE", "Id", "open_dt"))
    assert parsed.rows[0][0] == "a"
    assert parsed.rows[0][5] == "Pothole"


def test_the_columns_own_name_comes_before_an_alias():
    parsed = parse(("a", "wrong", "right"), columns=("id", "type", "topic"))
    assert parsed.rows[0][5] == "right"


def test_a_missing_optional_column_is_empty_and_said():
    read = parser()
    parsed = read.parse(Page(("id", "opened"), [("a", "")], 2, "cases.csv"))
    assert parsed.rows == [("a", None, None, None, None, None, None)]
    assert read.notes() == ["missing columns, taken as empty: amount, closed, topic"]


def test_an_extra_column_is_ignored_and_said():
    read = parser()
    read.parse(Page((*HEADER, "on_time", ""), [("a", "", "", "", "", "ONTIME", "")], 2, "cases.csv"))
    assert read.notes() == ["columns not declared, not kept: on_time"]


def test_a_missing_key_column_names_what_was_found_and_where_to_mend_it():
    with pytest.raises(SourceError) as caught:
        parse(("a",), columns=("case_nr", "topic"))
    assert str(caught.value) == (
        "cases.csv: the column id is missing (found: case_nr, topic). Give the right file, or add the name "
        "used there to `aliases` in sources/cases.toml."
    )


def test_a_file_without_a_header_is_asked_for_one():
    with pytest.raises(SourceError, match=r"found: a, 2026-07-01\)\. Is there a header line\?"):
        parse(("b", ""), columns=("a", "2026-07-01"))


def test_a_missing_required_column_is_an_error():
    needed = replace(SOURCE, columns=(*SOURCE.columns, Column("area", "text", required=True)))
    with pytest.raises(SourceError, match="the column area is missing"):
        parse(("a", "", "", "", ""), source=needed)


def test_a_name_that_stands_twice_is_an_error():
    with pytest.raises(SourceError, match="the column id stands 2 times in the header"):
        parse(("a", "b"), columns=("id", "ID"))


def test_a_required_cell_that_is_empty_refuses_its_row():
    needed = replace(SOURCE, columns=(*SOURCE.columns[:3], Column("topic", "text", required=True)))
    one = only_rejection(("a", "", "", " "), source=needed, columns=HEADER[:4])
    assert (one.column, one.reason, one.line) == ("topic", "is empty, and it is required", 2)


@pytest.mark.parametrize("key", ["", "  ", None])
def test_a_row_without_its_key_is_refused(key):
    one = only_rejection((key, "", "", "", ""))
    assert (one.column, one.key, one.reason) == ("id", None, "is empty, and it is the key")


def test_a_key_longer_than_an_index_holds_is_refused_with_the_limit():
    assert parse(["k" * 1000, "2026-07-01T12:00:00Z"], columns=HEADER[:2]).rejections == []
    for key in ("k" * 1001, "é" * 501, "\U0001f6b2" * 251):
        found = only_rejection([key, "2026-07-01T12:00:00Z"], columns=HEADER[:2])
        assert (found.column, found.reason) == ("id", "is longer than 1000 bytes, and it is the key")


def test_a_refused_row_says_line_column_value_reason_and_all_its_fields():
    row = ("a", "2026-02-30 10:00", "", "Pothole", "1")
    one = only_rejection(("good", "", "", "", ""), row)
    assert (one.line, one.key, one.column, one.value) == (3, "a", "opened", "2026-02-30 10:00")
    assert one.reason == "is a date or time that does not exist"
    assert one.row == dict(zip(HEADER, row, strict=True))
    assert one.place == "cases.csv"


def test_good_rows_stay_with_their_lines_when_others_are_refused():
    parsed = parse(("a", "", "", "", "1"), ("b", "", "", "", "x"), ("c", "", "", "", "3"))
    assert [row[0] for row in parsed.rows] == ["a", "c"]
    assert parsed.lines == [2, 4]


def test_closed_before_opened_is_refused_and_the_same_moment_is_not():
    opened = "2026-07-01T10:00Z"
    assert parse(("a", opened, opened, "", "")).rejections == []
    one = only_rejection(("a", opened, "2026-07-01T09:59:59Z", "", ""))
    assert (one.column, one.value, one.reason) == ("closed", "2026-07-01T09:59:59Z", "is before opened")


def test_a_closing_without_an_opening_is_not_before_it():
    assert parse(("a", "", "2026-07-01T09:59:59Z", "", "")).rejections == []


def test_a_day_is_compared_with_the_local_day_of_an_instant():
    ends = replace(SOURCE, columns=(*SOURCE.columns[:2], Column("due", "day", not_before="opened")))
    header = ("id", "opened", "due")
    assert parse(("a", "2026-07-01T23:00Z", "2026-07-01"), source=ends, columns=header).rejections == []
    assert (
        only_rejection(("a", "2026-07-01T23:00Z", "2026-06-30"), source=ends, columns=header).column == "due"
    )


@pytest.mark.parametrize("row", [("a", "", ""), ("a", "", "", "", "1", "surplus"), ()])
def test_a_row_longer_or_shorter_than_the_header_is_refused(row):
    parsed = parse(row, ("b", "", "", "", ""))
    [one] = parsed.rejections
    assert one.reason == f"has {len(row)} cells where the header has 5"
    assert one.line == 2
    assert list(one.row.values()) == list(row)
    assert (parsed.rows[0][0], parsed.lines) == ("b", [3])


def test_a_line_that_does_not_fall_into_cells_is_refused_as_it_is():
    page = Page(
        HEADER, [], 2, "cases.csv", unreadable=[Unreadable(7, 'a,"b', "has a quote that does not match")]
    )
    [one] = parser().parse(page).rejections
    assert (one.line, one.value, one.row) == (7, 'a,"b', {"line": 'a,"b'})


def test_a_range_takes_what_arrived_on_its_days_and_passes_over_the_rest():
    rows = [(name, f"2026-07-0{name} 12:00", "", "", "") for name in "1234"]
    parsed = parse(*rows, ("x", "", "", "", ""), since=date(2026, 7, 2), until=date(2026, 7, 3))
    assert [row[0] for row in parsed.rows] == ["2", "3"]
    assert parsed.rejections == []


def test_a_range_refuses_only_rows_of_its_days_and_rows_whose_day_nobody_can_read():
    rows = [
        ("a", "2026-07-01 12:00", "", "", "x"),
        ("b", "2026-08-01 12:00", "", "", "x"),
        ("c", "?", "", "", ""),
    ]
    parsed = parse(*rows, since=date(2026, 8, 1))
    assert [one.key for one in parsed.rejections] == ["b", "c"]


def test_a_range_needs_an_arrival():
    with pytest.raises(SourceError, match="cases declares no arrival column, so --since and --until cannot"):
        parser(replace(SOURCE, arrival=None), since=date(2026, 8, 1))


cells = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["a", "b", "", "12", "nan", "2026-07-01 10:00", "2026-02-30 10:00", "9999-12-31 00:00", "\x00"]
    ),
)


@given(st.lists(st.lists(cells, min_size=3, max_size=7), max_size=12))
def test_dirt_never_raises_and_every_row_is_kept_or_refused_once(rows):
    parsed = parse(*rows)
    assert len(parsed.rows) == len(parsed.lines)
    places = [*parsed.lines, *(one.line for one in parsed.rejections)]
    assert sorted(places) == list(range(2, len(rows) + 2))
    for row in parsed.rows:
        assert len(row) == len(stage_columns(SOURCE))
        assert row[0] is not None
        assert {type(value) for value in row} <= {str, int, float, type(None)}
