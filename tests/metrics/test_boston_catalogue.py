"""Boston's catalogue: clean, complete, and true to the city's own records where they are at hand."""

from __future__ import annotations

import csv
import gzip
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from metrics import catalogue
from metrics.expressions import parse, to_sql
from metrics.model import Aggregation, Direction, Family, Grain

BOSTON = Path(__file__).resolve().parents[2] / "data" / "cities" / "boston"
CASES = "boston_311_2026/cases.csv.gz"
POPULATION = "boston_311_2026/neighborhood_population.csv.gz"
JULY = ("2026-07-01T04:00:00.000000Z", "2026-08-01T04:00:00.000000Z")
ON_TIME = {
    "pothole_on_time": "Pothole",
    "streetlight_on_time": "Street Light Outage",
    "missed_trash_on_time": "Missed Waste Pick-up",
    "graffiti_on_time": "Illegal Graffiti",
    "litter_on_time": "Litter & Debris",
    "dead_animal_on_time": "Dead Animal General",
    "sidewalk_on_time": "Sidewalk Repair",
    "park_equipment_on_time": "Broken Park Equipment",
}


@pytest.fixture(scope="module")
def boston():
    return catalogue.load(BOSTON)


@pytest.fixture(scope="module")
def cases(boston, shared_data):
    """The city's cases in a SQLite table: clock times are Boston's whatever offset they carry, and what
    is known with the closing is empty without one."""
    source = boston.sources["boston_311"]
    zone = ZoneInfo(boston.city.time_zone)
    names = [column.name for column in source.columns]
    with gzip.open(shared_data(CASES), "rt", encoding="utf-8", newline="") as file:
        rows = [
            [
                as_kept(row[column.name], zone if column.type == "instant" else None)
                if column.known_with is None or row[column.known_with]
                else None
                for column in source.columns
            ]
            for row in csv.DictReader(file)
        ]
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE cases ({', '.join(names)})")
    connection.executemany(f"INSERT INTO cases VALUES ({', '.join('?' * len(names))})", rows)
    yield connection
    connection.close()


def as_kept(text, zone):
    if not text or zone is None:
        return text or None
    local = datetime.fromisoformat(text).replace(tzinfo=zone)
    return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def july(boston, cases, name, neighborhood=None):
    """(numerator, denominator) of a share, or (rows,) of a count, in July 2026, by the metric's own words."""
    metric = boston.metrics[name]
    columns = {column.name: column.type for column in boston.sources[metric.source].columns}
    zone = ZoneInfo(boston.city.time_zone)

    def test(words):
        return to_sql(parse(words, columns, zone, expects="test"), "sqlite") if words else None

    kept = [f"{metric.date} >= ? AND {metric.date} < ?", test(metric.where) or "1"]
    kept += [f"NOT {test(metric.exclude)}"] if metric.exclude else []
    kept += [f"{metric.district} = '{neighborhood}'"] if neighborhood else []
    counted = f"SUM({test(metric.numerator)}), COUNT(*)" if metric.numerator else "COUNT(*)"
    return cases.execute(f"SELECT {counted} FROM cases WHERE {' AND '.join(kept)}", JULY).fetchone()


def test_boston_has_no_mistake_and_no_warning():
    assert catalogue.check(BOSTON) == []


def test_its_text_gives_it_back(boston):
    assert catalogue.from_text(boston.text) == boston


def test_its_calendar_is_that_of_cityscore(boston):
    city = boston.city
    assert (city.time_zone, city.week_start, city.quarter) == ("America/New_York", "monday", "trailing")
    assert not city.demonstration


@pytest.mark.parametrize(("name", "topic"), ON_TIME.items())
def test_the_on_time_metrics_count_the_cases_that_fell_due(boston, name, topic):
    metric = boston.metrics[name]
    assert metric.aggregation is Aggregation.RATIO
    assert metric.family is Family.SERVICE
    assert metric.where == f"case_topic = '{topic}'"
    assert metric.exclude == "closure_reason in ('Duplicate of Existing Case', 'Invalid')"
    assert (metric.date, metric.numerator) == ("target_close_date", "close_date <= target_close_date")
    assert [(target.value, target.valid_from) for target in metric.targets] == [(0.80, date(2016, 1, 1))]


def test_there_are_at_least_fourteen_metrics_and_the_named_conditions(boston):
    assert len(boston.metrics) >= 14
    counted, standing, waited = (
        boston.metrics[name] for name in ("requests_opened", "open_requests", "days_to_close")
    )
    assert (counted.aggregation, counted.date, counted.where) == (Aggregation.COUNT, "open_date", None)
    assert counted.exclude is None
    assert (standing.aggregation, standing.until) == (Aggregation.STOCK, "close_date")
    assert (waited.aggregation, waited.date) == (Aggregation.MEDIAN, "close_date")
    assert waited.name == "Days to close (closed cases only)"
    assert {metric.family for metric in (counted, standing, waited)} == {Family.CONDITION}


def test_every_metric_speaks_to_a_resident(boston):
    for metric in boston.metrics.values():
        assert metric.question.endswith("?"), metric.id
        assert metric.definition.endswith("."), metric.id
        assert len(metric.limitations) > 40, metric.id
        assert metric.clock_start or metric.date != "target_close_date" or metric.family is Family.CONDITION


def test_no_metric_reads_the_flag_that_is_wrong_or_the_status_without_a_history(boston):
    source = boston.sources["boston_311"]
    assert "on_time" not in [column.name for column in source.columns]
    assert source.column("case_status").known_with == "close_date"
    columns = {column.name: column.type for column in source.columns}
    for metric in boston.metrics.values():
        for words in filter(None, (metric.where, metric.exclude, metric.numerator)):
            used = parse(words, columns, ZoneInfo("UTC"), expects="test").columns
            assert "case_status" not in used, metric.id


def test_the_source_is_read_as_boston_writes_it(boston):
    source = boston.sources["boston_311"]
    assert (source.kind, source.key, source.arrival) == ("ckan", "case_id", "open_date")
    assert source.gaps == ()
    assert {column.stamps for column in source.columns if column.type == "instant"} == {"local"}
    assert [column.name for column in source.columns if column.planned] == ["target_close_date"]
    assert source.column("closure_reason").known_with == "close_date"


def test_services_are_scored_where_they_have_a_target_and_conditions_weigh_nothing(boston):
    for metric in boston.metrics.values():
        if metric.family is Family.SERVICE:
            assert {Grain.WEEK, Grain.MONTH, Grain.QUARTER} <= set(metric.scored_at), metric.id
        else:
            assert metric.weights == (), metric.id
    assert boston.metrics["requests_opened"].direction is Direction.NEUTRAL


def test_copied_populations_are_not_counted_twice(boston, shared_data):
    people = {district.name: district.population for district in boston.districts.values()}
    assert people["Bay Village"] is None
    assert people["Leather District"] is None
    with gzip.open(shared_data(POPULATION), "rt", encoding="utf-8", newline="") as file:
        listed = {row["neighborhood"]: row["population"] for row in csv.DictReader(file)}
    assert set(people) == set(listed)
    copied = {"Bay Village", "Leather District"}
    assert {name: str(people[name] or "") for name in set(people) - copied} == {
        name: listed[name] for name in set(listed) - copied
    }


def test_boundaries_are_left_to_the_city(boston):
    assert {district.geometry for district in boston.districts.values()} == {None}


def test_every_spelling_in_the_records_is_a_neighborhood_or_known_to_be_unknown(boston, cases):
    spellings = {spelling for (spelling,) in cases.execute("SELECT DISTINCT neighborhood FROM cases")}
    known = {name for one in boston.districts.values() for name in (one.name, *one.aliases)}
    assert spellings - known == {
        None,
        "Boston",
        "Allston / Brighton",
        "Fenway / Kenmore / Audubon Circle / Longwood",
        "South Boston / South Boston Waterfront",
    }
    assert known - spellings == {"Harbor Islands"}


@pytest.mark.parametrize(
    ("name", "neighborhood", "expected"),
    [
        ("pothole_on_time", None, (206, 688)),
        ("pothole_on_time", "Dorchester", (16, 76)),
        ("streetlight_on_time", None, (151, 302)),
        ("requests_opened", None, (13331,)),
    ],
)
def test_july_2026_counts_as_it_was_counted_by_hand(boston, cases, name, neighborhood, expected):
    assert july(boston, cases, name, neighborhood) == expected


@pytest.mark.parametrize("name", ON_TIME)
def test_a_second_count_in_plain_python_agrees(boston, cases, name):
    counted = Counter()
    query = "SELECT case_topic, closure_reason, close_date, target_close_date FROM cases"
    for topic, reason, closed, due in cases.execute(query):
        dropped = reason in ("Duplicate of Existing Case", "Invalid")
        if topic == ON_TIME[name] and due is not None and JULY[0] <= due < JULY[1] and not dropped:
            counted[closed is not None and closed <= due] += 1
    assert july(boston, cases, name) == (counted[True], counted.total())


def test_a_case_that_is_still_open_is_not_dropped_by_the_exclusions(boston, cases):
    """With SQL's three-valued `not in` it would be: 543 instead of 688 (method 2)."""
    _, denominator = july(boston, cases, "pothole_on_time")
    where = "case_topic = 'Pothole' AND target_close_date >= ? AND target_close_date < ?"
    query = f"SELECT COUNT(*) FROM cases WHERE {where} AND close_date IS NULL"
    [still_open] = cases.execute(query, JULY).fetchone()
    assert 0 < still_open < denominator


def test_every_other_metric_finds_records_of_its_own(boston, cases):
    for metric in boston.metrics.values():
        if metric.aggregation is Aggregation.RATIO:
            numerator, denominator = july(boston, cases, metric.id)
            assert denominator > 0, metric.id
            assert 0 <= numerator <= denominator, metric.id
