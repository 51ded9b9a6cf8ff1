"""What is said of a metric by district, as data: rows, how each compares, how it is shared out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from metrics.fairness import Index, Place, Rule
from metrics.intervals import SIDE
from metrics.model import Aggregation, Metric, Period, Score

PER = 1000
"""Rates are per so many residents."""


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
class Spread:
    """How far districts lie apart in a period, on the scale that is compared, as drawn towards the city's.

    widest: between the two ends; inner: between the tenth from below and the tenth from above (Hazen).
    """

    widest: float
    inner: float
    count: int


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


def scale_of(metric: Metric) -> Scale:
    """Totals of unequal districts are compared by their residents."""
    counts = metric.aggregation in (Aggregation.COUNT, Aggregation.STOCK)
    return Scale.PER_1000 if counts else Scale.VALUE
