"""What is withheld cannot be worked out again from all that is published."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from metrics.suppression import LIMIT, small, withheld

COUNTS = st.integers(0, 40)

Counts = NDArray[np.int64]
Shown = NDArray[np.bool_]


def parts(on_time: list[int], late: list[int]) -> Counts:
    """The three counts of districts: cases on time, late ones, all."""
    return np.array([on_time, late, np.add(on_time, late)]).T


def range_of(cell: int, month: int, shown: Shown, counts: Counts) -> tuple[float, float]:
    """What a reader can say of one hidden count from every sum published: shape (districts, months).

    Published are the city in each month, each cell shown, and for districts whose three months are all
    shown their trailing quarters; quarters of the city are sums of its months.
    """
    districts, months = counts.shape
    rows, sums = [], []

    def say(cells: NDArray[np.bool_]) -> None:
        rows.append(cells.ravel().astype(float))
        sums.append(float(counts[cells].sum()))

    for one in range(months):
        of_city = np.zeros(counts.shape, dtype=bool)
        of_city[:, one] = True
        say(of_city)
        left_over = of_city & ~shown
        if left_over.any():
            say(left_over)
    for place in range(districts):
        for one in range(months):
            if shown[place, one]:
                alone = np.zeros(counts.shape, dtype=bool)
                alone[place, one] = True
                say(alone)
        for begin in range(months - 2):
            if shown[place, begin : begin + 3].all():
                quarter = np.zeros(counts.shape, dtype=bool)
                quarter[place, begin : begin + 3] = True
                say(quarter)
    aim = np.zeros(counts.size)
    aim[cell * months + month] = 1.0
    least, most = (
        linprog(sign * aim, A_eq=np.array(rows), b_eq=np.array(sums), bounds=(0, None)) for sign in (1, -1)
    )
    assert least.status == most.status == 0
    return least.fun, -most.fun


def test_small_counts_are_hidden_and_zeros_are_not() -> None:
    assert small([[0], [1], [10], [11]]).tolist() == [False, True, True, False]


def test_the_few_that_were_late_are_as_telling_as_the_few_that_were_not() -> None:
    assert small(parts([40, 40, 3], [0, 4, 40])).tolist() == [False, True, True]


def test_a_small_district_is_never_hidden_alone() -> None:
    hidden = withheld(parts([30, 5, 60, 90], [20, 0, 40, 30]))
    assert hidden.tolist() == [True, True, False, False]


def test_what_is_left_over_is_not_small_itself() -> None:
    hidden = withheld([[4], [5], [30], [50]])
    assert hidden.tolist() == [True, True, True, False]


def test_records_without_a_district_are_hidden_where_small_but_are_no_company() -> None:
    hidden = withheld([[4], [200], [300]], places=[False, True, True])
    assert hidden.tolist() == [True, True, True]


def test_a_limit_of_none_hides_nothing() -> None:
    assert not withheld([[1], [2], [3]], 0).any()


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=9), st.data())
def test_what_was_withheld_stays_withheld(cells: list[tuple[int, int]], data: st.DataObject) -> None:
    counts = parts(*(list(one) for one in zip(*cells, strict=True)))
    before = np.array(data.draw(st.lists(st.booleans(), min_size=len(cells), max_size=len(cells))))
    assert (withheld(counts, already=before) | ~before).all()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(3, 6).flatmap(
        lambda districts: st.lists(
            st.lists(st.tuples(COUNTS, COUNTS), min_size=districts, max_size=districts),
            min_size=3,
            max_size=4,
        )
    )
)
def test_a_solver_cannot_pin_a_small_count_from_everything_published(
    months: list[list[tuple[int, int]]],
) -> None:
    on_time, late = (np.array([[cell[k] for cell in month] for month in months]).T for k in (0, 1))
    hidden = np.array(
        [withheld(parts(on_time[:, m].tolist(), late[:, m].tolist())) for m in range(len(months))]
    ).T
    for counts in (on_time, late, on_time + late):
        for place, month in zip(*np.nonzero(hidden & (counts > 0) & (counts <= LIMIT)), strict=True):
            if hidden[:, month].all():
                continue  # the whole city is what it is; nothing of it is said by district
            low, high = range_of(int(place), int(month), ~hidden, counts)
            assert high > LIMIT, "the count is known to be small"
            assert high - low > LIMIT


def test_overlapping_quarters_would_give_a_hidden_month_away() -> None:
    """Why a quarter with a hidden month is hidden: two of them differ by it and by a month that is shown."""
    months = [20, 30, 40, 5]
    quarters = [sum(months[begin : begin + 3]) for begin in range(2)]
    assert [later - earlier for earlier, later in pairwise(quarters)] == [5 - 20]
