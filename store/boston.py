"""What each published score adds to Boston's mean, from the values and targets a publication holds."""

from __future__ import annotations

from sqlalchemy import Connection

from metrics.company import boston_score
from metrics.model import Catalogue, Grain, Publication
from store import publications


def boston_scores(
    connection: Connection, publication: Publication, catalogue: Catalogue
) -> dict[str, dict[Grain, float | None]]:
    """By metric and grain what its newest period adds (`metrics.company.boston_score`); None for nothing."""
    found = publications.latest_scores(connection, publication, {})
    return {
        metric.id: {grain: boston_score(metric, score) for grain, score in found.get(metric.id, {}).items()}
        for metric in catalogue.live_metrics()
    }
