"""Which metrics are about closing cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from metrics.catalogue import load
from metrics.closure import Closure, WaitUnit, closure, population

CITIES = Path(__file__).resolve().parents[2] / "data" / "cities"
REQUEST = ("opened_at", "closed_at")
EXPECTED = {
    "days_to_close": Closure(*REQUEST, WaitUnit.DAYS),
    "signal_repair_time": Closure(*REQUEST, WaitUnit.HOURS),
    "permit_days": Closure("applied_at", "decided_at", WaitUnit.WORKDAYS),
    "permits_on_time": Closure("applied_at", "decided_at", WaitUnit.DAYS),
    "food_follow_up_on_time": Closure("inspected_at", "followed_up_at", WaitUnit.DAYS),
    "graffiti_on_time": Closure(*REQUEST, WaitUnit.DAYS),
    "litter_on_time": Closure(*REQUEST, WaitUnit.DAYS),
    "missed_trash_on_time": Closure(*REQUEST, WaitUnit.DAYS),
    "pothole_on_time": Closure(*REQUEST, WaitUnit.DAYS),
    "sign_on_time": Closure(*REQUEST, WaitUnit.DAYS),
    "streetlight_on_time": Closure(*REQUEST, WaitUnit.DAYS),
    "tree_on_time": Closure(*REQUEST, WaitUnit.DAYS),
}


@pytest.fixture(scope="module")
def demo():
    return load(CITIES / "demo")


@pytest.fixture(scope="module")
def boston():
    return load(CITIES / "boston")


def test_the_closure_metrics_of_the_demonstration_are_those_that_wait_for_a_closing(demo):
    found = {metric.id: closure(demo, metric) for metric in demo.live_metrics()}
    assert {name: one for name, one in found.items() if one} == EXPECTED


def test_boston_s_on_time_metrics_wait_from_opening_to_closing(boston):
    waits = Closure("open_date", "close_date", WaitUnit.DAYS)
    assert closure(boston, boston.metrics["pothole_on_time"]) == waits
    assert closure(boston, boston.metrics["days_to_close"]) == waits
    assert closure(boston, boston.metrics["requests_opened"]) is None


@pytest.mark.parametrize(
    "words",
    [
        "minutes_between(opened_at, closed_at)",
        "days_between(due_at, closed_at)",
        "days_between(opened_at, closed_at) * 2",
        "days_between(opened_at, due_at)",
    ],
)
def test_a_response_a_delay_and_a_calculation_are_no_wait(demo, words):
    assert closure(demo, replace(demo.metrics["days_to_close"], value=words)) is None


def test_a_numerator_may_ask_for_more_than_the_deadline(demo):
    metric = replace(demo.metrics["pothole_on_time"], numerator="channel = 'App' and closed_at <= due_at")
    assert closure(demo, metric) == EXPECTED["pothole_on_time"]
    assert closure(demo, replace(metric, numerator="channel = 'App' or closed_at <= due_at")) is None


def test_open_cases_belong_to_the_population_of_a_metric_that_counts_closed_ones(demo):
    metric = demo.metrics["days_to_close"]
    said = population(demo, metric, EXPECTED["days_to_close"], "sqlite")
    assert "closed_at" not in said
    assert "closure_reason" in said
    narrowed = replace(metric, where="closed_at is not null and topic = 'Pothole'")
    assert "'Pothole'" in population(demo, narrowed, EXPECTED["days_to_close"], "sqlite")
