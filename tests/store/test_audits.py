"""Audits kept in the store on both engines, and their commands."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta

import pytest

from metrics.catalogue import load
from store import audits
from store.__main__ import main
from store.audits import Found
from store.engine import StoreError, open_engine, reading
from tests.town import Town, write_city

JUNE = date(2026, 6, 1), date(2026, 7, 1)
CLOSED = datetime(2026, 6, 10, 15, tzinfo=UTC)


def case(number, closed=CLOSED, **more):
    opened = CLOSED - timedelta(days=3)
    return {
        "case_id": f"c{number:02}",
        "opened": opened,
        "due": CLOSED,
        "closed": closed,
        "area": "N.",
        **more,
    }


CASES = (
    *(case(number) for number in range(20)),
    case(20, closed=None),
    case(21, reason="Duplicate"),
    case(22, closed=CLOSED + timedelta(days=25)),
)


def draw(town, size=5, seed=1, metric="on_time", days=JUNE):
    return audits.take(town.engine, town.catalogue, town.clock, metric, *days, size, seed)


def found(town, **until):
    with reading(town.engine) as connection:
        return audits.audits(connection, ["on_time"], **until)


def record(town, key, what=Found.DONE, sample=1, by="Ada", note=""):
    return audits.record(town.engine, town.clock, sample, key, what, by, note)


# --- drawing --------------------------------------------------------------------------------------


def test_only_cases_that_count_and_were_closed_in_the_range_are_drawn(town):
    town.ingest(*CASES)
    sample, drawn = draw(town, size=100)
    assert {one.key for one in drawn} == {f"c{number:02}" for number in range(20)}
    assert (sample.closed, sample.cases) == (20, tuple(one.key for one in drawn))
    assert {(one.closed, one.district) for one in drawn} == {("2026-06-10T15:00:00.000000Z", "N.")}


def test_a_draw_is_kept_and_can_be_repeated_by_its_seed(town):
    town.ingest(*CASES)
    one, two, other = draw(town)[0], draw(town)[0], draw(town, seed=2)[0]
    assert (one.id, two.id, other.id) == (1, 2, 3)
    assert one.cases == two.cases != other.cases
    assert [each.sample for each in found(town)] == [other, two, one]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metric": "on_tme"}, "Did you mean `on_time`?"),
        ({"size": 0}, "draw 1 or more"),
        ({"days": (date(2026, 6, 2), date(2026, 6, 2))}, "is not before"),
        ({"days": (date(2025, 1, 1), date(2025, 2, 1))}, "no case closed from 2025-01-01 to 2025-01-31"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_fix(town, given, said):
    town.ingest(*CASES)
    with pytest.raises(StoreError, match=said):
        draw(town, **given)
    assert found(town) == []


# --- recording ------------------------------------------------------------------------------------


def test_a_later_record_replaces_the_earlier_in_the_reading_and_both_stay(town):
    town.ingest(*CASES)
    keys = draw(town)[0].cases
    record(town, keys[0])
    now = record(town, keys[1], Found.NOT_DONE).verified
    assert (now.checked, now.done, now.rate, now.is_complete) == (2, 1, 0.5, False)
    again = record(town, keys[1], note="went twice").verified
    assert (again.checked, again.done) == (2, 2)
    with reading(town.engine) as connection:
        rows = connection.execute(audits.audit_results.select().order_by("id")).all()
    assert [(row.case_key, row.found) for row in rows] == [
        (keys[0], "done"),
        (keys[1], "not_done"),
        (keys[1], "done"),
    ]


def test_an_audit_is_complete_when_every_case_was_checked(town):
    town.ingest(*CASES)
    for key in draw(town)[0].cases:
        last = record(town, key)
    assert last.verified.is_complete
    assert last.verified.rate == 1


def test_an_audit_can_be_read_as_it_stood(town):
    town.ingest(*CASES)
    before = town.now
    sample = draw(town)[0]
    record(town, sample.cases[0])
    between = town.now
    record(town, sample.cases[1])
    assert found(town, until=before) == []
    assert [one.verified.checked for one in found(town, until=between)] == [1]
    assert [one.verified.checked for one in found(town)] == [2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sample": 9}, "There is no sample 9; there are 1"),
        ({"key": "c99"}, "has no case c99"),
        ({"by": " "}, "--by is empty"),
        ({"note": "two\nlines"}, "--note has a line break"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_the_fix(town, given, said):
    town.ingest(*CASES)
    key = draw(town)[0].cases[0]
    with pytest.raises(StoreError, match=said):
        record(town, **{"key": key, **given})
    assert [one.verified.checked for one in found(town)] == [0]


# --- the commands ---------------------------------------------------------------------------------

DRAW = ["audit", "draw", "on_time", "--since", "2026-06-01", "--until", "2026-07-01"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A town in files whose database has the cases."""
    folder = write_city(tmp_path / "test")
    for name, value in (("CITY", folder), ("DATA_DIR", tmp_path / "data")):
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "data" / "test").mkdir(parents=True)
    engine = open_engine(f"sqlite:///{tmp_path / 'data' / 'test' / 'cityscore.db'}")
    Town(engine, load(folder)).ingest(*CASES)
    engine.dispose()
    return folder


def test_a_draw_prints_a_work_list_that_is_a_csv_file(home, capsys):
    assert main([*DRAW, "--size", "3", "--seed", "1"]) == 0
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(out.splitlines()))
    assert [row["sample"] for row in rows] == ["1", "1", "1"]
    assert len({row["key"] for row in rows}) == 3
    assert err == (
        "sample 1: 3 of 20 closed cases, seed 1; when all are checked the 95% interval is at most 75 points "
        "wide, 64 where 90% are done\n"
    )
    assert main([*DRAW, "--size", "3", "--seed", "1"]) == 0
    again = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["key"] for row in again] == [row["key"] for row in rows]


def test_a_width_draws_as_many_as_it_needs(home, capsys):
    assert main([*DRAW, "--width", "0.5"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 12


def test_what_was_found_is_said_with_its_interval_and_so_far(home, capsys):
    main([*DRAW, "--size", "2", "--seed", "1"])
    keys = [row["key"] for row in csv.DictReader(capsys.readouterr().out.splitlines())]
    start = "sample 1 of on_time, closed 2026-06-01 up to 2026-07-01: "
    assert main(["audit", "list", "on_time"]) == 0
    assert main(["audit", "record", "1", keys[0], "--found", "done", "--by", "Ada"]) == 0
    assert main(["audit", "record", "1", keys[1], "--found", "not-done", "--by", "Ada", "--note", "n"]) == 0
    assert main(["audit", "list", "on_time"]) == 0
    complete = "1 of 2 done (50.0%, 95% interval 9.5% to 90.5%), 2 of 2 checked"
    assert capsys.readouterr().out.splitlines() == [
        f"{start}none of 2 checked yet",
        f"{start}1 of 1 done so far (100.0%, 95% interval 20.7% to 100.0%), 1 of 2 checked",
        f"{start}{complete}",
        f"{start}{complete}",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--width", "2"], "--width: a width lies between 0 and 1"),
        (["--size", "0"], "draw 1 or more"),
        (["--size", "1", "--seed", "-1"], "--seed is -1"),
    ],
)
def test_a_wrong_draw_ends_in_one_line_and_1(home, capsys, words, said):
    assert main([*DRAW, *words]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_a_metric_without_an_audit_says_so(home, capsys):
    assert main(["audit", "list", "on_time"]) == 0
    assert capsys.readouterr().out == "on_time: no sample was drawn\n"
