"""A city's file or address becomes a source and metrics that pass the check and lead to a first score."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

import app
import ingest.__main__ as ingest_command
import store.__main__ as store_command
from ingest.contract import ReadRequest, SourceError
from ingest.drafting import draft
from ingest.guessing import guess
from ingest.looking import Address, Look, recognise
from ingest.probing import identify
from ingest.spellings import spelled
from metrics import catalogue
from metrics.model import City
from settings import interpreter
from store import publications
from store.engine import open_engine, reading
from tests.ingest.stand_ins.arcgis import CATALOGUE, LAYER, SERVICE, ArcGis
from tests.ingest.stand_ins.ckan import Portal, Table
from tests.ingest.stand_ins.frame import serving
from tests.ingest.stand_ins.open311 import Open311
from tests.ingest.stand_ins.socrata import DATASET, FIRST, Socrata

README = Path(__file__).resolve().parents[2] / "README.md"
NOW = datetime(2026, 8, 18, 9, 0, tzinfo=UTC)
PROGRAMS = {"app.py": app.main, "ingest": ingest_command.main, "store": store_command.main}


def cases(days=45):
    """Some cases a day until 2026-08-17: due after two days, one in four later or never closed."""
    rows = []
    for number in range(days * 8):
        opened = datetime(2026, 8, 17, 22, 30) - timedelta(hours=3 * number)
        closed = opened + timedelta(hours=200 if number % 8 == 0 else 20)
        rows.append(
            {
                "Case No.": f"C-{number:05}",
                "Opened": f"{opened:%m/%d/%Y %I:%M %p}",
                "Due": f"{opened + timedelta(days=2):%m/%d/%Y %I:%M %p}",
                "Closed": "" if closed > datetime(2026, 8, 17, 23) else f"{closed:%m/%d/%Y %I:%M %p}",
                "Type": ("Pothole", "Graffiti", "Litter")[number % 3],
                "Caller Name": f"Somebody {number}",
            }
        )
    return rows


def as_csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_served(rows):
    """The rows as a portal has them: plain names and ISO stamps."""
    form = "%m/%d/%Y %I:%M %p"
    for row in rows:
        stamps = [
            datetime.strptime(row[name], form).isoformat() if row[name] else None
            for name in ("Opened", "Due", "Closed")
        ]
        yield dict(zip(("opened", "due", "closed"), stamps, strict=True)) | {
            "id": row["Case No."],
            "topic": row["Type"],
        }


@pytest.fixture
def nothing(tmp_path, monkeypatch, waits):
    """The place of a city that is not made yet, and the environment of its commands."""
    folder = tmp_path / "yourcity"
    monkeypatch.setenv("CITY", str(folder))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for module in (ingest_command, store_command):
        monkeypatch.setattr(module, "system_clock", lambda: NOW)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def city(nothing):
    """A bare city in a folder."""
    assert app.main(["new-city", str(nothing), "--bare"]) == 0
    return nothing


@pytest.fixture
def discovered(city):
    """Discovers an address; gives the catalogue, which has no mistake."""

    def run(address, *more):
        assert ingest_command.main(["discover", str(address), *more]) == 0
        assert catalogue.check(city) == []
        return catalogue.load(city)

    return run


# --- from nothing to a first score ---------------------------------------------------------------


def five_commands():
    [block] = re.findall(r"in five commands:\n\n```\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return block.splitlines()


def run_as_written(line, city, file):
    """Runs one line of the README in this process, with the places of the test for its names."""
    places = {"yourcity": str(city), "cases.csv.gz": str(file)}
    words = [places.get(word, word) for word in shlex.split(line) if not word.startswith("CITY=")]
    python, program, *arguments = words
    assert python == ".venv/bin/python"
    program, *arguments = arguments if program == "-m" else (program, *arguments)
    assert line.startswith("CITY=yourcity ") or program == "app.py"
    assert PROGRAMS[program](arguments) == 0, line


def first_scores(city, file):
    setup, *lines = five_commands()
    assert (README.parent / setup.split()[0]).exists()
    assert len(lines) == 4
    for line in lines:
        run_as_written(line, city, file)
    engine = open_engine(f"sqlite:///{city.parent / 'data' / 'yourcity' / 'cityscore.db'}")
    with reading(engine) as connection:
        published = publications.current(connection)
        found = publications.latest_composites(connection, published.publication)
    engine.dispose()
    assert published.publication.as_of == date(2026, 8, 17)
    return [one.score for one in found["city", ""].values() if one.score is not None]


def test_the_five_commands_of_the_readme_lead_to_a_first_score(nothing, tmp_path):
    file = tmp_path / "cases.csv"
    file.write_text(as_csv(cases()), encoding="utf-8")
    assert first_scores(nothing, file)


@pytest.mark.matrix
def test_the_five_commands_lead_to_a_first_score_of_a_real_file(nothing, shared_data):
    assert first_scores(nothing, shared_data("boston_311_2026/cases.csv.gz"))


# --- what is written -----------------------------------------------------------------------------


def test_a_file_becomes_a_source_with_its_clocks_and_every_metric(discovered, city, tmp_path, capsys):
    (tmp_path / "requests.csv").write_text(as_csv(cases()), encoding="utf-8")
    found = discovered("requests.csv")
    source = found.sources["requests"]
    assert (source.kind, source.key, source.arrival, source.closed) == ("file", "case_no", "opened", "closed")
    assert source.column("case_no").aliases == ("Case No.",)
    assert source.column("opened").formats == ("%m/%d/%Y %I:%M %p",)
    assert source.column("due").planned and source.column("closed").not_before == "opened"
    assert "caller_name" not in {one.name for one in source.columns}
    names = ("days_to_close", "on_time", "open", "opened", "within_standard")
    assert sorted(found.metrics) == [f"requests_{name}" for name in names]
    assert found.metrics["requests_on_time"].targets[0].value == pytest.approx(0.88, abs=0.02)
    said = capsys.readouterr().out
    assert "key: case_no: filled in all 360 rows, never twice the same" in said
    assert f"CITY={city} {interpreter()} -m store publish --as-of 2026-08-18" in said
    assert "clock: America/New_York, as city.toml says" in said


def test_a_guess_is_marked_and_the_dry_run_writes_nothing(city, tmp_path, capsys):
    (tmp_path / "requests.csv").write_text(as_csv(cases()), encoding="utf-8")
    before = sorted(city.rglob("*"))
    assert ingest_command.main(["discover", "requests.csv", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert 'key = "case_no"  # GUESS' in said and "nobody yet" in said
    assert "# GUESS: [columns.caller_name]" in said
    assert sorted(city.rglob("*")) == before


def test_what_stands_there_is_never_written_over(discovered, city, tmp_path, capsys):
    (tmp_path / "requests.csv").write_text(as_csv(cases()), encoding="utf-8")
    discovered("requests.csv")
    path = city / "metrics" / "requests_open.toml"
    path.write_text(path.read_text() + "# mine\n")
    gone = city / "metrics" / "requests_days_to_close.toml"
    gone.unlink()
    assert ingest_command.main(["discover", "requests.csv"]) == 1
    assert "metrics/requests_open.toml" in capsys.readouterr().err
    assert path.read_text().endswith("# mine\n") and not gone.exists()
    assert len(discovered("requests.csv", "--id", "again").metrics) == 9


def test_metrics_that_the_columns_do_not_allow_are_left_out_with_the_reason(discovered, tmp_path, capsys):
    rows = [{"number": row["Case No."], "reported": row["Opened"], "n": "7"} for row in cases()]
    (tmp_path / "calls.csv").write_text(as_csv(rows), encoding="utf-8")
    assert list(discovered("calls.csv").metrics) == ["calls_opened"]
    assert "left out: calls_on_time: no column tells when a case is due or closed" in capsys.readouterr().out


def test_rows_without_a_key_of_their_own_get_one_from_two_columns_or_none(discovered, city, tmp_path, capsys):
    rows = [{"day": f"2026-07-{day:02}", "branch": branch, "visits": "5"}
            for day in range(1, 29) for branch in ("main", "east")]  # fmt: skip
    (tmp_path / "visits.csv").write_text(as_csv(rows), encoding="utf-8")
    source = discovered("visits.csv").sources["visits"]
    assert (source.key, source.options["key_from"]) == ("visits_key", ["day", "branch"])
    (tmp_path / "alike.csv").write_text(as_csv(rows * 2), encoding="utf-8")
    assert ingest_command.main(["discover", "alike.csv"]) == 1
    assert "No column tells the rows apart" in capsys.readouterr().err


def test_an_offset_that_puts_the_working_day_into_the_night_is_not_believed(discovered, tmp_path):
    rows = [
        {"id": f"c{one}", "open_date": f"2026-07-{1 + one % 28:02} {8 + one % 10:02}:1{one % 6}:00+00"}
        for one in range(100)
    ]
    (tmp_path / "cases.csv").write_text(as_csv(rows), encoding="utf-8")
    assert discovered("cases.csv").sources["cases"].column("open_date").stamps == "local"


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind", "options"),
    [
        ("drop/cases.csv", "file", {"path": "drop/cases.csv"}),
        ("https://a.gov/files/cases.csv", "file", {"path": "https://a.gov/files/cases.csv"}),
        ("https://a.gov/dataset/311-requests", "ckan", {"url": "https://a.gov", "dataset": "311-requests"}),
        ("https://a.gov/dataset/x/resource/r-1", "ckan", {"url": "https://a.gov", "resources": ["r-1"]}),
        (
            "https://a.gov/api/3/action/datastore_search?resource_id=r-1&limit=5",
            "ckan",
            {"url": "https://a.gov", "resources": ["r-1"]},
        ),
        (
            "https://a.gov/resource/abcd-1234.json",
            "socrata",
            {"url": "https://a.gov", "dataset": "abcd-1234"},
        ),
        (
            "https://a.gov/Service-Requests/311/abcd-1234/about_data",
            "socrata",
            {"url": "https://a.gov", "dataset": "abcd-1234"},
        ),
        (
            "https://a.gov/arcgis/rest/services/Cases/FeatureServer/3/query?where=1",
            "arcgis",
            {"url": "https://a.gov/arcgis/rest/services/Cases/FeatureServer/3"},
        ),
    ],
)
def test_the_form_of_an_address_tells_its_kind(given, kind, options):
    found = recognise(given)
    assert (found.kind, found.options) == (kind, options)


@pytest.mark.parametrize(
    "given", ["https://a.gov/", "https://a.gov/arcgis/rest/services/Cases/FeatureServer"]
)
def test_an_address_that_does_not_tell_is_left_to_its_server(given):
    assert recognise(given) is None


@pytest.fixture
def request_of(tmp_path):
    """What the look for a kind is told."""
    return ReadRequest(City(id="test", name="Testville", time_zone="UTC"), NOW, work=tmp_path)


SERVERS = {
    "ckan": (
        lambda: Portal(tables={"r1": Table("r1", [])}),
        ["", "/", "/data"],
        lambda at: {"url": at, "dataset": "cases"},
    ),
    "socrata": (Socrata, ["", f"/stories/{DATASET}"], lambda at: {"url": at, "dataset": DATASET}),
    "arcgis": (ArcGis, ["", CATALOGUE, SERVICE], lambda at: {"url": at + LAYER}),
    "open311": (Open311, ["", "/open311/v2"], lambda at: {"url": f"{at}/open311/v2"}),
}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_says_what_it_is_where_its_address_does_not(kind, request_of):
    made, paths, options = SERVERS[kind]
    with serving(made()) as server:
        for path in paths:
            found = identify(server.address + path, request_of)
            assert (found.kind, found.options) == (kind, options(server.address))


@pytest.mark.parametrize(
    ("server", "path"),
    [
        (Portal(tables={"r1": Table("r1", [])}, datasets=("cases", "trees")), "/dataset/trees"),
        (Socrata(datasets=(DATASET, "wxyz-0001")), "/d/wxyz-0001 (Cases)"),
        (ArcGis(layers=("Cases", "Trees")), f"{SERVICE}/1 (Trees)"),
    ],
    ids=["ckan", "socrata", "arcgis"],
)
def test_an_address_of_more_than_one_table_is_answered_with_what_to_give(server, path, request_of):
    with serving(server), pytest.raises(SourceError, match="give the address of one") as caught:
        identify(server.address, request_of)
    assert f"{server.address}{path}" in str(caught.value)


def test_a_server_of_no_protocol_is_said_and_any_other_address_is_a_file(request_of):
    with serving(Open311(forms=())) as server:
        with pytest.raises(SourceError, match="none of CKAN, Socrata, ArcGIS and Open311"):
            identify(server.address, request_of)
        found = identify(f"{server.address}/export/cases?of=2026", request_of)
    assert (found.kind, found.options["path"]) == ("file", f"{server.address}/export/cases?of=2026")


def test_a_resource_without_a_table_is_its_file(request_of, ckan):
    ckan.tables["r1"] = Table("r1", [], datastore_active=False)
    ckan.file = "https://a.gov/files/cases.csv"
    found = identify(f"{ckan.address}/dataset/cases/resource/r1", request_of)
    assert (found.kind, found.options) == ("file", {"path": "https://a.gov/files/cases.csv"})


def clocks(source):
    return source.kind, source.key, source.arrival, source.closed, source.column("due").planned


def test_a_ckan_resource_is_asked_for_one_page(discovered, ckan):
    ckan.tables["r1"] = Table("r1", list(as_served(cases())))
    found = discovered(f"{ckan.address}/dataset/cases/resource/r1", "--id", "cases")
    assert clocks(found.sources["cases"]) == ("ckan", "id", "opened", "closed", True)
    assert len(ckan.pages()) == 1 and len(found.metrics) == 5
    assert ingest_command.main(["run"]) == 0


def test_a_socrata_dataset_is_asked_for_one_page(discovered):
    with serving(Socrata()) as portal:
        portal.rows.fill(as_served(cases()), FIRST)
        found = discovered(f"{portal.address}/d/{DATASET}", "--id", "cases")
        assert clocks(found.sources["cases"]) == ("socrata", "id", "opened", "closed", True)
        assert len(portal.pages()) == 1 and len(found.metrics) == 5
        assert ingest_command.main(["run"]) == 0


def test_an_arcgis_layer_is_asked_for_one_page(discovered):
    with serving(ArcGis()) as server:
        rows = list(as_served(cases()))
        for row in rows:
            for name in ("opened", "due", "closed"):
                stamp = row[name] and datetime.fromisoformat(row[name]).replace(tzinfo=UTC)
                row[name] = stamp and int(stamp.timestamp() * 1000)
        server.dates = (*server.dates, "due")
        server.rows.fill(rows, 1_786_000_000_000)
        found = discovered(server.address + LAYER, "--id", "cases")
        assert clocks(found.sources["cases"]) == ("arcgis", "id", "opened", "closed", True)
        assert len(server.pages()) == 1 and len(found.metrics) == 5
        assert ingest_command.main(["run"]) == 0


@pytest.mark.parametrize("form", ["json", "xml"])
def test_an_open311_server_is_asked_for_one_answer(discovered, form):
    with serving(Open311()) as server:
        for row in as_served(cases()):
            stamps = {name: row[name] and f"{row[name]}Z" for name in ("opened", "due", "closed")}
            server.put(row["id"], stamps["opened"], expected_datetime=stamps["due"])
            server.requests[row["id"]]["closed_datetime"] = stamps["closed"]
        server.forms = (form,)
        found = discovered(f"{server.address}/open311/v2?jurisdiction_id=a.gov", "--id", "cases")
        source = found.sources["cases"]
        assert source.options.get("format", "json") == form and source.options["jurisdiction"] == "a.gov"
        assert (source.kind, source.key, source.arrival) == (
            "open311",
            "service_request_id",
            "requested_datetime",
        )
        assert (source.modified, source.closed) == ("updated_datetime", "closed_datetime")
        assert source.begins is not None and len(server.pages()) == 1 and len(found.metrics) == 5
        assert ingest_command.main(["run"]) == 0


def test_requests_older_than_the_longest_span_are_looked_for_further_back(discovered, capsys):
    with serving(Open311()) as server:
        for number in range(40):
            server.put(f"a{number}", f"2025-11-05T10:{number:02}:00Z")
        discovered(server.address, "--id", "cases")
        assert len(server.pages()) == 4
    assert "open311: 40 rows looked at, there may be more" in capsys.readouterr().out


def test_a_server_that_does_not_answer_as_its_address_says_is_one_plain_line(city, ckan, capsys):
    assert ingest_command.main(["discover", f"{ckan.address}/dataset/cases/resource/none"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "404" in line


# --- districts -------------------------------------------------------------------------------------

AREAS = ["Downtown", "downtown ", "West End", "west", "Westend", "East / West", "East / West", "Old Town"]


@pytest.fixture
def town(city):
    """A bare city with two districts that have shapes."""
    square = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
    named = [{"id": "down", "name": "Downtown"}, {"id": "west", "name": "West End"}]
    shape = {"type": "Polygon", "coordinates": square}
    features = [{"type": "Feature", "properties": one, "geometry": shape} for one in named]
    collection = {"type": "FeatureCollection", "features": features}
    (city / "districts.geojson").write_text(json.dumps(collection))
    return city


def placed(rows, name, areas):
    return [
        {**row, name: areas[number % len(areas)], "Lat": "42.1", "Lon": "-71.5"}
        for number, row in enumerate(rows)
    ]


def test_spellings_of_no_district_are_a_value_map_to_fill_in(discovered, town, tmp_path, capsys):
    (tmp_path / "requests.csv").write_text(as_csv(placed(cases(), "Where", AREAS)), encoding="utf-8")
    found = discovered("requests.csv")
    column = found.sources["requests"].column("where")
    assert (column.type, column.latitude, column.longitude) == ("district", "lat", "lon")
    assert column.values == {"East / West": "unknown", "Westend": "unknown", "Old Town": "unknown"}
    assert {metric.district for metric in found.metrics.values()} == {"where"}
    said = (town / "sources" / "requests.toml").read_text()
    assert '"Westend" = "unknown"  # 45 rows, perhaps west' in said
    assert "3 spellings name none" in capsys.readouterr().out


def test_a_column_that_is_called_like_one_is_taken_where_no_cell_names_a_district(discovered, town, tmp_path):
    rows = placed(cases(), "Ward", ["Ward 1", "Ward 2", ""])
    (tmp_path / "requests.csv").write_text(as_csv(rows), encoding="utf-8")
    column = discovered("requests.csv").sources["requests"].column("ward")
    assert (column.type, column.values) == ("district", {"Ward 1": "unknown", "Ward 2": "unknown"})


def test_a_city_without_districts_keeps_the_words_as_they_are(discovered, tmp_path):
    (tmp_path / "requests.csv").write_text(as_csv(placed(cases(), "Ward", AREAS)), encoding="utf-8")
    found = discovered("requests.csv")
    assert found.sources["requests"].column("ward").type == "text"
    assert {metric.district for metric in found.metrics.values()} == {None}


# --- any table -------------------------------------------------------------------------------------

NAMES = st.sampled_from(["id", "Opened", "closed date", "due", "Ward", "lat", "lon", "select", "\x7f"])
CELLS = st.sampled_from(
    ["a", "7", "08", "2026-08-01", "08/01/2026 10:00 AM", "1.5", "yes", "Downtown", "\ud800"]
)
DRAFTED = [pytest.param(15, id="few"), pytest.param(400, marks=pytest.mark.matrix, id="many")]


def alike(name):
    return name.strip().casefold()


@pytest.mark.parametrize("examples", DRAFTED)
def test_what_is_written_of_any_table_passes_the_check(town, examples):
    city = catalogue.load(town)

    @hypothesis(max_examples=examples, database=None)
    @given(
        st.lists(NAMES | st.text(max_size=8), min_size=1, max_size=7, unique_by=alike),
        st.lists(st.lists(CELLS | st.text(max_size=8), min_size=7, max_size=7), min_size=1, max_size=9),
        st.sampled_from(["file", "ckan", "open311"]),
    )
    def check(names, rows, kind):
        rows = [[f"k{number}", *row] for number, row in enumerate(rows)]
        columns = {name: tuple(row[place] for row in rows) for place, name in enumerate(["key", *names])}
        options = {"file": {"path": "a.csv"}, "ckan": {"url": "https://a.gov", "dataset": "a"}}
        address = Address(kind, options.get(kind, {"url": "https://a.gov/open311/v2"}), "a")
        seen = Look(address, columns, len(rows), whole=True)
        found = guess(seen, "America/New_York")
        if kind == "open311":
            found = replace(found, key=("key",), reasons={**found.reasons, "key": "it is"})
        districts = spelled(seen, found, tuple(city.districts.values()))
        made = draft("cases", address, found, city, districts)
        files = {path.name: path.read_text() for path in town.glob("*.*")} | dict(made.files)
        folder = town / "drafted" / "yourcity"
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        assert [one for one in catalogue.check(folder) if one.level == "error"] == []

    check()
