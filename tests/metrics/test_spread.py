"""How much days differ: clumps are found, patterns of a week are not taken for them, skewness is signed."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.intervals import Z
from metrics.spread import Blocks, Shares, Spread, Totals, leans

DAYS = 364 * 4
ALL = np.ones(DAYS, dtype=bool)
FIRST, END = np.array([0]), np.array([DAYS])
WEEK = np.tile([1.0, 1.0, 1.0, 1.0, 1.0, 0.4, 0.2], DAYS // 7)


@pytest.mark.parametrize("clump", [1, 2, 5])
@pytest.mark.parametrize("rate", [0.15, 3.0, 60.0])
def test_the_dispersion_of_shares_is_the_size_of_their_clumps(clump, rate):
    chance = np.random.default_rng(1)
    clumps = chance.poisson(rate, DAYS)
    good = clump * chance.binomial(clumps, 0.8)
    found = Shares.of(good, clump * clumps, ALL, FIRST, END)
    assert found.dispersion[0] == pytest.approx(clump, rel=0.25 if rate < 1 else 0.1)


def test_a_pattern_of_the_week_is_no_dispersion():
    chance = np.random.default_rng(2)
    cases = chance.poisson(80 * WEEK)
    found = Shares.of(chance.binomial(cases, 0.5 + 0.4 * WEEK), cases, ALL, FIRST, END)
    assert found.dispersion[0] < 1.1
    assert Totals.of(cases.astype(float), ALL, FIRST, END).dispersion[0] == pytest.approx(1, abs=0.1)


def test_all_in_time_tells_nothing_of_clumps():
    found = Shares.of(np.full(DAYS, 5.0), np.full(DAYS, 5.0), ALL, FIRST, END)
    assert not found.dispersion[0] > 1


def test_few_days_with_cases_tell_nothing_of_clumps():
    cases = np.zeros(DAYS)
    cases[:130:10] = 2.0
    assert np.isnan(Shares.of(cases / 2, cases, ALL, FIRST, END).freedom[0])


@pytest.mark.parametrize("of", [Spread, Totals])
def test_the_lean_of_days_is_their_skewness(of):
    many = 80 * DAYS // 4
    drawn = np.random.default_rng(3).gamma(4.0, 1.0, many)
    days = np.ones(many, dtype=bool), np.array([0]), np.array([many])
    sizes = (np.ones(many),) if of is Spread else ()
    found = of.of(drawn, *sizes, *days)
    assert found.lean[0] == pytest.approx(1.0, abs=0.15)
    assert of.of(30.0 - drawn, *sizes, *days).lean[0] == pytest.approx(-found.lean[0], rel=1e-6)


def test_of_few_skewed_days_a_window_finds_as_much_spread_on_average_as_there_is():
    chance = np.random.default_rng(4)
    cases = chance.poisson(0.3, DAYS * 20)
    hours = np.array([chance.gamma(0.25, 4.0, count).sum() for count in cases])
    end = np.arange(364, len(cases) + 1, 364)
    found = Spread.of(hours, cases.astype(float), np.ones(len(cases), dtype=bool), end - 364, end)
    # The variance of one case is 4; that cases come by chance adds nothing to that of their mean.
    assert (found.scale * found.seen).sum() / found.seen.sum() == pytest.approx(4.0, rel=0.1)
    assert (found.freedom < 364 * 0.3).all()


def test_a_drift_over_a_year_is_no_spread_of_its_days():
    chance = np.random.default_rng(5)
    away, cases = chance.normal(0, 0.5, 364), np.full(364, 9.0)
    first, end = np.array([0]), np.array([364])
    held = [
        Spread.of(away + 9.0 * level, cases, np.ones(364, dtype=bool), first, end)
        for level in (np.ones(364), np.linspace(0.8, 1.2, 364))
    ]
    assert held[1].scale[0] == pytest.approx(held[0].scale[0], rel=0.1)


@pytest.mark.parametrize("days", [14, 27, 28, 29, 91, 364])
def test_the_spread_of_a_window_is_that_of_its_days_from_the_means_of_their_own_four_weeks(days):
    chance = np.random.default_rng(days)
    hours, cases = chance.gamma(1.0, 1.0, 400), chance.poisson(1.0, 400).astype(float)
    found = Spread.of(hours * cases, cases, np.ones(400, dtype=bool), np.array([400 - days]), np.array([400]))
    squares, freedom, used = 0.0, 0, 0
    for last in range(400, 400 - days, -28):
        part = slice(max(last - 28, 400 - days), last)
        x, n = (hours * cases)[part], cases[part]
        squares += float(((x - x.sum() / n.sum() * n) ** 2).sum())
        used, freedom = used + int((n > 0).sum()), freedom + int((n > 0).sum()) - 1
    assert found.scale[0] == pytest.approx(squares / cases[400 - days :].sum() * used / freedom)
    assert np.isnan(found.freedom[0]) if used < 14 else found.freedom[0] == freedom


def test_days_that_reach_far_up_ask_more_of_a_short_period_above_and_of_a_long_one_below():
    lean, seen = np.array([2.0]), np.array([56.0])
    short, long = leans(lean, seen, np.array([1.0])), leans(lean, seen, np.array([56.0]))
    assert short[0] > 0 == short[1]
    assert long[1] > 0 == long[0]
    # Johnson's t of n days: the quantile moves by -lean (2 z^2 + 1) / (6 sqrt(n)).
    assert long[1][0] == pytest.approx(2.0 * (2 * Z * Z + 1) / 6 / 56**0.5)


def test_no_side_is_ever_let_off_and_no_lean_moves_nothing():
    assert [side[0] for side in leans(np.array([0.0]), np.array([56.0]), np.array([7.0]))] == [0.0, 0.0]
    assert [side[0] for side in leans(np.array([np.nan]), np.array([0.0]), np.array([7.0]))] == [0.0, 0.0]
    assert all(side[0] >= 0 for side in leans(np.array([-3.0]), np.array([56.0]), np.array([7.0])))


def test_three_earlier_periods_of_a_stock_are_too_few():
    values = np.array([10.0, 12.0, 9.0, 11.0, 10.0])
    assert np.isnan(Blocks.of(values, 12, 1).freedom).tolist() == [True, True, True, True, False]
