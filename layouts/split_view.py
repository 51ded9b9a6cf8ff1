"""A metric taken apart by a column of its records, as a publication knew them: a chart for each value.

No sentence is made here; the parts are counted by `store.cases` and set out by `metrics.splitting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from layouts.cases_view import reading_of
from layouts.views import Edition
from metrics.metric_signals import CHARTED, metric_chart
from metrics.model import Column, Grain, Metric, Period, Score
from metrics.signals import Chart, Tally
from metrics.splitting import Share, shares
from store import cases, publications
from store.cases import Chosen, Counted

if TYPE_CHECKING:
    from store.engine import Connection

MOST = 8
"""How many pictures a reader can compare."""


@dataclass(frozen=True)
class SplitPart:
    """One value of the column. chart: None where there is nothing to chart. newest: its last period."""

    share: Share
    chart: Chart | None
    newest: Score


@dataclass(frozen=True)
class SplitView:
    """A metric by the values of a column. city: the published periods it was taken apart in.

    adds_up: whether the parts make up what was published of every one of these periods.
    """

    edition: Edition
    metric: Metric
    column: Column
    grain: Grain
    city: tuple[Score, ...]
    parts: tuple[SplitPart, ...]
    adds_up: bool

    @property
    def records(self) -> int:
        """How many records there are in all parts."""
        return sum(part.share.records for part in self.parts)

    @property
    def tally(self) -> Tally:
        """How many charts have a signal at their newest point, beside how many chance alone gives."""
        charts = [part.chart for part in self.parts if part.chart and part.chart.judged]
        signals = sum(one.signal is not None for one in charts)
        return Tally(len(charts), signals, sum(one.false_alarms.last for one in charts))


def split_view(
    connection: Connection, edition: Edition, metric: Metric, grain: Grain, column: str
) -> SplitView:
    """A metric by the values of a column, over as many periods as its chart has."""
    source = edition.catalogue.sources[metric.source]
    since = edition.since(grain, CHARTED[grain])
    city = tuple(publications.series(connection, edition.publication, metric.id, grain, since=since))
    city = city[-CHARTED[grain] :]
    if not city:
        return SplitView(edition, metric, source.column(column), grain, (), (), adds_up=True)
    span = Period(grain, city[0].period.start, city[-1].period.end)
    counted = cases.by_value(connection, reading_of(connection, edition), Chosen(metric.id, span), column)
    found = shares(metric, city, (_cell(one) for one in counted), MOST)
    parts = tuple(SplitPart(one, metric_chart(metric, one.rows), one.rows[-1]) for one in found)
    return SplitView(
        edition, metric, source.column(column), grain, city, parts, adds_up=_adds_up(city, found)
    )


def _cell(one: Counted) -> tuple[str | None, date, tuple[int, float, float]]:
    value = None if one.value is None else str(one.value)
    return value, one.day, (one.cases, one.numerator, one.denominator)


def _adds_up(city: tuple[Score, ...], found: tuple[Share, ...]) -> bool:
    for index, whole in enumerate(city):
        if whole.value is None:
            continue
        rows = [one.rows[index] for one in found]
        for published, parts in (
            (whole.numerator, [row.numerator or 0.0 for row in rows]),
            (whole.denominator, [row.denominator or 0.0 for row in rows]),
        ):
            if published is not None and abs(published - sum(parts)) > 1e-6 * max(1.0, abs(published)):
                return False
    return True
