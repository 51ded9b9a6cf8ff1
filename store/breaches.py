"""The cases of an on-time metric by the days they were opened, due and closed, counted from the records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from metrics.breaches import BACK_DAYS, Breaches, DueCase, breaches
from metrics.closure import Closure, Deadline, closure, deadline
from metrics.model import Catalogue, Metric, Source
from store import records
from store.questions import as_of_parameters, may_be_open, parts_of, question, quoted, visible_records


@dataclass(frozen=True)
class OpenCase:
    """A case that is open: when it was opened and when it is, or was, due; both local days."""

    key: str | int
    opened: date
    due: date


def breaches_of(connection: Connection, catalogue: Catalogue, metric: Metric, as_of: date) -> Breaches | None:
    """What of a metric is about to miss its deadline; None for one without a deadline for closing."""
    asked = _asked(connection, catalogue, metric)
    if asked is None:
        return None
    numerator, _ = parts_of(catalogue, metric, asked.dialect)
    opened, due, closed = asked.days
    # What has a deadline far behind and is closed is of no interest; a masked closing reads as open.
    chosen = f"({due} >= :since OR {asked.may_be_open})"
    rows = asked.rows(
        f"{opened}, {due}, {closed}, {numerator}, COUNT(*)", chosen, "GROUP BY 1, 2, 3, 4", as_of
    )
    return breaches(
        (
            DueCase(
                opened=date.fromisoformat(began),
                due=date.fromisoformat(promised),
                closed=date.fromisoformat(ended) if ended else None,
                missed=not met,
                count=count,
            )
            for began, promised, ended, met, count in rows
        ),
        as_of,
    )


def open_cases(
    connection: Connection, catalogue: Catalogue, metric: Metric, as_of: date, most: int = 100
) -> list[OpenCase]:
    """The open cases of a metric with a deadline, those first whose deadline is, or was, first."""
    asked = _asked(connection, catalogue, metric)
    if asked is None:
        return []
    opened, due, closed = asked.days
    key = quoted(catalogue.sources[metric.source].key)
    order = f"AND {closed} IS NULL ORDER BY 3, 1 LIMIT {most}"
    rows = asked.rows(f"{key}, {opened}, {due}", f"({asked.may_be_open})", order, as_of)
    return [OpenCase(name, date.fromisoformat(began), date.fromisoformat(by)) for name, began, by in rows]


@dataclass(frozen=True)
class _Asked:
    """The records of one metric with a deadline."""

    connection: Connection
    catalogue: Catalogue
    metric: Metric
    found: Closure
    deadline: Deadline

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    @property
    def days(self) -> tuple[str, str, str]:
        """The columns of the local days on which a case is opened, due and closed."""
        names = (self.found.opened, self.deadline.due, self.deadline.closed)
        opened, due, closed = (quoted(records.day_column(self._source, name)) for name in names)
        return opened, due, closed

    @property
    def may_be_open(self) -> str:
        return may_be_open(self._source, self.deadline.closed)

    def rows(self, wanted: str, chosen: str, rest: str, as_of: date) -> list[Any]:
        asked = question(self.catalogue, self.metric, self.dialect)
        opened, due, _closed = self.days
        statement = (
            f"SELECT {wanted} {visible_records(asked.visible, chosen)} WHERE {asked.kept} "
            f"AND {opened} IS NOT NULL AND {due} IS NOT NULL {rest}"
        )
        parameters = as_of_parameters(self.catalogue.city, as_of) | {
            "since": (as_of - timedelta(days=BACK_DAYS)).isoformat()
        }
        return list(self.connection.execute(text(statement), parameters))

    @property
    def _source(self) -> Source:
        return self.catalogue.sources[self.metric.source]


def _asked(connection: Connection, catalogue: Catalogue, metric: Metric) -> _Asked | None:
    found, promised = closure(catalogue, metric), deadline(catalogue, metric)
    if found is None or promised is None:
        return None
    return _Asked(connection, catalogue, metric, found, promised)
