"""Administration in a real browser: somebody is invited and comes in, who may not is told so."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import app
from layouts.access import Role
from store import people
from store.engine import reading
from store.people import by_email
from tests.browser.conftest import WAIT
from tests.browser.test_forms import grave
from tests.layouts.published_city import fill


@pytest.fixture
def town(serve, empty_database, published_city):
    engine = empty_database(published_city.catalogue)
    fill(engine, published_city.catalogue, published_city.plan, {})
    return serve(app.make_server(engine, published_city.catalogue, "harbor")), engine


def test_an_admin_invites_somebody_who_comes_in_by_the_link_and_sees_no_administration(
    visit, town, browser, axe
):
    base, engine = town
    seen = visit("/staff/admin", at=base, width=390, scheme="dark")
    page = seen.page
    page.get_by_role("link", name="People and roles").click()
    page.locator("summary", has_text="Invite somebody").focus()
    page.keyboard.press("Enter")
    page.locator("#invite_person-name").fill("Kim Ito")
    page.locator("#invite_person-email").fill("kim@city.example")
    page.locator("#invite_person-role input[value=owner]").check()
    page.keyboard.press("Tab")
    page.locator("#invite_person button[type=submit]").press("Enter")
    wrong = page.locator("#invite_person-department-wrong")
    expect(wrong).to_have_text("Choose the department it is for.", timeout=WAIT)
    page.locator("#invite_person-department").select_option("parks")
    page.locator("#invite_person button[type=submit]").press("Enter")
    link = page.locator("#done input")
    link.wait_for()
    assert link.evaluate("one => one === document.activeElement && one.selectionEnd === one.value.length")
    address = link.input_value()
    assert address.startswith(f"{base}/link/")
    expect(page.locator("h1")).to_have_text("Kim Ito: Owner of Parks & <Recreation>")
    assert grave(page, axe) == [] and seen.width() <= 390
    page.reload()
    page.wait_for_selector("h1")
    assert page.locator("#done input").count() == 0
    seen.watch.complaints[:] = [one for one in seen.watch.complaints if "422" not in one]
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])

    theirs = browser.new_context().new_page()
    theirs.goto(address)
    theirs.locator("main form button").click()
    theirs.locator("input[name=password]").fill("three or four words")
    theirs.locator("main form button").click()
    theirs.wait_for_url("**/staff/today")
    theirs.wait_for_selector("h1")
    theirs.get_by_role("link", name="Kim Ito").wait_for()
    answer = theirs.goto(f"{base}/staff/admin/people")
    assert answer is not None and answer.status == 403
    expect(theirs.locator("h1")).to_have_text("You may not see this")
    theirs.get_by_role("link", name="Go on").click()
    theirs.wait_for_url("**/staff/today")
    with reading(engine) as connection:
        kim = by_email(connection, "kim@city.example")
        assert kim is not None and kim.may(Role.OWNER, "parks") and kim not in people.admins(connection)
    theirs.context.close()


@pytest.mark.parametrize(
    ("path", "width", "scheme"),
    [
        ("/staff/admin", 1440, "light"),
        ("/staff/admin/people", 390, "dark"),
        ("/staff/admin/audit", 390, "light"),
        ("/staff/admin/catalogue", 390, "dark"),
        pytest.param("/staff/admin/people", 1440, "light", marks=pytest.mark.matrix),
        pytest.param("/staff/admin/audit", 1440, "dark", marks=pytest.mark.matrix),
        pytest.param("/staff/admin/catalogue", 320, "light", marks=pytest.mark.matrix),
        pytest.param("/staff/targets", 1440, "dark", marks=pytest.mark.matrix),
        pytest.param("/staff/manual", 390, "light", marks=pytest.mark.matrix),
        pytest.param("/staff/admin/people/1", 1440, "dark", marks=pytest.mark.matrix),
        pytest.param("/staff/admin/people/1", 320, "light", marks=pytest.mark.matrix),
        pytest.param("/staff/admin/audit", 320, "light", marks=pytest.mark.matrix),
    ],
)
def test_a_room_is_quiet_accessible_and_fits(visit, axe, path, width, scheme):
    seen = visit(path, width=width, scheme=scheme)
    seen.page.wait_for_load_state("networkidle")
    assert grave(seen.page, axe) == [] and seen.width() <= width
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
