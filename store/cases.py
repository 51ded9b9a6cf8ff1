"""The cases behind a number: the records that a published value counts, as its publication knew them.

They are personal data: a page shows them to those who work with them, and to nobody else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, text

from metrics import periods
from metrics.catalogue import from_text
from metrics.model import UNKNOWN_DISTRICT, WHOLE_CITY, Aggregation, Catalogue, Metric, Period, Source
from store import records
from store.engine import StoreError, instant_text
from store.publications import Reading
from store.questions import (
    as_of_parameters,
    district_id,
    district_of,
    parts_of,
    question,
    quoted,
    visible,
    visible_records,
)

FILTERED = ("text", "district", "boolean", "integer")
"""The types of columns by whose values cases can be chosen."""

_DAY, _DISTRICT, _NUMERATOR, _DENOMINATOR = range(4)
"""Where a row says what no column of its source does."""

_MORE = 4
"""How many times as many rows are asked for next where too few were of the district."""

_BY_VALUE = (Aggregation.MEAN, Aggregation.MEDIAN, Aggregation.PERCENTILE)


@dataclass(frozen=True)
class Place:
    """Where a page of cases ends: the day and the key of its last one."""

    day: date
    key: str | int


@dataclass(frozen=True)
class Chosen:
    """Which of the cases behind a metric's value in one period.

    met: those that the numerator of a share counts, or those that it does not; None for both. values: by
    column the value that it has, '' for an empty one.
    """

    metric: str
    period: Period
    district: str = WHOLE_CITY
    met: bool | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One record behind a number: its day, what it adds to the value, and its fields as they read then.

    numerator: of a share 1 where it counts; of a mean or percentile its value. fields: by column, None for an
    empty one; instants in UTC.
    """

    key: str | int
    day: date
    numerator: float
    denominator: float
    fields: Mapping[str, str | int | float | None]


@dataclass(frozen=True)
class Page:
    """Some cases, oldest day first.

    after: where the next page begins, None on the last one. before: where the page before ends, None on the
    first one.
    """

    cases: tuple[Case, ...]
    after: Place | None
    before: Place | None = None


@dataclass(frozen=True)
class Tally:
    """How many cases there are, and what they add up to."""

    cases: int
    numerator: float
    denominator: float


@dataclass(frozen=True, slots=True)
class Counted:
    """What the cases of one day with one value of a column add up to; value None for an empty one."""

    value: str | int | None
    day: date
    cases: int
    numerator: float
    denominator: float


def page(
    connection: Connection,
    reading: Reading,
    chosen: Chosen,
    after: Place | None = None,
    most: int = 50,
    *,
    before: Place | None = None,
) -> Page:
    """At most so many of the chosen cases: the first after a place, or the last before one.

    Only the days it shows are looked at, however many cases there are. Raises StoreError as `tally` does.
    """
    asked = _Asked(connection, reading, chosen)
    if before is not None:
        found, has_more = _some(asked, before, most, is_backward=True)
        cases = tuple(reversed(found))
        return Page(cases, _end(cases, -1), _end(cases, 0) if has_more else None)
    found, has_more = _some(asked, after, most)
    cases = tuple(found)
    return Page(cases, _end(cases, -1) if has_more else None, _end(cases, 0) if after else None)


def all_cases(
    connection: Connection, reading: Reading, chosen: Chosen, at_once: int = 1000
) -> Iterator[Case]:
    """Every chosen case, read a page at a time."""
    after: Place | None = None
    while True:
        some = page(connection, reading, chosen, after, at_once)
        yield from some.cases
        if some.after is None:
            return
        after = some.after


def tally(connection: Connection, reading: Reading, chosen: Chosen) -> Tally:
    """What the chosen cases add up to: without a choice the published numerator and denominator.

    Of a mean, median or percentile the cases are its n; of a stock those that are open at the end of the
    last known day. Raises StoreError for a metric, a column or a value that there is not.
    """
    asked = _Asked(connection, reading, chosen)
    return Tally(*asked.sums())


def by_value(connection: Connection, reading: Reading, chosen: Chosen, column: str) -> list[Counted]:
    """What the chosen cases of each day and each value of a column add up to: together the `tally`.

    Raises StoreError as `tally` does.
    """
    return _Asked(connection, reading, chosen).sums_by(column)


def filters(source: Source) -> tuple[str, ...]:
    """The columns of a source by whose values its cases can be chosen, in the order of the catalogue."""
    return tuple(column.name for column in source.columns if column.type in FILTERED)


def _end(cases: tuple[Case, ...], which: int) -> Place | None:
    return Place(cases[which].day, cases[which].key) if cases else None


def _some(
    asked: _Asked, place: Place | None, most: int, *, is_backward: bool = False
) -> tuple[list[Case], bool]:
    """The cases next to a place, the nearest first, and whether there are more of them."""
    found: list[Case] = []
    ask = most + 1
    while True:
        rows = asked.rows(place, ask, is_backward=is_backward)
        found += [asked.case(row) for row in rows if asked.is_here(row[_DISTRICT])]
        if len(found) > most or len(rows) < ask:
            return found[:most], len(found) > most
        place, ask = asked.place(rows[-1]), ask * _MORE


class _Asked:
    """The SQL of one choice: a SELECT from the current versions and one from the replaced."""

    def __init__(self, connection: Connection, reading: Reading, chosen: Chosen) -> None:
        self._connection, self._reading, self._chosen = connection, reading, chosen
        self._catalogue, self._metric = _defined(reading, chosen.metric)
        self._source = self._catalogue.sources[self._metric.source]
        dialect = connection.dialect.name
        self._question = question(self._catalogue, self._metric, dialect)
        self._numerator, denominator = parts_of(self._catalogue, self._metric, dialect)
        self._amounts = (
            f"{self._question.district} AS _district, {self._numerator} AS _numerator, "
            f"{denominator} AS _denominator"
        )
        self._districts = district_of(self._catalogue.districts.values())
        if chosen.district not in {WHOLE_CITY, UNKNOWN_DISTRICT, *self._districts.values()}:
            raise StoreError(f"There is no district {chosen.district}.")
        self._parameters: dict[str, Any] = {
            **as_of_parameters(self._catalogue.city, reading.publication.as_of),
            "known_at": instant_text(reading.publication.known_at),
        }
        self._days = self._days_test()
        self._tests = [self._question.kept, *self._value_tests()]

    def rows(self, place: Place | None, most: int, *, is_backward: bool = False) -> list[Any]:
        """The `most` rows after a place, or before it, by day and key, whatever their district."""
        key, side, way = quoted(self._source.key), *(("<", "DESC") if is_backward else (">", "ASC"))
        beyond = f"AND ({self._question.day} {side} :place OR {key} {side} :key)"
        at: dict[str, Any] = {}
        if place is not None:
            # The days that are left are what the index is asked for.
            bound = (
                {"beyond": (place.day + _A_DAY).isoformat()}
                if is_backward
                else {"since": place.day.isoformat()}
            )
            at = {"place": place.day.isoformat(), "key": place.key, **bound}
        names = ", ".join(quoted(column.name) for column in self._source.columns)
        wanted = f"_day, {self._amounts}, {names}"
        order = f"ORDER BY _day {way}, {key} {way} LIMIT {most}"
        bound_by = beyond if place else ""
        both = " UNION ALL ".join(
            f"SELECT * FROM (SELECT {wanted} {self._among(which, bound_by)} {order}) AS {which}"
            for which in ("current", "replaced")
        )
        statement = text(f"SELECT * FROM ({both}) AS found {order}")
        return list(self._connection.execute(statement, self._parameters | at))

    def sums(self) -> tuple[int, float, float]:
        both = " UNION ALL ".join(
            f"SELECT {self._amounts} {self._among(which)}" for which in ("current", "replaced")
        )
        summed = "_district, COUNT(*), SUM(_numerator), SUM(_denominator)"
        statement = text(f"SELECT {summed} FROM ({both}) AS found GROUP BY _district")
        rows = [row for row in self._connection.execute(statement, self._parameters) if self.is_here(row[0])]
        cases, numerator, denominator = (math.fsum(row[n] or 0 for row in rows) for n in (1, 2, 3))
        return int(cases), numerator, denominator

    def sums_by(self, column: str) -> list[Counted]:
        if column not in filters(self._source):
            raise StoreError(f"Cases cannot be told apart by {column}; {self._fix()}")
        name = quoted(column)
        both = " UNION ALL ".join(
            f"SELECT {name} AS _value, _day, {self._amounts} {self._among(which)}"
            for which in ("current", "replaced")
        )
        place = "_district" if self._chosen.district != WHOLE_CITY else "NULL"
        summed = f"_value, _day, {place}, COUNT(*), SUM(_numerator), SUM(_denominator)"
        statement = text(f"SELECT {summed} FROM ({both}) AS found GROUP BY 1, 2, 3 ORDER BY 1, 2")
        return [
            Counted(value, date.fromisoformat(day), cases, float(numerator or 0), float(denominator or 0))
            for value, day, district, cases, numerator, denominator in self._connection.execute(
                statement, self._parameters
            )
            if place == "NULL" or self.is_here(district)
        ]

    def is_here(self, spelling: str | None) -> bool:
        """Whether a record that names its district so is chosen: only our own words can tell."""
        wanted = self._chosen.district
        return wanted == WHOLE_CITY or district_id(spelling, self._districts) == wanted

    def place(self, row: Any) -> Place:
        return Place(date.fromisoformat(row[_DAY]), row._mapping[self._source.key])

    def case(self, row: Any) -> Case:
        place = self.place(row)
        return Case(
            key=place.key,
            day=place.day,
            numerator=float(row[_NUMERATOR] or 0),
            denominator=float(row[_DENOMINATOR] or 0),
            fields={column.name: row._mapping[column.name] for column in self._source.columns},
        )

    def _among(self, which: str, bound: str = "") -> str:
        """FROM and WHERE of the chosen records among the current versions or the replaced ones."""
        return f"{self._visible(which, bound)} WHERE {' AND '.join(f'({one})' for one in self._tests)}"

    def _visible(self, which: str, bound: str = "") -> str:
        table = records.record_table(self._source)
        known = f"{quoted('_recorded_from')} <= :known_at"
        if which == "replaced":
            table = records.replaced_table(self._source)
            known = f"{known} AND {quoted('_recorded_to')} > :known_at"
        shown = visible(self._source, f"{self._question.day} AS _day", versions=quoted(table.name))
        return visible_records(shown, f"{known} AND {self._days} {bound}")

    def _days_test(self) -> str:
        """A test of the day as it is kept: in the period, known, and in no gap."""
        period = self._chosen.period
        last = _last_days(self._reading, self._catalogue, self._source, period)
        # A level is that of one day, whenever its cases entered.
        is_level = self._metric.aggregation is Aggregation.STOCK and last.end > last.start
        since = date.min if is_level else last.start
        end = last.end.isoformat()
        self._parameters |= {"since": since.isoformat(), "beyond": end, "until": end}
        day = self._question.day
        tests = [f"{day} >= :since AND {day} < :beyond"]
        if is_level:
            return tests[0]
        for number, gap in enumerate(self._source.gaps_in(period.start, period.end)):
            self._parameters[f"gap_{number}"] = gap.from_day.isoformat()
            self._parameters[f"gone_{number}"] = gap.to_day.isoformat()
            tests.append(f"NOT ({day} >= :gap_{number} AND {day} <= :gone_{number})")
        return " AND ".join(tests)

    def _value_tests(self) -> list[str]:
        metric, chosen = self._metric, self._chosen
        tests = [f"{quoted(records.day_column(self._source, metric.date))} IS NOT NULL"]
        if metric.aggregation in _BY_VALUE:
            tests.append(f"({self._numerator}) IS NOT NULL")
        if metric.aggregation is Aggregation.STOCK and metric.until:
            until = quoted(records.day_column(self._source, metric.until))
            tests.append(f"{until} IS NULL OR {until} >= :until")
        if chosen.met is not None:
            if not is_share_of_cases(metric):
                raise StoreError(f"{metric.id} is no share of cases, so none of them meets or misses it.")
            tests.append(f"({self._numerator}) = {int(chosen.met)}")
        return [*tests, *(self._value_test(*one) for one in sorted(chosen.values.items()))]

    def _fix(self) -> str:
        return f"they can by {', '.join(filters(self._source))}."

    def _value_test(self, name: str, value: str) -> str:
        if name not in filters(self._source):
            raise StoreError(f"Cases cannot be chosen by {name}; {self._fix()}")
        if value == "":
            return f"{quoted(name)} IS NULL"
        kind = self._source.column(name).type
        self._parameters[f"value_{name}"] = value if kind in ("text", "district") else _number(name, value)
        return f"{quoted(name)} = :value_{name}"


def is_share_of_cases(metric: Metric) -> bool:
    """Whether each case of a metric either counts for its numerator or does not."""
    return metric.aggregation is Aggregation.RATIO and not metric.denominator


def _defined(reading: Reading, metric: str) -> tuple[Catalogue, Metric]:
    catalogue = _catalogue(reading.catalogue_text)
    if metric not in catalogue.metrics:
        raise StoreError(f"There is no metric {metric}.")
    return catalogue, catalogue.metrics[metric]


@lru_cache(maxsize=4)
def _catalogue(text: str) -> Catalogue:
    """The definitions of a publication: reading them takes longer than most of what is asked by them."""
    return from_text(text)


def _last_days(reading: Reading, catalogue: Catalogue, source: Source, period: Period) -> Period:
    """The part of a period from its start to the end of its last day that is known and in no gap."""
    known = reading.knowledge.get(source.id)
    known_until = known.known_until if known else None
    if known_until is None:
        return replace(period, end=period.start)
    end = min(period.end, reading.publication.as_of, periods.local_day(catalogue.city, known_until))
    gaps = source.gaps_in(period.start, period.end)
    while end > period.start and any(one.touches(end - _A_DAY, end) for one in gaps):
        end -= _A_DAY
    return replace(period, end=max(end, period.start))


_A_DAY = timedelta(days=1)


def _number(name: str, value: str) -> int:
    if not value.removeprefix("-").isdecimal():
        raise StoreError(f"{name} is a whole number, and {value!r} is none.")
    return int(value)
