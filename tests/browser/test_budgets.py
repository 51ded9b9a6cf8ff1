"""What a first visit may cost a reader: bytes as they are received, headers included, and requests."""

from __future__ import annotations

import pytest

BUDGETS = [
    ("/", 60_000, None),
    ("/metric/pothole_on_time", 60_000, None),
    ("/embed/metric/pothole_on_time", 15_000, 2),
    ("/embed/metric/response_minutes?grain=day", 15_000, 2),
    ("/embed/score", 15_000, 2),
    ("/embed/scoreboard", 15_000, 2),
    ("/staff/today", 320_000, None),
]


@pytest.mark.parametrize(("path", "most_bytes", "most_requests"), BUDGETS)
def test_a_first_visit_is_light(browser, enter, address, path, most_bytes, most_requests):
    context = browser.new_context()
    if path.startswith("/staff/"):
        enter(context, address)
    page = context.new_page()
    session = context.new_cdp_session(page)
    received: list[float] = []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda done: received.append(done["encodedDataLength"]))
    page.goto(address + path, wait_until="networkidle")
    page.wait_for_selector("main h1", state="attached")
    page.wait_for_load_state("networkidle")
    context.close()
    assert received and sum(received) <= most_bytes, f"{sum(received)} bytes in {len(received)} requests"
    assert most_requests is None or len(received) <= most_requests
