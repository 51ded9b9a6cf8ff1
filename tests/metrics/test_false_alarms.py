"""How often an unchanged series is called a signal: simulated series against what a chart prints."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from metrics.false_alarm_table import TABLE
from metrics.false_alarms import (
    NORMAL_FROM,
    SERIES,
    FalseAlarms,
    Null,
    expected,
    outside_count,
    outside_gap,
    outside_share,
    simulate,
)
from metrics.limits import ChartKind, lines
from metrics.signal_rules import flags
from metrics.signals import Border, Series, chart

K = ChartKind


def draw(kind, random, shape, level, sizes):
    """Unchanged series of a chart, drawn here once more."""
    if kind in (K.P, K.LANEY_P):
        return random.binomial(sizes.astype(int), level, shape) / sizes
    if kind in (K.U, K.LANEY_U):
        return random.poisson(level * sizes, shape) / sizes
    if kind is K.G:
        return random.geometric(1 / (1 + level), shape) - 1.0
    if kind is K.T:
        return random.exponential(3.0, shape)
    return random.normal(5, 2, shape) if level is None else random.poisson(level, shape) * 1.0


def drawn(null, series, seed):
    """Values of unchanged series, and whether each point is a signal."""
    size = np.full(null.points, float(null.size))
    values = draw(null.kind, np.random.default_rng(seed), (series, null.points), null.level, size)
    enters = np.broadcast_to(np.arange(null.points) < (null.fixed or null.points), values.shape)
    found = lines(null.kind, values, np.broadcast_to(size, values.shape), enters, screen=null.screen)
    return values, flags(values, found, every_rule=null.every_rule) > 0


def printed_for(null, values):
    """What charts of these series print: each that of its own level where limits alone are counted out."""
    if null.every_rule or null.level is None:
        return expected(null)
    each = [expected(replace(null, level=float(one))) for one in values[:400].mean(axis=1)]
    return FalseAlarms(
        float(np.mean([one.last for one in each])), float(np.mean([one.chart for one in each]))
    )


def agree(null, series, seed, slack=0.0):
    """That what is printed lies within four errors, its own and those of the series drawn here."""
    values, marked = drawn(null, series, seed)
    printed = printed_for(null, values)
    found = float(marked[:, -1].mean()), float(marked.any(axis=1).mean())
    for own, one in zip((printed.last, printed.chart), found, strict=True):
        error = math.sqrt(max(one, 1 / series) * (1 - one) * (1 / series + 1 / SERIES))
        assert own == pytest.approx(one, abs=4 * error + slack)


FAST = [
    Null(K.XMR, 24),
    Null(K.XMR, 24, screen=False),
    Null(K.XMR, 52, level=12.0),
    Null(K.XMR, 30, fixed=12),
    Null(K.P, 40, level=0.8, size=60, fixed=20),
    Null(K.P, 24, level=0.8, size=60),
    Null(K.LANEY_P, 24, level=0.9, size=20_000),
    Null(K.U, 24, level=0.4, size=50),
    Null(K.LANEY_U, 24, level=2.0, size=3000),
    Null(K.G, 24, level=6.0),
    Null(K.T, 24),
    Null(K.P, 60, level=0.8, size=60, every_rule=False),
    Null(K.U, 60, level=0.4, size=50, every_rule=False),
]


def named(null):
    rules = "" if null.every_rule else " limits"
    return f"{null.kind} {null.points} {null.level} {null.size:g} {null.fixed or ''}{rules}"


@pytest.mark.parametrize("null", FAST, ids=named)
def test_an_unchanged_series_has_as_many_signals_as_printed(null):
    agree(null, 4000, 41)


@pytest.mark.matrix
@pytest.mark.parametrize("points", [5, 9, 15, 24, 40, 52, 90])
@pytest.mark.parametrize(
    ("kind", "level", "size", "screen"),
    [
        (K.XMR, None, 1, True),
        (K.XMR, None, 1, False),
        (K.XMR, 5.0, 1, True),
        (K.XMR, 7.3, 1, True),
        (K.XMR, 33.0, 1, True),
        (K.XMR, NORMAL_FROM, 1, True),
        (K.P, 0.5, 20, True),
        (K.P, 0.93, 45, True),
        (K.P, 0.8, 400, True),
        (K.LANEY_P, 0.953, 280_000, True),
        (K.U, 0.2, 30, True),
        (K.U, 3.1, 120, True),
        (K.LANEY_U, 2.0, 3000, True),
        (K.G, 1.5, 1, True),
        (K.G, 20.0, 1, True),
        (K.T, None, 1, True),
    ],
)
def test_every_chart_at_every_length_has_as_many_signals_as_printed(kind, level, size, screen, points):
    agree(Null(kind, points, level, size, screen=screen), 20_000, 42)


@pytest.mark.matrix
@pytest.mark.parametrize("points", [28, 91, 182])
@pytest.mark.parametrize(
    ("kind", "level", "size"), [(K.XMR, None, 1), (K.XMR, 30.0, 1), (K.P, 0.8, 25), (K.U, 0.4, 20)]
)
def test_a_daily_chart_has_as_many_signals_as_printed(kind, level, size, points):
    agree(Null(kind, points, level, size, every_rule=False), 20_000, 43)


@pytest.mark.matrix
@pytest.mark.parametrize("points", [91, 182])
@pytest.mark.parametrize(("kind", "level", "size"), [(K.XMR, None, 1), (K.P, 0.8, 40), (K.U, 0.4, 20)])
def test_a_chart_of_weekdays_has_as_many_signals_as_one_of_equal_days(kind, level, size, points):
    random, weekdays = np.random.default_rng(44), np.arange(points) % 7
    sizes = np.full(points, float(size)) * (1 + (kind is not K.XMR) * (weekdays < 5))
    values = draw(kind, random, (20_000, points), level, sizes)
    if level is None:
        values += np.array([9, 8, 8, 9, 7, 1, 0])[weekdays]
    enters, every = np.ones(values.shape, bool), np.broadcast_to(sizes, values.shape)
    marked = flags(values, lines(kind, values, every, enters, groups=weekdays), every_rule=False) > 0
    printed = expected(Null(kind, points, level, float(sizes.mean()), every_rule=False))
    found = float(marked[:, -1].mean())
    assert printed.last == pytest.approx(found, abs=4 * math.sqrt(found / 20_000) + 0.0004)


@pytest.mark.parametrize("kind", ["screened", "unscreened", "t"])
def test_a_row_of_the_table_is_simulated_again(kind):
    [row] = [row for row in TABLE[kind] if row[0] == 24]
    null = Null(K.T if kind == "t" else K.XMR, 24, screen=kind != "unscreened")
    for rates_of, printed in (
        (null, row[1:3]),
        (Null(null.kind, 24, screen=null.screen, every_rule=False), row[3:]),
    ):
        for found, own in zip(simulate(rates_of, 6000, 99), printed, strict=True):
            assert found.mean() == pytest.approx(own, abs=4 * math.sqrt(own / 6000))


@pytest.mark.matrix
@pytest.mark.parametrize("kind", [*TABLE])
def test_every_row_of_the_table_is_simulated_again(kind):
    for row in TABLE[kind]:
        for every_rule, printed in ((True, row[1:3]), (False, row[3:])):
            null = Null(
                K.T if kind == "t" else K.XMR, row[0], screen=kind != "unscreened", every_rule=every_rule
            )
            for found, own in zip(simulate(null, 20_000, 100), printed, strict=True):
                assert found.mean() == pytest.approx(own, abs=4.5 * math.sqrt(max(own, 1e-4) / 20_000) + 5e-5)


def test_longer_charts_have_a_signal_somewhere_more_often():
    found = [expected(Null(K.XMR, points)).chart for points in range(4, 200, 7)]
    assert found == sorted(found)


def test_the_rates_measured_before_are_found_again():
    # 24 independent points with limits of their own: 5.9% have a point outside, 15.9% any signal.
    assert expected(Null(K.XMR, 24, screen=False)).chart == pytest.approx(0.159, abs=0.01)
    assert expected(Null(K.XMR, 24, screen=False, every_rule=False)).chart == pytest.approx(0.059, abs=0.005)


@pytest.mark.parametrize(("share", "size"), [(0.8, 60), (0.5, 7), (0.95, 800), (0.02, 30)])
def test_shares_outside_their_limits_are_counted_out_by_the_binomial_distribution(share, size):
    reach = 3 * math.sqrt(size * share * (1 - share))
    inside = [k for k in range(size + 1) if abs(k - size * share) <= reach]
    known = 1 - math.fsum(stats.binom.pmf(k, size, share) for k in inside)
    assert outside_share(share, size) == pytest.approx(known, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("mean", [0.3, 5.0, 42.5, 900.0])
def test_counts_outside_their_limits_are_counted_out_by_the_poisson_distribution(mean):
    low, high = mean - 3 * math.sqrt(mean), mean + 3 * math.sqrt(mean)
    known = stats.poisson.cdf(math.ceil(low) - 1, mean) + stats.poisson.sf(math.floor(high), mean)
    assert outside_count(mean) == pytest.approx(known, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("mean", [0.2, 3.0, 60.0, 2000.0])
def test_a_gap_lies_outside_at_most_as_often_as_a_normal_value(mean):
    series = [float(mean - 0.1), float(mean + 0.1)] * 10
    found = lines(K.G, np.array(series), np.ones(20), np.ones(20, bool))
    chance = stats.geom(1 / (1 + mean), loc=-1)
    known = chance.sf(found.upper[0]) + chance.cdf(found.lower[0] - 1)
    assert outside_gap(mean) == pytest.approx(known, rel=1e-9)
    assert known <= 0.0027


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_where_nothing_can_vary_nothing_is_expected(level):
    assert expected(Null(K.P, 24, level=level, size=50)).last == 0
    assert outside_share(level, 50) == 0
    assert outside_count(0.0) == outside_gap(0.0) == 0


def test_a_chart_of_one_point_expects_nothing():
    assert expected(Null(K.XMR, 1)).chart == 0


def weeks(values, **given):
    return Series.of(
        [date(2026, 1, 5) + timedelta(weeks=week) for week in range(len(values))], values, **given
    )


def test_a_chart_prints_the_expectation_of_its_own_size_and_length():
    x = [48.0, 46.0, 50.0] * 8
    share = chart(K.P, weeks([one / 60 for one in x], sizes=[60] * 24))
    assert share.false_alarms == expected(Null(K.P, 24, level=0.8, size=60))
    assert chart(K.XMR, weeks(x)).false_alarms == expected(Null(K.XMR, 24))
    counted = chart(K.XMR, weeks(x, counted=True))
    assert counted.false_alarms == expected(Null(K.XMR, 24, level=48.0))
    assert chart(K.XMR, weeks(x), screen=False).false_alarms == expected(Null(K.XMR, 24, screen=False))


def test_of_two_segments_the_chart_has_the_alarms_of_both_and_the_last_point_those_of_the_second():
    border = Border(date(2026, 1, 5) + timedelta(weeks=24), "approved")
    found = chart(K.XMR, weeks([5.0, 7.0, 6.0] * 20), borders=[border]).false_alarms
    one, two = expected(Null(K.XMR, 24)), expected(Null(K.XMR, 36))
    assert found.last == two.last
    assert found.chart == pytest.approx(1 - (1 - one.chart) * (1 - two.chart))
