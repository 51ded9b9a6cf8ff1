"""What moved composites, many periods at once: scores, weights and who entered (method 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.composite import added
from metrics.model import Contribution, Part

NOISE = 1e-15
"""A part below this is the rounding of the machine and no row."""

_PARTS = tuple(Part)

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
Split = Callable[[int, int], Mapping[Part, float]]


@dataclass(frozen=True, slots=True)
class Entries:
    """What metrics entered composites with, each of shape (metrics, periods).

    score: NaN where a metric did not enter. weight: the raw one, NaN where it has no row. late: whether
    the score is a seat.
    """

    score: Numbers
    weight: Numbers
    late: Marks

    def at(self, columns: NDArray[np.int64]) -> Entries:
        """The entries of some of the periods."""
        return Entries(self.score[:, columns], self.weight[:, columns], self.late[:, columns])


def contributions(
    names: Sequence[str], before: Entries, after: Entries, is_performance: Marks, split: Split
) -> list[tuple[Contribution, ...]]:
    """For each pair of periods (same columns of `before` and `after`) the parts of the change by metric.

    With normalised weights w, bars for the mean of the two periods, a metric's score s and the composite
    S, a metric's row is w̄ Δs + Δw (s̄ - S̄); one absent on a side takes its other side's score there
    with weight 0. Δs is coverage where either side is late, performance where `is_performance`
    (metrics, periods) says that nothing but the value changed, else `split(metric, period)` says what it
    is. Δw splits by Shapley into weight (raw weights) and coverage (who entered). Parts of 0 have no row;
    a pair of which one side has no score has none. The parts add up to the change within 1e-12.
    """
    moved = _Moved.of(before, after)
    parts = np.zeros((len(_PARTS), *before.score.shape))
    both = moved.was & moved.stays & moved.is_whole
    late = both & (before.late | after.late)
    lever = (moved.old + moved.new) / 2
    step = lever * (moved.later - moved.earlier)
    parts[_PARTS.index(Part.PERFORMANCE)] = np.where(both & ~late & is_performance, step, 0.0)
    parts[_PARTS.index(Part.COVERAGE)] = np.where(late, step, 0.0)
    for metric, period in np.argwhere(both & ~late & ~is_performance):
        for part, amount in split(int(metric), int(period)).items():
            parts[_PARTS.index(part), metric, period] += lever[metric, period] * amount
    distance = (moved.earlier + moved.later) / 2 - moved.middle
    parts[_PARTS.index(Part.WEIGHT)] += moved.by_weight * distance
    parts[_PARTS.index(Part.COVERAGE)] += (moved.shift - moved.by_weight) * distance
    return _rows(names, np.where(moved.is_whole, parts, 0.0))


def change_matched(before: Entries, after: Entries) -> Numbers:
    """Shape (periods,): the change over the metrics scored on both sides, with the later weights (method 8).

    A late metric has no score. NaN where no weight is scored on both sides.
    """
    both = ~np.isnan(before.score) & ~np.isnan(after.score) & ~before.late & ~after.late
    weight = np.where(both, np.nan_to_num(after.weight), 0.0)
    change = np.where(both, after.score - before.score, 0.0)
    return _ratio(added(weight * change), added(weight))


@dataclass(frozen=True, slots=True)
class _Moved:
    """Two sides made comparable: (metrics, periods), is_whole and middle (periods,).

    old, new: normalised weights, 0 where absent. earlier, later: scores, of a metric absent on a side its
    other one. shift: new less old; by_weight: what of it the raw weights did. is_whole: both have a score.
    """

    was: Marks
    stays: Marks
    is_whole: Marks
    old: Numbers
    new: Numbers
    shift: Numbers
    by_weight: Numbers
    earlier: Numbers
    later: Numbers
    middle: Numbers

    @classmethod
    def of(cls, before: Entries, after: Entries) -> _Moved:
        was, stays = ~np.isnan(before.score), ~np.isnan(after.score)
        then = np.where(np.isnan(before.weight), after.weight, before.weight)
        now = np.where(np.isnan(after.weight), before.weight, after.weight)
        old, new = _normalised(then, was), _normalised(now, stays)
        is_whole: Marks = (np.isnan(old) | np.isnan(new)).sum(axis=0) == 0
        earlier = np.nan_to_num(np.where(was, before.score, after.score))
        later = np.nan_to_num(np.where(stays, after.score, before.score))
        # Changing the raw weights first and last; an order through a composite of no weight is no order.
        orders = np.stack([_normalised(now, was) - old, new - _normalised(then, stays)])
        known = ~np.isnan(orders)
        by_weight = _ratio(np.where(known, orders, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))
        old, new = np.nan_to_num(old), np.nan_to_num(new)
        return cls(
            was=was,
            stays=stays,
            is_whole=is_whole,
            old=old,
            new=new,
            shift=new - old,
            by_weight=np.nan_to_num(by_weight),
            earlier=earlier,
            later=later,
            middle=added(earlier * old + later * new) / 2,
        )


def _normalised(raw: Numbers, present: Marks) -> Numbers:
    """Weights that add up to 1 in each period; NaN where there is none."""
    weights = np.where(present, np.nan_to_num(raw), 0.0)
    return _ratio(weights, np.broadcast_to(added(weights), weights.shape))


def _ratio(above: Numbers, below: Numbers) -> Numbers:
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)


def _rows(names: Sequence[str], parts: Numbers) -> list[tuple[Contribution, ...]]:
    """The parts (part, metric, period) of each period as rows, by metric and then by part."""
    by_period = parts.transpose(2, 1, 0)
    places = np.nonzero(np.abs(by_period) > NOISE)
    amounts = by_period[places].tolist()
    found: list[list[Contribution]] = [[] for _ in range(len(by_period))]
    for period, metric, part, amount in zip(*(place.tolist() for place in places), amounts, strict=True):
        found[period].append(Contribution(names[metric], _PARTS[part], amount))
    return [tuple(rows) for rows in found]
