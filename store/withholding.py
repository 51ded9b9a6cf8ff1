"""Finding what has to be withheld: `metrics.suppression` applied to what a publication says, and remembered.

A cell that was withheld once stays so, in every publication. For each metric a row without a month remembers
the limit its cells were judged by: where that is another one now, all its months are judged again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from sqlalchemy import Connection, delete, insert, select

from metrics.model import (
    UNKNOWN_DISTRICT,
    WHOLE_CITY,
    Aggregation,
    Catalogue,
    Metric,
    Publication,
    Score,
)
from metrics.suppression import limits, same_records, small, withheld
from store import publications
from store.definitions import names_of
from store.schema import withheld_cells

_JUDGED = {"district": "", "month": ""}


def remember(connection: Connection, catalogue: Catalogue, publication: Publication) -> int:
    """Adds what has to be withheld of what a publication says anew; how many cells are withheld by it."""
    live = catalogue.live_metrics()
    limit = limits(catalogue.city, live)
    hidden = sum(
        _of_metric(connection, publication, metric, limit[metric.id])
        for metric in live
        if metric.district or metric.hide_small_city
    )
    together = [one for one in same_records(live) if len(one) > 1]
    return hidden + sum(_alike(connection, publication, one, limit[one[0].id]) for one in together)


def counts_of(metric: Metric, score: Score) -> list[float]:
    """The counts of people or cases behind a score, each of which alone could point at someone."""
    n = float(score.n or 0)
    if metric.aggregation is Aggregation.RATIO and metric.denominator is None:
        good = score.numerator or 0.0
        return [good, (score.denominator or 0.0) - good, n]
    if metric.aggregation is Aggregation.COUNT and metric.quantity is None:
        return [score.numerator or 0.0]
    if metric.aggregation is Aggregation.STOCK:
        return [score.value or 0.0, score.end_value or 0.0]
    return [n]


def _alike(connection: Connection, publication: Publication, family: Sequence[Metric], limit: int) -> int:
    """What one of them hides all hide, where another would give it away; how many cells that adds.

    How many records a district has is the same for all of them, or differs by what one leaves out: so where
    such a number is hidden, and not only how many of them were good.
    """
    if limit == 0:
        return 0
    before = {one.id: _before(connection, one) for one in family}
    sizes = {one.id: _sizes(connection, publication, one) for one in family}
    leave_out = len({one.exclude for one in family}) > 1
    found = {
        (month, place)
        for metric, hides in before.items()
        for month, places in hides.items()
        if leave_out or _has_few(sizes[metric].get(month, {}), places, limit)
        for place in places
    }
    if leave_out:
        found |= _left_out_by_one(family, sizes, limit, found)
    added = 0
    for metric in family:
        hides = before[metric.id]
        new = sorted((month, place) for month, place in found if place not in hides.get(month, ()))
        _hide(connection, metric, new, limit)
        added += len(new)
    return added


def _has_few(sizes: Mapping[str, float], places: Collection[str], limit: int) -> bool:
    return any(0 < sizes.get(place, 0.0) <= limit for place in places)


def _left_out_by_one(
    family: Sequence[Metric],
    sizes: Mapping[str, Mapping[str, Mapping[str, float]]],
    limit: int,
    already: Collection[tuple[str, str]],
) -> set[tuple[str, str]]:
    """The cells in which two metrics differ by a small count, since one leaves out what the other counts."""
    by_exclusion = {one.exclude: sizes[one.id] for one in family if one.aggregation is not Aggregation.STOCK}
    found: set[tuple[str, str]] = set()
    for one, other in combinations(by_exclusion.values(), 2):
        for month in one.keys() & other.keys():
            places = sorted(one[month].keys() | other[month].keys())
            hides = withheld(
                [[abs(one[month].get(place, 0.0) - other[month].get(place, 0.0))] for place in places],
                limit,
                already=[(month, place) in already for place in places],
                places=[place != UNKNOWN_DISTRICT for place in places],
            )
            found |= {(month, place) for place, hide in zip(places, hides.tolist(), strict=True) if hide}
    return found


def _sizes(connection: Connection, publication: Publication, metric: Metric) -> dict[str, dict[str, float]]:
    """How many records are behind each district, by month."""
    months = publications.months_of(connection, publication, metric.id, written_by_it=False)
    return {
        month: {one.district: counts_of(metric, one)[-1] for one in cells if one.district != WHOLE_CITY}
        for month, cells in months.items()
    }


def _of_metric(connection: Connection, publication: Publication, metric: Metric, limit: int) -> int:
    judged_by = _judged_by(connection, metric)
    if judged_by is not None and limit < judged_by:
        connection.execute(delete(withheld_cells).where(withheld_cells.c.metric.in_(names_of(metric))))
    is_settled = judged_by == limit
    months = publications.months_of(connection, publication, metric.id, written_by_it=is_settled)
    before = _before(connection, metric)
    found = [
        (month, district)
        for month, cells in months.items()
        for district in _to_hide(metric, cells, limit, before.get(month, frozenset()))
    ]
    _hide(connection, metric, found, limit)
    if not is_settled:
        _judge_by(connection, metric, limit)
    return len(found)


def _hide(connection: Connection, metric: Metric, found: Sequence[tuple[str, str]], limit: int) -> None:
    """Under the metric's earlier id too: a publication of that time hides no less."""
    for name in names_of(metric):
        there = {
            (row.month, row.district)
            for row in connection.execute(select(withheld_cells).where(withheld_cells.c.metric == name))
        }
        rows = [
            {"metric": name, "district": district, "month": month, "up_to": limit}
            for month, district in found
            if (month, district) not in there
        ]
        if rows:
            connection.execute(insert(withheld_cells), rows)


def _to_hide(metric: Metric, cells: Sequence[Score], limit: int, before: frozenset[str]) -> list[str]:
    """The districts of a month that are newly withheld; of a city that is hidden, all of them and itself."""
    if limit == 0:
        return []
    city = [one for one in cells if one.district == WHOLE_CITY and metric.hide_small_city]
    parts = [one for one in cells if one.district != WHOLE_CITY]
    if any(small(counts_of(metric, one), limit) for one in city):
        found = [WHOLE_CITY, *(one.district for one in parts)]
    elif parts:
        hides = withheld(
            [counts_of(metric, one) for one in parts],
            limit,
            already=[one.district in before for one in parts],
            places=[one.district != UNKNOWN_DISTRICT for one in parts],
        )
        found = [one.district for one, hide in zip(parts, hides.tolist(), strict=True) if hide]
    else:
        found = []
    return [district for district in found if district not in before]


def _judged_by(connection: Connection, metric: Metric) -> int | None:
    of_metric = (withheld_cells.c.metric == metric.id) & (withheld_cells.c.month == "")
    return connection.execute(select(withheld_cells.c.up_to).where(of_metric)).scalar()


def _judge_by(connection: Connection, metric: Metric, limit: int) -> None:
    of_metric = (withheld_cells.c.metric == metric.id) & (withheld_cells.c.month == "")
    connection.execute(delete(withheld_cells).where(of_metric))
    connection.execute(insert(withheld_cells), {"metric": metric.id, "up_to": limit, **_JUDGED})


def _before(connection: Connection, metric: Metric) -> dict[str, frozenset[str]]:
    """What is hidden already, by month; of a metric that was renamed what its earlier id hid stays so."""
    found: dict[str, set[str]] = {}
    for row in connection.execute(
        select(withheld_cells).where(withheld_cells.c.metric.in_(names_of(metric)))
    ):
        found.setdefault(row.month, set()).add(row.district)
    return {month: frozenset(districts) for month, districts in found.items()}
