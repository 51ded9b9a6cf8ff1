"""The calendar of a city: midnights over clock changes, periods, working days and days of comparison."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import periods
from metrics.model import City, Closure, Grain, Period

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "periods.toml").read_text(encoding="utf-8"))

ONE_DAY = timedelta(days=1)
ZONES = [
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Europe/London",
    "UTC",
]

days = st.dates(date(2001, 1, 1), date(2039, 12, 31))


def city(**given):
    return City(
        **{
            "id": "boston",
            "name": "Boston",
            "time_zone": "America/New_York",
            "holiday_country": "US",
            "holiday_subdivision": "MA",
            **given,
        }
    )


def span(start, end):
    return [start + timedelta(days=index) for index in range((end - start).days)]


BOSTON = city()
PLAIN = city(holiday_country=None, holiday_subdivision=None)
cities = st.builds(
    city,
    time_zone=st.sampled_from(ZONES),
    week_start=st.sampled_from(["monday", "sunday"]),
    quarter=st.sampled_from(["trailing", "calendar"]),
    fiscal_year_start=st.integers(1, 12),
)


# --- instants ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES["midnight"], ids=lambda case: f"{case['zone']} {case['day']}")
def test_a_day_begins_at_its_first_instant(case):
    place = city(time_zone=case["zone"])
    found = periods.local_midnight(place, case["day"])
    assert found == case["utc"]
    assert found.tzinfo is UTC
    assert periods.local_day(place, found) == case["day"]
    assert periods.local_day(place, found - timedelta(seconds=1)) < case["day"]
    shown = found.astimezone(ZoneInfo(case["zone"]))
    assert ((shown.hour, shown.minute) != (0, 0)) == case.get("skipped", False)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 7, 4), 24)]
)
def test_a_day_on_which_the_clocks_change_is_shorter_or_longer(day, hours):
    length = periods.local_midnight(BOSTON, day + ONE_DAY) - periods.local_midnight(BOSTON, day)
    assert length == timedelta(hours=hours)


@settings(deadline=None)
@given(st.sampled_from(ZONES), days, st.integers(0, 24 * 3600 - 1))
def test_every_instant_lies_in_the_day_it_is_said_to_lie_in(zone, day, seconds):
    place = city(time_zone=zone)
    instant = datetime.combine(day, datetime.min.time(), UTC) + timedelta(seconds=seconds)
    local = periods.local_day(place, instant)
    assert periods.local_midnight(place, local) <= instant < periods.local_midnight(place, local + ONE_DAY)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        periods.local_day(BOSTON, datetime(2026, 3, 8))


@pytest.mark.parametrize(
    ("day", "hour", "utc"),
    [
        (date(2026, 1, 15), 5, datetime(2026, 1, 15, 10, tzinfo=UTC)),
        (date(2026, 7, 15), 5, datetime(2026, 7, 15, 9, tzinfo=UTC)),
        (date(2026, 3, 8), 2, datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (date(2026, 3, 8), 3, datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (date(2026, 11, 1), 1, datetime(2026, 11, 1, 5, tzinfo=UTC)),
        (date(2026, 11, 1), 0, datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_the_publication_hour_is_the_hour_of_the_citys_clocks(day, hour, utc):
    assert periods.instant_at(BOSTON, day, hour) == utc


def test_hour_zero_of_a_day_without_midnight_is_its_beginning():
    toronto = city(time_zone="America/Toronto")
    day = date(1919, 3, 31)
    assert periods.instant_at(toronto, day, 0) == periods.local_midnight(toronto, day)


def test_an_hour_that_no_clock_shows_is_refused():
    with pytest.raises(ValueError, match="hour"):
        periods.instant_at(BOSTON, date(2026, 1, 1), 24)


# --- periods -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES["period_of"], ids=lambda case: " ".join(map(str, case.values())))
def test_the_period_whose_last_part_contains_a_day(case):
    names = ("week_start", "quarter", "fiscal_year_start")
    place = city(**{name: case[name] for name in names if name in case})
    found = periods.period_of(place, case["grain"], case["day"])
    assert found == Period(Grain(case["grain"]), case["start"], case["end"])


@settings(deadline=None)
@given(cities, st.sampled_from(Grain), days)
def test_a_period_contains_the_day_it_is_the_period_of(place, grain, day):
    found = periods.period_of(place, grain, day)
    assert found.start <= day < found.end
    assert periods.period_of(place, grain, found.end - ONE_DAY) == found


@settings(deadline=None)
@given(cities, st.sampled_from(Grain), days)
def test_the_period_before_ends_where_this_one_begins(place, grain, day):
    found = periods.period_of(place, grain, day)
    earlier = periods.before(place, found)
    assert earlier.end == found.start
    assert earlier == periods.period_of(place, grain, found.start - ONE_DAY)


def test_the_trailing_quarter_before_is_three_months_earlier():
    found = periods.period_of(BOSTON, Grain.QUARTER, date(2026, 4, 30))
    assert periods.before(BOSTON, found) == Period(Grain.QUARTER, date(2025, 11, 1), date(2026, 2, 1))


def test_the_month_before_march_knows_leap_years():
    before = [
        periods.before(BOSTON, periods.period_of(BOSTON, Grain.MONTH, date(year, 3, 1)))
        for year in (2024, 2025)
    ]
    assert [(one.end - one.start).days for one in before] == [29, 28]


def test_only_complete_periods_inside_the_range_are_listed():
    found = periods.periods(BOSTON, Grain.WEEK, date(2026, 3, 3), date(2026, 3, 22))
    assert [one.start for one in found] == [date(2026, 3, 9)]
    found = periods.periods(BOSTON, Grain.WEEK, date(2026, 3, 2), date(2026, 3, 23))
    assert [one.start for one in found] == [date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)]
    found = periods.periods(BOSTON, Grain.MONTH, date(2026, 1, 2), date(2026, 4, 1))
    assert [one.start.month for one in found] == [2, 3]
    found = periods.periods(BOSTON, Grain.DAY, date(2026, 2, 27), date(2026, 3, 2))
    assert [one.start.day for one in found] == [27, 28, 1]
    assert periods.periods(BOSTON, Grain.DAY, date(2026, 3, 2), date(2026, 3, 2)) == []


def test_trailing_quarters_overlap_one_for_each_end_of_a_month():
    found = periods.periods(BOSTON, Grain.QUARTER, date(2025, 12, 1), date(2026, 5, 1))
    assert [(one.start, one.end) for one in found] == [
        (date(2025, 12, 1), date(2026, 3, 1)),
        (date(2026, 1, 1), date(2026, 4, 1)),
        (date(2026, 2, 1), date(2026, 5, 1)),
    ]


def test_calendar_quarters_follow_the_fiscal_year():
    place = city(quarter="calendar", fiscal_year_start=2)
    found = periods.periods(place, Grain.QUARTER, date(2025, 12, 1), date(2026, 12, 31))
    assert [one.start for one in found] == [date(2026, 2, 1), date(2026, 5, 1), date(2026, 8, 1)]


@settings(deadline=None)
@given(cities, st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH]), days, st.integers(0, 200))
def test_periods_that_do_not_overlap_follow_each_other(place, grain, first, length):
    end = first + timedelta(days=length)
    found = periods.periods(place, grain, first, end)
    assert all(first <= one.start and one.end <= end for one in found)
    assert all(one == periods.before(place, two) for one, two in pairwise(found))


# --- working calendars -------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2021, 2026])
def test_offices_are_closed_on_weekends_and_holidays(year):
    every = span(date(year, 1, 1), date(year + 1, 1, 1))
    closed = [day for day in every if day.weekday() < 5 and not periods.is_open(BOSTON, "business", day)]
    assert closed == CASES[f"holidays_{year}"]
    assert not any(periods.is_open(BOSTON, "business", day) for day in every if day.weekday() >= 5)


def test_without_a_country_only_the_citys_own_holidays_close_it():
    place = city(holiday_country=None, holiday_subdivision=None, holidays=(date(2026, 3, 17),))
    assert periods.open_days(PLAIN, "business", date(2026, 1, 1), date(2027, 1, 1)) == 261
    assert periods.open_days(place, "business", date(2026, 1, 1), date(2027, 1, 1)) == 260
    assert not periods.is_open(place, "business", date(2026, 3, 17))
    assert periods.is_open(place, "all", date(2026, 3, 17))


@pytest.mark.parametrize(
    ("calendar", "closes"),
    [("all", {"all", "business", "school"}), ("business", {"business", "school"}), ("school", {"school"})],
)
def test_a_closure_closes_its_own_calendar_and_those_within(calendar, closes):
    storm = Closure(date(2026, 2, 3), date(2026, 2, 4), "storm", calendar)
    place = city(closures=(storm,))
    for each in ("all", "business", "school"):
        open_days = [
            day.day for day in span(date(2026, 2, 2), date(2026, 2, 6)) if periods.is_open(place, each, day)
        ]
        assert open_days == ([2, 5] if each in closes else [2, 3, 4, 5])


def test_a_closure_over_new_year_closes_both_years():
    place = city(closures=(Closure(date(2025, 12, 30), date(2026, 1, 3), "flood", "all"),))
    mask = periods.open_mask(place, "all", date(2025, 12, 29), date(2026, 1, 5))
    assert mask.tolist() == [True, False, False, False, False, False, True]
    assert periods.is_open(place, "all", date(2024, 12, 31))
    assert periods.is_open(place, "all", date(2027, 1, 1))


def test_schools_are_closed_in_july_and_august_and_whenever_offices_are():
    assert periods.open_days(BOSTON, "school", date(2026, 7, 1), date(2026, 9, 1)) == 0
    assert periods.is_open(BOSTON, "school", date(2026, 6, 30))
    assert periods.is_open(BOSTON, "school", date(2026, 9, 1))
    assert not periods.is_open(BOSTON, "school", date(2026, 9, 7))
    assert not periods.is_open(BOSTON, "school", date(2026, 9, 5))


def test_an_unknown_country_is_refused_with_the_fix():
    with pytest.raises(ValueError, match=r"XX; correct holiday_country .* city\.toml"):
        periods.is_open(city(holiday_country="XX", holiday_subdivision=None), "business", date(2026, 1, 1))
    with pytest.raises(ValueError, match="US with subdivision ZZ"):
        periods.is_open(city(holiday_subdivision="ZZ"), "business", date(2026, 1, 1))


def test_an_unknown_country_is_no_matter_to_a_calendar_that_never_closes():
    assert periods.is_open(city(holiday_country="XX"), "all", date(2026, 1, 1))


@settings(deadline=None)
@given(st.sampled_from(["all", "business", "school"]), days, st.integers(-3, 800))
def test_the_mask_and_the_count_say_what_each_day_says(calendar, start, length):
    place = city(closures=(Closure(date(2020, 3, 17), date(2020, 6, 1), "illness", "business"),))
    end = start + timedelta(days=length)
    mask = periods.open_mask(place, calendar, start, end)
    assert mask.tolist() == [periods.is_open(place, calendar, day) for day in span(start, end)]
    assert periods.open_days(place, calendar, start, end) == sum(mask)


def test_the_mask_is_the_callers_own():
    mask = periods.open_mask(BOSTON, "business", date(2026, 1, 1), date(2027, 1, 1))
    mask[:] = True
    assert not periods.is_open(BOSTON, "business", date(2026, 1, 1))


def test_business_days_are_numbered_from_the_epoch():
    numbers = dict(periods.workday_numbers(PLAIN, date(1999, 12, 30), date(2000, 1, 6)))
    assert numbers == {
        date(1999, 12, 30): -1,
        date(1999, 12, 31): 0,
        date(2000, 1, 1): 0,
        date(2000, 1, 2): 0,
        date(2000, 1, 3): 1,
        date(2000, 1, 4): 2,
        date(2000, 1, 5): 3,
    }


def test_the_number_of_a_day_does_not_depend_on_where_the_list_begins():
    whole = dict(periods.workday_numbers(BOSTON, date(1998, 1, 1), date(2027, 1, 1)))
    for first in (date(1998, 5, 1), date(2000, 1, 1), date(2026, 3, 7)):
        for day, number in periods.workday_numbers(BOSTON, first, first + timedelta(days=9)):
            assert whole[day] == number


@settings(deadline=None)
@given(days, st.integers(0, 400))
def test_the_difference_of_two_numbers_is_the_business_days_between(first, length):
    last = first + timedelta(days=length)
    numbers = dict(periods.workday_numbers(BOSTON, first, last + ONE_DAY))
    passed = periods.open_days(BOSTON, "business", first + ONE_DAY, last + ONE_DAY)
    assert numbers[last] - numbers[first] == passed


def test_holidays_are_named_once_in_order_and_by_the_day_they_stand_for():
    found = periods.holiday_names(BOSTON, date(2021, 7, 1), date(2021, 9, 30))
    assert found == ("Independence Day", "Labor Day")
    assert periods.holiday_names(BOSTON, date(2021, 7, 5), date(2021, 7, 6)) == ("Independence Day",)
    assert periods.holiday_names(BOSTON, date(2021, 12, 25), date(2022, 1, 2)) == (
        "Christmas Day",
        "New Year's Day",
    )
    assert periods.holiday_names(BOSTON, date(2021, 8, 1), date(2021, 9, 6)) == ()


def test_the_citys_own_holidays_have_one_name():
    place = city(holidays=(date(2026, 3, 17), date(2026, 6, 17)))
    assert periods.holiday_names(place, date(2026, 3, 1), date(2026, 7, 1)) == (
        periods.LOCAL_HOLIDAY,
        "Patriots' Day",
        "Memorial Day",
        "Juneteenth National Independence Day",
    )


# --- days of comparison ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "day", "expected"),
    [
        ("all", date(2026, 3, 9), date(2026, 3, 8)),
        ("business", date(2026, 3, 9), date(2026, 3, 6)),
        ("business", date(2026, 5, 26), date(2026, 5, 22)),
        ("school", date(2026, 9, 1), date(2026, 6, 30)),
    ],
)
def test_the_previous_open_day_skips_what_is_closed(calendar, day, expected):
    assert periods.previous_open_day(BOSTON, calendar, day) == expected


def test_after_more_than_a_year_of_closure_there_is_no_previous_open_day():
    place = city(closures=(Closure(date(2024, 1, 1), date(2025, 12, 31), "war", "all"),))
    assert periods.previous_open_day(place, "all", date(2024, 12, 31)) == date(2023, 12, 31)
    assert periods.previous_open_day(place, "all", date(2025, 1, 1)) is None
    assert periods.previous_open_day(place, "all", date(2026, 1, 1)) is None


def test_a_composite_is_compared_with_the_latest_day_on_which_all_now_open_were_open():
    monday = date(2026, 3, 9)
    assert periods.comparison_day(BOSTON, monday, frozenset({"all"})) == date(2026, 3, 8)
    assert periods.comparison_day(BOSTON, monday, frozenset({"all", "business"})) == date(2026, 3, 6)


def test_a_composite_looks_back_fourteen_days_and_no_further():
    place = city(closures=(Closure(date(2026, 3, 3), date(2026, 3, 15), "flood", "business"),))
    assert periods.comparison_day(place, date(2026, 3, 16), frozenset({"business"})) == date(2026, 3, 2)
    longer = city(closures=(Closure(date(2026, 3, 2), date(2026, 3, 15), "flood", "business"),))
    assert periods.comparison_day(longer, date(2026, 3, 16), frozenset({"business"})) is None
    assert periods.comparison_day(longer, date(2026, 3, 16), frozenset({"all"})) == date(2026, 3, 15)


# --- baselines ---------------------------------------------------------------------------------


def always(day):
    return True


def business(day):
    return periods.is_open(BOSTON, "business", day)


def a_day(day):
    return Period(Grain.DAY, day, day + ONE_DAY)


def test_a_day_is_held_to_the_eight_same_weekdays_before():
    found = periods.baseline_days(BOSTON, a_day(date(2026, 3, 9)), always)
    assert found == tuple(
        (day, day + ONE_DAY) for day in (date(2026, 3, 9) - timedelta(weeks=back) for back in range(8, 0, -1))
    )


def test_a_day_of_the_baseline_that_was_closed_or_unknown_is_passed_over():
    unknown = date(2026, 3, 2)
    found = periods.baseline_days(BOSTON, a_day(date(2026, 3, 9)), lambda day: day != unknown, business)
    starts = [start for start, _ in found]
    assert len(starts) == 8
    # 16 February is Presidents' Day, 19 January Martin Luther King Day.
    assert starts[-1] == date(2026, 2, 23)
    assert not {unknown, date(2026, 2, 16), date(2026, 1, 19)} & set(starts)
    assert starts[0] == date(2025, 12, 22)


def test_six_same_weekdays_will_do_and_five_will_not():
    day = date(2026, 3, 9)
    six = day - timedelta(weeks=6)
    assert len(periods.baseline_days(BOSTON, a_day(day), lambda one: one >= six)) == 6
    assert periods.baseline_days(BOSTON, a_day(day), lambda one: one > six) is None


def test_same_weekdays_may_lie_half_a_year_back_and_no_further():
    day = date(2026, 3, 9)
    for weeks, found in ((26, True), (27, False)):
        wanted = {day - timedelta(weeks=back) for back in (1, 2, 3, 4, 5, weeks)}
        assert bool(periods.baseline_days(BOSTON, a_day(day), wanted.__contains__)) == found


@pytest.mark.parametrize("case", CASES["weeks"], ids=lambda case: case["why"])
def test_a_week_is_held_to_the_same_weeks_of_three_years_holidays_aligned(case):
    place = city(holiday_country="DE", holiday_subdivision=None) if case.get("country") else BOSTON
    week = Period(Grain.WEEK, case["start"], case["start"] + timedelta(weeks=1))
    found = periods.baseline_days(place, week, always)
    assert [start for start, _ in found] == sorted(case["before"])
    assert all(end - start == timedelta(weeks=1) for start, end in found)


def test_of_two_neighbours_as_near_the_earlier_is_taken():
    holiday = date(2025, 3, 3)
    place = city(holiday_country=None, holiday_subdivision=None, holidays=(holiday,))
    week = periods.period_of(place, Grain.WEEK, date(2026, 3, 2))
    assert periods.baseline_days(place, week, always, years=1) == ((date(2025, 2, 24), date(2025, 3, 3)),)


@pytest.mark.parametrize(
    ("grain", "day", "expected"),
    [
        (Grain.MONTH, date(2024, 2, 1), [(2021, 2, 2021, 3), (2022, 2, 2022, 3), (2023, 2, 2023, 3)]),
        (Grain.MONTH, date(2025, 12, 1), [(2022, 12, 2023, 1), (2023, 12, 2024, 1), (2024, 12, 2025, 1)]),
        (Grain.QUARTER, date(2026, 1, 31), [(2022, 11, 2023, 2), (2023, 11, 2024, 2), (2024, 11, 2025, 2)]),
    ],
)
def test_months_and_quarters_are_held_to_the_same_months_of_three_years(grain, day, expected):
    found = periods.baseline_days(BOSTON, periods.period_of(BOSTON, grain, day), always)
    assert found == tuple((date(a, b, 1), date(c, d, 1)) for a, b, c, d in expected)


def test_the_baseline_of_a_leap_february_knows_its_29_days():
    march = periods.period_of(BOSTON, Grain.MONTH, date(2025, 2, 1))
    found = periods.baseline_days(BOSTON, march, always)
    assert [(end - start).days for start, end in found] == [28, 28, 29]


@pytest.mark.parametrize("grain", [Grain.WEEK, Grain.MONTH, Grain.QUARTER])
def test_one_unknown_open_day_of_three_years_is_not_enough(grain):
    period = periods.period_of(BOSTON, grain, date(2026, 3, 25))
    found = periods.baseline_days(BOSTON, period, always, business)
    first, last = found[0][0], found[-1][1] - ONE_DAY
    workday = next(day for day in span(first, first + timedelta(days=7)) if business(day))
    weekend = next(day for day in span(last - timedelta(days=6), last + ONE_DAY) if day.weekday() == 6)
    assert periods.baseline_days(BOSTON, period, lambda day: day != workday, business) is None
    assert periods.baseline_days(BOSTON, period, lambda day: day != weekend, business) == found
    assert periods.baseline_days(BOSTON, period, lambda day: day != weekend) is None


def test_a_year_in_which_nothing_was_open_is_no_baseline():
    july = periods.period_of(BOSTON, Grain.MONTH, date(2026, 7, 1))
    assert (
        periods.baseline_days(BOSTON, july, always, lambda day: periods.is_open(BOSTON, "school", day))
        is None
    )


def test_another_number_of_years_may_be_asked_for():
    march = periods.period_of(BOSTON, Grain.MONTH, date(2026, 3, 1))
    found = periods.baseline_days(BOSTON, march, lambda day: day >= date(2022, 3, 1), years=4)
    assert [start.year for start, _ in found] == [2022, 2023, 2024, 2025]
    assert periods.baseline_days(BOSTON, march, lambda day: day >= date(2022, 3, 1), years=5) is None


@settings(deadline=None)
@given(cities, st.sampled_from(Grain), days)
def test_the_scored_period_is_never_in_its_own_baseline(place, grain, day):
    period = periods.period_of(place, grain, day)
    found = periods.baseline_days(place, period, always)
    assert all(start < end <= period.start for start, end in found)
    assert all(one[1] <= two[0] for one, two in pairwise(found))


# --- a year before --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grain", "day", "start", "end"),
    [
        (Grain.DAY, date(2026, 3, 9), date(2025, 3, 10), date(2025, 3, 11)),
        (Grain.WEEK, date(2026, 3, 9), date(2025, 3, 10), date(2025, 3, 17)),
        (Grain.MONTH, date(2025, 2, 1), date(2024, 2, 1), date(2024, 3, 1)),
        (Grain.QUARTER, date(2026, 1, 31), date(2024, 11, 1), date(2025, 2, 1)),
    ],
)
def test_a_year_before_is_comparable_in_its_days(grain, day, start, end):
    period = periods.period_of(BOSTON, grain, day)
    assert periods.year_before(BOSTON, period) == Period(grain, start, end)


def test_a_week_with_a_holiday_is_compared_with_the_week_of_the_same_holiday():
    # Memorial Day: 25 May 2026 and 26 May 2025; 4 July: a Saturday in 2026, kept on Friday 3 July.
    for day in (date(2026, 5, 25), date(2026, 7, 1)):
        week = periods.period_of(BOSTON, Grain.WEEK, day)
        before = periods.year_before(BOSTON, week)
        names = [periods.holiday_names(BOSTON, one.start, one.end) for one in (week, before)]
        assert names[0] == names[1] != ()


# --- what a count target stands for ------------------------------------------------------------


@pytest.mark.parametrize(
    ("per", "start", "end", "expected"),
    [
        ("open_day", date(2026, 3, 2), date(2026, 3, 9), 70.0),
        ("day", date(2026, 3, 2), date(2026, 3, 5), 30.0),
        ("week", date(2026, 3, 2), date(2026, 3, 9), 10.0),
        ("week", date(2026, 3, 2), date(2026, 3, 5), 30 / 7),
        ("week", date(2026, 3, 1), date(2026, 4, 1), 310 / 7),
        ("month", date(2026, 3, 1), date(2026, 4, 1), 10.0),
        ("month", date(2026, 2, 1), date(2026, 2, 15), 5.0),
        ("month", date(2026, 2, 22), date(2026, 3, 8), 10 * (7 / 28 + 7 / 31)),
        ("quarter", date(2026, 1, 1), date(2026, 4, 1), 10.0),
        ("quarter", date(2026, 3, 1), date(2026, 4, 1), 10 * 31 / 90),
        ("year", date(2024, 1, 1), date(2025, 1, 1), 10.0),
        ("year", date(2024, 2, 1), date(2024, 3, 1), 10 * 29 / 366),
    ],
)
def test_a_target_per_unit_is_spread_evenly_over_its_days(per, start, end, expected):
    assert periods.expected(PLAIN, per, "all", 10.0, span(start, end)) == pytest.approx(expected, rel=1e-12)


def test_a_whole_week_month_or_year_of_offices_is_expected_to_reach_its_target_exactly():
    for per, start, end in [
        ("week", date(2026, 5, 25), date(2026, 6, 1)),
        ("month", date(2026, 5, 1), date(2026, 6, 1)),
        ("quarter", date(2026, 4, 1), date(2026, 7, 1)),
        ("year", date(2026, 1, 1), date(2027, 1, 1)),
    ]:
        opened = [day for day in span(start, end) if business(day)]
        assert periods.expected(BOSTON, per, "business", 70.0, opened) == 70.0
        assert periods.expected(BOSTON, per, "business", 70.0, opened[:-1]) < 70.0


def test_a_day_not_open_adds_nothing_to_a_target_per_week():
    every = span(date(2026, 3, 2), date(2026, 3, 9))
    assert periods.expected(BOSTON, "week", "business", 70.0, every) == 70.0
    assert periods.expected(BOSTON, "week", "business", 70.0, every[5:]) == 0.0


def test_quarters_and_years_of_a_target_follow_the_fiscal_year():
    place = city(holiday_country=None, holiday_subdivision=None, fiscal_year_start=2)
    quarter = span(date(2026, 2, 1), date(2026, 5, 1))
    assert periods.expected(place, "quarter", "all", 89.0, quarter) == 89.0
    assert periods.expected(place, "quarter", "all", 89.0, quarter[:1]) == 1.0
    assert periods.expected(place, "year", "all", 365.0, span(date(2023, 12, 1), date(2024, 1, 1))) == 31.0
    assert periods.expected(place, "year", "all", 366.0, span(date(2024, 2, 1), date(2024, 3, 1))) == 29.0


def test_weeks_of_a_target_begin_where_the_citys_weeks_begin():
    place = city(week_start="sunday")
    storm = Closure(date(2026, 3, 1), date(2026, 3, 1), "storm", "all")
    days_of_both = span(date(2026, 3, 2), date(2026, 3, 8))
    closed_on_sunday = periods.expected(
        city(week_start="sunday", closures=(storm,)), "week", "all", 42.0, days_of_both
    )
    assert closed_on_sunday == 42.0
    assert periods.expected(place, "week", "all", 42.0, days_of_both) == 36.0


def test_no_days_stand_for_nothing():
    assert periods.expected(BOSTON, "week", "business", 70.0, []) == 0.0
    assert periods.expected(BOSTON, "open_day", "business", 70.0, []) == 0.0
