"""How the public reads scores of which some are withheld, and the one row that stands for those.

What is withheld is found by `store.withholding` and holds for every publication, older ones included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select

from metrics.model import (
    WHOLE_CITY,
    WITHHELD,
    Aggregation,
    Catalogue,
    Grain,
    Metric,
    Period,
    Reason,
    Score,
    Status,
)
from store.definitions import names_of
from store.schema import withheld_cells

SMALL_COUNTS = Reason("small_counts")
"""Why a number is not shown: so few cases would point at people."""


class Audience(StrEnum):
    """Who is shown a score: everybody, or those who work with the cases anyway."""

    PUBLIC = "public"
    STAFF = "staff"


@dataclass(frozen=True)
class Hidden:
    """What of one metric the public does not see: (district, first day of the month)."""

    months: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    is_city_by_month: bool = False

    def hides(self, district: str, period: Period) -> bool:
        """Whether a score is hidden: one of a month that is, or of a longer period with such a month.

        A city whose small counts are hidden is shown by month and quarter only, since shorter periods would
        add up to what is hidden.
        """
        if district == WHOLE_CITY and self.is_city_by_month and period.grain in (Grain.DAY, Grain.WEEK):
            return True
        return any(
            place == district and period.start.isoformat() <= month < period.end.isoformat()
            for place, month in self.months
        )

    def shown(self, scores: Iterable[Score]) -> list[Score]:
        """The scores as the public reads them: hidden ones say so and nothing else."""
        return [self._shown(one) for one in scores]

    def _shown(self, score: Score) -> Score:
        """The change of a city that is hidden at times would tell of the period before."""
        if self.hides(score.district, score.period):
            return without_numbers(score)
        is_city = score.district == WHOLE_CITY and self.is_city_by_month
        return replace(score, change=None) if is_city else score


NOTHING = Hidden()


def hidden(connection: Connection, metric: Metric) -> Hidden:
    """What the public does not see of a metric, by all that was ever withheld."""
    rows = connection.execute(
        select(withheld_cells.c.district, withheld_cells.c.month).where(
            withheld_cells.c.metric.in_(names_of(metric)), withheld_cells.c.month != ""
        )
    )
    return Hidden(frozenset((row.district, row.month) for row in rows), metric.hide_small_city)


def for_audience(connection: Connection, metric: Metric, audience: Audience) -> Hidden:
    """What an audience does not see of a metric."""
    return NOTHING if audience is Audience.STAFF else hidden(connection, metric)


def without_numbers(score: Score) -> Score:
    """A score of which only the period is left: value, n, interval, score and verdict are hidden alike."""
    return replace(
        score,
        value=None,
        numerator=None,
        denominator=None,
        n=None,
        end_value=None,
        target=None,
        target_high=None,
        floor=None,
        floor_high=None,
        score=None,
        ceiling=None,
        status=Status.SUPPRESSED,
        reason=SMALL_COUNTS,
        weight=None,
        seat=None,
        change=None,
        completeness=None,
        baseline=(),
        low=None,
        high=None,
        verdict=None,
    )


def hidden_city(connection: Connection, metric: Metric, audience: Audience) -> Hidden:
    """What an audience does not see of the whole city; asked only where a metric hides anything of it."""
    return for_audience(connection, metric, audience) if metric.hide_small_city else NOTHING


def hidden_cities(connection: Connection, catalogue: Catalogue, audience: Audience) -> dict[str, Hidden]:
    """By metric what an audience does not see of the whole city; most cities hide nothing of it."""
    if audience is Audience.STAFF:
        return {}
    return {one.id: hidden(connection, one) for one in catalogue.live_metrics() if one.hide_small_city}


# --- the row that is left over -------------------------------------------------------------------


def left_over(metric: Metric, city: Score, districts: Sequence[Score]) -> Score | None:
    """The one row that stands for all districts hidden in a period: the city less what is shown.

    None where none is hidden or the city has no number. Its value is what its parts give; a median has none,
    since medians do not add up.
    """
    shown = [one for one in districts if one.status is not Status.SUPPRESSED]
    if len(shown) == len(districts) or city.n is None:
        return None
    numerator, denominator = (_less(city, shown, name) for name in ("numerator", "denominator"))
    n = city.n - sum(one.n or 0 for one in shown)
    return replace(
        without_numbers(city),
        district=WITHHELD,
        numerator=numerator,
        denominator=denominator,
        n=n,
        value=_value(metric, city, shown, numerator, denominator),
    )


def _less(city: Score, shown: Sequence[Score], name: str) -> float | None:
    whole: Any = getattr(city, name)
    return None if whole is None else whole - sum(getattr(one, name) or 0.0 for one in shown)


def _value(
    metric: Metric, city: Score, shown: Sequence[Score], numerator: float | None, denominator: float | None
) -> float | None:
    if metric.aggregation in (Aggregation.RATIO, Aggregation.MEAN):
        return numerator / denominator if numerator is not None and denominator else None
    if metric.aggregation is Aggregation.COUNT:
        return numerator
    return _less(city, shown, "value") if metric.aggregation is Aggregation.STOCK else None
