"""What a page or an answer shows, as data: numbers, definitions and reasons taken from a publication.

No sentence is made here and no score is computed: `layouts.formats` says it, `metrics` counted it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from metrics.model import (
    WITHHELD,
    Catalogue,
    City,
    Composite,
    Contribution,
    Direction,
    Family,
    Grain,
    Knowledge,
    Metric,
    Publication,
    Score,
    Source,
    Status,
)
from metrics.signals import Chart, Tally
from store import maturities, publications, signals, withheld
from store.maturities import Maturity
from store.signals import Finding
from store.withheld import Audience

if TYPE_CHECKING:
    from store.engine import Connection

CITY = ("city", "")
HALF = 0.5
RECENT = {Grain.DAY: 60, Grain.WEEK: 26, Grain.MONTH: 24, Grain.QUARTER: 12}
"""How many periods a small graphic shows."""

CHARTED = {Grain.DAY: 120, Grain.WEEK: 104, Grain.MONTH: 60, Grain.QUARTER: 40}
"""How many periods the chart of a metric shows."""

DAYS_OF = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 31}
"""The most days from the start of one period to the start of the next (quarters may overlap)."""

ASKS_FOR_HELP = (Status.LATE, Status.MISSING, Status.INSUFFICIENT, Status.IMMATURE)


@dataclass(frozen=True)
class Edition:
    """The publication everything on a page is rendered from, and the definitions it was made by.

    newest is the id of the current publication: another than `publication` where the page is pinned. state
    is the number of the public state in the same reading. standing: the definitions of the current one.
    audience: who reads it; the public does not see small counts.
    """

    publication: Publication
    catalogue: Catalogue
    knowledge: Mapping[str, Knowledge]
    newest: int
    state: int
    standing: Catalogue
    audience: Audience = Audience.PUBLIC

    @property
    def city(self) -> City:
        """The city as the publication knew it."""
        return self.catalogue.city

    @property
    def last_day(self) -> date:
        """The last day whose facts count."""
        return self.publication.as_of - timedelta(days=1)

    @property
    def is_pinned(self) -> bool:
        """Whether the reader asked for another publication than the current one."""
        return self.publication.id != self.newest

    @property
    def retired(self) -> tuple[Metric, ...]:
        """The public metrics that are no longer published, as the city says now; the latest first."""
        gone = [
            (one.retired.on, one)
            for one in self.standing.metrics.values()
            if one.retired is not None and one.public
        ]
        return tuple(one for _on, one in sorted(gone, key=lambda pair: (-pair[0].toordinal(), pair[1].name)))

    def withdrawn(self, metric: str) -> Metric | None:
        """The metric of this id, old or new, if it is no longer published to everybody; None otherwise."""
        for one in self.standing.metrics.values():
            if metric in (one.id, one.renamed_from) and (one.retired is not None or not one.public):
                return one
        return None


@dataclass(frozen=True)
class Line:
    """One metric: its newest period of each grain, and its recent scores at the grain of the page.

    score is None where the metric has no row at the grain of the page. finding: of its chart by week.
    """

    metric: Metric
    department: str
    score: Score | None
    scores: Mapping[Grain, Score]
    recent: tuple[Score, ...]
    finding: Finding | None = None


@dataclass(frozen=True)
class DepartmentLine:
    """One department: its composites in the newest period of each grain."""

    id: str
    name: str
    composites: Mapping[Grain, Composite]


@dataclass(frozen=True)
class CityView:
    """The city: its four composites and every metric.

    opening is the grain the page opens on (method 7); None where nothing has ever been published for any
    period. services are in order of need: the lowest score first, then those without one.
    restated: what is published now of the period it opens on; None on a page that is not pinned.
    tally: how many of the measures shown have a signal in the newest week; None where no chart was kept.
    """

    edition: Edition
    opening: Grain | None
    composites: Mapping[Grain, Composite]
    services: tuple[Line, ...]
    conditions: tuple[Line, ...]
    departments: tuple[DepartmentLine, ...]
    restated: Composite | None = None
    tally: Tally | None = None

    @property
    def composite(self) -> Composite | None:
        """The composite the page opens on."""
        return self.composites.get(self.opening) if self.opening else None

    @property
    def lowest(self) -> tuple[Line, ...]:
        """The worst three of the composite the page opens on, as it names them; none that is on target."""
        by_id = {line.metric.id: line for line in self.services}
        named = self.composite.lowest if self.composite else ()
        return tuple(by_id[metric] for metric, score in named if metric in by_id and score < 1)

    @property
    def highest(self) -> Line | None:
        """The service furthest above its target; None where none is on target."""
        best = [line for line in self.services if line.score and (line.score.score or 0) >= 1]
        return best[-1] if best else None

    @property
    def unheard(self) -> tuple[Line, ...]:
        """The metrics that should say something at the grain of the page and do not."""
        lines = (*self.services, *self.conditions)
        return tuple(line for line in lines if line.score and line.score.status in ASKS_FOR_HELP)

    @property
    def provisional(self) -> int:
        """How many scores of the page may still change."""
        return sum(1 for line in self.services if line.score and line.score.status is Status.PROVISIONAL)

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """The parts of the change of the composite the page opens on, the largest first."""
        parts = self.composite.contributions if self.composite else ()
        return tuple(sorted(parts, key=lambda part: (-abs(part.contribution), part.metric, part.part)))


@dataclass(frozen=True)
class DistrictLine:
    """A metric in one district, or in all that are hidden together: `together` of them, 0 for one shown."""

    id: str
    name: str | None
    score: Score
    together: int = 0


@dataclass(frozen=True)
class MetricView:
    """One metric: its newest period of each grain, its past at one grain, and its definition.

    grain: of the chart and the tables. score: its newest period at that grain. maturity: None where the
    publication was made before it was counted. restated: what is published now of that period; None on a
    page that is not pinned. chart: the control chart at chart_grain, None where there is nothing to chart.
    """

    edition: Edition
    metric: Metric
    source: Source | None
    department: str
    grain: Grain
    score: Score | None
    scores: Mapping[Grain, Score]
    past: tuple[Score, ...]
    districts: tuple[DistrictLine, ...]
    restated: Score | None = None
    maturity: Maturity | None = None
    chart: Chart | None = None
    chart_grain: Grain = Grain.WEEK

    @property
    def known_until(self) -> datetime | None:
        """How far the metric's source was known when the publication was made; None for not at all."""
        known = self.edition.knowledge.get(self.metric.source)
        return known.known_until if known else None

    @property
    def grains(self) -> tuple[Grain, ...]:
        """The grains the metric has a period at."""
        return tuple(grain for grain in Grain if grain in self.scores)


@dataclass(frozen=True)
class SourceStart:
    """How far a source has come before the first publication.

    outcome is the word of its last run, None when it never ran; `command` loads it by hand.
    """

    id: str
    name: str
    has_ever_succeeded: bool
    outcome: str | None
    command: str


@dataclass(frozen=True)
class StartView:
    """A city that has not published yet. progress: what the worker says it is doing, None for nothing."""

    city: City
    metrics: int
    sources: tuple[SourceStart, ...]
    progress: str | None

    @property
    def never_ran(self) -> tuple[SourceStart, ...]:
        """The sources that hold nothing yet."""
        return tuple(one for one in self.sources if not one.has_ever_succeeded)


# --- reading -----------------------------------------------------------------------------------


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
        since=_since(edition, shown, CHARTED[shown]),
        hidden=withheld.hidden_city(connection, metric, edition.audience),
    )
    newest = scores.get(shown)
    return MetricView(
        edition=edition,
        metric=metric,
        source=edition.catalogue.sources.get(metric.source),
        department=_department(edition.catalogue, metric),
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


def city_scores(connection: Connection, edition: Edition) -> dict[str, dict[Grain, Score]]:
    """For each metric the whole city's newest period at each grain, as its reader may see it."""
    hidden = withheld.hidden_cities(connection, edition.catalogue, edition.audience)
    return publications.latest_scores(connection, edition.publication, hidden)


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


def _composite_now(
    connection: Connection, edition: Edition, scope: tuple[str, str], composite: Composite | None
) -> Composite | None:
    if not edition.is_pinned or composite is None:
        return None
    now = publications.current(connection)
    return publications.composite_of(connection, now.publication, scope, composite.period) if now else None


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


def metric_grain(metric: Metric, scores: Mapping[Grain, Score]) -> Grain:
    """The grain a metric is shown at: the finest with a score, else that should have one, else a value."""
    with_score = [grain for grain in Grain if grain in scores and scores[grain].score is not None]
    scored = [grain for grain in Grain if grain in metric.scored_at and grain in scores]
    with_value = [
        grain for grain in (Grain.MONTH, *Grain) if grain in scores and scores[grain].value is not None
    ]
    return next(iter([*with_score, *scored, *with_value, Grain.MONTH]))


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
        since = _since(edition, opening, RECENT[opening])
        hidden = withheld.hidden_city(connection, metric, edition.audience)
        recent = publications.series(
            connection, edition.publication, metric.id, opening, since=since, hidden=hidden
        )
    return Line(
        metric=metric,
        department=_department(edition.catalogue, metric),
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


def _department(catalogue: Catalogue, metric: Metric) -> str:
    department = catalogue.departments.get(metric.department)
    return department.name if department else metric.department


def _since(edition: Edition, grain: Grain, periods: int) -> date:
    """A day before which none of the last `periods` periods starts."""
    return edition.publication.as_of - timedelta(days=DAYS_OF[grain] * (periods + 3))
