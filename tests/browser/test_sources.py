"""A steward at work in a real browser: runs a source, sees how far it is, mends a quarantine, replays it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import app
from layouts.access import Role
from store import requests
from store.engine import reading, system_clock
from tests.browser.conftest import WAIT
from tests.browser.test_forms import grave
from tests.layouts.published_city import LONG_NAME
from tests.springfield import RECORDS, springfield

__all__ = ["springfield"]

MISTAKEN = RECORDS.replace("5,Pothole,2026-11-06T08:00:00", "5,Pothole,soon").replace(
    "6,Pothole,2026-11-07T08:00:00", "6,Pothole,later"
)


@pytest.fixture
def town(serve, springfield):
    """A city whose only source has two rows that are no records, and the worker that nobody has started."""
    springfield.edit("sources/requests.toml", 'name = "Service requests"', f'name = "{LONG_NAME}"')
    springfield.reread()
    springfield.now = system_clock()
    return serve(app.make_server(springfield.engine, springfield.catalogue, "springfield")), springfield


@pytest.mark.parametrize(
    ("width", "scheme"), [pytest.param(1440, "light", marks=pytest.mark.matrix), (390, "dark")]
)
def test_a_steward_runs_a_source_mends_what_was_refused_and_replays_it(visit, town, axe, width, scheme):
    base, city = town
    city.drop(MISTAKEN)
    seen = visit("/staff/sources", at=base, width=width, scheme=scheme)
    page = seen.page
    expect(page.locator("h1")).to_have_text("No source has run yet")
    assert grave(page, axe) == [] and seen.width() <= width
    page.locator("tbody a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("has never run")
    page.locator("#run_source button").focus()
    page.keyboard.press("Enter")
    state = page.locator("#request-state")
    expect(state).to_have_text("Run: waiting for the worker", timeout=WAIT)
    expect(page.locator("#done")).to_have_text(
        "The run is asked for; its result stands here when it is over."
    )

    taken = requests.claim(city.engine, system_clock)
    requests.progress(city.engine, system_clock, taken.id, {"sentence": "requests: 12 rows read"})
    expect(state).to_have_text("Run: under way", timeout=WAIT)
    expect(page.locator("#request-told")).to_contain_text("12 rows read")
    requests.put_back(city.engine, system_clock, taken.id)
    city.now = system_clock()
    assert city.worker().attend()
    expect(state).to_have_text("Run: done", timeout=WAIT)
    expect(page.locator("#request-told")).to_contain_text("New19")

    page.get_by_role("link", name="Show the source as it is now").click()
    expect(page.locator("h1")).to_contain_text("2 refused rows wait", timeout=WAIT)
    assert grave(page, axe) == [] and seen.width() <= width
    rule = page.locator("#quarantine ~ * pre, section[aria-labelledby=quarantine] pre").first.text_content()
    assert rule == '[columns.opened]\nempty = ["later", "soon"]'
    city.edit("sources/requests.toml", "[columns.opened]", rule)
    city.reread()
    page.get_by_role("button", name="Read 2 refused rows again").click()
    expect(state).to_have_text("Replay of refused rows: waiting for the worker", timeout=WAIT)
    city.now = system_clock()
    assert city.worker().attend()
    expect(state).to_have_text("Replay of refused rows: done", timeout=WAIT)
    page.get_by_role("link", name="Show the source as it is now").click()
    page.get_by_text("No row is refused.").wait_for()
    assert seen.watch.complaints == [] and seen.watch.strangers == []

    viewer = visit(page.url.removeprefix(base), at=base, role=Role.VIEWER).page
    assert viewer.locator("#run_source, #replay_source, #request-told").count() == 0
    with reading(city.engine) as connection:
        assert [one.kind for one in requests.newest(connection, ("run_source", "replay"), 9)] == [
            "replay",
            "run_source",
        ]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.matrix)])
def test_the_rooms_of_stewards_are_quiet_accessible_and_fit_the_smallest_screen(visit, axe, scheme):
    seen = visit("/staff/sources", scheme=scheme)
    base = seen.page.url.removesuffix("/staff/sources")
    for path in ("sources", "source/cases", "admin/tokens", "admin/publications"):
        seen.page.set_viewport_size({"width": 1440, "height": 900})
        seen.page.goto(f"{base}/staff/{path}")
        seen.page.wait_for_selector("main h1")
        if path.startswith("admin") or scheme == "dark":
            assert grave(seen.page, axe) == [], path
        seen.page.set_viewport_size({"width": 320, "height": 900})
        assert seen.width() <= 320, path
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
