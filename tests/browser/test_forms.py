"""Forms in a real browser, by keyboard: what is wrong stands beside its field, what was done is said."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import app
from layouts.access import Role
from serving.cookies import CSRF
from serving.who import csrf_of
from store import notes
from store.engine import reading
from tests.browser.conftest import WAIT
from tests.browser.test_pages import RULES
from tests.layouts.published_city import fill
from tests.people import COOKIE, add_person, secret_of


@pytest.fixture
def town(serve, empty_database, published_city):
    engine = empty_database(published_city.catalogue)
    fill(engine, published_city.catalogue, published_city.plan, {})
    return serve(app.make_server(engine, published_city.catalogue, "harbor")), engine


def enter(seen, base, engine, path, role=Role.EDITOR, department="public_works"):
    secret = secret_of(engine, add_person(engine, role, department))
    cookies = {COOKIE: secret, CSRF: csrf_of(secret)}
    where = [{"name": name, "value": value, "url": base} for name, value in cookies.items()]
    seen.page.context.add_cookies(where)
    seen.page.goto(base + path)
    seen.page.wait_for_selector("#add_note", state="attached")
    return seen.page


def grave(page, axe):
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)
    return [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_head_writes_a_note_by_keyboard_and_hears_what_was_wrong_and_what_was_done(
    visit, town, axe, width, scheme
):
    base, engine = town
    seen = visit("/", at=base, width=width, scheme=scheme)
    page = enter(seen, base, engine, "/staff/metric/pothole_on_time")
    page.locator("summary", has_text="Write a note").focus()
    page.keyboard.press("Enter")
    field = page.locator("#add_note-words")
    page.locator("#add_note button[type=submit]").focus()
    page.keyboard.press("Enter")
    wrong = page.locator("#add_note-words-wrong")
    wrong.wait_for(state="visible")
    assert wrong.text_content() == "Fill this in."
    assert field.evaluate("one => one === document.activeElement")
    assert field.get_attribute("aria-invalid") == "true"
    assert "add_note-words-wrong" in (field.get_attribute("aria-describedby") or "")
    assert grave(page, axe) == [] and seen.width() <= width
    seen.watch.complaints[:] = [one for one in seen.watch.complaints if "422" not in one]
    page.keyboard.type("Two crews were ill.")
    page.locator("#add_note button[type=submit]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_have_text("The note is kept for staff.", timeout=WAIT)
    page.get_by_text("Two crews were ill.").wait_for()
    assert page.url.endswith("/staff/metric/pothole_on_time?grain=week#notes")
    with reading(engine) as connection:
        assert [one.words for one in notes.of_metrics(connection, ["pothole_on_time"])] == [
            "Two crews were ill."
        ]
    assert seen.watch.complaints == [] and seen.watch.strangers == []


def test_anybody_reports_a_problem_without_scripts(visit, town):
    base, _engine = town
    seen = visit("/metric/pothole_on_time", at=base, width=390, scripts=False)
    seen.page.locator("summary", has_text="Report a problem").click()
    seen.page.locator("#report-words").fill("My street is missing.")
    seen.page.locator("#report button").click()
    seen.page.wait_for_selector("h1:has-text('Thank you')")
    assert seen.width() <= 390 and seen.page.context.cookies() == []
