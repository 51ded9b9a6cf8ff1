"""What the address of a metric's staff page asks for: length of period, how far back, taken apart by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from layouts.formats import _
from layouts.links import metric_link
from layouts.public import asking
from layouts.public.answer import Refusal, legible
from layouts.views import Edition
from metrics.model import Grain, Metric

RANGE, SPLIT = "range", "split"
WORDS = ("grain", "start", RANGE, SPLIT)
"""The words such an address may have beside its publication."""


class Reach(StrEnum):
    """How far back a control chart is shown."""

    WEEKS_52 = "52weeks"
    YEARS_3 = "3years"
    SEASON = "season"


DEFAULT = {
    Grain.DAY: Reach.WEEKS_52,
    Grain.WEEK: Reach.WEEKS_52,
    Grain.MONTH: Reach.YEARS_3,
    Grain.QUARTER: Reach.YEARS_3,
}
"""How far back it is shown where nothing is said."""


@dataclass(frozen=True)
class Asked:
    """The choices in an address; None for one that is not made."""

    grain: Grain | None = None
    start: date | None = None
    reach: Reach | None = None
    split: str | None = None

    @property
    def chart_grain(self) -> Grain:
        """The length of a period of the control chart."""
        return self.grain or Grain.WEEK

    @property
    def chart_reach(self) -> Reach:
        """How far back it is shown."""
        return self.reach or DEFAULT[self.chart_grain]

    def address(self, edition: Edition, metric: Metric, *, part: str, **other: str | None) -> str:
        """The address, at a part of the page, with some choices made otherwise; None takes one back."""
        said = {"grain": self.grain, RANGE: self.reach, SPLIT: self.split, **other}
        words = {word: str(one) for word, one in said.items() if one}
        return f"{metric_link(edition, metric.id, **words)}#{part}"


def asked_of(query: Mapping[str, str]) -> Asked:
    """What an address asks for. Raises Refusal for what cannot be meant."""
    reach = query.get(RANGE)
    if reach is not None and reach not in list(Reach):
        raise _unknown(RANGE, reach, tuple(Reach))
    return Asked(
        asking.grain(query, None),
        asking.day(query, "start"),
        Reach(reach) if reach else None,
        query.get(SPLIT) or None,
    )


def checked_split(asked: Asked, metric: Metric) -> str | None:
    """The column a metric is to be taken apart by. Raises Refusal for one it does not declare."""
    if asked.split is not None and asked.split not in metric.split_by:
        raise _unknown(SPLIT, asked.split, metric.split_by)
    return asked.split


def _unknown(word: str, given: str, known: tuple[str, ...]) -> Refusal:
    if not known:
        detail = _(
            "{word} is {text!r}, and its definition declares nothing to take it apart by; leave it out."
        )
    else:
        detail = _("{word} is {text!r}; give one of {known}.")
    said = detail.format(word=word, text=legible(given), known=", ".join(known))
    return Refusal(400, _("This cannot be answered"), said)
