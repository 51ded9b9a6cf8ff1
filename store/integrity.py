"""All that speaks for or against a metric's number being worked on, as a publication knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from metrics import gaming
from metrics.gaming import Eased
from metrics.model import Grain, Metric, Publication
from metrics.signals import Chart
from store import audits, heaps, publications, withheld
from store.audits import Audit
from store.definitions import names_of
from store.heaps import Bunched, Heap
from store.signals import chart_of
from store.withheld import Audience

__all__ = ["Audit", "Bunched", "Heap", "Integrity", "Pair", "integrity"]

CHARTED_BY = Grain.MONTH
"""Pairs are judged by months: a year of weeks forgets how things were before a habit began."""

REMEMBERED = timedelta(days=366)
"""A target that was made easier is told of for a year."""


@dataclass(frozen=True)
class Pair:
    """A counter-metric. judged: the newest months that both charts judge, None without a warning.

    is_warning: whether the metric improves beyond chance while this one worsens beyond chance.
    """

    metric: Metric
    is_warning: bool
    judged: tuple[date, date] | None


@dataclass(frozen=True)
class Integrity:
    """The findings about one metric; heap and bunched are None where nothing was counted at a deadline."""

    pairs: tuple[Pair, ...]
    heap: Heap | None
    eased: tuple[Eased, ...]
    audits: tuple[Audit, ...]
    bunched: Bunched | None = None

    @property
    def is_heaped(self) -> bool:
        """Whether closings heap up before their deadline, by what was usual or by the days beside it."""
        heaping = self.heap.heaping if self.heap else None
        bunching = self.bunched.bunching if self.bunched else None
        return any(one is not None and one.is_alarm for one in (heaping, bunching))


def integrity(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    audience: Audience,
    pairs: Sequence[Metric],
) -> Integrity:
    """The findings of a metric that an audience may read; pairs: the counter-metrics it may read of.

    Of a metric whose small counts are hidden for the whole city the public sees pairs and targets only.
    Pairs are judged by the charts that are shown: they begin anew with other definitions and by rebases.
    Audits are as they stood when the publication was made, so that a publication says the same for ever.
    """
    shows_counts = audience is Audience.STAFF or not metric.hide_small_city
    until = publication.published_at
    return Integrity(
        pairs=_pairs(connection, publication, metric, pairs),
        heap=heaps.read(connection, publication, metric.id) if shows_counts else None,
        eased=_eased(connection, publication, metric, audience),
        audits=tuple(audits.audits(connection, names_of(metric), until)) if shows_counts else (),
        bunched=heaps.read_bunched(connection, publication, metric.id) if shows_counts else None,
    )


def _pairs(
    connection: Connection, publication: Publication, metric: Metric, pairs: Sequence[Metric]
) -> tuple[Pair, ...]:
    if not pairs:
        return ()
    own, *others = (chart_of(connection, publication, one, CHARTED_BY) for one in (metric, *pairs))
    return tuple(_pair(own, one, chart) for one, chart in zip(pairs, others, strict=True))


def _pair(own: Chart | None, metric: Metric, chart: Chart | None) -> Pair:
    is_warning = gaming.paired(own, chart)
    judged = None
    if is_warning and own and chart and own.judged and chart.judged:
        judged = own.judged, chart.judged
    return Pair(metric, is_warning, judged)


def _eased(
    connection: Connection, publication: Publication, metric: Metric, audience: Audience
) -> tuple[Eased, ...]:
    grain = next((one for one in (Grain.WEEK, Grain.MONTH, Grain.QUARTER) if one in metric.scored_at), None)
    since = publication.as_of - REMEMBERED
    if grain is None or not any(since <= one.valid_from for one in metric.targets[1:]):
        return ()
    rows = publications.series(
        connection,
        publication,
        metric.id,
        grain,
        since=since,
        hidden=withheld.hidden_city(connection, metric, audience),
    )
    return gaming.eased(metric, rows)
