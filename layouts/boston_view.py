"""The city as Boston's CityScore shows it: each measure by Boston's arithmetic, in four windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layouts.views import CityView, Line
from metrics.model import Grain
from store.boston import boston_scores

if TYPE_CHECKING:
    from store.engine import Connection

NONE: dict[Grain, float | None] = dict.fromkeys(Grain)


@dataclass(frozen=True)
class Topic:
    """A measure: by grain what it adds to Boston's mean, None where it adds nothing."""

    line: Line
    scores: Mapping[Grain, float | None]


@dataclass(frozen=True)
class BostonView:
    """The measures of both families in the order of their names, and the city they belong to."""

    city: CityView
    topics: tuple[Topic, ...]


def boston_view(connection: Connection, city: CityView) -> BostonView:
    """Every measure that adds to Boston's mean in at least one window; no other one is in its table."""
    found = boston_scores(connection, city.edition.publication, city.edition.catalogue)
    lines = sorted((*city.services, *city.conditions), key=lambda one: one.metric.name.casefold())
    topics = (Topic(one, {**NONE, **found.get(one.metric.id, {})}) for one in lines)
    return BostonView(city, tuple(one for one in topics if any(s is not None for s in one.scores.values())))
