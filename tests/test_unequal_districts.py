"""The unequal districts planted in the demonstration are found by the funnel, and nothing beyond chance."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ingest.sources.simulation import planted
from ingest.sources.simulation.streams import STREAMS, rows
from metrics import catalogue
from metrics.district_facts import by_district, indices
from metrics.fairness import Place
from metrics.model import WHOLE_CITY
from store.questions import district_of
from tests.metrics.test_district_facts import share

DEMO = catalogue.load(Path(__file__).resolve().parents[1] / "data" / "cities" / "demo")
SLOW = {one.id for one in DEMO.districts.values() if one.name in planted.SLOW_DISTRICTS}
SEED = 20260101
UNTIL = datetime(2026, 11, 23, 18, tzinfo=UTC)
QUARTERS = ("2025-11", "2026-02", "2026-05", "2026-08", "2026-11")
"""Four quarters from one of these months up to the next."""

Key = tuple[str, str]


@pytest.fixture(scope="module")
def cases() -> dict[Key, dict[str, Counter]]:
    """By (topic, quarter) and district how many requests were due, and how many done in time."""
    names = district_of(DEMO.districts.values())
    found: dict[Key, dict[str, Counter]] = {}
    for row in rows(SEED, "service_requests", date(2025, 9, 1), UNTIL):
        one = dict(zip(STREAMS["service_requests"].columns, row, strict=True))
        quarter = next((last for last in reversed(QUARTERS[:-1]) if (one["due_at"] or "") >= last), None)
        if quarter is None or one["due_at"] >= QUARTERS[-1] or not one["district"]:
            continue
        if one["closure_reason"] in ("Duplicate", "Invalid"):
            continue
        place = names[one["district"].casefold()]
        counted = found.setdefault((one["topic"], quarter), {}).setdefault(place, Counter())
        counted["due"] += 1
        counted["in time"] += bool(one["closed_at"] and one["closed_at"] <= one["due_at"])
    return found


def compared(counted: dict[str, Counter]):
    rows = [share(place, one["in time"], one["due"]) for place, one in counted.items()]
    city = share(WHOLE_CITY, *(sum(one[word] for one in counted.values()) for word in ("in time", "due")))
    return by_district(DEMO.metrics["pothole_on_time"], city, rows, DEMO.districts)


def test_the_funnel_finds_the_two_districts_whose_potholes_wait(cases):
    year = [compared(one) for (topic, _quarter), one in cases.items() if topic == "Pothole"]
    assert len(year) == 4
    found = Counter(row.district for by in year for row in by.at(Place.BELOW))
    assert {place for place, times in found.items() if times >= 3} == SLOW


def test_need_and_equity_say_that_potholes_are_not_filled_alike(cases):
    year: dict[str, Counter] = {}
    for (topic, _quarter), counted in cases.items():
        for place, one in counted.items() if topic == "Pothole" else ():
            year.setdefault(place, Counter()).update(one)
    found = indices(compared(year))
    assert found.slope.value < -found.slope.reach
    assert found.equity.value < found.equity.expected


def test_beside_them_no_more_stands_out_than_chance_predicts(cases):
    others = [compared(one) for (topic, _quarter), one in cases.items() if topic != "Pothole"]
    outside = sum(len(by.at(Place.ABOVE, Place.BELOW)) for by in others)
    expected = sum(by.by_chance for by in others)
    judged = sum(by.judged for by in others)
    assert judged > 400
    assert abs(outside - expected) < 3 * expected**0.5
