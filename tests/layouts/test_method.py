"""The page of the method: every public definition, its self-test and warnings, and nothing of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from html import unescape

import pytest
from sqlalchemy import func, select

import app
from layouts.formats import method
from metrics.catalogue import load
from metrics.model import Target
from store import publications, selftests, targets
from store.engine import open_engine, reading
from store.schema import self_tests
from tests.layouts.test_explained import simpson
from tests.town import Town, write_city


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("method")
    engine = open_engine(f"sqlite:///{folder / 'town.db'}")
    made = Town(engine, load(write_city(folder / "test")))
    made.ingest(*simpson())
    made.publish(date(2026, 7, 1))
    yield made
    engine.dispose()


def known(town, number=None):
    with reading(town.engine) as connection:
        found = publications.find(connection, number=number)
        return selftests.known_to(connection, found.publication)


def test_the_page_says_what_each_measure_is_held_to_and_what_chance_does(town):
    client = app.make_server(town.engine, town.catalogue, "test").test_client()
    answer = client.get("/method")
    page = unescape(answer.text)
    assert "80% from Jan 1, 2016, approved by the tester: a test" in page
    assert "A perfect period scores" in page and "from when the case is opened to when it is closed" in page
    assert "worked out from the year before Jul 1, 2026" in page
    assert "<caption>By chance</caption>" in page and "month: 1 of 2 met" in page.lower()
    assert client.get("/method", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert 'href="/method' in client.get("/").text
    assert client.get("/method?grain=day").status_code == 400


def test_an_approved_target_is_on_the_page_once_it_is_published(tmp_path):
    town = Town(open_engine(f"sqlite:///{tmp_path / 'town.db'}"), load(write_city(tmp_path / "test")))
    town.ingest(*simpson())
    town.publish(date(2026, 7, 1))
    client = app.make_server(town.engine, town.catalogue, "test").test_client()
    change = Target(0.9, date(2026, 8, 1), "A second crew", "the council")
    targets.approve(town.engine, town.catalogue, town.clock, targets.Proposal("on_time", change))
    assert "A second crew" not in client.get("/method").text
    town.publish(date(2026, 7, 1))
    assert "90% from Aug 1, 2026, approved by the council: A second crew" in unescape(
        client.get("/method").text
    )
    town.engine.dispose()


def test_what_is_not_public_is_not_on_the_page(published_city):
    client = app.make_server(published_city.engine, published_city.catalogue, "harbor").test_client()
    page = client.get("/method").text
    assert "Potholes filled on time" in page and "Inner work" not in page
    assert "has not been worked out yet" in page, "nobody published through publish()"


def test_the_self_test_is_kept_once_a_month_and_again_when_definitions_change(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'town.db'}")
    town = Town(engine, load(write_city(tmp_path / "test")))
    town.now = town.now.replace(month=9)
    town.ingest(*simpson())

    def kept() -> int:
        with reading(engine) as connection:
            return connection.execute(select(func.count()).select_from(self_tests)).scalar_one()

    town.publish(date(2026, 7, 1))
    town.publish(date(2026, 7, 2))
    assert kept() == 1
    town.publish(date(2026, 6, 15))
    assert kept() == 1, "one for an older date never becomes current"
    town.publish(date(2026, 8, 1))
    assert kept() == 2
    town.catalogue = replace(town.catalogue, hash="another", text=town.catalogue.text)
    town.publish(date(2026, 8, 2))
    assert kept() == 3
    assert known(town, 2).as_of == date(2026, 7, 1)
    assert known(town, 3) is None, "a backdated publication knows no self-test of a later date"
    engine.dispose()


def test_what_is_kept_is_read_as_it_was(town):
    tests = known(town).tests
    assert selftests.from_json(selftests.to_json(tests.values())) == tests
    assert tests["on_time"].grains[0].expected is not None


def test_a_rate_is_percent_with_one_digit_and_a_dash_where_unknown():
    assert (method.rate(0.0213), method.rate(None)) == ("2.1\N{NO-BREAK SPACE}%", "–")
