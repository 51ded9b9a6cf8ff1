"""The words and numbers of one district in a comparison: its value, its place by chance, its distance."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from layouts.district_view import DistrictsView
from layouts.formats import evidence, numbers, words
from layouts.formats.language import _
from layouts.formats.numbers import Level
from metrics.districts import PER, ByDistrict, Comparison, Scale, Standing
from metrics.fairness import Place
from metrics.model import WITHHELD, Aggregation, Direction, Metric

SMALL_RATE = 10
"""Under this a rate is printed with two digits."""

FEW = 10
"""Under so many cases a district is hatched on a map and not coloured."""

_TURNED = {Place.ABOVE: Place.BELOW, Place.BELOW: Place.ABOVE}


def has_better(metric: Metric) -> bool:
    """Whether more or less of a metric is better; not where it has a band or no target."""
    return metric.direction not in (Direction.NEUTRAL, Direction.WITHIN)


def row_name(view: DistrictsView, row: Standing) -> str:
    """The name of a row: of a district, of those hidden together, of records that name none."""
    return words.place(row.district, view.name(row.district), row.together)


def hidden_word() -> str:
    """What is said of a district that is hidden."""
    return words.place(WITHHELD, None)


def place_word(metric: Metric, place: Place | None) -> str:
    """Where a district lies in its funnel, in words that say whether that is good."""
    if place is None:
        return _("Cannot be said")
    if place is Place.WITHIN:
        return _("Within chance")
    if not has_better(metric):
        return _("More than chance explains") if place is Place.ABOVE else _("Less than chance explains")
    if _side(metric, place) is Place.ABOVE:
        return _("Better than chance explains")
    return _("Worse than chance explains")


def place_level(metric: Metric, place: Place | None) -> Level:
    """The colour and glyph that go with it."""
    if place is None or place is Place.WITHIN:
        return Level.NONE
    if not has_better(metric):
        return Level.WATCH
    return Level.ABOVE if _side(metric, place) is Place.ABOVE else Level.BELOW


def is_few(row: Standing) -> bool:
    """Whether so few cases stand behind a district's value that its shade would say more than they do."""
    return row.score.n is not None and row.score.n < FEW


def few_word() -> str:
    """What is said of such a district."""
    return _("fewer than {few} cases").format(few=numbers.count(FEW))


def value(metric: Metric, row: Standing) -> str:
    """A district's value."""
    return numbers.value(metric, row.score.value)


def interval(metric: Metric, row: Standing) -> str:
    """Where its value lies by chance; empty without interval."""
    return evidence.interval(metric, row.score)


def level(by: ByDistrict, number: float | None) -> str:
    """A number on the scale that is compared."""
    return numbers.value(_on(by, number), number)


def axis(by: ByDistrict, number: float, digits: int) -> str:
    """The same beside an axis."""
    return numbers.axis(_on(by, number), number, digits)


def per_1000(number: float | None) -> str:
    """So many for each thousand residents."""
    if number is None:
        return numbers.NOTHING
    return _hundredths(number) if abs(number) < SMALL_RATE else numbers.plain(round(number, 1), 1)


def limits(by: ByDistrict, row: Standing) -> str:
    """What chance explains for a district of its size, like `72% to 88%`; a dash where it cannot be said."""
    found = row.comparison.limits if row.comparison else None
    if found is None:
        return numbers.NOTHING
    low, high = numbers.apart(_on(by, found.high), found.low, found.high)
    return _("{low} to {high}").format(low=low, high=high)


def ratio(comparison: Comparison) -> str:
    """How many times the rest of the city, with its interval; empty where it cannot be said."""
    found = comparison.ratio
    if found is None:
        return ""
    low, middle, high = (_hundredths(one) for one in (found.low, found.value, found.high))
    return _("{ratio} ({low} to {high})").format(ratio=middle, low=low, high=high)


def need(number: float | None) -> str:
    """How much a district needs, as it was given; a dash where that is not known."""
    if number is None:
        return numbers.NOTHING
    return numbers.share_of_one(number) if number < 1 else numbers.plain(number, 2)


def difference(by: ByDistrict, number: float, *, bare: bool = False) -> str:
    """A difference with its sign on the scale that is compared, shares in points; bare: without its unit."""
    metric, times = _on(by, number), 1
    if metric.unit == numbers.PERCENT:
        metric, times = replace(metric, unit=_("points")), 100
    text = numbers.value(replace(metric, unit="") if bare else metric, abs(number) * times)
    if not any(letter in "123456789" for letter in text):
        return text
    return f"+{text}" if number > 0 else f"{numbers.MINUS}{text}"


def _side(metric: Metric, place: Place) -> Place:
    """The place if higher were better."""
    return _TURNED.get(place, place) if metric.direction is Direction.LOWER_IS_BETTER else place


def _hundredths(number: float) -> str:
    return numbers.hundredths(Decimal(repr(round(number, 2))))


def _on(by: ByDistrict, number: float | None) -> Metric:
    """The metric as its compared scale prints it."""
    if by.scale is Scale.VALUE:
        return by.metric
    digits = 2 if abs(number or 0.0) < SMALL_RATE else 1
    unit = _("per {thousand}").format(thousand=numbers.count(PER))
    return replace(by.metric, aggregation=Aggregation.MEAN, decimals=digits, unit=unit)
