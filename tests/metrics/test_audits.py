"""Audits: which cases are drawn, how many are enough, and the verified rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.audits import draw, size_for, verified, width

KEYS = [f"case-{number}" for number in range(400)]


def test_a_draw_can_be_repeated_whatever_the_order_of_the_keys():
    assert draw(KEYS, 10, 7) == draw(list(reversed(KEYS)), 10, 7)
    assert draw(KEYS, 10, 7) != draw(KEYS, 10, 8)
    assert draw(KEYS, 20, 7)[:10] == draw(KEYS, 10, 7)
    assert draw(KEYS[:3], 10, 7) == sorted(draw(KEYS[:3], 3, 7), key=draw(KEYS[:3], 10, 7).index)


def test_a_draw_is_the_one_it_has_always_been():
    assert draw(KEYS, 3, 1) == EVER


EVER = ["case-190", "case-242", "case-73"]


def test_every_case_has_the_same_chance():
    """2,000 draws of 40 of 400: each case about 200 times, binomial with a deviation of 13.4."""
    times = dict.fromkeys(KEYS, 0)
    for seed in range(2_000):
        for key in draw(KEYS, 40, seed):
            times[key] += 1
    assert all(abs(count - 200) < 4.5 * 13.4 for count in times.values())


@given(st.sets(st.text(max_size=5), max_size=30), st.integers(1, 40), st.integers(0, 2**40))
def test_a_draw_repeats_no_case_and_takes_all_where_there_are_fewer(keys, size, seed):
    found = draw(keys, size, seed)
    assert len(set(found)) == len(found) == min(size, len(keys))
    assert set(found) <= keys


def test_the_verified_rate_has_wilson_s_interval():
    """Wilson (1927) for 36 of 40, as tables have it: 0.769 to 0.960."""
    found = verified(50, 40, 36)
    assert (found.rate, found.is_complete) == (0.9, False)
    assert (found.low, found.high) == pytest.approx((0.769, 0.960), abs=5e-4)
    assert verified(40, 40, 36).is_complete


def test_before_the_first_check_there_is_no_rate():
    found = verified(10, 0, 0)
    assert (found.rate, found.low, found.high, found.is_complete) == (None, None, None, False)


@pytest.mark.parametrize("numbers", [(10, 11, 5), (10, 5, 6), (10, 5, -1)])
def test_numbers_that_cannot_be_are_refused(numbers):
    with pytest.raises(ValueError, match="cannot be"):
        verified(*numbers)


@given(st.floats(0.02, 0.9))
def test_the_advised_size_is_the_least_that_does(wanted):
    size = size_for(wanted)
    assert width(size) <= wanted
    assert size == 1 or width(size - 1) > wanted


def test_a_width_of_ten_points_needs_some_380_cases():
    """(1.96 / 0.1)² - 1.96², since Wilson's interval at a half is as wide as z / √(n + z²)."""
    assert size_for(0.1) == 381
    assert size_for(0.2) == 93


@pytest.mark.parametrize("wanted", [0, -1, 1, 1.5, 0.001, float("nan")])
def test_a_width_that_cannot_be_is_refused(wanted):
    with pytest.raises(ValueError, match="width"):
        size_for(wanted)
