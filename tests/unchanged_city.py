"""Cities that do not change and are exactly on target: their daily facts, and what is said of their periods.

A city has one metric. Its records come one by one, or, where they spread more than by chance alone, in
clumps that share their fate: `clump` of them are closed in time together, wait equally long, or are counted
together. `rate` is how many are expected a day, and of a stock how far its level strays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy import special

from metrics import metric_scores
from metrics.facts import Facts
from metrics.history import History
from metrics.model import Aggregation, Direction, Grain, Knowledge, Metric, Score, Target, Verdict
from metrics.scoring import Method
from tests.builders import CITY, SOURCE, metric, target, utc

MONDAY = date(2001, 1, 1)
WHOLE_QUARTERS = replace(CITY, quarter="calendar")
"""Quarters that end every month share two of their months: so many would tell a third as much."""
HIGHER, LOWER, WITHIN = Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER, Direction.WITHIN
Numbers = NDArray[np.float64]
Days = tuple[Any, Any, Any]
"""numerator and denominator of each day, and of percentiles (day, value) of each record."""

ON_TIME = 0.8
LEVEL = 1000.0
WAITS = 0.8
"""How much the logarithms of waits spread."""

ALIKE = {1: 0.9, 2: 0.97}
"""How much the level of a stock is like that of the day before, by clump."""


def history(one: Metric, numerator: Any, denominator: Any = None, entries: Any = None) -> History:
    """Facts of one district on days in a row from a Monday on; entries are (day, value), one each."""
    days = len(numerator)
    none = np.zeros(0, dtype=np.int64)
    day, value = (none, none.astype(np.float64)) if entries is None else entries
    facts = Facts(
        MONDAY,
        ("a",),
        np.asarray(numerator, dtype=np.float64).reshape(1, days),
        np.asarray(np.zeros(days) if denominator is None else denominator, dtype=np.float64).reshape(1, days),
        day,
        np.zeros(len(day), dtype=np.int64),
        value,
        np.ones(len(day), dtype=np.int64),
    )
    end = MONDAY + timedelta(days=days)
    knowledge = Knowledge("cases", MONDAY, utc(end.year, end.month, end.day, 12))
    return History(CITY, one, SOURCE, end, facts, knowledge, {})


# --- kinds --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What is measured, the target an unchanged city is on, and how its days are drawn.

    target: of so many records a day. draw: (chance, days, rate, clump) -> the facts of the days. A share is
    drawn on the target where higher is better, and turned round where lower is.
    """

    metric: Metric
    target: Callable[[float], float]
    draw: Callable[[np.random.Generator, int, float, int], Days]

    def city(self, cell: Cell, chance: np.random.Generator, days: int) -> History:
        """A city of this kind over so many days."""
        aim, is_late = self.target(cell.rate), cell.direction is LOWER
        numerator, denominator, entries = self.draw(chance, days, cell.rate, cell.clump)
        if self.metric.aggregation is Aggregation.RATIO and is_late:
            aim, numerator = 1 - aim, denominator - numerator
        held = _around(aim) if cell.direction is WITHIN else target(aim)
        one = replace(
            self.metric,
            direction=cell.direction,
            targets=() if cell.is_historical else (held,),
            historical=cell.is_historical,
            method=cell.method,
        )
        return replace(history(one, numerator, denominator, entries), city=WHOLE_QUARTERS)


def _around(aim: float) -> Target:
    """A band of a tenth to each side."""
    return target((0.9 * aim, 1.1 * aim), floor=(0.0, 2.0 * aim))


def _records(chance: np.random.Generator, days: int, rate: float, clump: int) -> NDArray[np.int64]:
    """How many clumps come each day."""
    return chance.poisson(rate / clump, days)


def _shares(chance: np.random.Generator, days: int, rate: float, clump: int) -> Days:
    due = _records(chance, days, rate, clump)
    return clump * chance.binomial(due, ON_TIME), clump * due, None


def _sums(chance: np.random.Generator, days: int, rate: float, clump: int) -> Days:
    """Hours kept of hours planned: each clump of rounds keeps a part of what was planned for it."""
    rounds = _records(chance, days, rate, clump)
    kept = np.array([chance.beta(1.6, 0.4, count).sum() for count in rounds])
    return 3.0 * clump * kept, 3.0 * clump * rounds, None


def _counts(chance: np.random.Generator, days: int, rate: float, clump: int) -> Days:
    return clump * _records(chance, days, rate, clump), None, None


def _amounts(chance: np.random.Generator, days: int, rate: float, clump: int) -> Days:
    visits = _records(chance, days, rate, clump)
    return np.array([clump * chance.gamma(2.0, 5.0, count).sum() for count in visits]), None, None


def _means(chance: np.random.Generator, days: int, rate: float, clump: int) -> Days:
    count = _records(chance, days, rate, clump)
    total = np.array([clump * chance.lognormal(-(WAITS**2) / 2, WAITS, one).sum() for one in count])
    return total, clump * count, None


def _waits(chance: np.random.Generator, days: int, rate: float, clump: int) -> Days:
    count = _records(chance, days, rate, clump)
    day = np.repeat(np.arange(days), count)
    value = np.round(chance.lognormal(0, WAITS, len(day)), 3)
    order = np.lexsort((np.repeat(value, clump), np.repeat(day, clump)))
    return np.zeros(days), np.zeros(days), (np.repeat(day, clump)[order], np.repeat(value, clump)[order])


def _levels(chance: np.random.Generator, days: int, rate: float, clump: int) -> Days:
    """A level that strays by `rate` of itself, each day `ALIKE` the one before."""
    alike = ALIKE[clump]
    steps = chance.normal(0, LEVEL * rate * math.sqrt(1 - alike**2), days)
    away = np.empty(days)
    now = chance.normal(0, LEVEL * rate)
    for day, step in enumerate(steps):
        now = alike * now + step
        away[day] = now
    return np.maximum(LEVEL + away, 0.0), None, None


def _of(aggregation: Aggregation, **changes: Any) -> Metric:
    return metric("m", aggregation, **changes)


_SUMMED = {"numerator": "amount", "denominator": "amount"}
P90 = 0.9
KINDS = {
    "share": Kind(_of(Aggregation.RATIO), lambda _rate: ON_TIME, _shares),
    "ratio of sums": Kind(_of(Aggregation.RATIO, **_SUMMED), lambda _rate: ON_TIME, _sums),
    "count": Kind(_of(Aggregation.COUNT), lambda rate: rate, _counts),
    "sum": Kind(_of(Aggregation.COUNT, quantity="amount"), lambda rate: 10.0 * rate, _amounts),
    "mean": Kind(_of(Aggregation.MEAN, value="amount", unit="hours"), lambda _rate: 1.0, _means),
    "median": Kind(_of(Aggregation.MEDIAN, unit="days"), lambda _rate: 1.0, _waits),
    "percentile": Kind(
        _of(Aggregation.PERCENTILE, percentile=P90, unit="days"),
        lambda _rate: math.exp(WAITS * float(special.ndtri(P90))),
        _waits,
    ),
    "stock": Kind(_of(Aggregation.STOCK), lambda _rate: LEVEL, _levels),
}


# --- what is said of them -----------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One line of the table: cities of one kind, direction, target, size and clump, judged at one grain."""

    kind: str
    direction: Direction
    is_historical: bool
    clump: int
    rate: float
    grain: Grain
    method: Method = "linear"


@dataclass(frozen=True)
class Tally:
    """What was said of the scored periods of a cell: how many, their mean score and its standard error."""

    periods: int
    mean: float
    error: float
    meets: int
    misses: int


def tally(cell: Cell, years: int, seeds: Sequence[int]) -> Tally:
    """What is said of the periods of so many cities over so many years, all by `metrics.metric_scores`."""
    rows = [row for seed in seeds for row in said_of(cell, years, seed)]
    scores = np.array([row.score for row in rows])
    return Tally(
        len(rows),
        float(scores.mean()),
        float(scores.std(ddof=1) / math.sqrt(len(rows))),
        sum(1 for row in rows if row.verdict is Verdict.MEETS),
        sum(1 for row in rows if row.verdict is Verdict.MISSES),
    )


def said_of(cell: Cell, years: int, seed: int) -> list[Score]:
    """The scored periods of one city at the grain of a cell."""
    chance = np.random.default_rng([seed, cell.clump, round(1e6 * cell.rate), *cell.kind.encode()])
    city = KINDS[cell.kind].city(cell, chance, round(365.25 * years))
    with _only(cell.grain):
        return [row for row in metric_scores.metric_scores(city) if row.score is not None]


def _only(grain: Grain) -> Any:
    """Judges one grain: all four would cost several times as much."""
    scores = metric_scores._Judge.scores
    asked = lambda judge, one: scores(judge, one) if one is grain else []  # noqa: E731
    return mock.patch.object(metric_scores._Judge, "scores", asked)
