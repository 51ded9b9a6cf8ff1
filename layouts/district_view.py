"""Metrics by district as a publication says they stand, for whoever reads: one metric, or one district.

No sentence is made here and no number computed: `metrics.district_facts` reckons from the rows shown here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from layouts.city_view import city_scores
from layouts.metric_view import CHARTED
from layouts.views import Edition
from metrics.district_facts import by_district, indices, spread
from metrics.districts import ByDistrict, Indices, Spread, Standing
from metrics.model import District, Grain, Metric, Period, Score, Status
from store import publications, withheld

if TYPE_CHECKING:
    from store.engine import Connection

GRAINS = (Grain.MONTH, Grain.QUARTER)
"""The grains at which there are districts."""

_PARTS = ("numerator", "denominator", "n")
"""What of a value adds up over districts."""

GAPS = {Grain.MONTH: 13, Grain.QUARTER: 24}
"""How many months back the distance between districts is shown."""


@dataclass(frozen=True)
class DistrictsView:
    """A metric by district in one period.

    by: the rows the reader may see, compared; indices: how it is shared out. hidden: the ids of the districts
    hidden in the row WITHHELD. proxy: the metric that says how readily people report, None where the city
    names none or this metric does not rest on the same reports; reports: by district, its scores.
    is_reported: whether the metric may rest on what people report. before, after: its neighbours in time.
    """

    edition: Edition
    metric: Metric
    by: ByDistrict
    indices: Indices
    hidden: tuple[str, ...]
    is_reported: bool
    proxy: Metric | None = None
    reports: Mapping[str, Score] | None = None
    before: Period | None = None
    after: Period | None = None

    @property
    def period(self) -> Period:
        """The period it is about."""
        return self.by.period

    @property
    def adds_up(self) -> bool:
        """Whether the parts of all rows make those of the whole city, as far as either is told."""
        told = [part for part in _PARTS if getattr(self.by.city, part) is not None]
        rows = [row.score for row in self.by.rows]
        sums = (sum(getattr(row, part) or 0 for row in rows) for part in told)
        return bool(told and rows) and all(
            math.isclose(found, getattr(self.by.city, part), rel_tol=1e-9, abs_tol=1e-9)
            for part, found in zip(told, sums, strict=True)
        )

    def name(self, district: str) -> str | None:
        """The name of a district; None for what is none."""
        found = self.edition.catalogue.districts.get(district)
        return found.name if found else None


@dataclass(frozen=True)
class Apart:
    """How far districts lay apart in one period."""

    period: Period
    spread: Spread


@dataclass(frozen=True)
class DistrictMetric:
    """One metric in one district: its row, None where it is hidden from the reader or has no value."""

    metric: Metric
    by: ByDistrict
    standing: Standing | None
    is_hidden: bool
    is_reported: bool


@dataclass(frozen=True)
class DistrictView:
    """A district: every metric that has districts, in one period. period is None where none has ended."""

    edition: Edition
    district: District
    grain: Grain
    period: Period | None
    lines: tuple[DistrictMetric, ...]

    @property
    def is_reported(self) -> bool:
        """Whether some of it may rest on what people report."""
        return any(one.is_reported for one in self.lines)

    @property
    def by_chance(self) -> float:
        """How many of its metrics would lie beyond their funnels by chance alone."""
        return sum(
            one.by.by_chance / one.by.judged for one in self.lines if one.standing and one.standing.place
        )


def districts_view(
    connection: Connection,
    edition: Edition,
    metric: Metric,
    grain: Grain | None = None,
    start: date | None = None,
) -> DistrictsView | None:
    """A metric by district in the period that starts on `start`, or the newest one of the grain.

    Without a grain by month where it has months, else by quarter. None where there is no such period or the
    metric has no districts.
    """
    for one in (grain,) if grain else GRAINS:
        city, beside = _periods(connection, edition, metric, one, start)
        if city is None:
            continue
        hidden = withheld.for_audience(connection, metric, edition.audience)
        period = city.period
        found = publications.districts(
            connection, edition.publication, metric.id, period.grain, period.start, hidden
        )
        if found:
            by, ids = _compared(edition, metric, city, found)
            proxy, is_reported = _reporting(edition, metric)
            reports = None if proxy is None else _reports(connection, edition, proxy, period)
            before, after = beside
            return DistrictsView(
                edition, metric, by, indices(by), ids, is_reported, proxy, reports, before, after
            )
    return None


def district_view(
    connection: Connection,
    edition: Edition,
    district: District,
    metrics: Sequence[Metric],
    grain: Grain,
) -> DistrictView:
    """A district in the newest period of a grain: those of these metrics that have districts."""
    cities = city_scores(connection, edition)
    own = [one for one in metrics if one.district and grain in cities.get(one.id, {})]
    hidden = {one.id: withheld.for_audience(connection, one, edition.audience) for one in own}
    period = cities[own[0].id][grain].period if own else None
    found = (
        publications.districts_of_all(connection, edition.publication, grain, period.start, hidden)
        if period
        else {}
    )
    lines = []
    for metric in own:
        rows = found.get(metric.id, [])
        if rows:
            by, ids = _compared(edition, metric, cities[metric.id][grain], rows)
            standing = by.row(district.id)
            lines.append(
                DistrictMetric(
                    metric, by, standing, district.id in ids, is_reported=_reporting(edition, metric)[1]
                )
            )
    return DistrictView(edition, district, grain, period, tuple(lines))


def gap_view(connection: Connection, view: DistrictsView) -> tuple[Apart, ...]:
    """How far districts lay apart up to the period of a page, in order of time; () for fewer than two.

    Of GAPS periods of the same length; those without two districts to compare are left out.
    """
    edition, metric, grain = view.edition, view.metric, view.period.grain
    since = view.period.start - timedelta(days=GAPS[grain] * 31)
    hidden = withheld.for_audience(connection, metric, edition.audience)
    cities = publications.series(connection, edition.publication, metric.id, grain, since=since)
    found = publications.district_series(connection, edition.publication, metric.id, grain, since, hidden)
    points = []
    for city in cities:
        rows = found.get(city.period.start, [])
        if not rows or city.period.start > view.period.start or _overlaps(city.period, view.period):
            continue
        apart = spread(_compared(edition, metric, city, rows)[0])
        if apart is not None:
            points.append(Apart(city.period, apart))
    return tuple(points) if len(points) > 1 else ()


def _overlaps(one: Period, other: Period) -> bool:
    """Whether a trailing quarter shares months with the one shown, and is not that one."""
    months = (one.start.year - other.start.year) * 12 + one.start.month - other.start.month
    return one.grain is Grain.QUARTER and months % 3 != 0


def _compared(
    edition: Edition, metric: Metric, city: Score, found: Sequence[Score]
) -> tuple[ByDistrict, tuple[str, ...]]:
    """What the reader may see, compared, and the ids of what is hidden."""
    shown = [one for one in found if one.status is not Status.SUPPRESSED]
    hidden = tuple(one.district for one in found if one.status is Status.SUPPRESSED)
    rest = withheld.left_over(metric, city, found)
    rows = [*shown, *([rest] if rest else [])]
    return by_district(metric, city, rows, edition.catalogue.districts, hidden), hidden


def _periods(
    connection: Connection, edition: Edition, metric: Metric, grain: Grain, start: date | None
) -> tuple[Score | None, tuple[Period | None, Period | None]]:
    """The city's score of a period and the periods beside it."""
    since = edition.since(grain, CHARTED[grain])
    found = publications.series(
        connection,
        edition.publication,
        metric.id,
        grain,
        since=min(since, start) if start else since,
        hidden=withheld.hidden_city(connection, metric, edition.audience),
    )
    at = [index for index, one in enumerate(found) if start is None or one.period.start == start]
    if not at:
        return None, (None, None)
    index = at[-1]
    before = found[index - 1].period if index else None
    after = found[index + 1].period if index + 1 < len(found) else None
    return found[index], (before, after)


def _reporting(edition: Edition, metric: Metric) -> tuple[Metric | None, bool]:
    """The metric that says how readily people report, and whether this one may rest on reports.

    Where the city does not say which metric that is, every metric may.
    """
    proxy = edition.catalogue.metrics.get(edition.city.reporting_proxy)
    if proxy is None:
        return None, True
    if proxy.source != metric.source:
        return None, False
    return (None if proxy.id == metric.id else proxy), True


def _reports(connection: Connection, edition: Edition, proxy: Metric, period: Period) -> dict[str, Score]:
    hidden = withheld.for_audience(connection, proxy, edition.audience)
    found = publications.districts(
        connection, edition.publication, proxy.id, period.grain, period.start, hidden
    )
    return {one.district: one for one in found if one.status is not Status.SUPPRESSED}
