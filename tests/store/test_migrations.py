"""Migrations: the tables they build, what they refuse, and that nothing interrupts them halfway."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Float, Integer, Text, delete, event, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from store import migrations, schema
from store.engine import StoreError, from_text, open_engine, reading, writing
from store.migrations import MIGRATIONS, migrate

KINDS = (Integer, Float, Text)


def kind_of(column_type):
    return next(kind for kind in KINDS if isinstance(column_type, kind))


def applied_names(engine):
    with reading(engine) as connection:
        return list(connection.execute(select(schema.migrations.c.name)).scalars())


def house_row(engine):
    with reading(engine) as connection:
        return connection.execute(select(schema.house)).one()


def publish_once(engine, clock):
    row = dict.fromkeys(("as_of", "known_at", "published_at", "catalogue", "knowledge"), "x")
    with writing(engine, clock) as write:
        write.connection.execute(insert(schema.publications).values(is_current=1, **row))


def load_once(engine, clock):
    counts = dict.fromkeys(("read", "new", "changed", "unchanged", "rejected", "withdrawn"), 0)
    words = {"source": "cases", "trigger": "test", "started_at": "x", "outcome": "succeeded"}
    with writing(engine, clock) as write:
        write.connection.execute(insert(schema.runs).values(**counts, **words))


# --- what is built -------------------------------------------------------------------------------


def test_an_empty_database_gets_everything_and_the_second_time_nothing(bare_engine, home, clock):
    assert migrate(bare_engine, home, clock) == [name for name, _ in MIGRATIONS]
    assert migrate(bare_engine, home, clock) == []
    assert applied_names(bare_engine) == [name for name, _ in MIGRATIONS]


def test_the_house_knows_its_city_and_calendar(bare_engine, home, clock):
    migrate(bare_engine, replace(home, week_start="sunday"), clock)
    row = house_row(bare_engine)
    assert (row.city, row.time_zone, row.week_start, row.state) == ("home", "America/New_York", "sunday", 0)
    assert from_text(row.last_written_at) <= clock.now


def test_nothing_to_do_is_found_out_with_one_query(engine, home, clock):
    asked = []

    def note(_connection, _cursor, statement, *_more):
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    migrate(engine, home, clock)
    tables = [statement for statement in asked if "migrations" in statement]
    assert len(tables) == 1
    assert not [statement for statement in asked if statement.startswith(("INSERT", "UPDATE", "BEGIN IMM"))]


def test_migrations_build_the_tables_of_the_schema(engine):
    inspector = inspect(engine)
    assert set(inspector.get_table_names()) == set(schema.metadata.tables)


@pytest.mark.parametrize("name", sorted(schema.metadata.tables))
def test_a_migrated_table_is_the_schemas(engine, name):
    table, inspector = schema.metadata.tables[name], inspect(engine)
    built = {
        one["name"]: (kind_of(one["type"]), one["nullable"], getattr(one["type"], "collation", None))
        for one in inspector.get_columns(name)
    }
    collation = "C" if engine.dialect.name == "postgresql" else None
    wanted = {
        column.name: (
            kind := kind_of(column.type),
            bool(column.nullable),
            collation if kind is Text else None,
        )
        for column in table.columns
    }
    assert built == wanted
    assert list(built) == list(wanted)
    assert inspector.get_pk_constraint(name)["constrained_columns"] == [c.name for c in table.primary_key]
    assert {one["name"]: tuple(one["column_names"]) for one in inspector.get_indexes(name)} == {
        str(index.name): tuple(column.name for column in index.columns) for index in table.indexes
    }


@pytest.mark.parametrize("name", sorted(schema.metadata.tables))
def test_whole_numbers_have_the_width_the_schema_says(engine, name):
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            made = connection.exec_driver_sql(f"SELECT sql FROM sqlite_schema WHERE name = '{name}'").scalar()
        by_key = schema.metadata.tables[name].dialect_options["sqlite"]["with_rowid"] is False
        assert made.endswith("STRICT, WITHOUT ROWID" if by_key else "STRICT")
        return
    built = {one["name"]: one["type"].compile(engine.dialect) for one in inspect(engine).get_columns(name)}
    for column in schema.metadata.tables[name].columns:
        if isinstance(column.type, Integer):
            assert built[column.name] == column.type.compile(engine.dialect)


def test_the_house_has_one_row_and_a_run_one_of_the_outcomes(engine, clock):
    row = house_row(engine)
    with pytest.raises(IntegrityError), writing(engine, clock) as write:
        write.connection.execute(insert(schema.house).values(**{**row._mapping, "only": 2}))
    with pytest.raises(IntegrityError), writing(engine, clock) as write:
        words = {"source": "s", "trigger": "t", "started_at": "x", "outcome": "splendid"}
        counts = dict.fromkeys(("read", "new", "changed", "unchanged", "rejected", "withdrawn"), 0)
        write.connection.execute(insert(schema.runs).values(**counts, **words))


def test_ids_are_given_by_the_database_and_rise(engine, clock):
    publish_once(engine, clock)
    publish_once(engine, clock)
    with reading(engine) as connection:
        assert list(connection.execute(select(schema.publications.c.id)).scalars()) == [1, 2]


# --- what is refused -----------------------------------------------------------------------------


def test_the_database_of_another_city_is_refused_naming_both(engine, home, clock):
    with pytest.raises(StoreError, match="belongs to the city home, not to village") as refusal:
        migrate(engine, replace(home, id="village"), clock)
    assert "\n" not in str(refusal.value)


def test_a_database_newer_than_the_program_is_refused(engine, home, clock):
    with writing(engine, clock) as write:
        write.connection.execute(insert(schema.migrations).values(name="9999_later", applied_at=write.now))
    with pytest.raises(StoreError, match=r"newer than the program.*9999_later.*update the program"):
        migrate(engine, home, clock)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"time_zone": "UTC"}, "time_zone UTC.*America/New_York"),
        ({"week_start": "sunday"}, "week_start sunday.*monday"),
    ],
)
def test_the_calendar_may_change_until_the_first_publication(engine, home, clock, change, told):
    assert migrate(engine, replace(home, **change), clock) == []
    assert {name: getattr(house_row(engine), name) for name in change} == change
    migrate(engine, home, clock)
    publish_once(engine, clock)
    with pytest.raises(StoreError, match=told):
        migrate(engine, replace(home, **change), clock)
    assert house_row(engine).time_zone == home.time_zone
    assert house_row(engine).week_start == home.week_start


def test_the_time_zone_may_not_change_under_records_whose_days_were_counted_in_it(engine, home, clock):
    load_once(engine, clock)
    with pytest.raises(StoreError, match="counted in America/New_York"):
        migrate(engine, replace(home, time_zone="UTC"), clock)
    migrate(engine, replace(home, week_start="sunday"), clock)
    assert house_row(engine).week_start == "sunday"


# --- what interrupts -----------------------------------------------------------------------------


def test_a_step_that_fails_leaves_nothing_and_is_done_the_next_time(bare_engine, home, clock, monkeypatch):
    def breaks(connection):
        connection.exec_driver_sql("CREATE TABLE half (n INTEGER)")
        connection.exec_driver_sql("CREATE TABLE half (n INTEGER)")

    def works(connection):
        connection.exec_driver_sql("CREATE TABLE half (n INTEGER)")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, ("0002_half", breaks)))
    with pytest.raises(DBAPIError):
        migrate(bare_engine, home, clock)
    assert applied_names(bare_engine) == [name for name, _ in MIGRATIONS]
    assert not inspect(bare_engine).has_table("half")
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, ("0002_half", works)))
    assert migrate(bare_engine, home, clock) == ["0002_half"]


def test_many_may_migrate_the_same_empty_database_at_once(any_engine_url, home, clock):
    engines = [open_engine(any_engine_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda one: migrate(one, home, clock), engines))
    assert sorted(name for names in done for name in names) == sorted(name for name, _ in MIGRATIONS)
    assert applied_names(engines[0]) == [name for name, _ in MIGRATIONS]
    for one in engines:
        one.dispose()


STEPS = 40


def step(number):
    def build(connection):
        connection.exec_driver_sql(f"CREATE TABLE one_{number} (n INTEGER)")
        connection.exec_driver_sql(f"INSERT INTO one_{number} VALUES ({number})")
        time.sleep(0.002)
        connection.exec_driver_sql(f"CREATE TABLE two_{number} (n INTEGER)")
        connection.exec_driver_sql(f"INSERT INTO two_{number} VALUES ({number})")

    return build


def migrate_to_the_end(begun, url, home, clock):
    begun()
    migrate(open_engine(url), home, clock)
    time.sleep(60)


@pytest.mark.parametrize("seed", range(10))
def test_a_migration_killed_anywhere_is_taken_up_where_it_stood(
    any_engine_url, home, clock, kill_during, monkeypatch, seed
):
    steps = tuple((f"1{number:03d}_tables", step(number)) for number in range(STEPS))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, *steps))
    kill_during(migrate_to_the_end, any_engine_url, home, clock, seed=seed, longest=0.35)
    engine = open_engine(any_engine_url)
    there = inspect(engine).get_table_names()
    done = len(applied_names(engine)) - len(MIGRATIONS) if "migrations" in there else 0
    for number in range(STEPS):
        assert (f"one_{number}" in there, f"two_{number}" in there) == (number < done, number < done)
    migrate(engine, home, clock)
    assert len(applied_names(engine)) == STEPS + len(MIGRATIONS)
    with reading(engine) as connection:
        for number in range(STEPS):
            found = connection.execute(text(f"SELECT o.n, t.n FROM one_{number} o, two_{number} t")).all()
            assert [tuple(row) for row in found] == [(number, number)]
    engine.dispose()


FROZEN = {
    "_FIRST_TABLES": "886f8b4bdbe7333cb5388c9a1b5213c1f4b87357e654a3aadf19db3422bb6536",
    "_WORKER_TABLES": "1ec0598ea34efd10a42d94c4a176e5d04f040644e936de9901d6dce9eae552d4",
    "_EVIDENCE_COLUMNS": "46f88ab7680c571bc226852d0a472bd6daa82c6c3c515ec1b224db28e92e851e",
    "_SELF_TESTS": "55ec77918dd18b77dde4e56b1fb8a62cb983882fa5b728e4ac067c383f4c953f",
    "_MATURITIES": "f1ee747cb424a0f47e7046d3a89bcdacc0f7584e0ac8248a5da84b46383d9fec",
    "_APPROVED_TARGETS": "7fcaced46e3724ad0d257625124afd43a6bc8a7f09f9afb3020c0d4e15a9dfef",
    "_WITHHELD_CELLS": "2c82ce26d76eaf497089dc3314c311e80613e2f0b27a80cf0e53c7609446edca",
    "_HEAPS": "c695581fe89a34af70d2e40d6ca663f590b65804677e54fb05788144a62f589c",
    "_AUDITS": "b1b274c976ffce2e10a20e6832afb02bc26c94204e7596a51a0088ede5e37f88",
    "_SIGNALS": "7b497ab52338badbb05a5729576140dd884b491d586eb2e420575d8a2c43f2fd",
    "_PUSH_AND_ENTRIES": "17b16630083edb7dda8c22799b9bb4200675fe0e6f3066a6db2765a5659375a6",
    "_CORRECTIONS": "e9324e24f0494786abc80e12d3427f325d84bab706eda3da65657ec690a94c3e",
    "_NOTES": "d810131856d2393b7a64d4369cc0d289a1ee794b66c7456abad59ab3fb42cfef",
    "_PEOPLE": "aca96848009090d215e44b398bdb6948d0e24804b09958e1be189d009b99588c",
}


@pytest.mark.parametrize("name", FROZEN)
def test_a_migration_is_frozen(name):
    """The texts that built databases; a wish to change one is a new migration."""
    assert hashlib.sha256(getattr(migrations, name).encode()).hexdigest() == FROZEN[name]


def test_the_triggers_of_the_log_are_frozen():
    built = "".join(migrations._ONLY_ADDED[name] for name in ("sqlite", "postgresql"))
    assert hashlib.sha256(built.encode()).hexdigest() == (
        "2718aa7e9b1c5a11c312cf8df50ee708b84796edacd5af8e375aefbddc098e0b"
    )


def test_what_waits_at_the_time_of_an_upgrade_is_kept(bare_engine, home, clock, monkeypatch):
    monkeypatch.setattr(migrations, "MIGRATIONS", MIGRATIONS[:1])
    migrate(bare_engine, home, clock)
    with writing(bare_engine, clock) as write:
        write.connection.exec_driver_sql(
            "INSERT INTO requests (kind, arguments, created_at) VALUES ('publish', '{}', 'x')"
        )
    monkeypatch.setattr(migrations, "MIGRATIONS", MIGRATIONS)
    assert migrate(bare_engine, home, clock) == [name for name, _ in MIGRATIONS[1:]]
    with reading(bare_engine) as connection:
        row = connection.execute(select(schema.requests)).one()
    assert (row.kind, row.losses) == ("publish", 0)


def test_a_database_without_its_house_row_is_not_silently_adopted(engine, home, clock):
    with writing(engine, clock) as write:
        write.connection.execute(delete(schema.house))
    with pytest.raises(StoreError):
        migrate(engine, home, clock)
