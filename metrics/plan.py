"""From facts to a publication: every score, composite and contribution as of a date, with its reason.

Pure: the catalogue, as_of, the facts and how far each source is known go in; what a publication says
comes out. The same input gives the same output for ever, which is how a published score is verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from metrics import periods
from metrics.facts import Facts
from metrics.history import History
from metrics.maturity import Curve
from metrics.metric_scores import district_scores, metric_scores
from metrics.model import Catalogue, Composite, Family, Grain, Knowledge, Metric, Score
from metrics.rollup import Scope, course, roll_up
from metrics.standing import Standing

Baselines = Mapping[tuple[str, Grain, date], tuple[tuple[date, date], ...]]
"""The days a historical target was pooled from, fixed when the period was first published."""

DISTRICT_GRAINS = (Grain.MONTH, Grain.QUARTER)
"""Districts are shown by month and quarter only: smaller cells would point at people."""


@dataclass(frozen=True)
class Inputs:
    """Everything a publication follows from. facts and knowledge are by metric and by source.

    curves: by metric how much of a day is known after how many days; a metric without one is not measured.
    standing: what need not be planned again, of which facts may be left out; None where everything is.
    """

    catalogue: Catalogue
    as_of: date
    facts: Mapping[str, Facts]
    knowledge: Mapping[str, Knowledge]
    baselines: Baselines
    curves: Mapping[str, Curve] = field(default_factory=dict)
    standing: Standing | None = None


@dataclass(frozen=True)
class Plan:
    """What a publication says: the scores and composites of every period that has ended by as_of.

    Of a plan whose inputs name what stands: of all periods that do not.
    """

    scores: tuple[Score, ...]
    composites: tuple[Composite, ...]


def plan(inputs: Inputs) -> Plan:
    """Every score and composite as of a date (method 1 to 8).

    A metric has a score row for each period that ends after its source begins; where its source never
    ran, for the newest period of each grain. A row without a score has a reason.
    """
    metrics = inputs.catalogue.live_metrics()
    histories = {metric.id: _history(inputs, metric) for metric in metrics}
    by_metric = {name: metric_scores(history) for name, history in histories.items()}
    said = {name: _not_standing(histories[name], found) for name, found in by_metric.items()}
    scores = [score for found in said.values() for score in found]
    for metric in metrics:
        if metric.district:
            wanted = (score for score in said[metric.id] if score.period.grain in DISTRICT_GRAINS)
            scores.extend(district_scores(histories[metric.id], wanted))
    composites = _composites(inputs.catalogue, metrics, by_metric)
    standing = inputs.standing
    return Plan(
        tuple(scores), tuple(one for one in composites if not standing or not standing.holds(one.period))
    )


def is_open_for_publication(
    catalogue: Catalogue, as_of: date, knowledge: Mapping[str, Knowledge], now_is_past_hour: bool
) -> bool:
    """Whether the day before as_of may be published: the publication hour has come, or all sources are known.

    Nothing half-loaded is published first (method 9).
    """
    midnight = periods.local_midnight(catalogue.city, as_of)
    needed = {metric.source for metric in catalogue.live_metrics()}
    known = [knowledge[source].known_until for source in needed if source in knowledge]
    all_known = len(known) == len(needed) and all(until and until >= midnight for until in known)
    return now_is_past_hour or all_known


def _history(inputs: Inputs, metric: Metric) -> History:
    return History(
        city=inputs.catalogue.city,
        metric=metric,
        source=inputs.catalogue.sources[metric.source],
        as_of=inputs.as_of,
        facts=inputs.facts[metric.id],
        knowledge=inputs.knowledge.get(metric.source, Knowledge(metric.source, None, None)),
        baselines=inputs.baselines,
        curve=inputs.curves.get(metric.id),
        stands=inputs.standing.of(metric.id) if inputs.standing else None,
        earlier=inputs.standing.earlier.get(metric.id, ()) if inputs.standing else (),
    )


def _not_standing(history: History, scores: list[Score]) -> list[Score]:
    if history.stands is None:
        return scores
    return [score for score in scores if score.period.end > history.stands]


# --- composites ---------------------------------------------------------------------------------


def _composites(
    catalogue: Catalogue, metrics: Sequence[Metric], by_metric: Mapping[str, Sequence[Score]]
) -> Iterable[Composite]:
    courses = {
        (metric.id, grain): course(metric, grain, found)
        for metric in metrics
        for grain, found in _by_grain(by_metric[metric.id]).items()
    }
    for scope, scope_id, chosen in _scopes(catalogue, metrics):
        for grain in Grain:
            services, conditions = (
                [courses[metric.id, grain] for metric in chosen if metric.family is family]
                for family in (Family.SERVICE, Family.CONDITION)
            )
            yield from roll_up(catalogue.city, scope, scope_id, services, conditions)


def _by_grain(scores: Iterable[Score]) -> dict[Grain, list[Score]]:
    found: dict[Grain, list[Score]] = {grain: [] for grain in Grain}
    for score in scores:
        found[score.period.grain].append(score)
    return found


def _scopes(catalogue: Catalogue, metrics: Sequence[Metric]) -> list[tuple[Scope, str, list[Metric]]]:
    """The city, its departments and the themes of its services, each with its metrics of both families."""
    themes = sorted({metric.theme for metric in metrics if metric.family is Family.SERVICE})
    scopes: list[tuple[Scope, str, list[Metric]]] = [("city", "", list(metrics))]
    scopes += [
        ("department", one, [m for m in metrics if m.department == one]) for one in catalogue.departments
    ]
    return scopes + [("theme", one, [m for m in metrics if m.theme == one]) for one in themes]
