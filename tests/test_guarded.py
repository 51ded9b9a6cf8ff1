"""Every route, page and callback refuses the wrong role and department: one table says who may have what.

Whoever adds one adds its line here, with what it takes; without it this test fails.
"""

from __future__ import annotations

import inspect
from typing import Any

import dash
import pytest
from flask import Flask

import app
from layouts import access, staff
from layouts.access import ANY_DEPARTMENT, NotAllowed, Role
from layouts.acts import acts
from layouts.case_file import CaseFile
from layouts.desk import Desk, put
from serving.provider import Provider, Registration
from serving.routes import Kind
from serving.server import KINDS
from store.engine import system_clock
from store.people import OF_DEPARTMENTS
from tests.layouts.published_city import (
    PublishedCity,
    catalogue_of,
    city_files,
    empty_database,
    published_city,
)
from tests.people import roles, sign_in, somebody

__all__ = ["empty_database", "published_city"]

OWN, OTHER = "public_works", "parks"
OF_A_METRIC = {"metric_id": "pothole_on_time"}
OF_A_SOURCE = {"source_id": "library"}
"""The one source on which the department OTHER alone has a metric."""

BY_A_ROW: dict[str, str] = {}
"""In place of arguments: a row of the database tells the department, and the act's own test makes one."""

PAGES = {
    "admin": (Role.VIEWER, None),
    "admin_audit": (Role.ADMIN, None),
    "admin_catalogue": (Role.VIEWER, None),
    "admin_people": (Role.ADMIN, None),
    "admin_person": (Role.ADMIN, None),
    "today": (Role.VIEWER, None),
    "metric": (Role.VIEWER, None),
    "case": (Role.VIEWER, None),
    "cases": (Role.VIEWER, None),
    "department": (Role.VIEWER, None),
    "districts": (Role.VIEWER, None),
    "district": (Role.VIEWER, None),
    "admin_publications": (Role.APPROVER, None),
    "admin_tokens": (Role.ADMIN, None),
    "source": (Role.VIEWER, None),
    "sources": (Role.VIEWER, None),
    "manual": (Role.EDITOR, ANY_DEPARTMENT),
    "manual_source": (Role.EDITOR, OF_A_SOURCE),
    "not_found_404": (Role.VIEWER, None),
    "target": (Role.VIEWER, None),
    "targets": (Role.VIEWER, None),
}
"""By page what its layout takes: a role, and where that is one of departments: whose arguments tell it.

The second part are arguments that name the department OWN (or a metric of it), ANY_DEPARTMENT for a page that
itself shows of each department what its reader may see, or None for a role of the city.
"""

CALLBACKS: dict[str, tuple[Role, Any]] = {
    "..values-told.children...values-poll.disabled..": (Role.EDITOR, OF_A_SOURCE),
    "..tried-told.children...tried-poll.disabled..": (Role.OWNER, OF_A_METRIC),
    "receipt-shown.children": (Role.VIEWER, None),
    "split-shown.children": (Role.VIEWER, None),
    "..publish-told.children...publish-poll.disabled..": (Role.APPROVER, None),
    "..request-told.children...request-poll.disabled..": (Role.EDITOR, OF_A_SOURCE),
}
"""By output what a callback takes, as above."""

ACTS: dict[str, tuple[Role, Any]] = {
    "accept_flag": (Role.OWNER, BY_A_ROW),
    "add_action": (Role.EDITOR, OF_A_METRIC),
    "add_mark": (Role.EDITOR, OF_A_METRIC),
    "add_note": (Role.EDITOR, OF_A_METRIC),
    "backfill_source": (Role.EDITOR, OF_A_SOURCE),
    "dry_run_source": (Role.EDITOR, OF_A_SOURCE),
    "make_token": (Role.ADMIN, None),
    "publish_now": (Role.APPROVER, None),
    "restate": (Role.APPROVER, None),
    "revoke_token": (Role.ADMIN, None),
    "replay_source": (Role.EDITOR, OF_A_SOURCE),
    "run_source": (Role.EDITOR, OF_A_SOURCE),
    "stop_backfill": (Role.EDITOR, OF_A_SOURCE),
    "answer_problem": (Role.EDITOR, BY_A_ROW),
    "approve_target": (Role.APPROVER, None),
    "decide_release": (Role.APPROVER, None),
    "disable_person": (Role.ADMIN, None),
    "enable_person": (Role.ADMIN, None),
    "end_role": (Role.ADMIN, None),
    "flag_record": (Role.EDITOR, OF_A_METRIC),
    "give_values": (Role.EDITOR, OF_A_SOURCE),
    "grant_role": (Role.ADMIN, None),
    "invite_person": (Role.ADMIN, None),
    "keep_values_file": (Role.EDITOR, OF_A_SOURCE),
    "make_link": (Role.ADMIN, None),
    "pass_release": (Role.OWNER, OF_A_METRIC),
    "propose_target": (Role.OWNER, OF_A_METRIC),
    "refuse_flag": (Role.OWNER, BY_A_ROW),
    "refuse_target": (Role.APPROVER, None),
    "rename_person": (Role.ADMIN, None),
    "report_problem": (Role.VIEWER, None),
    "try_target": (Role.OWNER, OF_A_METRIC),
    "try_values_file": (Role.EDITOR, OF_A_SOURCE),
    "turn_action": (Role.EDITOR, BY_A_ROW),
    "withdraw_flag": (Role.EDITOR, BY_A_ROW),
    "withdraw_mark": (Role.EDITOR, BY_A_ROW),
    "withdraw_note": (Role.EDITOR, BY_A_ROW),
    "withdraw_target": (Role.OWNER, BY_A_ROW),
}
"""By name what an act takes (`layouts.acts`), as above: fields that name the department OWN."""

OF_DASH = ("_pages_content", "_pages_store", "_pages_dummy")
"""Dash's own callback between pages calls their layouts, which are guarded."""

ROUTES = {
    "/": Kind.PUBLIC,
    "/metric/<metric>": Kind.PUBLIC,
    "/district/<district>": Kind.PUBLIC,
    "/method": Kind.PUBLIC,
    "/health": Kind.HEALTH,
    "/status": Kind.HEALTH,
    "/status.json": Kind.HEALTH,
    "/today": Kind.STAFF,
    "/staff": Kind.STAFF,
    "/sign-in": Kind.ENTRY,
    "/sign-in/as/<word>": Kind.ENTRY,
    "/sign-in/city-account": Kind.ENTRY,
    "/sign-in/city-account/back": Kind.ENTRY,
    "/link": Kind.ENTRY,
    "/link/<secret>": Kind.ENTRY,
    "/link/use": Kind.ENTRY,
    "/sign-out": Kind.STAFF,
    "/sign-out-everywhere": Kind.STAFF,
    "/account": Kind.STAFF,
    "/account/password": Kind.STAFF,
    "/account/sessions/<number>/end": Kind.STAFF,
    "/session": Kind.STAFF,
    "/act/<name>": Kind.ACT,
    "/metric/<metric>/problem": Kind.PUBLIC,
}
"""The kinds of all rules but those under the prefixes below."""

PREFIXES = {
    "/staff/": Kind.STAFF,
    "/embed/": Kind.EMBED,
    "/oembed": Kind.PUBLIC,
    "/api/v1/ingest/": Kind.PUSH,
    "/api/v1/": Kind.PUBLIC,
    "/assets/": Kind.PUBLIC,
}


@pytest.fixture(scope="module")
def city():
    return catalogue_of(city_files())


@pytest.fixture(scope="module")
def server(published_city: PublishedCity):
    """With everything a city can have: a provider of accounts too, which nobody asks here."""
    provider = Provider(Registration("https://login.city.example", "dashboard", "secret"), system_clock)
    return app.make_server(published_city.engine, published_city.catalogue, "harbor", provider=provider)


@pytest.fixture
def asked_by(published_city: PublishedCity):
    """A server on which everybody is somebody of a role."""

    def make(role, department):
        made = Flask("asked")
        access.admit(made, lambda: somebody(role, department))
        put(made, Desk(published_city.engine, published_city.catalogue, lambda: None, "build"))
        return made

    return make


def kind_expected(rule: str) -> Kind | None:
    if rule in ROUTES:
        return ROUTES[rule]
    return next((kind for prefix, kind in PREFIXES.items() if rule.startswith(prefix)), None)


def layouts_of(_server: Any) -> dict[str, Any]:
    return {page["module"].rpartition(".")[2]: page["layout"] for page in dash.page_registry.values()}


def callbacks_of(server: Any) -> dict[str, Any]:
    """The callbacks of ours by their output."""
    return {
        output: one["callback"]
        for output, one in server.extensions[staff.MOUNTED].callback_map.items()
        if "callback" in one and not any(own in output for own in OF_DASH)
    }


def may(role: Role | None, department: str | None, need: Role, place: Any) -> bool:
    """Whether the roles table lets somebody in: written anew, so that it is no copy of the code."""
    if role is None:
        return False
    if role is Role.ADMIN or need is Role.VIEWER:
        return True
    if need in OF_DEPARTMENTS:
        enough = role is need or (need is Role.EDITOR and role is Role.OWNER)
        owner = OTHER if place == OF_A_SOURCE else OWN
        return enough and (place == ANY_DEPARTMENT or department == owner)
    return role is need


def test_every_rule_has_the_kind_of_its_line(server):
    kinds = server.extensions[KINDS]
    found = {rule.rule: kinds.of(rule.rule) for rule in server.url_map.iter_rules()}
    wrong = {rule: kind for rule, kind in found.items() if kind is not kind_expected(rule)}
    assert wrong == {}, "a new route needs a line in ROUTES"
    assert {rule for rule in ROUTES if rule not in found} == set()


def test_no_route_for_staff_answers_who_is_not_signed_in(server):
    client, kinds = server.test_client(), server.extensions[KINDS]
    asked = 0
    for rule in server.url_map.iter_rules():
        if kinds.of(rule.rule) is not Kind.STAFF:
            continue
        path = rule.rule.replace("<path:", "<")
        for part in rule.arguments:
            path = path.replace(f"<{part}>", "1")
        for method in sorted(rule.methods - {"OPTIONS"}):
            answer = client.open(path, method=method, json={} if method == "POST" else None)
            is_sent_on = answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")
            assert is_sent_on or answer.status_code == 401, (method, path, answer.status_code)
            assert answer.headers["Cache-Control"] == "no-store"
            asked += 1
    assert asked > 15


def test_every_page_and_callback_has_its_line(server):
    assert layouts_of(server).keys() == PAGES.keys(), "a new page needs a line in PAGES"
    assert callbacks_of(server).keys() == CALLBACKS.keys(), "a new callback needs a line in CALLBACKS"
    assert acts().keys() == ACTS.keys(), "a new act needs a line in ACTS"


@pytest.mark.parametrize("held", roles(OWN, OTHER), ids=str)
def test_every_page_and_callback_lets_in_who_may_and_nobody_else(server, asked_by, held):
    lines = [(layouts_of(server)[name], line) for name, line in PAGES.items()]
    lines += [(callbacks_of(server)[name], line) for name, line in CALLBACKS.items()]
    with asked_by(*held).test_request_context("/staff/"):
        for function, (need, place) in lines:
            stands = access.needs(function)
            assert stands is not None and stands.role is need, function
            named = place if isinstance(place, dict) else {}
            asked = access.Need(need, department_told(stands, function, named))
            assert access.is_allowed(asked) is may(*held, need, place), (function, held)
            # What names no department, or one there is none of, is refused to all but admins.
            if isinstance(place, dict):
                for wrong in ({}, dict.fromkeys(place, "nothing"), dict.fromkeys(place)):
                    told = department_told(stands, function, wrong)
                    assert told is None and access.is_allowed(access.Need(need, told)) is (
                        held[0] is Role.ADMIN
                    )


@pytest.mark.parametrize("held", roles(OWN, OTHER), ids=str)
def test_records_are_for_editors_and_owners_of_their_department_and_for_admins(server, asked_by, held):
    cases, case = (inspect.unwrap(layouts_of(server)[name]).__globals__ for name in ("cases", "case"))
    with asked_by(*held).test_request_context("/staff/"):
        for function in (cases["_view"], case["_versions"], CaseFile._file):
            stands = access.needs(function)
            assert stands is not None and stands.role is Role.EDITOR, function
            told = department_told(stands, function, OF_A_METRIC)
            assert access.is_allowed(access.Need(Role.EDITOR, told)) is may(*held, Role.EDITOR, OF_A_METRIC)
            assert department_told(stands, function, {}) is None


@pytest.mark.parametrize("held", roles(OWN, OTHER), ids=str)
def test_every_act_is_done_by_who_may_and_nobody_else(asked_by, held):
    with asked_by(*held).test_request_context("/"):
        for name, (need, place) in ACTS.items():
            act = acts()[name]
            assert act.role is need, name
            fields = place if isinstance(place, dict) else {}
            expected = held[0] is Role.ADMIN if place is BY_A_ROW else may(*held, need, place)
            assert access.is_allowed(act.need(fields)) is expected, (name, held)
            for wrong in ({}, dict.fromkeys(fields, "nothing")) if fields else ():
                assert access.is_allowed(act.need(wrong)) is (held[0] is Role.ADMIN), name


def department_told(stands: access.Stands, function: Any, named: dict[str, Any]) -> str | None:
    """The department as the decorator tells it from the arguments."""
    return stands.department(named) if callable(stands.department) else stands.department


@pytest.mark.parametrize("held", [(None, None), (Role.VIEWER, None)], ids=str)
def test_a_refused_page_is_refused_over_http_too(published_city, server, held):
    client = server.test_client()
    sign_in(client, published_city.engine, *held)
    answer = client.get("/staff/_dash-layout")
    assert answer.status_code == 200 and b"Potholes" not in answer.data
    sent = client.post(
        staff.CALLBACKS,
        json={
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
        },
    )
    assert (sent.status_code, b"Potholes" in sent.data) == ((403, False) if held[0] is None else (200, True))


def test_the_walk_notices_a_page_without_a_guard(asked_by):
    def open_to_all(**_query: Any) -> str:
        return "shown"

    assert access.needs(open_to_all) is None
    with asked_by(Role.EDITOR, OTHER).test_request_context("/"), pytest.raises(NotAllowed):
        access.guarded(Role.EDITOR, access.of_metric)(open_to_all)(metric_id="pothole_on_time")
