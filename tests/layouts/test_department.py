"""The page of a department: true sentences, published numbers, and every link that keeps its publication."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dash
import pytest
from flask import Flask

from layouts import formats, staff
from layouts.access import NotAllowed
from layouts.department_view import DepartmentView, department_view
from layouts.desk import Desk, edition
from layouts.formats import company, departments
from layouts.links import department_link, metric_link
from metrics.model import Department, Grain, Period, Reason, Status
from metrics.plan import Plan
from store.engine import reading
from tests.layouts.published_city import catalogue_of, city_files, fill, plan_of
from tests.people import an_admin

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@pytest.fixture(scope="module")
def mounted(published_city):
    server = Flask("departments")
    desk = Desk(published_city.engine, published_city.catalogue, lambda: None, "build")
    app = staff.mount(server, desk, an_admin, ASSETS)
    server.test_client().get("/staff/today")
    return app


def page():
    return next(page for page in dash.page_registry.values() if page["module"].endswith("pages.department"))


def text_of(app, **query) -> str:
    with app.server.test_request_context("/staff/"):
        made = page()["layout"](**query)

    def written(one):
        return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)

    return json.dumps(made, default=written, ensure_ascii=False)


def view_of(engine, department) -> DepartmentView:
    with reading(engine) as connection:
        now = edition(connection)
        found = now.catalogue.departments.get(department) or Department(department, "Nowhere Yet")
        return department_view(connection, now, found)


@pytest.fixture
def works(published_city) -> DepartmentView:
    return view_of(published_city.engine, "public_works")


def with_composite(view, **changes) -> DepartmentView:
    scores = view.scores
    changed = replace(scores.composite, **changes)
    return replace(view, scores=replace(scores, composites={**scores.composites, scores.opening: changed}))


def test_a_department_has_its_own_composites_and_only_its_own_metrics(works, published_city):
    assert {line.metric.department for line in works.lines} == {"public_works"}
    published = [
        one
        for one in published_city.plan.composites
        if (one.scope, one.scope_id, one.period.grain) == ("department", "public_works", Grain.MONTH)
    ]
    assert works.scores.composites[Grain.MONTH] == max(published, key=lambda one: one.period.start)


def test_a_department_says_how_sure_its_own_score_is(works, mounted):
    composite, sure = works.scores.composite, works.sure
    assert sure.composite is composite and sure.entered == composite.scored + len(composite.late)
    shown = text_of(mounted, department_id="public_works")
    for said in (company.title(), company.lead(sure), *(one.meaning for one in company.readings(sure))):
        assert said in shown
    names = ["Geometric mean", "Without any one service", "Under other weights", "By chance", "Boston"]
    assert all(name in shown for name in names)


def test_staff_see_the_metrics_too_that_are_not_public(published_city):
    health = view_of(published_city.engine, "health")
    assert "secret_on_time" in [line.metric.id for line in health.scores.conditions]


def test_a_year_before_is_the_same_week_fifty_two_weeks_ago_as_published(works, published_city):
    line = works.scores.services[0]
    before = works.scores_before[line.metric.id]
    assert line.score.period.start - before.period.start == timedelta(weeks=52)
    published = [
        one
        for one in published_city.plan.scores
        if (one.metric, one.district, one.period) == (line.metric.id, "", before.period)
    ]
    assert published == [before]


def test_what_was_not_published_a_year_before_is_not_compared(published_city, empty_database):
    catalogue = published_city.catalogue
    planned, knowledge = plan_of(catalogue)
    recent = [one for one in planned.composites if one.period.start >= date(2026, 6, 1)]
    scores = [one for one in planned.scores if one.period.start >= date(2026, 6, 1)]
    engine = empty_database(catalogue)
    fill(engine, catalogue, Plan(tuple(scores), tuple(recent)), knowledge)
    view = view_of(engine, "public_works")
    assert (view.composites_before, view.scores_before) == ({}, {})
    assert departments.year_before(None) == "A year before: not published"
    assert departments.compared_period(view) == ""


def test_the_headline_counts_what_was_on_target_and_when(works):
    composite = works.scores.composite
    assert departments.headline(works) == (
        f"Public Works: {composite.on_target} of {composite.scored} measures on target in the week to "
        "Nov 22, 2026"
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scored": 1, "on_target": 1}, "Public Works: its one scored measure was on target in the week to"),
        ({"scored": 1, "on_target": 0}, "Public Works: its one scored measure missed its target in the week"),
        (
            {"score": None, "scored": 2, "total": 5},
            "no score in the week to Nov 22, 2026, 2 of 5 measures have",
        ),
        (
            {"score": None, "scored": 0, "total": 1},
            "no score in the week to Nov 22, 2026, 0 of 1 measure has",
        ),
        ({"score": None, "total": 2, "late": ("a", "b")}, "2026, everything is late"),
        (
            {"score": None, "total": 0, "reason": Reason("all_closed")},
            "Public Works: every service was closed",
        ),
    ],
)
def test_there_is_a_true_sentence_whatever_was_published(works, changes, says):
    assert says in departments.headline(with_composite(works, **changes))


def test_a_department_without_metrics_says_so_and_shows_no_empty_parts(
    mounted, published_city, empty_database
):
    bare = view_of(published_city.engine, "nowhere")
    assert departments.headline(bare) == "Nowhere Yet has no measures yet"
    files = city_files()
    files["departments.toml"] += '[library]\nname = "Library"\n'
    catalogue = catalogue_of(files)
    planned, knowledge = plan_of(catalogue)
    engine = empty_database(catalogue)
    fill(engine, catalogue, planned, knowledge)
    view = view_of(engine, "library")
    assert (view.lines, view.sources) == ((), ())
    assert departments.headline(view) == "Library has no measures yet"


def test_a_department_of_conditions_alone_holds_nothing_against_a_target(works):
    only = replace(works, scores=replace(works.scores, services=()))
    assert departments.headline(only) == "Public Works: nothing here is held against a target"


@pytest.mark.parametrize(
    ("grain", "start", "end", "said"),
    [
        ("day", (2026, 11, 22), (2026, 11, 23), "on Sun, Nov 22, 2026"),
        ("week", (2026, 11, 16), (2026, 11, 23), "in the week to Nov 22, 2026"),
        ("month", (2026, 10, 1), (2026, 11, 1), "in October 2026"),
        ("quarter", (2026, 8, 1), (2026, 11, 1), "in Aug – Oct 2026"),
    ],
)
def test_a_sentence_ends_with_its_period(grain, start, end, said):
    assert departments.when(Period(Grain(grain), date(*start), date(*end))) == said


def test_a_source_says_how_far_it_was_known_and_who_waits_for_it(published_city):
    parks = view_of(published_city.engine, "parks")
    cases, library = parks.sources
    assert (cases.source.id, cases.late) == ("cases", ())
    assert departments.freshness(cases, parks).endswith("when the scores were made.")
    assert "4 days before the scores were made" in departments.freshness(library, parks)
    assert departments.late_measures(library) == "Waiting for it: Library holds filled on time"
    assert departments.late_measures(cases) == ""
    assert departments.late_measures_note(parks) == (
        "Library holds filled on time is late: its newest periods have no score yet"
    )
    assert departments.late_measures_note(view_of(published_city.engine, "public_works")) == ""
    never = replace(library, known_until=None)
    assert departments.freshness(never, parks) == "Nothing of it was known."


@pytest.mark.parametrize(("n", "said"), [(0, False), (1, True), (9, True), (10, False), (None, False)])
def test_few_records_are_said(works, n, said):
    line = works.scores.services[0]
    assert bool(departments.few_records(line.metric, replace(line.score, n=n))) is said


def test_the_page_shows_every_part(mounted, works):
    shown = text_of(mounted, department_id="public_works")
    for part in (
        departments.headline(works),
        "A year before: ",
        "Why the score moved",
        "How fresh its data are",
        "City cases",
        "Its measures, weekly",
        "Volume, backlog and conditions",
        "Requests opened",
    ):
        assert part in shown, part
    for line in works.lines:
        assert f"/staff/metric/{line.metric.id}?grain=week" in shown


def test_a_late_source_is_named_late_on_the_page(mounted):
    shown = text_of(mounted, department_id="parks")
    assert "Waiting for it: Library holds filled on time" in shown


def test_an_unknown_department_and_an_unknown_day_are_answered_by_a_sentence(mounted):
    assert "There is no such department" in text_of(mounted, department_id="nothing")
    assert "There is no such publication" in text_of(mounted, department_id="parks", as_of="2001-01-01")
    assert "This cannot be answered" in text_of(mounted, department_id="parks", as_of="soon")


def test_a_department_asked_for_on_another_day_keeps_its_publication_in_every_link(
    published_city, empty_database
):
    catalogue = published_city.catalogue
    planned, knowledge = plan_of(catalogue)
    engine = empty_database(catalogue)
    fill(engine, catalogue, planned, knowledge)
    fill(engine, catalogue, Plan((), ()), knowledge, now=datetime(2026, 11, 24, tzinfo=UTC))
    with reading(engine) as connection:
        first = edition(connection, number=1)
    assert first.is_pinned
    assert metric_link(first, "a", grain="week") == "/staff/metric/a?grain=week&publication=1"
    assert department_link(first, "b") == "/staff/department/b?publication=1"
    newest = replace(first, newest=first.publication.id)
    assert department_link(newest, "b") == "/staff/department/b"


def test_the_mayors_page_leads_to_the_department_and_a_metric_back_to_it(mounted):
    today = next(page for page in dash.page_registry.values() if page["module"].endswith("today"))
    metric = next(page for page in dash.page_registry.values() if page["module"].endswith("pages.metric"))
    with mounted.server.test_request_context("/staff/"):
        assert "/staff/department/public_works" in str(today["layout"]())
        assert "/staff/department/public_works" in str(metric["layout"](metric_id="pothole_on_time"))


def test_nobody_sees_a_department_without_a_judge(mounted):
    with Flask("bare").test_request_context("/staff/department/parks"), pytest.raises(NotAllowed):
        page()["layout"](department_id="parks")


def test_the_printed_parts_add_up_to_the_printed_change_of_the_department(works):
    parts = formats.printed_parts(works.scores)
    assert sum(part.amount for part in parts) == formats.movement(works.scores.composite).amount


def test_a_provisional_measure_is_counted_in_its_own_department_alone(works, published_city):
    assert works.scores.provisional == 1
    assert view_of(published_city.engine, "parks").scores.provisional == 0
    assert Status.PROVISIONAL in {line.score.status for line in works.scores.services if line.score}
