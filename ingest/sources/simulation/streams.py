"""All sources of the town by name, and their records as known at an instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from ingest.sources.simulation import emergencies, offices, requests, tallies
from ingest.sources.simulation.dice import Dice
from ingest.sources.simulation.life import Row, Stream, as_known
from ingest.sources.simulation.town import local_day

STREAMS: dict[str, Stream] = {
    "service_requests": requests.STREAM,
    "calls_311": tallies.CALLS,
    "satisfaction_survey": offices.SURVEY,
    "ambulance_calls": emergencies.AMBULANCE,
    "fire_calls": emergencies.FIRE,
    "police_reports": emergencies.POLICE,
    "permits": offices.PERMITS,
    "food_inspections": offices.FOOD,
    "park_checks": offices.PARK_CHECKS,
    "water_samples": offices.WATER,
    "library_counts": tallies.LIBRARY,
    "school_attendance": tallies.SCHOOL,
    "ferry_trips": tallies.FERRY,
    "trash_rounds": tallies.COLLECTION,
}


def rows(seed: int, source: str, first_day: date, until: datetime) -> Iterator[Row]:
    """The records of a source from `first_day` on, as known at `until`: nothing of it or later shows.

    Cells stand in the order of `STREAMS[source].columns`; None is empty. A record belongs to the
    local day on which its life begins and is given once it has arrived. The same seed, source and
    day give the same record for ever: a later `until` adds records and fills cells, no more.
    Raises KeyError for an unknown source.
    """
    stream = STREAMS[source]
    instant = int(until.timestamp())
    for count in range((local_day(instant) - first_day).days + 1):
        today = first_day + timedelta(days=count)
        for life in stream.day(Dice(seed, source, today), today):
            if life.arrives < instant:
                yield as_known(life, instant)


def spoken_until(source: str, until: datetime) -> datetime:
    """Up to which instant the source has told everything, seen at `until`; in UTC."""
    return datetime.fromtimestamp(STREAMS[source].fresh(int(until.timestamp())), UTC)
