"""The cases of closure metrics as of a date, counted from the records by how long they wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from metrics import periods
from metrics.closure import UNIT_MICROSECONDS, Closure, WaitUnit, closure, population, wait
from metrics.expression_sql import Dialect
from metrics.model import Catalogue, Metric, Source
from metrics.waiting import Cases, Waiting, waiting
from store import records
from store.engine import from_text
from store.questions import as_of_parameters, may_be_open, quoted, visible, visible_records
from store.schema import workdays

COHORT_DAYS = 91
"""Time to close is that of the cases opened in the last thirteen weeks."""

_MICROSECOND = timedelta(microseconds=1)


def waiting_of(connection: Connection, catalogue: Catalogue, metric: Metric, as_of: date) -> Waiting | None:
    """How long the metric's cases wait as of a date, and what waits; None for one that is not about closing.

    Reads `workdays`, which `store.reduce.reduce` has filled.
    """
    found = closure(catalogue, metric)
    if found is None:
        return None
    asked = _Asked(connection, catalogue, metric, found, as_of)
    start = as_of - timedelta(days=COHORT_DAYS)
    age_of = _ages(connection, catalogue, found.unit, as_of)
    backlog: Counter[float] = Counter()
    still_open: Counter[float] = Counter()
    for opened, opened_day, count in asked.open():
        age = age_of(opened, opened_day)
        backlog[age] += count
        if opened_day >= start.isoformat():
            still_open[age] += count
    return waiting(found.unit, start, as_of, Cases(asked.closed(start), still_open, backlog))


@dataclass(frozen=True)
class _Asked:
    """The cases of one closure metric as they read as of a date."""

    connection: Connection
    catalogue: Catalogue
    metric: Metric
    found: Closure
    as_of: date

    def closed(self, start: date) -> Counter[float]:
        """How many of those opened from `start` on waited how long until they were closed."""
        waited = wait(self.catalogue, self.metric, self.found, self._dialect)
        chosen = f"{self._day(self.found.opened)} >= :start AND {self._day(self.found.opened)} < :as_of"
        kept = f"{quoted(self.found.closed)} IS NOT NULL"
        rows = self._rows(f"{_plain(waited)} AS waited, COUNT(*)", chosen, kept, "1", start=start.isoformat())
        return Counter({float(wait): count for wait, count in rows if wait is not None})

    def open(self) -> Sequence[Any]:
        """(opened, its day, how many) of every case that is open; only rows that may be are looked at."""
        opened, day = quoted(self.found.opened), self._day(self.found.opened)
        may_be = may_be_open(self._source, self.found.closed)
        kept = f"{quoted(self.found.closed)} IS NULL"
        return self._rows(f"{opened}, {day}, COUNT(*)", f"({may_be}) AND {day} < :as_of", kept, "1, 2")

    def _rows(self, wanted: str, chosen: str, kept: str, groups: str, **more: str) -> Sequence[Any]:
        belongs = _plain(population(self.catalogue, self.metric, self.found, self._dialect))
        statement = (
            f"SELECT {wanted} {visible_records(visible(self._source), chosen)} "
            f"WHERE {kept} AND {belongs} GROUP BY {groups}"
        )
        parameters = as_of_parameters(self.catalogue.city, self.as_of) | more
        return self.connection.execute(text(statement), parameters).all()

    def _day(self, column: str) -> str:
        return quoted(records.day_column(self._source, column))

    @property
    def _source(self) -> Source:
        return self.catalogue.sources[self.metric.source]

    @property
    def _dialect(self) -> Dialect:
        return "sqlite" if self.connection.dialect.name == "sqlite" else "postgresql"


def _plain(words: str) -> str:
    """SQL whose colons are not taken for parameters."""
    return words.replace(":", "\\:")


def _ages(
    connection: Connection, catalogue: Catalogue, unit: WaitUnit, as_of: date
) -> Callable[[str, str], float]:
    """How long a case opened at an instant, on a local day, has waited when as_of begins.

    One opened before business days are numbered has waited at least since then.
    """
    if unit is WaitUnit.WORKDAYS:
        table = select(workdays.c.day, workdays.c.number)
        passed = {row.day: row.number for row in connection.execute(table)}
        last = passed[(as_of - timedelta(days=1)).isoformat()]
        first = min(passed.values())
        return lambda _opened, opened_day: float(last - passed.get(opened_day, first))
    midnight, length = periods.local_midnight(catalogue.city, as_of), UNIT_MICROSECONDS[unit]
    return lambda opened, _day: (midnight - from_text(opened)) / _MICROSECOND / length
