"""People, their roles, sessions, passwords and one-time links, and the log of what was done to them."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from store import attempts, audit_log, one_time_links, passwords, people, schema, sessions
from store.audit_log import BY_HAND, Actor
from store.engine import StoreError, from_text, instant_text, reading, writing
from store.one_time_links import Purpose
from store.people import ANY_DEPARTMENT, Role
from store.sessions import ABSOLUTE, IDLE
from tests.bare_store import bare_engine, clock, engine, home
from tests.people import roles, somebody

__all__ = ["bare_engine", "clock", "engine", "home"]


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    monkeypatch.setattr(passwords, "MEMORY_KIB", 8)
    monkeypatch.setattr(passwords, "PASSES", 1)
    monkeypatch.setattr(passwords, "LANES", 1)


def add(engine, clock, email="ada@city.example", *held):
    with writing(engine, clock) as write:
        made = people.add(write, BY_HAND, "Ada", email)
        for role, department in held:
            made = people.grant(write, BY_HAND, made.id, role, department)
        return made


def acts(engine, subject=None):
    with reading(engine) as connection:
        return [entry.act for entry in audit_log.entries(connection, subject=subject)][::-1]


# --- people and roles ----------------------------------------------------------------------------


def test_an_address_is_one_person_however_it_is_written(engine, clock):
    made = add(engine, clock, "Zoë.Straße@City.example")
    with reading(engine) as connection:
        for written in (
            unicodedata.normalize("NFD", "zoë.straße@city.example"),
            " ZOË.STRASSE@CITY.EXAMPLE ",
        ):
            assert people.by_email(connection, written) == made
        assert people.by_email(connection, "zoe.strasse@city.example") is None
    with pytest.raises(StoreError, match="already"):
        add(engine, clock, "ZOË.STRASSE@city.example")


def test_a_name_and_an_address_are_such(engine, clock):
    with writing(engine, clock) as write:
        for email in (
            "",
            "ada",
            "@city.example",
            "ada@",
            "a@b@c",
            "a b@c",
            "a\n@c",
            "<a@c>",
            "a" * 250 + "@c.de",
        ):
            with pytest.raises(StoreError, match="e-mail"):
                people.add(write, BY_HAND, "Ada", email)
        for name in ("", "  ", "x" * 101, "Ada\x00", "Ada\u202egnp"):
            with pytest.raises(StoreError, match="one line"):
                people.add(write, BY_HAND, name, "ada@city.example")


MAY = {
    (None, None): set(),
    (Role.VIEWER, None): {"viewer"},
    (Role.EDITOR, "public_works"): {"viewer", "editor public_works", "editor *"},
    (Role.EDITOR, "parks"): {"viewer", "editor parks", "editor *"},
    (Role.OWNER, "public_works"): {
        "viewer",
        "editor public_works",
        "editor *",
        "owner public_works",
        "owner *",
    },
    (Role.OWNER, "parks"): {"viewer", "editor parks", "editor *", "owner parks", "owner *"},
    (Role.APPROVER, None): {"viewer", "approver"},
    (Role.ADMIN, None): {"everything"},
}
ASKED = [
    (Role.VIEWER, None),
    (Role.APPROVER, None),
    (Role.ADMIN, None),
    *[
        (role, department)
        for role in (Role.EDITOR, Role.OWNER)
        for department in ("public_works", "parks", ANY_DEPARTMENT, None, "nowhere", "")
    ],
]


@pytest.mark.parametrize("held", roles(), ids=str)
@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_each_role_may_what_its_line_of_the_table_says(held, asked):
    expected = MAY[held] == {"everything"} or " ".join(filter(None, asked)) in MAY[held]
    if asked[0] in people.OF_DEPARTMENTS and not asked[1]:
        expected = held[0] is Role.ADMIN
    assert somebody(*held).may(*asked) is expected


def test_a_role_begins_and_ends_and_is_never_forgotten(engine, clock):
    made = add(engine, clock, "ada@city.example", (Role.EDITOR, "parks"), (Role.EDITOR, "parks"))
    [held] = made.grants
    with writing(engine, clock) as write:
        after = people.end_grant(write, made.actor, held.id)
        with pytest.raises(StoreError, match="ended already"):
            people.end_grant(write, made.actor, held.id)
    assert not after.may(Role.VIEWER)
    with reading(engine) as connection:
        [kept] = people.all_grants(connection, made.id)
    assert (kept.role, kept.department, kept.granted_by) == (Role.EDITOR, "parks", "command line")
    assert kept.ended_by == "Ada <ada@city.example>" and kept.granted_at < kept.ended_at
    assert acts(engine, made.subject) == ["person added", "role granted", "role ended"]


def test_a_role_is_for_the_department_it_needs(engine, clock):
    made = add(engine, clock)
    with writing(engine, clock) as write:
        for role, department, says in (
            (Role.EDITOR, None, "name it"),
            (Role.OWNER, "", "name it"),
            (Role.ADMIN, "parks", "no department"),
            (Role.VIEWER, "parks", "no department"),
            (Role.OWNER, "nowhere", "no department nowhere"),
        ):
            with pytest.raises(StoreError, match=says):
                people.grant(write, BY_HAND, made.id, role, department, known={"parks"})
    for role in ("viewer", "god"):
        row = {"person": 1, "role": role, "department": "parks", "granted_by": "", "granted_at": ""}
        with pytest.raises(DBAPIError), writing(engine, clock) as write:
            write.connection.execute(insert(schema.grants), row)


def test_the_last_admin_stays(engine, clock):
    first = add(engine, clock, "ada@city.example", (Role.ADMIN, None))
    with writing(engine, clock) as write:
        for change in (
            lambda: people.disable(write, first.actor, first.id),
            lambda: people.end_grant(write, first.actor, first.grants[0].id),
        ):
            with pytest.raises(StoreError, match="last admin"):
                change()
    add(engine, clock, "bob@city.example", (Role.ADMIN, None))
    with writing(engine, clock) as write:
        assert not people.disable(write, BY_HAND, first.id).may(Role.VIEWER)
    with reading(engine) as connection:
        assert [one.email for one in people.admins(connection)] == ["bob@city.example"]


# --- the log -------------------------------------------------------------------------------------


CHANGES = [
    "UPDATE audit_log SET act = 'x'",
    "DELETE FROM audit_log",
    "UPDATE audit_log SET id = 99",
]
OF_ITS_OWN = {
    "sqlite": "INSERT OR REPLACE INTO audit_log SELECT id, at, actor, '', act, subject, words FROM audit_log",
    "postgresql": "TRUNCATE audit_log",
}


def test_the_log_is_only_added_to(engine, clock):
    add(engine, clock)
    for change in (*CHANGES, OF_ITS_OWN[engine.dialect.name]):
        with pytest.raises(DBAPIError, match="only added to"), writing(engine, clock) as write:
            write.connection.execute(text(change))
    assert acts(engine) == ["person added"]


def test_an_entry_is_written_with_the_act_or_not_at_all(engine, clock):
    with pytest.raises(RuntimeError), writing(engine, clock) as write:
        people.add(write, BY_HAND, "Ada", "ada@city.example")
        raise RuntimeError
    assert acts(engine) == []


def test_no_entry_has_a_word_for_a_secret(engine, clock):
    for word in audit_log.SECRETS:
        with writing(engine, clock) as write, pytest.raises(ValueError, match="secret"):
            audit_log.add(write, BY_HAND, "act", "subject", **{word: "x"})


def test_entries_are_found_by_subject_and_actor_page_by_page(engine, clock):
    with writing(engine, clock) as write:
        for number in range(5):
            audit_log.add(write, Actor(number % 2, "A"), f"act {number}", "city", count=number)
    with reading(engine) as connection:
        newest = audit_log.entries(connection, most=2)
        assert [one.act for one in newest] == ["act 4", "act 3"] and newest[0].words == {"count": 4}
        older = audit_log.entries(connection, before=newest[-1].id, actor=0)
        assert [one.act for one in older] == ["act 2", "act 0"]
        assert audit_log.entries(connection, subject="person 1") == []


# --- passwords -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "says"), [("x" * 14, "short"), ("x" * 201, "long"), ("", "short"), ("e\u0301" * 14, "short")]
)
def test_a_password_is_judged_by_its_length(password, says):
    assert passwords.problem(password) == says


@pytest.mark.parametrize("password", ["x" * 15, "ü 🦊 \x00 any character", "x" * 200, "e\u0301" * 200])
def test_any_characters_will_do(password):
    assert passwords.problem(password) is None
    made = passwords.hashed(password)
    assert passwords.is_right(made, password) and not passwords.is_right(made, password + "x")
    assert passwords.is_right(made, unicodedata.normalize("NFD", password))
    assert password not in made


@settings(max_examples=25)
@given(st.text(max_size=250))
def test_no_text_breaks_the_check_and_nobodys_password_is_never_right(password):
    assert passwords.is_right(None, password) is False
    assert passwords.is_right("no hash", password) is False


def test_a_lone_half_of_a_character_is_a_wrong_password():
    assert passwords.is_right(passwords.hashed("x" * 15), "\ud800" * 15) is False


def test_a_hash_of_other_parameters_is_known_and_replaced(engine, clock, monkeypatch):
    made = add(engine, clock)
    old = passwords.hashed("correct horse battery")
    monkeypatch.setattr(passwords, "PASSES", 2)
    assert passwords.is_outdated(old) and passwords.is_right(old, "correct horse battery")
    for one in (old, passwords.hashed("correct horse battery")):
        with writing(engine, clock) as write:
            passwords.keep(write, made.id, one)
    with reading(engine) as connection:
        kept = passwords.kept_hash(connection, made.id)
    assert kept is not None and not passwords.is_outdated(kept)


# --- sessions ------------------------------------------------------------------------------------


def begin(engine, clock, person):
    with writing(engine, clock) as write:
        return sessions.begin(write, person, "Browser\n 5.0", "password")


def found(engine, secret, now):
    with reading(engine) as connection:
        return sessions.find(connection, secret, now)


def test_a_session_is_known_by_its_secret_which_is_kept_nowhere(engine, clock):
    made = add(engine, clock, "ada@city.example", (Role.VIEWER, None))
    secret = begin(engine, clock, made)
    session, person = found(engine, secret, clock.now)
    assert person == made and session.agent == "Browser 5.0"
    for wrong in ("", secret[:-1], secret + "x", "\ud800"):
        assert found(engine, wrong, clock.now) is None
    with reading(engine) as connection:
        for table in schema.metadata.tables.values():
            assert secret not in str(connection.execute(select(table)).all())


def test_a_session_ends_when_it_is_not_used_and_when_it_is_old(engine, clock):
    secret, began = begin(engine, clock, add(engine, clock)), clock.now
    session, _person = found(engine, secret, began)
    assert session.ends_at == session.seen_at + IDLE
    assert found(engine, secret, began + IDLE - timedelta(seconds=1))
    assert found(engine, secret, began + IDLE) is None
    while found(engine, secret, clock.now):
        session, _person = found(engine, secret, clock.now)
        sessions.touch(engine, clock, session)
        clock.now += IDLE - timedelta(minutes=5)
    assert ABSOLUTE <= clock.now - began < ABSOLUTE + IDLE


def test_the_last_sight_is_written_once_a_minute_at_most_and_waits_for_nobody(engine, clock):
    secret = begin(engine, clock, add(engine, clock))
    session, _person = found(engine, secret, clock.now)
    assert sessions.touch(engine, clock, session) == session
    clock.now += timedelta(minutes=2)
    with writing(engine, clock):
        assert sessions.touch(engine, clock, session) == session
    assert found(engine, secret, clock.now)[0] == session
    later = sessions.touch(engine, clock, session)
    assert later.seen_at > session.seen_at and found(engine, secret, clock.now)[0] == later


def test_a_session_ends_alone_or_with_all_others(engine, clock):
    ada, bob = add(engine, clock), add(engine, clock, "bob@city.example")
    mine, other, his = [begin(engine, clock, one) for one in (ada, ada, bob)]
    number = found(engine, mine, clock.now)[0].id
    with writing(engine, clock) as write:
        assert not sessions.end(write, bob.actor, bob.id, number)
        assert sessions.end(write, ada.actor, ada.id, number)
        assert not sessions.end(write, ada.actor, ada.id, number)
    assert not found(engine, mine, clock.now) and found(engine, other, clock.now)
    with writing(engine, clock) as write:
        assert sessions.end_all(write, ada.actor, ada.id) == 1
    with reading(engine) as connection:
        assert sessions.of_person(connection, ada.id, clock.now) == []
    assert not found(engine, other, clock.now) and found(engine, his, clock.now)


def test_what_changes_for_a_person_is_so_at_the_next_request(engine, clock):
    made = add(engine, clock, "ada@city.example", (Role.OWNER, "parks"))

    def after(change):
        secret = begin(engine, clock, made)
        assert found(engine, secret, clock.now)[1].may(Role.OWNER, "parks")
        with writing(engine, clock) as write:
            change(write)
        return found(engine, secret, clock.now)

    assert after(lambda write: passwords.change(write, BY_HAND, made.id, "hash")) is None
    assert after(lambda write: people.disable(write, BY_HAND, made.id)) is None
    with writing(engine, clock) as write:
        assert people.enable(write, BY_HAND, made.id).may(Role.VIEWER)
    # What was signed in before stays out.
    with reading(engine) as connection:
        assert sessions.of_person(connection, made.id, clock.now) == []
    ended = after(lambda write: people.end_grant(write, BY_HAND, made.grants[0].id))
    assert not ended[1].may(Role.VIEWER)


# --- one-time links ------------------------------------------------------------------------------


def test_a_link_lets_in_once_and_until_it_expires(engine, clock):
    made = add(engine, clock)
    with writing(engine, clock) as write:
        secret = one_time_links.make(write, BY_HAND, Purpose.INVITE, made.id)
    with reading(engine) as connection:
        link = one_time_links.find(connection, secret, clock.now)
        assert (link.purpose, link.person) == (Purpose.INVITE, made.id)
        assert one_time_links.find(connection, secret, link.expires_at) is None
        assert one_time_links.find(connection, "x", clock.now) is None
    with writing(engine, clock) as write:
        assert one_time_links.use(write, secret) == link
        assert one_time_links.use(write, secret) is None


def test_a_new_link_ends_the_one_before(engine, clock):
    ada, bob = add(engine, clock), add(engine, clock, "bob@city.example")
    with writing(engine, clock) as write:
        made = [
            one_time_links.make(write, BY_HAND, *what)
            for what in [
                (Purpose.RESET, ada.id),
                (Purpose.RESET, bob.id),
                (Purpose.ADMIN, None),
                (Purpose.ADMIN, None, "x@city.example"),
                (Purpose.RESET, ada.id),
                (Purpose.ADMIN, None),
            ]
        ]
        with pytest.raises(StoreError, match="for whom"):
            one_time_links.make(write, BY_HAND, Purpose.INVITE)
    with reading(engine) as connection:
        live = [one_time_links.find(connection, one, clock.now) is not None for one in made]
    assert live == [False, True, False, True, True, True]


# --- tries ---------------------------------------------------------------------------------------


def try_once(engine, clock, address="203.0.113.7", email="ada@city.example", device=None):
    with writing(engine, clock) as write:
        counted = attempts.keys(write.connection, address, email, device, write.now)
        return attempts.begin(write, counted)


def test_an_account_is_tried_so_often_and_no_more_until_the_window_has_passed(engine, clock):
    tries = [
        try_once(engine, clock, f"203.0.113.{number}", email)
        for number, email in enumerate(["ada@city.example", "ADA@city.example "] * 8)
    ]
    assert tries == [True] * attempts.OF_AN_ACCOUNT + [False] * (16 - attempts.OF_AN_ACCOUNT)
    assert try_once(engine, clock, email="bob@city.example")
    clock.now += attempts.WINDOW
    assert try_once(engine, clock)


def test_who_knows_an_address_cannot_keep_its_owner_out(engine, clock):
    ada, bob = add(engine, clock), add(engine, clock, "bob@city.example")
    with writing(engine, clock) as write:
        own, his = [attempts.remember_device(write, one.id) for one in (ada, bob)]
    while try_once(engine, clock, "198.51.100.1"):
        pass
    assert not try_once(engine, clock) and not try_once(engine, clock, device=his)
    assert not try_once(engine, clock, device="x")
    assert try_once(engine, clock, device=own)
    tries = [try_once(engine, clock, device=own) for _ in range(20)]
    assert tries.count(True) == attempts.OF_A_DEVICE - 1
    clock.now += attempts.DEVICE_LASTS
    with reading(engine) as connection:
        assert not attempts.is_device_of(connection, own, ada.email, instant_text(clock.now))


def test_an_address_tries_many_accounts_only_so_often(engine, clock):
    network = "2001:db8:1:2::%x"
    tries = [
        try_once(engine, clock, network % number, f"{number}@city.example")
        for number in range(attempts.OF_AN_ADDRESS + 5)
    ]
    assert tries.count(True) == attempts.OF_AN_ADDRESS and not any(tries[-5:])
    assert try_once(engine, clock, "2001:db8:1:3::1", "a@city.example")


def test_a_try_that_succeeded_is_not_counted(engine, clock):
    for _ in range(attempts.OF_AN_ACCOUNT + 5):
        with writing(engine, clock) as write:
            counted = attempts.keys(write.connection, "::ffff:10.0.0.1", "ada@city.example", None, write.now)
            assert attempts.begin(write, counted)
            began = write.now
        with writing(engine, clock) as write:
            attempts.forget(write, counted, began)
    assert counted[0] == "address:10.0.0.1" and "ada" not in "".join(counted)
    assert from_text(began) < clock()
