"""What the days of periods judged together say of chance: how many of their values lie under an aim."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from metrics.history import History
from metrics.judged import Case, Judged
from metrics.model import Aggregation, Gap
from metrics.spread import Shares
from tests.builders import SOURCE, metric
from tests.unchanged_city import MONDAY, history

DAYS = 120


def waits(seed: int) -> History:
    """Whole days waited, many of them alike, in a city of which ten days are not known."""
    chance = np.random.default_rng(seed)
    day = np.repeat(np.arange(DAYS), chance.poisson(3.0, DAYS))
    made = history(
        metric("waits", Aggregation.MEDIAN, unit="days"),
        np.zeros(DAYS),
        entries=(day, chance.poisson(2.0, len(day)).astype(float)),
    )
    gap = Gap(MONDAY + timedelta(days=60), MONDAY + timedelta(days=69), "an outage", MONDAY)
    return replace(made, source=replace(SOURCE, gaps=(gap,)))


def one_by_one(city: History, period: tuple[int, int], aim: float, least: int) -> tuple[float, float, float]:
    """Dispersion, freedom and how many are under the aim, each day counted by itself."""
    day, value = city.facts.entry_day, city.facts.entry_value
    under = np.array(
        [(value[day == one] < aim).sum() + (value[day == one] == aim).sum() / 2 for one in range(DAYS)]
    )
    every = np.bincount(day, minlength=DAYS).astype(float)
    first = max(0, min(period[0], period[1] - least))
    found = Shares.of(under, every, city.usable_mask, np.array([first]), np.array([period[1]]))
    known = city.usable_mask[slice(*period)]
    return found.dispersion[0], found.freedom[0], under[slice(*period)][known].sum()


@pytest.mark.parametrize("aims", [[2.0] * 6, [2.0, 2.5, 1.0, 2.0, -1.0, 99.0]], ids=["one aim", "many"])
@pytest.mark.parametrize("least", [28, 56, 364])
def test_values_under_an_aim_are_counted_day_by_day_whatever_else_is_judged_beside(aims, least):
    city = waits(least)
    periods = [(0, 7), (5, 40), (50, 80), (60, 70), (90, 119), (119, 120)]
    cases = [Case(one, city.city_pool.over(one), aim) for one, aim in zip(periods, aims, strict=True)]
    shares, under = Judged(city, cases, None).under(np.array(aims), least)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = [one_by_one(city, one, aim, least) for one, aim in zip(periods, aims, strict=True)]
    found = list(zip(shares.dispersion, shares.freedom, under, strict=True))
    assert found == [pytest.approx(one, nan_ok=True, rel=1e-12) for one in expected]


def test_without_an_aim_nothing_is_under_it():
    city = waits(1)
    cases = [Case((0, 7), city.city_pool.over((0, 7)), None)]
    shares, under = Judged(city, cases, None).under(np.array([np.nan]), 56)
    assert np.isnan([shares.dispersion[0], shares.freedom[0], under[0]]).all()


def test_before_there_is_any_day_nothing_is_under_an_aim():
    city = history(metric("waits", Aggregation.MEDIAN, unit="days"), np.zeros(0))
    shares, under = Judged(city, [Case((0, 0), city.city_pool.over((0, 0)), 2.0)], None).under(
        np.array([2.0]), 364
    )
    assert np.isnan([shares.dispersion[0], shares.freedom[0]]).all()
    assert under[0] == 0.0
