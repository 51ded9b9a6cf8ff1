"""The two composition roots: the web over a real database, the worker, and the commands of both."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import app
import worker
from layouts.staff import CALLBACKS
from metrics import catalogue as catalogues
from serving.kept import build_id
from serving.routes import Kind, Kinds
from serving.server import KINDS
from tests.builders import write_folder
from tests.layouts.published_city import (
    PublishedCity,
    catalogue_of,
    city_files,
    empty_database,
    published_city,
)
from tests.layouts.test_staff import MOVE
from tests.people import sign_in
from tests.springfield import RECORDS, springfield

__all__ = ["empty_database", "published_city", "springfield"]

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def server(published_city: PublishedCity):
    return app.make_server(published_city.engine, published_city.catalogue, "harbor")


@pytest.fixture
def client(server, published_city):
    made = server.test_client()
    sign_in(made, published_city.engine)
    return made


# --- the web -----------------------------------------------------------------------------------


def test_every_rule_of_the_server_has_a_kind(server):
    kinds = server.extensions[KINDS]
    without = [str(rule) for rule in server.url_map.iter_rules() if kinds.of(rule.rule) is None]
    assert without == []


def test_every_rule_under_staff_is_for_staff(server):
    kinds = Kinds(())
    rules = [rule.rule for rule in server.url_map.iter_rules() if rule.rule.startswith("/staff/")]
    assert rules and all(kinds.of(rule) is Kind.STAFF for rule in rules)


def test_absolute_links_begin_with_the_public_address_where_there_is_one(server, published_city):
    behind = app.make_server(
        published_city.engine, published_city.catalogue, "harbor", "https://scores.example.org"
    ).test_client()
    page = behind.get("/metric/pothole_on_time?publication=1", headers={"Host": "scores.example.org"}).text
    address = "https://scores.example.org/metric/pothole_on_time"
    pin = re.search(r"rel=\"canonical\" href=\"([^\"]+)\"", page)
    assert pin is not None and pin[1] in (address, f"{address}?publication=1")
    picture = re.search(r"property=\"og:image\" content=\"https://scores.example.org([^\"]+)\"", page)
    assert picture is not None and picture[1].startswith("/embed/metric/pothole_on_time.png")
    assert behind.get(picture[1]).mimetype == "image/png"
    assert 'property="og:url" content="https://scores.example.org/"' in behind.get("/").text
    without = server.test_client().get("/").text
    assert "canonical" not in without and "og:" not in without


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/metric/pothole_on_time", 200),
        ("/metric/nothing", 404),
        ("/nothing", 404),
        ("/api/v1/scores", 200),
        ("/api/v1/metrics/pothole_on_time/series", 200),
        ("/api/v1/metrics/pothole_on_time/series.csv", 200),
        ("/api/v1/metrics/pothole_on_time/series.xml", 404),
        ("/api/v1/scores?publication=x", 400),
        ("/api/v2/scores", 404),
        ("/health", 200),
        ("/status", 200),
        ("/status.json", 200),
        ("/today", 302),
        ("/staff", 302),
        ("/staff/", 302),
        ("/staff/today", 200),
        ("/staff/metric/pothole_on_time", 200),
        ("/staff/metric/nothing", 404),
        ("/staff/department/public_works", 200),
        ("/staff/department/nothing", 404),
        ("/staff/nothing", 404),
        ("/staff/_dash-layout", 200),
    ],
)
def test_addresses_lead_where_they_should(client, path, status):
    assert client.get(path, buffered=True).status_code == status


def test_page_api_and_staff_page_show_the_same_number(client):
    api = client.get("/api/v1/scores").get_json()["city"]["week"]["score"]
    shown = f'<span class="number">{api:.2f}</span>'
    assert shown in client.get("/").text
    staff = client.post(CALLBACKS, json=MOVE)
    assert staff.status_code == 200 and f'"{api:.2f}"' in staff.text


def test_the_status_is_a_page_for_people_and_data_for_programs(client):
    page = client.get("/status", headers={"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip"})
    assert page.mimetype == "text/html" and page.headers["Cache-Control"] == "no-store"
    assert page.headers["Vary"].lower().split(", ") == ["accept", "accept-encoding"]
    data = client.get("/status", headers={"Accept": "*/*"})
    assert data.headers["Vary"].startswith("Accept")
    assert data.get_json() == client.get("/status.json").get_json()
    shown = client.get("/status", headers={"Accept": "text/html"}).text
    assert all(source["name"] in shown for source in data.get_json()["sources"])


def test_a_city_that_never_loaded_anything_says_the_exact_command(empty_database):
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    client = app.make_server(engine, catalogue, "harbor").test_client()
    sign_in(client, engine)
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Has never run" in answer.text
    assert "python -m ingest run cases --from FILE" in answer.text
    assert client.get("/api/v1/scores").status_code == 503
    assert client.get("/health").status_code == 200
    assert client.get("/staff/today").status_code == 200


def test_a_public_page_is_light(client):
    page = client.get("/", headers={"Accept-Encoding": "gzip"})
    style = client.get("/assets/style.css", headers={"Accept-Encoding": "gzip"}, buffered=True)
    font = (PROJECT / "assets" / "fonts" / "public-sans-latin-wght-normal.woff2").stat().st_size
    assert len(page.data) + len(style.data) + font < 60_000


# --- commands ----------------------------------------------------------------------------------


def test_a_new_city_is_clean(springfield):
    folder = springfield.folder
    assert catalogues.check(folder) == []
    assert catalogues.load(folder).city.name == "Springfield"
    assert all(text.startswith("#") for text in app.NEW_CITY.values())


@pytest.mark.parametrize(("name", "says"), [("springfield", "there already"), ("Bad Name", "small letters")])
def test_a_new_city_is_not_made_over_another_nor_without_a_name(springfield, capsys, name, says):
    folder = springfield.folder
    before = sorted(folder.rglob("*"))
    assert app.main(["new-city", str(folder.parent / name)]) == 1
    assert says in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


def test_every_mistake_of_a_catalogue_is_printed(tmp_path, capsys, monkeypatch):
    files = city_files()
    files["metrics/pothole_on_time.toml"] = files["metrics/pothole_on_time.toml"].replace("theme", "tehme")
    files["city.toml"] = files["city.toml"].replace("America/New_York", "Nowhere")
    monkeypatch.setenv("CITY", str(write_folder(tmp_path / "city", files)))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    for main in (app.main, worker.main):
        assert main([]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert any("tehme" in line for line in lines) and any("Nowhere" in line for line in lines)


def test_an_unknown_city_and_a_bad_port_are_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CITY", "atlantis")
    assert app.main([]) == 1
    assert "atlantis" in capsys.readouterr().err
    monkeypatch.setenv("CITY", "demo")
    monkeypatch.setenv("PORT", "eighty")
    assert app.main([]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("PORT", "8050")
    monkeypatch.setenv("WEB_PROCESSES", "none")
    assert app.main([]) == 1
    assert "WEB_PROCESSES" in capsys.readouterr().err


def test_a_port_in_use_is_one_line(capsys, monkeypatch, springfield, tmp_path):
    folder = springfield.folder
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        monkeypatch.setenv("CITY", str(folder))
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
        assert app.main([]) == 1
    said = capsys.readouterr().err
    assert "is in use" in said and said.count("\n") == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(address: str):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return None, ""


def until(what, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def test_everything_runs_and_ends_with_one_command(tmp_path):
    folder = tmp_path / "springfield"
    assert app.main(["new-city", str(folder)]) == 0
    port = free_port()
    environment = {
        **os.environ,
        "CITY": str(folder),
        "PORT": str(port),
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": "",
        "SCHEDULER": "on",
    }
    address = f"http://127.0.0.1:{port}"
    running = subprocess.Popen(
        [sys.executable, str(PROJECT / "app.py")],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        _status, page = until(lambda: (found := get(f"{address}/"))[0] == 503 and found)
        assert f"CITY={folder} " in page and "python -m ingest run requests --from FILE" in page
        (tmp_path / "records.csv").write_text(RECORDS)
        loaded = subprocess.run(
            [sys.executable, "-m", "ingest", "run", "requests", "--from", str(tmp_path / "records.csv")],
            env=environment,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "21 new" in loaded.stdout, loaded.stderr
        until(lambda: get(f"{address}/")[0] == 200)
        found = json.loads(get(f"{address}/api/v1/metrics/potholes_on_time")[1])
        assert found["publication"]["id"] == 1
    finally:
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=30)[0]
    assert running.returncode == 0, said
    assert "Springfield: starting" in said and "Traceback" not in said
    assert get(f"{address}/health")[0] is None


def test_the_build_follows_the_product():
    assert len(build_id(PROJECT)) == 12
