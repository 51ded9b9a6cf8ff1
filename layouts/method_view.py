"""What the page of the method shows: every public definition of a publication with its self-test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from layouts.city_view import city_scores
from layouts.views import Edition
from metrics.model import Grain, Metric, Score
from metrics.selftest import MetricTest
from store import selftests

if TYPE_CHECKING:
    from store.engine import Connection


@dataclass(frozen=True)
class Defined:
    """One metric: its definition, its newest scores, and what chance does to them (None: not known)."""

    metric: Metric
    department: str
    scores: Mapping[Grain, Score]
    test: MetricTest | None

    @property
    def ceiling(self) -> float | None:
        """The score of a perfect period, at the finest grain that is scored."""
        found = (self.scores[grain].ceiling for grain in self.metric.scored_at if grain in self.scores)
        return next((one for one in found if one is not None), None)


@dataclass(frozen=True)
class MethodView:
    """All public metrics in the order of the catalogue; tested_on: whose year the self-test is of."""

    edition: Edition
    metrics: tuple[Defined, ...]
    tested_on: date | None


def method_view(connection: Connection, edition: Edition) -> MethodView:
    """The definitions of a publication with the self-test known to it."""
    scores = city_scores(connection, edition)
    known = selftests.known_to(connection, edition.publication)
    defined = (
        Defined(
            metric,
            edition.department_of(metric),
            scores.get(metric.id, {}),
            known.tests.get(metric.id) if known else None,
        )
        for metric in edition.catalogue.live_metrics()
        if metric.public
    )
    return MethodView(edition, tuple(defined), known.as_of if known else None)
