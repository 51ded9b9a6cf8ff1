"""How much chance moves the scores of a city that has not changed and is exactly on target (method 5).

The model of no change: a count is Poisson and a share binomial, both times the dispersion measured between
neighbouring periods of the last year (for a quarter, between its months); a mean, median or percentile is one
of last year's periods put on target, a stock any run of days as long as the period. A target from the past
carries the noise of as many periods as it is pooled from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from metrics import chance, intervals, scoring
from metrics.backtest import BackTest, back_tests
from metrics.chance import Chance
from metrics.evidence import said
from metrics.expectation import SHARE
from metrics.facts import MEDIAN
from metrics.history import History
from metrics.judged import Case
from metrics.metric_scores import metric_scores
from metrics.model import (
    Aggregation,
    Direction,
    Grain,
    Knowledge,
    Metric,
    Reason,
    Score,
    Verdict,
)
from metrics.periods import POOLED
from metrics.plan import Inputs
from metrics.scoring import Bound

LEAST_CEILING = 1.02
MOST_MOVED = 0.01
"""A grain is scored only where noise moves the expected score by no more."""

YEAR = timedelta(days=365)
SIZES = 9
"""For how many sizes of a period, from last year's smallest to its largest, chance is summed."""

PAST = 41
"""For how many equally likely targets a target from the past is summed."""

DRAWS = 4000
MOST_DRAWN = 200
"""Of more values in a period the quantile is not drawn again: it is off by less than a thousandth or so."""

SEED = 5
Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]

_NORMAL = 1.959963984540054


@dataclass(frozen=True)
class GrainTest:
    """What becomes of an unchanged city on target at one grain.

    periods: how many of last year's it was made from. size: their middle expected count, or number of cases.
    expected: the mean score. misses: how often the verdict would be `misses`; passes: how often the score is
    1 or more. All None where last year has too little. is_steady: whether noise moves the mean score by at
    most 0.01, None where that is not asked (bands, Boston's arithmetic) or not known.
    """

    grain: Grain
    periods: int
    size: float | None
    dispersion: float | None
    expected: float | None
    misses: float | None
    passes: float | None
    is_steady: bool | None


@dataclass(frozen=True)
class MetricTest:
    """The self-test of one metric. warnings: message ids with their arguments."""

    metric: str
    grains: tuple[GrainTest, ...]
    backtests: tuple[BackTest, ...]
    warnings: tuple[Reason, ...]

    @property
    def proposed(self) -> tuple[Grain, ...]:
        """The grains at which noise leaves the mean score where it should be."""
        return tuple(one.grain for one in self.grains if one.is_steady)


def self_test(inputs: Inputs) -> tuple[MetricTest, ...]:
    """The self-test of every live metric that has a target, from the year before as_of."""
    asked = (
        metric
        for metric in inputs.catalogue.live_metrics()
        if metric.direction is not Direction.NEUTRAL and (metric.targets or metric.historical)
    )
    return tuple(_metric_test(_at_every_grain(inputs, metric), metric) for metric in asked)


def unchanged(
    metric: Metric,
    mean: float,
    size: float,
    dispersion: float = 1.0,
    *,
    floor: Bound | None = None,
    pooled: int = 0,
    days: float | None = None,
) -> tuple[float, float, float]:
    """Mean score, rate of `misses` and rate of scores of 1 or more of a count or share on its target.

    mean: the target, of a count the total of the period; size: of a share its cases, else not read.
    pooled: from how many periods of the past the target comes; 0 is a target somebody set. days: how much
    more than chance days differ, which the verdict allows for; not given it is that of the periods.
    """
    shown = max(1.0, dispersion if days is None else days)
    is_count = metric.aggregation is Aggregation.COUNT
    trials = max(1, round(size))
    found = chance.counted(mean, dispersion) if is_count else chance.shared(trials, mean, dispersion)
    if not pooled:
        aims, missed = np.array([mean]), _against_a_target(metric, found, mean, trials, shown)
    else:
        past = (
            chance.counted(pooled * mean, dispersion)
            if is_count
            else chance.shared(pooled * trials, mean, dispersion)
        )
        aims = past.quantiles(PAST) / (pooled if is_count else 1)
        missed = _against_the_past(metric, found, aims, trials, dispersion, pooled)
    scores = _scores(metric, found.values[None, :], aims[:, None], floor)
    weights = np.broadcast_to(found.weights / len(aims), scores.shape)
    return _summed(scores, missed, weights)


def last_year(inputs: Inputs, metric: Metric) -> dict[Grain, list[Score]]:
    """A metric's known periods with a value and a target that ended in the last year, in order of time.

    At every grain, whether it is scored there or not; the metric need not be as the catalogue defines it.
    """
    return _last_year(metric_scores(_at_every_grain(inputs, metric)), inputs.as_of)


# --- one metric ---------------------------------------------------------------------------------


def _at_every_grain(inputs: Inputs, metric: Metric) -> History:
    """The metric as if it were scored at every grain, so that each has its targets."""
    return History(
        city=inputs.catalogue.city,
        metric=replace(metric, scored_at=tuple(Grain)),
        source=inputs.catalogue.sources[metric.source],
        as_of=inputs.as_of,
        facts=inputs.facts[metric.id],
        knowledge=inputs.knowledge.get(metric.source, Knowledge(metric.source, None, None)),
        baselines=inputs.baselines,
        stands=inputs.as_of - YEAR,
    )


def _metric_test(history: History, metric: Metric) -> MetricTest:
    year = _last_year(metric_scores(history), history.as_of)
    spread = {grain: _dispersion(metric, rows, grain) for grain, rows in year.items()}
    spread[Grain.QUARTER] = spread[Grain.MONTH]
    days = spread[Grain.DAY]
    grains = tuple(_grain_test(history, metric, grain, year[grain], spread[grain], days) for grain in Grain)
    found = back_tests(metric, history.as_of, {grain: year[grain] for grain in metric.scored_at})
    return MetricTest(metric.id, grains, found, tuple(_warnings(metric, grains, found, year)))


def _last_year(scores: Iterable[Score], as_of: date) -> dict[Grain, list[Score]]:
    """The known periods with a value that ended in the last year, by grain in order of time."""
    found: dict[Grain, list[Score]] = {grain: [] for grain in Grain}
    for score in scores:
        is_whole = score.value is not None and score.score is not None
        if is_whole and score.period.end > as_of - YEAR:
            found[score.period.grain].append(score)
    return found


def _grain_test(
    history: History,
    metric: Metric,
    grain: Grain,
    rows: Sequence[Score],
    spread: float | None,
    days: float | None,
) -> GrainTest:
    sizes = [_size(metric, row) for row in rows]
    size = float(np.median(sizes)) if sizes else None
    nothing = GrainTest(grain, len(rows), size, spread, None, None, None, None)
    if len(rows) < 2:
        return nothing
    is_counted = _is_counted(metric)
    found = _by_chance(metric, grain, rows, spread, days) if is_counted else _drawn(history, grain, rows)
    if found is None or not np.isfinite(found[0]):
        return nothing
    is_asked = metric.direction is not Direction.WITHIN and metric.method == "linear"
    is_steady = abs(found[0] - 1) <= MOST_MOVED if is_asked else None
    return GrainTest(grain, len(rows), size, spread, *found, is_steady)


def _is_counted(metric: Metric) -> bool:
    """Whether periods are counts or shares, whose chance is known, and not amounts."""
    is_share = metric.aggregation is Aggregation.RATIO and metric.unit == SHARE
    return metric.direction is not Direction.WITHIN and (metric.aggregation is Aggregation.COUNT or is_share)


def _adds_amounts(metric: Metric) -> bool:
    """Whether something else than records is added up, which may spread less than chance."""
    return metric.quantity is not None or metric.denominator is not None


def _size(metric: Metric, row: Score) -> float:
    if metric.aggregation is Aggregation.COUNT:
        return row.target or 0.0
    return row.denominator or 0.0


# --- counts and shares --------------------------------------------------------------------------


def _by_chance(
    metric: Metric, grain: Grain, rows: Sequence[Score], spread: float | None, days: float | None
) -> tuple[float, float, float]:
    pooled = POOLED[grain] if metric.historical else 0
    typical = sorted(rows, key=lambda row: _size(metric, row))
    chosen = [typical[round(at)] for at in np.linspace(0, len(typical) - 1, min(SIZES, len(typical)))]
    found = [
        unchanged(
            metric,
            row.target or 0.0,
            row.denominator or 0.0,
            spread or 1.0,
            floor=None if pooled else row.floor,
            pooled=pooled,
            days=days,
        )
        for row in chosen
    ]
    expected, misses, passes = np.mean(found, axis=0).tolist()
    return expected, misses, passes


def _dispersion(metric: Metric, rows: Sequence[Score], grain: Grain) -> float | None:
    """How much more than chance neighbouring periods differ; days from the same weekday a week earlier.

    Records spread at least as chance does; a smaller number of a short year would be luck.
    """
    if not _is_counted(metric) or not rows:
        return None
    z = {row.period.start: one for row, one in zip(rows, _standardised(metric, rows), strict=True)}
    starts = sorted(z)
    step = timedelta(days=7) if grain in (Grain.DAY, Grain.WEEK) else None
    pairs = (
        [(start, start - step) for start in starts] if step else list(zip(starts[1:], starts, strict=False))
    )
    apart = np.array([z[one] - z[other] for one, other in pairs if other in z])
    found = chance.dispersion(apart)
    return found if found is None or _adds_amounts(metric) else max(1.0, found)


def _standardised(metric: Metric, rows: Sequence[Score]) -> Numbers:
    value = np.array([row.value for row in rows], dtype=np.float64)
    if metric.aggregation is Aggregation.COUNT:
        scale = np.array([row.scale for row in rows])
        expected = scale * (value.sum() / scale.sum())
        return (value - expected) / np.sqrt(np.fmax(expected, 1e-12))
    cases = np.array([row.denominator for row in rows], dtype=np.float64)
    share = float((value * cases).sum() / cases.sum())
    return (value - share) * np.sqrt(cases / max(share * (1 - share), 1e-12))


def _against_a_target(metric: Metric, found: Chance, mean: float, trials: int, days: float) -> Marks:
    """Where it is `misses` against a target somebody set: by tails, of amounts so many deviations away."""
    is_higher = metric.direction is Direction.HIGHER_IS_BETTER
    if _adds_amounts(metric):
        deviation = np.sqrt(np.sum(found.weights * (found.values - mean) ** 2))
        return (mean - found.values if is_higher else found.values - mean) > _NORMAL * deviation
    if metric.aggregation is Aggregation.COUNT:
        below, above = intervals.poisson_tails(found.values / days, mean / days)
    else:
        below, above = intervals.binomial_tails(found.values * trials / days, trials / days, mean)
    return (below if is_higher else above) <= intervals.SIDE


def _against_the_past(
    metric: Metric, found: Chance, aims: Numbers, trials: int, dispersion: float, pooled: int
) -> Marks:
    """Where it is `misses` against the past: differences of square roots or arc sines over their noise."""
    value, past = found.values[None, :], aims[:, None]
    noise = np.sqrt(max(1.0, dispersion) * (1 + 1 / pooled))
    if metric.aggregation is Aggregation.COUNT:
        gap = 2 * (np.sqrt(value + 0.375) - np.sqrt(past + 0.375 / pooled)) / noise
    else:
        gap = 2 * (np.arcsin(np.sqrt(value)) - np.arcsin(np.sqrt(past))) * np.sqrt(trials) / noise
    return gap < -_NORMAL if metric.direction is Direction.HIGHER_IS_BETTER else gap > _NORMAL


# --- what is drawn ------------------------------------------------------------------------------


def _drawn(history: History, grain: Grain, rows: Sequence[Score]) -> tuple[float, float, float] | None:
    """Last year's periods put on target one by one; with a target from the past, drawn beside it by seed."""
    metric, last = history.metric, rows[-1]
    levels = _runs(history, rows) if metric.aggregation is Aggregation.STOCK else _values(rows)
    if last.target is None or len(levels) < 2:
        return None
    band = None if last.target_high is None else (last.target, last.target_high)
    aim = last.target if band is None else (band[0] + band[1]) / 2
    middle = _middle(history, rows, levels)
    on_target = _moved(levels, middle, aim)
    if metric.historical:
        return _beside_the_past(metric, grain, on_target)
    missed = _share_missed(history, grain, rows, _moved(np.array(band or (aim,)), aim, middle, levels))
    if band is not None and last.floor is not None and last.floor_high is not None:
        scores = _in_band(on_target, band, (last.floor, last.floor_high))
    else:
        scores = _scores(metric, on_target, np.full(len(on_target), aim), last.floor)
    expected, _, passes = _summed(scores, np.zeros(len(scores), dtype=bool), np.ones(len(scores)))
    return expected, missed, passes


def _beside_the_past(metric: Metric, grain: Grain, on_target: Numbers) -> tuple[float, float, float]:
    """Periods drawn from last year's, and beside each as many as its target would be pooled from."""
    draw, pooled = np.random.default_rng(SEED), POOLED[grain]
    aims = draw.choice(on_target, (DRAWS, pooled)).mean(axis=1)
    noise = float(on_target.std(ddof=1)) * np.sqrt(1 + 1 / pooled)
    drawn = draw.choice(on_target, DRAWS)
    worse = aims - drawn if metric.direction is Direction.HIGHER_IS_BETTER else drawn - aims
    return _summed(_scores(metric, drawn, aims, None), worse > _NORMAL * noise, np.ones(DRAWS))


def _share_missed(history: History, grain: Grain, rows: Sequence[Score], ends: Numbers) -> float:
    """In how many of last year's periods the verdict is `misses`, were the target where the year was."""
    found = ends.tolist()
    aim: Bound = (found[0], found[1]) if len(found) > 1 else found[0]
    columns = [history.columns(row.period.start, row.period.end) for row in rows]
    cases = [Case(one, history.city_pool.over(one), aim) for one in columns]
    verdicts = [verdict for _, _, verdict in said(history, grain, cases)]
    return verdicts.count(Verdict.MISSES) / len(verdicts)


def _middle(history: History, rows: Sequence[Score], levels: Numbers) -> float:
    """The level of the year by which its periods are put on target: their mean, made good for `_off`."""
    middle = float(levels.mean())
    if history.metric.aggregation in (Aggregation.MEDIAN, Aggregation.PERCENTILE):
        return middle / _off(history, rows)
    return middle


def _off(history: History, rows: Sequence[Score]) -> float:
    """How many times that of all values the quantile of as few as a period has is, on average.

    The median of few of many short and some long waits is more often too long by much than too short. From
    last year's values, drawn by seed, each lying anywhere within its step (whole days are); 1 where there
    are too many for it to matter.
    """
    facts, size = history.facts, round(float(np.median([row.denominator or 0.0 for row in rows])))
    first, end = history.columns(rows[0].period.start, rows[-1].period.end)
    kept = (facts.entry_day >= first) & (facts.entry_day < end) & history.usable_mask[facts.entry_day]
    values = np.repeat(facts.entry_value[kept], facts.entry_count[kept])
    if not 0 < size <= MOST_DRAWN or not len(values) or values.min() < 0:
        return 1.0
    draw = np.random.default_rng(SEED)
    steps = np.diff(np.unique(values))
    spread = values + (steps.min() if len(steps) else 0.0) * (draw.random(len(values)) - 0.5)
    share = MEDIAN if history.metric.percentile is None else history.metric.percentile
    drawn = np.quantile(draw.choice(spread, (DRAWS, size)), share, axis=1, method="hazen")
    whole = float(np.quantile(spread, share, method="hazen"))
    return float(drawn.mean()) / whole if whole > 0 and drawn.mean() > 0 else 1.0


def _values(rows: Sequence[Score]) -> Numbers:
    return np.array([row.value for row in rows], dtype=np.float64)


def _runs(history: History, rows: Sequence[Score]) -> Numbers:
    """The mean levels of all runs of days of the last year that are as long as a period."""
    length = (rows[-1].period.end - rows[-1].period.start).days
    first, end = history.columns(history.as_of - YEAR, history.as_of)
    usable = history.usable_mask[first:end]
    levels = history.facts.city_numerator[first:end][usable]
    sums = np.concatenate([[0.0], np.cumsum(levels)])
    return (sums[length:] - sums[:-length]) / length if len(levels) > length else np.zeros(0)


def _moved(numbers: Numbers, middle: float, aim: float, like: Numbers | None = None) -> Numbers:
    """Numbers moved as `middle` moves to `aim`: in proportion, or by adding where there is no proportion."""
    levels = numbers if like is None else like
    if aim > 0 and middle > 0 and levels.min() >= 0:
        return numbers * (aim / middle)
    return numbers + (aim - middle)


# --- scores -------------------------------------------------------------------------------------


def _scores(metric: Metric, values: Numbers, aims: Numbers, floor: Bound | None) -> Numbers:
    """Scores of values against targets, both broadcast; NaN where Boston's arithmetic has none."""
    if metric.method == "cityscore":
        above, below = (values, aims) if metric.direction is Direction.HIGHER_IS_BETTER else (aims, values)
        above, below = np.broadcast_arrays(above, below)
        return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    is_usable = aims > 0 if floor is None else np.ones_like(aims, dtype=bool)
    floors = _floors(metric, aims) if floor is None else np.full_like(aims, float(np.max(floor)))
    held = np.where(is_usable & (floors != aims), aims, np.nan)
    return scoring.score_array(values, held, floors, metric.direction, metric.cap)


def _floors(metric: Metric, aims: Numbers) -> Numbers:
    if metric.direction is Direction.HIGHER_IS_BETTER:
        return np.zeros_like(aims)
    return np.fmax(aims, 1.0) if metric.unit == SHARE else 2.0 * aims


def _in_band(values: Numbers, band: tuple[float, float], floors: tuple[float, float]) -> Numbers:
    ends, bases = np.array(band), np.array(floors)
    return scoring.score_array(values, ends, bases, Direction.WITHIN)


def _summed(scores: Numbers, missed: Marks, weights: Numbers) -> tuple[float, float, float]:
    """Mean score, how often missed, how often 1 or more, over what has a score."""
    kept = ~np.isnan(scores)
    total = float(weights[kept].sum())
    if not total:
        return float("nan"), 0.0, 0.0
    missed = np.broadcast_to(missed, scores.shape)
    mean = float((scores[kept] * weights[kept]).sum()) / total
    reached = scores >= 1 - 1e-9
    return mean, float(weights[kept & missed].sum()) / total, float(weights[kept & reached].sum()) / total


# --- warnings -----------------------------------------------------------------------------------


def _warnings(
    metric: Metric,
    grains: Sequence[GrainTest],
    backtests: Sequence[BackTest],
    year: Mapping[Grain, Sequence[Score]],
) -> Iterable[Reason]:
    for one in grains:
        if one.grain in metric.scored_at and one.is_steady is False and one.expected is not None:
            moved = {"grain": one.grain.value, "expected": round(one.expected, 4)}
            yield Reason("noise_moves_the_score", moved)
    if _cannot_fail(metric):
        yield Reason("target_cannot_fail")
    if metric.direction is Direction.WITHIN:
        return
    newest = next((year[grain][-1] for grain in metric.scored_at if year[grain]), None)
    if newest is not None:
        yield from _of_the_ceiling(newest)
    for found in _standing(backtests):
        if found.met in (0, found.periods) and found.periods >= 4:
            message = "target_never_met" if found.met == 0 else "target_always_met"
            yield Reason(message, {"grain": found.grain.value, "periods": found.periods})


def _of_the_ceiling(newest: Score) -> Iterable[Reason]:
    if newest.ceiling is None or newest.ceiling >= LEAST_CEILING:
        return
    message = "target_cannot_be_met" if newest.ceiling < 1 else "ceiling_is_low"
    yield Reason(message, {"ceiling": round(newest.ceiling, 4)})


def _cannot_fail(metric: Metric) -> bool:
    """Whether the worst a period can be is on target: nothing counted is under 0, no share over 1."""
    if not metric.targets:
        return False
    aim, is_share = metric.targets[-1].value, metric.unit == SHARE
    if isinstance(aim, tuple):
        return is_share and aim[0] <= 0 and aim[1] >= 1
    if metric.direction is Direction.HIGHER_IS_BETTER:
        return aim <= 0 and (is_share or metric.aggregation is Aggregation.COUNT)
    return is_share and aim >= 1


def _standing(backtests: Sequence[BackTest]) -> list[BackTest]:
    """The test of the target in force at the finest grain that is scored."""
    return [one for one in backtests if not one.is_future][:1]
