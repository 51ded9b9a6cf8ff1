"""Calls for help: ambulances, fire engines and police, each with the clock of its first crew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ingest.sources.simulation import planted
from ingest.sources.simulation.dice import Dice, Wheel
from ingest.sources.simulation.life import Later, Life, Stream, at_once
from ingest.sources.simulation.town import RESIDENTS, district, moment, season, stamp, trend

SETTLES = 2
SUMMER, WINTER = (7, 20), (1, 20)

AMBULANCE_COLUMNS = ("incident_id", "kind", "district", "called_at", "arrived_at")
AMBULANCE_PER_DAY = 28.0
AMBULANCE_HOURS = Wheel((5, 4, 4, 3, 3, 3, 4, 6, 8, 9, 10, 10, 10, 10, 10, 10, 10, 11, 11, 10, 9, 8, 7, 6))
AMBULANCE_KINDS = ("Emergency", "Urgent", "Transfer")
AMBULANCE_KIND_WHEEL = Wheel((62, 14, 24))
AMBULANCE_MINUTES = {"Emergency": (5.55, 0.37), "Urgent": (9.0, 0.45), "Transfer": (24.0, 0.5)}
NOT_STAMPED = 0.02
"""The share of ambulance arrivals for which nobody pressed the button."""

FIRE_COLUMNS = ("incident_id", "kind", "district", "called_at", "first_engine_at")
FIRE_PER_DAY = 8.0
FIRE_KINDS = ("Alarm", "Medical help", "Rescue", "Building fire", "Other fire")
FIRE_MINUTES = (4.15, 0.185)

POLICE_COLUMNS = ("report_id", "kind", "priority", "district", "reported_at", "arrived_at")
POLICE_PER_DAY = 21.5
POLICE_HOURS = Wheel((9, 8, 7, 5, 4, 3, 3, 4, 6, 7, 8, 8, 9, 9, 9, 10, 10, 11, 11, 11, 11, 11, 10, 10))
POLICE_KINDS = {
    "Assault": (2.4, "1"),
    "Robbery": (0.5, "1"),
    "Homicide": (0.03, "1"),
    "Burglary": (1.5, "2"),
    "Theft": (6.0, "3"),
    "Vehicle theft": (1.4, "2"),
    "Vandalism": (2.6, "3"),
    "Serious crash": (0.45, "1"),
    "Disturbance": (2.8, "1"),
    "Noise": (3.8, "3"),
}
POLICE_KIND_WHEEL = Wheel([weight for weight, _ in POLICE_KINDS.values()])
POLICE_MINUTES = {"1": (6.9, 0.45), "2": (16.0, 0.6), "3": (32.0, 0.7)}
CRIME_TREND = -0.015
"""How much fewer reports there are from one year to the next, as a share."""


def ambulance_day(dice: Dice, today: date) -> Iterator[Life]:
    """The calls for an ambulance on a day."""
    strain = planted.storm(today)
    expected = AMBULANCE_PER_DAY * season(today, WINTER, 0.05) * (1.0 + 0.3 * strain)
    for number in range(dice.poisson(expected)):
        _, spelled = district(dice, RESIDENTS)
        kind = AMBULANCE_KINDS[dice.pick(AMBULANCE_KIND_WHEEL)]
        called = moment(today, AMBULANCE_HOURS.point(dice.uniform()))
        median, spread = AMBULANCE_MINUTES[kind]
        arrived = called + int(60 * dice.lognormal(median * (1.0 + 0.3 * strain), spread))
        at = None if dice.happens(NOT_STAMPED) else Later(arrived, stamp(arrived))
        yield Life(called, (f"A{today:%Y%m%d}-{number:03d}", kind, spelled, stamp(called), at))


def fire_day(dice: Dice, today: date) -> Iterator[Life]:
    """The calls for a fire engine on a day; more of them are building fires in winter."""
    strain = planted.storm(today)
    kinds = Wheel((46, 20, 12, 8.5 * season(today, WINTER, 0.25), 13))
    for number in range(dice.poisson(FIRE_PER_DAY * (1.0 + 0.6 * strain))):
        _, spelled = district(dice, RESIDENTS)
        kind = FIRE_KINDS[dice.pick(kinds)]
        called = moment(today, AMBULANCE_HOURS.point(dice.uniform()))
        arrived = called + int(60 * dice.lognormal(FIRE_MINUTES[0] * (1.0 + 0.2 * strain), FIRE_MINUTES[1]))
        cells = (f"F{today:%Y%m%d}-{number:03d}", kind, spelled, stamp(called))
        yield Life(called, (*cells, Later(arrived, stamp(arrived))))


def police_day(dice: Dice, today: date) -> Iterator[Life]:
    """The incidents reported to the police on a day; a little fewer every year."""
    expected = POLICE_PER_DAY * trend(today, CRIME_TREND) * season(today, SUMMER, 0.12)
    kinds = list(POLICE_KINDS)
    for number in range(dice.poisson(expected)):
        _, spelled = district(dice, RESIDENTS)
        kind = kinds[dice.pick(POLICE_KIND_WHEEL)]
        priority = POLICE_KINDS[kind][1]
        reported = moment(today, POLICE_HOURS.point(dice.uniform()))
        arrived = reported + int(60 * dice.lognormal(*POLICE_MINUTES[priority]))
        cells = (f"P{today:%Y%m%d}-{number:03d}", kind, priority, spelled, stamp(reported))
        yield Life(reported, (*cells, Later(arrived, stamp(arrived))))


AMBULANCE = Stream(AMBULANCE_COLUMNS, ambulance_day, SETTLES, at_once)
FIRE = Stream(FIRE_COLUMNS, fire_day, SETTLES, at_once)
POLICE = Stream(POLICE_COLUMNS, police_day, SETTLES, at_once)
