"""The pages of districts in a real browser: quiet, at home on any screen, for everybody, the same numbers."""

from __future__ import annotations

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

METRIC = "/metric/tree_on_time?grain=quarter"
DISTRICT = "/district/d3?grain=quarter"
STAFF_METRIC = "/staff/districts?metric=tree_on_time&grain=quarter"
STAFF_DISTRICT = "/staff/district/d3?grain=quarter"
PAGES = [METRIC, DISTRICT, STAFF_METRIC, STAFF_DISTRICT]

SCREENS = [
    (1440, "light"),
    (390, "dark"),
    pytest.param(1440, "dark", marks=pytest.mark.matrix),
    pytest.param(390, "light", marks=pytest.mark.matrix),
    pytest.param(320, "light", marks=pytest.mark.matrix),
]


def grave(page, axe: str) -> list[tuple[str, str]]:
    page.evaluate(axe)
    asked = "rules => axe.run({runOnly: rules, resultTypes: ['violations']})"
    found = page.evaluate(asked, RULES)["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_districts_is_quiet_and_for_everybody(visit, axe, path, width, scheme):
    seen = visit(path, width=width, scheme=scheme)
    seen.page.wait_for_load_state("networkidle")
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
    assert seen.width() <= width
    assert grave(seen.page, axe) == []


@pytest.mark.parametrize("path", [METRIC, STAFF_DISTRICT])
def test_nothing_scrolls_sideways_on_the_smallest_screen_but_the_table(visit, path):
    seen = visit(path, width=320)
    assert seen.width() <= 320
    table = seen.page.locator(".sheet.scroll").last
    assert table.evaluate("one => one.scrollWidth > one.clientWidth")
    assert table.get_attribute("tabindex") == "0"


def test_without_a_script_the_map_the_dots_and_the_table_say_the_same(visit, address):
    seen = visit(METRIC, scripts=False)
    found = seen.page.request.get(f"{address}/api/v1/metrics/tree_on_time/districts?grain=quarter").json()
    section = seen.page.locator("section", has=seen.page.locator("#districts"))
    assert section.locator("svg.district-map:visible").count() == 1
    assert section.locator("svg.dots:visible").count() == 1
    rows = section.locator("tbody tr")
    assert rows.count() == len(found["rows"])
    for index, row in enumerate(found["rows"]):
        assert f"{100 * row['value']:.1f}%" in rows.nth(index).inner_text()
    numbers = section.locator(".place-number").all_text_contents()
    assert sorted(numbers) == ["1", "2", "3", "4"]


def test_from_a_metric_to_its_districts_and_to_one_of_them(visit):
    seen = visit("/staff/metric/tree_on_time?grain=quarter")
    seen.page.get_by_role("link", name="Other periods and what need does").click()
    seen.page.wait_for_selector("h1:has-text('Riverside is worse than chance explains')")
    assert seen.page.url.endswith(f"{STAFF_METRIC}&start=2026-08-01")
    seen.page.get_by_role("link", name="1 Riverside").click()
    seen.page.wait_for_selector("h1:has-text('Riverside: ')")
    seen.page.wait_for_function("document.activeElement.tagName === 'H1'")
    assert seen.page.url.endswith(STAFF_DISTRICT)
    assert seen.watch.complaints == []
