"""How long the cases of a closure metric wait, open ones included, and what waits now (science 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from metrics.closure import WaitUnit
from metrics.facts import MEDIAN, hazen
from metrics.survival import P90, kaplan_meier


@dataclass(frozen=True)
class Cases:
    """The cases of a closure metric as of a date: multisets {wait: how many}, in the unit of the closure.

    closed: those of the cohort that are. open: those of the cohort that are not, by how long they wait by
    now. backlog: all that are open, the cohort's included.
    """

    closed: Mapping[float, int]
    open: Mapping[float, int]
    backlog: Mapping[float, int]


@dataclass(frozen=True)
class Waiting:
    """What a publication says of how long cases wait, in `unit`.

    The cohort is the cases opened in [cohort_start, cohort_end): `cases`, of which `closed` are. median, p90:
    by Kaplan and Meier, the open ones censored; None where that share is not reached. reached: the greatest
    share the estimate comes to. closed_only_median: of the closed ones alone. open: how many cases of any age
    are open, age_median and age_p90 how long they have been; None where none is.
    """

    unit: WaitUnit
    cohort_start: date
    cohort_end: date
    cases: int
    closed: int
    median: float | None
    p90: float | None
    reached: float
    closed_only_median: float | None
    open: int
    age_median: float | None
    age_p90: float | None


def waiting(unit: WaitUnit, start: date, end: date, cases: Cases) -> Waiting:
    """The waits of the cases opened in [start, end), and the ages of all that are open."""
    waits = np.array([*cases.closed, *cases.open], dtype=np.float64)
    counts = np.array([*cases.closed.values(), *cases.open.values()], dtype=np.int64)
    is_closed = np.arange(len(waits)) < len(cases.closed)
    found = kaplan_meier(np.repeat(waits, counts), np.repeat(is_closed, counts))
    return Waiting(
        unit=unit,
        cohort_start=start,
        cohort_end=end,
        cases=int(counts.sum()),
        closed=sum(cases.closed.values()),
        median=found.quantile(MEDIAN),
        p90=found.quantile(P90),
        reached=found.reached,
        closed_only_median=_quantile(cases.closed, MEDIAN),
        open=sum(cases.backlog.values()),
        age_median=_quantile(cases.backlog, MEDIAN),
        age_p90=_quantile(cases.backlog, P90),
    )


def _quantile(multiset: Mapping[float, int], share: float) -> float | None:
    values = np.array([*multiset], dtype=np.float64)
    return hazen(values, np.array([*multiset.values()], dtype=np.int64), share)
