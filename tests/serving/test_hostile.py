"""Somebody hostile at the doors for people: what each of them tries, and that it comes to nothing."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import pytest

import app
from serving.cookies import CSRF
from serving.who import CSRF_HEADER
from store import attempts, one_time_links, passwords, people
from store.audit_log import BY_HAND
from store.engine import StoreError, open_engine, reading, system_clock, writing
from store.migrations import migrate
from store.one_time_links import Purpose
from store.people import Role
from tests.layouts.published_city import catalogue_of, city_files
from tests.people import COOKIE, add_person, secret_of, sign_in_as
from tests.serving.test_sign_in import PASSWORD, cheap, follow, is_in, sign_in, token

__all__ = ["cheap"]

PUBLIC = "scores.example.org"
HTTPS = {"headers": {"Host": PUBLIC}, "base_url": f"https://{PUBLIC}"}
HOSTILE = "<img src=x onerror=alert(1)>'\"{{7*7}}"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = open_engine(f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'city.db'}")
    migrate(made, catalogue_of(city_files()).city, system_clock)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def servers(engine):
    """The same city on this machine alone, and under HTTPS."""
    return {
        base: app.make_server(engine, catalogue_of(city_files()), "harbor", base)
        for base in ("", f"https://{PUBLIC}")
    }


@pytest.fixture
def client(servers, engine):
    with writing(engine, system_clock) as write:
        write.connection.exec_driver_sql("DELETE FROM attempts")
    return servers[""].test_client()


@pytest.fixture
def https(servers):
    return servers[f"https://{PUBLIC}"].test_client()


def add(engine, role=Role.VIEWER, department=None, password=PASSWORD):
    made = add_person(engine, role, department, clock=system_clock)
    with writing(engine, system_clock) as write:
        passwords.keep(write, made.id, passwords.hashed(password))
    return made


def link(engine, purpose, person=None, email=None):
    with writing(engine, system_clock) as write:
        return one_time_links.make(write, BY_HAND, purpose, person, email)


def at_once(count, do):
    """What each of many, who begin in the same moment, comes to."""
    gate, told = threading.Barrier(count), []

    def one(number):
        gate.wait()
        told.append(do(number))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


# --- lockout ---------------------------------------------------------------------------------------


def test_a_guest_of_the_city_hall_does_not_lock_out_who_works_there(client, engine):
    """Everybody there has one address: who has signed in with a browser before still can."""
    ada = add(engine)
    own = client.application.test_client()
    assert sign_in(own, ada.email).status_code == 303
    own.delete_cookie(COOKIE)
    with writing(engine, system_clock) as write:
        guessed = (f"{number}@city.example" for number in range(60))
        keys = [attempts.keys(write.connection, "127.0.0.1", one, None, write.now) for one in guessed]
        assert [attempts.begin(write, one) for one in keys].count(True) == attempts.OF_AN_ADDRESS
    assert sign_in(client, ada.email).status_code == 429
    assert sign_in(own, ada.email).status_code == 303
    # The browser counts for its own person alone.
    own.delete_cookie(COOKIE)
    assert sign_in(own, add(engine).email).status_code == 429


# --- links -----------------------------------------------------------------------------------------


def test_a_link_that_a_start_has_printed_is_over_when_there_is_an_admin(tmp_path):
    """It stands in a log that more people read than may be admins."""
    own = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(own, catalogue_of(city_files()).city, system_clock)
    server = app.make_server(own, catalogue_of(city_files()), "harbor")
    printed, named = link(own, Purpose.ADMIN), link(own, Purpose.ADMIN, email="ada@city.example")
    first, thief = server.test_client(), server.test_client()
    assert follow(first, named, name="Ada").status_code == 303
    answer = follow(thief, printed, name="Eve", email="eve@evil.example")
    assert answer.status_code == 400 and "There is an admin by now" in answer.text and not is_in(thief)
    with reading(own) as connection:
        assert [one.email for one in people.admins(connection)] == ["ada@city.example"]
    own.dispose()


def test_links_end_with_the_password_they_would_change_and_with_whom_they_let_in(client, engine):
    ada, bob = add(engine, Role.ADMIN), add(engine, Role.ADMIN)
    for purpose, end in (
        (Purpose.RESET, lambda write: passwords.change(write, BY_HAND, ada.id, passwords.hashed(PASSWORD))),
        (Purpose.INVITE, lambda write: people.disable(write, BY_HAND, ada.id)),
        (Purpose.ADMIN, lambda write: people.disable(write, BY_HAND, ada.id)),
    ):
        by_address = {"email": ada.email.upper()} if purpose is Purpose.ADMIN else {"person": ada.id}
        secret, other = link(engine, purpose, **by_address), link(engine, Purpose.RESET, bob.id)
        with writing(engine, system_clock) as write:
            end(write)
            people.enable(write, BY_HAND, ada.id)
        assert follow(client, secret).status_code == 410
        with reading(engine) as connection:
            assert one_time_links.find(connection, other, system_clock()) is not None


def test_of_two_who_use_one_link_at_once_one_gets_in(client, engine):
    ada = add(engine, password="another long password")
    secret = link(engine, Purpose.RESET, ada.id)
    browsers = [client.application.test_client() for _ in range(4)]
    pages = [one.post("/link", data=opened(one, secret)) for one in browsers]
    sent = [{"form": token(one), "secret": secret, "password": PASSWORD} for one in pages]
    told = at_once(4, lambda number: browsers[number].post("/link/use", data=sent[number]).status_code)
    assert told.count(303) == 1 and {*told} <= {303, 400, 410}
    assert [is_in(one) for one in browsers].count(True) == 1


def opened(client, secret):
    return {"form": token(client.get(f"/link/{secret}")), "secret": secret}


@pytest.mark.parametrize("base", ["", "http://scores.example.org", f"https://{PUBLIC}"])
def test_a_link_is_sent_under_a_name_that_staff_may_come_by(engine, base):
    """Under one without HTTPS the page would be refused, after its secret had gone over the wire."""
    admin = add(engine, Role.ADMIN)
    client = app.make_server(engine, catalogue_of(city_files()), "harbor", base).test_client()
    sign_in_as(client, engine, admin)
    told = client.post(
        "/act/make_link", data={"person_id": admin.id}, headers={"Accept": "application/json"}
    ).get_json()
    address = urlsplit(told["once"])
    assert f"{address.scheme}://{address.netloc}" == (
        base if base.startswith("https") else "http://localhost"
    )


# --- races -----------------------------------------------------------------------------------------


def test_two_grants_at_once_are_one_and_two_admins_do_not_end_each_other(engine):
    ada, bob = add(engine), add(engine)

    def grant(_number):
        with writing(engine, system_clock) as write:
            return len(people.grant(write, BY_HAND, ada.id, Role.EDITOR, "parks").grants)

    assert at_once(4, grant) == [2] * 4
    with writing(engine, system_clock) as write:
        write.connection.exec_driver_sql("DELETE FROM grants WHERE role = 'admin'")
        for one in (ada, bob):
            people.grant(write, BY_HAND, one.id, Role.ADMIN)

    def disable(number):
        try:
            with writing(engine, system_clock) as write:
                people.disable(write, (ada, bob)[number].actor, (bob, ada)[number].id)
        except StoreError as error:
            return str(error)
        return "done"

    told = sorted(at_once(2, disable))
    assert told == ["This is the last admin; make somebody else an admin first.", "done"]


# --- cookies and headers ---------------------------------------------------------------------------


def test_a_cookie_from_a_sibling_host_is_not_ours(https, engine):
    """Only a name with __Host- is read under HTTPS, which no other host can set."""
    mallory, ada = add(engine), add(engine)
    https.set_cookie(COOKIE, secret_of(engine, mallory), domain=PUBLIC)
    assert https.get("/staff/today", **HTTPS).status_code == 303
    # Beside a session of its own, a planted token of forms is refused and opens nothing.
    secret = secret_of(engine, ada)
    https.set_cookie(f"__Host-{COOKIE}", secret, domain=PUBLIC, secure=True)
    https.set_cookie(CSRF, "planted", domain=PUBLIC)
    sent = {"headers": {"Host": PUBLIC, CSRF_HEADER: "planted"}, "base_url": f"https://{PUBLIC}"}
    assert https.post("/staff/_dash-update-component", json={}, **sent).status_code == 403
    assert https.post("/sign-out", data={"csrf": "planted"}, **sent).status_code == 403
    assert ada.email in https.get("/account", **HTTPS).text


@pytest.mark.parametrize(
    "wanted",
    [
        "/staff/today\r\nSet-Cookie: x=y",
        "/staff/today?a=\r\nX: y",
        "/staff/\\evil.example",
        "/staff//evil.example",
        "/staff/today#x",
        "/staff/today ",
        "/staff/tod\u0430y",
        "javascript:alert(1)",
        "/staff/../account",
        "/staff/today\n",
    ],
)
def test_where_to_go_afterwards_holds_nothing_but_a_page_of_ours(client, engine, wanted):
    ada = add(engine)
    form = token(client.get("/sign-in", query_string={"next": wanted}))
    sent = {"form": form, "email": ada.email, "password": PASSWORD, "next": wanted}
    answer = client.post("/sign-in", data=sent)
    assert answer.headers["Location"] == "/staff/today" and "x" not in answer.headers.get("X", "")
    assert all(not one.startswith("x=") for one in answer.headers.getlist("Set-Cookie"))


def test_nothing_a_browser_calls_itself_gets_into_a_header_or_a_page_as_it_is(client, engine):
    ada = add(engine)
    form = token(client.get("/sign-in"))
    agent = f"{HOSTILE}Firefox/1 \x1b[31m" + "x" * 5000
    sent = {"form": form, "email": ada.email, "password": PASSWORD}
    client.post("/sign-in", data=sent, headers={"User-Agent": agent})
    page = client.get("/account").text
    assert "<img" not in page and "\x1b" not in page and "Firefox" in page


def test_a_name_and_an_address_are_text_wherever_they_are_shown(client, engine):
    with writing(engine, system_clock) as write:
        hostile = people.add(write, BY_HAND, HOSTILE, "o'hara&{{7*7}}@city.example")
        people.grant(write, BY_HAND, hostile.id, Role.ADMIN)
    secret = link(engine, Purpose.RESET, hostile.id)
    page = client.post("/link", data=opened(client, secret))
    assert follow(client, secret).status_code == 303
    for shown in (page, client.get("/account")):
        assert "&lt;img src=x onerror=alert(1)&gt;" in shown.text and "<img" not in shown.text
        assert "o&#39;hara&amp;{{7*7}}@city.example" in shown.text


@pytest.mark.parametrize(
    "email",
    ["a@b@c", "a b@c", "<a@b>", 'a"@b', "a@b\r\nBcc: x@y", "a@b,c@d", "a@\u202ec.example", "a@" + "c" * 254],
)
def test_an_address_that_would_be_more_than_one_in_a_message_is_refused(engine, email):
    with pytest.raises(StoreError, match="no e-mail address"), writing(engine, system_clock) as write:
        people.add(write, BY_HAND, "Eve", email)


@pytest.mark.parametrize("name", ["", " \t", "a\u202eb", "a\x00b", "\u200b", "x" * 101])
def test_a_name_that_shows_as_another_or_as_none_is_refused(engine, name):
    with pytest.raises(StoreError, match="one line"), writing(engine, system_clock) as write:
        people.add(write, BY_HAND, name, "eve@city.example")


# --- across departments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act", ["invite_person", "grant_role", "make_link", "rename_person", "disable_person"]
)
def test_the_head_of_a_department_does_nothing_to_people(client, engine, act):
    head, other = add(engine, Role.OWNER, "public_works"), add(engine)
    sign_in_as(client, engine, head)
    sent = {"person_id": other.id, "name": "x", "email": "x@city.example", "role": "admin", "department": ""}
    assert client.post(f"/act/{act}", data=sent).status_code == 403
    with reading(engine) as connection:
        assert people.get(connection, other.id) == other
