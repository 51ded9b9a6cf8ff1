"""One record of a source with all that was ever known of it: its versions, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, text

from metrics.model import Catalogue, Metric
from store import records
from store.engine import from_text, from_text_or_none
from store.questions import as_of_parameters, quoted, sql, visible


@dataclass(frozen=True)
class Version:
    """What a record said from one instant until another; until None: it says so still.

    is_withdrawn: the source held it no longer. fields: by column, None for an empty one; instants in UTC.
    """

    since: datetime
    until: datetime | None
    is_withdrawn: bool
    fields: Mapping[str, str | int | float | None]


def versions(
    connection: Connection, catalogue: Catalogue, metric: Metric, key: str | int, as_of: date
) -> tuple[Version, ...]:
    """All versions of a record that a metric asks for, in one version at least; none for another's record.

    Many metrics are made of one source, and who works with one of them need not see the others' records.
    as_of: the date as of which `where` is read.
    """
    if not _is_asked_for(connection, catalogue, metric, key, as_of):
        return ()
    source = catalogue.sources[metric.source]
    found = []
    for table in (records.record_table(source), records.replaced_table(source)):
        for row in connection.execute(select(table).where(table.c[source.key] == key)):
            said = row._mapping
            until = said.get("_recorded_to")
            found.append(
                Version(
                    from_text(said["_recorded_from"]),
                    from_text_or_none(until),
                    said["_withdrawn_at"] is not None,
                    {column.name: said[column.name] for column in source.columns},
                )
            )
    return tuple(sorted(found, key=lambda one: one.since, reverse=True))


def _is_asked_for(
    connection: Connection, catalogue: Catalogue, metric: Metric, key: str | int, as_of: date
) -> bool:
    source = catalogue.sources[metric.source]
    asked = sql(catalogue, metric, metric.where, "test", connection.dialect.name) if metric.where else "1=1"
    tables = (records.record_table(source), records.replaced_table(source))
    both = " UNION ALL ".join(
        f"SELECT 1 FROM ({visible(source, versions=quoted(table.name))} WHERE {quoted(source.key)} = :key) "
        f"AS known WHERE {asked}"
        for table in tables
    )
    parameters = as_of_parameters(catalogue.city, as_of) | {"key": key}
    return connection.execute(text(f"{both} LIMIT 1"), parameters).first() is not None
