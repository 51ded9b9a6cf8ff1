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
