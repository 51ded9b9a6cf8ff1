"""What is read at once is what would have been read cell by cell, for whatever cells there are."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest import dates, stamps
from metrics.model import Column

ZONES = ("America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "UTC")
COLUMNS = (
    Column("at", "instant"),
    Column("at", "instant", stamps="local"),
    Column("at", "instant", format="%m/%d/%Y %H:%M"),
    Column("at", "instant", format="%Y-%d-%m %H:%M:%S"),
)


def numbers(low, high, width):
    """Mostly what may stand there, sometimes what may not."""
    return st.one_of(st.integers(low, high), st.integers(0, 10**width - 1)).map(lambda n: f"{n:0{width}}")


years = numbers(1990, 2030, 4)
days = st.tuples(years, numbers(1, 12, 2), numbers(1, 31, 2)).map("-".join)
clocks = st.tuples(numbers(0, 23, 2), numbers(0, 59, 2), numbers(0, 59, 2)).map(":".join)
parts = st.one_of(
    st.just(""),
    st.tuples(st.sampled_from(".,"), st.text("0123456789", min_size=1, max_size=10)).map("".join),
)
offsets = st.sampled_from(
    ["", "Z", "z", "+00", "-04", "-0500", "+05:30", " +01:00", "+99", "+15:01", "+01:75", "?"]
)
signs = st.sampled_from(["T", " ", "t", "  ", ""])
plain = st.tuples(days, signs, clocks, parts, offsets).map("".join)
short = st.tuples(days, signs, clocks.map(lambda clock: clock[:5]), offsets).map("".join)
usual = st.datetimes(datetime(1999, 1, 1), datetime(2030, 1, 1)).map(
    lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z"
)
odd = st.one_of(
    st.none(),
    st.text(max_size=24),
    st.sampled_from(
        ["", " ", "now", "2026-07-01", "07/06/2026 06:30", "9999-12-31T00:00:00Z", "2026-03-08T02:30:00"]
    ),
)


@st.composite
def bent(draw):
    """A stamp with one letter changed, or some white space about it: digits of other scripts too."""
    cell = draw(usual)
    place = draw(st.integers(0, len(cell) - 1))
    letter = draw(st.sampled_from(["٣", "²", "\x00", "\ud800", "é", "9", "-", " ", "\n", ""]))
    return draw(st.sampled_from(["", " ", "\xa0"])) + cell[:place] + letter + cell[place + 1 :]


EDGES_OF_CLOCKS = ["23:59:59", "24:00:00", "10:60:00", "10:59:60", "10:00:61", "25:00:00"]
EDGES_OF_DAYS = [
    *("2026-12-31", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32", "2026-04-31"),
    *("2024-02-29", "2026-02-29", "2000-02-29", "1900-02-29", "0000-01-01", "9999-12-31"),
]

cells = st.lists(st.one_of(usual, usual, plain, short, bent(), odd), max_size=40)


def cell_by_cell(*asked):
    with patch.object(stamps, "PATTERNS_AT_MOST", 0):
        return dates.instants(*asked)


@settings(max_examples=400, deadline=None)
@given(cells, st.sampled_from(COLUMNS), st.sampled_from(ZONES))
@example(["2026-03-08T02:30:00", "2026-03-08T01:30:00"], COLUMNS[0], ZONES[0])
@example(["2026-11-01T01:30:00", "2026-11-01T00:30:00"], COLUMNS[0], ZONES[0])
@example(["2011-12-30 12:30", "2011-12-31 12:30"], COLUMNS[0], "Pacific/Apia")
@example(["2026-02-30T10:00:00Z", "2026-02-28T10:00:00Z"], COLUMNS[0], "UTC")
@example([f"2026-01-01T{clock}Z" for clock in EDGES_OF_CLOCKS], COLUMNS[0], "UTC")
@example([f"{day}T10:00:00Z" for day in EDGES_OF_DAYS], COLUMNS[0], "UTC")
@example(["2026-01-01T10:00:00+99", "2026-01-02T10:00:00+99"], COLUMNS[0], "UTC")
@example(["1799-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "2200-12-31T23:59:59Z"], COLUMNS[0], "UTC")
def test_stamps_read_at_once_are_those_read_one_by_one(given_cells, column, zone):
    at_once, one_by_one = dates.instants(given_cells, column, zone), cell_by_cell(given_cells, column, zone)
    assert list(at_once.values) == list(one_by_one.values)
    assert list(at_once.days) == list(one_by_one.days)
    assert dict(at_once.wrong) == dict(one_by_one.wrong)
    for one in (*at_once.values, *at_once.days):
        assert type(one) in (str, type(None))


@pytest.mark.parametrize(
    "cell",
    [
        "2026-07-06T06:30:51Z",
        "2026-07-06 06:30",
        "2026-07-06 06:30:51.879147+00",
        "2026-07-06T06:30:51,123456789-04:00",
    ],
)
def test_the_usual_ways_to_write_are_read_at_once(cell):
    later = cell.replace("06-", "07-").replace("07-06", "07-07")
    groups, left = stamps.alike([cell, None, later, cell])
    assert left == []
    assert [group.indexes.tolist() for group in groups] == [[0, 2, 3]]


def test_only_what_may_be_a_stamp_is_taken_and_the_rest_is_left():
    groups, left = stamps.alike(
        ["x", "2026-07-06T06:30:51Z", "", " 2026-07-06T06:30:51Z", "2026-02-30T06:30:51Z"]
    )
    assert [group.indexes.tolist() for group in groups] == [[1]]
    assert left == [0, 3, 4]


def test_a_column_of_many_patterns_is_read_whole_all_the_same():
    written = [f"2026-07-06T06:30:51.{'1' * (1 + number % 9)}+{number:02}" for number in range(14)] * 3
    _, left = stamps.alike([*written, *(f"2026-07-06T06:30:51-{number:02}" for number in range(14))])
    assert left
    asked = ([*written, *(f"2026-07-06T06:30:51-{number:02}" for number in range(14))], COLUMNS[0], "UTC")
    assert dates.instants(*asked) == cell_by_cell(*asked)


moments = st.lists(st.datetimes(datetime(1800, 1, 1), datetime(2200, 12, 31)), max_size=20)


@given(moments)
def test_instants_and_days_are_written_as_python_writes_them(given_moments):
    clock = np.array(given_moments, dtype="datetime64[us]")
    instants = [f"{moment.replace(tzinfo=UTC):%Y-%m-%dT%H:%M:%S.%fZ}" for moment in given_moments]
    assert stamps.instant_texts(clock) == instants
    assert stamps.day_texts(clock) == [moment.date().isoformat() for moment in given_moments]
