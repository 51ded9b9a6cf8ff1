"""What each run looked like, and what was unusual of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from store.engine import Writing, from_text, instant_text
from store.schema import run_profiles

KEPT_AT_MOST = 2_000
"""Of each source; the oldest go first."""


def keep(
    write: Writing,
    run_id: int,
    source: str,
    trigger: str,
    started: datetime,
    profile: Mapping[str, Any],
    unusual: Sequence[str],
) -> None:
    """Keeps a run's profile, in the transaction of the run. trigger: who asked for the run."""
    row = {
        "run": run_id,
        "source": source,
        "trigger": trigger,
        "started_at": instant_text(started),
        "profile": json.dumps(profile, ensure_ascii=False),
        "unusual": json.dumps(list(unusual), ensure_ascii=False),
    }
    write.connection.execute(insert(run_profiles), row)
    t = run_profiles.c
    newest = select(t.run).where(t.source == source).order_by(t.run.desc())
    last = write.connection.execute(newest.offset(KEPT_AT_MOST).limit(1)).scalar_one_or_none()
    if last is not None:
        write.connection.execute(delete(run_profiles).where(t.source == source, t.run <= last))


def newest(
    connection: Connection, source: str, trigger: str, most: int
) -> list[tuple[datetime, dict[str, Any]]]:
    """The starts and profiles of the newest runs of a source that were asked for so, newest first."""
    t = run_profiles.c
    statement = select(t.started_at, t.profile).where(t.source == source, t.trigger == trigger)
    found = connection.execute(statement.order_by(t.run.desc()).limit(most))
    return [(from_text(row.started_at), json.loads(row.profile)) for row in found]


def unusual(connection: Connection) -> dict[str, list[str]]:
    """What was unusual of the newest run of each source that was looked at; [] for nothing."""
    t = run_profiles.c
    last = select(func.max(t.run)).group_by(t.source)
    found = connection.execute(select(t.source, t.unusual).where(t.run.in_(last)))
    return {row.source: json.loads(row.unusual) for row in found}
