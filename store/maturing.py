"""Counts what a publication will say of each metric's maturity, before it is planned."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from metrics import maturity, periods
from metrics.maturity import Curve
from metrics.model import Knowledge
from metrics.plan import Inputs
from store.arrivals import curves
from store.maturities import Maturity
from store.waits import waiting_of


def count(connection: Connection, inputs: Inputs) -> dict[str, Maturity]:
    """The maturity of every live metric, from the records and facts a publication is about to be made of."""
    catalogue, as_of = inputs.catalogue, inputs.as_of
    found = curves(connection, catalogue, as_of, inputs.facts, inputs.knowledge)
    return {
        metric.id: Maturity(
            curve=found.get(metric.id),
            last_mature_day=_last_day(inputs, found.get(metric.id), inputs.knowledge.get(metric.source)),
            waiting=waiting_of(connection, catalogue, metric, as_of),
        )
        for metric in catalogue.live_metrics()
    }


def _last_day(inputs: Inputs, curve: Curve | None, known: Knowledge | None) -> date | None:
    if curve is None or known is None or known.known_until is None:
        return None
    known_end = periods.local_day(inputs.catalogue.city, known.known_until)
    return maturity.last_mature_day(curve, min(inputs.as_of, known_end))
