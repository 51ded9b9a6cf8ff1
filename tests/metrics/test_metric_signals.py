"""From published scores to a chart: which statistic, which periods, which target."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from metrics.facts import Fact
from metrics.limits import ChartKind
from metrics.metric_signals import PARTIAL, measure_of, metric_chart
from metrics.model import Aggregation, Direction, Grain, Period, Reason, Score, Status
from metrics.plan import plan
from metrics.signals import Assurance, Border, Caution, Signal, Variation
from tests.builders import catalogue, inputs, known, metric, utc

MONDAY = date(2025, 1, 6)
LENGTH = {Grain.DAY: 1, Grain.WEEK: 7}
SHARES = metric("on_time")
COUNTS = metric("crimes", Aggregation.COUNT, direction=Direction.LOWER_IS_BETTER)
MEANS = metric("waits", Aggregation.MEAN, value="amount", direction=Direction.LOWER_IS_BETTER)


def row(place, value, *, grain=Grain.WEEK, numerator=None, denominator=None, **changed):
    """A final row; `value` of `denominator` where one is given."""
    start = MONDAY + timedelta(days=place * LENGTH[grain])
    if denominator and numerator is None:
        numerator = value * denominator
    made = Score(
        metric="a",
        district="",
        period=Period(grain, start, start + timedelta(days=LENGTH[grain])),
        value=value,
        numerator=value if numerator is None else numerator,
        denominator=denominator,
        n=1,
        end_value=None,
        target=None,
        target_high=None,
        floor=None,
        floor_high=None,
        score=None,
        ceiling=None,
        status=Status.FINAL,
        reason=None,
        known_days=LENGTH[grain],
    )
    return replace(made, **changed)


def rows(values, **given):
    return [row(place, value, **given) for place, value in enumerate(values)]


def shares(good, of):
    return [row(place, x / of, denominator=of, numerator=x) for place, x in enumerate(good)]


# --- which statistic ------------------------------------------------------------------------------


@pytest.mark.parametrize(("of", "kind"), [(100, ChartKind.P), (4000, ChartKind.LANEY_P)])
def test_a_share_is_charted_by_how_many_records_a_period_has(of, kind):
    found = metric_chart(SHARES, shares([0.8 * of, 0.82 * of, 0.79 * of] * 5, of))
    assert found.kind is kind
    assert found.points[1].value == pytest.approx(0.82)
    assert all(upper <= 1 for upper in found.upper)


def test_limits_of_a_share_never_lie_outside_what_a_share_can_be():
    found = metric_chart(SHARES, shares([19, 20, 18] * 5, 20))
    assert found.upper[0] == 1.0
    assert {one.signal for one in found.points} == {None}


def test_a_ratio_of_two_sums_is_a_rate_where_it_counts_whole_events():
    ratio = metric("per_mile", numerator="amount", denominator="amount", unit="crashes per mile")
    events = [row(place, 1.5, numerator=x, denominator=20.0) for place, x in enumerate([30.0, 28.0, 33.0])]
    assert measure_of(ratio, events) == "rate"
    assert metric_chart(ratio, events).kind is ChartKind.U
    many = [replace(one, numerator=one.numerator * 100) for one in events]
    assert metric_chart(ratio, many).kind is ChartKind.LANEY_U
    hours = [replace(one, numerator=one.numerator + 0.5) for one in events]
    assert metric_chart(ratio, hours).kind is ChartKind.XMR


def test_a_percentage_of_whole_numbers_is_a_share_though_it_is_a_ratio_of_two_sums():
    calls = metric("answered", numerator="amount", denominator="amount", unit="percent")
    part = shares([30, 33, 41, 36], 50)
    assert measure_of(calls, part) == "share"
    assert measure_of(replace(calls, unit="calls per line"), part) == "rate"
    assert measure_of(calls, shares([30, 33, 61, 36], 50)) == "rate"
    assert measure_of(calls, []) == "amount"


@pytest.mark.parametrize("aggregation", [*Aggregation])
def test_every_aggregation_has_a_chart(aggregation):
    kind = metric("a", aggregation, numerator="x" if aggregation is Aggregation.RATIO else None)
    found = metric_chart(kind, shares([30, 32, 31] * 5, 50))
    assert found.kind is (ChartKind.P if aggregation is Aggregation.RATIO else ChartKind.XMR)


def test_a_sum_of_quantities_is_an_amount_however_small():
    tonnes = metric("tonnes", Aggregation.COUNT, quantity="amount")
    assert metric_chart(tonnes, rows([0.5, 0.7, 0.6])).kind is ChartKind.XMR


def test_limits_of_counts_and_stocks_never_lie_under_zero_and_those_of_means_may():
    values = [5.0, 15.0] * 8
    assert metric_chart(COUNTS, rows(values)).lower[0] == 0
    assert metric_chart(metric("open", Aggregation.STOCK), rows(values)).lower[0] == 0
    assert metric_chart(MEANS, rows(values)).lower[0] < 0


# --- which periods --------------------------------------------------------------------------------

CALM = [10.0, 12.0, 11.0, 13.0] * 5


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": Status.LATE}, "late"),
        ({"status": Status.MISSING, "reason": Reason("gap", {"source": "x"})}, "missing"),
        ({"status": Status.SUPPRESSED}, "suppressed"),
        ({"status": Status.NO_OPPORTUNITY, "value": None}, "no_opportunity"),
        ({"value": None, "status": Status.INSUFFICIENT, "reason": Reason("no_value")}, "no_value"),
        ({"known_days": 5}, PARTIAL),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_period_that_is_not_wholly_known_is_a_missing_point_with_its_reason(changed, reason):
    given = rows(CALM)
    given[7] = replace(given[7], **changed)
    found = metric_chart(COUNTS, given)
    assert (found.points[7].value, found.points[7].reason) == (None, reason)
    assert found.points[6].reason is None
    assert found.center[0] == pytest.approx((sum(CALM) - CALM[7]) / 19)


def test_a_mean_of_the_known_days_of_a_period_is_a_point():
    given = rows(CALM)
    given[7] = replace(given[7], known_days=5)
    assert metric_chart(MEANS, given).points[7].value == CALM[7]


def test_a_closed_period_is_no_point_and_breaks_no_run():
    high = [row(place, 15.0 + place % 2) for place in range(20, 28)]
    high[4] = replace(high[4], status=Status.CLOSED, value=None)
    found = metric_chart(MEANS, [*rows(CALM), *high], baseline=20)
    assert len(found.points) == 27
    assert all(point.signal for point in found.points[-7:])


@pytest.mark.parametrize(
    "changed",
    [
        {"status": Status.PROVISIONAL, "completeness": 0.95},
        {"status": Status.IMMATURE, "completeness": 0.5},
        {"status": Status.NOT_SCORED, "completeness": 0.97},
    ],
)
def test_a_period_that_is_not_mature_is_provisional(changed):
    given = rows([*CALM, 2.0], completeness=1.0)
    given[-1] = replace(given[-1], **changed)
    found = metric_chart(COUNTS, given)
    assert (found.points[-1].provisional, found.points[-1].value, found.points[-1].signal) == (
        True,
        2.0,
        None,
    )
    assert found.judged == given[-2].period.start
    assert found.variation is Variation.COMMON_CAUSE


def test_quarters_that_overlap_are_left_out_and_the_newest_kept():
    months = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(30)]
    given = [
        replace(
            row(0, float(place)),
            period=Period(Grain.QUARTER, months[place], months[place + 3]),
            known_days=92,
        )
        for place in range(27)
    ]
    found = metric_chart(MEANS, given)
    assert [point.start for point in found.points] == [months[place] for place in range(2, 27, 3)]


def test_the_newest_periods_are_charted():
    found = metric_chart(MEANS, rows(CALM * 4))
    assert (len(found.points), found.points[-1].start) == (52, MONDAY + timedelta(weeks=79))
    assert len(metric_chart(MEANS, rows(CALM * 4), periods=30).points) == 30


@pytest.mark.parametrize("given", [[], [row(0, None, status=Status.CLOSED)]])
def test_without_an_open_period_there_is_no_chart(given):
    assert metric_chart(SHARES, given) is None


def test_of_periods_none_of_which_has_a_value_the_chart_says_why_and_judges_nothing():
    found = metric_chart(MEANS, rows([None] * 5, status=Status.MISSING))
    assert {point.reason for point in found.points} == {"missing"}
    assert (found.judged, found.variation, found.false_alarms.last) == (None, None, 0.0)


def test_a_definition_that_changed_begins_the_chart_anew():
    border = Border(MONDAY + timedelta(weeks=20), "counted by due date")
    found = metric_chart(MEANS, rows([*CALM, *(one + 20 for one in CALM)]), borders=[border])
    assert {point.signal for point in found.points} == {None}
    assert found.borders == (border,)


# --- target, season, days -------------------------------------------------------------------------


def test_assurance_takes_the_target_of_the_last_period_that_can_be_judged():
    given = rows(CALM, target=30.0)
    given += [row(20, 11.0, target=5.0, status=Status.LATE), row(21, 11.0, target=5.0, completeness=0.9)]
    assert metric_chart(MEANS, given).assurance is Assurance.PASS
    assert metric_chart(MEANS, [replace(one, target=2.0) for one in given]).assurance is Assurance.FAIL


def test_a_band_is_held_against_the_limits_too():
    banded = replace(MEANS, direction=Direction.WITHIN)
    found = metric_chart(banded, rows(CALM, target=0.0, target_high=40.0))
    assert found.assurance is Assurance.PASS


def test_years_that_resemble_each_other_are_warned_of_from_all_that_is_known():
    random = np.random.default_rng(1)
    season = 10 + 3 * np.sin(np.arange(156) * 2 * np.pi / 52) + random.normal(size=156) * 0.5
    assert Caution.SEASON in metric_chart(MEANS, rows(season.tolist())).warnings
    for other in (random.normal(10, 1, 156), np.arange(156) * 0.1 + random.normal(size=156)):
        assert Caution.SEASON not in metric_chart(MEANS, rows(other.tolist())).warnings


def test_days_are_held_against_their_own_weekday():
    random = np.random.default_rng(2)
    values = np.tile([30.0, 28, 27, 29, 31, 9, 6], 20) + random.normal(size=140).round()
    found = metric_chart(COUNTS, rows(values.tolist(), grain=Grain.DAY))
    assert not found.every_rule
    assert Caution.WEEKDAYS in found.warnings
    assert found.upper[5] < found.lower[0]


# --- rare events ----------------------------------------------------------------------------------


def rare(*events, until, grain=Grain.DAY):
    """Days with an event at these places, none on the others."""
    return [row(place, float(place in events), grain=grain) for place in range(until)]


def test_of_a_rare_count_the_days_between_days_with_an_event_are_charted():
    weeks = rows([1.0, 0.0, 1.0] * 10)
    days = rare(3, 10, 11, 30, until=40)
    found = metric_chart(COUNTS, weeks, days=days)
    assert found.kind is ChartKind.G
    assert [point.value for point in found.points] == [6, 0, 18, 9]
    assert [point.start for point in found.points] == [
        MONDAY + timedelta(days=day) for day in (10, 11, 30, 39)
    ]
    assert [point.provisional for point in found.points] == [False, False, False, True]
    assert found.assurance is None


def test_a_longer_time_without_a_crime_is_an_improvement():
    events = np.cumsum([3, 2, 4, 3, 2, 3, 4, 2, 3, 3, 2, 4, 3, 2, 60]).tolist()
    found = metric_chart(COUNTS, rows([1.0] * 30), days=rare(*events, until=max(events) + 1))
    assert found.signal is Signal.ABOVE
    assert found.variation is Variation.IMPROVEMENT
    wanted = replace(COUNTS, direction=Direction.HIGHER_IS_BETTER)
    assert (
        metric_chart(wanted, rows([1.0] * 30), days=rare(*events, until=max(events) + 1)).variation
        is Variation.CONCERN
    )


def test_a_gap_over_days_that_are_not_known_is_missing_and_closed_days_are_no_days():
    days = rare(2, 8, 12, until=14)
    days[5] = replace(days[5], status=Status.MISSING, value=None)
    days[10] = replace(days[10], status=Status.CLOSED, value=None)
    found = metric_chart(COUNTS, rows([1.0, 1.0]), days=days)
    assert [(point.value, point.reason) for point in found.points] == [
        (None, "not_known"),
        (2.0, None),
        (1.0, None),
    ]


def test_without_days_periods_are_counted_and_without_events_there_is_no_chart():
    assert [point.value for point in metric_chart(COUNTS, rows([1.0, 0, 0, 2.0, 1.0])).points] == [2, 0]
    assert metric_chart(COUNTS, rows([0.0] * 9)) is None


# --- published rows -------------------------------------------------------------------------------


def test_planned_scores_are_charted_as_they_are():
    first, end = date(2025, 6, 2), date(2025, 12, 1)
    days = [first + timedelta(days=day) for day in range((end - first).days)]
    facts = {("", day): Fact(78.0 + day.day % 5, 100.0) for day in days}
    made = plan(
        inputs(catalogue(SHARES), end, {"on_time": facts}, {"cases": known(first, utc(2025, 12, 1, 12))})
    )
    weeks = [one for one in made.scores if one.period.grain is Grain.WEEK]
    found = metric_chart(SHARES, weeks)
    assert found.kind is ChartKind.P
    assert [point.value for point in found.points] == [one.value for one in weeks]
    assert found.center[0] == pytest.approx(sum(one.numerator for one in weeks) / (700 * len(weeks)))
    assert (found.judged, found.assurance) == (weeks[-1].period.start, Assurance.HIT_OR_MISS)
    assert not found.trial
