"""What stands beside a composite: published numbers, simulation, identities, Boston's arithmetic."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc

from metrics import company, scoring
from metrics.composite import composite
from metrics.facts import Fact
from metrics.model import Aggregation, Composite, Direction, Family, Grain, Period, Score, Status, Weight
from metrics.plan import Plan, plan
from metrics.rollup import course, roll_up
from tests.builders import ALWAYS, CITY, SOURCE, catalogue, inputs, known, metric, target, utc

PUBLISHED = tomllib.loads(
    (Path(__file__).parents[1] / "cases" / "attribution.toml").read_text(encoding="utf-8")
)["composite"]
FIVE = np.array(PUBLISHED["scores"])
EQUAL = np.ones(5)
NAN = math.nan

scores = st.floats(0, 1.25)
weights = st.floats(0.01, 10)
boards = st.lists(st.tuples(scores, weights), min_size=1, max_size=12)


def arrays(pairs):
    return np.array([score for score, _ in pairs]), np.array([weight for _, weight in pairs])


def named(numbers):
    return {str(index): float(number) for index, number in enumerate(numbers)}


# --- published numbers ---------------------------------------------------------------------------


def test_five_metrics_of_equal_weight_have_the_published_company():
    near = {"abs": PUBLISHED["company_tolerance"]}
    assert company.geometric(FIVE, EQUAL) == pytest.approx(PUBLISHED["geometric"], **near)
    assert company.weight_sd(FIVE, EQUAL) == pytest.approx(PUBLISHED["weight_sd"], **near)
    half = 1.645 * PUBLISHED["weight_sd"]
    band = company.weight_band(FIVE, EQUAL)
    assert band.tolist() == pytest.approx([PUBLISHED["mean"] - half, PUBLISHED["mean"] + half], abs=2e-6)
    assert company.leave_one_out(FIVE, EQUAL).tolist() == pytest.approx([3.85 / 4, 4.30 / 4])


@pytest.mark.parametrize("weight", [EQUAL, np.array([5.0, 1.0, 3.0, 0.5, 2.0])])
def test_other_weights_drawn_at_random_stray_as_far_as_the_band_says(weight):
    drawn = np.random.default_rng(20261123).dirichlet(20 * weight / weight.sum(), 200_000) @ FIVE
    mean, _ = composite(named(FIVE), named(weight))
    assert drawn.mean() == pytest.approx(mean, abs=5e-4)
    assert drawn.std() == pytest.approx(company.weight_sd(FIVE, weight), rel=0.01)
    low, high = company.weight_band(FIVE, weight)
    assert np.quantile(drawn, [0.05, 0.95]).tolist() == pytest.approx([low, high], abs=5e-3)
    assert (drawn >= 1).mean() == pytest.approx(company.share_above(named(FIVE), named(weight)), abs=3e-3)


# --- identities ----------------------------------------------------------------------------------


@settings(deadline=None)
@given(boards)
def test_a_geometric_mean_lies_between_the_lowest_score_and_the_composite(pairs):
    found, (mean, _) = company.geometric(*arrays(pairs)), company.weighted_mean(*arrays(pairs))
    assert min(score for score, _ in pairs) <= found <= mean


@settings(deadline=None)
@given(boards)
def test_a_composite_lies_within_its_leave_one_out_range_and_its_bands(pairs):
    mean, _ = company.weighted_mean(*arrays(pairs))
    bands = [company.leave_one_out(*arrays(pairs))] if len(pairs) > 1 else []
    bands += [company.weight_band(*arrays(pairs))]
    bands += [company.sampling_band(*arrays(pairs), np.full(len(pairs), 0.1))]
    for low, high in bands:
        assert low <= mean <= high


@settings(deadline=None)
@given(st.lists(st.tuples(scores, weights), min_size=2, max_size=8))
def test_the_leave_one_out_range_is_that_of_the_composites_without_each(pairs):
    score, weight = named(arrays(pairs)[0]), named(arrays(pairs)[1])
    without = [composite({m: s for m, s in score.items() if m != gone}, weight)[0] for gone in score]
    found = company.leave_one_out(*arrays(pairs))
    assert found.tolist() == pytest.approx([min(without), max(without)], abs=1e-12)


@settings(deadline=None)
@given(scores, st.lists(weights, min_size=2, max_size=12))
def test_equal_scores_leave_nothing_to_doubt(score, given_weights):
    board = np.full(len(given_weights), score), np.array(given_weights)
    assert company.geometric(*board) == score
    assert company.leave_one_out(*board).tolist() == [score, score]
    assert company.weight_band(*board).tolist() == [score, score]


@settings(deadline=None)
@given(boards)
def test_what_did_not_enter_changes_nothing(pairs):
    board = arrays(pairs)
    error = np.full(len(pairs), 0.05)
    absent = np.append(board[0], [NAN, 0.1]), np.append(board[1], [2.0, 0.0])
    for one in (company.geometric, company.leave_one_out, company.weight_band):
        assert one(*absent) == pytest.approx(one(*board), abs=1e-15, nan_ok=True)
    found = company.sampling_band(*absent, np.append(error, [NAN, NAN]))
    assert found == pytest.approx(company.sampling_band(*board, error), abs=1e-15)


def test_one_score_of_zero_makes_a_geometric_mean_of_zero():
    assert company.geometric(np.array([0.0, 1.2]), np.array([0.1, 9.0])) == 0


def test_a_single_metric_has_no_composite_without_it():
    assert np.isnan(company.leave_one_out(np.array([0.9]), np.array([1.0]))).all()


def test_a_weight_that_dwarfs_the_others_leaves_them_to_be_seen():
    found = company.leave_one_out(np.array([0.5, 1.1, 0.9]), np.array([1e17, 1.0, 1.0]))
    assert found.tolist() == pytest.approx([0.5, 1.0])


def test_many_periods_at_once_are_the_same_as_one_by_one():
    chance = np.random.default_rng(3)
    entered, weight = chance.uniform(0, 1.25, (6, 40)), chance.uniform(0, 3, (6, 40))
    entered[chance.random((6, 40)) < 0.4] = NAN
    error = np.where(chance.random((6, 40)) < 0.05, NAN, 0.03)
    entered[:, 0] = NAN
    together = company.companies(entered, weight, error)
    alone = [company.companies(*(one[:, [at]] for one in (entered, weight, error)))[0] for at in range(40)]
    assert together == alone
    assert together[0] == company.ALONE
    assert {one.sampling_band is None for one in together[1:]} == {True, False}


# --- under other weights -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "weight"), [(1.2, 0.9, 0.3), (0.5, 1.001, 0.02), (0.0, 1.25, 0.5), (0.99, 1.2, 0.9)]
)
def test_of_two_metrics_the_share_of_weightings_on_target_is_a_beta_tail(first, second, weight):
    tail = betainc(20 * weight, 20 * (1 - weight), (1 - second) / (first - second))
    expected = 1 - tail if first > second else tail
    found = company.share_above({"a": first, "b": second}, {"a": weight, "b": 1 - weight})
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    ("given_scores", "expected"),
    [([1.0, 1.0], 1.0), ([1.0, 1.2], 1.0), ([0.9, 0.8], 0.0), ([1.0, 0.9], 0.0), ([1.1], 1.0)],
)
def test_where_every_score_is_on_one_side_no_weighting_changes_it(given_scores, expected):
    assert company.share_above(named(given_scores), named([1.0] * len(given_scores))) == expected


def test_without_any_weight_there_is_no_other_weighting():
    with pytest.raises(ValueError, match="no score has weight"):
        company.share_above({"a": 1.0}, {"a": 0.0})


# --- by chance -----------------------------------------------------------------------------------


def fields(**given):
    names = ("value", "score", "low", "high", "target", "target_high", "floor", "floor_high")
    return {name: np.array([given.get(name, NAN)]) for name in names}


@pytest.mark.parametrize(
    ("given", "direction", "method", "expected"),
    [
        ({"value": 0.72, "target": 0.8, "floor": 0.0}, Direction.HIGHER_IS_BETTER, "linear", 1 / 0.8),
        ({"value": 0.28, "target": 0.2, "floor": 1.0}, Direction.LOWER_IS_BETTER, "linear", 1 / 0.8),
        ({"value": 1.0, "target": 0.8, "floor": 0.0}, Direction.HIGHER_IS_BETTER, "linear", 0.0),
        ({"value": 45.0, "target": 20, "floor": 40}, Direction.LOWER_IS_BETTER, "linear", 0.0),
        ({"value": 30.0, "target": 20}, Direction.LOWER_IS_BETTER, "cityscore", 20 / 30**2),
        ({"value": 30.0, "target": 20}, Direction.HIGHER_IS_BETTER, "cityscore", 1 / 20),
    ],
)
def test_the_error_of_a_score_is_that_of_its_value_times_the_slope(given, direction, method, expected):
    score = scoring.score(given["value"], given["target"], direction, method=method, floor=given.get("floor"))
    half = 0.0392
    known_fields = fields(**given, score=score, low=given["value"] - half, high=given["value"] + half)
    assert company.score_error(known_fields, direction, method) == pytest.approx([expected * 0.02])


def test_a_target_from_the_past_strays_beside_the_value():
    given = fields(value=0.72, score=0.9, low=0.72 - 0.0392, high=0.72 + 0.0392, target=0.8, floor=0.0)
    alone, beside = (company.score_error(given, Direction.HIGHER_IS_BETTER, pooled=one) for one in (None, 3))
    assert beside == pytest.approx(alone * math.sqrt(4 / 3))


@pytest.mark.parametrize(("value", "expected"), [(66, 1 / 8), (70, 0.0), (76, 1 / 8), (90, 0.0)])
def test_within_a_band_chance_moves_nothing_and_outside_it_either_side_does(value, expected):
    aim, floor = (68.0, 72.0), (60.0, 80.0)
    score = scoring.score(value, aim, "within", floor=floor)
    given = fields(value=value, score=score, low=value - 1.96, high=value + 1.96)
    given |= fields_of_band(aim, floor)
    assert company.score_error(given, Direction.WITHIN) == pytest.approx([expected])


def fields_of_band(aim, floor):
    names = ("target", "target_high", "floor", "floor_high")
    return {name: np.array([end]) for name, end in zip(names, (*aim, *floor), strict=True)}


def test_a_value_without_both_ends_of_its_interval_has_no_error_unless_it_is_clipped():
    open_ended = fields(value=0.7, score=0.875, low=0.6, target=0.8, floor=0.0)
    assert np.isnan(company.score_error(open_ended, Direction.HIGHER_IS_BETTER)).all()
    at_the_cap = fields(value=1.0, score=1.25, low=0.9, target=0.8, floor=0.0)
    assert company.score_error(at_the_cap, Direction.HIGHER_IS_BETTER) == [0.0]
    unscored = fields(value=0.7, low=0.6, high=0.8, target=0.8, floor=0.0)
    assert np.isnan(company.score_error(unscored, Direction.HIGHER_IS_BETTER)).all()


def test_chance_moves_a_mean_by_its_errors_added_in_squares():
    band = company.sampling_band(np.array([0.9, 1.1]), np.array([3.0, 1.0]), np.array([0.04, 0.08]))
    half = 1.96 * math.hypot(0.75 * 0.04, 0.25 * 0.08)
    assert band.tolist() == pytest.approx([0.95 - half, 0.95 + half])


def test_one_metric_without_an_interval_leaves_no_band():
    found = company.sampling_band(np.array([0.9, 1.1]), np.ones(2), np.array([0.04, NAN]))
    assert np.isnan(found).all()


def test_chance_drawn_at_random_moves_the_mean_as_far_as_the_band_says():
    chance = np.random.default_rng(20261123)
    n, p = np.array([400, 900, 250]), np.array([0.70, 0.82, 0.76])
    half = 1.96 * np.sqrt(p * (1 - p) / n)
    error = [
        company.score_error(
            fields(
                value=p[i], score=p[i] / 0.8, low=p[i] - half[i], high=p[i] + half[i], target=0.8, floor=0
            ),
            Direction.HIGHER_IS_BETTER,
        )[0]
        for i in range(3)
    ]
    weight = np.array([1.0, 2.0, 1.0])
    low, high = company.sampling_band(p / 0.8, weight, np.array(error))
    drawn = (chance.binomial(n, p, (100_000, 3)) / n / 0.8) @ (weight / weight.sum())
    assert ((drawn >= low) & (drawn <= high)).mean() == pytest.approx(0.95, abs=0.004)


# --- Boston's arithmetic -------------------------------------------------------------------------


@pytest.mark.parametrize("direction", list(Direction))
def test_bostons_arithmetic_for_many_periods_is_that_for_one(direction):
    value, goal = (one.ravel() for one in np.meshgrid([NAN, 0.0, 0.5, 3.0, 1e308], [NAN, 0.0, 2.0, 1e-308]))
    found = company.cityscores(value, goal, direction)
    for one, of, against in zip(found, value, goal, strict=True):
        expected = scoring.cityscore(*(None if x != x else float(x) for x in (of, against)), direction)
        assert (None if one != one else one) == expected


JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)
MONTH = Period(Grain.MONTH, JULY, AUGUST)
WITHOUT_INTERVAL = {"value": 0.72, "target": 0.8, "floor": 0.0, "score": 0.9, "weight": 1.0}


def city_plan(**known_until):
    """A city of a ratio, a falling count, a band and a median service, and a condition, each with July."""
    definitions = [
        metric("potholes", weights=(Weight(3.0, ALWAYS, "most asked for"),)),
        metric(
            "crashes",
            Aggregation.COUNT,
            direction=Direction.LOWER_IS_BETTER,
            numerator=None,
            targets=(target(2.0),),
        ),
        metric(
            "pressure",
            Aggregation.MEAN,
            direction=Direction.WITHIN,
            value="amount",
            targets=(target((68.0, 72.0), floor=(60.0, 80.0)),),
        ),
        metric("unweighed", department="parks", weights=(Weight(0.0, ALWAYS, "shown only"),), source="other"),
        metric(
            "burglaries",
            Aggregation.COUNT,
            family=Family.CONDITION,
            weights=(),
            direction=Direction.LOWER_IS_BETTER,
            numerator=None,
            targets=(target(4.0),),
        ),
        metric(
            "visits",
            Aggregation.COUNT,
            family=Family.CONDITION,
            weights=(),
            direction=Direction.NEUTRAL,
            numerator=None,
            targets=(),
        ),
    ]
    amounts = {
        "potholes": Fact(6, 10),
        "crashes": Fact(1, 0),
        "pressure": Fact(660, 10),
        "unweighed": Fact(9, 10),
        "burglaries": Fact(5, 0),
        "visits": Fact(5, 0),
    }
    days = [date.fromordinal(JULY.toordinal() + n) for n in range(31)]
    facts = {name: {("a", day): fact for day in days} for name, fact in amounts.items()}
    sources = (SOURCE, dataclasses.replace(SOURCE, id="other"))
    until = {"cases": AUGUST, "other": AUGUST} | known_until
    knowledge = {
        name: known(date(2026, 6, 1), utc(day.year, day.month, day.day, 12), name)
        for name, day in until.items()
    }
    return plan(inputs(catalogue(*definitions, sources=sources), AUGUST, facts, knowledge))


@pytest.fixture(scope="module")
def july() -> Plan:
    return city_plan()


def composites(made: Plan, scope: str, grain: Grain = Grain.MONTH) -> dict[str, Composite]:
    found = [one for one in made.composites if one.scope == scope and one.period.grain is grain]
    newest = max(one.period.start for one in found)
    return {one.scope_id: one for one in found if one.period.start == newest}


def by_hand(made: Plan, composite_: Composite, names: set[str]) -> float | None:
    """Boston's composite from the published rows, by the formulas of its own portal."""
    quotients = []
    for row in made.scores:
        if row.metric not in names or row.district or row.period != composite_.period or row.score is None:
            continue
        assert row.value is not None and row.target is not None
        if row.metric in ("crashes", "burglaries"):
            quotients += [row.target / row.value] if row.value else []
        elif row.metric != "pressure":
            quotients.append(row.value / row.target)
    return sum(quotients) / len(quotients) if quotients else None


def test_bostons_composite_is_the_plain_mean_over_both_families_and_every_weight(july):
    city = composites(july, "city")[""]
    assert city.cityscore == pytest.approx((0.6 / 0.8 + 62 / 31 + 0.9 / 0.8 + 124 / 155) / 4, abs=1e-12)
    parks = composites(july, "department")["parks"]
    assert (parks.score, parks.cityscore) == (None, pytest.approx(0.9 / 0.8))


@pytest.mark.parametrize("secret", [{"public": False}, {"hide_small_city": True}])
def test_bostons_composite_has_nothing_in_it_that_could_be_worked_out_again_from_the_rest(july, secret):
    rows = [one for one in july.scores if one.metric == "potholes" and one.period.grain is Grain.MONTH]
    told = course(metric("potholes"), Grain.MONTH, rows)
    untold = course(metric("potholes", **secret), Grain.MONTH, rows)
    assert not np.isnan(told.numbers[-1]).all()
    assert np.isnan(untold.numbers[-1]).all()
    assert np.array_equal(told.numbers[:-1], untold.numbers[:-1], equal_nan=True)


def test_bostons_composite_equals_a_recomputation_from_the_published_rows_everywhere(july):
    works = {"potholes", "crashes", "pressure", "burglaries", "visits"}
    members = {("city", ""): works | {"unweighed"}, ("department", "works"): works}
    members |= {("department", "parks"): {"unweighed"}, ("theme", "streets"): works | {"unweighed"}}
    compared = 0
    for one in july.composites:
        expected = by_hand(july, one, members[one.scope, one.scope_id])
        assert one.cityscore == (None if expected is None else pytest.approx(expected, abs=1e-12)), one.period
        compared += expected is not None
    assert compared > 100


def test_bostons_composite_leaves_out_what_has_no_score(july):
    late = composites(city_plan(other=date(2026, 7, 20)), "city")[""]
    assert late.cityscore == pytest.approx((0.6 / 0.8 + 62 / 31 + 124 / 155) / 3, abs=1e-12)


def test_boston_has_no_gate():
    made = city_plan(cases=date(2026, 7, 20))
    city = composites(made, "city")[""]
    assert (city.score, city.cityscore) == (None, pytest.approx(0.9 / 0.8))


# --- in a publication ----------------------------------------------------------------------------


def test_a_composite_brings_its_company(july):
    city = composites(july, "city")[""]
    entered, weight = {"potholes": 0.75, "crashes": 1.25, "pressure": 0.75}, np.array([3.0, 1.0, 1.0])
    score = np.array(list(entered.values()))
    assert city.score == pytest.approx(0.85)
    assert city.geometric == pytest.approx(math.exp(sum(weight / 5 * np.log(score))))
    assert city.leave_one_out == pytest.approx((0.75, 1.0))
    assert city.weight_band == pytest.approx((0.85 - 1.645 * 0.2 / 21**0.5, 0.85 + 1.645 * 0.2 / 21**0.5))


def test_a_composite_that_is_withheld_has_no_company_but_bostons(july):
    parks = composites(july, "department")["parks"]
    assert parks.reason.id == "nothing_scored_at_this_grain"
    beside = (parks.geometric, parks.leave_one_out, parks.weight_band, parks.sampling_band)
    assert beside == (None, None, None, None)


def test_the_late_seat_is_in_the_company_and_chance_does_not_move_it():
    def row(name, status, **given):
        empty = dict.fromkeys(one.name for one in dataclasses.fields(Score) if one.name != "scale")
        made = Score(**{**empty, "metric": name, "district": "", "period": MONTH, "status": status, **given})
        return course(metric(name), Grain.MONTH, [made])

    heard = [
        row(name, Status.FINAL, value=0.72, target=0.8, floor=0.0, score=0.9, weight=1.0, low=0.7, high=0.74)
        for name in "abc"
    ]
    late = row("d", Status.LATE, value=None, target=0.8, floor=0.0, seat=0.5, weight=1.0)
    (found,) = roll_up(CITY, "city", "", [*heard, late])
    assert found.score == pytest.approx(0.8)
    assert found.geometric == pytest.approx((0.9**3 * 0.5) ** 0.25)
    assert found.leave_one_out == pytest.approx((2.3 / 3, 0.9))
    half = 1.96 * math.sqrt(3) / 4 * (0.02 / 1.96 / 0.8)
    assert found.sampling_band == pytest.approx((0.8 - half, 0.8 + half))
    assert found.cityscore == pytest.approx(0.9)
    unheard = roll_up(CITY, "city", "", [*heard[1:], late, row("e", Status.FINAL, **WITHOUT_INTERVAL)])
    assert unheard[0].score is not None
    assert unheard[0].sampling_band is None
