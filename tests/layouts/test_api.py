"""The API: the shapes others rely on, numbers as published, and refusals that say the fix."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from layouts.public.api import Api
from metrics.model import Grain
from metrics.plan import Plan
from tests.layouts.published_city import AS_OF, NOW, catalogue_of, city_files, desk_over, fill, plan_of

WINDOW = {
    "score",
    "reason",
    "coverage",
    "ceiling",
    "on_target",
    "meets",
    "cannot_tell",
    "misses",
    "late",
    "scored",
    "total",
    "period",
    "change",
    "change_matched",
    "contributions",
    "geometric",
    "leave_one_out",
    "weight_band",
    "sampling_band",
    "cityscore",
}
POINT = {
    *("start", "end", "value", "numerator", "denominator", "target", "score", "status", "reason"),
    *("n", "low", "high", "verdict", "provisional", "completeness"),
}


@pytest.fixture
def api(desk):
    return Api(desk)


@pytest.fixture
def two_publications(empty_database):
    """A database with a publication for Monday, one made afterwards for the day before, and a newer one."""
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    earlier = AS_OF - timedelta(days=1)
    fill(
        engine,
        catalogue,
        Plan((), ()),
        knowledge,
        as_of=earlier,
        now=NOW + timedelta(hours=1),
        is_current=False,
    )
    newest = max((s for s in planned.scores if s.metric == "pothole_on_time"), key=lambda s: s.period.end)
    changed = Plan((replace(newest, value=0.5, score=0.625),), ())
    later = AS_OF + timedelta(days=1)
    fill(engine, catalogue, changed, knowledge, as_of=later, now=NOW + timedelta(hours=2))
    return Api(desk_over(engine, catalogue)), newest


def body(answer):
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def refused(answer, status):
    problem = json.loads(answer.body)
    assert (answer.status, problem["status"], answer.media_type) == (
        status,
        status,
        "application/problem+json",
    )
    return problem["detail"]


def test_scores_have_the_shape_others_rely_on(api):
    found = body(api.scores({}))
    assert set(found) == {"publication", "city", "departments"}
    assert set(found["publication"]) == {"id", "as_of", "published_at"}
    assert list(found["city"]) == ["day", "week", "month", "quarter"]
    assert list(found["departments"]) == ["public_works", "parks", "health"]
    for windows in (found["city"], *found["departments"].values()):
        for window in windows.values():
            assert set(window) >= WINDOW
    assert found["city"]["week"]["period"] == {"start": "2026-11-16", "end": "2026-11-23"}


def test_scores_are_the_published_composites_unrounded(api, published_city):
    week = body(api.scores({}))["city"]["week"]
    [said] = [
        one
        for one in published_city.plan.composites
        if one.scope == "city" and one.period.grain is Grain.WEEK and one.period.end == AS_OF
    ]
    assert (week["score"], week["coverage"], week["change"]) == (said.score, said.coverage, said.change)
    assert week["late"] == list(said.late) and week["on_target"] == said.on_target
    parts = sum(one["contribution"] for one in week["contributions"])
    assert parts == pytest.approx(week["change"], abs=1e-12)


def test_a_withheld_score_is_null_with_the_id_of_its_reason(api):
    health = body(api.scores({}))["departments"]["health"]
    assert health["week"]["score"] is None
    assert health["week"]["reason"] == "coverage_below_minimum"


def test_a_grain_without_a_period_has_every_field(empty_database):
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    fill(engine, catalogue, Plan((), ()), {})
    window = body(Api(desk_over(engine, catalogue)).scores({}))["city"]["day"]
    assert set(window) >= WINDOW
    assert (window["score"], window["reason"], window["period"]) == (None, "no_period", None)


def test_metrics_are_listed_without_those_that_are_not_public(api):
    found = {one["id"]: one for one in body(api.metrics({}))["metrics"]}
    assert "secret_on_time" not in found
    assert set(found["pothole_on_time"]) >= {"id", "name", "department", "family", "aggregation"}


def test_a_metric_gives_its_definition_and_its_newest_periods(api, published_city):
    found = body(api.metric({}, "trash_on_time"))
    assert [target["value"] for target in found["metric"]["targets"]] == [0.8, 0.85]
    assert found["latest"]["month"]["value"] == published_city.score("trash_on_time", "month").value
    assert found["metric"]["weights"] == [{"value": 1.0, "valid_from": None, "reason": "as first defined"}]


def test_a_series_has_the_shape_others_rely_on(api):
    found = body(api.series({"grain": "week", "since": "2026-11-01"}, "pothole_on_time"))
    assert set(found) >= {"metric", "grain", "unit", "publication", "points"}
    assert (found["metric"], found["grain"], found["unit"]) == ("pothole_on_time", "week", "percent")
    assert [point["start"] for point in found["points"]] == ["2026-11-02", "2026-11-09", "2026-11-16"]
    assert all(set(point) == POINT for point in found["points"])


def test_a_series_is_by_month_unless_asked_otherwise(api):
    assert body(api.series({}, "pothole_on_time"))["grain"] == "month"


def test_points_are_the_published_numbers(api, published_city):
    point = body(api.series({"since": "2026-10-01"}, "pothole_on_time"))["points"][-1]
    said = published_city.score("pothole_on_time", "month")
    assert point["value"] == said.value and point["score"] == said.score
    assert (point["numerator"], point["denominator"]) == (said.numerator, said.denominator)
    assert (point["status"], point["reason"]) == ("final", None)


def test_a_period_without_a_score_has_the_id_of_its_reason(api):
    point = body(api.series({"grain": "week"}, "library_on_time"))["points"][-1]
    assert (point["score"], point["status"], point["reason"]) == (None, "late", "late")


def test_districts_and_the_unknown_one_add_up_to_the_city(api):
    city = body(api.series({"since": "2026-10-01"}, "pothole_on_time"))["points"][-1]
    parts = [
        body(api.series({"since": "2026-10-01", "district": district}, "pothole_on_time"))["points"][-1]
        for district in ("d1", "d2", "d3", "d4", "unknown")
    ]
    for part in ("numerator", "denominator"):
        assert sum(point[part] for point in parts) == city[part]


def test_csv_says_the_same_as_json(api):
    query = {"grain": "week", "since": "2026-08-01"}
    points = body(api.series(query, "library_on_time"))["points"]
    answer = api.series_csv(query, "library_on_time")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert answer.media_type.startswith("text/csv")
    assert rows == [{k: "" if v is None else str(v) for k, v in point.items()} for point in points]


def test_sources_say_how_far_they_were_known_when_it_was_published(api):
    found = {one["id"]: one for one in body(api.sources({}))["sources"]}
    assert found["cases"]["known_until"] == "2026-11-23T09:30:00.000000Z"
    assert found["water"]["known_until"] is None


@pytest.mark.parametrize(
    ("query", "fix"),
    [
        ({"grain": "year"}, "give one of day, week, month, quarter"),
        ({"since": "2026-13-01"}, "give a date like since=2026-01-31"),
        ({"until": "20261101"}, "give a date like until=2026-01-31"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "exchange the two dates"),
        ({"district": "atlantis"}, "give one of d1, d2, d3, d4, unknown"),
        ({"publication": "one"}, "publication=1"),
        ({"publication": "-1"}, "publication=1"),
        ({"publication": "٣"}, "publication=1"),
        ({"as_of": "yesterday"}, "as_of=2026-01-31"),
        ({"publication": "1", "as_of": "2026-11-23"}, "not both"),
        ({"grian": "week"}, "There is no parameter grian. Known here: publication, as_of, grain"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_fix(api, query, fix):
    assert fix in refused(api.series(query, "pothole_on_time"), 400)


def test_what_is_not_there_is_said_to_be_missing(api):
    assert "/api/v1/metrics" in refused(api.metric({}, "nothing"), 404)
    assert refused(api.metric({}, "secret_on_time"), 404).replace("secret_on_time", "x") == refused(
        api.metric({}, "nothing"), 404
    ).replace("nothing", "x")
    assert "/api/v1/publications" in refused(api.scores({"publication": "99"}), 404)
    assert "/api/v1/publications" in refused(api.scores({"as_of": "2020-01-01"}), 404)


def test_a_pinned_answer_stays_what_it_was(two_publications):
    api, newest = two_publications
    query = {"grain": newest.period.grain.value}
    now = body(api.series(query, newest.metric))
    then = body(api.series({**query, "publication": "1"}, newest.metric))
    assert (now["publication"]["id"], now["points"][-1]["value"]) == (3, 0.5)
    assert (then["publication"]["id"], then["points"][-1]["value"]) == (1, newest.value)


def test_a_date_finds_the_newest_publication_made_for_it_or_before(two_publications):
    api, _ = two_publications
    assert body(api.scores({"as_of": AS_OF.isoformat()}))["publication"]["id"] == 1
    assert body(api.scores({"as_of": "2030-01-01"}))["publication"]["id"] == 3


def test_publications_are_listed_newest_first_up_to_the_one_asked_for(two_publications):
    api, _ = two_publications
    found = body(api.publications({}))["publications"]
    assert [(one["id"], one["is_current"]) for one in found] == [(3, True), (2, False), (1, True)]
    assert [one["id"] for one in body(api.publications({"publication": "2"}))["publications"]] == [2, 1]


def test_before_the_first_publication_everything_asks_to_be_asked_again(empty_database):
    catalogue = catalogue_of(city_files())
    api = Api(desk_over(empty_database(catalogue), catalogue))
    for answer in (api.scores({}), api.metrics({}), api.series({}, "pothole_on_time"), api.sources({})):
        assert (answer.status, "Retry-After" in answer.headers) == (503, True)
        assert answer.state is None
    assert json.loads(api.publications({}).body) == {"publications": []}
    assert refused(api.scores({"publication": "1"}), 404)


def test_anyone_may_read_it_from_another_site(api):
    for answer in (api.scores({}), api.series_csv({}, "pothole_on_time"), api.metric({}, "nothing")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
