"""Approvals: what somebody decided, kept as rows that are only ever added, and what every one must say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Table, func, insert, select

from metrics.catalogue_shapes import did_you_mean
from metrics.model import Catalogue, Metric
from store.engine import StoreError, Writing, from_text

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Decision(Generic[Asked]):
    """What was asked for and approved, and when."""

    id: int
    asked: Asked
    approved_at: datetime


def newest(connection: Connection, table: Table) -> int:
    """The number of the last decision in a table; 0 before the first."""
    return connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()


def add(writing: Writing, table: Table, asked: Asked, row: Mapping[str, Any]) -> Decision[Asked]:
    """Adds a decision as a row, stamped with the instant it is written at."""
    stamped = {**row, "approved_at": writing.now}
    number = writing.connection.execute(insert(table).returning(table.c.id), stamped).scalar_one()
    return Decision(number, asked, from_text(writing.now))


def live_metric(catalogue: Catalogue, wanted: str, why_not: str) -> Metric:
    """The metric of an id. Raises StoreError where there is none, and where it has ended: then `why_not`."""
    metric = catalogue.metrics.get(wanted)
    if metric is None:
        fix = did_you_mean(wanted, catalogue.metrics)
        raise StoreError(f"{catalogue.city.id} has no metric {wanted}. {fix}")
    if metric.retired is not None:
        raise StoreError(f"{metric.id} was retired on {metric.retired.on}; {why_not}.")
    return metric


def refuse_words(reason: str, approved_by: str) -> None:
    """Raises StoreError where a decision does not say why and by whom, in one line each."""
    for word, said in (("reason", reason), ("approved_by", approved_by)):
        if not said.strip():
            raise StoreError(f"The {word} is empty; say why, and who decided it.")
        refuse_lines(f"The {word}", said)


def refuse_lines(word: str, said: str) -> None:
    """Raises StoreError for what cannot be printed in one line."""
    if said and not said.isprintable():
        raise StoreError(f"{word} has a line break or a control character in it; write one line.")
