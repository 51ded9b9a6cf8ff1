"""How complete a number is and how long cases wait: in the API, in the CSV and on both pages of a metric."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import dash
import pytest

from layouts.formats import maturity
from layouts.public.api import Api
from layouts.public.site import Site
from metrics.closure import WaitUnit
from metrics.maturity import SETTLED_AGE, Curve
from metrics.model import Grain, Reason, Status
from metrics.waiting import Waiting
from store import maturities, publications
from store.engine import open_engine, reading, writing
from store.maturities import Maturity
from store.migrations import migrate
from tests.layouts.published_city import AS_OF, NOW, catalogue_of, city_files, desk_over, fill, plan_of
from tests.layouts.test_today import mount, texts

START, END = AS_OF - timedelta(days=91), AS_OF
SLOW = Waiting(WaitUnit.DAYS, START, END, 40, 12, None, None, 0.375, 2.0, 31, 33.5, 80.0)
"""Fewer than half of the cases are closed: neither share is reached."""

QUICK = Waiting(WaitUnit.HOURS, START, END, 200, 190, 5.5, 40.0, 0.97, 5.0, 10, 12.0, 96.0)
CURVE = Curve((0.756, 0.954, *[1.0] * (SETTLED_AGE - 1)), (), (10.0,) * 7)
LAST_MATURE = AS_OF - timedelta(days=3)
COUNTED = {
    "pothole_on_time": Maturity(CURVE, LAST_MATURE, SLOW),
    "tree_on_time": Maturity(None, None, QUICK),
    "flu_shots": Maturity(None, None, None),
}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """The small city with a publication whose newest potholes are young, and with waits."""
    catalogue = catalogue_of(city_files())
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('matured') / 'city.db'}")
    migrate(engine, catalogue.city, lambda: NOW)
    planned, knowledge = plan_of(catalogue)
    scores = tuple(_aged(score) for score in planned.scores)
    fill(engine, catalogue, replace(planned, scores=scores), knowledge)
    with writing(engine, lambda: NOW) as held:
        maturities.save(held.connection, publications.current(held.connection).publication, COUNTED)
    yield engine, catalogue
    engine.dispose()


def _aged(score):
    """The potholes of the newest week 95.4% known, their newest day three quarters, all before it whole."""
    if score.metric != "pothole_on_time" or score.district:
        return score
    if score.period.end < AS_OF:
        return replace(score, completeness=1.0)
    if score.period.grain is Grain.WEEK:
        return replace(score, completeness=0.954, status=Status.PROVISIONAL)
    too_early = Reason("immature", {"completeness": 0.756})
    return replace(
        score, completeness=0.756, status=Status.IMMATURE, score=None, verdict=None, reason=too_early
    )


@pytest.fixture(scope="module")
def api(city):
    return Api(desk_over(*city))


def answered(answer):
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def public(city, metric, grain="week"):
    page = Site(desk_over(*city)).metric({"grain": grain}, metric).body.decode()
    return unescape(" ".join(re.sub("<[^>]+>", " ", page).split()))


def staff(city, metric, grain="week"):
    app = mount(*city)
    [found] = [one for one in dash.page_registry.values() if one["module"].endswith("pages.metric")]
    with app.server.test_request_context("/staff/"):
        return " ".join(texts(found["layout"](metric_id=metric, grain=grain)).split())


# --- completeness --------------------------------------------------------------------------------


def test_points_say_how_complete_they_are_and_whether_they_may_change(api):
    *_, before, newest = answered(api.series({"grain": "week"}, "pothole_on_time"))["points"]
    assert (newest["completeness"], newest["provisional"], newest["status"]) == (0.954, True, "provisional")
    assert (before["completeness"], before["provisional"], before["status"]) == (1.0, False, "final")
    day = answered(api.metric({}, "pothole_on_time"))["latest"]["day"]
    assert (day["completeness"], day["provisional"], day["score"]) == (0.756, False, None)
    assert (day["status"], day["reason"]) == ("immature", "immature")
    assert day["value"] is not None, "what is known is said, without a score"


def test_completeness_that_is_not_measured_is_null(api):
    points = answered(api.series({"grain": "week"}, "tree_on_time"))["points"]
    assert {one["completeness"] for one in points} == {None}


def test_the_csv_says_the_same_of_completeness(api):
    text = api.series_csv({"grain": "week"}, "pothole_on_time").body.decode()
    row = list(csv.DictReader(io.StringIO(text)))[-1]
    assert (row["completeness"], row["provisional"], row["status"]) == ("0.954", "True", "provisional")


@pytest.mark.parametrize("page", [public, staff], ids=["public", "staff"])
def test_both_pages_say_how_complete_the_metric_is(city, page):
    said = page(city, "pothole_on_time")
    assert maturity.last_mature_day(LAST_MATURE) in said
    assert "By now usually 95% of it is known, so the score may still change." in said
    assert "Provisional: 1 score may still change" in said
    early = page(city, "pothole_on_time", "day")
    assert "By now usually only 75% of what belongs to this period is known" in early
    assert "Too early" in early
    assert "How complete" not in page(city, "flu_shots")


# --- waits ---------------------------------------------------------------------------------------


def test_the_api_says_how_long_cases_wait_and_null_where_that_is_not_reached(api):
    slow = answered(api.metric({}, "pothole_on_time"))["metric"]
    assert slow["last_mature_day"] == LAST_MATURE.isoformat()
    assert slow["time_to_close"] == {
        "unit": "days",
        "median": None,
        "p90": None,
        "reached": 0.375,
        "closed_only_median": 2.0,
        "cohort": {"start": START.isoformat(), "end": END.isoformat(), "cases": 40, "closed": 12},
    }
    assert slow["backlog"] == {"open": 31, "age_median": 33.5, "age_p90": 80.0}
    quick = answered(api.metric({}, "tree_on_time"))["metric"]
    assert (quick["time_to_close"]["unit"], quick["time_to_close"]["median"]) == ("hours", 5.5)
    assert quick["last_mature_day"] is None


@pytest.mark.parametrize("metric", ["flu_shots", "park_on_time"])
def test_a_metric_without_waits_has_every_field_null(api, metric):
    found = answered(api.metric({}, metric))["metric"]
    assert (found["time_to_close"], found["backlog"], found["last_mature_day"]) == (None, None, None)


@pytest.mark.parametrize("page", [public, staff], ids=["public", "staff"])
@pytest.mark.parametrize("waiting", [SLOW, QUICK], ids=["slow", "quick"])
def test_both_pages_say_how_long_it_takes_in_sentences_and_numbers(city, page, waiting):
    said = page(city, "pothole_on_time" if waiting is SLOW else "tree_on_time")
    assert "How long it takes" in said
    for text in (
        maturity.time_to_close(waiting),
        maturity.open_cases_count(waiting),
        maturity.backlog(waiting),
    ):
        assert text in said
    for name, number in maturity.waiting_facts(waiting):
        assert f"{name} {number}" in said
    assert ("not reached" in said) == (waiting is SLOW)
    assert "How long it takes" not in page(city, "flu_shots")


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        (
            SLOW,
            "Of the 40 cases opened from Aug 24, 2026 to Nov 22, 2026, fewer than half are closed, "
            "so no time to close can be given yet.",
        ),
        (
            QUICK,
            "Of the 200 cases opened from Aug 24, 2026 to Nov 22, 2026, half were closed within 5.5 hours "
            "and nine in ten within 40 hours.",
        ),
        (
            replace(QUICK, p90=None),
            "Of the 200 cases opened from Aug 24, 2026 to Nov 22, 2026, half were closed within 5.5 hours; "
            "nine in ten are not reached yet.",
        ),
        (replace(QUICK, cases=0, closed=0), "No case was opened in the last thirteen weeks."),
    ],
)
def test_time_to_close_is_said_so_that_it_can_be_quoted(waiting, sentence):
    assert maturity.time_to_close(waiting) == sentence


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        (
            SLOW,
            "31 cases are open now; half of them have waited more than 33.5 days, "
            "one in ten more than 80 days.",
        ),
        (replace(SLOW, open=1, age_median=4.0, age_p90=4.0), "1 case is open now; it has waited 4 days."),
        (replace(SLOW, open=0, age_median=None, age_p90=None), "No case is open now."),
    ],
)
def test_a_backlog_is_said_so_that_it_can_be_quoted(waiting, sentence):
    assert maturity.backlog(waiting) == sentence


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        (
            SLOW,
            "The 28 cases still open count with the time they have waited; without them the median would be "
            "2 days.",
        ),
        (replace(QUICK, closed=200), ""),
    ],
)
def test_what_open_cases_do_to_the_median_is_said(waiting, sentence):
    assert maturity.open_cases_count(waiting) == sentence


def test_the_last_mature_day_is_said_so_that_it_can_be_quoted():
    said = "Complete up to Nov 20, 2026: of later days, less than 98% is usually known by now."
    assert maturity.last_mature_day(date(2026, 11, 20)) == said
    assert maturity.last_mature_day(None) == ""


def test_a_publication_made_before_waits_were_counted_says_nothing_of_them(published_city):
    with reading(published_city.engine) as connection:
        publication = publications.current(connection).publication
        assert maturities.read(connection, publication) == {}
    found = answered(
        Api(desk_over(published_city.engine, published_city.catalogue)).metric({}, "tree_on_time")
    )
    assert found["metric"]["backlog"] is None
