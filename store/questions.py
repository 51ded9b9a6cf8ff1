"""A metric asked of the records: its expressions as SQL over records as they read as of a date (method 9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Text, cast, delete, func, select

from metrics import periods
from metrics.expressions import Expression, parse, to_sql
from metrics.model import (
    UNKNOWN_DISTRICT,
    Aggregation,
    Catalogue,
    City,
    Column,
    ColumnType,
    District,
    Metric,
    Source,
)
from store import records
from store.bulk import insert_rows
from store.engine import instant_text
from store.schema import workdays

WORKDAYS_FROM, WORKDAYS_TO = date(1990, 1, 1), date(2060, 1, 1)


@dataclass(frozen=True)
class Question:
    """A metric's clauses as SQL for one dialect, asked of the records visible as of a date."""

    visible: str
    kept: str
    day: str
    district: str
    columns: tuple[str, ...]

    def among(self, chosen: str = "1=1") -> str:
        """FROM and WHERE of the kept records that are not withdrawn and of which `chosen` holds.

        chosen: a test of the records' own columns, masked by nothing.
        """
        return f"{visible_records(self.visible, chosen)} WHERE {self.kept}"


def question(catalogue: Catalogue, metric: Metric, dialect: str) -> Question:
    """The SQL of a metric's visible records and of the test that keeps one."""
    source = catalogue.sources[metric.source]
    clauses = [
        sql(catalogue, metric, metric.where, "test", dialect) if metric.where else "1=1",
        f"NOT ({sql(catalogue, metric, metric.exclude, 'test', dialect)})" if metric.exclude else "1=1",
    ]
    day = records.day_column(source, metric.date)
    return Question(
        visible=visible(source),
        kept=" AND ".join(f"({clause})" for clause in clauses),
        day=quoted(day),
        district=quoted(metric.district) if metric.district else "NULL",
        columns=columns_used(catalogue, metric),
    )


def visible_then(source: Source) -> str:
    """A SELECT of the source's records as they were known at `:known_at` and read as of a date.

    `_withdrawn_at` is among its columns: a version that says so was known too.
    """
    tables = records.record_table(source), records.replaced_table(source)
    names = ", ".join(quoted(name) for name in (*records.stage_columns(source), "_withdrawn_at"))
    by_then = f"{quoted('_recorded_from')} <= :known_at"
    current, replaced = (f"SELECT {names} FROM {quoted(one.name)} WHERE {by_then}" for one in tables)
    versions = f"{current} UNION ALL {replaced} AND {quoted('_recorded_to')} > :known_at"
    return visible(source, quoted("_withdrawn_at"), versions=f"({versions}) AS known")


def sql(catalogue: Catalogue, metric: Metric, words: str, expects: Any, dialect: Any) -> str:
    """One expression of a metric as SQL, its colons kept from being taken for parameters."""
    return to_sql(expression_of(catalogue, metric, words, expects), dialect).replace(":", "\\:")


def as_of_parameters(city: City, as_of: date) -> dict[str, str]:
    """What the SQL of a question is bound to: the date, and the midnight that begins it."""
    return {"as_of": as_of.isoformat(), "midnight": instant_text(periods.local_midnight(city, as_of))}


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def parts_of(catalogue: Catalogue, metric: Metric, dialect: str) -> tuple[str, str]:
    """What one kept record adds: to the numerator (of a mean or percentile: its value), to the denominator.

    A record of a stock or a count adds nothing to a denominator.
    """

    def number(words: str) -> str:
        return sql(catalogue, metric, words, "number", dialect)

    if metric.aggregation is Aggregation.RATIO and metric.numerator:
        if metric.denominator:
            return number(metric.numerator), number(metric.denominator)
        test = sql(catalogue, metric, metric.numerator, "test", dialect)
        return f"CASE WHEN {test} THEN 1 ELSE 0 END", "1"
    if metric.aggregation in (Aggregation.COUNT, Aggregation.STOCK):
        return (number(metric.quantity) if metric.quantity else "1"), "0"
    assert metric.value is not None, "the catalogue's rules ask for a value"
    return number(metric.value), "1"


def amounts_of(catalogue: Catalogue, metric: Metric, dialect: str) -> tuple[str, str]:
    """What is selected beside district and day, and what is grouped by beside them.

    Counts are added by the database. Other amounts come as they are, each with how often it came: the last
    digit of a sum would depend on the order in which a database adds.
    """
    numerator, denominator = parts_of(catalogue, metric, dialect)
    if metric.aggregation not in (Aggregation.RATIO, Aggregation.COUNT):
        return f"{numerator} AS amount, COUNT(*)", ", 3"
    if metric.denominator or metric.quantity:
        return f"{numerator} AS amount, {denominator} AS out_of, COUNT(*)", ", 3, 4"
    return f"SUM({numerator}), SUM({denominator}), 1", ""


def masked_by_time(source: Source, names: Iterable[str]) -> set[str]:
    """The instants and days whose passing changes what these columns read as."""
    masks: set[str] = set()
    for column in (source.column(name) for name in names):
        if column.known_with:
            masks.add(column.known_with)
        if _is_time(column) and not column.planned:
            masks.add(column.name)
    return masks


def prepare_workdays(connection: Connection, city: City) -> None:
    """Fills the table `workdays` for the city's calendar where it differs from what is there."""
    wanted = _workdays(city)
    # As one text: every publication asks, and seventy years of rows take as long as all else that is asked.
    in_order = select(workdays).order_by(workdays.c.day).subquery()
    said = in_order.c.day.concat(" ").concat(cast(in_order.c.number, Text))
    found = connection.execute(select(func.aggregate_strings(said, ","))).scalar_one()
    if found != _as_text(city):
        connection.execute(delete(workdays))
        insert_rows(connection, workdays, ("day", "number"), wanted)


@lru_cache(maxsize=4)
def _workdays(city: City) -> list[tuple[str, int]]:
    numbers = periods.workday_numbers(city, WORKDAYS_FROM, WORKDAYS_TO)
    return [(day.isoformat(), number) for day, number in numbers]


@lru_cache(maxsize=4)
def _as_text(city: City) -> str:
    return ",".join(f"{day} {number}" for day, number in _workdays(city))


def district_of(districts: Iterable[District]) -> Mapping[str, str]:
    """Every spelling of every district, case and outer blanks aside, to its id."""
    return {
        spelling.strip().casefold(): district.id
        for district in districts
        for spelling in (district.id, district.name, *district.aliases)
    }


def district_id(spelling: str | None, district_ids: Mapping[str, str]) -> str:
    """The id of the district a record names, UNKNOWN_DISTRICT for none or an unknown spelling."""
    return district_ids.get(spelling.strip().casefold(), UNKNOWN_DISTRICT) if spelling else UNKNOWN_DISTRICT


# --- what is visible ----------------------------------------------------------------------------


def visible(source: Source, *more: str, versions: str | None = None, before: str | None = None) -> str:
    """A SELECT of the source's records as they read as of a date (method 9), WHERE left open.

    versions: the table they are in, where it is not that of the current ones. before: the SQL of the date,
    where it is not the parameters of `as_of_parameters`. more: columns beside the records' own, whose day
    columns stay reachable for the WHERE by their bare names.
    """
    shown = [part for column in source.columns for part in _shown(source, column, before)]
    table = versions or quoted(records.record_table(source).name)
    return f"SELECT {', '.join([*shown, *more])} FROM {table}"


def visible_records(visible: str, chosen: str = "1=1") -> str:
    """FROM the records a SELECT makes visible that are not withdrawn and of which `chosen` holds."""
    return f"FROM ({visible} WHERE {quoted('_withdrawn_at')} IS NULL AND {chosen}) AS visible"


def may_be_open(source: Source, closed: str) -> str:
    """A test of records as they are kept, for indexes: whether one may read as not `closed` as of a date."""
    masks = [closed, source.column(closed).known_with]
    ends = [quoted(records.day_column(source, name)) for name in masks if name]
    return " OR ".join(f"{end} IS NULL OR {end} >= :as_of" for end in ends)


def _shown(source: Source, column: Column, before: str | None) -> list[str]:
    masks = []
    if _is_time(column) and not column.planned:
        masks.append(column)
    if column.known_with:
        masks.append(source.column(column.known_with))
    tests = [
        f"{quoted(records.day_column(source, mask.name))} < {before}"
        if before
        else f"{quoted(mask.name)} < {_bound(mask)}"
        for mask in masks
    ]
    test = " AND ".join(tests)
    names = [column.name] + ([f"{column.name}_day"] if column.type == "instant" else [])
    return [f"CASE WHEN {test} THEN {quoted(n)} END AS {quoted(n)}" if test else quoted(n) for n in names]


def _bound(column: Column) -> str:
    return ":as_of" if column.type == "day" else ":midnight"


def _is_time(column: Column) -> bool:
    return column.type in ("instant", "day")


# --- expressions --------------------------------------------------------------------------------


def expression_of(catalogue: Catalogue, metric: Metric, words: str, expects: Any) -> Expression:
    """One expression of a metric, parsed against its source's columns."""
    columns = tuple((column.name, column.type) for column in catalogue.sources[metric.source].columns)
    return _parsed(words, columns, catalogue.city.time_zone, expects)


@lru_cache(maxsize=2048)
def _parsed(
    words: str, columns: tuple[tuple[str, ColumnType], ...], time_zone: str, expects: Any
) -> Expression:
    return parse(words, dict(columns), ZoneInfo(time_zone), expects=expects)


def columns_used(catalogue: Catalogue, metric: Metric) -> tuple[str, ...]:
    """The columns of its source that a metric reads, in alphabetical order."""
    tests = [metric.where, metric.exclude, None if metric.denominator else metric.numerator]
    numbers = [
        metric.value,
        metric.quantity,
        metric.denominator,
        metric.numerator if metric.denominator else None,
    ]
    used = {name for name in (metric.date, metric.until, metric.district) if name}
    for words, expects in [(w, "test") for w in tests] + [(w, "number") for w in numbers]:
        if words:
            used |= expression_of(catalogue, metric, words, expects).columns
    return tuple(sorted(used))
