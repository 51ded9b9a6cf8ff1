"""The mayor's job stories, played by somebody who may only look: one screen, what is real, what was said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

import app
from layouts.access import Role
from metrics.model import Knowledge
from tests.browser.test_pages import settle
from tests.browser.test_today import DESK, PHONE, bottom
from tests.layouts.cities import fill_days
from tests.layouts.published_city import (
    AS_OF,
    FIRST,
    KNOWLEDGE,
    KNOWN,
    NOW,
    catalogue_of,
    city_files,
    fill,
    plan_of,
)

ALL_KNOWN = {source: Knowledge(source, FIRST, KNOWN) for source in KNOWLEDGE}


@pytest.fixture
def mayor(visit):
    """Opens a page as somebody of the mayor's office, on a screen."""

    def go(path, *, size=DESK, at=None):
        seen = visit(path, width=size["width"], at=at, role=Role.VIEWER)
        seen.page.set_viewport_size(size)
        settle(seen)
        return seen

    return go


# --- M1: one number, its change and the reason, on one screen -----------------------------------------


@pytest.mark.parametrize(("size", "last"), [(DESK, ".overview"), (PHONE, ".briefly")])
def test_m1_one_screen_has_the_score_its_coverage_its_change_and_at_most_three_drivers(mayor, size, last):
    seen = mayor("/staff/today", size=size)
    assert bottom(seen, last) <= size["height"]
    week = seen.page.locator(".tile.opening")
    assert week.locator(".number").inner_text() == "0.93"
    assert re.search(r"81%", week.inner_text()) and re.search(r"0\.08", week.inner_text())
    assert 1 <= seen.page.locator(".overview .attention .standing:visible").count() <= 3
    assert seen.page.locator("#moved" if size is DESK else ".briefly").is_visible()
    if size is DESK:
        amounts = seen.page.locator(".parts").first.locator("tbody .number-cell").all_inner_texts()
        *parts, total = (float(one.replace("−", "-")) for one in amounts)
        assert len(parts) <= 4 and sum(parts) == pytest.approx(total)


def test_m1_whom_to_call_about_it_is_one_step_away(mayor):
    seen = mayor("/staff/today", size=PHONE)
    seen.page.locator(".attention .who a").first.click()
    seen.page.wait_for_selector("#notes:focus")
    assert "/staff/metric/tree_on_time#notes" in seen.page.url
    for part in ("#notes", "#actions"):
        assert seen.page.locator(part).is_visible()


# --- M2: is it real ------------------------------------------------------------------------------------


def test_m2_what_is_no_signal_says_so_where_it_is_named_and_on_its_own_page(mayor):
    seen = mayor("/staff/today")
    rows = seen.page.locator("[aria-labelledby=attention] .attention")
    said = [rows.nth(index).locator(".whether").inner_text().strip() for index in range(rows.count())]
    assert said and all("No signal: within" in one or "Signal: " in one for one in said)
    tally = r"4 of 10 measures show a signal this week; about 0\.\d would by chance"
    assert re.search(tally, seen.page.inner_text("main"))
    quiet = next(index for index, one in enumerate(said) if "No signal: within" in one)
    rows.nth(quiet).locator("h3 a").click()
    seen.page.wait_for_selector("h1:has-text('time')")
    assert "No signal" in seen.page.locator("main").inner_text()


# --- M4: a source that is late ---------------------------------------------------------------------------


@pytest.fixture
def before_and_after_a_stop(serve, empty_database):
    """A city published with everything known, and a day later without the library's system."""
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    fill(engine, catalogue, *plan_of(catalogue, knowledge=ALL_KNOWN))
    stopped = {**ALL_KNOWN, "library": KNOWLEDGE["library"]}
    later = timedelta(days=1)
    fill(engine, catalogue, *plan_of(catalogue, knowledge=stopped), as_of=AS_OF + later, now=NOW + later)
    return serve(app.make_server(engine, catalogue, "harbor"))


def test_m4_a_source_that_stops_makes_its_measure_grey_and_the_coverage_fall(mayor, before_and_after_a_stop):
    then = mayor(f"/staff/today?as_of={AS_OF}", at=before_and_after_a_stop)
    now = mayor("/staff/today", at=before_and_after_a_stop)
    row = ".board tr:has-text('Library holds filled on time')"
    assert "Late" not in then.page.locator(row).inner_text()
    assert now.page.locator(f"{row} .chip.level-none").inner_text() == "Late"
    covered = [one.page.locator(".tile.opening").inner_text() for one in (then, now)]
    assert "have a score: " not in covered[0] and re.search(r"have a score: \d\d% of the weight", covered[1])
    assert "1 is late and counts with no more than its lowest recent score" in covered[1]
    assert "Library holds filled on time" in now.page.locator("[aria-labelledby=missing]").inner_text()


# --- M5: what was said then ------------------------------------------------------------------------------


def test_m5_a_day_s_address_shows_what_was_published_that_day_and_what_changed_since(
    mayor, serve, empty_database
):
    catalogue = catalogue_of(city_files())
    engine, other = empty_database(catalogue), empty_database(catalogue)
    fill_days(engine, catalogue)
    planned, knowledge = plan_of(catalogue)
    scores = tuple(
        one if one.metric != "pothole_on_time" or one.score is None else replace(one, score=0.11)
        for one in planned.scores
    )
    fill(other, catalogue, replace(planned, scores=scores), knowledge)
    parts = ("h1", ".overview .tiles", "section:has(#services) .board", "section:has(#conditions) .board")
    on_the_day = mayor("/staff/today", at=serve(app.make_server(other, catalogue, "harbor")))
    today = serve(app.make_server(engine, catalogue, "harbor"))
    since = mayor(f"/staff/today?as_of={AS_OF}", at=today)
    for part in parts:
        assert since.page.locator(part).first.inner_text() == on_the_day.page.locator(part).first.inner_text()
    restated = since.page.locator("section:has(#restated) tr:has-text('Potholes')").first.inner_text()
    assert "(score 0.11)" in restated and "(score 0.33)" in restated
    assert "numbers on this page were restated since." in since.page.locator(".note.pinned").inner_text()


# --- M7: a councillor calls ------------------------------------------------------------------------------


def test_m7_a_district_is_two_taps_away_and_its_address_shows_others_the_same(mayor):
    seen = mayor("/staff/today", size=PHONE)
    seen.page.get_by_role("link", name="Every neighborhood").click()
    yours = seen.page.get_by_role("navigation", name="Your neighborhood")
    yours.get_by_role("link", name="Riverside").click()
    seen.page.wait_for_selector("h1:has-text('Riverside: ')")
    path = seen.page.url.split("/staff/", 1)[1]
    sent = mayor(f"/staff/{path}", size=PHONE)
    for part in ("h1", ".district-table"):
        assert sent.page.locator(part).inner_text() == seen.page.locator(part).inner_text()
    public = sent.page.get_by_role("link", name="The public page of it").get_attribute("href")
    assert public == "/district/d3?grain=month"


def test_m7_the_numbers_of_all_districts_make_the_city_s(mayor):
    seen = mayor("/staff/districts?metric=tree_on_time&grain=quarter")
    rows = seen.page.locator(".district-table tbody tr").all_inner_texts()
    counted = [re.search(r"([\d,]+) of ([\d,]+)", one) for one in rows]
    parts = [[int(one.replace(",", "")) for one in found.groups()] for found in counted if found]
    *districts, city = parts
    assert len(districts) == len(rows) - 1 and [sum(one) for one in zip(*districts, strict=True)] == city
