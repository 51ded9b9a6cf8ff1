"""One address for two readers: a page for people, data for programs."""

from __future__ import annotations

import pytest
from flask import Flask

from serving.routes import Reply, negotiated, redirect

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "body"),
    [
        (BROWSER, b"page"),
        ("text/html", b"page"),
        ("application/json", b"data"),
        ("application/json, text/html;q=0.5", b"data"),
        ("*/*", b"data"),
        (None, b"data"),
        ("image/png", b"data"),
    ],
)
def test_a_browser_gets_the_page_and_everybody_else_the_data(accept, body):
    answer = negotiated(
        lambda _query: Reply(b"data", "application/json"),
        lambda _query: Reply(b"page", "text/html", headers={"X-Own": "1"}),
    )
    with Flask("asked").test_request_context("/", headers={"Accept": accept} if accept else {}):
        found = answer({})
    assert (found.body, found.headers["Vary"]) == (body, "Accept")
    assert found.headers.get("X-Own") == ("1" if body == b"page" else None)


def test_a_redirect_names_its_goal():
    assert redirect("/there")({}).headers["Location"] == "/there"
