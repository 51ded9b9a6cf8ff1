"""The read side of publications: scores and composites exactly as an act of publishing said them.

A current publication holds only what was new or changed; reading one takes, for each score, the newest
row at or before it among the publications that were current. A backdated one holds everything itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
)

from metrics.model import (
    WHOLE_CITY,
    Composite,
    Grain,
    Knowledge,
    Period,
    Publication,
    Score,
)
from store.engine import from_text
from store.publication_rows import Key, as_composite, as_score, knowledge_from_json
from store.schema import catalogues, composites, house, publications, scores
from store.withheld import Hidden

_LONGEST = {
    Grain.DAY: timedelta(days=1),
    Grain.WEEK: timedelta(days=7),
    Grain.MONTH: timedelta(days=31),
    Grain.QUARTER: timedelta(days=92),
}
"""How long a period of a grain can be."""


@dataclass(frozen=True)
class Reading:
    """A publication opened for reading, with the texts that belong to it.

    newest: the id of the current publication, and state: the number of the public state, at the same moment.
    """

    publication: Publication
    catalogue_text: str
    knowledge: Mapping[str, Knowledge]
    newest: int
    state: int


def state(connection: Connection) -> int:
    """The number of the public state; it rises by one whenever something public changes."""
    return connection.execute(select(house.c.state)).scalar_one()


def current(connection: Connection) -> Reading | None:
    """The publication the city stands by now; None before the first."""
    return _reading(connection, _CURRENT)


def find(connection: Connection, *, number: int | None = None, as_of: date | None = None) -> Reading | None:
    """The publication with this number, or the newest made for a date up to `as_of`.

    With neither it is the current one. None where there is none.
    """
    if number is not None:
        return _reading(connection, _NUMBERED, number)
    if as_of is None:
        return current(connection)
    return _reading(connection, _MADE_FOR, as_of.isoformat())


def history(connection: Connection) -> list[Publication]:
    """Every publication, newest first, backdated ones included."""
    rows = connection.execute(select(publications).order_by(publications.c.id.desc()))
    return [_publication(row) for row in rows]


def page(connection: Connection, most: int, before: int | None = None) -> list[Publication]:
    """The newest publications, newest first; before: of those with numbers under it."""
    statement = select(publications).order_by(publications.c.id.desc()).limit(most)
    if before is not None:
        statement = statement.where(publications.c.id < before)
    return [_publication(row) for row in connection.execute(statement)]


def days_around(connection: Connection, as_of: date) -> tuple[date | None, date | None]:
    """The nearest dates before and after `as_of` that a publication was made for; None for none."""
    made_for = publications.c.as_of
    before = select(func.max(made_for)).where(made_for < as_of.isoformat())
    after = select(func.min(made_for)).where(made_for > as_of.isoformat())
    found = (connection.execute(one).scalar_one() for one in (before, after))
    earlier, later = (date.fromisoformat(text) if text else None for text in found)
    return earlier, later


def series(
    connection: Connection,
    publication: Publication,
    metric: str,
    grain: Grain,
    *,
    since: date | None = None,
    until: date | None = None,
    district: str = WHOLE_CITY,
    hidden: Hidden | None = None,
) -> list[Score]:
    """A metric's scores at a grain in order of time, of periods from `since` on that end by `until`.

    hidden: what is not shown to the reader. ValueError where a district is asked for and nobody says.
    """
    if hidden is None and district != WHOLE_CITY:
        raise ValueError("say what of the districts is hidden from the reader")
    conditions = [scores.c.metric == metric, scores.c.grain == grain, scores.c.district == district]
    if since is not None:
        conditions.append(scores.c.start >= since.isoformat())
    if until is not None:
        conditions.append(scores.c.end <= until.isoformat())
    found = [as_score(row) for row in _rows(connection, scores, publication, conditions)]
    return hidden.shown(found) if hidden else found


def city_series(
    connection: Connection, publication: Publication, grain: Grain, since: date
) -> dict[str, list[Score]]:
    """By metric the whole city's scores at a grain in order of time, of periods from `since` on."""
    conditions = [
        scores.c.grain == grain,
        scores.c.district == WHOLE_CITY,
        scores.c.start >= since.isoformat(),
    ]
    found: dict[str, list[Score]] = {}
    for row in _rows(connection, scores, publication, conditions):
        found.setdefault(row.metric, []).append(as_score(row))
    return found


def districts(
    connection: Connection, publication: Publication, metric: str, grain: Grain, start: date, hidden: Hidden
) -> list[Score]:
    """A metric's scores in each district, the unknown one included, for the period that starts on `start`."""
    conditions = [
        scores.c.metric == metric,
        scores.c.grain == grain,
        scores.c.start == start.isoformat(),
        scores.c.district != WHOLE_CITY,
    ]
    return hidden.shown(as_score(row) for row in _rows(connection, scores, publication, conditions))


def districts_of_all(
    connection: Connection, publication: Publication, grain: Grain, start: date, hidden: Mapping[str, Hidden]
) -> dict[str, list[Score]]:
    """The same for every metric in `hidden`, which says by metric what is hidden from the reader."""
    conditions = [
        scores.c.grain == grain,
        scores.c.start == start.isoformat(),
        scores.c.district != WHOLE_CITY,
        scores.c.metric.in_(hidden),
    ]
    found: dict[str, list[Score]] = {}
    for row in _rows(connection, scores, publication, conditions):
        found.setdefault(row.metric, []).append(as_score(row))
    return {metric: hidden[metric].shown(rows) for metric, rows in found.items()}


def district_series(
    connection: Connection, publication: Publication, metric: str, grain: Grain, since: date, hidden: Hidden
) -> dict[date, list[Score]]:
    """By first day of the period a metric's scores in each district, the unknown one included, in order.

    Of periods that start on `since` or later.
    """
    conditions = [
        scores.c.metric == metric,
        scores.c.grain == grain,
        scores.c.start >= since.isoformat(),
        scores.c.district != WHOLE_CITY,
    ]
    found: dict[date, list[Score]] = {}
    for row in _rows(connection, scores, publication, conditions):
        score = as_score(row)
        found.setdefault(score.period.start, []).append(score)
    return {start: hidden.shown(found[start]) for start in sorted(found)}


def months_of(
    connection: Connection, publication: Publication, metric: str, *, written_by_it: bool
) -> dict[str, list[Score]]:
    """A metric's scores by first day of the month, city and districts; of the months a publication wrote."""
    conditions = [scores.c.metric == metric, scores.c.grain == Grain.MONTH]
    if written_by_it:
        of_it = select(scores.c.start).where(*conditions, scores.c.publication == publication.id)
        conditions.append(scores.c.start.in_(of_it))
    found: dict[str, list[Score]] = {}
    for row in _rows(connection, scores, publication, conditions):
        found.setdefault(row.start, []).append(as_score(row))
    return found


def latest_scores(
    connection: Connection, publication: Publication, hidden: Mapping[str, Hidden] = MappingProxyType({})
) -> dict[str, dict[Grain, Score]]:
    """For each metric the whole city's newest period at each grain, scored or not.

    hidden: by metric what is not shown to the reader.
    """
    starts = _latest_starts(connection, scores, publication)
    found: dict[str, dict[Grain, Score]] = {}
    for grain, start in starts.items():
        conditions = [scores.c.grain == grain, scores.c.start == start, scores.c.district == WHOLE_CITY]
        for row in _rows(connection, scores, publication, conditions):
            score = as_score(row)
            one = hidden.get(row.metric)
            found.setdefault(row.metric, {})[grain] = one.shown([score])[0] if one else score
    return found


def scores_in(connection: Connection, publication: Publication, period: Period) -> dict[str, Score]:
    """The whole city's scores of one period, by metric."""
    conditions = [
        scores.c.grain == period.grain,
        scores.c.start == period.start.isoformat(),
        scores.c.end == period.end.isoformat(),
        scores.c.district == WHOLE_CITY,
    ]
    return {row.metric: as_score(row) for row in _rows(connection, scores, publication, conditions)}


def latest_composites(
    connection: Connection, publication: Publication
) -> dict[tuple[str, str], dict[Grain, Composite]]:
    """By scope, (`city`, ''), (`department`, id) or (`theme`, name), the newest period at each grain."""
    starts = _latest_starts(connection, composites, publication)
    found: dict[tuple[str, str], dict[Grain, Composite]] = {}
    newest = or_(
        false(),
        *(and_(composites.c.grain == grain, composites.c.start == start) for grain, start in starts.items()),
    )
    for row in _rows(connection, composites, publication, [newest]):
        found.setdefault((row.scope, row.scope_id), {})[Grain(row.grain)] = as_composite(row)
    return found


def composite_of(
    connection: Connection, publication: Publication, scope: tuple[str, str], period: Period
) -> Composite | None:
    """The composite of a scope, like ("department", id), in one period; None where none was published."""
    conditions = [
        composites.c.scope == scope[0],
        composites.c.scope_id == scope[1],
        composites.c.grain == period.grain,
        composites.c.start == period.start.isoformat(),
    ]
    found = [as_composite(row) for row in _rows(connection, composites, publication, conditions)]
    return next((one for one in found if one.period == period), None)


def composite_series(
    connection: Connection, publication: Publication, scope: tuple[str, str], grain: Grain, since: date
) -> list[Composite]:
    """The composites of a scope at a grain in order of time, of periods from `since` on."""
    conditions = [
        composites.c.scope == scope[0],
        composites.c.scope_id == scope[1],
        composites.c.grain == grain,
        composites.c.start >= since.isoformat(),
    ]
    return [as_composite(row) for row in _rows(connection, composites, publication, conditions)]


def score_rows(
    connection: Connection,
    publication: Publication,
    after: date | None = None,
    metric: str | None = None,
) -> dict[Key, Row[Any]]:
    """Every score of a publication as it is stored, by (metric, district, grain, start).

    after: of periods that end later; metric: of this one alone. Reading tens of thousands costs most in
    making them scores: `as_score` makes one of a row.
    """
    conditions = [] if after is None else [_ends_after(scores, after)]
    if metric is not None:
        conditions.append(scores.c.metric == metric)
    rows: Sequence[Any] = _rows(connection, scores, publication, conditions)
    return {(row[1], row[2], row[3], row[4]): row for row in rows}


def with_baselines(
    connection: Connection, publication: Publication, since: date | None = None
) -> list[Score]:
    """The scores of a publication whose target was pooled from the metric's own past.

    since: of periods from that day on.
    """
    conditions: list[ColumnElement[bool]] = [scores.c.baseline.is_not(None)]
    if since is not None:
        conditions += [scores.c.grain.in_(list(Grain)), scores.c.start >= since.isoformat()]
    return [as_score(row) for row in _rows(connection, scores, publication, conditions)]


def whole_city(connection: Connection, publication: Publication, metric: str) -> list[Score]:
    """All scores of a metric for the whole city, at every grain in order of time."""
    conditions = [scores.c.metric == metric, scores.c.district == WHOLE_CITY]
    return [as_score(row) for row in _rows(connection, scores, publication, conditions)]


def districts_of_month(
    connection: Connection, publication: Publication, start: date
) -> dict[str, frozenset[str]]:
    """By metric the districts, the unknown one included, of which a month says how much was counted."""
    conditions = [
        scores.c.grain == Grain.MONTH,
        scores.c.start == start.isoformat(),
        scores.c.district != WHOLE_CITY,
        scores.c.n.is_not(None),
    ]
    found: dict[str, set[str]] = {}
    for row in _rows(connection, scores, publication, conditions):
        found.setdefault(row.metric, set()).add(row.district)
    return {metric: frozenset(names) for metric, names in found.items()}


def composite_rows(
    connection: Connection,
    publication: Publication,
    after: date | None = None,
    scopes: Collection[tuple[str, str]] = (),
) -> dict[Key, Row[Any]]:
    """Every composite of a publication as it is stored, by (scope, scope id, grain, start).

    after: of periods that end later, of `scopes` (scope, its id) alone.
    """
    conditions: list[ColumnElement[bool]] = []
    if after is not None:
        # Naming all of the key there is lets the engine step through it.
        kinds, ids = zip(*scopes, strict=True) if scopes else ((), ())
        named = [composites.c.scope.in_(sorted(set(kinds))), composites.c.scope_id.in_(sorted(set(ids)))]
        conditions = [*named, _ends_after(composites, after)]
    rows: Sequence[Any] = _rows(connection, composites, publication, conditions)
    return {(row[1], row[2], row[3], row[4]): row for row in rows}


def _opened(number: Select[tuple[int]]) -> Select[Any]:
    """The publication of a number with all that a Reading holds; the number may follow from `wanted`."""
    return (
        select(
            publications,
            catalogues.c.text,
            func.coalesce(_NEWEST.scalar_subquery(), publications.c.id).label("newest"),
            select(house.c.state).scalar_subquery().label("state"),
        )
        .join(catalogues, catalogues.c.hash == publications.c.catalogue)
        .where(publications.c.id == number.scalar_subquery())
    )


# Every answer begins with one of these; putting a statement together costs more than running it.
_NEWEST = select(func.max(publications.c.id)).where(publications.c.is_current == 1)
_CURRENT = _opened(_NEWEST)
_NUMBERED = _opened(select(publications.c.id).where(publications.c.id == bindparam("wanted")))
_MADE_FOR = _opened(
    select(publications.c.id)
    .where(publications.c.as_of <= bindparam("wanted"))
    .order_by(publications.c.as_of.desc(), publications.c.id.desc())
    .limit(1)
)


def _reading(
    connection: Connection, statement: Select[Any], wanted: int | str | None = None
) -> Reading | None:
    found = connection.execute(statement, {} if wanted is None else {"wanted": wanted}).one_or_none()
    if found is None:
        return None
    knowledge = _knowledge(found.knowledge)
    return Reading(_publication(found), found.text, knowledge, found.newest, found.state)


@lru_cache(maxsize=16)
def _knowledge(text: str) -> Mapping[str, Knowledge]:
    return MappingProxyType(knowledge_from_json(text))


def _key_columns(table: Table) -> Sequence[str]:
    return [column.name for column in table.primary_key.columns if column.name != "publication"]


@cache
def _belongs(table: Table, *, is_current: bool) -> ColumnElement[bool]:
    """The rows the publication `read_from` consists of: its own, or the newest of each key up to it."""
    if not is_current:
        return table.c.publication == bindparam("read_from")
    other = table.alias("other")
    same_key = and_(*(other.c[name] == table.c[name] for name in _key_columns(table)))
    was_current = exists().where(publications.c.id == other.c.publication, publications.c.is_current == 1)
    # A step down the key's index. Naming every publication there was would look for the key in each of them.
    newest = (
        select(other.c.publication)
        .where(same_key, other.c.publication <= bindparam("read_from"), was_current)
        .order_by(other.c.publication.desc())
        .limit(1)
        .scalar_subquery()
    )
    return table.c.publication == newest


def _rows(
    connection: Connection, table: Table, publication: Publication, conditions: list[ColumnElement[bool]]
) -> Sequence[Row[Any]]:
    statement = _in_order(table, is_current=publication.is_current).where(*conditions)
    return connection.execute(statement, {"read_from": publication.id}).all()


def _ends_after(table: Table, day: date) -> ColumnElement[bool]:
    """Rows of periods that end after a day, found by where such a period can begin."""
    may_be = (
        and_(table.c.grain == grain, table.c.start > (day - length).isoformat())
        for grain, length in _LONGEST.items()
    )
    return and_(or_(*may_be), table.c.end > day.isoformat())


@cache
def _in_order(table: Table, *, is_current: bool) -> Select[Any]:
    keys = [table.c[name] for name in _key_columns(table)]
    return select(table).where(_belongs(table, is_current=is_current)).order_by(table.c.start, *keys)


def _latest_starts(connection: Connection, table: Table, publication: Publication) -> dict[Grain, str]:
    """The newest start of each grain: a step into the index of periods where there is one, else one look."""
    ended = table.c.end <= publication.as_of.isoformat()
    if table is scores:
        newest = (
            select(table.c.start).where(table.c.grain == grain, ended).order_by(table.c.start.desc()).limit(1)
            for grain in Grain
        )
        found = dict(zip(Grain, (connection.execute(one).scalar() for one in newest), strict=True))
    else:
        rows = connection.execute(
            select(table.c.grain, func.max(table.c.start)).where(ended).group_by(table.c.grain)
        )
        found = {Grain(grain): start for grain, start in rows}
    return {grain: found[grain] for grain in Grain if found.get(grain) is not None}


def _publication(row: Row[Any]) -> Publication:
    return Publication(
        id=row.id,
        as_of=date.fromisoformat(row.as_of),
        known_at=from_text(row.known_at),
        published_at=from_text(row.published_at),
        catalogue_hash=row.catalogue,
        is_current=bool(row.is_current),
        reason=row.reason,
    )
