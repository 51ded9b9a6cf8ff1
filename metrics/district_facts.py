"""A metric by district in one period: what published scores say of each district beside the rest of the city.

Everything is worked out from the rows it is given and from what the catalogue says of districts. Whoever may
not see a row is given none of it: those hidden together are one row, `WITHHELD`, and count as one district
with all their people, so that no index tells what is hidden. Records that name no district are shown and
take no part in any comparison.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from metrics import fairness
from metrics.district_cases import Cases, cases_of
from metrics.districts import PER, ByDistrict, Equity, Indices, Scale, Spread, Standing, scale_of
from metrics.fairness import Index, Rule
from metrics.model import UNKNOWN_DISTRICT, WITHHELD, Direction, District, Metric, Score

Numbers = NDArray[np.float64]

_TWO = 2


def by_district(
    metric: Metric,
    city: Score,
    rows: Sequence[Score],
    districts: Mapping[str, District],
    hidden: Collection[str] = (),
) -> ByDistrict:
    """A metric by district in a period, from published scores.

    city: the whole city's score. rows: those of the districts shown, of records that name none, and the
    WITHHELD one where any are `hidden`, which are their ids.
    """
    standings = _with_ranks([_standing(metric, row, districts, hidden) for row in rows])
    cases = cases_of(metric, [row for row in standings if row.district != UNKNOWN_DISTRICT])
    rule = _rule(metric, city)
    if len(cases.rows) < _TWO:
        return ByDistrict(metric, city, scale_of(metric), _ordered(metric, standings), rule=rule)
    comparisons, phi = cases.comparisons(rule)
    found = [replace(row, comparison=comparisons.get(row.district)) for row in standings]
    return ByDistrict(metric, city, scale_of(metric), _ordered(metric, found), cases.base, phi, rule)


def indices(given: ByDistrict) -> Indices:
    """How a metric is shared out among people and by need, from the rows that are shown."""
    cases = cases_of(given.metric, list(given.compared))
    if len(cases.rows) < _TWO:
        return Indices(None, None, None)
    people = np.array([row.people or 0 for row in cases.rows], dtype=np.float64)
    if not (people > 0).all():
        return Indices(None, None, None)
    return Indices(_equity(given, cases, people), *_by_need(cases, people))


def spread(given: ByDistrict) -> Spread | None:
    """How far the districts shown lie apart; None for fewer than two.

    By levels drawn towards the city's: of raw ones the ends are the smallest districts, by chance alone.
    """
    levels = [row.comparison.shrunken for row in given.compared if row.comparison is not None]
    if len(levels) < _TWO:
        return None
    low, high = (float(one) for one in np.quantile(levels, (0.1, 0.9), method="hazen"))
    return Spread(max(levels) - min(levels), high - low, len(levels))


# --- rows --------------------------------------------------------------------------------------


def _standing(
    metric: Metric, row: Score, districts: Mapping[str, District], hidden: Collection[str]
) -> Standing:
    ids = hidden if row.district == WITHHELD else [row.district]
    known = [districts[one] for one in ids if one in districts]
    people, need = _people(known), _need(known)
    counted = row.value if scale_of(metric) is Scale.PER_1000 else row.n
    per = None if counted is None or not people else counted * PER / people
    return Standing(row, people, need, per, together=len(hidden) if row.district == WITHHELD else 0)


def _people(known: Sequence[District]) -> int | None:
    counts = [one.population for one in known if one.population is not None]
    return sum(counts) if known and len(counts) == len(known) else None


def _need(known: Sequence[District]) -> float | None:
    """The need of the people of all these districts together: the mean over people."""
    pairs = [
        (one.need, one.population) for one in known if one.need is not None and one.population is not None
    ]
    people = sum(weight for _need, weight in pairs)
    if not known or len(pairs) < len(known) or not people:
        return None
    return sum(need * weight for need, weight in pairs) / people


def _with_ranks(rows: Sequence[Standing]) -> list[Standing]:
    """Rows with their place in the order of need; it is one of all districts, whatever happened in them."""
    placed = [row for row in rows if row.need is not None and row.people]
    if not placed:
        return list(rows)
    found = fairness.ranks([row.people or 0 for row in placed], [row.need or 0.0 for row in placed])
    rank = {row.district: float(one) for row, one in zip(placed, found, strict=True)}
    return [replace(row, need_rank=rank.get(row.district)) for row in rows]


def _ordered(metric: Metric, rows: Sequence[Standing]) -> tuple[Standing, ...]:
    sign = -1 if metric.direction in (Direction.LOWER_IS_BETTER, Direction.NEUTRAL) else 1

    def key(row: Standing) -> tuple[int, bool, float, str]:
        last = {UNKNOWN_DISTRICT: 2, WITHHELD: 1}.get(row.district, 0)
        shrunken = row.comparison.shrunken if row.comparison else 0.0
        return last, row.comparison is None, sign * shrunken, row.district

    return tuple(sorted(rows, key=key))


# --- how it is shared out ----------------------------------------------------------------------


def _rule(metric: Metric, city: Score) -> Rule | None:
    """How a district's value is scored by the city's target; None where a total of unlike ones would be."""
    if scale_of(metric) is Scale.PER_1000 or metric.method != "linear" or city.target is None:
        return None
    if metric.direction is Direction.NEUTRAL:
        return None
    if city.target_high is not None and city.floor is not None and city.floor_high is not None:
        bounds = (city.target, city.target_high), (city.floor, city.floor_high)
        return Rule(*bounds, direction=metric.direction, cap=metric.cap)
    return Rule(city.target, city.floor, metric.direction, metric.cap)


def _equity(given: ByDistrict, cases: Cases, people: Numbers) -> Equity | None:
    if given.rule is None:
        return None
    value = fairness.equity(cases.level, people, given.rule)
    if value is None:
        return None
    return Equity(value, cases.expected_equity(people, given.rule))


def _by_need(cases: Cases, people: Numbers) -> tuple[Index | None, Index | None]:
    """The concentration and the slope index; None without an order of need or without anything to share."""
    needs = [row.need for row in cases.rows]
    error = cases.by_chance
    if error is None or any(one is None for one in needs) or len(set(needs)) < _TWO:
        return None, None
    need = np.array(needs, dtype=np.float64)
    has_any = float((people * cases.level).sum()) != 0
    shared = fairness.concentration(cases.level, people, need, error) if has_any else None
    return shared, fairness.slope(cases.level, people, need, error)
