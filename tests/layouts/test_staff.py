"""The staff pages: registered, guarded, and built of the same numbers as the public ones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import dash
import pytest
from flask import Flask

from layouts import access, formats, staff
from layouts.access import Need, NotAllowed, Role, guarded, is_allowed, is_guarded
from layouts.desk import Desk
from layouts.formats import signals as chart_words
from metrics.model import Grain
from store import publications, signals
from store.engine import reading
from tests.people import an_admin, nobody, somebody

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@pytest.fixture(scope="module")
def mounted(published_city):
    server = Flask("mounted")
    start = lambda: None  # noqa: E731
    desk = Desk(published_city.engine, published_city.catalogue, start, "build")
    app = staff.mount(server, desk, an_admin, ASSETS)
    server.test_client().get("/staff/today")
    return app


def layout_of(app, name, **query):
    page = next(page for page in dash.page_registry.values() if page["module"].endswith(name))
    with app.server.test_request_context("/staff/"):
        return page["layout"](**query)


def words(component) -> str:
    """Everything a component tree shows, as one text."""

    def written(one):
        return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)

    return json.dumps(component, default=written, ensure_ascii=False)


def test_every_page_is_guarded(mounted):
    assert len(dash.page_registry) > 8
    assert all(is_guarded(page["layout"]) for page in dash.page_registry.values())


def test_every_callback_is_guarded_or_only_moves_between_pages(mounted):
    moves = {"_pages_content", "_pages_store", "_pages_dummy"}
    for key, callback in mounted.callback_map.items():
        own = not any(one in key for one in moves)
        assert not own or is_guarded(callback["callback"]), key


def test_without_a_judge_everybody_is_refused(mounted):
    page = next(page for page in dash.page_registry.values() if page["module"].endswith("today"))
    with Flask("bare").test_request_context("/staff/today"), pytest.raises(NotAllowed):
        page["layout"]()


def test_who_asks_is_judged_by_role_and_department():
    server = Flask("judged")
    access.admit(server, lambda: somebody(Role.EDITOR, "parks"))
    with server.test_request_context("/"):
        assert access.signed_in().name == "Ada Example"
        assert is_allowed(Need(Role.VIEWER)) and is_allowed(Need(Role.EDITOR, "parks"))
        assert is_allowed(Need(Role.EDITOR, access.ANY_DEPARTMENT))
        for need in (Need(Role.EDITOR, "health"), Need(Role.EDITOR), Need(Role.OWNER, "parks")):
            assert not is_allowed(need)
            with pytest.raises(NotAllowed):
                guarded(need.role, need.department)(lambda: "shown")()
        assert guarded(Role.EDITOR, "parks")(lambda: "shown")() == "shown"


def test_the_department_is_told_from_the_arguments_whatever_they_are_called_with():
    server = Flask("told")
    access.admit(server, lambda: somebody(Role.EDITOR, "parks"))

    @guarded(Role.EDITOR, lambda given: given.get("department_id"))
    def shown(department_id="", **query):
        return department_id, query

    with server.test_request_context("/"):
        assert shown("parks") == shown(department_id="parks") == ("parks", {})
        for call in (
            lambda: shown("health"),
            lambda: shown(),
            lambda: shown(department="parks"),
            lambda: shown("health", x="parks"),
            lambda: shown("parks", department_id="parks"),
        ):
            with pytest.raises(NotAllowed):
                call()


def test_the_department_of_a_metric_is_the_one_that_answers_for_it(mounted):
    with mounted.server.test_request_context("/staff/"):
        assert access.of_metric({"metric_id": "pothole_on_time"}) == "public_works"
        for given in ({}, {"metric_id": "nothing"}, {"metric_id": ["pothole_on_time"]}, {"metric": "x"}):
            assert access.of_metric(given) is None
        assert access.of_department({"department_id": "parks"}) == "parks"
        assert access.of_department({"department_id": "nothing"}) is None


def test_what_somebody_may_not_see_is_refused_over_http(published_city):
    server = Flask("refusing")
    desk = Desk(published_city.engine, published_city.catalogue, lambda: None, "build")
    app = staff.mount(server, desk, nobody, ASSETS)
    client = app.server.test_client()
    client.get("/staff/today")
    answer = client.post(staff.CALLBACKS, json=MOVE)
    assert (answer.status_code, b"Potholes" in answer.data) == (403, False)


MOVE = {
    "output": ".._pages_content.children..._pages_store.data..",
    "outputs": [
        {"id": "_pages_content", "property": "children"},
        {"id": "_pages_store", "property": "data"},
    ],
    "inputs": [
        {"id": "_pages_location", "property": "pathname", "value": "/staff/today"},
        {"id": "_pages_location", "property": "search", "value": ""},
    ],
    "changedPropIds": ["_pages_location.pathname"],
}


def move(path, search=""):
    location = [
        {"id": "_pages_location", "property": "pathname", "value": path},
        {"id": "_pages_location", "property": "search", "value": search},
    ]
    return {**MOVE, "inputs": location}


def call(app, body):
    sent = body if isinstance(body, str) else json.dumps(body)
    return app.server.test_client().post(staff.CALLBACKS, data=sent, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[" * 100_000,
        [],
        None,
        "null",
        5,
        {},
        {**MOVE, "output": "x.y"},
        {**MOVE, "output": ["x"]},
        {**MOVE, "output": "_pages_dummy.children"},
        {**MOVE, "outputs": None},
        {**MOVE, "outputs": []},
        {**MOVE, "outputs": MOVE["outputs"][:1]},
        {**MOVE, "outputs": {"id": "__proto__", "property": "children"}},
        {**MOVE, "inputs": None},
        {**MOVE, "inputs": ["x", "y"]},
        {**MOVE, "inputs": MOVE["inputs"][:1]},
        {**MOVE, "inputs": [[one] for one in MOVE["inputs"]]},
        {**MOVE, "state": {"id": "x"}},
        {**MOVE, "state": MOVE["inputs"]},
        {**MOVE, "changedPropIds": None},
        {**MOVE, "changedPropIds": [["x"]]},
        move("/etc/passwd"),
        move("/staffroom"),
        move(None),
        move(["/staff/today"]),
        move("/staff/today", ["?x"]),
    ],
)
def test_a_call_that_no_page_makes_is_refused_without_an_error_of_ours(mounted, body):
    assert call(mounted, body).status_code == 400


@pytest.mark.parametrize(
    "path", ["/staff/today", "/staff", "/staff/", "/staff/nothing", "/staff/metric/\n", "/staff/metric/../x"]
)
def test_a_move_inside_is_answered_with_a_page(mounted, path):
    for search in ("", None, "?as_of=x&as_of=y", "?self=1&arguments=2"):
        assert call(mounted, move(path, search)).status_code == 200


@pytest.mark.parametrize("path", ["nothing/x.js", "dash/dash.py", "dash/../x", "dash/deps/unheard.js"])
def test_scripts_nobody_registered_are_missing(mounted, path):
    answer = mounted.server.test_client().get(f"/staff/_dash-component-suites/{path}")
    assert answer.status_code == 404


def test_only_registered_pages_exist(mounted):
    with mounted.server.test_request_context("/staff/"):
        assert staff.is_page("/today") and staff.is_page("/metric/pothole_on_time")
        assert staff.is_page("/department/public_works")
        for path in (
            "/nothing",
            "/department/nothing",
            "/metric/nothing",
            "/metric/",
            "/today/x",
            "/404",
            "/metric/a/b",
        ):
            assert not staff.is_page(path)


def test_the_page_around_everything_has_a_language_and_no_foreign_address(mounted):
    html = mounted.server.test_client().get("/staff/today").get_data(as_text=True)
    assert '<html lang="en" dir="ltr">' in html and "<footer" not in html
    assert "http://" not in html.replace("http://localhost", "") and "https://" not in html


def test_the_staff_pages_are_set_up_before_the_first_reader_comes(published_city):
    server = Flask("another")
    desk = Desk(published_city.engine, published_city.catalogue, lambda: None, "build")
    app = staff.mount(server, desk, an_admin, ASSETS)
    assert "dash" in app.registered_paths
    assert any("_pages_content" in key for key in app.callback_map)


def test_the_frame_shows_nothing_that_was_published(mounted):
    layout = mounted.server.test_client().get("/staff/_dash-layout").get_data(as_text=True)
    assert "Potholes" not in layout and re.search(r"\b[01]\.\d\d\b", layout) is None


def test_the_mayor_sees_the_sentence_the_windows_and_why_the_score_moved(mounted, published_city):
    shown = words(layout_of(mounted, "today"))
    assert "City services are just under target: 4 of 9 scored weekly met theirs" in shown
    assert "9 of 11 measured weekly have a score: 81% of the weight" in shown
    assert "The score fell from" in shown and "All together" in shown
    assert all(part in shown for part in ("Needs attention", "Improving", "Missing data"))
    assert "Inner work on time" in shown
    for metric in published_city.catalogue.metrics.values():
        assert f"/staff/metric/{metric.id}" in shown


def test_the_printed_parts_of_the_change_are_in_the_table(mounted):
    shown = layout_of(mounted, "today")
    table = next(
        t for t in every(shown, "Table") if t.children[0].children == "The parts add up to the change"
    )
    amounts = [row.children[1].children for row in every(table, "Tr")[1:]]
    numbers = [float(amount.replace("−", "-")) for amount in amounts]
    assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=1e-9)


def test_the_page_of_a_metric_has_the_chart_the_twin_and_the_worked_example(mounted, published_city):
    shown = layout_of(mounted, "pages.metric", metric_id="pothole_on_time", grain="month")
    score = published_city.score("pothole_on_time", "month")
    text = words(shown)
    assert f"Printed with two digits: {formats.score(score.score)}." in text
    figure, _control = every(shown, "Graph")
    twin = next(t for t in every(shown, "Table") if "monthly" in t.children[0].children)
    assert len(every(twin, "Tr")) - 1 == len(figure.figure.data[-1].y)
    assert "What it does not show" in text and "from Jan 1, 2016" in text


@pytest.mark.parametrize("grain", list(Grain))
@pytest.mark.parametrize("metric", ["pothole_on_time", "response_minutes", "flu_shots", "requests_opened"])
def test_the_page_of_a_metric_says_of_its_chart_what_the_publication_keeps(
    mounted, published_city, metric, grain
):
    shown = layout_of(mounted, "pages.metric", metric_id=metric, grain=str(grain))
    with reading(published_city.engine) as connection:
        kept = signals.findings(connection, publications.current(connection).publication, grain)[metric]
    titles = {one: [getattr(head, "id", "") for head in every(one, "H2")] for one in every(shown, "Figure")}
    [figure] = [one for one, ids in titles.items() if "control" in ids]
    items = [one for one in every(figure, "Li") if "sign-" in (getattr(one, "className", None) or "")]
    said = [one.children[-1].children for one in items]
    expected = [chart_words.variation_word(kept.variation), chart_words.assurance_word(kept.assurance)]
    assert said == [text for text in expected if text]


def test_rows_and_lead_of_the_mayors_page_say_what_charts_say(mounted, published_city):
    shown = layout_of(mounted, "pages.today")
    text = words(shown)
    assert re.search(r"\d+ of \d+ measures shows? a signal this week; (about|fewer than) [\d.]+ would", text)
    assert "Weekly chart: No signal" in text or "Weekly chart: Improvement" in text


RECEIPT = {
    "output": "receipt-shown.children",
    "outputs": {"id": "receipt-shown", "property": "children"},
    "inputs": [{"id": "receipt-opens", "property": "n_clicks", "value": 1}],
    "changedPropIds": ["receipt-opens.n_clicks"],
}


def test_the_receipt_of_every_measure_is_answered_when_a_page_asks_for_it(mounted, published_city):
    for metric in published_city.catalogue.metrics:
        start = published_city.score(metric, "month").period.start.isoformat()
        asked = {"metric": metric, "grain": "month", "start": start, "publication": "1"}
        answer = call(
            mounted, {**RECEIPT, "state": [{"id": "receipt-asked", "property": "data", "value": asked}]}
        )
        assert answer.status_code == 200, metric
        assert "Publication" in answer.text


@pytest.mark.parametrize(
    ("name", "query", "says"),
    [
        ("today", {"publication": "99"}, "There is no such publication"),
        ("today", {"as_of": "x"}, "This cannot be answered"),
        ("pages.metric", {"metric_id": "nothing"}, "There is no such metric"),
        ("pages.metric", {"metric_id": ["a", "b"]}, "There is no such metric"),
        ("pages.metric", {"metric_id": "pothole_on_time", "grain": "year"}, "This cannot be answered"),
    ],
)
def test_a_question_that_cannot_be_answered_is_said_on_the_page(mounted, name, query, says):
    assert says in words(layout_of(mounted, name, **query))


def test_query_words_that_mean_nothing_here_do_no_harm(mounted):
    assert "City services" in words(layout_of(mounted, "today", utm_source="mail"))


def every(component, kind):
    """All components of a kind, in order."""
    found = [component] if type(component).__name__ == kind else []
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list | tuple) else [children]:
        if hasattr(child, "to_plotly_json"):
            found += every(child, kind)
    return found
