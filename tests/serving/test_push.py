"""The door for pushed rows: who is let in, what is taken, and what nobody learns by knocking."""

from __future__ import annotations

import io
import json
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from serving import push
from serving.push import Bodies, Door, Limits, Refusal
from serving.routes import Kind, Reply, Route, redirect
from serving.server import Wiring, create
from store import deliveries, requests, tokens
from store.engine import open_engine, reading, writing
from store.migrations import migrate
from store.schema import deliveries as deliveries_table
from store.schema import requests as requests_table
from tests.bare_store import HOME, clock

__all__ = ["clock"]

ROWS = b"id,n\n1,2\n"
PERMITS = "/api/v1/ingest/permits"


@pytest.fixture
def engine(tmp_path, clock):
    made = open_engine(f"sqlite:///{tmp_path / 'city.db'}")
    migrate(made, HOME, clock)
    yield made
    made.dispose()


@pytest.fixture
def door(engine, clock):
    return Door(engine, frozenset({"permits", "calls"}), Limits(megabytes=1, per_minute=5), clock)


@pytest.fixture
def client(door, tmp_path):
    routes = (
        Route("/api/v1/ingest/<source>", Kind.PUSH, door.receive, method="POST"),
        Route("/api/v1/ingest/requests/<number>", Kind.PUSH, door.state),
    )
    wiring = Wiring(
        routes=routes,
        state=lambda: 1,
        build="b",
        assets=tmp_path,
        is_page=lambda _path: False,
        failure=lambda status, _path, detail: Reply((detail or "?").encode(), "text/plain", status),
        entrance=redirect("/staff/today"),
    )
    return create(wiring).test_client()


@pytest.fixture
def token(engine, clock):
    return tokens.create(engine, clock, "Inspections", ["permits", "gone"])


@pytest.fixture
def secret(token):
    return token[1]


def send(client, secret, body=ROWS, key="k1", path=PERMITS, media_type="text/csv", **headers):
    given = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key, "Content-Type": media_type}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    given = {name: value for name, value in given.items() if value is not None}
    return client.post(path, data=body, headers=given)


def look(client, secret, address):
    return client.get(address, headers={"Authorization": f"Bearer {secret}"})


def kept(engine):
    """How many deliveries and requests there are."""
    with reading(engine) as connection:
        tables = (deliveries_table, requests_table)
        return tuple(connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables)


# --- what is taken -------------------------------------------------------------------------------


def test_rows_are_kept_whole_with_the_request_that_loads_them(client, engine, secret, token):
    answer = send(client, secret)
    assert (answer.status_code, answer.headers["Location"]) == (202, answer.json["address"])
    assert answer.headers["Cache-Control"] == "no-store"
    number = answer.json["request"]
    with reading(engine) as connection:
        found = deliveries.of_request(connection, number)
        assert (found.token, found.source, found.bytes) == (token[0].id, "permits", len(ROWS))
        assert deliveries.body(connection, found.id) == ROWS
        assert requests.get(connection, number).kind == deliveries.KIND
    state = look(client, secret, answer.headers["Location"])
    assert (state.json["state"], state.json["result"], state.headers["Retry-After"]) == ("waiting", None, "2")


@pytest.mark.parametrize("media_type", [*push.MEDIA_TYPES, "text/csv; charset=utf-8", "Application/JSON"])
def test_every_form_of_rows_is_taken(client, secret, media_type):
    assert send(client, secret, media_type=media_type).status_code == 202


def test_the_same_delivery_again_has_the_same_answer_and_is_kept_once(client, engine, secret):
    first, again = send(client, secret), send(client, secret)
    assert (again.status_code, again.data, again.headers["Location"]) == (
        202,
        first.data,
        first.headers["Location"],
    )
    assert kept(engine) == (1, 1)
    assert send(client, secret, key="k2").json["request"] != first.json["request"]


@pytest.mark.parametrize(
    "other",
    [
        {"body": b"id,n\n1,3\n"},
        {"media_type": "application/json"},
        {"path": f"{PERMITS}?known_until=2026-07-01T00:00:00Z"},
    ],
)
def test_another_delivery_under_a_used_key_is_refused(client, engine, secret, other):
    send(client, secret)
    answer = send(client, secret, **other)
    assert answer.status_code == 422 and answer.mimetype == "application/problem+json"
    assert kept(engine) == (1, 1)


def test_the_same_key_of_another_token_is_another_delivery(client, engine, clock, secret):
    _, other = tokens.create(engine, clock, "Calls", ["permits"])
    first, second = send(client, secret), send(client, other)
    assert first.json["request"] != second.json["request"] and kept(engine) == (2, 2)


def test_many_who_send_the_same_delivery_at_once_make_one(client, engine, secret, monkeypatch):
    monkeypatch.setattr(push, "BODIES_OF_ONE", 99)
    monkeypatch.setattr(push, "BODIES_AT_ONCE", 99)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(send(client, secret))) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["request"] for answer in answers}) == 1 and kept(engine) == (1, 1)


def test_the_sender_may_say_up_to_when_the_source_is_complete(client, engine, secret):
    answer = send(client, secret, path=f"{PERMITS}?known_until=2026-07-01T00:00:00-04:00")
    with reading(engine) as connection:
        found = deliveries.of_request(connection, answer.json["request"])
    assert found.known_until.isoformat() == "2026-07-01T04:00:00+00:00"


# --- who is let in -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer nonsense", "Bearer cst_\xff", "cst_x"]
)
def test_nobody_is_let_in_without_a_token(client, engine, secret, given):
    answer = send(client, secret, Authorization=given)
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert answer.mimetype == "application/problem+json" and kept(engine) == (0, 0)


def test_an_expired_a_revoked_and_an_unknown_token_are_answered_alike(client, engine, clock):
    soon = clock() + timedelta(seconds=60)
    _, expired = tokens.create(engine, clock, "a", ["permits"], soon)
    long, revoked = tokens.create(engine, clock, "b", ["permits"])
    assert send(client, expired).status_code == send(client, revoked).status_code == 202
    clock.now += timedelta(seconds=60)
    tokens.revoke(engine, clock, long.id)
    answers = [send(client, one) for one in (expired, revoked, "cst_unknown")]
    assert {(one.status_code, one.data, one.headers["WWW-Authenticate"]) for one in answers} == {
        (401, answers[0].data, answers[0].headers["WWW-Authenticate"])
    }


@pytest.mark.parametrize(
    "source",
    [
        "calls",
        "nothing",
        "requests",
        "..",
        "%2e%2e",
        "permits%00",
        "PERMITS",
        "permits ",
        "%2e%2e%2fpermits",
        "a" * 5000,
    ],
)
def test_a_source_that_the_token_is_not_for_and_one_that_is_not_there_are_answered_alike(
    client, engine, secret, source
):
    answer = send(client, secret, path=f"/api/v1/ingest/{source}")
    assert answer.status_code in (403, 404) and kept(engine) == (0, 0)
    assert source not in answer.text


def test_unknown_and_foreign_sources_have_one_answer(client, secret):
    foreign, unknown = (send(client, secret, path=f"/api/v1/ingest/{one}") for one in ("calls", "nothing"))
    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data) == (403, foreign.data)


def test_a_source_of_the_token_that_takes_no_rows_any_more_is_missing(client, secret):
    assert send(client, secret, path="/api/v1/ingest/gone").status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.0", "9" * 400, "١", "1%00", "2"])
def test_a_state_that_is_not_there_is_missing(client, secret, number):
    assert send(client, secret).json["request"] == 1
    assert look(client, secret, f"/api/v1/ingest/requests/{number}").status_code == 404


def test_a_delivery_is_told_of_to_its_own_token_only(client, engine, clock, secret):
    address = send(client, secret).headers["Location"]
    _, other = tokens.create(engine, clock, "Other", ["permits"])
    assert look(client, secret, address).status_code == 200
    assert look(client, other, address).data == look(client, other, f"{push.ADDRESS}/99").data
    assert look(client, other, address).status_code == 404
    assert client.get(address).status_code == 401


def test_a_request_that_is_no_delivery_is_told_of_to_nobody(client, engine, clock, secret):
    number = requests.insert(engine, clock, "publish", {"reason": "secret"})
    assert look(client, secret, f"{push.ADDRESS}/{number}").status_code == 404


def test_a_token_that_is_revoked_while_the_rows_come_in_delivers_nothing(
    client, engine, clock, token, monkeypatch
):
    number, secret = token[0].id, token[1]
    read = push._Turn.read

    def revoked_meanwhile(turn, stream, length):
        tokens.revoke(engine, clock, number)
        return read(turn, stream, length)

    monkeypatch.setattr(push._Turn, "read", revoked_meanwhile)
    assert send(client, secret).status_code == 401 and kept(engine) == (0, 0)


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "given"),
    [
        (400, {"key": ""}),
        (400, {"key": "two words"}),
        (400, {"key": "a" * 201}),
        (400, {"key": "ö"}),
        (411, {"body": b""}),
        (400, {"path": f"{PERMITS}?known_until=yesterday"}),
        (400, {"path": f"{PERMITS}?known_until=2026-07-01T00:00:00"}),
        (400, {"path": f"{PERMITS}?known_until=0001-01-01T00:00:00%2B14:00"}),
        (400, {"path": f"{PERMITS}?force=1"}),
        (413, {"body": b"x" * 1_000_001}),
        (415, {"Content_Encoding": "gzip"}),
        (415, {"media_type": "application/x-www-form-urlencoded"}),
        (415, {"media_type": "text/html"}),
        (415, {"media_type": None}),
    ],
)
def test_what_cannot_be_taken_is_a_problem_with_its_fix_and_nothing_is_kept(
    client, engine, secret, status, given
):
    answer = send(client, secret, **given)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert set(answer.json) == {"type", "title", "status", "detail"} and answer.json["status"] == status
    assert secret not in answer.text and kept(engine) == (0, 0)


def test_a_body_in_chunks_is_not_taken(client, engine, secret):
    endless = {"wsgi.input": _Endless(), "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"}
    answer = client.post(PERMITS, headers=headers, content_type="text/csv", environ_overrides=endless)
    assert answer.status_code == 411 and kept(engine) == (0, 0)


def test_a_body_of_no_bytes_is_not_taken(client, engine, secret):
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"}
    none = {"CONTENT_LENGTH": "0"}
    answer = client.post(PERMITS, headers=headers, content_type="text/csv", environ_overrides=none)
    assert answer.status_code == 400 and kept(engine) == (0, 0)


class _Endless:
    """A body that never ends."""

    def read(self, size=1):
        raise AssertionError("nobody may read it")


def test_the_largest_delivery_is_taken(client, secret):
    assert send(client, secret, body=b"x" * 1_000_000).status_code == 202


@pytest.mark.parametrize("given", [{"body": b"x" * 2_000_000}, {"Content_Encoding": "gzip"}, {"key": ""}])
def test_nothing_is_read_of_a_body_that_is_not_taken(client, secret, given, monkeypatch):
    monkeypatch.setattr(push._Turn, "read", lambda *_: pytest.fail("it was read"))
    assert send(client, secret, **given).status_code in (400, 413, 415)
    assert send(client, "cst_wrong").status_code == 401


def test_headers_that_carry_lines_put_no_line_into_an_answer(client, secret):
    for name in ("Idempotency_Key", "Content_Type"):
        with pytest.raises(ValueError, match="newline"):
            send(client, secret, **{name: "a\r\nSet-Cookie: x=1"})
    answer = send(client, secret, key="a%0d%0aSet-Cookie:x=1")
    assert answer.status_code == 202 and "Set-Cookie" not in answer.headers


def test_a_token_that_delivers_too_often_waits_its_minute(client, engine, clock, secret):
    for number in range(5):
        assert send(client, secret, key=f"k{number}").status_code == 202
    refused = send(client, secret, key="k9")
    assert refused.status_code == 429 and 0 < int(refused.headers["Retry-After"]) <= 61
    assert send(client, secret, key="k0").status_code == 202, "a repetition is never too many"
    _, other = tokens.create(engine, clock, "Other", ["permits"])
    assert send(client, other).status_code == 202
    clock.now += timedelta(seconds=int(refused.headers["Retry-After"]))
    assert send(client, secret, key="k9").status_code == 202


def test_a_long_queue_is_not_made_longer(client, clock, secret, monkeypatch):
    monkeypatch.setattr(deliveries, "MOST_WAITING", 2)
    assert [send(client, secret, key=key).status_code for key in "abc"] == [202, 202, 429]


def test_the_door_is_for_posting_and_its_states_for_reading(client, secret):
    answer = client.get(PERMITS)
    assert answer.status_code == 405 and "POST" in answer.headers["Allow"] and "POST" in answer.text
    assert client.post("/api/v1/ingest/requests/1").status_code == 405


def test_a_page_of_another_site_cannot_send_rows(client, engine, secret):
    assert send(client, secret, Origin="http://evil.example").status_code == 403
    assert send(client, secret, Host="evil.example").status_code == 400
    assert kept(engine) == (0, 0)


def test_no_answer_is_kept_for_the_next_who_asks(client, secret):
    address = send(client, secret).headers["Location"]
    assert look(client, secret, address).status_code == 200
    assert client.get(address).status_code == 401
    assert look(client, secret, address).headers["Cache-Control"] == "no-store"


def test_what_goes_wrong_inside_logs_no_secret(client, secret, monkeypatch, caplog, capfd):
    def breaks(*_given):
        raise RuntimeError("a mistake")

    monkeypatch.setattr(deliveries, "accept", breaks)
    assert send(client, secret, body=b"id\nMRS-SMITH\n").status_code == 500
    said = caplog.text + "".join(capfd.readouterr())
    assert "a mistake" in said and secret not in said and "MRS-SMITH" not in said


def test_a_disk_that_is_full_is_an_answer_keeps_nothing_and_logs_no_row(
    client, engine, clock, secret, capfd, caplog
):
    full = "CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    with writing(engine, clock) as write:
        write.connection.exec_driver_sql(full)
    body = b"id\nMRS-SMITH\n"
    assert send(client, secret, body=body).status_code == 503 and kept(engine) == (0, 0)
    said = caplog.text + "".join(capfd.readouterr())
    assert "disk is full" in said
    assert not any(hidden in said for hidden in (secret, "MRS-SMITH", deliveries._packed(body)[:20]))
    with writing(engine, clock) as write:
        write.connection.exec_driver_sql("DROP TRIGGER full")
    assert send(client, secret, body=body).status_code == 202


# --- slow and broken senders ---------------------------------------------------------------------


class Trickle:
    """A sender that sends a little and then waits until it is told to hang up."""

    def __init__(self):
        self.hang_up = threading.Event()
        self.sent = False

    def read(self, size):
        if not self.sent:
            self.sent = True
            return b"abc"
        self.hang_up.wait(30)
        return b""


@pytest.fixture
def leave(monkeypatch):
    """Reads bodies that are too slow, each by the token given, and leaves them."""
    monkeypatch.setattr(push, "BODY_SECONDS", 0.05)

    def read(bodies, senders):
        for token, sender in senders:
            with pytest.raises(Refusal) as refused, bodies.room(token) as turn:
                turn.read(sender, 100_000)
            assert refused.value.status == 408

    return read


def eventually(bodies, token):
    """Reads a body as soon as the token has room."""
    for _ in range(200):
        with suppress(Refusal), bodies.room(token) as turn:
            return turn.read(_whole(b"abc"), 3)
        threading.Event().wait(0.02)
    return None


def test_slow_senders_take_the_room_of_their_own_token_and_of_nobody_else(leave):
    bodies, slow = Bodies(), [Trickle() for _ in range(2 * push.BODIES_AT_ONCE)]
    leave(bodies, [(number // push.BODIES_OF_ONE, one) for number, one in enumerate(slow)])
    with pytest.raises(Refusal) as refused, bodies.room(0):
        pass
    assert refused.value.status == 503 and "Retry-After" in refused.value.headers
    with bodies.room(99) as turn:
        assert turn.read(_whole(b"abc"), 3) == b"abc"
    for one in slow:
        one.hang_up.set()
    assert eventually(bodies, 0) == b"abc"


def test_a_sender_that_drips_is_left_for_good_and_one_that_never_hangs_up_is_forgotten(leave, monkeypatch):
    class Drip:
        def __init__(self):
            self.drops = 0

        def read(self, _size):
            self.drops += 1
            threading.Event().wait(0.02)
            return b"a"

    bodies, drip = Bodies(), Drip()
    leave(bodies, [(1, drip), (1, Drip())])
    assert eventually(bodies, 1) == b"abc" and drip.drops < 100
    monkeypatch.setattr(push, "LEFT_SECONDS", 0.01)
    silent = [Trickle() for _ in range(push.BODIES_OF_ONE)]
    leave(bodies, [(1, one) for one in silent])
    assert eventually(bodies, 1) == b"abc"
    for one in silent:
        one.hang_up.set()


def test_a_body_that_ends_too_early_is_not_kept(client, engine, secret):
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"}
    short = {"wsgi.input": _whole(b"short"), "CONTENT_LENGTH": "100"}
    answer = client.post(PERMITS, headers=headers, content_type="text/csv", environ_overrides=short)
    assert (answer.status_code, kept(engine)) == (400, (0, 0)) and "100 bytes and 5" in answer.text


def _whole(content):
    return io.BytesIO(content)


def test_the_state_says_what_became_of_the_rows(client, engine, clock, secret):
    address = send(client, secret).headers["Location"]
    taken = requests.claim(engine, clock)
    requests.progress(engine, clock, taken.id, {"sentence": "2 rows read"})
    running = look(client, secret, address).json
    assert (running["state"], running["progress"]) == ("running", {"sentence": "2 rows read"})
    requests.finish(engine, clock, taken.id, {"outcome": "succeeded", "new": 2})
    done = look(client, secret, address)
    assert (done.json["state"], done.json["result"]) == ("done", {"outcome": "succeeded", "new": 2})
    assert "Retry-After" not in done.headers
    assert json.loads(done.data)["finished_at"] is not None
