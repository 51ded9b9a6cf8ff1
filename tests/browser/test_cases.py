"""From a red number to the records behind it, played as the head of the department."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

import app
from metrics.catalogue import load
from serving.cookies import CSRF
from serving.who import csrf_of
from store.engine import open_engine
from store.people import Role
from tests.browser.conftest import WAIT
from tests.browser.test_department import grave
from tests.people import COOKIE, add_person, secret_of
from tests.town import Town, case, write_city


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    engine = open_engine(f"sqlite:///{folder / 'town.db'}")
    made = Town(engine, load(write_city(folder / "test")))
    late = [case(f"late{number:02}", 11, 20, reason="Crew busy " * 9) for number in range(40)]
    made.ingest(*late, *(case(f"done{number:02}", 12, 11) for number in range(30)))
    made.publish(date(2026, 7, 1))
    yield made
    engine.dispose()


@pytest.fixture
def head_of_works(visit, serve, town):
    """Opens a page as the head of Public Works."""
    place = serve(app.make_server(town.engine, town.catalogue, "test", clock=town.clock))

    def go(path, **how):
        seen = visit("/staff/today", at=place, **how)
        secret = secret_of(
            town.engine, add_person(town.engine, Role.OWNER, "works", clock=town.clock), town.clock
        )
        where = {"domain": urlsplit(place).hostname, "path": "/"}
        cookies = {COOKIE: secret, CSRF: csrf_of(secret)}
        seen.page.context.add_cookies(
            [{"name": name, "value": text, **where} for name, text in cookies.items()]
        )
        seen.page.goto(place + path)
        seen.page.wait_for_selector("main h1")
        return seen

    return go


def test_from_a_red_number_to_its_records_and_one_kind_of_them(head_of_works):
    seen = head_of_works("/staff/today")
    page = seen.page
    page.locator(".board").get_by_role("link", name="30 of 70").first.click()
    expect(page.locator("main h1")).to_have_text("30 of 70: On time, June 2026", timeout=WAIT)
    page.wait_for_function("document.activeElement.tagName === 'H1'")
    page.get_by_label("Outcome").select_option(label="The 40 that do not")
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("main h1")).to_have_text(
        "The 40 of 70 that do not count: On time, June 2026", timeout=WAIT
    )
    expect(page.locator(".case-table tbody tr")).to_have_count(40, timeout=WAIT)
    page.go_back()
    expect(page.locator(".case-table tbody tr")).to_have_count(50, timeout=WAIT)
    page.get_by_role("link", name="Later ones").click()
    expect(page.locator(".case-table tbody tr")).to_have_count(20, timeout=WAIT)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == "on_time_month_2026-06-01_1.csv"
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (320, "dark"),
        pytest.param(320, "light", marks=pytest.mark.matrix),
        pytest.param(1440, "light", marks=pytest.mark.matrix),
        pytest.param(1440, "dark", marks=pytest.mark.matrix),
    ],
)
def test_the_list_fits_and_axe_finds_nothing_grave(head_of_works, axe, width, scheme):
    path = "/staff/metric/on_time/cases?grain=month&empty_area=1&is_reason=Crew"
    for one in (path, "/staff/metric/on_time/case?key=late00"):
        seen = head_of_works(one, width=width, scheme=scheme)
        assert grave(seen.page, axe) == [] and seen.width() <= width
        assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
