"""The small pieces every answer of the API is made of: a publication, a period, a number, a reason."""

from __future__ import annotations

from typing import Any

from metrics.model import Period, Publication, Reason
from store.engine import instant_text

Json = dict[str, Any]


def whole(number: float | None) -> float | int | None:
    """A whole number without its `.0`, the same number to every reader; others as they are."""
    return int(number) if number is not None and number.is_integer() else number


def publication_fields(given: Publication) -> Json:
    """By which a publication is known."""
    return {
        "id": given.id,
        "as_of": given.as_of.isoformat(),
        "published_at": instant_text(given.published_at),
    }


def period_fields(given: Period) -> Json:
    """Both ends of a period; the end does not belong to it."""
    return {"start": given.start.isoformat(), "end": given.end.isoformat()}


def reason_id(given: Reason | None) -> str | None:
    """The id of a reason; null for none."""
    return given.id if given else None
