"""The districts of a metric side by side: how far chance reaches for each, and where each then stands.

Shares, rates and levels differ in what chance does to them, so each is a class of its own; what is said of a
district is the same of all three.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics import fairness
from metrics.districts import PER, Comparison, Estimate, Limits, Scale, Shade, Standing, scale_of
from metrics.fairness import OUTER_Z, Place, Rule
from metrics.intervals import Z
from metrics.model import Aggregation, Direction, Metric

Numbers = NDArray[np.float64]
Around = tuple[Numbers, Numbers, Numbers]
"""A number of each district with both ends of its interval, NaN where it cannot be said."""

SHADES_FROM = (0.90, 0.97, 1.03, 1.10)
"""Where one shade ends and the next begins, around the target or the base at 1."""


@dataclass(frozen=True)
class Cases(ABC):
    """The districts side by side, shape (districts,): each a level with its size and its error.

    level x size is the amount. error: the deviation by chance of each on its own, NaN where not known.
    """

    metric: Metric
    rows: tuple[Standing, ...]
    level: Numbers
    size: Numbers
    error: Numbers

    @property
    def base(self) -> float:
        """The level of all districts together."""
        return float((self.level * self.size).sum() / self.size.sum())

    @property
    def amount(self) -> Numbers:
        """The cases, events or sums of each."""
        return np.round(self.level * self.size, 9)

    @property
    @abstractmethod
    def by_chance(self) -> Numbers | None:
        """The deviation of each under equal service; None where no interval says it."""

    @property
    @abstractmethod
    def _away(self) -> Numbers:
        """How many deviations of chance each lies from the base; NaN where that is not known."""

    @abstractmethod
    def _limits(self, reach: float) -> tuple[Numbers, Numbers]:
        """Between what each lies by chance, `reach` deviations to both sides of the base."""

    @abstractmethod
    def _shrunken(self) -> Numbers:
        """Each level drawn towards that of all."""

    @abstractmethod
    def _gap(self) -> Around | None:
        """Each level less that of the rest; None where no interval says how far chance reaches."""

    @abstractmethod
    def _ratio(self) -> Around | None:
        """Each level over that of the rest; None where no interval says how far chance reaches."""

    def expected_equity(self, people: Numbers, rule: Rule) -> float | None:
        """The equity score equal service shows on average; None where no interval says it."""
        error = self.by_chance
        return None if error is None else fairness.equity_of_levels(self.base, error, people, rule)

    def comparisons(self, rule: Rule | None) -> tuple[dict[str, Comparison], float]:
        """By district how it stands, and how much more than chance districts spread."""
        z = self._away
        judged = ~np.isnan(z)
        phi = fairness.overdispersion(z[judged])
        inner, outer = (self._limits(reach * np.sqrt(phi)) for reach in (Z, OUTER_Z))
        places = fairness.places(np.where(judged, z, 0.0), phi)
        shrunken = self._shrunken()
        scores = _scores(rule, shrunken) if scale_of(self.metric) is Scale.VALUE else [None] * len(shrunken)
        gaps, ratios = self._gap(), self._ratio()
        limits = [
            _limits_of(inner, outer, index, places[index]) if judged[index] else None
            for index in range(len(self.rows))
        ]
        return {
            row.district: Comparison(
                float(self.level[index]),
                *_interval(self.metric, row),
                shrunken=float(shrunken[index]),
                score=scores[index],
                shade=_shade(self.metric, scores[index], float(shrunken[index]), self.base),
                limits=limits[index],
                gap=_estimate_of(gaps, index),
                ratio=_estimate_of(ratios, index),
            )
            for index, row in enumerate(self.rows)
        }, phi


class Shares(Cases):
    """Of so many cases so many are good."""

    @property
    def by_chance(self) -> Numbers:
        """The deviation of each under equal service."""
        return np.sqrt(self.base * (1 - self.base) / self.size)

    @property
    def _away(self) -> Numbers:
        return fairness.share_z(self.amount, self.size, self.base)

    def _limits(self, reach: float) -> tuple[Numbers, Numbers]:
        return fairness.funnel_limits(self.base, self.size, reach)

    def _shrunken(self) -> Numbers:
        return fairness.shrunken_shares(self.amount, self.size)

    def _gap(self) -> Around:
        return fairness.gap(self.amount, self.size)

    def _ratio(self) -> Around:
        return fairness.share_ratio(self.amount, self.size)

    def expected_equity(self, people: Numbers, rule: Rule) -> float:
        """The equity score equal service shows on average."""
        return fairness.equity_of_shares(self.base, self.size, people, rule)


class Rates(Cases):
    """So many events for so many residents."""

    @property
    def by_chance(self) -> Numbers:
        """The deviation of each under equal service."""
        return np.sqrt(self.base / self.size)

    @property
    def _away(self) -> Numbers:
        return fairness.rate_z(self.amount, self.size, self.base)

    def _limits(self, reach: float) -> tuple[Numbers, Numbers]:
        return fairness.rate_limits(self.base, self.size, reach)

    def _shrunken(self) -> Numbers:
        return fairness.shrunken_rates(self.amount, self.size)

    def _gap(self) -> Around:
        return fairness.rate_gap(self.amount, self.size)

    def _ratio(self) -> Around:
        return fairness.rate_ratio(self.amount, self.size)


class Levels(Cases):
    """Means, percentiles, sums and stocks: chance is known by their intervals alone."""

    @property
    def by_chance(self) -> Numbers | None:
        """The deviation of each under equal service; None where no level has an interval.

        A level without interval is given the mean variance of the others for its own size.
        """
        known = ~np.isnan(self.error)
        if not known.any():
            return None
        of_one = float(np.mean(self.error[known] ** 2 * self.size[known]))
        return np.where(known, self.error, np.sqrt(of_one / self.size))

    @property
    def _away(self) -> Numbers:
        return fairness.level_z(self.level, self.error, self.base)

    def _limits(self, reach: float) -> tuple[Numbers, Numbers]:
        return fairness.level_limits(self.base, self.error, reach)

    def _shrunken(self) -> Numbers:
        error = self.by_chance
        return self.level if error is None else fairness.shrunken_levels(self.level, error, self.base)

    def _gap(self) -> Around | None:
        error = self.by_chance
        return None if error is None else fairness.level_gap(self.level, error, self.size)

    def _ratio(self) -> Around | None:
        error = self.by_chance
        return None if error is None else fairness.level_ratio(self.level, error, self.size)


def cases_of(metric: Metric, rows: Sequence[Standing]) -> Cases:
    """Those of the rows that have a value and something to reckon it by."""
    found = [(row, _sized(metric, row)) for row in rows]
    kept = [(row, sized) for row, sized in found if sized is not None]
    level, size, error = (
        np.array([sized[part] for _row, sized in kept], dtype=np.float64) for part in range(3)
    )
    return _kind(metric)(metric, tuple(row for row, _sized in kept), level, size, error)


def _kind(metric: Metric) -> type[Cases]:
    if metric.aggregation is Aggregation.RATIO and metric.denominator is None:
        return Shares
    if metric.aggregation is Aggregation.COUNT and metric.quantity is None:
        return Rates
    return Levels


def _sized(metric: Metric, row: Standing) -> tuple[float, float, float] | None:
    """(level, size, error) of a district; None where there is no value or nothing to reckon it by."""
    score = row.score
    if score.value is None:
        return None
    if scale_of(metric) is Scale.PER_1000:
        size = (row.people or 0) / PER
        level = score.value / size if size else 0.0
    else:
        own = metric.aggregation in (Aggregation.RATIO, Aggregation.MEAN)
        size, level = float((score.denominator if own else score.n) or 0), score.value
    low, high = _interval(metric, row)
    # An interval without width comes of days that were all alike; it says nothing of how far chance reaches.
    error = (high - low) / (2 * Z) if low is not None and high is not None and high > low else np.nan
    return (level, size, error) if size > 0 else None


def _interval(metric: Metric, row: Standing) -> tuple[float | None, float | None]:
    """The interval of a district's value on the scale that is compared."""
    ends = row.score.low, row.score.high
    if scale_of(metric) is Scale.VALUE:
        return ends
    size = (row.people or 0) / PER
    low, high = (None if one is None or not size else one / size for one in ends)
    return low, high


def _limits_of(
    inner: tuple[Numbers, Numbers], outer: tuple[Numbers, Numbers], index: int, place: Place
) -> Limits:
    (low, high), (outer_low, outer_high) = inner, outer
    return Limits(
        float(low[index]), float(high[index]), float(outer_low[index]), float(outer_high[index]), place
    )


def _estimate_of(given: Around | None, index: int) -> Estimate | None:
    if given is None:
        return None
    numbers = [float(one[index]) for one in given]
    return Estimate(*numbers) if np.isfinite(numbers).all() else None


def _scores(rule: Rule | None, levels: Numbers) -> list[float | None]:
    return [None if rule is None else rule.score(one) for one in levels.tolist()]


def _shade(metric: Metric, score: float | None, shrunken: float, base: float) -> Shade | None:
    if score is None and base <= 0:
        return None
    part = score if score is not None else shrunken / base
    found = bisect_right(SHADES_FROM, round(part, 12))
    is_turned = score is None and metric.direction is Direction.LOWER_IS_BETTER
    return list(Shade)[len(SHADES_FROM) - found if is_turned else found]
