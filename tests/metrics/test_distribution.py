"""How values spread: every value in one step, the middle and nine in ten as published values are reckoned."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.distribution import MOST_STEPS, distribution

AMOUNTS = st.one_of(
    st.lists(st.tuples(st.integers(-50, 5000).map(float), st.integers(1, 9)), min_size=1),
    st.lists(
        st.tuples(st.floats(0, 1e4, allow_nan=False).map(lambda x: round(x, 3)), st.integers(1, 9)),
        min_size=1,
    ),
)


@given(AMOUNTS)
def test_every_value_lies_in_one_step_and_steps_lie_side_by_side(amounts):
    found = distribution(amounts)
    assert found is not None
    assert found.n == sum(count for _value, count in amounts) == sum(step.count for step in found.steps)
    assert 1 <= len(found.steps) <= MOST_STEPS + 3
    for step, after in zip(found.steps, found.steps[1:], strict=False):
        assert step.high == after.low
    for step in found.steps:
        end = math.inf if step.high is None else step.high
        inside = sum(count for value, count in amounts if step.low - 1e-6 <= value < end + 1e-6)
        assert step.count <= inside


def test_the_middle_and_nine_in_ten_follow_hazen():
    found = distribution([(float(value), 1) for value in range(1, 11)])
    assert found is not None and (found.median, found.p90) == (5.5, 9.5)
    assert [(step.low, step.high, step.count) for step in found.steps][:2] == [(1.0, 2.0, 1), (2.0, 3.0, 1)]


def test_few_that_are_far_away_share_the_last_step():
    found = distribution([(float(value), 10) for value in range(10)] + [(900.0, 1)])
    assert found is not None
    assert (found.steps[-1].low, found.steps[-1].high, found.steps[-1].count) == (10.0, None, 1)


@pytest.mark.parametrize("amounts", [[], iter(())])
def test_no_values_have_no_spread(amounts):
    assert distribution(amounts) is None


def test_one_value_is_one_step():
    found = distribution([(3.0, 4)])
    assert found is not None and [(step.low, step.high, step.count) for step in found.steps] == [
        (3.0, 4.0, 4)
    ]
