"""Signing in with the account of the city in a real browser: to a provider of another site, and back."""

from __future__ import annotations

import pytest

import app
from layouts.access import Role
from serving.provider import Provider, Registration
from store.engine import system_clock
from tests.browser.test_forms import grave
from tests.people import add_person
from tests.serving.oidc_provider import CLIENT, SECRET, running


@pytest.fixture(scope="module")
def provider():
    """Under a name of its own, so that coming back from it is coming from another site."""
    with running("localhost") as made:
        yield made


@pytest.fixture
def town(serve, empty_database, published_city, provider):
    engine = empty_database(published_city.catalogue)
    knows = Provider(Registration(provider.issuer, CLIENT, SECRET), system_clock)
    return serve(app.make_server(engine, published_city.catalogue, "harbor", provider=knows)), engine


@pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), pytest.param(390, "dark", marks=pytest.mark.matrix)]
)
def test_somebody_signs_in_with_their_city_account_by_keyboard_and_out_again(
    visit, town, provider, axe, width, scheme
):
    base, engine = town
    person = add_person(engine, Role.VIEWER, email="ada@city.example")
    provider.knows("ada", email=person.email, email_verified=True)
    seen = visit("/staff/today", at=base, width=width, scheme=scheme, role=None)
    page, complaints = seen.page, list(seen.watch.complaints)
    # The provider's own page wants files that are not on this machine.
    page.on("console", lambda said: said.location["url"].startswith(base) and complaints.append(said.text))
    assert page.url == f"{base}/sign-in?next=/staff/today" and grave(page, axe) == []
    page.get_by_role("link", name="Sign in with your city account").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{provider.issuer}/**")
    page.locator("input[name=sub]").fill("ada")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/staff/today", wait_until="commit")
    page.goto(f"{base}/account")
    assert person.email in page.locator("main").inner_text()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(f"{base}/sign-in?*")
    assert "may still be signed in" in page.get_by_role("status").inner_text()
    assert grave(page, axe) == [] and seen.width() <= width
    # Somebody whom nobody has invited is told whom to ask.
    provider.knows("eve", email="eve@city.example", email_verified=True)
    page.get_by_role("link", name="Sign in with your city account").click()
    page.wait_for_url(f"{provider.issuer}/**")
    page.locator("input[name=sub]").fill("eve")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/sign-in?*")
    assert "nobody has invited you here yet" in page.get_by_role("alert").inner_text()
    assert grave(page, axe) == [] and seen.width() <= width
    assert complaints == []
