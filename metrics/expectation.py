"""What a metric's periods are held to: targets, floors, ceilings and weights in force (method 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metrics import periods, scoring
from metrics.history import Columns, History, Range
from metrics.model import Aggregation, Direction, Family, Grain, Metric, Period, Weight
from metrics.scoring import Bound

SHARE = "percent"
"""The unit of shares: stored as fractions, floor 1 where lower is better."""


@dataclass(frozen=True)
class Expected:
    """What a period is held to: a count's per unit of `scale`, the ceiling being that of a perfect period.

    target and floor are None together where no target can be formed.
    """

    target: Bound | None
    floor: Bound | None
    ceiling: float | None


NOTHING = Expected(None, None, None)


@dataclass(frozen=True, eq=False)
class Expectations:
    """What each period of a metric is held to."""

    history: History

    def of(self, period: Period, baseline: tuple[Range, ...]) -> Expected:
        """Target, floor and ceiling of a period; `baseline` are the days of a historical target."""
        metric = self.history.metric
        if metric.direction is Direction.NEUTRAL:
            return NOTHING
        if metric.historical:
            return self._expected(*self._of_the_past(period.grain, baseline))
        if self._changes_inside(period):
            return self._expected(*self._in_force(period.start, period.end, self._exposure(period)))
        return self._standing[self._segment(period.start)]

    def baseline(self, period: Period) -> tuple[Range, ...]:
        """The days a historical target is pooled from: those once fixed, else those of method 4."""
        history = self.history
        fixed = history.baselines.get((history.metric.id, period.grain, period.start))
        if fixed:
            return fixed
        return periods.baseline_days(history.city, period, history.is_usable, history.is_open) or ()

    def scale(self, period: Period, columns: Columns) -> float:
        """How many times a count target's unit lies in the open, known days; 1 for what is not a count."""
        history, metric = self.history, self.history.metric
        if metric.aggregation is not Aggregation.COUNT:
            return 1.0
        if metric.historical or metric.per in ("open_day", "day"):
            return float(history.open_and_known(columns))
        days = history.usable_days(period)
        opened = history.dates(days[history.open_mask[days]])
        return periods.expected(history.city, metric.per, metric.calendar, 1.0, opened)

    def weight(self, period: Period, columns: Columns) -> float | None:
        """The weight in force; None for a metric that is in no composite."""
        metric = self.history.metric
        if metric.family is not Family.SERVICE or not metric.weights:
            return None
        if not self._changes_inside(period):
            return self._weights[self._segment(period.start)]
        is_whole = self.history.known(columns) == (period.end - period.start).days
        exposure = self._exposure(period) if is_whole else None
        return scoring.weight_in_force(_since_ever(metric), period.start, period.end, exposure)

    # --- what stands between two changes ------------------------------------------------------

    @cached_property
    def _changes(self) -> list[date]:
        """The days on which a target or a weight begins, in order."""
        metric = self.history.metric
        dates = [target.valid_from for target in metric.targets]
        return sorted({*dates, *(weight.valid_from for weight in metric.weights)})

    @cached_property
    def _standing(self) -> list[Expected]:
        """What is expected before the first change, then from each change on."""
        return [self._expected(*self._in_force(day, day + periods.DAY)) for day in self._first_days]

    @cached_property
    def _weights(self) -> list[float | None]:
        weights = _since_ever(self.history.metric)
        return [scoring.weight_in_force(weights, day, day + periods.DAY) for day in self._first_days]

    @property
    def _first_days(self) -> list[date]:
        return [date.min, *self._changes]

    def _segment(self, day: date) -> int:
        """Which of the standing expectations holds on a day."""
        return sum(1 for change in self._changes if change <= day)

    def _changes_inside(self, period: Period) -> bool:
        return any(period.start < change < period.end for change in self._changes)

    # --- forming a target ---------------------------------------------------------------------

    def _in_force(
        self, start: date, end: date, exposure: dict[date, float] | None = None
    ) -> tuple[Bound | None, Bound | None]:
        metric = self.history.metric
        is_share = metric.unit == SHARE
        held = scoring.target_in_force(
            metric.targets, start, end, exposure, direction=metric.direction, is_share=is_share
        )
        if held is None:
            return None, None
        if held.floor is not None or isinstance(held.value, tuple):
            return held.value, held.floor
        return held.value, scoring.default_floor(held.value, metric.direction, is_share=is_share)

    def _of_the_past(self, grain: Grain, baseline: tuple[Range, ...]) -> tuple[Bound | None, Bound | None]:
        metric = self.history.metric
        is_share = metric.unit == SHARE
        value = self._baseline_value(grain, baseline)
        leaves_no_floor = is_share and metric.direction is Direction.LOWER_IS_BETTER and (value or 0) >= 1
        if value is None or value <= 0 or leaves_no_floor:
            return None, None
        return value, scoring.default_floor(value, metric.direction, is_share=is_share)

    def _baseline_value(self, grain: Grain, baseline: tuple[Range, ...]) -> float | None:
        """What the metric's own past makes one expect, of a count on each open day.

        None where too few of the baseline's days are known: a gap may have been declared since they were
        fixed.
        """
        history = self.history
        ranges = [history.columns(*days) for days in baseline]
        opened = sum(history.open_and_known(one) for one in ranges)
        if grain is Grain.DAY:
            is_enough = sum(history.known(one) for one in ranges) >= periods.DAY_BASELINE_LEAST
        else:
            is_enough = opened == sum(history.open_days(*days) for days in baseline)
        if not is_enough:
            return None
        value = history.city_pool.over(*ranges).value
        if history.metric.aggregation is not Aggregation.COUNT or value is None:
            return value
        return value / opened if opened else None

    def _exposure(self, period: Period) -> dict[date, float]:
        """How much each day weighs when something changes inside a period: its denominator, else as a day."""
        history, facts = self.history, self.history.facts
        days = history.usable_days(period)
        amounts: NDArray[np.float64]
        if history.metric.aggregation in (Aggregation.RATIO, Aggregation.MEAN):
            amounts = facts.city_denominator[days]
        elif history.metric.aggregation in (Aggregation.MEDIAN, Aggregation.PERCENTILE):
            counts = np.zeros(len(history.usable_mask))
            np.add.at(counts, facts.entry_day, facts.entry_count)
            amounts = counts[days]
        else:
            amounts = history.open_mask[days].astype(np.float64)
        return dict(zip(history.dates(days), amounts.tolist(), strict=True))

    def _expected(self, target: Bound | None, floor: Bound | None) -> Expected:
        metric = self.history.metric
        if target is None:
            return NOTHING
        ceiling = scoring.ceiling(
            target,
            metric.direction,
            metric.aggregation,
            is_share=metric.unit == SHARE,
            best=metric.best,
            method=metric.method,
            floor=floor,
            cap=metric.cap,
        )
        return Expected(target, floor, ceiling)


def scaled(bound: Bound | None, scale: float) -> Bound | None:
    """A target on the scale of the period's value; None where no open day is known to expect it of."""
    if bound is None or scale == 0:
        return None
    if isinstance(bound, tuple):
        return bound[0] * scale, bound[1] * scale
    return bound * scale


def _since_ever(metric: Metric) -> tuple[Weight, ...]:
    return Weight(0.0, date.min, "not weighed yet"), *metric.weights
