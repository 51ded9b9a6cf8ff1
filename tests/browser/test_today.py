"""The mayor's page in a real browser: one screen, any day, every state of a city, both themes, paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import app
from layouts import formats
from tests.browser.test_pages import RULES, background, settle
from tests.layouts.cities import STATES, arabic, fill_days
from tests.layouts.published_city import catalogue_of, city_files, fill

DESK = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 844}

LIGHT, DARK = "rgb(246, 247, 249)", "rgb(18, 22, 28)"


@pytest.fixture
def city_of(serve, empty_database, monkeypatch):
    """Serves a city in one of its states."""

    def start(state):
        if state == "from_the_right":
            monkeypatch.setattr(formats, "language", lambda _tag: arabic())
        catalogue, planned, knowledge = STATES[state]()
        engine = empty_database(catalogue)
        fill(engine, catalogue, planned, knowledge)
        return serve(app.make_server(engine, catalogue, "harbor"))

    return start


@pytest.fixture
def days(serve, empty_database):
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    made = fill_days(engine, catalogue)
    return made, serve(app.make_server(engine, catalogue, "harbor"))


def bottom(seen, selector: str) -> float:
    return seen.page.locator(selector).first.evaluate("one => one.getBoundingClientRect().bottom")


def top(seen, selector: str) -> float:
    return seen.page.locator(selector).first.evaluate("one => one.getBoundingClientRect().top")


def grave(seen, axe) -> list:
    seen.page.evaluate(axe)
    found = seen.page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        (one["id"], [node["target"] for node in one["nodes"]][:5])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


# --- one screen ----------------------------------------------------------------------------------


def test_everything_above_the_scoreboard_is_in_the_first_screen(visit):
    seen = visit("/staff/today", width=1920)
    seen.page.set_viewport_size(DESK)
    settle(seen)
    assert bottom(seen, ".overview") <= DESK["height"]


def test_an_older_day_fits_the_first_screen_too(visit, days):
    seen = visit("/staff/today?as_of=2026-11-25", width=1920, at=days[1])
    seen.page.set_viewport_size(DESK)
    settle(seen)
    assert seen.page.get_by_text("A newer publication exists.").is_visible()
    assert bottom(seen, ".overview") <= DESK["height"]


@pytest.mark.matrix
@pytest.mark.parametrize("state", ["late", "never_loaded", "long_names", "from_the_right", "few_records"])
def test_every_state_fits_the_first_screen(visit, city_of, state):
    seen = visit("/staff/today", width=1920, at=city_of(state))
    seen.page.set_viewport_size(DESK)
    settle(seen)
    assert bottom(seen, ".overview") <= DESK["height"]


def test_on_a_phone_the_first_screen_holds_all_of_it_and_the_details_follow(visit):
    seen = visit("/staff/today", width=PHONE["width"])
    seen.page.set_viewport_size(PHONE)
    settle(seen)
    places = [top(seen, one) for one in ("h1", ".overview .tiles", "#attention", ".briefly", "#moved")]
    assert places == sorted(places)
    assert bottom(seen, ".briefly") <= PHONE["height"]
    assert seen.page.locator(".tile .brief:visible").count() == 8


# --- any day ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_pinned_day_is_quiet_and_accessible(visit, axe, days, width, scheme):
    seen = visit("/staff/today?as_of=2026-11-23&group=status", width=width, scheme=scheme, at=days[1])
    settle(seen)
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
    assert seen.width() <= width
    assert grave(seen, axe) == []


def test_from_day_to_day_the_focus_and_the_announcement_follow(visit, days):
    seen = visit("/staff/today", at=days[1])
    seen.page.get_by_role("link", name="Previous published day").click()
    seen.page.wait_for_selector(".note.pinned")
    assert seen.page.url.endswith("?as_of=2026-11-24")
    seen.page.wait_for_selector("main h1:focus")
    seen.page.wait_for_selector("#announced:text-is('Today | Harbor City')", state="attached")
    seen.page.get_by_role("link", name="Show what is published now").click()
    seen.page.wait_for_selector(".note.pinned", state="detached")
    assert seen.page.url.endswith("/staff/today")
    assert seen.watch.complaints == []


def test_a_pinned_reader_stays_with_the_publication(visit, days):
    seen = visit("/staff/today?as_of=2026-11-23", at=days[1])
    seen.page.get_by_role("link", name="Potholes filled on time").first.click()
    seen.page.wait_for_selector("h1:has-text('Potholes filled on time')")
    assert seen.page.url.endswith("/staff/metric/pothole_on_time?publication=1")
    assert "publication 1" in seen.page.locator("main").inner_text()


# --- the scoreboard --------------------------------------------------------------------------------


def test_a_name_typed_leaves_the_rows_that_hold_it_and_is_kept_in_the_address(visit):
    seen = visit("/staff/today?group=department")
    field = seen.page.get_by_label("Filter by name")
    field.type("on TIME")
    seen.page.wait_for_selector("#filtered:not(:empty)")
    shown = seen.page.locator(".board tbody tr:not(.group):visible th a").all_inner_texts()
    assert shown and all("on time" in name for name in shown)
    assert seen.page.get_by_text(f"Measures that match: {len(shown)}").is_visible()
    assert seen.page.url.endswith("?group=department&q=on+TIME")
    assert seen.page.evaluate("document.activeElement.id") == "ask-q"
    again = visit("/staff/today?group=department&q=on+TIME")
    again.page.wait_for_selector("#filtered:not(:empty)")
    assert again.page.locator(".board tbody tr:not(.group):visible th a").all_inner_texts() == shown


def test_another_order_of_the_rows_keeps_the_reader_at_the_scoreboard(visit):
    seen = visit("/staff/today")
    seen.page.get_by_role("link", name="By department").click()
    seen.page.wait_for_selector(".board .group")
    seen.page.wait_for_selector("#services:focus")
    assert seen.page.url.endswith("?group=department#services")
    assert abs(top(seen, "#services")) < 100


def test_a_heading_sorts_by_keyboard_and_back_goes_back(visit):
    seen = visit("/staff/today")
    heading = seen.page.locator(".board").first.get_by_role("columnheader", name="Month")
    heading.get_by_role("link").focus()
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector("th[aria-sort=ascending] :text('Month')")
    assert seen.page.url.endswith("?sort=month#services")
    seen.page.go_back()
    seen.page.wait_for_selector("th[aria-sort=ascending] :text('Week score')")
    assert seen.watch.complaints == []


def test_a_phone_shows_the_worst_and_finds_the_others(visit):
    seen = visit("/staff/today", width=PHONE["width"])
    rows = seen.page.locator("section:has(#services) tbody tr:not(.group)")
    assert rows.locator("visible=true").count() == 8 < rows.count()
    hidden = seen.page.locator("section:has(#services) tr.rest th a").first.inner_text()
    seen.page.get_by_label("Filter by name").fill(hidden)
    seen.page.get_by_role("link", name=hidden).first.wait_for()
    seen.page.get_by_label("Filter by name").fill("")
    seen.page.get_by_role("link", name="Show all").first.click()
    seen.page.wait_for_selector("section:has(#services) tr.rest", state="detached")
    assert seen.page.url.endswith("?show=all#services")


# --- the theme ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/staff/today"])
def test_a_chosen_theme_is_kept_and_goes_back_to_the_system(visit, path):
    seen = visit(path, scheme="light")
    seen.page.get_by_role("button", name="Dark").click()
    assert background(seen) == DARK
    seen.page.reload()
    seen.page.wait_for_selector("main h1")
    assert background(seen) == DARK
    expect(seen.page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    seen.page.get_by_role("button", name="As the system has it").click()
    assert background(seen) == LIGHT
    assert seen.watch.complaints == []


def test_without_a_script_a_page_follows_the_system_and_shows_no_switch(visit):
    seen = visit("/", scheme="dark", scripts=False)
    assert background(seen) == DARK
    assert seen.page.locator(".theme").is_hidden()


def test_paper_is_light_holds_the_overview_on_its_first_sheet_and_cuts_nothing_off(visit):
    seen = visit("/staff/today", scheme="dark", width=688)
    settle(seen)
    seen.page.emulate_media(media="print")
    assert background(seen) == "rgb(255, 255, 255)"
    assert seen.page.locator(".masthead nav").is_hidden() and seen.page.locator(".tools").is_hidden()
    a4_without_margins = (297 - 28) / 25.4 * 96
    assert bottom(seen, ".overview") <= a4_without_margins
    assert seen.width() <= 688


# --- states ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["empty", "long_names", "from_the_right"])
def test_no_state_of_a_city_scrolls_sideways(visit, city_of, state):
    seen = visit("/staff/today", width=320, at=city_of(state))
    settle(seen)
    assert seen.width() <= 320
    assert seen.watch.complaints == []


def test_a_language_written_from_the_right_mirrors_the_page(visit, city_of):
    seen = visit("/staff/today", at=city_of("from_the_right"))
    left = "selector => document.querySelector(selector).getBoundingClientRect().left"
    assert seen.page.evaluate("document.dir") == "rtl"
    assert seen.page.evaluate(left, ".tile:first-child") > seen.page.evaluate(left, ".tile:last-child")


@pytest.mark.matrix
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390, 320])
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_quiet_and_accessible(visit, axe, city_of, state, width, scheme):
    seen = visit("/staff/today", width=width, scheme=scheme, at=city_of(state))
    settle(seen)
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
    assert seen.width() <= width
    assert grave(seen, axe) == []


@pytest.mark.matrix
def test_forced_colours_keep_the_edges_and_the_bars(visit):
    seen = visit("/staff/today")
    seen.page.emulate_media(forced_colors="active")
    chip = seen.page.locator(".chip").first
    assert chip.evaluate("one => getComputedStyle(one).borderTopWidth") == "1px"
    assert seen.page.locator(".board .score-bar").first.is_visible()
