"""Backups: whole, of one moment, the same on both engines, and refused rather than half-restored."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select

from metrics.catalogue import load
from store import (
    audit_log,
    backup,
    migrations,
    one_time_links,
    people,
    publications,
    records,
    runs,
    schema,
    sessions,
)
from store.__main__ import main
from store.audit_log import BY_HAND
from store.backup import LEFT_BEHIND_SECONDS, back_up, tables_kept
from store.backup_file import MANIFEST, opened
from store.engine import StoreError, open_engine, reading, writing
from store.migrations import MIGRATIONS, migrate
from store.one_time_links import Purpose
from store.restore import STATE_LEAP, restore
from tests.town import Town, case, write_city

NOW = "2026-07-02T03:04:05.000006Z"
ENGINES = ("sqlite", "postgresql")
ODD = 'a "quoted", \\ and\nbroken line, é, 你好, \u2028 \x7f'


def say_nothing(_sentence):
    pass


def save(engine, path, **more):
    return back_up(engine, path, now=NOW, program="test", tell=say_nothing, **more)


def bring_back(engine, town, path, folder):
    return restore(engine, town.catalogue.city, town.clock, path, snapshots=folder, tell=say_nothing)


def fill(town):
    """Two publications, versions, a withdrawal, a refused row, and records of a source that is no more."""
    town.ingest(*(case(str(n), 1 + n % 28, n % 30 or None) for n in range(60)), case("odd", 1, 1, reason=ODD))
    town.publish(date(2026, 7, 1))
    town.now = datetime(2026, 7, 2, 12, tzinfo=UTC)
    gone = replace(town.catalogue.sources["cases"], id="gone")
    with writing(town.engine, town.clock) as held:
        records.prepare(held.connection, gone, ("due",))
    town.ingest(
        *(case(str(n), 1 + n % 28, 2) for n in range(20, 40)), until=datetime(2026, 7, 2, 12, tzinfo=UTC)
    )
    run = runs.start(town.engine, town.clock, "cases", "test")
    runs.fail(town.engine, town.clock, run, "The road is closed.")
    row = {"run": run, "source": "cases", "reason": "none", "row": "{}", "recorded_at": NOW}
    with writing(town.engine, town.clock) as held:
        held.connection.execute(schema.quarantine.insert().values(line=None, **row))
    town.publish(date(2026, 7, 2))


def everything(engine):
    """Every row of every table, by table, sorted; the state left out, which leaps."""
    with reading(engine) as connection:
        return {
            table.name: sorted(
                (
                    tuple(sorted((name, cell) for name, cell in row._mapping.items() if name != "state"))
                    for row in connection.execute(select(table))
                ),
                key=repr,
            )
            for table in tables_kept(connection)
        }


def shape(engine):
    """What the database itself says of its tables: columns, keys and indexes."""
    inspector = inspect(engine)
    return {
        name: (
            [
                (one["name"], one["type"].compile(engine.dialect), one["nullable"])
                for one in inspector.get_columns(name)
            ],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted((one["name"], tuple(one["column_names"])) for one in inspector.get_indexes(name)),
        )
        for name in inspector.get_table_names()
    }


def count_rows(engine):
    return {name: len(rows) for name, rows in everything(engine).items()}


def is_fresh(engine):
    return {name for name, count in count_rows(engine).items() if count} <= {"house", "migrations"}


def hashes(path):
    with opened(path) as file:
        return {one.name: one.sha256 for one in file.manifest.tables if one.name != "house"}


@pytest.fixture
def target(any_engine_url, new_database):
    """An empty database on the other engine than the town's."""
    other = "sqlite" if any_engine_url.startswith("postgresql") else "postgresql"
    engine = open_engine(new_database(other))
    yield engine
    engine.dispose()


@pytest.fixture
def twin(any_engine_url, new_database):
    """An empty database on the town's own engine."""
    engine = open_engine(new_database("postgresql" if any_engine_url.startswith("postgresql") else "sqlite"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def first_small(tmp_path_factory):
    """The files of `small`, and what its clock shows."""
    folder = tmp_path_factory.mktemp("small")
    engine = open_engine(f"sqlite:///{folder / 'small.db'}")
    town = Town(engine, load(write_city(folder / "test")))
    fill(town)
    save(engine, folder / "small.zip")
    engine.dispose()
    return folder, town.now


@pytest.fixture
def small(first_small, city, tmp_path):
    """A town on SQLite, and a backup of it."""
    made, now = first_small
    for name in ("small.db", "small.zip"):
        shutil.copy2(made / name, tmp_path / name)
    engine = open_engine(f"sqlite:///{tmp_path / 'small.db'}")
    town = Town(engine, load(city))
    town.now = now
    yield town, tmp_path / "small.zip"
    engine.dispose()


@pytest.fixture
def fresh(new_database):
    engine = open_engine(new_database("sqlite"))
    yield engine
    engine.dispose()


# --- there and back ------------------------------------------------------------------------------


def test_a_city_moves_to_the_other_engine_and_back_row_by_row(town, target, twin, tmp_path):
    fill(town)
    save(town.engine, tmp_path / "one.zip")
    bring_back(target, town, tmp_path / "one.zip", tmp_path)
    assert everything(target) == everything(town.engine)
    save(target, tmp_path / "two.zip")
    bring_back(twin, town, tmp_path / "two.zip", tmp_path)
    assert everything(twin) == everything(town.engine)
    assert hashes(tmp_path / "one.zip") == hashes(tmp_path / "two.zip")
    assert shape(twin) == shape(town.engine)
    assert any(name.startswith("records_gone") for name in shape(twin))


def test_a_restored_city_verifies_and_publishes_on_with_its_ids(town, target, tmp_path):
    fill(town)
    save(town.engine, tmp_path / "one.zip")
    with reading(town.engine) as connection:
        state = publications.state(connection)
    bring_back(target, town, tmp_path / "one.zip", tmp_path)
    moved = Town(target, town.catalogue)
    moved.now = datetime(2026, 7, 3, 12, tzinfo=UTC)
    assert moved.verified() == []
    with reading(target) as connection:
        assert publications.state(connection) == state + STATE_LEAP
    moved.ingest(case("new", 3, 9), until=datetime(2026, 7, 3, 12, tzinfo=UTC))
    made = moved.publish(date(2026, 7, 3)).publication
    assert made is not None and made.id == 3
    assert moved.verified() == []
    with reading(target) as connection:
        assert publications.state(connection) == state + STATE_LEAP + 1
        assert [*connection.execute(select(schema.runs.c.id).order_by(schema.runs.c.id)).scalars()] == [
            1,
            2,
            3,
            4,
        ]


def test_a_database_that_has_only_its_house_may_be_filled(small, fresh, tmp_path):
    town, path = small
    migrate(fresh, town.catalogue.city, town.clock)
    bring_back(fresh, town, path, tmp_path)
    assert everything(fresh) == everything(town.engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_sessions_and_links_of_a_backup_let_nobody_in(small, new_database, tmp_path, engine):
    town, _path = small
    with writing(town.engine, town.clock) as write:
        ada = people.add(write, BY_HAND, "Ada", "ada@city.example")
        secret = sessions.begin(write, ada, "a browser", "test")
        links = [one_time_links.make(write, BY_HAND, one, ada.id) for one in Purpose]
    with reading(town.engine) as connection:
        assert sessions.find(connection, secret, town.now) is not None
    save(town.engine, tmp_path / "open.zip")
    restored = open_engine(new_database(engine))
    bring_back(restored, town, tmp_path / "open.zip", tmp_path)
    with reading(restored) as connection:
        assert sessions.find(connection, secret, town.now) is None
        assert [one_time_links.find(connection, one, town.now) for one in links] == [None] * 3
        assert people.get(connection, ada.id) == ada
        said = audit_log.entries(connection)[0]
    restored.dispose()
    assert (said.act, said.actor) == ("backup restored", BY_HAND)
    assert said.words == {"sessions": 1, "links": 3, "made_at": NOW}


def test_a_backup_of_an_older_version_gets_the_migrations_it_lacks(small, fresh, tmp_path, monkeypatch):
    town, path = small

    def later(connection):
        connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN later TEXT")
        connection.exec_driver_sql("UPDATE runs SET later = source")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, ("9000_later", later)))
    report = bring_back(fresh, town, path, tmp_path)
    assert report.migrations == ("9000_later",)
    with reading(fresh) as connection:
        found = connection.exec_driver_sql("SELECT later FROM runs").scalars()
        assert list(found) == ["cases", "cases", "cases"]


def test_the_manifest_says_what_is_inside(small):
    town, path = small
    with zipfile.ZipFile(path) as zipped:
        said = json.loads(zipped.read(MANIFEST))
        lines = {one: zipped.read(one).count(b"\n") for one in zipped.namelist() if one != MANIFEST}
    assert (said["city"], said["made_at"], said["program"]) == ("test", NOW, "test")
    assert said["migrations"] == [name for name, _ in MIGRATIONS]
    assert {f"tables/{one['name']}.jsonl": one["rows"] for one in said["tables"]} == lines
    assert {one["name"]: one["rows"] for one in said["tables"]} == count_rows(town.engine)
    assert lines["tables/catalogues.jsonl"] == 1


def test_a_backup_is_readable_by_its_owner_alone_and_leaves_nothing_beside_it(small):
    _, path = small
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.glob(".*")) == []


# --- while others write --------------------------------------------------------------------------


def test_a_backup_is_of_one_moment_while_somebody_writes(town, target, tmp_path):
    town.ingest(case("first", 1, 1))
    stop, written = threading.Event(), []

    def write():
        while not stop.is_set():
            turn = len(written)
            town.ingest(*(case(f"{turn}-{n}", 1 + n % 28, 3) for n in range(50)))
            written.append(turn)
            if turn % 3 == 0:
                town.publish(date(2026, 7, 1))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        paths = [tmp_path / f"{number}.zip" for number in range(4)]
        for path in paths:
            before = len(written)
            while len(written) < before + 2:
                time.sleep(0.01)
            save(town.engine, path)
        # The writer was not kept waiting for the end of the last one.
        assert len(written) > before
    finally:
        stop.set()
        writer.join()
    bring_back(target, town, paths[-1], tmp_path)
    with reading(target) as connection:
        runs_done = connection.execute(select(func.count()).where(schema.runs.c.outcome == "succeeded"))
        table = records.record_table(town.catalogue.sources["cases"])
        rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
        assert rows == 1 + 50 * (runs_done.scalar_one() - 1) > 1
    assert Town(target, town.catalogue).verified() == []


# --- what is refused -----------------------------------------------------------------------------


def refused(engine, town, path, told, tmp_path):
    with pytest.raises(StoreError, match=told) as refusal:
        bring_back(engine, town, path, tmp_path)
    assert "\n" not in str(refusal.value)


def test_a_database_that_holds_anything_is_refused_and_stays(small, tmp_path):
    town, path = small
    before = everything(town.engine)
    refused(town.engine, town, path, r"not empty \(it has rows in .*catalogues, .* and more\)", tmp_path)
    assert everything(town.engine) == before


def test_the_backup_of_another_city_is_refused_before_a_database_is_made(small, fresh, tmp_path):
    town, path = small
    other = replace(town.catalogue, city=replace(town.catalogue.city, id="village"))
    with pytest.raises(StoreError, match="a backup of the city test, not of village"):
        restore(fresh, other.city, town.clock, path, snapshots=tmp_path, tell=say_nothing)
    assert inspect(fresh).get_table_names() == []


@pytest.mark.parametrize("change", [{"time_zone": "UTC"}, {"week_start": "sunday"}])
def test_another_calendar_is_refused(small, fresh, tmp_path, change):
    town, path = small
    city = replace(town.catalogue.city, **change)
    with pytest.raises(StoreError, match=f"{next(iter(change))}.*put .* back"):
        restore(fresh, city, town.clock, path, snapshots=tmp_path, tell=say_nothing)
    assert inspect(fresh).get_table_names() == []


def rewritten(path, changes):
    """The same zip with other bytes in some members, its own checksums right."""
    made = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if changes.get(name, "") is not None:
                new.writestr(name, changes[name](data) if name in changes else data)
    return made


def manifest_with(**more):
    return {MANIFEST: lambda data: json.dumps({**json.loads(data), **more}).encode()}


def table_with(table, **more):
    """The change of what the manifest says of one table."""

    def changed(data):
        said = json.loads(data)
        said["tables"] = [{**one, **more} if one["name"] == table else one for one in said["tables"]]
        return json.dumps(said).encode()

    return {MANIFEST: changed}


def forged(path, name, change, **more):
    """The same backup with other rows in a table, and a manifest that vouches for them."""
    with zipfile.ZipFile(path) as zipped:
        rows = change(zipped.read(f"tables/{name}.jsonl"))
    vouched = table_with(name, sha256=hashlib.sha256(rows).hexdigest(), **more)
    return rewritten(path, {f"tables/{name}.jsonl": lambda _data: rows, **vouched})


STRANGE_PLACES = (
    *("../x", "/x", "", ".", "x", "cases/2025", "cases/2025/", "cases//a.csv", "cases/./a.csv"),
    *("cases/2025/..", "cases/2025/a/b.csv", "cases/year/a.csv", "a\\2025\\b", "cases/2025/a\\b"),
    *("cases/2025/a\0b", "cases/2025/a\nb", "cases/2025/\x1b[2J", "/2025/a.csv"),
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (manifest_with(format=2), "made by a newer program; update the program"),
        (manifest_with(migrations=["0001_first_tables", "9999_x"]), "newer than the program.*9999_x"),
        (manifest_with(tables="none"), "damaged.*manifest.json"),
        *(
            (manifest_with(snapshots=[{"path": path, "bytes": 1, "sha256": ""}]), "no place of a snapshot")
            for path in STRANGE_PLACES
        ),
        (manifest_with(city="te\x1bst"), "damaged.*nothing that can be printed"),
        ({MANIFEST: lambda _data: b"[" * 100_000}, "damaged.*nothing that can be understood"),
        ({MANIFEST: lambda _data: b"9" * 5_000}, "damaged.*nothing that can be understood"),
        (table_with("scores", columns=[]), "scores is described in a way no table can be"),
        (table_with("records_gone", key=["nothing"]), "records_gone is described in a way no table"),
        (table_with("records_gone", indexes={"more": ["nothing"]}), "records_gone is described in a way"),
        (table_with("records_gone", indexes={'i" ON x': ["id"]}), "records_gone is described in a way"),
        (table_with("records_gone", name="scores"), "names a table twice"),
        (table_with("records_gone", name='records_x"; --'), "is no table of ours"),
        (
            {MANIFEST: lambda data: data.replace(b'"records_gone"', b'"streets"')},
            "'streets' is no table of ours",
        ),
        ({MANIFEST: lambda data: data[:200]}, "damaged"),
        ({MANIFEST: None}, "damaged: manifest.json cannot be read"),
        ({"tables/scores.jsonl": None}, "damaged: tables/scores.jsonl cannot be read"),
        (
            {"tables/scores.jsonl": lambda data: data.replace(b"on_time", b"on_tune", 1)},
            "is not what was written",
        ),
        ({"tables/scores.jsonl": lambda data: data[:-1]}, "tables/scores.jsonl is not what was written"),
    ],
)
def test_a_file_that_is_not_what_was_written_is_refused(small, fresh, tmp_path, changes, told):
    town, path = small
    refused(fresh, town, rewritten(path, changes), told, tmp_path)
    assert inspect(fresh).get_table_names() == []


def first_row(change):
    """The rows with another first one."""

    def changed(data):
        first, _, rest = data.partition(b"\n")
        return json.dumps(change(json.loads(first))).encode() + b"\n" + rest

    return changed


def as_instants(data):
    """Every column an instant, so that each lacks the column of its day."""
    rows = [json.loads(line) for line in data.splitlines()]
    return b"".join(json.dumps([*row[:2], "instant", row[3]]).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("scores", lambda data: b"[" * 100_000 + b"\n" + data, "has a row that cannot be read"),
        ("scores", lambda data: b"{\n" + data, "has a row that cannot be read"),
        ("scores", lambda data: b"\xff\n" + data, "has a row that cannot be read"),
        ("scores", lambda data: b"[" + b"9" * 5_000 + b"]\n" + data, "has a row that cannot be read"),
        ("scores", lambda data: b"\n" + data, "has a row that cannot be read"),
        ("scores", lambda data: data + b"5", "does not fit its columns"),
        ("scores", lambda data: b'{"id": 1}\n' + data, "does not fit its columns"),
        ("scores", first_row(lambda row: row[:-1]), "does not fit its columns"),
        ("scores", first_row(lambda row: [*row, 1]), "does not fit its columns"),
        ("scores", first_row(lambda row: [[1], *row[1:]]), "does not fit its columns"),
        ("scores", first_row(lambda row: [{}, *row[1:]]), "does not fit its columns"),
        ("scores", first_row(lambda row: [10**30, *row[1:]]), "cannot be written into this database"),
        ("migrations", lambda data: data.partition(b"\n")[2], "its migrations are not those of its manifest"),
        ("record_columns", first_row(lambda row: ["../x", *row[1:]]), "record_columns names a source"),
        ("record_columns", first_row(lambda row: [row[0], "nothing", *row[2:]]), "record_columns names a"),
        ("record_columns", first_row(lambda row: [*row[:2], "evil", row[3]]), "record_columns names a"),
        ("record_columns", first_row(lambda row: [*row[:3], 1 - row[3]]), "record_columns names a source"),
        ("record_columns", first_row(lambda row: [row[0], "_run", *row[2:]]), "record_columns names a"),
        ("record_columns", as_instants, "record_columns names a source"),
    ],
)
def test_rows_no_backup_has_are_refused_and_leave_nothing(
    small, fresh, received, tmp_path, name, change, told
):
    town, _ = small
    save(town.engine, tmp_path / "with.zip", snapshots=received)
    refused(fresh, town, forged(tmp_path / "with.zip", name, change), told, tmp_path / "back")
    assert is_fresh(fresh) and not (tmp_path / "back").exists()


def test_a_column_the_database_does_not_have_is_refused(small, fresh, tmp_path):
    town, path = small
    with opened(path) as file:
        [house] = [one for one in file.manifest.tables if one.name == "house"]
    columns = [{"name": one.name, "type": one.type, "optional": one.optional} for one in house.columns]
    columns[-1]["name"] = "door"
    broken = rewritten(path, table_with("house", columns=columns, indexes={}))
    refused(fresh, town, broken, "damaged: house has no column door", tmp_path)
    assert is_fresh(fresh)


def test_what_unpacks_to_more_than_memory_holds_is_refused_early(small, fresh, tmp_path, monkeypatch):
    town, path = small
    monkeypatch.setattr("store.backup_file.MOST_AT_ONCE", 100_000)
    bombs = {
        "its manifest.json has more than 100000 bytes": rewritten(
            path, manifest_with(program="x" * 100_000)
        ).rename(tmp_path / "manifest.zip"),
        "tables/scores.jsonl has a row of more than 100000 bytes": forged(
            path, "scores", lambda data: data + b'["' + b"x" * 3_000_000
        ),
    }
    for told, bomb in bombs.items():
        refused(fresh, town, bomb, told, tmp_path)
    assert is_fresh(fresh)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_packed_in_another_way_is_refused(small, fresh, tmp_path, packing):
    town, path = small
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w", packing) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    refused(fresh, town, other, "manifest.json is packed in a way no backup is", tmp_path)


@pytest.mark.parametrize("where", [0.02, 0.2, 0.4, 0.6, 0.8, 0.999])
def test_a_flipped_bit_anywhere_is_found_or_harmless(small, fresh, tmp_path, where):
    town, path = small
    data = bytearray(path.read_bytes())
    data[int(len(data) * where)] ^= 0x10
    path.write_bytes(data)
    try:
        bring_back(fresh, town, path, tmp_path)
    except StoreError as refusal:
        assert "\n" not in str(refusal) and inspect(fresh).get_table_names() == []
    else:
        assert everything(fresh) == everything(town.engine)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_file_cut_short_is_refused(small, fresh, tmp_path, share):
    town, path = small
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(fresh, town, path, "damaged or no backup", tmp_path)
    refused(fresh, town, tmp_path / "none.zip", "none.zip cannot be read", tmp_path)
    assert inspect(fresh).get_table_names() == []


def test_rows_a_database_does_not_take_leave_it_as_it_was(small, fresh, tmp_path, monkeypatch):
    town, path = small
    broken = rewritten(path, {"tables/scores.jsonl": lambda data: data + data.splitlines(True)[0]})
    monkeypatch.setattr("store.backup_file.BackupFile.prove", lambda _self, _tell: None)
    refused(fresh, town, broken, "cannot be written into this database: .*UNIQUE", tmp_path)
    assert is_fresh(fresh)


def test_an_existing_file_is_never_written_over(small):
    town, path = small
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is there already"):
        save(town.engine, path)
    assert path.read_bytes() == before


def test_a_full_disk_leaves_no_file(small, monkeypatch):
    town, path = small

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot be written \(No space left on device\)"):
        save(town.engine, path.with_name("more.zip"))
    assert [one.name for one in path.parent.glob("*more*")] == []


# --- snapshots -----------------------------------------------------------------------------------


@pytest.fixture
def received(tmp_path):
    folder = tmp_path / "received"
    for name, content in {"cases/2025/a.csv": b"1" * 3_000_000, "cases/2026/b.csv.gz": b"\x00\x01"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "cases/2026/c.part").write_bytes(b"unfinished")
    (folder / "cases/2026/a name\nnot ours").write_bytes(b"")
    return folder


def contents(folder):
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_snapshots_come_along_where_asked_for(small, fresh, received, tmp_path):
    town, _ = small
    report = save(town.engine, tmp_path / "with.zip", snapshots=received)
    assert "2 snapshots" in report.line()
    back = tmp_path / "back"
    restored = bring_back(fresh, town, tmp_path / "with.zip", back)
    assert (restored.snapshots, restored.kept) == (2, 0)
    (received / "cases/2026/c.part").unlink()
    (received / "cases/2026/a name\nnot ours").unlink()
    assert contents(back) == contents(received)


def test_snapshots_that_are_there_stay_and_others_are_not_written_over(small, fresh, received, tmp_path):
    town, _ = small
    save(town.engine, tmp_path / "with.zip", snapshots=received)
    (received / "cases/2026/b.csv.gz").write_bytes(b"other")
    refused(fresh, town, tmp_path / "with.zip", "b.csv.gz is there already and holds other bytes", received)
    assert is_fresh(fresh) and (received / "cases/2026/b.csv.gz").read_bytes() == b"other"
    (received / "cases/2026/b.csv.gz").unlink()
    restored = bring_back(fresh, town, tmp_path / "with.zip", received)
    assert (restored.snapshots, restored.kept) == (1, 1)


# --- what interrupts -----------------------------------------------------------------------------


def restore_to_the_end(begun, url, town, path, folder):
    begun()
    bring_back(open_engine(url), town, path, folder)
    time.sleep(60)


def back_up_to_the_end(begun, url, path):
    begun()
    save(open_engine(url), path)
    time.sleep(60)


@pytest.fixture
def large(small, tmp_path):
    """A backup that takes a while to restore."""
    town, _ = small
    town.ingest(*(case(f"more-{n}", 1 + n % 28, n % 30 or None) for n in range(4000)))
    town.publish(date(2026, 7, 2))
    town.engine.dispose()
    save(town.engine, tmp_path / "large.zip")
    town.engine.dispose()
    return town, tmp_path / "large.zip"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_restore_killed_anywhere_can_be_done_over(large, new_database, kill_during, tmp_path, engine):
    town, path = large
    wanted = everything(town.engine)
    town.engine.dispose()
    for seed in range(4):
        url = new_database(engine)
        longest = 0.8 if engine == "sqlite" else 1.6
        kill_during(restore_to_the_end, url, town, path, tmp_path, seed=seed, longest=longest)
        found = open_engine(url)
        migrate(found, town.catalogue.city, town.clock)
        if is_fresh(found):
            bring_back(found, town, path, tmp_path)
        assert everything(found) == wanted
        found.dispose()


def test_a_backup_killed_anywhere_is_whole_or_not_there(large, kill_during, tmp_path):
    town, _ = large
    folder = tmp_path / "kept"
    for seed in range(6):
        path = folder / f"{seed}.zip"
        kill_during(back_up_to_the_end, str(town.engine.url), path, seed=seed, longest=0.5)
        if path.exists():
            with opened(path) as file:
                file.prove(say_nothing)
    left = list(folder.glob(".*.part"))
    long_ago = time.time() - LEFT_BEHIND_SECONDS - 60
    for one in left:
        os.utime(one, (long_ago, long_ago))
    fresh_one = folder / ".now.zip.x.part"
    folder.mkdir(exist_ok=True)
    fresh_one.touch()
    save(town.engine, folder / "last.zip")
    assert list(folder.glob(".*.part")) == [fresh_one]


# --- the commands --------------------------------------------------------------------------------


@pytest.fixture
def at_home(city, tmp_path, monkeypatch):
    monkeypatch.setenv("CITY", str(city))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path / "data" / "test"


def test_the_commands_say_what_they_did_in_counts(small, at_home, tmp_path, capsys):
    _, path = small
    assert main(["restore", str(path)]) == 0
    said = capsys.readouterr().out
    assert " tables, " in said and "restored as of 2026-07-02T03:04:05.000006Z" in said
    assert main(["backup"]) == 0
    [made] = (at_home / "backups").glob("test-*Z.zip")
    assert "backed up" in capsys.readouterr().out
    assert hashes(made) == hashes(path)
    (tmp_path / "elsewhere").mkdir()
    assert main(["backup", str(tmp_path / "elsewhere"), "--with-snapshots"]) == 0
    assert len(list((tmp_path / "elsewhere").glob("test-*.zip"))) == 1


def test_a_refused_restore_is_one_line_and_exit_1_and_makes_no_database(at_home, tmp_path, capsys):
    assert main(["restore", str(tmp_path / "none.zip")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (at_home / "cityscore.db").exists()


def test_names_of_backups_sort_as_their_times_do():
    assert backup.default_name("test", NOW) == "test-20260702T030405Z.zip"


def test_the_folder_of_a_backup_is_made(small, tmp_path):
    town, _ = small
    save(town.engine, Path(tmp_path / "a" / "b" / "c.zip"))
    assert (tmp_path / "a" / "b" / "c.zip").exists()
