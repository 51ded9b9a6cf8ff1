"""What each service weighs in a published composite, and how much its score hangs on these weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from metrics.company import share_above
from metrics.composite import Entry, Summary, summarise
from metrics.model import Catalogue, Composite, Family, Metric, Publication, Score
from store import publications

_SAME = 1e-9


@dataclass(frozen=True)
class Weighed:
    """A service asked in a composite. share: of the score, None where it did not enter."""

    metric: str
    weight: float
    share: float | None


@dataclass(frozen=True)
class Weighing:
    """The services asked in a composite, the heaviest first.

    on_target: under what share of other weightings the score is 1 or more (`metrics.company.share_above`);
    None where the composite has no score.
    """

    services: tuple[Weighed, ...]
    on_target: float | None


def weighing(
    connection: Connection, publication: Publication, catalogue: Catalogue, composite: Composite
) -> Weighing:
    """How a composite was weighed, from the scores and seats its publication holds of its period."""
    scores = publications.scores_in(connection, publication, composite.period)
    entries = list(_asked(catalogue, composite, scores))
    summary = summarise(entries, 0.0)
    weights, names = {entry.metric: entry.weight for entry in entries}, catalogue.metrics
    services = sorted(_services(weights, summary), key=lambda one: (-one.weight, names[one.metric].name))
    return Weighing(tuple(services), _on_target(composite, summary, weights))


def _asked(catalogue: Catalogue, composite: Composite, scores: dict[str, Score]) -> Iterator[Entry]:
    for metric in catalogue.live_metrics():
        score = scores.get(metric.id)
        if score is None or score.weight is None or not _is_asked(metric, composite):
            continue
        yield Entry(metric.id, score.weight, score.status, score.score, score.seat, score.ceiling)


def _is_asked(metric: Metric, composite: Composite) -> bool:
    if metric.family is not Family.SERVICE or composite.period.grain not in metric.scored_at:
        return False
    scopes = {"city": "", "department": metric.department, "theme": metric.theme}
    return scopes[composite.scope] == composite.scope_id


def _on_target(composite: Composite, summary: Summary, weights: dict[str, float]) -> float | None:
    """Asked only of the scores that make the published composite: of others it would be another's."""
    if composite.score is None or summary.score is None or abs(summary.score - composite.score) > _SAME:
        return None
    return share_above(summary.entered, weights)


def _services(weights: dict[str, float], summary: Summary) -> list[Weighed]:
    total = sum(weight for metric, weight in weights.items() if metric in summary.entered)
    return [
        Weighed(metric, weight, weight / total if metric in summary.entered and total else None)
        for metric, weight in weights.items()
    ]
