"""Demand beside a department's score: the records of its measures, never those of some of them alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layouts.charts.course import WIDE
from layouts.charts.demand import demand_picture
from layouts.demand_section import demand_section
from layouts.demand_view import DemandView, demand_view
from layouts.department_view import department_view
from layouts.desk import edition
from layouts.formats import demand
from store import publications
from store.engine import reading


@pytest.fixture(scope="module")
def opened(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        yield connection, now, department_view(connection, now, now.catalogue.departments["public_works"])


@pytest.fixture
def view(opened) -> DemandView:
    connection, _now, department = opened
    found = demand_view(connection, department)
    assert found is not None
    return found


def test_records_are_those_behind_the_published_scores_of_each_period(opened, view):
    connection, now, department = opened
    newest = view.newest
    expected = 0
    for metric in view.metrics:
        found = publications.series(
            connection, now.publication, metric.id, view.grain, since=newest.period.start
        )
        expected += next(one.n for one in found if one.period == newest.period)
    composite = department.scores.composites[view.grain]
    assert (newest.records, newest.score, newest.period) == (expected, composite.score, composite.period)
    assert {one.department for one in view.metrics} == {"public_works"}


def test_where_the_records_of_one_measure_are_not_known_none_are_told(opened):
    connection, _now, department = opened
    lines = department.scores.services
    missing = replace(lines[0], recent=lines[0].recent[:-1])
    found = demand_view(
        connection, replace(department, scores=replace(department.scores, services=(missing, *lines[1:])))
    )
    assert found is not None and found.newest.records is None and found.past[-2].records
    assert demand.finding(found) == "Not all records of the newest period are known yet."


@pytest.mark.parametrize(
    ("factor", "said"), [(1.0, "about as many as usual"), (1.4, "more than the usual"), (0.6, "fewer than")]
)
def test_the_newest_period_is_held_against_the_usual_one(view, factor, said):
    newest = replace(view.newest, records=round(view.usual * factor))
    assert said in demand.finding(replace(view, past=(*view.past[:-1], newest)))


def test_of_few_periods_nothing_is_usual_and_a_missing_one_leaves_its_place_empty(view):
    few = replace(view, past=(replace(view.past[-3], records=None, score=None), *view.past[-2:]))
    assert few.usual is None and "usual" not in demand.finding(few)
    assert demand_picture(few, WIDE).count("volume") == 2


def test_a_department_that_counts_no_records_has_no_such_section(opened):
    connection, _now, department = opened
    without = replace(department, scores=replace(department.scores, services=()))
    assert demand_view(connection, without) is None and demand_section(None) == []
