"""The method and the receipt in a real browser: without a script, on the smallest screen, for everybody."""

from __future__ import annotations

from datetime import date

import pytest

import app
from metrics.catalogue import load
from store.engine import open_engine
from tests.browser.test_pages import RULES
from tests.layouts.test_explained import simpson
from tests.town import Town, write_city

PATHS = ["/method", "/metric/on_time?grain=month&receipt=1"]


@pytest.fixture
def at(tmp_path, serve):
    engine = open_engine(f"sqlite:///{tmp_path / 'town.db'}")
    town = Town(engine, load(write_city(tmp_path / "test")))
    town.ingest(*simpson())
    town.publish(date(2026, 7, 1))
    yield serve(app.make_server(engine, town.catalogue, "test"))
    engine.dispose()


@pytest.mark.parametrize("path", PATHS)
def test_the_method_and_the_receipt_are_read_without_a_script_on_any_screen(visit, at, path):
    seen = visit(path, width=320, scripts=False, at=at)
    assert seen.width() <= 320
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
    caption = "By chance" if path == "/method" else "What became of the records"
    assert seen.page.locator(f"table:has(caption:has-text('{caption}'))").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_the_method_and_the_receipt_are_accessible(visit, axe, at, path, scheme):
    seen = visit(path, width=390, scheme=scheme, at=at)
    seen.page.evaluate(axe)
    found = seen.page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)
    grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in grave] == []
    assert seen.watch.complaints == []
