"""Daily and hourly counts: calls to 311, library branches, schools, ferries, trash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from ingest.sources.simulation import planted
from ingest.sources.simulation.dice import Dice
from ingest.sources.simulation.life import Life, Stream
from ingest.sources.simulation.town import (
    DAY,
    PLACES,
    is_school_day,
    is_working_day,
    local_day,
    midnight,
    moment,
    season,
    stamp,
    trend,
)

NIGHT_EXPORT_HOUR = 2.25
MONDAY, FRIDAY, SATURDAY = 0, 4, 5

CALL_COLUMNS = ("tally_id", "started_at", "reported_at", "calls_offered", "calls_answered", "answered_in_30s")
CALL_HOURS = {7: 14, 8: 34, 9: 44, 10: 46, 11: 42, 12: 38, 13: 38, 14: 36, 15: 34, 16: 30, 17: 20, 18: 12}
CALL_WEEKDAYS = (1.3, 1.12, 1.05, 1.05, 1.02, 0.78, 0.68)
CALL_SHARE, MONDAY_SHARE, CALL_NOISE = 0.80, -0.05, 0.02
CALL_STORM_SHARE = -0.30
CALLS_REPORTED_AFTER = 600
ANSWERED = 0.96

LIBRARY_COLUMNS = (
    "count_id",
    "branch",
    "district",
    "counted_on",
    "reported_at",
    "visits",
    "hours_planned",
    "hours_open",
)
BRANCHES = {
    "Central": ("Custom House", 720),
    "Elm Park": ("Elm Park", 330),
    "Foundry Row": ("Foundry Row", 240),
    "Lighthouse Point": ("Lighthouse Point", 150),
    "Northgate": ("Northgate", 310),
    "Saint Brendan": ("Saint Brendan", 260),
    "Southfield": ("Southfield", 290),
    "Tannery Flats": ("Tannery Flats", 220),
}
BRANCH_HOURS = (10, 10, 10, 10, 9, 7, 4)
VISIT_NOISE, VISIT_TREND = 0.10, 0.02
SHORT_DAY = 0.07
SHORT_BY = (1.0, 6.0)
STORM_HOURS = 0.4

SCHOOL_COLUMNS = ("count_id", "school", "district", "counted_on", "reported_at", "enrolled", "present")
SCHOOLS = {
    "Custom House Elementary": ("Custom House", 410),
    "Elm Park Elementary": ("Elm Park", 520),
    "Foundry Row Elementary": ("Foundry Row", 480),
    "Lake High": ("Southfield", 1240),
    "Millrace Elementary": ("Millrace", 390),
    "Northgate High": ("Northgate", 1180),
    "Quarry Middle": ("Quarry Heights", 640),
    "Saint Brendan Middle": ("Saint Brendan", 610),
    "Southfield Elementary": ("Southfield", 560),
    "Tannery Flats Elementary": ("Tannery Flats", 500),
}
PRESENT, THIN_DAY, ICE_DIP, PRESENT_NOISE = 0.938, -0.010, -0.12, 0.006

FERRY_COLUMNS = (
    "count_id",
    "route",
    "sailed_on",
    "reported_at",
    "trips_planned",
    "trips_run",
    "trips_on_time",
)
ROUTES = {
    "Harbor Loop": 20,
    "Old Harbor - Gull Island": 24,
    "Old Harbor - Lighthouse Point": 18,
    "Southfield Pier - Gull Island": 14,
}
FERRY_RUNS, FERRY_ON_TIME = 0.99, 0.936
FERRY_STORM_RUNS, FERRY_STORM_ON_TIME = -0.6, -0.3


COLLECTION_COLUMNS = ("count_id", "district", "collected_on", "reported_at", "stops_planned", "stops_made")
COLLECTION_WEEKDAYS = 5
PEOPLE_PER_STOP = 2.4
MISSED, MISSED_NOISE, MISSED_STORM = 0.015, 0.30, 0.20


def call_day(dice: Dice, today: date) -> Iterator[Life]:
    """One tally for each hour in which the 311 line is open."""
    mean = CALL_WEEKDAYS[today.weekday()] * (1.0 + planted.storm(today))
    share = CALL_SHARE + (MONDAY_SHARE if today.weekday() == MONDAY else 0.0) + CALL_NOISE * dice.normal()
    share += CALL_STORM_SHARE * planted.storm(today)
    for hour, calls in CALL_HOURS.items():
        offered = dice.poisson(calls * mean)
        answered = dice.binomial(offered, ANSWERED)
        quick = min(answered, dice.binomial(offered, share))
        started = moment(today, hour)
        reported = moment(today, hour + 1) + CALLS_REPORTED_AFTER
        cells = (f"{today:%Y%m%d}-{hour:02d}", stamp(started), stamp(reported))
        yield Life(reported, (*cells, str(offered), str(answered), str(quick)))


def library_day(dice: Dice, today: date) -> Iterator[Life]:
    """Visits and opening hours of each branch; Sunday hours on holidays."""
    weekday = today.weekday() if is_working_day(today) or today.weekday() >= SATURDAY else 6
    planned = BRANCH_HOURS[weekday]
    busy = planned / max(BRANCH_HOURS) * trend(today, VISIT_TREND) * season(today, (2, 15), 0.06)
    reported = _night_export(planted.heard_on(today + DAY))
    for number, (branch, (place, visits)) in enumerate(BRANCHES.items()):
        hours = float(planned)
        if dice.happens(SHORT_DAY):
            hours -= min(hours, round(dice.between(*SHORT_BY)))
        hours *= 1.0 - STORM_HOURS * planted.storm(today)
        people = dice.poisson(visits * busy * hours / planned * dice.lognormal(1.0, VISIT_NOISE))
        cells = (f"L{today:%Y%m%d}-{number}", branch, place, today.isoformat(), stamp(reported))
        yield Life(reported, (*cells, str(people), str(planned), f"{hours:g}"))


def school_day(dice: Dice, today: date) -> Iterator[Life]:
    """Who was enrolled and who was there, school by school, on school days."""
    if not is_school_day(today):
        return
    share = PRESENT + (THIN_DAY if today.weekday() in (MONDAY, FRIDAY) else 0.0)
    share += ICE_DIP * planted.ice(today) + PRESENT_NOISE * dice.normal()
    reported = _night_export(today + DAY)
    for number, (school, (place, enrolled)) in enumerate(SCHOOLS.items()):
        present = dice.binomial(enrolled, share)
        cells = (f"A{today:%Y%m%d}-{number}", school, place, today.isoformat(), stamp(reported))
        yield Life(reported, (*cells, str(enrolled), str(present)))


def ferry_day(dice: Dice, today: date) -> Iterator[Life]:
    """Trips planned, run and on time, route by route; more of them in summer."""
    wind = planted.storm(today)
    reported = _night_export(today + DAY)
    for number, (route, trips) in enumerate(ROUTES.items()):
        planned = round(trips * season(today, (7, 25), 0.2))
        run = dice.binomial(planned, FERRY_RUNS + FERRY_STORM_RUNS * wind)
        on_time = dice.binomial(run, FERRY_ON_TIME + FERRY_STORM_ON_TIME * wind)
        cells = (f"F{today:%Y%m%d}-{number}", route, today.isoformat(), stamp(reported))
        yield Life(reported, (*cells, str(planned), str(run), str(on_time)))


def collection_day(dice: Dice, today: date) -> Iterator[Life]:
    """Stops of the trash trucks: every district has its weekday from Monday to Friday."""
    reported = _night_export(today + DAY)
    for number, place in enumerate(PLACES):
        if number % COLLECTION_WEEKDAYS != today.weekday():
            continue
        stops = round(place.people / PEOPLE_PER_STOP)
        missed = dice.lognormal(MISSED, MISSED_NOISE) + MISSED_STORM * planted.storm(today)
        made = dice.binomial(stops, 1.0 - missed)
        cells = (f"T{today:%Y%m%d}-{number:02d}", place.name, today.isoformat(), stamp(reported))
        yield Life(reported, (*cells, str(stops), str(made)))


def _night_export(day: date) -> int:
    return moment(day, NIGHT_EXPORT_HOUR)


def _by_night(heard_on: Callable[[date], date]) -> Callable[[int], int]:
    """The freshness of a source that speaks once a night: the midnight before its last export."""

    def fresh(instant: int) -> int:
        day = local_day(instant)
        while heard_on(day) != day or _night_export(day) >= instant:
            day -= timedelta(days=1)
        return midnight(day)

    return fresh


def _every_night(day: date) -> date:
    return day


def _by_hour(instant: int) -> int:
    return instant - CALLS_REPORTED_AFTER


CALLS = Stream(CALL_COLUMNS, call_day, 1, _by_hour)
LIBRARY = Stream(LIBRARY_COLUMNS, library_day, 11, _by_night(planted.heard_on))
SCHOOL = Stream(SCHOOL_COLUMNS, school_day, 2, _by_night(_every_night))
COLLECTION = Stream(COLLECTION_COLUMNS, collection_day, 2, _by_night(_every_night))
FERRY = Stream(FERRY_COLUMNS, ferry_day, 2, _by_night(_every_night))
