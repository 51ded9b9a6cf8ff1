"""Files of every kind give the same cells, and what is no table is refused with its name and the fix."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import fsspec
import openpyxl
import pytest

from ingest.contract import PAGE_ROWS, ReadRequest, SourceError
from ingest.sources import delimited, file
from ingest.sources.headers import Layout
from ingest.sources.tables import pages
from metrics.model import City, Column, Source
from tests.ingest.old_workbook import write_xls
from tests.ingest.stand_ins.frame import HTML, Answer

CITY = City(id="test", name="Testville", time_zone="America/New_York")
SOURCE = Source(
    id="cases",
    name="Cases",
    kind="file",
    key="id",
    columns=(Column("id", "text"), Column("topic", "text"), Column("amount", "number")),
)
ROWS = [["a", "Pothole", "1"], ["b", "Baum, gefällt", "2"]]
TEXT = 'id,topic,amount\na,Pothole,1\nb,"Baum, gefällt",2\n'


@pytest.fixture
def put(tmp_path):
    def write(content: bytes | str, name: str = "cases.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def table(path, layout=Layout(), source=SOURCE):  # noqa: B008
    """The header, rows and lines of a file, its pages joined."""
    found = list(pages(path, path.name, source, layout))
    rows = [list(row) for page in found for row in page.rows]
    return found[0].columns, rows, [line for page in found for line in page.lines]


def complaint(path, layout=Layout()):  # noqa: B008
    with pytest.raises(SourceError) as caught:
        table(path, layout)
    message = str(caught.value)
    assert message.startswith(path.name)
    assert "\n" not in message
    return message


def read(tmp_path, path, source=SOURCE, **more):
    source = replace(source, options={"path": path, **more.pop("options", {})})
    request = ReadRequest(CITY, datetime(2026, 8, 18, tzinfo=UTC), folder=tmp_path, work=tmp_path, **more)
    return file.read(source, request)


def keys(extract):
    return [row[0] for page in extract.pages for row in page.rows]


# --- encodings and delimiters ----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_is_found_by_itself(put, encoding):
    assert table(put(TEXT.encode(encoding))) == (("id", "topic", "amount"), ROWS, [2, 3])


def test_one_late_byte_decides_for_the_whole_file(put):
    """A row must not be read as UTF-8 when the file turns out to be Windows-1252 a megabyte later."""
    early = f"a,gefÃ¤llt{' ' * 100}\n" * (delimited.CHUNK // 100)
    _, rows, _ = table(put(f"id,topic\n{early}b,it’s\n".encode("cp1252")))
    assert (rows[0][1].strip(), rows[-1]) == ("gefÃ¤llt", ["b", "it’s"])


def test_a_letter_cut_in_two_by_the_reading_is_still_one_letter(put):
    for before in range(3):
        line = "ä" * 500
        _, rows, _ = table(put("id,topic\n" + "x" * before + f"{line},b\n" * (delimited.CHUNK // 900)))
        assert rows[-1] == [line, "b"]


def test_a_wrong_declared_encoding_names_the_byte_the_line_and_the_fix(put):
    path = put(TEXT.encode("cp1252"))
    assert complaint(path, Layout(encoding="utf-8")) == (
        'cases.csv: the byte 0xe4 on line 3 is not utf-8; write encoding = "auto" (or the true one) in the '
        "source's options."
    )


def test_bytes_of_no_known_encoding_are_refused(put):
    assert "the byte 0x81 on line 2 is neither UTF-8 nor Windows-1252" in complaint(
        put(b"id,topic\na,\x81\xe9\n")
    )


@pytest.mark.parametrize("name", ["utf-99", "hex"])
def test_an_encoding_that_does_not_exist_is_said(put, name):
    with pytest.raises(SourceError, match=f"There is no encoding '{name}'"):
        table(put(TEXT), Layout(encoding=name))


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_delimiter_is_found_by_itself(put, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([["id", "topic", "amount"], *ROWS])
    assert table(put(text.getvalue()))[1] == ROWS


def test_the_delimiter_that_gives_declared_names_wins(put):
    columns, _, _ = table(put("id;topic;a,b,c,d,e,f\n1;2;3\n"))
    assert columns == ("id", "topic", "a,b,c,d,e,f")


def test_a_declared_delimiter_is_taken(put):
    assert table(put("id:topic\na:b\n"), Layout(delimiter=":"))[1] == [["a", "b"]]


# --- lines -----------------------------------------------------------------------------------------


def test_a_line_number_is_where_the_row_begins(put):
    path = put('id,topic\r\na,"two\r\nlines"\r\n\r\nb,one\r\n')
    assert table(path)[1:] == ([["a", "two\r\nlines"], ["b", "one"]], [2, 5])


def test_the_header_may_stand_further_down(put):
    columns, rows, lines = table(put("Report of July\n\nid,topic\na,b\n"), Layout(header_row=3))
    assert (columns, rows, lines) == (("id", "topic"), [["a", "b"]], [4])


def test_a_large_file_comes_in_pages_and_loses_no_row(put):
    count = 2 * PAGE_ROWS + 1
    path = put("id\n" + "".join(f"{number}\n" for number in range(count)))
    found = list(pages(path, "cases.csv", SOURCE, Layout()))
    assert [len(page.rows) for page in found] == [PAGE_ROWS, PAGE_ROWS, 1]
    assert found[2].line(0) == count + 1


@pytest.mark.parametrize("bad", ['b,"never closed', 'b,"closed" in a word'])
def test_a_broken_quote_costs_its_own_line_and_no_other(put, bad):
    path = put(f'id,topic\na,"x"\n{bad}\nc,"y"\nd,z\n')
    [page] = pages(path, "cases.csv", SOURCE, Layout())
    assert [row[0] for row in page.rows] == ["a", "c", "d"]
    assert list(page.lines) == [2, 4, 5]
    [refused] = page.unreadable
    assert (refused.line, refused.text, refused.reason) == (3, f"{bad}\n", "has a quote that does not match")


def test_a_cell_of_absurd_length_is_refused_as_that(put):
    path = put("id,topic\na," + "x" * 200_000 + "\nb,c\n")
    [page] = pages(path, "cases.csv", SOURCE, Layout())
    assert page.rows == [["b", "c"]]
    assert page.unreadable[0].reason == "has a cell of more than 131072 characters"


def test_rows_that_each_swallow_all_others_are_given_up(put, monkeypatch):
    monkeypatch.setattr(delimited, "MOST_READ_AGAIN", 5_000)
    assert "too many quotes that do not match" in complaint(put("id,topic\n" + 'a",b,"\n' * 1_000))


def test_a_header_that_is_one_long_cell_is_refused_in_words(put):
    assert "the header has a cell of more than" in complaint(put("x" * 200_000 + "\na\n"))


def test_many_broken_quotes_are_each_refused(put):
    path = put("id,topic\n" + 'x,"open\n' * 2000 + "good,row\n")
    [page] = pages(path, "cases.csv", SOURCE, Layout())
    assert len(page.unreadable) == 2000
    assert page.rows == [["good", "row"]]


# --- what is no table ------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [HTML, b"\n  <html>", b"\xef\xbb\xbf<?xml version='1.0'?>"])
def test_a_web_page_is_not_data(put, page):
    assert "is a web page (HTML or XML), not a table; the address may have moved" in complaint(put(page))


def test_a_packed_web_page_is_not_data_either(put):
    assert "is a web page" in complaint(put(gzip.compress(HTML), "cases.csv.gz"))


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_said_to_be_empty(put, content):
    assert "is empty; ask its publisher" in complaint(put(content))


def test_an_empty_header_is_refused(put):
    assert "has no header on line 1" in complaint(put("\nid,topic\n"))
    assert "has no header on line 9" in complaint(put(TEXT), Layout(header_row=9))


def test_a_header_with_a_broken_quote_is_refused(put):
    assert "line 1: the header has a quote that does not match" in complaint(put('id,"topic\na,b\n'))


def test_a_file_of_some_program_is_refused(put):
    assert "is not a text file, nor a workbook" in complaint(put(b"\x7fELF\x00\x01\x02"))


def test_a_packed_file_that_ends_too_early_gives_not_one_row(put):
    packed = gzip.compress(("id,topic\n" + "".join(f"{n},{n * 7919}\n" for n in range(200_000))).encode())
    path = put(packed[: len(packed) * 3 // 4], "cases.csv.gz")
    given = pages(path, path.name, SOURCE, Layout())
    with pytest.raises(SourceError, match=r"^cases\.csv\.gz ends too early \(gzip: .*\); fetch it again\.$"):
        next(given)


@pytest.mark.parametrize("at", [5, -6])
def test_a_packed_file_with_a_changed_byte_is_damaged(put, at):
    packed = bytearray(gzip.compress(TEXT.encode() * 100))
    packed[at if at > 0 else len(packed) + at] ^= 0xFF
    if at > 0:
        packed[20] ^= 0xFF
    assert "is damaged (gzip: " in complaint(put(bytes(packed), "cases.csv.gz"))


# --- workbooks -------------------------------------------------------------------------------------


@pytest.fixture
def workbook(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["nothing here"])
    sheet = book.create_sheet("Data")
    sheet.append(["Report"])
    sheet.append(["id", "topic", "amount", None, None])
    sheet.append(["00123", datetime(2026, 7, 6), 12, True])
    sheet.append([])
    sheet.append([7, datetime(2026, 7, 6, 6, 30, 51), 2.5, "beyond the header"])
    sheet.append([None, date(2026, 7, 6)])
    path = tmp_path / "cases.xlsx"
    book.save(path)
    return path


def test_a_workbook_gives_the_cells_a_text_file_would_have(workbook):
    columns, rows, lines = table(workbook, Layout(sheet="Data", header_row=2))
    assert columns == ("id", "topic", "amount")
    assert rows == [
        ["00123", "2026-07-06 00:00:00", "12"],
        ["7", "2026-07-06 06:30:51", "2.5"],
        ["", "2026-07-06 00:00:00", ""],
    ]
    assert lines == [3, 5, 6]


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(workbook):
    assert "has no sheet 'Date'; its sheets are: Sheet, Data" in complaint(workbook, Layout(sheet="Date"))


def test_a_workbook_without_a_header_there_is_refused(workbook):
    assert "has no header on line 30" in complaint(workbook, Layout(sheet="Data", header_row=30))


def test_a_workbook_from_before_2007_is_read_too(tmp_path):
    path = tmp_path / "cases.xls"
    write_xls(path, "Data", [["id", "topic", "amount"], ["00123", "Baum, gefällt", 12.0], ["b", "", 2.5]])
    assert table(path)[1] == [["00123", "Baum, gefällt", "12"], ["b", "", "2.5"]]


def test_a_broken_workbook_is_said_to_be_broken(put, workbook):
    path = put(workbook.read_bytes()[:300], "half.xlsx")
    assert "is a damaged zip file or workbook" in complaint(path)


# --- a source of kind file -------------------------------------------------------------------------


def test_a_relative_path_begins_at_the_citys_folder_and_the_bytes_are_kept(put, tmp_path):
    put(TEXT)
    kept = []
    assert keys(read(tmp_path, "cases.csv", keep=kept.append)) == ["a", "b"]
    assert [(copy.name, copy.path.read_bytes()) for copy in kept] == [("cases.csv", TEXT.encode())]


def test_a_pattern_reads_every_file_like_it_in_order(put, tmp_path):
    put("id\nb\n", "2026-08.csv")
    put("id\na\n", "2026-07.csv")
    put("id\nz\n", "other.txt")
    assert keys(read(tmp_path, "2026-*.csv")) == ["a", "b"]


def test_only_files_that_are_new_or_different_are_read_again(put, tmp_path):
    put("id\na\n", "1.csv")
    put("id\nb\n", "2.csv")
    first = read(tmp_path, "*.csv")
    assert keys(first) == ["a", "b"]
    assert read(tmp_path, "*.csv", cursor=first.cursor).unchanged
    put("id\nc\n", "2.csv")
    second = read(tmp_path, "*.csv", cursor=first.cursor)
    assert not second.unchanged
    assert keys(second) == ["c"]


def test_a_set_of_files_is_complete_only_when_declared_whole_and_all_read(put, tmp_path):
    put("id\na\n", "1.csv")
    put("id\nb\n", "2.csv")
    assert not read(tmp_path, "*.csv").complete
    first = read(tmp_path, "*.csv", options={"whole": True})
    assert first.complete
    put("id\nc\n", "2.csv")
    assert not read(tmp_path, "*.csv", options={"whole": True}, cursor=first.cursor).complete


def test_a_file_that_changes_while_it_is_read_is_not_taken(put, tmp_path):
    path = put(TEXT)
    found = iter(read(tmp_path, "cases.csv").pages)
    next(found)
    path.write_text(TEXT + "c,d,e\n")
    with pytest.raises(SourceError, match=r"cases\.csv changed while it was read; run again"):
        list(found)


def test_no_file_and_no_file_like_it_and_a_folder_are_each_said(put, tmp_path):
    with pytest.raises(
        SourceError, match=r"There is no file .*cases\.csv; put it there, or correct the path"
    ):
        read(tmp_path, "cases.csv")
    with pytest.raises(SourceError, match=r"No file is like .*\*\.csv"):
        read(tmp_path, "*.csv")
    with pytest.raises(SourceError, match=r"is a folder; give a file, a pattern like"):
        read(tmp_path, ".")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": ""}, "path: give one of path and path_env"),
        ({"header_row": 0}, "header_row: Input should be greater than or equal to 1"),
        ({"pfad": "x"}, "pfad: Extra inputs are not permitted; the words of this kind are: path, path_env"),
    ],
)
def test_wrong_options_name_the_file_the_word_and_the_known_ones(tmp_path, options, said):
    with pytest.raises(SourceError) as caught:
        read(tmp_path, options.pop("path", "cases.csv"), options=options)
    assert str(caught.value).startswith("sources/cases.toml, [options] " + said)


def test_an_address_of_another_file_system_is_fetched(tmp_path):
    system = fsspec.filesystem("memory")
    system.pipe({"/drop/1.csv": b"id\na\n", "/drop/2.csv": b"id\nb\n"})
    try:
        assert keys(read(tmp_path, "memory://drop/*.csv")) == ["a", "b"]
        assert keys(read(tmp_path, "memory://drop/2.csv")) == ["b"]
        with pytest.raises(SourceError, match=r"No file is like memory://drop/\*\.xls"):
            read(tmp_path, "memory://drop/*.xls")
        with pytest.raises(SourceError, match=r"memory://drop/3\.csv cannot be fetched"):
            read(tmp_path, "memory://drop/3.csv")
    finally:
        system.rm("/drop", recursive=True)


def test_an_address_that_no_driver_knows_is_said(tmp_path):
    with pytest.raises(SourceError, match=r"gopher://x/y\.csv cannot be fetched \(.*gopher"):
        read(tmp_path, "gopher://x/y.csv")


def test_a_file_comes_over_the_web_and_its_secret_is_not_shown(tmp_path, ckan):
    ckan.plain["/export.csv"] = Answer(TEXT.encode(), headers={"Content-Type": "text/csv"})
    [page] = read(tmp_path, f"{ckan.address}/export.csv?token=secret").pages
    assert page.place == f"{ckan.address}/export.csv"
    assert [list(row) for row in page.rows] == ROWS


def test_a_sign_in_page_with_status_200_is_not_data(tmp_path, ckan):
    ckan.plain["/export.csv"] = Answer(HTML, headers={"Content-Type": "text/html"})
    with pytest.raises(SourceError, match=r"/export\.csv is a web page"):
        list(read(tmp_path, f"{ckan.address}/export.csv").pages)


def test_a_download_that_breaks_off_once_is_begun_again(tmp_path, ckan, waits):
    ckan.next.append(Answer(TEXT.encode(), cut=20))
    ckan.plain["/export.csv"] = Answer(TEXT.encode())
    assert keys(read(tmp_path, f"{ckan.address}/export.csv")) == ["a", "b"]
    assert len(waits) == 1
