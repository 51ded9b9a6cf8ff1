"""What a proposed target would change, told before it is approved: last year's periods, published scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from metrics.catalogue import from_text, warnings, with_targets
from metrics.model import Catalogue, Composite, Grain, Metric, Period, Target
from metrics.plan import Plan
from metrics.trial import Trial, trials
from store import publication_rows, publications
from store.definitions import find, names_of
from store.differences import difference
from store.publish import inputs_now, recompute
from store.targets import Proposal, judged, merged


@dataclass(frozen=True)
class Headline:
    """The city's newest score at a grain, as published and as it would be."""

    grain: Grain
    period: Period
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Effect:
    """How many scores and composites the current publication would say otherwise, and how many final ones."""

    publication: int
    as_of: date
    scores: int
    composites: int
    restated: int
    headlines: tuple[Headline, ...]


@dataclass(frozen=True)
class Preview:
    """A proposal before it is decided on.

    trials: its target held against the last year; none for a withdrawal, before the first publication, and
    at grains that are not scored. warnings: sentences that the catalogue's rules add because of it. effect
    is None where no published score changes: before the first publication, or dated ahead of it.
    """

    metric: Metric
    proposal: Proposal
    trials: tuple[Trial, ...]
    warnings: tuple[str, ...]
    effect: Effect | None


def preview(connection: Connection, catalogue: Catalogue, proposal: Proposal) -> Preview:
    """What a proposal would change. Raises StoreError as `store.targets.judged` does."""
    after = judged(connection, catalogue, proposal)
    before = merged(connection, catalogue)
    now = publications.current(connection)
    metric = before.metrics[proposal.metric]
    return Preview(
        metric=metric,
        proposal=proposal,
        trials=_trials(connection, before, metric, proposal, now),
        warnings=tuple(_new_warnings(before, after)),
        effect=_effect(connection, metric, proposal, now) if now else None,
    )


def _trials(
    connection: Connection,
    catalogue: Catalogue,
    metric: Metric,
    proposal: Proposal,
    now: publications.Reading | None,
) -> tuple[Trial, ...]:
    if now is None or not isinstance(proposal.change, Target):
        return ()
    alone = replace(catalogue, metrics={metric.id: metric})
    return trials(inputs_now(connection, alone, now), metric, proposal.change)


def _new_warnings(before: Catalogue, after: Catalogue) -> Iterator[str]:
    known = {(one.file, one.message) for one in warnings(before)}
    yield from (f"{one.message} {one.fix}" for one in warnings(after) if (one.file, one.message) not in known)


def _effect(
    connection: Connection, metric: Metric, proposal: Proposal, now: publications.Reading
) -> Effect | None:
    """By the facts and the definitions of the current publication, so that nothing else has a part in it."""
    published = from_text(now.catalogue_text)
    as_of, was = now.publication.as_of, find(published, names_of(metric))
    if was is None or proposal.change.valid_from >= as_of:
        return None
    changed = with_targets(published, [(was.id, proposal.change)])
    planned = recompute(connection, now, changed)
    differs = difference(connection, planned, now)
    return Effect(
        publication=now.publication.id,
        as_of=as_of,
        scores=len(differs.scores),
        composites=len(differs.composites),
        restated=len(differs.restated),
        headlines=tuple(_headlines(connection, now, planned)),
    )


def _headlines(connection: Connection, now: publications.Reading, planned: Plan) -> Iterator[Headline]:
    """The city's newest scores that differ, in order of their grains."""
    said = publications.composite_rows(connection, now.publication)
    newest: dict[Grain, Composite] = {}
    for one in planned.composites:
        if one.scope == "city":
            last = newest.get(one.period.grain)
            newest[one.period.grain] = one if last is None or last.period.start < one.period.start else last
    for grain in Grain:
        after = newest.get(grain)
        if after is not None:
            row = said.get(publication_rows.composite_key_of(after))
            before = row.score if row is not None else None
            if before != after.score:
                yield Headline(grain, after.period, before, after.score)
