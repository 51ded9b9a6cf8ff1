"""Audits of closed cases: samples drawn at random, what was found of each case, and the verified rate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text

from metrics.audits import Verified, draw, verified
from metrics.catalogue_shapes import did_you_mean
from metrics.closure import closure
from metrics.model import Catalogue, Metric
from store import records
from store.approvals import live_metric, refuse_lines
from store.engine import Clock, StoreError, from_text, writing
from store.questions import as_of_parameters, prepare_workdays, question, quoted
from store.schema import audit_results, audit_samples

_LATEST = date(9999, 1, 1)
"""An as_of that hides nothing of what is known now."""


class Found(StrEnum):
    """What a look at the place says of a case that was closed as done."""

    DONE = "done"
    NOT_DONE = "not_done"


@dataclass(frozen=True)
class Sample:
    """Cases drawn from the `closed` ones that were closed on [since, until), in the order to visit them."""

    id: int
    metric: str
    since: date
    until: date
    seed: int
    closed: int
    cases: tuple[str, ...]
    drawn_at: datetime


@dataclass(frozen=True)
class Drawn:
    """A drawn case with what helps to find it; instants as they are kept, None where they are empty."""

    key: str
    opened: str | None
    closed: str | None
    district: str | None


@dataclass(frozen=True)
class Audit:
    """A sample and what the newest record of each of its cases says."""

    sample: Sample
    verified: Verified


def take(
    engine: Engine,
    catalogue: Catalogue,
    clock: Clock,
    metric: str,
    since: date,
    until: date,
    size: int,
    seed: int,
) -> tuple[Sample, list[Drawn]]:
    """Draws cases of a metric closed on [since, until) at random and keeps the sample.

    The closed cases are those the metric counts, as they are known now. Raises StoreError for a metric that
    is not there or not about closing cases, an empty range, a size under 1 and where no case was closed.
    """
    chosen = _metric(catalogue, metric)
    if since >= until:
        raise StoreError(
            f"--since {since} is not before --until {until}, which does not belong to the range."
        )
    if size < 1:
        raise StoreError(f"a sample of {size} cases checks nothing; draw 1 or more.")
    with writing(engine, clock) as held:
        found = {one.key: one for one in _closed(held.connection, catalogue, chosen, since, until)}
        if not found:
            raise StoreError(f"{metric} has no case closed from {since} to {until - timedelta(days=1)}.")
        cases = draw(found.keys(), size, seed)
        row = {
            "metric": metric,
            "since": since.isoformat(),
            "until": until.isoformat(),
            "seed": seed,
            "closed": len(found),
            "cases": json.dumps(cases),
            "drawn_at": held.now,
        }
        made = held.connection.execute(insert(audit_samples).returning(audit_samples.c.id), row).scalar_one()
        sample = Sample(made, metric, since, until, seed, len(found), tuple(cases), from_text(held.now))
    return sample, [found[key] for key in cases]


def record(
    engine: Engine, clock: Clock, sample: int, key: str, found: Found, by: str, note: str = ""
) -> Audit:
    """Adds what was found of a drawn case, which replaces in the reading what was recorded of it before.

    Raises StoreError for a sample that is not there, a case it has not drawn, and a name or note that cannot
    be printed in one line.
    """
    _refuse_words(by, note)
    with writing(engine, clock) as held:
        drawn = _sample(held.connection, sample)
        if key not in drawn.cases:
            raise StoreError(f"sample {sample} has no case {key}. {did_you_mean(key, drawn.cases[:20])}")
        row = {
            "sample": sample,
            "case_key": key,
            "found": found.value,
            "checked_by": by,
            "note": note,
            "recorded_at": held.now,
        }
        held.connection.execute(insert(audit_results), row)
        return _audit(held.connection, drawn)


def audits(connection: Connection, names: Sequence[str], until: datetime | None = None) -> list[Audit]:
    """Every audit of a metric by all the ids it has had, newest first (until: as it stood then)."""
    statement = (
        select(audit_samples).where(audit_samples.c.metric.in_(names)).order_by(audit_samples.c.id.desc())
    )
    samples = [_read(row) for row in connection.execute(statement)]
    return [_audit(connection, one, until) for one in samples if until is None or one.drawn_at <= until]


# --- which cases --------------------------------------------------------------------------------


def _metric(catalogue: Catalogue, wanted: str) -> Metric:
    metric = live_metric(catalogue, wanted, "audit one that is in use")
    if closure(catalogue, metric) is None:
        fits = [one.id for one in catalogue.live_metrics() if closure(catalogue, one) is not None]
        there = f"; these are: {', '.join(fits)}" if fits else ""
        raise StoreError(f"{wanted} is not about closing cases, so there is nothing to look at again{there}.")
    return metric


def _closed(
    connection: Connection, catalogue: Catalogue, metric: Metric, since: date, until: date
) -> list[Drawn]:
    found = closure(catalogue, metric)
    assert found is not None, "it was asked for before"
    source = catalogue.sources[metric.source]
    records.prepare(connection, source, records.dated_columns(catalogue, source))
    prepare_workdays(connection, catalogue.city)
    asked = question(catalogue, metric, connection.dialect.name)
    day = quoted(records.day_column(source, found.closed))
    statement = (
        f"SELECT {quoted(source.key)}, {quoted(found.opened)}, {quoted(found.closed)}, {asked.district} "
        f"{asked.among(f'{day} >= :since AND {day} < :until')}"
    )
    bounds = {"since": since.isoformat(), "until": until.isoformat()}
    rows = connection.execute(text(statement), as_of_parameters(catalogue.city, _LATEST) | bounds)
    return [Drawn(str(key), opened, closed, district) for key, opened, closed, district in rows]


# --- rows ---------------------------------------------------------------------------------------


def _refuse_words(by: str, note: str) -> None:
    if not by.strip():
        raise StoreError("--by is empty; say who looked.")
    refuse_lines("--by", by)
    refuse_lines("--note", note)


def _sample(connection: Connection, number: int) -> Sample:
    row = connection.execute(select(audit_samples).where(audit_samples.c.id == number)).one_or_none()
    if row is None:
        known = connection.execute(select(audit_samples.c.id).order_by("id")).scalars().all()
        there = f"there are {', '.join(map(str, known))}" if known else "none was drawn yet (`audit draw`)"
        raise StoreError(f"There is no sample {number}; {there}.")
    return _read(row)


def _read(row: Any) -> Sample:
    return Sample(
        row.id,
        row.metric,
        date.fromisoformat(row.since),
        date.fromisoformat(row.until),
        row.seed,
        row.closed,
        tuple(json.loads(row.cases)),
        from_text(row.drawn_at),
    )


def _audit(connection: Connection, sample: Sample, until: datetime | None = None) -> Audit:
    results = select(audit_results).where(audit_results.c.sample == sample.id).order_by("id")
    newest = {
        row.case_key: row.found
        for row in connection.execute(results)
        if until is None or from_text(row.recorded_at) <= until
    }
    done = sum(found == Found.DONE for found in newest.values())
    return Audit(sample, verified(len(sample.cases), len(newest), done))
