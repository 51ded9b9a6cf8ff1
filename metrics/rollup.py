"""Composites over time: who is in one, what it is compared with, and where its change comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from metrics import periods
from metrics.attribution import Side, change_matched, contributions
from metrics.composite import Entry, Summary, summarise
from metrics.model import City, Composite, Contribution, Grain, Metric, Period, Score, Status
from metrics.scoring import Bound

Scope = Literal["city", "department", "theme"]
Members = Mapping[Period, Sequence["Member"]]


@dataclass(frozen=True, slots=True)
class Member:
    """A service metric scored at a grain, with its score row of one period."""

    metric: Metric
    score: Score


def roll_up(city: City, scope: Scope, scope_id: str, grain: Grain, members: Members) -> list[Composite]:
    """The composites of a scope at a grain, in order of time, each with its change and the parts of it."""
    standings = {period: _standing(city, found) for period, found in members.items()}
    return [
        _composite(city, scope, scope_id, period, standings)
        for period in sorted(members, key=lambda one: one.start)
        if period.grain is grain
    ]


@dataclass(frozen=True, slots=True)
class _Standing:
    """A composite in one period, with each of its metrics as a side of a comparison."""

    summary: Summary
    sides: Mapping[str, Side]
    open_calendars: frozenset[periods.Calendar]


def _standing(city: City, members: Sequence[Member]) -> _Standing:
    summary = _summarise(city, members)
    open_now = frozenset(one.metric.calendar for one in members if one.score.status is not Status.CLOSED)
    return _Standing(summary, _sides(members, summary), open_now)


def _summarise(city: City, members: Sequence[Member]) -> Summary:
    entries = [
        Entry(
            metric=one.metric.id,
            weight=one.score.weight or 0.0,
            status=one.score.status,
            score=one.score.score,
            seat=one.score.seat,
            ceiling=one.score.ceiling,
        )
        for one in members
    ]
    return summarise(entries, city.minimum_coverage)


def _composite(
    city: City,
    scope: Scope,
    scope_id: str,
    period: Period,
    standings: Mapping[Period, _Standing],
) -> Composite:
    standing = standings[period]
    before = _before(city, period, standing.open_calendars)
    earlier = standings.get(before) if before else None
    now, then = standing.summary, earlier.summary if earlier else None
    change = matched = None
    parts: tuple[Contribution, ...] = ()
    if earlier and then and now.score is not None and then.score is not None:
        change = now.score - then.score
        matched = change_matched(earlier.sides, standing.sides)
        parts = contributions(earlier.sides, standing.sides)
    return Composite(
        scope=scope,
        scope_id=scope_id,
        period=period,
        score=now.score,
        reason=now.reason,
        coverage=now.coverage,
        ceiling=now.ceiling,
        total=now.total,
        scored=now.scored,
        on_target=now.on_target,
        late=now.late,
        lowest=now.lowest,
        before=before,
        change=change,
        change_matched=matched,
        contributions=parts,
    )


def _before(city: City, period: Period, open_now: frozenset[periods.Calendar]) -> Period | None:
    """The period a composite is compared with; None where the last fortnight had no day like this one."""
    if period.grain is not Grain.DAY:
        return periods.before(city, period)
    day = periods.comparison_day(city, period.start, open_now)
    return Period(Grain.DAY, day, day + timedelta(days=1)) if day else None


def _sides(members: Sequence[Member], summary: Summary) -> dict[str, Side]:
    return {
        one.metric.id: Side(
            score=summary.entered.get(one.metric.id),
            weight=one.score.weight or 0.0,
            value=one.score.value,
            target=_bound(one.score.target, one.score.target_high),
            floor=_bound(one.score.floor, one.score.floor_high),
            direction=one.metric.direction,
            method=one.metric.method,
            cap=one.metric.cap,
            late=one.score.score is None,
            scale=one.score.scale or 1.0,
        )
        for one in members
    }


def _bound(low: float | None, high: float | None) -> Bound | None:
    return low if low is None or high is None else (low, high)
