"""The demonstration city as the people of a city hall use it: one story each, played from page to page."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

import app
from layouts.access import Role
from metrics.model import Grain
from serving.cookies import CSRF
from serving.who import csrf_of
from store import actions, corrections, notes, publications
from store.engine import reading, writing
from store.notes import NoteKind
from tests.browser.conftest import WAIT
from tests.demonstration import NEW_METRIC, Demonstration
from tests.people import COOKIE, add_person, secret_of

pytestmark = pytest.mark.matrix

WORKS = "public_works"
POTHOLES = "/staff/metric/pothole_on_time"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    made = Demonstration(tmp_path_factory.mktemp("demonstration"))
    yield made
    made.engine.dispose()


@pytest.fixture
def played_by(visit, serve, demo):
    """Opens a page as somebody of a role: played_by(path, Role.OWNER, "public_works") gives a Visit."""
    place = serve(app.make_server(demo.engine, demo.catalogue, "demo", clock=demo.clock))

    def go(path, role=None, department=None, **how):
        seen = visit("/", at=place, **how)
        if role is not None:
            person = add_person(demo.engine, role, department, clock=demo.clock)
            secret = secret_of(demo.engine, person, demo.clock)
            where = {"domain": urlsplit(place).hostname, "path": "/"}
            cookies = {COOKIE: secret, CSRF: csrf_of(secret)}
            seen.page.context.add_cookies(
                [{"name": name, "value": text, **where} for name, text in cookies.items()]
            )
        seen.page.goto(place + path)
        seen.page.wait_for_selector("main h1")
        return seen

    return go


def newest(demo):
    with reading(demo.engine) as connection:
        found = publications.current(connection)
        assert found is not None
        return found


def count_of(page, pattern):
    """The number in the page's heading."""
    heading = page.locator("main h1")
    expect(heading).to_have_text(re.compile(pattern), timeout=WAIT)
    found = re.search(pattern, heading.inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def test_d1_from_a_red_number_to_its_cases_in_three_clicks(played_by, demo):
    seen = played_by("/staff/department/public_works", Role.OWNER, WORKS)
    page = seen.page
    page.locator("main").get_by_role("link", name="Potholes filled on time").first.click()
    expect(page.locator("main h1")).to_contain_text("Potholes filled on time", timeout=WAIT)
    page.locator("main").get_by_role("link", name=re.compile(r"\d+ of \d+")).first.click()
    denominator = count_of(page, r"of ([\d,]+): Potholes filled on time")
    page.get_by_label("Outcome").select_option(index=2)
    page.get_by_role("button", name="Show these").click()
    missed = count_of(page, r"^The ([\d,]+) of [\d,]+ that do not count")
    period = published_parts(page, demo)
    assert (denominator - missed, denominator) == period
    assert seen.watch.complaints == [] and seen.watch.strangers == []


def published_parts(page, demo):
    """Numerator and denominator of the period in the page's address, as they are published."""
    words = dict(one.split("=") for one in urlsplit(page.url).query.split("&"))
    with reading(demo.engine) as connection:
        said = newest(demo).publication
        rows = publications.series(connection, said, "pothole_on_time", Grain(words["grain"]))
        [found] = [one for one in rows if one.period.start.isoformat() == words["start"]]
    return found.numerator, found.denominator


def test_d2_a_wrong_row_is_flagged_decided_by_another_and_published_with_author_and_reason(played_by, demo):
    seen = played_by(f"{POTHOLES}/cases?grain=month&start=2026-06-01&met=0", Role.EDITOR, WORKS)
    page = seen.page
    page.locator(".case-table tbody th a").first.click()
    page.wait_for_selector("#flags")
    record = page.url
    key = page.locator("main h1").inner_text().rpartition(" ")[2]
    page.get_by_text("Flag it as wrong", exact=True).click()
    page.get_by_label("What is wrong").select_option(label="The whole record: it does not belong here")
    page.get_by_label("Why", exact=True).fill("It was a test of the crew")
    page.get_by_role("button", name="Flag it").click()
    expect(page.locator("#done")).to_contain_text("It is flagged", timeout=WAIT)
    assert page.get_by_role("button", name="Accept").count() == 0, "whoever flags it does not decide"
    before = june(demo)
    decider = played_by(urlsplit(record).path + "?" + urlsplit(record).query, Role.OWNER, WORKS)
    decider.page.get_by_role("button", name="Accept: correct the record").click()
    expect(decider.page.locator("#done")).to_contain_text("It is accepted", timeout=WAIT)
    demo.answer()
    after = june(demo)
    assert (after.numerator, after.denominator) == (before.numerator, before.denominator - 1)
    said = newest(demo).publication
    assert said.reason.startswith("1 record corrected: It was a test of the crew (Editor and Owner)")
    told = decider.page.request.get(
        f"{urlsplit(record)._replace(path='', query='', fragment='').geturl()}/api/v1/publications"
    )
    assert "It was a test of the crew (Editor and Owner)" in told.text(), "anybody can read why"
    with reading(demo.engine) as connection:
        assert len(corrections.of_record(connection, "service_requests", key)) == 1
    assert seen.watch.complaints == [] and decider.watch.complaints == []


def june(demo):
    with reading(demo.engine) as connection:
        rows = publications.series(connection, newest(demo).publication, "pothole_on_time", Grain.MONTH)
        [found] = [one for one in rows if one.period.start.isoformat() == "2026-06-01"]
        return found


def test_d6_what_piles_up_is_told_by_age_and_what_will_miss_its_deadline_by_date_with_its_error(played_by):
    seen = played_by("/staff/department/public_works", Role.OWNER, WORKS)
    due = seen.page.locator("#due").locator("xpath=ancestor-or-self::section[1]")
    due.get_by_role("table", name="Open cases by the day they are due").wait_for()
    due.get_by_role("table", name="How old what is overdue is").wait_for()
    text = due.inner_text()
    assert re.search(r"\d+ of \d+|forecast", text), text
    due.get_by_role("link", name="Potholes filled on time").click()
    seen.page.wait_for_selector("#due")
    oldest = seen.page.get_by_role("table", name="The oldest open cases")
    oldest.locator("tbody tr").first.get_by_role("link").click(timeout=WAIT)
    seen.page.wait_for_selector("#flags")
    assert seen.watch.complaints == []


def test_d9_nothing_is_public_before_its_owner_has_seen_it_and_somebody_has_approved_it(played_by, demo):
    assert played_by(f"/metric/{NEW_METRIC}").page.locator("main h1").inner_text() != "Park checks passed"
    owner = played_by(f"/staff/metric/{NEW_METRIC}", Role.OWNER, "parks").page
    owner.get_by_text("The public does not see this yet: its owner has to look at it first.").wait_for()
    owner.locator("#add_note").locator("xpath=ancestor::details").locator("summary").click()
    owner.locator("#add_note-words").fill("Two parks were closed for works.")
    owner.locator("#add_note").get_by_label(re.compile("public", re.IGNORECASE)).check()
    owner.locator("#add_note button[type=submit]").click()
    expect(owner.locator("#done")).to_contain_text("public", timeout=WAIT)
    owner.get_by_text("Let it pass", exact=True).click()
    owner.get_by_label("I have looked at these numbers").check()
    owner.get_by_role("button", name="Let it go to the approver").click()
    expect(owner.locator("#done")).to_contain_text("waits for an approver", timeout=WAIT)
    approver = played_by(f"/staff/metric/{NEW_METRIC}", Role.APPROVER).page
    approver.get_by_text("Approve or refuse it", exact=True).click()
    approver.get_by_role("button", name="Decide").click()
    expect(approver.locator("#done")).to_contain_text("The public sees it now.", timeout=WAIT)
    public = played_by(f"/metric/{NEW_METRIC}?grain=month").page
    public.get_by_text("Two parks were closed for works.").wait_for()
    log = played_by("/staff/admin/audit", Role.ADMIN).page
    expect(log.locator("main table")).to_contain_text(NEW_METRIC, timeout=WAIT)


def test_m3_from_what_needs_attention_to_its_owner_note_and_promise_is_one_click(played_by, demo):
    page = played_by("/staff/today", Role.VIEWER).page
    first = page.locator("#attention li.attention, section:has(#attention) li.attention").first
    metric = demo.catalogue.metrics[
        urlsplit(first.locator(".who a").get_attribute("href")).path.rpartition("/")[2]
    ]
    head = add_person(demo.engine, Role.OWNER, metric.department, clock=demo.clock)
    week = newest(demo).publication.as_of - timedelta(days=9)
    with writing(demo.engine, demo.clock) as write:
        notes.add(
            write, head, metric.id, Grain.WEEK, week, NoteKind.EXPLANATION, "A truck broke.", is_public=False
        )
        actions.begin(
            write,
            head,
            metric.id,
            "Rent a second truck",
            owner=head.id,
            due=newest(demo).publication.as_of + timedelta(days=20),
            promise="It drives from August on.",
            is_public=False,
        )
    page.reload()
    first.locator(".who a").click()
    expect(page.locator("#notes")).to_be_focused(timeout=WAIT)
    written = page.locator("#written")
    for words in ("A truck broke.", "Rent a second truck", "It drives from August on.", head.name):
        expect(written).to_contain_text(words)
    expect(page.locator("main")).to_contain_text(metric.owner)
