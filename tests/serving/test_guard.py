"""Who is answered behind a proxy: every kind of route under every name, with and without its headers."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import request

from serving import guard
from serving.routes import Kind, Reply, Route
from serving.server import Wiring, create
from settings import SettingError, from_environment

PUBLIC_NAME = "scores.example.org"
PATHS = {
    Kind.PUBLIC: "/",
    Kind.EMBED: "/embed/score",
    Kind.HEALTH: "/health",
    Kind.STAFF: "/staff/today",
    None: "/forgotten",
}
NO_HEADERS: dict[str, str] = {}
PASSED_ON = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
FORWARDED = {"Forwarded": "for=127.0.0.1;host=127.0.0.1"}
SENT_BY_PROXIES = (
    "Forwarded",
    "X-Forwarded",
    "X-Forwarded-For",
    "x-forwarded-host",
    "X-Real-IP",
    "Via",
    "CF-Connecting-IP",
    "True-Client-IP",
    "Client-IP",
    "X-Client-IP",
)
FAR = {"REMOTE_ADDR": "203.0.113.7"}


class Doorkeeper:
    """Lets everybody in, or nobody."""

    def __init__(self, lets_in=True):
        self.lets_in = lets_in

    def is_signed_in(self):
        return self.lets_in

    def is_own_form(self, asked):
        return asked.headers.get("X-Token") == "own"


def made(base_url, tmp_path, doorkeeper=Doorkeeper()):  # noqa: B008
    def page(_query, **_parts):
        return Reply(b"said", "text/html; charset=utf-8", state=1)

    routes = [Route(path, kind, page) for kind, path in PATHS.items() if kind]
    wiring = Wiring(
        routes=tuple(routes),
        state=lambda: 1,
        build="b",
        assets=tmp_path,
        is_page=lambda path: path == "/today",
        failure=lambda status, _path, detail: Reply((detail or "?").encode(), "text/plain", status),
        entrance=page,
        base_url=base_url,
        doorkeeper=doorkeeper,
    )
    server = create(wiring)
    server.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    way = guard.Way(base_url)
    server.add_url_rule("/staff/who", "who", lambda: str(way.is_for_staff(request)))
    return server


@pytest.fixture
def behind(tmp_path):
    """A server with a public address."""
    return made(f"https://{PUBLIC_NAME}", tmp_path).test_client()


@pytest.fixture
def alone(tmp_path):
    """A server without one."""
    return made("", tmp_path).test_client()


def statuses(client, host, headers, environ=None):
    """The status for each kind of route, in the order of PATHS."""
    given = {"Host": host, **headers}
    return [
        client.get(path, headers=given, environ_overrides=environ or {}).status_code
        for path in PATHS.values()
    ]


@pytest.mark.parametrize(
    ("host", "headers", "public", "embed", "health", "staff", "forgotten"),
    [
        ("127.0.0.1:8050", NO_HEADERS, 200, 200, 200, 200, 404),
        ("localhost", NO_HEADERS, 200, 200, 200, 200, 404),
        ("127.0.0.1:8050", PASSED_ON, 400, 400, 400, 403, 400),
        ("127.0.0.1:8050", FORWARDED, 400, 400, 400, 403, 400),
        (PUBLIC_NAME, NO_HEADERS, 200, 200, 200, 200, 404),
        (PUBLIC_NAME, PASSED_ON, 200, 200, 200, 200, 404),
        (PUBLIC_NAME, FORWARDED, 200, 200, 200, 200, 404),
        (f"{PUBLIC_NAME.upper()}:443", PASSED_ON, 200, 200, 200, 200, 404),
        ("evil.example", NO_HEADERS, 400, 400, 400, 403, 400),
        ("evil.example", PASSED_ON, 400, 400, 400, 403, 400),
        (f"{PUBLIC_NAME}.evil.example", NO_HEADERS, 400, 400, 400, 403, 400),
        (f"evil.{PUBLIC_NAME}", NO_HEADERS, 400, 400, 400, 403, 400),
        ("", NO_HEADERS, 400, 400, 400, 403, 400),
    ],
)
def test_with_a_public_address(behind, host, headers, public, embed, health, staff, forgotten):
    assert statuses(behind, host, headers) == [public, embed, health, staff, forgotten]
    # From far away staff come under the public name alone.
    far = staff if PUBLIC_NAME in host.lower().removesuffix(":443").split("/") else 403
    assert statuses(behind, host, headers, FAR) == [public, embed, health, far, forgotten]


@pytest.mark.parametrize(
    ("host", "headers", "answered"),
    [
        ("127.0.0.1:8050", NO_HEADERS, [200, 200, 200, 200, 404]),
        ("127.0.0.1:8050", PASSED_ON, [400] * 5),
        ("127.0.0.1:8050", FORWARDED, [400] * 5),
        (PUBLIC_NAME, NO_HEADERS, [400] * 5),
        (PUBLIC_NAME, PASSED_ON, [400] * 5),
    ],
)
def test_without_a_public_address_nothing_is_passed_on(alone, host, headers, answered):
    assert statuses(alone, host, headers) == answered


@pytest.mark.parametrize("name", SENT_BY_PROXIES)
def test_staff_pages_stay_here_whatever_a_proxy_says(tmp_path, behind, name):
    """Under a public name without HTTPS passwords and cookies would travel open."""
    without = made(f"http://{PUBLIC_NAME}", tmp_path).test_client()
    for client, host in ((behind, "127.0.0.1"), (without, "127.0.0.1"), (without, PUBLIC_NAME)):
        answer = client.get("/staff/today", headers={"Host": host, name: "for=127.0.0.1;host=127.0.0.1"})
        assert answer.status_code == 403
        assert "under a BASE_URL that begins with https://" in answer.text
    assert without.get("/", headers={"Host": PUBLIC_NAME}).status_code == 200


@pytest.mark.parametrize("path", ["/staff/today", "/staff/nothing", "/staff/metric/x?grain=week"])
def test_who_is_not_signed_in_is_sent_to_the_sign_in_and_back(tmp_path, path):
    """Whether there is such a page or not: which there are is not for everybody."""
    for keeper in (Doorkeeper(lets_in=False), None):
        client = made("", tmp_path, keeper).test_client()
        server = client.application
        server.add_url_rule("/staff/<path:path>", "all", lambda path: "secret", methods=["GET", "POST"])
        answer = client.get(path)
        assert (answer.status_code, answer.data) == (303, b"")
        assert answer.headers["Location"] == f"/sign-in?next={quote(path, safe='/')}"
        assert answer.headers["Cache-Control"] == "no-store"
        assert client.post("/staff/save", data={"a": "b"}).headers["Location"] == "/sign-in"
        for call in (
            client.get("/staff/_dash-layout"),
            client.post("/staff/_dash-update-component", json={}),
            client.get(path, headers={"Accept": "application/json"}),
        ):
            assert call.status_code in (401, 405) and b"secret" not in call.data


def test_what_changes_something_carries_the_token_of_the_session(alone):
    alone.application.add_url_rule("/staff/_dash-save", "save", lambda: "saved", methods=["POST"])
    assert alone.post("/staff/_dash-save").status_code == 403
    assert alone.post("/staff/_dash-save", headers={"X-Token": "other"}).status_code == 403
    own = {"X-Token": "own"}
    for site, origin, status in (
        ("same-origin", "http://localhost", 200),
        ("same-origin", "null", 200),
        ("cross-site", None, 403),
        ("same-site", None, 403),
        ("cross-site", "null", 403),
        (None, "null", 403),
        (None, "http://evil.example", 403),
        ("same-origin", "http://evil.example", 403),
    ):
        sent = {**own, **({"Sec-Fetch-Site": site} if site else {}), **({"Origin": origin} if origin else {})}
        assert alone.post("/staff/_dash-save", headers=sent).status_code == status, (site, origin)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/staff//evil.example",
        "/staff/../sign-out",
        "/staff/%2e%2e//evil",
        "/staff/today\r\nSet-Cookie: a=b",
        "/staff/today\n",
        "/staff/today#x",
        "/staff/today?next=//evil",
        "/%2f%2fevil.example",
        "\t//evil.example",
        "/staff",
        "/sign-out",
        "javascript:alert(1)",
        "",
    ],
)
def test_nobody_is_sent_anywhere_but_to_staff_pages(path):
    assert guard.way_back(path) is None


@pytest.mark.parametrize(
    "path",
    ["/staff/", "/staff/today", "/staff/metric/a_b?grain=week&start=2026-01-05", "/staff/a/b/c?x=%20y"],
)
def test_staff_pages_are_ways_back(path):
    assert guard.way_back(path) == path


def test_where_a_try_comes_from_is_told_by_the_last_proxy_alone(tmp_path):
    way = guard.Way(f"https://{PUBLIC_NAME}")
    server = made(f"https://{PUBLIC_NAME}", tmp_path)

    def address(host, forwarded, remote="127.0.0.1"):
        headers = {"Host": host, **({"X-Forwarded-For": forwarded} if forwarded else {})}
        with server.test_request_context("/", headers=headers, environ_base={"REMOTE_ADDR": remote}):
            return guard.address_of(request, way)

    assert address(PUBLIC_NAME, "1.1.1.1, 203.0.113.7") == "203.0.113.7"
    assert address(PUBLIC_NAME, "") == "127.0.0.1"
    assert address(PUBLIC_NAME, "1.1.1.1", "203.0.113.9") == "203.0.113.9"
    assert address("127.0.0.1", "1.1.1.1") == "127.0.0.1"


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1"])
def test_staff_pages_stay_here_behind_a_proxy_that_says_nothing_of_itself(behind, alone, protocol):
    """nginx without a line of configuration: its own address as Host, no header, and HTTP/1.0."""
    silent = {"SERVER_PROTOCOL": protocol}
    assert statuses(behind, "127.0.0.1:8050", NO_HEADERS, silent) == [200, 200, 200, 403, 404]
    assert statuses(alone, "127.0.0.1:8050", NO_HEADERS, silent) == [200, 200, 200, 403, 404]


def test_the_judge_of_staff_pages_asks_the_same(behind, monkeypatch):
    """Where the guard at the door failed, the one before every page still stands."""
    monkeypatch.setattr(guard, "check", lambda *_arguments: None)
    said = [
        behind.get("/staff/who", headers={"Host": host, **headers}).text
        for host, headers in [
            ("127.0.0.1", NO_HEADERS),
            ("127.0.0.1", PASSED_ON),
            (PUBLIC_NAME, NO_HEADERS),
            (PUBLIC_NAME, PASSED_ON),
        ]
    ]
    assert said == ["True", "False", "True", "True"]


def test_a_proxy_that_keeps_the_name_for_itself_is_told_what_is_missing(behind):
    answer = behind.get("/", headers={"Host": "127.0.0.1:8050", **PASSED_ON})
    assert answer.text == f"The request carries X-Forwarded-For but not the name {PUBLIC_NAME}; " + (
        "let the proxy pass Host on."
    )


def test_another_public_address_is_another_answer(tmp_path):
    """Its absolute links differ, so a browser must not take the page it kept for it."""
    clients = [made(base, tmp_path).test_client() for base in ("", "http://a", "http://b")]
    assert len({client.get("/").headers["ETag"] for client in clients}) == 3


# --- the setting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("", ""),
        ("https://scores.example.org", "https://scores.example.org"),
        ("https://Scores.Example.org/", "https://scores.example.org"),
        ("http://10.0.0.5:8080", "http://10.0.0.5:8080"),
        ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
    ],
)
def test_a_public_address_is_a_scheme_and_a_host(given, taken):
    assert from_environment({"BASE_URL": given}).base_url == taken


@pytest.mark.parametrize(
    "given",
    [
        "scores.example.org",
        "https://",
        "ftp://scores.example.org",
        "https://scores.example.org/city",
        "https://user:word@scores.example.org",
        "https://scores.example.org?x=1",
        "https://scores.example.org\nHost: evil",
        "https://städte.example",
    ],
)
def test_what_is_no_public_address_is_refused_with_the_way_to_mend_it(given):
    with pytest.raises(SettingError, match=r"BASE_URL .* no path, for example BASE_URL=https://"):
        from_environment({"BASE_URL": given})
