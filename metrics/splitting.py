"""A metric's course taken apart by what its records say in one column: a series of scores for each value."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate
from typing import Any

from metrics.model import Aggregation, Metric, Score

Amounts = tuple[int, float, float]
"""How many records, and what they add to numerator and denominator."""

Cells = Mapping[date, Amounts]

_NOTHING: Amounts = (0, 0.0, 0.0)


@dataclass(frozen=True)
class Share:
    """Those records of a metric that say the same in a column.

    value: what they say, None where it is empty; together: how many values are pooled here because they are
    few, else 0. rows: as the whole city's, with this part's numbers and no score; a share, or a mean, of no
    record has no value.
    """

    value: str | None
    together: int
    records: int
    rows: tuple[Score, ...]


def shares(
    metric: Metric, city: Sequence[Score], days: Iterable[tuple[str | None, date, Amounts]], most: int
) -> tuple[Share, ...]:
    """The parts of a metric's published periods, those of most records first, the pooled ones last.

    days: what the records of each value and day add up to. most: how many parts there are at most; where
    there are more values the smallest are pooled. A period without a value has none in any part. Nothing
    for no period or no record.
    """
    by_value: dict[str | None, dict[date, Amounts]] = defaultdict(dict)
    for value, day, amounts in days:
        by_value[value][day] = _added(by_value[value].get(day, _NOTHING), amounts)
    counted = {value: sum(records for records, _n, _d in cells.values()) for value, cells in by_value.items()}
    order = sorted(by_value, key=lambda value: (-counted[value], value is None, value or ""))
    kept = order if len(order) <= most else order[: most - 1]
    found = [Share(one, 0, counted[one], _rows(metric, city, by_value[one])) for one in kept]
    rest = order[len(kept) :]
    if rest:
        pooled = _pooled(by_value[one] for one in rest)
        found.append(Share(None, len(rest), sum(counted[one] for one in rest), _rows(metric, city, pooled)))
    return tuple(found) if city else ()


def _pooled(parts: Iterable[Cells]) -> dict[date, Amounts]:
    found: dict[date, Amounts] = {}
    for cells in parts:
        for day, amounts in cells.items():
            found[day] = _added(found.get(day, _NOTHING), amounts)
    return found


def _added(one: Amounts, other: Amounts) -> Amounts:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


_OF_THE_WHOLE = ("value", "numerator", "denominator", "n", "end_value", "low", "high")
_BLANK: Mapping[str, None] = dict.fromkeys((*_OF_THE_WHOLE, "score", "change", "verdict", "seat"))
"""What of the whole city's row says nothing of a part."""

_NO_TARGET: Mapping[str, None] = dict.fromkeys(("target", "target_high", "floor", "floor_high"))
"""The target of a total is not that of its part."""


def _rows(metric: Metric, city: Sequence[Score], cells: Cells) -> tuple[Score, ...]:
    """Periods may overlap, so each is the difference of two running sums."""
    ordered = sorted(cells)
    running = list(accumulate((cells[day] for day in ordered), _added, initial=_NOTHING))
    return tuple(_row(metric, whole, ordered, running) for whole in city)


def _row(metric: Metric, whole: Score, days: Sequence[date], running: Sequence[Amounts]) -> Score:
    is_count = metric.aggregation is Aggregation.COUNT
    said: dict[str, Any] = {**_BLANK, **(_NO_TARGET if is_count else {})}
    if whole.value is None:
        return replace(whole, **said)
    first, end = bisect_left(days, whole.period.start), bisect_left(days, whole.period.end)
    records, numerator, denominator = (b - a for a, b in zip(running[first], running[end], strict=True))
    said |= {"numerator": numerator, "n": int(records)}
    if is_count:
        return replace(whole, **said | {"value": numerator})
    value = numerator / denominator if denominator else None
    return replace(whole, **said | {"value": value, "denominator": denominator})
