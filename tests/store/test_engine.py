"""Transactions: one snapshot to read, one writer at a time, one clock that never goes back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from store import engine as engine_module
from store.engine import (
    CLOCK_SLEW,
    StoreError,
    bump_state,
    database_url,
    from_text,
    instant_text,
    open_engine,
    reading,
    writing,
)
from store.migrations import migrate
from store.schema import house


@dataclass(frozen=True)
class Place:
    data_dir: Path
    database_url: str = ""


def state_of(engine):
    with reading(engine) as connection:
        return connection.execute(select(house.c.state)).scalar_one()


def test_a_failed_transaction_leaves_nothing_not_even_a_table(engine, clock):
    with pytest.raises(KeyError), writing(engine, clock) as write:
        write.connection.exec_driver_sql("CREATE TABLE half (n INTEGER)")
        write.connection.exec_driver_sql("INSERT INTO half VALUES (1)")
        bump_state(write)
        raise KeyError
    with reading(engine) as connection:
        assert not inspect(connection).has_table("half")
    assert state_of(engine) == 0


def test_a_reader_sees_the_moment_it_began_whatever_is_written_meanwhile(engine, clock):
    with reading(engine) as connection:
        with writing(engine, clock) as write:
            bump_state(write)
        assert connection.execute(select(house.c.state)).scalar_one() == 0
    assert state_of(engine) == 1


def test_a_reader_does_not_see_what_is_not_committed_and_does_not_wait(engine, clock):
    with writing(engine, clock) as write:
        bump_state(write)
        assert state_of(engine) == 0
    assert state_of(engine) == 1


def test_a_reader_cannot_write_and_its_connection_can_write_again_later(engine, clock):
    with pytest.raises(DBAPIError), reading(engine) as connection:
        connection.execute(update(house).values(state=9))
    with writing(engine, clock) as write:
        assert bump_state(write) == 1


def test_writers_at_the_same_time_wait_for_each_other_and_each_has_its_own_later_instant(engine, clock):
    instants = []

    def work(_number):
        for _ in range(5):
            with writing(engine, clock) as write:
                before = write.connection.execute(select(house.c.state)).scalar_one()
                instants.append(write.now)
                assert bump_state(write) == before + 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert state_of(engine) == 30
    assert instants == sorted(set(instants))


def test_a_writer_that_waited_sees_what_the_one_before_it_wrote(engine, clock):
    first_is_in, seen = threading.Event(), []

    def second():
        first_is_in.wait()
        with writing(engine, clock) as write:
            seen.append(write.connection.execute(select(house.c.state)).scalar_one())

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        with writing(engine, clock) as write:
            first_is_in.set()
            bump_state(write)
            threading.Event().wait(0.2)
        waiting.result()
    assert seen == [1]


def test_a_writer_that_waits_too_long_is_told_so(any_engine_url, home, clock, monkeypatch):
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.2)
    engine = open_engine(any_engine_url)
    migrate(engine, home, clock)
    with (
        writing(engine, clock),
        pytest.raises(StoreError, match="Another process has been writing"),
        writing(engine, clock),
    ):
        pass
    engine.dispose()


def test_a_clock_that_stands_still_gives_later_instants_all_the_same(engine, clock):
    still = clock()
    instants = []
    for _ in range(3):
        with writing(engine, lambda: still) as write:
            instants.append(from_text(write.now))
    assert instants == [still, still + timedelta(microseconds=1), still + timedelta(microseconds=2)]


def test_a_clock_that_is_being_adjusted_is_forgiven(engine, clock):
    with writing(engine, clock) as write:
        last = from_text(write.now)
    with writing(engine, lambda: last - CLOCK_SLEW) as write:
        assert from_text(write.now) == last + timedelta(microseconds=1)


def test_a_clock_that_is_wrong_is_refused_with_both_times_and_nothing_is_written(engine, clock):
    with writing(engine, clock) as write:
        last = write.now
    wrong = from_text(last) - CLOCK_SLEW - timedelta(microseconds=1)
    with pytest.raises(StoreError) as refusal, writing(engine, lambda: wrong) as write:
        bump_state(write)
    assert last in str(refusal.value)
    assert instant_text(wrong) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert state_of(engine) == 0


def test_a_database_that_was_never_set_up_is_named_with_the_command(bare_engine, clock):
    with (
        pytest.raises(StoreError, match="python -m store migrate"),
        writing(bare_engine, clock),
    ):
        pass


@given(
    st.datetimes(
        min_value=datetime(1900, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))])
    )
)
def test_an_instant_survives_its_text_and_texts_sort_as_instants_do(instant):
    text = instant_text(instant)
    assert len(text) == 27
    assert from_text(text) == instant
    assert (text < "2026-07-01T00:00:00.000000Z") == (instant < datetime(2026, 7, 1, tzinfo=UTC))


def test_an_instant_without_a_time_zone_has_no_text():
    with pytest.raises(ValueError, match="no time zone"):
        instant_text(datetime(2026, 7, 1))


def test_text_is_compared_by_its_bytes(engine):
    with reading(engine) as connection:
        words = (
            "SELECT hash FROM (SELECT hash FROM catalogues UNION ALL SELECT 'a' UNION ALL SELECT 'B') AS w"
        )
        found = connection.execute(text(f"{words} ORDER BY hash")).scalars().all()
    assert found == ["B", "a"]


def test_a_database_is_the_citys_file_unless_an_address_is_given(tmp_path):
    url = database_url(Place(tmp_path / "data"), "home")
    assert (tmp_path / "data" / "home").is_dir()
    assert open_engine(url).url.database == str(tmp_path / "data" / "home" / "cityscore.db")
    assert database_url(Place(tmp_path, "postgresql://host/name"), "home") == "postgresql://host/name"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_way_to_write_a_postgresql_address_is_understood(scheme):
    assert open_engine(f"{scheme}://someone@host/name").url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "DATABASE_URL is not an address"),
        ("postgresql://me:se@cret@host/city", "write %40 in place of it"),
        ("mysql://host/name", "DATABASE_URL begins with mysql"),
        ("sqlite://", "needs a file"),
        ("postgresql://me:secret@host:port/city", "DATABASE_URL is not an address"),
        ("postgresql://me:secret@host/city?port=many", "a driver, a port or a parameter that nothing"),
        ("postgresql+unheard://me:secret@host/city", "a driver, a port or a parameter that nothing"),
        ("postgresql+asyncpg://me:secret@host/city", "a driver, a port or a parameter that nothing"),
        ("sqlite:///city.db?timeout=secret", "a driver, a port or a parameter that nothing"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_the_fix(url, told):
    with pytest.raises(StoreError, match=told) as refusal:
        open_engine(url)
    assert "\n" not in str(refusal.value) and "secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path):
    path = tmp_path / "cityscore.db"
    path.write_bytes(b"this is not a database" * 100)
    with (
        pytest.raises(StoreError, match="cannot be opened") as refusal,
        reading(open_engine(f"sqlite:///{path}")),
    ):
        pass
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:secret@127.0.0.1:1/name",
        "postgresql://someone@127.0.0.1:1/name?password=secret",
        "postgresql://someone@127.0.0.1:1/name?sslpassword=secret&password=secret&password=secret2",
        "postgresql://someone:secret@secret:1/name",
        "postgresql://someone@127.0.0.1:1/name?password=secret&sslmode=secret",
    ],
)
def test_a_server_that_is_not_there_is_refused_in_one_line_without_its_password(url):
    with pytest.raises(StoreError, match="cannot be opened") as refusal, reading(open_engine(url)):
        pass
    said = str(refusal.value)
    assert "\n" not in said and refusal.value.__suppress_context__
    assert "secret" not in said.replace("@secret:1", "")


def test_a_sqlite_file_is_kept_as_promised(tmp_path, clock, home):
    engine = open_engine(f"sqlite:///{tmp_path / 'home.db'}")
    migrate(engine, home, clock)
    with reading(engine) as connection:
        ask = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert ask == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 60_000}


def test_a_disk_that_takes_no_more_is_one_line_and_nothing_is_written(tmp_path, clock, home):
    engine = open_engine(f"sqlite:///{tmp_path / 'city.db'}")
    migrate(engine, home, clock)
    said = pytest.raises(StoreError, match=r"database or disk is full.*see whether its disk is full")
    with said, writing(engine, clock) as write:
        write.connection.exec_driver_sql("PRAGMA max_page_count = 1")
        write.connection.exec_driver_sql("CREATE TABLE large (text TEXT)")
    assert not inspect(engine).has_table("large")
    engine.dispose()


def test_a_database_that_goes_away_in_the_middle_is_one_line_and_can_be_used_when_it_is_back(engine, clock):
    if engine.dialect.name == "sqlite":
        pytest.skip("a file does not go away")
    message = r"^The database went away: .*; try again when it is back\.$"
    with pytest.raises(StoreError, match=message) as refused, writing(engine, clock) as write:
        own = write.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        bump_state(write)
        with reading(engine) as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({own})")
        bump_state(write)
    assert "\n" not in str(refused.value)
    assert state_of(engine) == 0
