"""Closings around their deadline, counted on both engines and kept with a publication."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from store import heaps, publications
from store.engine import reading, writing
from store.heaps import Heap

DUE = datetime(2026, 6, 10, 15, tzinfo=UTC)
LONG_AGO = datetime(2025, 3, 10, 15, tzinfo=UTC)
AROUND = {
    "an hour and a second before": -3601,
    "an hour before": -3600,
    "a minute before": -60,
    "on time to the second": 0,
    "a second after": 1,
    "an hour after": 3600,
    "an hour and a second after": 3601,
}
"""Of these two lie in the hour up to the deadline and two in the hour after it."""


def cases(due, prefix, **more):
    return [
        {
            "case_id": f"{prefix} {name}",
            "opened": due - timedelta(days=2),
            "due": due,
            "closed": due + timedelta(seconds=seconds),
            **more,
        }
        for name, seconds in AROUND.items()
    ]


def counted(town, metric="on_time"):
    with reading(town.engine) as connection:
        return heaps.read(connection, publications.current(connection).publication, metric)


def made(town):
    with reading(town.engine) as connection:
        rows = connection.execute(heaps.heaps.select().order_by(heaps.heaps.c.publication))
        return [row.publication for row in rows]


@pytest.fixture
def loaded(town):
    town.ingest(*cases(LONG_AGO, "old"), *cases(DUE, "new"), *cases(DUE, "dropped", reason="Duplicate"))
    return town


def test_closings_are_counted_in_the_hour_on_both_sides_of_the_deadline(loaded):
    loaded.publish(date(2026, 7, 1))
    since = date(2026, 7, 1) - timedelta(days=heaps.RECENT_DAYS)
    usual = date(2025, 3, 8), date(2025, 3, 8) + timedelta(days=heaps.USUAL_DAYS)
    assert counted(loaded) == Heap(since, date(2026, 7, 1), 2, 2, *usual, 2, 2)
    assert counted(loaded).heaping.times == 1
    assert counted(loaded, "nothing") is None


def test_a_closing_after_the_date_of_the_publication_is_not_known_to_it(loaded):
    loaded.publish(DUE.date())
    assert (counted(loaded).before, counted(loaded).after) == (0, 0)
    assert counted(loaded).heaping is None


def test_a_withdrawn_record_is_not_counted(loaded):
    with writing(loaded.engine, loaded.clock) as held:
        words = "UPDATE records_cases SET _withdrawn_at = '2026-06-20' WHERE case_id LIKE 'new%'"
        held.connection.execute(text(words))
    loaded.publish(date(2026, 7, 1))
    assert (counted(loaded).usual_before, counted(loaded).before) == (2, 0)


def test_it_is_counted_again_only_a_week_later_or_with_other_definitions(loaded):
    loaded.publish(date(2026, 6, 20))
    loaded.publish(date(2026, 6, 21))
    loaded.publish(date(2026, 6, 26))
    assert made(loaded) == [1]
    assert counted(loaded).until == date(2026, 6, 20)
    loaded.publish(date(2026, 6, 27))
    assert made(loaded) == [1, 4]
    assert counted(loaded).until == date(2026, 6, 27)


def test_a_publication_for_an_older_date_counts_nothing_and_reads_nothing_newer(loaded):
    loaded.publish(date(2026, 6, 27))
    loaded.publish(date(2026, 6, 1))
    assert made(loaded) == [1]
    with reading(loaded.engine) as connection:
        older = publications.find(connection, number=2).publication
        assert heaps.read(connection, older, "on_time") is None


def test_without_three_months_to_compare_with_nothing_is_counted(town):
    town.ingest(*cases(DUE, "new"))
    town.publish(date(2026, 7, 1))
    assert made(town) == []
    assert counted(town) is None


# --- a habit as old as the records -----------------------------------------------------------------


def closed_at(prefix, due, hours, many, open_days=9):
    return [
        {
            "case_id": f"{prefix} {hours} {number}",
            "opened": due - timedelta(days=open_days),
            "due": due,
            "closed": due + timedelta(hours=hours, seconds=number),
        }
        for number in range(many)
    ]


def bunched(town):
    with reading(town.engine) as connection:
        return heaps.read_bunched(connection, publications.current(connection).publication, "on_time")


@pytest.fixture
def gamed(town):
    """From the first day on record most cases are closed half an hour before they are due."""
    dues = [DUE - timedelta(days=day) for day in range(0, 340, 10)]
    always = [one for due in dues for one in closed_at(f"{due}", due, -0.5, 6)]
    spread = [
        one
        for due in dues
        for day in range(-7, 8)
        for hours in (-0.5, 0.5)
        for one in closed_at(f"{due} {day}", due, 24 * day + hours, 1)
    ]
    town.ingest(*always, *spread)
    return town


def test_a_metric_gamed_from_its_first_day_is_found_though_its_past_is_no_different(gamed):
    gamed.publish(date(2026, 6, 20))
    assert not counted(gamed).heaping.is_alarm
    found = bunched(gamed)
    assert (found.before, found.after) == (9 * 7, 9)
    assert set(found.days) == {(9, 9)}
    assert found.bunching.is_alarm


def test_a_new_city_without_a_past_is_judged_by_the_days_beside_its_deadlines(town):
    town.ingest(*cases(DUE, "new"))
    town.publish(date(2026, 7, 1))
    assert counted(town) is None
    assert (bunched(town).before, bunched(town).after) == (2, 2)


def test_a_day_beside_the_deadline_counts_no_case_that_was_not_open_yet(town):
    """Else the closings right after opening would be a heap after a deadline that is days away."""
    town.ingest(
        *closed_at("at once", DUE, -23.5, 5, open_days=1), *closed_at("waited", DUE, -23.5, 3, open_days=2)
    )
    town.publish(date(2026, 7, 1))
    assert bunched(town).days[heaps.BESIDE.index(-1)] == (0, 3)


def test_the_days_beside_are_those_of_the_newest_count_a_publication_knew(gamed):
    gamed.publish(date(2026, 6, 10))
    gamed.publish(date(2026, 6, 20))
    with reading(gamed.engine) as connection:
        first = publications.find(connection, number=1).publication
        assert heaps.read_bunched(connection, first, "on_time").until == date(2026, 6, 10)
    assert bunched(gamed).until == date(2026, 6, 20)
