"""The room of tokens: who sends in rows; a secret is shown once, and all that is done is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import app
from layouts.access import Role
from layouts.acts.tokens import PAGE
from layouts.formats import tokens as say
from store import audit_log, tokens
from store.engine import reading
from tests.layouts.published_city import NOW, catalogue_of, city_files
from tests.people import sign_in

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def town(empty_database):
    """A city in which one source takes rows that are sent in, and an admin who is signed in."""
    files = city_files()
    files["sources/water.toml"] = files["sources/water.toml"].replace('kind = "file"', 'kind = "push"')
    catalogue = catalogue_of(files)
    engine = empty_database(catalogue)
    server = app.make_server(engine, catalogue, "harbor", clock=lambda: LATER)
    client = server.test_client()
    sign_in(client, engine, clock=lambda: LATER)
    return client, engine


def send(client, act, **fields):
    answer = client.post(f"/act/{act}", data=fields, headers={"Accept": "application/json"})
    return answer.status_code, answer.get_json()


def found(engine) -> list[tokens.Token]:
    with reading(engine) as connection:
        return tokens.all_tokens(connection)


def test_a_token_is_made_for_a_source_and_its_secret_is_shown_once(town):
    client, engine = town
    status, said = send(client, "make_token", name="Water & Sons", sources="water", ends="2026-12-31")
    assert status == 200 and said["address"] == PAGE and said["once"].startswith(tokens.BEGINNING)
    assert "Water & Sons" in said["sentence"] and said["once"] not in said["sentence"]
    [made] = found(engine)
    assert (made.sources, made.expires_at) == (("water",), datetime(2027, 1, 1, 5, tzinfo=UTC))
    with reading(engine) as connection:
        assert tokens.find(connection, said["once"], LATER) == made
        entry = audit_log.entries(connection)[0]
    assert (entry.act, entry.subject, entry.words["name"]) == ("token made", "token 1", "Water & Sons")
    assert said["once"] not in str(entry)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "A", "sources": "cases"}, "sources"),
        ({"name": "A"}, "sources"),
        ({"name": "", "sources": "water"}, "name"),
        ({"name": "A", "sources": "water", "ends": "2026-11-22"}, "ends"),
        ({"name": "A", "sources": "water", "ends": "never"}, "ends"),
    ],
)
def test_a_token_that_cannot_be_is_refused_beside_its_field(town, fields, field):
    client, engine = town
    status, said = send(client, "make_token", **fields)
    assert (status, said["field"]) == (422, field) and found(engine) == []


def test_a_token_is_revoked_once(town):
    client, engine = town
    send(client, "make_token", name="Water", sources="water")
    assert send(client, "revoke_token", token_id="1")[0] == 200
    assert found(engine)[0].revoked_at is not None
    assert send(client, "revoke_token", token_id="1")[0] == 422
    assert send(client, "revoke_token", token_id="7")[0] == 422
    with reading(engine) as connection:
        assert audit_log.entries(connection)[0].act == "token revoked"


def test_what_is_said_of_tokens_is_true_of_each(town, published_city):
    city = published_city.catalogue.city
    made = tokens.Token(1, "Water", ("water",), NOW, None, None)
    ends = tokens.Token(2, "Parks", ("water",), NOW, NOW + timedelta(days=3), None)
    gone = tokens.Token(3, "Old", ("water",), NOW, NOW - timedelta(days=3), None)
    assert say.headline([], NOW) == "There is no token yet"
    assert say.headline([gone], NOW) == "No token works any more"
    assert say.headline([made, ends, gone], NOW) == "2 tokens work"
    assert say.ends_soon([made, ends, gone], NOW) == "1 token stops working within two weeks: Parks."
    assert say.ends_soon([made], NOW) == ""
    assert say.standing(made, NOW, city) == "Works until it is revoked"
    assert say.standing(ends, NOW, city).startswith("Works until Nov 26")
    assert say.standing(gone, NOW, city).startswith("Expired Nov 20")
    done = tokens.Revoked(made, 1, 2)
    assert "2 deliveries that waited are discarded. 1 delivery accepted before" in say.revoked(done)


def test_only_an_admin_makes_tokens(town, empty_database):
    client, engine = town
    sign_in(client, engine, Role.APPROVER, clock=lambda: LATER)
    assert send(client, "make_token", name="A", sources="water")[0] == 403 and found(engine) == []
