"""Values given by hand, played as the editor who gives them: reminded, filled in, checked, done."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import expect

import app
from ingest import entry_answers
from ingest.desk import Desk
from layouts.access import Role
from metrics.catalogue import load
from serving.cookies import CSRF
from serving.who import csrf_of
from store import entries, requests
from store.engine import open_engine, reading
from tests.browser.conftest import WAIT
from tests.browser.test_forms import grave
from tests.people import COOKIE, add_person, secret_of
from tests.town import Town, case, write_city

VISITS = """
id = "visits"
name = "Library visits"
kind = "manual"
key = "visit_id"
begins = 2026-06-23
[columns.visit_id]
type = "text"
[columns.day]
type = "day"
[columns.branch]
type = "text"
[columns.people]
type = "integer"
required = true
min = 0
max = 5000
[options]
key_from = ["day", "branch"]
"""
METRIC = """
id = "visitors"
name = "People in the library"
department = "works"
theme = "streets"
family = "condition"
source = "visits"
unit = "count"
definition = "People counted at the doors."
limitations = "Invented."
owner = "The tester"
scored_at = []
aggregation = "count"
quantity = "people"
direction = "neutral"
date = "day"
"""


@pytest.fixture
def town(tmp_path):
    folder = write_city(tmp_path / "test")
    (folder / "sources" / "visits.toml").write_text(VISITS)
    (folder / "metrics" / "visitors.toml").write_text(METRIC)
    engine = open_engine(f"sqlite:///{tmp_path / 'town.db'}")
    made = Town(engine, load(folder))
    made.now = datetime(2026, 7, 1, 16, tzinfo=UTC)
    made.ingest(case("a", 10, 5))
    made.publish(date(2026, 7, 1))
    desk = Desk(engine, made.catalogue.city, tmp_path / "snapshots", tmp_path, made.clock)
    rows = [
        {"day": f"2026-06-{day}", "branch": branch, "people": str(400 + day)}
        for day in range(23, 29)
        for branch in ("main", "north")
    ]
    source = made.catalogue.sources["visits"]
    entry_answers.answer(desk, source, {"rows": rows, "by": "Kim"}, ())
    yield made, desk
    engine.dispose()


@pytest.fixture
def editor(visit, serve, town):
    """A page that is opened by an editor of the department."""
    made, _desk = town
    base = serve(app.make_server(made.engine, made.catalogue, "test", clock=made.clock))

    def go(path, **how):
        seen = visit("/", at=base, **how)
        person = add_person(made.engine, Role.EDITOR, "works", clock=made.clock)
        secret = secret_of(made.engine, person, made.clock)
        cookies = {COOKIE: secret, CSRF: csrf_of(secret)}
        where = [{"name": name, "value": text, "url": base} for name, text in cookies.items()]
        seen.page.context.add_cookies(where)
        seen.page.goto(base + path)
        seen.page.wait_for_selector("main h1")
        return seen

    return go


def answered_by_the_worker(town):
    made, desk = town
    found = requests.claim(made.engine, made.clock)
    assert found is not None and found.kind == entry_answers.REQUEST
    source = made.catalogue.sources[found.arguments["source"]]
    result = entry_answers.answer(desk, source, found.arguments, ())
    requests.finish(made.engine, made.clock, found.id, result)


def held(town):
    with reading(town[0].engine) as connection:
        return {one.given.key: one.given.cells["people"] for one in entries.current(connection, "visits")}


def test_from_the_reminder_to_done_by_keyboard_and_nothing_else(editor, town, axe):
    seen = editor("/staff/today", width=390)
    page = seen.page
    page.get_by_role("link", name="4 values wait for you: Library visits").press("Enter")
    expect(page.locator("h1")).to_have_text("Library visits: 4 values are waited for")
    fields = page.locator("#give_values input[type=number]")
    assert fields.count() == 4 and grave(page, axe) == [] and seen.width() <= 390
    expect(page.locator("#give_values-v0-people-hint")).to_have_text(
        "From 0 to 5,000. Lately from 423 to 428."
    )
    fields.nth(0).focus()
    for value in ("427", "428", "4300", "429"):
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#give_values button").press("Enter")
    wrong = page.locator("#give_values-v2-people-wrong")
    expect(wrong).to_contain_text("4,300 is far from the 423 to 428 of late", timeout=WAIT)
    fields.nth(2).fill("430")
    page.keyboard.press("Enter")
    expect(page.locator("#values-told")).to_contain_text("The worker is checking", timeout=WAIT)
    answered_by_the_worker(town)
    expect(page.locator("#values-told")).to_contain_text("Done: 4 values are kept.", timeout=WAIT)
    assert held(town)["2026-06-30/north"] == "429"
    page.get_by_role("link", name="See what is still due").press("Enter")
    expect(page.locator("h1")).to_have_text("Library visits: every value is there up to yesterday")
    seen.watch.complaints[:] = [one for one in seen.watch.complaints if "422" not in one]
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


def test_a_spreadsheet_shows_its_mistakes_and_its_difference_before_anything_is_kept(editor, town, axe):
    seen = editor("/staff/manual/visits", width=1440, scheme="dark")
    page = seen.page

    def send(text):
        file = {"name": "june.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.locator("#try_values_file-file").set_input_files(file)
        page.locator("#try_values_file button").press("Enter")
        expect(page.locator("#values-told")).to_contain_text("The worker is checking", timeout=WAIT)
        answered_by_the_worker(town)

    send("day,branch,people\n2026-06-29,main,many\n2026-06-29,north,9000\n")
    told = page.locator("#values-told")
    expect(told).to_contain_text("2 rows cannot be taken, so nothing was kept.", timeout=WAIT)
    assert told.locator("li").count() == 2 and "line 2" in told.inner_text() and len(held(town)) == 12
    page.goto(page.url.partition("?")[0])
    page.wait_for_selector("#try_values_file-file")
    send("day,branch,people\n2026-06-29,main,440\n2026-06-29,north,441\n")
    expect(told).to_contain_text("2 values would be kept", timeout=WAIT)
    assert "2026-06-29/main: new: people 440" in told.inner_text() and len(held(town)) == 12
    assert grave(page, axe) == []
    page.locator("#keep_values_file button").press("Enter")
    page.wait_for_url("**request=3")
    answered_by_the_worker(town)
    expect(told).to_contain_text("Done: 2 values are kept.", timeout=WAIT)
    assert len(held(town)) == 14
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
