"""What docs/cleaning.md says is what happens."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from ingest import quarantine
from ingest.anomalies import DAYS_AT_LEAST, FLOORS, RANGE_SHARE, RUNS_AT_LEAST, RUNS_IN_WINDOW
from ingest.run import Asked, run_source
from metrics import catalogue
from metrics.model import Column
from store.quarantine import OPEN_AT_MOST

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cleaning.md"
SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
ABOUT_METRICS = {"name", "type", "planned", "known_with"}
"""Words of a column that are about reading it as of a day, not about cleaning."""


@pytest.fixture
def text() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture
def ran(text, bench):
    """Reads rows by the example of this id: the records by key, the report."""
    folder = bench.folder / "testville"
    (folder / "sources").mkdir(parents=True)
    (folder / "city.toml").write_text('id = "test"\nname = "Testville"\ntime_zone = "America/New_York"\n')
    area = {"id": "west", "name": "West End", "aliases": ["W. End"]}
    shape = {"type": "Polygon", "coordinates": SQUARE}
    feature = {"type": "Feature", "properties": area, "geometry": shape}
    districts = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (folder / "districts.geojson").write_text(districts)
    for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        (folder / "sources" / f"{tomllib.loads(block)['id']}.toml").write_text(block)
    assert catalogue.check(folder) == []
    city = catalogue.load(folder)
    desk = replace(bench.desk, districts=tuple(city.districts.values()))

    def run(name, rows):
        source = city.sources[name]
        report = run_source(desk, source, Asked(file=bench.file("rows.csv", rows)))
        return bench.records(source), report

    return run


def test_the_example_of_ids_and_lists(ran):
    records, report = ran(
        "cases",
        "case_id,zip_code,ward,reopened\n"
        "00123,2125,Ward 9,case reopened\n00124,02108.0,09,n/a\n00125,,10,perhaps\n",
    )
    assert records == {"00123": ("00123", "02125", "09", 1), "00124": ("00124", "02108", "09", None)}
    assert (
        report.rejections
        == ("1 rejected, reopened is none of the values declared (first: rows.csv line 4: 'perhaps')",)
        or "reopened is none of the values declared" in report.rejections[0]
    )


def test_the_example_of_days_and_stamps(ran):
    records, report = ran(
        "appeals",
        "appeal,received,heard_at\n"
        "a,07/01/2022,2022-07-02T10:00:00Z\nb,1 Jul 2023,2023-07-02T10:00:00\nc,1753-12-14,2074-07-02\n"
        "d,01/01/1980,\n",
    )
    assert records["a"] == ("a", "2022-07-01", "2022-07-02T14:00:00.000000Z", "2022-07-02")
    assert records["b"] == ("b", "2023-07-01", "2023-07-02T10:00:00.000000Z", "2023-07-02")
    assert records["c"] == ("c", None, None, None)
    assert "received is before 1990-01-01" in report.rejections[0]


def test_the_example_of_districts(ran):
    records, report = ran(
        "requests", "id,area,lat,lon\na,w. end,,\nb,,5,5\nc,,95,5\nd,East / West,5,5\ne,Midtown,5,5\n"
    )
    assert {key: row[1] for key, row in records.items()} == {
        "a": "west",
        "b": "west",
        "c": None,
        "d": "unknown",
        "e": "unknown",
    }
    assert "area names no district we know: 1 ('Midtown' 1)" in report.message


def test_the_example_of_computed_columns(ran):
    day = "07/01/2026"
    records, report = ran(
        "ambulance_calls",
        f"incident,called,arrived\na,{day} 10:00:00,{day} 10:06:30\nb,{day} 10:00:00,{day} 10:00:02\n"
        f"c,{day} 10:00:00,\nd,{day} 10:00:00,{day} 09:00:00\n",
    )
    assert {key: row[-1] for key, row in records.items()} == {"a": 6.5, "c": None}
    assert report.rejected == 2


def test_every_word_and_every_threshold_is_on_the_page(text):
    for word in {one.name for one in fields(Column)} - ABOUT_METRICS:
        assert f"`{word}`" in text
    for number in (quarantine.KEPT_OF_A_REASON, quarantine.KEPT_OF_A_RUN, OPEN_AT_MOST):
        assert f"{number:,}" in text
    assert (RUNS_AT_LEAST, DAYS_AT_LEAST, RUNS_IN_WINDOW, RANGE_SHARE) == (8, 8, 28, 0.25)
    assert (FLOORS["lag"], FLOORS["empty"], FLOORS["values"]) == (12, 0.05, 0.10)
