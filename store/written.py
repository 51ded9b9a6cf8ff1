"""Which records one write made, changed or withdrew: a few of each, with what they said and say now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, exists, select

from metrics.model import Source
from store.engine import Writing
from store.records import record_table, replaced_table

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """Examples by key. new: what they say; changed: what they said and say now; withdrawn: what they said."""

    new: tuple[Values, ...]
    changed: tuple[tuple[Values, Values], ...]
    withdrawn: tuple[Values, ...]


def examples(write: Writing, source: Source, most: int) -> Written:
    """At most `most` examples of each kind of what was written to the records of a source at `write.now`."""
    records, replaced = record_table(source), replaced_table(source)
    key, was_key = records.c[source.key], replaced.c[source.key]
    names = [column.name for column in source.columns]
    is_new_version = and_(records.c["_recorded_from"] == write.now, records.c["_withdrawn_at"].is_(None))
    had_one = exists().where(was_key == key, replaced.c["_recorded_to"] == write.now)
    now = [records.c[name] for name in names]
    was = [replaced.c[name].label(f"_was_{name}") for name in names]
    new = select(*now).where(is_new_version, ~had_one)
    joined = records.join(replaced, and_(was_key == key, replaced.c["_recorded_to"] == write.now))
    changed = select(*now, *was).select_from(joined).where(is_new_version)
    gone = select(*now).where(records.c["_withdrawn_at"] == write.now)
    ask = write.connection.execute
    return Written(
        tuple(_values(row, names) for row in ask(new.order_by(key).limit(most))),
        tuple(
            (_values(row, names, "_was_"), _values(row, names))
            for row in ask(changed.order_by(key).limit(most))
        ),
        tuple(_values(row, names) for row in ask(gone.order_by(key).limit(most))),
    )


def _values(row: Row[Any], names: list[str], before: str = "") -> Values:
    return {name: row._mapping[f"{before}{name}"] for name in names}
