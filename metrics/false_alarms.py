"""How often a chart calls a signal where nothing changed: what the number of signals must be held against.

An unchanged series has independent points from one distribution. Its alarms are counted out exactly where
only limits are asked of known centres, taken from a table where the chart fits itself to any scale, and else
simulated with the chart's own size and level, always with the same random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from metrics.false_alarm_table import TABLE
from metrics.limits import OUTSIDE, SIGMAS, ChartKind, Numbers, lines
from metrics.signal_rules import RUN, patterns

NORMAL_FROM = 100.0
"""From this mean on counts are as good as normal for an XmR chart."""

SEED = 20260101
SERIES = 2000
"""How many series are simulated for one chart, three times as many where only their last points tell."""

_DIGITS = 2


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How likely chance alone makes a signal: of the last point, and of any point of the chart."""

    last: float
    chart: float


NEVER = FalseAlarms(0.0, 0.0)
"""Of a chart without limits."""


@dataclass(frozen=True, slots=True)
class Null:
    """An unchanged series: its chart and length, its level and size where chance depends on them.

    points: how many. level: the share, the rate, the mean count or the mean number of days between events.
    size: the mean denominator of a share or rate. fixed: how many points the limits come from, None for all.
    every_rule: False where only points outside the limits are called signals.
    """

    kind: ChartKind
    points: int
    level: float | None = None
    size: float = 1.0
    fixed: int | None = None
    every_rule: bool = True
    screen: bool = True


def expected(null: Null) -> FalseAlarms:
    """The false alarms of an unchanged series."""
    if null.points < 2:
        return NEVER
    if null.kind in _EXACT and not null.every_rule:
        last = _EXACT[null.kind](null)
        return FalseAlarms(last, 1 - (1 - last) ** null.points)
    is_normal = null.level is None or null.kind not in _DRAWN
    is_normal |= null.kind is ChartKind.XMR and null.level is not None and null.level >= NORMAL_FROM
    if is_normal and (null.fixed is None or null.fixed >= null.points):
        return _tabulated(null)
    return _simulated(_rounded(null, is_normal))


def simulate(null: Null, series: int, seed: int) -> tuple[Numbers, Numbers]:
    """Whether the last point and whether any point of each of `series` unchanged series is a signal."""
    random = np.random.default_rng([seed, null.points])
    values = _drawn(null, random, series)
    enters = np.arange(null.points) < (null.fixed or null.points)
    enters = np.broadcast_to(enters, values.shape)
    found = lines(null.kind, values, np.full(null.points, null.size), enters, screen=null.screen)
    rules = patterns(values, found, every_rule=null.every_rule)
    last = np.logical_or.reduce([rule.ending() for rule in rules])
    # Two of three mark a point even where the third, which completes them, is none of them.
    anywhere = np.logical_or.reduce([rule.last.any(axis=-1) for rule in rules])
    # Where limits come from all points in whatever order, each is as likely a signal as the last: all tell.
    is_any = null.kind in _ORDERLESS and null.fixed is None and null.points >= RUN
    from_point = RUN - 1 if is_any else null.points - 1
    share: Numbers = np.mean(last[:, from_point:], axis=1)
    return share, np.asarray(anywhere, dtype=np.float64)


def outside_share(share: float, size: float) -> float:
    """How likely a share of `size` trials lies beyond its three-deviation limits; exact, binomial.

    size is taken to the next whole number.
    """
    trials = max(1, round(size))
    if not 0 < share < 1:
        return 0.0
    events = np.arange(trials + 1)
    log = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    likely = np.exp(
        log[-1] - log - log[::-1] + events * math.log(share) + (trials - events) * math.log1p(-share)
    )
    reach = SIGMAS * math.sqrt(trials * share * (1 - share))
    return float(likely[np.abs(events - trials * share) > reach * (1 + 1e-12)].sum())


def outside_count(mean: float) -> float:
    """How likely a count lies beyond its three-deviation limits; exact, Poisson."""
    if mean <= 0:
        return 0.0
    reach = SIGMAS * math.sqrt(mean)
    events = np.arange(math.ceil(mean + 4 * reach) + 60)
    log = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, len(events))))])
    likely = np.exp(events * math.log(mean) - mean - log)
    return float(likely[np.abs(events - mean) > reach * (1 + 1e-12)].sum())


def outside_gap(mean: float) -> float:
    """How likely the days between events lie beyond the limits of a g chart; exact, geometric."""
    if mean <= 0:
        return 0.0
    fading = math.log(mean / (1 + mean))
    upper, lower = math.ceil(math.log(OUTSIDE) / fading), math.floor(math.log1p(-OUTSIDE) / fading)
    return math.exp(upper * fading) - math.expm1(lower * fading)


# --- inside ---------------------------------------------------------------------------------------


_EXACT: dict[ChartKind, Callable[[Null], float]] = {
    ChartKind.P: lambda null: outside_share(null.level or 0.0, null.size),
    ChartKind.U: lambda null: outside_count((null.level or 0.0) * null.size),
    ChartKind.G: lambda null: outside_gap(null.level or 0.0),
}

_ORDERLESS = frozenset({ChartKind.P, ChartKind.U, ChartKind.G})
_DRAWN = frozenset({*_ORDERLESS, ChartKind.XMR})
"""Charts whose false alarms hang on level and size."""


def _tabulated(null: Null) -> FalseAlarms:
    table = TABLE[null.kind if null.kind is ChartKind.T else _as_xmr(null)]
    lengths = [row[0] for row in table]
    column = 1 if null.every_rule else 3
    last, chart = (
        float(np.interp(null.points, lengths, [row[one] for row in table])) for one in (column, column + 1)
    )
    return FalseAlarms(last, chart)


def _as_xmr(null: Null) -> str:
    """Laney's chart is an XmR chart of standardised values that screens nothing."""
    return "screened" if null.kind is ChartKind.XMR and null.screen else "unscreened"


def _rounded(null: Null, is_normal: bool) -> Null:
    """The same with fewer digits, so that charts alike are simulated once."""
    if is_normal or null.level is None:
        kind = null.kind if null.kind is ChartKind.T else ChartKind.XMR
        screen = null.screen and null.kind is ChartKind.XMR
        return Null(kind, null.points, None, 1.0, null.fixed, null.every_rule, screen)
    level, size = _short(null.level), _short(null.size)
    if null.kind is ChartKind.P:
        level = level if level <= 0.5 else 1 - _short(1 - null.level)
        size = float(max(1, round(size)))
    return Null(null.kind, null.points, level, size, null.fixed, null.every_rule, null.screen)


def _short(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


@lru_cache(maxsize=4096)
def _simulated(null: Null) -> FalseAlarms:
    is_any = null.kind in _ORDERLESS and null.fixed is None
    last, chart = simulate(null, SERIES if is_any else 3 * SERIES, SEED)
    return FalseAlarms(float(last.mean()), float(chart.mean()))


def _drawn(null: Null, random: np.random.Generator, series: int) -> Numbers:
    """Values of unchanged series, shape (series, points)."""
    shape = (series, null.points)
    if null.kind is ChartKind.T:
        return random.exponential(size=shape)
    if null.level is None:
        return random.normal(size=shape)
    if null.kind is ChartKind.P:
        return random.binomial(round(null.size), null.level, shape).astype(np.float64) / null.size
    if null.kind is ChartKind.G:
        return random.geometric(1 / (1 + null.level), shape).astype(np.float64) - 1
    return random.poisson(null.level * null.size, shape).astype(np.float64) / null.size
