"""The receipt of a published score as JSON: what counted, what it was held to, and the arithmetic."""

from __future__ import annotations

from layouts import formats
from layouts.formats import receipts
from layouts.public.shapes import Json, period_fields, publication_fields, reason_id
from layouts.views import Edition
from metrics.model import Target
from store.engine import instant_text
from store.explain import Explanation, RecordCounts


def explained(receipt: Explanation, edition: Edition) -> Json:
    """Every number a receipt says, unrounded, with the sentences a page prints beside them.

    records is null for a stock. targets are those in force in the period, baseline the days [start, end) of
    a historical one. formula is empty without a score. parts: the change from the period before by district,
    its own rate and its share of the cases, which add up to it; null where it is not split.
    """
    score, made = receipt.score, receipt.publication
    return {
        "publication": {**publication_fields(made), "known_at": instant_text(made.known_at)},
        "metric": receipt.metric.id,
        "grain": score.period.grain,
        "district": score.district or None,
        "period": period_fields(score.period),
        "records": _records(receipt.records),
        "differs": receipts.differs(receipt),
        "remarks": receipts.remarks(receipt),
        "numerator": score.numerator,
        "denominator": score.denominator,
        "n": score.n,
        "value": score.value,
        "unit": receipt.metric.unit,
        "target": _bound(score.target, score.target_high),
        "targets": [target_words(one) for one in receipt.targets],
        "baseline": [[start.isoformat(), end.isoformat()] for start, end in score.baseline],
        "floor": _bound(score.floor, score.floor_high),
        "method": receipt.metric.method,
        "direction": receipt.metric.direction,
        "cap": receipt.metric.cap,
        "ceiling": score.ceiling,
        "formula": receipts.formula(receipt),
        "score": score.score,
        "status": score.status,
        "reason": reason_id(score.reason),
        "why": formats.reason(score.reason, edition.catalogue),
        "parts": _parts(receipt),
    }


def _parts(receipt: Explanation) -> list[Json] | None:
    if receipt.shift is None:
        return None
    return [{"district": one.district, "rate": one.rate, "mix": one.mix} for one in receipt.shift.parts]


def target_words(target: Target) -> Json:
    """A target with its date, who approved it and why."""
    return {
        "value": target.value,
        "floor": target.floor,
        "valid_from": target.valid_from.isoformat(),
        "reason": target.reason,
        "approved_by": target.approved_by,
    }


def _records(found: RecordCounts | None) -> Json | None:
    if found is None:
        return None
    return {
        "dated": found.dated,
        "withdrawn": found.withdrawn,
        "not_wanted": found.not_wanted,
        "excluded": found.dropped,
        "counted": found.kept,
        "met": found.met,
        "undated": found.undated,
    }


def _bound(low: float | None, high: float | None) -> float | list[float] | None:
    return low if low is None or high is None else [low, high]
