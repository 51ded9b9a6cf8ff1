"""Erasing one record by its key: from every table, with a mark that keeps it from coming back.

What is kept of the act is who did it, when, why and how much, and a salted hash of the key. Scores stay.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, or_, select, update

from metrics.model import Source
from store import schema
from store.engine import Writing, from_text, from_text_or_none
from store.record_tables import held_columns, record_table, replaced_table
from store.source_requests import DRY_RUN

ERASED = "(erased)"
"""What stands where something was erased from a sentence."""

SHORTEST = 3
"""Shorter words stand in every sentence and say nothing of anybody."""

_erasures = schema.erasures


@dataclass(frozen=True)
class Marks:
    """The records of a source that were erased. Empty where none was."""

    salt: str = ""
    marks: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.marks)

    def has(self, key: object) -> bool:
        """Whether the record of a key, as text or as records have it, was erased."""
        return key is not None and _mark(self.salt, str(key)) in self.marks


@dataclass(frozen=True)
class Erasure:
    """One act of erasing. counts: how many rows left each table. finished_at None: snapshots may hold it."""

    id: int
    source: str
    erased_by: str
    reason: str
    erased_at: datetime
    counts: Mapping[str, int]
    finished_at: datetime | None


def marks(connection: Connection, source: str) -> Marks:
    """What was erased of a source."""
    found = connection.execute(
        select(_erasures.c.salt, _erasures.c.mark).where(_erasures.c.source == source)
    ).all()
    return Marks(found[0].salt, frozenset(row.mark for row in found)) if found else Marks()


def is_held(connection: Connection, source: Source, key: object) -> bool:
    """Whether any table holds something of a record, or it was erased before."""
    return marks(connection, source.id).has(key) or any(
        connection.execute(select(func.count()).select_from(table).where(*tests)).scalar_one()
        for table, tests in _places(connection, source, key).values()
    )


def erase(
    write: Writing, source: Source, key: object, erased_by: str, reason: str, metrics: Collection[str]
) -> Erasure:
    """Takes a record out of every table and marks it; done again, takes out what came back meanwhile.

    metrics: those that count the source's records, whose audits may name it. Observations and publications
    are untouched.
    """
    connection = write.connection
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    said, own = _said(connection, source, key), _cells(connection, source, key)
    counts = {
        name: connection.execute(delete(table).where(*tests)).rowcount
        for name, (table, tests) in _places(connection, source, key).items()
    }
    counts["sentences"] = _unsay(connection, said | _of_nobody_else(connection, source, own))
    _forget_deliveries(connection, source.id)
    _forget_examples(connection, source.id)
    before = marks(connection, source.id)
    salt = before.salt or secrets.token_hex(16)
    mark = _mark(salt, str(key))
    counts["audits"] = _take_out_of_audits(connection, metrics, str(key), f"erased {mark[:12]}")
    row = {
        "source": source.id,
        "mark": mark,
        "salt": salt,
        "erased_by": erased_by,
        "reason": reason,
        "erased_at": write.now,
        "counts": json.dumps(counts),
    }
    same = (_erasures.c.source == source.id) & (_erasures.c.mark == mark)
    if before.has(key):
        connection.execute(update(_erasures).where(same).values(finished_at=None))
    else:
        connection.execute(insert(_erasures).values(row))
    return _erasure(connection.execute(select(_erasures).where(same)).one())


def history(connection: Connection, source: str | None = None) -> list[Erasure]:
    """Every act of erasing, or those of one source, oldest first."""
    chosen = select(_erasures).order_by(_erasures.c.id)
    if source is not None:
        chosen = chosen.where(_erasures.c.source == source)
    return [_erasure(row) for row in connection.execute(chosen)]


def finish(write: Writing, source: str) -> None:
    """Enters that nothing of what was erased of a source is in its snapshots any more."""
    still_open = (_erasures.c.source == source) & _erasures.c.finished_at.is_(None)
    write.connection.execute(update(_erasures).where(still_open).values(finished_at=write.now))


def _mark(salt: str, key: str) -> str:
    return hashlib.blake2b(
        key.encode("utf-8", "surrogatepass"), key=salt.encode(), digest_size=20
    ).hexdigest()


def _places(connection: Connection, source: Source, key: object) -> dict[str, tuple[Table, tuple[Any, ...]]]:
    """The tables that name a record by its key, and which rows those are."""
    quarantine, entries, flags = schema.quarantine, schema.entries, schema.corrections
    places: dict[str, tuple[Table, tuple[Any, ...]]] = {
        "refused rows": (quarantine, (quarantine.c.source == source.id, _names(quarantine, str(key)))),
        "entries": (entries, (entries.c.source == source.id, entries.c.key == str(key))),
        "corrections": (flags, (flags.c.source == source.id, flags.c.key == str(key))),
    }
    if held_columns(connection, source):
        records, replaced = record_table(source), replaced_table(source)
        places["records"] = (records, (records.c[source.key] == key,))
        places["replaced versions"] = (replaced, (replaced.c[source.key] == key,))
    return places


def _names(quarantine: Table, key: str) -> Any:
    """A refused row is of a record by its key, or where it shows none, when any of its cells is the key."""
    cell = json.dumps(key, ensure_ascii=False)
    hidden = quarantine.c.key.is_(None) & quarantine.c.row.contains(key, autoescape=True)
    return or_(quarantine.c.key == key, quarantine.c.row.contains(f": {cell}", autoescape=True), hidden)


def _said(connection: Connection, source: Source, key: object) -> set[str]:
    """What sentences about refused rows may repeat of a record."""
    table, tests = _places(connection, source, key)["refused rows"]
    values = connection.execute(select(table.c.value).where(*tests)).scalars()
    return {one for one in (str(key), *values) if one and len(one) >= SHORTEST}


def _cells(connection: Connection, source: Source, key: object) -> set[tuple[str, str]]:
    """Every text a record ever had, by column."""
    places = _places(connection, source, key)
    names = [one.name for one in source.columns if one.type == "text"]
    return {
        (name, row._mapping[name])
        for place in ("records", "replaced versions")
        if place in places
        for row in connection.execute(select(places[place][0]).where(*places[place][1]))
        for name in names
        if row._mapping[name] and len(row._mapping[name]) >= SHORTEST
    }


def _of_nobody_else(connection: Connection, source: Source, cells: Iterable[tuple[str, str]]) -> set[str]:
    """Those of some texts that no record has, now that one is gone: they may say whose it was."""
    tables = (record_table(source), replaced_table(source))
    return {
        value
        for name, value in cells
        if not any(
            connection.execute(select(table.c[name]).where(table.c[name] == value).limit(1)).first()
            for table in tables
        )
    }


def _unsay(connection: Connection, said: Iterable[str]) -> int:
    """Takes words out of what was told of runs; gives how many sentences had one."""
    places = (
        (schema.runs, "message"),
        (schema.run_profiles, "unusual"),
        (schema.run_profiles, "profile"),
        (schema.requests, "result"),
        (schema.jobs, "result"),
    )
    return sum(_unsaid(connection, table, name, word) for table, name in places for word in _spelt(said))


def _spelt(said: Iterable[str]) -> Iterator[str]:
    for word in said:
        yield from {
            word,
            repr(word)[1:-1],
            json.dumps(word, ensure_ascii=False)[1:-1],
            json.dumps(word)[1:-1],
        }


def _unsaid(connection: Connection, table: Table, name: str, word: str) -> int:
    column = table.c[name]
    changed = update(table).where(column.contains(word, autoescape=True))
    return connection.execute(changed.values({name: func.replace(column, word, ERASED)})).rowcount


def _forget_deliveries(connection: Connection, source: str) -> None:
    """Bytes of deliveries that failed and were kept; those that wait lose the record when they are loaded."""
    done = select(schema.requests.c.id).where(schema.requests.c.finished_at.is_not(None))
    mine = (schema.deliveries.c.source == source, schema.deliveries.c.request.in_(done))
    connection.execute(update(schema.deliveries).where(*mine).values(body=None))


def _forget_examples(connection: Connection, source: str) -> None:
    """What dry runs showed of records, shortened or never recorded, so that no search for words finds all."""
    t = schema.requests
    shown = select(t.c.id, t.c.arguments, t.c.result).where(t.c.kind == DRY_RUN, t.c.result.is_not(None))
    for number, arguments, result in connection.execute(shown).all():
        if json.loads(arguments).get("source") == source:
            kept = {**json.loads(result), "examples": {}, "rejections": []}
            text = json.dumps(kept, ensure_ascii=False, sort_keys=True)
            connection.execute(update(t).where(t.c.id == number).values(result=text))


def _take_out_of_audits(connection: Connection, metrics: Collection[str], key: str, stands: str) -> int:
    """Samples keep their number of cases and what was found; which case it was is not told any more."""
    samples, results = schema.audit_samples, schema.audit_results
    changed = 0
    for number, cases in connection.execute(
        select(samples.c.id, samples.c.cases).where(samples.c.metric.in_(metrics))
    ).all():
        keys = [str(one) for one in json.loads(cases)]
        if key not in keys:
            continue
        named = json.dumps([stands if one == key else one for one in keys])
        connection.execute(update(samples).where(samples.c.id == number).values(cases=named))
        of_case = (results.c.sample == number) & (results.c.case_key == key)
        connection.execute(update(results).where(of_case).values(case_key=stands, note=ERASED))
        changed += 1
    return changed


def _erasure(row: Any) -> Erasure:
    return Erasure(
        row.id,
        row.source,
        row.erased_by,
        row.reason,
        from_text(row.erased_at),
        json.loads(row.counts),
        from_text_or_none(row.finished_at),
    )
