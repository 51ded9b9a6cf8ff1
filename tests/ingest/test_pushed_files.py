"""Real cases sent in pieces, in every form, twice and in any order, end like the whole file read at once."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from dataclasses import replace

import pytest

from ingest.run import Asked, run_source
from metrics import catalogue
from tests.ingest.conftest import Bench

PIECE = 700
BOSTON = catalogue.CITIES / "boston"


@pytest.fixture
def cases(shared_data):
    with gzip.open(
        shared_data("boston_311_2026") / "cases.csv.gz", "rt", encoding="utf-8", newline=""
    ) as file:
        yield csv.DictReader(file)


def written(rows, ending):
    """Some rows as a sender writes them."""
    if ending == "json":
        return json.dumps(rows)
    if ending == "jsonl":
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    text = io.StringIO()
    sheet = csv.DictWriter(text, list(rows[0]))
    sheet.writeheader()
    sheet.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("count", [2_100, pytest.param(40_000, marks=pytest.mark.matrix)])
def test_pushed_in_pieces_it_is_the_file(any_engine_url, tmp_path, cases, count):
    source = catalogue.load(BOSTON).sources["boston_311"]
    rows = list(itertools.islice(cases, count))
    bench = Bench(any_engine_url, tmp_path)
    whole = replace(source, id="whole", kind="file", options={"path": "all.csv"})
    bench.file("all.csv", written(rows, "csv"))
    assert run_source(bench.desk, whole).read == len(rows)

    pushed = replace(source, id="pushed", kind="push", options={})
    pieces = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]
    forms = itertools.cycle(["csv", "json", "jsonl"])
    files = [
        bench.file(f"{n}.{form}", written(one, form))
        for n, (one, form) in enumerate(zip(pieces, forms, strict=False))
    ]
    for path in [*files[::-1], files[0]]:
        report = run_source(bench.desk, pushed, Asked(file=path))
        assert report.outcome == "succeeded", report.message
    assert (report.new, report.changed) == (0, 0), "the last one was sent twice"
    found = bench.records(pushed)
    assert found == bench.records(whole) and len(found) > 0.9 * len(rows)
    bench.engine.dispose()
