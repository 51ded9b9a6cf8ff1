"""Page, staff page, frame, picture, its texts, CSV and API tell one value, and change together."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import app
from layouts import formats
from layouts.public import png
from metrics import catalogue as catalogues
from metrics.model import Catalogue, Grain, Metric, Period, Score
from store import publications
from store.engine import Engine, open_engine, reading
from tests.layouts.published_city import (
    AS_OF,
    SKETCHES,
    catalogue_of,
    city_files,
    empty_database,
    fill,
    plan_of,
    public_pairs,
    published_city,
)
from tests.people import sign_in

__all__ = ["empty_database", "published_city"]

PROJECT = Path(__file__).resolve().parents[1]
SVG_TEXT = ".//{http://www.w3.org/2000/svg}text"


@dataclass(frozen=True)
class Told:
    """What one rendering says of the newest period of a metric."""

    value: str
    period: str
    publication: int


class Reader:
    """Asks a whole server for every rendering of a metric."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self.engine, self.catalogue = engine, catalogue
        self.client = app.make_server(engine, catalogue, catalogue.city.id).test_client()
        sign_in(self.client, engine)

    def ask(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.text[:300])
        return answer

    def everywhere(self, metric: Metric, grain: Grain, score: Score) -> dict[str, Told]:
        """What each rendering says, by its name; `score` says how unrounded numbers would be printed."""
        series = self.ask(f"/api/v1/metrics/{metric.id}/series?grain={grain}").get_json()
        newest = self.ask(f"/api/v1/metrics/{metric.id}").get_json()
        asked = f"{metric.id}?grain={grain}"
        return {
            "page": _of_page(self.ask(f"/metric/{asked}").text),
            "staff": _of_staff(self._staff(f"/staff/metric/{metric.id}", f"?grain={grain}")),
            "frame": _of_page(self.ask(f"/embed/metric/{asked}").text),
            "picture": _of_picture(self.ask(f"/embed/metric/{metric.id}.svg?grain={grain}&title=no").data),
            "texts": _of_texts(png.texts(self.ask(f"/embed/metric/{metric.id}.png?grain={grain}").data)),
            "CSV": _of_csv(self.ask(f"/api/v1/metrics/{metric.id}/series.csv?grain={grain}"), metric, score),
            "series": _of_point(series["points"][-1], series["publication"]["id"], metric, score),
            "API": _of_point(newest["latest"][grain], newest["publication"]["id"], metric, score),
        }

    def score(self, metric: Metric, grain: Grain) -> Score | None:
        """What the store says."""
        with reading(self.engine) as connection:
            found = publications.current(connection)
            assert found is not None
            return publications.latest_scores(connection, found.publication).get(metric.id, {}).get(grain)

    def _staff(self, path: str, search: str) -> Any:
        places = [("_pages_content", "children"), ("_pages_store", "data")]
        values = [("pathname", path), ("search", search)]
        answer = self.client.post(
            "/staff/_dash-update-component",
            json={
                "output": ".._pages_content.children..._pages_store.data..",
                "outputs": [{"id": id, "property": name} for id, name in places],
                "inputs": [{"id": "_pages_location", "property": p, "value": value} for p, value in values],
                "changedPropIds": ["_pages_location.pathname"],
            },
        )
        assert answer.status_code == 200, answer.text[:300]
        return answer.get_json()["response"]["_pages_content"]["children"]


def _words(markup: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))).strip()


def _publication(text: str) -> int:
    [number] = set(re.findall(r"publication (\d+),", text))
    return int(number)


def _of_page(html: str) -> Told:
    body = html[html.index("<details") :]
    row = re.search(r"<tbody>\s*<tr>(.*?)</tr>", body, re.S)
    cells = [_words(one) for one in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row.group(1), re.S)]
    return Told(cells[1], cells[0], _publication(_words(html)))


def _of_staff(tree: Any) -> Told:
    details = next(one for one in _components(tree) if one["type"] == "Details")
    rows = [one for one in _components(details) if one["type"] == "Tr"]
    cells = [_text(cell) for cell in rows[1]["props"]["children"]]
    return Told(_words(cells[1]), _words(cells[0]), _publication(_text(tree)))


def _components(tree: Any) -> list[dict[str, Any]]:
    if isinstance(tree, list):
        return [found for one in tree for found in _components(one)]
    if not isinstance(tree, dict):
        return []
    return [tree, *_components(tree["props"].get("children"))]


def _text(tree: Any) -> str:
    if isinstance(tree, list):
        return "".join(_text(one) for one in tree)
    if isinstance(tree, dict):
        return _text(tree["props"].get("children"))
    return "" if tree is None else str(tree)


def _of_picture(svg: bytes) -> Told:
    """A picture has no cells: all its words are taken for its value."""
    texts = ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iterfind(SVG_TEXT)]
    return Told(" | ".join(_words(one) for one in texts), "", _publication(" ".join(texts)))


def _of_texts(facts: dict[str, str]) -> Told:
    return Told(_words(facts["Value"]), _words(facts["Period"]), int(facts["Publication"]))


def _of_csv(answer: Any, metric: Metric, score: Score) -> Told:
    row = list(csv.DictReader(io.StringIO(answer.text)))[-1]
    number = re.search(r"_(\d+)\.csv", answer.headers["Content-Disposition"]).group(1)
    return _of_point(row, int(number), metric, score)


def _of_point(point: dict[str, Any], number: int, metric: Metric, score: Score) -> Told:
    """An unrounded point, printed as a page prints the score it should be."""
    value = None if point["value"] in (None, "") else float(point["value"])
    start, end = date.fromisoformat(point["start"]), date.fromisoformat(point["end"])
    shown = replace(score, value=value, period=Period(score.period.grain, start, end))
    return _expected(metric, shown, number)


def _expected(metric: Metric, score: Score, publication: int) -> Told:
    value, period = formats.value_beside_target(metric, score), formats.short_period(score.period)
    return Told(_words(value), _words(period), publication)


def assert_one_number(reader: Reader, metric: Metric, grain: Grain, publication: int) -> Told | None:
    """Asserts that every rendering tells the same; gives it, None where there is no such period at all."""
    score = reader.score(metric, grain)
    if score is None:
        return None
    expected = _expected(metric, score, publication)
    told = reader.everywhere(metric, grain, score)
    picture = told.pop("picture")
    assert told == dict.fromkeys(told, expected)
    assert picture.publication == publication
    # In a picture a word stands where there is no value.
    said = formats.status_word(score.status) if score.value is None else expected.value
    assert said in picture.value and expected.period in picture.value
    return expected


def public(catalogue: Catalogue) -> list[Metric]:
    return [metric for metric in catalogue.live_metrics() if metric.public]


@pytest.fixture(scope="module")
def reader(published_city):
    return Reader(published_city.engine, published_city.catalogue)


@pytest.mark.parametrize(("id", "grain"), public_pairs())
def test_every_rendering_of_a_metric_tells_one_value_of_one_publication(reader, id, grain):
    assert assert_one_number(reader, reader.catalogue.metrics[id], grain, 1)


def test_a_new_publication_changes_every_rendering(empty_database, monkeypatch):
    monkeypatch.setattr("serving.kept.STATE_SECONDS", 0.0)
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    reader = Reader(engine, catalogue)
    metrics = [catalogue.metrics[id] for id in ("pothole_on_time", "response_minutes", "flu_shots")]
    before = {one.id: assert_one_number(reader, one, Grain.MONTH, 1) for one in metrics}
    changed = tuple(replace(one, level=one.level * 0.8, amount=one.amount * 2) for one in SKETCHES)
    fill(engine, catalogue, plan_of(catalogue, changed)[0], knowledge)
    for metric in metrics:
        after = assert_one_number(reader, metric, Grain.MONTH, 2)
        assert after.value != before[metric.id].value and after.period == before[metric.id].period


@pytest.mark.matrix
@pytest.mark.timeout(1800)
def test_every_rendering_of_the_demonstration_tells_one_value(tmp_path):
    environment = {**os.environ, "CITY": "demo", "DATA_DIR": str(tmp_path), "DATABASE_URL": ""}
    for command in (("ingest", "run"), ("store", "publish", "--as-of", AS_OF.isoformat())):
        subprocess.run(
            [sys.executable, "-m", *command], cwd=PROJECT, env=environment, check=True, capture_output=True
        )
    engine = open_engine(f"sqlite:///{tmp_path / 'demo' / 'cityscore.db'}")
    reader = Reader(engine, catalogues.load(PROJECT / "data" / "cities" / "demo"))
    told = [
        assert_one_number(reader, metric, grain, 1) for metric in public(reader.catalogue) for grain in Grain
    ]
    engine.dispose()
    assert sum(one is not None for one in told) > len(public(reader.catalogue))
