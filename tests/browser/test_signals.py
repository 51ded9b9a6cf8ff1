"""Charts of signal and noise in a real browser: drawn without a script, read as a table, one with the API."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("width", [1440, 390])
def test_without_a_script_the_chart_is_drawn_and_its_table_names_every_signal(visit, address, width):
    seen = visit("/metric/response_minutes?grain=day", width=width, scripts=False)
    found = seen.page.request.get(f"{address}/api/v1/metrics/response_minutes/signals?grain=day").json()
    signals = sum(1 for point in found["points"] if point["signal"])
    assert seen.page.locator("svg.control:visible [class^='sign-']").count() == signals > 0
    card = seen.page.locator("section[aria-labelledby='control']")
    card.locator("summary").click()
    assert card.locator("tbody tr:visible").count() == len(found["points"])
    assert card.locator("tbody [class^='sign-']:visible").count() == signals
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])


def test_the_front_page_says_how_many_signals_chance_would_give(visit):
    seen = visit("/", scripts=False)
    assert "would by chance alone" in seen.page.locator(".tally").inner_text()
    assert seen.page.locator(".board .signs:visible").count() > 5


def test_the_staff_page_draws_the_chart_and_opens_its_table(visit):
    seen = visit("/staff/metric/pothole_on_time", width=390, scheme="dark")
    seen.page.wait_for_selector("#control-graph .main-svg", state="attached")
    card = seen.page.locator("section[aria-labelledby='control']")
    card.locator("summary").click()
    assert card.locator("tbody tr").first.is_visible()
    assert (seen.watch.complaints, seen.watch.strangers) == ([], [])
    assert seen.width() <= 390


def test_shapes_of_the_scoreboard_have_their_words(visit):
    seen = visit("/staff/today")
    first = seen.page.locator(".board .signs").first
    assert first.locator("svg").count() in (1, 2)
    assert first.get_attribute("title") == first.locator(".unseen").inner_text().strip()
    assert first.get_attribute("title").startswith("Weekly chart: ")
