"""The examples of docs/methodology.md, computed again by the code they explain."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from layouts import formats
from metrics import (
    attribution,
    audits,
    company,
    composite,
    evidence,
    false_alarms,
    gaming,
    intervals,
    limits,
    scoring,
    selftest,
    signals,
    suppression,
)
from metrics.attribution import Side
from metrics.catalogue import load
from metrics.judged import Case
from metrics.model import Aggregation, Direction, Grain, Part, Period, Status, Target, Verdict
from store import publications, revisions, targets
from store.engine import StoreError, open_engine, reading
from store.revisions import Kind
from tests.builders import metric
from tests.layouts.published_city import catalogue_of, city_files
from tests.methodology_page import DOCS, PAGE, TEXT, number, signed, table, two_digits
from tests.metrics.test_metric_signals import row as month_row
from tests.town import Town, case, write_city
from tests.unchanged_city import history

METRIC = catalogue_of(city_files()).metrics["flu_shots"]
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")


def bound(text: str) -> float | tuple[float, float] | None:
    ends = [number(end) for end in text.split(" to ")]
    return ends[0] if len(ends) == 1 else (ends[0], ends[1])


def numbers(text: str) -> dict[str, float | None]:
    return dict(zip("ABCDE", [number(one) for one in text.split(", ")], strict=False))


@pytest.mark.parametrize("row", table("value", "target", "direction", "floor", "score"), ids=" ".join)
def test_the_examples_of_a_score_are_scored_as_printed(row):
    value, target, direction, floor, expected = row
    found = scoring.score(number(value), bound(target), direction, floor=bound(floor))
    assert found == (None if expected == "none" else pytest.approx(float(expected), abs=1e-12))


@pytest.mark.parametrize("row", table("value", "target", "direction", "cityscore"), ids=" ".join)
def test_the_examples_of_bostons_arithmetic_are_scored_as_printed(row):
    value, target, direction, expected = row
    found = scoring.score(number(value), bound(target), direction, method="cityscore")
    assert two_digits(found) == expected


@pytest.mark.parametrize("row", table("value", "kind", "interval"), ids=" ".join)
def test_the_examples_of_intervals_are_computed_as_printed(row):
    value, kind, expected = row
    parts = [int(part) for part in value.split(" of ")]
    low, high = intervals.wilson(*parts) if kind == "share" else intervals.garwood(*parts)
    assert f"{low:.3f} to {high:.3f}" == expected


@pytest.mark.parametrize(
    "row",
    table("value", "target", "direction", "as bad by chance", "as good by chance", "verdict"),
    ids=" ".join,
)
def test_the_examples_of_verdicts_are_judged_as_printed(row):
    value, target, direction, bad, good, expected = row
    x, *of = (float(part) for part in value.split(" of "))

    def tails(aim):
        return intervals.binomial_tails(x, of[0], aim) if of else intervals.poisson_tails(x, aim)

    def sides(aim):
        at_most, at_least = tails(aim)
        return at_least <= intervals.SIDE, at_most <= intervals.SIDE

    few, many = (float(one) for one in tails(float(target)))
    is_higher = direction == Direction.HIGHER_IS_BETTER
    as_bad, as_good = (few, many) if is_higher else (many, few)
    assert (f"{as_bad:.2%}", f"{as_good:.2%}") == (bad, good)
    aims = (np.array([float(target)]),) * 2
    assert evidence.verdicts(Direction(direction), sides, aims) == [Verdict(expected)]


@pytest.mark.parametrize("row", table("days differ", "as good by chance", "verdict"), ids=" ".join)
def test_the_examples_of_records_in_clumps_are_judged_as_printed(row):
    times, good, expected = row
    of = float(times.split(" ")[0])
    _, as_good = intervals.binomial_tails(100 / of, 120 / of, 0.75)
    assert f"{float(as_good):.2%}" == good
    assert (Verdict.MEETS if as_good <= intervals.SIDE else Verdict.CANNOT_TELL) is Verdict(expected)


@pytest.mark.parametrize(
    "row", table("days looked at", "interval of the mean", "verdict of the 30 days"), ids=" ".join
)
def test_the_example_of_few_long_waits_is_judged_as_printed(row):
    days, interval, expected = int(row[0]), row[1], Verdict(row[2].strip("`"))
    hours = np.ones(364)
    hours[: 364 - 56 : 50] = 11.0
    assert (hours == 11.0).sum() == 7
    waits = metric("waits", Aggregation.MEAN, direction=Direction.LOWER_IS_BETTER, unit="hours")
    seen = history(waits, hours[-days:], np.ones(days))
    month = (days - 30, days)
    ((low, high, verdict),) = evidence.said(
        seen, Grain.MONTH, [Case(month, seen.city_pool.over(month), 1.20)]
    )
    assert f"{low:.2f} to {high:.2f}" == interval
    assert verdict is expected


def test_a_target_of_95_percent_has_the_ceiling_that_is_printed():
    printed = re.search(r"If the target is 95%, a perfect 100% scores (\d\.\d\d)\.", PAGE).group(1)
    assert f"{scoring.score(1.0, 0.95, 'higher_is_better'):.2f}" == printed


@pytest.mark.parametrize("row", table("scores", "weights", "composite", "coverage"), ids=" ".join)
def test_the_examples_of_a_composite_are_computed_as_printed(row):
    scores, weights, expected, coverage = row
    score, share = composite.composite(numbers(scores), numbers(weights))
    assert two_digits(score) == expected
    assert f"{share:.0%}" == coverage


@pytest.mark.parametrize(
    "row", table("scores", "lowest of the late one", "its seat", "composite"), ids=" ".join
)
def test_the_examples_of_a_late_metric_take_the_seat_that_is_printed(row):
    scores, lowest, seat, expected = row
    entries = [
        *(composite.Entry(name, 1.0, Status.FINAL, one, None, 1.25) for name, one in numbers(scores).items()),
        composite.Entry("late", 1.0, Status.LATE, None, number(lowest), 1.25),
    ]
    found = composite.summarise(entries, minimum_coverage=0.0)
    assert f"{found.entered['late']:.2f}" == seat
    assert f"{found.score:.2f}" == expected


@pytest.mark.parametrize(
    "row",
    table(
        *("scores", "weights", "composite", "geometric mean"),
        *("without any one", "weight band", "on target under"),
    ),
    ids=" ".join,
)
def test_the_examples_of_a_company_are_computed_as_printed(row):
    scores, weights = numbers(row[0]), numbers(row[1])
    board = np.array(list(scores.values())), np.array(list(weights.values()))
    assert f"{composite.composite(scores, weights)[0]:.2f}" == row[2]
    assert f"{company.geometric(*board):.2f}" == row[3]
    assert [ends(one(*board)) for one in (company.leave_one_out, company.weight_band)] == row[4:6]
    assert f"{company.share_above(scores, weights):.0%}" == row[6]


def test_the_example_of_chance_is_computed_as_printed():
    scores, errors = [], []
    for value, interval, target, score, error in table("value", "its interval", "target", "score", "error"):
        found = scoring.score(number(value), number(target), "higher_is_better")
        given = dict(zip(("low", "high"), bound(interval), strict=True))
        given |= {"value": number(value), "target": number(target), "floor": 0.0, "score": found}
        given |= {"target_high": math.nan, "floor_high": math.nan}
        fields = {name: np.array([each]) for name, each in given.items()}
        [of_score] = company.score_error(fields, Direction.HIGHER_IS_BETTER)
        assert (f"{found:.2f}", f"{of_score:.4f}") == (score, error)
        scores.append(found)
        errors.append(of_score)
    band = company.sampling_band(np.array(scores), np.ones(3), np.array(errors))
    sentence = f"these three make {sum(scores) / 3:.2f}, and the sampling band is {ends(band)}."
    assert sentence in TEXT


def test_the_example_of_bostons_composite_is_computed_as_printed():
    found = []
    for _, value, target, direction, expected in table(
        "family", "value", "target", "direction", "value and target as one"
    ):
        found.append(scoring.cityscore(number(value), number(target), direction))
        assert two_digits(found[-1]) == expected
    assert f"Boston's composite of these is {composite.boston(found):.2f}." in PAGE


def ends(band) -> str:
    return "{:.2f} to {:.2f}".format(*band)


def test_the_example_of_contributions_is_computed_as_printed():
    *rows, (_, before, after, change) = table("metric", "before", "after", "contribution")
    old, new = ({row[0]: number(row[side]) for row in rows} for side in (1, 2))
    composites = [composite.composite(one, dict.fromkeys(one, 1.0))[0] for one in (old, new)]
    assert [f"{one:.4f}" for one in composites] == [before, after]
    sides = [{name: Side(score, 1.0) for name, score in one.items()} for one in (old, new)]
    found = attribution.contributions(*sides)
    assert attribution.change_matched(*sides) == 0 and "table above it is 0" in TEXT
    assert {one.part for one in found} == {Part.COVERAGE}
    assert {one.metric: unsigned(one.contribution) for one in found} == {row[0]: row[3] for row in rows}
    assert unsigned(math.fsum(one.contribution for one in found)) == change


def unsigned(amount: float) -> str:
    return f"{amount:.4f}".replace("-", "−")


def test_the_example_of_value_target_and_weight_that_move_together_is_split_as_printed():
    *rows, (_, ends_at, change) = table("metric", "part", "contribution")
    value, target = (0.72, 0.80), (0.80, 0.85)
    scores = [scoring.score(*pair, "higher_is_better") for pair in zip(value, target, strict=True)]
    sides = [
        {"A": Side(scores[at], 1.0, value[at], target[at], 0.0), "B": Side(1.0, 1.0 + at, 0.8, 0.8, 0.0)}
        for at in (0, 1)
    ]
    found = attribution.contributions(*sides)
    assert [[one.metric, str(one.part), signed(one.contribution)] for one in found] == [
        [metric, part.strip("`"), amount] for metric, part, amount in rows
    ]
    means = [
        composite.composite(
            {name: one.score for name, one in side.items()}, {name: one.weight for name, one in side.items()}
        )[0]
        for side in sides
    ]
    assert ends_at == f"from {means[0]:.4f} to {means[1]:.4f}"
    assert change == signed(math.fsum(one.contribution for one in found)) == signed(means[1] - means[0])


@pytest.mark.parametrize("row", table("score", "printed"), ids=" ".join)
def test_the_examples_of_printed_scores_are_printed_so(row):
    assert formats.score(float(row[0])) == row[1]


def test_the_example_of_printed_parts_adds_up_as_printed():
    amounts = [float(one) for one in re.search(r"made of (0\.\d+), (0\.\d+) and (0\.\d+) is", TEXT).groups()]
    parts = attribution.apportion(0.04, amounts)
    assert f"is printed as {parts[0]}, {parts[1]} and {parts[2]}:" in TEXT
    assert f"rounded one by one they would be {sum(round(one, 2) for one in amounts):.2f}." in TEXT


def test_the_example_of_coverage_counts_as_printed():
    rows = table("metric", "status", "score", "open", "in coverage")
    entries = [
        composite.Entry(metric, 1.0, Status(status), number(score), None, 1.25)
        for metric, status, score, _open, _in in rows
    ]
    found = composite.summarise(entries, 0.75)
    assert (found.score, found.reason.id) == (None, "coverage_below_minimum")
    assert found.total == [row[3] for row in rows].count("yes")
    having = [row[4] for row in rows]
    assert found.scored == having.count("has a score")
    assert found.coverage == found.scored / (len(rows) - having.count("left out"))
    assert (found.total, found.scored, found.on_target, f"{found.coverage:.0%}") == (5, 2, 1, "67%")
    assert "Five were open, two have a score, and one of the two is on target." in TEXT


def test_the_example_of_the_due_date_cohort_counts_what_the_text_says():
    def day(text: str) -> float:
        if text == "still open":
            return math.inf
        return 31 + int(text.split()[0]) if text.endswith("February") else int(text)

    requests = [[day(cell) for cell in row[1:]] for row in table("request", "opened", "due", "closed")]
    in_time = [closed <= due and closed <= 31 for _, due, closed in requests]
    closed = [ok for ok, (_, _, done) in zip(in_time, requests, strict=True) if done <= 31]
    due = [ok for ok, (_, by, _) in zip(in_time, requests, strict=True) if by <= 31]
    assert (sum(closed), len(closed)) == (5, 6)
    assert (sum(in_time), len(in_time)) == (5, 10)
    assert (sum(due), len(due)) == (3, 6)
    for sentence in ("Of the six that were closed, five", "Of the ten opened, five", "Three of six, 50%"):
        assert sentence in TEXT


def test_every_status_is_explained_in_its_order_of_precedence():
    assert [row[0] for row in table("status", "meaning")] == [status.value for status in Status]


@pytest.mark.parametrize(
    "word", [one.value for kind in (Aggregation, Direction, Grain, Part) for one in kind]
)
def test_every_word_of_a_catalogue_or_an_answer_is_in_the_glossary(word):
    assert re.search(rf"\b{word}\b", GLOSSARY)


def test_the_example_of_rate_and_mix_is_computed_as_printed():
    rows = table("district", "before", "after", "rate", "mix")
    counts = [[[float(part) for part in side.split(" of ")] for side in row[1:3]] for row in rows]
    found = attribution.rate_and_mix(
        *([one[side][part] for one in counts[:-1]] for side in (0, 1) for part in (0, 1))
    )
    for index, row in enumerate(rows[:-1]):
        assert [signed(part[index]) for part in found] == row[3:]
    assert [signed(part.sum()) for part in found] == rows[-1][3:]
    assert counts[0][0][0] + counts[1][0][0] == counts[2][0][0]


@pytest.mark.parametrize(
    "row",
    table("expected", "direction", "spread", "mean score", "on target", "scored"),
    ids=" ".join,
)
def test_the_examples_of_the_self_test_are_computed_as_printed(row):
    events, direction, spread, expected, passes, scored = row
    metric = replace(METRIC, direction=Direction(direction))
    mean, _, reached = selftest.unchanged(metric, float(events), 0, float(spread))
    assert (f"{mean:.3f}", f"{reached:.1%}") == (expected, passes)
    assert (abs(mean - 1) <= selftest.MOST_MOVED) == (scored == "yes")


def test_the_example_of_decisions_about_targets_is_published_as_printed(tmp_path):
    city = write_city(tmp_path / "test")
    town = Town(open_engine(f"sqlite:///{tmp_path / 'town.db'}"), load(city))
    town.ingest(case("a", 10, 5), case("b", 10, 20))
    town.publish(date(2026, 7, 1))
    for decided, day, follows, printed in table("decided", "from", "what follows", "target of June"):
        kind, share = re.match(r"an? (approval|correction), (\d+)%", decided).groups()
        change = Target(int(share) / 100, date.fromisoformat(day), decided, "the council")
        asked = (
            town.engine,
            town.catalogue,
            town.clock,
            targets.Proposal("on_time", change, targets.Kind(kind)),
        )
        if follows.startswith("refused"):
            with pytest.raises(StoreError, match="final scores"):
                targets.approve(*asked)
        else:
            targets.approve(*asked)
            restated = town.publish(date(2026, 7, 1)).restated
            assert (restated > 0) == ("published again" in follows)
        assert f"{town.month().target:.0%}" == printed
    town.engine.dispose()


def test_the_example_of_vintages_is_published_as_printed(tmp_path):
    city = write_city(tmp_path / "test")
    path = city / "metrics" / "on_time.toml"
    town = Town(open_engine(f"sqlite:///{tmp_path / 'town.db'}"), load(city))
    cases = [case("old", 3, 2, month=5), case("a", 10, 5), case("b", 10, 20), case("c", 12, None)]
    town.ingest(*cases)
    town.publish(date(2026, 6, 15))
    town.publish(date(2026, 7, 1))
    cases.append(case("d", 11, 9))
    town.ingest(*cases)
    town.publish(date(2026, 7, 1))
    path.write_text(path.read_text().replace("closed <= due", "closed is not null"))
    town.catalogue = load(city)
    town.publish(date(2026, 7, 1), reason="the council decided that what was closed at all counts")
    town.ingest(*cases[:3], case("c", 12, 25), cases[-1])
    town.publish(date(2026, 7, 1), reason="the contractor's log was found")
    metric = town.catalogue.metrics["on_time"]
    with reading(town.engine) as connection:
        now = publications.current(connection)
        found = revisions.revisions(connection, now.publication, metric, Grain.MONTH)
    town.engine.dispose()
    first = found.firsts[date(2026, 6, 1)]
    told = [[str(first.publication), "first published", f"{first.value:.1%}"]]
    told += [[str(row.publication), str(row.kind), f"{row.value:.1%}"] for row in found.rows]
    shown = table("publication", "what had happened", "kind", "June")
    assert told == [[number, kind, value] for number, _happened, kind, value in shown]
    assert f'"First published {shown[0][3]}, now {shown[-1][3]}"' in PAGE


def test_every_kind_of_change_is_explained():
    assert [row[0] for row in table("kind", "what it was")] == [kind.value for kind in Kind]


def test_the_hidden_districts_are_hidden_as_the_example_says():
    *rows, last = table("district", "cases", "on time", "late", "to the public")
    counts = np.array([[int(cell) for cell in row[1:4]] for row in rows])
    hidden = [row[4].startswith("hidden") for row in rows]
    assert suppression.withheld(counts).tolist() == hidden
    assert counts[hidden].sum(axis=0).tolist() == [int(cell) for cell in last[1:4]]


@pytest.mark.parametrize(
    "row", table("values", "ranges", "centre", "lower limit", "upper limit"), ids=" ".join
)
def test_the_examples_of_limits_are_computed_as_printed(row):
    found = signals.xmr([float(one) for one in row[0].split()], screen=row[1] == "screened")
    assert [f"{one:.2f}".replace("-", "−") for one in (found.center, found.lower, found.upper)] == row[2:]


@pytest.mark.parametrize("row", table("limits", "target", "direction", "assurance"), ids=" ".join)
def test_the_examples_of_assurance_are_judged_as_printed(row):
    limits, target, direction, expected = row
    assert signals.assurance(*bound(limits), number(target), Direction(direction)) == expected


@pytest.mark.parametrize(
    "row",
    table("chart", "points", "level", "size", "rules", "at the last point", "anywhere on the chart"),
    ids=" ".join,
)
def test_the_examples_of_false_alarms_are_expected_as_printed(row):
    kind, points, level, size, rules, last, anywhere = row
    found = false_alarms.expected(
        false_alarms.Null(
            signals.ChartKind(kind),
            int(points),
            number(level),
            number(size) or 1.0,
            every_rule=rules == "all",
        )
    )
    assert (f"{found.last:.1%}", f"{found.chart:.0%}") == (last, anywhere)


def test_the_charts_are_chosen_as_printed():
    measures = {
        "a share of records or cases": "share",
        "events per something": "rate",
        "events": "count",
        "means, medians, percentiles, stocks, sums": "amount",
    }
    few = {"share": limits.LARGE, "rate": limits.LARGE, "count": limits.RARE, "amount": limits.RARE}
    seen = set()
    for counted, size, kind, _ in table("what is counted", "size", "chart", "limits"):
        measure = measures[counted]
        mean = few[measure] - 0.01 if re.match("under|fewer", size) else few[measure]
        assert limits.chart_kind(measure, mean) == kind.split("`")[0]
        seen.add(kind.split("`")[0])
    assert seen == {*limits.ChartKind} - {"t"}


# --- 11. real or worked on ------------------------------------------------------------------------

HEAPS = table(
    "before, after", "usual before, after", "ratio", "its interval", "times the usual", "interval", "alarm"
)


@pytest.mark.parametrize("row", HEAPS, ids=" ".join)
def test_the_closings_around_deadlines_are_judged_as_the_method_says(row):
    counts = [int(one) for cell in row[:2] for one in cell.split(", ")]
    found = gaming.heaping(*counts)
    said = [
        f"{found.ratio:.2f}",
        f"{found.low:.2f} to {found.high:.2f}",
        f"{found.times:.2f}",
        f"{found.times_low:.2f} to {found.times_high:.2f}",
        "yes" if found.is_alarm else "no",
    ]
    assert said == row[2:]


BUNCHES = table("before, after", "days beside: before, after", "times the usual", "interval", "alarm")


@pytest.mark.parametrize("row", BUNCHES, ids=" ".join)
def test_closings_are_held_against_the_days_beside_their_deadline_as_the_method_says(row):
    own, beside = (tuple(int(one) for one in cell.split(", ")) for cell in row[:2])
    found = gaming.bunching(*own, [beside])
    said = [
        f"{found.times:.2f}",
        f"{found.times_low:.2f} to {found.times_high:.2f}",
        "yes" if found.is_alarm else "no",
    ]
    assert said == row[2:]


EASED = table("direction", "before", "new", "value", "told", "score", "by the one before")


@pytest.mark.parametrize("row", EASED, ids=" ".join)
def test_eased_targets_are_told_as_the_method_says(row):
    direction, (before, new, value) = Direction(row[0]), map(float, row[1:4])
    day = date(2026, 3, 2)
    targets = tuple(Target(one, since, "a", "b") for one, since in ((before, date(2020, 1, 1)), (new, day)))
    unit = "percent" if direction is Direction.HIGHER_IS_BETTER else "days"
    metric = replace(METRIC, direction=direction, targets=targets, unit=unit, method="linear")
    by_new, by_old = (scoring.score(value, one, direction) for one in (new, before))
    assert [two_digits(by_new), two_digits(by_old)] == row[5:]
    period = Period(Grain.WEEK, day, date(2026, 3, 9))
    score = month_row(0, value, target=new, score=by_new, period=period)
    found = gaming.eased(metric, [score])
    assert ("yes" if found else "no") == row[4]
    assert [one.score_by_old for one in found] == [pytest.approx(by_old)] * len(found)


@pytest.mark.parametrize("row", table("cases", "widest interval", "where 90% are done"), ids=" ".join)
def test_the_widths_of_audits_are_those_of_the_method(row):
    widths = [f"{100 * audits.width(int(row[0]), share):.0f} points" for share in (0.5, 0.9)]
    assert widths == row[1:]
