"""How sure a score is, in words: golden sentences, published numbers, and the weights in the open."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from layouts.city_view import city_view
from layouts.company_view import CompanyView, WeighedLine, company_view
from layouts.desk import edition
from layouts.formats import company
from layouts.public.api import Api
from layouts.public.site import Site
from metrics.model import Composite, Grain, Period, Weight
from store.engine import reading
from tests.layouts.published_city import desk_over
from tests.layouts.test_today import mount, page, part, texts

WEEK = Period(Grain.WEEK, date(2026, 11, 16), date(2026, 11, 23))
COMPOSITE = Composite(
    scope="city",
    scope_id="",
    period=WEEK,
    score=0.9712,
    reason=None,
    coverage=1.0,
    ceiling=1.2,
    total=9,
    scored=8,
    on_target=5,
    late=("library_on_time",),
    lowest=(("pothole_on_time", 0.61), ("tree_on_time", 0.8)),
    geometric=0.9513,
    leave_one_out=(0.9312, 1.0021),
    weight_band=(0.9049, 1.0375),
    sampling_band=(0.9524, 0.9900),
    cityscore=1.1049,
)


@pytest.fixture(scope="module")
def city(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        assert now is not None
        return city_view(connection, now)


@pytest.fixture
def made(city):
    """The company of one composite, with changes to it."""

    def make(on_target=0.437, entered=9, **changes) -> CompanyView:
        [lowest] = [line for line in city.services if line.metric.id == "pothole_on_time"]
        return CompanyView(
            composite=replace(COMPOSITE, **changes),
            lowest=lowest,
            on_target=on_target,
            entered=entered,
            weighed=(WeighedLine(lowest, 1.0, 1 / entered),),
        )

    return make


@pytest.fixture
def sure(published_city):
    """The company of a view of the city, or of one with changes to it."""

    def of(view):
        with reading(published_city.engine) as connection:
            return company_view(connection, view)

    return of


def rows(view):
    return [(one.name, one.number, one.meaning) for one in company.readings(view)]


# --- sentences -----------------------------------------------------------------------------------


def test_a_score_is_read_in_seven_ways(made):
    assert rows(made()) == [
        ("As published", "0.97", "The weighted mean of 9 services."),
        ("Geometric mean", "0.95", "A low score is made good by a high one only in part."),
        ("Lowest service", "0.61", "Potholes filled on time"),
        (
            "Without any one service",
            "0.93 to 1.00",
            "The least and the most it is when one service is left out.",
        ),
        ("Under other weights", "0.90 to 1.04", "Nine in ten of the weightings near the published one."),
        (
            "By chance",
            "0.95 to 0.99",
            "Where chance would put it 95 times in 100, the services being no better and no worse.",
        ),
        (
            "Boston's arithmetic",
            "1.10",
            "The plain mean of value ÷ target over services and conditions, without cap or weights.",
        ),
    ]


def test_what_is_not_known_says_why(made):
    found = rows(made(leave_one_out=None, sampling_band=None, cityscore=None, entered=1))
    assert ("As published", "0.97", "The score of 1 service.") in found
    assert ("Without any one service", "–", "There is only one service in it.") in found
    assert ("By chance", "–", "Not known: for a service in it no interval can be given.") in found
    assert ("Boston's arithmetic", "–", "No measure here can be put into its formula.") in found


@pytest.mark.parametrize(
    ("share", "sentence"),
    [
        (0.437, "With 43% of other weightings the score would be on target or above."),
        (0.9949, "With more than 99% of other weightings the score would be on target or above."),
        (1.0, "With more than 99% of other weightings the score would be on target or above."),
        (0.0001, "With fewer than 1% of other weightings the score would be on target or above."),
        (None, "The same results, read in other ways."),
    ],
)
def test_how_much_hangs_on_the_weights_is_one_sentence(made, share, sentence):
    assert company.lead(made(share)) == sentence


def test_without_a_score_only_bostons_arithmetic_is_given(made):
    withheld = made(None, score=None)
    assert company.lead(withheld) == (
        "There is no score. Boston's arithmetic asks for no coverage, so it is given all the same."
    )
    assert [name for name, *_ in rows(withheld)] == ["Boston's arithmetic"]


def test_a_band_whose_ends_print_alike_is_one_number():
    assert company.band((0.801, 0.803)) == "0.80"


@pytest.mark.parametrize(
    ("since", "text"),
    [(date.min, "2.5 from the first publication on"), (date(2026, 7, 1), "2.5 from Jul 1, 2026")],
)
def test_a_weight_says_since_when(since, text):
    assert company.weight_since(Weight(2.5, since, "Council")) == text
    assert company.weight_reason(Weight(2.5, since, "Council")) == ("" if since == date.min else "Council")


# --- what a publication says ---------------------------------------------------------------------


def test_the_numbers_are_those_of_the_publication(city, sure):
    view = sure(city)
    assert view.composite is city.composite
    assert view.lowest.metric.id == city.composite.lowest[0][0]
    assert view.composite.geometric < view.composite.score
    low, high = view.composite.weight_band
    assert low < view.composite.score < high
    assert 0 < view.on_target < 1
    assert view.composite.cityscore is not None


def test_the_shares_of_the_score_add_up(city, sure):
    entered = [one for one in sure(city).weighed if one.share is not None]
    assert sum(one.share for one in entered) == pytest.approx(1)
    assert {one.line.metric.id for one in entered} == {
        line.metric.id
        for line in city.services
        if line.score.score is not None or line.score.seat is not None
    }
    water = [one for one in sure(city).weighed if one.line.metric.id == "water_on_time"]
    assert [one.share for one in water] == [None]
    assert company.share_of_score(water[0]) == "–"
    assert company.share_of_score(WeighedLine(water[0].line, 1.0, 0.1099)) == "10%"


def test_a_page_that_shows_a_part_of_the_services_still_speaks_of_the_whole_score(city, sure):
    [*some, last] = [line for line in city.services if line.score and line.score.score is not None]
    assert last.score.score != city.composite.score
    whole, part = sure(city), sure(replace(city, services=tuple(some)))
    assert (part.on_target, part.entered) == (whole.on_target, whole.entered)
    assert len(part.weighed) == len(some) < len(whole.weighed)


def test_nothing_is_said_of_other_weights_where_the_scores_make_another_composite(city, sure):
    other = replace(city.composite, score=city.composite.score + 0.01)
    assert sure(replace(city, composites={city.opening: other})).on_target is None


def test_a_city_without_any_number_says_nothing_of_how_sure_it_is(city, sure):
    nothing = replace(city.composite, score=None, cityscore=None)
    assert sure(replace(city, composites={city.opening: nothing})) is None
    assert sure(replace(city, opening=None)) is None


def test_both_pages_say_how_sure_the_score_is_below_what_it_says(published_city, city, sure):
    view = sure(city)
    home = Site(desk_over(published_city.engine, published_city.catalogue)).home({}).body.decode()
    staff = page(mount(published_city.engine, published_city.catalogue))
    said = texts(part(staff, "sure"))
    for text in (company.lead(view), *(one.number for one in company.readings(view))):
        assert text in home
        assert text in said
    assert home.index('id="services"') < home.index('id="sure"')


def test_a_metric_shows_its_dated_weights_to_everybody(published_city):
    desk = desk_over(published_city.engine, published_city.catalogue)
    shown = Site(desk).metric({}, "pothole_on_time").body.decode()
    assert "Weight in the score" in shown
    assert "1 from the first publication on" in shown
    assert "Weight in the score" not in Site(desk).metric({}, "requests_opened").body.decode()


def test_the_weights_of_all_metrics_are_in_one_answer_of_the_api(published_city):
    desk = desk_over(published_city.engine, published_city.catalogue)
    listed = json.loads(Api(desk).metrics({}).body)["metrics"]
    weights = {one["id"]: one["weights"] for one in listed}
    assert weights["pothole_on_time"] == [{"value": 1.0, "valid_from": None, "reason": "as first defined"}]
    assert weights["requests_opened"] == []


def test_the_api_gives_the_company_of_every_window(published_city, city):
    desk = desk_over(published_city.engine, published_city.catalogue)
    window = json.loads(Api(desk).scores({}).body)["city"][city.opening]
    composite = city.composite
    assert window["geometric"] == composite.geometric
    assert window["leave_one_out"] == list(composite.leave_one_out)
    assert window["weight_band"] == list(composite.weight_band)
    assert window["cityscore"] == composite.cityscore
    assert window["lowest"] == dict(zip(("metric", "score"), composite.lowest[0], strict=True))
    assert [(one["metric"], one["score"]) for one in window["worst"]] == list(composite.lowest)
