"""How sure a page may be of a score: the published company of a composite, what a service weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layouts.views import CityView, Line
from metrics.model import Composite
from store.weighings import weighing

if TYPE_CHECKING:
    from store.engine import Connection


@dataclass(frozen=True)
class WeighedLine:
    """A service with its weight in force. share: of the score, None where it did not enter."""

    line: Line
    weight: float
    share: float | None


@dataclass(frozen=True)
class CompanyView:
    """What stands beside the composite a page opens on.

    lowest: the service it names first; None where the page has none to name. on_target: under what share of
    other weightings the score is 1 or more; None where there is no score. entered: how many services are in
    it. weighed: those of them, and of those that did not enter, that the page shows; the heaviest first.
    """

    composite: Composite
    lowest: Line | None
    on_target: float | None
    entered: int
    weighed: tuple[WeighedLine, ...]


def company_view(connection: Connection, city: CityView) -> CompanyView | None:
    """What stands beside the composite a page opens on; None where there is neither a score nor Boston's."""
    composite, edition = city.composite, city.edition
    if composite is None or (composite.score is None and composite.cityscore is None):
        return None
    found = weighing(connection, edition.publication, edition.catalogue, composite)
    by_id = {line.metric.id: line for line in city.services}
    named = (by_id[metric] for metric, _score in composite.lowest if metric in by_id)
    return CompanyView(
        composite=composite,
        lowest=next(named, None) if composite.score is not None else None,
        on_target=found.on_target,
        entered=sum(1 for one in found.services if one.share),
        weighed=tuple(
            WeighedLine(by_id[one.metric], one.weight, one.share)
            for one in found.services
            if one.metric in by_id
        ),
    )
