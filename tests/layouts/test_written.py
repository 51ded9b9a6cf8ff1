"""What people write, from the form to every page that shows it: staff pages, public pages, charts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

import app
from layouts.access import Role
from layouts.city_view import city_scores
from layouts.desk import edition, unreleased
from layouts.formats import notes as sentences
from layouts.notes_view import owed, written_until
from metrics.model import Grain
from metrics.signals import Variation
from store import actions, problems, publications, signals
from store.actions import Action, State, Turn
from store.engine import open_engine, reading
from store.migrations import migrate
from store.notes import Note, NoteKind
from tests.layouts.published_city import AS_OF, NOW, catalogue_of, city_files, fill
from tests.layouts.test_staff import MOVE
from tests.people import add_person, sign_in, sign_in_as

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}\n[x](javascript:alert(3))"
ABOUT = {"metric_id": "pothole_on_time", "seen_by": "public"}
NOTE = {**ABOUT, "grain": "week", "start": "2026-11-16", "kind": "explanation"}


@dataclasses.dataclass
class Town:
    """A server over a published city, and its database."""

    server: object
    engine: object

    def client(self, role: Role | None = None, department: str | None = None):
        client = self.server.test_client()
        if role is not None:
            sign_in(client, self.engine, role, department)
        return client


@pytest.fixture(scope="module")
def town(published_city, tmp_path_factory) -> Iterator[Town]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('written') / 'cityscore.db'}")
    migrate(engine, published_city.catalogue.city, lambda: NOW)
    fill(engine, published_city.catalogue, published_city.plan, {})
    yield Town(app.make_server(engine, published_city.catalogue, "harbor"), engine)
    engine.dispose()


def send(client, act, **fields):
    return client.post(f"/act/{act}", data=fields, headers={"Accept": "application/json"})


def staff_page(client, path):
    location = [
        {"id": "_pages_location", "property": "pathname", "value": path},
        {"id": "_pages_location", "property": "search", "value": ""},
    ]
    answer = client.post("/staff/_dash-update-component", json={**MOVE, "inputs": location})
    assert answer.status_code == 200
    return answer.json


def drawings(tree) -> Iterator[str]:
    """Everything of a staff page that the browser takes as markup."""
    if isinstance(tree, dict):
        if isinstance(tree.get("drawing"), str):
            yield tree["drawing"]
        for value in tree.values():
            yield from drawings(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from drawings(value)


def test_hostile_words_are_nothing_but_words_on_every_page(town):
    editor = town.client(Role.EDITOR, "public_works")
    own = add_person(town.engine, Role.OWNER, "public_works").id
    line = HOSTILE.split("\n")[0]
    due = (AS_OF + timedelta(days=400)).isoformat()
    sent = [
        send(editor, "add_note", **NOTE, words=HOSTILE),
        send(editor, "add_mark", **ABOUT, kind="event", day="2026-11-01", words=line),
        send(editor, "add_action", **ABOUT, words=line, promise=HOSTILE, owner=str(own), due=due),
        send(editor, "report_problem", metric_id="pothole_on_time", words=HOSTILE),
    ]
    assert [answer.status_code for answer in sent] == [200] * 4, [answer.text for answer in sent]
    answered = send(
        editor, "answer_problem", problem_id="1", state="answered", words=HOSTILE, seen_by="public"
    )
    assert answered.status_code == 200
    pages = ["/staff/today", "/staff/department/public_works", "/staff/metric/pothole_on_time"]
    for path in pages:
        shown = staff_page(editor, path)
        assert all("<script" not in one and "<img" not in one for one in drawings(shown)), path
        assert path == "/staff/today" or "alert(1)" in json.dumps(shown), path
    public = town.client().get("/metric/pothole_on_time").text
    assert public.count("&lt;script&gt;alert(1)") == 5 and "<script>alert" not in public
    assert "<img" not in public and 'class="marked-letter">A<' in public


def test_a_form_is_refused_from_another_site_without_its_token_and_by_get(town):
    client = town.client(Role.EDITOR, "public_works")
    token = client.environ_base.pop("HTTP_X_CSRFTOKEN")
    assert send(client, "add_note", **NOTE, words="x").status_code == 403
    assert send(client, "add_note", **NOTE, words="x", csrf=f"{token[:-1]}g").status_code == 403
    foreign = {"Origin": "https://evil.example", "Accept": "application/json"}
    sent = {**NOTE, "words": "x", "csrf": token}
    assert client.post("/act/add_note", data=sent, headers=foreign).status_code == 403
    assert client.get("/act/add_note").status_code == 405
    other = town.client(Role.EDITOR, "public_works")
    other.environ_base.pop("HTTP_X_CSRFTOKEN")
    assert send(other, "add_note", **sent).status_code == 403
    assert send(client, "add_note", **sent).status_code == 200


def test_what_is_for_staff_never_reaches_the_public(town):
    editor = town.client(Role.EDITOR, "public_works")
    send(editor, "add_note", **{**NOTE, "seen_by": "internal"}, words="Between us.")
    send(editor, "report_problem", metric_id="pothole_on_time", words="Between us.")
    assert "Between us." in json.dumps(staff_page(editor, "/staff/metric/pothole_on_time"))
    public = town.client()
    name = "metric/pothole_on_time"
    for path in (f"/{name}", "/", "/api/v1/metrics/pothole_on_time", f"/embed/{name}"):
        assert "Between us." not in public.get(path).text


def test_nothing_about_a_metric_that_is_not_public_can_be_said_in_public(town):
    editor = town.client(Role.EDITOR, "health")
    send(editor, "report_problem", metric_id="secret_on_time", words="Not so.")
    with reading(town.engine) as connection:
        [reported] = problems.of_metrics(connection, ["secret_on_time"])
    said = {"problem_id": str(reported.id), "state": "answered", "words": "It is."}
    assert send(editor, "answer_problem", **said, seen_by="public").json["field"] == "seen_by"
    assert send(editor, "answer_problem", **said, seen_by="internal").status_code == 200


def test_who_may_not_write_is_shown_what_is_written_and_no_form_to_write(town):
    viewer = town.client(Role.VIEWER)
    forms = "".join(drawings(staff_page(viewer, "/staff/metric/pothole_on_time")))
    assert "/act/report_problem" in forms and "/act/add_note" not in forms


def test_an_action_has_one_owner_of_its_department_and_is_brought_up_to_date(town):
    editor = town.client(Role.EDITOR, "parks")
    head = add_person(town.engine, Role.OWNER, "parks")
    stranger = add_person(town.engine, Role.OWNER, "health")
    fields = {"metric_id": "tree_on_time", "seen_by": "internal", "words": "Hire", "promise": "By May."}
    due = (AS_OF + timedelta(days=300)).isoformat()
    for wrong in ("", str(stranger.id), f"{head.id}, {stranger.id}"):
        answer = send(editor, "add_action", **fields, owner=wrong, due=due)
        assert answer.json["field"] == "owner"
    assert send(editor, "add_action", **fields, owner=str(head.id), due="2020-01-01").json["field"] == "due"
    assert send(editor, "add_action", **fields, owner=str(head.id), due=due).status_code == 200
    with reading(town.engine) as connection:
        [made] = actions.of_metrics(connection, ["tree_on_time"])
    turn = {"action_id": str(made.id), "state": "dropped"}
    assert send(editor, "turn_action", **turn, words="").json["field"] == "words"
    works = town.client(Role.OWNER, "public_works")
    assert send(works, "turn_action", **turn, words="Gone.").status_code == 403
    assert send(editor, "turn_action", **turn, words="No money.").status_code == 200
    shown = json.dumps(staff_page(editor, "/staff/metric/tree_on_time"))
    assert "Why it was dropped: No money." in shown


def test_the_public_reports_a_problem_without_a_cookie_and_reads_the_answer(town):
    public = town.client()
    assert 'action="/metric/park_on_time/problem"' in public.get("/metric/park_on_time").text
    answer = public.post("/metric/park_on_time/problem", data={"words": "The lake is not counted."})
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert "Your report about Park repairs on time has the number" in answer.text
    page = public.get("/metric/park_on_time").text
    assert "The lake is not counted." not in page
    editor = town.client(Role.EDITOR, "parks")
    shown = json.dumps(staff_page(editor, "/staff/department/parks"))
    assert "waits for an answer" in shown
    number = answer.text.split("has the number ")[1].split(".")[0]
    said = {"problem_id": number, "state": "answered", "seen_by": "public", "words": "It is now."}
    assert send(editor, "answer_problem", **said).status_code == 200
    # Another address than before: what is kept ready is looked at once a second.
    assert "It is now." in public.get("/metric/park_on_time?grain=week").text


def test_reports_that_are_empty_too_many_or_about_nothing_public_are_refused(town):
    public = town.client()
    sent = lambda metric, words: public.post(f"/metric/{metric}/problem", data={"words": words}).status_code  # noqa: E731
    assert sent("tree_on_time", "") == 422 and sent("tree_on_time", "x" * 1001) == 422
    assert sent("nothing", "x") == 404 and sent("secret_on_time", "x") == 404
    foreign = {"Origin": "https://evil.example"}
    assert (
        public.post("/metric/tree_on_time/problem", data={"words": "x"}, headers=foreign).status_code == 403
    )
    public.environ_base["REMOTE_ADDR"] = "127.0.0.9"
    assert [sent("tree_on_time", "x") for _number in range(6)] == [200] * 5 + [429]


# --- what is owed and promised -------------------------------------------------------------------


@pytest.fixture(scope="module")
def missed(town):
    """A metric whose week missed its target, its edition, and a finding that says it is no chance."""
    with reading(town.engine) as connection:
        now = edition(connection)
        scores = city_scores(connection, now)["pothole_on_time"]
        found = signals.findings(connection, publications.current(connection).publication, Grain.WEEK)
    week = scores[Grain.WEEK]
    assert week.score is not None and week.score < 1
    finding = dataclasses.replace(
        found["pothole_on_time"], variation=Variation.CONCERN, judged=week.period.start
    )
    return now, finding, scores


def written(start: date, grain: Grain = Grain.WEEK) -> Note:
    return Note(1, "pothole_on_time", True, "x", "Ada", NOW, None, None, None, grain, start, NoteKind.REPLY)


def test_a_note_is_owed_for_a_missed_week_that_is_no_chance_until_one_is_written(missed):
    edition, finding, scores = missed
    week = scores[Grain.WEEK].period
    assert owed(edition, finding, scores, []) == week
    assert owed(edition, finding, scores, [written(week.start)]) is None
    assert owed(edition, finding, scores, [written(week.start.replace(day=1), Grain.MONTH)]) is None
    assert owed(edition, finding, scores, [written(week.start - timedelta(days=7))]) == week
    for other in (Variation.COMMON_CAUSE, Variation.IMPROVEMENT, None):
        assert owed(edition, dataclasses.replace(finding, variation=other), scores, []) is None
    good = {Grain.WEEK: dataclasses.replace(scores[Grain.WEEK], score=1.0, verdict=None)}
    assert owed(edition, finding, good, []) is None and owed(edition, None, scores, []) is None


def test_an_action_says_how_late_it_is_and_how_often_it_was_put_off():
    turns = [
        Turn(State.OPEN, 1, "Ada", AS_OF - timedelta(days=days), "Soon.", "Ada", NOW) for days in (30, 20, 3)
    ]
    action = Action(1, "x", "Hire", True, "Ada", NOW, tuple(turns))
    assert sentences.action_state(action, AS_OF) == "Overdue by 3 days"
    assert sentences.moved(action) == "Put off 2 times; first due Oct 24, 2026."
    assert sentences.due_headline((action,), AS_OF) == "1 open action, 1 overdue"
    assert sentences.short_promise(action) == "Ada promised by Nov 20, 2026: Soon."


def test_the_letters_of_marks_do_not_end():
    assert [sentences.letter(number) for number in (0, 25, 26, 27, 52)] == ["A", "Z", "AA", "AB", "BA"]


def test_a_pinned_page_shows_what_was_written_by_the_day_after(missed):
    edition, _finding, _scores = missed
    assert written_until(edition) is None
    pinned = dataclasses.replace(edition, newest=edition.newest + 1)
    assert written_until(pinned) == edition.publication.published_at + timedelta(days=1)


def test_one_person_signed_in_twice_has_two_tokens(town):
    client, other = town.client(), town.client()
    person = add_person(town.engine, Role.EDITOR, "public_works")
    sign_in_as(client, town.engine, person)
    sign_in_as(other, town.engine, person)
    client.environ_base["HTTP_X_CSRFTOKEN"] = other.environ_base["HTTP_X_CSRFTOKEN"]
    assert send(client, "add_note", **NOTE, words="x").status_code == 403


# --- first publications --------------------------------------------------------------------------


def test_what_the_public_never_saw_waits_until_it_is_seen_and_approved(empty_database, published_city):
    files = city_files()
    files["city.toml"] += "approve_first = true\n"
    catalogue = catalogue_of(files)
    engine = empty_database(catalogue)
    fill(engine, catalogue, published_city.plan, {})
    there = Town(app.make_server(engine, catalogue, "harbor"), engine)
    public, about = there.client(), {"metric_id": "pothole_on_time"}
    for place in ("", "/api/v1", "/embed"):
        name = "metrics" if place == "/api/v1" else "metric"
        assert public.get(f"{place}/{name}/pothole_on_time").status_code == 404, place
    assert "Potholes" not in public.get("/").text + public.get("/api/v1/metrics").text
    owner, approver = there.client(Role.OWNER, "public_works"), there.client(Role.APPROVER)
    shown = json.dumps(staff_page(owner, "/staff/metric/pothole_on_time"))
    assert "its owner has to look at it first" in shown and "/act/pass_release" in shown
    assert send(approver, "decide_release", **about, step="approved").status_code == 422
    assert send(owner, "pass_release", **about).json["field"] == "seen"
    assert send(owner, "pass_release", **about, seen="yes", words="Winter.").status_code == 200
    assert send(owner, "decide_release", **about, step="approved").status_code == 403
    assert send(approver, "decide_release", **about, step="refused").json["field"] == "words"
    shown = json.dumps(staff_page(approver, "/staff/metric/pothole_on_time"))
    assert "it waits for an approver" in shown and "Winter." in shown
    assert send(approver, "decide_release", **about, step="approved").status_code == 200
    assert public.get("/metric/pothole_on_time?grain=week").status_code == 200
    assert "/act/pass_release" not in json.dumps(staff_page(owner, "/staff/metric/pothole_on_time"))


def test_what_was_public_before_a_city_approves_first_stays_public(empty_database, published_city):
    files = city_files()
    files["city.toml"] += "approve_first = true\n"
    catalogue, engine = catalogue_of(files), empty_database(published_city.catalogue)
    empty = dataclasses.replace(published_city.plan, scores=(), composites=())
    fill(engine, published_city.catalogue, empty, {})
    fill(engine, catalogue, empty, {}, now=NOW + timedelta(hours=1))
    with reading(engine) as connection:
        assert unreleased(connection, catalogue) == frozenset()
        assert unreleased(connection, published_city.catalogue) == frozenset()
