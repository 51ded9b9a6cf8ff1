"""Housekeeping: what is removed is counted, what anything still needs is never removed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from metrics.catalogue import load
from metrics.model import Gap
from store import (
    attempts,
    deliveries,
    housekeeping,
    jobs,
    lease,
    one_time_links,
    people,
    quarantine,
    requests,
    runs,
    schema,
    sessions,
    snapshots,
    tokens,
)
from store.audit_log import BY_HAND
from store.engine import StoreError, instant_text, reading, writing
from store.lease import Holder
from store.one_time_links import Purpose
from tests.town import case

NOW = datetime(2028, 6, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNED_IN = (schema.sessions, schema.one_time_links, schema.devices, schema.attempts)
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "snapshots"


@pytest.fixture
def tidy(town, folder):
    """Tidies on the first of June 2028, keeping snapshots for so many days."""

    def tidies(days=30):
        town.now = max(town.now, NOW)
        return housekeeping.tidy(town.engine, town.clock, town.catalogue, folder, days)

    return tidies


def snapshot(folder, day, source="cases", hour=4, content=None):
    stamp = instant_text(datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
    return snapshots.keep(folder, source, stamp, "a.csv", [content or f"{source} {day} {hour}".encode()]).path


def kept(folder):
    return sorted(path.name[:8] for path in folder.rglob("*.csv"))


def run(town, at, outcome="succeeded", source="cases", snapshot=None, refused=0):
    row = dict.fromkeys(("read", "new", "changed", "unchanged", "withdrawn"), 0) | {"rejected": refused}
    times = {"started_at": instant_text(at), "finished_at": instant_text(at)}
    with writing(town.engine, town.clock) as write:
        words = {"source": source, "trigger": "test", "outcome": outcome, "snapshot": snapshot}
        made = insert(schema.runs).values(**row, **times, **words).returning(schema.runs.c.id)
        number = write.connection.execute(made).scalar_one()
        refusals = [
            quarantine.QuarantinedRow(line, None, None, None, "bad", {"a": "b"}) for line in range(refused)
        ]
        quarantine.quarantine_rows(write, number, source, refusals)
        if outcome == "succeeded":
            quarantine.supersede(write, source, number, whole=True, places=(), staged=lambda _keys: ())
    return number


def numbers(town, table):
    with reading(town.engine) as connection:
        return list(connection.execute(select(table.c.id).order_by(table.c.id)).scalars())


# --- snapshots -------------------------------------------------------------------------------------


def test_every_snapshot_of_the_last_days_stays_and_one_for_each_month_before(tidy, folder):
    for number in range(120):
        snapshot(folder, date(2028, 2, 2) + number * DAY)
    done = tidy(days=30)
    assert kept(folder) == ["20280229", "20280331", "20280430"] + [f"202805{day:02}" for day in range(2, 32)]
    assert done.snapshots == 120 - 33
    assert done.snapshot_bytes == 87 * len("cases 2028-02-02 4")
    assert f"removed {done.snapshots} snapshots" in done.line("test")
    assert done.words("test")["snapshots"] == done.snapshots
    assert tidy(days=30).snapshots == 0


def test_the_newest_snapshot_of_a_source_stays_however_old_it_is(tidy, folder):
    snapshot(folder, date(2026, 7, 1)), snapshot(folder, date(2026, 7, 2))
    snapshot(folder, date(2026, 7, 5), source="gone")
    assert tidy().snapshots == 1
    assert kept(folder) == ["20260702", "20260705"]


def test_what_one_run_received_in_several_files_stays_or_goes_together(tidy, folder):
    for day in (date(2026, 7, 1), date(2026, 7, 2), date(2026, 8, 1)):
        for content in (b"one", b"two"):
            snapshot(folder, day, content=content + str(day).encode())
    assert tidy().snapshots == 2
    assert kept(folder) == ["20260702", "20260702", "20260801", "20260801"]


def test_what_the_last_good_run_was_read_from_stays(town, tidy, folder):
    """Its cursor says that these bytes need not be fetched again."""
    paths = [snapshot(folder, date(2026, 7, day)) for day in (1, 2, 3)]
    named = "\n".join(str(path.relative_to(folder)) for path in paths[:2])
    run(town, datetime(2027, 1, 1, tzinfo=UTC), snapshot=named)
    run(town, datetime(2027, 1, 2, tzinfo=UTC), outcome="unchanged")
    run(town, datetime(2027, 1, 3, tzinfo=UTC), outcome="failed", snapshot="cases/2026/x.csv")
    assert tidy().snapshots == 0
    assert all(path.exists() for path in paths)


def test_nothing_of_a_gap_that_has_not_ended_is_removed(town, tidy, folder):
    for day in (1, 2, 3, 4):
        snapshot(folder, date(2026, 7, day))
    [source] = town.catalogue.sources.values()
    ended = Gap(date(2026, 1, 1), date(2026, 7, 1), "mended", date(2026, 7, 1))
    still = Gap(date(2026, 7, 3), date(2028, 12, 31), "an outage", date(2026, 7, 3))
    sources = {source.id: replace(source, gaps=(ended, still))}
    town.catalogue = replace(town.catalogue, sources=sources)
    assert tidy().snapshots == 2
    assert kept(folder) == ["20260703", "20260704"]


def test_a_source_may_say_how_long_its_snapshots_are_kept_and_then_none_stays_longer(town, tidy, folder):
    [source] = town.catalogue.sources.values()
    town.catalogue = replace(town.catalogue, sources={source.id: replace(source, keep_days=3)})
    for number in range(60):
        snapshot(folder, date(2028, 4, 2) + number * DAY)
        snapshot(folder, date(2028, 4, 2) + number * DAY, source="gone")
    tidy(days=30)
    assert kept(folder / "cases") == ["20280529", "20280530", "20280531"]
    assert len(kept(folder / "gone")) == 31


def test_snapshots_of_runs_whose_refused_rows_are_open_stay(town, tidy, folder):
    paths = [snapshot(folder, date(2026, 7, day)) for day in (1, 2, 3, 4)]
    names = [str(path.relative_to(folder)) for path in paths]
    run(town, datetime(2026, 7, 1, 5, tzinfo=UTC), snapshot=names[0], refused=1)
    run(town, datetime(2026, 7, 2, 5, tzinfo=UTC), snapshot=names[1])
    run(town, datetime(2026, 7, 3, 5, tzinfo=UTC), outcome="failed", snapshot=names[2], refused=2)
    tidy()
    assert kept(folder) == ["20260702", "20260703", "20260704"]


def test_what_is_no_snapshot_is_left_alone(tidy, folder):
    strange = folder / "cases" / "2026" / "notes.csv"
    strange.parent.mkdir(parents=True)
    strange.write_text("mine")
    snapshot(folder, date(2026, 7, 1))
    assert tidy().snapshots == 0 and strange.exists()


def test_a_file_that_cannot_be_removed_is_one_line(tidy, folder, monkeypatch):
    snapshot(folder, date(2026, 7, 1)), snapshot(folder, date(2026, 7, 2))

    def refuses(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuses)
    with pytest.raises(StoreError, match=r"20260701.* cannot be removed \(Permission denied\)"):
        tidy()


def test_a_city_without_snapshots_has_none_to_remove(tidy):
    assert tidy().snapshots == 0


# --- rows ------------------------------------------------------------------------------------------


def test_runs_of_the_last_year_stay_and_of_each_source_the_newest_good_one(town, tidy):
    old = NOW - 400 * DAY
    read = run(town, old, outcome="succeeded")
    run(town, old - DAY), run(town, old + DAY, outcome="failed")
    good = run(town, old + 2 * DAY, outcome="unchanged")
    newest = run(town, old + 3 * DAY, outcome="failed")
    other = run(town, old, source="other")
    recent = [run(town, NOW - 300 * DAY, source="third"), run(town, NOW - DAY, source="third")]
    cursors = cursors_of(town)
    read_again = [read + 1]  # the newest run that read rows: its rejections are what is refused now
    assert tidy().runs == 2
    assert numbers(town, schema.runs) == [*read_again, good, newest, other, *recent]
    assert cursors_of(town) == cursors
    assert tidy().runs == 0


def cursors_of(town):
    with reading(town.engine) as connection:
        return {name: runs.cursor(connection, name) for name in ("cases", "other", "third")}


def test_a_run_under_way_is_never_removed(town, tidy):
    number = runs.start(town.engine, town.clock, "cases", "test")
    runs.start(town.engine, town.clock, "other", "test")
    assert tidy().runs == 0
    assert number in numbers(town, schema.runs)


def test_refused_rows_of_ten_runs_stay_and_the_others_are_counted(town, tidy):
    made = [run(town, NOW - (40 - n) * DAY, refused=3) for n in range(12)]
    run(town, NOW - DAY, source="other", refused=2)
    done = tidy()
    assert done.quarantined == 6 and "6 refused rows of older runs" in done.line("test")
    with reading(town.engine) as connection:
        left = select(schema.quarantine.c.run, func.count()).group_by(schema.quarantine.c.run)
        assert dict(iter(connection.execute(left))) == dict.fromkeys(made[2:], 3) | {made[-1] + 1: 2}
        assert len(quarantine.quarantined(connection, "cases")) == 3


def test_sessions_links_tries_and_browsers_go_when_they_open_nothing_any_more(town, tidy):
    """Rows of four ages each: the tables hold what still counts, and nothing else."""
    town.now = NOW - 500 * DAY
    with writing(town.engine, town.clock) as write:
        ada = people.add(write, BY_HAND, "Ada", "ada@city.example")
        bob = people.add(write, BY_HAND, "Bob", "bob@city.example")
        for _ in range(2):
            sessions.begin(write, bob, "a browser", "test")
    left = {}
    for name, ago in zip("abcd", (401 * DAY, 9 * DAY, DAY / 2 + DAY / 24, DAY / 300), strict=True):
        town.now = NOW - ago
        with writing(town.engine, town.clock) as write:
            sessions.begin(write, ada, "a browser", "test")
            used = one_time_links.make(write, BY_HAND, Purpose.INVITE, ada.id)
            one_time_links.use(write, used)
            email = f"{name}@city.example"
            left[name] = one_time_links.make(write, BY_HAND, Purpose.ADMIN, email=email)
            attempts.begin(write, ("address:203.0.113.7",))
            attempts.remember_device(write, ada.id)
    done = tidy()
    assert (done.sessions, done.links, done.tries) == (4, 6, 1)
    assert "4 sessions and 6 links that had ended" in done.line("test")
    kept = {table.name: len(numbers(town, table)) for table in SIGNED_IN}
    assert kept == {"sessions": 2, "one_time_links": 2, "devices": 3, "attempts": 1}
    with reading(town.engine) as connection:
        assert len(sessions.of_person(connection, ada.id, town.now)) == 1
        assert sessions.last_seen(connection).keys() == {ada.id, bob.id}
        assert sessions.of_person(connection, bob.id, town.now) == []
        assert one_time_links.find(connection, left["c"], town.now) is not None
    again = tidy()
    assert (again.sessions, again.links, again.tries) == (0, 0, 0)


def test_what_is_open_stays_however_many_runs_came_after(town, tidy):
    now = run(town, NOW - 60 * DAY, refused=1)
    for n in range(12):
        run(town, NOW - (50 - n) * DAY, outcome="failed", refused=1)
    assert tidy().quarantined == 0
    with reading(town.engine) as connection:
        assert [one.run for one in quarantine.quarantined(connection, "cases")] == list(range(now, now + 13))


def test_a_delivery_goes_with_its_request_and_one_that_waits_never_goes(town, tidy):
    token, _ = tokens.create(town.engine, town.clock, "Works", ["cases"])
    for key in ("old", "waits"):
        offer = deliveries.Offer("cases", key, "text/csv", b"case_id\n1\n")
        deliveries.accept(town.engine, town.clock, token.id, offer, 10)
    old = requests.claim(town.engine, town.clock)
    requests.finish(town.engine, town.clock, old.id, {"outcome": "succeeded"})
    done = tidy()
    assert (done.requests, done.deliveries) == (1, 1) and tidy().deliveries == 0
    with reading(town.engine) as connection:
        [left] = connection.execute(select(schema.deliveries.c.repeat_key)).scalars()
    assert left == "waits"


def test_finished_requests_and_done_jobs_go_after_a_while_and_others_never(town, tidy):
    me = Holder("a", "h", 1)
    waiting, done = (requests.insert(town.engine, town.clock, "publish", {"n": n}) for n in range(2))
    with writing(town.engine, town.clock) as write:
        write.connection.execute(
            schema.requests.update()
            .where(schema.requests.c.id == done)
            .values(claimed_at=write.now, finished_at=write.now, result=json.dumps({}))
        )
    lease.take(town.engine, town.clock, me, lambda _: True)
    due = [datetime(2026, 7, day, tzinfo=UTC) for day in (1, 2, 3)]
    for one in due:
        with lease.holding(town.engine, town.clock, me) as write:
            jobs.claim(write, me, "load cases", one, lambda *_: False)
        jobs.finish(town.engine, town.clock, me, "load cases", one, "succeeded", {})
    with lease.holding(town.engine, town.clock, me) as write:
        jobs.claim(write, me, "tidy", due[0], lambda *_: False)
    counts = tidy()
    assert (counts.requests, counts.jobs) == (1, 2)
    assert numbers(town, schema.requests) == [waiting]
    with reading(town.engine) as connection:
        assert jobs.find(connection, "load cases", due[2]) is not None
        assert [one.job for one in jobs.under_way(connection)] == ["tidy"]


def test_what_was_published_is_still_verified_after_tidying(town, tidy):
    for month in (6, 7):
        town.now = datetime(2026, month + 1, 5, 12, tzinfo=UTC)
        town.ingest(*(case(f"{month}-{n}", 1 + n % 28, 1 + n % 30, month=month) for n in range(60)))
        town.publish()
    assert tidy().runs == 1
    assert town.verified() == []
    assert town.publish(date(2026, 8, 5)).publication is None


# --- the command -----------------------------------------------------------------------------------


def test_the_command_says_what_it_removed(city, tmp_path):
    environment = {"CITY": str(city), "DATA_DIR": str(tmp_path / "data"), "SNAPSHOT_DAYS": "10"}
    folder = tmp_path / "data" / "test" / "snapshots"
    for day in range(1, 8):
        snapshot(folder, date(2024, 5, day))
    command = [sys.executable, "-m", "store", "tidy"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("test: removed 6 snapshots (0.0 MB), 0 runs of the ledger")
    wrong = environment | {"SNAPSHOT_DAYS": "many"}
    refused = subprocess.run(command, cwd=PROJECT, env=wrong, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and refused.stderr.startswith("SNAPSHOT_DAYS is 'many'")
    assert load(city).city.id == "test"
