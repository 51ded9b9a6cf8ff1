"""Computed columns: records hold what an expression makes of their row; what is not believed is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ingest.run import run_source
from metrics.model import City, Column
from tests.ingest.conftest import CASES

HEADER = "id,opened,closed,topic,amount\n"
ROWS = (
    "a,2026-07-01 23:30,2026-07-02 01:00,Pothole,3\n"
    "b,2026-07-03 09:00,,it's 50%: Sign,\n"
    "c,2026-07-03 09:00,2026-07-03 09:00,,7\n"
)


def with_columns(bench, *columns, city=None):
    bench.file("cases.csv", HEADER + ROWS)
    if city is not None:
        bench.desk = replace(bench.desk, city=city)
    return replace(bench.source(), columns=(*CASES.columns, *columns))


def held(bench, source, column):
    """The computed column of every record, by key."""
    names = [
        name
        for one in source.columns
        for name in ([one.name, f"{one.name}_day"] if one.type == "instant" else [one.name])
    ]
    at = names.index(column)
    return {key: row[at] for key, row in bench.records(source).items()}


@pytest.mark.parametrize(
    ("kind", "expression", "values"),
    [
        ("number", "minutes_between(opened, closed)", {"a": 90.0, "b": None, "c": 0.0}),
        ("number", "amount / 2 + 1", {"a": 2.5, "b": None, "c": 4.5}),
        ("boolean", "closed > opened", {"a": 1, "b": 0, "c": 0}),
        (
            "text",
            "coalesce(lower(topic), 'none: 5%')",
            {"a": "pothole", "b": "it's 50%: sign", "c": "none: 5%"},
        ),
        (
            "text",
            "case when topic like '%50\\%%' or topic like 'it''s 50%' then 'sign' end",
            {"a": None, "b": "sign", "c": None},
        ),
    ],
)
def test_records_hold_what_the_expression_says_on_both_engines(any_bench, kind, expression, values):
    source = with_columns(any_bench, Column("x", kind, expression=expression))
    report = run_source(any_bench.desk, source)
    assert (report.new, report.rejected, report.message) == (3, 0, "")
    assert held(any_bench, source, "x") == values


def test_a_computed_instant_has_its_day_in_the_city(any_bench):
    source = with_columns(any_bench, Column("ended", "instant", expression="coalesce(closed, opened)"))
    run_source(any_bench.desk, source)
    assert held(any_bench, source, "ended")["a"] == "2026-07-02T05:00:00.000000Z"
    assert held(any_bench, source, "ended_day") == {"a": "2026-07-02", "b": "2026-07-03", "c": "2026-07-03"}


def test_workdays_are_those_of_the_citys_calendar(any_bench):
    city = City("test", "Testville", "America/New_York", holidays=(date(2026, 7, 2),))
    days = Column("waited", "number", expression="workdays_between(opened, closed)")
    source = with_columns(any_bench, days, city=city)
    run_source(any_bench.desk, source)
    assert held(any_bench, source, "waited") == {"a": 0.0, "b": None, "c": 0.0}


def test_a_computed_value_nobody_believes_refuses_its_row_with_the_reason(any_bench):
    clock = Column("minutes", "number", expression="minutes_between(opened, closed)", min=0.05, max=60)
    source = with_columns(any_bench, clock)
    report = run_source(any_bench.desk, source)
    assert (report.read, report.new, report.rejected) == (3, 1, 2)
    refused = {(one.line, one.key, one.column, one.value, one.reason) for one in any_bench.quarantined()}
    assert refused == {
        (2, "a", "minutes", "90.0", "is more than 60"),
        (4, "c", "minutes", "0.0", "is less than 0.05"),
    }


def test_a_computed_value_nobody_believes_can_be_emptied_and_is_counted(any_bench):
    clock = Column("minutes", "number", expression="minutes_between(opened, closed)", min=1, unfit="empty")
    source = with_columns(any_bench, clock)
    report = run_source(any_bench.desk, source)
    assert (report.new, report.rejected, report.message) == (3, 0, "minutes emptied, is less than 1: 1")
    assert held(any_bench, source, "minutes") == {"a": 90.0, "b": None, "c": None}


def test_another_expression_reads_the_file_again_and_changes_the_records(bench):
    source = with_columns(bench, Column("x", "number", expression="amount * 2"))
    run_source(bench.desk, source)
    assert run_source(bench.desk, source).outcome == "unchanged"
    columns = (*CASES.columns, Column("x", "number", expression="amount * 3"))
    assert run_source(bench.desk, replace(source, columns=columns)).changed == 2


def test_a_file_column_of_the_same_name_is_not_taken_for_the_computed_one(bench):
    source = with_columns(bench, Column("x", "number", expression="amount * 2"))
    bench.file("cases.csv", "id,opened,closed,topic,amount,x\na,,,,3,99\n")
    report = run_source(bench.desk, source)
    assert held(bench, source, "x") == {"a": 6.0}
    assert report.message == "columns not declared, not kept: x"
