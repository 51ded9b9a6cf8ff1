"""The whole city as a publication says it stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from layouts.city_view import city_view, opening_grain
from layouts.desk import edition
from metrics.model import Composite, Family, Grain, Period, Reason, Status
from metrics.plan import Plan
from store.engine import reading
from tests.layouts.published_city import catalogue_of, city_files, fill, services


@pytest.fixture
def view(published_city):
    with reading(published_city.engine) as connection:
        yield city_view(connection, edition(connection))


def a_composite(grain: Grain, score: float | None, total: int = 5) -> Composite:
    period = Period(grain, date(2026, 11, 1), date(2026, 11, 2))
    reason = None if score is not None else Reason("coverage_below_minimum")
    return Composite("city", "", period, score, reason, 0.9, None, total, 5, 3, (), ())


def test_the_page_opens_on_the_finest_grain_that_speaks_for_half_of_the_weight(view):
    assert view.composites[Grain.DAY].score is not None
    assert view.opening is Grain.WEEK


def test_a_page_opens_on_days_where_they_speak_for_half_of_the_weight(published_city):
    metrics = [m for m in services(published_city.catalogue) if Grain.DAY in m.scored_at]
    scores = {m.id: {Grain.DAY: published_city.score(m.id, "day")} for m in metrics}
    composites = {grain: a_composite(grain, 0.9) for grain in Grain}
    assert opening_grain(composites, scores, metrics) is Grain.DAY


def test_where_no_grain_speaks_for_half_the_finest_with_a_headline_opens(published_city):
    composites = {Grain.DAY: a_composite(Grain.DAY, None), Grain.MONTH: a_composite(Grain.MONTH, 0.9)}
    assert opening_grain(composites, {}, services(published_city.catalogue)) is Grain.MONTH


def test_without_a_headline_the_page_opens_on_the_reasons(published_city):
    composites = {
        Grain.DAY: a_composite(Grain.DAY, None, total=0),
        Grain.WEEK: a_composite(Grain.WEEK, None),
    }
    assert opening_grain(composites, {}, []) is Grain.WEEK
    assert opening_grain({}, {}, []) is None


def test_services_come_lowest_score_first_and_those_without_one_last(view):
    found = [line.score.score for line in view.services]
    with_score = [score for score in found if score is not None]
    assert with_score == sorted(with_score)
    assert found == with_score + [None] * (len(found) - len(with_score))


def test_conditions_stand_beside_the_services(view):
    assert {line.metric.family for line in view.services} == {Family.SERVICE}
    assert [line.metric.id for line in view.conditions] == ["requests_opened"]


def test_only_staff_see_metrics_that_are_not_public(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        seen = city_view(connection, now, public_only=False).conditions
    assert "secret_on_time" in [line.metric.id for line in seen]


def test_the_lowest_are_those_the_composite_names_and_never_one_on_target(view):
    assert [line.metric.id for line in view.lowest] == [metric for metric, _ in view.composite.lowest]
    high = replace(view.composite, lowest=(("park_on_time", 1.1),))
    assert replace(view, composites={Grain.WEEK: high}).lowest == ()


def test_what_is_late_is_named(view):
    assert {line.metric.id for line in view.unheard} == {"library_on_time", "water_on_time"}
    assert {line.score.status for line in view.unheard} == {Status.LATE}


def test_provisional_scores_are_counted(view):
    assert view.provisional == 1


def test_a_city_without_metrics_has_an_empty_view(empty_database):
    files = {name: text for name, text in city_files(()).items() if not name.startswith("sources/")}
    catalogue = catalogue_of(files)
    engine = empty_database(catalogue)
    fill(engine, catalogue, Plan((), ()), {})
    with reading(engine) as connection:
        view = city_view(connection, edition(connection))
    assert (view.opening, view.composite, view.services, view.conditions) == (None, None, (), ())
