"""Files that cities have really published, with every quirk they have."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text

from ingest.run import Asked, run_source
from metrics import catalogue
from metrics.model import Column, Source
from store.records import stage_columns
from tests.ingest.stand_ins import arcgis, open311, socrata
from tests.ingest.stand_ins.ckan import Table
from tests.ingest.stand_ins.frame import rows_of, serving

PROTOCOLS = {
    "socrata": (socrata.Socrata, {"dataset": socrata.DATASET}, socrata.FIRST),
    "arcgis": (partial(arcgis.ArcGis, dates=()), {"url": arcgis.LAYER, "page_size": 10_000}, arcgis.FIRST),
}
"""The stand-in for each protocol, the options of a source there, and the mark of its rows."""


def source(name: str, key: str, *columns: Column, **more: object) -> Source:
    return Source(id=name, name=name, kind="file", key=key, columns=columns, **more)


@pytest.fixture
def boston():
    return catalogue.load(catalogue.find_city("boston")).sources["boston_311"]


def test_boston_311_is_read_whole_and_a_second_run_changes_nothing(any_bench, shared_data, boston):
    bench, path = any_bench, shared_data("boston_311_2026/cases.csv.gz")
    first = run_source(bench.desk, boston, Asked(file=path))
    assert (first.outcome, first.read, first.new, first.rejected) == ("succeeded", 38_971, 38_971, 0)
    records = bench.records(boston)
    row = dict(zip(stage_columns(boston), records["BCS-00245057"], strict=True))
    assert row["open_date"] == "2026-07-06T10:30:51.879147Z", "+00 is written behind Boston's own hours"
    assert (row["open_date_day"], row["zip_code"]) == ("2026-07-06", "02125")
    assert sum(row[stage_columns(boston).index("open_date")] is None for row in records.values()) == 233
    newest = max(row["open_date"] or "" for row in rows_of(path)).removesuffix("+00")
    arrived = datetime.fromisoformat(newest).replace(tzinfo=ZoneInfo("America/New_York"))
    assert first.known_until == arrived + timedelta(minutes=boston.quiet_minutes)
    second = run_source(bench.desk, boston, Asked(file=path))
    assert (second.new, second.changed, second.unchanged) == (0, 0, 38_971)


def test_boston_311_by_its_portal_is_the_same_as_by_its_file(bench, shared_data, boston, ckan):
    path = shared_data("boston_311_2026/cases.csv.gz")
    ckan.tables["r1"] = Table("r1", rows_of(path), name="311 Service Requests - NEW SYSTEM")
    ckan.cap = 5000
    portal = replace(boston, options={**boston.options, "url": ckan.address})
    assert run_source(bench.desk, portal).new == 38_971
    assert len(ckan.pages()) == 8
    report = run_source(bench.desk, portal, Asked(file=path))
    assert (report.new, report.changed, report.unchanged) == (0, 0, 38_971)


def test_a_file_of_windows_1252_keeps_its_apostrophes(bench, shared_data):
    """The byte 0x92 is an apostrophe there and no character at all in UTF-8."""
    permits = source(
        "permits", "Permit__", Column("Permit__", "text"), Column("Purpose", "text"), Column("ZIP", "text")
    )
    path = shared_data("nashville_permits/sample_1000_cp1252.csv.gz")
    report = run_source(bench.desk, permits, Asked(file=path))
    assert report.read == 1000
    with gzip.open(path, "rt", encoding="cp1252", newline="") as text:
        by_hand = {row["Permit__"]: row["Purpose"].strip() or None for row in csv.DictReader(text)}
    found = {key: row[1] for key, row in bench.records(permits).items()}
    assert found == {key: by_hand[str(key)] for key in found}
    letters = Counter(letter for purpose in found.values() for letter in purpose or "" if ord(letter) > 127)
    assert {"’", "“", "”", "–"} <= set(letters), "what has a place of its own in Windows-1252 only"
    assert not {"\ufffd", "\x92", "\x96"} & set(letters)


def test_stamps_of_an_american_file_are_read_by_its_own_words(bench, shared_data):
    calls = source(
        "calls",
        "PrimaryUnit",
        Column("PrimaryUnit", "text"),
        Column("CallTime", "instant", format="%m/%d/%Y %H:%M:%S"),
        Column("FirstArrive", "instant", format="%m/%d/%Y %H:%M:%S", not_before="CallTime"),
    )
    report = run_source(bench.desk, calls, Asked(file=shared_data("boone_ems_2016/calls.csv.gz")))
    assert report.read == 11_652
    assert any("FirstArrive is before CallTime" in sentence for sentence in report.rejections)
    assert not any("is not a date" in sentence for sentence in report.rejections)


def test_an_offset_that_begins_in_the_middle_of_a_file_and_cells_of_two_lines(bench, shared_data):
    crimes = source(
        "crimes",
        "INCIDENT_NUMBER",
        Column("INCIDENT_NUMBER", "text"),
        Column("OCCURRED_ON_DATE", "instant", stamps="local"),
        Column("CATEGORY", "text"),
    )
    report = run_source(
        bench.desk, crimes, Asked(file=shared_data("boston_crime_2020_2024/incidents.csv.gz"))
    )
    assert report.read == 48_444
    assert not any("OCCURRED_ON_DATE" in sentence for sentence in report.rejections)
    hours = Counter(row[1][11:16] for row in bench.records(crimes).values())
    assert hours.most_common(2)[0][0] in ("04:00", "05:00"), "midnight in Boston, where the hour is not known"


def test_appeals_with_the_first_day_of_a_database_are_refused_for_that(bench, shared_data):
    appeals = source(
        "appeals",
        "boa_apno",
        Column("boa_apno", "text"),
        Column("submitted_date", "day"),
        Column("received_date", "day"),
        Column("final_decision_date", "day", not_before="submitted_date"),
    )
    report = run_source(bench.desk, appeals, Asked(file=shared_data("boston_zba_appeals/appeals.csv.gz")))
    assert report.read == 9_100
    assert any(
        "received_date is outside the years 1800 to 2200" in sentence for sentence in report.rejections
    )
    assert any("final_decision_date is before submitted_date" in one for one in report.rejections)


def test_ambulance_clocks_that_nobody_believes_are_refused_and_counted_by_reason(bench, shared_data):
    """Arrivals within three seconds were filled in later; some come before the call, some hours after."""
    words = {"type": "instant", "format": "%m/%d/%Y %H:%M:%S"}
    minutes = Column(
        "minutes", "number", expression="minutes_between(CallTime, FirstArrive)", min=0.05, max=60
    )
    calls = source(
        "calls",
        "LastClear",
        Column("LastClear", "text"),
        Column("CallTime", **words),
        Column("FirstArrive", **words),
        minutes,
    )
    report = run_source(bench.desk, calls, Asked(file=shared_data("boone_ems_2016/calls.csv.gz")))
    assert report.read == report.new + report.changed + report.unchanged + report.rejected == 11_652
    by_reason = {one.split(" (first")[0] for one in report.rejections}
    assert any("minutes is less than 0.05" in one for one in by_reason)
    assert any("minutes is more than 60" in one for one in by_reason)
    kept = [row[-1] for row in bench.records(calls).values()]
    assert all(value is None or 0.05 <= value <= 60 for value in kept)
    assert sum(value is None for value in kept) > 1000


def test_offsets_that_were_wrong_up_to_a_day_are_read_as_declared(bench, shared_data):
    at = Column("OCCURRED_ON_DATE", "instant", stamps="utc", local_until=date(2022, 12, 31))
    crimes = source("crimes", "INCIDENT_NUMBER", Column("INCIDENT_NUMBER", "text"), at)
    file = shared_data("boston_crime_2020_2024/incidents.csv.gz")
    run_source(bench.desk, crimes, Asked(file=file))
    hours = {before: Counter() for before in (True, False)}
    for row in bench.records(crimes).values():
        hours[row[1] < "2023-01-01T05"][row[1][11:16]] += 1
    assert hours[True].most_common(2)[0][0] in ("04:00", "05:00"), "midnight in Boston"
    assert hours[False].most_common(1)[0][0] == "00:00", "midnight in UTC, as it is written"


@pytest.mark.matrix
@pytest.mark.parametrize("protocol", ["socrata", "arcgis"])
def test_boston_311_by_any_protocol_is_the_same_as_by_its_file(bench, shared_data, boston, protocol):
    """With a server that caps its pages, drops a connection, stumbles, and loses its order."""
    path = shared_data("boston_311_2026/cases.csv.gz")
    server, place, mark = PROTOCOLS[protocol]
    stand_in = server()
    stand_in.cap = 7000
    stand_in.rows.key = "case_id"
    stand_in.rows.fill(rows_of(path), mark)
    for number, fault in enumerate(("drops", "503", "unordered", "repeats"), 2):
        stand_in.plays(fault, on=number)
    with serving(stand_in):
        options = {**place, "url": stand_in.address + place.get("url", "")}
        source = replace(boston, kind=protocol, options=options)
        report = run_source(bench.desk, source)
        assert (report.new, report.rejected) == (38_971, 0), report.message
    report = run_source(bench.desk, source, Asked(file=path))
    assert (report.new, report.changed, report.unchanged) == (0, 0, 38_971)


@pytest.mark.matrix
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_boston_311_by_a_database_is_the_same_as_by_its_file(
    bench, shared_data, boston, new_database, monkeypatch, engine
):
    path = shared_data("boston_311_2026/cases.csv.gz")
    rows = rows_of(path)
    names = list(rows[0])
    database = create_engine(new_database(engine))
    words = ", ".join(f'"{name}"' for name in names)
    with database.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE cases ({', '.join(f'{one} TEXT' for one in words.split(', '))})"
        )
        values = ", ".join(f":{name}" for name in names)
        connection.execute(text(f"INSERT INTO cases ({words}) VALUES ({values})"), rows)
    monkeypatch.setenv("BOSTON", database.url.render_as_string(hide_password=False))
    database.dispose()
    there = replace(boston, kind="sql", options={"url_env": "BOSTON", "table": "cases", "page_rows": 5000})
    assert run_source(bench.desk, there).new == 38_971
    again = run_source(bench.desk, there, Asked(file=path))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 38_971)


@pytest.mark.matrix
def test_boston_311_by_open311_is_the_same_as_by_its_file(bench, shared_data, boston):
    """The fields the protocol has: id, opening, closing, kind of request and state."""
    names = {
        "case_id": open311.ID,
        "open_date": "requested_datetime",
        "close_date": "closed_datetime",
        "service_name": "service_name",
        "case_status": "status",
    }
    columns = [replace(one, aliases=(names[one.name],)) for one in boston.columns if one.name in names]
    path = shared_data("boston_311_2026/cases.csv.gz")
    with serving(open311.Open311(cap=1000)) as server:
        for row in rows_of(path):
            if row["open_date"]:
                fields = {name: row[old] for old, name in names.items()}
                server.put(row["case_id"], row["open_date"], **fields)
        options = {"url": f"{server.address}/open311/v2"}
        there = replace(
            boston, kind="open311", columns=tuple(columns), options=options, begins=date(2025, 8, 1)
        )
        report = run_source(bench.desk, there)
    assert (report.new, report.rejected) == (38_971 - 233, 0), report.message
    again = run_source(bench.desk, there, Asked(file=path))
    # Three are closed and nobody knows when: the protocol's last update stands for that, the file is silent.
    assert (again.new, again.changed, again.unchanged) == (233, 3, 38_971 - 233 - 3)
