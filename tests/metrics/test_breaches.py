"""A forecast of missed deadlines says what became of cases like the open ones, and how far it was off."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.breaches import AHEAD_DAYS, FEWEST_CASES, PULL, DueCase, breaches

AS_OF = date(2026, 7, 1)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def steady(seed: int = 1, a_day: int = 20, misses: float = 0.3) -> list[DueCase]:
    """Cases of half a year, each due after ten days; of all the same share is closed late, or not at all."""
    chance, found = random.Random(seed), []
    for back in range(-10, 200):
        opened = AS_OF - days(back + 10)
        for _ in range(a_day):
            missed = chance.random() < misses
            took = chance.randint(11, 25) if missed else chance.randint(0, 10)
            closed = opened + days(took)
            is_open = closed >= AS_OF
            due = opened + days(10)
            if opened < AS_OF:
                found.append(DueCase(opened, due, None if is_open else closed, is_open or missed))
    return found


def by_hand(cases: list[DueCase], morning: date, lead: int) -> tuple[int, int]:
    """Of the cases open on a morning and due so many days later, how many there were and how many missed."""
    there = [
        one
        for one in cases
        if one.due == morning + days(lead)
        and one.opened < morning
        and (one.closed is None or one.closed >= morning)
    ]
    return sum(one.count for one in there), sum(one.count for one in there if one.missed)


def test_the_open_cases_of_each_coming_day_are_counted():
    cases = steady()
    found = breaches(cases, AS_OF)
    assert [one.open for one in found.days] == [by_hand(cases, AS_OF, lead)[0] for lead in range(AHEAD_DAYS)]
    assert [one.day for one in found.days] == [AS_OF + days(lead) for lead in range(AHEAD_DAYS)]


def test_the_expected_misses_follow_the_cases_open_as_long_before_their_deadline():
    cases = steady()
    counts = {
        lead: [
            sum(part)
            for part in zip(
                *(by_hand(cases, AS_OF - days(lead + 1 + back), lead) for back in range(84)), strict=True
            )
        ]
        for lead in range(AHEAD_DAYS)
    }
    overall = sum(missed for _, missed in counts.values()) / sum(seen for seen, _ in counts.values())
    for lead, one in enumerate(breaches(cases, AS_OF).days):
        seen, missed = counts[lead]
        assert one.misses == pytest.approx(one.open * (missed + PULL * overall) / (seen + PULL))


def test_what_came_is_counted_and_the_error_is_that_of_chance():
    found = breaches(steady(), AS_OF)
    weeks = [
        [by_hand(steady(), AS_OF - days(7 * week), lead)[1] for lead in range(7)] for week in range(1, 9)
    ]
    assert found.came == sum(map(sum, weeks)) / 8
    assert found.weeks == 8
    # 140 cases a week, 42 misses: their own chance is some 5 a week.
    assert found.error is not None and found.error < 12


def test_a_forecast_that_was_far_off_says_so():
    """In the last weeks twice as many miss as in the twelve weeks that a forecast went by."""
    before, now = steady(misses=0.2), steady(seed=2, misses=0.9)
    turned = [one for one in before if one.due < AS_OF - days(56)]
    turned += [one for one in now if one.due >= AS_OF - days(56)]
    usual, off = breaches(before, AS_OF), breaches(turned, AS_OF)
    assert usual.error is not None and off.error is not None
    assert off.error > 3 * usual.error


def test_open_cases_past_their_deadline_are_overdue_by_their_days():
    late = DueCase(AS_OF - days(300), AS_OF - days(290), None, True, count=2)
    found = breaches([*steady(), late], AS_OF)
    assert found.overdue[290] == 2
    assert found.overdue[1] == sum(
        one.count for one in steady() if one.closed is None and one.due == AS_OF - days(1)
    )


def test_of_too_few_past_cases_nothing_is_forecast():
    few = [DueCase(AS_OF - days(20), AS_OF - days(9), AS_OF - days(12), False)] * (FEWEST_CASES - 1)
    ahead = DueCase(AS_OF - days(2), AS_OF + days(3), None, True)
    found = breaches([*few, ahead], AS_OF)
    assert (found.days[3].open, found.days[3].misses) == (1, None)
    assert (found.weeks, found.error, found.came) == (0, None, None)


DAY = st.integers(-160, 20).map(lambda number: AS_OF + days(number))


@given(st.lists(st.tuples(DAY, DAY, st.none() | DAY, st.booleans()), max_size=60))
def test_no_case_breaks_it_and_no_more_are_expected_than_there_are(rows):
    found = breaches([DueCase(*one) for one in rows], AS_OF)
    assert all(one.misses is None or 0 <= one.misses <= one.open for one in found.days)
