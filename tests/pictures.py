"""Takes the pictures of README and tour from a demonstration that runs; the one argument is its address."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PICTURES = {
    "today": "/staff/today",
    "boston": "/staff/today?view=boston#services",
    "department": "/staff/department/public_works",
    "staff_metric": "/staff/metric/pothole_on_time",
    "cases": "/staff/metric/pothole_on_time/cases?grain=month",
    "districts": "/staff/districts",
    "staff_district": "/staff/district/old_harbor",
    "sources": "/staff/sources",
    "source": "/staff/source/service_requests",
    "targets": "/staff/targets",
    "target": "/staff/targets/pothole_on_time",
    "admin": "/staff/admin",
    "people": "/staff/admin/people",
    "catalogue": "/staff/admin/catalogue",
    "publications": "/staff/admin/publications",
    "tokens": "/staff/admin/tokens",
    "audit": "/staff/admin/audit",
    "account": "/account",
    "home": "/",
    "metric": "/metric/pothole_on_time",
    "district": "/district/old_harbor",
    "method": "/method",
    "status": "/status",
}
"""By name the page that is shown; `docs/tour.md` has every one of them."""

SIZE = {"width": 1280, "height": 900}


def main(address: str) -> int:
    """Writes every picture of PICTURES, light, into docs/pictures/."""
    browser = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        chrome = driver.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = chrome.new_page(viewport=SIZE, color_scheme="light")
        # Without a sign-in there is one to be offered: one click, as the demonstration has it.
        page.goto(f"{address}/sign-in")
        page.click("button[value=admin]")
        for name, path in PICTURES.items():
            page.goto(address + path)
            page.wait_for_selector("h1")
            page.wait_for_load_state("networkidle")
            if page.locator(".dash-graph").count():
                page.wait_for_selector(".main-svg")
            page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=80)
        chrome.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
