"""A real browser and a live server over the published city; tests here are marked `browser`."""

from __future__ import annotations

import gzip
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

import app
from layouts.access import Role
from layouts.links import PREFIX
from serving.cookies import CSRF
from serving.who import csrf_of
from store.engine import Engine
from tests.layouts.published_city import empty_database, published_city
from tests.people import COOKIE, add_person, secret_of

__all__ = ["empty_database", "published_city"]

HERE = Path(__file__).resolve().parent
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT = 20_000
"""Milliseconds: two cores may be shared by many."""


@dataclass
class Watch:
    """What a page did that it should not: complaints in the console, requests to other hosts."""

    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Visit:
    """A page that was opened, and what was seen of it."""

    page: Page
    watch: Watch

    def width(self) -> int:
        """How wide the whole page is."""
        return self.page.evaluate("document.documentElement.scrollWidth")


Opener = Callable[..., Any]
DESK = "desk"
_ENGINES: dict[str, Engine] = {}
"""The databases of what is served, by address: where people are signed in."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser that CHROME names, else chromium, else google-chrome; the tests fail without one."""
    named = os.environ.get("CHROME")
    found = next((path for path in (named, *map(shutil.which, ("chromium", "google-chrome"))) if path), None)
    if found is None:
        pytest.fail("There is no browser: set CHROME to the path of a Chromium.")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def address(published_city) -> Iterator[str]:
    """Where the published city is served, on a free port."""
    yield from _serve(app.make_server(published_city.engine, published_city.catalogue, "harbor"))


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serves another application for the length of a test."""
    running: list[Iterator[str]] = []

    def start(application: Any) -> str:
        running.append(_serve(application))
        return next(running[-1])

    yield start
    for one in running:
        next(one, None)


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Opener]:
    """Opens a page: visit(path, width=, scheme=, scripts=, at=, role=, department=) gives a Visit.

    It is given once its heading is there. A staff page is opened by an admin, or by somebody of another role;
    role None: by nobody who is signed in.
    """
    contexts: list[BrowserContext] = []

    def go(
        path: str,
        *,
        width: int = 1440,
        scheme: str = "light",
        scripts: bool = True,
        at: str | None = None,
        role: Role | None = Role.ADMIN,
        department: str | None = None,
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        page, watch = context.new_page(), Watch()
        page.set_default_timeout(WAIT)
        base = at or address
        if path.startswith(PREFIX) and role is not None:
            _sign_in(context, base, role, department)
        page.on("console", lambda said: _listen(watch, said))
        page.on("pageerror", lambda error: watch.complaints.append(str(error)))
        page.on("request", lambda asked: _follow(watch, asked.url, base))
        page.goto(base + path)
        page.wait_for_selector("main h1", state="attached")
        return Visit(page, watch)

    yield go
    for context in contexts:
        context.close()


@pytest.fixture
def enter() -> Callable[..., None]:
    """Signs a context of a browser in: enter(context, address, role, department)."""
    return _sign_in


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    return gzip.decompress((HERE / "axe.min.js.gz").read_bytes()).decode()


def _sign_in(
    context: BrowserContext, base: str, role: Role = Role.ADMIN, department: str | None = None
) -> None:
    engine = _ENGINES[base]
    secret = secret_of(engine, add_person(engine, role, department))
    context.add_cookies(
        [
            {"name": COOKIE, "value": secret, "url": base, "httpOnly": True, "sameSite": "Lax"},
            {"name": CSRF, "value": csrf_of(secret), "url": base, "sameSite": "Lax"},
        ]
    )


def _serve(application: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, threaded=True)
    if DESK in application.extensions:
        _ENGINES[f"http://127.0.0.1:{server.server_port}"] = application.extensions[DESK].engine
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _listen(watch: Watch, said: Any) -> None:
    if said.type in ("error", "warning"):
        watch.complaints.append(f"{said.type}: {said.text}")


def _follow(watch: Watch, url: str, base: str) -> None:
    if not url.startswith((f"{base}/", "data:", "blob:")):
        watch.strangers.append(url)
