"""The room of publications: to publish now, to say final scores again with a reason, and the list of them."""

from __future__ import annotations

import importlib
from datetime import timedelta

import dash
import pytest
from flask import Flask

import app
from layouts import access
from layouts.access import Role
from layouts.acts.publications import PAGE
from layouts.desk import put
from store import audit_log, publications, requests
from store.engine import open_engine, reading
from store.publication_requests import PUBLISH
from tests.laid import lay
from tests.layouts.published_city import NOW, desk_over, fill
from tests.layouts.test_admin_tokens import send
from tests.layouts.test_sources import text_of
from tests.people import judged_as, sign_in

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def town(published_city, tmp_path):
    """The city with two publications, and an approver who is signed in."""
    engine = open_engine(f"sqlite:///{tmp_path / 'cityscore.db'}")
    lay(engine, published_city.catalogue.city, lambda: NOW)
    fill(engine, published_city.catalogue, published_city.plan, {})
    client = app.make_server(engine, published_city.catalogue, "harbor", clock=lambda: LATER).test_client()
    sign_in(client, engine, Role.APPROVER, clock=lambda: LATER)
    yield client, desk_over(engine, published_city.catalogue)
    engine.dispose()


def page(desk, function="layout", *given, **query) -> str:
    module = importlib.import_module("layouts.pages.admin_publications")
    server = Flask("asked")
    access.admit(server, judged_as(Role.APPROVER))
    put(server, desk)
    with server.test_request_context("/staff/"):
        return text_of(getattr(module, function)(*given, **query))


def asked(desk) -> requests.Request:
    with reading(desk.engine) as connection:
        return requests.newest(connection, [PUBLISH], 1)[0]


def test_a_publication_is_asked_for_and_followed_to_its_result(town):
    client, desk = town
    status, said = send(client, "publish_now")
    assert status == 200 and said["address"] == f"{PAGE}?request=1#request"
    assert asked(desk).arguments.keys() == {"by"}
    assert "Publication: waiting for the worker" in page(desk)
    assert send(client, "publish_now")[0] == 422, "one at a time"
    requests.claim(desk.engine, lambda: LATER)
    words = {
        "outcome": "published",
        "publication": 2,
        "scores": 5,
        "composites": 1,
        "restated": 2,
        "facts": 9,
    }
    requests.finish(desk.engine, lambda: LATER, 1, words)
    shown = page(desk, "follow_publication", 1, 1)
    assert "Publication: done" in shown and "It restates 2 final scores." in shown and "true" in shown
    assert "What was asked for" not in page(desk) and "Publication: done" in page(desk, request="1")


def test_a_restatement_takes_a_reason_and_carries_its_author(town):
    client, desk = town
    assert send(client, "restate")[1]["field"] == "reason"
    assert send(client, "restate", reason="The crews' times were in UTC")[0] == 200
    reason = asked(desk).arguments["reason"]
    assert reason == "The crews' times were in UTC (Approver)"
    with reading(desk.engine) as connection:
        entry = audit_log.entries(connection)[0]
    assert (entry.act, entry.subject, entry.words["reason"]) == (
        "restatement asked for",
        "publications",
        reason,
    )
    assert "Restatement: waiting" in page(desk)


def test_a_publication_may_be_for_an_earlier_day_and_for_none_that_lies_ahead(town):
    client, desk = town
    assert send(client, "publish_now", as_of="2026-11-25")[1]["field"] == "as_of"
    assert send(client, "publish_now", as_of="2026-11-20")[0] == 200
    assert asked(desk).arguments["as_of"] == "2026-11-20"


def test_the_list_is_read_a_page_at_a_time(town, monkeypatch):
    _client, desk = town
    shown = page(desk)
    assert "Publication 1 stands: data up to Nov 22, 2026" in shown and "In its turn" in shown
    with reading(desk.engine) as connection:
        assert [one.id for one in publications.page(connection, 5)] == [1]
        assert publications.page(connection, 5, before=1) == []
    assert "All publications" not in page(desk, before="1")


def test_nothing_published_is_said_and_other_requests_are_not_followed(empty_database, published_city):
    engine = empty_database(published_city.catalogue)
    app.make_server(engine, published_city.catalogue, "harbor")
    desk = desk_over(engine, published_city.catalogue)
    assert "Nothing has been published yet" in page(desk)
    number = requests.insert(engine, lambda: LATER, "run_source", {"source": "cases"})
    assert "What was asked for" not in page(desk, request=str(number))
    for wrong in (number, 99, "1", None):
        with pytest.raises(dash.exceptions.PreventUpdate):
            page(desk, "follow_publication", 1, wrong)
