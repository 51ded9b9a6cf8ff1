"""A dry run shows what a run would do to records and scores, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from ingest.contract import SourceError
from ingest.desk import Asked
from ingest.dry_run import dry_run
from ingest.run import run_source
from ingest.sources import file as files
from store import records
from store.engine import reading
from store.publish import publish
from store.schema import metadata
from tests.springfield import RECORDS, any_springfield, rows, springfield

__all__ = ["any_springfield", "springfield"]


def everything(city):
    """Every row of every table, and every file beside the database."""
    with reading(city.engine) as connection:
        tables = [*metadata.sorted_tables, *map(table_of(city), ("requests",))]
        found = {table.name: connection.execute(select(table)).all() for table in tables}
    places = Path(city.desk.snapshots.parent)
    beside = {path: path.stat().st_size for path in places.rglob("*") if path.is_file()}
    return found, {path: size for path, size in beside.items() if ".db" not in path.name}


def table_of(city):
    return lambda name: records.record_table(city.catalogue.sources[name])


def load(city, text=RECORDS):
    city.drop(text)
    source = city.catalogue.sources["requests"]
    report = run_source(city.desk, source, dated=records.dated_columns(city.catalogue, source))
    assert report.outcome == "succeeded", report.message
    publish(city.engine, city.catalogue, city.clock)


def trial(city, **asked):
    return dry_run(city.desk, city.catalogue.sources["requests"], city.catalogue, Asked(**asked))


LATER = RECORDS.replace(
    "5,Pothole,2026-11-06T08:00:00,2026-11-07T08:00:00,2026-11-09",
    "5,Litter,2026-11-06T08:00:00,2026-11-07T08:00:00,2026-11-06",
) + (
    "21,Pothole,2026-11-10T08:00:00,2026-11-11T08:00:00,2026-11-10T20:00:00\n"
    "22,Pothole,2026-02-30T08:00:00,,\n"
)


def test_the_difference_is_shown_and_a_run_then_does_just_that(any_springfield):
    springfield = any_springfield
    load(springfield)
    springfield.drop(LATER)
    before = everything(springfield)
    tried = trial(springfield)
    assert everything(springfield) == before
    lines = list(tried.lines())
    assert lines[0] == ("requests: 1 new, 1 changed, 20 unchanged, 1 rejected (a dry run: nothing was kept)")
    assert any(line.startswith("  new 21: ") and "topic Pothole" in line for line in lines)
    assert any(line.startswith("  changed 5: ") and "topic Pothole -> Litter" in line for line in lines)
    assert any("1 rejected, opened is a date or time that does not exist" in line for line in lines)
    assert any(line.startswith("  score: ") for line in lines)
    source = springfield.catalogue.sources["requests"]
    done = run_source(springfield.desk, source)
    counts = (done.new, done.changed, done.unchanged, done.rejected, done.withdrawn)
    told = tried.report
    assert counts == (told.new, told.changed, told.unchanged, told.rejected, told.withdrawn)
    report = publish(springfield.engine, springfield.catalogue, springfield.clock)
    assert (report.scores, report.composites) == (tried.effect.scores, tried.effect.composites)


def test_what_vanished_is_shown_with_what_it_said(springfield):
    springfield.edit("sources/requests.toml", 'path = "drop/*.csv"', 'path = "drop/*.csv"\nwhole = true')
    springfield.reread()
    load(springfield)
    springfield.drop(rows(20))
    before = everything(springfield)
    lines = list(trial(springfield).lines())
    assert "1 withdrawn" in lines[0]
    assert any(line.startswith("  vanished 20: topic Pothole") for line in lines)
    assert everything(springfield) == before


def test_the_first_load_of_a_city_can_be_tried(springfield):
    springfield.drop(RECORDS)
    tried = trial(springfield)
    assert tried.report.new == 21
    assert tried.effect.scores > 0 and not tried.effect.why_not
    with reading(springfield.engine) as connection:
        source = springfield.catalogue.sources["requests"]
        assert not records.held_columns(connection, source), "not even its tables are made"
    assert not list(springfield.desk.snapshots.rglob("*.csv"))


def test_what_changes_nothing_says_so(springfield):
    load(springfield)
    assert list(trial(springfield).lines())[-1] == "  scores: none would change"


def test_a_file_may_be_tried_and_a_failure_is_one_line(springfield, tmp_path, monkeypatch):
    load(springfield)
    path = tmp_path / "more.csv"
    path.write_text("id,topic,opened,due,closed\n99,Litter,2026-11-20T08:00:00,,\n")
    assert trial(springfield, file=path).report.new == 1

    def fail(*_given):
        raise SourceError("no.")

    monkeypatch.setattr(files, "read", fail)
    assert list(trial(springfield).lines()) == ["requests: failed: no. (a dry run: nothing was kept)"]
