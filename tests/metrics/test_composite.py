"""The weighted mean of scores, its coverage, its gate and the seat of a late metric (method 7)."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.composite import Entry, boston, composite, summarise
from metrics.model import Status

PUBLISHED = tomllib.loads(
    (Path(__file__).parents[1] / "cases" / "attribution.toml").read_text(encoding="utf-8")
)["composite"]

scores = st.floats(0, 1.25)
weights = st.floats(0.01, 10)


def entry(metric, score, weight=1.0, status=Status.FINAL, seat=None, ceiling=1.25):
    return Entry(metric, weight, status, score, seat, ceiling)


def late(metric, seat, weight=1.0):
    return entry(metric, None, weight, Status.LATE, seat)


# --- the mean ----------------------------------------------------------------------------------


def test_the_composite_is_the_weighted_mean_of_the_scores_there_are():
    found = composite({"a": 1.2, "b": 0.6, "c": None}, {"a": 1.0, "b": 2.0, "c": 1.0, "other": 9.0})
    assert found == (pytest.approx((1.2 + 2 * 0.6) / 3), 0.75)


def test_five_metrics_of_equal_weight_make_the_published_mean():
    named = dict(zip("abcde", PUBLISHED["scores"], strict=True))
    mean, coverage = composite(named, dict.fromkeys(named, 1.0))
    assert mean == pytest.approx(PUBLISHED["mean"], abs=PUBLISHED["tolerance"])
    assert coverage == 1.0


def test_nothing_scored_makes_no_composite_and_covers_nothing():
    assert composite({"a": None, "b": None}, {"a": 1.0, "b": 1.0}) == (None, 0.0)
    assert composite({}, {}) == (None, 0.0)
    assert composite({"a": 1.0, "b": None}, {"a": 0.0, "b": 1.0}) == (None, 0.0)
    assert composite({"a": 1.0}, {"a": 0.0}) == (None, 0.0)


def test_the_composite_does_not_gate():
    assert composite({"a": 0.9, "b": None}, {"a": 1.0, "b": 999.0}) == (0.9, 0.001)


def test_a_missing_weight_is_an_error_even_of_a_metric_without_score():
    with pytest.raises(KeyError, match="metric b"):
        composite({"a": 1.0, "b": None}, {"a": 1.0})


@pytest.mark.parametrize("weight", [-1.0, math.nan])
def test_a_weight_below_zero_is_refused(weight):
    with pytest.raises(ValueError, match="metric a"):
        composite({"a": 1.0}, {"a": weight})


@settings(deadline=None)
@given(st.lists(st.tuples(scores, weights), min_size=1, max_size=12))
def test_a_composite_lies_between_its_lowest_and_its_highest_score(pairs):
    named = {str(index): score for index, (score, _) in enumerate(pairs)}
    mean, coverage = composite(named, {str(index): weight for index, (_, weight) in enumerate(pairs)})
    assert min(named.values()) <= mean <= max(named.values())
    assert coverage == 1.0


@settings(deadline=None)
@given(scores, st.lists(weights, min_size=1, max_size=12))
def test_equal_scores_make_exactly_that_composite(score, given_weights):
    named = {str(index): weight for index, weight in enumerate(given_weights)}
    assert composite(dict.fromkeys(named, score), named)[0] == score


@settings(deadline=None)
@given(st.lists(st.tuples(scores, weights), min_size=2, max_size=8), scores)
def test_a_better_score_never_lowers_the_composite(pairs, better):
    named = {str(index): score for index, (score, _) in enumerate(pairs)}
    given_weights = {str(index): weight for index, (_, weight) in enumerate(pairs)}
    raised = {**named, "0": max(better, named["0"])}
    assert composite(raised, given_weights)[0] >= composite(named, given_weights)[0] - 1e-15


def test_bostons_composite_is_the_plain_mean_of_what_there_is():
    assert boston([1.0, None, 2.0, 3.3]) == pytest.approx(2.1)
    assert boston({"a": 1.0, "b": None, "c": 2.0}) == 1.5
    assert boston([None]) is None
    assert boston([]) is None


# --- the seat of a late metric -----------------------------------------------------------------


def seated(lowest, others):
    """What a late metric enters with whose lowest published score is `lowest`, beside these scores."""
    entries = [entry(f"other{number}", score) for number, score in enumerate(others)]
    return summarise([*entries, late("late", lowest)], 0.0).entered.get("late")


def test_a_seat_is_the_lower_of_its_lowest_published_score_and_the_mean_of_the_others():
    assert seated(0.7, [0.8, 1.0]) == 0.7
    assert seated(1.1, [0.8, 1.0]) == 0.9


def test_who_never_had_a_score_has_no_seat():
    assert seated(None, [0.9]) is None


def test_where_nothing_else_is_scored_the_lowest_published_score_is_the_seat():
    assert seated(0.7, []) == 0.7


@settings(deadline=None)
@given(
    st.lists(st.tuples(scores, weights), min_size=1, max_size=8),
    st.lists(scores, min_size=1, max_size=12),
    weights,
)
def test_being_late_is_never_good_news(pairs, published, weight):
    others = {str(index): score for index, (score, _) in enumerate(pairs)}
    given_weights = {"late": weight, **{str(index): each for index, (_, each) in enumerate(pairs)}}
    mean_of_others, _ = composite(others, given_weights)
    entries = [entry(metric, score, given_weights[metric]) for metric, score in others.items()]
    found = summarise([*entries, late("late", min(published), weight)], 0.0).score
    with_last_known, _ = composite({**others, "late": published[-1]}, given_weights)
    assert found <= with_last_known + 1e-15
    assert found <= mean_of_others + 1e-15


# --- the summary -------------------------------------------------------------------------------


def test_a_summary_says_what_is_in_a_composite():
    found = summarise(
        [
            entry("a", 1.25, 2.0, ceiling=1.25),
            entry("b", 1.0, ceiling=1.0),
            entry("c", 0.9999999, ceiling=1.25),
            entry("d", 0.5, status=Status.PROVISIONAL, ceiling=1.25),
        ],
        0.75,
    )
    assert found.score == pytest.approx((2.5 + 1.0 + 0.9999999 + 0.5) / 5)
    assert found.reason is None
    assert found.coverage == 1.0
    assert found.ceiling == pytest.approx((2 * 1.25 + 1.0 + 1.25 + 1.25) / 5)
    assert (found.total, found.scored, found.on_target) == (4, 4, 2)
    assert found.late == ()
    assert found.lowest == (("d", 0.5), ("c", 0.9999999), ("b", 1.0))
    assert found.entered == {"a": 1.25, "b": 1.0, "c": 0.9999999, "d": 0.5}


def test_a_late_metric_is_seated_marked_and_counts_against_coverage():
    found = summarise([entry("a", 1.2), entry("b", 0.8), entry("c", 1.0), late("d", 0.6)], 0.75)
    assert found.score == pytest.approx((1.2 + 0.8 + 1.0 + 0.6) / 4)
    assert found.coverage == 0.75
    assert (found.total, found.scored, found.on_target) == (4, 3, 2)
    assert found.late == ("d",)
    assert found.lowest == (("b", 0.8), ("c", 1.0), ("a", 1.2))
    assert found.entered["d"] == 0.6


def test_a_late_metric_without_a_seat_only_costs_coverage():
    found = summarise([entry("a", 1.2), entry("b", 0.8), entry("c", 1.0), late("d", None)], 0.75)
    assert found.score == pytest.approx(1.0)
    assert found.coverage == 0.75
    assert found.late == ("d",)
    assert "d" not in found.entered


def test_what_a_late_metric_once_scored_does_not_enter():
    stale = replace(late("d", 0.6), score=1.25)
    found = summarise([entry("a", 1.0), entry("b", 1.0), entry("c", 1.0), stale], 0.75)
    assert found.entered["d"] == 0.6
    assert found.scored == 3


def test_a_seat_of_the_city_never_lifts_a_department_above_its_others():
    found = summarise([entry("a", 0.4), entry("b", 0.4), entry("c", 0.4), late("d", 0.9)], 0.75)
    assert found.score == 0.4


def test_a_metric_in_a_gap_declared_afterwards_keeps_its_seat():
    in_gap = replace(late("d", 0.6), status=Status.MISSING)
    found = summarise([entry("a", 1.0), entry("b", 1.0), entry("c", 1.0), in_gap], 0.75)
    assert found.score == pytest.approx(0.9)
    assert found.late == ("d",)


@pytest.mark.parametrize("status", [Status.MISSING, Status.INSUFFICIENT, Status.SUPPRESSED])
def test_what_should_have_a_score_and_has_none_counts_against_coverage(status):
    found = summarise([entry("a", 1.0), entry("b", 1.0), entry("c", None, status=status)], 0.5)
    assert found.score == 1.0
    assert found.coverage == pytest.approx(2 / 3)
    assert (found.total, found.scored, found.late) == (3, 2, ())


@pytest.mark.parametrize("status", [Status.NO_OPPORTUNITY, Status.IMMATURE])
def test_what_cannot_have_a_score_yet_leaves_without_penalty(status):
    found = summarise([entry("a", 1.0), entry("b", 0.1, status=status)], 0.75)
    assert (found.score, found.coverage) == (1.0, 1.0)
    assert (found.total, found.scored) == (2, 1)
    assert found.lowest == (("a", 1.0),)


def test_what_is_closed_or_not_scored_is_not_asked():
    closed, unscored = entry("b", None, status=Status.CLOSED), entry("c", 0.2, status=Status.NOT_SCORED)
    found = summarise([entry("a", 1.0), closed, unscored], 0.75)
    assert (found.score, found.coverage, found.total) == (1.0, 1.0, 1)


def test_a_steward_may_allow_scoring_on_the_known_days():
    found = summarise([entry("a", 0.9, status=Status.MISSING)], 0.75)
    assert (found.score, found.scored) == (0.9, 1)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([], "nothing_scored_at_this_grain"),
        ([entry("a", None, status=Status.NOT_SCORED)], "nothing_scored_at_this_grain"),
        ([entry("a", 1.0, weight=0.0)], "nothing_scored_at_this_grain"),
        ([entry("a", None, status=Status.CLOSED)], "all_closed"),
        (
            [entry("a", None, status=Status.CLOSED), entry("b", None, status=Status.NO_OPPORTUNITY)],
            "no_opportunity",
        ),
        (
            [entry("a", None, status=Status.IMMATURE), entry("b", None, status=Status.NO_OPPORTUNITY)],
            "immature",
        ),
    ],
)
def test_where_nothing_counts_coverage_is_null_and_the_reason_says_why(entries, reason):
    found = summarise(entries, 0.75)
    assert (found.score, found.coverage, found.reason.id) == (None, None, reason)


def test_too_little_coverage_withholds_the_score_with_its_numbers():
    found = summarise([entry("a", 1.0), entry("b", None, 0.5, Status.MISSING)], 0.75)
    assert found.score is None
    assert found.reason.id == "coverage_below_minimum"
    assert found.reason.arguments == {"coverage": pytest.approx(2 / 3), "minimum": 0.75}
    assert found.ceiling == 1.25
    assert found.entered == {"a": 1.0}


def test_a_city_without_minimum_still_needs_something_to_say():
    found = summarise([entry("a", None, status=Status.MISSING)], 0.0)
    assert (found.score, found.coverage) == (None, 0.0)
    assert found.reason.id == "coverage_below_minimum"


@pytest.mark.parametrize("weight", [0.1, 0.3, 0.7, 1.1])
def test_three_of_four_equal_weights_are_three_quarters(weight):
    entries = [entry(name, 1.0, weight) for name in "abc"] + [late("d", 1.0, weight)]
    assert summarise(entries, 0.75).score == 1.0


def test_a_metric_of_weight_zero_is_shown_and_never_inside():
    found = summarise([entry("a", 1.0), entry("b", 0.2, weight=0.0, ceiling=None)], 0.75)
    assert (found.score, found.ceiling) == (1.0, 1.25)
    assert (found.total, found.scored) == (2, 2)


def test_a_composite_with_something_boundless_inside_has_no_ceiling():
    assert summarise([entry("a", 1.0), entry("b", 1.0, ceiling=None)], 0.75).ceiling is None


def test_equal_lowest_scores_come_in_the_order_of_their_ids():
    found = summarise([entry(name, 0.5) for name in "dbca"], 0.75)
    assert [metric for metric, _ in found.lowest] == ["a", "b", "c"]
