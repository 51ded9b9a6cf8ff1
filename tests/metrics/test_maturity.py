"""How much of a day is known after how many days."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import numpy as np
import pytest

from metrics import maturity
from metrics.maturity import SETTLED_AGE, Completeness, Growth

MONDAY = date(2026, 6, 1)
DAYS = 84


def growth(shares, per_day=40.0, first=MONDAY, days=DAYS, part="denominator"):
    """Days that each come to `per_day`, of which shares[age] is known at an age and all of it later."""
    ages = np.arange(SETTLED_AGE + 1)
    by_age = np.array([*shares, *[1.0] * len(ages)])[: len(ages)]
    triangle = np.tile(by_age * per_day, (days, 1))
    triangle[ages[None, :] > (days - 1 - np.arange(days))[:, None]] = np.nan
    parts = {"numerator": None, "denominator": None, part: triangle}
    return Growth(first, **parts)


def completeness(shares, days=DAYS, **more):
    found = maturity.curve(growth(shares, days=days, **more))
    return Completeness(found, MONDAY, np.ones(days, dtype=bool), MONDAY + timedelta(days=days))


def test_the_raa_triangle_has_the_published_factor_and_reserve(shared_data):
    with shared_data("evaluation/raa_triangle.csv").open() as file:
        cells = list(csv.DictReader(file))
    rows = [(int(row["origin"]), int(row["development"]), float(row["values"])) for row in cells]
    first = min(origin for origin, _, _ in rows)
    size = max(origin for origin, _, _ in rows) - first + 1
    triangle = np.full((size, size), np.nan)
    for origin, development, value in rows:
        triangle[origin - first, development - origin] = value
    found = maturity.factors(triangle)
    assert found[0] == pytest.approx(2.9994, abs=6e-5)
    newest = np.array([triangle[row, size - 1 - row] for row in range(size)])
    known = maturity.completeness(found)[::-1]
    assert (newest / known - newest).sum() == pytest.approx(52135.23, abs=0.01)


def test_a_day_is_as_complete_as_its_predecessors_were_at_its_age():
    found = maturity.curve(growth([0.5, 0.8, 0.95]))
    assert found.shares[:4] == pytest.approx((0.5, 0.8, 0.95, 1.0))
    assert found.shares[SETTLED_AGE] == 1.0


def test_what_shrinks_as_it_becomes_known_is_as_incomplete_as_what_grows():
    assert maturity.curve(growth([1.25])).shares[:2] == pytest.approx((0.8, 1.0))


def test_a_day_of_which_everything_comes_later_is_known_for_nothing():
    assert maturity.curve(growth([0.0, 1.0])).shares[:2] == (0.0, 1.0)


def test_the_lower_of_numerator_and_denominator_counts():
    parts = growth([0.9], part="numerator").numerator, growth([0.7, 0.95]).denominator
    assert maturity.curve(Growth(MONDAY, *parts)).shares[:3] == pytest.approx((0.7, 0.95, 1.0))


def test_too_few_events_are_no_measure():
    assert maturity.curve(growth([0.5], per_day=19 / DAYS)) is None


def test_an_age_at_which_no_day_was_known_has_no_share():
    late = growth([0.5, 0.8])
    late.denominator[:, 0] = np.nan
    found = maturity.curve(late)
    assert found.shares[:2] == (None, pytest.approx(0.8))


def test_a_history_shorter_than_the_settled_age_measures_nothing_young():
    assert set(maturity.curve(growth([0.5], days=30)).shares[:-1]) == {None}


@pytest.mark.parametrize(("shares", "back"), [((), 1), ((0.5, 0.97), 3), ((0.979,), 2), ((0.98,), 1)])
def test_the_last_mature_day_is_the_youngest_of_which_98_percent_is_known(shares, back):
    found = maturity.curve(growth(shares))
    assert maturity.last_mature_day(found, MONDAY) == MONDAY - timedelta(days=back)


def test_a_period_is_the_mean_of_its_days_weighed_by_what_their_weekdays_hold():
    known = completeness([0.4, 0.8])
    assert known.over(DAYS - 1, DAYS) == 0.4
    assert known.over(DAYS - 7, DAYS) == pytest.approx((5 + 0.8 + 0.4) / 7, abs=1e-3)


def test_a_period_that_ends_on_a_day_of_rest_is_mature_sooner():
    rest = growth([0.4])
    rest.denominator[6::7] = np.where(np.isnan(rest.denominator[6::7]), np.nan, 0.0)
    days = np.ones(DAYS, dtype=bool)
    known = Completeness(maturity.curve(rest), MONDAY, days, MONDAY + timedelta(days=DAYS))
    assert known.over(DAYS - 7, DAYS) == 1.0


def test_what_is_mature_is_whole_and_stays_so():
    known = completeness([0.4, 0.985])
    assert known.over(DAYS - 2, DAYS - 1) == 1.0
    assert known.over(0, 7) == 1.0


def test_days_that_are_not_known_are_neither_complete_nor_incomplete():
    usable = np.ones(DAYS, dtype=bool)
    usable[-1] = False
    known = Completeness(maturity.curve(growth([0.4])), MONDAY, usable, MONDAY + timedelta(days=DAYS - 1))
    assert known.over(DAYS - 1, DAYS) is None
    assert known.over(DAYS - 2, DAYS) == 0.4


def test_a_day_of_an_age_that_was_never_measured_leaves_its_period_without_completeness():
    late = growth([0.5, 0.8])
    late.denominator[:, 0] = np.nan
    days = np.ones(DAYS, dtype=bool)
    known = Completeness(maturity.curve(late), MONDAY, days, MONDAY + timedelta(days=DAYS))
    assert known.over(DAYS - 7, DAYS) is None
    assert known.over(DAYS - 7, DAYS - 1) == pytest.approx(1 - 0.2 / 6, abs=1e-3)


def test_what_is_just_under_a_limit_is_not_rounded_up_to_it():
    known = completeness([0.9797])
    assert known.over(DAYS - 1, DAYS) == 0.979
    assert completeness([0.8997]).over(DAYS - 1, DAYS) == 0.899
