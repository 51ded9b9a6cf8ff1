"""From the scores of metrics to the one score of a city, a department or a theme: a gated weighted mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from metrics.model import Reason, Status

LOWEST = 3
"""How many of the worst scores a composite names."""

_ROUNDING = 1e-12
_NOT_OPEN = frozenset({Status.CLOSED, Status.NOT_SCORED})
_NOT_COUNTED = frozenset({Status.NO_OPPORTUNITY, Status.IMMATURE})
_WITHOUT_SCORE = frozenset({Status.SUPPRESSED, Status.LATE, Status.INSUFFICIENT})


@dataclass(frozen=True, slots=True)
class Entry:
    """A service metric that is scored at the grain, as it stands in one period.

    weight is the raw one. seat: what it enters with instead of a score (`seat`), None where it has no
    right to one; ceiling: of its own score.
    """

    metric: str
    weight: float
    status: Status
    score: float | None
    seat: float | None
    ceiling: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A composite in one period (method 7).

    score is None with a reason. coverage is None where no weight counts, ceiling None where nothing
    entered or something that entered has none. total: the open metrics; scored: those with a score;
    on_target: those with an unrounded score of 1 or more; late: the ids of those late or seated; lowest: up
    to three (metric, score), worst first. entered: metric -> what it entered with, a score or a seat.
    """

    score: float | None
    reason: Reason | None
    coverage: float | None
    ceiling: float | None
    total: int
    scored: int
    on_target: int
    late: tuple[str, ...]
    lowest: tuple[tuple[str, float], ...]
    entered: Mapping[str, float]


def composite(scores: Mapping[str, float | None], weights: Mapping[str, float]) -> tuple[float | None, float]:
    """The weighted mean of the scores there are, and the share of the weight they carry (method 7).

    It does not gate. All None, or no weight behind any score, gives (None, 0.0). KeyError for a metric
    without weight, ValueError for a weight below 0.
    """
    raw = {metric: _weight_of(metric, weights) for metric in scores}
    present = {metric: score for metric, score in scores.items() if score is not None and raw[metric] > 0}
    if not present:
        return None, 0.0
    carried = math.fsum(raw[metric] for metric in present)
    mean = math.fsum(raw[metric] * score for metric, score in present.items()) / carried
    within = min(max(mean, min(present.values())), max(present.values()))
    return within, carried / math.fsum(raw.values())


def seat(lowest_published: float | None, mean_of_scored: float | None) -> float | None:
    """What a late metric enters with: its lowest published score or the others' mean, the lower (method 7).

    `lowest_published`: at that grain, its last one included, in the twelve months before it became
    late; None, and no seat, where it never had one. `mean_of_scored`: the weighted mean of the metrics
    with a score in the same composite; None where none has one.
    """
    if lowest_published is None or mean_of_scored is None:
        return lowest_published
    return min(lowest_published, mean_of_scored)


def summarise(entries: Sequence[Entry], minimum_coverage: float) -> Summary:
    """The composite of `entries`, the service metrics of a city, department or theme scored at the grain.

    A closed metric is not asked; one without opportunity or immature is open but does not count. One
    that has a seat instead of a score (late, or in a gap declared afterwards) enters with it, and never
    with more than the mean of those here that have a score: a seat found for the whole city is not good
    news in a department either. A score is withheld where coverage is under `minimum_coverage`.
    Reasons: nothing_scored_at_this_grain (also where all weights are 0), all_closed, no_opportunity,
    immature (nothing else is left that counts), coverage_below_minimum (coverage, minimum).
    """
    open_entries = [one for one in entries if one.status not in _NOT_OPEN]
    counted = [one for one in open_entries if one.status not in _NOT_COUNTED]
    own = {one.metric: one.score for one in counted if one.status not in _WITHOUT_SCORE}
    scores = {metric: score for metric, score in own.items() if score is not None}
    entered, mean, coverage = _entered(counted, scores)
    reason = _reason(entries, open_entries, counted, coverage, minimum_coverage)
    if reason is None and mean is None:
        reason = _below_minimum(coverage or 0.0, minimum_coverage)
    return Summary(
        score=None if reason else mean,
        reason=reason,
        coverage=coverage,
        ceiling=_ceiling(counted, entered),
        total=len(open_entries),
        scored=len(scores),
        on_target=sum(1 for score in scores.values() if score >= 1),
        late=tuple(one.metric for one in counted if _is_late(one, scores)),
        lowest=tuple(sorted(scores.items(), key=lambda one: (one[1], one[0]))[:LOWEST]),
        entered=entered,
    )


def boston(scores: Mapping[str, float | None] | Iterable[float | None]) -> float | None:
    """Boston's composite: the unweighted mean of the scores there are; None without any (method 5)."""
    given = scores.values() if isinstance(scores, Mapping) else scores
    present = [score for score in given if score is not None]
    return math.fsum(present) / len(present) if present else None


def _weight_of(metric: str, weights: Mapping[str, float]) -> float:
    if metric not in weights:
        raise KeyError(f"metric {metric} has a score but no weight; give it one, 0 to leave it out")
    if not weights[metric] >= 0:
        raise ValueError(f"the weight {weights[metric]} of metric {metric} must be 0 or more")
    return weights[metric]


def _is_late(entry: Entry, scores: Mapping[str, float]) -> bool:
    return entry.status is Status.LATE or (entry.seat is not None and entry.metric not in scores)


def _entered(
    counted: Sequence[Entry], scores: Mapping[str, float]
) -> tuple[dict[str, float], float | None, float | None]:
    """What each metric enters with, their mean, and coverage (None where no weight counts)."""
    weights = {one.metric: one.weight for one in counted}
    mean_of_scored, coverage = composite({one.metric: scores.get(one.metric) for one in counted}, weights)
    seats = {one.metric: seat(one.seat, mean_of_scored) for one in counted}
    entering = {one.metric: scores.get(one.metric, seats.get(one.metric)) for one in counted}
    entered = {metric: score for metric, score in entering.items() if score is not None}
    mean, _ = composite(entered, weights)
    return entered, mean, coverage if any(weights.values()) else None


def _reason(
    entries: Sequence[Entry],
    open_entries: Sequence[Entry],
    counted: Sequence[Entry],
    coverage: float | None,
    minimum: float,
) -> Reason | None:
    if all(one.status is Status.NOT_SCORED for one in entries):
        return Reason("nothing_scored_at_this_grain")
    if not open_entries:
        return Reason("all_closed")
    if not counted:
        immature = any(one.status is Status.IMMATURE for one in open_entries)
        return Reason("immature" if immature else "no_opportunity")
    if coverage is None:
        return Reason("nothing_scored_at_this_grain")
    # Weights such as 0.1 do not add up exactly; three of four equal ones must still be 0.75.
    return _below_minimum(coverage, minimum) if coverage < minimum - _ROUNDING else None


def _below_minimum(coverage: float, minimum: float) -> Reason:
    return Reason("coverage_below_minimum", {"coverage": coverage, "minimum": minimum})


def _ceiling(counted: Sequence[Entry], entered: Mapping[str, float]) -> float | None:
    inside = [one for one in counted if one.metric in entered and one.weight > 0]
    if any(one.ceiling is None for one in inside):
        return None
    mean, _ = composite(
        {one.metric: one.ceiling for one in inside}, {one.metric: one.weight for one in inside}
    )
    return mean
