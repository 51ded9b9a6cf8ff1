"""Work of the town's offices: permits, food inspections, park checks, water samples, surveys."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta

from ingest.sources.simulation import planted
from ingest.sources.simulation.dice import STANDARD_NORMAL, Dice, Wheel
from ingest.sources.simulation.life import Later, Life, Stream, at_once
from ingest.sources.simulation.town import (
    RESIDENTS,
    district,
    is_working_day,
    moment,
    stamp,
    working_day_after,
)

OFFICE_HOURS = Wheel((0, 0, 0, 0, 0, 0, 0, 0, 4, 14, 16, 14, 9, 13, 14, 11, 5, 0, 0, 0, 0, 0, 0, 0))
PORTAL_HOURS = Wheel((1, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 4, 9, 12, 12, 11, 9, 10, 10, 9, 7, 4, 3, 3, 3, 3, 2, 2))

PERMIT_COLUMNS = ("permit_number", "kind", "district", "applied_at", "due_at", "decided_at", "decision")
PERMIT_WEEKDAYS = (13.5, 12.5, 12.0, 12.0, 10.5, 1.5, 1.0)
PERMIT_KINDS = ("Alteration", "Electrical", "Plumbing", "New building", "Sign", "Demolition")
PERMIT_KIND_WHEEL = Wheel((36, 24, 18, 10, 8, 4))
PERMIT_WORKING_DAYS = 15
PERMIT_ON_TIME, PERMIT_SPREAD, PERMIT_LONGEST = 0.91, 0.5, 80
PERMIT_DECISIONS = ("Issued", "Refused", "Withdrawn")
PERMIT_DECISION_WHEEL = Wheel((90, 6, 4))
CLOSING_HOUR = 17.0

FOOD_COLUMNS = ("inspection_id", "district", "inspected_at", "result", "follow_up_due_at", "followed_up_at")
FOOD_PER_WORKING_DAY = 8.2
FOOD_FAILS = 0.2
FOLLOW_UP_DAYS, FOLLOW_UP_ON_TIME, FOLLOW_UP_SPREAD, FOLLOW_UP_LONGEST = 14, 0.87, 0.55, 60.0

PARK_COLUMNS = ("check_id", "park", "district", "checked_at", "passed")
PARKS = {
    "Harbor Green": "Old Harbor",
    "Millrace Walk": "Millrace",
    "Elm Park": "Elm Park",
    "Orchard Hill Playground": "Orchard Hill",
    "Quarry Lake": "Quarry Heights",
    "Tannery Field": "Tannery Flats",
    "Northgate Common": "Northgate",
    "Southfield Oval": "Southfield",
    "Lighthouse Beach": "Lighthouse Point",
    "Gull Island Shore": "Gull Island",
}
PARK_CHECKS_PER_WORKING_DAY = 6
PARK_PASSES = 0.915

WATER_COLUMNS = ("sample_id", "point", "sampled_at", "chlorine_mg", "litres")
WATER_POINTS = ("Reservoir", "Northgate main", "Foundry Row main", "Harbor main", "Gull Island main")
WATER_CHLORINE, WATER_SPREAD, WATER_LITRES = 0.98, 0.22, 0.5

SURVEY_COLUMNS = ("answer_id", "district", "channel", "answered_at", "rating")
SURVEY_PER_DAY = 6.5
SURVEY_WHEEL = Wheel((5, 7, 14, 28, 46))
SURVEY_CHANNELS = ("E-mail", "Text message")


def permit_day(dice: Dice, today: date) -> Iterator[Life]:
    """The permits applied for on a day, over the counter or on the portal."""
    expected = PERMIT_WEEKDAYS[today.weekday()] if is_working_day(today) else PERMIT_WEEKDAYS[-1]
    slowdown = planted.SHORTAGE_SLOWDOWN if planted.is_short_of_staff(today) else 1.0
    usual = PERMIT_WORKING_DAYS * math.exp(-PERMIT_SPREAD * STANDARD_NORMAL.inv_cdf(PERMIT_ON_TIME))
    for number in range(dice.poisson(expected)):
        _, spelled = district(dice, RESIDENTS)
        kind = PERMIT_KINDS[dice.pick(PERMIT_KIND_WHEEL)]
        applied = moment(today, PORTAL_HOURS.point(dice.uniform()))
        due = moment(working_day_after(today, PERMIT_WORKING_DAYS), CLOSING_HOUR)
        days = min(round(dice.lognormal(usual * slowdown, PERMIT_SPREAD)), PERMIT_LONGEST)
        decided = moment(working_day_after(today, max(1, days)), OFFICE_HOURS.point(dice.uniform()))
        decision = PERMIT_DECISIONS[dice.pick(PERMIT_DECISION_WHEEL)]
        cells = (f"BP{today:%Y%m%d}-{number:03d}", kind, spelled, stamp(applied), stamp(due))
        yield Life(applied, (*cells, Later(decided, stamp(decided)), Later(decided, decision)))


def food_day(dice: Dice, today: date) -> Iterator[Life]:
    """The kitchens inspected on a day, and when those that failed were seen again."""
    if not is_working_day(today):
        return
    usual = FOLLOW_UP_DAYS * math.exp(-FOLLOW_UP_SPREAD * STANDARD_NORMAL.inv_cdf(FOLLOW_UP_ON_TIME))
    for number in range(dice.poisson(FOOD_PER_WORKING_DAY)):
        _, spelled = district(dice, RESIDENTS)
        inspected = moment(today, OFFICE_HOURS.point(dice.uniform()))
        cells = (f"K{today:%Y%m%d}-{number:03d}", spelled, stamp(inspected))
        if not dice.happens(FOOD_FAILS):
            yield Life(inspected, (*cells, "Passed", None, None))
            continue
        days = min(dice.lognormal(usual, FOLLOW_UP_SPREAD), FOLLOW_UP_LONGEST)
        seen_on = working_day_after(today + timedelta(days=max(1, int(days))), 0)
        seen = moment(seen_on, OFFICE_HOURS.point(dice.uniform()))
        due = moment(today + timedelta(days=FOLLOW_UP_DAYS), CLOSING_HOUR)
        yield Life(inspected, (*cells, "Failed", stamp(due), Later(seen, stamp(seen))))


def park_day(dice: Dice, today: date) -> Iterator[Life]:
    """The parks checked on a day, in turn."""
    if not is_working_day(today):
        return
    parks = list(PARKS)
    for number in range(PARK_CHECKS_PER_WORKING_DAY):
        park = parks[(today.toordinal() * PARK_CHECKS_PER_WORKING_DAY + number) % len(parks)]
        checked = moment(today, OFFICE_HOURS.point(dice.uniform()))
        passed = "yes" if dice.happens(PARK_PASSES) else "no"
        yield Life(checked, (f"C{today:%Y%m%d}-{number:02d}", park, PARKS[park], stamp(checked), passed))


def water_day(dice: Dice, today: date) -> Iterator[Life]:
    """One sample of drinking water at each point of the network, every day."""
    for number, point in enumerate(WATER_POINTS):
        sampled = moment(today, dice.between(6.0, 14.0))
        found = f"{dice.lognormal(WATER_CHLORINE, WATER_SPREAD) * WATER_LITRES:.3f}"
        cells = (f"W{today:%Y%m%d}-{number}", point, stamp(sampled))
        yield Life(sampled, (*cells, found, str(WATER_LITRES)))


def survey_day(dice: Dice, today: date) -> Iterator[Life]:
    """The answers to "how did we do?" that come in on a day."""
    for number in range(dice.poisson(SURVEY_PER_DAY)):
        _, spelled = district(dice, RESIDENTS)
        channel = SURVEY_CHANNELS[dice.happens(0.4)]
        answered = moment(today, PORTAL_HOURS.point(dice.uniform()))
        rating = str(1 + dice.pick(SURVEY_WHEEL))
        yield Life(answered, (f"S{today:%Y%m%d}-{number:02d}", spelled, channel, stamp(answered), rating))


PERMITS = Stream(PERMIT_COLUMNS, permit_day, 130, at_once)
FOOD = Stream(FOOD_COLUMNS, food_day, 70, at_once)
PARK_CHECKS = Stream(PARK_COLUMNS, park_day, 1, at_once)
WATER = Stream(WATER_COLUMNS, water_day, 1, at_once)
SURVEY = Stream(SURVEY_COLUMNS, survey_day, 1, at_once)
