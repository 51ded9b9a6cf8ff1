"""The same rows through every kind of source end in the same records and observations, faults or not."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ingest.run import Asked, run_source
from metrics.model import Aggregation, Catalogue, Column, Direction, Family, Metric
from store import observations, records
from store.engine import writing
from store.reduce import reduce
from tests.ingest.conftest import CASES, CITY
from tests.ingest.stand_ins.arcgis import LAYER, ArcGis
from tests.ingest.stand_ins.ckan import Portal, Table
from tests.ingest.stand_ins.frame import serving
from tests.ingest.stand_ins.open311 import ID, Open311
from tests.ingest.stand_ins.socrata import DATASET, FIRST, Socrata

TIMES = ("opened", "closed", "due")
REAL = {"id": "case_id", "opened": "open_date", "closed": "close_date", "due": "target_close_date",
        "topic": "case_topic", "place": "neighborhood"}  # fmt: skip
COLUMNS = (
    Column("id", "text", aliases=(ID,), required=True),
    Column("opened", "instant", aliases=("requested_datetime",)),
    Column("closed", "instant", aliases=("closed_datetime",)),
    Column("due", "instant", aliases=("expected_datetime",), planned=True),
    Column("topic", "text", aliases=("service_name",)),
    Column("place", "text"),
)
AS_OF = date(2026, 8, 18)
KINDS = ("file", "ckan", "socrata", "arcgis", "open311", "sql", "push")
FAULTS = ("drops", "slow", "202", "429", "429, wait", "500", "503")
OWN_FAULTS = {"socrata": ("unordered", "repeats"), "arcgis": ("unordered", "repeats", "withholds")}


def invented():
    """What real rows have too: open and late ones, signs beyond ASCII, empty cells, zeros in front."""
    for number in range(130):
        opened = datetime(2026, 8, 17, 20, 0, 59, tzinfo=UTC) - timedelta(hours=7 * number, seconds=number)
        lasted = timedelta(hours=(number * 13) % 150)
        yield {
            "id": f"{number:04}",
            "opened": stamp(opened),
            "closed": None if number % 9 == 0 else stamp(opened + lasted),
            "due": None if number % 5 == 0 else stamp(opened + timedelta(days=2)),
            "topic": ("Pothole, deep", "Straße", 'a "sign"', None)[number % 4],
            "place": ("Dorchester", None, "East Boston")[number % 3],
        }


def real(path):
    """The rows of the real file that have an opening, without parts of a second, which some lack."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["open_date"]:
                found = {name: (row[theirs] or "").strip() or None for name, theirs in REAL.items()}
                yield found | {
                    name: found[name] and stamp(datetime.fromisoformat(found[name])) for name in TIMES
                }


def stamp(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(text):
    return text and int(datetime.fromisoformat(text).timestamp() * 1000)


def served(rows, cap):
    """The stand-in of each protocol over these rows, with the options that mean it."""
    portal, socrata, arcgis = (
        Portal(tables={"r1": Table("r1", rows)}, cap=cap),
        Socrata(cap=cap),
        ArcGis(cap=cap),
    )
    socrata.rows.fill(rows, FIRST)
    arcgis.dates = (*arcgis.dates, "due")
    arcgis.rows.fill(
        ({**row, **{one: milliseconds(row[one]) for one in TIMES}} for row in rows), 1_786_000_000_000
    )
    open311 = Open311(cap=cap)
    for row in rows:
        more = {"expected_datetime": row["due"], "service_name": row["topic"], "place": row["place"]}
        open311.put(row["id"], row["opened"], closed_datetime=row["closed"], **more)
    return {
        "ckan": (portal, lambda address: {"url": address, "resources": ["r1"]}),
        "socrata": (socrata, lambda address: {"url": address, "dataset": DATASET, "page_size": cap}),
        "arcgis": (arcgis, lambda address: {"url": address + LAYER}),
        "open311": (open311, lambda address: {"url": f"{address}/open311/v2", "cap": cap}),
    }


def source_of(kind, **options):
    begins = date(2025, 7, 1)
    return replace(
        CASES, id=f"by_{kind}", kind=kind, columns=COLUMNS, closed="closed", begins=begins, options=options
    )


def metrics_of(source):
    """One metric of each kind of fact."""
    said = dict.fromkeys(
        ("name", "department", "theme", "unit", "definition", "limitations", "owner"), "said"
    )
    words = {**said, "source": source.id, "family": Family.CONDITION, "direction": Direction.NEUTRAL}
    shapes = {
        "on_time": {"aggregation": Aggregation.RATIO, "date": "due", "numerator": "closed <= due"},
        "days": {
            "aggregation": Aggregation.MEDIAN,
            "date": "closed",
            "value": "days_between(opened, closed)",
        },
        "opened": {"aggregation": Aggregation.COUNT, "date": "opened", "where": "topic is not null"},
        "open": {"aggregation": Aggregation.STOCK, "date": "opened", "until": "closed"},
    }
    return [Metric(id=f"{source.id}_{name}", **words, **shape) for name, shape in shapes.items()]


def load(bench, source, asked=Asked()):  # noqa: B008 - frozen
    catalogue = catalogue_of([source])
    report = run_source(bench.desk, source, asked, dated=records.dated_columns(catalogue, source))
    assert report.outcome == "succeeded", report.line()
    assert (report.new, report.rejected) == (report.read, 0)


def catalogue_of(sources):
    found = {one.id: one for one in sources}
    metrics = {metric.id: metric for one in sources for metric in metrics_of(one)}
    return Catalogue(CITY, {}, {}, found, metrics, text="", hash="")


def load_all(bench, rows, cap, faulty, monkeypatch):
    """Every kind's source, after it was read into its own records."""
    sources = {kind: source_of(kind) for kind in ("file", "push")}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    bench.file("cases.csv", text.getvalue())
    sources["file"] = source_of("file", path="cases.csv")
    load(bench, sources["file"])
    load(bench, sources["push"], Asked(file=bench.file("rows.json", json.dumps(rows))))
    sources["sql"] = source_of("sql", url_env="THEIR_DATABASE", table="cases", page_rows=cap)
    monkeypatch.setenv("THEIR_DATABASE", f"sqlite:///{bench.folder / 'theirs.db'}")
    with closing(sqlite3.connect(bench.folder / "theirs.db")) as database, database:
        database.execute(f"CREATE TABLE cases ({', '.join(rows[0])})")
        database.executemany(
            "INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?)", [tuple(row.values()) for row in rows]
        )
    load(bench, sources["sql"])
    for kind, (stand_in, options) in served(rows, cap).items():
        with serving(stand_in):
            for number, fault in enumerate((*FAULTS, *OWN_FAULTS.get(kind, ())) if faulty else (), 1):
                stand_in.plays(fault, on=1 + number // 2)
            sources[kind] = source_of(kind, **options(stand_in.address))
            load(bench, sources[kind])
            assert not [fault for fault in stand_in.faults if fault.times], kind
    return sources


def facts_of(bench, sources):
    """The facts of each source's metrics."""
    catalogue = catalogue_of(list(sources.values()))
    with writing(bench.engine, bench.clock) as held:
        reduce(held, catalogue, AS_OF)
        return {
            kind: [observations.facts(held.connection, one.id, AS_OF, held.now) for one in metrics_of(source)]
            for kind, source in sources.items()
        }


def same(bench, rows, cap, faulty, monkeypatch):
    sources = load_all(bench, rows, cap, faulty, monkeypatch)
    assert sorted(sources) == sorted(KINDS)
    by_file = bench.records(sources["file"])
    assert len(by_file) == len(rows)
    for kind, source in sources.items():
        assert bench.records(source) == by_file, kind
    found = facts_of(bench, sources)
    assert all(len(facts) > 5 for facts in found["file"])
    for kind, facts in found.items():
        assert facts == found["file"], kind


@pytest.mark.parametrize("faulty", [False, True], ids=["well", "with faults"])
def test_every_kind_gives_the_same_records_and_observations(any_bench, faulty, waits, monkeypatch):
    same(any_bench, list(invented()), 20, faulty, monkeypatch)


@pytest.mark.matrix
@pytest.mark.parametrize("faulty", [False, True], ids=["well", "with faults"])
def test_the_real_file_gives_the_same_by_every_kind(any_bench, faulty, waits, monkeypatch, shared_data):
    rows = list(real(shared_data("boston_311_2026/cases.csv.gz")))
    same(any_bench, rows, 1000, faulty, monkeypatch)
