"""The receipt of a published score, found for a page or an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from layouts.views import Edition
from metrics.model import WHOLE_CITY, Grain, Metric, Status
from metrics.suppression import limits
from store import publications, withheld
from store.explain import Explanation, explain
from store.withheld import Audience

if TYPE_CHECKING:
    from store.engine import Connection


def receipt_of(
    connection: Connection,
    edition: Edition,
    metric: Metric,
    grain: Grain,
    start: date | None = None,
    district: str = WHOLE_CITY,
) -> Explanation | None:
    """The receipt of the period that starts on `start`, None for the newest; None where there is none
    such, and where it is hidden from the reader.

    It counts the records of the period's source, which takes a while where there are many.
    """
    published, hidden = edition.publication, withheld.for_audience(connection, metric, edition.audience)
    found = publications.series(
        connection, published, metric.id, grain, since=start, district=district, hidden=hidden
    )
    chosen = [score for score in found if start in (None, score.period.start)][-1:]
    reading = publications.find(connection, number=published.id)
    if reading is None or not chosen or chosen[0].status is Status.SUPPRESSED:
        return None
    found_then = explain(connection, reading, metric.id, grain, start, district, hidden)
    is_told = edition.audience is Audience.STAFF or not district or not _hides_few(edition, metric)
    return found_then if is_told else replace(found_then, records=None)


def _hides_few(edition: Edition, metric: Metric) -> bool:
    """Whether small counts of the same source are hidden: those left out here may be counted elsewhere."""
    live = edition.standing.live_metrics()
    limit = limits(edition.standing.city, live)
    return any(limit[one.id] > 0 for one in live if one.source == metric.source and one.district)
