"""What a pinned page of the city shows that is said otherwise now: then, now, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layouts.formats import numbers
from layouts.views import CityView, Line
from metrics.model import Composite, Metric, Period, Publication, Score
from store import publications, revisions, withheld
from store.revisions import Revision

if TYPE_CHECKING:
    from store.engine import Connection


@dataclass(frozen=True)
class Restated:
    """A number of the page that is another one now.

    metric: None for the score of the city. now: None where the period has no row any more. change: the last
    change since, None where it is not told (the city's score has no reason of its own).
    """

    metric: Metric | None
    then: Score | Composite
    now: Score | Composite | None
    change: Revision | None = None

    @property
    def period(self) -> Period:
        """What period it is about."""
        return self.then.period


def restated(connection: Connection, city: CityView) -> tuple[Restated, ...]:
    """What the page shows of a publication that readers see another number for now; () on a page of now.

    First the scores of the city, then the metrics as they stand in the table, each by grain.
    """
    edition = city.edition
    now = publications.current(connection) if edition.is_pinned else None
    if now is None:
        return ()
    found = [*_composites(connection, city, now.publication), *_scores(connection, city, now.publication)]
    return tuple(found)


def _composites(connection: Connection, city: CityView, now: Publication) -> Iterator[Restated]:
    for then in city.composites.values():
        later = publications.composite_of(connection, now, ("city", ""), then.period)
        if numbers.score(then.score) != numbers.score(later.score if later else None):
            yield Restated(None, then, later)


def _scores(connection: Connection, city: CityView, now: Publication) -> Iterator[Restated]:
    lines = [*city.services, *city.conditions]
    shown = {score.period for line in lines for score in line.scores.values()}
    later = {period: publications.scores_in(connection, now, period) for period in shown}
    for line in lines:
        yield from _of_line(connection, city, now, line, later)


def _of_line(
    connection: Connection,
    city: CityView,
    now: Publication,
    line: Line,
    later: dict[Period, dict[str, Score]],
) -> Iterator[Restated]:
    metric = line.metric
    for then in line.scores.values():
        score = later[then.period].get(_name_now(city, metric))
        if _as_read(metric, then) == _as_read(metric, score):
            continue
        hidden = withheld.hidden_city(connection, metric, city.edition.audience)
        told = revisions.revisions(
            connection,
            now,
            metric,
            then.period.grain,
            since=then.period.start,
            until=then.period.end,
            hidden=hidden,
        )
        since = [one for one in told.rows if one.publication > city.edition.publication.id]
        yield Restated(metric, then, score, since[-1] if since else None)


def _name_now(city: CityView, metric: Metric) -> str:
    """The id of a metric in the definitions of now."""
    standing = city.edition.standing.metrics
    renamed = (one.id for one in standing.values() if one.renamed_from == metric.id)
    return metric.id if metric.id in standing else next(renamed, metric.id)


def _as_read(metric: Metric, score: Score | None) -> tuple[str, str]:
    if score is None:
        return numbers.NOTHING, numbers.NOTHING
    return numbers.value(metric, score.value), numbers.score(score.score)
