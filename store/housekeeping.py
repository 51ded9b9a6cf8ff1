"""What is removed at night, and what never is: old snapshots, ledger rows, requests, sessions, refused rows.

Records, observations and publications are no part of it: what was published can always be recomputed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, delete, func, or_, select

from metrics.model import Catalogue, Source
from metrics.periods import local_day
from store import attempts, one_time_links, schema, sessions, snapshots
from store.engine import Clock, StoreError, Writing, from_text, instant_text, reading, writing
from store.runs import GOOD_OUTCOMES

SNAPSHOT_DAYS = 400
RUN_DAYS = 366
ANSWER_DAYS = 90
"""How long finished requests and due jobs are kept."""

QUARANTINE_RUNS = 10
"""Of how many runs of a source the refused rows are kept; those of the newest one always are."""

_runs, _quarantine = schema.runs, schema.quarantine
_requests, _jobs, _deliveries = schema.requests, schema.jobs, schema.deliveries


@dataclass(frozen=True)
class Tidied:
    """How much was removed, by what it was; snapshot_bytes is the space its snapshots took."""

    snapshots: int = 0
    snapshot_bytes: int = 0
    runs: int = 0
    requests: int = 0
    deliveries: int = 0
    jobs: int = 0
    quarantined: int = 0
    sessions: int = 0
    links: int = 0
    tries: int = 0

    def line(self, city: str) -> str:
        """What was removed, in one line of counts."""
        return (
            f"{city}: removed {self.snapshots} snapshots ({self.snapshot_bytes / 1e6:.1f} MB), "
            f"{self.runs} runs of the ledger, {self.requests} finished requests, {self.jobs} done jobs, "
            f"{self.quarantined} refused rows of older runs, {self.sessions} sessions and {self.links} links "
            "that had ended"
        )

    def words(self, city: str) -> dict[str, int | str]:
        """The same as a JSON object."""
        return {**asdict(self), "sentence": self.line(city)}


def tidy(engine: Engine, clock: Clock, catalogue: Catalogue, folder: Path, snapshot_days: int) -> Tidied:
    """Removes what is no longer needed; a second time right after it removes nothing.

    folder: the snapshots of the city. snapshot_days: for how many days every snapshot is kept. Raises
    StoreError when a file cannot be removed.
    """
    with reading(engine) as connection:
        needed = _needed(connection)
    count, size = _remove_snapshots(
        folder, _since(catalogue, clock(), snapshot_days), needed, _own_days(catalogue)
    )
    with writing(engine, clock) as write:
        counts = {
            "quarantined": _delete(
                write,
                _quarantine,
                _quarantine.c.left_by.is_not(None),
                _quarantine.c.run.in_(_refused_long_ago()),
            ),
            "runs": _delete(write, _runs, *_old_runs(_before(write, RUN_DAYS))),
            "requests": _delete(write, _requests, _requests.c.finished_at < _before(write, ANSWER_DAYS)),
            "deliveries": _delete(write, _deliveries, _deliveries.c.request.not_in(select(_requests.c.id))),
            "jobs": _delete(write, _jobs, *_old_jobs(_before(write, ANSWER_DAYS))),
            "sessions": sessions.tidy(write),
            "links": one_time_links.tidy(write),
            "tries": attempts.tidy(write),
        }
    return Tidied(snapshots=count, snapshot_bytes=size, **counts)


# --- snapshots -------------------------------------------------------------------------------------


def _since(catalogue: Catalogue, now: datetime, days: int) -> dict[str, date]:
    """From which day on every snapshot of a source is kept.

    That is `days` back, or as many as the source says, or the first day of a declared gap that has not
    ended: it may still be filled.
    """
    today = local_day(catalogue.city, now)
    usual = today - timedelta(days=days)
    return {
        source.id: min(
            [_own(source, today) or usual, *(gap.from_day for gap in source.gaps if gap.to_day >= today)]
        )
        for source in catalogue.sources.values()
    } | {"": usual}


def _own(source: Source, today: date) -> date | None:
    return None if source.keep_days is None else today - timedelta(days=source.keep_days)


def _needed(connection: Connection) -> frozenset[str]:
    """The snapshots of the newest good run of every source, and of those with refused rows that are open."""
    newest = select(func.max(_runs.c.id)).where(
        _runs.c.outcome.in_(GOOD_OUTCOMES), _runs.c.snapshot.is_not(None)
    )
    refused = select(_quarantine.c.run).where(_quarantine.c.left_by.is_(None))
    wanted = or_(_runs.c.id.in_(newest.group_by(_runs.c.source)), _runs.c.id.in_(refused))
    named = select(_runs.c.snapshot).where(wanted, _runs.c.snapshot.is_not(None))
    return frozenset(path for (text,) in connection.execute(named) for path in text.splitlines())


def _own_days(catalogue: Catalogue) -> frozenset[str]:
    """The sources that say how long their snapshots are kept: of those none stays for its month."""
    return frozenset(one.id for one in catalogue.sources.values() if one.keep_days is not None)


def _remove_snapshots(
    folder: Path, since: Mapping[str, date], needed: frozenset[str], own: frozenset[str]
) -> tuple[int, int]:
    """How many were removed, and their bytes."""
    count = size = 0
    for source in sorted(path for path in folder.glob("*") if path.is_dir()):
        for path in _expendable(folder, source.name, since, needed, own):
            try:
                size += path.stat().st_size
                path.unlink()
            except OSError as error:
                raise StoreError(
                    f"The snapshot {path} cannot be removed ({error.strerror}); see who owns it."
                ) from error
            count += 1
    return count, size


def _expendable(
    folder: Path, source: str, since: Mapping[str, date], needed: frozenset[str], own: frozenset[str]
) -> list[Path]:
    first = since.get(source, since[""])
    return snapshots.expendable(folder, source, first, needed, monthly=source not in own)


# --- rows ------------------------------------------------------------------------------------------


def _before(write: Writing, days: int) -> str:
    return instant_text(from_text(write.now) - timedelta(days=days))


def _delete(write: Writing, table: Table, *tests: ColumnElement[bool]) -> int:
    return write.connection.execute(delete(table).where(*tests)).rowcount


def _old_runs(before: str) -> tuple[ColumnElement[bool], ...]:
    """Runs that began before an instant, but the newest, newest good and newest read one of a source."""
    kept = [
        _newest_runs(),
        _newest_runs(*GOOD_OUTCOMES),
        _newest_runs("succeeded"),
        select(_quarantine.c.run),
    ]
    return (
        _runs.c.started_at < before,
        _runs.c.finished_at.is_not(None),
        *(_runs.c.id.not_in(one) for one in kept),
    )


def _newest_runs(*outcomes: str) -> Select[tuple[int]]:
    newest = select(func.max(_runs.c.id)).group_by(_runs.c.source)
    return newest.where(_runs.c.outcome.in_(outcomes)) if outcomes else newest


def _old_jobs(before: str) -> tuple[ColumnElement[bool], ...]:
    """Done jobs; the newest of each stays, as it says that a yearly one need not be done again."""
    newest = select(_jobs.c.job, func.max(_jobs.c.due_at).label("due_at")).group_by(_jobs.c.job).subquery()
    same = (newest.c.job == _jobs.c.job, newest.c.due_at == _jobs.c.due_at)
    return _jobs.c.finished_at < before, ~select(newest).where(*same).exists()


def _refused_long_ago() -> Select[tuple[int]]:
    """Runs of a source after whose refused rows came those of QUARANTINE_RUNS others."""
    refused = select(_quarantine.c.source, _quarantine.c.run).distinct().subquery()
    place = func.row_number().over(partition_by=refused.c.source, order_by=refused.c.run.desc())
    ranked = select(refused.c.run, place.label("place")).subquery()
    return select(ranked.c.run).where(ranked.c.place > QUARANTINE_RUNS)
