"""Snapshots: the bytes as received, whole or not there, the same ones once."""

from __future__ import annotations

import hashlib

import pytest

from store.engine import StoreError
from store.snapshots import keep, last

DAY_ONE, DAY_TWO = "2026-12-31T04:00:00.123456Z", "2027-01-01T04:00:00.000000Z"


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_snapshot_is_named_by_source_year_run_and_hash(tmp_path):
    kept = keep(tmp_path, "cases", DAY_ONE, "cases.CSV.gz", [b"one,", b"two"])
    sha256 = hashlib.sha256(b"one,two").hexdigest()
    assert files(tmp_path) == [f"cases/2026/20261231T040000Z-{sha256[:12]}.csv.gz"]
    assert kept.path.read_bytes() == b"one,two"
    assert (kept.sha256, kept.bytes, kept.is_new) == (sha256, 7, True)


def test_a_file_is_copied_and_left_where_it_is(tmp_path):
    given = tmp_path / "given.csv"
    given.write_bytes(b"x" * 3_000_000)
    kept = keep(tmp_path / "snapshots", "cases", DAY_ONE, given.name, given)
    assert kept.path.read_bytes() == given.read_bytes()
    assert kept.bytes == 3_000_000


def test_the_same_bytes_as_last_time_are_not_kept_twice(tmp_path):
    first = keep(tmp_path, "cases", DAY_ONE, "a.csv", [b"same"])
    again = keep(tmp_path, "cases", DAY_TWO, "a.csv", [b"sa", b"me"])
    assert (again.path, again.is_new, again.sha256) == (first.path, False, first.sha256)
    other = keep(tmp_path, "cases", "2027-01-02T04:00:00.000000Z", "a.csv", [b"other"])
    back = keep(tmp_path, "cases", "2027-01-03T04:00:00.000000Z", "a.csv", [b"same"])
    assert (other.is_new, back.is_new) == (True, True)
    assert len(files(tmp_path)) == 3
    assert last(tmp_path, "cases") == back.path


def test_a_kept_file_that_was_damaged_does_not_stand_for_the_bytes(tmp_path):
    first = keep(tmp_path, "cases", DAY_ONE, "a.csv", [b"same"])
    first.path.write_bytes(b"sams")
    assert keep(tmp_path, "cases", DAY_TWO, "a.csv", [b"same"]).is_new


def test_each_source_has_its_own_last_snapshot(tmp_path):
    keep(tmp_path, "cases", DAY_ONE, "a.csv", [b"same"])
    assert keep(tmp_path, "permits", DAY_ONE, "a.csv", [b"same"]).is_new
    assert last(tmp_path, "nobody") is None


def test_bytes_that_end_early_leave_nothing(tmp_path):
    def breaks():
        yield b"half"
        raise RuntimeError("the connection dropped")

    with pytest.raises(RuntimeError):
        keep(tmp_path, "cases", DAY_ONE, "a.csv", breaks())
    assert files(tmp_path) == []


def test_what_a_killed_run_left_unfinished_is_cleared_away_and_never_the_last(tmp_path):
    left = tmp_path / "cases" / "2026" / "20261230T040000Z.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert last(tmp_path, "cases") is None
    keep(tmp_path, "cases", DAY_ONE, "a.csv", [b"whole"])
    assert not left.exists()


@pytest.mark.parametrize(
    ("name", "ending"),
    [("rows", ".bin"), ("../../etc/x.json", ".json"), ("a.b/c d", ".bin"), ("x.tar.gz", ".tar.gz")],
)
def test_only_the_ending_of_a_name_is_used(tmp_path, name, ending):
    kept = keep(tmp_path, "cases", DAY_ONE, name, [b"x"])
    assert kept.path.parent == tmp_path / "cases" / "2026"
    assert kept.path.name.split("-", 1)[1][12:] == ending


def test_a_place_that_cannot_be_written_is_named_in_one_line(tmp_path):
    (tmp_path / "snapshots").write_bytes(b"a file, not a folder")
    with pytest.raises(StoreError, match="DATA_DIR") as refusal:
        keep(tmp_path / "snapshots", "cases", DAY_ONE, "a.csv", [b"x"])
    assert "\n" not in str(refusal.value)
