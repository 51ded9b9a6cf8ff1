"""A metric taken apart by a column: parts that add up to the whole, the few pooled, nothing made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.model import WHOLE_CITY, Aggregation, Grain, Period, Reason, Score, Status
from metrics.splitting import shares
from tests.builders import metric

FIRST = date(2026, 6, 1)
RATIO, COUNT = metric("on_time"), metric("opened", Aggregation.COUNT)


def week(number: int, value: float | None = 0.5) -> Score:
    start = FIRST + timedelta(weeks=number)
    return Score(
        metric="on_time",
        district=WHOLE_CITY,
        period=Period(Grain.WEEK, start, start + timedelta(weeks=1)),
        value=value,
        numerator=5.0,
        denominator=10.0,
        n=10,
        end_value=None,
        target=0.8,
        target_high=None,
        floor=0.0,
        floor_high=None,
        score=0.625,
        ceiling=1.25,
        status=Status.FINAL,
        reason=None,
        change=0.1,
        low=0.2,
        high=0.8,
    )


WEEKS = [week(number) for number in range(3)]
CELLS = st.lists(
    st.tuples(
        st.sampled_from([None, "Phone", "App", "Web", "Letter"]),
        st.integers(0, 20).map(lambda days: FIRST + timedelta(days=days)),
        st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.just(n))),
    )
)


@given(CELLS, st.integers(2, 6))
def test_the_parts_of_every_period_add_up_to_the_whole(cells, most):
    days = [(value, day, (records, float(met), float(of))) for value, day, (records, met, of) in cells]
    found = shares(RATIO, WEEKS, days, most)
    assert len(found) <= most
    for index, whole in enumerate(WEEKS):
        inside = [amounts for _, day, amounts in days if whole.period.start <= day < whole.period.end]
        rows = [one.rows[index] for one in found]
        assert sum(row.n or 0 for row in rows) == sum(records for records, _n, _d in inside)
        assert sum(row.numerator or 0 for row in rows) == sum(met for _records, met, _d in inside)
        assert all(row.value is None or 0 <= row.value <= 1 for row in rows)
        assert all((row.value is None) == (not row.denominator) for row in rows)


def test_the_largest_come_first_and_the_few_are_pooled_at_the_end():
    sizes = {"Phone": 5, "App": 9, None: 7, "Web": 1, "Letter": 2}
    days = [(value, FIRST, (size, 0.0, float(size))) for value, size in sizes.items()]
    found = shares(RATIO, WEEKS, days, 3)
    assert [(one.value, one.together, one.records) for one in found] == [
        ("App", 0, 9),
        (None, 0, 7),
        (None, 3, 8),
    ]


def test_a_part_has_the_target_of_a_share_but_not_of_a_total_and_never_the_score_of_the_whole():
    days = [("Phone", FIRST, (4, 3.0, 4.0))]
    [share] = shares(RATIO, WEEKS, days, 8)
    [total] = shares(COUNT, WEEKS, days, 8)
    assert share.rows[0].value == 0.75 and share.rows[0].target == 0.8
    assert total.rows[0].value == 3.0 and total.rows[0].target is None
    for row in (share.rows[0], total.rows[0]):
        assert (row.score, row.change, row.low, row.high) == (None, None, None, None)


def test_a_period_that_was_published_without_a_value_has_none_in_any_part():
    late = replace(week(0, None), status=Status.LATE, reason=Reason("late"))
    [part] = shares(COUNT, [late, week(1)], [("Phone", FIRST, (4, 4.0, 0.0))], 8)
    assert [row.value for row in part.rows] == [None, 0.0]
    assert part.rows[0].status is Status.LATE


@pytest.mark.parametrize(("city", "days"), [([], [("Phone", FIRST, (1, 1.0, 1.0))]), (WEEKS, [])])
def test_nothing_is_taken_apart_into_nothing(city, days):
    assert shares(RATIO, city, days, 8) == ()
