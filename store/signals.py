"""The charts of a publication: what each says at its newest point is kept with it, the rest made on demand.

A chart follows from the scores of its publication and from the rebases approved until then, so that it is
the same whenever it is made. A definition that changed parts no chart: the past is restated by it, so that
all points are measured alike. Where small counts of the whole city are hidden, charts are made of what the
public sees, for everybody.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select

from metrics.limits import RARE, ChartKind
from metrics.metric_signals import measure_of, metric_chart
from metrics.model import Catalogue, Grain, Metric, Publication, Score
from metrics.signal_rules import Signal
from metrics.signals import Assurance, Border, Caution, Chart, Tally, Variation
from store import publications, rebases, withheld
from store.bulk import insert_rows
from store.schema import signals
from store.withheld import Hidden

LOOKS_BACK = {Grain.DAY: 280, Grain.WEEK: 1200, Grain.MONTH: 1900, Grain.QUARTER: 3700}
"""How many days before a publication its chart begins at the earliest; longer where events are rare."""

KEPT = 512
"""How many charts a process keeps of each database."""

_COLUMNS = tuple(column.name for column in signals.columns)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the chart of a metric says at its newest judged point; all None but for `chart` without one.

    expected: how likely chance alone makes a signal there. warnings and trial are about its last segment.
    """

    metric: str
    grain: Grain
    chart: ChartKind
    judged: date | None
    variation: Variation | None
    assurance: Assurance | None
    signal: Signal | None
    expected: float
    trial: bool
    warnings: tuple[Caution, ...]


def chart_of(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    grain: Grain,
    more: Sequence[Border] = (),
) -> Chart | None:
    """The chart of a metric's published scores of the whole city; None where nothing can be charted.

    more: borders to try out beside those that stand.
    """
    hidden = hidden_of(connection, metric)
    if more:
        return _made(connection, publication, metric, grain, hidden, more)
    kept, key = _kept_of(connection.engine), (publication, metric, grain, hidden)
    with _LOCK:
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
    found = _made(connection, publication, metric, grain, hidden, ())
    with _LOCK:
        kept[key] = found
        if len(kept) > KEPT:
            kept.popitem(last=False)
    return found


def remember(connection: Connection, catalogue: Catalogue, publication: Publication) -> int:
    """Keeps with a publication what each chart of its scores says; how many there are."""
    decided, found = rebases.decisions(connection), []
    for grain in Grain:
        since = _since(publication, grain)
        rows = publications.city_series(connection, publication, grain, since)
        for metric in catalogue.live_metrics():
            shown = hidden_of(connection, metric).shown(rows.get(metric.id, ()))
            borders = rebases.borders(decided, publication, metric, grain)
            chart = _charted(connection, publication, metric, shown, borders)
            if chart is not None:
                found.append(_finding(metric.id, grain, chart))
    save(connection, publication, found)
    return len(found)


def save(connection: Connection, publication: Publication, found: Iterable[Finding]) -> None:
    """Keeps what charts say with the publication they belong to."""
    insert_rows(connection, signals, _COLUMNS, (_row(publication, one) for one in found))


def findings(connection: Connection, publication: Publication, grain: Grain) -> dict[str, Finding]:
    """By metric what its chart of a grain says; empty for a publication made before charts were."""
    statement = select(signals).where(signals.c.publication == publication.id, signals.c.grain == grain)
    return {row.metric: _read(row) for row in connection.execute(statement)}


def tally_of(found: Iterable[Finding], first: date, end: date) -> Tally:
    """How many charts have a signal in the days [first, end), beside how many chance alone gives.

    The same count as `metrics.signals.tally`, of what was kept.
    """
    asked = [one for one in found if one.judged is not None and first <= one.judged < end]
    return Tally(len(asked), sum(one.signal is not None for one in asked), sum(one.expected for one in asked))


def hidden_of(connection: Connection, metric: Metric) -> Hidden:
    """What of a metric no chart shows to anybody: small counts of the whole city, where they are hidden."""
    return withheld.hidden(connection, metric) if metric.hide_small_city else withheld.NOTHING


# --- how a chart is made ------------------------------------------------------------------------


def _made(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    grain: Grain,
    hidden: Hidden,
    more: Sequence[Border],
) -> Chart | None:
    rows = publications.series(
        connection, publication, metric.id, grain, since=_since(publication, grain), hidden=hidden
    )
    borders = rebases.borders(rebases.decisions(connection), publication, metric, grain)
    return _charted(connection, publication, metric, rows, [*borders, *more])


def _charted(
    connection: Connection,
    publication: Publication,
    metric: Metric,
    rows: Sequence[Score],
    borders: Sequence[Border],
) -> Chart | None:
    """The chart of rows as the public sees them; where events may be rare, with all days."""
    days: list[Score] = []
    if rows and _may_be_rare(metric, rows):
        hidden = hidden_of(connection, metric)
        days = publications.series(connection, publication, metric.id, Grain.DAY, hidden=hidden)
    return metric_chart(metric, rows, days=days, borders=borders)


def _since(publication: Publication, grain: Grain) -> date:
    return publication.as_of - timedelta(days=LOOKS_BACK[grain])


def _may_be_rare(metric: Metric, rows: Sequence[Score]) -> bool:
    """Whether a chart might be of the days between events, for which all days are needed."""
    if measure_of(metric, rows) != "count":
        return False
    known = [row.value for row in rows if row.value is not None]
    return not known or sum(known) / len(known) < 2 * RARE


# --- what is kept -------------------------------------------------------------------------------

_Charts = OrderedDict[Any, Chart | None]
_KEPT: WeakKeyDictionary[Engine, _Charts] = WeakKeyDictionary()
_LOCK = Lock()


def _kept_of(engine: Engine) -> _Charts:
    with _LOCK:
        return _KEPT.setdefault(engine, OrderedDict())


def _finding(metric: str, grain: Grain, chart: Chart) -> Finding:
    return Finding(
        metric=metric,
        grain=grain,
        chart=chart.kind,
        judged=chart.judged,
        variation=chart.variation,
        assurance=chart.assurance,
        signal=chart.signal,
        expected=chart.false_alarms.last,
        trial=chart.trial,
        warnings=chart.warnings,
    )


def _row(publication: Publication, one: Finding) -> tuple[str | int | float | None, ...]:
    return (
        publication.id,
        one.metric,
        one.grain.value,
        one.chart.value,
        one.judged.isoformat() if one.judged else None,
        one.variation.value if one.variation else None,
        one.assurance.value if one.assurance else None,
        one.signal.value if one.signal else None,
        float(one.expected),
        int(one.trial),
        json.dumps([warning.value for warning in one.warnings]),
    )


def _read(row: Any) -> Finding:
    return Finding(
        metric=row.metric,
        grain=Grain(row.grain),
        chart=ChartKind(row.chart),
        judged=date.fromisoformat(row.judged) if row.judged else None,
        variation=Variation(row.variation) if row.variation else None,
        assurance=Assurance(row.assurance) if row.assurance else None,
        signal=Signal(row.signal) if row.signal else None,
        expected=row.expected,
        trial=bool(row.trial),
        warnings=tuple(Caution(warning) for warning in json.loads(row.warnings)),
    )
