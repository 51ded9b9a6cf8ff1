"""The staff page of a metric: compared fairly, looked at over other ranges and by kind of case."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import dash
import pytest
from flask import Flask

from layouts import access, staff
from layouts.access import Role
from layouts.charts.plotly_control import control_figure
from layouts.desk import Desk, at_hand
from layouts.desk import edition as desk_edition
from layouts.metric_asked import Asked, Reach
from layouts.metric_view import metric_view
from layouts.reach_view import reached
from layouts.signal_view import control_of
from layouts.split_section import asked_split
from layouts.split_view import split_view
from metrics.catalogue import load
from metrics.model import Grain
from store import spreads
from store.engine import open_engine, reading
from tests.people import an_admin, judged_as
from tests.town import METRIC, Town, case, metric_file, write_city

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@pytest.fixture(scope="module")
def mounted(published_city):
    server = Flask("metric page")
    desk = Desk(published_city.engine, published_city.catalogue, lambda: None, "build")
    return staff.mount(server, desk, an_admin, ASSETS)


def text_of(app, judge=an_admin, **query) -> str:
    access.admit(app.server, judge)
    page = next(page for page in dash.page_registry.values() if page["module"].endswith("pages.metric"))
    with app.server.test_request_context("/staff/"):
        made = page["layout"](**query)

    def written(one):
        return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)

    return json.dumps(made, default=written, ensure_ascii=False)


def test_districts_are_compared_with_what_chance_explains_and_never_ranked_by_value(mounted):
    shown = text_of(mounted, judged_as(Role.OWNER, "public_works"), metric_id="pothole_on_time")
    assert "Chance explains" in shown and "Beyond chance" in shown and "chart dots" in shown
    assert "no ranking of raw values" in shown
    assert re.search(r"\d+ of \d+ lie outside their limits; by chance alone it would be about", shown)


@pytest.mark.parametrize(
    ("judge", "is_led_there"),
    [
        (judged_as(Role.OWNER, "public_works"), True),
        (judged_as(Role.OWNER, "parks"), False),
        (judged_as(Role.VIEWER), False),
    ],
)
def test_districts_lead_to_their_records_for_those_who_work_with_them(mounted, judge, is_led_there):
    shown = text_of(mounted, judge, metric_id="pothole_on_time")
    found = re.search(r"/cases\?grain=month&start=[\d-]+&district=", shown)
    assert (found is not None) is is_led_there


# --- how far back -------------------------------------------------------------------------------


def reached_of(engine, grain, reach):
    with reading(engine) as connection:
        now = desk_edition(connection)
        view = metric_view(connection, now, now.catalogue.metrics["pothole_on_time"], grain)
        return view, reached(connection, view, Asked(grain=grain, reach=reach))


@pytest.mark.parametrize("grain", [Grain.DAY, Grain.WEEK, Grain.MONTH])
def test_looking_further_back_changes_nothing_that_the_chart_says(published_city, grain):
    view, shown = reached_of(published_city.engine, grain, Reach.YEARS_3)
    points = shown.chart.points
    assert points == view.chart.points[-len(points) :] and points[-1] == view.chart.points[-1]
    assert (shown.chart.judged, shown.chart.variation) == (view.chart.judged, view.chart.variation)
    assert all(row.period.start < points[0].start for row in shown.earlier)
    starts = [row.period.start for row in shown.rows]
    assert starts == sorted(set(starts)) and {one.start for one in points} <= set(starts)


def test_the_season_stands_beside_the_same_weeks_of_the_year_before(published_city):
    view, shown = reached_of(published_city.engine, Grain.WEEK, Reach.SEASON)
    published = {row.period.start: row.value for row in view.past}
    assert len(shown.chart.points) == 13
    for start, row in shown.year_ago.items():
        assert (start - row.period.start).days in (357, 364, 371)
        assert row.value == published[row.period.start]
    assert len(shown.year_ago) == 13


def test_what_is_drawn_stands_in_the_table_too(mounted):
    season = text_of(mounted, metric_id="pothole_on_time", grain="week", range="season")
    assert "A year before" in season and "the same periods a year before" in season
    years = text_of(mounted, metric_id="pothole_on_time", grain="week", range="3years")
    assert "Before the limits" in years and "nothing there is judged" in years
    assert "range=3years" in years and "#control" in years


def test_targets_are_drawn_in_the_steps_they_were_in_force(published_city):
    with reading(published_city.engine) as connection:
        now = desk_edition(connection)
        view = metric_view(connection, now, now.catalogue.metrics["trash_on_time"], Grain.MONTH)
        shown = reached(connection, view, Asked(grain=Grain.MONTH))
    control = replace(control_of(view), chart=shown.chart, rows=shown.rows)
    [line] = control.aims
    assert {aim for _start, aim in line} >= {0.8, 0.85}
    drawn = next(one for one in control_figure(control, shown.chart).data if one.name == "Target")
    assert list(drawn.y) == [aim for _start, aim in line]


# --- taken apart by kind of record ---------------------------------------------------------------

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town whose cases can be taken apart by the reason they were closed for."""
    folder = write_city(tmp_path_factory.mktemp("town") / "test")
    (folder / "metrics/on_time.toml").write_text(METRIC.replace("weight", 'split_by = ["reason"]\nweight'))
    days = 'aggregation = "median"\nvalue = "days_between(opened, closed)"\ndate = "closed"\nunit = "days"\n'
    more = f'{days}direction = "lower_is_better"\nscored_at = ["month"]\n'
    (folder / "metrics/days.toml").write_text(metric_file("days", more, (5.0, 20.0)))
    engine = open_engine(f"sqlite:///{folder.parent / 'town.db'}")
    made = Town(engine, load(folder))
    reasons = [None, "Done", "Done", "Duplicate", HOSTILE]
    made.ingest(
        *(
            case(f"c{n:03}", 1 + n % 28, 1 + (n * 7) % 28, reason=reasons[n % len(reasons)])
            for n in range(150)
        )
    )
    made.publish(date(2026, 7, 1))
    yield made
    engine.dispose()


@pytest.fixture(scope="module")
def of_town(town):
    server = Flask("metric of a town")
    return staff.mount(server, Desk(town.engine, town.catalogue, lambda: None, "build"), an_admin, ASSETS)


def shown_split(app, judge=an_admin, **data) -> str:
    access.admit(app.server, judge)
    with app.server.test_request_context("/staff/"):
        made = asked_split(at_hand(), data)

    def written(one):
        return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)

    return json.dumps(made, default=written, ensure_ascii=False)


def test_a_metric_is_taken_apart_as_it_was_published(town):
    with reading(town.engine) as connection:
        now = desk_edition(connection)
        metric = now.catalogue.metrics["on_time"]
        view = split_view(connection, now, metric, Grain.WEEK, "reason")
    assert view.adds_up and {part.share.value for part in view.parts} == {None, "Done", HOSTILE}
    assert view.records == 120


def test_a_page_asks_for_its_parts_and_shows_them(of_town):
    page = text_of(of_town, metric_id="on_time", split="reason", grain="week")
    assert "The records are being counted" in page and "/staff/metric/on_time?grain=week" in page
    shown = shown_split(of_town, metric="on_time", split="reason", grain="week")
    assert "By reason, weekly" in shown and "120 records of the last" in shown
    assert "by chance alone about" in shown or "enough periods for limits" in shown
    assert "is_reason=Done" in shown and "empty_reason=1" in shown


def test_who_does_not_work_with_records_is_not_led_to_them(of_town):
    shown = shown_split(of_town, judged_as(Role.VIEWER), metric="on_time", split="reason", grain="week")
    assert "By reason, weekly" in shown and "is_reason" not in shown


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"split": "area"}, "split is 'area'; give one of reason."),
        ({"range": "for ever"}, "range is 'for ever'; give one of 52weeks, 3years, season."),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_fix(of_town, query, said):
    assert said in text_of(of_town, metric_id="on_time", **query)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"metric": "on_time", "split": "area"}, "give one of reason"),
        ({"metric": "nothing", "split": "reason"}, "There is nothing to take apart."),
        ({"metric": ["on_time"], "publication": "99", "split": "reason"}, "No publication has the number 99"),
        ({}, "There is nothing to take apart."),
    ],
)
def test_a_browser_is_not_believed(of_town, data, said):
    assert said in shown_split(of_town, **data)


# --- how values spread, and what its source did --------------------------------------------------


def test_the_middle_of_the_spread_is_the_published_median(town):
    with reading(town.engine) as connection:
        now = desk_edition(connection)
        view = metric_view(connection, now, now.catalogue.metrics["days"], Grain.MONTH)
        made = (connection, now.publication, now.catalogue, now.knowledge["cases"])
        found = spreads.spread(*made, view.metric, view.score.period)
        assert spreads.spread(*made, now.catalogue.metrics["on_time"], view.score.period) is None
        assert spreads.spread(*made[:3], None, view.metric, view.score.period) is None
    assert (found.median, found.n) == (view.score.value, view.score.n)


def test_a_median_shows_its_spread_and_every_bar_in_a_table(of_town):
    shown = text_of(of_town, metric_id="days", grain="month")
    assert "How the values spread" in shown and "The bars as a table" in shown
    assert re.search(r"Half of the \d+ values are [\d.]+\sdays or less, nine in ten [\d.]+\sdays", shown)
    assert "How the values spread" not in text_of(of_town, metric_id="on_time", grain="month")


def test_the_page_says_what_the_runs_of_its_source_did(of_town):
    shown = text_of(of_town, metric_id="on_time")
    assert "What the last runs of its source did" in shown and "/staff/source/cases" in shown


def test_a_source_that_never_ran_says_so(mounted):
    assert "No run of" in text_of(mounted, metric_id="pothole_on_time")


def test_the_way_to_each_part_of_the_page_leads_to_one_that_is_there(mounted, of_town):
    for app, metric in ((mounted, "pothole_on_time"), (of_town, "on_time"), (of_town, "days")):
        shown = text_of(app, metric_id=metric, grain="month")
        jumps = set(re.findall(r'"href": "#([a-z]+)"', shown))
        assert jumps >= {"control", "notes", "meaning"}
        assert jumps <= set(re.findall(r'"id": "([a-z-]+)"', shown))
