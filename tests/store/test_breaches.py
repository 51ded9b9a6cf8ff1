"""The cases that may miss their deadline are those of the records, as they read on a morning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from metrics.catalogue import load
from store.breaches import OpenCase, breaches_of, open_cases
from store.engine import open_engine, reading
from tests.town import SOURCE, Town, case, metric_file

AS_OF = date(2026, 6, 20)
NOON = datetime(2026, 6, 1, 16, tzinfo=UTC)


def test_open_cases_are_told_by_the_day_they_are_due(town):
    town.ingest(
        case("late", 15, None),
        case("soon", 22, None),
        case("soon_too", 22, None, reason="Duplicate"),
        case("closed_later", 22, 25),
        case("done", 22, 10),
        case("opened_later", 23, None, opened=NOON + timedelta(days=20)),
        {**case("long_ago", 2, None, opened=NOON - timedelta(days=400)), "due": NOON - timedelta(days=390)},
    )
    metric = town.catalogue.metrics["on_time"]
    with reading(town.engine) as connection:
        found = breaches_of(connection, town.catalogue, metric, AS_OF)
        listed = open_cases(connection, town.catalogue, metric, AS_OF)
        first = open_cases(connection, town.catalogue, metric, AS_OF, most=1)
    assert found is not None
    # A reason is known with the closing: as long as a case is open nothing says that it is a duplicate.
    assert {one.day: one.open for one in found.days if one.open} == {date(2026, 6, 22): 3}
    assert found.overdue == {5: 1, 409: 1}
    assert [one.key for one in listed] == ["long_ago", "late", "closed_later", "soon", "soon_too"]
    assert first == listed[:1] == [OpenCase("long_ago", date(2025, 4, 27), date(2025, 5, 7))]


def test_a_metric_without_a_deadline_has_none(town, city):
    how = 'aggregation = "count"\ndate = "opened"\ndirection = "neutral"\nunit = "count"'
    (city / "metrics/reported.toml").write_text(metric_file("reported", how, None, family="condition"))
    catalogue = load(city)
    with reading(town.engine) as connection:
        assert breaches_of(connection, catalogue, catalogue.metrics["reported"], AS_OF) is None
        assert open_cases(connection, catalogue, catalogue.metrics["reported"], AS_OF) == []


def test_a_closing_that_was_entered_late_is_open_until_then(any_engine_url, city):
    entered = 'known_with = "entered"\n[columns.entered]\ntype = "instant"'
    written = SOURCE.replace(
        '[columns.closed]\ntype = "instant"', f'[columns.closed]\ntype = "instant"\n{entered}'
    )
    (city / "sources/cases.toml").write_text(written)
    town = Town(open_engine(any_engine_url), load(city))
    town.ingest({**case("entered_late", 15, 10), "entered": NOON + timedelta(days=21)})
    metric = town.catalogue.metrics["on_time"]
    with reading(town.engine) as connection:
        found = breaches_of(connection, town.catalogue, metric, AS_OF)
        listed = open_cases(connection, town.catalogue, metric, AS_OF)
    town.engine.dispose()
    assert found is not None
    assert found.overdue == {5: 1}
    assert [one.key for one in listed] == ["entered_late"]
