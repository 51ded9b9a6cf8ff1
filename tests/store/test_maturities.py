"""How late records come and how long cases wait, counted from the records and kept with a publication."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from metrics.catalogue import load
from metrics.closure import WaitUnit
from metrics.model import Grain, Status
from store import maturities, publications
from store.engine import open_engine, reading
from tests.builders import write_folder
from tests.town import CITY, DEPARTMENTS, DISTRICTS, LATE_SOURCE, Town, all_scores, metric_file

METRICS = {
    "filed": ('aggregation = "count"\ndirection = "lower_is_better"\ndate = "opened"', 10, 20),
    "on_time": (
        'aggregation = "ratio"\ndirection = "higher_is_better"\ndate = "due"\nnumerator = "closed <= due"',
        0.8,
        0,
    ),
    "reopened": (
        'aggregation = "ratio"\ndirection = "higher_is_better"\ndate = "opened"\n'
        'numerator = "days_between(opened, closed) <= 5"',
        0.8,
        0,
    ),
    "waited": (
        'aggregation = "median"\ndirection = "lower_is_better"\ndate = "closed"\n'
        'where = "closed is not null"\nvalue = "days_between(opened, closed)"',
        5,
        10,
    ),
    "open": (
        'aggregation = "stock"\ndirection = "lower_is_better"\ndate = "opened"\nuntil = "closed"',
        5,
        10,
    ),
}
FIRST, END = date(2026, 3, 1), date(2026, 6, 20)
NOON = datetime(2026, 3, 1, 16, tzinfo=UTC)


@pytest.fixture
def make(tmp_path, new_database):
    folder = tmp_path / "city"
    files = {
        "city.toml": CITY,
        "departments.toml": DEPARTMENTS,
        "sources/cases.toml": LATE_SOURCE.format(id="cases", more=""),
        "districts.geojson": DISTRICTS,
    }
    for name, (how, *target) in METRICS.items():
        unit = {"ratio": "percent", "median": "days"}.get(how.split('"')[1], "cases")
        scored = f'unit = "{unit}"\nscored_at = ["day", "week", "month"]\n{how}'
        files[f"metrics/{name}.toml"] = metric_file(name, scored, tuple(target))
    write_folder(folder, files)

    towns = []

    def made(engine: str = "sqlite") -> Town:
        towns.append(Town(open_engine(new_database(engine)), load(folder)))
        return towns[-1]

    yield made
    for town in towns:
        town.engine.dispose()


def cases(until: date):
    """Ten cases a day: two filed three days late, one closed after 60 days, one never, the rest after 4."""
    for day in range((END - FIRST).days):
        opened = NOON + timedelta(days=day)
        for number in range(10):
            filed = opened + timedelta(days=3 if number < 2 else 0)
            days = {8: 60, 9: None}.get(number, 4)
            closed = opened + timedelta(days=days) if days else None
            if filed.date() <= until:
                yield {
                    "case_id": f"{day}-{number}",
                    "opened": opened,
                    "filed": filed,
                    "due": opened + timedelta(days=7),
                    "closed": closed if closed and closed.date() <= until else None,
                    "area": "North",
                }


def publish(town: Town, as_of: date) -> None:
    town.now = datetime(as_of.year, as_of.month, as_of.day, 12, tzinfo=UTC)
    town.ingest(*cases(as_of - timedelta(days=1)))
    town.publish(as_of)


def said(town: Town, metric: str):
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        return maturities.read(connection, opened.publication, metric)[metric]


def newest(town: Town, metric: str, grain: Grain = Grain.DAY):
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        return publications.series(connection, opened.publication, metric, grain)[-1]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_completeness_is_what_of_earlier_days_was_known_at_their_age(make, engine):
    town = make(engine)
    publish(town, END)
    assert said(town, "filed").curve.numerator[:5] == pytest.approx((0.8, 0.8, 0.8, 1.0, 1.0))
    assert said(town, "reopened").curve.numerator[:6] == pytest.approx((0.0, 0.0, 0.0, 0.0, 1.0, 1.0), abs=0)
    assert said(town, "reopened").curve.denominator[:4] == pytest.approx((0.8, 0.8, 0.8, 1.0))
    assert said(town, "on_time").curve.shares[0] == 1.0
    assert said(town, "filed").last_mature_day == END - timedelta(days=4)
    assert said(town, "open").curve is None
    assert newest(town, "open").completeness is None


def test_a_day_of_which_too_little_is_known_is_not_scored_and_says_so(make):
    town = make()
    publish(town, END)
    day, week = newest(town, "filed"), newest(town, "filed", Grain.WEEK)
    assert (day.status, day.score, day.completeness) == (Status.IMMATURE, None, 0.8)
    assert day.value == 8
    assert day.reason.id == "immature"
    assert (newest(town, "on_time").status, newest(town, "on_time").completeness) == (Status.FINAL, 1.0)
    assert week.status is Status.FINAL


def test_a_provisional_score_becomes_final_without_a_reason(make):
    town = make()
    publish(town, END - timedelta(days=5))
    early = newest(town, "filed", Grain.WEEK)
    assert early.status is Status.PROVISIONAL
    town.now = datetime(2026, 6, 19, 12, tzinfo=UTC)
    town.ingest(*cases(END - timedelta(days=2)))
    report = town.publish(END - timedelta(days=1))
    assert newest(town, "filed", Grain.WEEK).status is Status.FINAL
    assert newest(town, "filed", Grain.WEEK).score != early.score
    assert report.restated == 0
    assert report.publication.reason is None


def test_publishing_day_by_day_and_once_say_the_same_of_everything(make):
    daily, once = make(), make()
    for back in range(6, -1, -1):
        publish(daily, END - timedelta(days=back))
    publish(once, END)
    assert {metric: said(daily, metric) for metric in METRICS} == {
        metric: said(once, metric) for metric in METRICS
    }
    with reading(daily.engine) as one, reading(once.engine) as other:
        scores = [
            all_scores(connection, publications.current(connection).publication)
            for connection in (one, other)
        ]
    assert scores[0] == scores[1]


def test_every_publication_recomputes_with_the_curves_it_was_made_with(make):
    town = make()
    publish(town, END - timedelta(days=3))
    publish(town, END)
    assert town.verified() == []


def test_days_a_silent_source_told_at_once_later_are_late_and_not_incomplete(make):
    town = make()
    silent = datetime(2026, 5, 10, 16, tzinfo=UTC)
    back = silent + timedelta(days=6)
    given = [
        {**case, "filed": max(case["opened"], back) if silent <= case["opened"] < back else case["opened"]}
        for case in cases(END - timedelta(days=1))
    ]
    town.now = datetime(2026, 6, 20, 12, tzinfo=UTC)
    town.ingest(*given)
    town.publish(END)
    assert said(town, "filed").curve.numerator[0] == 1.0


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_time_to_close_counts_open_cases_and_the_backlog_has_its_age(make, engine):
    town = make(engine)
    publish(town, END)
    waiting = said(town, "on_time").waiting
    assert (waiting.unit, waiting.cohort_end - waiting.cohort_start) == (WaitUnit.DAYS, timedelta(days=91))
    assert (waiting.median, waiting.closed_only_median) == (4.0, 4.0)
    assert waiting.p90 is None or waiting.p90 == 60.0
    assert waiting.cases > waiting.closed
    assert waiting.open > waiting.cases - waiting.closed
    assert waiting.age_p90 > waiting.age_median > 7
    assert said(town, "waited").waiting == waiting
    assert said(town, "filed").waiting is None


def test_the_table_is_written_by_every_publication(make):
    town = make()
    publish(town, END - timedelta(days=1))
    publish(town, END)
    with reading(town.engine) as connection:
        for publication in publications.history(connection):
            assert set(maturities.read(connection, publication)) == set(METRICS)
