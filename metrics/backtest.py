"""How often the last year would have met a target: the one in force, and each that is dated ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from metrics.expectation import scaled
from metrics.model import Direction, Grain, Metric, Score, Target
from metrics.scoring import Bound


@dataclass(frozen=True)
class BackTest:
    """How many of last year's periods of a grain would have met a target.

    valid_from: when the target begins; None for the past's own value, which differs from period to period.
    is_future: whether it begins on or after as_of.
    """

    grain: Grain
    valid_from: date | None
    is_future: bool
    periods: int
    met: int


def back_tests(metric: Metric, as_of: date, year: Mapping[Grain, Sequence[Score]]) -> tuple[BackTest, ...]:
    """The back-tests of a metric at every grain of `year`, its periods with a score by grain."""
    found = []
    for grain in Grain:
        rows = year.get(grain, ())
        if metric.historical and rows:
            met = sum(1 for row in rows if row.score is not None and row.score >= 1)
            found.append(BackTest(grain, None, False, len(rows), met))
        elif rows:
            found += [_of(metric, target, as_of, grain, rows) for target in _asked(metric.targets, as_of)]
    return tuple(found)


def _asked(targets: Iterable[Target], as_of: date) -> list[Target]:
    """The target in force on the last day, and those dated ahead, in order of their dates."""
    dated = sorted(targets, key=lambda target: target.valid_from)
    standing = [target for target in dated if target.valid_from < as_of][-1:]
    return [*standing, *(target for target in dated if target.valid_from >= as_of)]


def _of(metric: Metric, target: Target, as_of: date, grain: Grain, rows: Sequence[Score]) -> BackTest:
    met = sum(_is_met(metric.direction, row.value, scaled(target.value, row.scale)) for row in rows)
    return BackTest(grain, target.valid_from, target.valid_from >= as_of, len(rows), met)


def _is_met(direction: Direction, value: float | None, aim: Bound | None) -> bool:
    if value is None or aim is None:
        return False
    if isinstance(aim, tuple):
        return aim[0] <= value <= aim[1]
    return value >= aim if direction is Direction.HIGHER_IS_BETTER else value <= aim
