"""Verdicts: how often an unchanged city on target gets a wrong one, counted out or simulated, and edges."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import intervals
from metrics.evidence import said
from metrics.facts import Fact, Pooled
from metrics.history import History
from metrics.intervals import SIDE
from metrics.judged import Case
from metrics.metric_scores import district_scores, metric_scores
from metrics.model import Aggregation, Direction, Grain, Metric, Score, Verdict
from metrics.plan import plan
from tests.builders import catalogue, inputs, known, metric, target, utc
from tests.unchanged_city import history

MEETS, MISSES, CANNOT_TELL = Verdict.MEETS, Verdict.MISSES, Verdict.CANNOT_TELL
LOWER, HIGHER, WITHIN = Direction.LOWER_IS_BETTER, Direction.HIGHER_IS_BETTER, Direction.WITHIN
HALF_A_POINT = 0.005


def given_verdict(
    one: Metric, aim: Any, x: float, n: float | None = None, value: float | None = None
) -> Verdict:
    """The verdict on one period of counts alone, whatever its days."""
    pooled = Pooled(x / n if n else x if value is None else value, x, n, round(n or x))
    ((_low, _high, verdict),) = said(history(one, [x], [n or 0.0]), Grain.MONTH, [Case((0, 1), pooled, aim)])
    return verdict


def verdict_of_share(x: int, n: int, aim: Any, direction: Direction = HIGHER) -> Verdict:
    return given_verdict(metric("m", direction=direction), aim, x, n)


def verdict_of_count(x: int, aim: Any, direction: Direction = LOWER) -> Verdict:
    return given_verdict(metric("m", Aggregation.COUNT, direction=direction), aim, x)


# --- exact kinds: counted out -------------------------------------------------------------------


def rates(verdict: list[Verdict], chance: np.ndarray) -> tuple[float, float]:
    met = sum(share for one, share in zip(verdict, chance, strict=True) if one is MEETS)
    missed = sum(share for one, share in zip(verdict, chance, strict=True) if one is MISSES)
    return float(met), float(missed)


def weighed(one: Metric, aim: Any, pools: list[Pooled]) -> list[Verdict]:
    cases = [Case((0, 1), pooled, aim) for pooled in pools]
    return [verdict for _low, _high, verdict in said(history(one, [0.0], [0.0]), Grain.MONTH, cases)]


@pytest.mark.parametrize("direction", [HIGHER, LOWER])
@pytest.mark.parametrize("p", [0.02, 0.3, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("n", [1, 5, 24, 30, 100, 500])
def test_a_share_on_target_is_called_met_or_missed_in_2_and_a_half_percent_at_most(n, p, direction):
    chance = np.array([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])
    pools = [Pooled(k / n, float(k), float(n), n) for k in range(n + 1)]
    met, missed = rates(weighed(metric("m", direction=direction), p, pools), chance)
    assert met <= SIDE + 1e-12
    assert missed <= SIDE + 1e-12
    if n * p * (1 - p) > 20:
        assert met > 0.01 and missed > 0.01


def poisson(mean: float, most: int) -> np.ndarray:
    return np.array([math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(most)])


@pytest.mark.parametrize("direction", [HIGHER, LOWER])
@pytest.mark.parametrize("mean", [0.2, 1.0, 3.0, 3.7, 10.0, 24.0, 100.0])
def test_a_count_on_target_is_called_met_or_missed_in_2_and_a_half_percent_at_most(mean, direction):
    pools = [Pooled(float(k), float(k), None, k) for k in range(250)]
    one = metric("m", Aggregation.COUNT, direction=direction)
    met, missed = rates(weighed(one, mean, pools), poisson(mean, 250))
    assert met <= SIDE + 1e-12
    assert missed <= SIDE + 1e-12


@pytest.mark.parametrize(("truth", "worst"), [(20.0, MEETS), (30.0, MEETS), (24.0, MISSES), (20.0, MISSES)])
def test_a_count_at_or_inside_the_ends_of_its_band_is_hardly_ever_called_wrong(truth, worst):
    pools = [Pooled(float(k), float(k), None, k) for k in range(250)]
    one = metric("m", Aggregation.COUNT, direction=WITHIN)
    met, missed = rates(weighed(one, (20.0, 30.0), pools), poisson(truth, 250))
    assert (met if worst is MEETS else missed) <= SIDE + (SIDE if worst is MISSES else 0)


def test_a_band_is_met_where_the_evidence_is_inside_it_and_missed_where_it_is_outside():
    assert [verdict_of_count(x, (100, 200), WITHIN) for x in (60, 95, 150, 205, 240)] == [
        MISSES,
        CANNOT_TELL,
        MEETS,
        CANNOT_TELL,
        MISSES,
    ]


@pytest.mark.parametrize("direction", [HIGHER, LOWER])
@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("n", [3, 24, 36, 100, 400])
def test_a_percentile_on_target_is_called_met_or_missed_in_2_and_a_half_percent_at_most(n, share, direction):
    """The verdict hangs only on how many of n values lie under the target: each has the chance `share`."""
    one = metric("m", Aggregation.PERCENTILE, percentile=share, direction=direction)
    aim, pools = 0.0, []
    for under in range(n + 1):
        rising = np.concatenate([np.full(under, -1.0), np.full(n - under, 1.0)])
        low, high = intervals.percentile(rising, np.arange(1, n + 1), share)
        pools.append(Pooled(0.5, None, float(n), n, None, low, high))
    chance = np.array([math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)])
    met, missed = rates(weighed(one, aim, pools), chance)
    assert met <= SIDE + 1e-12
    assert missed <= SIDE + 1e-12


# --- identities ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 800).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.99))
def test_a_share_and_its_complement_get_the_same_verdict(pair, aim):
    x, n = pair
    assert verdict_of_share(x, n, aim) is verdict_of_share(n - x, n, 1 - aim, LOWER)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.5, 200))
def test_fewer_of_what_one_wants_less_of_never_makes_the_verdict_worse(x, y, aim):
    order = [MISSES, CANNOT_TELL, MEETS]
    few, many = sorted((x, y))
    found = [order.index(verdict_of_count(one, aim)) for one in (few, many)]
    assert found[0] >= found[1]


# --- edges --------------------------------------------------------------------------------------


def test_no_case_where_few_were_expected_tells_nothing_and_of_more_it_meets():
    assert verdict_of_count(0, 3.68) is CANNOT_TELL
    assert verdict_of_count(0, 3.69) is MEETS


def test_a_target_of_no_case_can_be_missed_and_never_shown_to_be_met():
    assert verdict_of_count(0, 0.0) is CANNOT_TELL
    assert verdict_of_count(1, 0.0) is MISSES


def test_a_target_of_every_case_can_be_missed_and_never_shown_to_be_met():
    assert verdict_of_share(5000, 5000, 1.0) is CANNOT_TELL
    assert verdict_of_share(4999, 5000, 1.0) is MISSES


def test_few_records_make_it_impossible_to_tell_and_many_tell():
    assert verdict_of_share(7, 10, 0.8) is CANNOT_TELL
    assert verdict_of_share(700, 1000, 0.8) is MISSES
    assert verdict_of_share(900, 1000, 0.8) is MEETS


# --- carried into scores and composites ---------------------------------------------------------


def test_a_score_carries_its_interval_and_verdict_and_one_without_score_no_verdict():
    one = metric("potholes", scored_at=(Grain.MONTH,))
    rows = metric_scores(history(one, [7.0] * 120, [10.0] * 120))
    month = next(row for row in rows if row.period.grain is Grain.MONTH and row.score is not None)
    assert (month.low, month.high) == intervals.wilson(month.numerator, month.denominator)
    assert month.verdict is MISSES
    day = next(row for row in rows if row.period.grain is Grain.DAY and row.value is not None)
    assert (day.score, day.verdict) == (None, None)
    assert (day.low, day.high) == intervals.wilson(7, 10)


def test_a_district_carries_its_own_interval_and_verdict():
    here = history(metric("potholes"), [7.0] * 120, [10.0] * 120)
    city = metric_scores(here)
    months = [row for row in city if row.period.grain is Grain.MONTH]
    found = {row.period.start: row for row in district_scores(here, months)}
    for row in months:
        if row.score is not None:
            own = found[row.period.start]
            assert (own.low, own.high, own.verdict) == (row.low, row.high, row.verdict)


def test_composites_count_the_verdicts_of_the_metrics_with_a_score():
    first, end = date(2026, 6, 1), date(2026, 8, 1)
    days = [first + timedelta(days=n) for n in range(61)]
    shares = {"good": 9.5, "bad": 5.0, "even": 8.0}
    facts = {name: {("a", day): Fact(amount, 10.0) for day in days} for name, amount in shares.items()}
    made = plan(
        inputs(
            catalogue(*(metric(name) for name in shares)),
            end,
            facts,
            {"cases": known(first, utc(2026, 8, 1, 12))},
        )
    )
    july = next(
        one
        for one in made.composites
        if one.scope == "city" and one.period.start == date(2026, 7, 1) and one.period.grain is Grain.MONTH
    )
    assert (july.meets, july.cannot_tell, july.misses, july.scored) == (1, 1, 1, 3)
    assert all(
        (one.meets or 0) + (one.cannot_tell or 0) + (one.misses or 0) == one.scored for one in made.composites
    )


# --- kinds by interval: simulated ---------------------------------------------------------------


def wrong(rows: list[Score], grain: Grain) -> tuple[int, int, int]:
    """How many scored periods of a grain were called met, missed, and how many there were."""
    found = [row for row in rows if row.period.grain is grain and row.score is not None]
    return (
        sum(1 for row in found if row.verdict is MEETS),
        sum(1 for row in found if row.verdict is MISSES),
        len(found),
    )


def is_within(count: float, of: int, alike: float = 0.0) -> bool:
    """Whether a rate may be 2.5% and half a point more, with what chance adds to a count of so many.

    Of periods that resemble the ones before, fewer are as good as all.
    """
    most = SIDE + HALF_A_POINT
    return count <= of * most + 3.1 * math.sqrt(of * most * (1 + alike) / (1 - alike))


def means(chance: np.random.Generator, days: int) -> History:
    sizes = chance.poisson(40, days).astype(np.float64)
    amounts = np.array([chance.lognormal(-0.125, 0.5, int(size)).sum() for size in sizes])
    return history(
        metric("m", Aggregation.MEAN, targets=(target(1.0),), unit="hours", value="amount"), amounts, sizes
    )


def sums(chance: np.random.Generator, days: int) -> History:
    planned = np.round(chance.uniform(200, 400, days))
    done = np.minimum(planned, np.round(planned * np.clip(chance.normal(0.9, 0.04, days), 0, 1)))
    aim = 0.9
    one = metric("m", numerator="amount", denominator="amount", targets=(target(aim),))
    return history(one, done + (aim - done.sum() / planned.sum()) * planned, planned)


def amounts(chance: np.random.Generator, days: int) -> History:
    visits = chance.negative_binomial(50, 50 / (50 + 1000), days).astype(np.float64)
    return history(
        metric("m", Aggregation.COUNT, quantity="amount", targets=(target(1000.0),), unit="visits"), visits
    )


def stocks(chance: np.random.Generator, days: int, alike: float = 0.9) -> History:
    level, now = np.zeros(days), 0.0
    steps = chance.normal(0, 50 * math.sqrt(1 - alike**2), days)
    for day in range(days):
        now = alike * now + steps[day]
        level[day] = 1000 + now
    one = metric("m", Aggregation.STOCK, direction=LOWER, targets=(target(1000.0),), unit="cases")
    return history(one, level)


def past_counts(chance: np.random.Generator, days: int, dispersion: float = 1.0) -> History:
    weekdays = np.tile([1.2, 1.1, 1.0, 1.0, 1.1, 0.9, 0.7], days // 7 + 1)[:days] * 20
    counts = (
        chance.poisson(weekdays)
        if dispersion == 1
        else chance.negative_binomial(weekdays / (dispersion - 1), 1 / dispersion)
    )
    return history(
        metric("m", Aggregation.COUNT, direction=LOWER, targets=(), historical=True, unit="cases"),
        counts.astype(np.float64),
    )


def past_shares(chance: np.random.Generator, days: int) -> History:
    due = chance.poisson(25, days)
    return history(metric("m", targets=(), historical=True), chance.binomial(due, 0.85), due)


def past_medians(chance: np.random.Generator, days: int) -> History:
    day = np.repeat(np.arange(days), chance.poisson(15, days))
    one = metric("m", Aggregation.MEDIAN, direction=LOWER, targets=(), historical=True, unit="days")
    return history(one, np.zeros(days), np.zeros(days), (day, chance.lognormal(1, 0.8, len(day))))


def past_means(chance: np.random.Generator, days: int) -> History:
    found = means(chance, days)
    return replace(found, metric=replace(found.metric, targets=(), historical=True))


def past_stocks(chance: np.random.Generator, days: int) -> History:
    found = stocks(chance, days)
    return replace(found, metric=replace(found.metric, targets=(), historical=True))


CITIES = {
    "mean": means,
    "ratio of sums": sums,
    "amounts": amounts,
    "stock": stocks,
    "stock that keeps": lambda chance, days: stocks(chance, days, 0.97),
    "past counts": past_counts,
    "past counts that spread": lambda chance, days: past_counts(chance, days, 2.5),
    "past shares": past_shares,
    "past means": past_means,
    "past medians": past_medians,
    "past stocks": past_stocks,
}


ALIKE = {"stock": 0.9, "stock that keeps": 0.97, "past stocks": 0.9}
"""How much a day is like the one before."""


def check(city: str, seeds: range) -> None:
    """Holds the wrong verdicts and the mean score of simulated cities of twelve years to method 6."""
    counts = {grain: np.zeros(3) for grain in Grain}
    scores: dict[Grain, list[float]] = {grain: [] for grain in Grain}
    for seed in seeds:
        rows = metric_scores(CITIES[city](np.random.default_rng(seed), 365 * 12))
        for grain in Grain:
            counts[grain] += wrong(rows, grain)
            scores[grain] += [
                row.score for row in rows if row.period.grain is grain and row.score is not None
            ]
    for grain, (met, missed, of) in counts.items():
        assert of > 100
        alike = ALIKE.get(city, 0.0) if grain is Grain.DAY else 0.0
        assert is_within(met, of, alike) and is_within(missed, of, alike), (grain, met, missed, of)
        is_scored = np.std(scores[grain]) < 0.06
        if is_scored and len(seeds) > 5:
            assert np.mean(scores[grain]) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("city", CITIES)
def test_an_unchanged_city_on_target_is_rarely_called_wrong(city):
    check(city, range(2))


@pytest.mark.matrix
@pytest.mark.parametrize("city", CITIES)
def test_over_many_cities_an_unchanged_one_on_target_is_rarely_called_wrong_and_scores_one(city):
    check(city, range(100, 120))
