"""The server: every route has a kind, strangers are refused, answers carry their headers and their tag."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from serving import guard
from serving.headers import script_hashes
from serving.kept import StateWatch, build_id, entity_tag
from serving.routes import Kind, Kinds, Reply, Route, redirect
from serving.server import Wiring, create


class Doorkeeper:
    """Everybody is signed in, and every form is theirs."""

    def is_signed_in(self):
        return True

    def is_own_form(self, _asked):
        return True


class Page:
    """A route's answer that counts how often it was made."""

    def __init__(self, state=None, status=200):
        self.made = 0
        self._state, self._status = state, status

    def __call__(self, query, **parts):
        self.made += 1
        body = f"{sorted(query.items())} {parts}".encode() + b"x" * 2000
        state = self._state["number"] if self._state else None
        return Reply(body, "text/html; charset=utf-8", self._status, state=state)


@pytest.fixture
def state():
    return {"number": 1}


@pytest.fixture
def page(state):
    return Page(state)


@pytest.fixture
def server(page, state, tmp_path):
    (tmp_path / "style.css").write_text("body{}")
    routes = (
        Route("/", Kind.PUBLIC, page),
        Route("/metric/<metric>", Kind.PUBLIC, page),
        Route("/broken", Kind.PUBLIC, lambda _query: 1 / 0),
        Route("/waiting", Kind.PUBLIC, Page(status=503)),
        Route("/health", Kind.HEALTH, lambda _query: Reply(b"{}", "application/json")),
        Route("/today", Kind.STAFF, redirect("/staff/today")),
    )
    wiring = Wiring(
        routes=routes,
        state=lambda: state["number"],
        build="b",
        assets=tmp_path,
        is_page=lambda path: path == "/today",
        failure=lambda status, _path, detail: Reply((detail or "?").encode(), "text/plain", status),
        entrance=redirect("/staff/today"),
    )
    made = create(replace(wiring, doorkeeper=Doorkeeper()))
    made.add_url_rule("/staff/today", "inside", lambda: "<script>a()</script><p>inside</p>")
    made.add_url_rule("/staff/", "entrance", lambda: "never")
    made.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    return made


@pytest.fixture
def client(server):
    return server.test_client()


# --- who may ask -------------------------------------------------------------------------------


def test_a_route_nobody_gave_a_kind_is_answered_to_nobody(client):
    answer = client.get("/forgotten")
    assert (answer.status_code, b"secret" in answer.data) == (404, False)


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "x-forwarded-host", "X-Real-IP", "Via"])
@pytest.mark.parametrize("path", ["/", "/health", "/staff/today", "/assets/style.css", "/nothing"])
def test_a_request_through_a_proxy_is_refused(client, name, path):
    answer = client.get(path, headers={name: "for=1.2.3.4"})
    assert answer.status_code == 400 and name.lower() in answer.text.lower()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.5:8050", "", "[::2]"])
def test_a_foreign_name_is_refused(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8050", "localhost:9", "LOCALHOST", "[::1]:8050"])
def test_our_own_names_are_answered(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_staff_pages_open_on_this_machine_only(client):
    assert client.get("/staff/today").status_code == 200
    far = {"REMOTE_ADDR": "10.1.2.3"}
    assert client.get("/staff/today", environ_overrides=far).status_code == 403
    assert client.get("/today", environ_overrides=far).status_code == 403


@pytest.mark.parametrize(
    ("address", "ours"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("", False), (None, False)]
)
def test_a_loopback_address_is_told_from_others(address, ours):
    assert guard.is_loopback(address) is ours


def test_unknown_staff_pages_are_missing(client, server):
    server.add_url_rule("/staff/<path:path>", "all", lambda path: "dash answers everything")
    assert client.get("/staff/nothing").status_code == 404
    assert client.get("/staff/_dash-layout").status_code == 200
    assert client.get("/staff/").headers["Location"] == "/staff/today"


def test_what_changes_something_must_come_from_our_own_page(client, server):
    server.add_url_rule("/staff/_dash-update", "update", lambda: "done", methods=["POST"])
    assert client.post("/staff/_dash-update").status_code == 200
    assert client.post("/staff/_dash-update", headers={"Origin": "http://localhost"}).status_code == 200
    assert client.post("/staff/_dash-update", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/staff/_dash-update", headers={"Origin": "null"}).status_code == 403
    assert client.post("/staff/_dash-update", headers={"Origin": "http://[bad"}).status_code == 403


def test_pages_are_only_read(client):
    assert client.head("/").status_code == 200 and client.head("/").data == b""
    answer = client.post("/")
    assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


def test_kinds_come_from_the_table():
    kinds = Kinds((Route("/a", Kind.PUBLIC, Page()),))
    found = [kinds.of(rule) for rule in ("/a", "/b", "/staff/x", "/assets/<path:filename>", "")]
    assert found == [Kind.PUBLIC, None, Kind.STAFF, Kind.PUBLIC, None]


# --- how it is answered ------------------------------------------------------------------------


def test_every_answer_is_protected(client):
    for path in ("/", "/health", "/staff/today", "/nothing", "/assets/style.css", "/broken"):
        headers = client.get(path, buffered=True).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Set-Cookie" not in headers


def test_public_pages_may_run_no_script_but_our_files(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy and "unsafe-inline" not in policy


def test_staff_pages_may_run_only_the_scripts_they_were_sent_with(client):
    policy = client.get("/staff/today").headers["Content-Security-Policy"]
    [expected] = script_hashes(b"<script>a()</script>")
    assert f"script-src 'self' {expected};" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0] and "unsafe-eval" not in policy


def test_data_and_linked_scripts_have_no_hash():
    page = b'<script src="/a.js"></script><script type="application/json">{}</script><SCRIPT>x</SCRIPT>'
    assert len(script_hashes(page)) == 1


def test_an_answer_is_asked_for_again_by_its_tag(client, page):
    first = client.get("/?b=1&a=2")
    tag = first.headers["ETag"]
    again = client.get("/?a=2&b=1", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 200
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200
    assert "no-cache" in first.headers["Cache-Control"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_a_compressed_answer_is_known_by_its_tag_too(client, encoding):
    first = client.get("/", headers={"Accept-Encoding": encoding})
    assert first.headers["Content-Encoding"] == encoding and len(first.data) < 300
    again = client.get("/", headers={"Accept-Encoding": encoding, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_an_answer_is_made_once_for_each_state(client, page, state, monkeypatch):
    monkeypatch.setattr("serving.kept.STATE_SECONDS", 0.0)
    old = client.get("/").headers["ETag"]
    assert client.get("/").headers["ETag"] == old and page.made == 1
    state["number"] = 2
    assert client.get("/", headers={"If-None-Match": old}).status_code == 200 and page.made == 2


def test_the_tag_is_of_the_state_the_answer_was_read_at(client, page, state, monkeypatch):
    """A publication after the state was looked at and before the page was read."""
    page._state = {"number": 2}
    early = client.get("/").headers["ETag"]
    monkeypatch.setattr("serving.kept.STATE_SECONDS", 0.0)
    state["number"] = 2
    assert client.get("/").headers["ETag"] == early
    page._state["number"] = state["number"] = 3
    assert client.get("/", headers={"If-None-Match": early}).status_code == 200


def test_an_unknown_thing_is_missing_whatever_the_reader_has(client, page):
    page._state, page._status = None, 404
    assert client.get("/metric/x", headers={"If-None-Match": "*"}).status_code == 404


def test_what_does_not_follow_the_state_is_not_kept(client):
    answer = client.get("/waiting")
    assert answer.status_code == 503
    assert "ETag" not in answer.headers and answer.headers["Cache-Control"] == "no-store"


def test_what_goes_wrong_is_said_without_its_inside(client):
    answer = client.get("/broken")
    assert (answer.status_code, b"ZeroDivision" in answer.data) == (500, False)


def test_staff_answers_are_not_kept_by_anybody(client):
    assert client.get("/staff/today").headers["Cache-Control"] == "no-store"


def test_files_named_by_their_version_are_kept_for_long(client):
    def kept(query):
        return client.get(f"/assets/style.css{query}", buffered=True).headers["Cache-Control"]

    assert kept("?v=b") == "public, max-age=31536000"
    assert {kept(query) for query in ("", "?v=", "?v=1", "?v=1&v=b", "?w=b")} == {"public, max-age=86400"}
    assert client.get("/assets/../settings.py").status_code == 404


def test_the_state_is_read_at_most_once_a_second():
    now, reads = [0.0], []
    watch = StateWatch(lambda: reads.append(1) or len(reads), lambda: now[0])
    assert [watch(), watch()] == [1, 1]
    now[0] = 1.0
    assert watch() == 2


def test_a_tag_changes_with_the_state_the_build_and_the_address():
    tags = {
        entity_tag(1, "b", "/"),
        entity_tag(2, "b", "/"),
        entity_tag(1, "c", "/"),
        entity_tag(1, "b", "/x"),
    }
    assert len(tags) == 4


def test_the_name_of_a_build_follows_the_files(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.css").write_text("a")
    first = build_id(tmp_path)
    assert build_id(tmp_path) == first
    (tmp_path / "assets" / "a.css").write_text("b")
    assert build_id(tmp_path) != first
    assert build_id(Path(__file__).resolve().parents[2])
