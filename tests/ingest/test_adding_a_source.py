"""What docs/adding_a_source.md says is what happens."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import tomllib
from argparse import ArgumentParser
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest

from ingest import entry_command, registry
from ingest.contract import SourceError
from ingest.run import Asked, run_source
from ingest.sources import arcgis, ckan, file, manual, open311, push, socrata, sql
from metrics import catalogue
from store import records
from tests.ingest.old_workbook import write_xls
from tests.ingest.shelf import shelf
from tests.ingest.stand_ins.arcgis import ArcGis
from tests.ingest.stand_ins.ckan import Table
from tests.ingest.stand_ins.frame import serving
from tests.ingest.stand_ins.open311 import Open311
from tests.ingest.stand_ins.socrata import FIRST, Socrata
from tests.ingest.test_formats import ods, workbook, zipped

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding_a_source.md"
ROWS = """Permit No.,APPLIED_AT,due_on,changed_at,issued_at,outcome,clerk
P-1,07/06/2026 01:30 PM,2026-07-20,,2026-07-08 09:00,granted,Kim
P-2,07/07/2026 09:00 AM,2026-07-21,,2026-07-06 09:00,granted,Kim
"""


@pytest.fixture
def text() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture
def example(text, bench):
    """The source of the page that has this id, as the catalogue reads it; no example has a mistake."""
    folder = bench.folder / "testville"
    (folder / "sources").mkdir(parents=True)
    (folder / "city.toml").write_text('id = "test"\nname = "Testville"\ntime_zone = "America/New_York"\n')
    for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        (folder / "sources" / f"{tomllib.loads(block)['id']}.toml").write_text(block)
    assert [mistake for mistake in catalogue.check(folder) if mistake.level == "error"] == []
    return catalogue.load(folder).sources.__getitem__


def test_the_example_is_a_source_without_mistakes_that_reads_a_file(example, bench):
    source = example("parking_permits")
    report = run_source(bench.desk, source, Asked(file=bench.file("export.csv", ROWS)))
    assert (report.new, report.rejected) == (1, 1)
    assert report.message == "columns not declared, not kept: clerk"
    assert "issued_at is before applied_at" in report.rejections[0]
    assert bench.records(source)["P-1"][1] == "2026-07-06T17:30:00.000000Z"


TREES = [["id", "at"], ["00123", "2026-07-06T06:30:00"], ["b", ""]]


def in_parquet(path):
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE trees (id VARCHAR, "at" VARCHAR)')
        connection.executemany("INSERT INTO trees VALUES (?, ?)", TREES[1:])
        connection.execute(f"COPY trees TO '{path}' (FORMAT parquet)")


def separated(sign):
    return "".join(f"{sign.join(row)}\n" for row in TREES)


def objects():
    return [dict(zip(TREES[0], row, strict=True)) for row in TREES[1:]]


FORMS = {
    "csv": lambda path: path.write_text(separated(",")),
    "tsv": lambda path: path.write_text(separated("\t")),
    "csv.gz": lambda path: path.write_bytes(gzip.compress(separated(",").encode())),
    "zip": lambda path: zipped(path, {"inside.csv": separated(",")}),
    "json": lambda path: path.write_text(json.dumps(objects())),
    "jsonl": lambda path: path.write_text("".join(f"{json.dumps(one)}\n" for one in objects())),
    "xlsx": lambda path: workbook(path, TREES),
    "xlsm": lambda path: workbook(path, TREES),
    "xls": lambda path: write_xls(path, "Data", TREES),
    "ods": ods,
    "parquet": in_parquet,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_example_of_trees_is_read_in_every_form(example, bench, form):
    FORMS[form](bench.folder / f"trees.{form}")
    report = run_source(bench.desk, example("trees"))
    assert (report.new, report.rejected) == (2, 0), report.message
    found = {key: row[1] for key, row in bench.records(example("trees")).items()}
    assert found == {"00123": "2026-07-06T10:30:00.000000Z", "b": None}


def test_the_example_of_trees_is_read_from_an_address(example, bench):
    source = example("trees")
    with shelf() as here:
        here.files["trees.csv"] = separated(",").encode()
        report = run_source(bench.desk, replace(source, options={"path": f"{here.address}/trees.csv"}))
    assert (report.new, report.rejected) == (2, 0), report.message


def test_the_example_of_a_pushed_source_takes_a_delivery(example, bench):
    rows = '[{"inspection_no": 7, "requested_at": "2026-07-01T09:00"}]'
    assert run_source(bench.desk, example("inspections"), Asked(file=bench.file("a.json", rows))).new == 1


def test_the_example_of_a_manual_source_takes_a_value(example, bench):
    parser = ArgumentParser()
    entry_command.add_parsers(parser.add_subparsers())
    words = ["enter", "library_doors", "--day", "2026-07-01", "--set", "branch=main", "--value", "412"]
    done = entry_command.run(
        bench.desk, example("library_doors"), parser.parse_args([*words, "--by", "Kim"]), ()
    )
    assert [one.line() for one in done.difference.changes] == ["2026-07-01/main: new: visits 412"]


def at(source, stand_in):
    """A source of the page, read from a stand-in for its server."""
    assert source.options["url"].startswith("https://")
    place = urlsplit(source.options["url"]).path
    return replace(source, options={**source.options, "url": stand_in.address + place})


def test_the_example_of_a_ckan_source_is_read(example, bench, ckan):
    opened = "2026-08-16T10:00:00"
    for id_, name in (("r1", "Cases, last year"), ("r2", "Cases, this year (2026)")):
        ckan.tables[id_] = Table(id_, [{"case_id": id_, "opened": opened, "closed": None}], name)
    report = run_source(bench.desk, at(example("requests"), ckan))
    assert (report.new, report.rejected) == (1, 0), report.message
    assert list(bench.records(example("requests"))) == ["r2"]


def test_the_example_of_a_socrata_source_is_read(example, bench):
    with serving(Socrata()) as portal:
        portal.rows.fill([{"id": "a", "opened": "2026-08-16T10:00:00.000", "topic": "Sign"}], FIRST)
        report = run_source(bench.desk, at(example("service_requests"), portal))
    assert (report.new, report.rejected, report.message) == (1, 0, "missing columns, taken as empty: closed")


def test_the_example_of_an_arcgis_source_is_read(example, bench):
    with serving(ArcGis()) as server:
        server.rows.put({"id": "a", "opened": 1_785_900_000_000, "closed": None, "topic": "Pothole"}, 1)
        report = run_source(bench.desk, at(example("potholes"), server))
    assert (report.new, report.rejected) == (1, 0), report.message


def test_the_example_of_an_open311_source_is_read(example, bench):
    with serving(Open311()) as server:
        server.put("a", "2026-08-16T10:00:00Z", "2026-08-17T10:00:00Z", status="closed")
        report = run_source(bench.desk, at(example("requests_311"), server))
    assert (report.new, report.rejected) == (1, 0), report.message


def test_the_example_of_a_sql_source_is_read(example, bench, monkeypatch):
    """SQLite calls a database that is attached as others call a schema; here `main` stands for `dbo`."""
    path = bench.folder / "permits.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE permits (permit_no, applied, issued, changed)")
        row = ("P-1", "2026-08-16 10:00:00", "1753-01-01 00:00:00", "2026-08-16 10:00:00")
        database.execute("INSERT INTO permits VALUES (?, ?, ?, ?)", row)
    monkeypatch.setenv("PERMITS_DATABASE", f"sqlite:///{path}")
    source = example("permits")
    table = source.options["table"].replace("dbo", "main")
    report = run_source(bench.desk, replace(source, options={**source.options, "table": table}))
    assert (report.new, report.rejected, report.message) == (1, 0, "")


def test_a_kind_is_added_in_under_twenty_lines(text):
    _, *examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert {tomllib.loads(block)["kind"] for block in examples} == set(registry.KINDS) - {"simulated"}
    assert [block for block in examples if len(list(filter(None, block.splitlines()))) >= 20] == []


def test_the_example_of_calls_makes_its_key_and_refuses_clocks_that_lie(example, bench):
    clock = "07/01/2026 12:{}".format
    rows = [("M1", "12:00"), ("M2", "00:02"), ("M3", "45:00")]
    text = "CallTime,FirstArrive,Unit\n" + "".join(
        f"{clock('00:00')},{clock(arrived)},{unit}\n" for unit, arrived in rows
    )
    source = example("ambulance_calls")
    report = run_source(bench.desk, source, Asked(file=bench.file("calls.csv", text)))
    assert (report.new, report.rejected) == (2, 1)
    assert "arrive is within 3 seconds of call" in report.rejections[0]
    assert list(bench.records(source)) == [f"07\\/01\\/2026 12:00:00/{unit}" for unit in ("M1", "M3")]


def test_the_example_of_permits_reads_the_names_of_the_standard_and_of_the_city(example, bench):
    bench.file("permits.csv", "boa_apno,AppliedDate,StatusCurrent,OriginalZip\nBOA1,2026-07-01,Closed,2125\n")
    source = example("building_permits")
    assert run_source(bench.desk, source).new == 1
    record = dict(zip(records.stage_columns(source), bench.records(source)["BOA1"], strict=True))
    assert (record["applied_date"], record["status_current"]) == ("2026-07-01", "Closed")
    assert record["original_zip"] == "02125"


def test_every_kind_and_every_option_is_on_the_page(text):
    kinds = (file, ckan, push, manual, socrata, arcgis, open311, sql)
    options = [word for one in kinds for word in one.Options.model_fields]
    for word in (*registry.KINDS, *options):
        assert f"`{word}`" in text or f"**{word}**" in text


def test_an_unknown_kind_is_answered_with_the_known_ones():
    with pytest.raises(SourceError, match=", ".join(sorted(registry.KINDS))):
        registry.kind("fax")
