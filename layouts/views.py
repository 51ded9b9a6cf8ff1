"""What a page or an answer shows, as data: numbers, definitions and reasons taken from a publication.

No sentence is made here and no score is computed: `layouts.formats` says it, `metrics` counted it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from metrics.model import (
    Catalogue,
    City,
    Composite,
    Contribution,
    District,
    Grain,
    Knowledge,
    Metric,
    Publication,
    Score,
    Source,
    Status,
)
from metrics.signals import Chart, Tally
from store.maturities import Maturity
from store.signals import Finding
from store.withheld import Audience

_DAYS_OF = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 31}
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

    def department_of(self, metric: Metric) -> str:
        """The name of the department that answers for a metric; its id where no department has it."""
        found = self.catalogue.departments.get(metric.department)
        return found.name if found else metric.department

    def since(self, grain: Grain, periods: int) -> date:
        """A day before which none of the last `periods` periods starts."""
        return self.publication.as_of - timedelta(days=_DAYS_OF[grain] * (periods + 3))

    def withdrawn(self, metric: str) -> Metric | None:
        """The metric of this id, old or new, if it is no longer published to everybody; None otherwise.

        One that the newest definitions do not know is not: nobody could say what of it is hidden by now.
        """
        for one in self.standing.metrics.values():
            if metric in (one.id, one.renamed_from) and (one.retired is not None or not one.public):
                return one
            if metric in (one.id, one.renamed_from):
                return None
        return self.catalogue.metrics.get(metric)


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
    def districts(self) -> tuple[District, ...]:
        """The districts in the order of their names; none where nothing shown is measured by district."""
        if not any(line.metric.district for line in (*self.services, *self.conditions)):
            return ()
        return tuple(sorted(self.edition.catalogue.districts.values(), key=lambda one: one.name))

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
