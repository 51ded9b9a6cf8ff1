"""How sure a page may be of a score: the published company of a composite, what a service weighs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layouts.views import CityView, Line
from metrics.company import share_above
from metrics.composite import Entry, Summary, summarise
from metrics.model import Composite

_SAME = 1e-9


@dataclass(frozen=True)
class Weighed:
    """A service with its weight in force. share: of the score, None where it did not enter."""

    line: Line
    weight: float
    share: float | None


@dataclass(frozen=True)
class CompanyView:
    """What stands beside the composite a page opens on.

    lowest: the service it names first; None where the page has none to name. on_target: under what share of
    other weightings the score is 1 or more; None where there is no score, or where the page lacks a part of
    it. weighed: the heaviest first.
    """

    composite: Composite
    lowest: Line | None
    on_target: float | None
    weighed: tuple[Weighed, ...]


def company_view(city: CityView) -> CompanyView | None:
    """What stands beside the composite a page opens on; None where there is neither a score nor Boston's."""
    composite = city.composite
    if composite is None or (composite.score is None and composite.cityscore is None):
        return None
    asked = dict(_asked(city, composite))
    summary = summarise([entry for _line, entry in asked.values()], 0.0)
    by_id = {line.metric.id: line for line in city.services}
    named = (by_id[metric] for metric, _score in composite.lowest if metric in by_id)
    return CompanyView(
        composite=composite,
        lowest=next(named, None) if composite.score is not None else None,
        on_target=_on_target(composite, summary, {name: entry.weight for name, (_, entry) in asked.items()}),
        weighed=_weighed(asked, summary),
    )


def _asked(city: CityView, composite: Composite) -> Iterator[tuple[str, tuple[Line, Entry]]]:
    """The services scored at the grain of the composite, as they stand in its period."""
    grain = composite.period.grain
    for line in city.services:
        score = line.score
        if score is None or score.weight is None or score.period != composite.period:
            continue
        if grain in line.metric.scored_at:
            name = line.metric.id
            entered = Entry(name, score.weight, score.status, score.score, score.seat, score.ceiling)
            yield name, (line, entered)


def _on_target(composite: Composite, summary: Summary, weights: dict[str, float]) -> float | None:
    """Asked only where the scores on the page make the published composite: else it would be of another."""
    if composite.score is None or summary.score is None or abs(summary.score - composite.score) > _SAME:
        return None
    return share_above(summary.entered, weights)


def _weighed(asked: dict[str, tuple[Line, Entry]], summary: Summary) -> tuple[Weighed, ...]:
    total = sum(entry.weight for name, (_, entry) in asked.items() if name in summary.entered)
    found = [
        Weighed(line, entry.weight, entry.weight / total if name in summary.entered and total else None)
        for name, (line, entry) in asked.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.weight, one.line.metric.name)))
