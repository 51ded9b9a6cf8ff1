"""The chart of a metric from its published scores: which statistic, what points, what target (science 2b)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from metrics.limits import ChartKind, Measure, chart_kind
from metrics.model import Aggregation, Direction, Grain, Metric, Score, Status
from metrics.regularity import is_seasonal
from metrics.signals import Border, Bound, Caution, Chart, Series, chart

CHARTED = {Grain.DAY: 182, Grain.WEEK: 52, Grain.MONTH: 36, Grain.QUARTER: 20}
"""How many of the newest periods a chart shows and is made of."""

SEASONS = {Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4}
"""How many periods make a year."""

PARTIAL = "partial"
"""Why a total of only some of its period's days is no point."""

_UNKNOWN = frozenset({Status.LATE, Status.MISSING, Status.SUPPRESSED, Status.NO_OPPORTUNITY})
_OPPOSITE = {
    Direction.HIGHER_IS_BETTER: Direction.LOWER_IS_BETTER,
    Direction.LOWER_IS_BETTER: Direction.HIGHER_IS_BETTER,
}


def metric_chart(
    metric: Metric,
    rows: Sequence[Score],
    *,
    days: Sequence[Score] = (),
    borders: Sequence[Border] = (),
    baseline: int | None = None,
    screen: bool = True,
    periods: int | None = None,
) -> Chart | None:
    """The chart of one metric from its rows of one grain and one district, in order of time.

    Closed periods are no points. One without a value, or unknown (late, missing, a gap, suppressed, without
    opportunity), or of which a total lacks days, is a missing point with its status or PARTIAL as the reason.
    One that is not mature is provisional. Quarters that overlap are left out, the newest kept. days: the rows
    by day, from which a rare count takes the days between events; without them it takes the periods. borders:
    approved new bases. periods: how many of the newest are charted, CHARTED
    where None. None where there is no row to chart, or of a rare count no event.
    """
    opened = _apart([row for row in rows if row.status is not Status.CLOSED])
    if not opened:
        return None
    grain = opened[0].period.grain
    most = CHARTED[grain] if periods is None else periods
    newest = opened[-most:]
    measure = measure_of(metric, newest)
    kind = chart_kind(measure, _mean_size(measure, metric, newest))
    if kind is ChartKind.G:
        return _gap_chart(metric, days or opened, most, borders=borders, baseline=baseline)
    series = _series(metric, newest, measure)
    found = chart(
        kind,
        series,
        direction=metric.direction,
        target=_target(newest, series),
        borders=borders,
        baseline=baseline,
        screen=screen,
        extent=_extent(metric, measure),
    )
    seasonal = grain in SEASONS and is_seasonal(_series(metric, opened, measure).values, SEASONS[grain])
    return replace(found, warnings=(*found.warnings, Caution.SEASON)) if seasonal else found


def charted_direction(metric: Metric, kind: ChartKind) -> Direction:
    """Where a chart is good: a longer time between events is what fewer of them are."""
    return _OPPOSITE.get(metric.direction, metric.direction) if kind is ChartKind.G else metric.direction


def measure_of(metric: Metric, rows: Iterable[Score]) -> Measure:
    """What a metric's values are to a chart.

    A ratio of records is a share. One of two sums is a share too where it is a percentage of whole numbers, a
    rate where it counts whole events, else an amount. A count of records is a count, one that adds up a
    quantity an amount; so are means, percentiles and stocks.
    """
    if metric.aggregation is Aggregation.COUNT and metric.quantity is None:
        return "count"
    if metric.aggregation is not Aggregation.RATIO:
        return "amount"
    if metric.denominator is None:
        return "share"
    known = [
        (row.numerator, row.denominator) for row in rows if row.numerator is not None and row.denominator
    ]
    if not known or not all(x >= 0 and x == round(x) for x, _ in known):
        return "amount"
    is_part = all(n == round(n) and x <= n for x, n in known)
    return "share" if is_part and metric.unit == "percent" else "rate"


def _extent(metric: Metric, measure: Measure) -> tuple[float, float]:
    """The least and the greatest value there can be."""
    is_open = measure == "amount" and metric.aggregation is not Aggregation.STOCK
    return -np.inf if is_open else 0.0, 1.0 if measure == "share" else np.inf


def _mean_size(measure: Measure, metric: Metric, rows: Iterable[Score]) -> float:
    """What decides between charts: the mean denominator of shares, the mean events of rates and counts."""
    known = [row for row in rows if _reason(metric, row) is None]
    sizes = [row.denominator if measure == "share" else row.numerator for row in known]
    found = [size for size in sizes if size is not None]
    return sum(found) / len(found) if found else 0.0


def _series(metric: Metric, rows: Sequence[Score], measure: Measure) -> Series:
    reasons = [_reason(metric, row) for row in rows]
    is_sized = measure in ("share", "rate")
    return Series.of(
        [row.period.start for row in rows],
        [row.value if why is None else None for row, why in zip(rows, reasons, strict=True)],
        sizes=[row.denominator for row in rows] if is_sized else None,
        provisional=[_may_move(row) for row in rows],
        reasons=reasons,
        daily=rows[0].period.grain is Grain.DAY,
        counted=measure == "count",
    )


def _reason(metric: Metric, row: Score) -> str | None:
    """Why a row is a missing point; None where it has a value that says something of its whole period."""
    if row.status in _UNKNOWN:
        return row.status.value
    if row.value is None:
        return row.status.value if row.reason is None else row.reason.id
    length = (row.period.end - row.period.start).days
    is_partial = row.known_days is not None and row.known_days < length
    return PARTIAL if metric.aggregation is Aggregation.COUNT and is_partial else None


def _may_move(row: Score) -> bool:
    """Whether so much is still to be reported that a value is no finding; a mature period has 1."""
    if row.status in (Status.IMMATURE, Status.PROVISIONAL):
        return True
    return row.completeness is not None and row.completeness < 1


def _target(rows: Sequence[Score], series: Series) -> Bound | None:
    """The target of the last point that can be judged."""
    for row, value, is_settled in zip(
        reversed(rows), series.values[::-1].tolist(), series.settled[::-1].tolist(), strict=True
    ):
        if is_settled and value == value:
            return _bound(row)
    return None


def _bound(row: Score) -> Bound | None:
    if row.target is None or row.target_high is None:
        return row.target
    return row.target, row.target_high


def _apart(rows: Sequence[Score]) -> list[Score]:
    """The rows that do not overlap, counted back from the newest."""
    kept: list[Score] = []
    for row in reversed(rows):
        if not kept or row.period.end <= kept[-1].period.start:
            kept.append(row)
    return kept[::-1]


# --- rare events ----------------------------------------------------------------------------------


def _gap_chart(
    metric: Metric,
    rows: Sequence[Score],
    most: int,
    *,
    borders: Sequence[Border],
    baseline: int | None,
) -> Chart | None:
    """How many rows without an event lie between rows with one, the newest `most` times.

    The time since the last event is provisional. A longer time between events is what fewer of them are, so
    that the direction turns round; the target of a count is no target of it.
    """
    starts, gaps, provisional = _gaps(metric, [row for row in rows if row.status is not Status.CLOSED])
    if not starts:
        return None
    starts, gaps, provisional = starts[-most:], gaps[-most:], provisional[-most:]
    series = Series.of(
        starts,
        gaps,
        provisional=provisional,
        reasons=[None if gap is not None else "not_known" for gap in gaps],
    )
    return chart(
        ChartKind.G,
        series,
        direction=charted_direction(metric, ChartKind.G),
        borders=borders,
        baseline=baseline,
        extent=(0.0, np.inf),
    )


def _gaps(metric: Metric, chances: Sequence[Score]) -> tuple[list[date], list[float | None], list[bool]]:
    """For each row with an event but the first: how many without one lie between, None over unknown ones.

    The last one is of those since the last event, at the last row there is.
    """
    starts: list[date] = []
    gaps: list[float | None] = []
    since: int | None = None
    is_known = True
    for row in chances:
        if _reason(metric, row) is not None or _may_move(row):
            is_known = False
        elif row.value:
            if since is not None:
                starts.append(row.period.start)
                gaps.append(float(since) if is_known else None)
            since, is_known = 0, True
        elif since is not None:
            since += 1
    provisional = [False] * len(starts)
    if since and is_known:
        starts, gaps = [*starts, chances[-1].period.start], [*gaps, float(since)]
        provisional.append(True)
    return starts, gaps, provisional
