"""The parts of a change add up to it, and each stands under the name of what caused it (method 8)."""

from __future__ import annotations

import math
import tomllib
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.attribution import Side, apportion, change_matched, contributions, rate_and_mix, shapley
from metrics.composite import composite
from metrics.model import Direction, Part
from metrics.scoring import score

PUBLISHED = tomllib.loads(
    (Path(__file__).parents[1] / "cases" / "attribution.toml").read_text(encoding="utf-8")
)
HIGHER, LOWER, WITHIN = Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER, Direction.WITHIN


def side(value, target=0.8, floor=0.0, *, weight=1.0, **more):
    rules = {name: more[name] for name in ("method", "cap") if name in more}
    direction = more.pop("direction", HIGHER)
    found = score(value, target, direction, floor=floor, **rules)
    return Side(found, weight, value, target, floor, direction, **more)


def late(seat, weight=1.0):
    return Side(seat, weight, target=0.8, floor=0.0, late=True)


def absent(weight=1.0):
    return Side(None, weight)


def change(before, after):
    totals = [
        composite(
            {metric: one.score for metric, one in sides.items()},
            {metric: one.weight for metric, one in sides.items()},
        )[0]
        for sides in (before, after)
    ]
    return None if None in totals else totals[1] - totals[0]


def parts(before, after):
    """The contributions as {(metric, part): amount}; two rows of one kind would be a mistake."""
    rows = contributions(before, after)
    found = {(row.metric, row.part): row.contribution for row in rows}
    assert len(found) == len(rows)
    return found


# --- which part --------------------------------------------------------------------------------


def test_an_unchanged_city_has_no_contributions():
    sides = {"a": side(0.7), "b": side(0.9)}
    assert contributions(sides, sides) == ()


def test_a_better_value_is_performance():
    found = parts({"a": side(0.4), "b": side(0.8)}, {"a": side(0.6), "b": side(0.8)})
    assert found == {("a", Part.PERFORMANCE): pytest.approx(0.125)}


def test_a_moved_target_is_target():
    found = parts({"a": side(0.6, 0.8)}, {"a": side(0.6, 0.75)})
    assert found == {("a", Part.TARGET): pytest.approx(0.8 - 0.75)}


def test_a_moved_floor_is_target():
    found = parts({"a": side(0.6, 0.8, 0.0)}, {"a": side(0.6, 0.8, 0.4)})
    assert found == {("a", Part.TARGET): pytest.approx(0.5 - 0.75)}


def test_a_moved_band_is_target():
    before = side(12.0, (10.0, 20.0), (0.0, 30.0), direction=WITHIN)
    after = side(12.0, (16.0, 20.0), (8.0, 30.0), direction=WITHIN)
    assert parts({"a": before}, {"a": after}) == {("a", Part.TARGET): pytest.approx(-0.5)}


def test_value_and_target_together_split_half_the_way_each_order():
    found = parts({"a": side(0.4, 0.8)}, {"a": side(0.6, 0.75)})
    # By hand: value first .5 -> .75 -> .8, target first .5 -> .5333 -> .8.
    assert found == {
        ("a", Part.PERFORMANCE): pytest.approx(((0.75 - 0.5) + (0.8 - 0.4 / 0.75)) / 2),
        ("a", Part.TARGET): pytest.approx(((0.8 - 0.75) + (0.4 / 0.75 - 0.5)) / 2),
    }


def test_parts_that_cancel_are_still_told():
    found = parts({"a": side(0.6, 0.75)}, {"a": side(0.4, 0.5)})
    assert set(found) == {("a", Part.PERFORMANCE), ("a", Part.TARGET)}
    assert found["a", Part.PERFORMANCE] < -0.2
    assert sum(found.values()) == pytest.approx(0, abs=1e-12)


def test_a_longer_month_is_neither_performance_nor_target():
    february = side(280.0, 280.0, 560.0, direction=LOWER, scale=28.0)
    march = side(310.0, 310.0, 620.0, direction=LOWER, scale=31.0)
    assert contributions({"a": february}, {"a": march}) == ()


def test_a_count_in_a_longer_month_changes_by_its_rate():
    february = side(280.0, 280.0, 560.0, direction=LOWER, scale=28.0)
    march = side(279.0, 310.0, 620.0, direction=LOWER, scale=31.0)
    assert parts({"a": february}, {"a": march}) == {("a", Part.PERFORMANCE): pytest.approx(0.1)}


def test_a_rate_scaled_to_two_months_and_back_is_one_target():
    rate = 10.3
    february = side(rate * 28, rate * 28, rate * 56, direction=LOWER, scale=28.0)
    october = side(280.0, rate * 31, rate * 62, direction=LOWER, scale=31.0)
    assert set(parts({"a": february}, {"a": october})) == {("a", Part.PERFORMANCE)}


def test_another_cap_is_definition():
    found = parts({"a": side(1.0, 0.5, cap=1.25)}, {"a": side(1.0, 0.5, cap=1.5)})
    assert found == {("a", Part.DEFINITION): pytest.approx(0.25)}


def test_another_method_is_definition_beside_performance():
    before = side(60.0, 40.0, 80.0, direction=LOWER)
    after = side(50.0, 40.0, 80.0, direction=LOWER, method="cityscore")
    found = parts({"a": before}, {"a": after})
    # By hand: linear .5 and .75, cityscore .6667 and .8.
    assert found == {
        ("a", Part.PERFORMANCE): pytest.approx(((0.75 - 0.5) + (0.8 - 2 / 3)) / 2),
        ("a", Part.DEFINITION): pytest.approx(((2 / 3 - 0.5) + (0.8 - 0.75)) / 2),
    }


def test_another_measurement_that_nobody_made_for_both_periods_is_all_definition():
    found = parts({"a": side(0.4, definition="old")}, {"a": side(0.6, definition="new")})
    assert found == {("a", Part.DEFINITION): pytest.approx(0.25)}


def test_another_measurement_made_for_both_periods_is_told_from_performance():
    before = side(0.4, definition="old", redefined=0.5)
    after = side(0.6, definition="new", redefined=0.48)
    found = parts({"a": before}, {"a": after})
    assert found == {
        ("a", Part.PERFORMANCE): pytest.approx(((0.48 - 0.4) + (0.6 - 0.5)) / 2 / 0.8),
        ("a", Part.DEFINITION): pytest.approx(((0.5 - 0.4) + (0.6 - 0.48)) / 2 / 0.8),
    }


def test_all_three_at_once_are_the_mean_over_all_orders():
    sides = (
        side(0.5, 0.8, 0.1, definition="old", redefined=0.55, cap=1.1),
        side(0.72, 0.6, 0.0, definition="new", redefined=0.61),
    )
    measured = {(0, 0): 0.5, (0, 1): 0.55, (1, 0): 0.61, (1, 1): 0.72}

    def mixed(period, bound, rules):
        chosen = sides[bound]
        return score(measured[period, rules], chosen.target, HIGHER, floor=chosen.floor, cap=sides[rules].cap)

    expected = dict.fromkeys(range(3), 0.0)
    for order in permutations(range(3)):
        state = [0, 0, 0]
        for factor in order:
            old = mixed(*state)
            state[factor] = 1
            expected[factor] += (mixed(*state) - old) / 6
    found = parts({"a": sides[0]}, {"a": sides[1]})
    kinds = (Part.PERFORMANCE, Part.TARGET, Part.DEFINITION)
    assert [found["a", kind] for kind in kinds] == pytest.approx(list(expected.values()))


def test_a_direction_that_turned_round_is_definition():
    before, after = side(0.9, 0.8), side(0.3, 0.2, 1.0, direction=LOWER)
    found = parts({"a": before}, {"a": after})
    assert found == {("a", Part.DEFINITION): pytest.approx(after.score - before.score)}


def test_a_score_that_is_late_on_either_side_moves_by_coverage():
    scored, seated = side(0.8), late(0.6)
    assert parts({"a": scored}, {"a": seated}) == {("a", Part.COVERAGE): pytest.approx(-0.4)}
    assert parts({"a": seated}, {"a": scored}) == {("a", Part.COVERAGE): pytest.approx(0.4)}
    assert parts({"a": seated}, {"a": late(0.5)}) == {("a", Part.COVERAGE): pytest.approx(-0.1)}


def test_who_leaves_or_comes_moves_by_coverage_and_everybody_with_them():
    before = {"a": side(0.4), "b": side(0.8), "c": side(0.8)}
    after = {"a": side(0.4), "b": side(0.8)}
    found = parts(before, after)
    assert set(found) == {(name, Part.COVERAGE) for name in "abc"}
    # By hand: S 0.8333 -> 0.75, mean .791667; c loses 1/3 at 1.0, a gains 1/6 at 0.5, b gains 1/6 at 1.0.
    middle = (2.5 / 3 + 0.75) / 2
    assert found["c", Part.COVERAGE] == pytest.approx(-(1.0 - middle) / 3)
    assert found["a", Part.COVERAGE] == pytest.approx((0.5 - middle) / 6)
    assert found["b", Part.COVERAGE] == pytest.approx((1.0 - middle) / 6)


def test_a_metric_listed_without_a_score_is_as_absent_as_one_not_listed():
    before = {"a": side(0.4), "b": side(0.8)}
    assert parts(before, {"a": side(0.4), "b": absent()}) == parts(before, {"a": side(0.4)})


def test_another_raw_weight_is_weight():
    before = {"a": side(0.4), "b": side(0.8)}
    after = {"a": side(0.4, weight=3.0), "b": side(0.8)}
    found = parts(before, after)
    assert set(found) == {("a", Part.WEIGHT), ("b", Part.WEIGHT)}
    assert sum(found.values()) == pytest.approx(0.625 - 0.75)


def test_weight_and_coverage_together_split_half_the_way_each_order():
    before = {"a": side(0.4), "b": side(0.8), "c": side(0.6)}
    after = {"a": side(0.4, weight=3.0), "b": side(0.8)}
    found = parts(before, after)
    # Normalised weights of a by hand: 1/3 at first, 3/4 at last; weights first 3/5, presence first 1/2.
    by_weight = float((Fraction(3, 5) - Fraction(1, 3) + Fraction(3, 4) - Fraction(1, 2)) / 2)
    by_coverage = float((Fraction(1, 2) - Fraction(1, 3) + Fraction(3, 4) - Fraction(3, 5)) / 2)
    middle = (0.75 + 0.625) / 2
    assert found["a", Part.WEIGHT] == pytest.approx(by_weight * (0.5 - middle))
    assert found["a", Part.COVERAGE] == pytest.approx(by_coverage * (0.5 - middle))


def test_the_weight_of_an_absent_metric_that_is_known_to_have_changed_is_weight():
    before = {"a": side(0.4), "b": absent(1.0)}
    after = {"a": side(0.4), "b": side(0.8, weight=2.0)}
    kinds = {part for _, part in parts(before, after)}
    assert kinds == {Part.WEIGHT, Part.COVERAGE}


def test_a_composite_that_passes_through_no_weight_at_all_is_coverage():
    before = {"a": side(0.4), "b": absent(0.0)}
    after = {"a": absent(0.0), "b": side(0.8)}
    found = parts(before, after)
    assert {part for _, part in found} == {Part.COVERAGE}
    assert sum(found.values()) == pytest.approx(0.5)


def test_without_a_score_on_a_side_there_is_no_change_to_explain():
    assert contributions({}, {"a": side(0.5)}) == ()
    assert contributions({"a": absent()}, {"a": side(0.5)}) == ()
    assert contributions({"a": side(0.5)}, {"a": side(0.6, weight=0.0)}) == ()


def test_rows_come_in_the_order_of_the_later_period():
    before = {name: side(0.4) for name in ("gone", "a", "b")}
    after = {name: side(0.6) for name in ("b", "a", "new")}
    rows = contributions(before, after)
    assert list(dict.fromkeys(row.metric for row in rows)) == ["b", "a", "new", "gone"]


# --- sums --------------------------------------------------------------------------------------


@st.composite
def any_side(draw):
    kind = draw(st.sampled_from(["share", "count", "band", "late", "absent", "boston"]))
    weight = draw(st.sampled_from([0.0, 0.5, 1.0, 3.0]) | st.floats(0.01, 10))
    if kind == "absent":
        return absent(weight)
    if kind == "late":
        return late(draw(st.floats(0, 1.25)), weight)
    more = {
        "weight": weight,
        "definition": draw(st.sampled_from(["", "", "new"])),
        "redefined": draw(st.none() | st.floats(0.01, 1)),
        "cap": draw(st.sampled_from([1.25, 1.25, 1.5])),
    }
    if kind == "share":
        return side(draw(st.floats(0, 1)), draw(st.sampled_from([0.5, 0.8, 0.95])), **more)
    if kind == "band":
        return side(draw(st.floats(0, 40)), (10.0, 20.0), (5.0, 30.0), direction=WITHIN, **more)
    days = draw(st.sampled_from([28.0, 30.0, 31.0]))
    expected = draw(st.floats(1, 20)) * days
    more |= {"direction": LOWER, "scale": days}
    if kind == "boston":
        more["method"] = "cityscore"
    return side(draw(st.floats(1, 900)), expected, 2 * expected, **more)


cities = st.dictionaries(st.sampled_from("abcdefgh"), any_side(), max_size=8)


@settings(deadline=None)
@given(cities, cities)
def test_the_parts_of_any_two_periods_add_up_to_the_change(before, after):
    total = change(before, after)
    rows = contributions(before, after)
    if total is None:
        assert rows == ()
    else:
        assert math.fsum(row.contribution for row in rows) == pytest.approx(total, abs=1e-12)


@settings(deadline=None)
@given(cities, cities)
def test_the_way_back_is_the_way_there_with_the_sign_turned(before, after):
    there, back = parts(before, after), parts(after, before)
    for key in there.keys() | back.keys():
        assert there.get(key, 0.0) == pytest.approx(-back.get(key, 0.0), abs=1e-12)


@settings(deadline=None)
@given(cities, st.sampled_from("abcdefgh"), st.floats(0, 1))
def test_a_sentence_of_cause_moves_with_the_value_alone(city, name, value):
    """Where only one value changed, only that metric has a row, and it is performance."""
    before, after = {**city, name: side(0.5)}, {**city, name: side(value)}
    assert set(parts(before, after)) <= {(name, Part.PERFORMANCE)}


# --- the change over the same metrics ----------------------------------------------------------


def test_the_matched_change_is_over_what_is_scored_on_both_sides_by_the_later_weights():
    before = {"a": side(0.4, weight=5.0), "b": side(0.8), "gone": side(0.8), "late": late(0.1)}
    after = {"a": side(0.6), "b": side(0.7, weight=3.0), "new": side(0.1), "late": side(0.8)}
    assert change_matched(before, after) == pytest.approx((1 * 0.25 + 3 * -0.125) / 4)


def test_the_matched_change_is_none_where_nothing_is_scored_on_both_sides():
    assert change_matched({"a": side(0.4)}, {"b": side(0.4)}) is None
    assert change_matched({"a": side(0.4)}, {"a": late(0.4)}) is None
    assert change_matched({"a": side(0.4)}, {"a": absent()}) is None
    assert change_matched({"a": side(0.4)}, {"a": side(0.4, weight=0.0)}) is None


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1))
def test_with_the_same_metrics_the_matched_change_is_the_change(values):
    before = {name: side(old) for name, (old, _) in values.items()}
    after = {name: side(new) for name, (_, new) in values.items()}
    assert change_matched(before, after) == pytest.approx(change(before, after), abs=1e-12)


# --- any function ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", PUBLISHED["das_gupta"], ids=lambda case: case["source"])
def test_the_parts_of_a_product_are_das_guptas(case):
    found = shapley(lambda factors: math.prod(factors.values()), case["before"], case["after"])
    assert found == pytest.approx(case["parts"], abs=case["tolerance"])


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=5))
def test_the_parts_of_any_function_add_up(pairs):
    before = {str(index): old for index, (old, _) in enumerate(pairs)}
    after = {str(index): new for index, (_, new) in enumerate(pairs)}

    def function(factors):
        return math.sin(sum(factors.values())) + max(factors.values()) * min(factors.values())

    found = shapley(function, before, after)
    assert math.fsum(found.values()) == pytest.approx(function(after) - function(before), abs=1e-12)
    assert all(found[name] == 0.0 for name in before if before[name] == after[name])


def test_factors_that_do_not_differ_are_not_asked_about():
    asked = []
    found = shapley(
        lambda factors: asked.append(dict(factors)) or factors["a"], {"a": 1, "b": 2}, {"a": 3, "b": 2}
    )
    assert found == {"a": 2.0, "b": 0.0}
    assert len(asked) == 2


def test_two_sides_with_different_factors_are_refused():
    with pytest.raises(ValueError, match="must be the same"):
        shapley(lambda factors: 0.0, {"a": 1}, {"b": 1})


# --- a ratio -----------------------------------------------------------------------------------


def test_two_districts_that_improve_can_make_a_worse_city():
    case = PUBLISHED["simpson"]
    before, after = np.multiply(case["n0"], case["p0"]), np.multiply(case["n1"], case["p1"])
    rate, mix = rate_and_mix(before, case["n0"], after, case["n1"])
    assert rate == pytest.approx(case["rate"], abs=case["tolerance"])
    assert mix == pytest.approx(case["mix"], abs=case["tolerance"])


def test_a_district_empty_in_one_period_borrows_its_other_rate():
    rate, mix = rate_and_mix([8, 0], [10, 0], [8, 5], [10, 10])
    assert rate == pytest.approx([0.0, 0.0])
    assert mix == pytest.approx([-0.5 * (0.8 - 0.725), 0.5 * (0.5 - 0.725)])
    assert rate.sum() + mix.sum() == pytest.approx(13 / 20 - 8 / 10)


def test_a_district_empty_in_both_periods_has_no_part():
    rate, mix = rate_and_mix([8, 0], [10, 0], [6, 0], [10, 0])
    assert (rate[1], mix[1]) == (0.0, 0.0)
    assert rate[0] == pytest.approx(-0.2)


def test_a_period_without_any_case_has_no_ratio_to_explain():
    assert rate_and_mix([0], [0], [1], [2]) is None
    assert rate_and_mix([1], [2], [0], [0]) is None


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(*(st.integers(0, 500),) * 4).map(
            lambda four: (min(four[:2]), max(four[:2]), min(four[2:]), max(four[2:]))
        ),
        min_size=1,
        max_size=8,
    )
)
def test_rate_and_mix_add_up_to_the_change_of_the_ratio(districts):
    n0, d0, n1, d1 = (np.array(column) for column in zip(*districts, strict=True))
    found = rate_and_mix(n0, d0, n1, d1)
    if d0.sum() == 0 or d1.sum() == 0:
        assert found is None
    else:
        rate, mix = found
        assert rate.sum() + mix.sum() == pytest.approx(n1.sum() / d1.sum() - n0.sum() / d0.sum(), abs=1e-12)
        assert (rate[(d0 == 0) | (d1 == 0)] == 0).all()


# --- in print ----------------------------------------------------------------------------------


def texts(*amounts):
    return [str(one) for one in amounts]


def test_printed_contributions_add_up_to_the_printed_change():
    assert texts(*apportion(Decimal("0.01"), [0.004, 0.004, 0.004])) == ["0.01", "0.00", "0.00"]
    assert texts(*apportion(-0.03, [-0.014, -0.016])) == ["-0.01", "-0.02"]
    assert texts(*apportion(0.02, [0.0149, 0.0051])) == ["0.01", "0.01"]


def test_exact_contributions_print_as_they_are():
    assert texts(*apportion(0.29, [0.29])) == ["0.29"]
    assert texts(*apportion(0.3, [0.1, 0.2])) == ["0.10", "0.20"]


def test_of_equal_remainders_the_larger_contribution_takes_the_unit():
    assert texts(*apportion(0.06, [0.005, 0.055])) == ["0.00", "0.06"]


def test_a_printed_change_far_from_the_exact_one_is_still_reached():
    # 0.9999 prints 0.99 and 1.0 prints 1.00: a change of 0.0001 prints 0.01.
    assert texts(*apportion(0.01, [0.0001])) == ["0.01"]
    assert texts(*apportion(-0.01, [0.003, -0.001])) == ["0.00", "-0.01"]
    assert texts(*apportion(0.05, [0.01, 0.01])) == ["0.03", "0.02"]


def test_other_decimals_may_be_printed():
    assert texts(*apportion(0.012, [0.0044, 0.0076], decimals=3)) == ["0.004", "0.008"]
    assert texts(*apportion(2, [0.6, 0.6], decimals=0)) == ["1", "1"]


def test_nothing_to_print_is_nothing():
    assert apportion(0.01, []) == ()


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30), st.integers(-2, 2))
def test_what_is_printed_always_adds_up_and_is_never_far_from_the_truth(amounts, nudge):
    printed_change = Decimal(round(math.fsum(amounts) * 100) + nudge) / 100
    found = apportion(printed_change, amounts)
    assert sum(found) == printed_change
    furthest = max(abs(float(one) - amount) for one, amount in zip(found, amounts, strict=True))
    assert furthest < 0.01 * (1 + 3 / len(amounts)) + 1e-9
