"""Scores as method 5 defines them, and the targets that are in force in a period (method 4)."""

from __future__ import annotations

import math
import tomllib
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metrics.model import Aggregation, Direction, Target, Weight
from metrics.scoring import (
    TargetInForce,
    ceiling,
    cityscore,
    default_floor,
    score,
    score_array,
    target_in_force,
    weight_in_force,
)

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "scores.toml").read_text(encoding="utf-8"))
HIGHER, LOWER = Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER

amounts = st.floats(0, 1e9)
targets = st.floats(1e-3, 1e9)
shares = st.floats(0, 1)
inner_shares = st.floats(0.01, 0.99)
caps = st.floats(1, 3)


def bound(given):
    return tuple(given) if isinstance(given, list) else given


def of(case, **more):
    given = {name: bound(case[name]) for name in ("floor", "cap", "method") if name in case}
    return score(case["value"], bound(case["target"]), case["direction"], **given, **more)


def reason(case):
    return f"{case['why']}-{case['direction']}-{case['target']}-{case.get('floor')}"


# --- one score ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES["linear"], ids=reason)
def test_the_line_through_floor_and_target(case):
    assert of(case) == pytest.approx(case["score"], abs=1e-12)


@pytest.mark.parametrize("case", CASES["cityscore"], ids=reason)
def test_bostons_arithmetic(case):
    found = of(case, method="cityscore")
    assert found == cityscore(case["value"], bound(case["target"]), case["direction"])
    assert found == (None if "score" not in case else pytest.approx(case["score"], abs=1e-12))


@pytest.mark.parametrize("case", CASES["refused"], ids=reason)
def test_a_score_that_cannot_be_meant_is_refused_in_words(case):
    with pytest.raises(ValueError, match=case["why"]):
        of(case)


@pytest.mark.parametrize("method", ["linear", "cityscore"])
@pytest.mark.parametrize("direction", Direction)
def test_no_value_or_no_target_has_no_score(direction, method):
    target = (1.0, 2.0) if direction is Direction.WITHIN else 1.0
    assert score(None, target, direction, method=method) is None
    assert score(1.0, None, direction, method=method) is None


def test_a_neutral_metric_is_never_scored():
    assert score(1.0, 1.0, "neutral") is None
    assert score(1.0, 1.0, "neutral", method="cityscore") is None


def test_cap_and_floor_do_not_touch_bostons_arithmetic():
    assert score(50.0, 10.0, "higher_is_better", method="cityscore", cap=0.5, floor=99.0) == 5.0


def test_a_quotient_too_large_to_write_down_is_no_score():
    assert score(1e308, 1e-308, "higher_is_better", method="cityscore") is None


@settings(deadline=None)
@given(targets, st.sampled_from([HIGHER, LOWER]), caps)
def test_on_target_is_exactly_one(target, direction, cap):
    assert score(target, target, direction, cap=cap) == 1.0


@settings(deadline=None)
@given(amounts, targets, st.sampled_from([HIGHER, LOWER]), caps)
def test_a_score_lies_between_zero_and_its_cap(value, target, direction, cap):
    assert 0.0 <= score(value, target, direction, cap=cap) <= cap


@settings(deadline=None)
@given(amounts, amounts, targets)
def test_better_never_scores_worse(one, other, target):
    low, high = sorted([one, other])
    assert score(low, target, HIGHER) <= score(high, target, HIGHER)
    assert score(low, target, LOWER) >= score(high, target, LOWER)


@settings(deadline=None)
@given(shares, inner_shares)
def test_a_share_and_its_complement_score_the_same(share, target):
    floor = default_floor(1 - target, LOWER, is_share=True)
    complement = score(1 - share, 1 - target, LOWER, floor=floor)
    assert score(share, target, HIGHER) == pytest.approx(complement, abs=1e-12)


@settings(deadline=None)
@given(amounts, targets, st.sampled_from([HIGHER, LOWER]), st.floats(0.01, 100))
def test_the_unit_does_not_matter(value, target, direction, factor):
    scaled = score(value * factor, target * factor, direction)
    assert scaled == pytest.approx(score(value, target, direction), abs=1e-9)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4, unique=True))
def test_a_band_is_one_inside_and_nothing_at_the_floors(value, four):
    low_floor, low, high, high_floor = sorted(four)
    found = score(value, (low, high), "within", floor=(low_floor, high_floor))
    assert (found == 1.0) or not low <= value <= high
    assert (found == 0.0) or low_floor < value < high_floor
    assert 0.0 <= found <= 1.0


# --- floors and ceilings -----------------------------------------------------------------------


def test_the_floor_nobody_gave():
    assert default_floor(0.8, "higher_is_better", is_share=True) == 0.0
    assert default_floor(12.0, "higher_is_better", is_share=False) == 0.0
    assert default_floor(12.0, "lower_is_better", is_share=False) == 24.0
    assert default_floor(0.2, "lower_is_better", is_share=True) == 1.0


@pytest.mark.parametrize("direction", ["higher_is_better", "lower_is_better"])
def test_no_floor_follows_from_a_target_of_zero(direction):
    with pytest.raises(ValueError, match="needs a floor"):
        default_floor(0.0, direction, is_share=False)


def test_a_band_has_no_default_floor():
    with pytest.raises(ValueError, match=r"\(low, high\)"):
        default_floor(1.0, "within", is_share=False)


@pytest.mark.parametrize(
    ("target", "direction", "aggregation", "given", "expected"),
    [
        (0.8, "higher_is_better", "ratio", {"is_share": True}, 1.25),
        (0.95, "higher_is_better", "ratio", {"is_share": True}, 1 / 0.95),
        (0.99, "higher_is_better", "ratio", {"is_share": True}, 1 / 0.99),
        (1.0, "higher_is_better", "ratio", {"is_share": True}, 1.0),
        (0.5, "higher_is_better", "ratio", {"is_share": True, "cap": 1.5}, 1.5),
        (0.2, "lower_is_better", "ratio", {"is_share": True}, 1.25),
        (0.05, "lower_is_better", "ratio", {"is_share": True}, 1 / 0.95),
        (7.0, "higher_is_better", "ratio", {"is_share": False}, 1.25),
        (40.0, "lower_is_better", "count", {"is_share": False}, 1.25),
        (40.0, "lower_is_better", "count", {"is_share": False, "floor": 400.0}, 1 + 40 / 360),
        (40.0, "higher_is_better", "count", {"is_share": False}, 1.25),
        (4.0, "higher_is_better", "mean", {"is_share": False, "best": 5.0}, 1.25),
        (4.5, "higher_is_better", "mean", {"is_share": False, "best": 5.0}, 5 / 4.5),
        (6.0, "lower_is_better", "median", {"is_share": False, "best": 5.4}, 1.1),
        (6.0, "higher_is_better", "median", {"is_share": False, "cap": 1.4}, 1.4),
        ((1.0, 2.0), "within", "mean", {"is_share": False, "floor": (0.0, 3.0)}, 1.0),
        (5.0, "neutral", "count", {"is_share": False}, None),
        (None, "higher_is_better", "count", {"is_share": False}, None),
        (0.8, "higher_is_better", "ratio", {"is_share": True, "method": "cityscore"}, 1.25),
        (0.5, "higher_is_better", "ratio", {"is_share": True, "method": "cityscore"}, 2.0),
        (40.0, "higher_is_better", "count", {"is_share": False, "method": "cityscore"}, None),
        (40.0, "lower_is_better", "count", {"is_share": False, "method": "cityscore"}, None),
        ((1.0, 2.0), "within", "mean", {"is_share": False, "method": "cityscore"}, None),
    ],
)
def test_the_score_of_a_perfect_period(target, direction, aggregation, given, expected):
    found = ceiling(target, direction, Aggregation(aggregation), **given)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-12))


@settings(deadline=None)
@given(shares, inner_shares, st.sampled_from([HIGHER, LOWER]))
def test_no_share_scores_above_its_ceiling(value, target, direction):
    floor = default_floor(target, direction, is_share=True)
    highest = ceiling(target, direction, Aggregation.RATIO, is_share=True)
    assert score(value, target, direction, floor=floor) <= highest


# --- many scores at once -----------------------------------------------------------------------


def as_none(number):
    return None if math.isnan(number) else number


@settings(deadline=None)
@given(
    st.lists(st.tuples(amounts | st.just(math.nan), targets | st.just(math.nan)), min_size=1, max_size=20),
    st.sampled_from([HIGHER, LOWER]),
    caps,
    st.booleans(),
)
def test_the_array_scores_as_the_number_does_to_the_last_bit(pairs, direction, cap, give_floors):
    values, goals = (np.array(column) for column in zip(*pairs, strict=True))
    factor = (0.25 if direction is HIGHER else 3.0) if give_floors else math.nan
    found = score_array(values, goals, goals * factor, direction, cap)
    for value, goal, one in zip(values.tolist(), goals.tolist(), found.tolist(), strict=True):
        floor = as_none(goal * factor)
        assert score(as_none(value), as_none(goal), direction, floor=floor, cap=cap) == as_none(one)


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50) | st.just(math.nan), min_size=1, max_size=20))
def test_the_array_scores_a_band_as_the_number_does(values):
    found = score_array(values, (-3.0, 7.0), (-11.0, 29.0), "within").tolist()
    expected = [score(as_none(one), (-3.0, 7.0), "within", floor=(-11.0, 29.0)) for one in values]
    assert [as_none(one) for one in found] == expected


def test_the_array_of_a_neutral_metric_is_empty_inside():
    assert np.isnan(score_array([1.0, 2.0], 1.0, 0.0, "neutral")).all()


@pytest.mark.parametrize(
    ("values", "target", "floor", "direction"),
    [
        ([1.0, 2.0], 1.0, 1.0, "higher_is_better"),
        ([1.0, 2.0], 1.0, 0.5, "lower_is_better"),
        ([1.0, 2.0], 0.0, math.nan, "lower_is_better"),
        ([1.0, 2.0], 0.0, math.nan, "higher_is_better"),
        ([1.0, math.inf], 1.0, 0.0, "higher_is_better"),
        ([1.0], (1.0, 2.0), (math.nan, 3.0), "within"),
        ([1.0], (2.0, 1.0), (0.0, 3.0), "within"),
    ],
)
def test_the_array_refuses_what_the_number_refuses(values, target, floor, direction):
    with pytest.raises(ValueError, match=r"floor|infinite|band"):
        score_array(values, target, floor, direction)


def test_a_wrong_floor_where_nothing_is_scored_is_no_error():
    assert np.isnan(score_array([math.nan, 1.0], [1.0, math.nan], [2.0, 2.0], "higher_is_better")).all()


# --- what is in force --------------------------------------------------------------------------

START, END = date(2026, 3, 1), date(2026, 3, 11)


def target(value, valid_from, floor=None):
    return Target(value, valid_from, "a reason", "a council", floor)


def test_the_newest_target_of_the_past_is_in_force():
    listed = [target(0.9, date(2026, 3, 11)), target(0.8, date(2026, 1, 1)), target(0.7, date(2020, 1, 1))]
    assert target_in_force(listed, START, END) == TargetInForce(0.8, None)


def test_a_target_is_in_force_on_its_first_day():
    listed = [target(0.7, date(2020, 1, 1)), target(0.8, START)]
    assert target_in_force(listed, START, END) == TargetInForce(0.8, None)


def test_of_two_targets_of_one_day_the_later_listed_holds():
    listed = [target(0.7, START), target(0.8, START)]
    assert target_in_force(listed, START, END) == TargetInForce(0.8, None)
    inside = [target(0.6, date(2020, 1, 1)), target(0.7, date(2026, 3, 6)), target(0.8, date(2026, 3, 6))]
    assert target_in_force(inside, START, END).value == pytest.approx(0.7)


def test_a_target_that_changes_inside_weighs_by_its_days():
    listed = [target(10.0, date(2020, 1, 1), 0.0), target(20.0, date(2026, 3, 4), 5.0)]
    found = target_in_force(listed, START, END)
    assert found.value == pytest.approx((3 * 10 + 7 * 20) / 10)
    assert found.floor == pytest.approx((3 * 0 + 7 * 5) / 10)


def test_a_target_that_changes_inside_weighs_by_its_denominators():
    listed = [target(0.8, date(2020, 1, 1)), target(0.9, date(2026, 3, 4))]
    exposure = {date(2026, 3, 1): 30.0, date(2026, 3, 10): 10.0}
    assert target_in_force(listed, START, END, exposure).value == pytest.approx(0.825)


def test_without_any_denominator_days_weigh_equally():
    listed = [target(0.8, date(2020, 1, 1)), target(0.9, date(2026, 3, 6))]
    assert target_in_force(listed, START, END, {START: 0.0}).value == pytest.approx(0.85)


def test_one_target_throughout_is_given_back_to_the_last_bit():
    listed = [target(0.1, date(2020, 1, 1)), target(0.1, date(2026, 3, 4))]
    exposure = {START + timedelta(days=index): 0.1 * index for index in range(10)}
    assert target_in_force(listed, START, END, exposure).value == 0.1
    assert target_in_force(listed, START, END).value == 0.1


def test_a_day_that_weighs_without_a_target_leaves_the_period_without():
    listed = [target(0.8, date(2026, 3, 4))]
    assert target_in_force(listed, START, END) is None
    assert target_in_force(listed, START, END, {date(2026, 3, 3): 1.0, date(2026, 3, 9): 5.0}) is None
    assert target_in_force(listed, START, END, {date(2026, 3, 4): 1.0}) == TargetInForce(0.8, None)
    assert target_in_force([], START, END) is None
    assert target_in_force([target(0.8, END)], START, END) is None


def test_bands_and_their_floors_are_averaged_end_by_end():
    listed = [
        target((10.0, 20.0), date(2020, 1, 1), (0.0, 30.0)),
        target((20.0, 40.0), date(2026, 3, 6), (10.0, 50.0)),
    ]
    assert target_in_force(listed, START, END) == TargetInForce((15.0, 30.0), (5.0, 40.0))


def test_a_floor_left_to_the_rule_beside_one_given_follows_the_rule():
    listed = [target(10.0, date(2020, 1, 1), 15.0), target(20.0, date(2026, 3, 6))]
    found = target_in_force(listed, START, END, direction="lower_is_better")
    assert found == TargetInForce(15.0, (15.0 + 40.0) / 2)
    with pytest.raises(ValueError, match="2026-03-06 has no floor"):
        target_in_force(listed, START, END)


def test_a_number_and_a_band_do_not_mix():
    listed = [target(10.0, date(2020, 1, 1)), target((10.0, 20.0), date(2026, 3, 6))]
    with pytest.raises(ValueError, match="a number and a band"):
        target_in_force(listed, START, END)


def test_an_empty_period_is_refused():
    with pytest.raises(ValueError, match="empty"):
        target_in_force([target(1.0, START)], END, END)


def test_weights_are_in_force_by_the_same_rules():
    listed = [Weight(1.0, date(2020, 1, 1), "a reason"), Weight(3.0, date(2026, 3, 6), "a reason")]
    assert weight_in_force(listed, START, date(2026, 3, 6)) == 1.0
    assert weight_in_force(listed, START, END) == 2.0
    assert weight_in_force(listed, START, END, {START: 3.0, date(2026, 3, 9): 1.0}) == 1.5
    assert weight_in_force(listed[1:], START, END) is None
    assert weight_in_force([], START, END) is None


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.integers(-5, 12)), min_size=1, max_size=5),
    st.lists(st.integers(0, 50), min_size=10, max_size=10),
)
def test_the_mean_in_force_is_the_mean_over_the_days(pairs, denominators):
    listed = [target(value, START + timedelta(days=offset)) for value, offset in pairs]
    days = [START + timedelta(days=index) for index in range(10)]
    exposure = dict(zip(days, map(float, denominators), strict=True))
    assume(any(denominators))
    in_force = [
        max(
            (one for one in reversed(listed) if one.valid_from <= day),
            key=lambda one: one.valid_from,
            default=None,
        )
        for day in days
    ]
    found = target_in_force(listed, START, END, exposure)
    if any(one is None and exposure[day] for one, day in zip(in_force, days, strict=True)):
        assert found is None
    else:
        weighted = [(one.value, exposure[day]) for one, day in zip(in_force, days, strict=True) if one]
        mean = sum(value * weight for value, weight in weighted) / sum(denominators)
        assert found.value == pytest.approx(mean, rel=1e-12)
