"""What the API says of a metric's maturity: its last mature day, its time to close and its backlog."""

from __future__ import annotations

from layouts.public.shapes import Json
from metrics.waiting import Waiting
from store.maturities import Maturity


def maturity_fields(given: Maturity | None) -> Json:
    """The fields of the metric object; each is null where it was not counted or does not apply.

    `time_to_close` and `backlog` belong to metrics about closing cases. `reached` is the greatest share of
    cases the estimate comes to: a median above it is null, as is a 90th percentile.
    """
    day = given.last_mature_day if given else None
    waiting = given.waiting if given else None
    return {
        "last_mature_day": day.isoformat() if day else None,
        "time_to_close": _time_to_close(waiting) if waiting else None,
        "backlog": _backlog(waiting) if waiting else None,
    }


def _time_to_close(given: Waiting) -> Json:
    return {
        "unit": given.unit,
        "median": given.median,
        "p90": given.p90,
        "reached": given.reached,
        "closed_only_median": given.closed_only_median,
        "cohort": {
            "start": given.cohort_start.isoformat(),
            "end": given.cohort_end.isoformat(),
            "cases": given.cases,
            "closed": given.closed,
        },
    }


def _backlog(given: Waiting) -> Json:
    return {"open": given.open, "age_median": given.age_median, "age_p90": given.age_p90}
