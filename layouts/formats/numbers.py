"""How scores, changes, contributions, values and shares are printed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from babel import Locale
from babel.numbers import NumberPattern, format_compact_decimal

from layouts.formats.language import _, locale
from metrics.attribution import apportion
from metrics.model import Aggregation, Composite, Metric, Score, Target

HUNDREDTH = Decimal("0.01")
ON_TARGET = Decimal("1.00")
ABOVE_FROM = Decimal("1.05")
WATCH_FROM = Decimal("0.90")
MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
PERCENT = "percent"
BARE_UNITS = {"", "count", "number"}
LARGE = 1000
MOST_OWN_DIGITS = 3
MORE_DIGITS = 3
"""How many digits more a value may take so that it does not print like a target it misses."""

_NOISE_FREE_DIGITS = 12


class Level(StrEnum):
    """Where a score stands, as a reader sees it: it follows the printed score."""

    ABOVE = "above"
    ON = "on"
    WATCH = "watch"
    BELOW = "below"
    NONE = "none"


@dataclass(frozen=True)
class Movement:
    """The printed difference of two printed scores."""

    amount: Decimal

    @property
    def direction(self) -> str:
        """`up`, `down` or `same`."""
        if self.amount == 0:
            return "same"
        return "up" if self.amount > 0 else "down"


# --- scores ------------------------------------------------------------------------------------


def printed(score: float) -> Decimal:
    """A score as it is printed: two digits, half to even; what is below 1 never prints as 1 (method 8)."""
    rounded = Decimal(repr(score)).quantize(HUNDREDTH, ROUND_HALF_EVEN)
    if score < 1 and rounded >= ON_TARGET:
        return ON_TARGET - HUNDREDTH
    return rounded


def level(score: float | None) -> Level:
    """Where a score stands; NONE for no score."""
    if score is None:
        return Level.NONE
    shown = printed(score)
    if shown >= ON_TARGET:
        return Level.ABOVE if shown >= ABOVE_FROM else Level.ON
    return Level.WATCH if shown >= WATCH_FROM else Level.BELOW


def score(number: float | None) -> str:
    """The text of a score; a dash for no score."""
    return NOTHING if number is None else _fixed(printed(number), 2)


def movement(of: Score | Composite) -> Movement | None:
    """The printed change of a score: the difference of the printed scores (method 8); None for no change."""
    if of.score is None or of.change is None:
        return None
    earlier = round(of.score - of.change, _NOISE_FREE_DIGITS)
    return Movement(printed(of.score) - printed(earlier))


def hundredths(amount: Decimal) -> str:
    """A printed score, or a sum of such."""
    return _fixed(amount, 2)


def signed(amount: Decimal) -> str:
    """A change with its sign, like +0.01 or −0.02; 0.00 has none."""
    text = _fixed(abs(amount), 2)
    if amount == 0:
        return text
    return f"+{text}" if amount > 0 else f"{MINUS}{text}"


def contributions(total: Movement, parts: Sequence[float]) -> tuple[Decimal, ...]:
    """The printed contributions: hundredths that add up to the printed change, in the order given."""
    return apportion(total.amount, parts)


# --- values ------------------------------------------------------------------------------------


def value(metric: Metric, number: float | None) -> str:
    """A value on its metric's scale with its unit; a dash for no value."""
    return NOTHING if number is None else _with_unit(metric, number, _decimals(metric, number), trim=False)


def target(metric: Metric, low: float | None, high: float | None = None) -> str:
    """A target with its unit, without idle zeros; a band reads `from to`; a dash for no target."""
    if low is None:
        return NOTHING
    if high is None or high == low:
        return _with_unit(metric, low, _target_decimals(metric, low), trim=True)
    low_text = target(metric, low) if metric.unit == PERCENT else target(replace(metric, unit=""), low)
    return _("{low} to {high}").format(low=low_text, high=target(metric, high))


def target_set(metric: Metric, given: Target) -> str:
    """A target as it was set: for a count, so many in its own unit of time."""
    low, high = given.value if isinstance(given.value, tuple) else (given.value, None)
    return target(metric, low, high)


def value_beside_target(metric: Metric, of: Score) -> str:
    """A value with as many digits as it takes not to look like the target it is not."""
    if of.value is None:
        return NOTHING
    digits = _decimals(metric, of.value)
    aims = {target(metric, aim) for aim in (of.target, of.target_high) if aim is not None and aim != of.value}
    for more in range(MORE_DIGITS + 1):
        if _with_unit(metric, of.value, digits + more, trim=True) not in aims:
            return _with_unit(metric, of.value, digits + more, trim=False)
    return _with_unit(metric, of.value, digits, trim=False)


def apart(metric: Metric, low: float, high: float) -> tuple[str, str]:
    """The ends of an interval with as many digits as it takes to tell them apart; the unit is said once."""
    bare = metric if metric.unit == PERCENT else replace(metric, unit="")
    digits = max(_decimals(metric, low), _decimals(metric, high))
    for more in range(MORE_DIGITS + 1):
        low_text = _with_unit(bare, low, digits + more, trim=True)
        if low == high or low_text != _with_unit(bare, high, digits + more, trim=True):
            break
    return low_text, _with_unit(metric, high, digits + more, trim=True)


def number_and_unit(text: str) -> tuple[str, str]:
    """A value's text as its number and its unit, which is empty where there is none."""
    number, _space, unit_word = text.partition("\N{NO-BREAK SPACE}")
    return number, unit_word


def plain(number: float, digits: int = 4) -> str:
    """A number for a worked example: up to `digits` digits after the point, no idle zeros."""
    return _decimal(Decimal(repr(number)), 0, digits)


def count(number: float) -> str:
    """How many: whole where it is whole, else one digit."""
    return _decimal(Decimal(repr(number)), 0, 1)


def share(fraction: float) -> str:
    """A share in whole percent, rounded down so that less than enough never reads as enough."""
    percent = (Decimal(repr(fraction)) * 100).to_integral_value(ROUND_FLOOR)
    return _percent(percent / 100, 0, 0)


def share_of_one(fraction: float) -> str:
    """A share as percent, with up to one digit."""
    return _percent(Decimal(repr(fraction)), 0, 1)


def axis(metric: Metric, number: float, digits: int) -> str:
    """A number beside an axis: the unit only where it is percent."""
    if metric.unit == PERCENT:
        return _percent(Decimal(repr(number)), 0, digits)
    return _decimal(Decimal(repr(number)), 0, digits)


def compact(number: float) -> str:
    """A large number in few letters, like 1.2M."""
    return format_compact_decimal(number, locale=locale(), fraction_digits=1).replace("-", MINUS)


def unit(metric: Metric) -> str:
    """The unit as a word for a heading; empty where the numbers speak for themselves."""
    if metric.unit == PERCENT:
        return _("percent")
    return "" if metric.unit in BARE_UNITS else metric.unit


def _with_unit(metric: Metric, number: float, digits: int, *, trim: bool) -> str:
    exact = Decimal(repr(number))
    least = 0 if trim else digits
    if metric.unit == PERCENT:
        return _percent(exact, least, digits)
    text = _decimal(exact, least, digits)
    return text if metric.unit in BARE_UNITS else f"{text}\N{NO-BREAK SPACE}{metric.unit}"


def _decimals(metric: Metric, number: float) -> int:
    counts = metric.aggregation in (Aggregation.COUNT, Aggregation.STOCK)
    return 0 if counts and number == math.trunc(number) else metric.decimals


def _target_decimals(metric: Metric, number: float) -> int:
    """A target that somebody set is written whole; one that was worked out has digits that mean something."""
    counts = metric.aggregation in (Aggregation.COUNT, Aggregation.STOCK)
    if metric.historical or counts:
        size = abs(number) * (100 if metric.unit == PERCENT else 1)
        return 0 if size >= LARGE else 1 if size >= 1 else MOST_OWN_DIGITS
    return max(metric.decimals, _own_decimals(metric, number))


def _own_decimals(metric: Metric, number: float) -> int:
    """The digits a number needs to be written whole, up to three."""
    exact = Decimal(repr(number)) * (100 if metric.unit == PERCENT else 1)
    exponent = exact.normalize().as_tuple().exponent
    return min(-exponent, MOST_OWN_DIGITS) if isinstance(exponent, int) and exponent < 0 else 0


def _fixed(number: Decimal, digits: int) -> str:
    return _decimal(number, digits, digits)


def _decimal(number: Decimal, least: int, most: int) -> str:
    return _written(number, _pattern(locale(), "decimal", least, most))


def _percent(fraction: Decimal, least: int, most: int) -> str:
    return _written(fraction, _pattern(locale(), "percent", least, most))


def _written(number: Decimal, pattern: NumberPattern) -> str:
    return pattern.apply(number, locale()).replace("-", MINUS)


@lru_cache
def _pattern(spoken: Locale, kind: Literal["decimal", "percent"], least: int, most: int) -> NumberPattern:
    """The locale's own pattern with `least` to `most` digits after the point."""
    formats = spoken.percent_formats if kind == "percent" else spoken.decimal_formats
    pattern = copy(formats[None])
    pattern.frac_prec = (least, most)
    return pattern
