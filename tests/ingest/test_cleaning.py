"""Cells become what their source declares of them; what is not believed is refused or emptied."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cleaning import NOT_AMONG_VALUES, cleaned, padded
from ingest.contract import Page
from ingest.parse import Parser
from ingest.places import Places
from metrics.model import Column, District, Source
from store.records import stage_columns

TODAY = date(2026, 8, 18)
WARDS = {"Ward 9": "9", "Ward 10": "10", "none": ""}


def source(*columns, **more):
    return Source("cases", "Cases", "file", "id", (Column("id", "text"), *columns), **more)


def reader(*columns, places=None):
    given_source = source(*columns)
    return Parser(given_source, "America/New_York", stage_columns(given_source), places=places, today=TODAY)


def read(column, *found, places=None):
    """The values of one column, None where the row was refused, and what the reading says of it."""
    parser = reader(column, places=places)
    header = ("id", column.name)
    parsed = parser.parse(Page(header, [(str(i), cell) for i, cell in enumerate(found)], 2, "cases.csv"))
    at = stage_columns(source(column)).index(column.name)
    values = {row[0]: row[at] for row in parsed.rows}
    reasons = [one.reason for one in parsed.rejections]
    return [values.get(str(i), "refused") for i in range(len(found))], reasons, parser.notes()


def test_a_cell_declared_to_mean_nothing_is_empty_in_any_case():
    values, reasons, notes = read(Column("x", "integer", empty=("N/A", "-")), "n/a", " - ", "7")
    assert (values, reasons, notes) == ([None, None, 7], [], [])


def test_values_are_mapped_before_they_are_typed_and_unknown_ones_are_kept():
    values, reasons, _ = read(Column("ward", "text", values=WARDS), "WARD 9", "9", "None", "Ward 77")
    assert (values, reasons) == (["9", "9", None, "Ward 77"], [])
    assert read(Column("ok", "boolean", values={"done": "true"}), "Done", "no")[0] == [1, 0]


def test_values_that_nobody_declared_are_refused_or_emptied_as_the_source_says():
    column = Column("ward", "text", values=WARDS, others="refuse")
    assert read(column, "Ward 10", "10", "", "Ward 77")[:2] == (
        ["10", "10", None, "refused"],
        [NOT_AMONG_VALUES],
    )
    assert read(replace(column, others="empty"), "Ward 10", "Ward 77")[0] == ["10", None]


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("2125", "02125"),
        ("02125", "02125"),
        ("2125.0", "02125"),
        ("2125-1234", "02125-1234"),
        ("123456", "123456"),
        ("21 25", "21 25"),
        ("-5", "-5"),
        ("٢١٢٥", "٢١٢٥"),
        ("", None),
    ],
)
def test_numbers_in_a_text_get_their_leading_zeros_back(cell, kept):
    assert read(Column("zip", "text", pad=5), cell)[0] == [kept]


def test_padding_comes_after_the_words_of_a_value_map():
    column = Column("ward", "text", pad=2, values={"Ward 9": "9"}, others="refuse")
    assert read(column, "Ward 9", "9", "09", "8")[0] == ["09", "09", "09", "refused"]


def test_numbers_outside_of_what_is_believed_are_refused_with_the_bound():
    column = Column("minutes", "number", min=0, max=90.5)
    values, reasons, _ = read(column, "0", "90.5", "-1", "1e9")
    assert values == [0.0, 90.5, "refused", "refused"]
    assert reasons == ["is less than 0", "is more than 90.5"]


def test_days_outside_of_what_is_believed_are_refused_with_the_bound():
    column = Column("on", "day", earliest=date(2011, 7, 1), latest=date(2026, 12, 31))
    assert read(column, "2011-07-01", "2011-06-30", "2027-01-01")[1] == [
        "is before 2011-07-01",
        "is after 2026-12-31",
    ]


def test_an_instant_lies_ahead_by_the_citys_days():
    column = Column("due", "instant", ahead_days=2)
    values, reasons, _ = read(column, "2026-08-21T03:59Z", "2026-08-21T04:00Z")
    assert values == ["2026-08-21T03:59:00.000000Z", "refused"]
    assert reasons == ["lies more than 2 days ahead"]


def test_an_unfit_cell_can_be_emptied_so_that_its_row_is_kept_and_counted():
    column = Column("due", "instant", ahead_days=730, unfit="empty")
    values, reasons, notes = read(column, "2074-12-31 12:00", "soon", "2026-09-01 12:00", "later")
    assert values == [None, None, "2026-09-01T16:00:00.000000Z", None]
    assert reasons == []
    assert notes == [
        "due emptied, is not a date and time like 2026-01-31 14:05:00: 2",
        "due emptied, lies more than 730 days ahead: 1",
    ]


def test_a_time_out_of_order_can_be_emptied_with_its_day():
    columns = (Column("a", "instant"), Column("b", "instant", not_before="a", unfit="empty"))
    page = Page(("id", "a", "b"), [("1", "2026-07-02 12:00", "2026-07-01 12:00")], 2, "x")
    parser = reader(*columns)
    parsed = parser.parse(page)
    assert parsed.rows == [("1", "2026-07-02T16:00:00.000000Z", "2026-07-02", None, None)]
    assert parser.notes() == ["b emptied, is before a: 1"]


def test_cells_of_rows_that_are_refused_anyway_are_not_counted_as_emptied():
    columns = (Column("a", "integer", unfit="empty"), Column("b", "integer"))
    parser = reader(*columns)
    parser.parse(Page(("id", "a", "b"), [("1", "x", "x"), ("2", "x", "1")], 2, "x"))
    assert parser.notes() == ["a emptied, is not a whole number: 1"]


@pytest.mark.parametrize("cell", ["1753-12-14", "1753-12-14 00:00:00", "1753-12-14T00:00:00Z"])
@pytest.mark.parametrize("kind", ["instant", "day"])
def test_a_fillers_day_means_no_date_however_it_is_written(cell, kind):
    column = Column("x", kind, empty=("1753-12-14", "1970-01-01"))
    assert read(column, cell, "1970-01-01 00:00:00")[:2] == ([None, None], [])
    [reason] = read(replace(column, empty=()), cell)[1]
    assert reason in ("is outside the years 1800 to 2200", "is not a date and time like 2026-01-31 14:05:00")


def test_a_fillers_day_is_found_in_the_citys_own_way_of_writing():
    for kind, format_ in (("instant", "%m/%d/%Y %H:%M"), ("day", "%m/%d/%Y")):
        column = Column("x", kind, format=format_, empty=("1900-01-01",))
        assert read(column, "01/01/1900" + " 00:00" * (kind == "instant"))[:2] == ([None], [])


def test_a_row_that_is_refused_is_known_by_its_key_as_records_have_it():
    parser = Parser(
        Source("c", "C", "file", "id", (Column("id", "text", pad=5), Column("n", "integer"))),
        "UTC",
        ("id", "n"),
    )
    [one] = parser.parse(Page(("id", "n"), [("123", "x")], 2, "x")).rejections
    assert (one.key, one.row["id"]) == ("00123", "123")


# --- districts -----------------------------------------------------------------------------------

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]}
EAST = {"type": "Polygon", "coordinates": [[[10, 0], [20, 0], [20, 10], [10, 10], [10, 0]]]}
TOWN = Places(
    [District("west", "West End", ("W. End",), geometry=SQUARE), District("east", "East", geometry=EAST)]
)
AREA = Column("area", "district", latitude="lat", longitude="lon")
COORDINATES = (Column("lat", "number"), Column("lon", "number"))


def placed(column, *rows):
    parser = reader(column, *COORDINATES, places=TOWN)
    header = ("id", "area", "lat", "lon")
    parsed = parser.parse(Page(header, [(str(i), *row) for i, row in enumerate(rows)], 2, "x"))
    return [row[1] for row in parsed.rows], parsed.rejections, parser.notes()


def test_spellings_become_ids_and_a_name_of_no_district_is_unknown_and_counted():
    found = placed(AREA, ("WEST END", "", ""), (" w. end", "", ""), ("East / West", "5", "5"), ("", "", ""))
    assert found == (
        ["west", "west", "unknown", None],
        [],
        ["area names no district we know: 1 ('East / West' 1)"],
    )


def test_a_record_that_names_none_is_where_its_coordinates_are():
    values, _, notes = placed(AREA, ("", "5", "5"), ("", "5", "15"), ("", "5", "25"), (" ", "", "5"))
    assert values == ["west", "east", None, None]
    assert notes == ["area found by coordinates: 2, and 2 without a name not"]


@pytest.mark.parametrize(
    ("others", "values"),
    [("locate", ["west", "unknown"]), ("empty", [None, None]), ("refuse", [])],
)
def test_names_of_no_district_are_located_emptied_or_refused_as_the_source_says(others, values):
    found, rejections, _ = placed(
        replace(AREA, others=others), ("East / West", "5", "5"), ("Nowhere", "", "")
    )
    assert found == values
    assert [one.reason for one in rejections] == ["names no district"] * (2 - len(values))


def test_an_old_name_that_is_declared_unknown_is_not_told_again():
    column = replace(AREA, values={"East / West": "unknown"})
    assert placed(column, ("East / West", "5", "5")) == (["unknown"], [], [])


# --- dirt ----------------------------------------------------------------------------------------

dirt = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(["", " ", "9", "09", "Ward 9", "1753-01-01", "1970-01-01T00:00:00Z", "2026-07-01 10:00"]),
    st.sampled_from(["07/01/2026", "nan", "1e400", "-0", "٣", "\x00", "\ud800", "2125.0", "west", "9" * 40]),
)
days = st.none() | st.dates(date(1753, 1, 1), date(2300, 1, 1))
texts = st.text(max_size=6) | st.sampled_from(["9", "Ward 9", "1753-01-01", "n/a"])
columns = st.builds(
    Column,
    name=st.just("x"),
    type=st.sampled_from(["text", "integer", "number", "instant", "day", "boolean", "district"]),
    required=st.booleans(),
    stamps=st.sampled_from(["offset", "local", "utc"]),
    local_until=days,
    format=st.none() | st.sampled_from(["%m/%d/%Y", "%Y-%d-%m %H:%M", ("%m/%d/%Y", "%d.%m.%y", "%H:%M %z")]),
    empty=st.lists(texts.filter(lambda word: word.strip() != ""), max_size=2).map(tuple),
    values=st.dictionaries(texts.filter(lambda word: word.strip() != ""), texts, max_size=3),
    others=st.sampled_from(["keep", "refuse", "empty"]),
    pad=st.none() | st.integers(1, 8),
    min=st.none() | st.floats(-10, 0),
    max=st.none() | st.floats(0, 10),
    earliest=days,
    latest=days,
    ahead_days=st.none() | st.integers(0, 400),
    unfit=st.sampled_from(["refuse", "empty"]),
)


@given(columns, st.lists(st.tuples(dirt, dirt, dirt), max_size=8))
def test_whatever_is_declared_dirt_never_raises_and_every_row_is_kept_or_refused_once(column, rows):
    if column.type == "district":
        column = replace(column, latitude="lat", longitude="lon")
    parser = reader(column, *COORDINATES, places=TOWN)
    header = ("id", "x", "lat", "lon")
    parsed = parser.parse(Page(header, [(str(i), *row) for i, row in enumerate(rows)], 2, "x"))
    places = [*parsed.lines, *(one.line for one in parsed.rejections)]
    assert sorted(places) == list(range(2, len(rows) + 2))
    for row in parsed.rows:
        assert {type(value) for value in row} <= {str, int, float, type(None)}
        assert "\x00" not in str(row[1])
    parser.notes()


@given(st.lists(dirt, max_size=8), columns)
def test_cleaning_twice_is_cleaning_once_where_no_map_leads_to_another_word(found, column):
    column = replace(column, values={}, others="keep")
    once = cleaned(found, column)
    assert cleaned(once.cells, column).cells == once.cells


@given(st.integers(0, 10**6), st.integers(1, 8))
def test_padding_keeps_the_number(number, digits):
    assert int(padded(str(number), digits)) == number
    assert len(padded(str(number), digits)) >= digits
