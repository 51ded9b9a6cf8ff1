"""The page of a department and the receipt of a metric in a real browser."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import expect

import app
from metrics.catalogue import load
from store.engine import open_engine
from tests.town import Town, case, write_city

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town with records of its own, so that a receipt can count them."""
    folder = tmp_path_factory.mktemp("town")
    engine = open_engine(f"sqlite:///{folder / 'town.db'}")
    made = Town(engine, load(write_city(folder / "test")))
    made.ingest(
        case("a", 10, 9), case("b", 11, 20), case("c", 12, None), case("d", 11, 9, reason="Duplicate")
    )
    made.publish(date(2026, 7, 1))
    yield made
    engine.dispose()


@pytest.fixture
def place(serve, town) -> str:
    return serve(app.make_server(town.engine, town.catalogue, "test"))


def grave(page, axe: str) -> list[tuple[str, str]]:
    page.evaluate(axe)
    asked = "rules => axe.run({runOnly: rules, resultTypes: ['violations']})"
    found = page.evaluate(asked, RULES)["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]


def test_from_the_mayors_page_over_a_department_to_a_metric_in_three_steps(visit):
    seen = visit("/staff/today")
    seen.page.get_by_role("link", name="Public Works", exact=True).first.click()
    seen.page.wait_for_selector("h1:has-text('measures on target in the week to')")
    seen.page.wait_for_function("document.activeElement.tagName === 'H1'")
    seen.page.locator(".multiples").get_by_role("link", name="Potholes filled on time").click()
    seen.page.wait_for_selector("h1:has-text('Potholes filled on time')")
    seen.page.get_by_role("link", name="Public Works", exact=True).click()
    seen.page.wait_for_selector("h1:has-text('Public Works')")
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


def test_a_department_shows_the_numbers_of_the_api(visit, address):
    seen = visit("/staff/department/public_works")
    found = seen.page.request.get(f"{address}/api/v1/scores").json()["departments"]["public_works"]
    assert seen.page.locator(".tile.opening .number").inner_text() == f"{found['week']['score']:.2f}"
    assert f"{found['week']['on_target']} of {found['week']['scored']}" in seen.page.inner_text("h1")


@pytest.mark.parametrize("width", [1440, 390])
def test_every_small_picture_is_as_wide_as_the_others_and_a_long_name_is_clipped(visit, width):
    seen = visit("/staff/department/public_works", width=width)
    boxes = seen.page.locator(".multiples svg.multiple").evaluate_all(
        "all => all.map(one => Math.round(one.getBoundingClientRect().width))"
    )
    assert len(boxes) > 3 and max(boxes) - min(boxes) <= 1
    long = seen.page.locator(".clipped[title^='Sidewalk']")
    assert long.bounding_box()["height"] < 60
    assert long.get_attribute("title") == long.inner_text()


def test_no_department_is_no_page(visit, address):
    seen = visit("/staff/department/nothing")
    assert seen.page.request.get(f"{address}/staff/department/nothing").status == 404


def test_a_receipt_is_counted_when_it_is_opened_by_keyboard(visit, place, axe):
    seen = visit("/staff/metric/on_time?grain=month", width=390, at=place)
    details = seen.page.locator("details", has=seen.page.locator("#receipt-opens"))
    expect(details.locator("table")).to_have_count(0)
    seen.page.locator("#receipt-opens").focus()
    seen.page.keyboard.press("Enter")
    expect(details.locator("table")).to_be_visible()
    expect(details).to_contain_text("approved by the tester")
    expect(details.locator(".sum")).to_contain_text("3")
    assert grave(seen.page, axe) == []
    assert seen.width() <= 390
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.matrix)])
@pytest.mark.parametrize("width", [320, pytest.param(1440, marks=pytest.mark.matrix)])
def test_the_receipt_of_a_period_has_an_address(visit, place, axe, width, scheme):
    path = "/staff/metric/on_time?grain=month&start=2026-06-01"
    seen = visit(path, width=width, scheme=scheme, at=place)
    expect(seen.page.locator("section", has=seen.page.locator("#receipt"))).to_contain_text("Excluded")
    assert grave(seen.page, axe) == [] and seen.width() <= width
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


def test_the_table_of_the_chart_leads_to_the_receipt_of_each_period(visit, place):
    seen = visit("/staff/metric/on_time?grain=month", at=place)
    seen.page.locator("summary", has_text="The same as a table").click()
    seen.page.locator("details table tbody a").first.click()
    expect(seen.page.locator("section", has=seen.page.locator("#receipt"))).to_contain_text("Counted")
    assert "start=2026-06-01" in seen.page.url
