"""The page of a metric in a real browser: compared fairly, taken apart, looked at further back."""

from __future__ import annotations

import re
from datetime import date

import pytest
from playwright.sync_api import expect

import app
from metrics.catalogue import load
from store.engine import open_engine
from store.people import Role
from tests.browser.conftest import WAIT
from tests.browser.test_department import grave
from tests.town import DEPARTMENTS, METRIC, Town, case, write_city

OWNER = {"role": Role.OWNER, "department": "public_works"}
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town of public works whose cases say how they were reported: as `reason` here."""
    folder = write_city(tmp_path_factory.mktemp("town") / "test")
    (folder / "departments.toml").write_text(DEPARTMENTS.replace("works", "public_works"))
    split = METRIC.replace('"works"', '"public_works"').replace("weight", 'split_by = ["reason"]\nweight')
    (folder / "metrics/on_time.toml").write_text(split)
    engine = open_engine(f"sqlite:///{folder.parent / 'town.db'}")
    made = Town(engine, load(folder))
    reasons = ["Phone", "App", HOSTILE]
    late = [case(f"late{n:02}", 11, 20, reason=reasons[n % 3]) for n in range(40)]
    made.ingest(*late, *(case(f"done{n:02}", 12, 11, reason=reasons[n % 2]) for n in range(30)))
    made.publish(date(2026, 7, 1))
    yield made
    engine.dispose()


@pytest.fixture
def place(serve, town) -> str:
    return serve(app.make_server(town.engine, town.catalogue, "test"))


def test_d8_a_head_of_department_is_compared_with_what_chance_explains(visit):
    seen = visit("/staff/metric/pothole_on_time", **OWNER)
    section = seen.page.locator("section", has=seen.page.locator("#districts")).last
    expect(section.locator("h2").first).to_contain_text(re.compile("chance"))
    expect(section).to_contain_text(re.compile(r"\d+ of \d+ lie outside their limits; by chance alone"))
    expect(section).to_contain_text("no ranking of raw values")
    assert section.locator("svg.dots.wide .band").count() > 2
    rows = section.locator(".district-table tbody tr")
    limits = rows.locator("td:nth-child(3)").all_inner_texts()
    assert sum(" to " in text for text in limits) >= 3
    # Each place stands in words, and leads to its own records.
    words = rows.locator("td:nth-child(4)").all_inner_texts()
    assert sum("chance" in text for text in words) >= 3
    assert rows.get_by_role("link", name="See the records").count() >= 3
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


def test_d1_from_a_red_metric_over_the_kind_of_record_to_its_cases_by_keyboard(visit, place):
    seen = visit("/staff/metric/on_time?grain=month", at=place, **OWNER)
    page = seen.page
    page.get_by_role("link", name="reason", exact=True).focus()
    page.keyboard.press("Enter")
    parts = page.locator("#split-shown table tbody tr")
    expect(parts).to_have_count(3, timeout=WAIT)
    assert "split=reason" in page.url and "grain=month" in page.url
    phone = parts.filter(has_text="Phone")
    met, of = re.search(r"(\d+) of (\d+)", phone.inner_text()).groups()
    phone.get_by_role("link", name="See the records").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".case-table tbody tr")).to_have_count(int(of), timeout=WAIT)
    expect(page.locator("main")).to_contain_text(f"{of} of them match the filters.")
    assert (met, of) == ("15", "29")
    page.go_back()
    expect(page.locator("#split-shown")).to_contain_text(HOSTILE, timeout=WAIT)
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


def test_looking_further_back_stays_at_the_chart_and_has_an_address(visit):
    seen = visit("/staff/metric/pothole_on_time?grain=week", **OWNER)
    page = seen.page
    page.get_by_label("On this page").get_by_role("link", name="Targets").click()
    expect(page.locator("#targets")).to_be_in_viewport()
    page.get_by_role("link", name="3 years").click()
    page.wait_for_url("**range=3years#control")
    expect(page.locator("#control")).to_be_focused(timeout=WAIT)
    chart = page.locator("section", has=page.locator("#control")).last
    chart.locator("summary").click()
    expect(chart.locator("details table")).to_contain_text("Before the limits", timeout=WAIT)
    page.go_back()
    expect(chart.locator("details table")).not_to_contain_text("Before the limits", timeout=WAIT)
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "dark"),
        pytest.param(320, "light", marks=pytest.mark.matrix),
        pytest.param(1440, "light", marks=pytest.mark.matrix),
        pytest.param(1440, "dark", marks=pytest.mark.matrix),
    ],
)
def test_the_page_fits_and_axe_finds_nothing_grave(visit, place, axe, width, scheme):
    taken_apart = visit(
        "/staff/metric/on_time?grain=day&split=reason", width=width, scheme=scheme, at=place, **OWNER
    )
    expect(taken_apart.page.locator("#split-shown table")).to_be_visible(timeout=WAIT)
    season = visit("/staff/metric/pothole_on_time?range=season", width=width, scheme=scheme, **OWNER)
    for seen in (taken_apart, season):
        expect(seen.page.locator("#control")).to_be_visible()
        assert grave(seen.page, axe) == [] and seen.width() <= width
        assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (320, "light"),
        pytest.param(390, "dark", marks=pytest.mark.matrix),
        pytest.param(1440, "dark", marks=pytest.mark.matrix),
    ],
)
def test_demand_under_the_score_of_a_department_fits_too(visit, axe, width, scheme):
    seen = visit("/staff/department/public_works", width=width, scheme=scheme, **OWNER)
    expect(seen.page.locator("section", has=seen.page.locator("#demand")).last).to_contain_text("records in")
    assert grave(seen.page, axe) == [] and seen.width() <= width
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
