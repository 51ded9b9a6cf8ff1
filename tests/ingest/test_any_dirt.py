"""Every reader takes any dirt: nothing breaks out of a run, and every row that came is counted."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from xml.sax.saxutils import escape

import httpx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import answers, http
from ingest.contract import SourceError
from ingest.run import Asked, run_source
from ingest.sources import drivers, geo_report
from ingest.sources.json_lines import json_pages
from tests.ingest.conftest import CASES

duckdb = pytest.importorskip("duckdb")

FEW = pytest.param(5, id="few")
MANY = pytest.param(150, marks=pytest.mark.matrix, id="many")
DATASET, LAYER = "abcd-1234", "/arcgis/rest/services/Cases/FeatureServer/0"
OPENED = datetime(2026, 8, 10, 12, tzinfo=UTC)
PAGE = 3
NAMES = ("id", "opened", "closed", "topic", "amount")

words = st.sampled_from(
    [
        "a",
        "b",
        "",
        " ",
        "2026-08-17 10:00",
        "2026-02-30",
        "1753-01-01",
        "1e999",
        "nan",
        "\x00",
        "\ud800",
        "<",
        "'",
    ]
)
plain = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | words | st.text(max_size=6)
dirt = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)
keys = st.sampled_from(["a", "b", "c", "", None, 7]) | dirt
cells = st.fixed_dictionaries({"id": keys}, optional=dict.fromkeys(NAMES[1:], dirt) | {"other": dirt})
tables = st.lists(cells, max_size=8)


# --- servers ---------------------------------------------------------------------------------------


class Server:
    """Answers of one protocol over some rows, whatever is in them; spoiled: what is done to one answer."""

    options: Mapping[str, object]

    def __init__(self, rows):
        self.rows = list(enumerate(rows, 1))
        self.asked = 0
        self.spoiled = {}

    def __call__(self, request):
        self.asked += 1
        answer = self.respond(request.url.path, self.parameters(request))
        spoil = self.spoiled.get(self.asked)
        return httpx.Response(200, content=self.written(spoil(answer) if spoil else answer))

    def parameters(self, request):
        return dict(httpx.QueryParams(request.content.decode())) | dict(request.url.params)

    def written(self, answer):
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def distinct(self):
        """How many rows a run has to account for."""
        return len(self.rows)


class Ckan(Server):
    kind, options = "ckan", {"url": "https://a.gov", "resources": ["r1"], "page_size": PAGE}

    def respond(self, path, given):
        if path.endswith("resource_show"):
            return {
                "success": True,
                "result": {"id": "r1", "name": "Cases", "last_modified": f"{len(self.rows)}"},
            }
        offset, limit = int(given["offset"]), int(given["limit"])
        records = [{"_id": number, **row} for number, row in self.rows]
        fields = [{"id": name} for name in ("_id", *NAMES)]
        page = {"fields": fields, "records": records[offset : offset + limit], "total": len(records)}
        return {"success": True, "result": page}


class Socrata(Server):
    kind, options = "socrata", {"url": "https://a.gov", "dataset": DATASET, "page_size": PAGE}

    def respond(self, path, given):
        if path.startswith("/api/views"):
            return {"rowsUpdatedAt": 1_787_000_000, "columns": [{"fieldName": one} for one in NAMES]}
        if "count(*)" in given["$select"]:
            return [
                {"newest": "2026-08-17T05:00:00.000Z" if self.rows else None, "total": str(len(self.rows))}
            ]
        after = re.search(r":id > 'row-(\d+)'", given.get("$where", ""))
        left = [row for row in self.rows if row[0] > int(after[1] if after else 0)][: int(given["$limit"])]
        own = ({":id": f"row-{number:06}", ":updated_at": "2026-08-17T05:00:00.000Z"} for number, _ in left)
        return [{**row, **mine} for (_, row), mine in zip(left, own, strict=True)]


class ArcGis(Server):
    kind, options = "arcgis", {"url": f"https://a.gov{LAYER}", "page_size": PAGE, "geometry": True}

    def respond(self, path, given):
        if path == LAYER:
            types = {"OBJECTID": "OID", "opened": "Date", "closed": "Date", "amount": "Double"}
            fields = [
                {"name": one, "type": f"esriFieldType{types.get(one, 'String')}"}
                for one in ("OBJECTID", *NAMES)
            ]
            return {"fields": fields, "objectIdField": "OBJECTID", "maxRecordCount": PAGE}
        if "returnIdsOnly" in given:
            return {"objectIds": [number for number, _ in self.rows] or None}
        wanted = set(map(int, given["objectIds"].split(",")))
        features = [
            {"attributes": {**row, "OBJECTID": number}} for number, row in self.rows if number in wanted
        ]
        return {"features": features}


class Open311(Server):
    kind, options = "open311", {"url": "https://a.gov/v2"}

    def respond(self, path, given):
        return [row for number, row in self.rows if self._is_asked(number, row, given)]

    def _is_asked(self, number, row, given):
        if "start_date" not in given:
            return row.get("service_request_id") in given.get("service_request_id", "").split(",")
        ends = (datetime.fromisoformat(given[one]) for one in ("start_date", "end_date"))
        return next(ends) <= OPENED + number * timedelta(hours=3) <= next(ends)

    def distinct(self):
        return len({json.dumps(row, sort_keys=True) for _, row in self.rows})


class Xml(Open311):
    kind, options = "open311", {**Open311.options, "format": "xml"}

    def written(self, answer):
        if isinstance(answer, bytes):
            return answer
        rows = answer if isinstance(answer, list) else [answer]
        return f"<service_requests>{''.join(map(element, rows))}</service_requests>".encode(
            "utf-8", "replace"
        )

    def distinct(self):
        texts = [{name: text.strip() for name, text in row.items()} for _, row in self.rows]
        return len({json.dumps(row, sort_keys=True) for row in texts})


def element(row):
    pairs = row.items() if isinstance(row, dict) else [("said", row)]
    return f"<request>{''.join(f'<{name}>{escape(str(value))}</{name}>' for name, value in pairs)}</request>"


def as_requests(rows):
    names = {
        "id": "service_request_id",
        "opened": "requested_datetime",
        "closed": "closed_datetime",
        "topic": "service_name",
    }
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]


signs = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffe\uffff"
    ),
    max_size=6,
)
texts = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(["a", "b", "2026-08-17T10:00:00Z"]) | signs, min_size=1
)
PROTOCOLS = {
    "ckan": (Ckan, tables),
    "socrata": (Socrata, tables),
    "arcgis": (ArcGis, tables),
    "open311": (Open311, tables.map(as_requests)),
    "open311 in XML": (Xml, st.lists(texts, max_size=8).map(as_requests)),
}


def spoiled(answer, seed, instead):
    """The answer with one part of it replaced, or its bytes cut off."""
    chance = Random(seed)
    if chance.random() < 0.5:
        whole = json.dumps(answer).encode()
        return chance.randbytes(chance.randrange(3)) + whole[: chance.randrange(len(whole) + 1)]
    holders = [(None, "", answer)]
    for _, _, inside in holders:
        found = (
            inside.items()
            if isinstance(inside, dict)
            else enumerate(inside)
            if isinstance(inside, list)
            else ()
        )
        holders += [(inside, name, part) for name, part in found]
    holder, name, _ = chance.choice(holders)
    if holder is None:
        return instead
    holder[name] = instead
    return answer


def source_of(server):
    aliases = {
        "id": "service_request_id",
        "opened": "requested_datetime",
        "closed": "closed_datetime",
        "topic": "service_name",
    }
    columns = CASES.columns
    if server.kind == "open311":
        columns = tuple(replace(one, aliases=(aliases.get(one.name, one.name),)) for one in columns)
    return replace(
        CASES,
        kind=server.kind,
        columns=columns,
        closed="closed",
        begins=date(2026, 8, 1),
        options=server.options,
    )


def ran(bench, source, asked):
    """One run, whose row of the ledger and whose records fit together."""
    before = bench.records(source)
    report = run_source(bench.desk, source, asked)
    assert report.outcome in ("succeeded", "failed", "unchanged"), report.message
    assert "The program made a mistake" not in report.message, report.message
    assert report.read == report.new + report.changed + report.unchanged + report.rejected
    if report.outcome == "failed":
        assert bench.records(source) == before
    return report


@pytest.mark.parametrize("examples", [FEW, MANY])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_answer_breaks_out_of_a_run_and_no_row_of_one_is_lost(
    protocol, examples, bench, monkeypatch, waits
):
    kind, rows = PROTOCOLS[protocol]
    serving = {}
    transport = httpx.MockTransport(lambda request: serving["now"](request))
    monkeypatch.setattr(http, "client", lambda contact="": httpx.Client(transport=transport))

    @settings(max_examples=examples, database=None)
    @given(rows, rows, st.integers(1, 5), st.integers(0, 2**32), dirt, st.booleans())
    def check(first, second, number, seed, instead, sweep):
        serving["now"] = server = kind(first)
        source = source_of(server)
        report = ran(bench, source, Asked(accept_fewer=True))
        assert (report.outcome, report.read) == ("succeeded", server.distinct()), report.message
        serving["now"] = server = kind(second)
        server.spoiled[number] = lambda answer: spoiled(answer, seed, instead)
        ran(bench, source, Asked(sweep=sweep))

    check()


@pytest.mark.parametrize("depth", [300, 900, 5000])
def test_what_is_nested_without_end_is_a_cell_or_refused_in_words(depth, tmp_path):
    lists, objects = "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth
    element = "<a>" * depth + "</a>" * depth
    for inside in (lists, objects):
        for name, text in (("a.jsonl", '{"id": %s}'), ("a.json", '[{"id": %s}]'), ("b.json", "[{}, %s]")):
            path = tmp_path / name
            path.write_text(text % inside)
            with suppress(SourceError):
                list(json_pages(path, name))
        with suppress(SourceError):
            answers.table(["id"], [answers.parsed(f'{{"id": {inside}}}'.encode(), "here")])
    with suppress(SourceError):
        geo_report.rows_of(f"<requests><request>{element}</request></requests>".encode(), "here")


# --- files, deliveries, databases ------------------------------------------------------------------


def cells_of(row):
    return [row.get(name) for name in NAMES]


def as_text(value):
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def as_csv(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([NAMES, *(map(as_text, cells_of(row)) for row in rows)])
    return len(rows)


def as_json_lines(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return len(rows)


def as_json_list(path, rows):
    path.write_text(json.dumps(rows))
    return len(rows)


def as_workbook(path, rows):
    """Signs that XML cannot have and formulas are left to test_formats."""
    book = openpyxl.Workbook()
    book.active.append(NAMES)
    filled = 0
    for row in rows:
        written = [one if isinstance(one, bool) else held(one) for one in cells_of(row)]
        book.active.append(written)
        filled += any(one not in ("", None) for one in written)
    book.save(path)
    return filled


def held(value):
    if value is None or (isinstance(value, int | float) and abs(value) < 1e300):
        return value
    return re.sub(r"[^ -\ud7ff]", "?", str(value)).removeprefix("=")


def as_parquet(path, rows):
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE cases (id VARCHAR, opened TIMESTAMP, closed VARCHAR, topic VARCHAR, amount DOUBLE)"
        )
        for row in rows:
            id_, _, closed, topic, amount = cells_of(row)
            stamp = OPENED.replace(tzinfo=None) if row.get("opened") else None
            number = float(amount) if isinstance(amount, int | float) else None
            texts = [None if one is None else as_text(one) for one in (id_, closed, topic)]
            connection.execute(
                "INSERT INTO cases VALUES (?, ?, ?, ?, ?)", [texts[0], stamp, *texts[1:], number]
            )
        connection.execute(f"COPY cases TO '{path}' (FORMAT parquet)")
    return len(rows)


FORMS = {
    "CSV": (as_csv, "file", ".csv"),
    "JSON lines": (as_json_lines, "file", ".jsonl"),
    "a JSON list": (as_json_list, "file", ".json"),
    "a workbook": (as_workbook, "file", ".xlsx"),
    "Parquet": (as_parquet, "file", ".parquet"),
    "pushed CSV": (as_csv, "push", ".csv"),
    "pushed JSON": (as_json_list, "push", ".json"),
}


def damaged(content, draw):
    """The bytes with some of them cut out and others put in their place."""
    first = int(draw(st.floats(0, 1)) * len(content))
    return content[:first] + draw(st.binary(max_size=40)) + content[first + draw(st.integers(0, 200)) :]


@pytest.mark.parametrize("examples", [FEW, MANY])
@pytest.mark.parametrize("form", FORMS)
def test_no_file_breaks_out_of_a_run_and_no_row_of_one_is_lost(form, examples, bench):
    write, kind, ending = FORMS[form]
    path = bench.folder / f"cases{ending}"
    source = replace(CASES, kind=kind, options={"path": str(path)} if kind == "file" else {})

    @settings(max_examples=examples, database=None)
    @given(tables, st.data())
    def check(rows, data):
        expected = write(path, rows)
        report = ran(bench, source, Asked(file=path))
        # A file without a row has no header, where rows say what they are called.
        assert report.outcome == "succeeded" or not rows or "is missing" in report.message, report.message
        assert report.read == (expected if report.outcome == "succeeded" else 0)
        path.write_bytes(damaged(path.read_bytes(), data.draw))
        ran(bench, source, Asked(file=path))

    check()


values = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | words.filter(str.isprintable)
    | st.binary(max_size=4)
)
stamps = st.sampled_from(["2026-08-17 10:00:00", "2026-08-18 09:00:00", "2205-01-01", "", None]) | values
records = st.tuples(st.sampled_from(["a", "b", 7, "7", None]) | values, values, stamps, values, values)


@pytest.mark.parametrize("examples", [FEW, MANY])
@pytest.mark.parametrize("modified", [None, "closed"])
def test_no_table_breaks_out_of_a_run_and_no_row_of_one_is_lost(modified, examples, bench, monkeypatch):
    path = bench.folder / "theirs.db"
    monkeypatch.setenv("THEIRS", f"sqlite:///{path}")
    options = {"url_env": "THEIRS", "table": "cases", "page_rows": PAGE}
    source = replace(CASES, kind="sql", modified=modified, options=options)

    def filled(rows):
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("DROP TABLE IF EXISTS cases")
            database.execute(f"CREATE TABLE cases ({', '.join(NAMES)})")
            database.executemany("INSERT INTO cases VALUES (?, ?, ?, ?, ?)", rows)
            return database.execute("SELECT DISTINCT * FROM cases").fetchall()

    @settings(max_examples=examples, database=None)
    @given(st.lists(records, max_size=8), st.lists(records, max_size=8), st.booleans())
    def check(first, second, sweep):
        distinct = {tuple(map(drivers.cell, row)) for row in filled(first)}
        report = ran(bench, source, Asked(accept_fewer=True))
        if report.outcome == "succeeded":
            assert report.read == len(distinct), report.message
        else:
            assert "is no date or time" in report.message or "come again and again" in report.message
        filled(second)
        ran(bench, source, Asked(sweep=sweep))

    check()
