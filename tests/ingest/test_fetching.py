"""Files are found wherever they are, taken when they are complete, and fetched only when they are new."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import paramiko
import pytest

from ingest.contract import ReadRequest, SourceError
from ingest.sources import fetching, file
from ingest.sources.sheets import table_address
from metrics.model import City, Column, Source
from tests.ingest.shelf import Shelf, sftp, shelf

CITY = City(id="test", name="Testville", time_zone="America/New_York")
SOURCE = Source(id="cases", name="Cases", kind="file", key="id", columns=(Column("id", "text"),))
LONG_AGO = 1_700_000_000
KNOWN = {"known_hosts": "known_hosts"}
SIGN_IN = b"<!DOCTYPE html><html><body>Sign in</body></html>"


@pytest.fixture
def shop() -> Iterator[Shelf]:
    with shelf() as served:
        yield served


@pytest.fixture
def read(tmp_path):
    """Reads the source as a run does: (keys of the rows, the extract)."""

    def run(path, cursor=None, source=SOURCE, largest=1_000_000, **options):
        source = replace(source, options={"path": path, **options})
        work = tmp_path / f"work-{os.urandom(4).hex()}"
        work.mkdir()
        request = ReadRequest(
            CITY, datetime.now(UTC), cursor=cursor, folder=tmp_path, work=work, largest=largest
        )
        extract = file.read(source, request)
        return [row[-1] for page in extract.pages for row in page.rows], extract

    return run


@pytest.fixture
def put(tmp_path):
    """Writes a file of one row, by default one that has not changed for long."""

    def write(name: str, key: str, at: float = LONG_AGO) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"id\n{key}\n")
        os.utime(path, (at, at))
        return path

    return write


@pytest.fixture
def naps(monkeypatch):
    """What happens while a run waits between two looks."""
    done = []
    monkeypatch.setattr(fetching.time, "sleep", lambda _seconds: [one() for one in done])
    return done


# --- as it was -------------------------------------------------------------------------------------


def test_a_file_of_the_same_size_and_time_is_not_even_opened(read, put, monkeypatch):
    put("cases.csv", "a")
    _, first = read("cases.csv")
    monkeypatch.setattr(file, "_hash", lambda path, name: pytest.fail("it was opened"))
    assert read("cases.csv", first.cursor)[1].unchanged


def test_a_file_of_another_time_with_the_same_bytes_is_unchanged(read, put):
    put("cases.csv", "a")
    _, first = read("cases.csv")
    put("cases.csv", "a", LONG_AGO + 60)
    assert read("cases.csv", first.cursor)[1].unchanged


def test_a_file_written_just_now_is_known_by_its_bytes_alone(read, put):
    now = datetime.now(UTC).timestamp()
    put("cases.csv", "a", now)
    _, first = read("cases.csv")
    put("cases.csv", "b", now)
    assert read("cases.csv", first.cursor)[0] == ["b"]


def test_a_server_that_says_as_it_was_sends_nothing(read, shop):
    shop.files["cases.csv"] = b"id\na\n"
    keys, first = read(f"{shop.address}/cases.csv")
    _, second = read(f"{shop.address}/cases.csv", first.cursor)
    assert (keys, second.unchanged, shop.given) == (["a"], True, ["cases.csv"])
    assert read(f"{shop.address}/cases.csv", second.cursor)[1].unchanged
    shop.files["cases.csv"] = b"id\nb\n"
    assert read(f"{shop.address}/cases.csv", second.cursor)[0] == ["b"]


def test_a_download_beyond_the_limit_is_broken_off(read, shop):
    shop.files["cases.csv"] = b"id\n" + b"a" * 2000
    with pytest.raises(SourceError, match=r"/cases\.csv has more than 0 MB, unpacked where it was packed"):
        read(f"{shop.address}/cases.csv", largest=1000)


# --- drops -----------------------------------------------------------------------------------------


def test_a_dropped_file_is_taken_after_two_equal_looks_and_left_as_it_is(read, put, naps):
    path = put("drop/1.csv", "a")
    keys, first = read("drop", drop=True)
    assert keys == ["a"] and path.read_text() == "id\na\n"
    put("drop/2.csv", "b")
    assert read("drop", first.cursor, drop=True)[0] == ["b"]


def test_a_file_that_grows_between_the_looks_waits_for_the_next_run(read, put, naps):
    put("drop/1.csv", "a")
    naps.append(lambda: put("drop/1.csv", "aaa", LONG_AGO + 1))
    keys, first = read("drop", drop=True)
    assert (keys, first.unchanged) == ([], True)
    assert "drop/1.csv may be incomplete and waits for the next run" in first.notes[0]
    naps.clear()
    assert read("drop", first.cursor, drop=True, settle_seconds=0)[0] == ["aaa"]


def test_without_a_wait_the_second_look_is_that_of_the_next_run(read, put):
    put("drop/1.csv", "a")
    keys, first = read("drop", drop=True, settle_seconds=0)
    assert keys == []
    assert read("drop", first.cursor, drop=True, settle_seconds=0)[0] == ["a"]


def test_a_marker_beside_a_file_says_that_it_is_complete(read, put, monkeypatch):
    monkeypatch.setattr(fetching.time, "sleep", lambda _seconds: pytest.fail("nothing to wait for"))
    put("drop/1.csv", "a")
    put("drop/1.csv.done", "")
    put("drop/.hidden.csv", "x")
    put("drop/2.csv.part", "x")
    assert read("drop", drop=True)[0] == ["a"]


def test_a_taken_file_that_was_tidied_away_is_remembered(read, put, naps):
    path = put("drop/1.csv", "a")
    _, first = read("drop", drop=True)
    path.unlink()
    _, second = read("drop", first.cursor, drop=True)
    assert second.unchanged
    put("drop/1.csv", "a")
    assert read("drop", second.cursor, drop=True)[1].unchanged


def test_a_link_in_a_drop_shows_no_other_file(read, put, naps):
    secret = put("secret.csv", "s")
    put("drop/1.csv", "a")
    drop = secret.parent / "drop"
    (drop / "2.csv").symlink_to(secret)
    keys, extract = read("drop", drop=True)
    assert keys == ["a"] and extract.notes == [f"{drop / '2.csv'} is a link or behind one: passed over"]


def test_a_folder_in_a_drop_that_is_a_link_shows_none_of_its_files(read, put, naps):
    secret = put("elsewhere/1.csv", "s")
    put("drop/parks/1.csv", "a")
    drop = secret.parents[1] / "drop"
    (drop / "others").symlink_to(secret.parent, target_is_directory=True)
    (drop / "up").symlink_to(drop.parent, target_is_directory=True)
    keys, extract = read("drop/*/*.csv", drop=True)
    assert keys == ["a"] and extract.notes == [f"{drop}/others/1.csv is a link or behind one: passed over"]


def test_the_folder_of_a_drop_may_itself_be_a_link(read, put, naps, tmp_path):
    put("big_disk/1.csv", "a")
    (tmp_path / "drop").symlink_to(tmp_path / "big_disk", target_is_directory=True)
    assert read("drop", drop=True)[0] == ["a"]


def test_an_empty_drop_is_no_mistake_but_no_drop_is(read, tmp_path):
    (tmp_path / "drop").mkdir()
    assert read("drop", drop=True)[1].unchanged
    with pytest.raises(SourceError, match=r"There is no folder .*/dorp; make it, or correct `path`"):
        read("dorp", drop=True)


def test_of_whole_exports_only_the_newest_is_read_and_it_is_complete(read, put):
    put("2026-07.csv", "a")
    put("2026-08.csv", "b")
    keys, extract = read("2026-*.csv", newest=True, whole=True)
    assert (keys, extract.complete) == (["b"], True)


def test_a_file_without_a_key_is_given_one_of_its_columns(read, tmp_path):
    calls = Source(
        id="calls",
        name="Calls",
        kind="file",
        key="call_key",
        columns=(
            Column("call_key", "text"),
            Column("unit", "text"),
            Column("day", "text", aliases=("Date",)),
        ),
    )
    (tmp_path / "calls.csv").write_text("DATE,unit\n1 July,M1\n1 July,M2\n")
    keys, _ = read("calls.csv", source=calls, key_from=["day", "unit"])
    assert keys == ["1 July/M1", "1 July/M2"]


# --- other places ----------------------------------------------------------------------------------


def test_files_come_by_sftp_and_the_password_is_in_no_message(read, put, tmp_path):
    put("there/1.csv", "a")
    put("there/2.csv", "b")
    with sftp(tmp_path) as address:
        keys, first = read(f"{address}/there/*.csv", storage=KNOWN)
        assert keys == ["a", "b"]
        assert "secret" not in first.cursor
        assert read(f"{address}/there/*.csv", first.cursor, storage=KNOWN)[1].unchanged
        put("there/2.csv", "c", LONG_AGO + 60)
        assert read(f"{address}/there/*.csv", first.cursor, storage=KNOWN)[0] == ["c"]
        with pytest.raises(SourceError, match=r"sftp://127[.\d:]+/there/3\.csv cannot be fetched") as caught:
            read(f"{address}/there/3.csv", storage=KNOWN)
    assert "secret" not in str(caught.value)


def test_a_drop_may_be_on_another_machine(read, put, naps, tmp_path):
    put("there/1.csv", "a")
    put("there/2.csv", "b")
    put("there/2.csv.done", "")
    naps.append(lambda: put("there/1.csv", "aa", LONG_AGO + 60))
    with sftp(tmp_path) as address:
        keys, first = read(f"{address}/there", drop=True, storage=KNOWN)
        assert keys == ["b"]
        naps.clear()
        assert read(f"{address}/there", first.cursor, drop=True, storage=KNOWN)[0] == ["aa"]


def test_an_sftp_server_whose_key_is_not_known_gets_no_password(read, put, tmp_path):
    put("there/1.csv", "a")
    with sftp(tmp_path) as address:
        host = (tmp_path / "known_hosts").read_text().split()[0]
        other = paramiko.RSAKey.generate(2048).get_base64()
        for hosts, said in (
            ("", "host key of [127.0.0.1]:"),
            (f"{host} ssh-rsa {other}", "another host key"),
        ):
            (tmp_path / "others").write_text(hosts)
            with pytest.raises(SourceError) as caught:
                read(f"{address}/there/1.csv", storage={"known_hosts": "others"})
            assert said in str(caught.value) and "secret" not in str(caught.value)
            assert "\n" not in str(caught.value)


def test_files_come_from_s3_and_by_their_tags_only_once(read, shop):
    shop.files |= {"drop/1.csv": b"id\na\n", "drop/2.csv": b"id\nb\n"}
    storage = {"endpoint_url": shop.address, "key": "k", "secret": "s"}
    keys, first = read("s3://bucket/drop/*.csv", storage=storage)
    assert keys == ["a", "b"]
    shop.files["drop/2.csv"] = b"id\nc\n"
    shop.given.clear()
    keys, _ = read("s3://bucket/drop/*.csv", first.cursor, storage=storage)
    assert (keys, shop.given) == (["c"], ["drop/2.csv"])


@pytest.mark.parametrize(
    ("address", "package"),
    [("sftp://host/a.csv", "paramiko"), ("s3://bucket/a.csv", "s3fs")],
)
def test_a_driver_that_is_not_installed_is_named_with_the_command(read, monkeypatch, address, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.sftp", raising=False)
    drivers = sys.modules["fsspec.registry"]._registry
    monkeypatch.delitem(drivers, address[: address.index(":")], raising=False)
    with pytest.raises(SourceError, match=rf"needs a driver .* -m pip install {package}==\d"):
        read(address)


def test_the_packages_named_are_those_that_are_tested():
    pins = (Path(__file__).resolve().parents[2] / "requirements-dev.txt").read_text().splitlines()
    assert {one for one in fetching.DRIVERS.values() if "==" in one} <= set(pins)


# --- published sheets ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "table"),
    [
        (
            "https://docs.google.com/spreadsheets/d/1aB_c-D/edit?usp=sharing#gid=42",
            "https://docs.google.com/spreadsheets/d/1aB_c-D/export?format=csv&gid=42",
        ),
        (
            "https://docs.google.com/spreadsheets/d/1aB_c-D",
            "https://docs.google.com/spreadsheets/d/1aB_c-D/export?format=csv",
        ),
        (
            "https://docs.google.com/spreadsheets/d/e/2PACX-x/pubhtml?gid=7&single=true",
            "https://docs.google.com/spreadsheets/d/e/2PACX-x/pub?gid=7&single=true&output=csv",
        ),
        (
            "https://docs.google.com/spreadsheets/d/1aB_c-D/export?format=csv&gid=42",
            "https://docs.google.com/spreadsheets/d/1aB_c-D/export?format=csv&gid=42",
        ),
        (
            "https://town.sharepoint.com/:x:/g/personal/kim/Eabc?e=x1",
            "https://town.sharepoint.com/:x:/g/personal/kim/Eabc?e=x1&download=1",
        ),
        (
            "https://onedrive.live.com/embed?resid=A%21107&authkey=%21k",
            "https://onedrive.live.com/download?resid=A%21107&authkey=%21k",
        ),
        (
            "https://1drv.ms/x/s!Abc",
            "https://api.onedrive.com/v1.0/shares/u!aHR0cHM6Ly8xZHJ2Lm1zL3gvcyFBYmM/root/content",
        ),
        ("https://data.example.gov/cases.csv", None),
    ],
)
def test_the_address_of_a_published_sheet_becomes_that_of_its_table(address, table):
    assert table_address(address) == table


def test_a_shared_sheet_is_a_table(read, shop):
    shop.files["spreadsheets/d/abc/export"] = b"id\na\n"
    assert read(f"{shop.address}/spreadsheets/d/abc/edit#gid=0")[0] == ["a"]


def test_a_sheet_that_is_not_shared_is_said_to_be_so(read, shop):
    shop.files["spreadsheets/d/abc/export"] = SIGN_IN
    with pytest.raises(SourceError, match="is not shared: it answered with a page to sign in; share"):
        read(f"{shop.address}/spreadsheets/d/abc/edit#gid=0")
