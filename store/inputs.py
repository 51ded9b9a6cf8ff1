"""What a publication is made of, read from the store: facts from the day on from which they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import Connection

from metrics.facts import Fact, Facts, arrange
from metrics.maturity import Curve
from metrics.model import Catalogue, Knowledge, Metric
from metrics.plan import Baselines, Inputs
from metrics.selftest import YEAR
from metrics.standing import Standing, facts_begin
from store import maturing, observations, publications
from store.maturities import Maturity
from store.observations import Cell
from store.standing import LOOKS_BACK, Since, standing


@dataclass(frozen=True)
class Asked:
    """What a publication is asked for, and the knowledge that counts for it.

    before: the publication whose baselines are fixed. fresh: the facts by metric that were just counted and
    need not be read. tests_itself: whether facts are asked for the year of a self-test, too.
    """

    connection: Connection
    catalogue: Catalogue
    as_of: date
    known_at: str
    knowledge: Mapping[str, Knowledge]
    before: publications.Reading | None
    fresh: Mapping[str, Mapping[Cell, Fact]] = field(default_factory=dict)
    tests_itself: bool = False

    def matured(self) -> tuple[Inputs, dict[str, Maturity]]:
        """The inputs of a publication with what stands, and its maturity, which says how much does.

        What stands is first guessed with the curves of the publication before, and facts are read for that.
        """
        inputs = self.inputs(self._standing(None))
        matured = maturing.count(self.connection, inputs)
        curves = {metric: one.curve for metric, one in matured.items() if one.curve}
        return replace(self._again(inputs, self._standing(curves)), curves=curves), matured

    def inputs(self, standing: Standing | None) -> Inputs:
        """Everything a plan needs where `standing` stands; None for a plan of everything."""
        facts = {metric.id: self._facts(metric, standing) for metric in self.catalogue.live_metrics()}
        return Inputs(
            self.catalogue, self.as_of, facts, self.knowledge, self._baselines(standing), standing=standing
        )

    def _again(self, inputs: Inputs, standing: Standing | None) -> Inputs:
        """The same inputs for another standing; only facts from an earlier day on are read again."""
        metrics = self.catalogue.live_metrics()
        further = [one for one in metrics if self._first(one, standing) < self._first(one, inputs.standing)]
        facts = {**inputs.facts, **{one.id: self._facts(one, standing) for one in further}}
        return replace(inputs, facts=facts, baselines=self._baselines(standing), standing=standing)

    def _facts(self, metric: Metric, standing: Standing | None) -> Facts:
        """The facts of a metric from the day on from which they are needed."""
        known, since = self.knowledge.get(metric.source), self._first(metric, standing)
        found = self.fresh.get(metric.id)
        if found is None and known is not None and known.first_day is not None:
            found = observations.facts(self.connection, metric.id, self.as_of, self.known_at, since=since)
        cells = ((district, day, fact) for (district, day), fact in (found or {}).items())
        first = known.first_day if known and known.first_day else self.as_of
        districts = standing.districts.get(metric.id, ()) if standing and since != date.min else ()
        return arrange(cells, min(max(first, since), self.as_of), self.as_of, districts)

    def _first(self, metric: Metric, standing: Standing | None) -> date:
        stands = standing.of(metric.id) if standing else None
        if stands and self.tests_itself:
            stands = min(stands, self.as_of - YEAR)
        return facts_begin(self.catalogue.city, metric, stands, self.as_of)

    def _baselines(self, standing: Standing | None) -> Baselines:
        if self.before is None:
            return {}
        since = None if standing is None or standing.moved else standing.day - LOOKS_BACK
        if since and self.tests_itself:
            since = min(since, self.as_of - YEAR - LOOKS_BACK)
        rows = publications.with_baselines(self.connection, self.before.publication, since)
        return {(row.metric, row.period.grain, row.period.start): row.baseline for row in rows}

    def _standing(self, curves: Mapping[str, Curve] | None) -> Standing | None:
        before = self.before
        if before is None or self.as_of < before.publication.as_of:
            return None
        since = Since(self.catalogue, self.as_of, self.known_at, self.knowledge, before)
        return standing(self.connection, since, curves)
