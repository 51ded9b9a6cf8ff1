"""Stamps as cities write them become true instants and the city's days, or are refused with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import dates
from ingest.contract import SourceError
from metrics.model import Column

NEW_YORK = "America/New_York"
STAMP = Column("at", "instant")
LOCAL = Column("at", "instant", stamps="local")
DAY = Column("on", "day")


def instant(cell, column=STAMP, zone=NEW_YORK):
    found = dates.instants([cell], column, zone)
    assert found.wrong == {}
    return found.values[0], found.days[0]


def refused(cell, column=STAMP):
    found = dates.instants([cell], column, NEW_YORK)
    assert (found.values, found.days) == ([None], [None])
    return found.wrong[0]


def day(cell, column=DAY):
    found = dates.days([cell], column)
    assert found.wrong == {}
    return found.values[0]


def no_day(cell, column=DAY):
    found = dates.days([cell], column)
    assert found.values == [None]
    return found.wrong[0]


@pytest.mark.parametrize(
    "cell",
    [
        "2026-07-06 06:30:51.25+00",
        "2026-07-06T06:30:51.25Z",
        "2026-07-06T06:30:51,25+00:00",
        "2026-07-06 02:30:51.250000-0400",
        "2026-07-06 02:30:51.250000999-04",
        " 2026-07-06 02:30:51.25 ",
        "2026-07-06 12:00:51.25 +05:30",
    ],
)
def test_every_way_to_write_an_instant_gives_the_same_27_characters(cell):
    assert instant(cell) == ("2026-07-06T06:30:51.250000Z", "2026-07-06")


def test_stamps_declared_local_have_no_use_for_their_offset():
    """Boston writes +00 behind hours of its own clocks."""
    assert instant("2026-07-06 06:30:51.879147+00", LOCAL) == ("2026-07-06T10:30:51.879147Z", "2026-07-06")
    assert instant("2026-01-06 23:30:00+00", LOCAL) == ("2026-01-07T04:30:00.000000Z", "2026-01-06")


def test_the_day_is_the_citys_and_not_that_of_utc():
    assert instant("2026-07-07T03:59:59Z")[1] == "2026-07-06"
    assert instant("2026-07-07T04:00:00Z")[1] == "2026-07-07"


def test_an_hour_the_clock_skips_is_the_moment_it_jumps():
    assert instant("2026-03-08 02:00")[0] == "2026-03-08T07:00:00.000000Z"
    assert instant("2026-03-08 02:59:59.9")[0] == "2026-03-08T07:00:00.000000Z"
    assert instant("2026-03-08 03:00")[0] == "2026-03-08T07:00:00.000000Z"
    assert instant("2026-03-08 01:59:59")[0] == "2026-03-08T06:59:59.000000Z"


def test_an_hour_that_comes_twice_is_the_first():
    assert instant("2026-11-01 01:30")[0] == "2026-11-01T05:30:00.000000Z"
    assert instant("2026-10-25 01:30", zone="Europe/Dublin")[0] == "2026-10-25T00:30:00.000000Z"


def test_a_day_that_a_city_skipped_is_the_midnight_after_it():
    assert instant("2011-12-30 12:30", zone="Pacific/Apia") == ("2011-12-30T10:00:00.000000Z", "2011-12-31")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2026-02-30 10:00", dates.NO_SUCH_DATE),
        ("2026-13-01 10:00", dates.NO_SUCH_DATE),
        ("2026-01-01 24:00", dates.NO_SUCH_DATE),
        ("2026-01-01 10:60", dates.NO_SUCH_DATE),
        ("0000-01-01 10:00", dates.NOT_BELIEVABLE),
        ("1753-12-14 00:00", dates.NOT_BELIEVABLE),
        ("2201-01-01 00:00", dates.NOT_BELIEVABLE),
        ("9999-12-31 23:59:59", dates.NOT_BELIEVABLE),
        ("2026-01-01 10:00+99", dates.NO_SUCH_OFFSET),
        ("2026-01-01 10:00+01:75", dates.NO_SUCH_OFFSET),
        ("2026-01-01", dates.NOT_A_STAMP),
        ("07/06/2026 06:30", dates.NOT_A_STAMP),
        ("now", dates.NOT_A_STAMP),
        ("1644213600000", dates.NOT_A_STAMP),
        ("yesterday", dates.NOT_A_STAMP),
    ],
)
def test_what_is_no_instant_is_refused_with_the_reason(cell, reason):
    assert refused(cell) == reason


def test_one_bad_cell_leaves_the_others_where_they_are():
    found = dates.instants(["", "x", "2026-07-06T00:00:00Z", None, "2026-02-30 10:00"], STAMP, NEW_YORK)
    assert found.values == [None, None, "2026-07-06T00:00:00.000000Z", None, None]
    assert found.days == [None, None, "2026-07-05", None, None]
    assert sorted(found.wrong) == [1, 4]


def test_declared_words_read_a_format_of_the_citys_own():
    column = Column("at", "instant", format="%m/%d/%Y %I:%M:%S %p")
    assert instant("7/6/2026 1:02:03 PM", column) == ("2026-07-06T17:02:03.000000Z", "2026-07-06")
    assert refused("2/30/2026 1:02:03 PM", column) == "is not a date written as %m/%d/%Y %I:%M:%S %p"


def test_declared_words_with_an_offset():
    column = Column("at", "instant", format="%d.%m.%Y %H:%M %z")
    assert instant("06.07.2026 12:00 +0200", column)[0] == "2026-07-06T10:00:00.000000Z"
    assert instant("06.07.2026 12:00", column)[0] == "2026-07-06T16:00:00.000000Z"


def test_a_portal_may_hand_over_iso_where_the_citys_files_do_not():
    column = Column("at", "instant", format="%m/%d/%Y %H:%M")
    assert instant("2026-07-06T12:00:00", column) == instant("07/06/2026 12:00", column)


def test_a_declared_order_of_day_and_month_is_never_second_guessed():
    column = Column("at", "instant", format="%Y-%d-%m %H:%M")
    assert instant("2026-06-07 12:00", column)[1] == "2026-07-06"
    assert "is not a date written as" in refused("2026-06-30 12:00", column)
    assert "is not a date written as" in no_day("2026-06-30", Column("on", "day", format="%Y-%d-%m"))


@pytest.mark.parametrize("cell", ["now", "today", "NaT", "nan"])
def test_words_that_mean_the_present_to_a_library_mean_nothing_here(cell):
    assert "is not a date" in refused(cell, Column("at", "instant", format="%m/%d/%Y %H:%M"))
    assert "is not a date" in no_day(cell, Column("on", "day", format="%m/%d/%Y"))


@pytest.mark.parametrize("read", [lambda column: instant("1", column), lambda column: day("1", column)])
def test_words_that_strptime_does_not_know_are_a_mistake_of_the_source(read):
    with pytest.raises(SourceError, match="Column at: format = '%Q' is not understood"):
        read(Column("at", "instant", format="%Q"))


@pytest.mark.parametrize(
    "cell",
    ["2026-07-06", " 2026-07-06 ", "2026-07-06 00:00:00", "2026-07-06T00:00:00.000Z", "2026-07-06 00:00"],
)
def test_a_day_may_come_with_a_midnight(cell):
    assert day(cell) == "2026-07-06"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2026-02-30", dates.NO_SUCH_DATE),
        ("1753-12-14", dates.NOT_BELIEVABLE),
        ("9999-12-31", dates.NOT_BELIEVABLE),
        ("2026-07-06 06:30", dates.NOT_A_DAY),
        ("20260706", dates.NOT_A_DAY),
        ("6 July", dates.NOT_A_DAY),
    ],
)
def test_what_is_no_day_is_refused_with_the_reason(cell, reason):
    assert no_day(cell) == reason


def test_days_in_the_citys_own_words():
    column = Column("on", "day", format="%m/%d/%y")
    assert day("07/06/26", column) == "2026-07-06"
    assert day("2026-07-06", column) == "2026-07-06"
    assert no_day("07/06/1753", Column("on", "day", format="%m/%d/%Y")) == dates.NOT_BELIEVABLE
    assert day("", column) is None


moments = st.datetimes(datetime(1800, 1, 1), datetime(2200, 12, 31))
zones = st.sampled_from([NEW_YORK, "Europe/Dublin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])


@given(moments, st.integers(-14 * 60, 14 * 60), zones)
def test_an_instant_with_an_offset_is_what_python_says(moment, minutes, zone):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text, local_day = instant(aware.isoformat(), STAMP, zone)
    assert text == aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
    assert local_day == aware.astimezone(ZoneInfo(zone)).date().isoformat()


@given(moments, zones)
def test_the_citys_clock_is_what_python_says_outside_of_gaps(moment, zone):
    aware = moment.replace(tzinfo=ZoneInfo(zone))
    text, local_day = instant(moment.isoformat(" "), STAMP, zone)
    found = datetime.fromisoformat(text)
    if aware.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment:
        assert found == aware.astimezone(UTC)
        assert local_day == moment.date().isoformat()
    else:
        before, after = (
            (found - timedelta(microseconds=1)).astimezone(aware.tzinfo),
            found.astimezone(aware.tzinfo),
        )
        assert before.replace(tzinfo=None) < moment < after.replace(tzinfo=None)


@given(
    st.lists(st.text(max_size=30) | st.none(), max_size=6), st.sampled_from([None, "%d/%m/%Y", "%H:%M %z"])
)
def test_no_cell_makes_a_date_raise(given_cells, format_):
    stamps = dates.instants(given_cells, Column("at", "instant", format=format_), NEW_YORK)
    found = dates.days(given_cells, Column("on", "day", format=format_))
    assert len(stamps.values) == len(stamps.days) == len(found.values) == len(given_cells)
