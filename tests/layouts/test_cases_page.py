"""The records behind a number on their page and as a file: for those who work with them, and nobody else."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest

import app
from metrics.catalogue import load
from store import corrections, publications
from store.engine import open_engine, reading, writing
from store.people import Role
from tests.people import add_person, sign_in_as
from tests.town import Town, case, write_city

DATE = date(2026, 7, 1)
LIST = "/staff/metric/on_time/cases"
FILE = f"{LIST}.csv"
HOSTILE = [
    "=1+1",
    "@SUM(A1)",
    "-2",
    "+1",
    "\tx",
    '<script>alert("x")</script>',
    'a "quoted", cell\nof two lines',
]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    engine = open_engine(f"sqlite:///{folder / 'town.db'}")
    made = Town(engine, load(write_city(folder / "test")))
    hostile = [case(f"h{number}", 20, 19, reason=text) for number, text in enumerate(HOSTILE)]
    more = [case(f"m{number:03}", 5 + number % 20, 9, area=None) for number in range(60)]
    made.ingest(case("a", 10, 9), case("b", 11, 20), case("c", 12, None), *hostile, *more)
    made.publish(DATE)
    yield made
    engine.dispose()


@pytest.fixture(scope="module")
def server(town):
    return app.make_server(town.engine, town.catalogue, "test", clock=town.clock)


def client_of(server, town, role, department=None):
    client = server.test_client()
    sign_in_as(client, town.engine, add_person(town.engine, role, department, clock=town.clock), town.clock)
    return client


@pytest.fixture(scope="module")
def owner(server, town):
    return client_of(server, town, Role.OWNER, "works")


def shown(client, path: str) -> str:
    """What a page shows, as the texts of its components."""
    path, _mark, search = path.partition("?")
    names = [
        ("_pages_location", "pathname", path),
        ("_pages_location", "search", f"?{search}" if search else ""),
    ]
    body = {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [
            {"id": "_pages_content", "property": "children"},
            {"id": "_pages_store", "property": "data"},
        ],
        "inputs": [{"id": name, "property": word, "value": value} for name, word, value in names],
        "changedPropIds": ["_pages_location.pathname"],
    }
    answer = client.post("/staff/_dash-update-component", json=body)
    assert answer.status_code == 200, answer.text
    return json.dumps(answer.get_json(), ensure_ascii=False)


def rows(client, query: str = "grain=month") -> list[dict[str, str]]:
    answer = client.get(f"{FILE}?{query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def test_the_heading_says_the_number_and_the_file_holds_as_many_rows(town, owner):
    score, page = town.month(), shown(owner, f"{LIST}?grain=month")
    said = f"{score.numerator:.0f} of {score.denominator:.0f}: On time, June 2026"
    assert said in page
    found = rows(owner)
    assert len(found) == score.denominator
    assert len(rows(owner, "grain=month&met=1")) == score.numerator
    assert len(rows(owner, "grain=month&met=0&district=north")) == 2
    assert "The 14 of 70 that do not count" in shown(owner, f"{LIST}?grain=month&met=0")


def test_a_page_shows_fifty_and_leads_on_and_back(owner):
    first = shown(owner, f"{LIST}?grain=month")
    assert ("Later ones" in first, "Earlier ones" in first) == (True, False)
    place = first.split("after=")[1].split("&")[0]
    second = shown(owner, f"{LIST}?grain=month&start=2026-06-01&after={place}")
    assert ("Later ones" in second, "Earlier ones" in second) == (False, True)
    assert (first.count('"rowheader"'), second.count('"rowheader"')) == (50, 20)


def test_filters_are_counted_and_empty_is_a_value_like_others(owner):
    assert "1 of them matches" in shown(owner, f"{LIST}?grain=month&is_case_id=b&met=")
    assert "63 of them match" in shown(owner, f"{LIST}?grain=month&empty_reason=1")
    assert "No record matches." in shown(owner, f"{LIST}?grain=month&is_area=Atlantis")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("is_opened=x", "There is no parameter is_opened"),
        ("grain=month&after=yesterday", "follow the links of the page"),
        ("grain=month&start=2019-01-01", "No month that starts on 2019-01-01"),
        ("grain=year", "give one of day, week, month, quarter"),
        ("publication=99", "no publication has the number 99"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_on(owner, query, why):
    assert why.casefold() in shown(owner, f"{LIST}?{query}").casefold()
    assert owner.get(f"{FILE}?{query.replace('after=yesterday', 'met=2')}").status_code in (400, 404)


def test_cells_of_the_file_are_what_was_sent_and_calculate_nothing(owner):
    answer = owner.get(f"{FILE}?grain=month")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="on_time_month_2026-06-01_1.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    found = {row["case_id"]: row for row in rows(owner)}
    assert list(found["b"]) == ["case_id", "opened", "due", "closed", "reason", "area"]
    assert found["b"]["closed"] == "2026-06-20 12:00:00-04:00"
    cells = [found[f"h{number}"]["reason"] for number in range(len(HOSTILE))]
    assert [cell.removeprefix("'") for cell in cells] == HOSTILE
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)


def test_the_page_holds_hostile_text_as_text(owner):
    page = shown(owner, f"{LIST}?grain=month&is_case_id=h5&is_reason=%22%3E%3Cscript%3E")
    assert "<script" not in page.split('"drawing"')[1].split("</form>")[0]


@pytest.mark.parametrize(
    ("role", "department", "sees"),
    [
        (Role.VIEWER, None, False),
        (Role.APPROVER, None, False),
        (Role.EDITOR, "parks", False),
        (Role.EDITOR, "works", True),
        (Role.OWNER, "works", True),
        (Role.ADMIN, None, True),
    ],
)
def test_only_who_works_with_them_sees_records(server, town, role, department, sees):
    client = client_of(server, town, role, department)
    page = shown(client, f"{LIST}?grain=month")
    assert ("m001" in page) is sees
    assert ("Ask The tester" in page) is not sees
    assert client.get(f"{FILE}?grain=month").status_code == (200 if sees else 403)


def test_the_ways_to_the_records_stand_where_the_number_does(owner, server, town):
    address = "/staff/metric/on_time/cases?grain=month&start=2026-06-01"
    assert address in shown(owner, "/staff/metric/on_time?grain=month")
    assert f"{address}&district=north" in shown(owner, "/staff/metric/on_time?grain=month")
    assert "/staff/metric/on_time/cases?" in shown(owner, "/staff/department/works")
    assert "/staff/metric/on_time/cases?" in shown(owner, "/staff/today")
    viewer = client_of(server, town, Role.VIEWER)
    assert "/cases?" not in shown(viewer, "/staff/today")


def test_what_is_due_and_overdue_stands_on_the_pages_of_metric_and_department(owner, server, town):
    page = shown(owner, "/staff/metric/on_time")
    assert "1 is overdue already." in page and "15 to 30 days" in page
    assert "/staff/metric/on_time/case?key=c" in page and "19 days overdue" in page
    assert "Overdue already" in shown(owner, "/staff/department/works")
    # Of single cases only those read who work with them; the numbers are for all staff.
    seen = shown(client_of(server, town, Role.VIEWER), "/staff/metric/on_time")
    assert "1 is overdue already." in seen and "case?key=" not in seen


def test_a_record_shows_every_version_of_itself(owner, server, town):
    page = shown(owner, "/staff/metric/on_time/case?key=a")
    assert "Nothing of it has changed" in page
    town.ingest(case("a", 10, 9, reason="Done"))
    page = shown(owner, "/staff/metric/on_time/case?key=a")
    assert "2 versions of it were known" in page and page.count('"changed"') == 1
    assert "There is no such record" in shown(owner, "/staff/metric/on_time/case?key=nothing")
    assert "Ask The tester" in shown(client_of(server, town, Role.VIEWER), "/staff/metric/on_time/case?key=a")


# --- flags ---------------------------------------------------------------------------------------


def send(client, act: str, **fields):
    answer = client.post(f"/act/{act}", data=fields, headers={"Accept": "application/json"})
    return answer.status_code, answer.get_json()["sentence"]


def test_a_record_is_flagged_decided_by_another_and_published_with_author_and_reason(town, server):
    """D2 of the job stories, at the end of the module: it changes what the town publishes."""
    editor, owner = (client_of(server, town, role, "works") for role in (Role.EDITOR, Role.OWNER))
    flag = {"metric_id": "on_time", "key": "b", "column": "closed", "value": "2026-06-10 09:30"}
    flag["note"] = "The crew wrote the wrong day"
    assert send(client_of(server, town, Role.VIEWER), "flag_record", **flag)[0] == 403
    assert send(client_of(server, town, Role.EDITOR, "parks"), "flag_record", **flag)[0] == 403
    assert send(editor, "flag_record", **flag | {"value": "soon"}) == (
        422,
        "Write the city's time, like 2026-07-03 14:05.",
    )
    assert send(editor, "flag_record", **flag | {"key": "nobody's"})[0] == 422
    assert send(editor, "flag_record", **flag | {"column": "case_id"})[0] == 422
    assert send(editor, "flag_record", **flag)[0] == 200
    with reading(town.engine) as connection:
        (found,) = corrections.of_record(connection, "cases", "b")
    assert found.cells == {"closed": "2026-06-10T13:30:00.000000Z", "closed_day": "2026-06-10"}
    assert "1 record is flagged as wrong" in shown(owner, f"{LIST}?grain=month")
    page = shown(owner, "/staff/metric/on_time/case?key=b")
    assert "Jun 10, 2026, 9:30" in page and "Accept: correct the record" in page
    assert "Accept: correct the record" not in shown(editor, "/staff/metric/on_time/case?key=b")
    assert send(editor, "accept_flag", flag_id=str(found.id))[0] == 403
    before = town.month()
    assert send(owner, "accept_flag", flag_id=str(found.id))[0] == 200
    with writing(town.engine, town.clock) as write:
        corrections.apply(write, town.catalogue.sources["cases"], found.id)
    town.publish(DATE)
    after = town.month()
    assert (after.numerator, after.denominator) == (before.numerator + 1, before.denominator)
    page = shown(owner, "/staff/metric/on_time/case?key=b")
    assert "2 versions of it were known" in page and "Accepted by Owner" in page
    with reading(town.engine) as connection:
        now = publications.current(connection)
    assert now.publication.reason == "1 record corrected: The crew wrote the wrong day (Editor and Owner)"


def test_a_flag_is_refused_with_a_reason_or_taken_back_by_who_made_it(town, server):
    editor, owner = (client_of(server, town, role, "works") for role in (Role.EDITOR, Role.OWNER))
    flag = {"metric_id": "on_time", "key": "c", "column": "*", "note": "<b>A test</b> of the crew"}
    assert send(editor, "flag_record", **flag)[0] == 200
    with reading(town.engine) as connection:
        number = str(corrections.of_record(connection, "cases", "c")[0].id)
    assert send(owner, "withdraw_flag", flag_id=number) == (422, "Only who flagged it can take it back.")
    assert send(owner, "refuse_flag", flag_id=number, why="")[0] == 422
    assert send(owner, "refuse_flag", flag_id=number, why="It is a real case")[0] == 200
    assert "It is a real case" in shown(editor, "/staff/metric/on_time/case?key=c")
    assert send(editor, "withdraw_flag", flag_id=number)[1].startswith("That is decided already")
