"""Records: only what differs is written, every earlier version is kept, nothing is half-merged."""

from __future__ import annotations

import itertools
import sqlite3
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select

from metrics.model import Column, Source
from store import runs
from store.engine import StoreError, open_engine, reading, system_clock, writing
from store.migrations import migrate
from store.records import (
    MergeCounts,
    held_columns,
    prepare,
    record_table,
    replaced_table,
    stage_columns,
    staging,
    withdraw,
)
from store.schema import house

CASES = Source("cases", "Cases", "file", "id", (Column("id", "text"), Column("topic", "text")))
AWKWARD = "naïve “text”\t\\N\nnext"
KINDS = ("text", "integer", "number", "instant", "day", "boolean")
EVERYTHING = Source(
    "everything",
    "Everything",
    "file",
    "id",
    (Column("id", "text"), *(Column(f"a_{kind}", kind) for kind in KINDS)),
)


def ready(engine, clock, source, *dated):
    with writing(engine, clock) as write:
        prepare(write.connection, source, dated)


def load(engine, clock, source, rows, *, lines=None, complete=False, run=1):
    """Merges rows as one run; complete withdraws what they lack. Gives the counts and what was withdrawn."""
    with staging(engine, source) as stage:
        stage.add(rows, lines)
        with stage.writing(clock) as write:
            counts = stage.merge(write, run)
            gone = withdraw(write, source, stage.missing(), run) if complete else 0
            return counts, gone


def current(engine, source):
    """Key to its fields, withdrawn ones left out."""
    table = record_table(source)
    names = stage_columns(source)
    with reading(engine) as connection:
        found = connection.execute(select(table).where(table.c["_withdrawn_at"].is_(None))).mappings()
        return {row[source.key]: tuple(row[name] for name in names) for row in found}


def history(engine, source):
    """Key to its versions, oldest first: (from, to, fields or None when withdrawn)."""
    names = stage_columns(source)
    versions = {}
    with reading(engine) as connection:
        for table in (replaced_table(source), record_table(source)):
            for row in connection.execute(select(table).order_by(table.c["_recorded_from"])).mappings():
                fields = None if row["_withdrawn_at"] else tuple(row[name] for name in names)
                version = (row["_recorded_from"], row.get("_recorded_to"), fields)
                versions.setdefault(row[source.key], []).append(version)
    return versions


@pytest.fixture
def cases(engine, clock):
    ready(engine, clock, CASES)
    return CASES


# --- merging -------------------------------------------------------------------------------------


def test_the_first_load_is_all_new_and_the_same_rows_again_change_nothing(engine, clock, cases):
    rows = [("1", "Pothole"), ("2", None), ("3", "Litter")]
    assert load(engine, clock, cases, rows)[0] == MergeCounts(3, 0, 0, 0, ())
    before = history(engine, cases)
    assert load(engine, clock, cases, rows)[0] == MergeCounts(0, 0, 3, 0, ())
    assert history(engine, cases) == before
    assert current(engine, cases) == {row[0]: row for row in rows}


def test_a_changed_row_replaces_its_version_which_is_kept(engine, clock, cases):
    load(engine, clock, cases, [("1", "Pothole"), ("2", "Litter")], run=7)
    counts, _ = load(engine, clock, cases, [("1", "Graffiti"), ("2", "Litter"), ("3", "Dead animal")], run=8)
    assert counts == MergeCounts(1, 1, 1, 0, ())
    old, new = history(engine, cases)["1"]
    assert (old[2], new[2]) == (("1", "Pothole"), ("1", "Graffiti"))
    assert old[1] == new[0]
    table = record_table(cases)
    with reading(engine) as connection:
        said_by = dict(connection.execute(select(table.c.id, table.c["_run"])).all())
    assert said_by == {"1": 8, "2": 7, "3": 8}


@pytest.mark.parametrize(("before", "after"), [(None, "x"), ("x", None), ("", None), (None, "")])
def test_nothing_and_something_differ_and_nothing_equals_nothing(engine, clock, cases, before, after):
    load(engine, clock, cases, [("1", before), ("2", None)])
    assert load(engine, clock, cases, [("1", after), ("2", None)])[0] == MergeCounts(0, 1, 1, 0, ())
    assert current(engine, cases)["1"] == ("1", after)


def test_the_same_row_twice_is_repeated_and_a_contradicted_one_is_handed_back(engine, clock, cases):
    rows = [("1", "a"), ("1", "b"), ("2", "x"), ("1", "a"), ("2", "x"), ("3", None), ("3", "z")]
    counts, _ = load(engine, clock, cases, rows, lines=[10, 20, 30, 40, 50, 60, 70])
    assert (counts.new, counts.repeated) == (3, 2)
    assert [(one.key, one.line, one.row) for one in counts.conflicts] == [
        ("1", 20, ("1", "b")),
        ("3", 60, ("3", None)),
    ]
    assert current(engine, cases) == {"1": ("1", "a"), "2": ("2", "x"), "3": ("3", "z")}


def test_rows_may_come_in_many_pieces_and_their_lines_are_counted_on(engine, clock, cases):
    with staging(engine, cases) as stage:
        stage.add([("1", "a"), ("2", "b")])
        stage.add([])
        stage.add([("3", "c"), ("2", "other")])
        with stage.writing(clock) as write:
            counts = stage.merge(write, 1)
    assert counts.new == 3
    assert [one.line for one in counts.conflicts] == [2]


def test_an_empty_stage_changes_nothing(engine, clock, cases):
    assert load(engine, clock, cases, [])[0] == MergeCounts(0, 0, 0, 0, ())
    load(engine, clock, cases, [("1", "a")])
    assert load(engine, clock, cases, [])[0] == MergeCounts(0, 0, 0, 0, ())
    assert current(engine, cases) == {"1": ("1", "a")}


def test_a_merge_that_fails_leaves_the_records_as_they_were(engine, clock, cases):
    load(engine, clock, cases, [("1", "a")])
    before = history(engine, cases)
    with staging(engine, cases) as stage:
        stage.add([("1", "b"), ("2", "c")])
        with pytest.raises(KeyError), stage.writing(clock) as write:
            stage.merge(write, 1)
            raise KeyError
        assert history(engine, cases) == before
        with stage.writing(clock) as write:
            assert stage.merge(write, 1).new == 1
    assert current(engine, cases) == {"1": ("1", "b"), "2": ("2", "c")}


def test_a_failed_first_load_keeps_its_indexes(engine, clock, cases):
    before = inspect(engine).get_indexes("records_cases")
    with staging(engine, cases) as stage:
        stage.add([("1", "b")])
        with pytest.raises(KeyError), stage.writing(clock) as write:
            stage.merge(write, 1)
            raise KeyError
    assert before
    assert inspect(engine).get_indexes("records_cases") == before


def test_a_stage_does_not_merge_in_a_transaction_that_cannot_see_it(engine, clock, cases):
    with staging(engine, cases) as stage:
        stage.add([("1", "a")])
        with writing(engine, clock) as write, pytest.raises(ValueError, match=r"Stage\.writing"):
            stage.merge(write, 1)


def test_filling_a_stage_keeps_nobody_from_writing(engine, clock, cases):
    with staging(engine, cases) as first, staging(engine, cases) as second:
        first.add([("1", "a")])
        second.add([("2", "b")])
        load(engine, clock, cases, [("3", "c")])
        for stage in (first, second):
            with stage.writing(clock) as write:
                assert stage.merge(write, 1).new == 1
    assert set(current(engine, cases)) == {"1", "2", "3"}


# --- withdrawing ---------------------------------------------------------------------------------


def test_a_row_the_source_lost_is_marked_and_what_it_said_is_kept(engine, clock, cases):
    load(engine, clock, cases, [("1", "a"), ("2", "b")])
    counts, gone = load(engine, clock, cases, [("2", "b")], complete=True)
    assert (counts.unchanged, gone) == (1, 1)
    assert current(engine, cases) == {"2": ("2", "b")}
    said, lost = history(engine, cases)["1"]
    assert (said[2], lost[2]) == (("1", "a"), None)
    assert said[1] == lost[0]
    assert load(engine, clock, cases, [("2", "b")], complete=True) == (MergeCounts(0, 0, 1, 0, ()), 0)


def test_a_withdrawn_row_that_is_back_is_changed(engine, clock, cases):
    load(engine, clock, cases, [("1", "a"), ("2", "b")])
    load(engine, clock, cases, [("2", "b")], complete=True)
    assert load(engine, clock, cases, [("1", "a"), ("2", "b")])[0] == MergeCounts(0, 1, 1, 0, ())
    assert current(engine, cases) == {"1": ("1", "a"), "2": ("2", "b")}
    assert [fields for _, _, fields in history(engine, cases)["1"]] == [("1", "a"), None, ("1", "a")]


def test_many_rows_are_withdrawn_at_once_and_unknown_keys_are_passed_over(engine, clock, cases):
    load(engine, clock, cases, [(str(n), "a") for n in range(1200)])
    with writing(engine, clock) as write:
        assert withdraw(write, cases, [str(n) for n in range(100, 1300)], 2) == 1100
        assert withdraw(write, cases, ["100", "nobody"], 2) == 0
    assert len(current(engine, cases)) == 100


# --- tables --------------------------------------------------------------------------------------


def test_every_type_comes_back_as_it_went_in(engine, clock):
    ready(engine, clock, EVERYTHING, "a_instant", "a_day")
    rows = [
        ("1", AWKWARD, 2**53 + 1, 0.1 + 0.2, "2026-07-01T03:00:00.000000Z", "2026-06-30", "2026-01-01", 1),
        ("2", "", -5, -1e300, None, None, None, 0),
        ("3", None, None, None, None, None, None, None),
    ]  # fmt: skip
    assert load(engine, clock, EVERYTHING, rows)[0].new == 3
    assert current(engine, EVERYTHING) == {row[0]: row for row in rows}
    assert load(engine, clock, EVERYTHING, rows)[0].unchanged == 3
    assert [type(cell) for cell in current(engine, EVERYTHING)["1"]] == [
        str,
        str,
        int,
        float,
        str,
        str,
        str,
        int,
    ]


def test_an_instant_has_its_local_day_beside_it():
    assert stage_columns(EVERYTHING) == (
        "id", "a_text", "a_integer", "a_number", "a_instant", "a_instant_day", "a_day", "a_boolean",
    )  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        ("1", None, "many", None, None, None, None, None),
        (None,) + (None,) * 7,
        ("1", None, 2**70) + (None,) * 5,
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_page(engine, clock, row):
    ready(engine, clock, EVERYTHING)
    empty = (None,) * 7
    with staging(engine, EVERYTHING) as stage:
        stage.add([("0", *empty)])
        with pytest.raises(StoreError, match="A row of everything does not fit its columns"):
            stage.add([("9", *empty), row])
        stage.add([("2", *empty)])
        with stage.writing(clock) as write:
            assert stage.merge(write, 1).new == 2
    assert set(current(engine, EVERYTHING)) == {"0", "2"}


def test_the_tables_of_a_source_are_the_same_objects_each_time():
    assert record_table(CASES) is record_table(replace(CASES, name="Other words", options={"x": 1}))
    assert record_table(CASES) is not record_table(
        replace(CASES, columns=(*CASES.columns, Column("n", "day")))
    )


def test_what_metrics_count_by_is_indexed_before_and_after_the_first_load(engine, clock):
    source = replace(EVERYTHING, arrival="a_instant")
    ready(engine, clock, source, "a_day")
    wanted = {("_recorded_from",), ("a_day", "id"), ("a_instant_day", "id")}

    def indexed(name):
        return {tuple(one["column_names"]) for one in inspect(engine).get_indexes(name)}

    assert indexed("records_everything") == wanted
    load(engine, clock, source, [("1", *(None,) * 7)])
    assert indexed("records_everything") == wanted
    assert indexed("records_everything_replaced") == {("_recorded_to",)}


def test_a_new_column_is_added_and_an_index_too(engine, clock, cases):
    load(engine, clock, cases, [("1", "a")])
    load(engine, clock, cases, [("1", "b")])
    wider = replace(CASES, columns=(*CASES.columns, Column("due", "instant")), arrival="due")
    ready(engine, clock, wider)
    ready(engine, clock, wider)
    assert held_columns_of(engine, wider) == {"id", "topic", "due"}
    assert current(engine, wider) == {"1": ("1", "b", None, None)}
    assert (
        load(engine, clock, wider, [("1", "b", "2026-07-01T03:00:00.000000Z", "2026-06-30")])[0].changed == 1
    )
    assert [fields for _, _, fields in history(engine, wider)["1"]] == [
        ("1", "a", None, None),
        ("1", "b", None, None),
        ("1", "b", "2026-07-01T03:00:00.000000Z", "2026-06-30"),
    ]
    assert ("due_day", "id") in {
        tuple(one["column_names"]) for one in inspect(engine).get_indexes("records_cases")
    }


def test_a_column_that_left_the_catalogue_is_left_alone(engine, clock):
    wider = replace(CASES, columns=(*CASES.columns, Column("note", "text")))
    ready(engine, clock, wider)
    load(engine, clock, wider, [("1", "a", "kept")])
    ready(engine, clock, CASES)
    assert load(engine, clock, CASES, [("1", "a")])[0].unchanged == 1
    assert current(engine, wider) == {"1": ("1", "a", "kept")}


def held_columns_of(engine, source):
    with reading(engine) as connection:
        return held_columns(connection, source)


def test_a_source_never_prepared_holds_no_columns(engine, clock, cases):
    assert held_columns_of(engine, EVERYTHING) == frozenset()
    assert held_columns_of(engine, cases) == {"id", "topic"}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            replace(CASES, columns=(Column("id", "text"), Column("topic", "day"))),
            "column topic was text.*is now day",
        ),
        (replace(CASES, key="topic"), "the key was id.*is now topic"),
    ],
)
def test_a_column_that_means_something_else_now_is_refused(engine, clock, cases, source, told):
    load(engine, clock, cases, [("1", "a")])
    with pytest.raises(StoreError, match=told) as refusal, writing(engine, clock) as write:
        prepare(write.connection, source)
    assert "sources/cases.toml" in str(refusal.value)


@pytest.mark.parametrize(
    "source",
    [
        replace(CASES, columns=(*CASES.columns, Column("at", "instant"), Column("at_day", "text"))),
        replace(CASES, columns=(*CASES.columns, Column("_run", "text"))),
        replace(CASES, columns=(*CASES.columns, Column("n" * 64, "text"))),
        replace(CASES, id="c" * 50),
        replace(CASES, id="cases_replaced"),
    ],
)
def test_names_no_database_can_hold_are_refused_before_anything_is_made(engine, clock, source):
    before = inspect(engine).get_table_names()
    with pytest.raises(StoreError, match="sources/"), writing(engine, clock) as write:
        prepare(write.connection, source)
    assert inspect(engine).get_table_names() == before


# --- any history ---------------------------------------------------------------------------------

A_ROW = st.tuples(
    st.sampled_from("abcd"), st.sampled_from([None, "", "x", "y"]), st.sampled_from([None, 0, 1])
)
AN_EXTRACT = st.tuples(st.lists(A_ROW, max_size=7), st.booleans())
NUMBERS = itertools.count()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(AN_EXTRACT, max_size=6))
def test_any_extracts_leave_the_last_word_on_each_key_and_an_unbroken_chain_of_versions(
    engine, clock, extracts
):
    columns = (Column("id", "text"), Column("topic", "text"), Column("size", "integer"))
    source = Source(f"replay_{next(NUMBERS)}", "Replay", "file", "id", columns)
    ready(engine, clock, source)
    known, said, moments = {}, {}, []
    for rows, complete in extracts:
        counts, gone = load(engine, clock, source, rows, complete=complete)
        last = {row[0]: row for row in rows}
        after = (known if not complete else {}) | last
        expect = MergeCounts(
            new=len(last.keys() - said.keys()),
            changed=sum(key in said and known.get(key) != row for key, row in last.items()),
            unchanged=sum(known.get(key) == row for key, row in last.items()),
            repeated=counts.repeated,
            conflicts=counts.conflicts,
        )
        assert counts == expect
        assert len(last) + counts.repeated + len(counts.conflicts) == len(rows)
        assert gone == len(known.keys() - after.keys())
        for key in known.keys() | after.keys():
            if not said.get(key) or said[key][-1] != after.get(key):
                said.setdefault(key, []).append(after.get(key))
        known = after
        moments.append((last_written(engine), dict(known)))
    assert current(engine, source) == known
    versions = history(engine, source)
    assert {key: [fields for *_, fields in chain] for key, chain in versions.items()} == said
    for chain in versions.values():
        assert [until for _, until, _ in chain] == [*(start for start, *_ in chain[1:]), None]
    for moment, state in moments:
        assert state == {
            key: fields
            for key, chain in versions.items()
            for start, until, fields in chain
            if start <= moment and (until is None or moment < until) and fields is not None
        }


def last_written(engine):
    with reading(engine) as connection:
        return connection.execute(select(house.c.last_written_at)).scalar_one()


# --- kill -9 -------------------------------------------------------------------------------------

ROWS = 1500


def merge_for_ever(begun, url, source):
    engine = open_engine(url)
    for number in itertools.count(1):
        run = runs.start(engine, system_clock, source.id, "test")
        with staging(engine, source) as stage:
            stage.add([(str(n), f"{number}") for n in range(ROWS)])
            if number == 2:
                begun()
            with stage.writing(system_clock) as write:
                counts = stage.merge(write, run)
                runs.finish(write, run, new=counts.new, changed=counts.changed, known_until=system_clock())


@pytest.mark.parametrize("seed", range(10))
def test_a_merge_killed_anywhere_is_whole_or_not_there(any_engine_url, home, kill_during, seed):
    engine = open_engine(any_engine_url)
    migrate(engine, home, system_clock)
    ready(engine, system_clock, CASES)
    engine.dispose()
    kill_during(merge_for_ever, any_engine_url, CASES, seed=seed, longest=0.3)
    runs.start(engine, system_clock, "cases", "test")
    with reading(engine) as connection:
        ran = connection.execute(select(runs._runs).order_by(runs._runs.c.id.desc())).all()
    last = ran[1]
    done = last.id if last.outcome == "succeeded" else last.id - 1
    assert last.outcome in ("succeeded", "interrupted")
    assert set(current(engine, CASES).values()) == {(str(n), f"{done}") for n in range(ROWS)}
    chains = history(engine, CASES).values()
    assert len(chains) == ROWS
    for chain in chains:
        assert [fields[1] for *_, fields in chain] == [f"{number}" for number in range(1, done + 1)]
        assert [until for _, until, _ in chain] == [*(start for start, *_ in chain[1:]), None]
    assert load(engine, system_clock, CASES, [(str(n), f"{done}") for n in range(ROWS)])[0].unchanged == ROWS
    engine.dispose()


# --- speed ---------------------------------------------------------------------------------------


@pytest.mark.matrix
def test_a_first_load_costs_little_more_than_writing_rows_straight_into_the_table(tmp_path, home, clock):
    columns = (Column("id", "text"), *(Column(f"word_{n}", "text") for n in range(8)))
    source = Source("many", "Many", "file", "id", columns)
    rows = [(f"{n * 7919 % 200_003:09}", *(f"some words {n % 40}" for _ in range(8))) for n in range(200_000)]
    engine = open_engine(f"sqlite:///{tmp_path / 'home.db'}")
    migrate(engine, home, clock)
    ready(engine, clock, source)
    straight = sqlite3.connect(tmp_path / "straight.db", isolation_level=None)
    straight.execute("PRAGMA journal_mode = WAL")
    names = stage_columns(source)
    straight.execute(f"CREATE TABLE many ({', '.join(names)}, a, b, PRIMARY KEY (id))")
    straight.execute("CREATE INDEX by_a ON many (a)")
    began = time.process_time()
    straight.execute("BEGIN")
    marks = ", ".join("?" * len(names))
    straight.executemany(f"INSERT INTO many VALUES ({marks}, '2026-07-01T03:00:00.000000Z', 1)", rows)
    straight.execute("COMMIT")
    raw = time.process_time() - began
    straight.close()
    began = time.process_time()
    assert load(engine, clock, source, rows)[0].new == len(rows)
    assert time.process_time() - began <= 1.3 * raw
    engine.dispose()
