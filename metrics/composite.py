"""From the scores of metrics to the one score of a city, a department or a theme: a gated weighted mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.model import Reason, Status, Verdict

LOWEST = 3
"""How many of the worst scores a composite names."""

CODE = {status: code for code, status in enumerate(Status)}
"""The number a status has in a board."""

VERDICT_CODE: dict[Verdict | None, int] = {verdict: code for code, verdict in enumerate((None, *Verdict))}
"""The number a verdict has in a board; 0 for none."""

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]

_ROUNDING = 1e-12
_NOT_OPEN = frozenset({Status.CLOSED, Status.NOT_SCORED})
_NOT_COUNTED = frozenset({Status.NO_OPPORTUNITY, Status.IMMATURE})
_NO_SCORE = frozenset({Status.SUPPRESSED, Status.LATE, Status.INSUFFICIENT})
WITHOUT_SCORE = _NOT_OPEN | _NOT_COUNTED | _NO_SCORE
"""The statuses of which no score counts."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A service metric that is scored at the grain, as it stands in one period.

    weight is the raw one. seat: what it enters with at most instead of a score (method 7), None where it
    has no right to one; ceiling: of its own score.
    """

    metric: str
    weight: float
    status: Status
    score: float | None
    seat: float | None
    ceiling: float | None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A composite in one period (method 7).

    score is None with a reason. coverage is None where no weight counts, ceiling None where nothing
    entered or something that entered has none. total: the open metrics; scored: those with a score;
    on_target: those with an unrounded score of 1 or more; late: the ids of those late or seated; lowest: up
    to three (metric, score), worst first. meets, cannot_tell, misses: how many of the scored have that
    verdict. entered: metric -> what it entered with, a score or a seat.
    """

    score: float | None
    reason: Reason | None
    coverage: float | None
    ceiling: float | None
    total: int
    scored: int
    on_target: int
    late: tuple[str, ...]
    lowest: tuple[tuple[str, float], ...]
    entered: Mapping[str, float]
    meets: int
    cannot_tell: int
    misses: int


@dataclass(frozen=True, slots=True)
class Board:
    """The service metrics of a scope that are scored at a grain, in many periods: (metrics, periods) each.

    NaN stands for None; a metric without a row in a period has no weight there. status and
    verdict: by `CODE` and `VERDICT_CODE`.
    """

    metrics: tuple[str, ...]
    weight: Numbers
    score: Numbers
    seat: Numbers
    ceiling: Numbers
    status: NDArray[np.int8]
    verdict: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Summaries:
    """The composites of a board: (metrics, periods) or, from mean on, (periods,); NaN stands for None.

    asked: open. counted: of them those that count. scores: of those with a score of their own. entered:
    what each entered with, score or seat. is_late: late or seated.
    """

    board: Board
    asked: Marks
    counted: Marks
    scores: Numbers
    entered: Numbers
    is_late: Marks
    mean: Numbers
    coverage: Numbers
    ceiling: Numbers
    minimum_coverage: float

    def all(self) -> list[Summary]:
        """Every period's composite."""
        names = self.board.metrics
        has_score = ~np.isnan(self.scores)
        columns = zip(
            _optional(self.mean),
            self._reasons(),
            _optional(self.coverage),
            _optional(self.ceiling),
            self.asked.sum(axis=0).tolist(),
            has_score.sum(axis=0).tolist(),
            (self.scores >= 1).sum(axis=0).tolist(),
            _named(names, self.is_late),
            self._lowest(),
            [
                {name: score for name, score in zip(names, found, strict=True) if score == score}
                for found in self.entered.T.tolist()
            ],
            *(
                self._with(verdict, has_score)
                for verdict in (Verdict.MEETS, Verdict.CANNOT_TELL, Verdict.MISSES)
            ),
            strict=True,
        )
        return [Summary(None if reason else mean, reason, *more) for mean, reason, *more in columns]

    def _with(self, verdict: Verdict, has_score: Marks) -> list[int]:
        """How many metrics with a score have a verdict, period by period."""
        counts: list[int] = ((self.board.verdict == VERDICT_CODE[verdict]) & has_score).sum(axis=0).tolist()
        return counts

    def _reasons(self) -> list[Reason | None]:
        """Why there is no score, period by period."""
        there = ~np.isnan(self.board.weight)
        is_scored_here = there & (self.board.status != CODE[Status.NOT_SCORED])
        is_immature = self.asked & (self.board.status == CODE[Status.IMMATURE])
        columns = zip(
            _any(is_scored_here),
            _any(self.asked),
            _any(self.counted),
            _any(is_immature),
            _optional(self.coverage),
            _optional(self.mean),
            strict=True,
        )
        return [_reason(*column, minimum=self.minimum_coverage) for column in columns]

    def _lowest(self) -> list[tuple[tuple[str, float], ...]]:
        """The worst scores of each period, of equal ones the first by name."""
        if not self.board.metrics:
            return [() for _ in self.mean]
        by_name = np.argsort(np.array(self.board.metrics), kind="stable")
        worst_first = by_name[np.argsort(self.scores[by_name], axis=0, kind="stable")[:LOWEST]]
        scores = np.take_along_axis(self.scores, worst_first, axis=0)
        return [
            tuple(
                (self.board.metrics[metric], score)
                for metric, score in zip(metrics, found, strict=True)
                if score == score
            )
            for metrics, found in zip(worst_first.T.tolist(), scores.T.tolist(), strict=True)
        ]


def composite(scores: Mapping[str, float | None], weights: Mapping[str, float]) -> tuple[float | None, float]:
    """The weighted mean of the scores there are, and the share of the weight they carry (method 7).

    It does not gate. All None, or no weight behind any score, gives (None, 0.0). KeyError for a metric
    without weight, ValueError for a weight below 0.
    """
    raw = {metric: _weight_of(metric, weights) for metric in scores}
    present = {metric: score for metric, score in scores.items() if score is not None and raw[metric] > 0}
    if not present:
        return None, 0.0
    carried = math.fsum(raw[metric] for metric in present)
    mean = math.fsum(raw[metric] * score for metric, score in present.items()) / carried
    within = min(max(mean, min(present.values())), max(present.values()))
    return within, carried / math.fsum(raw.values())


def summarise(entries: Sequence[Entry], minimum_coverage: float) -> Summary:
    """The composite of `entries` in one period (`summaries`)."""

    def column(numbers: Iterable[float | None]) -> Numbers:
        return np.array([[number] for number in numbers], dtype=np.float64).reshape(len(entries), 1)

    def codes(numbers: Iterable[int]) -> NDArray[np.int8]:
        return np.array([[number] for number in numbers], dtype=np.int8).reshape(len(entries), 1)

    board = Board(
        metrics=tuple(one.metric for one in entries),
        weight=column(one.weight for one in entries),
        score=column(one.score for one in entries),
        seat=column(one.seat for one in entries),
        ceiling=column(one.ceiling for one in entries),
        status=codes(CODE[one.status] for one in entries),
        verdict=codes(VERDICT_CODE[one.verdict] for one in entries),
    )
    return summaries(board, minimum_coverage).all()[0]


def summaries(board: Board, minimum_coverage: float) -> Summaries:
    """The composites of a board, the service metrics of a city, department or theme scored at a grain.

    A closed metric is not asked; one without opportunity or immature is open but does not count. One
    that has a seat instead of a score (late, or in a gap declared afterwards) enters with it, and never
    with more than the mean of those here that have a score: a seat found for the whole city is not good
    news in a department either. A score is withheld where coverage is under `minimum_coverage`.
    Reasons: nothing_scored_at_this_grain (also where all weights are 0), all_closed, no_opportunity,
    immature (nothing else is left that counts), coverage_below_minimum (coverage, minimum).
    """
    there = ~np.isnan(board.weight)
    asked = there & ~_among(board.status, _NOT_OPEN)
    counted = asked & ~_among(board.status, _NOT_COUNTED)
    has_score = counted & ~_among(board.status, _NO_SCORE) & ~np.isnan(board.score)
    scores = np.where(has_score, board.score, np.nan)
    weight = np.where(counted, board.weight, 0.0)
    mean_of_scored, carried = weighted_mean(scores, weight)
    total = added(weight)
    coverage = np.divide(carried, total, out=np.full(total.shape, np.nan), where=total > 0)
    has_seat = counted & ~has_score & ~np.isnan(board.seat)
    entered = np.where(has_seat, np.fmin(board.seat, mean_of_scored), scores)
    mean, _ = weighted_mean(entered, weight)
    ceiling, _ = weighted_mean(np.where(np.isnan(entered), np.nan, board.ceiling), weight)
    enters_without = (~np.isnan(entered) & (weight > 0) & np.isnan(board.ceiling)).any(axis=0)
    return Summaries(
        board=board,
        asked=asked,
        counted=counted,
        scores=scores,
        entered=entered,
        is_late=counted & ((board.status == CODE[Status.LATE]) | has_seat),
        mean=mean,
        coverage=coverage,
        ceiling=np.where(enters_without, np.nan, ceiling),
        minimum_coverage=minimum_coverage,
    )


def added(numbers: Numbers) -> Numbers:
    """The sum over the first axis in its own order, so that a period has one sum however many are with it.

    numpy adds a lone column in another order than the columns of many.
    """
    if not len(numbers):
        return np.zeros(numbers.shape[1:])
    sums: Numbers = np.add.accumulate(numbers, axis=0)[-1]
    return sums


def weighted_mean(scores: Numbers, weight: Numbers) -> tuple[Numbers, Numbers]:
    """The weighted mean over the first axis, never outside its scores, and the weight behind it.

    scores, weight: shape (metrics, ...); a NaN has no score, and what weighs nothing does not enter. NaN
    and 0 where nothing enters.
    """
    enters = ~np.isnan(scores) & (weight > 0)
    carried = np.where(enters, weight, 0.0)
    total = added(carried)
    sums = added(carried * np.where(enters, scores, 0.0))
    mean = np.divide(sums, total, out=np.full(total.shape, np.nan), where=total > 0)
    least = np.where(enters, scores, np.inf).min(axis=0, initial=np.inf)
    most = np.where(enters, scores, -np.inf).max(axis=0, initial=-np.inf)
    return np.where(total > 0, np.minimum(np.maximum(mean, least), most), np.nan), total


def boston(scores: Mapping[str, float | None] | Iterable[float | None]) -> float | None:
    """Boston's composite: the unweighted mean of the scores there are; None without any (method 5)."""
    given = scores.values() if isinstance(scores, Mapping) else scores
    present = [score for score in given if score is not None]
    return math.fsum(present) / len(present) if present else None


def _weight_of(metric: str, weights: Mapping[str, float]) -> float:
    if metric not in weights:
        raise KeyError(f"metric {metric} has a score but no weight; give it one, 0 to leave it out")
    if not weights[metric] >= 0:
        raise ValueError(f"the weight {weights[metric]} of metric {metric} must be 0 or more")
    return weights[metric]


def _among(status: NDArray[np.int8], wanted: Iterable[Status]) -> Marks:
    return np.isin(status, [CODE[one] for one in wanted])


def _any(marks: Marks) -> list[bool]:
    """For each period whether any metric is marked."""
    return [count > 0 for count in marks.sum(axis=0).tolist()]


def _optional(numbers: Numbers) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]


def _named(names: Sequence[str], marks: Marks) -> list[tuple[str, ...]]:
    """The names marked in each period."""
    return [
        tuple(name for name, is_marked in zip(names, marks[:, period], strict=True) if is_marked)
        if has
        else ()
        for period, has in enumerate(_any(marks))
    ]


def _reason(
    is_scored_here: bool,
    is_open: bool,
    counts: bool,
    is_immature: bool,
    coverage: float | None,
    mean: float | None,
    *,
    minimum: float,
) -> Reason | None:
    if not is_scored_here:
        return Reason("nothing_scored_at_this_grain")
    if not is_open:
        return Reason("all_closed")
    if not counts:
        return Reason("immature" if is_immature else "no_opportunity")
    if coverage is None:
        return Reason("nothing_scored_at_this_grain")
    # Weights such as 0.1 do not add up exactly; three of four equal ones must still be 0.75.
    if coverage < minimum - _ROUNDING or mean is None:
        return Reason("coverage_below_minimum", {"coverage": coverage, "minimum": minimum})
    return None
