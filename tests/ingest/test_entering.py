"""Values given by hand: checked, shown as a difference, kept with who and why, known as far as they go."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from ingest import entry_answers, entry_command
from ingest.contract import SourceError
from ingest.entering import Giver, enter, one_page
from ingest.run import Asked, run_source
from metrics.model import Aggregation, Column, Gap, Source
from store import entries, runs
from store.engine import reading
from store.entries import Kind
from store.publish import publish
from tests.builders import catalogue, metric, target
from tests.ingest.conftest import CITY

VISITS = Source(
    id="visits",
    name="Library visits",
    kind="manual",
    key="visit_id",
    begins=date(2026, 8, 1),
    columns=(
        Column("visit_id", "text"),
        Column("day", "day"),
        Column("district", "text"),
        Column("visits", "integer", required=True),
        Column("note", "text"),
    ),
    options={"key_from": ["day", "district"]},
)
KIM = Giver("Kim")


def give(bench, *, giver=KIM, source=VISITS, **cells):
    return entry_answers.give(bench.desk, source, one_page(cells), giver)


def held(bench, source=VISITS):
    names = [column.name for column in source.columns]
    return {key: row[names.index("visits")] for key, row in bench.records(source).items()}


def known(bench, source=VISITS):
    with reading(bench.engine) as connection:
        until = runs.knowledge(connection, {source.id: source})[source.id].known_until
    return until and until.astimezone(ZoneInfo("America/New_York")).isoformat()[:16]


def audit(bench):
    with reading(bench.engine) as connection:
        return [
            (one.given.key, one.given.kind.value, one.entered_by, one.reason)
            for one in entries.history(connection, "visits")
        ]


def test_a_value_becomes_a_record_and_says_who_gave_it(any_bench):
    done = give(any_bench, day="2026-08-01", district="north", visits="12")
    assert (done.report.new, done.difference.counts["new"]) == (1, 1)
    assert held(any_bench) == {"2026-08-01/north": 12}
    assert audit(any_bench) == [("2026-08-01/north", "value", "Kim", "")]
    assert done.line() == "values: 1 new, 0 changed, 0 withdrawn, 0 unchanged, 0 rejected; kept"


def test_a_later_value_is_a_new_version_with_a_reason_and_the_old_one_stays(bench):
    give(bench, day="2026-08-01", visits="12")
    with pytest.raises(SourceError, match=r"visits 12 -> 21\); say why"):
        give(bench, day="2026-08-01", visits="21")
    done = give(bench, giver=Giver("Lee", "digits were swapped"), day="2026-08-01", visits="21")
    assert [one.line() for one in done.difference.changes] == ["2026-08-01/: visits 12 -> 21"]
    assert done.report.changed == 1 and held(bench) == {"2026-08-01/": 21}
    assert audit(bench)[1] == ("2026-08-01/", "value", "Lee", "digits were swapped")
    assert [text for text in entry_command.history(bench.desk, VISITS, date(2026, 8, 1)) if "swapped" in text]


def test_the_same_value_again_changes_nothing_however_it_is_written(bench):
    give(bench, day="2026-08-01", district="north", visits="12")
    again = give(bench, day=" 2026-08-01 ", district=" north", visits="12.0")
    assert again.difference.counts["unchanged"] == 1 and len(audit(bench)) == 1
    assert again.report.outcome == "unchanged"


def test_a_dry_run_shows_the_difference_and_keeps_nothing(bench):
    give(bench, day="2026-08-01", visits="12")
    found = enter(bench.desk, VISITS, one_page({"day": "2026-08-02", "visits": "3"}), KIM, dry_run=True)
    assert [one.line() for one in found.changes] == ["2026-08-02/: new: visits 3"]
    assert len(audit(bench)) == 1 and len(held(bench)) == 1


def test_a_value_out_of_which_something_unbelievable_is_computed_is_refused_before_it_is_kept(any_bench):
    hours = Column("hours", "number", min=1, required=True)
    each = Column("an_hour", "number", expression="visits / hours", max=500)
    source = replace(VISITS, columns=(*VISITS.columns, hours, each))
    wrong = give(any_bench, source=source, day="2026-08-01", visits="9000", hours="2")
    assert wrong.difference.rejections == ("line 1: an_hour is more than 500: '4500.0'",)
    assert wrong.report is None and audit(any_bench) == []
    good = give(any_bench, source=source, day="2026-08-01", visits="900", hours="2")
    assert good.report.new == 1 and held(any_bench, source) == {"2026-08-01/": 900}


def test_what_values_would_do_to_the_scores_is_said_before_they_are_kept(any_bench):
    counted = metric(
        "visits_counted",
        Aggregation.COUNT,
        source="visits",
        date="day",
        district=None,
        targets=(target(30.0),),
    )
    scored = catalogue(counted, city=CITY, sources=[VISITS])
    rows = [{"day": f"2026-08-{day:02}", "visits": "40"} for day in range(1, 18)]
    asked = {"rows": rows, "by": "Kim", "dry_run": True}
    shown = entry_answers.answer(any_bench.desk, VISITS, asked, ("day",), scored)
    assert (shown["outcome"], shown["new"]) == ("shown", len(rows)) and audit(any_bench) == []
    assert any("visits_counted, day of 2026-08-17: none -> " in one for one in shown["effects"])
    kept = entry_answers.answer(any_bench.desk, VISITS, {**asked, "dry_run": False}, ("day",), scored)
    assert (kept["outcome"], kept["run"]["new"], kept["effects"]) == ("entered", len(rows), [])
    report = publish(any_bench.engine, scored, any_bench.clock)
    assert f"scores: {report.scores} and {report.composites} composites" in shown["effects"][0]
    again = entry_answers.answer(any_bench.desk, VISITS, asked, ("day",), scored)
    assert again["effects"] == [], "nothing would change, so nothing is worked out"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"day": "2026-08-02", "visits": "many"}, "visits is not a whole number"),
        ({"day": "2026-08-02", "visits": ""}, "visits is empty, and it is required"),
        ({"day": "2026-02-30", "visits": "1"}, "day"),
        ({"day": "2026-08-19", "visits": "1"}, "lies ahead"),
        ({"day": "2026-07-31", "visits": "1"}, "is before the source begins"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_reason_and_nothing_is_kept(bench, cells, said):
    done = give(bench, **cells)
    assert done.report is None and said in done.difference.rejections[0]
    assert audit(bench) == [] and "nothing was kept" in done.line()


def test_of_many_values_all_are_kept_or_none(bench):
    path = bench.file("values.csv", "day,visits\n2026-08-01,1\n2026-08-02,x\n2026-08-01,2\n")
    done = run_command(bench, "enter", "visits", "--from", str(path), "--by", "Kim")
    assert len(done.difference.rejections) == 2 and audit(bench) == []
    good = bench.file("good.json", '[{"day": "2026-08-01", "visits": 1}, {"day": "2026-08-01", "visits": 1}]')
    done = run_command(bench, "enter", "visits", "--from", str(good), "--by", "Kim")
    assert done.difference.counts == {"new": 1, "changed": 0, "withdrawn": 0, "unchanged": 1, "rejected": 0}


@pytest.mark.parametrize(
    ("giver", "cells", "said"),
    [
        (Giver(" "), {"day": "2026-08-01", "visits": "1"}, "who gives"),
        (Giver("a\nb"), {"day": "2026-08-01", "visits": "1"}, "one line"),
        (KIM, {"day": "2026-08-01", "visit": "1"}, "no column 'visit'"),
        (KIM, {"day": "2026-08-01"}, "No value is given"),
        (KIM, {"visits": "1"}, "No day is given"),
    ],
)
def test_what_is_not_said_is_asked_for(bench, giver, cells, said):
    with pytest.raises(SourceError, match=said):
        give(bench, giver=giver, **cells)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "file", "options": {"path": "x"}}, "kind file"),
        ({"begins": None}, "begins"),
        ({"options": {"key_from": ["date"]}}, "no column date"),
        ({"options": {"key_from": ["district"]}}, "is no day"),
        ({"options": {"calendar": "sundays"}}, "calendar"),
    ],
)
def test_a_source_that_is_not_declared_for_it_takes_no_values(bench, change, said):
    with pytest.raises(SourceError, match=said):
        give(bench, source=replace(VISITS, **change), day="2026-08-01", visits="1")


def test_a_file_of_values_cannot_go_round_the_question_who_gave_them(bench):
    report = run_source(bench.desk, VISITS, Asked(file=bench.file("a.csv", "day,visits\n")))
    assert report.outcome == "failed" and "ingest enter visits" in report.message


# --- how far it is known -------------------------------------------------------------------------


def test_a_day_that_somebody_forgot_is_missing_and_not_zero(bench):
    give(bench, day="2026-08-01", visits="1")
    give(bench, day="2026-08-03", visits="3")
    assert known(bench) == "2026-08-02T00:00"
    assert "2026-08-02 has no value" in bench.last_run(VISITS).message
    give(bench, day="2026-08-02", visits="0")
    assert known(bench) == "2026-08-04T00:00"


def test_days_on_which_the_calendar_is_closed_and_declared_gaps_need_no_value(bench):
    source = replace(
        VISITS,
        begins=date(2026, 8, 3),
        options={**VISITS.options, "calendar": "business"},
        gaps=(Gap(date(2026, 8, 5), date(2026, 8, 7), "flood", date(2026, 8, 8)),),
    )
    for day in ("2026-08-03", "2026-08-04"):
        give(bench, source=source, day=day, visits="1")
    assert known(bench, source) == "2026-08-10T00:00", "the weekend after the gap is closed"


def test_nothing_is_known_beyond_now(bench):
    for day in range(1, 19):
        give(bench, day=f"2026-08-{day:02}", visits="1")
    assert datetime.fromisoformat(known(bench)) <= bench.hand.now.replace(tzinfo=None)


def test_a_value_that_should_never_have_been_is_taken_back_unless_its_day_is_known(bench):
    give(bench, day="2026-08-01", district="north", visits="1")
    give(bench, day="2026-08-01", district="nroth", visits="1")
    give(bench, day="2026-08-09", district="north", visits="9")

    def withdraw(day, district, giver=KIM):
        page = one_page({"day": day, "district": district})
        return entry_answers.give(bench.desk, VISITS, page, giver, kind=Kind.WITHDRAWAL)

    with pytest.raises(SourceError, match="say why"):
        withdraw("2026-08-09", "north")
    mistaken = Giver("Kim", "typed by mistake")
    assert withdraw("2026-08-09", "north", mistaken).report.withdrawn == 1
    assert withdraw("2026-08-01", "nroth", mistaken).report.withdrawn == 1
    assert held(bench) == {"2026-08-01/north": 1}
    with pytest.raises(SourceError, match="known already"):
        withdraw("2026-08-01", "north", mistaken)
    assert withdraw("2026-08-09", "north", mistaken).difference.rejections == (
        "2026-08-09/north has no value to withdraw",
    )
    give(bench, day="2026-08-09", district="north", visits="8")
    assert held(bench)["2026-08-09/north"] == 8


# --- the commands and the worker's answer --------------------------------------------------------


def run_command(bench, *words):
    parser = ArgumentParser()
    entry_command.add_parsers(parser.add_subparsers())
    return entry_command.run(bench.desk, VISITS, parser.parse_args(words), ())


def test_the_command_has_short_words_for_the_usual(bench):
    source = replace(VISITS, columns=VISITS.columns[:-1])
    parser = ArgumentParser()
    entry_command.add_parsers(parser.add_subparsers())
    words = ("enter", "visits", "--day", "2026-08-01", "--value", "5", "--district", "north", "--by", "Kim")
    done = entry_command.run(bench.desk, source, parser.parse_args(words), ())
    assert list(entry_command.lines(done)) == [
        "2026-08-01/north: new: visits 5",
        "visits: 1 new, 0 changed, 0 unchanged, 0 rejected",
        "values: 1 new, 0 changed, 0 withdrawn, 0 unchanged, 0 rejected; kept",
    ]
    with pytest.raises(SourceError, match="more than one column of values"):
        run_command(bench, "enter", "visits", "--day", "2026-08-01", "--value", "5", "--by", "Kim")
    done = run_command(bench, "enter", "visits", "--day", "2026-08-02", "--set", "visits=5", "--by", "Kim")
    assert done.report.new == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "visits=1"), "which day"),
        (("--day", "2026-08-01", "--set", "visits"), "COLUMN=VALUE"),
        (("--from", "nothing.csv"), "no file nothing.csv"),
        (("--from", "nothing.csv", "--day", "2026-08-01"), "leave --day"),
    ],
)
def test_a_command_that_says_too_little_or_too_much_is_told_the_fix(bench, words, said):
    with pytest.raises(SourceError, match=said):
        run_command(bench, "enter", "visits", *words, "--by", "Kim")


def test_a_page_gives_values_and_is_answered_in_words(bench):
    asked = {"rows": [{"day": "2026-08-01", "visits": 4}], "by": "Kim", "dry_run": True}
    shown = entry_answers.answer(bench.desk, VISITS, asked, ())
    assert (shown["outcome"], shown["new"], shown["changes"]) == ("shown", 1, ["2026-08-01/: new: visits 4"])
    kept = entry_answers.answer(bench.desk, VISITS, {**asked, "dry_run": False}, ())
    assert (kept["outcome"], kept["run"]["new"]) == ("entered", 1)
    for rows in (None, [], "text", [1], [{}] * 10_001):
        with pytest.raises(SourceError):
            entry_answers.answer(bench.desk, VISITS, {**asked, "rows": rows}, ())
