"""`python -m ingest` does what it says, in counts, and fails in one clear line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.__main__ import Progress, main
from store.engine import system_clock

PROJECT = Path(__file__).resolve().parents[2]
GOOD = "id,opened,topic\na,2026-07-17 10:00,Pothole\nb,2026-07-18 10:00,Litter\n"


def definition(name: str, path: str) -> str:
    return f"""id = "{name}"
name = "The {name}"
kind = "file"
key = "id"
arrival = "opened"
publisher = "Testville"
[columns.id]
type = "text"
[columns.opened]
type = "instant"
[columns.topic]
type = "text"
[options]
path = "{path}"
"""


@pytest.fixture
def city(tmp_path, monkeypatch):
    folder = tmp_path / "testville"
    (folder / "sources").mkdir(parents=True)
    (folder / "city.toml").write_text(
        'id = "testville"\nname = "Testville"\ntime_zone = "America/New_York"\n'
    )
    for name in ("cases", "permits"):
        (folder / "sources" / f"{name}.toml").write_text(definition(name, f"drop/{name}.csv"))
        (folder / "drop").mkdir(exist_ok=True)
        (folder / "drop" / f"{name}.csv").write_text(GOOD)
    monkeypatch.setenv("CITY", str(folder))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return folder


def said(capsys):
    out, err = capsys.readouterr()
    return out.splitlines(), err.splitlines()


def test_every_source_runs_and_says_its_counts(city, capsys):
    assert main(["run"]) == 0
    out, _ = said(capsys)
    assert out == [
        "cases: 2 new, 0 changed, 0 unchanged, 0 rejected",
        "permits: 2 new, 0 changed, 0 unchanged, 0 rejected",
    ]
    assert main(["run", "cases", "--since", "2026-07-18"]) == 0
    assert said(capsys)[0] == ["cases: 0 new, 0 changed, 1 unchanged, 0 rejected"]
    assert main(["run", "cases", "--until", "2026-07-17"]) == 0
    assert said(capsys)[0] == ["cases: 0 new, 0 changed, 1 unchanged, 0 rejected"]


def test_a_file_may_stand_in_for_a_source(city, capsys, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text(GOOD + "c,2026-02-30 10:00,Litter\n")
    assert main(["run", "cases", "--from", str(path)]) == 0
    out, err = said(capsys)
    assert out == ["cases: 2 new, 0 changed, 0 unchanged, 1 rejected"]
    assert err == [
        "  cases: 1 rejected, opened is a date or time that does not exist "
        f"(first: {path} line 4: '2026-02-30 10:00')"
    ]


def test_columns_nobody_declared_are_told_and_not_a_failure(city, capsys):
    (city / "drop" / "cases.csv").write_text("id,colour\na,red\n")
    assert main(["run", "cases"]) == 0
    assert said(capsys)[1] == [
        "  cases: missing columns, taken as empty: opened, topic; columns not declared, not kept: colour"
    ]


def test_a_source_that_fails_is_one_line_and_does_not_stop_the_others(city, capsys):
    (city / "drop" / "cases.csv").write_text("<html>moved</html>")
    assert main(["run"]) == 1
    out, err = said(capsys)
    assert out == ["permits: 2 new, 0 changed, 0 unchanged, 0 rejected"]
    [line] = err
    assert line.startswith("cases: failed: drop/cases.csv is a web page (HTML or XML), not a table")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "nothing"], "testville has no source nothing; its sources are: cases, permits."),
        (["run", "--from", "x.csv"], "--from reads the rows of one source; name it: run SOURCE --from FILE."),
        (["run", "cases", "permits", "--from", "x.csv"], "--from reads the rows of one source; name it"),
        (
            ["run", "--since", "2026-02-01", "--until", "2026-01-01"],
            "--since 2026-02-01 is after --until 2026-01-01",
        ),
        (
            ["run", "--sweep", "--since", "2026-02-01"],
            "--sweep is about all a source has; leave --since, --until and --from away.",
        ),
        (["run", "cases", "--accept-fewer", "--from", "x.csv"], "--accept-fewer is about all a source has"),
        (
            ["run", "cases", "--from", "nowhere.csv"],
            "cases: failed: There is no file nowhere.csv; put it there",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_with_the_fix(city, capsys, arguments, line):
    assert main(arguments) == 1
    out, err = said(capsys)
    assert out == []
    assert len(err) == 1
    assert err[0].startswith(line)


def test_a_source_that_rightly_shrank_is_accepted_by_a_word(city, capsys):
    source = city / "sources" / "cases.toml"
    source.write_text(source.read_text() + "whole = true\n")
    rows = [f"c{number},2026-07-17 10:00,x\n" for number in range(40)]
    for kept, words, done in ((40, [], 0), (5, [], 1), (5, ["--accept-fewer", "--sweep"], 0)):
        (city / "drop" / "cases.csv").write_text("id,opened,topic\n" + "".join(rows[:kept]))
        capsys.readouterr()
        assert main(["run", "cases", *words]) == done
    assert said(capsys)[0] == ["cases: 0 new, 0 changed, 5 unchanged, 0 rejected, 35 withdrawn"]


def test_a_day_that_is_none_is_said(city, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["run", "--since", "yesterday"])
    assert caught.value.code == 2
    assert "'yesterday' is not a day like 2026-01-31" in said(capsys)[1][-1]


def test_a_city_that_is_not_there_is_one_line(city, capsys, monkeypatch):
    monkeypatch.setenv("CITY", "atlantis")
    assert main(["run"]) == 1
    [line] = said(capsys)[1]
    assert "there is no city and no folder called `atlantis`" in line


def test_another_citys_database_is_refused_in_one_line(city, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'one.db'}")
    assert main(["run", "cases"]) == 0
    capsys.readouterr()
    (city / "city.toml").write_text('id = "elsewhere"\nname = "Elsewhere"\ntime_zone = "America/New_York"\n')
    assert main(["run", "cases"]) == 1
    [line] = said(capsys)[1]
    assert line.startswith("This database belongs to the city testville, not to elsewhere; set CITY")


def test_a_wrong_clock_is_one_line(city, capsys, monkeypatch):
    assert main(["run", "cases"]) == 0
    capsys.readouterr()
    monkeypatch.setattr("ingest.__main__.system_clock", lambda: system_clock().replace(year=2020))
    assert main(["run", "cases"]) == 1
    [line] = said(capsys)[1]
    assert line.startswith("cases: failed: This machine's clock says 2020-")
    assert line.endswith("set the clock right and try again.")


def test_status_shows_each_source_its_last_run_how_far_it_is_known_and_when_it_runs_next(city, capsys):
    (city / "drop" / "cases.csv").write_text(GOOD + "c,2026-02-30 10:00,Litter\n")
    main(["run", "cases"])
    capsys.readouterr()
    assert main(["status"]) == 0
    out, _ = said(capsys)
    header = "source last run outcome read new changed refused behind known until next run"
    assert " ".join(out[0].split()) == header
    cells = re.split("  +", out[1])
    assert (cells[0], cells[2:7]) == ("cases", ["succeeded", "3", "2", "0", "1"])
    assert cells[7].endswith("h, late") and cells[8] == "2026-07-18 10:00"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d 04:00", cells[9])
    assert out[2].startswith("permits  never")
    assert "not known" in out[2]
    assert out[3] == "permits has never run: python -m ingest run permits (or add --from FILE)"


def test_status_says_why_a_source_failed(city, capsys):
    (city / "drop" / "cases.csv").write_text("")
    main(["run", "cases"])
    capsys.readouterr()
    assert main(["status"]) == 0
    assert "cases: drop/cases.csv is empty; ask its publisher, or give the right file." in said(capsys)[0]


def test_list_shows_where_records_come_from(city, capsys, tmp_path):
    assert main(["list"]) == 0
    out, _ = said(capsys)
    assert [line.split()[0] for line in out] == ["source", "cases", "permits"]
    assert "The cases" in out[1]
    assert not (tmp_path / "data").exists(), "listing needs no database"


def test_progress_elsewhere_than_on_a_terminal_is_a_line_now_and_then(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = Progress()
    for second, sentence in enumerate(["one", "two", "three", "four", "five", "six", "seven"]):
        now[0] = 100.0 + second
        progress(sentence)
    progress.clear()
    assert said(capsys)[1] == ["six"]


def test_progress_on_a_terminal_is_one_line_rewritten(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    for second, sentence in enumerate(["one", "two"], 1):
        now[0] = 100.0 + second
        progress(sentence)
    progress.clear()
    assert capsys.readouterr().err == "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K"


def test_the_command_itself_runs(city):
    command = [sys.executable, "-m", "ingest", "run", "cases"]
    done = subprocess.run(
        command, cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "cases: 2 new, 0 changed, 0 unchanged, 0 rejected\n"
