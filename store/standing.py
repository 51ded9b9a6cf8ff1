"""What of a publication stands in the next one: found from what has changed since it was made."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path

from sqlalchemy import Connection, select

import metrics
from metrics import periods
from metrics.maturity import Curve, whole_from
from metrics.metric_scores import newest
from metrics.model import Catalogue, Family, Grain, Knowledge, Metric
from metrics.standing import Standing
from store import maturities, observations, publications
from store.engine import instant_text
from store.observations import Changed
from store.publications import Reading
from store.schema import publications as publications_table

_RECKONED_WITH = ("numpy", "scipy", "holidays")
"""The libraries on which the numbers of a plan hang beside our own code."""

LOOKS_BACK = timedelta(days=400)
"""How long before what does not stand a period can begin that is looked at: a closure's year and a month."""

_NOTHING = date.min


@dataclass(frozen=True)
class Since:
    """The publication that was made before, and what the next one is made of."""

    catalogue: Catalogue
    as_of: date
    known_at: str
    knowledge: Mapping[str, Knowledge]
    before: Reading


@cache
def arithmetic() -> str:
    """A mark of the code that plans: where it differs, nothing that was planned before stands."""
    digest = hashlib.sha256()
    for path in sorted(Path(metrics.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    digest.update(repr([(name, metadata.version(name)) for name in _RECKONED_WITH]).encode())
    return digest.hexdigest()[:16]


def standing(connection: Connection, since: Since, curves: Mapping[str, Curve] | None) -> Standing | None:
    """What stands of the publication before, which was current and for no later date; None for nothing.

    curves: those of now; None takes those of before for them.
    """
    before = since.before.publication
    planned_by = select(publications_table.c.arithmetic).where(publications_table.c.id == before.id)
    is_same_code = connection.execute(planned_by).scalar_one() == arithmetic()
    if since.catalogue.hash != before.catalogue_hash or not is_same_code:
        return None
    said = maturities.read_curves(connection, before)
    changed = _by_metric(observations.changed_since(connection, instant_text(before.known_at), before.as_of))
    between = _Between(connection, since, changed, said, said if curves is None else curves)
    live = since.catalogue.live_metrics()
    day = min((between.day(metric) for metric in live), default=_NOTHING)
    if day == _NOTHING:
        return None
    moved = frozenset(one.id for one in live if between.moves(one))
    seated = [one for one in live if one.id not in moved and between.may_be_seated(one, day)]
    return Standing(
        day,
        moved,
        {one.id: between.districts(one) for one in live if one.district},
        {one.id: publications.whole_city(connection, before, one.id) for one in seated},
    )


def _by_metric(changed: Iterable[Changed]) -> Mapping[str, list[Changed]]:
    found: dict[str, list[Changed]] = defaultdict(list)
    for one in changed:
        found[one.metric].append(one)
    return found


@dataclass(frozen=True)
class _Between:
    """What lies between a publication and the next one, metric by metric."""

    connection: Connection
    since: Since
    changed: Mapping[str, list[Changed]]
    said: Mapping[str, Curve]
    curves: Mapping[str, Curve]

    def day(self, metric: Metric) -> date:
        """The day by which a period must have ended to stand, districts and completeness of 1 aside.

        Days count from which a fact changed, from which the source was not known to either publication,
        and from which a day was not yet wholly known by the curve of either.
        """
        ends = self._known_ends(metric)
        if ends is None:
            return self._never_ran(metric)
        curves = (self.said.get(metric.id), self.curves.get(metric.id))
        complete = [
            end - timedelta(days=whole_from(curve) if curve else 0)
            for end, curve in zip(ends, curves, strict=True)
        ]
        return min(*complete, *(one.day for one in self.changed.get(metric.id, ())))

    def moves(self, metric: Metric) -> bool:
        """Whether all rows of a metric may differ: it is measured for the first or last time how complete
        its days are, or a district is told of for the first or last time."""
        if (metric.id in self.said) != (metric.id in self.curves):
            return True
        before = self._said_districts(metric)
        return metric.district is not None and (not before or before != self.districts(metric))

    def districts(self, metric: Metric) -> frozenset[str]:
        """The districts that the facts of a metric name now."""
        changed = self.changed.get(metric.id, ())
        gone = {
            one.district for one in changed if one.is_taken_back and not self._has_facts(metric, one.district)
        }
        return (self._said_districts(metric) | {one.district for one in changed if one.is_there}) - gone

    def may_be_seated(self, metric: Metric, day: date) -> bool:
        """Whether a period that is looked at may have an unknown day, and a seat that looks back a year."""
        ends = self._known_ends(metric)
        if metric.family is not Family.SERVICE or ends is None:
            return False
        gaps = self.since.catalogue.sources[metric.source].gaps
        return ends[1] < self.since.as_of or any(gap.to_day >= day - LOOKS_BACK for gap in gaps)

    def _known_ends(self, metric: Metric) -> tuple[date, date] | None:
        """The first day not known before, and now; None where the source never ran or began otherwise."""
        city, before = self.since.catalogue.city, self.since.before
        said, known = before.knowledge.get(metric.source), self.since.knowledge.get(metric.source)
        if said is None or known is None or said.first_day != known.first_day:
            return None
        if said.known_until is None or known.known_until is None:
            return None
        return (
            min(before.publication.as_of, periods.local_day(city, said.known_until)),
            min(self.since.as_of, periods.local_day(city, known.known_until)),
        )

    def _never_ran(self, metric: Metric) -> date:
        """Of a source that never ran only the newest periods have rows, and none of those stands."""
        said, known = (one.get(metric.source) for one in (self.since.before.knowledge, self.since.knowledge))
        if not (said and known and said.first_day is said.known_until is known.first_day is None):
            return _NOTHING
        if known.known_until is not None:
            return _NOTHING
        city, as_of = self.since.catalogue.city, self.since.before.publication.as_of
        return min(newest(city, grain, as_of)[-1].end for grain in Grain) - periods.DAY

    def _said_districts(self, metric: Metric) -> frozenset[str]:
        """Those the publication before told of: all are in the last month that was wholly known."""
        ends = self._known_ends(metric)
        if ends is None:
            return frozenset()
        city = self.since.catalogue.city
        month = periods.before(city, periods.period_of(city, Grain.MONTH, ends[0]))
        return self._of_months(month.start).get(metric.id, frozenset())

    def _of_months(self, start: date) -> Mapping[str, frozenset[str]]:
        if start not in self._months:
            self._months[start] = publications.districts_of_month(
                self.connection, self.since.before.publication, start
            )
        return self._months[start]

    def _has_facts(self, metric: Metric, district: str) -> bool:
        return bool(
            observations.facts(
                self.connection, metric.id, self.since.as_of, self.since.known_at, district=district
            )
        )

    @cached_property
    def _months(self) -> dict[date, Mapping[str, frozenset[str]]]:
        return {}
