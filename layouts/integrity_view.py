"""What a page or a call says of whether a metric can be trusted: the store's findings for its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layouts.desk import public_metric
from layouts.views import Edition
from metrics.model import Metric
from store.integrity import Integrity, integrity
from store.withheld import Audience

if TYPE_CHECKING:
    from store.engine import Connection


def trust_of(connection: Connection, edition: Edition, metric: Metric) -> Integrity:
    """The findings of a metric for the reader of an edition: to the public no pair that is not public."""
    pairs = [one for name in metric.pairs if (one := _readable(edition, name)) is not None]
    return integrity(connection, edition.publication, metric, edition.audience, pairs)


def _readable(edition: Edition, name: str) -> Metric | None:
    if edition.audience is Audience.PUBLIC:
        return None if edition.withdrawn(name) is not None else public_metric(edition, name)
    found = edition.catalogue.metrics.get(name)
    return found if found is not None and found.retired is None else None
