"""Values given on a page: which are waited for, what is usual, and what is asked of the worker."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from metrics.model import City, Column, Gap, Source
from store import entries, manual_values, requests
from store.audit_log import BY_HAND
from store.engine import StoreError, reading, writing
from store.entries import Given, Kind
from store.manual_values import Due
from tests.bare_store import bare_engine, clock, engine, home

__all__ = ["bare_engine", "clock", "engine", "home"]

CITY = City(id="test", name="Testville", time_zone="America/New_York")
JUNE = date(2026, 6, 1)
VISITS = Source(
    id="visits",
    name="Library visits",
    kind="manual",
    key="visit_id",
    begins=JUNE,
    columns=(
        Column("visit_id", "text"),
        Column("day", "day"),
        Column("branch", "text"),
        Column("people", "integer", required=True),
        Column("double", "number", expression="people * 2"),
    ),
    options={"key_from": ["day", "branch"]},
)
DAYS = dataclasses.replace(VISITS, id="days", options={})


def give(engine, clock, source, *values):
    given = []
    for day, branch, people in values:
        cells = {"day": day.isoformat(), "people": str(people), **({"branch": branch} if branch else {})}
        given.append(Given(f"{day}/{branch}", day, cells))
    with writing(engine, clock) as write:
        entries.add(write, source.id, given, "Kim", "")


def due(engine, source, today):
    with reading(engine) as connection:
        return manual_values.due(manual_values.book(connection, source), CITY, today)


def days(*numbers):
    return [JUNE + timedelta(days=number - 1) for number in numbers]


def test_the_columns_that_people_give_are_neither_the_key_nor_its_parts_nor_computed(engine):
    assert [one.name for one in manual_values.value_columns(VISITS)] == ["people"]
    assert list(manual_values.key_names(DAYS)) == ["day"]


def test_every_day_before_today_waits_for_the_values_that_days_lately_had(engine, clock):
    assert due(engine, VISITS, JUNE + timedelta(days=3)) == []
    give(engine, clock, VISITS, (JUNE, "main", 4), (JUNE, "north", 5), (days(2)[0], "main", 6))
    [second, third] = days(2, 3)
    expected = [Due(second, ("north",)), Due(third, ("main",)), Due(third, ("north",))]
    assert due(engine, VISITS, days(4)[0]) == expected
    give(engine, clock, VISITS, (second, "north", 1), (third, "main", 1), (third, "north", 1))
    assert due(engine, VISITS, days(4)[0]) == []


def test_a_source_of_days_alone_waits_before_anybody_has_given_a_value(engine):
    assert due(engine, DAYS, days(3)[0]) == [Due(day, ()) for day in days(1, 2)]


def test_days_of_a_gap_and_closed_days_wait_for_nothing(engine):
    broken = dataclasses.replace(DAYS, gaps=(Gap(*days(1, 3), "flood", JUNE),))
    assert [one.day for one in due(engine, broken, days(6)[0])] == days(4, 5)
    business = dataclasses.replace(DAYS, options={"calendar": "business"})
    assert [one.day for one in due(engine, business, days(9)[0])] == days(1, 2, 3, 4, 5, 8)


def test_who_had_no_value_for_long_is_not_waited_for_and_a_withdrawn_value_is(engine, clock):
    late = JUNE + manual_values.LATELY + timedelta(days=10)
    give(engine, clock, VISITS, (JUNE, "closed branch", 4), (late, "main", 5))
    today = late + timedelta(days=1)
    assert {one.parts for one in due(engine, VISITS, today)} == {("main",)}
    with writing(engine, clock) as write:
        gone = Given(f"{late}/main", late, {}, Kind.WITHDRAWAL)
        entries.add(write, "visits", [gone], "Kim", "a mistake")
    assert {one.parts for one in due(engine, VISITS, today)} == {("closed branch",)}


def test_what_is_usual_is_told_from_five_values_on_and_far_is_far_beyond_them(engine, clock):
    give(engine, clock, DAYS, *((day, "", 100 + day.day) for day in days(1, 2, 3, 4)))
    with reading(engine) as connection:
        assert manual_values.book(connection, DAYS).usual((), "people") is None
    give(engine, clock, DAYS, (days(5)[0], "", 105))
    with reading(engine) as connection:
        usual = manual_values.book(connection, DAYS).usual((), "people")
    assert usual is not None and (usual.least, usual.most) == (101, 105)
    assert [usual.is_far(value) for value in (79, 81, 125, 127)] == [True, False, False, True]
    wide = manual_values.Usual(10, 90)
    assert [wide.is_far(value) for value in (-31, -29, 129, 131)] == [True, False, False, True]


def test_a_file_is_kept_only_after_it_was_tried_and_found_in_order(engine, clock):
    with writing(engine, clock) as write:
        number = manual_values.ask_about_file(write, BY_HAND, VISITS, "june.csv", b"day,people\n")
    with pytest.raises(StoreError, match="Send the file first"), writing(engine, clock) as write:
        manual_values.keep_file(write, BY_HAND, VISITS, number)
    requests.claim(engine, clock)
    requests.finish(engine, clock, number, {"outcome": "shown"})
    with pytest.raises(StoreError), writing(engine, clock) as write:
        manual_values.keep_file(write, BY_HAND, DAYS, number)
    with writing(engine, clock) as write:
        kept = manual_values.keep_file(write, BY_HAND, VISITS, number)
    with reading(engine) as connection:
        tried, asked = requests.get(connection, number), requests.get(connection, kept)
    assert tried is not None and asked is not None
    assert tried.arguments["dry_run"] is True and asked.arguments["dry_run"] is False
    assert tried.arguments["file"] == asked.arguments["file"]


def test_so_many_wait_for_the_worker_and_no_more_and_no_file_is_too_large(engine, clock):
    rows = [{"day": "2026-06-01", "branch": "main", "people": "4"}]
    for _turn in range(manual_values.UNFINISHED_AT_MOST):
        with writing(engine, clock) as write:
            manual_values.ask(write, BY_HAND, VISITS, rows)
    with pytest.raises(StoreError, match="try again"), writing(engine, clock) as write:
        manual_values.ask(write, BY_HAND, VISITS, rows)
    with pytest.raises(StoreError, match="larger"), writing(engine, clock) as write:
        body = b"x" * (manual_values.LARGEST_FILE + 1)
        manual_values.ask_about_file(write, BY_HAND, VISITS, "june.csv", body)
