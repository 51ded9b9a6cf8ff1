"""What the forms of a source's page send: taken, refused beside its field, about that source alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

import app
from layouts.access import Role
from store import audit_log, requests
from store.engine import reading
from store.source_requests import BACKFILL, SHOWN, STOP
from tests.layouts.published_city import NOW, catalogue_of, city_files
from tests.layouts.test_admin_tokens import send
from tests.people import sign_in

LATER = NOW + timedelta(minutes=1)
RANGE = {"source_id": "cases", "since": "2026-01-01", "until": "2026-10-31", "step": "month"}


@pytest.fixture
def town(empty_database):
    """A city with a source that is sent in and one that does not tell when its rows arrived; an admin."""
    files = city_files()
    files["sources/water.toml"] = files["sources/water.toml"].replace('kind = "file"', 'kind = "push"')
    files["sources/library.toml"] = files["sources/library.toml"].replace('arrival = "opened"\n', "")
    catalogue = catalogue_of(files)
    engine = empty_database(catalogue)
    client = app.make_server(engine, catalogue, "harbor", clock=lambda: LATER).test_client()
    sign_in(client, engine, clock=lambda: LATER)
    return client, engine


def asked(engine, *kinds) -> list[requests.Request]:
    with reading(engine) as connection:
        return requests.newest(connection, kinds or (*SHOWN, STOP), 10)


@pytest.mark.parametrize("act", ["run_source", "dry_run_source", "replay_source"])
def test_what_is_asked_of_a_source_is_inserted_followed_and_written_down(town, act):
    client, engine = town
    status, said = send(client, act, source_id="cases")
    assert (status, said["address"]) == (200, "/staff/source/cases?request=1#request")
    [found] = asked(engine)
    assert found.arguments["source"] == "cases" and found.arguments["by"].startswith("Admin <")
    with reading(engine) as connection:
        entry = audit_log.entries(connection)[0]
    assert entry.subject == "source cases" and entry.act.endswith("asked for")
    assert send(client, act, source_id="cases")[0] == 422, "once at a time"


def test_a_range_of_days_is_taken_as_it_is_given(town):
    client, engine = town
    assert send(client, "dry_run_source", source_id="cases", since="2026-11-01")[0] == 200
    assert asked(engine)[0].arguments["since"] == "2026-11-01" and "until" not in asked(engine)[0].arguments
    assert send(client, "backfill_source", **RANGE)[0] == 200
    words = asked(engine, BACKFILL)[0].arguments
    assert (words["since"], words["until"], words["step"]) == ("2026-01-01", "2026-10-31", "month")


@pytest.mark.parametrize(
    ("act", "fields", "field"),
    [
        ("backfill_source", {**RANGE, "since": ""}, "since"),
        ("backfill_source", {**RANGE, "until": "2025-12-31"}, "until"),
        ("backfill_source", {**RANGE, "until": "2026-11-24"}, "until"),
        ("backfill_source", {**RANGE, "step": "hour"}, "step"),
        ("backfill_source", {**RANGE, "source_id": "library"}, ""),
        ("run_source", {"source_id": "cases", "since": "soon"}, "since"),
        ("run_source", {"source_id": "library", "until": "2026-11-01"}, ""),
        ("run_source", {"source_id": "water"}, ""),
        ("run_source", {"source_id": "nowhere"}, ""),
        ("run_source", {}, ""),
        ("stop_backfill", {"source_id": "cases", "request_id": "7"}, ""),
        ("stop_backfill", {"source_id": "cases", "request_id": "x"}, ""),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(town, act, fields, field):
    client, engine = town
    status, said = send(client, act, **fields)
    assert (status, said["field"]) == (422, field) and said["sentence"]
    assert asked(engine) == []


def test_rows_that_were_sent_in_and_refused_are_replayed(town):
    client, _engine = town
    assert send(client, "replay_source", source_id="water")[0] == 200


def test_a_backfill_is_stopped_by_who_works_with_its_source_alone(town):
    client, engine = town
    send(client, "backfill_source", **RANGE)
    other = {"source_id": "library", "request_id": "1"}
    assert send(client, "stop_backfill", **other)[0] == 422, "an editor of one source stops no other's"
    sign_in(client, engine, Role.EDITOR, "parks", clock=lambda: LATER)
    assert send(client, "run_source", source_id="water")[0] == 403
    assert send(client, "stop_backfill", source_id="cases", request_id="1")[0] == 200
    assert asked(engine, STOP)[0].arguments["request"] == 1


def test_a_viewer_asks_nothing_of_a_source(town):
    client, engine = town
    sign_in(client, engine, Role.VIEWER, clock=lambda: LATER)
    for act in ("run_source", "dry_run_source", "replay_source", "backfill_source", "stop_backfill"):
        assert send(client, act, **RANGE, request_id="1")[0] == 403
    assert asked(engine) == []
