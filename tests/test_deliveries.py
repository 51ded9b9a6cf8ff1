"""A delivery from the first byte to the records: the door, the request, the worker, the run, the answer."""

from __future__ import annotations

import fcntl
import json
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import select

import app
import worker
from ingest import delivered
from metrics import catalogue as catalogues
from serving.push import Door, Limits
from store import deliveries, records, requests, schema, snapshots, tokens
from store.engine import reading
from tests.bare_store import kill_during
from tests.springfield import RECORDS, Springfield, rows, springfield, work_off

__all__ = ["kill_during", "springfield"]


@pytest.fixture
def city(springfield):
    """Springfield, whose requests are pushed."""
    return as_pushed(springfield)


def as_pushed(city):
    city.edit("sources/requests.toml", 'kind = "file"', 'kind = "push"')
    city.edit("sources/requests.toml", '[options]\npath = "drop/*.csv"\n', "")
    city.reread()
    return city


@pytest.fixture
def secret(city):
    return tokens.create(city.engine, city.clock, "Public Works", ["requests"])[1]


@pytest.fixture
def send(city, secret, monkeypatch):
    monkeypatch.setattr(app, "Door", partial(Door, clock=city.clock))
    client = app.make_server(city.engine, city.catalogue, "springfield", limits=Limits()).test_client()

    def sent(body, key="k1", media_type="text/csv", by=secret):
        headers = {"Authorization": f"Bearer {by}", "Idempotency-Key": key}
        return client.post("/api/v1/ingest/requests", data=body, content_type=media_type, headers=headers)

    sent.client, sent.headers = client, {"Authorization": f"Bearer {secret}"}
    return sent


def state(send, answer):
    return send.client.get(answer.headers["Location"], headers=send.headers).json


def ledger(city):
    with reading(city.engine) as connection:
        return connection.execute(select(schema.runs).order_by(schema.runs.c.id)).all()


def held(city):
    table = records.record_table(city.catalogue.sources["requests"])
    with reading(city.engine) as connection:
        return sorted(connection.execute(select(table.c.id, table.c.closed)).all())


def test_a_delivery_becomes_records_a_snapshot_and_an_answer_with_counts(city, send):
    bad = RECORDS + "99,Pothole,2026-02-30T08:00:00,,\n"
    answer = send(bad)
    assert answer.status_code == 202 and held_nothing(city)
    duties = city.worker()
    work_off(duties)
    done = state(send, answer)
    assert done["state"] == "done"
    result = done["result"]
    assert (result["outcome"], result["new"], result["rejected"], result["read"]) == ("succeeded", 21, 1, 22)
    assert "1 rejected, opened" in result["rejections"][0] and "2026-02-30" in result["rejections"][0]
    assert str(city.folder.parent) not in json.dumps(done)
    [kept] = list((city.desk.snapshots / "requests").rglob("*.csv"))
    assert kept.read_bytes() == bad.encode() and len(held(city)) == 21
    with reading(city.engine) as connection:
        assert deliveries.body(connection, 1) is None
    assert city.current() is not None, "what was delivered is published"


def held_nothing(city):
    return not ledger(city)


def test_replays_and_later_deliveries_end_like_one_load_of_the_last(city, send):
    send(RECORDS, "a")
    send(RECORDS, "a")
    duties = city.worker()
    work_off(duties)
    as_json = [
        dict(zip(rows(0).strip().split(","), line.split(","), strict=True)) for line in RECORDS.split()[1:]
    ]
    closed = [{**row, "closed": "2026-11-22T10:00:00"} for row in as_json[:3]]
    send(json.dumps(closed), "b", "application/json")
    work_off(duties)
    send(RECORDS, "a")
    work_off(duties)
    assert [(run.new, run.changed, run.unchanged) for run in ledger(city)] == [(21, 0, 0), (0, 3, 0)]
    assert sum(one.closed == "2026-11-22T15:00:00.000000Z" for one in held(city)) == 3


def test_what_cannot_be_understood_is_answered_and_changes_nothing(city, send):
    duties = city.worker()
    for number, (body, media_type) in enumerate(
        [("<html>", "text/csv"), ("{}", "application/json"), ("a,b\n1,2\n", "text/csv")]
    ):
        answer = send(body, f"k{number}", media_type)
        work_off(duties)
        result = state(send, answer)["result"]
        assert result["outcome"] == "failed" and result["sentence"].count("\n") == 0
        assert str(city.folder.parent) not in result["sentence"]
    assert {run.outcome for run in ledger(city)} == {"failed"}


def test_a_worker_that_ends_between_the_run_and_the_answer_runs_nothing_twice(city, send, monkeypatch):
    answer = send(RECORDS)
    with monkeypatch.context() as broken:
        broken.setattr(requests, "finish", lambda *_given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            work_off(city.worker())
    assert state(send, answer)["state"] == "running"
    work_off(city.worker())
    result = state(send, answer)["result"]
    assert (result["outcome"], result["new"]) == ("succeeded", 21) and len(ledger(city)) == 1


def test_a_worker_that_ends_in_the_middle_of_the_run_leaves_it_to_the_next(city, send, monkeypatch):
    answer = send(RECORDS)

    def ends(*_given, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(records.Stage, "merge", ends)
        with pytest.raises(KeyboardInterrupt):
            work_off(city.worker())
    work_off(city.worker())
    assert state(send, answer)["result"]["new"] == 21
    assert [run.outcome for run in ledger(city)] == ["interrupted", "succeeded"]
    assert not list(city.desk.snapshots.parent.glob("delivered-*"))


def test_a_delivery_waits_while_somebody_else_loads_the_source(city, send):
    answer, duties = send(RECORDS), city.worker()
    with (city.desk.snapshots.parent / "ingest-requests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        work_off(duties)
        assert state(send, answer)["state"] == "waiting"
        other = requests.insert(city.engine, city.clock, "publish", {})
        work_off(duties)
        with reading(city.engine) as connection:
            assert requests.get(connection, other).finished_at is not None
    city.now += timedelta(minutes=1)
    work_off(duties)
    assert state(send, answer)["result"]["new"] == 21


def test_what_was_accepted_before_its_token_was_revoked_is_loaded_and_nobody_else_is_told(city, send):
    answer = send(RECORDS)
    tokens.revoke(city.engine, city.clock, 1)
    work_off(city.worker())
    assert len(held(city)) == 21
    assert send.client.get(answer.headers["Location"], headers=send.headers).status_code == 401


def test_a_source_that_is_no_longer_there_is_an_answer_and_the_rows_are_kept(city, send):
    answer = send(RECORDS)
    (city.folder / "metrics" / "potholes_on_time.toml").unlink()
    (city.folder / "sources" / "requests.toml").rename(city.folder / "sources" / "calls.toml")
    city.edit("sources/calls.toml", 'id = "requests"', 'id = "calls"')
    city.catalogue = catalogues.load(city.folder)
    work_off(worker_of(city))
    assert state(send, answer)["result"]["outcome"] == "refused"
    with reading(city.engine) as connection:
        assert deliveries.body(connection, 1) == RECORDS.encode()


def worker_of(city):
    duties = city.worker()
    assert isinstance(duties, worker.Duties)
    return duties


def test_a_pushed_source_has_no_time_of_its_own(city):
    assert [job.name for job in city.worker().jobs()] == ["publish", "tidy"]


def test_the_name_of_a_delivery_comes_from_us_and_not_from_its_sender(city, send):
    send(RECORDS, "../../../etc/cron.d/x", "text/csv")
    work_off(city.worker())
    outside = [path for path in city.folder.parent.rglob("*") if "cron" in path.name]
    assert outside == [] and snapshots.last(city.desk.snapshots, "requests") is not None
    assert delivered.TRIGGER in ledger(city)[0].trigger


def test_a_page_may_ask_the_worker_to_keep_values_given_by_hand(springfield):
    springfield.edit("sources/requests.toml", 'kind = "file"', 'kind = "manual"\nbegins = 2026-11-01')
    springfield.edit("sources/requests.toml", 'path = "drop/*.csv"', 'key_from = ["day"]')
    springfield.edit(
        "sources/requests.toml", "[columns.topic]", '[columns.day]\ntype = "day"\n\n[columns.topic]'
    )
    springfield.reread()
    duties = springfield.worker()
    asked = {"source": "requests", "rows": [{"day": "2026-11-01", "topic": "Pothole"}], "by": "Kim"}
    number = requests.insert(springfield.engine, springfield.clock, "enter", asked)
    nameless = requests.insert(springfield.engine, springfield.clock, "enter", {**asked, "by": ""})
    work_off(duties)
    with reading(springfield.engine) as connection:
        kept, refused = (requests.get(connection, one).result for one in (number, nameless))
    assert (kept["outcome"], kept["run"]["new"]) == ("entered", 1)
    assert refused == {"outcome": "refused", "sentence": "Say who gives the values: --by NAME."}


# --- killed at any moment ------------------------------------------------------------------------


def answer_for_ever(begun, url, folder):
    """What the killed worker does."""
    city = Springfield(folder, url)
    begun()
    duties = city.worker()
    while True:
        duties.attend()


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.matrix) for seed in range(3, 50))]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_worker_killed_at_any_moment_loads_every_delivery_once(any_engine_url, tmp_path, kill_during, seed):
    city = Springfield(tmp_path / "springfield", any_engine_url)
    as_pushed(city)
    token, _ = tokens.create(city.engine, city.clock, "Public Works", ["requests"])
    for number in range(4):
        text = rows(200 + number, date(2026, 1, 1 + number))
        offer = deliveries.Offer("requests", f"k{number}", "text/csv", text.encode())
        deliveries.accept(city.engine, city.clock, token.id, offer, 100)
    city.engine.dispose()
    kill_during(answer_for_ever, any_engine_url, city.folder, seed=seed, longest=1.5)
    work_off(city.worker())
    with reading(city.engine) as connection:
        answers = [requests.get(connection, number).result for number in range(1, 5)]
    assert [answer["outcome"] for answer in answers] == ["succeeded"] * 4
    good = [run.trigger for run in ledger(city) if run.outcome == "succeeded"]
    assert good == [f"delivery {number}" for number in range(1, 5)], "in their order, each once"
    assert len(held(city)) == 203
    city.engine.dispose()
