"""A metric by district as the API says it: rows with interval, funnel and distance to the rest."""

from __future__ import annotations

from layouts.district_view import DistrictsView
from layouts.public.shapes import Json, whole
from metrics.districts import Equity, Estimate, Limits, Standing
from metrics.fairness import Index
from metrics.model import WITHHELD, Status

_FIELDS = (
    "district",
    "name",
    "value",
    "numerator",
    "denominator",
    "n",
    "low",
    "high",
    "score",
    "status",
    "suppressed",
    "together",
    "level",
    "shrunken",
    "funnel",
    "gap",
    "ratio",
    "per_1000",
    "need",
    "need_rank",
)


def rows_of(view: DistrictsView) -> list[Json]:
    """The rows shown, then one for each hidden district, of which only that is said."""
    return [*(_row(view, one) for one in view.by.rows), *(_hidden(view, one) for one in view.hidden)]


def shared_out(view: DistrictsView) -> Json:
    """The indices of a metric over its districts; each null where it cannot be said."""
    found = view.indices
    return {
        "equity": _equity(found.equity),
        "concentration": _index(found.concentration),
        "slope": _index(found.slope),
    }


def _row(view: DistrictsView, row: Standing) -> Json:
    score, found = row.score, row.comparison
    return {
        "district": row.district,
        "name": view.name(row.district),
        "value": whole(score.value),
        "numerator": whole(score.numerator),
        "denominator": whole(score.denominator),
        "n": score.n,
        "low": whole(score.low),
        "high": whole(score.high),
        "score": score.score,
        "status": Status.SUPPRESSED if row.district == WITHHELD else score.status,
        "suppressed": False,
        "together": row.together or None,
        "level": found.level if found else None,
        "shrunken": found.shrunken if found else None,
        "funnel": _funnel(found.limits) if found and found.limits else None,
        "gap": _estimate(found.gap) if found else None,
        "ratio": _estimate(found.ratio) if found else None,
        "per_1000": row.per_1000,
        "need": row.need,
        "need_rank": row.need_rank,
    }


def _hidden(view: DistrictsView, district: str) -> Json:
    said = {
        "district": district,
        "name": view.name(district),
        "status": Status.SUPPRESSED,
        "suppressed": True,
    }
    return {**dict.fromkeys(_FIELDS), **said}


def _funnel(limits: Limits) -> Json:
    return {
        "low": limits.low,
        "high": limits.high,
        "outer_low": limits.outer_low,
        "outer_high": limits.outer_high,
        "place": limits.place,
    }


def _estimate(found: Estimate | None) -> Json | None:
    return {"value": found.value, "low": found.low, "high": found.high} if found else None


def _equity(found: Equity | None) -> Json | None:
    return {"value": found.value, "under_equal_service": found.expected} if found else None


def _index(found: Index | None) -> Json | None:
    if found is None:
        return None
    return {"value": found.value, "deviation_under_equal_service": found.deviation}
