"""How days, periods and instants are written."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_interval, format_skeleton, format_time

from layouts.formats.language import locale
from metrics.model import City, Grain, Period

_DAY = timedelta(days=1)


def day(given: date) -> str:
    """A day, like `Nov 21, 2026`."""
    return format_date(given, "medium", locale=locale())


def long_day(given: date) -> str:
    """A day with its weekday, like `Saturday, November 21, 2026`."""
    return format_date(given, "full", locale=locale())


def period(given: Period) -> str:
    """A period in full: a weekday and date, the first and last day of a week, a month, a range of months."""
    if given.grain is Grain.DAY:
        return long_day(given.start)
    if given.grain is Grain.MONTH:
        return format_skeleton("yMMMM", given.start, locale=locale())
    skeleton = "yMMMd" if given.grain is Grain.WEEK else "yMMM"
    return _interval(given, skeleton)


def short_period(given: Period) -> str:
    """A period as a row header or the name of a column."""
    if given.grain is Grain.DAY:
        return format_skeleton("yMMMEd", given.start, locale=locale())
    if given.grain is Grain.MONTH:
        return format_skeleton("yMMM", given.start, locale=locale())
    return _interval(given, "yMMMd" if given.grain is Grain.WEEK else "yMMM")


def tick(given: date, by_year: bool) -> str:
    """A date beside an axis: a day, or over a long time a month with its year."""
    return format_skeleton("yMMM" if by_year else "MMMd", given, locale=locale())


def instant(given: datetime, city: City) -> str:
    """An instant on the city's clocks, like `Nov 22, 2026, 5:10 AM`."""
    local = given.astimezone(ZoneInfo(city.time_zone))
    return _plain_spaces(f"{day(local.date())}, {format_time(local, 'short', locale=locale())}")


def _interval(given: Period, skeleton: str) -> str:
    """From the first to the last day that belong to the period: `end` itself does not."""
    return _plain_spaces(format_interval(given.start, given.end - _DAY, skeleton, locale=locale()))


def _plain_spaces(text: str) -> str:
    """Thin spaces of the locale data as ordinary ones: some fonts have no glyph for them."""
    return text.replace("\N{THIN SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")
