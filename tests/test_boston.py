"""The whole way on real input: a file of Boston's cases in, the numbers of July 2026 out of the API."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import app
from ingest.run import Asked, Desk, run_source
from metrics.catalogue import find_city, load
from store import heaps, publications, records
from store.engine import open_engine, reading, system_clock
from store.migrations import migrate
from store.publish import publish, verify
from tests.town import all_composites, all_scores

HOST = {"base_url": "http://127.0.0.1:8050", "environ_overrides": {"REMOTE_ADDR": "127.0.0.1"}}
AS_OF = date(2026, 8, 16)


class Boston:
    """Boston's cases loaded and published, asked through the API."""

    def __init__(self, url: str, file: Path, snapshots: Path) -> None:
        self.catalogue = load(find_city("boston"))
        self.engine = open_engine(url)
        migrate(self.engine, self.catalogue.city, system_clock)
        self.desk = Desk(self.engine, self.catalogue.city, snapshots)
        self.file = file
        self.first = self.ingest()
        self.published = publish(self.engine, self.catalogue, system_clock, as_of=AS_OF)
        self.client = app.make_server(self.engine, self.catalogue, "boston").test_client()

    def ingest(self) -> Any:
        source = self.catalogue.sources["boston_311"]
        return run_source(
            self.desk, source, Asked(file=self.file), dated=records.dated_columns(self.catalogue, source)
        )

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}", **HOST)

    def july(self, metric: str, district: str = "") -> dict[str, Any]:
        asked = f"metrics/{metric}/series?grain=month&since=2026-07-01&until=2026-08-01"
        (point,) = self.get(asked + (f"&district={district}" if district else "")).get_json()["points"]
        return point


@pytest.fixture(scope="module")
def cases(shared_data: Callable[[str], Path]) -> Path:
    return shared_data("boston_311_2026/cases.csv.gz")


@pytest.fixture(scope="module")
def boston_on(
    request: pytest.FixtureRequest, cases: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Boston]]:
    """Gives the loaded and published city on `sqlite` or `postgresql`, made when first asked for."""
    made: dict[str, Boston] = {}

    def on(engine: str) -> Boston:
        if engine not in made:
            folder = tmp_path_factory.mktemp("boston")
            is_sqlite = engine == "sqlite"
            url = f"sqlite:///{folder}/boston.db" if is_sqlite else request.getfixturevalue("postgres_url")
            made[engine] = Boston(url, cases, folder / "snapshots")
        return made[engine]

    yield on
    for one in made.values():
        one.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def boston(request: pytest.FixtureRequest, boston_on: Callable[[str], Boston]) -> Boston:
    return boston_on(request.param)


def test_every_row_of_the_file_is_accounted_for(boston: Boston) -> None:
    first = boston.first
    assert first.read == 38_971 == first.new + first.changed + first.unchanged + first.rejected
    assert first.outcome == "succeeded"


def test_july_2026_is_counted_as_by_hand(boston: Boston) -> None:
    potholes, lights = boston.july("pothole_on_time"), boston.july("streetlight_on_time")
    dorchester = boston.july("pothole_on_time", "dorchester")
    assert (potholes["numerator"], potholes["denominator"]) == (206, 688)
    assert (lights["numerator"], lights["denominator"]) == (151, 302)
    assert (dorchester["numerator"], dorchester["denominator"]) == (16, 76)
    assert boston.july("requests_opened")["value"] == 13_331
    assert potholes["score"] == pytest.approx(206 / 688 / 0.8)


@pytest.mark.parametrize("metric", ["pothole_on_time", "streetlight_on_time", "requests_opened"])
def test_districts_and_the_unknown_one_add_up_to_the_city(boston: Boston, metric: str) -> None:
    whole = boston.july(metric)
    parts = []
    for district in [*boston.catalogue.districts, "unknown"]:
        asked = f"metrics/{metric}/series?grain=month&since=2026-07-01&until=2026-08-01&district={district}"
        parts += boston.get(asked).get_json()["points"]
    assert sum(part["numerator"] for part in parts) == whole["numerator"]
    if whole["denominator"] is not None:
        assert sum(part["denominator"] for part in parts) == whole["denominator"]


def test_the_csv_says_what_the_json_says(boston: Boston) -> None:
    answer = boston.get("metrics/pothole_on_time/series.csv?grain=month&since=2026-07-01&until=2026-08-01")
    (row,) = csv.DictReader(io.StringIO(answer.get_data(as_text=True)))
    point = boston.july("pothole_on_time")
    assert {name: float(row[name]) for name in ("numerator", "denominator", "value", "score")} == {
        name: point[name] for name in ("numerator", "denominator", "value", "score")
    }


def test_no_kind_of_case_is_closed_in_a_heap_before_its_deadline(boston: Boston) -> None:
    """Of 13 weeks: deadlines follow hours of work, and a case of one day is not there a day before it."""
    looked_at = 0
    with reading(boston.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        for metric in boston.catalogue.live_metrics():
            found = heaps.read_bunched(connection, now.publication, metric.id)
            looked_at += found is not None
            bunching = found.bunching if found else None
            assert bunching is None or not bunching.is_alarm, (metric.id, bunching)
    assert looked_at > 5


def test_the_city_and_every_department_have_the_promised_shape(boston: Boston) -> None:
    answer = boston.get("scores").get_json()
    assert answer["publication"]["as_of"] == "2026-08-16"
    windows = [answer["city"], *answer["departments"].values()]
    for window in (one for windows_ in windows for one in windows_.values()):
        promised = "score reason coverage ceiling on_target meets cannot_tell misses late scored total period"
        assert set(promised.split()) <= set(window)
        assert {"change", "change_matched", "contributions"} <= set(window)
        assert (window["score"] is None) == (window["reason"] is not None)
        if window["change"] is not None:
            total = sum(one["contribution"] for one in window["contributions"])
            assert total == pytest.approx(window["change"], abs=1e-12)


def test_the_same_file_again_changes_nothing(boston: Boston) -> None:
    again = boston.ingest()
    assert (again.new, again.changed, again.unchanged) == (0, 0, 38_971)
    assert publish(boston.engine, boston.catalogue, system_clock, as_of=AS_OF).publication is None


def test_every_published_score_recomputes(boston: Boston) -> None:
    with reading(boston.engine) as connection:
        assert [lines for _, lines in verify(connection)] == [[]]


def test_both_engines_publish_the_same_numbers_to_the_last_bit(boston_on: Callable[[str], Boston]) -> None:
    said = []
    for engine in ("sqlite", "postgresql"):
        with reading(boston_on(engine).engine) as connection:
            current = publications.current(connection)
            assert current is not None
            said.append(
                (
                    all_scores(connection, current.publication),
                    all_composites(connection, current.publication),
                )
            )
    assert said[0] == said[1]
