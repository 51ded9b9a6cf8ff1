"""Scores, composites and knowledge as the rows and texts a publication keeps them in, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row

from metrics.model import (
    Composite,
    Contribution,
    Grain,
    Knowledge,
    Part,
    Period,
    Reason,
    Score,
    Status,
    Verdict,
)
from store.engine import from_text_or_none, instant_text

Key = tuple[str, str, str, str]
"""What names a score: metric, district, grain and first day; a composite: scope, its id, grain, first day."""


def key_of(score: Score) -> Key:
    """What names a score in `score_rows`."""
    return score.metric, score.district, score.period.grain.value, score.period.start.isoformat()


def composite_key_of(composite: Composite) -> Key:
    """What names a composite in `composite_rows`."""
    period = composite.period
    return composite.scope, composite.scope_id, period.grain.value, period.start.isoformat()


def score_to_row(score: Score, publication: int) -> dict[str, Any]:
    """A score as a row of the table `scores`."""
    return {
        "publication": publication,
        "metric": score.metric,
        "district": score.district,
        **_period_to_row(score.period),
        "value": score.value,
        "numerator": score.numerator,
        "denominator": score.denominator,
        "n": score.n,
        "end_value": score.end_value,
        "target": score.target,
        "target_high": score.target_high,
        "floor": score.floor,
        "floor_high": score.floor_high,
        "score": score.score,
        "ceiling": score.ceiling,
        "status": score.status.value,
        "reason": _reason_to_json(score.reason),
        "weight": score.weight,
        "seat": score.seat,
        "change": score.change,
        "known_days": score.known_days,
        "open_days": score.open_days,
        "completeness": score.completeness,
        "baseline": _ranges_to_json(score.baseline),
        "low": score.low,
        "high": score.high,
        "verdict": score.verdict.value if score.verdict else None,
    }


def as_score(row: Row[Any]) -> Score:
    """The score a row of the table `scores` holds."""
    return Score(
        metric=row.metric,
        district=row.district,
        period=_period(row),
        value=row.value,
        numerator=row.numerator,
        denominator=row.denominator,
        n=row.n,
        end_value=row.end_value,
        target=row.target,
        target_high=row.target_high,
        floor=row.floor,
        floor_high=row.floor_high,
        score=row.score,
        ceiling=row.ceiling,
        status=Status(row.status),
        reason=_reason(row.reason),
        weight=row.weight,
        seat=row.seat,
        change=row.change,
        known_days=row.known_days,
        open_days=row.open_days,
        completeness=row.completeness,
        baseline=_ranges(row.baseline),
        low=row.low,
        high=row.high,
        verdict=Verdict(row.verdict) if row.verdict else None,
    )


def composite_to_row(composite: Composite, publication: int) -> dict[str, Any]:
    """A composite as a row of the table `composites`."""
    return {
        "publication": publication,
        "scope": composite.scope,
        "scope_id": composite.scope_id,
        **_period_to_row(composite.period),
        "score": composite.score,
        "reason": _reason_to_json(composite.reason),
        "coverage": composite.coverage,
        "ceiling": composite.ceiling,
        "total": composite.total,
        "scored": composite.scored,
        "on_target": composite.on_target,
        "late": json.dumps(composite.late),
        "lowest": json.dumps(composite.lowest),
        "before": _ranges_to_json(((composite.before.start, composite.before.end),))
        if composite.before
        else None,
        "change": composite.change,
        "change_matched": composite.change_matched,
        "contributions": json.dumps(
            [(c.metric, c.part.value, c.contribution) for c in composite.contributions]
        ),
        "meets": composite.meets,
        "cannot_tell": composite.cannot_tell,
        "misses": composite.misses,
        "geometric": composite.geometric,
        **_pair_to_row("leave_one_out", composite.leave_one_out),
        **_pair_to_row("weight_band", composite.weight_band),
        **_pair_to_row("sampling_band", composite.sampling_band),
        "cityscore": composite.cityscore,
    }


def as_composite(row: Row[Any]) -> Composite:
    """The composite a row of the table `composites` holds."""
    before = _ranges(row.before)
    grain = Grain(row.grain)
    return Composite(
        scope=row.scope,
        scope_id=row.scope_id,
        period=_period(row),
        score=row.score,
        reason=_reason(row.reason),
        coverage=row.coverage,
        ceiling=row.ceiling,
        total=row.total,
        scored=row.scored,
        on_target=row.on_target,
        late=tuple(json.loads(row.late)),
        lowest=tuple((metric, score) for metric, score in json.loads(row.lowest)),
        before=Period(grain, *before[0]) if before else None,
        change=row.change,
        change_matched=row.change_matched,
        contributions=tuple(Contribution(m, Part(p), c) for m, p, c in json.loads(row.contributions)),
        meets=row.meets,
        cannot_tell=row.cannot_tell,
        misses=row.misses,
        geometric=row.geometric,
        leave_one_out=_pair(row.leave_one_out_low, row.leave_one_out_high),
        weight_band=_pair(row.weight_band_low, row.weight_band_high),
        sampling_band=_pair(row.sampling_band_low, row.sampling_band_high),
        cityscore=row.cityscore,
    )


def holds_score(row: Row[Any] | None, score: Score) -> bool:
    """Whether a stored row says the same as a score, whichever publication it is of.

    Rows are compared as they are stored; a text that is written another way is read before it differs.
    """
    if row is None:
        return False
    return tuple(row)[1:] == tuple(score_to_row(score, 0).values())[1:] or as_score(row) == score


def holds_composite(row: Row[Any] | None, composite: Composite) -> bool:
    """Whether a stored row says the same as a composite, whichever publication it is of."""
    if row is None:
        return False
    stored = tuple(composite_to_row(composite, 0).values())
    return tuple(row)[1:] == stored[1:] or as_composite(row) == composite


def knowledge_to_json(knowledge: Mapping[str, Knowledge]) -> str:
    """How far each source was known, as the text a publication keeps."""
    return json.dumps(
        {
            name: [
                known.first_day.isoformat() if known.first_day else None,
                instant_text(known.known_until) if known.known_until else None,
            ]
            for name, known in sorted(knowledge.items())
        }
    )


def knowledge_from_json(text: str) -> dict[str, Knowledge]:
    """The inverse of `knowledge_to_json`."""
    return {
        name: Knowledge(name, date.fromisoformat(first) if first else None, from_text_or_none(until))
        for name, (first, until) in json.loads(text).items()
    }


def _pair_to_row(name: str, pair: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = pair or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def _pair(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)


def _period_to_row(period: Period) -> dict[str, str]:
    return {"grain": period.grain.value, "start": period.start.isoformat(), "end": period.end.isoformat()}


def _period(row: Row[Any]) -> Period:
    return Period(Grain(row.grain), date.fromisoformat(row.start), date.fromisoformat(row.end))


def _reason_to_json(reason: Reason | None) -> str | None:
    return json.dumps([reason.id, dict(reason.arguments)]) if reason else None


def _reason(text: str | None) -> Reason | None:
    return Reason(*json.loads(text)) if text else None


def _ranges_to_json(ranges: Sequence[tuple[date, date]]) -> str | None:
    return json.dumps([[first.isoformat(), end.isoformat()] for first, end in ranges]) if ranges else None


def _ranges(text: str | None) -> tuple[tuple[date, date], ...]:
    pairs = json.loads(text) if text else []
    return tuple((date.fromisoformat(first), date.fromisoformat(end)) for first, end in pairs)
