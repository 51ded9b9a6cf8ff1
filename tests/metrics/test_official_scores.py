"""Boston's own published scores, reproduced row by row by the cityscore method."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from metrics.scoring import score

BY_LOGIC = {
    "sum(numerator_value)/sum(denominator_value)/target": "ratio",
    "average(sum(numerator_value)/sum(denominator_value))/target": "ratio",
    "target / median": "median",
    "historical_average / current_average": "falling",
    "current_average / historical_average": "rising",
}
"""Which of Boston's five formulas a row was computed by: the meaning of its two columns depends on it."""


def number(text):
    return float(text) if text else None


def value_and_target(row):
    """A row as value, target and direction, whichever columns Boston put them in."""
    numerator, denominator = number(row["numerator"]), number(row["denominator"])
    logic = BY_LOGIC[row["metric_logic"].strip()]
    if logic == "ratio":
        ratio = numerator / denominator if numerator is not None and denominator else None
        return ratio, number(row["target"]), "higher_is_better"
    if logic == "rising":
        return numerator, denominator, "higher_is_better"
    return denominator, numerator, "lower_is_better"


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def official(shared_data):
    return rows(shared_data("cityscore/official_scores_2025.csv"))


def test_every_published_score_of_2025_is_reproduced(official):
    compared = Counter()
    for row in official:
        value, target, direction = value_and_target(row)
        found, published = score(value, target, direction, method="cityscore"), number(row["score"])
        assert found == (None if published is None else pytest.approx(published, abs=1e-9)), row
        compared["scored" if published is not None else "without"] += 1
    assert compared == {"scored": 5286, "without": 878}


def test_the_median_of_the_ambulances_stands_in_the_denominator_and_its_target_in_the_numerator(official):
    ambulances = [row for row in official if row["metric_logic"] == "target / median"]
    assert {row["metric_name"] for row in ambulances} == {"EMS RESPONSE TIME"}
    assert all(float(row["numerator"]) == float(row["target"]) == 6.0 for row in ambulances)


def test_boston_publishes_no_score_where_nothing_bad_happened(official):
    falling = [row for row in official if BY_LOGIC[row["metric_logic"].strip()] == "falling"]
    unscored = [row for row in falling if not row["score"]]
    assert len(unscored) == 232
    assert all(row["numerator"] and not row["denominator"] for row in unscored)


@pytest.mark.parametrize(
    ("grain", "value", "average", "deviation"),
    [
        ("day", "nbr_dy_01", "avg_01", "dev_01"),
        ("week", "nbr_wk_01", "avg_01", "dev_01"),
        ("month", "nbr_mo_01", "avg_01", "dev_01"),
        ("quarter", "nbr_qt_01", "avg_02", "dev_02"),
    ],
)
def test_the_scores_of_the_first_years_are_held_to_the_mean_made_easier(
    shared_data, grain, value, average, deviation
):
    """The launch years' target of a falling metric: its past mean plus one standard deviation."""
    legacy = rows(shared_data("cityscore/legacy_bfd_incidents_2018_sample.csv"))
    assert len(legacy) == 13
    for row in legacy:
        target = float(row[average]) + float(row[deviation])
        found = score(number(row[value]), target, "lower_is_better", method="cityscore")
        published = number(row[f"cty_scr_{grain}"])
        assert found == (None if published is None else pytest.approx(published, abs=1e-6)), row
