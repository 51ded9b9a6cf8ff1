"""The API: the shapes others rely on, numbers as published, and refusals that say the fix."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

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
    "lowest",
    "worst",
}
POINT = {
    *("start", "end", "value", "numerator", "denominator", "target", "score", "status", "reason"),
    *("n", "low", "high", "verdict", "provisional", "completeness"),
    *("first_published", "first_published_score", "first_published_in", "backfilled"),
    "signal",
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


def test_every_window_says_what_stands_beside_its_score(api, published_city):
    found = body(api.scores({}))
    for scope, windows in (("", found["city"]), *found["departments"].items()):
        for grain, window in windows.items():
            [said] = [
                one
                for one in published_city.plan.composites
                if (one.scope, one.scope_id) == ("department" if scope else "city", scope)
                and (one.period.grain, one.period.start.isoformat()) == (grain, window["period"]["start"])
            ]
            assert window["geometric"] == said.geometric and window["cityscore"] == said.cityscore
            for band in ("weight_band", "sampling_band", "leave_one_out"):
                pair = getattr(said, band)
                assert window[band] == (list(pair) if pair else None)
            counts = [window[name] for name in ("on_target", "scored", "total")]
            assert counts == [said.on_target, said.scored, said.total] == sorted(counts)
            assert window["meets"] + window["cannot_tell"] + window["misses"] <= window["scored"]
            assert window["coverage"] == said.coverage
            assert window["lowest"] == (window["worst"][0] if window["worst"] else None)
            assert [(one["metric"], one["score"]) for one in window["worst"]] == list(said.lowest)


def test_beside_a_score_stand_numbers_and_beside_a_withheld_one_only_bostons(api):
    found = body(api.scores({}))
    week, withheld = found["city"]["week"], found["departments"]["health"]["week"]
    assert week["lowest"].keys() == {"metric", "score"}
    assert week["lowest"]["score"] < week["geometric"] < week["score"] < week["cityscore"]
    for low, high in (week["weight_band"], week["sampling_band"], week["leave_one_out"]):
        assert low < week["score"] < high
    beside = ("geometric", "leave_one_out", "weight_band", "sampling_band")
    assert withheld["score"] is None and {withheld[name] for name in beside} == {None}
    assert withheld["cityscore"] is not None


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


# --- vintages ------------------------------------------------------------------------------------


def test_points_carry_what_was_first_published_of_them(two_publications):
    api, newest = two_publications
    found = body(api.series({"grain": newest.period.grain.value}, newest.metric))["points"]
    assert {(one["first_published"], one["first_published_in"], one["backfilled"]) for one in found} == {
        (None, None, True)
    }


@pytest.fixture
def restated(empty_database):
    """The small city published for three days; the last one revises the newest day of the second."""
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    old = [one for one in planned.scores if one.period.end < AS_OF]
    new = [one for one in planned.scores if one.period.end >= AS_OF]
    fill(engine, catalogue, Plan(tuple(old), ()), knowledge, as_of=AS_OF - timedelta(days=1))
    fill(engine, catalogue, Plan(tuple(new), ()), knowledge, now=NOW + timedelta(hours=1))
    day = next(
        one for one in new if (one.metric, one.period.grain, one.district) == ("park_on_time", "day", "")
    )
    changed = replace(day, value=0.5, score=0.625)
    fill(engine, catalogue, Plan((changed,), ()), knowledge, now=NOW + timedelta(hours=2))
    return Api(desk_over(engine, catalogue)), day


def test_a_restated_point_says_both_numbers_in_every_form(restated):
    api, day = restated
    query = {"grain": "day"}
    *_, before, point = body(api.series(query, "park_on_time"))["points"]
    first = (point["first_published"], point["first_published_score"], point["first_published_in"])
    assert first == (day.value, day.score, 2)
    assert (point["value"], point["backfilled"], before["backfilled"]) == (0.5, False, True)
    assert body(api.metric({}, "park_on_time"))["latest"]["day"] == point
    row = list(csv.DictReader(io.StringIO(api.series_csv(query, "park_on_time").body.decode())))[-1]
    assert (row["first_published"], row["backfilled"]) == (str(day.value), "False")


def test_a_pinned_point_was_first_published_by_then(restated):
    api, day = restated
    point = body(api.series({"grain": "day", "publication": "2"}, "park_on_time"))["points"][-1]
    assert point["value"] == point["first_published"] == day.value


def test_revisions_have_the_shape_others_rely_on(restated):
    api, day = restated
    found = body(api.revisions({"grain": "day"}, "park_on_time"))
    assert found["revisions"] == [
        {
            "start": day.period.start.isoformat(),
            "end": day.period.end.isoformat(),
            "publication": 3,
            "published_at": "2026-11-23T12:12:00.000000Z",
            "kind": "revision",
            "value": 0.5,
            "score": 0.625,
            "before_value": day.value,
            "before_score": day.score,
            "reason": None,
        }
    ]
    summary = found["summary"]
    assert (summary["periods"], summary["mean"], summary["sd"]) == (1, 0.5 - day.value, None)
    assert summary["counts"] == {
        "update": 0,
        "revision": 1,
        "correction": 0,
        "definition": 0,
        "withdrawn": 0,
    }
    assert found["definition_changes"] == []
    assert body(api.revisions({"grain": "day", "publication": "2"}, "park_on_time"))["revisions"] == []


def test_revisions_refuse_as_series_do(restated):
    api, _day = restated
    assert "give one of day" in refused(api.revisions({"grain": "year"}, "park_on_time"), 400)
    assert refused(api.revisions({}, "secret_on_time"), 404)


@pytest.fixture
def retired_since(empty_database):
    """A city that published a metric, and then retired it and hid another."""
    files = city_files()
    catalogue = catalogue_of(files)
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    name, hidden = "metrics/pothole_on_time.toml", "metrics/tree_on_time.toml"
    gone = 'retired = { on = 2026-11-24, reason = "Counted by the state now" }\n'
    later = catalogue_of(
        {
            **files,
            name: gone + files[name],
            hidden: files[hidden].replace("public = true", "public = false"),
        }
    )
    rest = tuple(one for one in planned.scores if one.metric != "pothole_on_time")
    day = AS_OF + timedelta(days=1)
    fill(engine, later, Plan(rest, ()), knowledge, as_of=day, now=NOW + timedelta(days=1))
    return Api(desk_over(engine, later))


@pytest.mark.parametrize("pin", [{}, {"publication": "1"}, {"as_of": AS_OF.isoformat()}])
def test_a_withdrawn_metric_is_gone_from_pinned_answers_too(retired_since, pin):
    api = retired_since
    for call in (api.metric, api.series, api.series_csv, api.revisions):
        assert "Counted by the state now" in refused(call(pin, "pothole_on_time"), 410)
        assert refused(call(pin, "tree_on_time"), 404)
    found = body(api.metrics(pin))
    assert found["retired"] == [
        {
            "id": "pothole_on_time",
            "name": "Potholes filled on time",
            "on": "2026-11-24",
            "reason": "Counted by the state now",
        }
    ]
    assert not {"pothole_on_time", "tree_on_time"} & {one["id"] for one in found["metrics"]}


@pytest.fixture
def hidden_since(empty_database):
    """Trees hide small counts of the whole city since, and flu shots have a name nobody knows."""
    files = city_files()
    catalogue = catalogue_of(files)
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    trees, shots = "metrics/tree_on_time.toml", "metrics/flu_shots.toml"
    hiding = re.sub(r"(?m)^weight = .*$", "weight = 0\nhide_small_city = true", files[trees])
    again = files[shots].replace('id = "flu_shots"', 'id = "shots"\nrenamed_from = "vaccinations"')
    later = catalogue_of(
        {name: text for name, text in files.items() if name != shots}
        | {trees: hiding, "metrics/shots.toml": again}
    )
    rest = tuple(one for one in planned.scores if one.metric != "flu_shots")
    day = AS_OF + timedelta(days=1)
    fill(engine, later, Plan(rest, ()), knowledge, as_of=day, now=NOW + timedelta(days=1))
    return Api(desk_over(engine, later))


@pytest.mark.parametrize("pin", [{}, {"publication": "1"}, {"as_of": AS_OF.isoformat()}])
def test_a_city_that_hides_small_counts_now_hides_them_in_pinned_answers_too(hidden_since, pin):
    points = body(hidden_since.series({**pin, "grain": "day"}, "tree_on_time"))["points"]
    assert points and {(one["status"], one["value"]) for one in points} == {("suppressed", None)}
    assert body(hidden_since.signals({**pin, "grain": "day"}, "tree_on_time"))["center"] is None


def test_a_pin_brings_back_no_metric_that_the_newest_definitions_do_not_know(hidden_since):
    """Renamed twice it hides under its newest name only, and nobody could say what of it is hidden by now."""
    for pin in ({}, {"publication": "1"}):
        assert refused(hidden_since.series(pin, "flu_shots"), 404)
        assert "flu_shots" not in {one["id"] for one in body(hidden_since.metrics(pin))["metrics"]}


def test_what_a_reader_wrote_is_said_back_short_and_in_letters_only(api):
    assert len(api.metric({}, "a" * 9_000).body) < 300
    told = json.loads(api.series({"gr\x01\ufffeain\n": "day"}, "pothole_on_time").body)["detail"]
    assert "\n" not in told and "\x01" not in told and "\ufffe" not in told


# --- the documentation -----------------------------------------------------------------------------


DOCS = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def documented(head: str) -> set[str]:
    """The fields in the first column of the table of docs/api.md with this head."""
    [body] = re.findall(rf"^\| {head} \| meaning \|\n\|[-|]+\|\n((?:\|.*\n)+)", DOCS, re.MULTILINE)
    return {name for line in body.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1])}


def test_the_fields_of_a_window_and_of_a_point_are_documented_and_no_others(api):
    assert documented("field of a window") == set(body(api.scores({}))["city"]["week"])
    assert documented("field of a point") == set(body(api.series({}, "tree_on_time"))["points"][-1]) == POINT


def test_what_a_metric_has_beside_its_definition_is_documented(api):
    assert documented("field of a metric") == {"last_mature_day", "time_to_close", "backlog"}
    assert documented("field of a metric") <= set(body(api.metric({}, "tree_on_time"))["metric"])
