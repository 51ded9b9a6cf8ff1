"""Pooling: facts are added up first and a value computed once, whatever the aggregation."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.facts import NOTHING, Fact, Facts, Pool, Pooled, arrange, hazen
from metrics.model import Aggregation

FIRST = date(2026, 7, 1)
ALL = (0, 3)


def cells(*facts: tuple[str, int, Fact]) -> Facts:
    end = FIRST + timedelta(days=3)
    return arrange(
        [(district, FIRST + timedelta(days=day), fact) for district, day, fact in facts], FIRST, end
    )


def pool(
    facts: Facts, aggregation: Aggregation, *ranges: tuple[int, int], district: str | None = None
) -> Pooled:
    usable = np.ones(3, dtype=bool)
    return Pool(facts, aggregation, usable, district=district).over(*ranges)


def test_a_ratio_is_the_sum_over_the_sum_and_never_the_mean_of_daily_ratios() -> None:
    facts = cells(("a", 0, Fact(1, 1)), ("a", 1, Fact(0, 9)))
    assert pool(facts, Aggregation.RATIO, ALL).value == pytest.approx(0.1)


def test_a_ratio_of_nothing_has_no_value() -> None:
    assert pool(cells(), Aggregation.RATIO, ALL).value is None


def test_a_count_of_nothing_on_known_days_is_zero() -> None:
    assert pool(cells(), Aggregation.COUNT, ALL).value == 0


def test_no_days_give_nothing_and_not_zero() -> None:
    assert pool(cells(("a", 0, Fact(5))), Aggregation.COUNT, (1, 1)) == NOTHING


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
    days = [(district, FIRST + timedelta(days=day), Fact(1, 2)) for district, day in (("a", -2), ("a", 1))]
    facts = arrange(days, FIRST, FIRST + timedelta(days=3))
    assert pool(facts, Aggregation.RATIO, ALL).denominator == 2


# --- many days, some of them not usable, against adding up cell by cell --------------------------

DAYS = 12
PLACES = ("a", "b", "unknown")
amount = st.one_of(st.integers(0, 50).map(float), st.floats(0, 50, allow_subnormal=False))
sums = st.builds(Fact, amount, amount)
multisets = st.dictionaries(amount, st.integers(1, 4), max_size=4).map(
    lambda found: Fact(amounts=tuple(sorted(found.items())))
)
ranges = st.tuples(st.integers(0, DAYS), st.integers(0, DAYS)).map(lambda pair: (min(pair), max(pair)))
apart = st.lists(ranges, min_size=1, max_size=3).filter(
    lambda found: sum(end - start for start, end in found) == len({d for s, e in found for d in range(s, e)})
)


@given(
    st.dictionaries(st.tuples(st.sampled_from(PLACES), st.integers(0, DAYS - 1)), sums, max_size=20),
    st.lists(st.booleans(), min_size=DAYS, max_size=DAYS),
    apart.map(sorted),
    st.sampled_from((None, *PLACES)),
    st.sampled_from((Aggregation.RATIO, Aggregation.MEAN, Aggregation.COUNT, Aggregation.STOCK)),
)
def test_sums_over_ranges_are_the_exact_sums_of_their_usable_days(
    found, usable, chosen, district, how
) -> None:
    facts = arrange(
        ((place, FIRST + timedelta(days=day), fact) for (place, day), fact in found.items()),
        FIRST,
        FIRST + timedelta(days=DAYS),
    )
    pooled = Pool(facts, how, np.array(usable), district=district).over(*chosen)
    days = [day for start, end in chosen for day in range(start, end) if usable[day]]
    if not days:
        assert pooled == NOTHING
        return

    def total(part: str) -> float:
        return math.fsum(
            getattr(fact, part)
            for (place, day), fact in found.items()
            if day in days and district in (None, place)
        )

    assert pooled.numerator == pytest.approx(total("numerator"), rel=1e-12)
    if how in (Aggregation.RATIO, Aggregation.MEAN):
        assert pooled.denominator == pytest.approx(total("denominator"), rel=1e-12)
    if how is Aggregation.STOCK:
        last = [f.numerator for (p, d), f in found.items() if d == days[-1] and district in (None, p)]
        assert pooled.end_value == pytest.approx(sum(last)) and pooled.n == len(days)


@given(
    st.dictionaries(st.tuples(st.sampled_from(PLACES), st.integers(0, DAYS - 1)), multisets, max_size=12),
    st.lists(st.booleans(), min_size=DAYS, max_size=DAYS),
    apart.map(sorted),
    st.sampled_from((None, *PLACES)),
    st.sampled_from((0.5, 0.9)),
)
def test_a_percentile_over_ranges_is_that_of_all_their_usable_values(
    found, usable, chosen, district, share
) -> None:
    facts = arrange(
        ((place, FIRST + timedelta(days=day), fact) for (place, day), fact in found.items()),
        FIRST,
        FIRST + timedelta(days=DAYS),
    )
    pool = Pool(facts, Aggregation.PERCENTILE, np.array(usable), percentile=share, district=district)
    pooled = pool.over(*chosen)
    days = {day for start, end in chosen for day in range(start, end) if usable[day]}
    values = [
        value
        for (place, day), fact in found.items()
        if day in days and district in (None, place)
        for value, count in fact.amounts
        for _ in range(count)
    ]
    assert pooled.n == len(values)
    if values:
        assert pooled.value == pytest.approx(np.quantile(values, share, method="hazen"), rel=1e-9, abs=1e-9)
    else:
        assert pooled.value is None
