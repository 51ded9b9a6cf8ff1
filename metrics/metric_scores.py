"""One metric's scores in every period: value, target, status, score and late seat (method 1, 4, 5, 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby

from metrics import periods, scoring
from metrics.evidence import Said, said
from metrics.expectation import Expectations, Expected, scaled
from metrics.facts import Pool, Pooled
from metrics.history import Columns, History, Range
from metrics.judged import Case
from metrics.maturity import MATURE, SCORED
from metrics.model import (
    WHOLE_CITY,
    Aggregation,
    City,
    Direction,
    Family,
    Grain,
    Metric,
    Period,
    Reason,
    Score,
    Status,
)
from metrics.scoring import Bound

_NEEDS_OPPORTUNITY = frozenset(
    {Aggregation.RATIO, Aggregation.MEAN, Aggregation.MEDIAN, Aggregation.PERCENTILE}
)
_UNKNOWN = frozenset({Status.LATE, Status.MISSING})
_NO_OPPORTUNITY = Reason("no_opportunity")
_NO_SCORE = Reason("method_gives_no_score")
_NO_DISTRICT_TARGET = Reason("no_district_target")


def metric_scores(history: History) -> list[Score]:
    """The whole city's scores of a metric, by grain in order of time.

    Where earlier rows stand those of the periods that need one, and of the few before them that these are
    compared with, whose own change is not told.
    """
    judge = _Judge(history)
    return [score for grain in Grain for score in judge.scores(grain)]


def district_scores(history: History, city: Iterable[Score]) -> list[Score]:
    """The same periods for each district and the unknown one.

    A district has the city's target where it is a level and none where it is a total; its parts and the
    unknown one make the city for additive aggregations. A period without a value in the city for want of
    knowledge is given for no district.
    """
    known = [
        (score, history.columns(score.period.start, score.period.end))
        for score in city
        if score.n is not None
    ]
    return [score for district in history.facts.districts for score in _district(history, district, known)]


def newest(city: City, grain: Grain, as_of: date) -> list[Period]:
    """The newest period that has ended by as_of: the only one a metric of a source that never ran has."""
    return periods.periods(city, grain, as_of - timedelta(days=200), as_of)[-1:]


# --- one grain in order of time -----------------------------------------------------------------


@dataclass
class _Past:
    """What a row of a grain needs of the rows before it."""

    scores: dict[date, float | None] = field(default_factory=dict)
    scored: list[tuple[date, float]] = field(default_factory=list)
    late_since: date | None = None


@dataclass(slots=True)
class _Draft:
    """What is known of a row before all rows of its grain are weighed together."""

    period: Period
    case: Case
    opened: int
    status: Status
    reason: Reason | None
    baseline: tuple[Range, ...]
    expected: Expected
    scale: float


@dataclass(frozen=True, eq=False)
class _Judge:
    """Judges the periods of one metric."""

    history: History

    def scores(self, grain: Grain) -> list[Score]:
        """The rows of a grain in order of time."""
        begin = self.history.begins(grain)
        if begin is None:
            return []
        drafts = [self._draft(period) for period in self._periods(grain, begin)]
        lead = _lead(self.history, grain, drafts[0].period, self.history.city_pool) if drafts else []
        evidence = said(self.history, grain, [*lead, *(draft.case for draft in drafts)])[len(lead) :]
        past = self._past(grain, begin)
        return [self._score(draft, one, past) for draft, one in zip(drafts, evidence, strict=True)]

    def _periods(self, grain: Grain, begin: date) -> list[Period]:
        """The periods from `begin` on that end by as_of and after the source begins; if never, the newest."""
        city, as_of, first = self.history.city, self.history.as_of, self.history.first_known
        if first is None:
            return newest(city, grain, as_of)
        start = max(begin, periods.period_of(city, grain, first).start)
        return [period for period in periods.periods(city, grain, start, as_of) if period.end > first]

    def _past(self, grain: Grain, begin: date) -> _Past:
        """What the rows that stand leave to the ones from `begin` on."""
        past, first = _Past(), self.history.first_known
        for row in self.history.earlier:
            if row.period.grain is grain and row.period.start < begin and first and row.period.end > first:
                self._seat(row.period, row.status, row.reason, past)
                self._change(row.period, row.score, past)
        return past

    def _draft(self, period: Period) -> _Draft:
        history, metric = self.history, self.history.metric
        columns = history.columns(period.start, period.end)
        pooled = history.city_pool.over(columns)
        opened = history.open_days(period.start, period.end)
        status, reason = self._standing(period, columns, pooled, opened)
        asks_past = metric.historical and status in (Status.FINAL, Status.LATE)
        baseline = self._expectations.baseline(period) if asks_past else ()
        expected = self._expectations.of(period, baseline)
        scale = self._expectations.scale(period, columns)
        past = tuple(history.columns(*days) for days in baseline)
        case = Case(columns, pooled, scaled(expected.target, scale), past)
        return _Draft(period, case, opened, status, reason, baseline, expected, scale)

    def _score(self, draft: _Draft, evidence: Said, past: _Past) -> Score:
        period, columns, pooled = draft.period, draft.case.columns, draft.case.pooled
        status, reason, target = draft.status, draft.reason, draft.case.target
        floor = scaled(draft.expected.floor, draft.scale)
        score = None
        if status is Status.FINAL:
            score, reason = self._judged(pooled, target, floor)
            status = Status.FINAL if score is not None else Status.INSUFFICIENT
        known, completeness = self.history.known(columns), self.history.completeness(columns)
        if score is not None:
            status, score, reason = _matured(score, completeness)
        low, high, verdict = evidence
        return Score(
            metric=self.history.metric.id,
            district=WHOLE_CITY,
            period=period,
            value=pooled.value,
            numerator=pooled.numerator,
            denominator=pooled.denominator,
            n=pooled.n if known else None,
            end_value=pooled.end_value,
            target=_low(target),
            target_high=_high(target),
            floor=_low(floor),
            floor_high=_high(floor),
            score=score,
            ceiling=draft.expected.ceiling,
            status=status,
            reason=reason,
            weight=self._expectations.weight(period, columns),
            seat=self._seat(period, status, reason, past),
            change=self._change(period, score, past),
            known_days=known,
            open_days=draft.opened,
            completeness=completeness,
            baseline=self._fixed_baseline(draft, score),
            low=low,
            high=high,
            verdict=verdict if score is not None else None,
            scale=draft.scale,
        )

    def _fixed_baseline(self, draft: _Draft, score: float | None) -> tuple[Range, ...]:
        """The days of a historical target once they gave a score: they stay fixed where it is withheld."""
        period = draft.period
        fixed = self.history.baselines.get((self.history.metric.id, period.grain, period.start), ())
        return draft.baseline if score is not None else fixed

    @cached_property
    def _expectations(self) -> Expectations:
        return Expectations(self.history)

    def _judged(
        self, pooled: Pooled, target: Bound | None, floor: Bound | None
    ) -> tuple[float | None, Reason | None]:
        """The score of a period that should have one, or why it has none."""
        metric = self.history.metric
        if pooled.value is None:
            return None, Reason("no_value")
        if target is None:
            return None, Reason("insufficient_baseline" if metric.historical else "target_not_in_force")
        score = _scored(metric, pooled.value, target, floor)
        return score, None if score is not None else _NO_SCORE

    # --- status ---------------------------------------------------------------------------------

    def _standing(
        self, period: Period, columns: Columns, pooled: Pooled, opened: int
    ) -> tuple[Status, Reason | None]:
        """The status before target and score are known, by the precedence of method 6."""
        metric = self.history.metric
        if opened == 0:
            return Status.CLOSED, Reason("closed", {"calendar": metric.calendar})
        unknown = self._unknown(period, columns)
        if unknown is not None:
            return unknown
        if metric.aggregation in _NEEDS_OPPORTUNITY and not pooled.denominator:
            return Status.NO_OPPORTUNITY, _NO_OPPORTUNITY
        return self._by_definition[period.grain]

    @cached_property
    def _by_definition(self) -> dict[Grain, tuple[Status, Reason | None]]:
        return {grain: _by_definition(self.history.metric, grain) for grain in Grain}

    def _unknown(self, period: Period, columns: Columns) -> tuple[Status, Reason] | None:
        """late, missing or None: whether every day of a period is known (method 1 and 6)."""
        history = self.history
        if history.known_end < period.end:
            arguments = self._how_far
            if self._is_due(period):
                return Status.LATE, Reason("late", arguments)
            return Status.MISSING, Reason("not_due_yet", arguments)
        if history.first_known is None or period.start < history.first_known:
            return Status.MISSING, Reason("not_known", {"source": history.source.id})
        for gap in history.gaps(period):
            if not gap.score_known_days or history.open_and_known(columns) == 0:
                return Status.MISSING, Reason("gap", {"source": history.source.id, "why": gap.reason})
        return None

    @cached_property
    def _how_far(self) -> dict[str, str | int | float]:
        known_until = self.history.knowledge.known_until
        arguments: dict[str, str | int | float] = {"source": self.history.source.id}
        if known_until is None:
            return arguments | {"never_ran": 1}
        return arguments | {"known_until": known_until.isoformat()}

    def _is_due(self, period: Period) -> bool:
        """Whether, at the publication hour of as_of, the last day of the period should have been known."""
        history, city = self.history, self.history.city
        judged_at = periods.instant_at(city, history.as_of, city.publication_hour)
        minutes = history.source.due_after_minutes
        if minutes is None:
            return judged_at >= periods.instant_at(city, period.end, city.publication_hour)
        return judged_at >= periods.local_midnight(city, period.end) + timedelta(minutes=minutes)

    # --- change and seat ------------------------------------------------------------------------

    def _change(self, period: Period, score: float | None, past: _Past) -> float | None:
        """The score less that of the period before, where both are there (method 8)."""
        past.scores[period.start] = score
        if score is None:
            return None
        past.scored.append((period.end, score))
        history = self.history
        if period.grain is not Grain.DAY:
            start: date | None = periods.before(history.city, period).start
        else:
            start = periods.previous_open_day(history.city, history.metric.calendar, period.start)
        earlier = past.scores.get(start) if start else None
        return None if earlier is None else score - earlier

    def _seat(self, period: Period, status: Status, reason: Reason | None, past: _Past) -> float | None:
        """What a late row enters with (method 7): the lowest score of the year before it became late.

        The last score is always among them, however old. It became late on the first day that is not
        known. A row that is missing for a gap declared only after its period had opened keeps the seat.
        """
        if status not in _UNKNOWN:
            past.late_since = None
            return None
        if not self._keeps_seat(period, status, reason):
            return None
        past.late_since = past.late_since or self._first_unknown_day(period)
        return _lowest(past.scored, past.late_since)

    def _keeps_seat(self, period: Period, status: Status, reason: Reason | None) -> bool:
        metric = self.history.metric
        if period.grain not in metric.scored_at or metric.family is not Family.SERVICE:
            return False
        if status is Status.LATE:
            return True
        is_gap = reason is not None and reason.id == "gap"
        return is_gap and any(gap.declared >= period.end for gap in self.history.gaps(period))

    def _first_unknown_day(self, period: Period) -> date:
        gaps = [gap.from_day for gap in self.history.gaps(period)]
        return max(period.start, min([self.history.known_end, period.end - periods.DAY, *gaps]))


def _matured(score: float, completeness: float | None) -> tuple[Status, float | None, Reason | None]:
    """What becomes of a score by how much of its period is known (method 6)."""
    if completeness is None or completeness >= MATURE:
        return Status.FINAL, score, None
    if completeness >= SCORED:
        return Status.PROVISIONAL, score, None
    return Status.IMMATURE, None, Reason("immature", {"completeness": completeness})


def _by_definition(metric: Metric, grain: Grain) -> tuple[Status, Reason | None]:
    """What a metric's definition says of all its periods of a grain."""
    if metric.direction is Direction.NEUTRAL:
        return Status.NOT_SCORED, Reason("neutral")
    if not metric.targets and not metric.historical:
        return Status.NOT_SCORED, Reason("no_target")
    if grain not in metric.scored_at:
        return Status.NOT_SCORED, Reason("grain_not_scored", {"grain": grain.value})
    return Status.FINAL, None


def _scored(metric: Metric, value: float | None, target: Bound | None, floor: Bound | None) -> float | None:
    return scoring.score(value, target, metric.direction, method=metric.method, floor=floor, cap=metric.cap)


def _lowest(scored: list[tuple[date, float]], late_since: date) -> float | None:
    if not scored:
        return None
    is_leap_day = (late_since.month, late_since.day) == (2, 29)
    year_before = late_since.replace(year=late_since.year - 1, day=28 if is_leap_day else late_since.day)
    return min([score for end, score in scored if end > year_before] + [scored[-1][1]])


def _low(bound: Bound | None) -> float | None:
    return bound[0] if isinstance(bound, tuple) else bound


def _high(bound: Bound | None) -> float | None:
    return bound[1] if isinstance(bound, tuple) else None


# --- districts ----------------------------------------------------------------------------------


def _district(history: History, district: str, known: Sequence[tuple[Score, Columns]]) -> Iterable[Score]:
    """The rows of a district, those of a grain weighed together; it has the past of the city."""
    pool = history.pool(district)
    for grain, rows in groupby(known, key=lambda row: row[0].period.grain):
        scores, columns = zip(*rows, strict=True)
        lead = [one for one in _lead(history, grain, scores[0].period, pool) if history.known(one.columns)]
        cases = [
            Case(
                one,
                pool.over(one),
                _bound(city.target, city.target_high),
                tuple(history.columns(*days) for days in city.baseline),
            )
            for city, one in zip(scores, columns, strict=True)
        ]
        found = said(history, grain, [*lead, *cases], district)[len(lead) :]
        for city, case, evidence in zip(scores, cases, found, strict=True):
            yield _in_district(history.metric, city, district, case.pooled, evidence)


def _lead(history: History, grain: Grain, first: Period, pool: Pool) -> list[Case]:
    """The periods before `first`, of which only what they pool to is asked: how much a stock moves."""
    if history.metric.aggregation is not Aggregation.STOCK or history.first_known is None:
        return []
    start = periods.period_of(history.city, grain, history.first_known).start
    found = periods.periods(history.city, grain, start, first.end)[:-1]
    ranges = [history.columns(one.start, one.end) for one in found if one.end > history.first_known]
    return [Case(one, pool.over(one), None) for one in ranges]


def _in_district(metric: Metric, city: Score, district: str, pooled: Pooled, evidence: Said) -> Score:
    low, high, verdict = evidence
    is_level = metric.aggregation not in (Aggregation.COUNT, Aggregation.STOCK)
    status, reason, score = city.status, city.reason, None
    if metric.aggregation in _NEEDS_OPPORTUNITY and not pooled.denominator and city.score is not None:
        status, reason = Status.NO_OPPORTUNITY, _NO_OPPORTUNITY
    elif not is_level and city.score is not None:
        status, reason = Status.NOT_SCORED, _NO_DISTRICT_TARGET
    elif city.score is not None:
        target, floor = _bound(city.target, city.target_high), _bound(city.floor, city.floor_high)
        score = _scored(metric, pooled.value, target, floor)
        if score is None:
            status, reason = Status.INSUFFICIENT, _NO_SCORE
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
        completeness=city.completeness,
        low=low,
        high=high,
        verdict=verdict if score is not None else None,
    )


def _bound(low: float | None, high: float | None) -> Bound | None:
    return low if low is None or high is None else (low, high)
