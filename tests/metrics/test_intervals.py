"""Intervals: published figures, identities, and coverage counted out exactly."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from metrics.intervals import (
    SIDE,
    Z,
    binomial_tails,
    critical,
    difference,
    garwood,
    newcombe,
    percentile,
    poisson_tails,
    ranks,
    student,
    wilson,
)

SHARES = (0.01, 0.1, 0.25, 0.5, 0.8, 0.9, 0.99)


def shares() -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# --- published figures (C1 to C4) ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "n", "low", "high"), [(65, 100, 0.552544, 0.736358), (1045, 5000, 0.197955, 0.220491)]
)
def test_wilson_is_that_of_the_english_public_health_package(x, n, low, high):
    assert wilson(x, n) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))


def test_wilson_is_that_of_r_to_the_twelfth_digit():
    expected = (0.0806576625797981, 0.4160174322518935)
    assert wilson(4, 20) == tuple(pytest.approx(one, abs=1e-12) for one in expected)


def test_newcombes_own_examples():
    assert newcombe(56, 70, 48, 80) == (pytest.approx(0.0524, abs=6e-5), pytest.approx(0.3339, abs=6e-5))
    assert wilson(81, 263) == (pytest.approx(0.2553, abs=6e-5), pytest.approx(0.3662, abs=6e-5))


@pytest.mark.parametrize(("x", "low", "high"), [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904)])
def test_garwood_is_that_of_the_tables(x, low, high):
    assert garwood(x) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@pytest.mark.parametrize(
    ("n", "low", "high"), [(10, 0.596, 0.982), (50, 0.786, 0.957), (100, 0.826, 0.945), (1000, 0.880, 0.917)]
)
def test_ninety_percent_in_time_is_known_the_better_the_more_there_were(n, low, high):
    assert wilson(0.9 * n, n) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


def test_of_a_hundred_values_the_84th_and_the_96th_bound_the_ninetieth_percentile():
    assert ranks(100, 0.9) == (84, 96)


def test_a_ninetieth_percentile_has_no_upper_bound_below_36_values():
    assert [ranks(n, 0.9)[1] for n in (35, 36)] == [None, 36]


# --- identities ---------------------------------------------------------------------------------


@given(shares())
def test_the_ends_of_wilson_are_where_the_count_is_z_standard_errors_away(pair):
    x, n = pair
    for p in wilson(x, n):
        assert p in (0.0, 1.0) or abs(x - n * p) == pytest.approx(
            Z * math.sqrt(n * p * (1 - p)), rel=1e-6, abs=1e-6
        )


@given(shares())
def test_wilson_of_the_rest_is_its_mirror(pair):
    x, n = pair
    low, high = wilson(x, n)
    assert wilson(n - x, n) == (pytest.approx(1 - high, abs=1e-14), pytest.approx(1 - low, abs=1e-14))


@given(st.integers(0, 100_000))
def test_the_ends_of_garwood_leave_exactly_their_side_in_the_tail(x):
    low, high = garwood(x)
    at_most, _ = poisson_tails(x, high)
    _, at_least = poisson_tails(x, low)
    assert float(at_most) == pytest.approx(SIDE, rel=1e-9)
    assert float(at_least) == pytest.approx(SIDE if x else 1.0, rel=1e-9)


@given(shares(), shares())
def test_a_difference_taken_the_other_way_round_is_its_mirror(one, other):
    low, high = newcombe(*one, *other)
    assert newcombe(*other, *one) == (pytest.approx(-high, abs=1e-14), pytest.approx(-low, abs=1e-14))
    assert low - 1e-12 <= one[0] / one[1] - other[0] / other[1] <= high + 1e-12


def test_a_bound_that_does_not_exist_leaves_none_to_a_difference():
    assert difference(5.0, (3.0, math.inf), 4.0, (3.0, 5.0)) == (
        pytest.approx(5 - 4 - math.hypot(2, 1)),
        math.inf,
    )


def test_arrays_are_answered_by_arrays_and_numbers_by_floats():
    low, high = wilson(np.array([0, 4, 20]), 20)
    assert low.shape == high.shape == (3,)
    assert (low[1], high[1]) == wilson(4, 20)
    assert all(isinstance(end, float) for end in (*wilson(4, 20), *garwood(4), *newcombe(1, 2, 3, 4)))


def test_nothing_tried_excludes_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("call", [lambda: wilson(3, 2), lambda: wilson(-1, 2), lambda: garwood(-1)])
def test_what_cannot_be_counted_has_no_interval(call):
    with pytest.raises(ValueError):
        call()


def test_students_t_is_that_of_the_tables():
    assert critical([1, 4, 29]).tolist() == pytest.approx([12.7062, 2.7764, 2.0452], abs=5e-5)
    assert math.isnan(float(critical(0.5)))
    assert student(10.0, 2.0, 4) == (
        pytest.approx(10 - 2 * 2.7764, abs=1e-3),
        pytest.approx(15.5528, abs=1e-3),
    )


def power(apart: float, a_group: float) -> float:
    """How often two groups tell by t that they differ, which do so by so many deviations."""
    freedom, away = 2 * a_group - 2, apart * math.sqrt(a_group / 2)
    limit = float(critical(freedom))
    return float(1 - special.nctdtr(freedom, away, limit) + special.nctdtr(freedom, away, -limit))


def test_so_many_a_group_tell_half_a_deviation_in_four_of_five_trials():
    """Check E5, from R's pwr, two-sided at 5%. Its one-sided half waits for evaluations."""
    few, many = 2.0, 1000.0
    while many - few > 1e-9:
        middle = (few + many) / 2
        few, many = (middle, many) if power(0.5, middle) < 0.8 else (few, middle)
    assert many == pytest.approx(63.76561, abs=1e-4)


# --- tails, added up exactly --------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 7, 40, pytest.param(200, marks=pytest.mark.matrix)])
@pytest.mark.parametrize("p", [0.01, 0.5, 0.8, 0.999])
def test_binomial_tails_are_the_sums_of_their_terms(n, p):
    exact = Fraction(p)
    terms = [math.comb(n, k) * exact**k * (1 - exact) ** (n - k) for k in range(n + 1)]
    at_most, at_least = binomial_tails(np.arange(n + 1), n, p)
    for x in range(n + 1):
        assert at_most[x] == pytest.approx(float(sum(terms[: x + 1])), rel=1e-12)
        assert at_least[x] == pytest.approx(float(sum(terms[x:])), rel=1e-12)


@pytest.mark.parametrize("mean", [0.1, 2.0, 24.0, 300.0])
def test_poisson_tails_are_the_sums_of_their_terms(mean):
    counts = np.arange(int(mean + 8 * math.sqrt(mean)) + 5)
    terms = [math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(2 * len(counts) + 60)]
    at_most, at_least = poisson_tails(counts, mean)
    for x in counts:
        assert at_most[x] == pytest.approx(math.fsum(terms[: x + 1]), rel=1e-9)
        assert at_least[x] == pytest.approx(math.fsum(terms[x:]), rel=1e-9)


def test_tails_at_the_edges_are_certain():
    assert [float(one) for one in poisson_tails(0, 0.0)] == [1.0, 1.0]
    assert [float(one) for one in poisson_tails(1, 0.0)] == [1.0, 0.0]
    assert [float(one) for one in binomial_tails(5, 5, 1.0)] == [1.0, 1.0]
    assert [float(one) for one in binomial_tails(4, 5, 1.0)] == [0.0, 1.0]


# --- coverage, counted out ----------------------------------------------------------------------


def binomial(n: int, p: float) -> np.ndarray:
    return np.array([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])


@pytest.mark.parametrize("mean", [0.05, 0.5, 1.0, 3.0, 3.7, 10.0, 24.0, 60.0])
def test_garwood_holds_the_mean_95_times_of_100_or_more_and_misses_no_side_oftener_than_it_says(mean):
    counts = np.arange(200)
    chance = np.exp(counts * math.log(mean) - mean - np.array([math.lgamma(k + 1) for k in counts]))
    low, high = garwood(counts)
    assert chance[low > mean].sum() <= SIDE + 1e-12
    assert chance[high < mean].sum() <= SIDE + 1e-12


@pytest.mark.parametrize("n", [5, 12, 30, 100])
def test_wilson_holds_the_share_95_times_of_100_on_average(n):
    low, high = wilson(np.arange(n + 1), n)
    grid = np.linspace(0.005, 0.995, 199)
    held = [binomial(n, p)[(low <= p) & (p <= high)].sum() for p in grid]
    assert np.mean(held) == pytest.approx(0.95, abs=0.012)
    assert min(held) > 0.83


@pytest.mark.parametrize("n", [1, 2, 7, 20, 36, 60, 150])
@pytest.mark.parametrize("share", SHARES)
def test_the_ranks_of_a_percentile_are_the_narrowest_that_miss_no_side_oftener_than_they_say(n, share):
    low, high = ranks(n, share)
    chance = binomial(n, share)
    below, above = np.cumsum(chance), np.cumsum(chance[::-1])[::-1]
    if low is not None:
        assert below[low - 1] <= SIDE + 1e-12
    assert below[low or 0] > SIDE
    if high is not None:
        assert above[high] <= SIDE + 1e-12
        assert above[high - 1] > SIDE
    else:
        assert above[n] > SIDE


@pytest.mark.parametrize("seed", range(3))
def test_a_percentile_of_few_whole_values_is_held_in_spite_of_its_ties(seed):
    chance = np.random.default_rng(seed)
    values = np.arange(1, 6, dtype=np.float64)
    missed = np.zeros(2)
    for _ in range(2000):
        counts = np.bincount(chance.choice(5, 40, p=[0.1, 0.3, 0.3, 0.2, 0.1]), minlength=5)
        low, high = percentile(values, np.cumsum(counts), 0.5)
        missed += [low is not None and low > 3, high is not None and high < 3]
    assert (missed / 2000 <= SIDE + 0.011).all()


def test_a_percentile_of_nothing_has_no_interval():
    assert percentile(np.array([]), np.array([], dtype=np.int64), 0.5) == (None, None)


# --- weight -------------------------------------------------------------------------------------


def test_the_path_to_a_score_does_not_load_the_statistics_library():
    program = "import sys, metrics.plan; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
