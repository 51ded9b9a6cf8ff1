"""A target is tried on the last year, proposed by an owner and approved by another, by keyboard."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import expect

import app
from layouts.access import Role
from metrics.catalogue import load
from serving.cookies import CSRF
from serving.who import csrf_of
from store import requests, target_requests, targets
from store.engine import open_engine, reading
from tests.browser.conftest import WAIT
from tests.browser.test_forms import grave
from tests.people import COOKIE, add_person, secret_of
from tests.town import Town, case, write_city


@pytest.fixture
def town(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'town.db'}")
    made = Town(engine, load(write_city(tmp_path / "test")))
    made.ingest(case("a", 10, 5), case("b", 10, 20), case("c", 11, 5, month=5), case("d", 12, 6, month=5))
    made.publish(date(2026, 7, 1))
    yield made
    engine.dispose()


@pytest.fixture
def opened(visit, serve, town):
    """Opens a page as somebody new of a role."""
    base = serve(app.make_server(town.engine, town.catalogue, "test", clock=town.clock))

    def go(path, role, department=None, **how):
        seen = visit("/", at=base, **how)
        person = add_person(town.engine, role, department, clock=town.clock)
        secret = secret_of(town.engine, person, town.clock)
        cookies = {COOKIE: secret, CSRF: csrf_of(secret)}
        where = [{"name": name, "value": text, "url": base} for name, text in cookies.items()]
        seen.page.context.add_cookies(where)
        seen.page.goto(base + path)
        seen.page.wait_for_selector("main h1")
        return seen

    return go


def answered_by_the_worker(town):
    found = requests.claim(town.engine, town.clock)
    assert found is not None and found.kind == target_requests.PREVIEW
    result = target_requests.answer(town.engine, town.catalogue, found.arguments)
    requests.finish(town.engine, town.clock, found.id, result)


def test_an_owner_sees_how_often_a_target_would_have_been_met_before_it_is_proposed_and_approved(
    town, opened, axe
):
    seen = opened("/staff/targets/on_time", Role.OWNER, "works", width=390, scheme="dark")
    page = seen.page
    expect(page.locator("h1")).to_have_text("On time: target 80% since Jan 1, 2016")
    page.locator("#try_target-value").fill("70")
    page.locator("#try_target-reason").fill("One crew less until spring")
    page.keyboard.press("Enter")
    expect(page.locator("#tried-told")).to_contain_text("The worker is trying it", timeout=WAIT)
    answered_by_the_worker(town)
    told = page.locator("#tried-told")
    expect(told).to_contain_text("likely in", timeout=WAIT)
    assert "of the last" in told.inner_text() and "No published score changes" in told.inner_text()
    assert told.locator("tbody tr").count() == 3
    with reading(town.engine) as connection:
        assert targets.newest(connection) == 0
    assert grave(page, axe) == [] and seen.width() <= 390
    page.locator("#propose_target button").press("Enter")
    expect(page.locator("#done")).to_contain_text("waits for an approver", timeout=WAIT)
    expect(page.locator("section", has=page.locator("#proposals"))).to_contain_text("70% from Dec 1, 2026")
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])

    other = opened("/staff/targets", Role.APPROVER, width=1440)
    expect(other.page.locator("h1")).to_have_text("One target waits for a decision")
    assert grave(other.page, axe) == [] and other.page.locator("#waiting").count() == 1
    other.page.locator("#waiting").locator("..").locator("..").get_by_role("link", name="On time").click()
    other.page.wait_for_selector("#proposals")
    assert other.page.locator("#try_target").count() == 0 and grave(other.page, axe) == []
    other.page.locator("form[action='/act/approve_target'] button").press("Enter")
    expect(other.page.locator("#done")).to_contain_text("is approved", timeout=WAIT)
    expect(other.page.locator("section", has=other.page.locator("#history"))).to_contain_text("70%")
    assert (other.watch.complaints, other.watch.strangers) == ([], [])
    with reading(town.engine) as connection:
        merged = targets.merged(connection, town.catalogue).metrics["on_time"]
    assert [one.value for one in merged.targets] == [0.8, 0.7]


@pytest.mark.parametrize("path", ["/staff/targets", "/staff/targets/pothole_on_time"])
def test_targets_fit_the_smallest_screen_and_a_viewer_changes_nothing(visit, path):
    seen = visit(path, width=320, role=Role.VIEWER)
    assert seen.width() <= 320 and seen.page.locator("form[method=post].form").count() == 0
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
