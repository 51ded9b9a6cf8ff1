"""Signs that a number is worked on instead of the service: findings that ask a question and prove nothing.

Sources: science 7 and McCrary (2008) for closings heaped before a deadline, Chetty and others (2011) for a
bunch beside its own neighbourhood; the log ratio of two Poisson
counts has variance 1/x + 1/y (Rothman, Modern Epidemiology).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from metrics import scoring
from metrics.catalogue_target_rules import is_share
from metrics.intervals import Z
from metrics.model import Direction, Metric, Score, Target
from metrics.signals import Bound, Chart, Variation

ALARM_Z = 3.0
"""How many standard errors from the usual is an alarm: as far as the limits of a chart, for it is asked of
every metric again and again."""

LEAST_EVENTS = 0.5
"""What a count of 0 is taken for, since it has no logarithm."""

_LEAST_DAYS = 2

EASED_DAYS = 92
"""A period that begins within a quarter of a year after a target was made easier came shortly after it."""


@dataclass(frozen=True, slots=True)
class Heaping:
    """Closings in the last hour before their deadline against those in the first hour after it.

    ratio: before / after now, with its 95% interval; usual_ratio: the same of the reference. times: how many
    times the usual ratio it is, with the interval that an alarm is judged by.
    """

    before: int
    after: int
    usual_before: int
    usual_after: int
    ratio: float
    low: float
    high: float
    usual_ratio: float
    times: float
    times_low: float
    times_high: float

    @property
    def is_alarm(self) -> bool:
        """Whether so many more just before the deadline are beyond what chance does."""
        return self.times_low > 1


@dataclass(frozen=True, slots=True)
class Bunching:
    """Closings around their deadline against those around the same time of the day on the days beside it.

    near_before, near_after: of all those days. times: how many times their ratio before / after is that of
    the deadline, with the interval that an alarm is judged by. dispersion: by how much those days differ
    among themselves beyond chance, 1 for not at all; its root widens the interval.
    """

    before: int
    after: int
    near_before: int
    near_after: int
    dispersion: float
    times: float
    times_low: float
    times_high: float

    @property
    def is_alarm(self) -> bool:
        """Whether so many more just before the deadline are beyond what the days beside it do."""
        return self.times_low > 1


@dataclass(frozen=True, slots=True)
class Eased:
    """A target that was made easier, and the periods right after it that met only the easier one.

    score: the newest of those periods as it is published; score_by_old: by the target before, None where
    there is none. met_only_new of `judged` periods.
    """

    target: Target
    before: Target
    met_only_new: int
    judged: int
    score: Score
    score_by_old: float | None


def heaping(before: int, after: int, usual_before: int, usual_after: int) -> Heaping | None:
    """Whether closings heap up in the hour before their deadline more than they usually do.

    None where one of the two times has no closing in either hour. ValueError for a negative count.
    """
    counts = (before, after, usual_before, usual_after)
    if min(counts) < 0:
        raise ValueError(f"counts are 0 or more, not {min(counts)}")
    if before + after == 0 or usual_before + usual_after == 0:
        return None
    x, y, u, v = (max(float(count), LEAST_EVENTS) for count in counts)
    own, both = 1 / x + 1 / y, 1 / x + 1 / y + 1 / u + 1 / v
    low, high = _around(x / y, own, Z)
    times = (x / y) / (u / v)
    return Heaping(*counts, x / y, low, high, u / v, times, *_around(times, both, ALARM_Z))


def bunching(before: int, after: int, days: Sequence[tuple[int, int]]) -> Bunching | None:
    """Whether closings heap up before their deadline, as no other day does at that time: without any past.

    before, after: in the hour up to the deadline and in the hour after it. days: the same counts a whole
    number of days earlier or later, where nothing is at stake; they have the same hours of work and the same
    habits. None where the deadline or all of these days have no closing. ValueError for a negative count.
    """
    near_before, near_after = (sum(day[side] for day in days) for side in (0, 1))
    found = heaping(before, after, near_before, near_after)
    if found is None:
        return None
    dispersion = _dispersion(days)
    own, near = (
        (max(x, LEAST_EVENTS), max(y, LEAST_EVENTS)) for x, y in ((before, after), (near_before, near_after))
    )
    variance = sum(1 / count for count in (*own, *near)) * dispersion
    ends = _around(found.times, variance, ALARM_Z)
    return Bunching(before, after, near_before, near_after, dispersion, found.times, *ends)


def eased(metric: Metric, scores: Sequence[Score]) -> tuple[Eased, ...]:
    """Targets made easier shortly before periods that meet only the new one, oldest target first.

    scores: of one grain and the whole city. Only periods that lie wholly under the new target count.
    """
    dated = sorted(metric.targets, key=lambda target: target.valid_from)
    found = []
    for number, target in enumerate(dated[1:], 1):
        if is_easier(target.value, dated[number - 1].value, metric.direction):
            until = dated[number + 1].valid_from if number + 1 < len(dated) else date.max
            found.append(_eased(metric, target, dated[number - 1], until, scores))
    return tuple(one for one in found if one is not None)


def is_easier(new: Bound, old: Bound, direction: Direction) -> bool:
    """Whether all that met the old target meets the new one, and more."""
    if direction is Direction.HIGHER_IS_BETTER:
        return new < old  # type: ignore[operator]
    if direction is Direction.LOWER_IS_BETTER:
        return new > old  # type: ignore[operator]
    if direction is Direction.WITHIN and isinstance(new, tuple) and isinstance(old, tuple):
        return new != old and new[0] <= old[0] and old[1] <= new[1]
    return False


def paired(chart: Chart | None, pair_chart: Chart | None) -> bool:
    """Whether a metric improves as its counter-metric worsens, both at their newest judged points."""
    if chart is None or pair_chart is None:
        return False
    return chart.variation is Variation.IMPROVEMENT and pair_chart.variation is Variation.CONCERN


# --- inside ---------------------------------------------------------------------------------------


def _around(ratio: float, variance: float, z: float) -> tuple[float, float]:
    half = z * math.sqrt(variance)
    return ratio * math.exp(-half), ratio * math.exp(half)


def _dispersion(days: Sequence[tuple[int, int]]) -> float:
    """Pearson's chi-squared of the days' shares before, over its degrees of freedom; at least 1."""
    known = [(x, x + y) for x, y in days if x + y]
    share = sum(x for x, _ in known) / sum(n for _, n in known)
    if len(known) < _LEAST_DAYS or share in (0, 1):
        return 1.0
    squared = sum((x - n * share) ** 2 / (n * share * (1 - share)) for x, n in known)
    return max(1.0, squared / (len(known) - 1))


def _eased(
    metric: Metric, target: Target, before: Target, until: date, scores: Sequence[Score]
) -> Eased | None:
    last = target.valid_from + timedelta(days=EASED_DAYS)
    judged = [
        row
        for row in scores
        if target.valid_from <= row.period.start < last
        and row.period.end <= until
        and row.value is not None
        and row.score is not None
    ]
    only_new = [row for row in judged if _meets_only_new(metric, target, before, row)]
    if not only_new:
        return None
    newest = max(only_new, key=lambda row: row.period.start)
    by_old = _score_by(metric, before, newest, _scale(target, newest))
    return Eased(target, before, len(only_new), len(judged), newest, by_old)


def _meets_only_new(metric: Metric, target: Target, before: Target, row: Score) -> bool:
    scale = _scale(target, row)
    return _meets(metric, target, row, scale) and not _meets(metric, before, row, scale)


def _scale(target: Target, row: Score) -> float:
    """How many times a target of a count lies in the period: 1 of all that is no count."""
    value = target.value[0] if isinstance(target.value, tuple) else target.value
    return row.target / value if row.target is not None and value else 1.0


def _meets(metric: Metric, target: Target, row: Score, scale: float) -> bool:
    value, bound = row.value, _scaled(target.value, scale)
    assert value is not None, "rows without a value are not judged"
    if isinstance(bound, tuple):
        return bound[0] <= value <= bound[1]
    return value >= bound if metric.direction is Direction.HIGHER_IS_BETTER else value <= bound


def _score_by(metric: Metric, target: Target, row: Score, scale: float) -> float | None:
    bound = _scaled(target.value, scale)
    floor = None if target.floor is None else _scaled(target.floor, scale)
    if floor is None and bound == 0:
        return None
    if floor is None and metric.method == "linear" and not isinstance(bound, tuple):
        floor = scoring.default_floor(bound, metric.direction, is_share=is_share(metric))
    return scoring.score(
        row.value, bound, metric.direction, method=metric.method, floor=floor, cap=metric.cap
    )


def _scaled(bound: Bound, scale: float) -> Bound:
    if scale == 1:
        return bound
    return (bound[0] * scale, bound[1] * scale) if isinstance(bound, tuple) else bound * scale
