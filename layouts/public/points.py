"""A metric's published numbers as the API gives them: points of a series, their changes, definitions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from layouts.public.shapes import Json, period_fields, reason_id, whole
from metrics.model import Score, Status
from metrics.signal_rules import Signal
from store import vintages
from store.engine import instant_text
from store.revisions import DefinitionChange, Revision, Summary
from store.vintages import FirstPublished

POINT_FIELDS = (
    "start",
    "end",
    "value",
    "numerator",
    "denominator",
    "target",
    "score",
    "status",
    "reason",
    "n",
    "low",
    "high",
    "verdict",
    "provisional",
    "completeness",
    "first_published",
    "first_published_score",
    "first_published_in",
    "backfilled",
    "signal",
)


def point_fields(score: Score, given: FirstPublished | None, signs: Mapping[date, Signal]) -> Json:
    """A period of a series, with what was first published of it."""
    first = given or vintages.BACKFILLED
    return {
        **period_fields(score.period),
        "value": whole(score.value),
        "numerator": whole(score.numerator),
        "denominator": whole(score.denominator),
        "target": whole(score.target),
        "score": score.score,
        "status": score.status,
        "reason": reason_id(score.reason),
        "n": score.n,
        "low": whole(score.low),
        "high": whole(score.high),
        "verdict": score.verdict,
        "provisional": score.status is Status.PROVISIONAL,
        "completeness": score.completeness,
        "first_published": whole(first.value),
        "first_published_score": first.score,
        "first_published_in": first.publication,
        "backfilled": first.backfilled,
        "signal": signs.get(score.period.start),
    }


def revision_fields(row: Revision) -> Json:
    """A change of a published number."""
    return {
        **period_fields(row.period),
        "publication": row.publication,
        "published_at": instant_text(row.published_at),
        "kind": row.kind,
        "value": whole(row.value),
        "score": row.score,
        "before_value": whole(row.before_value),
        "before_score": row.before_score,
        "reason": row.reason,
    }


def summary_fields(given: Summary) -> Json:
    """What all changes of a series come to."""
    return {
        "periods": given.periods,
        "mean": given.mean,
        "sd": given.sd,
        "scored_periods": given.scored_periods,
        "mean_score": given.mean_score,
        "sd_score": given.sd_score,
        "partial": given.partial,
        "counts": dict(given.counts),
    }


def change_fields(given: DefinitionChange) -> Json:
    """A change of definition, with the year before it by both."""
    return {
        "publication": given.publication,
        "as_of": given.as_of.isoformat(),
        "published_at": instant_text(given.published_at),
        "reason": given.reason,
        "periods": [
            {
                **period_fields(one.period),
                "old_value": whole(one.old_value),
                "old_score": one.old_score,
                "new_value": whole(one.new_value),
                "new_score": one.new_score,
            }
            for one in given.periods
        ],
    }
