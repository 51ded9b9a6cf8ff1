"""Deliveries and tokens: one transaction for rows and their request, and only the hash of a secret."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from metrics.catalogue import load
from store import deliveries, requests, schema, token_command, tokens
from store.deliveries import KeyTakenError, Offer, TokenLostError, TooManyError
from store.engine import StoreError, open_engine, reading, system_clock, writing
from store.migrations import migrate
from tests.bare_store import HOME

OFFER = Offer("permits", "k1", "text/csv", b"id\n1\n\xff")
MANY = 1000


@pytest.fixture
def token(engine, clock):
    return tokens.create(engine, clock, "Inspections", ["permits"])[0]


def everything(engine, *tables):
    with reading(engine) as connection:
        return [row for table in tables for row in connection.execute(select(table)).all()]


def test_only_the_hash_of_a_secret_is_kept(engine, clock):
    made, secret = tokens.create(engine, clock, "Inspections", ["permits", "calls", "calls"])
    assert made.sources == ("calls", "permits") and len(secret) > 40
    assert not any(secret in str(row) or secret[4:] in str(row) for row in everything(engine, schema.tokens))
    with reading(engine) as connection:
        assert tokens.find(connection, secret, clock()) == made
        for wrong in (secret[:-1], secret.upper(), "", "\ud800", made.name):
            assert tokens.find(connection, wrong, clock()) is None


def test_a_token_opens_until_it_expires_or_is_revoked(engine, clock):
    end = clock.now + timedelta(hours=1)
    made, secret = tokens.create(engine, clock, "a", ["permits"], end)
    with reading(engine) as connection:
        assert tokens.find(connection, secret, end - timedelta(microseconds=1)) == made
        assert tokens.find(connection, secret, end) is None
    tokens.revoke(engine, clock, made.id)
    with reading(engine) as connection:
        assert tokens.find(connection, secret, clock.now) is None
        assert [one.revoked_at is not None for one in tokens.all_tokens(connection)] == [True]
    with pytest.raises(StoreError, match="was revoked at"):
        tokens.revoke(engine, clock, made.id)
    with pytest.raises(StoreError, match="no token 9"):
        tokens.revoke(engine, clock, 9)


@pytest.mark.parametrize(
    ("name", "sources", "expires"),
    [
        ("", ["a"], None),
        ("two\nlines", ["a"], None),
        ("x" * 101, ["a"], None),
        ("a", [], None),
        ("a", ["a"], datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_token_without_a_name_a_source_or_a_future_is_not_made(engine, clock, name, sources, expires):
    with pytest.raises(StoreError):
        tokens.create(engine, clock, name, sources, expires)
    assert everything(engine, schema.tokens) == []


def test_a_delivery_keeps_every_byte_and_has_its_request(engine, clock, token):
    kept = deliveries.accept(engine, clock, token.id, OFFER, MANY)
    with reading(engine) as connection:
        assert deliveries.of_request(connection, kept.request) == kept
        assert deliveries.body(connection, kept.id) == OFFER.body
        asked = requests.get(connection, kept.request)
    assert (asked.kind, asked.arguments) == (deliveries.KIND, {"source": "permits"})
    with writing(engine, clock) as write:
        deliveries.forget_body(write, kept.id)
    with reading(engine) as connection:
        assert deliveries.body(connection, kept.id) is None


def test_a_repetition_is_the_delivery_that_is_there(engine, clock, token):
    kept = deliveries.accept(engine, clock, token.id, OFFER, 1)
    assert deliveries.accept(engine, clock, token.id, OFFER, 1) == kept
    with pytest.raises(KeyTakenError):
        deliveries.accept(engine, clock, token.id, replace(OFFER, body=b"other"), 1)
    with pytest.raises(TooManyError) as refused:
        deliveries.accept(engine, clock, token.id, replace(OFFER, repeat_key="k2"), 1)
    assert 1 <= refused.value.seconds <= 61
    assert len(everything(engine, schema.deliveries)) == len(everything(engine, schema.requests)) == 1


def test_of_many_at_once_one_is_kept(engine, clock, token):
    with ThreadPoolExecutor(6) as pool:
        kept = list(pool.map(lambda _: deliveries.accept(engine, clock, token.id, OFFER, MANY), range(6)))
    assert len(set(kept)) == 1 and len(everything(engine, schema.requests)) == 1


def test_a_token_for_other_sources_or_none_delivers_nothing(engine, clock, token):
    with pytest.raises(TokenLostError):
        deliveries.accept(engine, clock, token.id, replace(OFFER, source="calls"), MANY)
    with pytest.raises(TokenLostError):
        deliveries.accept(engine, clock, 99, OFFER, MANY)
    tokens.revoke(engine, clock, token.id)
    with pytest.raises(TokenLostError):
        deliveries.accept(engine, clock, token.id, OFFER, MANY)
    assert everything(engine, schema.deliveries, schema.requests) == []


def test_revoking_leaves_what_was_accepted_unless_it_is_to_be_discarded(engine, clock, token):
    offers = [replace(OFFER, repeat_key=key) for key in "abc"]
    first, *_ = [deliveries.accept(engine, clock, token.id, one, MANY) for one in offers]
    assert requests.claim(engine, clock).id == first.request
    assert tokens.revoke(engine, clock, token.id).waiting == 2
    done = tokens.revoke(engine, clock, token.id, discard=True)
    assert (done.waiting, done.discarded) == (0, 2)
    assert requests.claim(engine, clock) is None
    with reading(engine) as connection:
        assert requests.get(connection, first.request).finished_at is None
        assert requests.get(connection, first.request + 1).result["outcome"] == "discarded"


def test_what_is_put_back_waits_in_its_place_and_other_kinds_are_not_kept_waiting(engine, clock, token):
    kept = deliveries.accept(engine, clock, token.id, OFFER, MANY)
    other = requests.insert(engine, clock, "publish", {})
    taken = requests.claim(engine, clock)
    requests.put_back(engine, clock, taken.id)
    assert requests.claim(engine, clock, besides=(deliveries.KIND,)).id == other
    assert requests.claim(engine, clock, besides=(deliveries.KIND,)) is None
    assert requests.claim(engine, clock).id == kept.request


def deliver_for_ever(begun, url, token):
    engine = open_engine(url)
    begun()
    for number in range(10_000):
        body = b"id\n" + b"".join(b"%d\n" % one for one in range(number % 500))
        offer = Offer("permits", f"k{number}", "text/csv", body)
        deliveries.accept(engine, system_clock, token, offer, 100_000)
    time.sleep(60)


@pytest.mark.parametrize("seed", range(3))
def test_a_sender_killed_at_any_moment_leaves_nothing_or_a_request_with_its_rows(
    any_engine_url, kill_during, monkeypatch, seed
):
    monkeypatch.setattr(deliveries, "MOST_WAITING", 100_000)
    engine = open_engine(any_engine_url)
    migrate(engine, HOME, system_clock)
    token, _ = tokens.create(engine, system_clock, "a", ["permits"])
    engine.dispose()
    kill_during(deliver_for_ever, any_engine_url, token.id, seed=seed, longest=0.5)
    found = everything(engine, schema.deliveries)
    assert sorted(row.request for row in found) == [row.id for row in everything(engine, schema.requests)]
    with reading(engine) as connection:
        sizes = [len(deliveries.body(connection, row.id) or b"") for row in found]
    assert sizes == [row.bytes for row in found]
    engine.dispose()


# --- the command ---------------------------------------------------------------------------------


def said(town, *words):
    parser = ArgumentParser()
    token_command.add_parser(parser.add_subparsers())
    return list(token_command.run(town.engine, town.catalogue, town.clock, parser.parse_args(words)))


def test_a_token_is_made_shown_once_listed_and_revoked_by_hand(town, city):
    source = city / "sources" / "cases.toml"
    with pytest.raises(StoreError, match="kind file"):
        said(town, "token", "create", "Inspections", "--source", "cases")
    source.write_text(source.read_text().replace('kind = "file"', 'kind = "push"'))
    town.catalogue = load(city)
    with pytest.raises(StoreError, match="no source case"):
        said(town, "token", "create", "Inspections", "--source", "case")
    line, _, secret = said(
        town, "token", "create", "Inspections", "--source", "cases", "--expires", "2026-12-31"
    )
    assert line == "token 1: Inspections, for cases, works until 2027-01-01 05:00 UTC"
    with reading(town.engine) as connection:
        assert tokens.find(connection, secret, town.now).id == 1
    assert said(town, "token", "list") == [line] and secret not in "".join(said(town, "token", "list"))
    assert said(town, "token", "revoke", "1") == [
        "token 1 (Inspections) is revoked: it opens nothing any more"
    ]
    assert "revoked 2026-07-01" in said(town, "token", "list")[0]


def test_without_a_token_the_list_says_how_to_make_one(town):
    assert "token create NAME" in said(town, "token", "list")[0]
