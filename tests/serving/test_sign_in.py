"""Signing in and out over HTTP: passwords, links, sessions, and everything an attacker would try first."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher

import app
from store import attempts, audit_log, one_time_links, passwords, people, sessions
from store.admin_command import first_admin_link
from store.audit_log import BY_HAND
from store.engine import open_engine, reading, writing
from store.migrations import migrate
from store.one_time_links import Purpose
from store.people import Role
from tests.layouts.published_city import catalogue_of, city_files
from tests.people import COOKIE, add_person

PASSWORD = "correct horse battery staple"
PUBLIC = "scores.example.org"


class HandClock:
    """The time of the server, set by hand."""

    def __init__(self):
        self.now = datetime(2026, 11, 24, 9, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(milliseconds=1)
        return self.now

    def passes(self, **time):
        self.now += timedelta(**time)


@pytest.fixture(scope="module")
def clock():
    return HandClock()


@pytest.fixture(scope="module")
def engine(tmp_path_factory, clock):
    catalogue = catalogue_of(city_files())
    made = open_engine(f"sqlite:///{tmp_path_factory.mktemp('people') / 'city.db'}")
    migrate(made, catalogue.city, clock)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def servers(engine, clock):
    """The same city on this machine alone, behind HTTPS, and behind a proxy without."""
    made = {}
    for name, base in (("here", ""), ("https", f"https://{PUBLIC}"), ("http", f"http://{PUBLIC}")):
        made[name] = app.make_server(engine, catalogue_of(city_files()), "harbor", base, clock=clock)
    return made


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    monkeypatch.setattr(passwords, "MEMORY_KIB", 8)
    monkeypatch.setattr(passwords, "PASSES", 1)
    monkeypatch.setattr(passwords, "LANES", 1)


@pytest.fixture
def client(servers, clock):
    clock.passes(minutes=30)
    return servers["here"].test_client()


@pytest.fixture
def add(engine, clock):
    """Somebody with a role and a password."""

    def make(role=Role.VIEWER, department=None, password=PASSWORD):
        made = add_person(engine, role, department)
        with writing(engine, clock) as write:
            if password:
                passwords.keep(write, made.id, passwords.hashed(password))
        return made

    return make


def token(page, name="form"):
    return re.search(rf'name="{name}" value="([^"]+)"', page.text)[1]


def sign_in(client, email, password=PASSWORD, **more):
    form = token(client.get("/sign-in", **more))
    return client.post("/sign-in", data={"form": form, "email": email, "password": password}, **more)


def is_in(client, **more):
    return client.get("/staff/today", **more).status_code == 200


# --- in and out ------------------------------------------------------------------------------------


def test_somebody_signs_in_goes_where_they_wanted_and_signs_out(client, add, engine):
    ada = add()
    answer = client.get("/staff/metric/pothole_on_time?grain=week")
    wanted = "/staff/metric/pothole_on_time?grain=week"
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    assert page.headers["Cache-Control"] == "no-store" and "frame-ancestors 'none'" in str(page.headers)
    sent = {
        "form": token(page),
        "next": token(page, "next"),
        "email": ada.email.upper(),
    }
    answer = client.post("/sign-in", data={**sent, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, wanted)
    assert is_in(client) and client.get("/sign-in").headers["Location"] == "/staff/today"
    account = client.get("/account")
    assert ada.email in account.text and "Viewer" in account.text
    assert client.post("/sign-out").status_code == 403 and is_in(client)
    assert client.post("/sign-out", data={"csrf": token(account, "csrf")}).headers["Location"] == "/sign-in"
    assert not is_in(client) and client.get_cookie(COOKIE) is None
    with reading(engine) as connection:
        acts = [one.act for one in audit_log.entries(connection, subject=ada.subject)]
    assert acts[:2] == ["signed out", "signed in"]


def test_cookies_are_for_our_pages_alone_and_public_pages_set_none(servers, add, clock):
    ada = add()
    client = servers["https"].test_client()
    asked = {"headers": {"Host": PUBLIC, "X-Forwarded-For": "203.0.113.7"}, "base_url": f"https://{PUBLIC}"}
    cookies = sign_in(client, ada.email, **asked).headers.getlist("Set-Cookie")
    assert is_in(client, **asked)
    for cookie in cookies:
        assert (
            "Secure" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie
        )
        name = cookie.split("=")[0]
        assert (name.startswith("__Host-") and "HttpOnly" in cookie) or name == "cityscore_csrf"
    assert sorted(cookie.split("=")[0] for cookie in cookies) == [
        "__Host-cityscore_device",
        "__Host-cityscore_session",
        "cityscore_csrf",
    ]
    for path in ("/", "/method", "/metric/nothing", "/api/v1/scores", "/health", "/status", "/nothing"):
        assert "Set-Cookie" not in client.get(path, **asked).headers
    # Under the way without HTTPS nobody signs in, nor with the other way's cookie.
    secret = client.get_cookie("__Host-cityscore_session", domain=PUBLIC).value
    for server, host in (("http", PUBLIC), ("https", "evil.example")):
        other = servers[server].test_client()
        other.set_cookie(COOKIE, secret, domain=host)
        assert other.get("/staff/today", headers={"Host": host}).status_code == 403
        assert other.get("/sign-in", headers={"Host": host}).status_code == 403


def test_a_session_that_was_handed_over_is_not_the_one_that_is_signed_in(client, add):
    mallory, ada = add(), add()
    sign_in(client, mallory.email)
    planted = client.get_cookie(COOKIE).value
    victim = client.application.test_client()
    victim.set_cookie(COOKIE, planted)
    # Whoever is signed in is sent on; so the form is taken before.
    form = token(victim.application.test_client().get("/sign-in"))
    victim.set_cookie("cityscore_form", form)
    victim.post("/sign-in", data={"form": form, "email": ada.email, "password": PASSWORD})
    assert ada.email in victim.get("/account").text
    assert victim.get_cookie(COOKIE).value != planted and not is_in(client)
    client.set_cookie(COOKIE, "made-up")
    assert not is_in(client)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example/", "/%2fevil.example", "/sign-out"]
)
def test_nobody_is_sent_to_another_site_after_signing_in(client, add, wanted):
    page = client.get("/sign-in?" + urlencode({"next": wanted}))
    assert token(page, "next") == "/staff/today" and "evil" not in page.text
    sent = {"form": token(page), "next": wanted, "email": add().email, "password": PASSWORD}
    assert client.post("/sign-in", data=sent).headers["Location"] == "/staff/today"


def test_a_form_of_another_site_signs_nobody_in(client, add):
    """Else somebody could be signed in to the account of whoever wants to read what they do."""
    sent = {"email": add().email, "password": PASSWORD}
    assert client.post("/sign-in", data=sent).status_code == 403
    form = token(client.get("/sign-in"))
    assert client.post("/sign-in", data={**sent, "form": form + "x"}).status_code == 403
    stranger = client.application.test_client()
    assert stranger.post("/sign-in", data={**sent, "form": form}).status_code == 403
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site}
        assert client.post("/sign-in", data={**sent, "form": form}, headers=headers).status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize(
    "path", ["/sign-out", "/sign-out-everywhere", "/account/password", "/account/sessions/1/end", "/session"]
)
def test_every_form_of_a_session_carries_its_token(client, add, path):
    sign_in(client, add().email)
    other = client.application.test_client()
    sign_in(other, add().email)
    for csrf in ("", "x", token(other.get("/account"), "csrf"), "é"):
        assert client.post(path, data={"csrf": csrf}).status_code == 403
    assert client.post(path, headers={"X-CSRFToken": ""}, data={}).status_code == 403
    assert client.post(path, data={}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert is_in(client)


# --- guessing --------------------------------------------------------------------------------------


def test_who_guesses_is_stopped_and_the_owner_is_not(client, add, clock):
    ada = add()
    own = client.application.test_client()
    sign_in(own, ada.email)
    own.delete_cookie(COOKIE)
    answers = [sign_in(client, ada.email, f"wrong password {number}") for number in range(12)]
    assert [one.status_code for one in answers] == [401] * attempts.OF_AN_ACCOUNT + [429] * 2
    assert "Wait a quarter of an hour" in answers[-1].text
    assert sign_in(client, ada.email).status_code == 429, "the right password, too: else it could be guessed"
    assert sign_in(own, ada.email).status_code == 303
    clock.passes(minutes=16)
    assert sign_in(client, ada.email).status_code == 303


def test_an_address_nobody_has_takes_the_same_steps_and_says_the_same(client, add, monkeypatch):
    checks = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, kept, given: checks.append(kept) or verify(self, kept, given)
    )
    told = set()
    for email in (add().email, "nobody@city.example", add(password=None).email, "no address", "", "x" * 5000):
        checks.clear()
        answer = sign_in(client, email, "a wrong password, long")
        assert len(checks) == 1 and answer.status_code == 401
        told.add(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(told) == 1


def test_a_hash_of_older_parameters_is_made_anew_when_somebody_signs_in(client, add, engine, monkeypatch):
    ada = add()

    def kept():
        with reading(engine) as connection:
            return passwords.kept_hash(connection, ada.id)

    monkeypatch.setattr(passwords, "PASSES", 2)
    before = kept()
    assert sign_in(client, ada.email, "wrong password, long").status_code == 401 and kept() == before
    assert sign_in(client, ada.email).status_code == 303
    assert kept() != before and not passwords.is_outdated(kept())


def test_somebody_disabled_does_not_sign_in_and_is_told_nothing_else(client, add, engine, clock):
    add(Role.ADMIN)
    ada = add(Role.ADMIN)
    with writing(engine, clock) as write:
        people.disable(write, BY_HAND, ada.id)
    answer = sign_in(client, ada.email)
    assert answer.status_code == 401 and "do not belong together" in answer.text


# --- sessions --------------------------------------------------------------------------------------


def test_a_session_ends_when_unused_and_when_old(client, add, clock):
    sign_in(client, add().email)
    clock.passes(minutes=119)
    assert is_in(client)
    clock.passes(minutes=121)
    assert not is_in(client)
    sign_in(client, add().email)
    hours = 0
    while is_in(client):
        clock.passes(minutes=100)
        hours += 100 / 60
    assert 11 < hours < 14


def test_the_page_asks_how_long_the_session_lasts_without_making_it_last(client, add, clock):
    sign_in(client, add().email)
    csrf = token(client.get("/account"), "csrf")
    asked = {"headers": {"Accept": "application/json", "X-CSRFToken": csrf}}
    clock.passes(minutes=100)
    first = client.get("/session", **asked).get_json()
    assert 19 * 60 < first["seconds"] <= 20 * 60 and first["may_last"]
    assert client.get("/session", **asked).get_json()["seconds"] <= first["seconds"]
    assert client.post("/session", **asked).get_json()["seconds"] > 119 * 60
    clock.passes(minutes=121)
    assert client.get("/session", **asked).status_code == 401
    assert client.post("/session", **asked).status_code == 401


def test_signing_out_everywhere_and_another_password_end_all_other_sessions(client, add, clock):
    ada = add()
    browsers = [client, *(client.application.test_client() for _ in range(2))]

    def all_in():
        return [is_in(one) for one in browsers]

    for one in browsers:
        sign_in(one, ada.email)
    secret = client.get_cookie(COOKIE).value
    csrf = token(client.get("/account"), "csrf")
    sent = {"csrf": csrf, "password": PASSWORD, "new": "another long password"}
    for wrong in ({"password": "x"}, {"new": "short"}, {"new": "x" * 201}):
        assert client.post("/account/password", data={**sent, **wrong}).status_code == 400
    assert all_in() == [True] * 3
    assert client.post("/account/password", data=sent).headers["Location"] == "/account?done=password"
    assert all_in() == [True, False, False] and client.get_cookie(COOKIE).value != secret
    assert sign_in(browsers[1], ada.email).status_code == 401
    assert sign_in(browsers[1], ada.email, "another long password").status_code == 303
    csrf = token(browsers[1].get("/account"), "csrf")
    browsers[1].post("/sign-out-everywhere", data={"csrf": csrf})
    assert all_in() == [False] * 3


def test_one_session_is_ended_by_its_owner_alone(client, add, engine, clock):
    ada, eve = add(), add()
    other = client.application.test_client()
    for one in (client, other):
        sign_in(one, ada.email)
    thief = client.application.test_client()
    sign_in(thief, eve.email)
    with reading(engine) as connection:
        newest, *_ = sessions.of_person(connection, ada.id, clock())
    path = f"/account/sessions/{newest.id}/end"
    assert thief.post(path, data={"csrf": token(thief.get("/account"), "csrf")}).status_code == 404
    assert is_in(other)
    csrf = token(client.get("/account"), "csrf")
    for number in ("0", "x", "9" * 30, "-1", "²"):
        assert client.post(f"/account/sessions/{number}/end", data={"csrf": csrf}).status_code == 404
    assert client.post(path, data={"csrf": csrf}).status_code == 303
    assert not is_in(other) and is_in(client)


def test_a_role_that_ended_and_a_disabled_person_are_seen_by_the_next_request(client, add, engine, clock):
    add(Role.ADMIN)
    ada = add(Role.ADMIN)
    sign_in(client, ada.email)
    move = {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [
            {"id": "_pages_content", "property": "children"},
            {"id": "_pages_store", "property": "data"},
        ],
        "inputs": [
            {"id": "_pages_location", "property": "pathname", "value": "/staff/today"},
            {"id": "_pages_location", "property": "search", "value": ""},
        ],
        "changedPropIds": ["_pages_location.pathname"],
    }
    headers = {"X-CSRFToken": token(client.get("/account"), "csrf")}

    def call():
        return client.post("/staff/_dash-update-component", json=move, headers=headers).status_code

    assert call() == 200
    with writing(engine, clock) as write:
        people.end_grant(write, BY_HAND, ada.grants[0].id)
    assert call() == 403 and "no role yet" in client.get("/account").text
    with writing(engine, clock) as write:
        people.disable(write, BY_HAND, ada.id)
    assert call() == 401 and not is_in(client)


# --- links -----------------------------------------------------------------------------------------


def follow(client, secret, **given):
    """Opens a link, goes on, and sends what it asks for."""
    page = client.get(f"/link/{secret}")
    opened = client.post("/link", data={"form": token(page), "secret": token(page, "secret")})
    if opened.status_code != 200:
        return opened
    sent = {"form": token(opened), "secret": token(opened, "secret"), "password": PASSWORD, **given}
    return client.post("/link/use", data=sent)


def make_link(engine, clock, purpose, person=None, email=None):
    with writing(engine, clock) as write:
        return one_time_links.make(write, BY_HAND, purpose, person, email)


def test_an_invitation_is_followed_once_and_looking_at_it_uses_nothing_up(client, add, engine, clock):
    ada = add(Role.EDITOR, "parks", password=None)
    secret = make_link(engine, clock, Purpose.INVITE, ada.id)
    first = client.get(f"/link/{secret}")
    assert first.headers["Referrer-Policy"] == "no-referrer" and first.headers["Cache-Control"] == "no-store"
    assert ada.name not in first.text and ada.email not in first.text
    assert client.get(f"/link/{secret}").status_code == 200
    assert follow(client, secret, password="short").status_code == 400
    assert follow(client, secret).headers["Location"] == "/staff/today"
    assert "Editor: Parks" in client.get("/account").text
    again = follow(client.application.test_client(), secret)
    assert again.status_code == 410 and "has been used" in again.text
    assert follow(client, "made-up").status_code == 410
    assert sign_in(client.application.test_client(), ada.email).status_code == 303


def test_a_link_ends_and_a_new_password_ends_the_sessions_of_the_old(client, add, engine, clock):
    ada = add()
    sign_in(client, ada.email)
    late = make_link(engine, clock, Purpose.RESET, ada.id)
    clock.passes(hours=25)
    sign_in(client, ada.email)
    other = client.application.test_client()
    assert follow(other, late).status_code == 410 and is_in(client)
    assert (
        follow(other, make_link(engine, clock, Purpose.RESET, ada.id), password="x" * 15).status_code == 303
    )
    assert not is_in(client) and is_in(other)
    with writing(engine, clock) as write:
        disabled = one_time_links.make(write, BY_HAND, Purpose.INVITE, ada.id)
        people.disable(write, BY_HAND, ada.id)
    assert follow(other, disabled).status_code == 410 and not is_in(other)
    late = make_link(engine, clock, Purpose.INVITE, ada.id)
    answer = follow(other, late)
    assert answer.status_code == 400 and "disabled" in answer.text and not is_in(other)


def test_the_first_admin_and_one_who_was_lost_come_in_by_a_link(client, engine, clock, add):
    with writing(engine, clock) as write:
        write.connection.exec_driver_sql("DELETE FROM grants WHERE role = 'admin'")
    secret = first_admin_link(engine, clock).removeprefix(one_time_links.PATH)
    assert follow(client, secret, name="", email="x@city.example").status_code == 400
    assert follow(client, secret, name="Grace", email="not an address").status_code == 400
    assert follow(client, secret, name="Grace Hopper", email="grace@city.example").status_code == 303
    assert "Admin" in client.get("/account").text
    add(Role.ADMIN)
    assert first_admin_link(engine, clock) is None, "there is one"
    with writing(engine, clock) as write:
        grace = people.by_email(write.connection, "grace@city.example")
        people.end_grant(write, BY_HAND, grace.grants[0].id)
        people.disable(write, BY_HAND, grace.id)
    other = client.application.test_client()
    link = make_link(engine, clock, Purpose.ADMIN, email="GRACE@city.example")
    assert follow(other, link).status_code == 303 and "Admin" in other.get("/account").text


# --- the demonstration -----------------------------------------------------------------------------


@pytest.fixture
def demo(engine, clock, monkeypatch):
    """The same city as if it were the demonstration."""
    monkeypatch.setattr(app, "DEMONSTRATION", "harbor")

    def make(base_url=""):
        made = app.make_server(engine, catalogue_of(city_files()), "harbor", base_url, clock=clock)
        return made.test_client()

    return make


def test_one_click_is_offered_on_this_machine_alone(demo, servers):
    client = demo()
    page = client.get("/sign-in")
    assert page.text.count("/sign-in/as/") == 4
    for word, says in (
        ("viewer", "Viewer"),
        ("head", "Head of a department: Public Works"),
        ("admin", "Admin"),
    ):
        form = token(client.application.test_client().get("/sign-in"))
        other = client.application.test_client()
        other.set_cookie("cityscore_form", form)
        assert other.post(f"/sign-in/as/{word}", data={"form": form}).headers["Location"] == "/staff/today"
        assert says in other.get("/account").text and "Change your password" not in other.get("/account").text
    form = token(page)
    assert client.post("/sign-in/as/admin", data={}).status_code == 403
    assert client.post("/sign-in/as/nobody", data={"form": form}).status_code == 404
    public = demo(f"https://{PUBLIC}")
    for stranger, asked in (
        (public, {}),
        (public, {"headers": {"Host": PUBLIC}, "base_url": f"https://{PUBLIC}"}),
        (servers["here"].test_client(), {}),
    ):
        form = token(stranger.get("/sign-in", **asked))
        assert "/sign-in/as/" not in stranger.get("/sign-in", **asked).text
        assert stranger.post("/sign-in/as/admin", data={"form": form}, **asked).status_code == 404
    assert (
        client.post(
            "/sign-in/as/admin", data={"form": form}, headers={"X-Forwarded-For": "203.0.113.7"}
        ).status_code
        == 400
    )


# --- what is never told ----------------------------------------------------------------------------


def test_no_secret_is_logged_or_kept(client, add, engine, clock, caplog, monkeypatch, tmp_path):
    ada = add()
    caplog.set_level(logging.DEBUG)
    link = make_link(engine, clock, Purpose.RESET, ada.id)
    planted = "planted password of mine"
    sign_in(client, ada.email, planted + "?")
    follow(client, link, password=planted)
    cookies = [client.get_cookie(name).value for name in (COOKIE, "cityscore_csrf", "cityscore_device")]
    # Whatever goes wrong on the way is told without the address of the link.
    monkeypatch.setattr(
        "serving.link_pages.LinkPages._find", lambda *_: (_ for _ in ()).throw(RuntimeError("boom"))
    )
    monkeypatch.setattr("serving.entering.Entry.form", lambda _self: 1 / 0)
    broken = client.get(f"/link/{link}")
    assert broken.status_code == 500 and link not in broken.text
    with reading(engine) as connection:
        rows = [
            str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())
            for table in (
                "sessions",
                "devices",
                "one_time_links",
                "passwords",
                "audit_log",
                "attempts",
                "people",
            )
        ]
    told = [record.getMessage() + str(record.exc_text) for record in caplog.records]
    assert any("/link/<secret>" in one for one in told)
    for secret in (planted, link, *cookies):
        assert not any(secret in one for one in (*told, *rows)), secret
