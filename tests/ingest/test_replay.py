"""What was refused is read again by today's definition: counted, in one run, and never over newer rows."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import __main__ as command
from ingest import quarantine as refusals
from ingest.desk import Asked
from ingest.replay import replay
from ingest.run import run_source
from metrics.model import Column
from store import runs
from store.engine import reading

HEADER = "id,opened,closed,topic,amount\n"
BAD = "b,02.07.2026 09:00,,Sign,2\n"
US = ("%d.%m.%Y %H:%M",)


def later(bench, **more):
    bench.hand.now += timedelta(**(more or {"hours": 1}))


def amended(source, name, **words):
    """The source with other words for one column."""
    return replace(
        source, columns=tuple(replace(one, **words) if one.name == name else one for one in source.columns)
    )


def refused_then(bench, text, name="opened", **words):
    """A source of which a file was read, then amended."""
    bench.file("cases.csv", HEADER + text)
    source = bench.source()
    run_source(bench.desk, source)
    later(bench)
    return amended(source, name, **words)


def test_rows_that_fit_the_amended_definition_become_records_and_leave(any_bench):
    source = refused_then(any_bench, "a,2026-07-01 09:00,,Pothole,1\n" + BAD + "c,?,,Sign,3\n", format=US)
    before = any_bench.last_run(source)
    report = replay(any_bench.desk, source)
    assert (report.read, report.new, report.rejected) == (2, 1, 1)
    assert any_bench.records(source)["b"][1] == "2026-07-02T13:00:00.000000Z"
    [left] = any_bench.quarantined(source)
    assert (left.key, left.reason) == ("c", "is not a date written as %d.%m.%Y %H:%M")
    run = any_bench.last_run(source)
    assert (run.trigger, run.outcome, run.read, run.new, run.rejected) == ("replay", "succeeded", 2, 1, 1)
    assert (run.known_until, run.cursor) == (before.known_until, before.cursor)


def test_a_replay_again_changes_nothing(bench):
    source = refused_then(bench, BAD, format=US)
    replay(bench.desk, source)
    report = replay(bench.desk, source)
    assert (report.read, report.message) == (0, "the quarantine is empty")


def test_a_row_never_replaces_a_record_that_came_with_it_or_after_it(any_bench):
    source = refused_then(any_bench, BAD, format=US)
    any_bench.file("late.csv", HEADER + "b,2026-07-05 09:00,,Later,9\n")
    # A range of days says nothing of the key's refused row, which so stays open.
    row = any_bench.quarantined(source)[0]
    run_source(any_bench.desk, source, Asked(file=any_bench.folder / "late.csv"))
    assert any_bench.quarantined(source) == []
    with any_bench.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE quarantine SET left_by = NULL WHERE id = {row.id}")
    report = replay(any_bench.desk, source)
    assert (report.read, report.unchanged, report.changed) == (1, 1, 0)
    assert report.message == "1 left the quarantine as a newer row of their key is held"
    assert any_bench.records(source)["b"][5] == "Later"
    assert any_bench.quarantined(source) == []


def test_a_row_that_is_newer_than_the_record_replaces_it(bench):
    bench.file("cases.csv", HEADER + "b,2026-07-01 09:00,,Old,1\n")
    source = bench.source()
    run_source(bench.desk, source)
    later(bench)
    bench.file("cases.csv", HEADER + BAD)
    run_source(bench.desk, source)
    later(bench)
    report = replay(bench.desk, amended(source, "opened", format=US))
    assert (report.changed, bench.records(source)["b"][5]) == (1, "Sign")


def test_a_row_whose_key_stood_again_in_its_reading_is_not_tried(bench):
    text = "b,2026-07-01 09:00,,First,1\n" + BAD + "b,2026-07-03 09:00,,Last,1\n"
    source = refused_then(bench, text, format=US)
    assert [one.form for one in bench.quarantined(source)] == ["repeated", "repeated"]
    report = replay(bench.desk, source)
    assert (report.read, bench.records(source)["b"][5]) == (0, "Last")
    assert report.message == "2 rows are not read again: broken, or repeated in their own reading"


def test_rows_that_did_not_fall_into_cells_are_not_tried(bench):
    source = refused_then(bench, "a,2026-07-01 09:00\n", format=US)
    assert replay(bench.desk, source).read == 0
    assert len(bench.quarantined(source)) == 1


def test_a_row_refused_for_a_computed_value_is_read_as_records_have_it(any_bench):
    """Its stamps are written in UTC by then, although the file's own are the city's clock."""
    minutes = Column("minutes", "number", expression="minutes_between(opened, closed)", max=60)
    any_bench.file("cases.csv", HEADER + "a,2026-07-01T09:00Z,2026-07-01T11:00Z,Pothole,1\n")
    source = amended(any_bench.source(), "opened", stamps="local")
    source = replace(amended(source, "closed", stamps="local"), columns=(*source.columns, minutes))
    source = amended(source, "closed", stamps="local")
    assert run_source(any_bench.desk, source).rejected == 1
    later(any_bench)
    report = replay(any_bench.desk, amended(source, "minutes", max=240))
    assert report.new == 1
    record = any_bench.records(source)["a"]
    assert record[1] == "2026-07-01T13:00:00.000000Z"
    assert record[-1] == 120.0


def test_a_replay_while_the_source_runs_is_busy_and_changes_nothing(bench):
    source = refused_then(bench, BAD, format=US)
    from ingest.turns import turn

    with turn(bench.desk, source):
        report = replay(bench.desk, source)
    assert report.outcome == "busy"


def test_more_refused_rows_than_are_kept_are_all_counted_and_that_is_said(bench, monkeypatch):
    monkeypatch.setattr(refusals, "KEPT_OF_A_REASON", 2)
    bench.file("cases.csv", HEADER + "".join(f"{n},?,,Sign,1\n" for n in range(5)) + "x,,,Sign,?\n")
    report = run_source(bench.desk, bench.source())
    assert (report.read, report.rejected, len(bench.quarantined())) == (6, 6, 3)
    assert "the quarantine keeps the first 3 of 6 refused rows" in report.message
    assert report.rejections[0].startswith("5 rejected, opened is not a date")


cell = st.sampled_from(["", "a", "b", "2026-07-01 10:00", "02.07.2026 09:00", "?", "7", "1753-01-01", "\x00"])
line = st.lists(cell, min_size=4, max_size=6).map(",".join)


@given(st.lists(st.lists(line, max_size=5), min_size=1, max_size=3), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_is_lost_whatever_is_read_and_replayed(tmp_path_factory, files, empties):
    from tests.ingest.conftest import Bench

    folder = tmp_path_factory.mktemp("dirt")
    bench = Bench(f"sqlite:///{folder / 'test.db'}", folder)
    source = bench.source()
    for lines in files:
        bench.file("cases.csv", HEADER + "".join(f"{one}\n" for one in lines))
        for report in (
            run_source(bench.desk, source),
            replay(bench.desk, amended(source, "opened", format=US)),
        ):
            assert report.outcome in ("succeeded", "unchanged"), report.message
            assert report.read == report.new + report.changed + report.unchanged + report.rejected
        later(bench)
        source = amended(source, "amount", unfit="empty" if empties else "refuse")
    with reading(bench.engine) as connection:
        last = runs.last_runs(connection)["cases"]
    assert last.trigger == "replay"
    bench.engine.dispose()


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def city(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "testville"
    (folder / "sources").mkdir(parents=True)
    about = 'id = "testville"\nname = "Testville"\ntime_zone = "America/New_York"\n'
    (folder / "city.toml").write_text(about)
    monkeypatch.setenv("CITY", str(folder))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    path = folder / "cases.csv"
    path.write_text("id,opened\na,2026-07-01 09:00\nb,02.07.2026 09:00\nc,?\n")

    def ask(*words, format_=None):
        text = 'id = "cases"\nname = "Cases"\nkind = "file"\nkey = "id"\n[columns.id]\ntype = "text"\n'
        text += '[columns.opened]\ntype = "instant"\n'
        text += f'format = "{format_}"\n' if format_ else ""
        (folder / "sources" / "cases.toml").write_text(text + '[options]\npath = "cases.csv"\n')
        code = command.main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def test_refused_rows_are_listed_shown_exported_and_replayed(city, tmp_path):
    city("run", "cases")
    code, out, _ = city("quarantine", "list")
    assert code == 0
    assert "is not a date and time like 2026-01-31 14:05:00  2 " in out
    assert "02.07.2026 09:00" in city("quarantine", "show", "cases", "--limit", "1")[1]
    out = city("quarantine", "export", "cases")[1]
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(one["line"], one["id"], one["opened"]) for one in rows] == [
        ("3", "b", "02.07.2026 09:00"),
        ("4", "c", "?"),
    ]
    path = tmp_path / "refused.csv"
    assert "2 refused rows written to" in city("quarantine", "export", "cases", "--csv", str(path))[1]
    assert path.read_text() == out
    code, out, _ = city("quarantine", "replay", "cases", format_="%d.%m.%Y %H:%M")
    assert (code, out) == (0, "cases: 1 new, 0 changed, 0 unchanged, 1 rejected\n")
    assert city("quarantine", "show", "cases", format_="%d.%m.%Y %H:%M")[1].count("\n") == 2


def test_what_was_sent_neither_calculates_in_a_spreadsheet_nor_commands_a_terminal(city, tmp_path):
    sent = "id,opened,x,y\n=1+1,?\x1b[2J,-71.06,@SUM(A1)\n"
    (tmp_path / "sent.csv").write_text(sent)
    city("run", "cases", "--from", str(tmp_path / "sent.csv"))
    shown = city("quarantine", "show", "cases")[1]
    assert "?\\x1b[2J" in shown and "\x1b" not in shown
    [row] = csv.DictReader(io.StringIO(city("quarantine", "export", "cases")[1]))
    assert (row["id"], row["x"], row["y"]) == ("'=1+1", "-71.06", "'@SUM(A1)")


def test_an_unknown_source_and_an_empty_quarantine_are_said_in_a_line(city):
    code, _, err = city("quarantine", "show", "nothing")
    assert (code, err) == (1, "testville has no source nothing; its sources are: cases.\n")
    assert city("quarantine", "list")[1] == "The quarantine is empty.\n"
    assert city("quarantine", "show", "cases")[1] == "cases has no row in quarantine.\n"
    assert city("quarantine", "replay", "cases")[1].startswith("cases: 0 new")


def test_a_file_that_cannot_be_written_is_said_in_a_line(city, tmp_path):
    code, _, err = city("quarantine", "export", "cases", "--csv", str(tmp_path / "no" / "such.csv"))
    assert code == 1
    assert "such.csv" in err and err.count("\n") == 1
