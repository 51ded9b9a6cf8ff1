"""Answers ready to send: the very answers Flask gives, once for each state, and refused where it refuses."""

from __future__ import annotations

import gzip
import threading

import pytest

import app
from serving.ready import FOR_EVER, STATE, Ready, ReadyAnswers, Shelf
from store.engine import StoreError

PATHS = [
    "/",
    "/metric/pothole_on_time?grain=week",
    "/embed/metric/pothole_on_time",
    "/embed/score.svg?theme=dark&grain=month",
    "/embed/metric/pothole_on_time.png",
    "/api/v1/scores",
    "/api/v1/metrics/pothole_on_time/series?since=2026-01-01&grain=week",
    "/api/v1/metrics/pothole_on_time/series.csv",
    "/assets/style.css?v=1",
    "/assets/embed.js",
    "/metric/nothing",
    "/api/v1/scores?publication=x",
    "/health",
]
ENCODINGS = ["identity", "gzip", "br", "zstd", "gzip, deflate, br, zstd", "gzip;q=0.5, br;q=0.1"]


def pairs(paths, encodings):
    """All pairs; of a PNG, which takes long to draw and is packed already, one for `make test`."""
    return [
        pytest.param(path, one, marks=[pytest.mark.matrix] if ".png" in path and one != "gzip" else [])
        for path in paths
        for one in encodings
    ]


REFUSED = [
    {"Host": "evil.example"},
    {"Forwarded": "for=1.2.3.4"},
    {"X-Forwarded-Host": "evil.example"},
    {"Via": "1.1 proxy"},
]


@pytest.fixture(scope="module")
def server(published_city):
    return app.make_server(published_city.engine, published_city.catalogue, "harbor")


@pytest.fixture
def ready(server):
    """Asks the whole server."""
    return server.test_client()


@pytest.fixture
def flask(server, monkeypatch):
    """Asks the server without the layer before it."""
    layer = server.wsgi_app

    class Bare:
        def open(self, path, **asked):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(server, "wsgi_app", layer._inner)
                return server.test_client().open(path, buffered=True, **asked)

    return Bare()


def told(answer):
    """Everything a reader is sent but the time of day, which gzip notes too (RFC 1952, MTIME)."""
    body = answer.data
    if answer.headers.get("Content-Encoding") == "gzip":
        body = body[:4] + body[8:]
    return answer.status, sorted(one for one in answer.headers if one[0] != "Date"), body


@pytest.mark.parametrize(("path", "encoding"), pairs(PATHS, ENCODINGS))
def test_a_ready_answer_is_the_one_flask_gives(ready, flask, path, encoding):
    for method in ("GET", "HEAD"):
        asked = {"method": method, "headers": {"Accept-Encoding": encoding}}
        expected = told(flask.open(path, **asked))
        for _time in range(2):
            ready.get(path, headers=asked["headers"], buffered=True)
            assert told(ready.open(path, buffered=True, **asked)) == expected


@pytest.mark.parametrize(
    ("path", "encoding"), pairs([path for path in PATHS if "nothing" not in path], ["gzip", "identity"])
)
def test_a_reader_who_has_it_is_answered_as_by_flask(ready, flask, path, encoding):
    headers = {"Accept-Encoding": encoding}
    tag = ready.get(path, headers=headers, buffered=True).headers.get("ETag", '"none"')
    for has in (tag, f"W/{tag}", f'"other", {tag}', '"other"', "*"):
        for method in ("GET", "HEAD"):
            asked = {"method": method, "headers": {**headers, "If-None-Match": has}}
            expected = told(flask.open(path, **asked))
            for _time in range(3):
                assert told(ready.open(path, buffered=True, **asked)) == expected, has


@pytest.mark.parametrize("refused", REFUSED)
@pytest.mark.parametrize("path", [*PATHS, "/staff/today"])
def test_who_is_refused_is_not_answered_from_what_is_ready(ready, path, refused):
    ready.get(path, buffered=True)
    assert ready.get(path, headers=refused, buffered=True).status_code == 400


def test_a_page_is_not_answered_twice_with_work(ready, monkeypatch, server):
    ready.get("/", headers={"Accept-Encoding": "x-first"})
    monkeypatch.setattr(server.wsgi_app, "_inner", None)
    assert ready.get("/", headers={"Accept-Encoding": "x-first"}).status_code == 200
    with pytest.raises(TypeError):
        ready.get("/", headers={"Accept-Encoding": "x-second"})


@pytest.mark.parametrize("path", ["/staff/today", "/health", "/status", "/nothing", "/metric/nothing"])
def test_what_is_not_for_everybody_or_for_the_moment_is_made_each_time(ready, monkeypatch, server, path):
    ready.get(path)
    monkeypatch.setattr(server.wsgi_app, "_inner", None)
    with pytest.raises(TypeError):
        ready.get(path)


def test_every_process_gives_the_same_bytes_under_one_tag(ready):
    answer = ready.get("/api/v1/scores", headers={"Accept-Encoding": "gzip"})
    assert answer.data[:2] == b"\x1f\x8b" and answer.data[4:8] == bytes(4)
    assert b'"city"' in gzip.decompress(answer.data)


def test_part_of_a_file_is_for_flask(ready):
    ready.get("/assets/style.css", buffered=True)
    part = ready.get("/assets/style.css", headers={"Range": "bytes=0-9"}, buffered=True)
    assert (part.status_code, len(part.data)) == (206, 10)


# --- with an application that counts -----------------------------------------------------------


class Application:
    """Answers with the state it read, as often as it is asked."""

    def __init__(self, state=1):
        self.state, self.asked, self.kept_for = state, 0, None
        self.is_broken, self.headers = False, []

    def __call__(self, environ, start_response):
        self.asked += 1
        if self.kept_for is not FOR_EVER:
            self.kept_for = self.state
        environ[STATE] = self.kept_for
        start_response("200 OK", [("ETag", f'"state{self.state}"'), ("Date", "then"), *self.headers])
        return iter([b"state ", str(self.state).encode()])

    def watched(self):
        if self.is_broken:
            raise StoreError("gone")
        return self.state


def ask(layer, **environ):
    heard = []
    base = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost",
    }
    body = b"".join(layer({**base, **environ}, lambda *said: heard.append(said)))
    return heard[0][0], dict(heard[0][1]), body


def test_an_answer_is_made_again_when_the_state_has_changed():
    inner = Application()
    layer = ReadyAnswers(inner, inner.watched)
    assert [ask(layer)[2] for _time in range(3)] == [b"state 1"] * 3 and inner.asked == 1
    inner.state = 2
    assert [ask(layer)[2] for _time in range(3)] == [b"state 2"] * 3 and inner.asked == 2


def test_an_answer_read_at_another_state_than_the_one_believed_is_not_kept_for_that():
    """A publication between looking at the state and reading: what is new is no answer of the old state."""
    inner = Application(state=2)
    believed = [1]
    layer = ReadyAnswers(inner, lambda: believed[0])
    ask(layer)
    ask(layer)
    assert inner.asked == 2
    believed[0] = 2
    ask(layer)
    assert inner.asked == 2
    inner.state = 3
    assert ask(layer)[2] == b"state 2", "as long as that is what is believed"


def test_the_time_of_day_is_left_to_the_server():
    inner = Application()
    layer = ReadyAnswers(inner, inner.watched)
    assert "Date" in ask(layer)[1] and "Date" not in ask(layer)[1]


def test_files_are_kept_whatever_the_state():
    inner = Application()
    inner.kept_for = FOR_EVER
    layer = ReadyAnswers(inner, inner.watched)
    ask(layer)
    inner.state = 2
    assert ask(layer)[2] == b"state 1"


def test_another_query_host_or_compression_is_another_answer():
    inner = Application()
    layer = ReadyAnswers(inner, inner.watched)
    for environ in ({}, {"QUERY_STRING": "a"}, {"HTTP_HOST": "127.0.0.1"}, {"HTTP_ACCEPT_ENCODING": "br"}):
        ask(layer, **environ)
    assert inner.asked == 4


def test_what_differs_by_more_than_its_compression_is_not_kept():
    inner = Application()
    inner.headers = [("Vary", "Accept, Accept-Encoding")]
    layer = ReadyAnswers(inner, inner.watched)
    ask(layer)
    ask(layer)
    assert inner.asked == 2


def test_where_the_state_cannot_be_read_the_application_answers():
    inner = Application()
    layer = ReadyAnswers(inner, inner.watched)
    ask(layer)
    inner.is_broken = True
    ask(layer)
    assert inner.asked == 2


def test_many_who_want_the_new_answer_at_once_wait_for_one():
    inner = Application()
    begun, go_on = threading.Event(), threading.Event()

    def slow(environ, start_response):
        begun.set()
        go_on.wait(10)
        return inner(environ, start_response)

    layer = ReadyAnswers(inner, inner.watched)
    ask(layer)
    layer._inner, inner.state = slow, 2
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(ask(layer)[2])) for _one in range(5)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert bodies == [b"state 2"] * 5 and inner.asked == 2


def test_the_longest_unused_answer_makes_room():
    shelf = Shelf(most_bytes=7_000)
    for name in "abc":
        shelf.put((name,), Ready(1, "200 OK", [], b""))
    shelf.get(("a",))
    shelf.put(("d",), Ready(1, "200 OK", [], b""))
    assert [shelf.get((name,)) is not None for name in "abcd"] == [True, False, True, True]


def test_what_is_very_large_is_not_kept():
    shelf = Shelf(most_bytes=10**9)
    shelf.put(("a",), Ready(1, "200 OK", [], b"x" * 5_000_000))
    assert shelf.get(("a",)) is None


def test_long_words_of_a_reader_are_never_kept():
    inner = Application()
    layer = ReadyAnswers(inner, inner.watched)
    for number in range(3):
        ask(layer, QUERY_STRING="q" * 600)
        ask(layer, HTTP_IF_NONE_MATCH=f'"state1", "{number}{"y" * 600}"')
    assert len(layer._kept._answers) == 1


def test_what_an_answer_weighs_includes_its_key_and_headers():
    shelf = Shelf(most_bytes=10_000)
    for number in range(20):
        shelf.put((f"{number}", "k" * 400), Ready(1, "304 NOT MODIFIED", [("ETag", "t" * 100)], b""))
    assert len(shelf._answers) == 3
