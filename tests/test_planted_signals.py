"""What was planted in the demonstration city is found by its charts, and nothing else beyond chance."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import text

from metrics import catalogue as catalogues
from metrics.metric_signals import charted_direction, metric_chart
from metrics.model import Catalogue, Direction, Grain
from metrics.signals import Caution, ChartKind, Series, Variation, chart, variation
from store import publications, signals
from store.engine import Connection, open_engine, reading
from store.integrity import integrity
from store.withheld import Audience
from tests.layouts.published_city import AS_OF

PROJECT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.matrix, pytest.mark.timeout(1800)]

BETTER, WORSE = Variation.IMPROVEMENT, Variation.CONCERN
ICE_STORM, WINDSTORM = date(2026, 2, 2), date(2026, 8, 24)
"""The first days of their weeks (ingest/sources/simulation/planted.py)."""

STORMS = [
    *((metric, ICE_STORM, WORSE) for metric in ("calls_answered", "ferry_on_time", "library_hours_kept")),
    *((metric, ICE_STORM, WORSE) for metric in ("school_attendance", "trash_collected", "open_requests")),
    ("requests_opened", ICE_STORM, Variation.HIGH),
    ("tree_on_time", ICE_STORM + timedelta(weeks=2), WORSE),
    ("streetlight_on_time", ICE_STORM + timedelta(weeks=2), WORSE),
    ("signal_repair_time", ICE_STORM + timedelta(weeks=1), WORSE),
    *((metric, WINDSTORM, WORSE) for metric in ("calls_answered", "ferry_on_time", "library_hours_kept")),
    *((metric, WINDSTORM, WORSE) for metric in ("trash_collected", "open_requests", "signal_repair_time")),
    ("requests_opened", WINDSTORM, Variation.HIGH),
]
SHORTAGE = [
    *(("permits_on_time", date(2026, 9, 28) + timedelta(weeks=week), WORSE) for week in range(5)),
    *(("permit_days", date(2026, 9, 7) + timedelta(weeks=week), WORSE) for week in range(7)),
]
"""Late permits are late when they were due, some weeks after they were asked for."""

IMPROVEMENT = [
    *(("graffiti_on_time", date(2026, 3, 9) + timedelta(weeks=week), BETTER) for week in range(15)),
    *(("graffiti_on_time", date(2025, 11, 24) + timedelta(weeks=week), WORSE) for week in range(14)),
]

UNTOUCHED = (
    *("police_response", "water_chlorine", "food_inspections", "food_follow_up_on_time", "serious_crashes"),
    *("park_checks_passed", "resident_rating", "requests_online", "litter_on_time", "vehicle_removal_delay"),
    *("building_fires", "fire_response", "ambulance_response", "sign_on_time"),
)
"""Services in which the town's life planted nothing that lasts."""

APART, LOOKS = 8, 11
"""Newest points so many weeks apart share no run."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connection, Catalogue]]:
    folder = tmp_path_factory.mktemp("demo")
    environment = {**os.environ, "CITY": "demo", "DATA_DIR": str(folder), "DATABASE_URL": ""}
    for command in (("ingest", "run"), ("store", "publish", "--as-of", AS_OF.isoformat())):
        subprocess.run(
            [sys.executable, "-m", *command], cwd=PROJECT, env=environment, check=True, capture_output=True
        )
    engine = open_engine(f"sqlite:///{folder / 'demo' / 'cityscore.db'}")
    with reading(engine) as connection:
        yield connection, catalogues.load(PROJECT / "data" / "cities" / "demo")
    engine.dispose()


def chart_of(demo, metric: str, grain: Grain = Grain.WEEK):
    connection, catalogue = demo
    now = publications.current(connection)
    assert now is not None
    return signals.chart_of(connection, now.publication, catalogue.metrics[metric], grain)


def meanings(demo, metric: str, grain: Grain = Grain.WEEK) -> dict[date, Variation]:
    """What each signal of a chart means, by its start."""
    made = chart_of(demo, metric, grain)
    direction = charted_direction(demo[1].metrics[metric], made.kind)
    return {one.start: variation(one.signal, direction) for one in made.points if one.signal is not None}


@pytest.mark.parametrize(("metric", "week", "meaning"), [*STORMS, *SHORTAGE, *IMPROVEMENT])
def test_a_planted_event_is_a_signal_in_its_weeks(demo, metric, week, meaning):
    assert meanings(demo, metric).get(week) is meaning


def test_the_gamed_metric_improves_from_its_month_on_as_its_pair_worsens(demo):
    gamed, reopened = (
        meanings(demo, one, Grain.MONTH) for one in ("missed_trash_on_time", "requests_reopened")
    )
    months = [one.start for one in chart_of(demo, "missed_trash_on_time", Grain.MONTH).points]
    before = [month for month in months if month < date(2025, 7, 1)]
    after = [month for month in months if month >= date(2025, 7, 1)]
    assert before and after
    assert {gamed[month] for month in before} == {WORSE} and {gamed[month] for month in after} == {BETTER}
    assert {reopened[month] for month in after if month in reopened} == {WORSE}
    assert {reopened[month] for month in before if month in reopened} == {BETTER}


def test_the_gamed_metric_alone_is_closed_in_a_heap_before_its_deadline(demo):
    connection, catalogue = demo
    publication = publications.current(connection).publication
    asked = {one.id: trust(connection, publication, one) for one in catalogue.live_metrics()}
    assert sum(one.bunched is not None for one in asked.values()) > 6
    assert {name for name, one in asked.items() if one.is_heaped} == {"missed_trash_on_time"}
    gamed = asked["missed_trash_on_time"]
    assert gamed.heap.heaping.is_alarm and gamed.bunched.bunching.is_alarm


GAMED_SINCE = "2025-07"
WARNED = {("missed_trash_on_time", "missed_trash_reopened"), ("days_to_close", "requests_reopened")}
"""The second follows from the first: what is closed early and comes back is part of the time to close."""


def test_only_what_the_gamed_service_moves_improves_as_its_pair_worsens(demo):
    connection, catalogue = demo
    publication = publications.current(connection).publication
    warned = {
        (one.id, pair.metric.id)
        for one in catalogue.live_metrics()
        for pair in trust(connection, publication, one).pairs
        if pair.is_warning
    }
    assert warned == WARNED


def test_the_time_to_close_would_be_no_signal_had_nobody_worked_on_missed_trash(demo):
    """So its warning is about the gamed service, and no false alarm of graffiti that are cleaned faster."""
    waits = monthly_waits(demo[0])
    usual = sorted(
        wait for month, of in waits.items() if month < GAMED_SINCE for wait in of.get("Missed Trash", [])
    )

    def honest(month: str, topic: str, found: list[float]) -> list[float]:
        if topic != "Missed Trash" or month < GAMED_SINCE:
            return found
        return [usual[(2 * rank + 1) * len(usual) // (2 * len(found))] for rank in range(len(found))]

    charts = [
        chart(
            ChartKind.XMR,
            Series.of(
                [date.fromisoformat(f"{month}-01") for month in waits],
                [
                    median(wait for topic, found in of.items() for wait in change(month, topic, found))
                    for month, of in waits.items()
                ],
            ),
            direction=Direction.LOWER_IS_BETTER,
        )
        for change in (lambda _month, _topic, found: found, honest)
    ]
    assert [one.variation for one in charts] == [BETTER, Variation.COMMON_CAUSE]


def monthly_waits(connection) -> dict[str, dict[str, list[float]]]:
    """By month of closing and topic the days to close, of the 36 months that a chart has."""
    rows = connection.execute(
        text(
            "SELECT substr(closed_at_day, 1, 7), topic, julianday(closed_at) - julianday(opened_at) "
            "FROM records_service_requests WHERE closed_at_day >= '2023-11' AND closed_at_day < '2026-11' "
            "AND coalesce(closure_reason, '') NOT IN ('Duplicate', 'Invalid') ORDER BY 1, 3"
        )
    )
    found: dict[str, dict[str, list[float]]] = {}
    for month, topic, wait in rows:
        found.setdefault(month, {}).setdefault(topic, []).append(wait)
    return found


def trust(connection, publication, metric):
    pairs = [catalogues.load(PROJECT / "data" / "cities" / "demo").metrics[one] for one in metric.pairs]
    return integrity(connection, publication, metric, Audience.PUBLIC, pairs)


def at_most_by_chance(chances: list[float]) -> int:
    """The number of signals that independent points of these chances exceed once in a thousand times."""
    distribution = [1.0]
    for chance in chances:
        kept = [one * (1 - chance) for one in distribution] + [0.0]
        distribution = [a + b * chance for a, b in zip(kept, [0.0, *distribution], strict=True)]
    found, total = 0, distribution[0]
    while total < 0.999:
        found += 1
        total += distribution[found]
    return found


def test_of_what_nothing_was_planted_in_no_more_is_a_signal_than_chance_makes(demo):
    connection, catalogue = demo
    now = publications.current(connection)
    found, chances = 0, []
    for name in UNTOUCHED:
        metric = catalogue.metrics[name]
        rows = publications.series(connection, now.publication, name, Grain.WEEK)
        days = publications.series(connection, now.publication, name, Grain.DAY)
        for back in range(0, APART * LOOKS, APART):
            upto = rows[: len(rows) - back]
            known = [day for day in days if day.period.end <= upto[-1].period.end]
            made = metric_chart(metric, upto, days=known)
            if made is not None and made.judged is not None:
                found += made.signal is not None
                chances.append(made.false_alarms.last)
    assert len(chances) > 100
    assert found <= at_most_by_chance(chances), (found, sum(chances))


def test_the_newest_week_shows_only_signals_that_the_seasons_explain_beyond_what_chance_makes(demo):
    connection, _catalogue = demo
    kept = signals.findings(connection, publications.current(connection).publication, Grain.WEEK)
    seasons = {name for name, one in kept.items() if Caution.SEASON in one.warnings}
    newest = [one for name, one in kept.items() if name not in seasons and one.judged is not None]
    found = sum(one.signal is not None for one in newest)
    assert len(newest) > 15
    assert found <= at_most_by_chance([one.expected for one in newest])


def test_the_bound_of_chance_is_the_binomial_one():
    assert at_most_by_chance([0.5] * 2) == 2 and at_most_by_chance([0.0]) == 0
    assert at_most_by_chance([0.02] * 100) == 7
