"""The invented town itself: its districts, its working days and its clock."""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from ingest.sources.simulation.dice import Dice, Wheel

ZONE = ZoneInfo("America/Chicago")
DAY = timedelta(days=1)
HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS
CALENDAR_YEARS = range(2015, 2061)
"""The years for which the town knows its holidays."""
YEAR_DAYS = 365.25
BEGINNING = date(2020, 1, 1)

NO_DISTRICT = 0.015
"""The share of records that name no district."""
OTHER_SPELLING = 0.06
"""The share of records that use another spelling of their district, where it has one."""

SCHOOL_BREAKS = (((1, 1), (1, 2)), ((3, 24), (3, 28)), ((6, 15), (8, 31)), ((12, 22), (12, 31)))
"""Each year's ranges (month, day) without school, both ends included, beside the holidays."""


@dataclass(frozen=True)
class Place:
    """A district: its name, other spellings in the records, people, and how readily they report."""

    name: str
    spellings: tuple[str, ...]
    people: int
    reporting: float


PLACES = (
    Place("Old Harbor", ("Old Harbour",), 9_400, 1.15),
    Place("Custom House", ("Customhouse",), 7_100, 1.25),
    Place("Foundry Row", ("Foundry Rd.",), 10_800, 0.95),
    Place("Millrace", ("Mill Race",), 8_900, 1.05),
    Place("Tannery Flats", ("Tannery Flat",), 11_600, 0.90),
    Place("Saint Brendan", ("St. Brendan", "St Brendan"), 9_700, 1.00),
    Place("Orchard Hill", (), 8_300, 1.20),
    Place("Northgate", ("North Gate",), 12_400, 0.95),
    Place("Quarry Heights", ("Quarry Hts",), 10_200, 0.90),
    Place("Elm Park", (), 9_100, 1.10),
    Place("University", ("University District",), 8_600, 1.10),
    Place("Southfield", ("South Field",), 11_300, 0.95),
    Place("Lighthouse Point", ("Lighthouse Pt",), 6_900, 1.05),
    Place("Gull Island", ("Gull Is.",), 3_700, 1.00),
)
RESIDENTS = Wheel([place.people for place in PLACES])
REPORTERS = Wheel([place.people * place.reporting for place in PLACES])


def district(dice: Dice, wheel: Wheel) -> tuple[str, str | None]:
    """Where something happens: the district's name, and how the record spells it (None: not at all)."""
    place = PLACES[dice.pick(wheel)]
    spelled = dice.uniform()
    if spelled < NO_DISTRICT:
        return place.name, None
    if place.spellings and spelled > 1.0 - OTHER_SPELLING:
        return place.name, place.spellings[dice.pick(Wheel([1.0] * len(place.spellings)))]
    return place.name, place.name


# --- the calendar ------------------------------------------------------------------------------


@cache
def is_working_day(day: date) -> bool:
    """Whether the town's offices work: Monday to Friday, no federal holiday."""
    return day.weekday() < 5 and day not in _federal_holidays()


@cache
def is_school_day(day: date) -> bool:
    """Whether the town's schools teach."""
    return is_working_day(day) and not _is_school_break(day)


@cache
def working_day_after(day: date, working_days: int) -> date:
    """The working day that comes this many working days after `day`; 0 gives `day` or the next one."""
    days = _working_days()
    start = bisect_left(days, day)
    if working_days and is_working_day(day):
        return days[start + working_days]
    return days[start + max(0, working_days - 1)]


def season(day: date, peak: tuple[int, int], amplitude: float) -> float:
    """A yearly wave around 1: highest on `peak` (month, day), by `amplitude`."""
    turn = (day - date(day.year, *peak)).days / YEAR_DAYS
    return 1.0 + amplitude * math.cos(2.0 * math.pi * turn)


def trend(day: date, yearly: float) -> float:
    """A steady growth (or fall, below 0) by a share of itself every year: 1 when the town begins."""
    return (1.0 + yearly) ** ((day - BEGINNING).days / YEAR_DAYS)


# --- the clock ---------------------------------------------------------------------------------


@cache
def midnight(day: date) -> int:
    """The instant, in seconds since 1970, at which a local day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())


def moment(day: date, hour: float) -> int:
    """The instant of a local clock time, also on the two days a year when clocks change."""
    seconds = int(hour * HOUR_SECONDS)
    if midnight(day + DAY) - midnight(day) == DAY_SECONDS:
        return midnight(day) + seconds
    clock = (datetime.min + timedelta(seconds=seconds)).time()
    return int(datetime.combine(day, clock, tzinfo=ZONE).timestamp())


def local_day(instant: int) -> date:
    """The local day on which an instant falls."""
    return datetime.fromtimestamp(instant, ZONE).date()


def local_hour(instant: int) -> tuple[date, float]:
    """The local day of an instant and how many hours into it."""
    day = local_day(instant)
    return day, (instant - midnight(day)) / HOUR_SECONDS


def stamp(instant: int) -> str:
    """An instant as a record writes it: UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant))


def _is_school_break(day: date) -> bool:
    after_thanksgiving = day.month == 11 and 23 <= day.day <= 29 and day.weekday() == 4
    return after_thanksgiving or any(first <= (day.month, day.day) <= last for first, last in SCHOOL_BREAKS)


@cache
def _federal_holidays() -> frozenset[date]:
    return frozenset(holidays.country_holidays("US", years=CALENDAR_YEARS))


@cache
def _working_days() -> list[date]:
    first, last = date(CALENDAR_YEARS[0], 1, 1), date(CALENDAR_YEARS[-1], 12, 31)
    every = (first + timedelta(days=count) for count in range((last - first).days + 1))
    return [day for day in every if is_working_day(day)]
