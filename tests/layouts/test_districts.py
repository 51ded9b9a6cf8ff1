"""Metrics by district in the API and on every page: the same for all, and nothing that is hidden."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import dash
import pytest
from flask import Flask
from sqlalchemy import insert

from layouts import staff
from layouts.charts.district_map import district_map, map_key
from layouts.charts.dots import BROAD, dot_plot
from layouts.charts.geography import WIDTH, outlines
from layouts.desk import edition
from layouts.district_view import district_view, districts_view
from layouts.formats import district_tables, standings
from layouts.formats import districts as say
from layouts.formats.numbers import Level
from layouts.public.api import Api
from layouts.public.site import Site
from metrics.districts import Shade
from metrics.fairness import Place
from metrics.model import WITHHELD, Direction, District, Grain
from store import schema
from store.engine import reading, writing
from store.withheld import Audience
from tests.layouts.published_city import NOW, catalogue_of, city_files, desk_over, fill, plan_of
from tests.people import an_admin

ASSETS = Path(__file__).resolve().parents[2] / "assets"
PATH = "tree_on_time"


@pytest.fixture
def api(desk):
    return Api(desk)


def said(answer):
    return answer.status, json.loads(answer.body)


def view_of(engine, metric=PATH, grain=Grain.QUARTER, audience=Audience.PUBLIC):
    with reading(engine) as connection:
        now = edition(connection, audience=audience)
        return districts_view(connection, now, now.catalogue.metrics[metric], grain)


@pytest.fixture
def hiding(empty_database):
    """A city where two districts of a metric are hidden in every month."""
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    months = {one.period.start.isoformat() for one in planned.scores if one.period.grain is Grain.MONTH}
    with writing(engine, lambda: NOW) as held:
        rows = [
            {"metric": PATH, "district": district, "month": month, "up_to": 10}
            for district in ("d1", "d2")
            for month in months
        ]
        held.connection.execute(insert(schema.withheld_cells), rows)
    return desk_over(engine, catalogue)


# --- the way there --------------------------------------------------------------------------------


def test_the_home_page_leads_to_every_district_and_keeps_its_pin(desk, published_city):
    html = Site(desk).home({}).body.decode()
    links = re.findall(r'href="(/district/[^"]+)"', html)
    districts = sorted(published_city.catalogue.districts.values(), key=lambda one: one.name)
    assert links == [f"/district/{one.id}" for one in districts] and links
    assert f"Your {published_city.catalogue.city.district_word}" in html
    assert {Site(desk).district({}, link.rsplit("/", 1)[1]).status for link in links} == {200}


def test_a_city_that_measures_nothing_by_district_leads_to_none(empty_database):
    files = {
        name: re.sub(r"(?m)^district = .*\n", "", text) if name.startswith("metrics/") else text
        for name, text in city_files().items()
    }
    catalogue = catalogue_of(files)
    engine = empty_database(catalogue)
    fill(engine, catalogue, *plan_of(catalogue))
    assert "/district/" not in Site(desk_over(engine, catalogue)).home({}).body.decode()


# --- the API -------------------------------------------------------------------------------------


def test_the_newest_month_is_taken_and_its_rows_make_the_city(api, published_city):
    status, found = said(api.districts({}, PATH))
    city = published_city.score(PATH, "month")
    assert (status, found["grain"], found["period"]["start"]) == (200, "month", city.period.start.isoformat())
    assert {row["district"] for row in found["rows"]} == {"d1", "d2", "d3", "d4", "unknown"}
    for part in ("numerator", "denominator", "n"):
        assert sum(row[part] for row in found["rows"]) == getattr(city, part)


def test_a_row_says_where_it_lies_in_its_funnel_and_the_limits_agree(api):
    _status, found = said(api.districts({"grain": "quarter"}, PATH))
    judged = [row for row in found["rows"] if row["funnel"]]
    assert len(judged) == 4
    for row in judged:
        funnel = row["funnel"]
        assert funnel["outer_low"] <= funnel["low"] <= found["base"] <= funnel["high"] <= funnel["outer_high"]
        outside = "below" if row["value"] < funnel["low"] else "above"
        expected = "within" if funnel["low"] <= row["value"] <= funnel["high"] else outside
        assert funnel["place"] == expected
    assert {row["district"]: row["funnel"]["place"] for row in judged}["d3"] == "below"


def test_an_answer_has_the_indices_with_what_equal_service_would_show(api):
    _status, found = said(api.districts({"grain": "quarter"}, PATH))
    assert 0 < found["equity"]["value"] < 1
    assert found["equity"]["under_equal_service"] > found["equity"]["value"]
    assert found["slope"]["deviation_under_equal_service"] > 0
    assert set(found["concentration"]) == {"value", "deviation_under_equal_service"}


def test_a_count_is_compared_for_each_thousand_residents(api):
    _status, found = said(api.districts({}, "requests_opened"))
    [row] = [row for row in found["rows"] if row["district"] == "d1"]
    assert found["compared"] == "per_1000"
    assert row["level"] == row["per_1000"] == pytest.approx(row["value"] / 10)
    assert row["funnel"]["place"] == "above"
    assert found["equity"] is None


@pytest.mark.parametrize(
    ("query", "metric", "status", "detail"),
    [
        ({"grain": "week"}, PATH, 400, "Give grain=month or grain=quarter"),
        ({"grain": "day"}, PATH, 400, "no districts by day"),
        ({"start": "2026-10-02"}, PATH, 404, "has no month that starts on 2026-10-02"),
        ({"district": "d1"}, PATH, 400, "There is no parameter district"),
        ({}, "nothing", 404, "No public metric"),
        ({}, "secret_on_time", 404, "No public metric"),
    ],
)
def test_what_cannot_be_answered_says_the_fix(api, query, metric, status, detail):
    found, body = said(api.districts(query, metric))
    assert found == status
    assert detail in body["detail"]


def test_an_earlier_period_is_found_by_its_first_day(api):
    _status, found = said(api.districts({"grain": "month", "start": "2026-03-01"}, PATH))
    assert found["period"] == {"start": "2026-03-01", "end": "2026-04-01"}


# --- what is hidden ------------------------------------------------------------------------------


def test_hidden_districts_are_one_row_and_the_rows_still_make_the_city(hiding, published_city):
    _status, found = said(Api(hiding).districts({}, PATH))
    rows = {row["district"]: row for row in found["rows"]}
    city = published_city.score(PATH, "month")
    assert (rows[WITHHELD]["together"], rows[WITHHELD]["funnel"] is not None) == (2, True)
    assert sum(row["n"] or 0 for row in rows.values()) == city.n
    for district in ("d1", "d2"):
        told = {word for word, value in rows[district].items() if value is not None}
        assert told == {"district", "name", "status", "suppressed"}
        assert rows[district]["suppressed"] is True


def test_every_number_of_the_public_follows_from_the_rows_that_are_shown(hiding, published_city):
    """Two districts exchange their cases: nothing that is published changes."""
    before = said(Api(hiding).districts({}, PATH))[1]
    table = schema.scores
    with writing(hiding.engine, lambda: NOW) as held:
        own = (table.c.metric == PATH) & (table.c.grain == "month")
        for was, now in (("d1", "aside"), ("d2", "d1"), ("aside", "d2")):
            held.connection.execute(table.update().where(own, table.c.district == was).values(district=now))
    after = said(Api(hiding).districts({}, PATH))[1]
    assert {**after, "publication": None} == {**before, "publication": None}


def test_pages_say_that_a_district_is_hidden_and_show_nothing_of_it(hiding):
    site = Site(hiding)
    html = site.metric({"grain": "month"}, PATH).body.decode()
    section = html[html.index('id="districts"') :]
    assert "Hidden for small counts: 2 together" in section
    assert section.count("url(#map-hidden)") == 3
    page = site.district({}, "d1").body.decode()
    row = page[page.index(f"/metric/{PATH}?") :].split("</tr>")[0]
    assert "Hidden for small counts" in row and not re.search(r"\d%", row)


def test_staff_see_every_district(hiding):
    view = view_of(hiding.engine, grain=Grain.MONTH, audience=Audience.STAFF)
    assert (view.hidden, len(view.by.rows)) == ((), 5)


# --- pages ---------------------------------------------------------------------------------------


def test_the_page_of_a_metric_names_the_district_beyond_chance(desk):
    html = Site(desk).metric({"grain": "quarter"}, PATH).body.decode()
    assert "Riverside is worse than chance explains" in html
    assert "by chance alone it would be about 0.2" in html
    assert "Reports are not need" in html
    assert 'href="/district/d3"' in html


def test_a_district_has_a_page_of_every_public_metric_there(desk):
    answer = Site(desk).district({"grain": "quarter"}, "d3")
    html = answer.body.decode()
    assert answer.status == 200
    assert re.search(r"<h1>Riverside: \d of \d+ measures worse than chance explains", html)
    assert "30,000 residents · residents in poverty: 15%" in html
    assert "Potholes filled on time" in html and "Inner work on time" not in html
    assert "<script" in html and html.count("<script") == 1


@pytest.mark.parametrize(
    ("query", "district", "status"), [({}, "unknown", 404), ({"grain": "day"}, "d1", 400)]
)
def test_what_is_no_district_has_no_page(desk, query, district, status):
    answer = Site(desk).district(query, district)
    assert answer.status == status


@pytest.fixture(scope="module")
def mounted(published_city):
    server = Flask("districts")
    desk = desk_over(published_city.engine, published_city.catalogue)
    app = staff.mount(server, desk, an_admin, ASSETS)
    server.test_client().get("/staff/today")
    return app


def text_of(app, name, **query) -> str:
    found = next(page for page in dash.page_registry.values() if page["module"].endswith(name))
    with app.server.test_request_context("/staff/"):
        made = found["layout"](**query)

    def written(one):
        return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)

    return json.dumps(made, default=written, ensure_ascii=False)


def test_the_staff_page_opens_on_a_metric_and_keeps_everything_in_its_address(mounted):
    opened = text_of(mounted, "pages.districts")
    assert "Potholes filled on time" in opened and "district-map" in opened
    asked = text_of(mounted, "pages.districts", metric="tree_on_time", grain="month", start="2026-03-01")
    assert "/staff/districts?metric=tree_on_time&grain=month&start=2026-02-01" in asked
    assert "/staff/districts?metric=tree_on_time&grain=month&start=2026-04-01" in asked
    assert "There is no such metric by district" in text_of(mounted, "pages.districts", metric="nothing")
    assert "no districts by week" in text_of(mounted, "pages.districts", grain="week")
    assert "starts on 1999-01-01" in text_of(mounted, "pages.districts", start="1999-01-01")


def test_the_staff_page_of_a_district_shows_what_is_not_public_too(mounted):
    shown = text_of(mounted, "pages.district", district_id="d3", grain="quarter")
    assert "Inner work on time" in shown
    assert "/staff/districts?metric=pothole_on_time&grain=quarter" in shown
    assert "There is no such neighborhood" in text_of(mounted, "pages.district", district_id="nowhere")


# --- sentences and pictures ------------------------------------------------------------------------


def test_words_say_whether_a_place_is_good(published_city):
    metric = published_city.catalogue.metrics[PATH]
    lower = replace(metric, direction=Direction.LOWER_IS_BETTER)
    neutral = replace(metric, direction=Direction.NEUTRAL)
    assert (
        standings.place_word(metric, Place.BELOW)
        == standings.place_word(lower, Place.ABOVE)
        == "Worse than chance explains"
    )
    assert standings.place_word(neutral, Place.ABOVE) == "More than chance explains"
    assert standings.place_level(lower, Place.BELOW) is Level.ABOVE
    assert standings.place_level(metric, Place.WITHIN) is Level.NONE


def test_a_map_has_an_area_a_number_and_a_title_for_each_district(published_city):
    drawn = district_map(view_of(published_city.engine))
    assert len(re.findall(r'class="area"', drawn)) == len(re.findall("place-number", drawn)) == 4
    assert "<title>Riverside: " in drawn and 'role="img"' in drawn
    assert len(drawn.encode()) < 6000
    used = set(re.findall(r"url\(#map-([a-z-]+)\)", drawn))
    assert used <= {str(one) for one in Shade}


def test_a_district_of_few_cases_is_hatched_and_says_so(published_city):
    view = view_of(published_city.engine, audience=Audience.STAFF)
    assert "map-few)" not in district_map(view)
    rows = tuple(
        replace(row, score=replace(row.score, n=9)) if row.district == "d1" else row for row in view.by.rows
    )
    few = replace(view, by=replace(view.by, rows=rows))
    assert district_map(few).count('fill="url(#map-few)"') == 1
    assert "Fewer than 10 cases" in [word for _piece, word in map_key(few)]
    [d1] = [row for row in few.by.rows if row.district == "d1"]
    assert "fewer than 10 cases" in district_tables.cells(few, d1)[0].beneath


def test_every_shade_has_a_pattern_of_its_own(published_city):
    view = view_of(published_city.engine)
    words = [word for _piece, word in map_key(view)]
    assert words[:5] == [
        "Far below target",
        "Below target",
        "Near target",
        "Better than target",
        "Far better than target",
    ]
    marks = re.findall(r'<path d="([^"]+)" class="mark-of-shade"', district_map(view))
    assert len(marks) == len(set(marks)) == 6


def test_an_outline_keeps_its_shape_and_loses_what_nobody_would_see(published_city):
    many = [[-71 + step / 100000, 42.3 + 1e-7 * (step % 2)] for step in range(1001)]
    ring = [*many, [-70.99, 42.31], [-71.0, 42.31], many[0]]
    geometry = {"type": "MultiPolygon", "coordinates": [[ring]]}
    catalogue = replace(
        published_city.catalogue, hash="jagged", districts={"one": District("one", "One", geometry=geometry)}
    )
    drawn = outlines(catalogue)
    assert drawn is not None
    [found] = drawn.rings["one"]
    assert len(found) == 4
    assert all(0 <= x <= WIDTH and 0 <= y <= drawn.height for x, y in found)
    bare = replace(published_city.catalogue, hash="bare", districts={"one": District("one", "One")})
    assert outlines(bare) is None


def test_dots_outside_are_diamonds_and_the_text_names_both_ends(published_city):
    view = view_of(published_city.engine)
    drawn = dot_plot(view, BROAD)
    assert len(re.findall(r'class="dot outside level-below"', drawn)) == 1
    assert len(re.findall(r'class="row-label|axis row-label', drawn)) == 4
    assert "from Riverside (" in say.dots_text(view)


def test_a_district_of_one_metric_is_what_the_metric_says_of_it(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        metric, place = now.catalogue.metrics[PATH], now.catalogue.districts["d3"]
        page = district_view(connection, now, place, [metric], Grain.QUARTER)
    [line] = page.lines
    assert line.standing == view_of(published_city.engine).by.row("d3")
