"""A target on trial: what it would have made of the last year, told before anybody decides on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from metrics.backtest import back_tests
from metrics.model import Grain, Metric, Period, Score, Target
from metrics.plan import Inputs
from metrics.selftest import last_year


@dataclass(frozen=True)
class Trial:
    """The last year's periods of a scored grain by a target as if it had always been in force.

    met: how many it would have been met in; met_so_far: by the targets that were in force, of so many
    `periods_so_far` that had one. newest: the last period, with its value and its score by the target;
    score_so_far is None where no target was in force.
    """

    grain: Grain
    periods: int
    met: int
    periods_so_far: int
    met_so_far: int
    newest: Period
    value: float | None
    score: float | None
    score_so_far: float | None


def trials(inputs: Inputs, metric: Metric, target: Target) -> tuple[Trial, ...]:
    """The trial of a target at each grain the metric is scored at; none at one without a period.

    metric: as it is without the target.
    """
    always = replace(metric, targets=(replace(target, valid_from=date.min),), historical=False)
    by_it, so_far = last_year(inputs, always), last_year(inputs, metric)
    tests = {one.grain: one for one in back_tests(always, inputs.as_of, by_it)}
    return tuple(
        _trial(grain, tests[grain].met, by_it[grain], so_far[grain])
        for grain in Grain
        if grain in metric.scored_at and by_it[grain]
    )


def _trial(grain: Grain, met: int, by_it: Sequence[Score], so_far: Sequence[Score]) -> Trial:
    newest = by_it[-1]
    before = {row.period: row.score for row in so_far}
    return Trial(
        grain=grain,
        periods=len(by_it),
        met=met,
        periods_so_far=len(so_far),
        met_so_far=sum(1 for row in so_far if row.score is not None and row.score >= 1),
        newest=newest.period,
        value=newest.value,
        score=newest.score,
        score_so_far=before.get(newest.period),
    )
