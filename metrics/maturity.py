"""How much of a day is known after how many days: completeness measured from a metric's own past (method 6).

A triangle holds, for each of the last days, what was known of it 0, 1, 2 … days after it ended. The chain
ladder links the ages: factor k is what the days known at both ages held at age k + 1 over what they held at
age k, and the completeness at an age is one over the product of the factors still to come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.facts import running

MEASURED_DAYS = 84
"""How many days a curve is measured from: the last twelve weeks."""

SETTLED_AGE = 56
"""A day this old is taken as settled: for every age below there are four weeks of days to measure it from."""

MATURE, SCORED = 0.98, 0.90
"""From which completeness on a period is final, and from which on it is scored at all."""

LEAST_EVENTS = 20
"""Under so many events nothing is measured: one of them alone would be more than the 2% that are asked."""

WEEKDAYS = 7
_PLACES = 4
_PUBLISHED_PLACES = 3

Numbers = NDArray[np.float64]
Shares = tuple[float | None, ...]


@dataclass(frozen=True)
class Curve:
    """What share of a day is known at age 0, 1 … SETTLED_AGE, for the numerator and for the denominator.

    An age at which no day was known has None; a part that is not counted, or too seldom to be measured, has
    no shares at all. No share is above that of a greater age: a day is mature once it stays so. weekdays: how
    much a Monday, Tuesday … usually holds, in events a day.
    """

    numerator: Shares
    denominator: Shares
    weekdays: tuple[float, ...]

    @property
    def shares(self) -> Shares:
        """The lower of both parts at each age."""
        if not (self.numerator and self.denominator):
            return self.numerator or self.denominator
        both = zip(self.numerator, self.denominator, strict=True)
        return tuple(None if one is None or other is None else min(one, other) for one, other in both)


@dataclass(frozen=True)
class Growth:
    """What was known of each day as time went by: shape (days, ages), NaN where a day was not known.

    numerator, denominator: one of the two may be None. first: the first of the days.
    """

    first: date
    numerator: Numbers | None
    denominator: Numbers | None


def factors(triangle: Numbers) -> Numbers:
    """Development factors of a cumulative triangle, shape (ages - 1,), weighted by volume.

    Each is over the days known at both ages. NaN where there are none; infinity where all came later.
    Chain ladder: Mack 1993, as in the casualty actuarial literature.
    """
    early, late = triangle[:, :-1], triangle[:, 1:]
    both = ~np.isnan(early) & ~np.isnan(late)
    before = np.where(both, early, 0.0).sum(axis=0)
    after = np.where(both, late, 0.0).sum(axis=0)
    found = np.divide(after, before, out=np.full(len(before), np.inf), where=before > 0)
    found[(before <= 0) & (after <= 0)] = 1.0
    found[~both.any(axis=0)] = np.nan
    return found


def completeness(development: Numbers) -> Numbers:
    """The share known at each age, shape (factors + 1,): one over the product of the factors to come.

    The last age is whole. An age before one that was never measured is NaN. What shrinks as it becomes known
    (a case that turns out a duplicate) is as incomplete as what grows: a share above 1 is turned over. No
    share is above that of a greater age.
    """
    to_come = np.append(np.cumprod(development[::-1])[::-1], 1.0)
    with np.errstate(divide="ignore"):
        shares = np.where(to_come > 1, 1 / to_come, to_come)
    return np.minimum.accumulate(shares[::-1])[::-1]


def curve(growth: Growth) -> Curve | None:
    """The curve of a metric; None where too little happened to measure either part."""
    numerator, denominator = _shares(growth.numerator), _shares(growth.denominator)
    if not numerator and not denominator:
        return None
    triangle, shares = (growth.denominator, denominator) if denominator else (growth.numerator, numerator)
    assert triangle is not None, "a part that was measured is there"
    return Curve(numerator, denominator, _by_weekday(triangle, shares, growth.first))


def whole_from(curve: Curve) -> int:
    """The age from which on all of a day is known: a period whose days have reached it stays complete."""
    young = [age for age, share in enumerate(curve.shares) if share != 1.0]
    return young[-1] + 1 if young else 0


def last_mature_day(curve: Curve, known_end: date) -> date | None:
    """The last day of which at least MATURE is known; known_end is the first day not known at all.

    None where not even a settled day is mature, which an age without a measure makes so.
    """
    immature = [age for age, share in enumerate(curve.shares) if share is None or share < MATURE]
    age = immature[-1] + 1 if immature else 0
    return known_end - timedelta(days=age + 1) if age < len(curve.shares) else None


class Completeness:
    """The completeness of ranges of days, by column number from `first` on.

    usable: shape (days,), whether a day is known; known_end is the first day that is not. A range is weighed
    by what each of its weekdays usually holds, since a Monday still to come is more than a Sunday.
    """

    def __init__(self, curve: Curve, first: date, usable: NDArray[np.bool_], known_end: date) -> None:
        days = np.arange(len(usable))
        ages = np.clip((known_end - first).days - 1 - days, 0, SETTLED_AGE)
        self._settled = int((ages == SETTLED_AGE).sum())
        # Both are rounded already: counted in whole units, sums are exact wherever they begin.
        usual = _whole(curve.weekdays, _PUBLISHED_PLACES)[(first.weekday() + days) % WEEKDAYS]
        parts = [_by_age(part)[ages] for part in (curve.numerator, curve.denominator) if part]
        self._usable = running(usable)
        self._unmeasured = running(usable & np.isnan(sum(parts)))
        self._usual = running(np.where(usable, usual * 10**_PLACES, 0))
        self._known = [
            running(np.where(usable, usual * _whole(np.nan_to_num(part), _PLACES), 0)) for part in parts
        ]

    def over(self, start: int, end: int) -> float | None:
        """The share known of the days [start, end): the lower of numerator and denominator.

        1 once it is at least MATURE; else cut off, since rounding up could make it look mature. None without
        a day that is known, and where one has an age that was never measured. A range of days on which
        nothing usually happens is whole: nothing of it is awaited.
        """
        if self._usable[end] == self._usable[start] or self._unmeasured[end] > self._unmeasured[start]:
            return None
        usual = self._usual[end] - self._usual[start]
        if end <= self._settled or usual <= 0:
            return 1.0
        share = min(known[end] - known[start] for known in self._known) / usual
        return 1.0 if share >= MATURE else _cut(share)


def _cut(share: float) -> float:
    scale = 10**_PUBLISHED_PLACES
    return math.floor(share * scale + 1e-9) / scale


def _shares(triangle: Numbers | None) -> Shares:
    if triangle is None or np.nansum(_newest(triangle)) < LEAST_EVENTS:
        return ()
    found = np.round(completeness(factors(triangle)), _PLACES).tolist()
    return tuple(None if share != share else share for share in found)


def _ages(triangle: Numbers) -> NDArray[np.int64]:
    """The age of each day by now, shape (days,): that of the last entry of its row that is known."""
    return triangle.shape[1] - 1 - np.argmax(~np.isnan(triangle)[:, ::-1], axis=1)


def _newest(triangle: Numbers) -> Numbers:
    """What is known of each day by now, shape (days,): NaN for a day that is not known yet."""
    return triangle[np.arange(len(triangle)), _ages(triangle)]


def _by_weekday(triangle: Numbers, shares: Shares, first: date) -> tuple[float, ...]:
    """What each weekday holds in the end: days of which little is known yet are left out."""
    share = _by_age(shares)[_ages(triangle)]
    in_the_end = np.where(share >= SCORED, _newest(triangle), np.nan) / share
    weekday = (first.weekday() + np.arange(len(share))) % WEEKDAYS
    known = [in_the_end[(weekday == one) & ~np.isnan(in_the_end)] for one in range(WEEKDAYS)]
    return tuple(round(float(one.mean()), _PUBLISHED_PLACES) if len(one) else 0.0 for one in known)


def _whole(numbers: ArrayLike, places: int) -> NDArray[np.int64]:
    """Numbers of so many decimal places in units of the last of them."""
    return np.rint(np.asarray(numbers, dtype=np.float64) * 10**places).astype(np.int64)


def _by_age(part: Shares) -> Numbers:
    return np.array([np.nan if share is None else share for share in part])
