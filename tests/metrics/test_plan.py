"""From facts to a publication: statuses by precedence, the late seat, coverage, and changes that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.facts import Fact
from metrics.model import (
    WHOLE_CITY,
    Aggregation,
    Composite,
    Direction,
    Family,
    Gap,
    Grain,
    Knowledge,
    Part,
    Score,
    Status,
    Weight,
)
from metrics.plan import Plan, plan
from tests.builders import ALWAYS, CITY, SOURCE, catalogue, inputs, known, metric, target, utc

JUNE = date(2026, 6, 1)
AUGUST = date(2026, 8, 1)
WHOLE = {"cases": known(JUNE, utc(2026, 8, 1, 12))}
OTHER = replace(SOURCE, id="other")


def steady(numerator: float, denominator: float, first: date = JUNE, end: date = AUGUST) -> dict[Any, Fact]:
    days = (first + timedelta(days=n) for n in range((end - first).days))
    return {("a", day): Fact(numerator, denominator) for day in days}


def score_of(made: Plan, name: str, grain: Grain, start: date, district: str = WHOLE_CITY) -> Score:
    (found,) = [
        one
        for one in made.scores
        if (one.metric, one.period.grain, one.period.start, one.district) == (name, grain, start, district)
    ]
    return found


def city_of(made: Plan, grain: Grain, start: date) -> Composite:
    (found,) = [
        one
        for one in made.composites
        if (one.scope, one.period.grain, one.period.start) == ("city", grain, start)
    ]
    return found


def of_one(one: Any, facts: Any, as_of: date = AUGUST, knowledge: Any = None, **more: Any) -> Plan:
    return plan(inputs(catalogue(one, **more), as_of, {one.id: facts}, knowledge or WHOLE))


# --- value, target, score -----------------------------------------------------------------------


def test_an_unchanged_city_on_target_scores_one() -> None:
    made = of_one(metric("potholes"), steady(8, 10))
    month = score_of(made, "potholes", Grain.MONTH, date(2026, 7, 1))
    assert (month.value, month.score, month.status, month.n) == (0.8, 1.0, Status.FINAL, 310)


def test_a_count_target_is_a_rate_per_open_day_and_shown_on_the_scale_of_the_value() -> None:
    one = metric(
        "crashes",
        Aggregation.COUNT,
        direction=Direction.LOWER_IS_BETTER,
        numerator=None,
        targets=(target(2.0),),
        calendar="business",
    )
    july = score_of(of_one(one, steady(3, 0)), "crashes", Grain.MONTH, date(2026, 7, 1))
    assert july.value == 93
    assert july.open_days == 23
    assert july.target == 46
    assert july.floor == 92
    assert july.score == 0


def test_zero_of_a_lower_is_better_count_scores_the_most_any_value_can() -> None:
    one = metric("homicides", Aggregation.COUNT, direction=Direction.LOWER_IS_BETTER, targets=(target(0.1),))
    july = score_of(of_one(one, {}), "homicides", Grain.MONTH, date(2026, 7, 1))
    assert (july.value, july.score, july.score) == (0, one.cap, july.ceiling)


def test_a_target_that_changes_inside_a_period_enters_by_its_exposure() -> None:
    one = metric("potholes", targets=(target(0.8), target(0.9, since=date(2026, 7, 31))))
    facts = steady(8, 10) | {("a", date(2026, 7, 31)): Fact(80, 100)}
    july = score_of(of_one(one, facts), "potholes", Grain.MONTH, date(2026, 7, 1))
    assert july.target == pytest.approx((300 * 0.8 + 100 * 0.9) / 400)


def test_a_historical_target_is_the_same_months_of_the_three_years_before() -> None:
    one = metric("visits", Aggregation.COUNT, targets=(), historical=True)
    first = date(2023, 7, 1)
    facts = steady(10, 0, first, date(2026, 7, 1)) | steady(11, 0, date(2026, 7, 1), AUGUST)
    made = of_one(one, facts, knowledge={"cases": known(first, utc(2026, 8, 1, 12))})
    july = score_of(made, "visits", Grain.MONTH, date(2026, 7, 1))
    assert july.target == 310
    assert july.score == pytest.approx(1.1)
    assert [start for start, _ in july.baseline] == [date(2023, 7, 1), date(2024, 7, 1), date(2025, 7, 1)]


def test_two_years_of_past_are_not_enough_for_a_historical_target() -> None:
    one = metric("visits", Aggregation.COUNT, targets=(), historical=True)
    first = date(2024, 7, 1)
    made = of_one(one, steady(10, 0, first, AUGUST), knowledge={"cases": known(first, utc(2026, 8, 1, 12))})
    july = score_of(made, "visits", Grain.MONTH, date(2026, 7, 1))
    assert (july.score, july.status, july.value) == (None, Status.INSUFFICIENT, 310)
    assert july.reason is not None and july.reason.id == "insufficient_baseline"


def test_a_stored_baseline_is_used_again_and_not_chosen_anew() -> None:
    one = metric("visits", Aggregation.COUNT, targets=(), historical=True)
    first = date(2023, 7, 1)
    given_ = inputs(
        catalogue(one),
        AUGUST,
        {"visits": steady(10, 0, first, AUGUST) | {("a", date(2026, 6, 8)): Fact(40)}},
        {"cases": known(first, utc(2026, 8, 1, 12))},
    )
    mondays = [date(2026, 5, 4) + timedelta(weeks=n) for n in range(6)]
    fixed = tuple((monday, monday + timedelta(days=1)) for monday in mondays)
    made = plan(replace(given_, baselines={("visits", Grain.DAY, date(2026, 7, 6)): fixed}))
    day = score_of(made, "visits", Grain.DAY, date(2026, 7, 6))
    assert (day.target, day.baseline) == ((5 * 10 + 40) / 6, fixed)


def test_every_score_withheld_says_why() -> None:
    one = metric("potholes", scored_at=(Grain.MONTH,), calendar="business")
    made = of_one(one, steady(8, 10, JUNE, date(2026, 7, 1)))
    assert all((row.score is None) == (row.reason is not None) for row in made.scores)
    assert all((row.score is None) == (row.reason is not None) for row in made.composites)


# --- status -------------------------------------------------------------------------------------


def test_a_closed_day_is_closed_and_its_facts_join_the_week() -> None:
    one = metric("potholes", calendar="business")
    made = of_one(one, steady(8, 10))
    sunday = score_of(made, "potholes", Grain.DAY, date(2026, 7, 12))
    week = score_of(made, "potholes", Grain.WEEK, date(2026, 7, 6))
    assert (sunday.status, sunday.score, sunday.value) == (Status.CLOSED, None, 0.8)
    assert week.n == 70


def test_a_stopped_source_is_late_and_never_zero() -> None:
    one = metric("crashes", Aggregation.COUNT, direction=Direction.LOWER_IS_BETTER, targets=(target(2.0),))
    made = of_one(one, steady(2, 0), knowledge={"cases": known(JUNE, utc(2026, 7, 30, 12))})
    day = score_of(made, "crashes", Grain.DAY, date(2026, 7, 30))
    assert (day.status, day.value, day.score) == (Status.LATE, None, None)
    assert day.seat == 1.0


def test_a_source_that_is_not_due_yet_is_missing_and_has_no_seat() -> None:
    slow = replace(SOURCE, due_after_minutes=3 * 24 * 60)
    one = metric("potholes")
    made = of_one(
        one,
        steady(8, 10),
        knowledge={"cases": known(JUNE, utc(2026, 7, 30, 12))},
        sources=(slow,),
    )
    day = score_of(made, "potholes", Grain.DAY, date(2026, 7, 31))
    assert (day.status, day.seat) == (Status.MISSING, None)


def test_known_facts_of_a_late_period_are_still_given() -> None:
    one = metric("potholes")
    made = of_one(one, steady(8, 10), knowledge={"cases": known(JUNE, utc(2026, 7, 30, 12))})
    july = score_of(made, "potholes", Grain.MONTH, date(2026, 7, 1))
    assert (july.status, july.numerator, july.denominator, july.known_days) == (Status.LATE, 232, 290, 29)


def test_a_gap_declared_in_time_has_no_score_and_no_seat() -> None:
    gap = Gap(date(2026, 7, 10), date(2026, 7, 12), "server moved", declared=date(2026, 7, 1))
    made = of_one(metric("potholes"), steady(8, 10), sources=(replace(SOURCE, gaps=(gap,)),))
    day = score_of(made, "potholes", Grain.DAY, date(2026, 7, 11))
    assert (day.status, day.seat) == (Status.MISSING, None)
    assert day.reason is not None and day.reason.arguments["why"] == "server moved"


def test_a_gap_declared_after_the_period_opened_keeps_the_late_seat() -> None:
    gap = Gap(date(2026, 7, 10), date(2026, 7, 12), "server moved", declared=date(2026, 7, 20))
    made = of_one(metric("potholes"), steady(6, 10), sources=(replace(SOURCE, gaps=(gap,)),))
    day = score_of(made, "potholes", Grain.DAY, date(2026, 7, 11))
    assert (day.status, day.seat) == (Status.MISSING, pytest.approx(0.75))


def test_a_gap_may_be_scored_on_its_known_days() -> None:
    gap = Gap(date(2026, 7, 10), date(2026, 7, 12), "server moved", date(2026, 7, 1), score_known_days=True)
    made = of_one(metric("potholes"), steady(8, 10), sources=(replace(SOURCE, gaps=(gap,)),))
    july = score_of(made, "potholes", Grain.MONTH, date(2026, 7, 1))
    assert (july.status, july.n, july.score) == (Status.FINAL, 280, 1.0)


def test_a_ratio_with_nothing_due_has_no_opportunity_but_a_count_of_nothing_is_a_value() -> None:
    ratio = of_one(metric("potholes"), {})
    count = of_one(metric("visits", Aggregation.COUNT), {})
    assert score_of(ratio, "potholes", Grain.DAY, date(2026, 7, 1)).status is Status.NO_OPPORTUNITY
    assert score_of(count, "visits", Grain.DAY, date(2026, 7, 1)).score == 0


def test_a_grain_the_catalogue_does_not_score_shows_its_value_only() -> None:
    made = of_one(metric("potholes", scored_at=(Grain.MONTH,)), steady(8, 10))
    day = score_of(made, "potholes", Grain.DAY, date(2026, 7, 1))
    assert (day.value, day.score, day.status) == (0.8, None, Status.NOT_SCORED)


def test_a_period_that_began_before_its_source_is_not_scored() -> None:
    made = of_one(
        metric("potholes"), steady(8, 10), knowledge={"cases": known(date(2026, 7, 3), utc(2026, 8, 1, 12))}
    )
    july = score_of(made, "potholes", Grain.MONTH, date(2026, 7, 1))
    assert (july.status, july.reason and july.reason.id) == (Status.MISSING, "not_known")


def test_a_source_that_never_ran_is_late_in_the_newest_period_of_each_grain() -> None:
    made = of_one(metric("potholes"), {}, knowledge={"cases": Knowledge("cases", None, None)})
    assert {row.status for row in made.scores} == {Status.LATE}
    assert {row.period.grain for row in made.scores} == set(Grain)
    assert {row.seat for row in made.scores} == {None}


# --- composites ---------------------------------------------------------------------------------


def two(second: dict[Any, Fact], until: Any, **changes: Any) -> Plan:
    """Two metrics of two sources, the second known up to an instant only."""
    metrics = metric("first"), metric("second", source="other", **changes)
    return plan(
        inputs(
            catalogue(*metrics, sources=(SOURCE, OTHER), city=replace(CITY, minimum_coverage=0.4)),
            AUGUST,
            {"first": steady(8, 10), "second": second},
            {"cases": WHOLE["cases"], "other": known(JUNE, until, "other")},
        )
    )


def test_a_late_metric_keeps_its_seat_at_its_lowest_score_of_the_year() -> None:
    second = steady(8, 10) | {("a", date(2026, 6, 20)): Fact(4, 10)}
    made = two(second, utc(2026, 7, 30, 12))
    day = city_of(made, Grain.DAY, date(2026, 7, 31))
    assert day.score == pytest.approx((1.0 + 0.5) / 2)
    assert (day.late, day.total, day.scored, day.on_target, day.coverage) == (("second",), 2, 1, 1, 0.5)


def test_a_late_metric_never_lifts_the_composite_above_the_mean_of_the_others() -> None:
    made = two(steady(10, 10), utc(2026, 7, 30, 12))
    assert city_of(made, Grain.DAY, date(2026, 7, 31)).score == pytest.approx(1.0)


def test_too_little_coverage_withholds_the_headline_and_says_why() -> None:
    metrics = metric("first"), metric("second", source="other")
    made = plan(
        inputs(
            catalogue(*metrics, sources=(SOURCE, OTHER)),
            AUGUST,
            {"first": steady(8, 10), "second": steady(8, 10)},
            {"cases": WHOLE["cases"], "other": known(JUNE, utc(2026, 7, 30, 12), "other")},
        )
    )
    day = city_of(made, Grain.DAY, date(2026, 7, 31))
    assert day.score is None
    assert day.reason is not None and day.reason.id == "coverage_below_minimum"


def test_a_condition_never_enters_the_composite() -> None:
    condition = metric(
        "crime", Aggregation.COUNT, family=Family.CONDITION, weights=(), direction=Direction.LOWER_IS_BETTER
    )
    made = plan(
        inputs(
            catalogue(metric("first"), condition),
            AUGUST,
            {"first": steady(8, 10), "crime": steady(99, 0)},
            WHOLE,
        )
    )
    july = city_of(made, Grain.MONTH, date(2026, 7, 1))
    assert (july.score, july.total) == (1.0, 1)


def test_a_dated_weight_moves_the_composite_as_weight_and_not_as_performance() -> None:
    heavier = (Weight(1.0, ALWAYS, "equal"), Weight(3.0, date(2026, 7, 1), "it matters more"))
    made = plan(
        inputs(
            catalogue(metric("first"), metric("second", weights=heavier)),
            AUGUST,
            {"first": steady(8, 10), "second": steady(6, 10)},
            WHOLE,
        )
    )
    july = city_of(made, Grain.MONTH, date(2026, 7, 1))
    assert july.score == pytest.approx((1.0 + 3 * 0.75) / 4)
    assert {one.part for one in july.contributions} == {Part.WEIGHT}
    assert sum(one.contribution for one in july.contributions) == pytest.approx(july.change, abs=1e-12)


def test_a_longer_month_is_no_change_of_a_count() -> None:
    one = metric("visits", Aggregation.COUNT, targets=(target(10.0),))
    july = city_of(of_one(one, steady(9, 0)), Grain.MONTH, date(2026, 7, 1))
    assert july.change == pytest.approx(0, abs=1e-12)
    assert sum(abs(one.contribution) for one in july.contributions) == pytest.approx(0, abs=1e-12)


rates = st.tuples(st.integers(0, 10), st.integers(0, 10))


@settings(max_examples=60, deadline=None)
@given(st.lists(rates, min_size=40, max_size=40), st.integers(0, 30), st.integers(1, 5), st.integers(1, 5))
def test_a_stopped_source_never_raises_any_composite_and_parts_always_add_up(
    numbers: list[tuple[int, int]], stop: int, first_weight: int, second_weight: int
) -> None:
    first, end = date(2026, 6, 22), AUGUST
    days = [first + timedelta(days=n) for n in range(40)]
    facts = {
        "first": {("a", day): Fact(min(n, d), d) for day, (n, d) in zip(days, numbers, strict=True)},
        "second": {("a", day): Fact(min(d, n), n) for day, (n, d) in zip(days, numbers, strict=True)},
    }
    city = replace(CITY, minimum_coverage=0.0)
    metrics = (
        metric("first", weights=(Weight(first_weight, ALWAYS, ""),)),
        metric("second", source="other", weights=(Weight(second_weight, ALWAYS, ""),)),
    )
    stopped = utc(2026, 6, 23, 12) + timedelta(days=stop)
    made = plan(
        inputs(
            catalogue(*metrics, sources=(SOURCE, OTHER), city=city),
            end,
            facts,
            {"cases": known(first, utc(2026, 8, 1, 12)), "other": known(first, stopped, "other")},
        )
    )
    rows = {(row.metric, row.period): row for row in made.scores if not row.district}
    for composite in (one for one in made.composites if one.scope == "city"):
        if composite.change is not None:
            parts = [one.contribution for one in composite.contributions]
            assert sum(parts) == pytest.approx(composite.change, abs=1e-12)
        other, late = rows["first", composite.period], rows["second", composite.period]
        if late.status is Status.LATE and other.score is not None:
            scored = [
                row.score
                for (name, period), row in rows.items()
                if name == "second" and period.grain is composite.period.grain and row.score is not None
            ]
            ceiling = other.score
            if scored:
                with_last = (first_weight * other.score + second_weight * scored[-1]) / (
                    first_weight + second_weight
                )
                ceiling = min(ceiling, with_last)
            assert composite.score is not None
            assert composite.score <= ceiling + 1e-12


# --- districts ----------------------------------------------------------------------------------


def test_districts_and_the_unknown_one_add_up_to_the_city_and_share_its_target() -> None:
    days = [date(2026, 7, 1) + timedelta(days=n) for n in range(31)]
    facts = {(name, day): Fact(8, 10) for name in ("a", "b", "unknown") for day in days}
    made = of_one(metric("potholes"), facts)
    parts = [
        score_of(made, "potholes", Grain.MONTH, date(2026, 7, 1), name) for name in ("a", "b", "unknown")
    ]
    city = score_of(made, "potholes", Grain.MONTH, date(2026, 7, 1))
    assert sum(part.denominator or 0 for part in parts) == city.denominator
    assert {part.score for part in parts} == {1.0}


def test_a_district_of_a_count_has_a_value_and_no_target_of_its_own() -> None:
    one = metric("visits", Aggregation.COUNT, targets=(target(10.0),))
    part = score_of(of_one(one, steady(9, 0)), "visits", Grain.MONTH, date(2026, 7, 1), "a")
    assert (part.value, part.target, part.score, part.status) == (279, None, None, Status.NOT_SCORED)


# --- what a hostile reader found ----------------------------------------------------------------


def test_a_gap_over_a_whole_period_is_a_gap_even_where_known_days_may_be_scored() -> None:
    gap = Gap(date(2026, 7, 10), date(2026, 7, 12), "moved", date(2026, 7, 20), score_known_days=True)
    made = of_one(metric("potholes"), steady(6, 10), sources=(replace(SOURCE, gaps=(gap,)),))
    day = score_of(made, "potholes", Grain.DAY, date(2026, 7, 11))
    assert (day.status, day.seat) == (Status.MISSING, pytest.approx(0.75))


@pytest.mark.parametrize("per", ["open_day", "month", "quarter"])
def test_the_past_expects_the_same_whatever_a_typed_target_would_have_stood_for(per: str) -> None:
    one = metric("visits", Aggregation.COUNT, targets=(), historical=True, per=per)
    first = date(2023, 6, 1)
    made = of_one(one, steady(10, 0, first, AUGUST), knowledge={"cases": known(first, utc(2026, 8, 1, 12))})
    july = score_of(made, "visits", Grain.MONTH, date(2026, 7, 1))
    assert (july.target, july.score) == (310, 1.0)


def test_a_late_row_fixes_no_baseline() -> None:
    one = metric("visits", Aggregation.COUNT, targets=(), historical=True)
    first = date(2023, 6, 1)
    stopped = {"cases": known(first, utc(2026, 7, 20, 12))}
    made = of_one(one, steady(10, 0, first, AUGUST), knowledge=stopped)
    assert all(row.score is not None for row in made.scores if row.baseline)
    assert any(row.status is Status.LATE for row in made.scores)


def test_a_past_that_leaves_no_room_for_a_floor_is_insufficient_and_stops_nothing() -> None:
    one = metric("reopened", targets=(), historical=True, direction=Direction.LOWER_IS_BETTER)
    first = date(2023, 6, 1)
    made = of_one(one, steady(10, 10, first, AUGUST), knowledge={"cases": known(first, utc(2026, 8, 1, 12))})
    july = score_of(made, "reopened", Grain.MONTH, date(2026, 7, 1))
    assert (july.value, july.status) == (1.0, Status.INSUFFICIENT)


def test_a_count_scored_on_known_days_has_no_false_performance() -> None:
    gap = Gap(date(2026, 7, 10), date(2026, 7, 19), "moved", date(2026, 7, 1), score_known_days=True)
    one = metric("visits", Aggregation.COUNT, targets=(target(10.0),))
    made = of_one(one, steady(10, 0), sources=(replace(SOURCE, gaps=(gap,)),))
    july = city_of(made, Grain.MONTH, date(2026, 7, 1))
    assert july.change == pytest.approx(0, abs=1e-12)
    assert sum(abs(part.contribution) for part in july.contributions) == pytest.approx(0, abs=1e-12)


def test_a_stopped_source_does_not_stop_its_weight_from_rising() -> None:
    rising = (Weight(1.0, ALWAYS, "equal"), Weight(9.0, date(2026, 7, 16), "it matters more"))
    made = two(steady(2, 10), utc(2026, 7, 10, 12), weights=rising)
    july = score_of(made, "second", Grain.MONTH, date(2026, 7, 1))
    assert july.weight == pytest.approx((15 * 1 + 16 * 9) / 31)


def test_the_late_seat_looks_back_twelve_months_from_the_day_the_source_stopped() -> None:
    first = date(2025, 1, 1)
    bad_day = {("a", date(2025, 7, 29)): Fact(0, 10)}
    stopped = {"cases": known(first, utc(2026, 7, 31, 12))}
    made = of_one(metric("potholes"), steady(8, 10, first, AUGUST) | bad_day, knowledge=stopped)
    assert score_of(made, "potholes", Grain.DAY, date(2026, 7, 31)).seat == 1.0


def test_a_seat_does_not_remember_a_lateness_that_was_mended() -> None:
    gap = Gap(date(2025, 3, 1), date(2025, 3, 3), "moved", date(2025, 4, 1))
    first = date(2024, 1, 1)
    bad_day = {("a", date(2024, 12, 1)): Fact(0, 10)}
    made = of_one(
        metric("potholes"),
        steady(8, 10, first, date(2025, 3, 1)) | bad_day,
        knowledge={"cases": known(first, utc(2026, 7, 31, 12))},
        sources=(replace(SOURCE, gaps=(gap,)),),
    )
    assert score_of(made, "potholes", Grain.DAY, date(2026, 7, 31)).seat == 1.0


def test_a_weight_that_begins_inside_a_period_counts_for_its_days_and_the_change_is_weight() -> None:
    later = (Weight(2.0, date(2026, 7, 16), "new"),)
    definitions = catalogue(metric("first"), metric("second", weights=later))
    facts = {"first": steady(8, 10), "second": steady(6, 10)}
    made = plan(inputs(definitions, AUGUST, facts, WHOLE))
    june, july = city_of(made, Grain.MONTH, JUNE), city_of(made, Grain.MONTH, date(2026, 7, 1))
    assert (june.total, june.score) == (2, 1.0)
    assert score_of(made, "second", Grain.MONTH, date(2026, 7, 1)).weight == pytest.approx(2 * 16 / 31)
    assert {part.part for part in july.contributions} == {Part.WEIGHT}
