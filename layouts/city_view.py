"""Reads the whole city out of a publication: its composites, every metric, the grain a page opens on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from layouts.views import ASKS_FOR_HELP, CityView, DepartmentLine, Edition, Line
from metrics.model import Composite, Family, Grain, Metric, Score
from metrics.signals import Tally
from store import publications, signals, withheld
from store.signals import Finding

if TYPE_CHECKING:
    from store.engine import Connection

CITY = ("city", "")
HALF = 0.5
RECENT = {Grain.DAY: 60, Grain.WEEK: 26, Grain.MONTH: 24, Grain.QUARTER: 12}
"""How many periods a small graphic shows."""


def city_view(
    connection: Connection,
    edition: Edition,
    grain: Grain | None = None,
    *,
    public_only: bool = True,
    department: str | None = None,
) -> CityView:
    """The whole city as a publication says it stands, without a grain at the one a page opens on (method 7).

    Staff see the metrics too that are not public. With a department it is narrowed to that department:
    its own composites and its own metrics.
    """
    publication, catalogue = edition.publication, edition.catalogue
    scores = city_scores(connection, edition)
    composites = publications.latest_composites(connection, publication)
    scope = CITY if department is None else ("department", department)
    in_scope = composites.get(scope, {})
    metrics = [one for one in catalogue.live_metrics() if department in (None, one.department)]
    opening = grain or opening_grain(in_scope, scores, metrics)
    opened = in_scope.get(opening) if opening else None
    found = signals.findings(connection, publication, Grain.WEEK)
    lines = [
        _line(connection, edition, metric, scores.get(metric.id, {}), opening, found.get(metric.id))
        for metric in metrics
        if not public_only or (metric.public and edition.withdrawn(metric.id) is None)
    ]
    return CityView(
        edition=edition,
        opening=opening,
        composites=in_scope,
        services=_by_need(line for line in lines if line.metric.family is Family.SERVICE),
        conditions=tuple(line for line in lines if line.metric.family is Family.CONDITION),
        departments=tuple(
            DepartmentLine(one.id, one.name, composites.get(("department", one.id), {}))
            for one in catalogue.departments.values()
        ),
        restated=_composite_now(connection, edition, scope, opened),
        tally=_tally(lines),
    )


def city_scores(connection: Connection, edition: Edition) -> dict[str, dict[Grain, Score]]:
    """For each metric the whole city's newest period at each grain, as its reader may see it."""
    hidden = withheld.hidden_cities(connection, edition.catalogue, edition.audience)
    return publications.latest_scores(connection, edition.publication, hidden)


def opening_grain(
    composites: Mapping[Grain, Composite],
    scores: Mapping[str, Mapping[Grain, Score]],
    metrics: Sequence[Metric],
) -> Grain | None:
    """The grain a page opens on (method 7).

    The finest with a headline behind which stands at least half of the service weight; else the finest
    with a headline; else the finest there is, to say why. None without any composite.
    """
    with_headline = [grain for grain in Grain if grain in composites and composites[grain].score is not None]
    services = [metric for metric in metrics if metric.family is Family.SERVICE]
    for grain in with_headline:
        if _weight_behind(services, scores, grain) >= HALF:
            return grain
    asked = [grain for grain in Grain if grain in composites and composites[grain].total]
    return next(iter([*with_headline, *asked, *(g for g in Grain if g in composites)]), None)


def _composite_now(
    connection: Connection, edition: Edition, scope: tuple[str, str], composite: Composite | None
) -> Composite | None:
    if not edition.is_pinned or composite is None:
        return None
    now = publications.current(connection)
    return publications.composite_of(connection, now.publication, scope, composite.period) if now else None


def _weight_behind(
    services: Sequence[Metric], scores: Mapping[str, Mapping[Grain, Score]], grain: Grain
) -> float:
    """The share of the service weight that belongs to metrics with a score at the grain."""
    total = carried = 0.0
    for metric in services:
        found = scores.get(metric.id, {})
        weight = next((one.weight for one in found.values() if one.weight is not None), 0.0)
        total += weight
        carried += weight if grain in found and found[grain].score is not None else 0.0
    return carried / total if total else 0.0


def _line(
    connection: Connection,
    edition: Edition,
    metric: Metric,
    scores: Mapping[Grain, Score],
    opening: Grain | None,
    finding: Finding | None,
) -> Line:
    recent: list[Score] = []
    if opening is not None:
        since = edition.since(opening, RECENT[opening])
        hidden = withheld.hidden_city(connection, metric, edition.audience)
        recent = publications.series(
            connection, edition.publication, metric.id, opening, since=since, hidden=hidden
        )
    return Line(
        metric=metric,
        department=edition.department_of(metric),
        score=scores.get(opening) if opening else None,
        scores=scores,
        recent=tuple(recent[-RECENT[opening] :]) if opening else (),
        finding=finding,
    )


def _tally(lines: Sequence[Line]) -> Tally | None:
    """The signals of the newest week, each measure by its own chart."""
    found = [line.finding for line in lines if line.finding is not None]
    weeks = [line.scores[Grain.WEEK].period for line in lines if Grain.WEEK in line.scores]
    if not found or not weeks:
        return None
    newest = max(weeks, key=lambda period: period.start)
    return signals.tally_of(found, newest.start, newest.end)


def _by_need(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lowest score first; then what should have one and has none; last what is not scored here."""
    return tuple(sorted(lines, key=_need))


def _need(line: Line) -> tuple[int, float, str]:
    score = line.score
    if score is not None and score.score is not None:
        return 0, score.score, line.metric.id
    return (1 if score is not None and score.status in ASKS_FOR_HELP else 2), 0.0, line.metric.id
