"""What is unusual of a run, held against the runs of its source before it: it is said, and stops nothing.

A number is unusual when it lies outside of everything the runs before showed, by more than a quarter of
their range and a margin of its own (`FLOORS`, and what chance alone does to so few rows). Of fifteen runs
or more the highest and the lowest are left out, so that one odd run does not hide the next. Nothing is
said before eight runs over eight days, which have seen a weekend. Runs that were asked for in the same way
are compared, and what is in their rows only where both read all of the source or both what was new.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

RUNS_AT_LEAST, DAYS_AT_LEAST = 8, 8
RUNS_TRIMMED_FROM = 15
WINDOW = timedelta(days=35)
RUNS_IN_WINDOW = 28
"""Held against are the runs of the window or, where it has fewer, the newest so many of any age."""

RANGE_SHARE = 0.25
CHANCE = 4.0
"""How many standard deviations of chance alone are allowed for."""

FLOORS = {"volume": math.log(2), "lag": 12.0, "empty": 0.05, "values": 0.10}
"""Logarithm of rows, hours, share of cells, share of rows that would have to change their value."""

ROWS_FOR_EMPTY, ROWS_FOR_VALUES = 50, 200
MOST_VALUES = 50
"""A column with more different values than these is no list of categories."""


@dataclass(frozen=True)
class Profile:
    """What one run looked like.

    rows: how many it read, None where nothing had changed. whole: it read all of the source. gap_hours:
    since the run before it that read. lag_hours: from where the source is known until to the start of
    the run. Both None where there is none. sampled: how many rows were looked at for `empty`, the number
    without a value by column, and `values`, how often each stood in the columns with few.
    """

    at: datetime
    rows: int | None
    whole: bool = False
    gap_hours: float | None = None
    lag_hours: float | None = None
    sampled: int = 0
    empty: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def unusual(now: Profile, before: Iterable[Profile]) -> list[str]:
    """What is unusual of a run, one sentence each, beside runs alike; [] when there are too few of them."""
    past = _held_against(now, before)
    if len(past) < RUNS_AT_LEAST or now.at - min(one.at for one in past) < timedelta(days=DAYS_AT_LEAST):
        return []
    read = [one for one in past if one.rows is not None and one.whole == now.whole]
    return [*_volume(now, read), *_lag(now, past), *_empty(now, read), *_values(now, read)]


def _held_against(now: Profile, before: Iterable[Profile]) -> list[Profile]:
    newest = sorted((one for one in before if one.at < now.at), key=lambda one: one.at, reverse=True)
    recent = [one for one in newest if now.at - one.at <= WINDOW]
    return recent if len(recent) >= RUNS_IN_WINDOW else newest[:RUNS_IN_WINDOW]


def _volume(now: Profile, past: Sequence[Profile]) -> Iterator[str]:
    """Rows, by their logarithm; of what is new, where as much time had gone by as usually does."""
    rows = [one.rows for one in past if one.rows is not None]
    if now.rows is None or len(rows) < RUNS_AT_LEAST or not (now.whole or _is_usual_gap(now, past)):
        return
    chance = CHANCE / math.sqrt(median(rows) + 1)
    low, high = _bounds([math.log1p(one) for one in rows], FLOORS["volume"] + chance)
    if not low <= math.log1p(now.rows) <= high:
        yield f"{now.rows} rows were read, and usually {_span(rows)}"


def _is_usual_gap(now: Profile, past: Sequence[Profile]) -> bool:
    gaps = [one.gap_hours for one in past if one.gap_hours]
    return bool(gaps) and now.gap_hours is not None and 0.5 <= now.gap_hours / median(gaps) <= 2


def _lag(now: Profile, past: Sequence[Profile]) -> Iterator[str]:
    lags = [one.lag_hours for one in past if one.lag_hours is not None]
    if now.lag_hours is None or len(lags) < RUNS_AT_LEAST:
        return
    if now.lag_hours > _bounds(lags, FLOORS["lag"])[1]:
        yield f"the newest is {now.lag_hours:.0f} hours old, and usually {_span(list(map(round, lags)))}"


def _empty(now: Profile, past: Sequence[Profile]) -> Iterator[str]:
    for column, count in now.empty.items():
        before = [one for one in past if column in one.empty and one.sampled >= ROWS_FOR_EMPTY]
        if now.sampled < ROWS_FOR_EMPTY or len(before) < RUNS_AT_LEAST:
            continue
        shares = [one.empty[column] / one.sampled for one in before]
        share, usual = count / now.sampled, median(shares)
        chance = CHANCE * math.sqrt(max(usual * (1 - usual), 1 / now.sampled) / now.sampled)
        low, high = _bounds(shares, FLOORS["empty"] + chance)
        if not low <= share <= high:
            yield f"{column} is empty in {share:.0%} of rows, and usually in {_percents(shares)}"


def _values(now: Profile, past: Sequence[Profile]) -> Iterator[str]:
    for column, counts in now.values.items():
        before = [one.values[column] for one in past if column in one.values]
        if sum(counts.values()) < ROWS_FOR_VALUES or len(before) < RUNS_AT_LEAST:
            continue
        pooled = _shares(_added(before))
        distances = [_distance(_shares(one), pooled) for one in before]
        rows = sum(counts.values())
        chance = CHANCE / 4 * math.sqrt(len(pooled) / rows)
        shares = _shares(counts)
        found = _distance(shares, pooled)
        if found > _bounds(distances, FLOORS["values"] + chance)[1]:
            word = max(shares.keys() | pooled, key=lambda one: abs(shares.get(one, 0) - pooled.get(one, 0)))
            was, is_now = pooled.get(word, 0.0), shares.get(word, 0.0)
            yield f"{column} has other values than usual: {word!r} {is_now:.0%}, and usually {was:.0%}"


def _bounds(values: Sequence[float], floor: float) -> tuple[float, float]:
    """Between which a number is usual."""
    ordered = sorted(values)
    if len(ordered) >= RUNS_TRIMMED_FROM:
        ordered = ordered[1:-1]
    margin = RANGE_SHARE * (ordered[-1] - ordered[0]) + floor
    return ordered[0] - margin, ordered[-1] + margin


def _added(many: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in many:
        for word, count in one.items():
            total[word] = total.get(word, 0) + count
    return total


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {word: count / total for word, count in counts.items()} if total else {}


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The share of rows that would have to change their value: half the sum of the differences."""
    return sum(abs(one.get(word, 0) - other.get(word, 0)) for word in one.keys() | other.keys()) / 2


def _span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def _percents(shares: Sequence[float]) -> str:
    low, high = f"{min(shares):.0%}", f"{max(shares):.0%}"
    return low if low == high else f"{low} to {high}"
