"""The receipt everywhere: API, public page and staff page say the same numbers, as they were known then."""

from __future__ import annotations

import json
import re
from datetime import date
from html import unescape

import numpy as np
import pytest

import app
from layouts.desk import edition
from layouts.formats import receipts
from layouts.public.api import Api
from layouts.receipt import contents
from layouts.receipt_view import receipt_of
from metrics.catalogue import load
from metrics.model import Grain
from store.engine import open_engine, reading
from store.withheld import Audience
from tests.layouts.published_city import desk_over
from tests.town import Town, case, write_city

JUNE = {"grain": "month", "start": "2026-06-01"}
SIMPSON = ("N.", "south")
"""The spellings of a district and of one that nobody knows."""


def simpson() -> list[dict]:
    """Two districts that both improve while the whole gets worse (science 3), a tenth as large."""
    months = {5: ((80, 72), (20, 12)), 6: ((40, 37), (60, 38))}
    made = []
    for month, places in months.items():
        for area, (cases, good) in zip(SIMPSON, places, strict=True):
            for number in range(cases):
                one = case(f"{month}{area}{number}", 15, 14 if number < good else 20)
                one["area"] = area
                for column in ("opened", "due", "closed"):
                    one[column] = one[column].replace(month=month)
                made.append(one)
    return made


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained")
    engine = open_engine(f"sqlite:///{folder / 'town.db'}")
    made = Town(engine, load(write_city(folder / "test")))
    made.ingest(*simpson())
    made.publish(date(2026, 7, 1))
    yield made
    engine.dispose()


@pytest.fixture(scope="module")
def client(town):
    return app.make_server(town.engine, town.catalogue, "test").test_client()


def explained(town, **query):
    answer = Api(desk_over(town.engine, town.catalogue)).explain({**JUNE, **query}, "on_time")
    return answer, json.loads(answer.body)


def receipt(town, start=date(2026, 6, 1)):
    with reading(town.engine) as connection:
        now = edition(connection)
        return receipt_of(connection, now, now.catalogue.metrics["on_time"], Grain.MONTH, start)


def staff_text(town) -> str:
    def written(one):
        return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)

    with reading(town.engine) as connection:
        return json.dumps(contents(receipt(town), edition(connection)), default=written, ensure_ascii=False)


def test_api_public_page_and_staff_page_say_the_same_numbers(town, client):
    _, said = explained(town)
    assert (said["records"]["counted"], said["records"]["met"], said["n"]) == (100, 75, 100)
    assert (said["numerator"], said["denominator"], said["value"], said["target"]) == (75, 100, 0.75, 0.8)
    assert said["score"] == pytest.approx(0.9375)
    assert said["targets"][0]["approved_by"] == "the tester"
    page = unescape(client.get("/metric/on_time?grain=month&receipt=1").text)
    staff = staff_text(town)
    found = receipt(town)
    sentences = [
        *said["formula"],
        *said["remarks"],
        *receipts.approvals(found),
        *(text(found) for text in (receipts.made_of, receipts.value, receipts.floor, receipts.score)),
    ]
    assert "Score: 1 + (0.75 − 0.8) ÷ (0.8 − 0) = 0.9375." in sentences
    for sentence in sentences:
        assert sentence in page and sentence in staff
    for row in (*receipts.counts(found), receipts.counted(found), receipts.met(found)):
        cell = f'{re.escape(row.said)}(<code class="beneath">.*?</code>)?</th>'
        assert re.search(rf'{cell}<td class="number-cell">{row.records}</td>', page)


def test_a_page_opens_the_receipt_only_when_it_is_asked_for(client):
    page = client.get("/metric/on_time?grain=month").text
    assert "What became of the records" not in page
    assert 'href="/metric/on_time?grain=month&amp;receipt=1#receipt"' in page
    assert "What became of the records" in client.get("/metric/on_time?grain=month&start=2026-05-01").text
    assert client.get("/metric/on_time?grain=month&start=2026-05-02").status_code == 404
    assert client.get("/metric/on_time?receipt=yes").status_code == 400


def test_a_receipt_is_tagged_like_every_answer(client):
    path = "/api/v1/metrics/on_time/explain?grain=month"
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)


@pytest.mark.parametrize(
    ("metric", "query", "status"),
    [
        ("nothing", {}, 404),
        ("on_time", {"start": "2026-06-02"}, 404),
        ("on_time", {"grain": "week", "district": "north", "start": "2026-06-15"}, 404),
        ("on_time", {"district": "atlantis"}, 400),
        ("on_time", {"publication": "9"}, 404),
        ("on_time", {"as_of": "2026-01-01"}, 404),
        ("on_time", {"month": "6"}, 400),
    ],
)
def test_what_was_never_published_has_no_receipt(town, metric, query, status):
    answer = Api(desk_over(town.engine, town.catalogue)).explain({**JUNE, **query}, metric)
    assert answer.status == status


def test_a_district_of_a_source_with_small_counts_does_not_say_what_was_left_out(tmp_path):
    """Excluded, withdrawn and not asked for are counts as well: of another metric perhaps the hidden ones."""
    city = write_city(tmp_path / "test")
    path = city / "metrics" / "on_time.toml"
    hiding = path.read_text().replace('id = "on_time"', 'id = "other"\nsmall_counts = 10')
    (city / "metrics" / "other.toml").write_text(hiding.replace('"due"\nnum', '"opened"\nnum'))
    engine = open_engine(f"sqlite:///{tmp_path / 'town.db'}")
    made = Town(engine, load(city))
    made.ingest(*simpson())
    made.publish(date(2026, 7, 1))
    _, said = explained(made, district="north")
    assert (said["records"], said["value"], said["n"]) == (None, 0.925, 40)
    assert said["remarks"] == [
        "How many records were left out here is not shown: so few would point at people."
    ]
    assert explained(made)[1]["records"]["counted"] == 100
    with reading(engine) as connection:
        staff = edition(connection, audience=Audience.STAFF)
        metric = staff.catalogue.metrics["on_time"]
        own = receipt_of(connection, staff, metric, Grain.MONTH, date(2026, 6, 1), "north")
    assert own.records.kept == 40
    engine.dispose()


def test_a_district_has_a_receipt_of_its_own(town):
    _, said = explained(town, district="north")
    assert (said["district"], said["records"]["counted"], said["value"]) == ("north", 40, 0.925)


def test_rate_and_mix_add_up_to_the_change(town):
    shift = receipt(town).shift
    parts = {one.district: (one.rate, one.mix) for one in shift.parts}
    assert parts["north"] == pytest.approx((0.015, -0.047), abs=1e-12)
    assert set(parts) == {"north", "unknown"}
    assert sum(np.sum(one) for one in parts.values()) == pytest.approx(shift.change, abs=1e-12)
    assert shift.change == pytest.approx(0.75 - 0.84, abs=1e-12)
    assert "Where the change is, not why" in staff_text(town)
    assert explained(town)[1]["parts"] == [
        {"district": name, "rate": pytest.approx(rate), "mix": pytest.approx(mix)}
        for name, (rate, mix) in parts.items()
    ]


def test_the_printed_parts_add_up_to_the_printed_change(town):
    found = receipt(town)
    rows = receipts.shifted(found, town.catalogue)
    assert [row.said for row in rows] == ["North", "Not known"]
    printed = [float(text.replace("−", "-")) for row in rows for text in (row.rate, row.mix)]
    assert sum(printed) == pytest.approx(-9.0)
    assert "Since May 2026 the value moved by −9.00 points" in receipts.change_by_district(found)


def test_a_day_or_week_is_not_split_and_neither_is_the_first_month(town):
    assert receipt(town, date(2026, 5, 1)).shift is None
    with reading(town.engine) as connection:
        now = edition(connection)
        metric = now.catalogue.metrics["on_time"]
        assert receipt_of(connection, now, metric, Grain.WEEK, date(2026, 6, 15)).shift is None


def test_a_receipt_says_for_ever_what_its_publication_knew(town):
    before, said = explained(town, publication="1")
    late = simpson()[100]
    town.ingest({**late, "closed": late["due"].replace(day=28)}, case("extra", 15, 14))
    town.publish(date(2026, 7, 1))
    assert explained(town, publication="1")[0].body == before.body
    _, now = explained(town)
    assert now["publication"]["id"] == 2
    assert now["records"]["counted"] == now["n"] and now["records"] != said["records"]
