"""Workbooks, JSON, Parquet and packed files give the cells that the same table has as text."""

from __future__ import annotations

import gzip
import io
import json
import sys
import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from ingest.contract import Page, SourceError
from ingest.parse import Parser
from ingest.sources import json_lines
from ingest.sources.headers import Layout, Trim, joined
from ingest.sources.json_lines import json_pages
from ingest.sources.parquet import PACKAGE
from ingest.sources.tables import pages
from metrics.model import Column, Source

SOURCE = Source(id="cases", name="Cases", kind="file", key="id", columns=(Column("id", "text"),))
TEXT = "id\tname\n00123\tBaum, gefällt\nb\tStraße\n"
ROWS = [["00123", "Baum, gefällt"], ["b", "Straße"]]


def table(path, **layout):
    found = list(pages(path, path.name, SOURCE, Layout(**layout)))
    return found[0].columns, [list(row) for page in found for row in page.rows]


def complaint(path, largest=1_000_000, **layout):
    with pytest.raises(SourceError) as caught:
        list(pages(path, path.name, SOURCE, Layout(**layout), largest=largest))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zipped(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def workbook(path: Path, rows, **more) -> Path:
    book = openpyxl.Workbook()
    book.epoch = more.get("epoch", book.epoch)
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


# --- text ------------------------------------------------------------------------------------------


def test_a_file_with_tabs_is_a_table(tmp_path):
    path = tmp_path / "cases.tsv"
    path.write_text(TEXT)
    assert table(path) == (("id", "name"), ROWS)


def test_lines_of_a_merged_header_become_one_name_a_column(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text("Report\nCase,,Dates,\nid,topic,opened,closed\na,b,c,d\n")
    assert table(path, header_row=2, header_rows=2) == (
        ("Case id", "Case topic", "Dates opened", "Dates closed"),
        [["a", "b", "c", "d"]],
    )


def test_a_cell_merged_downwards_names_its_own_column_only():
    assert joined([["id", "", "Dates", ""], ["", "topic", "opened", "closed"]]) == (
        "id",
        "topic",
        "Dates opened",
        "Dates closed",
    )


def test_total_rows_are_left_out_or_end_the_table_and_are_counted(tmp_path):
    page = Page(("id", "n"), [["a", "1"], ["Subtotal A", "1"], ["b", "2"], [" TOTAL", "3"], ["note", ""]])
    trim = Trim(end_at="total*", leave_out="subtotal*")
    [found] = trim.pages([page])
    assert (found.rows, found.all_lines()) == ([["a", "1"], ["b", "2"]], [1, 3])
    assert trim.notes() == ["3 rows that are no records were passed over"]


def test_the_end_of_one_sheet_is_not_the_end_of_the_next():
    first, more = Page(("id",), [["a"], ["Total"]], place="1"), Page(("id",), [["x"]], place="1")
    found = Trim(end_at="Total*").pages([first, more, Page(("id",), [["b"]], place="2")])
    assert [page.rows for page in found] == [[["a"]], [], [["b"]]]


# --- workbooks -------------------------------------------------------------------------------------


def test_dates_are_the_same_days_whichever_year_a_workbook_counts_from(tmp_path):
    day = datetime(2026, 7, 6, 6, 30)
    since_1900 = workbook(tmp_path / "1900.xlsx", [["id", "at"], ["a", day]])
    since_1904 = workbook(tmp_path / "1904.xlsx", [["id", "at"], ["a", day]], epoch=CALENDAR_MAC_1904)
    assert table(since_1900) == table(since_1904) == (("id", "at"), [["a", "2026-07-06 06:30:00"]])


def test_ids_keep_their_zeros_as_text_and_numbers_have_no_point_zero(tmp_path):
    path = workbook(tmp_path / "cases.xlsm", [["id", "n"], ["00123", 12.0], [123, 2.5]])
    assert table(path)[1] == [["00123", "12"], ["123", "2.5"]]


def test_several_sheets_are_read_by_a_pattern_each_with_its_place(tmp_path):
    book = openpyxl.Workbook()
    for name, key in (("2025", "a"), ("2026", "b"), ("Notes", "c")):
        sheet = book.create_sheet(name)
        sheet.append(["id"])
        sheet.append([key])
    book.save(tmp_path / "cases.xlsx")
    found = list(pages(tmp_path / "cases.xlsx", "cases.xlsx", SOURCE, Layout(sheet="20*")))
    assert [(page.place, page.rows) for page in found] == [
        ("cases.xlsx, sheet 2025", [["a"]]),
        ("cases.xlsx, sheet 2026", [["b"]]),
    ]


ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="Data">
<table:table-row><table:table-cell office:value-type="string"><text:p>id</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>n</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>at</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>00123</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="12"><text:p>12.00</text:p></table:table-cell>
<table:table-cell office:value-type="date" office:date-value="2026-07-06T06:30:00"><text:p>x</text:p>
</table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>b</text:p></table:table-cell>
<table:table-cell table:number-columns-repeated="16383"/></table:table-row>
<table:table-row table:number-rows-repeated="1048573"><table:table-cell
 table:number-columns-repeated="16384"/></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""


def ods(path: Path) -> Path:
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped(
        path, {"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": ODS.replace("\n", "")}
    )


def test_a_workbook_of_libreoffice_is_read(tmp_path):
    columns, rows = table(ods(tmp_path / "cases.ods"))
    assert columns == ("id", "n", "at")
    assert rows == [["00123", "12", "2026-07-06 06:30:00"], ["b", "", ""]]


FAR = 'r="XFD1048576"'


@pytest.mark.parametrize("written", [FAR, FAR.replace('"', "'"), FAR.replace("=", " ="), f"\n{FAR}"])
def test_a_cell_far_away_is_refused_however_it_is_written(tmp_path, written):
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.cell(row=1_048_576, column=16_384, value="x")
    book.save(tmp_path / "far.xlsx")
    with zipfile.ZipFile(tmp_path / "far.xlsx") as packed:
        inside = {name: packed.read(name).decode() for name in packed.namelist()}
    assert FAR in inside["xl/worksheets/sheet1.xml"]
    inside["xl/worksheets/sheet1.xml"] = inside["xl/worksheets/sheet1.xml"].replace(FAR, written)
    said = complaint(zipped(tmp_path / "written.xlsx", inside))
    assert "too large to be read" in said and "delete the cells far away" in said


# --- JSON ------------------------------------------------------------------------------------------


def test_json_lines_keep_digits_and_name_what_is_inside(tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text(
        '{"id": "00123", "n": 12.0, "at": {"lon": -71.10, "lat": null}}\n\n{"id": 7, "new": true, "l": [1]}\n'
    )
    columns, rows = table(path)
    assert columns == ("id", "n", "at.lon", "at.lat", "new", "l")
    assert rows == [["00123", "12", "-71.10", None, None, None], ["7", None, None, None, "true", '["1"]']]


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_that_is_no_object_costs_only_itself(tmp_path, packed):
    text = b'{"id": "a"}\nnonsense\n[1]\n' + b"[" * 100_000 + b'\n{"id": "b"}\n'
    path = tmp_path / "cases.jsonl"
    path.write_bytes(gzip.compress(text) if packed else text)
    [page] = pages(path, path.name, SOURCE, Layout())
    assert (page.rows, page.all_lines()) == ([["a"], ["b"]], [1, 5])
    assert [(one.line, one.reason) for one in page.unreadable] == [
        (2, "is not JSON"),
        (3, "is not an object"),
        (4, "is not JSON"),
    ]


def test_a_list_of_objects_is_a_table_too_and_a_damaged_one_is_said(tmp_path):
    path = tmp_path / "cases.json"
    path.write_text('\ufeff[\n{"id": "a"},\n{"id": "b"}]')
    assert table(path)[1] == [["a"], ["b"]]
    path.write_text('[{"id": "a"},')
    assert "cases.json is not JSON (" in complaint(path)


@pytest.mark.parametrize("step", [1, 2, 7, 1 << 20])
def test_a_list_is_the_same_however_much_of_it_is_seen_at_once(tmp_path, monkeypatch, step):
    monkeypatch.setattr(json_lines, "_SEEN_AT_ONCE", step)
    path = tmp_path / "cases.json"
    rows = [{"id": "00123", "n": 12.5, "at": {"lon": -71}}, {"id": 'é " ]', "l": [1, {}]}, {"id": "c"}]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1))
    assert table(path)[1] == [
        ["00123", "12.5", "-71", None], ['é " ]', None, None, '["1", {}]'], ["c", None, None, None]
    ]  # fmt: skip
    path.write_text(" [ ] ")
    assert list(json_pages(path, path.name)) == []
    path.write_text("[12, 3]")
    assert [one.text for one in next(json_pages(path, path.name)).unreadable] == ["12", "3"]
    for wrong, said in (
        ("[{} {}]", "there is no ], at sign 5"),
        ('[{"id": 1},\n]', "Expecting value, at sign 13"),
        ("[1]\n[2]", "something stands behind the end of the list, at sign 5"),
        ('[{"id": tru}]', "Expecting value, at sign 9"),
    ):
        path.write_text(wrong)
        with pytest.raises(SourceError) as caught:
            list(json_pages(path, path.name))
        assert str(caught.value) == f"cases.json is not JSON ({said}); save it again."


def test_a_list_of_very_many_empty_rows_needs_the_memory_of_one_page(tmp_path, monkeypatch):
    monkeypatch.setattr(json_lines, "_SEEN_AT_ONCE", 1000)
    monkeypatch.setattr(json_lines, "PAGE_ROWS", 100)
    path = tmp_path / "cases.json"
    path.write_text("[" + "{}," * 30_000 + "{}]")
    tracemalloc.start()
    try:
        found = sum(len(page.rows) for page in json_pages(path, path.name))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # All of them at once are 30 001 objects of 64 bytes.
    assert found == 30_001 and most < 1_000_000
    with pytest.raises(SourceError, match="the column id is missing"):
        Parser(SOURCE, "UTC", ("id",)).parse(next(json_pages(path, path.name)))


# --- Parquet ---------------------------------------------------------------------------------------


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "year=2026" / "cases[1].parquet"
    path.parent.mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT '00123' AS id, 12.0::DOUBLE AS n, 1.10::DECIMAL(5, 2) AS paid, "
            "DATE '1753-01-01' AS day, "
            "TIMESTAMP '2026-07-06 06:30:51.879147' AS at, "
            "TIMESTAMPTZ '2026-07-06 06:30:51+00' AS utc, true AS yes "
            f"UNION ALL SELECT 'b', 2.5, NULL, NULL, NULL, NULL, NULL) TO '{tmp_path}/made' (FORMAT parquet)"
        )
    (tmp_path / "made").rename(path)
    return path


def test_parquet_gives_the_cells_a_text_file_would_have(parquet):
    columns, rows = table(parquet)
    assert columns == ("id", "n", "paid", "day", "at", "utc", "yes")
    assert rows == [
        ["00123", "12", "1.10", "1753-01-01", "2026-07-06 06:30:51.879147", "2026-07-06 06:30:51+00", "true"],
        ["b", "2.5", None, None, None, None, None],
    ]


def test_a_damaged_parquet_file_is_said_in_one_line(parquet):
    parquet.write_bytes(parquet.read_bytes()[:200])
    assert "is no Parquet file that can be read" in complaint(parquet)


def test_without_duckdb_the_fix_is_one_command(parquet, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert f"DuckDB is needed; install it (.venv/bin/python -m pip install {PACKAGE}), or save" in (
        complaint(parquet)
    )


# --- packed ----------------------------------------------------------------------------------------


def test_a_zip_file_with_one_table_is_that_table(tmp_path):
    path = zipped(tmp_path / "cases.zip", {"out/cases.tsv": TEXT, "__MACOSX/out/._cases.tsv": b"\x00"})
    [page] = pages(path, "cases.zip", SOURCE, Layout())
    assert ([list(row) for row in page.rows], page.place) == (ROWS, "cases.zip/out/cases.tsv")


def test_of_several_tables_a_name_or_pattern_says_which(tmp_path):
    files = {"b.csv": "id\nb\n", "deep/a.csv": "id\na\n", "readme.txt": "Hello"}
    path = zipped(tmp_path / "cases.zip", files)
    assert 'write member = "…", one or a pattern: b.csv, deep/a.csv, readme.txt' in complaint(path)
    assert table(path, member="*.CSV")[1] == [["b"], ["a"]]
    assert table(path, member="a.csv")[1] == [["a"]]
    assert "has no file like *.xls inside; its files are: b.csv" in complaint(path, member="*.xls")


def test_workbooks_and_packed_texts_may_be_inside(tmp_path):
    book = workbook(tmp_path / "cases.xlsx", [["id"], ["a"]]).read_bytes()
    path = zipped(tmp_path / "cases.zip", {"1.xlsx": book, "2.csv.gz": gzip.compress(b"id\nb\n")})
    assert table(path, member="*")[1] == [["a"], ["b"]]
    packed = tmp_path / "cases.xlsx.gz"
    packed.write_bytes(gzip.compress(book))
    assert table(packed)[1] == [["a"]]


def test_a_file_packed_twice_is_refused(tmp_path):
    inner = zipped(tmp_path / "inner.zip", {"a.csv": TEXT}).read_bytes()
    assert "is a zip file inside another" in complaint(zipped(tmp_path / "outer.zip", {"inner.zip": inner}))
    twice = tmp_path / "twice.gz"
    twice.write_bytes(gzip.compress(gzip.compress(b"id\na\n")))
    assert "is packed twice" in complaint(twice)


BOMB = "id\n" + "0" * 3_000_000 + "\n"


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.csv.gz", "bomb.xlsx", "bomb.csv", "bomb.jsonl.gz"])
def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path, name):
    path = tmp_path / name
    if name.endswith(("zip", "xlsx")):
        inside = "xl/worksheets/sheet1.xml" if name.endswith("xlsx") else "bomb.csv"
        zipped(path, {inside: BOMB, "[Content_Types].xml" if name.endswith("xlsx") else ".hidden": ""})
    elif name.endswith("gz"):
        path.write_bytes(gzip.compress((BOMB if "csv" in name else f'{{"id": "{BOMB.strip()}"}}').encode()))
    else:
        path.write_text(BOMB)
    assert path.stat().st_size < 10_000 or name == "bomb.csv"
    assert "has more than 1 MB, unpacked where it was packed; if that is right, set FILE_MEGABYTES" in (
        complaint(path)
    )


def test_a_zip_file_that_lies_about_its_size_is_damaged(tmp_path):
    """The size in the list of contents is made smaller than what unpacks."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", BOMB)
    lying = content.getvalue().replace(len(BOMB).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    path = tmp_path / "lying.zip"
    path.write_bytes(lying)
    assert "is a damaged zip file or workbook (Bad CRC-32" in complaint(path)


def test_a_locked_zip_file_is_said_to_be_locked(tmp_path):
    path = zipped(tmp_path / "locked.zip", {"a.csv": TEXT})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    assert "a.csv is locked by a password; pack it without one" in complaint(path)
