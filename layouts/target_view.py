"""Targets as people set them: what is in force, what is proposed, and what one that was tried would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from layouts.formats import _
from layouts.public.answer import Refusal, legible
from metrics.model import Catalogue, Direction, Metric, Target
from store import proposals, target_requests, targets
from store.engine import Connection
from store.proposals import Proposed, State
from store.requests import Request

DEPARTMENT, TRIED = "department", "tried"
"""The words of the addresses."""


@dataclass(frozen=True)
class TargetLine:
    """A metric in the list with the target in force today, None for none; ahead: those dated later."""

    metric: Metric
    now: Target | None
    ahead: tuple[Target, ...]


@dataclass(frozen=True)
class TargetsView:
    """The targets of a city, of one department where it is chosen, and the proposals that wait."""

    catalogue: Catalogue
    lines: tuple[TargetLine, ...]
    waiting: tuple[Proposed, ...]
    department: str


@dataclass(frozen=True)
class TargetView:
    """The targets of a metric. tried: the preview that the address names; first_day: the next to begin on."""

    catalogue: Catalogue
    metric: Metric
    proposed: tuple[Proposed, ...]
    tried: Request | None
    first_day: date
    final_until: date | None

    @property
    def open(self) -> list[Proposed]:
        """What waits for a decision."""
        return [one for one in self.proposed if one.state is State.OPEN]

    @property
    def is_settable(self) -> bool:
        """Whether the metric is held to a number that people set."""
        return is_settable(self.metric)


def is_settable(metric: Metric) -> bool:
    """Whether a metric is held to a number that people set."""
    return metric.direction is not Direction.NEUTRAL and not metric.historical and metric.retired is None


def targets_view(
    connection: Connection, catalogue: Catalogue, query: Mapping[str, str], today: date
) -> TargetsView:
    """Every metric with its target. Raises Refusal for a department there is none of."""
    department = query.get(DEPARTMENT, "")
    if department and department not in catalogue.departments:
        detail = _("There is no department {department}.").format(department=legible(department))
        raise Refusal(404, _("This cannot be answered"), detail)
    now = targets.merged(connection, catalogue)
    chosen = [one for one in now.live_metrics() if department in ("", one.department)]
    order = {name: place for place, name in enumerate(now.departments)}
    chosen.sort(key=lambda one: (order.get(one.department, len(order)), one.name))
    return TargetsView(
        now,
        tuple(line_of(one, today) for one in chosen),
        tuple(one for one in proposals.waiting(connection) if one.asked.metric in now.metrics),
        department,
    )


def target_view(
    connection: Connection, catalogue: Catalogue, metric_id: str, tried: int | None, today: date
) -> TargetView | None:
    """The targets of a metric; None where there is no such metric."""
    now = targets.merged(connection, catalogue)
    metric = now.metrics.get(metric_id)
    if metric is None:
        return None
    until = targets.final_until(connection, metric)
    return TargetView(
        now,
        metric,
        tuple(proposals.of_metrics(connection, names_of(metric))),
        None if tried is None else target_requests.of_metric(connection, tried, metric.id),
        max(_next_month(today), until or today),
        until,
    )


def names_of(metric: Metric) -> Sequence[str]:
    """All the ids a metric has had."""
    return [name for name in (metric.id, metric.renamed_from) if name]


def line_of(metric: Metric, today: date) -> TargetLine:
    """A metric with the target in force on a day."""
    begun = [one for one in metric.targets if one.valid_from <= today]
    ahead = tuple(one for one in metric.targets if one.valid_from > today)
    return TargetLine(metric, begun[-1] if begun else None, ahead)


def _next_month(today: date) -> date:
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
