"""The public pages as HTML: the numbers of the publication, escaped, without scripts, in every state."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import pytest

from layouts import formats
from layouts.public.api import Api
from layouts.public.site import Site
from layouts.views import SourceStart, StartView
from metrics.model import Grain, Reason, Status
from metrics.plan import Plan
from tests.layouts.published_city import AS_OF, catalogue_of, city_files, desk_over, fill, plan_of


@pytest.fixture
def site(desk):
    return Site(desk)


def page(answer, status=200):
    assert answer.status == status
    return unescape(answer.body.decode())


def heading(html):
    return re.search(r"<h1>(.*?)</h1>", html, re.S).group(1)


def site_of(empty_database, scores=(), composites=(), files=None):
    catalogue = catalogue_of(files or city_files())
    engine = empty_database(catalogue)
    fill(engine, catalogue, Plan(tuple(scores), tuple(composites)), {})
    return Site(desk_over(engine, catalogue))


def test_the_home_page_shows_the_score_of_the_api_with_what_belongs_to_it(site, desk):
    html = page(site.home({}))
    week = json.loads(Api(desk).scores({}).body)["city"]["week"]
    tile = re.search(r'<li class="card tile opening">.*?</li>', html, re.S).group(0)
    assert f'<span class="number">{formats.score(week["score"])}</span>' in tile
    assert f"{week['on_target']} of {week['scored']} on target" in tile
    assert "9 of 11 measured weekly have a score: 81% of the weight" in tile
    assert "2 are late and count with no more than their lowest recent scores" in tile


def test_every_page_says_which_publication_it_is_and_of_when(site):
    for html in (page(site.home({})), page(site.metric({}, "pothole_on_time"))):
        assert "Data up to Nov 22, 2026 · publication 1, Nov 23, 2026, 5:12\N{NO-BREAK SPACE}AM" in html


def test_the_home_page_names_the_worst_three_the_late_and_the_provisional(site):
    html = page(site.home({}))
    worst = re.findall(r'<article class="card attention">.*?</article>', html, re.S)
    assert len(worst) == 3 and "Trees cared for on time" in worst[0]
    assert "Water utility has never been loaded." in html
    assert "Provisional: 1 score may still change" in html


def test_every_public_metric_is_a_row_and_no_other(site):
    html = page(site.home({}))
    rows = set(re.findall(r'<th scope="row" role="rowheader"><a href="/metric/(\w+)"', html))
    assert rows >= {"pothole_on_time", "water_on_time", "requests_opened"}
    assert "secret_on_time" not in html and "Inner work" not in html


def test_names_are_escaped(site):
    raw = site.home({}).body.decode()
    assert "Parks &amp; &lt;Recreation&gt;" in raw and "<Recreation>" not in raw


def test_public_pages_run_one_file_for_the_theme_and_set_no_style_of_their_own(site):
    for answer in (site.home({}), site.metric({}, "pothole_on_time"), site.failure(404, "/x", None)):
        html = answer.body.decode()
        assert re.findall(r"<script[^>]*>.*?</script>", html) == [
            '<script src="/assets/theme.js?v=build"></script>'
        ]
        assert " style=" not in html and " onclick" not in html


def test_the_page_of_a_metric_shows_the_numbers_of_the_api(site, desk):
    html = page(site.metric({"grain": "month"}, "pothole_on_time"))
    point = json.loads(Api(desk).metric({}, "pothole_on_time").body)["latest"]["month"]
    shown = f"{point['value']:.1%}"
    assert heading(html) == f"Potholes filled on time: {shown}, below its target of 80%"
    assert f"{point['numerator']} ÷ {point['denominator']}" in html
    assert f"Printed with two digits: {formats.score(point['score'])}." in html


def test_the_page_of_a_metric_has_the_table_its_definition_and_its_targets(site):
    html = page(site.metric({}, "trash_on_time"))
    assert "The same as a table" in html and "What it does not show" in html
    assert re.search(r"<b>85%</b> from Jul 1, 2026.*<b>80%</b> from Jan 1, 2016", html, re.S)
    assert 'href="/api/v1/metrics/trash_on_time/series.csv?grain=week"' in html
    # The course and the control chart, each as drawn for screens and for phones; a map and two dot plots.
    course, districts = html.split('id="districts"')
    assert (course.count('role="img"'), districts.count('role="img"')) == (4, 3)


def test_districts_are_shown_with_the_unknown_one(site):
    html = page(site.metric({}, "pothole_on_time"))
    table = html[html.index("by neighborhood</h2>") :]
    assert all(name in table for name in ("North End", "Südhöhe", "Not known"))


def test_a_condition_says_that_it_stands_beside_the_score(site):
    html = page(site.metric({}, "requests_opened"))
    assert "shown beside the city's score, never inside it" in html
    assert "never scored" in html


@pytest.mark.parametrize("metric", ["nothing", "secret_on_time", "POTHOLE"])
def test_an_unknown_metric_and_one_not_public_are_missing_alike(site, metric):
    assert heading(page(site.metric({}, metric), 404)) == "There is no such metric"


def test_a_bad_question_is_answered_with_the_fix(site):
    assert "give one of day, week, month, quarter" in page(
        site.metric({"grain": "year"}, "pothole_on_time"), 400
    )
    assert "grian" in page(site.metric({"grian": "week"}, "pothole_on_time"), 400)
    assert "publication=1" in page(site.home({"publication": "x"}), 400)


def test_a_pinned_page_says_so_and_its_links_stay_with_the_publication(empty_database):
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    fill(engine, catalogue, Plan((), ()), knowledge)
    html = page(Site(desk_over(engine, catalogue)).home({"publication": "1"}))
    assert "You are reading publication 1. A newer one, 2, has been made since." in html
    assert 'href="/metric/pothole_on_time?publication=1"' in html


def test_a_missing_page_is_a_page_and_a_missing_call_is_json(site):
    assert "There is no such page" in page(site.failure(404, "/nothing", None), 404)
    assert json.loads(site.failure(404, "/api/v2", None).body)["status"] == 404
    assert site.failure(503, "/", None).status == 503


# --- states ------------------------------------------------------------------------------------


def test_before_the_first_publication_the_page_says_what_is_missing_and_the_command(published_city, desk):
    command = "CITY=harbor python -m ingest run cases --from FILE"
    sources = (
        SourceStart("cases", "City cases", False, "failed", command),
        SourceStart("library", "Library", True, "succeeded", "no"),
    )
    start = StartView(desk.catalogue.city, 3, sources, "cases: 4,000 rows read")
    catalogue = catalogue_of(city_files())
    waiting = replace(desk, start=lambda: start)
    site = Site(waiting)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("layouts.desk.publications.find", lambda *_a, **_k: None)
        answer = site.home({})
    html = page(answer, 503)
    assert answer.headers["Retry-After"] == "5" and answer.state is None
    assert '<meta http-equiv="refresh" content="5">' in html
    assert command in html and "cases: 4,000 rows read" in html
    assert html.count("<pre>") == 1
    assert catalogue.city.name in heading(html)


def test_an_empty_city_has_a_true_page(empty_database):
    site = site_of(empty_database, files=city_files(()))
    assert heading(page(site.home({}))) == "This city has no public metrics yet"


def test_a_city_where_everything_is_late_says_so(empty_database):
    planned, _ = plan_of(catalogue_of(city_files()))
    late = [
        replace(score, score=None, status=Status.LATE, reason=Reason("late", {"source": "cases"}))
        for score in planned.scores
        if score.period.end == AS_OF and score.district == ""
    ]
    reason = Reason("coverage_below_minimum", {"coverage": 0.0, "minimum": 0.75})
    composites = [
        replace(
            one,
            score=None,
            reason=reason,
            coverage=0.0,
            scored=0,
            on_target=0,
            total=3,
            late=("a", "b", "c"),
            lowest=(),
            change=None,
            contributions=(),
        )
        for one in planned.composites
        if one.period.end == AS_OF and one.scope == "city"
    ]
    html = page(site_of(empty_database, late, composites).home({}))
    assert heading(html) == "No city score: everything is late"
    assert "Only 0% of the weight has a score" in html
    assert "The data of City cases" not in html or "should be here and are not" in html
    assert ">0.00<" not in html


def test_a_city_with_one_metric_has_a_true_page(empty_database):
    from tests.layouts.published_city import SKETCHES

    one = SKETCHES[:1]
    catalogue = catalogue_of(city_files(one))
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue, one)
    fill(engine, catalogue, planned, knowledge)
    html = page(Site(desk_over(engine, catalogue)).home({}))
    assert heading(html) == "City services are below target: one is scored weekly"
    assert "The one measured weekly has a score" in html


def test_a_metric_that_never_had_data_has_a_true_page(site):
    html = page(site.metric({}, "water_on_time"))
    assert heading(html) == "Water leaks closed on time: late"
    assert "There are not yet two periods to draw." in html


@pytest.mark.parametrize("grain", list(Grain))
def test_every_grain_of_every_metric_has_a_page(site, published_city, grain):
    for metric in published_city.catalogue.metrics.values():
        if metric.public:
            assert page(site.metric({"grain": grain.value}, metric.id))
