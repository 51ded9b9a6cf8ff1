"""What a run looked like is taken from its stage, kept with it, and held against the runs before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ingest.anomalies import MOST_VALUES, Profile, unusual
from metrics.model import Source
from store import run_profiles
from store.engine import Writing
from store.records import Stage, stage_columns

SAMPLE = 10_000
"""So many rows are looked at, evenly taken."""

LONGEST_VALUE = 80
RUNS_LOOKED_AT = 700

_HOUR = timedelta(hours=1)


def check(
    write: Writing,
    source: Source,
    stage: Stage,
    *,
    run_id: int,
    started: datetime,
    trigger: str,
    rows: int | None,
    whole: bool,
    known_until: datetime | None,
) -> list[str]:
    """Keeps what a run looked like and gives what is unusual of it, in the transaction of the run.

        trigger: who asked for it; it is held against runs of the same. rows: how many it read, None where
    nothing had changed. whole: it read all of the source.

    """
    kept = run_profiles.newest(write.connection, source.id, trigger, RUNS_LOOKED_AT)
    before = [_profile(at, told) for at, told in kept]
    last = max((one.at for one in before if one.rows is not None), default=None)
    now = Profile(
        at=started,
        rows=rows,
        whole=whole,
        gap_hours=None if last is None else (started - last) / _HOUR,
        lag_hours=None if known_until is None else (started - known_until) / _HOUR,
        **_looked_at(source, stage),
    )
    found = unusual(now, before)
    run_profiles.keep(write, run_id, source.id, trigger, started, _told(now), found)
    return found


def _looked_at(source: Source, stage: Stage) -> dict[str, Any]:
    sample = stage.sample(SAMPLE)
    names = stage_columns(source)
    columns = list(zip(*sample, strict=True)) if sample else [()] * len(names)
    found = dict(zip(names, columns, strict=True))
    return {
        "sampled": len(sample),
        "empty": {one.name: found[one.name].count(None) for one in source.columns if not one.required},
        "values": dict(_categories(source, found)),
    }


def _categories(source: Source, found: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, dict[str, int]]]:
    for column in source.columns:
        if column.type in ("text", "district", "boolean") and column.name != source.key:
            counts = Counter(str(value)[:LONGEST_VALUE] for value in found[column.name] if value is not None)
            if 0 < len(counts) <= MOST_VALUES:
                yield column.name, dict(counts.most_common())


def _told(profile: Profile) -> dict[str, Any]:
    return {name: value for name, value in vars(profile).items() if name != "at"}


def _profile(at: datetime, told: dict[str, Any]) -> Profile:
    return Profile(at=at, **told)
