"""`python -m store set-target` and `export-catalogue`: what they say, what they save and write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from metrics import catalogue
from store import targets
from store.__main__ import main
from store.engine import open_engine, reading
from tests.town import write_city

SET = [
    *("set-target", "on_time", "--value", "0.9", "--from", "2027-01-01"),
    *("--reason", "A second crew", "--approved-by", "The council"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_city(tmp_path / "test")
    monkeypatch.setenv("CITY", str(folder))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return folder


def decided(home: Path) -> int:
    engine = open_engine(f"sqlite:///{home.parent / 'data' / 'test' / 'cityscore.db'}")
    with reading(engine) as connection:
        found = targets.newest(connection)
    engine.dispose()
    return found


def merged(home: Path) -> catalogue.Catalogue:
    engine = open_engine(f"sqlite:///{home.parent / 'data' / 'test' / 'cityscore.db'}")
    with reading(engine) as connection:
        found = targets.merged(connection, catalogue.load(home))
    engine.dispose()
    return found


def test_a_dry_run_shows_what_would_change_and_saves_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SET, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "on_time: target 90.0% from 2027-01-01, by The council: A second crew",
        "no published score changes",
        "nothing was saved (--dry-run)",
    ]
    assert decided(home) == 0


def test_an_approved_target_is_saved_after_it_was_shown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(SET) == 0
    said = capsys.readouterr().out
    assert said.endswith("saved as decision 1; the next publication follows it (`python -m store publish`)\n")
    assert said.startswith("on_time: target 90.0% from 2027-01-01, by The council: A second crew\n")
    assert decided(home) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--floor", "0.95"], "Write a floor below 0.9."),
        (["--high", "0.95"], "a pair of numbers is for direction within"),
        (["--floor", "0.1", "0.2", "0.3"], "--floor takes one number, or two for a band"),
        (["--correction"], "approve it without --correction"),
    ],
)
def test_what_cannot_be_approved_ends_in_one_line_and_1(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main([*SET, *words]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and said in err
    assert decided(home) == 0


def test_a_target_is_withdrawn_without_a_value(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SET) == 0
    withdraw = [*SET[:2], "--withdraw", *SET[4:]]
    assert main([*withdraw, "--floor", "0.1"]) == 1
    assert main(withdraw) == 0
    assert "on_time: no target of its own from 2027-01-01, by The council" in capsys.readouterr().out
    assert merged(home) == catalogue.load(home)


# --- back into the files ------------------------------------------------------------------------


def test_after_an_export_the_files_say_what_the_rows_do(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(SET) == 0
    before = merged(home)
    untouched = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main(["export-catalogue"]) == 0
    assert capsys.readouterr().out == f"{home}: 1 approved target written into 1 file\n"
    after = catalogue.load(home)
    assert (after.metrics, after.city, after.sources) == (before.metrics, before.city, before.sources)
    assert merged(home) == after
    changed = [path for path, content in untouched.items() if path.read_bytes() != content]
    assert changed == [home / "metrics" / "on_time.toml"]
    assert changed[0].read_bytes().startswith(untouched[changed[0]])
    assert main(["export-catalogue"]) == 0
    assert capsys.readouterr().out == f"{home}: the files say all that was approved\n"
    assert sorted(path for path in home.rglob("*") if path.is_file()) == sorted(untouched)


def test_an_exported_target_that_is_then_withdrawn_leaves_the_file(home: Path) -> None:
    first = (home / "metrics" / "on_time.toml").read_text()
    assert main(SET) == main(["export-catalogue"]) == main([*SET[:2], "--withdraw", *SET[4:]]) == 0
    assert main(["export-catalogue"]) == 0
    assert (home / "metrics" / "on_time.toml").read_text() == first


def test_a_file_of_windows_keeps_its_mark_and_line_ends(home: Path) -> None:
    path = home / "metrics" / "on_time.toml"
    before = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(before)
    path.chmod(0o640)
    assert main(SET) == main(["export-catalogue"]) == 0
    after = path.read_bytes()
    assert after.startswith(before) and b"\n" not in after.replace(b"\r\n", b"")
    assert path.stat().st_mode & 0o777 == 0o640
    assert catalogue.load(home).metrics["on_time"].targets[-1].value == 0.9


def test_another_folder_gets_a_copy_first_and_the_city_s_own_stays(home: Path) -> None:
    other = home.parent / "copy"
    before = (home / "metrics" / "on_time.toml").read_bytes()
    assert main(SET) == main(["export-catalogue", str(other)]) == 0
    assert (home / "metrics" / "on_time.toml").read_bytes() == before
    assert catalogue.load(other).metrics == merged(home).metrics


def test_the_folder_of_another_city_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = home.parent / "other"
    shutil.copytree(home, other)
    (other / "city.toml").write_text((other / "city.toml").read_text().replace('id = "test"', 'id = "other"'))
    assert main(["export-catalogue", str(other)]) == 1
    assert capsys.readouterr().err == f"{other} is the city other, not test; give one of its own folders.\n"


def test_a_file_that_no_block_can_be_put_into_leaves_all_of_them_as_they_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "metrics" / "on_time.toml"
    text = path.read_text()
    inline = text[: text.index("[[target]]")] + (
        'target = [{value = 0.8, valid_from = 2016-01-01, reason = "a", approved_by = "b"}]\n'
    )
    path.write_text(inline)
    second = text.replace('id = "on_time"', 'id = "a_second"')
    (home / "metrics" / "a_second.toml").write_text(second)
    assert main(SET) == main(["set-target", "a_second", *SET[2:]]) == 0
    capsys.readouterr()
    assert main(["export-catalogue"]) == 1
    assert (
        "metrics/on_time.toml: target: its targets are not written as [[target]]" in capsys.readouterr().err
    )
    assert path.read_text() == inline and (home / "metrics" / "a_second.toml").read_text() == second
    assert not list((home / "metrics").glob(".*"))
