"""A long range is read in steps, each a run; what was killed goes on where it stopped."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from ingest.backfill import backfill, left, pieces
from ingest.run import run_source
from store import runs
from store.engine import reading

HEADER_LINE = "id,opened,closed,topic,amount"


def rows():
    lines = [HEADER_LINE]
    for number in range(90):
        day = date(2026, 5, 1) + timedelta(days=number)
        lines.append(f"c{number},{day} 10:00,,Pothole,1")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("step", "firsts"),
    [
        ("month", ["2026-01-15", "2026-02-01", "2026-03-01"]),
        ("quarter", ["2026-01-15"]),
        ("year", ["2026-01-15"]),
    ],
)
def test_steps_begin_where_the_calendars_do(step, firsts):
    found = pieces(date(2026, 1, 15), date(2026, 3, 10), step)
    assert [str(one.since) for one in found] == firsts
    assert found[-1].until == date(2026, 3, 10)


def test_weeks_begin_on_monday_and_no_day_is_left_out_or_twice():
    for step in ("day", "week", "month", "quarter", "year"):
        found = pieces(date(2025, 12, 30), date(2027, 1, 2), step)
        assert found[0].since == date(2025, 12, 30) and found[-1].until == date(2027, 1, 2)
        assert all(after.since == before.until + timedelta(days=1) for before, after in pairwise(found))
    assert pieces(date(2025, 12, 30), date(2026, 1, 9), "week")[1].since == date(2026, 1, 5)


def test_what_is_left_follows_from_the_order_of_the_runs():
    wanted = pieces(date(2026, 1, 1), date(2026, 3, 31), "month")
    assert left(wanted, [None, None, None]) == wanted
    assert left(wanted, [5, 6, None]) == wanted[2:]
    assert left(wanted, [5, 6, 7]) == wanted, "one that is whole begins anew"
    assert left(wanted, [8, 6, 7]) == wanted[1:], "and goes on with its second step"
    assert left(wanted, [None, 6, 7]) == wanted, "steps of another range are not of this one"


def test_a_backfill_that_was_stopped_goes_on_and_each_step_is_a_run_of_its_own(any_bench):
    bench = any_bench
    bench.file("cases.csv", rows())
    wanted = pieces(date(2026, 5, 1), date(2026, 7, 31), "month")
    told: list[str] = []

    def stop(sentence):
        told.append(sentence)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(bench.desk, bench.source(), wanted, stop)
    assert len(bench.records()) == 61
    again: list[str] = []
    assert backfill(bench.desk, bench.source(), wanted, again.append) is None
    assert again == [
        "cases: 2 of 3 steps are done; going on at 2026-07-01",
        "3 of 3, 2026-07-01 to 2026-07-31: cases: 29 new, 0 changed, 0 unchanged, 0 rejected",
    ]
    with reading(bench.engine) as connection:
        last = runs.last_runs(connection)["cases"]
    assert last.trigger == "backfill 2026-07-01..2026-07-31"
    assert last.known_until is None, "a range says nothing of how far the source is known"
    whole = run_source(bench.desk, bench.source())
    assert (whole.new, whole.unchanged) == (0, 90)


def test_a_step_that_fails_ends_it_and_is_the_first_of_the_next_time(bench):
    wanted = pieces(date(2026, 5, 1), date(2026, 6, 30), "month")
    told: list[str] = []
    report = backfill(bench.desk, bench.source(), wanted, told.append)
    assert report is not None and report.outcome == "failed" and told == []
    bench.file("cases.csv", rows())
    assert backfill(bench.desk, bench.source(), wanted, told.append) is None
    assert told[0].startswith("1 of 2, 2026-05-01 to 2026-05-31: cases: 31 new")
