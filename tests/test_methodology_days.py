"""The examples of docs/methodology.md about days, targets, completeness and waits, computed again."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from layouts.city_view import opening_grain
from metrics import expressions, maturity, periods
from metrics.catalogue import load
from metrics.closure import WaitUnit
from metrics.facts import Fact, Pool, arrange
from metrics.maturity import SETTLED_AGE, Curve
from metrics.model import (
    UNKNOWN_DISTRICT,
    Aggregation,
    Composite,
    Direction,
    Gap,
    Grain,
    Metric,
    Score,
    Source,
    Status,
)
from metrics.plan import is_open_for_publication, plan
from metrics.survival import kaplan_meier
from metrics.waiting import Cases, Waiting, waiting
from store.engine import open_engine
from tests import builders
from tests.methodology_page import TEXT, fraction, number, table, two_digits
from tests.town import Town, case, write_city

CITY = replace(builders.CITY, holiday_country="US")
MONDAY = date(2026, 11, 2)
SUNDAY = date(2026, 11, 8)
AFTER = date(2026, 11, 9)
DAY = timedelta(days=1)


def scored(
    metric: Metric,
    days: Mapping[date, Fact],
    as_of: date,
    *,
    known: datetime | None = None,
    source: Source = builders.SOURCE,
    curve: Curve | None = None,
) -> list[Score]:
    """The whole city's scores of one metric with these facts, its source known up to `known` or as_of."""
    catalogue = builders.catalogue(metric, city=CITY, sources=(source,))
    until = known or periods.instant_at(CITY, as_of, CITY.publication_hour)
    knowledge = {source.id: builders.known(min(days), until)}
    facts = {metric.id: {(UNKNOWN_DISTRICT, day): fact for day, fact in days.items()}}
    given = builders.inputs(catalogue, as_of, facts, knowledge)
    if curve:
        given = replace(given, curves={metric.id: curve})
    return [one for one in plan(given).scores if not one.district]


def of_grain(scores: list[Score], grain: Grain, start: date | None = None) -> list[Score]:
    return [one for one in scores if one.period.grain is grain and start in (None, one.period.start)]


# --- 1: which days are known ---------------------------------------------------------------------


def museum(rows: list[list[str]], source: Source) -> list[Score]:
    visitors = builders.metric("visitors", Aggregation.COUNT, targets=(builders.target(10),))
    days = {MONDAY + index * DAY: Fact(float(row[1])) for index, row in enumerate(rows)}
    known = periods.instant_at(CITY, SUNDAY, 6)
    return scored(visitors, days, AFTER, known=known, source=source)


def test_the_example_of_known_days_is_scored_as_printed():
    rows = table("day", "visitors", "status", "score")
    gap = Gap(MONDAY + 3 * DAY, MONDAY + 3 * DAY, "the counter was broken", MONDAY + 3 * DAY)
    source = replace(builders.SOURCE, gaps=(gap,))
    found = museum(rows, source)
    days = of_grain(found, Grain.DAY)
    assert [[str(one.status), two_digits(one.score)] for one in days] == [row[2:] for row in rows]
    [week] = of_grain(found, Grain.WEEK)
    assert (week.score, week.known_days) == (None, 5)
    assert f"of its five known days we say {week.value:.0f} visitors" in TEXT
    patient = museum(rows, replace(source, due_after_minutes=18 * 60))
    assert of_grain(patient, Grain.DAY)[-1].status is Status.MISSING
    assert "Sunday is `missing` and not yet `late`" in TEXT


def test_the_example_of_a_gap_declared_afterwards_keeps_the_seat_that_is_printed():
    rows = table("day", "visitors", "status", "score")
    thursday = MONDAY + 3 * DAY
    seats = []
    for declared in (thursday, thursday + DAY):
        gap = Gap(thursday, thursday, "the counter was broken", declared)
        found = museum(rows, replace(builders.SOURCE, gaps=(gap,)))
        seats.append(of_grain(found, Grain.DAY, thursday)[0].seat)
    assert seats[0] is None
    assert f"it would have kept one at {seats[1]:.2f}, the lowest score before it." in TEXT


# --- 2: which records count ----------------------------------------------------------------------


def test_the_example_of_an_open_case_is_kept_and_lost_as_printed():
    columns: dict[str, Any] = {"reason": "text"}
    test = expressions.parse("reason in ('Duplicate')", columns, ZoneInfo(CITY.time_zone), expects="test")
    with sqlite3.connect(":memory:") as database:
        for _, reason, ours, plain in table("case", "closing reason", "by our rule", "by a plain query"):
            said = None if reason.startswith("none") else reason
            for rule, expected in (
                (expressions.to_sql(test, "sqlite"), ours),
                ("reason in ('Duplicate')", plain),
            ):
                [[kept]] = database.execute(
                    f"SELECT COUNT(*) FROM (SELECT ? AS reason) WHERE NOT ({rule})", [said]
                )
                assert ("counts" if kept else "left out") == expected
    database.close()


# --- 3: daily facts ------------------------------------------------------------------------------


def day_of(aggregation: Aggregation, cell: str) -> Fact:
    if aggregation is Aggregation.RATIO:
        return Fact(*fraction(cell))
    if aggregation is Aggregation.MEAN:
        total, count = cell.split(" in ")
        return Fact(float(total), float(count))
    if aggregation in (Aggregation.MEDIAN, Aggregation.PERCENTILE):
        amounts = [float(one) for one in cell.split(", ")]
        return Fact(
            0.0, float(len(amounts)), tuple((one, amounts.count(one)) for one in sorted(set(amounts)))
        )
    return Fact(float(cell))


@pytest.mark.parametrize("row", table("aggregation", "Monday", "Tuesday", "both days"), ids=" ".join)
def test_the_examples_of_pooled_days_are_added_up_as_printed(row):
    name, monday, tuesday, expected = row
    aggregation = Aggregation(name.split("`")[0].split()[0])
    cells = [("", MONDAY, day_of(aggregation, monday)), ("", MONDAY + DAY, day_of(aggregation, tuesday))]
    percentile = 0.9 if aggregation is Aggregation.PERCENTILE else None
    facts = arrange(cells, MONDAY, MONDAY + 2 * DAY)
    pooled = Pool(facts, aggregation, np.array([True, True]), percentile=percentile).over((0, 2))
    said = f"{pooled.value:.1%}" if aggregation is Aggregation.RATIO else f"{round(pooled.value, 1):g}"
    if pooled.end_value is not None:
        said += f", at the end {pooled.end_value:g}"
    assert said == expected


def test_the_mean_of_two_ratios_is_said_not_to_be_theirs():
    rows = {row[0]: row for row in table("aggregation", "Monday", "Tuesday", "both days")}
    (x1, n1), (x2, n2) = (fraction(cell) for cell in rows["ratio"][1:3])
    assert f"The ratio is {x1 + x2:.0f} of {n1 + n2:.0f}." in TEXT
    assert f"The mean of {x1 / n1:.0%} and {x2 / n2:.0%} would say {(x1 / n1 + x2 / n2) / 2:.0%}" in TEXT


# --- 4: values and targets -----------------------------------------------------------------------


def test_a_target_a_day_is_seven_times_as_much_a_week():
    count = builders.metric("count", Aggregation.COUNT, targets=(builders.target(40),))
    days = {MONDAY + index * DAY: Fact(40.0) for index in range(7)}
    [week] = of_grain(scored(count, days, AFTER), Grain.WEEK)
    assert f"an expectation of 40 a day is {week.target:g} for a week" in TEXT


CHANGE = date(2026, 11, 16)


def test_the_examples_of_a_target_that_changes_inside_a_month_are_averaged_as_printed():
    share, count = table("metric", "until 15 November", "from 16 November", "target of November")
    before, after = (float(cell.rstrip("%")) / 100 for cell in share[1:3])
    metric = builders.metric("share", targets=(builders.target(before), builders.target(after, since=CHANGE)))
    days = {date(2026, 11, 1): Fact(80, 100), date(2026, 11, 20): Fact(240, 300)}
    [month] = of_grain(scored(metric, days, date(2026, 12, 1)), Grain.MONTH)
    assert share[0].endswith("100 cases before and 300 after") and f"{month.target:.2%}" == share[3]
    before, after = (float(cell.removesuffix(" a day")) for cell in count[1:3])
    targets = (builders.target(before), builders.target(after, since=CHANGE))
    metric = builders.metric("count", Aggregation.COUNT, targets=targets)
    [month] = of_grain(scored(metric, {date(2026, 11, 1): Fact(1.0)}, date(2026, 12, 1)), Grain.MONTH)
    assert f"{month.target:g}" == count[3]


def test_the_example_of_a_baseline_is_made_of_the_days_that_are_printed():
    rows = table("Monday", "requests", "in the baseline")
    monday = {
        datetime.strptime(f"{row[0].split(',')[0]} 2026", "%d %B %Y").date(): Fact(float(row[1]))
        for row in rows
    }
    days = {date(2026, 3, 2): Fact(1.0), **monday, AFTER: Fact(36.0)}
    requests = builders.metric(
        "requests",
        Aggregation.COUNT,
        historical=True,
        targets=(),
        calendar="business",
        direction=Direction.LOWER_IS_BETTER,
    )
    newest = of_grain(scored(requests, days, AFTER + DAY), Grain.DAY, AFTER)[-1]
    taken = {start for start, _end in newest.baseline}
    assert ["yes" if day in taken else "no" for day in monday] == [row[2] for row in rows]
    total = sum(monday[day].numerator for day in taken)
    said = f"These eight Mondays add up to {total:g}, so {newest.target:g} are expected; the {newest.value:g}"
    assert f"{said} that came score {newest.score:.2f}." in TEXT


def test_the_example_of_a_holiday_week_is_held_to_weeks_with_the_holiday():
    found = periods.baseline_days(CITY, periods.period_of(CITY, Grain.WEEK, AFTER), lambda _day: True)
    begins = [f"{start:%d %B %Y}".lstrip("0") for start, _end in reversed(found)]
    assert f"those that begin on {begins[0]}, {begins[1]} and {begins[2]}" in TEXT
    assert date(2023, 11, 11).weekday() == 5
    assert not periods.holiday_names(CITY, date(2023, 11, 13), date(2023, 11, 20))


def test_the_example_of_days_off_is_scored_as_printed():
    *rows, week = table("day", "in time", "status", "score")
    permits = builders.metric("permits", calendar="business")
    days = {MONDAY + index * DAY: Fact(*fraction(row[1])) for index, row in enumerate(rows)}
    found = scored(permits, days, AFTER)
    shown = [*of_grain(found, Grain.DAY)[: len(rows)], *of_grain(found, Grain.WEEK)]
    told = [
        [f"{one.numerator:g} of {one.denominator:g}", str(one.status), two_digits(one.score)] for one in shown
    ]
    assert told == [row[1:] for row in (*rows, week)]


# --- 6: completeness -----------------------------------------------------------------------------


AGES = ("that evening", "1 day later", "2 days later", "3 days later")


def measured() -> tuple[np.ndarray, np.ndarray, list[list[str]]]:
    rows = table("day", *AGES)
    triangle = np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in rows[:-2]])
    factors = maturity.factors(triangle)
    return factors, maturity.completeness(factors), rows[-2:]


def curve_of_the_example() -> Curve:
    shares = np.round(measured()[1], 4).tolist()
    return Curve((*shares, *[1.0] * (SETTLED_AGE + 1 - len(shares))), (), (100.0,) * 7)


def test_the_example_of_the_chain_ladder_is_computed_as_printed():
    factors, shares, (grows, known) = measured()
    assert [f"{one:.3f}" for one in factors] + [""] == grows[1:]
    assert [f"{one:.1%}" for one in shares] == known[1:]
    before, after = 80 + 70 + 90, 95 + 90 + 110
    assert f"grew from {before} to {after}, by {after / before:.3f}" in TEXT
    steps = " × ".join(f"{one:.3f}" for one in factors)
    assert f"one part in {steps}, which is {1 / factors.prod():.1%}" in TEXT


def test_the_example_of_completeness_is_judged_as_printed():
    rows = table("period", "usually known", "status")
    calls = builders.metric("calls", Aggregation.COUNT, targets=(builders.target(100),))
    days = {date(2026, 9, 1) + index * DAY: Fact(100.0) for index in range(69)}
    found = scored(calls, days, AFTER, curve=curve_of_the_example())
    shown = [of_grain(found, Grain.DAY, SUNDAY - back * DAY)[0] for back in (2, 1, 0)]
    shown += [of_grain(found, Grain.WEEK, MONDAY)[0], of_grain(found, Grain.MONTH, date(2026, 10, 1))[0]]
    told = [["100%" if one.completeness == 1 else f"{one.completeness:.1%}", one.status] for one in shown]
    assert told == [row[1:] for row in rows]


def test_the_last_mature_day_is_the_one_that_is_printed():
    day = maturity.last_mature_day(curve_of_the_example(), AFTER)
    assert f"the **last mature day**, here {day:%A}, {day.day} {day:%B}." in TEXT


# --- 6: waits ------------------------------------------------------------------------------------


EVENING = 31


def requests() -> list[tuple[int, bool]]:
    """How long each of the ten requests waited by the evening of 31 January, and whether it was closed."""
    found = []
    for _, opened, _due, closed in table("request", "opened", "due", "closed"):
        is_closed = closed != "still open"
        found.append(((int(closed) if is_closed else EVENING) - int(opened), is_closed))
    return found


def waits() -> Waiting:
    ways = [[wait for wait, is_closed in requests() if is_closed is one] for one in (True, False)]
    closed, still_open = ({float(wait): each.count(wait) for wait in each} for each in ways)
    return waiting(WaitUnit.DAYS, date(2026, 1, 1), date(2026, 2, 1), Cases(closed, still_open, still_open))


def test_the_example_of_time_to_close_is_estimated_as_printed():
    waited, is_closed = zip(*requests(), strict=True)
    found = kaplan_meier(waited, is_closed)
    for days, share in table("days waited", "closed by then"):
        assert f"{found.by(float(days)):.1%}" == share
    said = waits()
    assert f"Half were closed within {said.median:g} days." in TEXT
    assert f"The closed ones alone would say {said.closed_only_median:g} days." in TEXT
    assert said.p90 is None
    assert f"the estimate ends at {said.reached:.0%}" in TEXT


def test_the_example_of_a_backlog_is_counted_as_printed():
    said = waits()
    told = f"{said.open} requests, half of them more than {said.age_median:g} days old, one in ten more than"
    assert f"{told} {said.age_p90:g}." in TEXT


# --- 7: which period a page opens on ---------------------------------------------------------------


WEIGHTS = dict.fromkeys("abcd", 1.0)


def standing(cells: list[str]) -> tuple[dict, dict]:
    """The composites and the scores of four services of equal weight that a row of the table speaks of."""
    board = [builders.metric(name) for name in WEIGHTS]
    [day] = of_grain(scored(board[0], {MONDAY: Fact(8, 10)}, MONDAY + DAY), Grain.DAY)
    composites: dict[Grain, Composite] = {}
    scores: dict[str, dict[Grain, Score]] = {name: {} for name in WEIGHTS}
    for grain, cell in zip(Grain, cells, strict=False):
        share = 0.0 if cell == "none" else float(cell.removeprefix("headline of ").rstrip("%")) / 100
        number = 1.0 if share else None
        period = periods.period_of(CITY, grain, MONDAY)
        composites[grain] = Composite("city", "", period, number, None, share, None, 4, 4, 0, (), ())
        for place, name in enumerate(WEIGHTS):
            has = place < share * len(WEIGHTS)
            scores[name][grain] = replace(day, metric=name, period=period, score=1.0 if has else None)
    return composites, scores


@pytest.mark.parametrize("row", table("day", "week", "month", "the page opens on"), ids=" ".join)
def test_the_examples_of_where_a_page_opens_are_chosen_as_printed(row):
    composites, scores = standing(row[:3])
    metrics = [builders.metric(name) for name in WEIGHTS]
    assert opening_grain(composites, scores, metrics) == row[3]


# --- 8 and 9: what a day is compared with, and what a date may know ------------------------------


@pytest.mark.parametrize("row", table("day", "open", "compared with"), ids=" ".join)
def test_the_examples_of_a_day_before_are_found_as_printed(row):
    def day(text: str) -> date:
        return datetime.strptime(f"{text.split(',')[0]} 2026", "%A %d %B %Y").date()

    calendars = frozenset({"all", "business"} if row[1] == "all" else {"all"})
    assert all(periods.is_open(CITY, one, day(row[0])) for one in calendars)
    assert periods.comparison_day(CITY, day(row[0]), calendars) == day(row[2])


@pytest.mark.parametrize(
    "row", table("at", "the slowest source is known until", "Sunday is published"), ids=" ".join
)
def test_the_examples_of_when_a_period_opens_are_decided_as_printed(row):
    hour = int(row[0].split()[0])
    day, clock = row[1].split()
    hours, minutes = (int(part) for part in clock.split(":"))
    known = periods.instant_at(CITY, SUNDAY if day == "Sunday" else AFTER, hours) + timedelta(minutes=minutes)
    knowledge = {"cases": builders.known(MONDAY, known)}
    definitions = builders.catalogue(builders.metric("on_time"), city=CITY)
    opened = is_open_for_publication(definitions, AFTER, knowledge, hour >= CITY.publication_hour)
    assert opened == row[2].startswith("yes")


def test_the_example_of_a_date_reads_later_closings_as_open(tmp_path):
    town = Town(open_engine(f"sqlite:///{tmp_path / 'town.db'}"), load(write_city(tmp_path / "test")))
    town.now += 3 * DAY
    late, duplicate = case("late", 20, 32), case("twice", 25, 31, reason="Duplicate")
    town.ingest(case("in_time", 10, 8), late, duplicate)
    for row in table("publication for", "read as open", "June"):
        as_of = datetime.strptime(f"{row[0]} 2026", "%d %B %Y").date()
        town.publish(as_of)
        month = town.month()
        assert f"{month.numerator:g} of {month.denominator:g}" == row[2]
    town.engine.dispose()


def test_a_number_is_read_from_the_page_with_its_sign():
    assert (number("−0.5"), number("none")) == (-0.5, None)
