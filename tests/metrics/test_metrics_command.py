"""`python -m metrics check`: what it prints and how it ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metrics.__main__ import main

PROJECT = Path(__file__).resolve().parents[2]
BOSTON = PROJECT / "data" / "cities" / "boston"
POTHOLES = "metrics/pothole_on_time.toml"


@pytest.fixture
def city(tmp_path, monkeypatch):
    """A copy of Boston in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BOSTON, tmp_path / "boston_copy")
    return tmp_path / "boston_copy"


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_clean_city_ends_with_0_and_one_line_of_counts(city, capsys):
    assert main(["check", str(city)]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("boston_copy: ")
    assert line.endswith("1 source, 4 departments, 26 districts: 0 errors, 0 warnings")


def test_every_mistake_is_a_line_with_its_file_as_typed_from_here(city, capsys):
    change(city / POTHOLES, "where =", "wehre =")
    change(city / POTHOLES, "value = 0.80", "value = 80")
    change(city / "city.toml", "America/New_York", "America/Boston")
    assert main(["check", "boston_copy"]) == 1
    *lines, summary = capsys.readouterr().out.splitlines()
    assert lines == [
        "error boston_copy/city.toml: time_zone: there is no time zone `America/Boston`. "
        "Fix: Write a name like America/New_York or Europe/Berlin.",
        f"error boston_copy/{POTHOLES}: wehre: `wehre` is not a word that is known here. "
        "Fix: Did you mean `where`?",
        f"error boston_copy/{POTHOLES}: target 1, value: 80 is no share. Fix: Write 80 percent as 0.80.",
    ]
    assert summary.endswith("3 errors, 0 warnings")


def test_a_warning_is_printed_and_the_command_ends_with_0(city, capsys):
    change(city / POTHOLES, "closure_reason in", "closure_reason not in")
    assert main(["check", str(city)]) == 0
    line, summary = capsys.readouterr().out.splitlines()
    assert line.startswith(f"warning boston_copy/{POTHOLES}: exclude: ")
    assert summary.endswith("0 errors, 1 warning")


def test_without_a_folder_the_city_of_the_setting_is_checked(city, monkeypatch, capsys):
    monkeypatch.setenv("CITY", str(city))
    assert main(["check"]) == 0
    assert capsys.readouterr().out.startswith("boston_copy: ")
    monkeypatch.setenv("CITY", "boston")
    assert main(["check"]) == 0
    assert f"{BOSTON}: " in capsys.readouterr().out


def test_a_missing_folder_is_one_clear_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check", "nowhere"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    assert line.startswith("error: there is no city and no folder called `nowhere`.")
    assert "boston" in line


def test_a_setting_that_cannot_be_used_is_one_clear_line(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "many")
    assert main(["check"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("PORT is 'many'")


@pytest.mark.parametrize("arguments", [[], ["chek"], ["check", "a", "b"], ["check", "--fast"]])
def test_a_wrong_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m metrics" in capsys.readouterr().err


def test_the_module_runs_as_the_documents_say():
    ran = subprocess.run(
        [sys.executable, "-m", "metrics", "check", "data/cities/boston"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("data/cities/boston: ")
