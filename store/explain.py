"""The receipt of a score: which records counted, which did not and why, and where the target comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from metrics import periods
from metrics.attribution import rate_and_mix
from metrics.catalogue import from_text
from metrics.model import (
    WHOLE_CITY,
    WITHHELD,
    Aggregation,
    Catalogue,
    Grain,
    Metric,
    Period,
    Publication,
    Score,
    Target,
)
from metrics.plan import DISTRICT_GRAINS
from store import publications
from store.definitions import targets_in_force
from store.engine import StoreError, instant_text
from store.questions import (
    as_of_parameters,
    district_id,
    district_of,
    expression_of,
    question,
    quoted,
    sql,
    visible_records,
    visible_then,
)
from store.withheld import NOTHING, Hidden


@dataclass(frozen=True)
class RecordCounts:
    """The records dated in a period (or without a date), by what became of them.

    kept: counted in the denominator or the count; met: of those, the ones the numerator counts (ratio).
    not_wanted: `where` is not true; dropped: `exclude` is true; withdrawn: gone from the source.
    undated: of all records of the source, those this metric would keep if they had a date.
    """

    dated: int
    withdrawn: int
    not_wanted: int
    dropped: int
    kept: int
    met: int | None
    undated: int


@dataclass(frozen=True)
class DistrictPart:
    """What one district adds to the change of a ratio: by its own rate, and by its share of the cases."""

    district: str
    rate: float
    mix: float


@dataclass(frozen=True)
class Shift:
    """The change of a ratio from the period before, by district; the parts add up to it."""

    before: Period
    change: float
    parts: tuple[DistrictPart, ...]


@dataclass(frozen=True)
class Explanation:
    """A published score with everything it came from.

    records is None for a stock, which counts a level and not the records of a period. They are counted as
    the publication knew them, so that a receipt says the same for ever; kept differs from score.n where a
    record has no usable value or lies on a day that is not known or in a gap.
    targets: those in force in the period, oldest first; empty for a historical target, whose days are
    score.baseline. shift: where the change from the period before is; None where it is not split.
    """

    metric: Metric
    publication: Publication
    score: Score
    records: RecordCounts | None
    targets: tuple[Target, ...]
    shift: Shift | None = None


@dataclass(frozen=True)
class Clause:
    """How one clause of a metric sorts all records of its source."""

    metric: str
    clause: str
    words: str
    kept: int
    excluded: int
    empty: int


def explain(
    connection: Connection,
    reading: publications.Reading,
    metric_id: str,
    grain: Grain,
    start: date | None = None,
    district: str = WHOLE_CITY,
    hidden: Hidden = NOTHING,
) -> Explanation:
    """The receipt of a metric's score in the period that starts on `start`; None takes the newest.

    hidden: what is not shown to the reader: its parts are one part, WITHHELD. Raises StoreError, naming what
    there is, for an unknown metric, a period never published, and one that is hidden.
    """
    catalogue = from_text(reading.catalogue_text)
    metric = catalogue.metrics.get(metric_id)
    if metric is None:
        raise StoreError(f"There is no metric {metric_id}; there are {', '.join(catalogue.metrics)}.")
    score = _published(connection, reading.publication, metric, grain, start, district)
    if hidden.hides(district, score.period):
        raise StoreError(f"{metric.id} is withheld in {district or 'the city'}: its counts are small.")
    is_stock = metric.aggregation is Aggregation.STOCK
    records = None if is_stock else _count(connection, catalogue, reading.publication, metric, score)
    shift = _shift(connection, catalogue, reading.publication, metric, score, hidden)
    targets = targets_in_force(metric, score.period)
    return Explanation(metric, reading.publication, score, records, targets, shift)


def clauses(connection: Connection, catalogue: Catalogue, as_of: date) -> Iterable[Clause]:
    """For every clause of every metric the records it keeps, excludes, and finds empty where it reads."""
    for metric in catalogue.live_metrics():
        for name in ("where", "exclude", "numerator"):
            words = getattr(metric, name)
            if words and not (name == "numerator" and metric.denominator):
                yield _clause(connection, catalogue, metric, as_of, name, words)


def _published(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    grain: Grain,
    start: date | None,
    district: str,
) -> Score:
    rows = publications.series(
        connection, publication, metric.id, grain, since=start, district=district, hidden=NOTHING
    )
    chosen = [row for row in rows if start is None or row.period.start == start][-1:]
    if not chosen:
        where = f" in {district}" if district else ""
        when = f" that starts on {start}" if start else ""
        raise StoreError(
            f"Publication {publication.id} has no {grain} of {metric.id}{where}{when}; "
            "give the first day of a period that had ended."
        )
    return chosen[0]


def _shift(
    connection: Connection,
    catalogue: Catalogue,
    publication: Publication,
    metric: Metric,
    score: Score,
    hidden: Hidden,
) -> Shift | None:
    """The whole city's change by district, for a ratio at the grains districts are published at.

    A district that is hidden in one of the two periods is part of WITHHELD in both.
    """
    is_split = metric.aggregation is Aggregation.RATIO and score.period.grain in DISTRICT_GRAINS
    if not is_split or score.district != WHOLE_CITY or score.value is None:
        return None
    before = periods.before(catalogue.city, score.period)
    earlier = publications.series(
        connection, publication, metric.id, before.grain, since=before.start, until=before.end
    )
    if len(earlier) != 1 or earlier[0].value is None:
        return None
    both = (before, score.period)
    sides = [_by_district(connection, publication, metric, one, both, hidden) for one in both]
    names = sorted(sides[0].keys() | sides[1].keys())
    none = (0.0, 0.0)
    columns = [[side.get(name, none)[part] for name in names] for side in sides for part in (0, 1)]
    split = rate_and_mix(*columns) if names else None
    if split is None:
        return None
    parts = zip(names, *(one.tolist() for one in split), strict=True)
    return Shift(before, score.value - earlier[0].value, tuple(DistrictPart(*one) for one in parts))


def _by_district(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    period: Period,
    both: Sequence[Period],
    hidden: Hidden,
) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    rows = publications.districts(connection, publication, metric.id, period.grain, period.start, NOTHING)
    for one in rows:
        is_hidden = any(hidden.hides(one.district, period) for period in both)
        name = WITHHELD if is_hidden else one.district
        numerator, denominator = found.get(name, (0.0, 0.0))
        found[name] = (numerator + (one.numerator or 0.0), denominator + (one.denominator or 0.0))
    return found


def _count(
    connection: Connection, catalogue: Catalogue, publication: Publication, metric: Metric, score: Score
) -> RecordCounts:
    dialect = connection.dialect.name
    asked = question(catalogue, metric, dialect)
    wanted = sql(catalogue, metric, metric.where, "test", dialect) if metric.where else "1=1"
    dropped = sql(catalogue, metric, metric.exclude, "test", dialect) if metric.exclude else "1=0"
    is_test = metric.aggregation is Aggregation.RATIO and not metric.denominator
    met = sql(catalogue, metric, metric.numerator, "test", dialect) if is_test and metric.numerator else "1=0"
    is_dated = f"({asked.day} >= :start AND {asked.day} < :end)"
    is_here = f"{quoted('_withdrawn_at')} IS NULL"
    tests = {
        "dated": is_dated,
        "withdrawn": f"{is_dated} AND NOT ({is_here})",
        "not_wanted": f"{is_dated} AND {is_here} AND NOT ({wanted})",
        "dropped": f"{is_dated} AND {is_here} AND ({wanted}) AND ({dropped})",
        "kept": f"{is_dated} AND {is_here} AND {asked.kept}",
        "met": f"{is_dated} AND {is_here} AND {asked.kept} AND ({met})",
        "undated": f"{asked.day} IS NULL AND {is_here} AND {asked.kept}",
    }
    sums = ", ".join(f"SUM(CASE WHEN {test} THEN 1 ELSE 0 END) AS {name}" for name, test in tests.items())
    visible = visible_then(catalogue.sources[metric.source])
    rows = connection.execute(
        text(f"SELECT {asked.district} AS district, {sums} FROM ({visible}) AS visible GROUP BY 1"),
        _parameters(catalogue, publication, score),
    )
    ids = district_of(catalogue.districts.values())
    chosen = [row for row in rows if not score.district or _is_in(row.district, score.district, ids)]
    totals = {name: sum(int(getattr(row, name)) for row in chosen) for name in tests}
    return RecordCounts(**{**totals, "met": totals["met"] if is_test else None})  # type: ignore[arg-type]


def _is_in(spelling: str | None, district: str, ids: Mapping[str, str]) -> bool:
    return district_id(spelling, ids) == district


def _parameters(catalogue: Catalogue, publication: Publication, score: Score) -> dict[str, str]:
    bounds = {"start": score.period.start.isoformat(), "end": score.period.end.isoformat()}
    known = {"known_at": instant_text(publication.known_at)}
    return as_of_parameters(catalogue.city, publication.as_of) | bounds | known


def _clause(
    connection: Connection, catalogue: Catalogue, metric: Metric, as_of: date, name: str, words: str
) -> Clause:
    dialect = connection.dialect.name
    asked = question(catalogue, metric, dialect)
    test = sql(catalogue, metric, words, "test", dialect)
    columns = sorted(expression_of(catalogue, metric, words, "test").columns)
    empty = " OR ".join(f"{quoted(column)} IS NULL" for column in columns) or "1=0"
    statement = (
        f"SELECT COUNT(*), SUM(CASE WHEN {test} THEN 1 ELSE 0 END), SUM(CASE WHEN {empty} THEN 1 ELSE 0 END) "
        f"{visible_records(asked.visible)}"
    )
    parameters = as_of_parameters(catalogue.city, as_of)
    total, true, empties = connection.execute(text(statement), parameters).one()
    is_true = int(true or 0)
    kept = total - is_true if name == "exclude" else is_true
    return Clause(metric.id, name, words, kept, total - kept, int(empties or 0))
