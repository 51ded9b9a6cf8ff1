"""One person's record leaves every table and every file for good; published scores stay as they are."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest

from ingest import erasing, scrubbing
from ingest.contract import Copy, SourceError
from ingest.desk import Asked
from ingest.erasing import erase
from ingest.run import run_source
from ingest.scrubbing import without
from metrics.model import Catalogue
from store import erasures, records
from store.engine import reading
from store.erasures import Marks
from store.publish import publish, verify
from tests.ingest.conftest import CASES, CITY
from tests.springfield import rows, springfield

__all__ = ["springfield"]

PERSON, NAME = "case-4711", "Erika Mustermann"
TEXT = f"""id,opened,closed,topic,amount
a,2026-08-17 10:00,2026-08-17 12:00,Pothole,1
{PERSON},2026-08-17 11:00,,"{NAME}
of 3 Main Street",2.5
c,2026-08-16 09:00,,Litter,
"""
CATALOGUE = Catalogue(CITY, {}, {CASES.id: CASES}, {}, {}, "", "")


def erased(bench, key=PERSON, **more):
    return erase(bench.desk, CATALOGUE, bench.source(), key, "The clerk", "asked by letter", **more)


def test_nothing_of_the_record_is_left_in_any_file_and_it_does_not_come_back(bench):
    path = bench.file("cases.csv", TEXT)
    run_source(bench.desk, bench.source())
    path.write_text(TEXT.replace("2.5", "2.75"))
    run_source(bench.desk, bench.source())
    path.write_text(TEXT.replace("2026-08-17 11:00", "2026-02-30 11:00"))
    run_source(bench.desk, bench.source())
    done = erased(bench)
    assert done.act.counts["records"] == 1
    assert done.act.counts["replaced versions"] == 1
    assert done.act.counts["refused rows"] == 1
    assert (done.anew, done.removed, done.not_rewritten) == (3, 0, "")
    path.unlink()
    bench.engine.dispose()
    for file in bench.folder.rglob("*"):
        if file.is_file():
            assert NAME.encode() not in file.read_bytes(), file
            assert PERSON.encode() not in file.read_bytes(), file
    path.write_text(TEXT)
    report = run_source(bench.desk, bench.source())
    assert (report.read, report.new, report.unchanged) == (2, 0, 2)
    assert report.message.startswith("1 rows of erased records were passed over")
    assert set(bench.records()) == {"a", "c"}
    path.unlink()
    bench.engine.dispose()
    assert not [
        file for file in bench.folder.rglob("*") if file.is_file() and NAME.encode() in file.read_bytes()
    ]


def test_tables_forget_it_on_either_engine(any_bench):
    run_source(any_bench.desk, any_bench.source(), Asked(file=any_bench.file("cases.csv", TEXT)))
    assert erased(any_bench).act.counts["records"] == 1
    assert set(any_bench.records()) == {"a", "c"}
    again = run_source(any_bench.desk, any_bench.source(), Asked(file=any_bench.file("2.csv", TEXT)))
    assert set(any_bench.records()) == {"a", "c"} and again.read == 2


def test_the_act_is_on_record_without_the_record(bench):
    run_source(bench.desk, bench.source(), Asked(file=bench.file("cases.csv", TEXT)))
    erased(bench)
    [line] = erasing.history(bench.desk)
    assert "cases by The clerk: asked by letter: 1 records" in line
    assert PERSON not in line
    with reading(bench.engine) as connection:
        marks = erasures.marks(connection, "cases")
    assert marks.has(PERSON) and not marks.has("a")


def test_what_was_killed_before_the_snapshots_is_ended_by_the_next_run(bench, monkeypatch):
    path = bench.file("cases.csv", TEXT)
    run_source(bench.desk, bench.source())

    def killed(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(scrubbing.runs, "rename_snapshot", killed)
        erased(bench)
    [line] = erasing.history(bench.desk)
    assert line.endswith("(its snapshots are not looked through yet)")
    run_source(bench.desk, bench.source())
    [line] = erasing.history(bench.desk)
    assert not line.endswith("yet)")
    left = [one for one in (bench.folder / "snapshots").rglob("*.csv") if NAME in one.read_text()]
    assert not left
    named = (bench.last_run().snapshot or "").splitlines()
    assert all((bench.folder / "snapshots" / name).exists() for name in named)
    assert path.exists(), "the city's own file is never touched"


def test_published_scores_stay_and_still_recompute(springfield):
    city = springfield
    city.drop(rows(21))
    source = city.catalogue.sources["requests"]
    run_source(city.desk, source, dated=records.dated_columns(city.catalogue, source))
    publish(city.engine, city.catalogue, city.clock)
    done = erase(city.desk, city.catalogue, source, "5", "The clerk", "asked by letter")
    assert done.act.counts["records"] == 1
    assert publish(city.engine, city.catalogue, city.clock).publication is None
    with reading(city.engine) as connection:
        assert [line for _, lines in verify(connection) for line in lines] == []


def test_a_key_nothing_is_held_of_is_refused_unless_it_is_to_be_barred(bench):
    run_source(bench.desk, bench.source(), Asked(file=bench.file("cases.csv", TEXT)))
    with pytest.raises(SourceError, match="cases holds nothing of this key"):
        erased(bench, "case-4712")
    erased(bench, "b", unseen=True)
    run_source(bench.desk, bench.source(), Asked(file=bench.file("2.csv", TEXT + "b,,,,\n")))
    assert "b" not in bench.records()


def marked(key):
    return Marks("salt", frozenset([erasures._mark("salt", key)]))


@pytest.mark.parametrize("packed", [True, False])
def test_answers_of_interfaces_lose_the_object_of_an_erased_key(bench, packed, tmp_path):
    answers = [
        {"result": {"records": [{"id": "a", "name": "x"}, {"id": "7", "name": NAME}]}},
        {"features": [{"attributes": {"ID": 7, "name": NAME}}, {"attributes": {"ID": 8, "name": "y"}}]},
    ]
    text = "\n".join(map(json.dumps, answers)).encode()
    path = bench.file("x.jsonl.gz" if packed else "x.jsonl", gzip.compress(text) if packed else text)
    fresh = without(Copy(path, path.name), replace(CASES, kind="ckan"), bench.desk, marked("7"), tmp_path)
    assert fresh is not None and fresh.name == path.name
    raw = fresh.path.read_bytes()
    said = (gzip.decompress(raw) if packed else raw).decode()
    assert [json.loads(line) for line in said.splitlines()] == [
        {"result": {"records": [{"id": "a", "name": "x"}]}},
        {"features": [{"attributes": {"ID": 8, "name": "y"}}]},
    ]


def test_what_cannot_be_cut_is_kept_only_without_the_record(bench, tmp_path):
    def left(name, content, key):
        path = bench.file(name, content)
        fresh = without(Copy(path, name), CASES, bench.desk, marked(key), tmp_path)
        return fresh is not None and fresh.path == path

    packed = gzip.compress(TEXT.encode())
    assert left("x.csv.gz", packed, "nobody")
    assert not left("x.csv.gz", packed, PERSON)
    assert not left("x.bin", b"\x00\x01\x02", PERSON), "nobody can tell"
    assert left("x.txt", "no table of ours, 8", "7")
    assert not left("x.txt", "no table of ours, 7", "7")
