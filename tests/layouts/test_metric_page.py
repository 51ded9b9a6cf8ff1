"""The staff page of a metric: compared fairly, looked at over other ranges and by kind of case."""

from __future__ import annotations

import json
import re
from pathlib import Path

import dash
import pytest
from flask import Flask

from layouts import access, staff
from layouts.access import Role
from layouts.desk import Desk
from tests.people import an_admin, judged_as

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
