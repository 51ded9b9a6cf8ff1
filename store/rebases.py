"""Rebases: approved decisions about the day from which a metric's chart has limits of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from metrics.model import Catalogue, Grain, Metric, Publication
from metrics.signals import Border
from store import approvals
from store.approvals import live_metric, refuse_words
from store.definitions import names_of
from store.engine import Clock, StoreError, from_text, instant_text, writing
from store.schema import rebases


class Kind(StrEnum):
    """A rebase begins a chart anew from a day; a withdrawal takes the one from that day back."""

    REBASE = "rebase"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True)
class Rebase:
    """A day from which a metric's chart shall begin anew. grain None is every grain."""

    metric: str
    grain: Grain | None
    from_day: date
    reason: str
    approved_by: str
    kind: Kind = Kind.REBASE


Decision = approvals.Decision[Rebase]


def decisions(connection: Connection) -> list[Decision]:
    """Every decision, oldest first, those that later ones replaced included."""
    return [_decision(row) for row in connection.execute(select(rebases).order_by(rebases.c.id))]


def newest(connection: Connection) -> int:
    """The number of the last decision; 0 before the first."""
    return approvals.newest(connection, rebases)


def decided_since(connection: Connection, publication: Publication) -> bool:
    """Whether something was decided that a publication does not know yet."""
    later = rebases.c.approved_at > instant_text(publication.known_at)
    return connection.execute(select(func.count()).where(later)).scalar_one() > 0


def borders(decided: list[Decision], publication: Publication, metric: Metric, grain: Grain) -> list[Border]:
    """Where a metric's chart begins anew, by all that was decided when a publication was made."""
    names, standing = names_of(metric), dict[tuple[date, Grain | None], Rebase]()
    for one in decided:
        asked = one.asked
        if asked.metric in names and asked.grain in (None, grain) and one.approved_at <= publication.known_at:
            standing[asked.from_day, asked.grain] = asked
    return [
        Border(one.from_day, one.reason)
        for one in sorted(standing.values(), key=lambda one: one.from_day)
        if one.kind is Kind.REBASE
    ]


def approve(engine: Engine, catalogue: Catalogue, clock: Clock, rebase: Rebase) -> Decision:
    """Adds a decision, which the next publication follows; raises StoreError as `checked` does."""
    with writing(engine, clock) as held:
        checked(held.connection, catalogue, rebase)
        return approvals.add(held, rebases, rebase, _row(rebase))


def checked(connection: Connection, catalogue: Catalogue, rebase: Rebase) -> Metric:
    """The metric that a rebase is of.

    Raises StoreError, with the fix, for a metric that is not there or has ended, words that are empty or not
    one line, a rebase that stands already and the withdrawal of one that does not.
    """
    metric = live_metric(catalogue, rebase.metric, "its chart is not made any more")
    refuse_words(rebase.reason, rebase.approved_by)
    _refuse_nothing(connection, metric, rebase)
    return metric


# --- inside ---------------------------------------------------------------------------------------


def _refuse_nothing(connection: Connection, metric: Metric, rebase: Rebase) -> None:
    standing: dict[date, Rebase] = {}
    for one in decisions(connection):
        if one.asked.metric in names_of(metric) and one.asked.grain == rebase.grain:
            standing[one.asked.from_day] = one.asked
    days = sorted(day for day, one in standing.items() if one.kind is Kind.REBASE)
    where = f"the {rebase.grain} chart" if rebase.grain else "every chart"
    if rebase.kind is Kind.REBASE and rebase.from_day in days:
        raise StoreError(f"{metric.id}: {where} begins anew on {rebase.from_day} already.")
    if rebase.kind is Kind.WITHDRAWAL and rebase.from_day not in days:
        known = ", ".join(map(str, days)) or "no day"
        raise StoreError(
            f"{metric.id} has no rebase of {where} from {rebase.from_day} to withdraw; known: {known}."
        )


def _row(rebase: Rebase) -> dict[str, Any]:
    return {
        "metric": rebase.metric,
        "grain": rebase.grain.value if rebase.grain else "",
        "from_day": rebase.from_day.isoformat(),
        "kind": rebase.kind.value,
        "reason": rebase.reason,
        "approved_by": rebase.approved_by,
    }


def _decision(row: Any) -> Decision:
    grain = Grain(row.grain) if row.grain else None
    asked = Rebase(
        row.metric, grain, date.fromisoformat(row.from_day), row.reason, row.approved_by, Kind(row.kind)
    )
    return Decision(row.id, asked, from_text(row.approved_at))
