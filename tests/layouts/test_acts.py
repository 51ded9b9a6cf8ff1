"""Acts: the registry of what people do, who may do which, and how a form is answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask

from layouts import access, acts, forms
from layouts.access import Person, Role
from layouts.acts import Door, Form, Upload, Wrong
from layouts.desk import Desk, put
from store import audit_log, notes
from store.engine import open_engine, reading
from store.migrations import migrate
from store.notes import NoteKind
from tests.layouts.published_city import NOW, fill
from tests.people import roles, somebody

TOKEN = "of the session"
NOTE = {
    "metric_id": "pothole_on_time",
    "grain": "week",
    "start": "2026-11-16",
    "kind": "explanation",
    "seen_by": "internal",
    "words": "Two crews were ill.",
}


@dataclasses.dataclass
class House:
    """A server with the door alone, in which everybody is `person`."""

    server: Flask
    desk: Desk
    person: Person | None = None

    def send(self, act: str, fields: dict[str, str], *, script: bool = True, token: str = TOKEN):
        accept = "application/json" if script else "text/html,*/*;q=0.8"
        client = self.server.test_client()
        return client.post(f"/act/{act}", data={"csrf": token, **fields}, headers={"Accept": accept})

    def log(self) -> list[audit_log.Entry]:
        with reading(self.desk.engine) as connection:
            return audit_log.entries(connection)

    def notes(self, metric: str = "pothole_on_time") -> list[notes.Note]:
        with reading(self.desk.engine) as connection:
            return notes.of_metrics(connection, [metric])


@pytest.fixture(scope="module")
def made(published_city, tmp_path_factory) -> Iterator[House]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('acts') / 'cityscore.db'}")
    migrate(engine, published_city.catalogue.city, lambda: NOW)
    fill(engine, published_city.catalogue, dataclasses.replace(published_city.plan, scores=()), {})
    desk = Desk(engine, published_city.catalogue, lambda: None, "build")
    server = Flask("acts")
    found = House(server, desk)
    put(server, desk)
    access.admit(server, lambda: found.person)
    forms.put_token(server, lambda: TOKEN)
    door = Door(desk, lambda: NOW, lambda asked: asked.form.get("csrf") == TOKEN)

    @server.post("/act/<name>")
    def receive(name: str):
        answer = door.receive({}, name)
        return server.response_class(answer.body, answer.status, content_type=answer.media_type)

    yield found
    engine.dispose()


@pytest.fixture
def house(made) -> House:
    made.person = somebody(Role.EDITOR, "public_works")
    return made


# --- who may do what -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", acts.acts())
def test_every_act_refuses_the_wrong_role_and_the_wrong_department(house, name):
    """An empty form about Public Works: whoever may send it is told what is missing, and nothing is done."""
    known = acts.acts()[name]
    # A day that is none: publishing needs no field at all.
    fields = {"metric_id": "pothole_on_time", "department_id": "public_works", "as_of": "soon"}
    before, refused = house.log(), 0
    for role, department in roles():
        house.person = somebody(role, department)
        with house.server.test_request_context("/"):
            need = known.need(fields)
        expected = 422 if house.person.may(need.role, need.department) else 403
        assert house.send(name, fields).status_code == expected, (role, department)
        refused += expected == 403
    assert refused and house.log() == before


@pytest.mark.parametrize("name", acts.acts())
def test_no_act_is_done_for_nobody_nor_for_a_form_of_another_session(house, name):
    assert house.send(name, NOTE, token="").status_code == 403
    assert house.send(name, NOTE, token="stolen").status_code == 403
    house.person = None
    assert house.send(name, NOTE).status_code == 401


def test_an_act_nobody_registered_is_not_there(house):
    assert house.send("drop_everything", {}).status_code == 404


def test_two_acts_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two acts"):
        acts.act("add_note", Role.VIEWER)(lambda form: None)


def test_an_act_that_is_not_written_into_the_log_is_not_done(house):
    form = Form({}, {}, {}, house.person, house.desk, lambda: NOW)
    with pytest.raises(RuntimeError, match="audit log"), form.writing() as write:
        write.connection.exec_driver_sql("UPDATE house SET state = state + 100")
    with reading(house.desk.engine) as connection:
        assert connection.exec_driver_sql("SELECT state FROM house").scalar_one() < 100


# --- how a form is answered ----------------------------------------------------------------------


def test_a_note_is_written_with_its_author_and_a_line_in_the_log(house):
    answer = house.send("add_note", NOTE)
    assert answer.status_code == 200 and answer.json == {
        "address": "/staff/metric/pothole_on_time?grain=week#notes",
        "sentence": "The note is kept for staff.",
    }
    [note] = house.notes()
    assert (note.words, note.kind, note.start) == (NOTE["words"], NoteKind.EXPLANATION, date(2026, 11, 16))
    assert (note.writer_name, note.is_public) == ("Ada Example", False) and note.written_at >= NOW
    entry = house.log()[0]
    assert (entry.act, entry.subject) == ("note added", "metric pothole_on_time")
    assert entry.words["text"] == NOTE["words"]


def test_a_secret_is_shown_once_beside_what_was_done(house, monkeypatch):
    made = acts.Act("add_note", Role.VIEWER, None, lambda form: acts.Done("/staff/today", "Made.", "s3cret"))
    monkeypatch.setitem(acts._ACTS, "add_note", made)
    assert house.send("add_note", {}).json == {
        "address": "/staff/today",
        "sentence": "Made.",
        "once": "s3cret",
    }
    page = house.send("add_note", {}, script=False)
    assert b"Made." in page.data and b"s3cret" in page.data


def test_only_a_public_note_raises_the_public_state(house):
    def state() -> int:
        with reading(house.desk.engine) as connection:
            return connection.exec_driver_sql("SELECT state FROM house").scalar_one()

    before = state()
    house.send("add_note", NOTE)
    assert state() == before
    house.send("add_note", {**NOTE, "seen_by": "public"})
    assert state() == before + 1


def test_a_note_is_taken_back_once_and_only_by_its_department(house):
    house.send("add_note", {**NOTE, "words": "Wrong."})
    note = next(one for one in house.notes() if one.words == "Wrong.")
    fields = {"note_id": str(note.id), "why": "It was another week."}
    house.person = somebody(Role.EDITOR, "parks")
    assert house.send("withdraw_note", fields).status_code == 403
    # What the form says about the department proves nothing.
    assert house.send("withdraw_note", {**fields, "department_id": "parks"}).status_code == 403
    house.person = somebody(Role.OWNER, "public_works")
    assert house.send("withdraw_note", fields).status_code == 200
    assert note.id not in [one.id for one in house.notes()]
    assert house.send("withdraw_note", fields).status_code == 422


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("words", "", "Fill this in."),
        ("words", " \n ", "Fill this in."),
        ("words", "x" * 2001, "Write at most 2000 characters; these are 2001."),
        ("words", "a\x00b", "cannot be shown"),
        ("words", "safe \u202e txet", "cannot be shown"),
        ("kind", "praise", "Choose one of these."),
        ("seen_by", "", "Choose one of these."),
        ("grain", "year", "Choose one of these."),
        ("start", "tomorrow", "Give a day"),
        ("start", "2026-11-17", "no such period"),
        ("start", "2026-11-30", "last day this can be"),
    ],
)
def test_a_wrong_field_is_named_with_the_fix_and_nothing_is_written(house, field, value, says):
    before = house.log()
    answer = house.send("add_note", {**NOTE, field: value})
    assert answer.status_code == 422 and says in answer.json["sentence"]
    assert answer.json["field"] == ("" if "no such period" in says else field)
    assert house.log() == before


def test_without_the_script_the_answer_is_a_page_with_the_same_sentence(house):
    wrong = house.send("add_note", {**NOTE, "words": ""}, script=False)
    assert (
        wrong.status_code == 422 and "Fill this in." in wrong.text and "has kept what you wrote" in wrong.text
    )
    done = house.send("add_note", NOTE, script=False)
    assert done.status_code == 200 and "The note is kept for staff." in done.text
    assert 'href="/staff/metric/pothole_on_time?grain=week#notes"' in done.text


# --- fields --------------------------------------------------------------------------------------


def fields(**given: str) -> Form:
    repeated = {name: value.split("|") for name, value in given.items()}
    return Form(given, {"sheet": Upload("a.csv", b"x" * 20)}, repeated, somebody(), None, lambda: NOW)  # type: ignore[arg-type]


def test_fields_are_taken_as_what_they_must_be():
    form = fields(
        a=" one line ", b="two\r\nlines", n="12.5", d="2026-02-28", c="yes", many="x|z", number="17", empty=""
    )
    assert form.line("a") == "one line" and form.text("b") == "two\nlines"
    assert form.number("n", least=0, most=20) == 12.5 and form.day("d") == date(2026, 2, 28)
    assert form.is_checked("c") and not form.is_checked("nothing")
    assert form.choices("many", ["z", "y", "x"]) == ("z", "x") and form.id("number") == 17
    assert form.line("empty", optional=True) == "" and form.file("sheet", most=20).body
    for take in (
        lambda: form.line("b"),
        lambda: form.choices("many", ["x"]),
        lambda: form.file("sheet", most=10),
        lambda: form.file("nothing", most=10),
        lambda: form.day("d", earliest=date(2026, 3, 1)),
        lambda: form.number("n", most=1),
        lambda: form.id("a"),
    ):
        with pytest.raises(Wrong):
            take()


@pytest.mark.parametrize("text", ["nan", "inf", "1_000", "١٢", "", "12,5", "1e999"])
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(Wrong):
        fields(n=text).number("n")


HOSTILE = '"><script>alert(1)</script>{{7*7}}</textarea>'


def test_whatever_a_form_is_made_of_is_escaped():
    with Flask("bare").test_request_context("/"):
        made = forms.form(
            "add_note",
            forms.line_field("a", HOSTILE, value=HOSTILE, hint=HOSTILE),
            forms.text_field("b", HOSTILE, value=HOSTILE),
            forms.choice_field("c", HOSTILE, [(HOSTILE, HOSTILE)], chosen=HOSTILE),
            forms.radio_field("d", HOSTILE, [(HOSTILE, HOSTILE)]),
            forms.check_field("e", HOSTILE),
            forms.day_field("f", HOSTILE),
            button=HOSTILE,
            hidden={"metric_id": HOSTILE},
        )
    folded = forms.folded(HOSTILE, made)
    assert "<script" not in folded and folded.count("</textarea>") == 1
    assert folded.count("&lt;script&gt;") == 16
