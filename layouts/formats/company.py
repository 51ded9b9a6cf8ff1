"""The sentences about how sure a score is: other formulas, other weights, chance, what a service weighs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from layouts.company_view import CompanyView, WeighedLine
from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from metrics.model import Composite, Weight

NEARLY_ALL, HARDLY_ANY = 0.99, 0.01


@dataclass(frozen=True)
class Reading:
    """Another way to read a score: its name, its number as text, and what it means or why there is none."""

    name: str
    number: str
    meaning: str


def title() -> str:
    """The heading of the part of a page that says how sure its score is."""
    return _("How sure is this number")


def lead(view: CompanyView) -> str:
    """The one thing to know: whether other weights would change what the score says."""
    if view.composite.score is None:
        return _("There is no score. Boston's arithmetic asks for no coverage, so it is given all the same.")
    if view.on_target is None:
        return _("The same results, read in other ways.")
    if view.on_target > NEARLY_ALL:
        return _("With more than 99% of other weightings the score would be on target or above.")
    if view.on_target < HARDLY_ANY:
        return _("With fewer than 1% of other weightings the score would be on target or above.")
    return _("With {share} of other weightings the score would be on target or above.").format(
        share=numbers.share(view.on_target)
    )


def readings(view: CompanyView) -> list[Reading]:
    """A composite beside itself: the rows of the table."""
    composite = view.composite
    if composite.score is None:
        return [_boston(composite)]
    return [
        Reading(_("As published"), numbers.score(composite.score), _mean_of(view)),
        Reading(
            _("Geometric mean"),
            numbers.score(composite.geometric),
            _("A low score is made good by a high one only in part."),
        ),
        *_lowest(view),
        _without_one(composite),
        _other_weights(composite),
        _by_chance(composite),
        _boston(composite),
    ]


def band(given: tuple[float, float] | None) -> str:
    """Two scores as a range, one where they print alike; a dash for none."""
    if given is None:
        return numbers.NOTHING
    low, high = (numbers.score(end) for end in given)
    return low if low == high else _("{low} to {high}").format(low=low, high=high)


def share_of_score(one: WeighedLine) -> str:
    """How much of the score is a service's; a dash where it did not enter."""
    return numbers.NOTHING if one.share is None else numbers.share(one.share)


def weight(value: float) -> str:
    """A weight as a number."""
    return numbers.plain(value)


def weight_since(one: Weight) -> str:
    """A weight, and from which day on it is in force."""
    if one.valid_from == date.min:
        return _("{weight} from the first publication on").format(weight=weight(one.value))
    return _("{weight} from {day}").format(weight=weight(one.value), day=days.day(one.valid_from))


def weight_reason(one: Weight) -> str:
    """Why a weight is what it is; empty for one that was given without a date, and so without a reason."""
    return "" if one.valid_from == date.min else one.reason


def _mean_of(view: CompanyView) -> str:
    if view.on_target is None:
        return _("The weighted mean of the services in it.")
    return ngettext(
        "The score of {count} service.", "The weighted mean of {count} services.", view.entered
    ).format(count=numbers.count(view.entered))


def _lowest(view: CompanyView) -> list[Reading]:
    if view.lowest is None:
        return []
    score = dict(view.composite.lowest)[view.lowest.metric.id]
    return [Reading(_("Lowest service"), numbers.score(score), view.lowest.metric.name)]


def _without_one(composite: Composite) -> Reading:
    meaning = _("The least and the most it is when one service is left out.")
    if composite.leave_one_out is None:
        meaning = _("There is only one service in it.")
    return Reading(_("Without any one service"), band(composite.leave_one_out), meaning)


def _other_weights(composite: Composite) -> Reading:
    meaning = _("Nine in ten of the weightings near the published one.")
    return Reading(_("Under other weights"), band(composite.weight_band), meaning)


def _by_chance(composite: Composite) -> Reading:
    meaning = _("Where chance would put it 95 times in 100, the services being no better and no worse.")
    if composite.sampling_band is None:
        meaning = _("Not known: for a service in it no interval can be given.")
    return Reading(_("By chance"), band(composite.sampling_band), meaning)


def _boston(composite: Composite) -> Reading:
    meaning = _("The plain mean of value ÷ target over services and conditions, without cap or weights.")
    if composite.cityscore is None:
        meaning = _("No measure here can be put into its formula.")
    return Reading(_("Boston's arithmetic"), numbers.score(composite.cityscore), meaning)
