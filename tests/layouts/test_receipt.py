"""The receipt of a score: records add up, numbers are the published ones, no browser is believed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import dash
import pytest
from dash.exceptions import PreventUpdate
from flask import Flask

from layouts import staff
from layouts.access import NotAllowed
from layouts.desk import edition
from layouts.formats import receipts
from layouts.receipt import asked_receipt
from layouts.receipt_view import receipt_of
from metrics.catalogue import load
from metrics.model import Aggregation, Grain
from store.engine import open_engine, reading
from tests.layouts.published_city import desk_over
from tests.people import an_admin
from tests.town import Town, case, write_city

ASSETS = Path(__file__).resolve().parents[2] / "assets"
JULY = date(2026, 7, 1)
JUNE = {"metric": "on_time", "grain": "month", "start": "2026-06-01", "publication": "1"}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Four cases due in June: one in time, two late, a duplicate; one more without a due date."""
    folder = tmp_path_factory.mktemp("receipts")
    engine = open_engine(f"sqlite:///{folder / 'town.db'}")
    made = Town(engine, load(write_city(folder / "test")))
    duplicate = case("d", 11, 9, reason="Duplicate")
    undated = {**case("e", 11, None), "due": None}
    made.ingest(case("a", 10, 9), case("b", 11, 20), case("c", 12, None), duplicate, undated)
    made.publish(JULY)
    yield made
    engine.dispose()


@pytest.fixture(scope="module")
def desk(town):
    return desk_over(town.engine, town.catalogue)


@pytest.fixture(scope="module")
def mounted(desk):
    server = Flask("receipts")
    app = staff.mount(server, desk, an_admin, ASSETS)
    server.test_client().get("/staff/today")
    return app


@pytest.fixture
def receipt(town):
    with reading(town.engine) as connection:
        now = edition(connection)
        metric = now.catalogue.metrics["on_time"]
        return receipt_of(connection, now, metric, Grain.MONTH, date(2026, 6, 1))


def text_of(made) -> str:
    def written(one):
        return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)

    return json.dumps(made, default=written, ensure_ascii=False)


def page_of(app, **query) -> str:
    page = next(page for page in dash.page_registry.values() if page["module"].endswith("pages.metric"))
    with app.server.test_request_context("/staff/"):
        return text_of(page["layout"](**query))


def callback_of(app):
    [found] = [one for key, one in app.callback_map.items() if "receipt-shown" in key]
    return found["callback"].__wrapped__


def test_the_rows_of_the_records_add_up_to_those_dated_in_the_period(receipt):
    first, *rest = receipts.counts(receipt)
    counted = receipts.counted(receipt)
    assert (first.records, counted.records, receipts.met(receipt).records) == (4, 3, 1)
    assert first.records == sum(row.records for row in rest) + counted.records
    assert [row.said for row in rest] == ["Excluded"]
    assert rest[0].test == "reason in ('Duplicate')"


def test_a_row_says_the_rest_that_no_clause_explains(receipt):
    odd = replace(receipt, records=replace(receipt.records, dated=9))
    assert receipts.counts(odd)[-1] == receipts.Count("Without a usable value", 5)


def test_a_receipt_says_value_target_and_who_approved_it_floor_formula_and_publication(receipt, town):
    assert receipts.made_of(receipt) == "Numerator 1, denominator 3, n 3"
    assert receipts.value(receipt) == "33.3% (0.333333)"
    assert receipts.target(receipt) == "80%"
    assert receipts.approvals(receipt) == ["80% since Jan 1, 2016, approved by the tester: a test"]
    assert receipts.floor(receipt) == "The score reaches 0 at 0"
    assert receipts.score(receipt).startswith("0.42 (0.416667), ")
    assert "Score: 1 + (0.333333 − 0.8) ÷ (0.8 − 0) = 0.416667." in receipts.formula(receipt)
    assert receipts.period(receipt) == "June 2026: from Jun 1, 2026 up to, not including, Jul 1, 2026"
    assert receipts.publication(receipt, town.catalogue.city).startswith("Number 1 for Jul 1, 2026, made Jul")


def test_records_without_a_date_are_said(receipt):
    assert receipts.remarks(receipt) == ["1 record has no date and is in no period."]


def test_records_that_made_no_score_are_said(receipt):
    gap = replace(receipt, records=replace(receipt.records, kept=5, undated=0))
    [said] = receipts.remarks(gap)
    assert said.startswith("Of the 5 records counted here 3 made the score")


def test_what_is_no_number_of_records_is_never_compared_with_one(receipt):
    visits = replace(receipt.metric, aggregation=Aggregation.COUNT, quantity="visits")
    changed = replace(receipt, metric=visits, records=replace(receipt.records, kept=5, undated=0))
    assert receipts.remarks(changed) == []


def test_a_stock_has_no_records_of_a_period(receipt):
    counted = replace(receipt.metric, aggregation=Aggregation.STOCK)
    stock = replace(receipt, records=None, metric=counted)
    assert (receipts.counts(stock), receipts.counted(stock), receipts.met(stock)) == ([], None, None)
    assert "how many were open on each day" in receipts.remarks(stock)[0]


def test_a_target_from_the_past_says_which_days(receipt):
    weeks = ((date(2025, 6, 1), date(2025, 7, 1)),)
    past = replace(
        receipt,
        metric=replace(receipt.metric, historical=True),
        score=replace(receipt.score, baseline=weeks),
    )
    assert receipts.approvals(past) == ["The city's own past: Jun 2025"]
    bare = replace(past, score=replace(past.score, baseline=()))
    assert receipts.approvals(bare) == ["The city's own past, of which too little is known."]


def test_without_a_score_there_is_no_arithmetic_and_the_status_is_said(receipt):
    none = replace(receipt, score=replace(receipt.score, score=None, floor=None))
    assert (receipts.formula(none), receipts.floor(none)) == ([], "")
    assert receipts.score(none) == receipts.score(receipt).rsplit(", ")[-1]


def test_a_band_reaches_0_on_both_sides(receipt):
    band = replace(receipt, score=replace(receipt.score, floor=0.5, floor_high=2.0))
    assert receipts.floor(band) == "The score reaches 0 at 0.5 and at 2"


def test_the_receipt_is_worked_out_when_it_is_opened_and_not_before(mounted):
    page = page_of(mounted, metric_id="on_time", grain="month")
    assert "The records are being counted" in page and "What became of the records" not in page
    open_receipt = callback_of(mounted)
    with mounted.server.test_request_context("/staff/"):
        shown = text_of(open_receipt(1, JUNE))
        with pytest.raises(PreventUpdate):
            open_receipt(2, JUNE)
    assert "What became of the records" in shown and "approved by the tester" in shown


def test_the_receipt_of_any_period_opens_by_its_address(mounted):
    page = page_of(mounted, metric_id="on_time", grain="month", start="2026-06-01")
    assert "What became of the records" in page
    assert "?grain=month&start=2026-06-01" in page, "the table of the chart leads to the receipts"


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ("2026-05-04", "No month that starts on May 4, 2026 was published."),
        ("soon", "This cannot be answered"),
    ],
)
def test_a_period_that_was_never_published_has_no_receipt(mounted, start, says):
    assert says in page_of(mounted, metric_id="on_time", grain="month", start=start)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "x",
        {},
        {**JUNE, "metric": "nothing"},
        {**JUNE, "metric": ["on_time"]},
        {**JUNE, "grain": "year"},
        {**JUNE, "start": "2026-06-02"},
        {**JUNE, "start": "'; drop table scores"},
        {**JUNE, "publication": "99"},
        {**JUNE, "publication": {"$gt": 0}},
    ],
)
def test_nothing_a_browser_sends_is_believed(mounted, desk, data):
    with mounted.server.test_request_context("/staff/"):
        assert isinstance(asked_receipt(desk, data), str)


def test_nobody_opens_a_receipt_without_a_judge(mounted):
    open_receipt = callback_of(mounted)
    with Flask("bare").test_request_context("/staff/"), pytest.raises(NotAllowed):
        open_receipt(1, JUNE)
