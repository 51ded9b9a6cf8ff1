"""Takes the pictures of the README from a demonstration that runs; the one argument is its address."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PICTURES = {"today.png": "/staff/today", "metric.png": "/metric/pothole_on_time"}
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
            page.screenshot(path=FOLDER / name)
        chrome.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
