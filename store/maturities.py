"""What a publication says of a metric's maturity: how late its records come, how long its cases wait."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from metrics.closure import WaitUnit
from metrics.maturity import SETTLED_AGE, Curve, Shares
from metrics.model import Publication
from metrics.waiting import Waiting
from store.bulk import insert_rows
from store.schema import maturities

_COLUMNS = ("publication", "metric", "curve", "last_mature_day", "waiting")
_WHOLE = 1.0


@dataclass(frozen=True)
class Maturity:
    """Of one metric. curve and last_mature_day are None where its completeness cannot be measured.

    waiting is None where it is not about closing cases.
    """

    curve: Curve | None
    last_mature_day: date | None
    waiting: Waiting | None


def save(connection: Connection, publication: Publication, counted: Mapping[str, Maturity]) -> None:
    """Keeps the maturity of every metric with the publication it belongs to."""
    rows = [
        (
            publication.id,
            metric,
            _curve_to_json(one.curve) if one.curve else None,
            one.last_mature_day.isoformat() if one.last_mature_day else None,
            _waiting_to_json(one.waiting) if one.waiting else None,
        )
        for metric, one in counted.items()
    ]
    insert_rows(connection, maturities, _COLUMNS, rows)


def read(connection: Connection, publication: Publication, metric: str | None = None) -> dict[str, Maturity]:
    """The maturity of each metric, or of one, as a publication says it; none before it was first counted."""
    statement = select(maturities).where(maturities.c.publication == publication.id)
    if metric is not None:
        statement = statement.where(maturities.c.metric == metric)
    return {row.metric: _maturity(row) for row in connection.execute(statement)}


def read_curves(connection: Connection, publication: Publication) -> dict[str, Curve]:
    """The curves a publication was planned with."""
    found = read(connection, publication)
    return {metric: one.curve for metric, one in found.items() if one.curve is not None}


def _maturity(row: Any) -> Maturity:
    return Maturity(
        curve=_curve(row.curve) if row.curve else None,
        last_mature_day=date.fromisoformat(row.last_mature_day) if row.last_mature_day else None,
        waiting=_waiting(row.waiting) if row.waiting else None,
    )


def _curve_to_json(curve: Curve) -> str:
    """Shares are written up to the last that is not whole: most days of most metrics are."""
    return json.dumps([_young(curve.numerator), _young(curve.denominator), curve.weekdays])


def _young(shares: Shares) -> list[float | None] | None:
    if not shares:
        return None
    young = [age for age, share in enumerate(shares) if share != _WHOLE]
    return list(shares[: young[-1] + 1]) if young else []


def _curve(text: str) -> Curve:
    numerator, denominator, weekdays = json.loads(text)
    return Curve(_shares(numerator), _shares(denominator), tuple(weekdays))


def _shares(young: list[float | None] | None) -> Shares:
    return () if young is None else (*young, *[_WHOLE] * (SETTLED_AGE + 1 - len(young)))


def _waiting_to_json(waiting: Waiting) -> str:
    return json.dumps(asdict(waiting), default=date.isoformat)


def _waiting(text: str) -> Waiting:
    said = json.loads(text)
    dates = {name: date.fromisoformat(said[name]) for name in ("cohort_start", "cohort_end")}
    return Waiting(**{**said, **dates, "unit": WaitUnit(said["unit"])})
