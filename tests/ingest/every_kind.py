"""The same rows behind every kind of source, once as they were first and once with some of them changed."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.delivered import load_delivery
from ingest.desk import Desk, RunReport
from ingest.run import run_source
from metrics.model import Column, Source
from store import deliveries, tokens
from store.deliveries import Delivery, Offer
from tests.ingest.conftest import CASES, NOW, Bench
from tests.ingest.stand_ins.arcgis import LATER as EDITED
from tests.ingest.stand_ins.arcgis import LAYER, ArcGis
from tests.ingest.stand_ins.ckan import Portal, Table
from tests.ingest.stand_ins.frame import FOREVER, StandIn, serving
from tests.ingest.stand_ins.open311 import ID, Open311
from tests.ingest.stand_ins.socrata import DATASET, FIRST, LATER, Socrata

Row = dict[str, Any]

KINDS = ("file", "ckan", "socrata", "arcgis", "open311", "sql", "push")
PAGED = ("ckan", "socrata", "arcgis", "open311")
"""The kinds that ask a server for page after page."""

CAP = 20
"""Rows a page has at most."""

ROWS, ADDED = 64, 9
THEIRS = "THEIR_DATABASE"
TIMES = ("opened", "closed", "updated")
COLUMNS = (
    Column("id", "text", aliases=(ID,), required=True),
    Column("opened", "instant", aliases=("requested_datetime",)),
    Column("closed", "instant", aliases=("closed_datetime",)),
    Column("updated", "instant", aliases=("updated_datetime",)),
    Column("topic", "text", aliases=("service_name",)),
)


def rows(*, later: bool) -> list[Row]:
    """The rows; later: with every third one closed since, and some that are new."""
    return [_row(number, later=later) for number in range(ROWS + (ADDED if later else 0))]


def _row(number: int, *, later: bool) -> Row:
    is_touched = later and (number % 3 == 0 or number >= ROWS)
    opened = NOW - timedelta(days=2 if number >= ROWS else 10, hours=number % ROWS)
    touched = NOW - timedelta(hours=4, minutes=number)
    return {
        "id": f"{number:04}",
        "opened": stamp(opened),
        "closed": stamp(touched) if is_touched else None,
        "updated": stamp(touched if is_touched else opened),
        "topic": ("Pothole, deep", "Straße", 'a "sign"', None)[number % 4],
    }


def stamp(moment: datetime) -> str:
    """An instant in the form that every kind here understands, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Behind:
    """One kind's server, file or database with the rows behind it.

    server: its stand-in, None where it has none. options: what the source says of where it is. put: brings
    rows to where it reads them from; touched are those of them that are other than before.
    """

    kind: str
    bench: Bench
    options: Mapping[str, Any] = field(default_factory=dict)
    server: StandIn | None = None
    held: list[Row] = field(default_factory=list)

    def source(self, name: str) -> Source:
        """A source of this kind; each has records of its own."""
        return replace(
            CASES,
            id=name,
            kind=self.kind,
            columns=COLUMNS,
            closed="closed",
            modified="updated" if self.kind == "sql" else None,
            begins=date(2026, 7, 1),
            options=self.options,
        )

    def put(self, new: Sequence[Row]) -> None:
        """From now on the rows are these."""
        touched = [row for row in new if row not in self.held]
        is_first, self.held = not self.held, list(new)
        if isinstance(self.server, Portal):
            day = 17 if is_first else 18
            self.server.tables["r1"] = Table("r1", self.held, last_modified=f"2026-08-{day}T05:00:00.000000")
        elif isinstance(self.server, Socrata):
            self.server.rows.fill(touched, FIRST if is_first else LATER)
            self.server.changed = int(NOW.timestamp()) - (86_400 if is_first else 3_600)
        elif isinstance(self.server, ArcGis):
            instants = ({**row, **{one: milliseconds(row[one]) for one in TIMES}} for row in touched)
            self.server.edited = EDITED - (86_400_000 if is_first else 0)
            self.server.rows.fill(instants, self.server.edited)
        elif isinstance(self.server, Open311):
            for row in touched:
                more = {"closed_datetime": row["closed"], "service_name": row["topic"]}
                self.server.put(row["id"], row["opened"], row["updated"], **more)
        elif self.kind == "sql":
            _into_database(self.bench.folder / "theirs.db", self.held)
        elif self.kind == "file":
            self.bench.file("cases.csv", _written(self.held))

    def run(self, desk: Desk, source: Source, delivery: Delivery | None = None) -> RunReport:
        """Runs a source; of one that rows are delivered to, with a delivery of the rows there are."""
        if self.kind != "push":
            return run_source(desk, source)
        return load_delivery(desk, source, delivery or self.deliver(source))

    def deliver(self, source: Source) -> Delivery:
        """A delivery of the rows there are, accepted and not yet loaded."""
        engine, clock = self.bench.engine, self.bench.clock
        token, _ = tokens.create(engine, clock, "Inspections", [source.id])
        offer = Offer(source.id, "once", "application/json", json.dumps(self.held).encode())
        return deliveries.accept(engine, clock, token.id, offer, FOREVER)


@contextmanager
def behind(kind: str, bench: Bench, environment: Any) -> Iterator[Behind]:
    """A kind with its rows as they were first; `environment` is pytest's monkeypatch."""
    environment.setenv(THEIRS, f"sqlite:///{bench.folder / 'theirs.db'}")
    dates = (*TIMES, "last_edited_date")
    servers = {
        "ckan": lambda: Portal(cap=CAP),
        "socrata": lambda: Socrata(cap=CAP),
        "arcgis": lambda: ArcGis(cap=CAP, dates=dates),
        "open311": lambda: Open311(cap=CAP, updates=True),
    }
    if kind not in servers:
        options = {
            "file": {"path": "cases.csv"},
            "sql": {"url_env": THEIRS, "table": "cases", "page_rows": CAP},
        }
        made = Behind(kind, bench, options.get(kind, {}))
        made.put(rows(later=False))
        yield made
        return
    with serving(servers[kind]()) as server:
        made = Behind(kind, bench, _options(kind, server.address), server)
        made.put(rows(later=False))
        yield made


def milliseconds(text: str | None) -> int | None:
    """An instant as ArcGIS has it; None stays None."""
    return None if text is None else int(datetime.fromisoformat(text).timestamp() * 1000)


def _options(kind: str, address: str) -> Mapping[str, Any]:
    return {
        "ckan": {"url": address, "resources": ["r1"]},
        "socrata": {"url": address, "dataset": DATASET, "page_size": CAP},
        "arcgis": {"url": address + LAYER},
        "open311": {"url": f"{address}/open311/v2", "cap": CAP, "updated_after": True},
    }[kind]


def _written(held: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(held[0]))
    writer.writeheader()
    writer.writerows(held)
    return text.getvalue()


def _into_database(path: Path, held: Sequence[Row]) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TABLE IF EXISTS cases")
        database.execute(f"CREATE TABLE cases ({', '.join(held[0])})")
        database.executemany(
            f"INSERT INTO cases VALUES ({', '.join('?' * len(held[0]))})",
            [tuple(row.values()) for row in held],
        )
