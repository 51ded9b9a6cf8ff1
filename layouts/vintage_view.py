"""What a page shows of a metric's vintages: first published, revisions, and definitions both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from layouts.views import Edition, MetricView
from metrics.model import Grain, Metric, Score
from store import revisions, withheld
from store.revisions import DefinitionChange, Revision, Summary
from store.vintages import BACKFILLED, FirstPublished

if TYPE_CHECKING:
    from store.engine import Connection

MOST_SHOWN = 40
"""How many revisions a page lists: the API has them all."""


@dataclass(frozen=True)
class VintageView:
    """The vintages of a metric at the grain of its page.

    rows: the newest revisions, the latest period first; more: how many older ones are left out.
    changes: definitions scored both ways, by month where the page is by day.
    """

    edition: Edition
    metric: Metric
    grain: Grain
    firsts: Mapping[date, FirstPublished]
    rows: tuple[Revision, ...]
    more: int
    summary: Summary
    changes: tuple[DefinitionChange, ...]

    def first(self, score: Score) -> FirstPublished:
        """What was first published of a period of the page."""
        return self.firsts.get(score.period.start, BACKFILLED)

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to say: a period published at its time, or another definition."""
        return bool(self.rows or self.changes or self.summary.periods)


def vintage_view(connection: Connection, view: MetricView) -> VintageView:
    """The vintages of the metric of a page, as its publication knew them."""
    edition, metric, grain = view.edition, view.metric, view.grain
    hidden = withheld.hidden_city(connection, metric, edition.audience)
    found = revisions.revisions(connection, edition.publication, metric, grain, hidden=hidden)
    by_month = Grain.MONTH if grain is Grain.DAY else grain
    changes = revisions.definition_changes(connection, edition.publication, metric, by_month, hidden=hidden)
    newest_first = tuple(reversed(found.rows))
    return VintageView(
        edition=edition,
        metric=metric,
        grain=grain,
        firsts=found.firsts,
        rows=newest_first[:MOST_SHOWN],
        more=len(newest_first[MOST_SHOWN:]),
        summary=found.summary,
        changes=tuple(changes),
    )
