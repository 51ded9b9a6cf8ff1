"""The same rows through every kind of source end in the same records and observations, faults or not."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy import text as sql

from ingest.delivered import load_delivery
from ingest.run import run_source
from metrics.model import Aggregation, Catalogue, Column, Direction, Family, Metric
from serving.push import Door
from serving.routes import Kind, Reply, Route, redirect
from serving.server import Wiring, create
from store import deliveries, observations, records, tokens
from store.engine import reading, writing
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
KINDS = ("file", "ckan", "socrata", "arcgis", "open311", "sql on sqlite", "sql on postgresql", "push")
PIECE = 10_000
"""How many rows of the real file are delivered at once; it is larger than a delivery may be."""

FORMS = {"application/json": json.dumps, "application/jsonl": lambda rows: "\n".join(map(json.dumps, rows))}
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


def load(bench, source):
    checked(run_source(bench.desk, source, dated=dated(source)))


def checked(report):
    assert report.outcome == "succeeded", report.line()
    assert (report.new, report.rejected) == (report.read, 0)


def dated(source):
    return records.dated_columns(catalogue_of([source]), source)


def push(bench, source, rows):
    """Delivers the rows through the door, in pieces of both forms of JSON, and loads what was accepted."""
    door = Door(bench.engine, frozenset({source.id}), clock=bench.clock)
    wiring = Wiring(
        routes=(Route("/api/v1/ingest/<source>", Kind.PUSH, door.receive, method="POST"),),
        state=lambda: 1,
        build="b",
        assets=bench.folder,
        is_page=lambda _path: False,
        failure=lambda status, _path, detail: Reply((detail or "?").encode(), "text/plain", status),
        entrance=redirect("/staff/today"),
    )
    client = create(wiring).test_client()
    secret = tokens.create(bench.engine, bench.clock, "Their department", [source.id])[1]
    size = min(PIECE, len(rows) // 2)
    for number, start in enumerate(range(0, len(rows), size)):
        media_type, written = list(FORMS.items())[number % 2]
        answer = client.post(
            f"/api/v1/ingest/{source.id}",
            data=written(rows[start : start + size]),
            content_type=media_type,
            headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": f"piece-{number}"},
        )
        assert answer.status_code == 202, answer.text
        with reading(bench.engine) as connection:
            delivery = deliveries.of_request(connection, answer.json["request"])
        checked(load_delivery(bench.desk, source, delivery, dated(source)))


def from_database(bench, url, name, cap, rows, monkeypatch):
    """A source of kind sql over a new database that has the rows, loaded."""
    variable = f"THEIR_{name.upper()}"
    monkeypatch.setenv(variable, url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE cases ({', '.join(f'{one} TEXT' for one in rows[0])})")
        marks = ", ".join(f":{one}" for one in rows[0])
        connection.execute(sql(f"INSERT INTO cases VALUES ({marks})"), rows)
    engine.dispose()
    source = replace(source_of("sql", url_env=variable, table="cases", page_rows=cap), id=f"by_sql_on_{name}")
    load(bench, source)
    return source


def catalogue_of(sources):
    found = {one.id: one for one in sources}
    metrics = {metric.id: metric for one in sources for metric in metrics_of(one)}
    return Catalogue(CITY, {}, {}, found, metrics, text="", hash="")


def load_all(bench, rows, cap, faulty, monkeypatch, new_database):
    """Every kind's source, after it was read into its own records."""
    sources = {"push": source_of("push")}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    bench.file("cases.csv", text.getvalue())
    sources["file"] = source_of("file", path="cases.csv")
    load(bench, sources["file"])
    push(bench, sources["push"], rows)
    for name in ("sqlite", "postgresql"):
        theirs = from_database(bench, new_database(name), name, cap, rows, monkeypatch)
        sources[f"sql on {name}"] = theirs
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


def same(bench, rows, cap, faulty, monkeypatch, new_database):
    sources = load_all(bench, rows, cap, faulty, monkeypatch, new_database)
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
def test_every_kind_gives_the_same_records_and_observations(
    any_bench, faulty, waits, monkeypatch, new_database
):
    same(any_bench, list(invented()), 20, faulty, monkeypatch, new_database)


@pytest.mark.matrix
@pytest.mark.parametrize("faulty", [False, True], ids=["well", "with faults"])
def test_the_real_file_gives_the_same_by_every_kind(
    any_bench, faulty, waits, monkeypatch, shared_data, new_database
):
    rows = list(real(shared_data("boston_311_2026/cases.csv.gz")))
    same(any_bench, rows, 1000, faulty, monkeypatch, new_database)
