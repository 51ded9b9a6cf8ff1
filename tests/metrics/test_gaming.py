"""Signs of gaming: closings heaped before deadlines, targets made easier, pairs that part."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.gaming import EASED_DAYS, bunching, eased, heaping, is_easier, paired
from metrics.metric_signals import metric_chart
from metrics.model import Aggregation, Direction
from metrics.signals import Variation
from tests.builders import metric, target
from tests.metrics.test_metric_signals import row, shares

COUNTS = st.integers(0, 5000)
SOME = st.integers(1, 5000)


# --- heaping --------------------------------------------------------------------------------------


def test_the_ratio_of_ratios_and_its_intervals_are_those_of_counts():
    """By hand: 8 e^∓(1.96 √(1/80 + 1/10)), and 6.6667 e^∓(3 √(1/80 + 1/10 + 1/60 + 1/50)), 3 × 0.38622."""
    found = heaping(80, 10, 60, 50)
    assert (found.ratio, found.usual_ratio) == (8.0, 1.2)
    assert (found.low, found.high) == pytest.approx((4.1459, 15.4371), abs=1e-3)
    assert found.times == pytest.approx(6.6667, abs=1e-4)
    assert (found.times_low, found.times_high) == pytest.approx((2.0927, 21.2378), abs=1e-3)
    assert found.is_alarm


@pytest.mark.parametrize("counts", [(0, 0, 5, 5), (5, 5, 0, 0), (0, 0, 0, 0)])
def test_without_any_closing_in_either_hour_there_is_nothing_to_say(counts):
    assert heaping(*counts) is None


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        heaping(1, -1, 1, 1)


@given(SOME, SOME, SOME, SOME, st.integers(1, 500))
def test_more_before_the_deadline_never_makes_an_alarm_go_away(before, after, usual, usual_after, more):
    one, two = heaping(before, after, usual, usual_after), heaping(before + more, after, usual, usual_after)
    assert two.times > one.times
    assert two.times_low > one.times_low
    assert two.is_alarm or not one.is_alarm


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_an_interval_holds_its_ratio_and_an_alarm_is_only_ever_upwards(before, after, usual, usual_after):
    found = heaping(before, after, usual, usual_after)
    if found is None:
        assert before + after == 0 or usual + usual_after == 0
        return
    assert found.low < found.ratio < found.high
    assert found.times_low < found.times < found.times_high
    assert not found.is_alarm or before * max(usual_after, 0.5) > usual * after


@given(SOME, SOME, SOME, SOME)
def test_the_same_change_downwards_is_the_mirror_and_no_alarm(before, after, usual, usual_after):
    up, down = heaping(before, after, usual, usual_after), heaping(usual, usual_after, before, after)
    assert up.times * down.times == pytest.approx(1)
    assert up.times_low * down.times_high == pytest.approx(1)
    assert not (up.is_alarm and down.is_alarm)


@pytest.mark.parametrize("mean", [1.0, 4.0, 20.0, 300.0])
def test_chance_alone_hardly_ever_alarms(mean):
    """Stated: 0.13% of tests. A share of 0.35% would be beyond Monte Carlo error (5,000 draws)."""
    draws = np.random.default_rng(5).poisson([mean, mean, 4 * mean, 4 * mean], size=(5_000, 4)).tolist()
    found = [heaping(*counts) for counts in draws]
    assert sum(one is not None and one.is_alarm for one in found) <= 17


# --- bunching -------------------------------------------------------------------------------------


def test_a_bunch_is_held_against_its_neighbourhood_and_that_neighbourhood_against_itself():
    """By hand: (80/10)/(45/27); X² of 30 of 40 and 15 of 32 beside 45 of 72 is 5.9259 on one degree."""
    found = bunching(80, 10, [(30, 10), (15, 17), (0, 0)])
    assert (found.near_before, found.near_after, found.times) == (45, 27, pytest.approx(4.8))
    assert found.dispersion == pytest.approx(6.0, abs=1e-9)
    half = 3 * math.sqrt(6.0 * (1 / 80 + 1 / 10 + 1 / 45 + 1 / 27))
    assert (found.times_low, found.times_high) == pytest.approx((4.8 * math.exp(-half), 4.8 * math.exp(half)))
    assert not found.is_alarm
    assert bunching(80, 10, [(23, 13), (22, 14)]).is_alarm


@pytest.mark.parametrize("days", [[], [(0, 0)], [(0, 0), (0, 0)]])
def test_without_a_closing_on_the_days_beside_there_is_nothing_to_say(days):
    assert bunching(80, 10, days) is None


def test_days_that_agree_entirely_widen_nothing():
    assert bunching(5, 5, [(3, 0), (4, 0)]).dispersion == 1
    assert bunching(5, 5, [(9, 2)]).dispersion == 1


@pytest.mark.parametrize("mean", [0.3, 1.0, 4.0, 20.0, 300.0])
@pytest.mark.parametrize(("at_once", "most"), [(1, 15), (5, 60)])
def test_closings_that_know_no_deadline_hardly_ever_bunch(mean, at_once, most):
    """Stated: under 2 of 1,000, closed five at a time under 10; the bounds leave 5,000 draws their error."""
    random = np.random.default_rng(11)
    draws = at_once * random.poisson(mean, size=(5_000, 15, 2))
    found = [bunching(*own, [tuple(day) for day in days]) for own, *days in draws.tolist()]
    assert sum(one is not None and one.is_alarm for one in found) <= most


def test_a_bunch_is_found_whatever_hours_the_work_has():
    """Half as many closings in the second hour of every day are no bunch; three times as many before are."""
    random = np.random.default_rng(12)
    days = [tuple(day) for day in random.poisson([40, 20], size=(14, 2)).tolist()]
    assert not bunching(40, 20, days).is_alarm
    assert bunching(120, 20, days).is_alarm


# --- eased targets --------------------------------------------------------------------------------

EASED_ON = date(2025, 3, 3)
HIGH = metric("on_time", targets=(target(0.9), target(0.8, since=EASED_ON)))


def week(value, start=EASED_ON, **changed):
    made = row(0, value, target=0.8, score=1.0, **changed)
    return replace(made, period=replace(made.period, start=start, end=start + timedelta(days=7)))


def test_a_period_that_meets_only_the_easier_target_is_told_with_both_scores():
    [found] = eased(HIGH, [week(0.85), week(0.95, EASED_ON + timedelta(days=7))])
    assert (found.target.value, found.before.value) == (0.8, 0.9)
    assert (found.met_only_new, found.judged) == (1, 2)
    assert found.score_by_old == pytest.approx(1 + (0.85 - 0.9) / 0.9)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [week(0.95)],
        [week(0.75)],
        [week(0.85, EASED_ON - timedelta(days=1))],
        [week(0.85, EASED_ON + timedelta(days=EASED_DAYS))],
        [replace(week(0.85), value=None)],
        [replace(week(0.85), score=None)],
    ],
    ids=["none", "meets both", "meets neither", "begins before", "long after", "no value", "no score"],
)
def test_a_period_that_says_nothing_of_the_easier_target_is_left_out(rows):
    assert eased(HIGH, rows) == ()


def test_a_harder_target_and_one_replaced_in_between_are_no_finding():
    assert eased(replace(HIGH, targets=(target(0.8), target(0.9, since=EASED_ON))), [week(0.85)]) == ()
    soon = (*HIGH.targets, target(0.9, since=EASED_ON + timedelta(days=3)))
    assert eased(replace(HIGH, targets=soon), [week(0.85)]) == ()


def test_a_count_is_held_to_the_old_target_on_the_scale_of_its_period():
    counted = metric(
        "crimes",
        Aggregation.COUNT,
        direction=Direction.LOWER_IS_BETTER,
        targets=(target(2.0), target(3.0, since=EASED_ON)),
    )
    [found] = eased(counted, [replace(week(20), target=21.0)])
    assert found.score_by_old == pytest.approx(1 + (20 - 14) / (14 - 28))
    assert eased(counted, [replace(week(13), target=21.0)]) == ()


def test_a_wider_band_is_easier():
    band = metric(
        "stock",
        Aggregation.MEAN,
        direction=Direction.WITHIN,
        targets=(
            target((4.0, 6.0), floor=(0.0, 10.0)),
            target((3.0, 7.0), since=EASED_ON, floor=(0.0, 10.0)),
        ),
    )
    [found] = eased(band, [replace(week(3.5), target=3.0, target_high=7.0)])
    assert found.score_by_old == pytest.approx(3.5 / 4)
    assert not is_easier((3.0, 5.0), (4.0, 6.0), Direction.WITHIN)
    assert not is_easier(0.5, 0.4, Direction.NEUTRAL)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0, 1))
def test_only_what_lies_between_the_two_targets_is_ever_found(old, new, value):
    one = replace(HIGH, targets=(target(old), target(new, since=EASED_ON)))
    found = eased(one, [replace(week(value), target=new)])
    assert bool(found) == (new <= value < old)
    assert all(each.score_by_old < 1 for each in found)


# --- pairs ----------------------------------------------------------------------------------------

RISING = metric_chart(HIGH, shares([70] * 14 + [90] * 8, 100))
REOPENED = replace(HIGH, direction=Direction.LOWER_IS_BETTER)
WORSE = metric_chart(REOPENED, shares([4] * 14 + [20] * 8, 100))
STEADY = metric_chart(REOPENED, shares([4, 5] * 11, 100))


def test_a_metric_that_improves_as_its_pair_worsens_is_told():
    assert (RISING.variation, WORSE.variation) == (Variation.IMPROVEMENT, Variation.CONCERN)
    assert paired(RISING, WORSE)


@pytest.mark.parametrize(
    ("chart", "pair"),
    [(RISING, STEADY), (STEADY, WORSE), (WORSE, RISING), (RISING, RISING), (None, WORSE), (RISING, None)],
)
def test_anything_else_is_no_warning(chart, pair):
    assert not paired(chart, pair)
