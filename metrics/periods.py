"""The calendar of a city: days and periods, working calendars and holidays, and the days of a baseline."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from metrics.model import City, Grain, Period

Calendar = Literal["all", "business", "school"]
Per = Literal["open_day", "day", "week", "month", "quarter", "year"]
Range = tuple[date, date]

WORKDAY_EPOCH = date(2000, 1, 1)
"""Business days are numbered from here; days before it have numbers of 0 and below."""

DAY_BASELINE = 8
DAY_BASELINE_LEAST = 6
DAY_BASELINE_WEEKS = 26
"""How many same weekdays a day is compared with, how few will do, and how many weeks back they may lie."""

POOLED = {Grain.DAY: DAY_BASELINE, Grain.WEEK: 3, Grain.MONTH: 3, Grain.QUARTER: 3}
"""How many periods a target from the past is pooled from."""

SCHOOL_SUMMER = (7, 8)
"""The months in which the school calendar is closed; other school holidays are closures of the city."""

COMPARISON_DAYS = 14
LONGEST_CLOSURE = 366
"""How many days back a composite's day of comparison, and a metric's previous open day, may lie."""

LOCAL_HOLIDAY = "local holiday"
"""The name of a holiday that the city lists itself, where only its date is known."""

_OBSERVED = re.compile(r" \((?:observed|estimated|observed, estimated)\)$")
_MONDAY, _SUNDAY, _SATURDAY = 0, 6, 5
DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_YEAR_OF_WEEKS = timedelta(weeks=52)
_CLOSING_CALENDARS: dict[str, set[str]] = {
    "all": {"all"},
    "business": {"all", "business"},
    "school": {"all", "business", "school"},
}


# --- instants ----------------------------------------------------------------------------------


def beginning(city: City, text: str) -> datetime:
    """The instant that a text of the store stands for: itself, or of a day when it begins in the city."""
    if len(text) == len("YYYY-MM-DD"):
        return local_midnight(city, date.fromisoformat(text))
    return datetime.fromisoformat(text)


def local_midnight(city: City, day: date) -> datetime:
    """The instant (aware, UTC) at which `day` begins in the city.

    Where the clocks skip midnight it is the first instant whose local date is `day` or later; where
    midnight happens twice it is the first one.
    """
    return _midnight(city.time_zone, day)


def local_day(city: City, instant: datetime) -> date:
    """The date on the city's calendars at `instant`. ValueError for an instant without a time zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone; give an aware instant, for example in UTC")
    return instant.astimezone(ZoneInfo(city.time_zone)).date()


def instant_at(city: City, day: date, hour: int) -> datetime:
    """The instant (aware, UTC) at which the city's clocks show `hour` o'clock on `day`.

    An hour that is skipped counts as the same time after midnight as on other days; one that happens
    twice is the first. ValueError for an hour outside 0 to 23.
    """
    if hour == 0:
        return local_midnight(city, day)
    return datetime.combine(day, time(hour), ZoneInfo(city.time_zone)).astimezone(UTC)


# --- periods -----------------------------------------------------------------------------------


def period_of(city: City, grain: Grain, day: date) -> Period:
    """The period whose last part contains `day`.

    Weeks begin on city.week_start. A trailing quarter is the three complete months ending with the
    month of `day`; calendar quarters are counted from city.fiscal_year_start.
    """
    grain = Grain(grain)
    if grain is Grain.DAY:
        return Period(grain, day, day + DAY)
    if grain is Grain.WEEK:
        start = _week_start(city, day)
        return Period(grain, start, start + _WEEK)
    month = day.replace(day=1)
    if grain is Grain.MONTH:
        return Period(grain, month, _months_later(month, 1))
    if city.quarter == "trailing":
        return Period(grain, _months_later(month, -2), _months_later(month, 1))
    start = _unit_start(city, "quarter", day)
    return Period(grain, start, _months_later(start, 3))


def periods(city: City, grain: Grain, first: date, end: date) -> list[Period]:
    """All complete periods with start >= `first` and end <= `end`, in order.

    Trailing quarters overlap: there is one for every end of a month.
    """
    return list(_periods(city, grain, first, end))


@lru_cache(maxsize=16384)
def before(city: City, period: Period) -> Period:
    """The period of the same grain just before, without overlap: for any quarter, three months earlier."""
    if period.grain is Grain.QUARTER:
        return Period(period.grain, _months_later(period.start, -3), period.start)
    return period_of(city, period.grain, period.start - DAY)


def year_before(city: City, period: Period) -> Period:
    """The period of the same grain a year earlier, comparable in its days.

    A day and a week are those of 52 weeks before, a week moved by one where only that brings the same
    holidays; a month and a quarter are those of twelve months before.
    """
    if period.grain is Grain.DAY:
        start, end = period.start - _YEAR_OF_WEEKS, period.end - _YEAR_OF_WEEKS
    elif period.grain is Grain.WEEK:
        start, end = _aligned_week(city, period.start, 1)
    else:
        start, end = _years_earlier(period, 1)
    return Period(period.grain, start, end)


# --- working calendars -------------------------------------------------------------------------


def is_open(city: City, calendar: Calendar, day: date) -> bool:
    """Whether `calendar` is open on `day`.

    all: every day but closures of `all`. business: Monday to Friday less public holidays, the city's
    own holidays and closures of `business` or `all`. school: business days less July and August and
    closures of `school`. ValueError for a country or subdivision whose holidays are not known.
    """
    return bool(_open_year(city, calendar, day.year)[_day_of_year(day)])


def open_days(city: City, calendar: Calendar, start: date, end: date) -> int:
    """How many days of [start, end) are open."""
    return int(np.count_nonzero(open_mask(city, calendar, start, end)))


def open_mask(city: City, calendar: Calendar, start: date, end: date) -> NDArray[np.bool_]:
    """Whether each day of [start, end) is open: shape (days,), the caller's own copy."""
    if end <= start:
        return np.zeros(0, dtype=np.bool_)
    last = end - DAY
    years = [_open_year(city, calendar, year) for year in range(start.year, last.year + 1)]
    offset = _day_of_year(start)
    return np.concatenate(years)[offset : offset + (end - start).days]


def workday_numbers(city: City, first: date, end: date) -> list[tuple[date, int]]:
    """Each day of [first, end) with the business days passed since WORKDAY_EPOCH up to and including it.

    The difference of two numbers is the number of business days after the first day up to the second.
    """
    passed = open_days(city, "business", WORKDAY_EPOCH, first) - open_days(
        city, "business", first, WORKDAY_EPOCH
    )
    numbers = passed + np.cumsum(open_mask(city, "business", first, end))
    return [(first + timedelta(days=index), int(number)) for index, number in enumerate(numbers)]


def holiday_names(city: City, start: date, end: date) -> tuple[str, ...]:
    """The names, in English, of the holidays in [start, end) in order of day, each name once.

    A day on which a holiday is only observed bears the name of the holiday itself. The city's own
    holidays have no name but LOCAL_HOLIDAY. ValueError for a country or subdivision not known.
    """
    years = range(start.year, end.year + 1)
    named = [(day, name) for year in years for day, name in _holidays_of(city, year) if start <= day < end]
    return tuple(dict.fromkeys(name for _, name in named))


# --- days of comparison ------------------------------------------------------------------------


@lru_cache(maxsize=16384)
def previous_open_day(city: City, calendar: Calendar, day: date) -> date | None:
    """The latest open day before `day`; None where the LONGEST_CLOSURE days before it have none."""
    earlier = (day - timedelta(days=back) for back in range(1, LONGEST_CLOSURE + 1))
    return next((one for one in earlier if is_open(city, calendar, one)), None)


@lru_cache(maxsize=16384)
def comparison_day(city: City, day: date, open_now: frozenset[Calendar]) -> date | None:
    """The day a composite of `day` is compared with (method 8).

    The latest of the COMPARISON_DAYS days before on which every calendar of `open_now`, those open on
    `day`, was open too; None where there is none.
    """
    earlier = (day - timedelta(days=back) for back in range(1, COMPARISON_DAYS + 1))
    return next((one for one in earlier if all(is_open(city, calendar, one) for calendar in open_now)), None)


def baseline_days(
    city: City,
    period: Period,
    is_usable: Callable[[date], bool],
    is_open_day: Callable[[date], bool] = lambda _: True,
    *,
    years: int = POOLED[Grain.WEEK],
) -> tuple[Range, ...] | None:
    """The half-open ranges a historical target of `period` is pooled from, oldest first (method 4).

    `is_usable` says whether the facts of a day can be used (they are known); `is_open_day` which days
    the metric is open on. day: the 8 previous usable open days of the same weekday, at least 6, looking
    back at most 26 weeks. week: for k = 1..years the week starting 364 k days earlier, or of it and its
    two neighbours the nearest with the same holidays (the earlier of two as near: it lies nearer to the
    same date); where none has them, the unshifted one. month, quarter: the same months of the `years`
    years before. Of those three every open day must be usable, and at least one day be open.
    None where there are fewer. The scored period is never among them.
    """
    if period.grain is Grain.DAY:
        return _weekdays_before(period.start, lambda day: is_open_day(day) and is_usable(day))
    if period.grain is Grain.WEEK:
        ranges = [_aligned_week(city, period.start, back) for back in range(1, years + 1)]
    else:
        ranges = [_years_earlier(period, back) for back in range(1, years + 1)]
    if not all(_is_whole(one, is_usable, is_open_day) for one in ranges):
        return None
    return tuple(sorted(ranges))


def expected(city: City, per: Per, calendar: Calendar, rate: float, days: Iterable[date]) -> float:
    """What a count target of `rate` stands for over `days`, the open known days of a period (method 4).

    open_day, day: `rate` for each day. week, month, quarter, year: `rate` spread evenly over the days
    of that unit on which `calendar` is open, so that a whole unit is expected to reach exactly `rate`
    (on the calendar `all` without closures: a seventh of a weekly rate a day); days not open add
    nothing. Quarters and years are counted from city.fiscal_year_start.
    """
    if per in ("open_day", "day"):
        return rate * sum(1 for _ in days)
    opened = sorted(day for day in days if is_open(city, calendar, day))
    units = groupby(opened, key=lambda day: _unit_start(city, per, day))
    return rate * math.fsum(
        sum(1 for _ in given) / _open_days_of_unit(city, per, calendar, start) for start, given in units
    )


# --- inside ------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _periods(city: City, grain: Grain, first: date, end: date) -> tuple[Period, ...]:
    found = []
    period = period_of(city, grain, first)
    while period.end <= end:
        if period.start >= first:
            found.append(period)
        period = period_of(city, grain, period.end)
    return tuple(found)


@lru_cache(maxsize=65536)
def _midnight(time_zone: str, day: date) -> datetime:
    zone = ZoneInfo(time_zone)
    by_offset_before = datetime.combine(day, time(), zone).astimezone(UTC)
    by_offset_after = datetime.combine(day, time(fold=1), zone).astimezone(UTC)
    if by_offset_before <= by_offset_after:
        return by_offset_before
    return _first_instant_of(zone, day, by_offset_after, by_offset_before)


def _first_instant_of(zone: ZoneInfo, day: date, low: datetime, high: datetime) -> datetime:
    """Where midnight is skipped, the clocks changed in (low, high]: halve it down to the second."""
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).date() >= day:
            high = middle
        else:
            low = middle
    return high


def _months_later(month: date, months: int) -> date:
    years, index = divmod(month.month - 1 + months, 12)
    return date(month.year + years, index + 1, 1)


def _week_start(city: City, day: date) -> date:
    first_weekday = _SUNDAY if city.week_start == "sunday" else _MONDAY
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)


def _day_of_year(day: date) -> int:
    return day.toordinal() - date(day.year, 1, 1).toordinal()


@lru_cache(maxsize=4096)
def _open_year(city: City, calendar: Calendar, year: int) -> NDArray[np.bool_]:
    first = date(year, 1, 1)
    length = (date(year + 1, 1, 1) - first).days
    mask = np.ones(length, dtype=np.bool_)
    if calendar != "all":
        mask[(np.arange(length) + first.weekday()) % 7 >= _SATURDAY] = False
        mask[[_day_of_year(day) for day, _ in _holidays_of(city, year)]] = False
    if calendar == "school":
        for month in SCHOOL_SUMMER:
            mask[_day_of_year(date(year, month, 1)) : _day_of_year(date(year, month + 1, 1))] = False
    for closure in city.closures:
        if closure.calendar in _CLOSING_CALENDARS[calendar]:
            from_index, to_index = ((day - first).days for day in (closure.from_day, closure.to_day))
            mask[max(from_index, 0) : max(to_index + 1, 0)] = False
    mask.flags.writeable = False
    return mask


@lru_cache(maxsize=1024)
def _holidays_of(city: City, year: int) -> tuple[tuple[date, str], ...]:
    named = {(day, LOCAL_HOLIDAY) for day in city.holidays if day.year == year}
    if city.holiday_country is not None:
        named.update(_public_holidays(city.holiday_country, city.holiday_subdivision, year))
    return tuple(sorted(named))


@lru_cache(maxsize=1024)
def _public_holidays(country: str, subdivision: str | None, year: int) -> tuple[tuple[date, str], ...]:
    from holidays import country_holidays  # slow to import, and many a command asks no calendar

    try:
        known = country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    except NotImplementedError as error:
        place = country if subdivision is None else f"{country} with subdivision {subdivision}"
        raise ValueError(
            f"no holidays are known for {place}; correct holiday_country and holiday_subdivision in"
            " city.toml, or leave them out and list the days as holidays"
        ) from error
    return tuple(
        (day, _without_observed(name))
        for day, names in known.items()
        if day.year == year
        for name in names.split("; ")
    )


def _without_observed(name: str) -> str:
    return _OBSERVED.sub("", name)


def _weekdays_before(day: date, is_usable: Callable[[date], bool]) -> tuple[Range, ...] | None:
    earlier = (day - timedelta(weeks=back) for back in range(1, DAY_BASELINE_WEEKS + 1))
    found: list[Range] = []
    for one in earlier:
        if is_usable(one):
            found.append((one, one + DAY))
        if len(found) == DAY_BASELINE:
            break
    return tuple(reversed(found)) if len(found) >= DAY_BASELINE_LEAST else None


@lru_cache(maxsize=8192)
def _aligned_week(city: City, start: date, years: int) -> Range:
    wanted = set(holiday_names(city, start, start + _WEEK))
    unshifted = start - years * _YEAR_OF_WEEKS
    for candidate in (unshifted, unshifted - _WEEK, unshifted + _WEEK):
        if set(holiday_names(city, candidate, candidate + _WEEK)) == wanted:
            return candidate, candidate + _WEEK
    return unshifted, unshifted + _WEEK


def _years_earlier(period: Period, years: int) -> Range:
    return _months_later(period.start, -12 * years), _months_later(period.end, -12 * years)


def _is_whole(days: Range, is_usable: Callable[[date], bool], is_open_day: Callable[[date], bool]) -> bool:
    start, end = days
    every = (start + timedelta(days=index) for index in range((end - start).days))
    opened = [day for day in every if is_open_day(day)]
    return bool(opened) and all(is_usable(day) for day in opened)


def _unit_start(city: City, per: Per, day: date) -> date:
    if per == "week":
        return _week_start(city, day)
    month = day.replace(day=1)
    if per == "month":
        return month
    length = 3 if per == "quarter" else 12
    return _months_later(month, -((day.month - city.fiscal_year_start) % length))


def _open_days_of_unit(city: City, per: Per, calendar: Calendar, start: date) -> int:
    if per == "week":
        return open_days(city, calendar, start, start + _WEEK)
    months = {"month": 1, "quarter": 3, "year": 12}[per]
    return open_days(city, calendar, start, _months_later(start, months))
