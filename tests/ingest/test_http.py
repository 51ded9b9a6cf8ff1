"""The client is patient with a server that stumbles, obeys its wishes, and stops at a plain no."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from ingest import http
from ingest.contract import SourceError
from tests.ingest.stand_ins.frame import Answer

GOOD = Answer(b"good")


@pytest.fixture
def ask(ckan, waits):
    """Asks the stand-in server, which gives these answers in turn."""

    def get(*answers, path="/data", **more):
        ckan.next.extend(answers)
        with http.client("a@city.example") as client:
            return http.get(client, ckan.address + path, **more)

    return get


@pytest.mark.parametrize("status", sorted(http.TRY_AGAIN))
def test_a_status_that_may_pass_is_tried_again(ask, waits, status):
    assert ask(Answer(b"wait", status), GOOD).content == b"good"
    assert len(waits) == 1


def test_waits_grow_have_jitter_and_are_bounded(ask, ckan, waits):
    with pytest.raises(SourceError) as caught:
        ask(*[Answer(b"", 503)] * http.ATTEMPTS)
    assert str(caught.value) == (
        f"{ckan.address}/data answered 503 in each of {http.ATTEMPTS} attempts; try again later."
    )
    assert len(waits) == http.ATTEMPTS - 1
    for number, wait in enumerate(waits):
        least = 0.5 * 2**number
        assert least <= wait <= least + 1.0
    assert len({round(wait % 1, 6) for wait in waits}) > 1


def test_the_server_says_how_long_to_wait(ask, waits):
    assert ask(Answer(b"", 429, {"Retry-After": "7"}), GOOD).content == b"good"
    assert waits == [7.0]


def test_the_server_may_say_it_as_a_date(ask, waits):
    later = datetime.now(UTC) + timedelta(seconds=30)
    ask(Answer(b"", 503, {"Retry-After": format_datetime(later, usegmt=True)}), GOOD)
    assert 20 < waits[0] <= 30


def test_a_moment_already_past_is_no_wait(ask, waits):
    ask(Answer(b"", 503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), GOOD)
    assert waits == [0.0]


def test_a_wish_that_cannot_be_understood_is_an_ordinary_wait(ask, waits):
    ask(Answer(b"", 429, {"Retry-After": "soon"}), GOOD)
    assert 0.5 <= waits[0] <= 1.5


def test_a_server_that_wants_an_hour_is_left_alone(ask, ckan, waits):
    with pytest.raises(SourceError, match="answered 429 and asks to wait 3600 seconds; run again after that"):
        ask(Answer(b"", 429, {"Retry-After": "3600"}), GOOD)
    assert waits == []
    assert len(ckan.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 501])
def test_a_plain_no_stops_at_once_with_the_beginning_of_what_was_said(ask, ckan, waits, status):
    with pytest.raises(http.RefusedError) as caught:
        ask(Answer(b"You may\nnot. " + b"x" * 1000, status), GOOD, path="/data?token=secret")
    assert f"{ckan.address}/data answered {status}" in str(caught.value)
    assert "You may not. xxx" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "secret" not in str(caught.value)
    assert len(ckan.asked) == 1
    assert waits == []


def test_a_connection_that_breaks_off_is_tried_again(ask, waits):
    assert ask(Answer(b"x" * 1000, cut=300), GOOD).content == b"good"
    assert len(waits) == 1


def test_a_connection_that_always_breaks_off_is_said(ask, ckan):
    with pytest.raises(SourceError, match=r"/data \(page 3\) cannot be reached or broke off"):
        ask(*[Answer(b"x" * 1000, cut=300)] * http.ATTEMPTS, what="page 3")


def test_a_server_that_is_not_there_is_said(waits):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with http.client() as client, pytest.raises(SourceError, match="cannot be reached or broke off"):
        http.get(client, f"http://127.0.0.1:{port}/data")
    assert len(waits) == http.ATTEMPTS - 1


def test_a_server_that_says_nothing_is_given_up(ckan, waits):
    def silent(request):
        raise httpx.ReadTimeout("nothing", request=request)

    with (
        httpx.Client(transport=httpx.MockTransport(silent)) as client,
        pytest.raises(SourceError, match="did not answer in time; try again later"),
    ):
        http.get(client, "https://data.example/x")
    assert len(waits) == http.ATTEMPTS - 1


@pytest.mark.parametrize("address", ["ftp://data.example/x", "data.example/x", "https://"])
def test_what_is_no_address_is_said_at_once(waits, address):
    with http.client() as client, pytest.raises(SourceError, match="is not an address"):
        http.get(client, address)
    assert waits == []


def test_a_redirect_is_followed(ask, ckan):
    ckan.plain["/new"] = GOOD
    assert ask(Answer(b"", 302, {"Location": "/new"})).content == b"good"


def test_the_client_says_who_asks(ckan):
    with http.client("a@city.example") as client:
        assert client.headers["User-Agent"] == "city-performance-dashboard/0.1 (a@city.example)"
    with http.client("Bürgeramt\n") as client:
        assert client.headers["User-Agent"] == "city-performance-dashboard/0.1"


def test_every_attempt_is_told(ask):
    told = []
    ask(Answer(b"", 500), GOOD, what="page 2", progress=told.append)
    assert len(told) == 1
    assert "(page 2): trying again (2 of 6)" in told[0]


def test_a_download_is_begun_again_and_leaves_only_whole_bytes(ckan, waits, tmp_path):
    ckan.next.extend([Answer(b"x" * 1000, cut=999), Answer(b"", 503), Answer(b"whole")])
    with http.client() as client:
        http.download(client, ckan.address + "/file", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert len(waits) == 2


def test_sources_of_a_host_share_the_rate_that_each_declares(monkeypatch):
    now, waited = [100.0], []

    def sleep(seconds):
        waited.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(http.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(http.time, "sleep", sleep)
    monkeypatch.setattr(http, "_asked", {})
    answers = httpx.MockTransport(lambda _request: httpx.Response(200))
    with http.paced(2.0):
        first, second = http.client(), http.client()
    outside = http.client()
    for client in (first, second, outside):
        client._transport = answers
        client._mounts = {}
    first.get("https://one.example/a")
    second.get("https://one.example/b")
    assert waited == [0.5]
    second.get("https://two.example/b")
    outside.get("https://one.example/c")
    assert waited == [0.5], "another host, and a source without a rate, do not wait"
    now[0] += 10
    first.get("https://one.example/d")
    assert waited == [0.5]
