"""Requests to 311: what residents report, when it is due, closed, reopened and closed again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ingest.sources.simulation import planted
from ingest.sources.simulation.dice import STANDARD_NORMAL, Dice, Wheel
from ingest.sources.simulation.life import Later, Life, Stream, at_once
from ingest.sources.simulation.town import (
    DAY,
    DAY_SECONDS,
    HOUR_SECONDS,
    REPORTERS,
    district,
    local_hour,
    moment,
    season,
    stamp,
)

COLUMNS = (
    "case_number",
    "topic",
    "channel",
    "district",
    "opened_at",
    "due_at",
    "closed_at",
    "closure_reason",
    "reopened_at",
    "closed_again_at",
)


@dataclass(frozen=True)
class Topic:
    """A kind of request.

    storm: times as many on a day of the ice storm. on_time: the share done within `days`, and
    stormy: the share while crews have a storm to clear. any_hour: crews work at night and on Sundays.
    """

    name: str
    per_day: float
    days: float
    on_time: float
    peak: tuple[int, int] = (7, 1)
    wave: float = 0.0
    storm: float = 1.0
    stormy: float | None = None
    any_hour: bool = False


TOPICS = (
    Topic("Pothole", 12.0, 3, 0.86, peak=(3, 20), wave=0.40, storm=2.0),
    Topic("Streetlight Outage", 9.0, 10, 0.85, peak=(12, 10), wave=0.25, storm=3.0, stormy=0.60),
    Topic("Missed Trash", 14.0, 2, 0.80, peak=(7, 1), wave=0.10),
    Topic("Graffiti", 8.0, 7, 0.68, peak=(7, 15), wave=0.25),
    Topic("Litter", 8.0, 3, 0.84, peak=(6, 15), wave=0.20),
    Topic("Tree Emergency", 6.0, 14, 0.74, peak=(6, 20), wave=0.30, storm=6.0, stormy=0.45),
    Topic("Damaged Sign", 5.0, 7, 0.82, storm=1.5),
    Topic("Traffic Signal", 4.0, 1, 0.86, storm=3.0, stormy=0.55, any_hour=True),
    Topic("Abandoned Vehicle", 5.5, 7, 0.70),
    Topic("Rodents", 4.0, 5, 0.85, peak=(8, 15), wave=0.30),
)

WEEKDAYS = (1.26, 1.14, 1.08, 1.06, 1.06, 0.78, 0.62)
HOURS = Wheel((1, 1, 1, 1, 1, 2, 5, 10, 16, 18, 17, 15, 14, 14, 14, 14, 13, 11, 9, 7, 6, 4, 3, 2))
CHANNELS = ("Phone", "App", "Web", "Walk-in")
CHANNEL_WHEEL = Wheel((45, 35, 17, 3))
REASONS = ("Completed", "Duplicate", "Invalid", "Referred")
REASON_WHEEL = Wheel((89, 6, 3, 2))

SPREAD = 0.9
LONGEST_DAYS = (60.0, 75.0)
DESK_DAYS = 0.8
FIRST_HOUR, LAST_HOUR = 7.0, 19.0
SUNDAY = 6
REOPENED = 0.02
REOPENED_DAYS = (0.5, 10.0)
AGAIN_DAYS, AGAIN_SPREAD, AGAIN_LONGEST = 2.0, 0.6, 20.0
SETTLES = 120


def day(dice: Dice, today: date) -> Iterator[Life]:
    """The requests opened on a day, topic by topic."""
    number = 0
    for topic in TOPICS:
        for _ in range(dice.poisson(_expected(topic, today))):
            number += 1
            yield _request(dice, topic, today, f"{today:%Y%m%d}-{number:04d}")


STREAM = Stream(COLUMNS, day, SETTLES, at_once)


def _expected(topic: Topic, today: date) -> float:
    stormy = 1.0 + planted.storm(today) * (topic.storm - 1.0)
    return topic.per_day * WEEKDAYS[today.weekday()] * season(today, topic.peak, topic.wave) * stormy


def _request(dice: Dice, topic: Topic, today: date, number: str) -> Life:
    place, spelled = district(dice, REPORTERS)
    opened = moment(today, HOURS.point(dice.uniform()))
    due = opened + int(topic.days * DAY_SECONDS)
    channel = CHANNELS[dice.pick(CHANNEL_WHEEL)]
    reason = REASONS[dice.pick(REASON_WHEEL)]
    closed = _closed(dice, topic, place, today, reason, opened)
    reopens = REOPENED
    if planted.is_gamed(topic.name, today) and closed > due and dice.happens(planted.GAMED_SHARE):
        closed = due - int(dice.between(1.0, planted.GAMED_MINUTES) * 60)
        reason, reopens = "Completed", planted.GAMED_REOPENED
    known = closed + _typed_after(dice, topic)
    return Life(
        opened,
        (
            number,
            topic.name,
            channel,
            spelled,
            stamp(opened),
            stamp(due),
            Later(known, stamp(closed)),
            Later(known, reason),
            *_again(dice, known, reopens, is_gamed=reopens > REOPENED),
        ),
    )


def _closed(dice: Dice, topic: Topic, place: str, today: date, reason: str, opened: int) -> int:
    """When the request is closed: in time with the share that holds there and then."""
    if reason in ("Duplicate", "Invalid"):
        return opened + int(dice.lognormal(DESK_DAYS, 0.5) * DAY_SECONDS)
    share = planted.on_time(topic.name, topic.on_time, today, place)
    if topic.stormy is not None:
        share -= planted.backlog(today) * (topic.on_time - topic.stormy)
    days = topic.days * math.exp(SPREAD * (dice.normal() - STANDARD_NORMAL.inv_cdf(share)))
    closed = opened + int(min(days, dice.between(*LONGEST_DAYS)) * DAY_SECONDS)
    return closed if topic.any_hour else _in_working_hours(dice, closed)


def _in_working_hours(dice: Dice, instant: int) -> int:
    """The same instant when crews are out, else some time in their next morning; never on a Sunday."""
    today, hour = local_hour(instant)
    if hour >= LAST_HOUR:
        today, hour = today + DAY, 0.0
    if today.weekday() == SUNDAY:
        today, hour = today + DAY, 0.0
    if hour >= FIRST_HOUR:
        return instant
    return moment(today, dice.between(FIRST_HOUR, FIRST_HOUR + 3.0))


def _typed_after(dice: Dice, topic: Topic) -> int:
    """Seconds between a closing and its entry into the computer."""
    if dice.happens(planted.TYPED_LATE.get(topic.name, 0.0)):
        return int(dice.between(*planted.TYPED_LATE_DAYS) * DAY_SECONDS)
    return 0


def _again(dice: Dice, known: int, reopens: float, *, is_gamed: bool) -> tuple[Later | None, Later | None]:
    """When a closed request is reopened and closed again, if it is."""
    if not dice.happens(reopens):
        return None, None
    days = planted.GAMED_REOPENED_DAYS if is_gamed else REOPENED_DAYS
    reopened = known + int(dice.between(*days) * DAY_SECONDS)
    longest = min(dice.lognormal(AGAIN_DAYS, AGAIN_SPREAD), AGAIN_LONGEST)
    again = reopened + HOUR_SECONDS + int(longest * DAY_SECONDS)
    return Later(reopened, stamp(reopened)), Later(again, stamp(again))
