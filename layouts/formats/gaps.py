"""The sentences of how far districts lie apart over time."""

from __future__ import annotations

from collections.abc import Sequence

from layouts.district_view import Apart, DistrictsView
from layouts.formats import days, numbers, standings
from layouts.formats.language import _
from metrics.districts import ByDistrict, Scale

NOTHING = 1e-6
"""A distance of so much less than what it is about is none."""

SAME = 0.1
"""A distance that changed by less than this share of itself is told as about the same."""


def headline(view: DistrictsView, points: Sequence[Apart]) -> str:
    """The finding: how far apart the ends are and whether that grew since the first period."""
    first, last = points[0], points[-1]
    word = view.edition.city.district_word
    if not last.spread.widest > NOTHING * abs(view.by.base or 1.0):
        return _("No {district} differs from the others by more than chance").format(district=word)
    told = {
        "district": word,
        "apart": distance(view.by, last.spread.widest),
        "before": distance(view.by, first.spread.widest),
        "period": days.short_period(first.period),
    }
    return _movement(first, last).format(**told)


def _movement(first: Apart, last: Apart) -> str:
    before, now = first.spread.widest, last.spread.widest
    if abs(now - before) <= SAME * max(before, now):
        return _("From {district} to {district} it differs by {apart}, much as in {period} ({before})")
    if now > before:
        return _("From {district} to {district} it differs by {apart}, more than in {period} ({before})")
    return _("From {district} to {district} it differs by {apart}, less than in {period} ({before})")


def distance(by: ByDistrict, number: float) -> str:
    """A distance on the scale that is compared, shares in points."""
    return standings.difference(by, number).removeprefix("+")


def axis(by: ByDistrict, number: float, digits: int) -> str:
    """The same beside an axis, without its unit."""
    if by.metric.unit == numbers.PERCENT and by.scale is Scale.VALUE:
        return numbers.plain(round(number * 100, 4), max(digits - 2, 0))
    return numbers.plain(number, digits)


def end(by: ByDistrict, number: float, *, is_widest: bool) -> str:
    """What stands beside the end of a line."""
    told = distance(by, number)
    return (
        _("Ends {distance}").format(distance=told)
        if is_widest
        else _("Tenths {distance}").format(distance=told)
    )


def alt(view: DistrictsView, points: Sequence[Apart]) -> str:
    """What the chart shows, for those who do not see it."""
    return _("Distance between the ends of {count} periods. {headline}.").format(
        count=numbers.count(len(points)), headline=headline(view, points)
    )


def caption(view: DistrictsView) -> str:
    """What the two lines are."""
    return _(
        "Solid: from the lowest to the highest {district}; dashed: between the tenth from below and the "
        "tenth from above. Both of values drawn towards the city’s where a {district} tells little, so that "
        "small ones do not make the distance by chance."
    ).format(district=view.edition.city.district_word)


def heads() -> list[tuple[str, str]]:
    """The headings of the table of distances."""
    return [
        (_("Period"), ""),
        (_("Between the ends"), "number-cell"),
        (_("Between the tenths"), "number-cell"),
        (_("Compared"), "number-cell"),
    ]
