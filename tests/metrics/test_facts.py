"""Pooling: facts are added up first and a value computed once, whatever the aggregation."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.facts import NOTHING, Fact, Facts, arrange, day_indices, hazen, pool
from metrics.model import Aggregation

FIRST = date(2026, 7, 1)
ALL = np.arange(3)


def cells(*facts: tuple[str, int, Fact]) -> Facts:
    end = FIRST + timedelta(days=3)
    return arrange(
        [(district, FIRST + timedelta(days=day), fact) for district, day, fact in facts], FIRST, end
    )


def test_a_ratio_is_the_sum_over_the_sum_and_never_the_mean_of_daily_ratios() -> None:
    facts = cells(("a", 0, Fact(1, 1)), ("a", 1, Fact(0, 9)))
    assert pool(facts, Aggregation.RATIO, ALL).value == pytest.approx(0.1)


def test_a_ratio_of_nothing_has_no_value() -> None:
    assert pool(cells(), Aggregation.RATIO, ALL).value is None


def test_a_count_of_nothing_on_known_days_is_zero() -> None:
    assert pool(cells(), Aggregation.COUNT, ALL).value == 0


def test_no_days_give_nothing_and_not_zero() -> None:
    assert pool(cells(("a", 0, Fact(5))), Aggregation.COUNT, np.zeros(0, dtype=int)) == NOTHING


def test_a_stock_over_a_period_is_the_mean_of_its_days_with_the_last_level_beside_it() -> None:
    facts = cells(("a", 0, Fact(10)), ("a", 1, Fact(20)), ("b", 2, Fact(6)))
    pooled = pool(facts, Aggregation.STOCK, ALL)
    assert (pooled.value, pooled.end_value) == (12, 6)


def test_districts_and_the_unknown_one_make_the_city() -> None:
    facts = cells(("a", 0, Fact(1, 2)), ("b", 1, Fact(3, 4)), ("unknown", 2, Fact(5, 6)))
    parts = [pool(facts, Aggregation.RATIO, ALL, district=name) for name in facts.districts]
    city = pool(facts, Aggregation.RATIO, ALL)
    assert sum(part.numerator or 0 for part in parts) == city.numerator == 9
    assert sum(part.denominator or 0 for part in parts) == city.denominator == 12


def test_a_district_without_records_is_empty_rather_than_an_error() -> None:
    assert pool(cells(("a", 0, Fact(1, 2))), Aggregation.RATIO, ALL, district="b").denominator == 0


def test_a_median_pools_the_values_of_all_days() -> None:
    facts = cells(("a", 0, Fact(amounts=((1.0, 1), (9.0, 1)))), ("b", 2, Fact(amounts=((2.0, 3),))))
    assert pool(facts, Aggregation.MEDIAN, ALL).value == 2.0
    assert pool(facts, Aggregation.MEDIAN, ALL, district="a").value == 5.0


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
    st.floats(0, 1),
)
def test_hazen_agrees_with_an_independent_computation(values: list[float], share: float) -> None:
    expected = np.quantile(values, share, method="hazen")
    distinct = sorted(set(values))
    counts = np.array([values.count(value) for value in distinct])
    assert hazen(np.array(distinct), counts, share) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_days_outside_the_facts_add_nothing() -> None:
    facts = cells(("a", 0, Fact(1, 2)))
    days = day_indices(FIRST, [(FIRST - timedelta(days=2), FIRST + timedelta(days=9))])
    assert pool(facts, Aggregation.RATIO, days).denominator == 2
