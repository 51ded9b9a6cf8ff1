"""Charts that tell signal from noise: a series, its limits, its signals, and what they mean (science 2).

Lines come from `limits`, rules from `signal_rules`, expectations from `false_alarms`; here they are put
together, inside the segments that approved dates make of a series.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from metrics.false_alarms import NEVER, FalseAlarms
from metrics.limits import ChartKind, Xmr, xmr
from metrics.model import Direction
from metrics.segments import Caution, Point, Proposal, Segment, Series
from metrics.signal_rules import Signal

__all__ = [
    "Assurance",
    "Border",
    "Caution",
    "Chart",
    "ChartKind",
    "FalseAlarms",
    "Point",
    "Proposal",
    "Series",
    "Signal",
    "Tally",
    "Variation",
    "Xmr",
    "chart",
    "tally",
    "xmr",
]

Bound = float | tuple[float, float]


class Variation(StrEnum):
    """What the last point says of change."""

    IMPROVEMENT = "improvement"
    CONCERN = "concern"
    HIGH = "neutral_high"
    LOW = "neutral_low"
    COMMON_CAUSE = "common_cause"


class Assurance(StrEnum):
    """Whether the process as it is now will meet its target."""

    PASS = "consistent_pass"
    FAIL = "consistent_fail"
    HIT_OR_MISS = "hit_or_miss"


@dataclass(frozen=True, slots=True)
class Border:
    """A date from which a chart begins anew: a new base that its owner approved, and why."""

    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as it is published.

    judged: the start of the last point that rules could judge, which variation, assurance and
    false_alarms.last are about; without any they are None, and nothing is expected. trial, autocorrelation,
    warnings and proposal are about the last segment. borders: those that lie inside the chart. every_rule:
    False where only the limits are asked.
    """

    kind: ChartKind
    points: tuple[Point, ...]
    judged: date | None
    variation: Variation | None
    assurance: Assurance | None
    trial: bool
    autocorrelation: float | None
    warnings: tuple[Caution, ...]
    proposal: Proposal | None
    borders: tuple[Border, ...]
    false_alarms: FalseAlarms
    every_rule: bool = True

    @property
    def center(self) -> tuple[float | None, ...]:
        """The centre at each point."""
        return tuple(point.center for point in self.points)

    @property
    def lower(self) -> tuple[float | None, ...]:
        """The lower limit at each point."""
        return tuple(point.lower for point in self.points)

    @property
    def upper(self) -> tuple[float | None, ...]:
        """The upper limit at each point."""
        return tuple(point.upper for point in self.points)

    @property
    def signal(self) -> Signal | None:
        """The signal of the judged point; None for common cause and without one."""
        return next((point.signal for point in self.points if point.start == self.judged), None)


@dataclass(frozen=True, slots=True)
class Tally:
    """`signals` of `charts` have a signal in the time asked for; by chance about `expected` would."""

    charts: int
    signals: int
    expected: float


def tally(charts: Iterable[Chart], first: date, end: date) -> Tally:
    """How many charts have a signal at a point of the days [first, end), beside how many chance alone gives.

    Only charts whose judged point begins on one of these days count, on both sides.
    """
    asked = [one for one in charts if one.judged is not None and first <= one.judged < end]
    signals = sum(one.signal is not None for one in asked)
    return Tally(len(asked), signals, sum(one.false_alarms.last for one in asked))


def chart(
    kind: ChartKind,
    series: Series,
    *,
    direction: Direction = Direction.NEUTRAL,
    target: Bound | None = None,
    borders: Sequence[Border] = (),
    baseline: int | None = None,
    screen: bool = True,
    extent: tuple[float, float] = (-math.inf, math.inf),
) -> Chart:
    """The chart of a series, its newest point last.

    target: of the last judged point, on the scale of the values. borders: rules run inside the segments they
    make and limits are those of the segment. baseline: limits come from the first so many points of each
    segment; None takes all. A missing point breaks runs and enters no limit, and neither does a provisional
    one. A daily series has a centre for each weekday and only the limit rule. extent: the least and the
    greatest value there can be, at which limits are cut.
    """
    inside = _inside(borders, series.starts)
    parts = [
        Segment(kind, series, begin, end, baseline, screen) for begin, end in _spans(inside, series.starts)
    ]
    every_point = [point for part in parts for point in part.points(extent)]
    last = parts[-1] if parts else None
    judged = None if last is None else last.judged
    point = None if last is None or judged is None else every_point[last.begin + judged]
    chances = [part.false_alarms for part in parts]
    return Chart(
        kind=kind,
        points=tuple(every_point),
        judged=None if point is None else point.start,
        variation=None if point is None else variation(point.signal, direction),
        assurance=None if point is None else assurance(point.lower, point.upper, target, direction),
        trial=last is not None and last.is_trial,
        autocorrelation=None if last is None else last.autocorrelation,
        warnings=() if last is None else tuple(last.cautions()),
        proposal=None if last is None else last.proposal(),
        borders=inside,
        false_alarms=_together(chances) if judged is not None else NEVER,
        every_rule=not series.daily,
    )


def variation(signal: Signal | None, direction: Direction) -> Variation:
    """What a signal means where `direction` is good; of a band and without one it is only high or low."""
    if signal is None:
        return Variation.COMMON_CAUSE
    if direction is Direction.HIGHER_IS_BETTER:
        return Variation.IMPROVEMENT if signal.is_high else Variation.CONCERN
    if direction is Direction.LOWER_IS_BETTER:
        return Variation.CONCERN if signal.is_high else Variation.IMPROVEMENT
    return Variation.HIGH if signal.is_high else Variation.LOW


def assurance(
    lower: float | None, upper: float | None, target: Bound | None, direction: Direction
) -> Assurance | None:
    """Whether values between the limits always, never or sometimes meet the target.

    A band is always met where the limits lie inside it and never where they lie beside it. None without
    limits, target or direction.
    """
    if lower is None or upper is None or target is None or direction is Direction.NEUTRAL:
        return None
    if isinstance(target, tuple):
        if direction is not Direction.WITHIN:
            return None
        always, never = target[0] < lower and upper < target[1], target[1] < lower or upper < target[0]
    elif direction is Direction.HIGHER_IS_BETTER:
        always, never = target < lower, target > upper
    else:
        always, never = target > upper, target < lower
    return Assurance.PASS if always else Assurance.FAIL if never else Assurance.HIT_OR_MISS


# --- inside ---------------------------------------------------------------------------------------


def _inside(borders: Sequence[Border], starts: tuple[date, ...]) -> tuple[Border, ...]:
    """The borders that part the points, in order of time; of several on one day all are kept."""
    if not starts:
        return ()
    return tuple(
        sorted((one for one in borders if starts[0] < one.day <= starts[-1]), key=lambda one: one.day)
    )


def _spans(borders: Iterable[Border], starts: tuple[date, ...]) -> list[tuple[int, int]]:
    """The ranges of points between borders; a period that a border lies in belongs to what was before."""
    places = {sum(start < border.day for start in starts) for border in borders}
    edges = sorted({0, *places, len(starts)})
    return list(pairwise(edges))


def _together(chances: Sequence[FalseAlarms]) -> FalseAlarms:
    """The last point is that of the last segment; any point is one of any segment."""
    if len(chances) == 1:
        return chances[0]
    return FalseAlarms(chances[-1].last, 1 - math.prod(1 - one.chart for one in chances))
