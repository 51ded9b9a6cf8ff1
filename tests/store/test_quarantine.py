"""Refused rows stay open until something newer is known of what they say, are counted, and are bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from store import quarantine, runs
from store.engine import reading, writing
from store.quarantine import QuarantinedRow
from store.schema import quarantine as table


def row(line, **more):
    fields = {"key": "1", "column": "opened", "value": "32.13.2026", "reason": "no such day"} | more
    return QuarantinedRow(line=line, row={"id": "1", "opened": "32.13.2026"}, **fields)


def refused(engine, clock, *rows, whole=False, places=(), staged=()):
    """One run of cases with its refused rows; gives its number."""
    run = runs.start(engine, clock, "cases", "test")
    with writing(engine, clock) as write:
        assert quarantine.quarantine_rows(write, run, "cases", rows) == len(rows)
        quarantine.supersede(
            write, "cases", run, whole=whole, places=places, staged=lambda keys: set(keys) & set(staged)
        )
        runs.finish(write, run, rejected=len(rows))
    return run


def current(engine, limit=None):
    with reading(engine) as connection:
        return quarantine.quarantined(connection, "cases", limit)


def lines(engine):
    return [one.line for one in current(engine)]


def test_refused_rows_are_kept_whole_and_given_by_line(engine, clock):
    broken = row(2, key=None, column=None, value=None, place="a.csv", form="broken")
    run = refused(engine, clock, row(9), broken)
    first, last = current(engine)
    assert (last.line, last.row, last.rule, last.form, last.run) == (
        9,
        row(9).row,
        "no such day",
        "received",
        run,
    )
    assert (first.line, first.key, first.place, first.form) == (2, None, "a.csv", "broken")
    assert current(engine, limit=1) == [first]


def test_a_reading_of_everything_answers_all_rows_before_it(engine, clock):
    refused(engine, clock, row(1), row(2, key=None))
    refused(engine, clock, row(3), whole=True)
    assert lines(engine) == [3]
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 3


def test_a_reading_of_a_part_answers_what_it_accepted_or_refused_again(engine, clock):
    refused(engine, clock, row(1, key="a"), row(2, key="b"), row(3, key="c"))
    refused(engine, clock, row(4, key="b"), staged=("a", "z"))
    assert lines(engine) == [3, 4]


def test_a_row_without_a_key_is_answered_when_its_file_is_read_again(engine, clock):
    refused(engine, clock, row(1, key=None, place="a.csv"), row(2, key=None, place="b.csv"))
    refused(engine, clock, places=("a.csv",))
    assert lines(engine) == [2]


def test_what_fails_says_nothing_of_rows_refused_before(engine, clock):
    refused(engine, clock, row(1))
    runs.fail(engine, clock, runs.start(engine, clock, "cases", "test"), "no")
    assert lines(engine) == [1]


def test_rows_are_counted_by_source_column_and_rule(engine, clock):
    refused(engine, clock, row(5), row(6), row(7, rule="other", reason="other 7", value=None))
    with reading(engine) as connection:
        found = quarantine.reasons(connection, ["cases", "nothing"])
    assert [(one.column, one.rule, one.count, one.line, one.value) for one in found] == [
        ("opened", "no such day", 2, 5, "32.13.2026"),
        ("opened", "other", 1, 7, None),
    ]


def test_the_oldest_rows_go_when_there_are_more_than_the_bound(engine, clock, monkeypatch):
    monkeypatch.setattr(quarantine, "OPEN_AT_MOST", 3)
    refused(engine, clock, row(1, key="a"), row(2, key="b"))
    refused(engine, clock, row(3, key="c"), row(4, key="d"))
    assert lines(engine) == [2, 3, 4]


@pytest.mark.parametrize("count", [0, 1, 1200])
def test_any_number_of_rows_leaves_with_the_run_that_answers_them(engine, clock, count):
    refused(engine, clock, *(row(n, key=str(n)) for n in range(count)))
    ids = [one.id for one in current(engine)]
    with writing(engine, clock) as write:
        quarantine.leave(write, ids, 99)
    assert current(engine) == []


def test_why_a_row_is_refused_today_is_kept_and_what_it_says_stays(engine, clock):
    refused(engine, clock, row(1), row(2))
    first, second = current(engine)
    with writing(engine, clock) as write:
        quarantine.refuse_again(write, [replace(first, column="id", value="1", reason="new", rule="new")])
    assert current(engine) == [replace(first, column="id", value="1", reason="new", rule="new"), second]
