"""Reads one metric out of a publication: its newest periods, its past and its districts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from layouts.city_view import city_scores
from layouts.views import DistrictLine, Edition, MetricView
from metrics.model import WITHHELD, Direction, Grain, Metric, Score, Status
from store import maturities, publications, signals, withheld

if TYPE_CHECKING:
    from store.engine import Connection

CHARTED = {Grain.DAY: 120, Grain.WEEK: 104, Grain.MONTH: 60, Grain.QUARTER: 40}
"""How many periods the chart of a metric shows."""


def metric_view(
    connection: Connection, edition: Edition, metric: Metric, grain: Grain | None = None
) -> MetricView:
    """One metric as a publication says it stands; without a grain at the finest that has a score.

    Its control chart is that of the grain, by week without one.
    """
    publication = edition.publication
    scores = city_scores(connection, edition).get(metric.id, {})
    shown = grain or metric_grain(metric, scores)
    past = publications.series(
        connection,
        publication,
        metric.id,
        shown,
        since=edition.since(shown, CHARTED[shown]),
        hidden=withheld.hidden_city(connection, metric, edition.audience),
    )
    newest = scores.get(shown)
    return MetricView(
        edition=edition,
        metric=metric,
        source=edition.catalogue.sources.get(metric.source),
        department=edition.department_of(metric),
        grain=shown,
        score=newest,
        scores=scores,
        past=tuple(past[-CHARTED[shown] :]),
        districts=_newest_districts(connection, edition, metric, scores, shown),
        restated=_score_now(connection, edition, metric, newest),
        maturity=maturities.read(connection, publication, metric.id).get(metric.id),
        chart=signals.chart_of(connection, publication, metric, grain or Grain.WEEK),
        chart_grain=grain or Grain.WEEK,
    )


def metric_grain(metric: Metric, scores: Mapping[Grain, Score]) -> Grain:
    """The grain a metric is shown at: the finest with a score, else that should have one, else a value."""
    with_score = [grain for grain in Grain if grain in scores and scores[grain].score is not None]
    scored = [grain for grain in Grain if grain in metric.scored_at and grain in scores]
    with_value = [
        grain for grain in (Grain.MONTH, *Grain) if grain in scores and scores[grain].value is not None
    ]
    return next(iter([*with_score, *scored, *with_value, Grain.MONTH]))


def _score_now(connection: Connection, edition: Edition, metric: Metric, score: Score | None) -> Score | None:
    """What the current publication says of a pinned score's period, by whatever name the metric has now."""
    if not edition.is_pinned or score is None:
        return None
    now = publications.current(connection)
    renamed = [one.id for one in edition.standing.metrics.values() if one.renamed_from == metric.id]
    period = score.period
    found = (
        publications.series(
            connection,
            now.publication,
            renamed[0] if renamed else metric.id,
            period.grain,
            since=period.start,
            until=period.end,
            hidden=withheld.hidden_city(connection, metric, edition.audience),
        )
        if now
        else []
    )
    return next((one for one in found if one.period == period), None)


def _newest_districts(
    connection: Connection,
    edition: Edition,
    metric: Metric,
    scores: Mapping[Grain, Score],
    shown: Grain,
) -> tuple[DistrictLine, ...]:
    """The districts at the grain shown; where it has none, at the finest that has."""
    for grain in (shown, *Grain):
        found = _districts(connection, edition, metric, scores[grain]) if grain in scores else ()
        if found:
            return found
    return ()


def _districts(
    connection: Connection, edition: Edition, metric: Metric, newest: Score
) -> tuple[DistrictLine, ...]:
    """Districts by value, the furthest from good first; the unknown one last."""
    period, hidden = newest.period, withheld.for_audience(connection, metric, edition.audience)
    found = publications.districts(
        connection, edition.publication, metric.id, period.grain, period.start, hidden
    )
    rest = withheld.left_over(metric, newest, found)
    names = edition.catalogue.districts
    lines = [
        DistrictLine(score.district, names[score.district].name if score.district in names else None, score)
        for score in found
        if score.status is not Status.SUPPRESSED
    ]
    if rest is not None:
        lines.append(DistrictLine(WITHHELD, None, rest, together=len(found) - len(lines)))
    sign = -1 if metric.direction is Direction.LOWER_IS_BETTER else 1
    return tuple(
        sorted(
            lines,
            key=lambda line: (
                line.name is None,
                line.score.value is None,
                sign * (line.score.value or 0.0),
                line.id,
            ),
        )
    )
