"""The self-test: sums of chance against simulation, the two rules of thumb, warnings and back-tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from metrics import chance
from metrics.facts import Fact, arrange
from metrics.model import Aggregation, Direction, Grain, Knowledge
from metrics.plan import Inputs
from metrics.selftest import MOST_MOVED, self_test, unchanged
from tests.layouts.published_city import AS_OF, catalogue_of, city_files

BASE = catalogue_of(city_files())
SHOTS, ON_TIME, MINUTES = (
    BASE.metrics[name] for name in ("flu_shots", "pothole_on_time", "response_minutes")
)
FIRST = date(2023, 6, 1)
KNOWN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def count(direction):
    return replace(SHOTS, direction=Direction(direction))


def is_steady(metric, target, **more):
    return abs(unchanged(metric, target, 0, **more)[0] - 1) <= MOST_MOVED


@pytest.mark.parametrize(("direction", "least"), [("lower_is_better", 24), ("higher_is_better", 28)])
def test_a_count_is_scored_from_about_so_many_expected_events(direction, least):
    steady = [events for events in range(5, 60) if is_steady(count(direction), float(events))]
    assert steady == list(range(steady[0], 60)), "more events are never worse"
    assert abs(steady[0] - least) <= 1


def test_events_that_spread_more_than_chance_must_be_more():
    metric = count("lower_is_better")
    assert is_steady(metric, 30.0) and not is_steady(metric, 30.0, dispersion=2.0)
    assert is_steady(metric, 50.0, dispersion=2.0)


def test_a_target_from_the_past_brings_its_own_noise():
    metric = count("lower_is_better")
    alone, _, _ = unchanged(metric, 24.0, 0)
    beside, missed, _ = unchanged(metric, 24.0, 0, pooled=3)
    assert beside < alone < 1
    assert missed < 0.04


@pytest.mark.parametrize("dispersion", [1.0, 2.5])
def test_the_sums_agree_with_a_simulation(dispersion):
    draw = np.random.default_rng(1)
    mean = 12.0
    if dispersion == 1:
        drawn = draw.poisson(mean, 400_000)
    else:
        drawn = draw.negative_binomial(mean / (dispersion - 1), 1 / dispersion, 400_000)
    expected, _, passes = unchanged(count("lower_is_better"), mean, 0, dispersion)
    assert expected == pytest.approx(np.clip(2 - drawn / mean, 0, 1.25).mean(), abs=0.002)
    assert passes == pytest.approx((drawn <= mean).mean(), abs=0.003)


@pytest.mark.parametrize("trials", [1, 10, 37, 500])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_by_exact_tails_an_unchanged_city_misses_in_at_most_2_5_percent_of_periods(trials, share):
    _, missed, _ = unchanged(ON_TIME, share, trials)
    assert missed <= 0.025 + 1e-12


@pytest.mark.parametrize("dispersion", [1.5, 3.0])
def test_where_days_show_that_records_come_in_clumps_the_verdict_allows_for_it(dispersion):
    _, allowed_for, _ = unchanged(ON_TIME, 0.8, 300, dispersion)
    _, unseen, _ = unchanged(ON_TIME, 0.8, 300, dispersion, days=1.0)
    assert allowed_for <= 0.025 < 0.045 < unseen
    _, counted, _ = unchanged(count("lower_is_better"), 60.0, 0, dispersion)
    assert counted <= 0.03


@pytest.mark.parametrize(
    ("mean", "dispersion"), [(0.3, 1.0), (20.0, 1.0), (20.0, 4.0), (20.0, 0.5), (9e6, 3.0)]
)
def test_a_count_has_the_mean_and_variance_it_was_given(mean, dispersion):
    found = chance.counted(mean, dispersion)
    middle = float(found.values @ found.weights)
    assert found.weights.sum() == pytest.approx(1)
    assert middle == pytest.approx(mean, rel=1e-6)
    assert float((found.values - middle) ** 2 @ found.weights) == pytest.approx(dispersion * mean, rel=2e-3)


@pytest.mark.parametrize(("trials", "dispersion"), [(5, 1.0), (40, 1.0), (40, 3.0), (40, 0.5), (10**7, 2.0)])
def test_a_share_has_the_mean_and_variance_it_was_given(trials, dispersion):
    found = chance.shared(trials, 0.8, dispersion)
    middle = float(found.values @ found.weights)
    assert middle == pytest.approx(0.8, rel=1e-6)
    spread = float((found.values - middle) ** 2 @ found.weights)
    assert spread == pytest.approx(dispersion * 0.16 / trials, rel=2e-3)


def test_a_share_of_nothing_and_a_share_of_all_have_one_outcome():
    assert chance.shared(0, 0.5).values.tolist() == [0.5]
    assert chance.shared(9, 1.0).values.tolist() == [1.0]
    assert chance.counted(0.0).values.tolist() == [0.0]


def test_dispersion_is_1_by_chance_and_a_season_hardly_adds_to_it():
    draw = np.random.default_rng(2)
    season = 6 * np.sin(np.arange(20_000) / 500)
    z = draw.normal(size=20_000) + season
    assert chance.dispersion(np.diff(z)) == pytest.approx(1, abs=0.05)
    assert chance.dispersion(np.zeros(3)) is None


# --- whole metrics ------------------------------------------------------------------------------


def inputs_of(metric, daily) -> Inputs:
    """A city with one metric; `daily(rng)` gives the fact of a day."""
    draw = np.random.default_rng(3)
    days = [FIRST + timedelta(days=number) for number in range((AS_OF - FIRST).days)]
    facts = arrange((("unknown", day, daily(draw)) for day in days), FIRST, AS_OF)
    catalogue = replace(BASE, metrics={metric.id: metric})
    knowledge = {"cases": Knowledge("cases", FIRST, KNOWN)}
    return Inputs(catalogue, AS_OF, {metric.id: facts}, knowledge, {})


def shots(draw):
    return Fact(float(draw.poisson(40)))


def with_target(metric, value, **more):
    target = replace(metric.targets[0], value=value, **more)
    return replace(metric, targets=(target,))


def ids(test):
    return [one.id for one in test.warnings]


def test_the_same_facts_give_the_same_self_test():
    historical = replace(MINUTES, historical=True, targets=())
    asked = inputs_of(historical, lambda draw: Fact(240 + float(draw.normal()), 40.0))
    [first], [again] = self_test(asked), self_test(asked)
    assert first == again
    assert all(one.expected == pytest.approx(1, abs=0.01) for one in first.grains)


def test_a_steady_count_is_proposed_at_every_grain_and_a_rare_one_at_long_ones_only():
    [steady] = self_test(inputs_of(with_target(SHOTS, 40.0), shots))
    assert steady.proposed == tuple(Grain)
    assert steady.grains[0].dispersion == pytest.approx(1, abs=0.15)
    rare = with_target(replace(SHOTS, scored_at=tuple(Grain)), 0.4)
    [found] = self_test(inputs_of(rare, lambda draw: Fact(float(draw.poisson(0.4)))))
    assert found.proposed == (Grain.QUARTER,)
    assert [one.arguments["grain"] for one in found.warnings if one.id == "noise_moves_the_score"] == [
        "day",
        "week",
        "month",
    ]


def test_a_stock_is_drawn_in_runs_of_days():
    stock = replace(SHOTS, aggregation=Aggregation.STOCK, direction=MINUTES.direction)
    [found] = self_test(
        inputs_of(with_target(stock, 100.0), lambda draw: Fact(100 + float(draw.integers(9))))
    )
    assert [one.expected for one in found.grains] == [pytest.approx(1, abs=0.001)] * 4


@pytest.mark.parametrize(("records", "is_steady"), [(12, False), (120, True)])
def test_the_median_of_few_skewed_waits_is_off_on_average_and_is_found_so(records, is_steady):
    """Of 12 a day the simulated city of `tests.unchanged_city` scores 0.94, of 120 it scores 0.995."""
    waits = replace(MINUTES, aggregation=Aggregation.MEDIAN, direction=Direction.LOWER_IS_BETTER)

    def day(draw):
        values = np.sort(draw.lognormal(0, 0.8, records)).round(3)
        return Fact(amounts=tuple((value, 1) for value in np.unique(values).tolist()))

    [found] = self_test(inputs_of(with_target(waits, 1.0), day))
    daily = found.grains[0]
    assert daily.is_steady is is_steady
    assert daily.expected == pytest.approx(0.94 if records == 12 else 0.995, abs=0.012)
    assert daily.misses <= 0.03


def test_what_nobody_reported_is_not_tested():
    asked = inputs_of(SHOTS, shots)
    unknown = replace(asked, knowledge={})
    [found] = self_test(unknown)
    assert found.proposed == () and found.warnings == ()
    assert all((one.periods, one.expected, one.is_steady) == (0, None, None) for one in found.grains)


def test_a_target_that_was_always_or_never_met_is_said():
    share = inputs_of(ON_TIME, lambda draw: Fact(float(draw.binomial(100, 0.5)), 100.0))
    assert "target_never_met" in ids(self_test(share)[0])
    low = inputs_of(with_target(ON_TIME, 0.1), lambda draw: Fact(float(draw.binomial(100, 0.5)), 100.0))
    assert ids(self_test(low)[0]) == ["target_always_met"]


@pytest.mark.parametrize(
    ("target", "best", "expected"),
    [(0.99, None, "ceiling_is_low"), (0.8, 0.7, "target_cannot_be_met"), (0.8, None, None)],
)
def test_a_target_that_a_perfect_period_hardly_beats_or_misses_is_said(target, best, expected):
    metric = with_target(replace(ON_TIME, best=best), target)
    [found] = self_test(inputs_of(metric, lambda draw: Fact(float(draw.binomial(100, 0.8)), 100.0)))
    about = [one for one in ids(found) if "ceiling" in one or "cannot" in one]
    assert about == ([expected] if expected else [])


def test_a_target_that_the_worst_period_meets_is_said():
    metric = with_target(SHOTS, 0.0, floor=-1.0)
    assert "target_cannot_fail" in ids(self_test(inputs_of(metric, shots))[0])


def test_a_band_is_shown_and_never_judged_by_noise():
    band = replace(
        SHOTS, direction="within", aggregation=Aggregation.RATIO, unit="mg/L", denominator="litres"
    )
    band = replace(band, direction=type(SHOTS.direction).WITHIN)
    band = with_target(band, (0.9, 1.1), floor=(0.5, 2.0))
    [found] = self_test(inputs_of(band, lambda draw: Fact(10 + float(draw.normal()), 10.0)))
    assert found.grains[0].expected < 1 and found.grains[0].is_steady is None


def test_the_year_is_held_against_the_target_in_force_and_each_dated_ahead():
    first = replace(SHOTS.targets[0], value=25.0)
    ahead = replace(first, value=45.0, valid_from=date(2028, 1, 1))
    past = replace(first, value=1.0, valid_from=date(2016, 1, 1))
    metric = replace(SHOTS, targets=(past, replace(first, valid_from=date(2026, 1, 1)), ahead))
    [found] = self_test(inputs_of(metric, shots))
    monthly = [
        (one.valid_from, one.is_future, one.met) for one in found.backtests if one.grain is Grain.MONTH
    ]
    assert monthly == [(date(2026, 1, 1), False, 12), (date(2028, 1, 1), True, 0)]
