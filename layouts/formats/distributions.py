"""The sentences of how the values of a period spread."""

from __future__ import annotations

from layouts.formats import numbers
from layouts.formats.language import _, ngettext
from metrics.distribution import Distribution, Step
from metrics.model import Metric


def finding(metric: Metric, found: Distribution) -> str:
    """The middle and the nine in ten."""
    return ngettext(
        "The one value is {median}.",
        "Half of the {count} values are {median} or less, nine in ten {p90} or less.",
        found.n,
    ).format(
        count=numbers.count(found.n),
        median=numbers.value(metric, found.median),
        p90=numbers.value(metric, found.p90),
    )


def step(metric: Metric, given: Step) -> str:
    """The values of one step."""
    low = numbers.value(metric, given.low)
    if given.high is None:
        return _("{low} and more").format(low=low)
    return _("{low} up to {high}").format(low=low, high=numbers.value(metric, given.high))


def share(found: Distribution, given: Step) -> str:
    """Which part of all values lies in one step."""
    return numbers.share_of_one(given.count / found.n)


def caption(metric: Metric, found: Distribution) -> str:
    """What the parts of the drawing are."""
    last = found.steps[-1]
    said = _("Each bar: how many values lie in its step.")
    if last.high is None:
        said = f"{said} {_('The last bar is all from {low} on.').format(low=numbers.value(metric, last.low))}"
    return said
