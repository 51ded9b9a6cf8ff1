"""Districts are compared fairly: chance is allowed for, need gives the order, no league tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import fairness, intervals
from metrics.fairness import Place, Rule
from metrics.model import Direction

CASES = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 300)).map(lambda one: (min(one), max(one))),
    min_size=2,
    max_size=12,
)


def apart(cases: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    x, n = zip(*cases, strict=True)
    return list(x), list(n)


# --- funnels -----------------------------------------------------------------------------------


def test_funnel_limits_are_the_base_and_two_deviations_of_chance() -> None:
    low, high = fairness.funnel_limits(0.8, 100)
    assert (low, high) == pytest.approx((0.8 - 1.959964 * 0.04, 0.8 + 1.959964 * 0.04))


def test_a_funnel_ends_at_none_and_all() -> None:
    assert fairness.funnel_limits(0.9, 5) == (pytest.approx(0.9 - 1.959964 * np.sqrt(0.018)), 1.0)


def test_nothing_can_be_said_of_a_district_without_cases() -> None:
    assert fairness.funnel_limits(0.9, 0) == (0.0, 1.0)
    assert fairness.rate_limits(0.9, 0) == (0.0, np.inf)


@given(CASES, st.floats(0.02, 0.98), st.floats(1.0, 3.0))
def test_a_district_is_beyond_its_funnel_where_its_interval_excludes_the_base(
    cases: list[tuple[int, int]], base: float, phi: float
) -> None:
    x, n = apart(cases)
    wide = intervals.Z * np.sqrt(phi)
    for place, good, of in zip(fairness.places(fairness.share_z(x, n, base), phi), x, n, strict=True):
        low, high = intervals.wilson(good, of, wide)
        if min(abs(low - base), abs(high - base)) > 1e-9 and of:
            assert place is (Place.ABOVE if base < low else Place.BELOW if base > high else Place.WITHIN)


def test_districts_that_differ_only_by_chance_are_hardly_ever_beyond_their_funnel() -> None:
    random = np.random.default_rng(3)
    n = np.array([40, 80, 160, 320, 640] * 400)
    z = fairness.share_z(random.binomial(n, 0.85), n, 0.85)
    beyond = [one for one in fairness.places(z) if one is not Place.WITHIN]
    assert len(beyond) / len(n) == pytest.approx(0.05, abs=0.015)
    assert fairness.overdispersion(z) == pytest.approx(1.0, abs=0.1)


def test_districts_that_differ_anyway_widen_the_funnel_and_one_of_them_does_not() -> None:
    random = np.random.default_rng(4)
    n = np.full(300, 200)
    level = random.normal(0.8, 0.06, len(n)).clip(0, 1)
    assert fairness.overdispersion(fairness.share_z(random.binomial(n, level), n, 0.8)) > 2
    quiet = np.zeros(20)
    quiet[3] = 9.0
    assert fairness.overdispersion(quiet) == 1.0


# --- shrinkage ---------------------------------------------------------------------------------


def test_shares_of_one_size_are_drawn_in_by_the_moments_of_the_beta_binomial() -> None:
    x, n = np.array([30, 45, 20, 41]), np.full(4, 50)
    shares, m = x / n, x.sum() / n.sum()
    v = shares.var(ddof=1)
    strength = (m * (1 - m) - v) / (v - m * (1 - m) / 50)
    assert fairness.shrunken_shares(x, n) == pytest.approx((x + strength * m) / (n + strength), rel=1e-12)


def test_districts_that_spread_no_more_than_chance_are_all_the_city() -> None:
    assert fairness.shrunken_shares([40, 41, 39], [50, 50, 50]) == pytest.approx([0.8, 0.8, 0.8])
    assert fairness.shrunken_rates([10, 10, 10], [5.0, 5.0, 5.0]) == pytest.approx([2.0, 2.0, 2.0])


@given(CASES)
def test_a_shrunken_share_lies_between_its_own_and_the_citys(cases: list[tuple[int, int]]) -> None:
    x, n = np.array(apart(cases))
    found = fairness.shrunken_shares(x, n)
    if not n.sum():
        assert np.isnan(found).all()
        return
    m, own = x.sum() / n.sum(), np.where(n > 0, x / np.maximum(n, 1), x.sum() / n.sum())
    assert (found >= np.minimum(own, m) - 1e-12).all() and (found <= np.maximum(own, m) + 1e-12).all()


@given(CASES, st.sampled_from(["shares", "rates"]))
def test_of_two_districts_with_one_share_the_smaller_is_drawn_in_more(
    cases: list[tuple[int, int]], kind: str
) -> None:
    x, n = np.array(apart([*cases, (9, 10), (90, 100)]), dtype=float)
    shrunken = fairness.shrunken_shares if kind == "shares" else fairness.shrunken_rates
    found, m = shrunken(x, n), x.sum() / n.sum()
    assert abs(found[-2] - m) <= abs(found[-1] - m) + 1e-12


def test_shrunken_shares_are_nearer_to_the_truth_than_raw_ones() -> None:
    random = np.random.default_rng(5)
    n = random.integers(10, 200, 400)
    truth = random.beta(16, 4, len(n))
    x = random.binomial(n, truth)
    raw, drawn_in = (np.mean((one - truth) ** 2) for one in (x / n, fairness.shrunken_shares(x, n)))
    assert drawn_in < 0.8 * raw


# --- a district and the rest -------------------------------------------------------------------


def test_the_gap_is_to_the_rest_of_the_city_with_newcombes_interval() -> None:
    gap, low, high = fairness.gap([56, 48], [70, 80])
    assert gap[0] == pytest.approx(0.2)
    assert (low[0], high[0]) == pytest.approx((0.0524, 0.3339), abs=6e-5)
    assert (low[1], high[1]) == pytest.approx((-high[0], -low[0]))


def test_a_district_that_is_the_whole_city_has_no_rest_to_be_compared_with() -> None:
    assert np.isnan(fairness.gap([5, 0], [10, 0])).all()
    assert np.isnan(fairness.share_ratio([5, 0], [10, 0])).all()


def test_a_rate_is_compared_by_its_ratio_with_an_interval_that_holds_one_when_they_are_equal() -> None:
    ratio, low, high = fairness.rate_ratio([20, 40], [10.0, 20.0])
    assert ratio == pytest.approx([1.0, 1.0]) and (low < 1).all() and (high > 1).all()
    spread = np.exp(intervals.Z * np.sqrt(1 / 20 + 1 / 40))
    assert high[0] == pytest.approx(spread)


def test_no_event_at_all_still_has_a_ratio() -> None:
    ratio, low, high = fairness.rate_ratio([0, 40], [10.0, 20.0])
    assert ratio[0] == pytest.approx((0.5 / 10) / (40.5 / 20)) and low[0] > 0 and np.isfinite(high[0])


# --- order by need -----------------------------------------------------------------------------


def test_the_concentration_index_is_the_published_one() -> None:
    """The figures of the World Health Organization's example, whose weights come from five normal numbers."""
    z = np.array([-0.56047565, -0.23017749, 1.55870831, 0.07050839, 0.12928774])
    values, weight = [20, 30, 40, 50, 60], np.round(100 + 40 * z)
    found = fairness.concentration(values, weight, np.arange(5)).value
    assert found == pytest.approx(0.17776859, abs=1e-6)
    assert found * np.average(values, weights=weight) == pytest.approx(7.3284202, abs=1e-6)


def test_equal_values_have_no_concentration_and_no_slope() -> None:
    assert fairness.concentration([7, 7, 7], [1, 2, 3], [1, 2, 3]).value == pytest.approx(0, abs=1e-12)
    assert fairness.slope([7, 7, 7], [1, 2, 3], [1, 2, 3]).value == pytest.approx(0, abs=1e-12)


def test_a_straight_line_over_people_has_its_own_slope() -> None:
    weight, need = np.array([10.0, 30.0, 60.0]), np.array([3.0, 1.0, 2.0])
    rank = fairness.ranks(weight, need)
    assert rank.tolist() == pytest.approx([0.95, 0.15, 0.6])
    assert fairness.slope(2 + 5 * rank, weight, need).value == pytest.approx(5)


def test_districts_of_equal_need_share_a_place_whatever_their_order() -> None:
    one = fairness.concentration([1, 2, 3, 4], [1, 1, 1, 1], [0, 1, 1, 2]).value
    other = fairness.concentration([1, 3, 2, 4], [1, 1, 1, 1], [0, 1, 1, 2]).value
    assert one == pytest.approx(other)


def test_districts_without_any_difference_in_need_have_no_slope() -> None:
    with pytest.raises(ValueError, match="equal need"):
        fairness.slope([1, 2], [1, 1], [5, 5])


def test_chance_moves_the_index_as_much_as_is_said() -> None:
    random = np.random.default_rng(6)
    weight, need, error = np.array([5.0, 9.0, 7.0, 3.0]), np.arange(4.0), np.array([0.05, 0.02, 0.03, 0.06])
    stated = fairness.slope(np.full(4, 0.8), weight, need, error).deviation
    drawn = [fairness.slope(0.8 + error * random.standard_normal(4), weight, need).value for _ in range(4000)]
    assert np.std(drawn) == pytest.approx(stated, rel=0.05)


# --- equity ------------------------------------------------------------------------------------

ON_TIME = Rule(0.8, 0.0, Direction.HIGHER_IS_BETTER)


def test_serving_one_area_beyond_the_target_makes_no_good_of_another() -> None:
    assert fairness.equity([0.8, 1.0], [1, 1], ON_TIME) == 1.0
    assert fairness.equity([0.4, 1.0], [1, 1], ON_TIME) == pytest.approx(0.75)


def test_districts_without_a_value_do_not_count_and_none_at_all_gives_no_number() -> None:
    assert fairness.equity([0.4, np.nan], [1, 5], ON_TIME) == pytest.approx(0.5)
    assert fairness.equity([np.nan], [1], ON_TIME) is None


def test_equal_service_is_expected_below_one_by_what_chance_takes() -> None:
    random = np.random.default_rng(7)
    n, people = np.array([20, 50, 200]), np.array([1000, 2000, 3000])
    expected = fairness.equity_of_shares(0.8, n, people, ON_TIME)
    drawn = [fairness.equity(random.binomial(n, 0.8) / n, people, ON_TIME) for _ in range(4000)]
    assert 0.9 < expected < 1.0
    assert np.mean(np.array(drawn, dtype=float)) == pytest.approx(expected, abs=0.003)


def test_equal_service_of_levels_is_expected_by_their_deviations() -> None:
    rule = Rule(10.0, 20.0, Direction.LOWER_IS_BETTER)
    found = fairness.equity_of_levels(10.0, [2.0], [1], rule)
    assert found == pytest.approx(1 - 0.2 / np.sqrt(2 * np.pi), abs=1e-3)


# --- levels with an error of their own -----------------------------------------------------------


def test_a_level_without_an_error_lies_nowhere_in_a_funnel() -> None:
    z = fairness.level_z([5.0, 7.0, 6.0], [0.5, np.nan, 0.0], 6.0)
    assert z.tolist() == pytest.approx([-2.0, np.nan, 0.0], nan_ok=True)


def test_two_districts_apart_of_a_dozen_do_not_widen_the_funnel_that_shows_them() -> None:
    z = np.array([-6.0, -5.0, *np.linspace(-1, 1, 12)])
    assert fairness.overdispersion(z) == 1.0


def test_levels_that_spread_no_more_than_chance_are_all_the_base_and_others_keep_what_they_can_say() -> None:
    assert fairness.shrunken_levels([5.9, 6.0, 6.1], [1.0, 1.0, 1.0], 6.0) == pytest.approx([6.0] * 3)
    near, far = fairness.shrunken_levels([2.0, 10.0, 6.0, 6.0], [0.1, 2.0, 0.1, 0.1], 6.0)[:2]
    assert 2.0 < near < 2.1
    assert 6.0 < far < 9.0


def test_a_level_is_held_against_the_weighted_mean_of_the_others() -> None:
    gap, low, high = (one[0] for one in fairness.level_gap([9.0, 6.0, 7.0], [0.3, 0.4, 0.0], [1, 3, 1]))
    assert gap == pytest.approx(9 - 25 / 4)
    assert high - gap == gap - low == pytest.approx(fairness.Z * np.hypot(0.3, 1.2 / 4))
    ratio, low, high = (one[0] for one in fairness.level_ratio([9.0, 6.0, 7.0], [0.3, 0.4, 0.0], [1, 3, 1]))
    assert ratio == pytest.approx(9 / 6.25)
    assert low * high == pytest.approx(ratio**2)


def test_a_gap_of_rates_is_exact_where_nothing_happened() -> None:
    gap, low, high = (one[0] for one in fairness.rate_gap([0, 20], [10.0, 10.0]))
    assert (gap, low) == (pytest.approx(-2.0), pytest.approx(-2 - 1.0888, abs=1e-3))
    assert -2.0 < high < 0.0
