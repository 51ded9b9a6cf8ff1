"""A metric by district: what every district is beside the rest, and what hidden ones give away (nothing)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import fairness, intervals
from metrics.district_facts import by_district, indices
from metrics.districts import ByDistrict, Scale
from metrics.fairness import Place, Rule
from metrics.model import (
    UNKNOWN_DISTRICT,
    WHOLE_CITY,
    WITHHELD,
    Aggregation,
    Direction,
    District,
    Family,
    Grain,
    Metric,
    Period,
    Score,
    Status,
)

JUNE = Period(Grain.MONTH, date(2026, 6, 1), date(2026, 7, 1))
ON_TIME = Metric(
    id="on_time",
    name="On time",
    department="works",
    theme="streets",
    family=Family.SERVICE,
    source="cases",
    aggregation=Aggregation.RATIO,
    date="due",
    unit="percent",
    direction=Direction.HIGHER_IS_BETTER,
    definition="",
    limitations="",
    owner="",
    numerator="closed <= due",
    district="area",
)
CALLS = replace(ON_TIME, aggregation=Aggregation.COUNT, numerator=None, direction=Direction.NEUTRAL)
MINUTES = replace(
    ON_TIME, aggregation=Aggregation.MEAN, numerator=None, value="m", direction=Direction.LOWER_IS_BETTER
)
DISTRICTS = {
    name: District(name, name.title(), population=people, need=need)
    for name, people, need in (
        ("north", 1000, 0.05),
        ("south", 2000, 0.10),
        ("east", 3000, 0.20),
        ("west", 4000, 0.30),
    )
}


def score(district: str, value: float | None, **changes: object) -> Score:
    empty = Score(
        metric="on_time",
        district=district,
        period=JUNE,
        value=value,
        numerator=None,
        denominator=None,
        n=None,
        end_value=None,
        target=0.8,
        target_high=None,
        floor=0.0,
        floor_high=None,
        score=None,
        ceiling=None,
        status=Status.FINAL,
        reason=None,
    )
    return replace(empty, **changes)


def share(district: str, good: int, of: int) -> Score:
    low, high = intervals.wilson(good, of)
    value = good / of if of else None
    return score(
        district, value, numerator=float(good), denominator=float(of), n=of, low=low, high=high, score=value
    )


def count(district: str, many: int) -> Score:
    low, high = intervals.garwood(many)
    return score(district, float(many), numerator=float(many), n=many, low=low, high=high, target=None)


def mean(district: str, value: float, of: int, error: float) -> Score:
    ends = {"low": value - fairness.Z * error, "high": value + fairness.Z * error}
    return score(
        district, value, numerator=value * of, denominator=float(of), n=of, target=6.0, floor=12.0, **ends
    )


def shares(cases: Mapping[str, tuple[int, int]], hidden: tuple[str, ...] = ()) -> ByDistrict:
    x, n = (sum(one[part] for one in cases.values()) for part in (0, 1))
    rows = [share(name, *one) for name, one in cases.items()]
    return by_district(ON_TIME, share(WHOLE_CITY, x, n), rows, DISTRICTS, hidden)


CASES = {"north": (50, 100), "south": (170, 200), "east": (250, 300), "west": (330, 400)}


def test_a_share_stands_beside_the_rest_with_the_intervals_of_the_method() -> None:
    north = shares(CASES).row("north")
    assert north is not None and north.comparison is not None
    gap, low, high = (one[0] for one in fairness.gap([50, 170, 250, 330], [100, 200, 300, 400]))
    found = north.comparison.gap
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((gap, low, high))
    assert gap == pytest.approx(0.5 - 750 / 900)
    assert north.place is Place.BELOW
    assert north.per_1000 == 100


def test_records_without_a_district_are_shown_and_compared_with_nothing() -> None:
    with_them = shares({**CASES, UNKNOWN_DISTRICT: (0, 500)})
    without = shares(CASES)
    assert with_them.base == without.base == 0.8
    assert with_them.rows[-1].district == UNKNOWN_DISTRICT
    assert with_them.rows[-1].comparison is None
    assert with_them.rows[:-1] == without.rows
    assert indices(with_them) == indices(without)


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)).map(sorted), min_size=4, max_size=4),
)
def test_a_place_agrees_with_its_limits(cases: list[list[int]]) -> None:
    found = shares(dict(zip(DISTRICTS, [(x, n) for x, n in cases], strict=True)))
    for row in found.compared:
        limits, level = row.comparison.limits, row.comparison.level
        assert limits.outer_low <= limits.low <= found.base + 1e-12
        assert limits.outer_high >= limits.high >= found.base - 1e-12
        if min(abs(level - limits.low), abs(level - limits.high)) > 1e-9:
            expected = (
                Place.BELOW if level < limits.low else Place.ABOVE if level > limits.high else Place.WITHIN
            )
            assert limits.place is expected


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 200)).map(sorted), min_size=4, max_size=4),
)
def test_districts_of_one_size_keep_their_order_when_they_are_shrunken(cases: list[list[int]]) -> None:
    found = shares({name: (x * 200 // max(n, 1), 200) for name, (x, n) in zip(DISTRICTS, cases, strict=True)})
    levels = [row.comparison.level for row in found.compared]
    assert [row.comparison.shrunken for row in found.compared] == sorted(
        row.comparison.shrunken for row in found.compared
    )
    assert levels == sorted(levels) or found.compared[0].comparison.shrunken == pytest.approx(found.base)


def test_what_is_hidden_counts_as_one_district_with_its_people_and_their_need() -> None:
    shown = {name: CASES[name] for name in ("east", "west")}
    rest = (220, 300)
    found = shares({**shown, WITHHELD: rest}, hidden=("north", "south"))
    row = found.row(WITHHELD)
    assert row is not None
    assert (row.people, row.together) == (3000, 2)
    assert row.need == pytest.approx((0.05 * 1000 + 0.10 * 2000) / 3000)
    assert row.per_1000 == 100
    merged = {**DISTRICTS, "both": District("both", "Both", population=3000, need=row.need)}
    alone = by_district(
        ON_TIME,
        found.city,
        [*(share(name, *one) for name, one in shown.items()), share("both", *rest)],
        merged,
    )
    for one, other in zip(astuple(indices(found)), astuple(indices(alone)), strict=True):
        assert one == pytest.approx(other)


@given(st.integers(0, 100), st.integers(0, 200))
def test_nothing_depends_on_how_hidden_cases_are_spread(north: int, south: int) -> None:
    """What is published is a function of the row that is left over, and that is of the sum alone."""
    hidden = {"north": (north, 100), "south": (south, 200)}
    both = (north + south, 300)
    first = shares({"east": CASES["east"], "west": CASES["west"], WITHHELD: both}, hidden=tuple(hidden))
    again = shares({"east": CASES["east"], "west": CASES["west"], WITHHELD: both}, hidden=("south", "north"))
    assert (first, indices(first)) == (again, indices(again))
    assert not {"north", "south"} & {row.district for row in first.rows}


def test_totals_are_compared_for_each_thousand_residents() -> None:
    rows = [count(name, many) for name, many in (("north", 30), ("south", 20), ("east", 30), ("west", 40))]
    found = by_district(CALLS, count(WHOLE_CITY, 120), rows, DISTRICTS)
    assert (found.scale, found.base) == (Scale.PER_1000, 12.0)
    north = found.row("north")
    assert north is not None and north.comparison is not None and north.comparison.ratio is not None
    assert north.comparison.level == north.per_1000 == 30
    assert north.comparison.ratio.value == pytest.approx(30 / 10)
    assert north.place is Place.ABOVE
    assert indices(found).equity is None


def test_levels_are_compared_by_the_errors_their_intervals_say() -> None:
    rows = [mean("north", 9.0, 50, 0.5), mean("south", 6.0, 100, 0.4), mean("east", 6.2, 150, 0.3)]
    found = by_district(MINUTES, mean(WHOLE_CITY, 6.6, 300, 0.2), rows, DISTRICTS)
    assert found.base == pytest.approx((9 * 50 + 6 * 100 + 6.2 * 150) / 300)
    north = found.row("north")
    assert north is not None and north.comparison is not None and north.comparison.gap is not None
    assert north.place is Place.ABOVE
    assert north.comparison.gap.value == pytest.approx(9 - (600 + 930) / 250)
    assert north.comparison.score == Rule(6.0, 12.0, Direction.LOWER_IS_BETTER).score(
        north.comparison.shrunken
    )
    assert found.rows[0].district == "north"


def test_a_level_without_an_interval_has_no_funnel_and_takes_part_in_the_indices() -> None:
    rows = [mean("north", 9.0, 50, 0.5), mean("south", 6.0, 100, 0.4)]
    rows.append(replace(mean(WITHHELD, 6.2, 150, 0.3), low=None, high=None))
    found = by_district(MINUTES, mean(WHOLE_CITY, 6.6, 300, 0.2), rows, DISTRICTS, hidden=("east", "west"))
    row = found.row(WITHHELD)
    assert row is not None and row.place is None and row.comparison is not None
    assert found.judged == 2
    concentration = indices(found).concentration
    assert concentration is not None and concentration.deviation > 0


def test_one_district_alone_is_compared_with_nothing() -> None:
    found = shares({"north": (5, 10), UNKNOWN_DISTRICT: (5, 10)})
    assert (found.base, found.compared, indices(found).slope) == (None, (), None)


def test_what_goes_to_those_in_need_concentrates_there() -> None:
    found = indices(shares({"north": (60, 100), "south": (130, 200), "east": (240, 300), "west": (360, 400)}))
    assert found.concentration is not None and found.slope is not None and found.equity is not None
    assert found.concentration.value > 2 * found.concentration.deviation > 0
    assert found.slope.value > 2 * found.slope.deviation > 0
    assert found.equity.value == pytest.approx((0.75 * 1 + 0.8125 * 2 + 1 * 3 + 1 * 4) / 10)
    assert found.equity.expected is not None and found.equity.value < found.equity.expected < 1.0


def test_under_equal_service_indices_stray_by_their_deviations() -> None:
    random = np.random.default_rng(11)
    n = {"north": 100, "south": 200, "east": 300, "west": 400}
    drawn = [
        indices(shares({name: (int(random.binomial(of, 0.8)), of) for name, of in n.items()}))
        for _ in range(150)
    ]
    slopes = np.array([one.slope.value / one.slope.deviation for one in drawn if one.slope])
    assert np.std(slopes) == pytest.approx(1.0, abs=0.17)
    gaps = [one.equity.value - one.equity.expected for one in drawn if one.equity and one.equity.expected]
    assert np.mean(gaps) == pytest.approx(0.0, abs=0.004)
