"""Every page in a real browser: quiet, at home on any screen, in light and dark, for everybody."""

from __future__ import annotations

import json

import pytest

import app
from tests.layouts.published_city import catalogue_of, city_files

PUBLIC = ["/", "/metric/pothole_on_time", "/metric/water_on_time"]
STAFF = [
    "/staff/today",
    "/staff/metric/pothole_on_time",
    "/staff/department/public_works",
    "/staff/department/parks",
]
PAGES = [*PUBLIC, "/status", *STAFF]

SCREENS = [
    (1440, "light"),
    (390, "dark"),
    pytest.param(1440, "dark", marks=pytest.mark.matrix),
    pytest.param(390, "light", marks=pytest.mark.matrix),
]
"""Every width and every scheme is seen in `make test`, all their pairs in `make test-all`."""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def settle(seen) -> None:
    """Waits until a drawing that comes late is there."""
    if "/staff/metric/" in seen.page.url:
        seen.page.wait_for_selector(".js-plotly-plot .main-svg", state="attached")
    seen.page.wait_for_load_state("networkidle")


def background(seen) -> str:
    return seen.page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_quietly_asks_nobody_else_and_is_accessible(visit, axe, path, width, scheme):
    seen = visit(path, width=width, scheme=scheme)
    settle(seen)
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
    assert seen.width() <= width
    assert background(seen) == ("rgb(246, 247, 249)" if scheme == "light" else "rgb(18, 22, 28)")
    seen.page.evaluate(axe)
    found = seen.page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)[
        "violations"
    ]
    grave = [
        (one["id"], one["impact"], [node["target"] for node in one["nodes"]][:5])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []


@pytest.mark.parametrize("path", [*PAGES, "/nothing"])
def test_no_page_scrolls_sideways_on_the_smallest_screen(visit, path):
    seen = visit(path, width=320)
    settle(seen)
    assert seen.width() <= 320


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_need_no_script(visit, path):
    seen = visit(path, scripts=False)
    assert seen.page.locator("main .number").first.is_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_without_a_script_a_metric_shows_its_chart_and_opens_its_table(visit, width):
    seen = visit("/metric/pothole_on_time", width=width, scripts=False)
    assert seen.page.locator("svg.chart:not(.control):not(.dots):not(.district-map):visible").count() == 1
    assert seen.page.locator("svg.chart.control:visible").count() == 1
    seen.page.locator("summary").first.click()
    assert seen.page.locator("details table").first.is_visible()
    assert seen.watch.complaints == []


def test_without_a_script_the_status_says_how_late_every_source_is(visit):
    seen = visit("/status", scripts=False)
    assert seen.page.locator("tbody tr").count() == 3
    assert "Has never run" in seen.page.locator("tbody").inner_text()


def test_without_a_script_the_score_of_the_api_is_on_the_page(visit, address):
    seen = visit("/", scripts=False)
    score = seen.page.request.get(f"{address}/api/v1/scores").json()["city"]["week"]["score"]
    assert seen.page.locator(".tile.opening .number").inner_text() == f"{score:.2f}"
    assert seen.page.locator(".tile.opening").inner_text().count("of 9 on target") == 1


def test_the_staff_page_shows_the_number_of_the_api(visit, address):
    seen = visit("/staff/today")
    score = seen.page.request.get(f"{address}/api/v1/scores").json()["city"]["week"]["score"]
    assert seen.page.locator(".tile.opening .number").inner_text() == f"{score:.2f}"


def test_from_the_mayors_page_a_metric_is_one_step_away_and_the_focus_moves_with_it(visit):
    seen = visit("/staff/today")
    seen.page.get_by_role("link", name="Potholes filled on time").first.click()
    seen.page.wait_for_selector("h1:has-text('Potholes filled on time')")
    assert seen.page.url.endswith("/staff/metric/pothole_on_time")
    seen.page.wait_for_function("document.activeElement.tagName === 'H1'")
    seen.page.wait_for_function("document.title.startsWith('Potholes filled on time')")
    settle(seen)
    assert seen.watch.complaints == []


def test_the_grain_of_a_metric_can_be_changed(visit):
    seen = visit("/staff/metric/pothole_on_time")
    seen.page.get_by_role("link", name="Month", exact=True).first.click()
    seen.page.wait_for_selector("h2:has-text('monthly')")
    assert seen.page.url.endswith("?grain=month")


def test_the_table_of_a_chart_opens_by_keyboard(visit):
    seen = visit("/metric/pothole_on_time")
    seen.page.locator("summary").first.focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("details table").first.is_visible()


def test_no_button_of_the_chart_sends_anything_away(visit):
    seen = visit("/staff/metric/pothole_on_time")
    settle(seen)
    buttons = seen.page.locator(".modebar-btn").evaluate_all(
        "found => found.map(one => (one.getAttribute('data-title') || one.getAttribute('aria-label') || ''))"
    )
    assert buttons
    assert not any(
        word in button.lower() for button in buttons for word in ("cloud", "share", "plotly", "edit")
    )


def test_the_first_thing_a_keyboard_meets_skips_to_the_content(visit):
    seen = visit("/")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    seen.page.keyboard.press("Enter")
    assert seen.page.url.endswith("#content")


def test_a_city_that_has_not_published_shows_how_far_it_is(visit, serve, empty_database):
    catalogue = catalogue_of(city_files())
    start = serve(app.make_server(empty_database(catalogue), catalogue, "harbor"))
    seen = visit("/", width=320, at=start)
    assert "python -m ingest run cases --from FILE" in seen.page.locator("main").inner_text()
    assert seen.width() <= 320
    assert [one for one in seen.watch.complaints if "503" not in one] == []


def test_the_data_of_a_page_are_valid_json(visit, address):
    seen = visit("/metric/pothole_on_time", scripts=False)
    link = seen.page.get_by_role("link", name="as JSON", exact=True).get_attribute("href")
    assert json.loads(seen.page.request.get(address + link).text())["metric"] == "pothole_on_time"
