"""The values behind a period of a median or a percentile, from the multisets that its publication counted."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection

from metrics import periods
from metrics.distribution import Distribution, distribution
from metrics.model import Aggregation, Catalogue, Knowledge, Metric, Period, Publication
from store import observations
from store.engine import instant_text

KINDS = (Aggregation.MEDIAN, Aggregation.PERCENTILE)
"""What is kept as multisets; of a mean only the sum is."""


def spread(
    connection: Connection,
    made: Publication,
    catalogue: Catalogue,
    known: Knowledge | None,
    metric: Metric,
    period: Period,
) -> Distribution | None:
    """How the values of a period spread in the whole city; None where none is known or none is kept.

    catalogue, known: as the publication `made` had them; known is of the metric's source.
    """
    if metric.aggregation not in KINDS or known is None or known.known_until is None:
        return None
    end = min(period.end, periods.local_day(catalogue.city, known.known_until), made.as_of)
    gaps = catalogue.sources[metric.source].gaps
    days = [
        day for day in _days(period.start, end) if not any(gap.from_day <= day <= gap.to_day for gap in gaps)
    ]
    facts = observations.facts(connection, metric.id, made.as_of, instant_text(made.known_at), days)
    return distribution(pair for fact in facts.values() for pair in fact.amounts)


def _days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((end - first).days)]
