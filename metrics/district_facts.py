"""A metric by district in one period: what published scores say of each district beside the rest of the city.

Everything is worked out from the rows it is given and from what the catalogue says of districts. Whoever may
not see a row is given none of it: those hidden together are one row, `WITHHELD`, and count as one district
with all their people, so that no index tells what is hidden. Records that name no district are shown and
take no part in any comparison.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from metrics import fairness
from metrics.fairness import OUTER_Z, Index, Place, Rule
from metrics.intervals import SIDE, Z
from metrics.model import (
    UNKNOWN_DISTRICT,
    WITHHELD,
    Aggregation,
    Direction,
    District,
    Metric,
    Period,
    Score,
)

Numbers = NDArray[np.float64]

PER = 1000
"""Rates are per so many residents."""

_TWO = 2


class Scale(StrEnum):
    """What of a district is compared: its value, or how much there is for each thousand residents."""

    VALUE = "value"
    PER_1000 = "per_1000"


class Shade(StrEnum):
    """How a district is coloured on a map: by its shrunken level's score, else by its part of the base."""

    FAR_WORSE = "far-worse"
    WORSE = "worse"
    NEAR = "near"
    BETTER = "better"
    FAR_BETTER = "far-better"


SHADES_FROM = (0.90, 0.97, 1.03, 1.10)
"""Where one shade ends and the next begins, around the target or the base at 1."""


@dataclass(frozen=True)
class Limits:
    """Between what a district of its size lies by chance, 95 and 99.8 times in 100, and where it lies."""

    low: float
    high: float
    outer_low: float
    outer_high: float
    place: Place


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """One district beside the others, on the scale that is compared.

    level with the ends of its interval, each None where there is none. shrunken: the level drawn towards the
    city's by as much as the district's size leaves to chance; score: what the shrunken level scores, None
    without a target; shade: None where there is nothing to hold it against. limits, gap, ratio: None where
    chance cannot be reckoned or there is no other district.
    """

    level: float
    low: float | None
    high: float | None
    shrunken: float
    score: float | None = None
    shade: Shade | None = None
    limits: Limits | None = None
    gap: Estimate | None = None
    ratio: Estimate | None = None


@dataclass(frozen=True)
class Standing:
    """A metric in one district. together: how many are hidden in the row that stands for them, else 0.

    per_1000: cases (of a count its total, of a stock its open ones) for each thousand residents.
    need_rank: 0 where need is least, 1 where it is greatest, at the middle of the district's people.
    comparison: None without a value or people to reckon it by, and for records that name no district.
    """

    score: Score
    people: int | None
    need: float | None
    per_1000: float | None = None
    need_rank: float | None = None
    comparison: Comparison | None = None
    together: int = 0

    @property
    def district(self) -> str:
        """The district's id, WITHHELD or UNKNOWN_DISTRICT."""
        return self.score.district

    @property
    def place(self) -> Place | None:
        """Where it lies in its funnel; None where that cannot be said."""
        limits = self.comparison.limits if self.comparison else None
        return limits.place if limits else None


@dataclass(frozen=True)
class ByDistrict:
    """A metric by district in a period. rows: the shrunken level furthest from good first; hidden ones last.

    base: what the funnel is around, the level of all districts together; None where there is nothing to
    compare. dispersion: how much more than chance districts spread; its root widens the limits.
    city: the whole city's score of the period.
    """

    metric: Metric
    city: Score
    scale: Scale
    rows: tuple[Standing, ...]
    base: float | None = None
    dispersion: float = 1.0
    rule: Rule | None = field(default=None, repr=False)

    @property
    def period(self) -> Period:
        """The period it is about."""
        return self.city.period

    @property
    def compared(self) -> tuple[Standing, ...]:
        """The rows that take part in comparisons."""
        return tuple(row for row in self.rows if row.comparison is not None)

    @property
    def by_chance(self) -> float:
        """How many rows would lie beyond their funnels if only chance told districts apart."""
        return 2 * SIDE * self.judged

    @property
    def judged(self) -> int:
        """How many rows lie somewhere in a funnel."""
        return sum(1 for row in self.rows if row.place is not None)

    def at(self, *places: Place) -> tuple[Standing, ...]:
        """The rows that lie there in their funnels."""
        return tuple(row for row in self.rows if row.place in places)

    def row(self, district: str) -> Standing | None:
        """The row of a district; None where there is none or it is hidden."""
        return next((row for row in self.rows if row.district == district), None)


@dataclass(frozen=True)
class Equity:
    """The mean over people of their district's score, none above 1, and what equal service shows on average.

    expected is None where it cannot be said how far chance reaches.
    """

    value: float
    expected: float | None


@dataclass(frozen=True)
class Indices:
    """One number each for how a metric is shared out; None where it cannot be said (see the functions)."""

    equity: Equity | None
    concentration: Index | None
    slope: Index | None


# --- districts ---------------------------------------------------------------------------------


def by_district(
    metric: Metric,
    city: Score,
    rows: Sequence[Score],
    districts: Mapping[str, District],
    hidden: Collection[str] = (),
) -> ByDistrict:
    """A metric by district in a period, from published scores.

    city: the whole city's score. rows: those of the districts shown, of records that name none, and the
    WITHHELD one where any are `hidden`, which are their ids.
    """
    standings = _with_ranks([_standing(metric, row, districts, hidden) for row in rows])
    cases = _Cases.of(metric, [row for row in standings if row.district != UNKNOWN_DISTRICT])
    rule = _rule(metric, city)
    if len(cases.rows) < _TWO:
        return ByDistrict(metric, city, _scale(metric), _ordered(metric, standings), rule=rule)
    comparisons, phi = cases.comparisons(rule)
    found = [replace(row, comparison=comparisons.get(row.district)) for row in standings]
    return ByDistrict(metric, city, _scale(metric), _ordered(metric, found), cases.base, phi, rule)


def indices(given: ByDistrict) -> Indices:
    """How a metric is shared out among people and by need, from the rows that are shown."""
    cases = _Cases.of(given.metric, list(given.compared))
    if len(cases.rows) < _TWO:
        return Indices(None, None, None)
    people = np.array([row.people or 0 for row in cases.rows], dtype=np.float64)
    if not (people > 0).all():
        return Indices(None, None, None)
    return Indices(_equity(given, cases, people), *_by_need(cases, people))


def _scale(metric: Metric) -> Scale:
    """Totals of unequal districts are compared by their residents."""
    counts = metric.aggregation in (Aggregation.COUNT, Aggregation.STOCK)
    return Scale.PER_1000 if counts else Scale.VALUE


def _standing(
    metric: Metric, row: Score, districts: Mapping[str, District], hidden: Collection[str]
) -> Standing:
    ids = hidden if row.district == WITHHELD else [row.district]
    known = [districts[one] for one in ids if one in districts]
    people, need = _people(known), _need(known)
    counted = row.value if _scale(metric) is Scale.PER_1000 else row.n
    per = None if counted is None or not people else counted * PER / people
    return Standing(row, people, need, per, together=len(hidden) if row.district == WITHHELD else 0)


def _people(known: Sequence[District]) -> int | None:
    counts = [one.population for one in known if one.population is not None]
    return sum(counts) if known and len(counts) == len(known) else None


def _need(known: Sequence[District]) -> float | None:
    """The need of the people of all these districts together: the mean over people."""
    pairs = [
        (one.need, one.population) for one in known if one.need is not None and one.population is not None
    ]
    people = sum(weight for _need, weight in pairs)
    if not known or len(pairs) < len(known) or not people:
        return None
    return sum(need * weight for need, weight in pairs) / people


def _with_ranks(rows: Sequence[Standing]) -> list[Standing]:
    """Rows with their place in the order of need; it is one of all districts, whatever happened in them."""
    placed = [row for row in rows if row.need is not None and row.people]
    if not placed:
        return list(rows)
    found = fairness.ranks([row.people or 0 for row in placed], [row.need or 0.0 for row in placed])
    rank = {row.district: float(one) for row, one in zip(placed, found, strict=True)}
    return [replace(row, need_rank=rank.get(row.district)) for row in rows]


def _ordered(metric: Metric, rows: Sequence[Standing]) -> tuple[Standing, ...]:
    sign = -1 if metric.direction in (Direction.LOWER_IS_BETTER, Direction.NEUTRAL) else 1

    def key(row: Standing) -> tuple[int, bool, float, str]:
        last = {UNKNOWN_DISTRICT: 2, WITHHELD: 1}.get(row.district, 0)
        shrunken = row.comparison.shrunken if row.comparison else 0.0
        return last, row.comparison is None, sign * shrunken, row.district

    return tuple(sorted(rows, key=key))


# --- what is compared --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cases:
    """The districts side by side, shape (districts,): each a share, a rate or a level with an error.

    amount / size is the level. error: the deviation by chance of each on its own, NaN where not known.
    """

    metric: Metric
    rows: tuple[Standing, ...]
    level: Numbers
    size: Numbers
    error: Numbers

    @classmethod
    def of(cls, metric: Metric, rows: Sequence[Standing]) -> _Cases:
        found = [(row, _sized(metric, row)) for row in rows]
        kept = [(row, sized) for row, sized in found if sized is not None]
        level, size, error = (
            np.array([sized[part] for _row, sized in kept], dtype=np.float64) for part in range(3)
        )
        return cls(metric, tuple(row for row, _sized in kept), level, size, error)

    @property
    def base(self) -> float:
        return float((self.level * self.size).sum() / self.size.sum())

    @property
    def amount(self) -> Numbers:
        return np.round(self.level * self.size, 9)

    @property
    def is_share(self) -> bool:
        return self.metric.aggregation is Aggregation.RATIO and self.metric.denominator is None

    @property
    def is_rate(self) -> bool:
        return self.metric.aggregation is Aggregation.COUNT and self.metric.quantity is None

    @property
    def by_chance(self) -> Numbers | None:
        """The deviation of each under equal service; None where no interval says it of a level.

        A level without interval is given the mean variance of the others for its own size.
        """
        base = self.base
        if self.is_share:
            return np.sqrt(base * (1 - base) / self.size)
        if self.is_rate:
            return np.sqrt(base / self.size)
        known = ~np.isnan(self.error)
        if not known.any():
            return None
        of_one = float(np.mean(self.error[known] ** 2 * self.size[known]))
        return np.where(known, self.error, np.sqrt(of_one / self.size))

    def comparisons(self, rule: Rule | None) -> tuple[dict[str, Comparison], float]:
        """By district how it stands, and how much more than chance districts spread."""
        z = self._z()
        judged = ~np.isnan(z)
        phi = fairness.overdispersion(z[judged])
        inner, outer = (self._limits(reach * np.sqrt(phi)) for reach in (Z, OUTER_Z))
        places = fairness.places(np.where(judged, z, 0.0), phi)
        shrunken = self._shrunken()
        scores = _scores(rule, shrunken) if _scale(self.metric) is Scale.VALUE else [None] * len(shrunken)
        gaps, ratios = self._gaps()
        limits = [
            _limits(inner, outer, index, places[index]) if judged[index] else None
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
                gap=_estimate(gaps, index),
                ratio=_estimate(ratios, index),
            )
            for index, row in enumerate(self.rows)
        }, phi

    def _z(self) -> Numbers:
        if self.is_share:
            return fairness.share_z(self.amount, self.size, self.base)
        if self.is_rate:
            return fairness.rate_z(self.amount, self.size, self.base)
        return fairness.level_z(self.level, self.error, self.base)

    def _limits(self, reach: float) -> tuple[Numbers, Numbers]:
        if self.is_share:
            return fairness.funnel_limits(self.base, self.size, reach)
        if self.is_rate:
            return fairness.rate_limits(self.base, self.size, reach)
        return fairness.level_limits(self.base, self.error, reach)

    def _shrunken(self) -> Numbers:
        if self.is_share:
            return fairness.shrunken_shares(self.amount, self.size)
        if self.is_rate:
            return fairness.shrunken_rates(self.amount, self.size)
        error = self.by_chance
        return self.level if error is None else fairness.shrunken_levels(self.level, error, self.base)

    def _gaps(self) -> tuple[tuple[Numbers, ...], tuple[Numbers, ...]]:
        if self.is_share:
            return fairness.gap(self.amount, self.size), fairness.share_ratio(self.amount, self.size)
        if self.is_rate:
            return fairness.rate_gap(self.amount, self.size), fairness.rate_ratio(self.amount, self.size)
        error = self.by_chance
        if error is None:
            nothing = np.full(len(self.rows), np.nan)
            return (nothing,), (nothing,)
        return (
            fairness.level_gap(self.level, error, self.size),
            fairness.level_ratio(self.level, error, self.size),
        )


def _sized(metric: Metric, row: Standing) -> tuple[float, float, float] | None:
    """(level, size, error) of a district; None where there is no value or nothing to reckon it by."""
    score = row.score
    if score.value is None:
        return None
    if _scale(metric) is Scale.PER_1000:
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
    if _scale(metric) is Scale.VALUE:
        return ends
    size = (row.people or 0) / PER
    low, high = (None if one is None or not size else one / size for one in ends)
    return low, high


def _limits(
    inner: tuple[Numbers, Numbers], outer: tuple[Numbers, Numbers], index: int, place: Place
) -> Limits:
    (low, high), (outer_low, outer_high) = inner, outer
    return Limits(
        float(low[index]), float(high[index]), float(outer_low[index]), float(outer_high[index]), place
    )


def _estimate(given: tuple[Numbers, ...], index: int) -> Estimate | None:
    numbers = [float(one[index]) for one in given]
    return Estimate(*numbers) if np.isfinite(numbers).all() else None


# --- scores, people and need -------------------------------------------------------------------


def _rule(metric: Metric, city: Score) -> Rule | None:
    """How a district's value is scored by the city's target; None where a total of unlike ones would be."""
    if _scale(metric) is Scale.PER_1000 or metric.method != "linear" or city.target is None:
        return None
    if metric.direction is Direction.NEUTRAL:
        return None
    if city.target_high is not None and city.floor is not None and city.floor_high is not None:
        bounds = (city.target, city.target_high), (city.floor, city.floor_high)
        return Rule(*bounds, direction=metric.direction, cap=metric.cap)
    return Rule(city.target, city.floor, metric.direction, metric.cap)


def _scores(rule: Rule | None, levels: Numbers) -> list[float | None]:
    return [None if rule is None else rule.score(one) for one in levels.tolist()]


def _shade(metric: Metric, score: float | None, shrunken: float, base: float) -> Shade | None:
    if score is None and base <= 0:
        return None
    part = score if score is not None else shrunken / base
    found = bisect_right(SHADES_FROM, round(part, 12))
    is_turned = score is None and metric.direction is Direction.LOWER_IS_BETTER
    return list(Shade)[len(SHADES_FROM) - found if is_turned else found]


def _equity(given: ByDistrict, cases: _Cases, people: Numbers) -> Equity | None:
    if given.rule is None:
        return None
    value = fairness.equity(cases.level, people, given.rule)
    if value is None:
        return None
    error = cases.by_chance
    if cases.is_share:
        return Equity(value, fairness.equity_of_shares(cases.base, cases.size, people, given.rule))
    if error is None:
        return Equity(value, None)
    return Equity(value, fairness.equity_of_levels(cases.base, error, people, given.rule))


def _by_need(cases: _Cases, people: Numbers) -> tuple[Index | None, Index | None]:
    """The concentration and the slope index; None without an order of need or without anything to share."""
    needs = [row.need for row in cases.rows]
    error = cases.by_chance
    if error is None or any(one is None for one in needs) or len(set(needs)) < _TWO:
        return None, None
    need = np.array(needs, dtype=np.float64)
    has_any = float((people * cases.level).sum()) != 0
    shared = fairness.concentration(cases.level, people, need, error) if has_any else None
    return shared, fairness.slope(cases.level, people, need, error)
