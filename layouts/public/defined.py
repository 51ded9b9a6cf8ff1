"""What the catalogue says of metrics and sources, as the API gives it."""

from __future__ import annotations

from datetime import date

from layouts.public.explained import target_words
from layouts.public.shapes import Json
from layouts.views import Edition
from metrics.model import Metric, Source, Weight
from store.engine import instant_text


def summary_of(metric: Metric) -> Json:
    """A metric as the list of all says it."""
    return {
        "id": metric.id,
        "name": metric.name,
        "department": metric.department,
        "theme": metric.theme,
        "family": metric.family,
        "aggregation": metric.aggregation,
        "unit": metric.unit,
        "direction": metric.direction,
        "scored_at": list(metric.scored_at),
        "weights": [_weight(weight) for weight in metric.weights],
        "source": metric.source,
        "definition": metric.definition,
    }


def retired_fields(metric: Metric) -> Json:
    """A metric that is no longer published."""
    assert metric.retired is not None, "only retired ones are listed"
    return {
        "id": metric.id,
        "name": metric.name,
        "on": metric.retired.on.isoformat(),
        "reason": metric.retired.reason,
    }


def definition_of(metric: Metric) -> Json:
    """A metric with everything it is made by."""
    return {
        **summary_of(metric),
        "question": metric.question,
        "limitations": metric.limitations,
        "owner": metric.owner,
        "clock_start": metric.clock_start,
        "clock_stop": metric.clock_stop,
        "where": metric.where,
        "exclude": metric.exclude,
        "date": metric.date,
        "until": metric.until,
        "numerator": metric.numerator,
        "denominator": metric.denominator,
        "value": metric.value,
        "quantity": metric.quantity,
        "percentile": metric.percentile,
        "district": metric.district,
        "method": metric.method,
        "cap": metric.cap,
        "best": metric.best,
        "calendar": metric.calendar,
        "per": metric.per,
        "historical": metric.historical,
        "targets": [target_words(target) for target in metric.targets],
        "retired": None,
    }


def source_fields(edition: Edition, source: Source) -> Json:
    """A source, and how far it was known when the publication was made."""
    known = edition.knowledge.get(source.id)
    return {
        "id": source.id,
        "name": source.name,
        "kind": source.kind,
        "publisher": source.publisher,
        "licence": source.licence,
        "url": source.url,
        "first_day": known.first_day.isoformat() if known and known.first_day else None,
        "known_until": instant_text(known.known_until) if known and known.known_until else None,
        "gaps": [
            {"from": gap.from_day.isoformat(), "to": gap.to_day.isoformat(), "reason": gap.reason}
            for gap in source.gaps
        ],
    }


def _weight(weight: Weight) -> Json:
    always = weight.valid_from == date.min
    return {
        "value": weight.value,
        "valid_from": None if always else weight.valid_from.isoformat(),
        "reason": weight.reason,
    }
