"""Clocks that cannot be true are refused and counted: before the call, at once, or hours after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.run import run_source
from metrics.model import Column
from store.engine import instant_text, reading
from store.runs import knowledge
from tests.ingest.conftest import CASES

CALLS = replace(
    CASES,
    columns=(
        Column("id", "text"),
        Column("opened", "instant"),
        Column("closed", "instant", not_before="opened", not_within_seconds=3, not_beyond_minutes=60),
    ),
    options={"path": "calls.csv"},
)


def rows(*closed: str) -> str:
    return "id,opened,closed\n" + "".join(f"{n},2026-07-01 12:00:00,{one}\n" for n, one in enumerate(closed))


@pytest.mark.parametrize(
    ("closed", "said"),
    [
        ("2026-07-01 11:59:59", "closed is before opened"),
        ("2026-07-01 12:00:00", "closed is within 3 seconds of opened"),
        ("2026-07-01 12:00:03", "closed is within 3 seconds of opened"),
        ("2026-07-01 12:00:03.001", None),
        ("2026-07-01 13:00:00", None),
        ("2026-07-01 13:00:00.001", "closed is more than 60 minutes after opened"),
        ("", None),
    ],
)
def test_a_clock_is_believed_between_its_bounds_only(bench, closed, said):
    bench.file("calls.csv", rows(closed))
    report = run_source(bench.desk, CALLS)
    assert report.rejected == (said is not None)
    assert all(said in sentence for sentence in report.rejections)


def test_each_kind_of_refused_clock_is_counted_by_itself(bench):
    at = "2026-07-01 {}".format
    bench.file("calls.csv", rows(at("11:00"), at("12:00"), at("12:00"), at("12:08"), at("14:00")))
    report = run_source(bench.desk, CALLS)
    assert (report.read, report.new, report.rejected) == (5, 1, 4)
    assert [sentence.split(" (first")[0] for sentence in report.rejections] == [
        "2 rejected, closed is within 3 seconds of opened",
        "1 rejected, closed is before opened",
        "1 rejected, closed is more than 60 minutes after opened",
    ]


def test_what_is_not_believed_may_be_emptied_instead(bench):
    closed = replace(CALLS.columns[2], unfit="empty")
    calls = replace(CALLS, columns=(*CALLS.columns[:2], closed))
    bench.file("calls.csv", rows("2026-07-01 12:00:01"))
    report = run_source(bench.desk, calls)
    assert (report.new, report.rejected) == (1, 0)
    assert "closed emptied, is within 3 seconds of opened: 1" in report.message


def test_a_source_whose_arrival_is_a_day_is_known_from_its_beginning_on(bench):
    days = replace(
        CASES,
        columns=(Column("id", "text"), Column("opened", "day")),
        quiet_minutes=24 * 60,
        options={"path": "permits.csv"},
    )
    bench.file("permits.csv", "id,opened\na,2026-07-01\nb,2026-07-04\nc,2027-01-01\n")
    report = run_source(bench.desk, days)
    assert report.known_until and instant_text(report.known_until) == "2026-07-05T04:00:00.000000Z"
    with reading(bench.engine) as connection:
        assert str(knowledge(connection, {"cases": days})["cases"].first_day) == "2026-07-01"
