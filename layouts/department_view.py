"""One department as a publication says it stands: its scores, a year before, and its sources.

No sentence is made here and no score is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from layouts.city_view import city_view
from layouts.company_view import CompanyView, company_view
from layouts.notes_view import WrittenView, written_view
from layouts.views import CityView, Edition, Line
from metrics.model import Composite, Department, Grain, Score, Source, Status
from metrics.periods import year_before
from store import publications

if TYPE_CHECKING:
    from store.engine import Connection


@dataclass(frozen=True)
class SourceKnown:
    """A source behind a department, as the publication knew it.

    known_until is None where nothing of it was known. late: the measures that are late because of it.
    """

    source: Source
    known_until: datetime | None
    late: tuple[Line, ...]


@dataclass(frozen=True)
class DepartmentView:
    """A department. scores: what a city's view holds, narrowed to the department; sure: its company.

    composites_before and scores_before (by metric, at the grain the page opens on) are those of the same
    period a year earlier, where this publication has them.
    """

    department: Department
    scores: CityView
    sure: CompanyView | None
    composites_before: Mapping[Grain, Composite]
    scores_before: Mapping[str, Score]
    sources: tuple[SourceKnown, ...]
    written: WrittenView

    @property
    def edition(self) -> Edition:
        """The publication of the page."""
        return self.scores.edition

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every measure: services in order of need, then conditions."""
        return (*self.scores.services, *self.scores.conditions)


def department_view(connection: Connection, edition: Edition, department: Department) -> DepartmentView:
    """One department with all its metrics, those too that are not public."""
    scores = city_view(connection, edition, public_only=False, department=department.id)
    return DepartmentView(
        department=department,
        scores=scores,
        sure=company_view(connection, scores),
        composites_before=_composites_before(connection, scores, department),
        scores_before=_scores_before(connection, scores),
        sources=_sources(scores),
        written=written_view(connection, edition, (*scores.services, *scores.conditions)),
    )


def _composites_before(
    connection: Connection, scores: CityView, department: Department
) -> dict[Grain, Composite]:
    edition, scope = scores.edition, ("department", department.id)
    found = {}
    for grain, composite in scores.composites.items():
        period = year_before(edition.city, composite.period)
        earlier = publications.composite_of(connection, edition.publication, scope, period)
        if earlier is not None:
            found[grain] = earlier
    return found


def _scores_before(connection: Connection, scores: CityView) -> dict[str, Score]:
    found = {}
    for line in (*scores.services, *scores.conditions):
        earlier = _score_before(connection, scores.edition, line.score) if line.score else None
        if earlier is not None:
            found[line.metric.id] = earlier
    return found


def _score_before(connection: Connection, edition: Edition, score: Score) -> Score | None:
    period = year_before(edition.city, score.period)
    earlier = publications.series(
        connection, edition.publication, score.metric, period.grain, since=period.start, until=period.end
    )
    return next((one for one in earlier if one.period == period), None)


def _sources(scores: CityView) -> tuple[SourceKnown, ...]:
    edition = scores.edition
    lines = (*scores.services, *scores.conditions)
    used = {line.metric.source for line in lines}
    return tuple(
        _known(edition, source, [line for line in lines if line.metric.source == source.id])
        for source in edition.catalogue.sources.values()
        if source.id in used
    )


def _known(edition: Edition, source: Source, lines: list[Line]) -> SourceKnown:
    known = edition.knowledge.get(source.id)
    late = tuple(line for line in lines if any(score.status is Status.LATE for score in line.scores.values()))
    return SourceKnown(source, known.known_until if known else None, late)
