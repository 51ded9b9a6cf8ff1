"""One metric's scores in every period: value, target, status, score and late seat (method 1, 4, 5, 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metrics import periods, scoring
from metrics.facts import Facts, Pooled, day_indices, pool
from metrics.model import (
    WHOLE_CITY,
    Aggregation,
    City,
    Direction,
    Family,
    Gap,
    Grain,
    Knowledge,
    Metric,
    Period,
    Reason,
    Score,
    Source,
    Status,
    Weight,
)

SHARE = "percent"
"""The unit of shares: stored as fractions, floor 1 where lower is better."""

Range = tuple[date, date]
Bound = float | tuple[float, float]

_DAY = timedelta(days=1)
_NEEDS_OPPORTUNITY = frozenset(
    {Aggregation.RATIO, Aggregation.MEAN, Aggregation.MEDIAN, Aggregation.PERCENTILE}
)


@dataclass(frozen=True, eq=False)
class History:
    """A metric with its facts and how far they are known: what each of its periods is judged from."""

    city: City
    metric: Metric
    source: Source
    as_of: date
    facts: Facts
    knowledge: Knowledge
    baselines: Mapping[tuple[str, Grain, date], tuple[Range, ...]]

    @cached_property
    def first_known(self) -> date | None:
        """The first day the source covers; None when it holds nothing."""
        return self.knowledge.first_day

    @cached_property
    def known_end(self) -> date:
        """The first day that is not wholly known."""
        if self.knowledge.known_until is None:
            return date.min
        return periods.local_day(self.city, self.knowledge.known_until)

    @cached_property
    def open_mask(self) -> NDArray[np.bool_]:
        """Whether the metric is open on each day of its facts."""
        days = self.facts.numerator.shape[1]
        first = self.facts.first
        return periods.open_mask(self.city, self.metric.calendar, first, first + days * _DAY)

    @cached_property
    def usable_mask(self) -> NDArray[np.bool_]:
        """Whether each day of the facts is known and in no gap."""
        days = self.facts.numerator.shape[1]
        usable = np.ones(days, dtype=bool)
        known = (self.known_end - self.facts.first).days
        usable[max(0, known) :] = False
        for gap in self.source.gaps:
            start, end = (gap.from_day - self.facts.first).days, (gap.to_day - self.facts.first).days + 1
            usable[max(0, start) : max(0, end)] = False
        return usable

    def index(self, day: date) -> int:
        """The column of `day` in the facts."""
        return (day - self.facts.first).days

    def is_usable(self, day: date) -> bool:
        """Whether `day` is known and in no gap."""
        index = self.index(day)
        return 0 <= index < len(self.usable_mask) and bool(self.usable_mask[index])

    def is_open(self, day: date) -> bool:
        """Whether the metric's calendar is open on `day`."""
        index = self.index(day)
        if 0 <= index < len(self.open_mask):
            return bool(self.open_mask[index])
        return periods.is_open(self.city, self.metric.calendar, day)

    def usable_days(self, period: Period) -> NDArray[np.int64]:
        """The columns of the known days of a period."""
        if period not in self._usable_days:
            start, end = max(0, self.index(period.start)), max(0, self.index(period.end))
            self._usable_days[period] = start + np.flatnonzero(self.usable_mask[start:end])
        return self._usable_days[period]

    @cached_property
    def _usable_days(self) -> dict[Period, NDArray[np.int64]]:
        return {}

    def open_days(self, period: Period) -> int:
        """How many days of a period the metric is open."""
        start, end = self.index(period.start), self.index(period.end)
        if start >= 0 and end <= len(self.open_mask):
            return int(self.open_mask[start:end].sum())
        return periods.open_days(self.city, self.metric.calendar, period.start, period.end)


def metric_scores(history: History) -> list[Score]:
    """The whole city's scores of a metric, by grain in order of time."""
    found: list[Score] = []
    for grain in Grain:
        rows = [_score(history, period) for period in _periods(history, grain)]
        found.extend(_with_seats(_with_changes(history, rows), history))
    return found


def district_scores(history: History, city: Iterable[Score]) -> list[Score]:
    """The same periods for each district and the unknown one.

    A district has the city's target where it is a level and none where it is a total; its parts and the
    unknown one make the city for additive aggregations. A period without a value in the city for want of
    knowledge is given for no district.
    """
    return [
        _in_district(history, score, district)
        for score in city
        if score.n is not None
        for district in history.facts.districts
    ]


# --- periods ------------------------------------------------------------------------------------


def _periods(history: History, grain: Grain) -> list[Period]:
    """The periods that end after the source begins and by as_of; the newest one where it never ran."""
    city, as_of = history.city, history.as_of
    if history.first_known is None:
        back = timedelta(days=200)
        return periods.periods(city, grain, as_of - back, as_of)[-1:]
    found = periods.periods(city, grain, periods.period_of(city, grain, history.first_known).start, as_of)
    return [period for period in found if period.end > history.first_known]


# --- one score ----------------------------------------------------------------------------------


def _score(history: History, period: Period) -> Score:
    metric = history.metric
    days = history.usable_days(period)
    pooled = pool(history.facts, metric.aggregation, days, percentile=metric.percentile)
    opened = history.open_days(period)
    status, reason = _standing(history, period, pooled, opened, int(history.open_mask[days].sum()))
    asks_past = metric.historical and status in (Status.FINAL, Status.LATE)
    baseline = _baseline(history, period) if asks_past else ()
    expected = _expectation(history, period, days, baseline)
    scale = _scale(history, days)
    target, floor = (_scaled(one, scale) for one in expected)
    score = None
    if status is Status.FINAL:
        if target is None or pooled.value is None:
            status, reason = Status.INSUFFICIENT, _why_no_target(metric, pooled)
        else:
            score = scoring.score(
                pooled.value, target, metric.direction, method=metric.method, floor=floor, cap=metric.cap
            )
            if score is None:
                status, reason = Status.INSUFFICIENT, Reason("method_gives_no_score")
    return Score(
        metric=metric.id,
        district=WHOLE_CITY,
        period=period,
        value=pooled.value,
        numerator=pooled.numerator,
        denominator=pooled.denominator,
        n=pooled.n if len(days) else None,
        end_value=pooled.end_value,
        target=_low(target),
        target_high=_high(target),
        floor=_low(floor),
        floor_high=_high(floor),
        score=score,
        ceiling=_ceiling(metric, *expected),
        status=status,
        reason=reason,
        weight=_weight(history, period, days),
        known_days=len(days),
        open_days=opened,
        baseline=baseline if score is not None else (),
        scale=scale,
    )


def _standing(
    history: History, period: Period, pooled: Pooled, opened: int, open_known: int
) -> tuple[Status, Reason | None]:
    """The status before target and score are known, by the precedence of method 6."""
    metric = history.metric
    if opened == 0:
        return Status.CLOSED, Reason("closed", {"calendar": metric.calendar})
    unknown = _unknown(history, period, open_known)
    if unknown is not None:
        return unknown
    if metric.aggregation in _NEEDS_OPPORTUNITY and not pooled.denominator:
        return Status.NO_OPPORTUNITY, Reason("no_opportunity")
    if metric.direction is Direction.NEUTRAL:
        return Status.NOT_SCORED, Reason("neutral")
    if not metric.targets and not metric.historical:
        return Status.NOT_SCORED, Reason("no_target")
    if period.grain not in metric.scored_at:
        return Status.NOT_SCORED, Reason("grain_not_scored", {"grain": period.grain.value})
    return Status.FINAL, None


def _unknown(history: History, period: Period, open_known: int) -> tuple[Status, Reason] | None:
    """late, missing or None: whether every day of a period is known (method 1 and 6)."""
    if history.known_end < period.end:
        arguments: dict[str, str | int | float] = {"source": history.source.id}
        if history.knowledge.known_until is None:
            arguments["never_ran"] = 1
        else:
            arguments["known_until"] = history.knowledge.known_until.isoformat()
        if _is_due(history, period):
            return Status.LATE, Reason("late", arguments)
        return Status.MISSING, Reason("not_due_yet", arguments)
    if history.first_known is None or period.start < history.first_known:
        return Status.MISSING, Reason("not_known", {"source": history.source.id})
    for gap in _gaps(history, period):
        if not gap.score_known_days or open_known == 0:
            return Status.MISSING, Reason("gap", {"source": history.source.id, "why": gap.reason})
    return None


def _gaps(history: History, period: Period) -> list[Gap]:
    """The declared gaps that touch a period."""
    return [one for one in history.source.gaps if one.from_day < period.end and one.to_day >= period.start]


def _is_due(history: History, period: Period) -> bool:
    """Whether, at the publication hour of as_of, the last day of the period should have been known."""
    city = history.city
    judged_at = periods.instant_at(city, history.as_of, city.publication_hour)
    minutes = history.source.due_after_minutes
    if minutes is None:
        return judged_at >= periods.instant_at(city, period.end, city.publication_hour)
    return judged_at >= periods.local_midnight(city, period.end) + timedelta(minutes=minutes)


def _why_no_target(metric: Metric, pooled: Pooled) -> Reason:
    if pooled.value is None:
        return Reason("no_value")
    return Reason("insufficient_baseline" if metric.historical else "target_not_in_force")


# --- targets and weights ------------------------------------------------------------------------


def _baseline(history: History, period: Period) -> tuple[Range, ...]:
    fixed = history.baselines.get((history.metric.id, period.grain, period.start))
    if fixed:
        return fixed

    def is_usable(day: date) -> bool:
        return history.is_usable(day) and history.is_open(day)

    return periods.baseline_days(history.city, period, is_usable, history.is_open) or ()


def _expectation(
    history: History, period: Period, days: NDArray[np.int64], baseline: tuple[Range, ...]
) -> tuple[Bound | None, Bound | None]:
    """Target and floor, a count's per open day; (None, None) where no target can be formed."""
    metric = history.metric
    is_share = metric.unit == SHARE
    if metric.direction is Direction.NEUTRAL:
        return None, None
    if metric.historical:
        value = _baseline_value(history, period.grain, baseline)
        leaves_no_floor = is_share and metric.direction is Direction.LOWER_IS_BETTER and (value or 0) >= 1
        if value is None or value <= 0 or leaves_no_floor:
            return None, None
        return value, scoring.default_floor(value, metric.direction, is_share=is_share)
    in_force = scoring.target_in_force(
        metric.targets,
        period.start,
        period.end,
        _exposure(history, days) if _changes_inside(metric, period) else None,
        direction=metric.direction,
        is_share=is_share,
    )
    if in_force is None:
        return None, None
    if in_force.floor is not None or isinstance(in_force.value, tuple):
        return in_force.value, in_force.floor
    return in_force.value, scoring.default_floor(in_force.value, metric.direction, is_share=is_share)


def _baseline_value(history: History, grain: Grain, baseline: tuple[Range, ...]) -> float | None:
    """What the metric's own past makes one expect, of a count on each open day.

    None where too few of the baseline's days are known: a gap may have been declared since they were fixed.
    """
    metric = history.metric
    every = day_indices(history.facts.first, baseline)
    days = every[(every >= 0) & (every < len(history.usable_mask))]
    days = days[history.usable_mask[days]]
    if grain is Grain.DAY:
        is_enough = len(days) >= periods.DAY_BASELINE_LEAST
    else:
        wanted = sum(periods.open_days(history.city, metric.calendar, start, end) for start, end in baseline)
        is_enough = int(history.open_mask[days].sum()) == wanted
    if not is_enough:
        return None
    pooled = pool(history.facts, metric.aggregation, days, percentile=metric.percentile)
    if metric.aggregation is not Aggregation.COUNT or pooled.value is None:
        return pooled.value
    opened = int(history.open_mask[days].sum())
    return pooled.value / opened if opened else None


def _scale(history: History, days: NDArray[np.int64]) -> float:
    """How many times a count target's unit lies in the open, known days; 1 for what is not a count."""
    metric = history.metric
    if metric.aggregation is not Aggregation.COUNT:
        return 1.0
    opened = [history.facts.first + int(day) * _DAY for day in days[history.open_mask[days]]]
    per = "open_day" if metric.historical else metric.per
    return periods.expected(history.city, per, metric.calendar, 1.0, opened)


def _scaled(bound: Bound | None, scale: float) -> Bound | None:
    """A target on the scale of the period's value; None where no open day is known to expect it of."""
    if bound is None or scale == 0:
        return None
    if isinstance(bound, tuple):
        return bound[0] * scale, bound[1] * scale
    return bound * scale


def _changes_inside(metric: Metric, period: Period) -> bool:
    dates = [one.valid_from for one in metric.targets] + [one.valid_from for one in metric.weights]
    return any(period.start < valid_from < period.end for valid_from in dates)


def _exposure(history: History, days: NDArray[np.int64]) -> dict[date, float]:
    """How much each day weighs when something changes inside a period: its denominator, else as a day."""
    amounts: NDArray[np.float64]
    if history.metric.aggregation in (Aggregation.RATIO, Aggregation.MEAN):
        amounts = history.facts.city_denominator[days]
    elif history.metric.aggregation in (Aggregation.MEDIAN, Aggregation.PERCENTILE):
        counts = np.zeros(len(history.usable_mask))
        np.add.at(counts, history.facts.entry_day, history.facts.entry_count)
        amounts = counts[days]
    else:
        amounts = history.open_mask[days].astype(np.float64)
    return {
        history.facts.first + int(day) * _DAY: float(amount)
        for day, amount in zip(days, amounts, strict=True)
    }


def _weight(history: History, period: Period, days: NDArray[np.int64]) -> float | None:
    metric = history.metric
    if metric.family is not Family.SERVICE or not metric.weights:
        return None
    is_whole = len(days) == (period.end - period.start).days
    exposure = _exposure(history, days) if is_whole and _changes_inside(metric, period) else None
    before_the_first = Weight(0.0, date.min, "not weighed yet")
    return scoring.weight_in_force((before_the_first, *metric.weights), period.start, period.end, exposure)


def _ceiling(metric: Metric, target: Bound | None, floor: Bound | None) -> float | None:
    if target is None:
        return None
    return scoring.ceiling(
        target,
        metric.direction,
        metric.aggregation,
        is_share=metric.unit == SHARE,
        best=metric.best,
        method=metric.method,
        floor=floor,
        cap=metric.cap,
    )


def _low(bound: Bound | None) -> float | None:
    return bound[0] if isinstance(bound, tuple) else bound


def _high(bound: Bound | None) -> float | None:
    return bound[1] if isinstance(bound, tuple) else None


# --- change and seat ----------------------------------------------------------------------------


def _with_changes(history: History, rows: list[Score]) -> list[Score]:
    """Each score less that of the period before, where both are there (method 8)."""
    by_start = {row.period.start: row for row in rows}
    changes = ((row, _change(history, row, by_start)) for row in rows)
    return [row if change is None else replace(row, change=change) for row, change in changes]


def _change(history: History, row: Score, by_start: Mapping[date, Score]) -> float | None:
    if row.score is None:
        return None
    if row.period.grain is Grain.DAY:
        start = periods.previous_open_day(history.city, history.metric.calendar, row.period.start)
    else:
        start = periods.before(history.city, row.period).start
    earlier = by_start.get(start) if start is not None else None
    return None if earlier is None or earlier.score is None else row.score - earlier.score


def _with_seats(rows: list[Score], history: History) -> list[Score]:
    """Gives each late row the lowest score of the twelve months before it became late (method 7).

    The last score is always among them, however old. It became late on the first day that is not known.
    A row that is missing for a gap declared only after its period had opened keeps the seat.
    """
    seated: list[Score] = []
    scored: list[Score] = []
    late_since: date | None = None
    for row in rows:
        if row.score is not None:
            scored.append(row)
        if row.status not in (Status.LATE, Status.MISSING):
            late_since = None
        elif _keeps_seat(row, history):
            late_since = late_since or _first_unknown_day(history, row.period)
            row = replace(row, seat=_lowest(scored, late_since))
        seated.append(row)
    return seated


def _keeps_seat(row: Score, history: History) -> bool:
    if row.period.grain not in history.metric.scored_at or history.metric.family is not Family.SERVICE:
        return False
    if row.status is Status.LATE:
        return True
    is_gap = row.status is Status.MISSING and row.reason is not None and row.reason.id == "gap"
    return is_gap and any(gap.declared >= row.period.end for gap in _gaps(history, row.period))


def _first_unknown_day(history: History, period: Period) -> date:
    gaps = [gap.from_day for gap in _gaps(history, period)]
    return max(period.start, min([history.known_end, period.end - _DAY, *gaps]))


def _lowest(scored: list[Score], late_since: date) -> float | None:
    if not scored:
        return None
    is_leap_day = (late_since.month, late_since.day) == (2, 29)
    year_before = late_since.replace(year=late_since.year - 1, day=28 if is_leap_day else late_since.day)
    recent = [row.score for row in scored if row.period.end > year_before and row.score is not None]
    last = scored[-1].score
    return min(recent + ([last] if last is not None else []))


# --- districts ----------------------------------------------------------------------------------


def _in_district(history: History, city: Score, district: str) -> Score:
    metric = history.metric
    days = history.usable_days(city.period)
    pooled = pool(history.facts, metric.aggregation, days, percentile=metric.percentile, district=district)
    is_level = metric.aggregation not in (Aggregation.COUNT, Aggregation.STOCK)
    status, reason, score = city.status, city.reason, None
    if metric.aggregation in _NEEDS_OPPORTUNITY and not pooled.denominator and city.score is not None:
        status, reason = Status.NO_OPPORTUNITY, Reason("no_opportunity")
    elif not is_level and city.score is not None:
        status, reason = Status.NOT_SCORED, Reason("no_district_target")
    elif city.score is not None:
        target, floor = _bound(city.target, city.target_high), _bound(city.floor, city.floor_high)
        score = scoring.score(
            pooled.value, target, metric.direction, method=metric.method, floor=floor, cap=metric.cap
        )
        if score is None:
            status, reason = Status.INSUFFICIENT, Reason("method_gives_no_score")
    return Score(
        metric=city.metric,
        district=district,
        period=city.period,
        value=pooled.value,
        numerator=pooled.numerator,
        denominator=pooled.denominator,
        n=pooled.n,
        end_value=pooled.end_value,
        target=city.target if is_level else None,
        target_high=city.target_high if is_level else None,
        floor=city.floor if is_level else None,
        floor_high=city.floor_high if is_level else None,
        score=score,
        ceiling=city.ceiling if is_level else None,
        status=status,
        reason=reason,
        known_days=city.known_days,
        open_days=city.open_days,
    )


def _bound(low: float | None, high: float | None) -> Bound | None:
    return low if low is None or high is None else (low, high)
