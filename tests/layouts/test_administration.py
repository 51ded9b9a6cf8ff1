"""Administration: which rooms are open to whom, people and their roles, and the log of what was changed."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dash
import pytest
from flask import Flask

from layouts import access, forms, rooms, staff
from layouts.access import NotAllowed, Role
from layouts.acts import Door
from layouts.audit_file import AuditFile
from layouts.desk import Desk
from layouts.rooms import Room
from store import audit_log, one_time_links, people
from store.audit_log import BY_HAND
from store.engine import open_engine, reading, system_clock, writing
from store.migrations import migrate
from store.one_time_links import PATH, Purpose
from tests.people import add_person, roles, secret_of, somebody

ASSETS = Path(__file__).resolve().parents[2] / "assets"
TOKEN = "of the session"


@dataclasses.dataclass
class House:
    """A server of staff pages with the door for forms, in which everybody is `person`."""

    server: Flask
    desk: Desk
    person: access.Person = dataclasses.field(default_factory=somebody)

    def page(self, module: str, **query) -> str:
        """Everything the layout of a page shows, as one text."""
        layout = next(
            page["layout"]
            for page in dash.page_registry.values()
            if page["module"].rpartition(".")[2] == module
        )
        with self.server.test_request_context("/staff/"):
            return json.dumps(layout(**query), default=_written, ensure_ascii=False)

    def send(self, act: str, **fields):
        sent = {"csrf": TOKEN, **{name: str(value) for name, value in fields.items()}}
        return self.server.test_client().post(
            f"/act/{act}", data=sent, headers={"Accept": "application/json"}
        )

    def log(self, **wanted) -> list[str]:
        with reading(self.desk.engine) as connection:
            return [one.act for one in audit_log.entries(connection, **wanted)]

    def found(self, email: str) -> people.Person:
        with reading(self.desk.engine) as connection:
            found = people.by_email(connection, email)
        assert found is not None
        return found


def _written(one):
    return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)


@pytest.fixture
def house(published_city, tmp_path) -> Iterator[House]:
    engine = open_engine(f"sqlite:///{tmp_path / 'cityscore.db'}")
    migrate(engine, published_city.catalogue.city, system_clock)
    server = Flask("administration")
    desk = Desk(engine, published_city.catalogue, lambda: None, "build", "https://scores.example.org")
    made = House(server, desk)
    door = Door(desk, system_clock, lambda asked: asked.form.get("csrf") == TOKEN)

    @server.post("/act/<name>")
    def receive(name: str):
        answer = door.receive({}, name)
        return server.response_class(answer.body, answer.status, content_type=answer.media_type)

    staff.mount(server, desk, lambda: made.person, ASSETS)
    forms.put_token(server, lambda: TOKEN)
    made.person = add_person(engine, Role.ADMIN, email="head@city.example")
    yield made
    engine.dispose()


NEW = {"name": "Kim Ito", "email": "kim@city.example", "role": "editor", "department": "parks"}

# --- rooms ---------------------------------------------------------------------------------------


def test_the_list_has_the_rooms_that_the_reader_may_enter_and_no_others(house, monkeypatch):
    for_admins = Room("admin/x", lambda: "Keys", lambda: "Who has which.", Role.ADMIN)
    of_owners = Room("y", lambda: "Aims", lambda: "What is aimed at.", Role.OWNER, access.ANY_DEPARTMENT)
    monkeypatch.setattr(rooms, "ROOMS", (for_admins, of_owners))
    shown = house.page("admin")
    assert "2 rooms are open to you" in shown and "/staff/admin/x" in shown and "Who has which." in shown
    house.person = somebody(Role.OWNER, "parks")
    shown = house.page("admin")
    assert "One room is open to you" in shown and "Aims" in shown and "Keys" not in shown
    house.person = somebody(Role.VIEWER)
    assert "Nothing here is yours to change" in house.page("admin")


def test_every_room_of_the_list_is_a_page_that_asks_for_what_the_list_says(house):
    for room in rooms.ROOMS:
        path = f"/{room.address}"
        assert staff.is_page(path), path
        page = next(one for one in dash.page_registry.values() if one["path"] == path)
        stands = access.needs(page["layout"])
        assert stands is not None, path
        for role, department in roles():
            person = somebody(role, department)
            if any(person.may(need.role, need.department) for need in room.needs):
                assert person.may(stands.role, room.department), (path, role)


# --- people --------------------------------------------------------------------------------------


def test_somebody_is_invited_with_a_role_and_a_link_that_is_shown_once(house):
    answer = house.send("invite_person", **NEW).json
    kim = house.found("kim@city.example")
    assert answer["address"] == f"/staff/admin/people/{kim.id}" and "Kim Ito" in answer["sentence"]
    begin, _path, secret = answer["once"].partition(PATH)
    assert begin == "https://scores.example.org"
    with reading(house.desk.engine) as connection:
        link = one_time_links.find(connection, secret, system_clock())
    assert link is not None and (link.purpose, link.person) == (Purpose.INVITE, kim.id)
    assert [(one.role, one.department) for one in kim.grants] == [(Role.EDITOR, "parks")]
    assert house.log(subject=kim.subject)[::-1] == ["person added", "role granted", "link made"]
    shown = house.page("admin_people") + house.page("admin_person", person_id=str(kim.id))
    assert "Kim Ito" in shown and "Editor of Parks" in shown and secret not in shown
    assert "An invitation waits to be used until" in shown


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "HEAD@city.example"}, "email"),
        ({"name": ""}, "name"),
        ({"role": "king"}, "role"),
        ({"department": ""}, "department"),
        ({"department": "nowhere"}, "department"),
        ({"role": "viewer"}, "department"),
    ],
)
def test_who_cannot_be_invited_so_is_not_and_the_field_says_why(house, changed, field):
    answer = house.send("invite_person", **{**NEW, **changed})
    assert (answer.status_code, answer.json["field"]) == (422, field)
    with reading(house.desk.engine) as connection:
        assert [one.email for one in people.everybody(connection)] == ["head@city.example"]


def test_an_address_that_is_none_is_refused_in_words(house):
    answer = house.send("invite_person", **{**NEW, "email": "kim"})
    assert answer.status_code == 422 and "no e-mail address" in answer.json["sentence"]


def test_roles_are_given_and_ended_but_the_last_admin_stays(house):
    house.send("invite_person", **NEW)
    kim, me = house.found("kim@city.example"), house.found("head@city.example")
    assert "make somebody else an admin first" in house.page("admin_person", person_id=str(me.id))
    assert house.send("end_role", grant_id=me.grants[0].id).status_code == 422
    assert house.send("disable_person", person_id=me.id).status_code == 422
    again = house.send("grant_role", person_id=kim.id, role="editor", department="parks")
    assert (again.status_code, again.json["field"]) == (422, "role")
    assert house.send("grant_role", person_id=kim.id, role="admin", department="").status_code == 200
    assert house.send("end_role", grant_id=me.grants[0].id).status_code == 200
    assert [one.role for one in house.found("kim@city.example").grants] == [Role.EDITOR, Role.ADMIN]
    house.person = house.found("kim@city.example")
    assert "Roles that have ended" in house.page("admin_person", person_id=str(me.id))
    with pytest.raises(NotAllowed):
        house.person = house.found("head@city.example")
        house.page("admin_people")


def test_who_is_let_in_no_longer_is_signed_out_and_can_come_back(house):
    house.send("invite_person", **NEW)
    kim = house.found("kim@city.example")
    secret_of(house.desk.engine, kim)
    assert "Is signed in in one browser" in house.page("admin_person", person_id=str(kim.id))
    assert house.send("disable_person", person_id=kim.id).status_code == 200
    assert house.send("disable_person", person_id=kim.id).status_code == 422
    shown = house.page("admin_person", person_id=str(kim.id))
    assert "Kim Ito is not let in any more" in shown and "Is signed in nowhere" in shown
    assert house.send("make_link", person_id=kim.id).status_code == 422
    assert "Kim Ito" in house.page("admin_people", role="disabled")
    assert house.send("enable_person", person_id=kim.id).status_code == 200
    assert house.send("enable_person", person_id=kim.id).status_code == 422


def test_a_new_link_ends_the_one_before_and_is_an_invitation_until_there_is_a_password(house):
    first = house.send("invite_person", **NEW).json["once"].partition(PATH)[2]
    kim = house.found("kim@city.example")
    second = house.send("make_link", person_id=kim.id).json["once"].partition(PATH)[2]
    with reading(house.desk.engine) as connection:
        now = system_clock()
        assert one_time_links.find(connection, first, now) is None
        link = one_time_links.find(connection, second, now)
    assert link is not None and link.purpose is Purpose.INVITE
    assert house.send("rename_person", person_id=kim.id, name="Kim Itō").status_code == 200
    assert house.found("kim@city.example").name == "Kim Itō"
    assert house.send("make_link", person_id=99).status_code == 422


def test_people_are_chosen_by_role_and_name(house):
    house.send("invite_person", **NEW)
    assert "2 people may sign in, 1 of them an admin" in house.page("admin_people")
    assert "Only one person is an admin" in house.page("admin_people")
    chosen = house.page("admin_people", role="editor")
    assert "Kim Ito" in chosen and "head@city.example" not in chosen and "1 of 2 people" in chosen
    assert "kim@city.example" not in house.page("admin_people", named="HEAD@")
    assert "Nobody is like that" in house.page("admin_people", named="nobody at all")
    assert "is no role" in house.page("admin_people", role="king")
    assert "There is no such person" in house.page("admin_person", person_id="77")
    assert "There is no such person" in house.page("admin_person", person_id="9" * 40)


# --- the log -------------------------------------------------------------------------------------


@pytest.fixture
def logged(house):
    """A day of many entries by hand, and one by the admin."""
    with writing(house.desk.engine, system_clock) as write:
        for number in range(120):
            audit_log.add(write, BY_HAND, "counted", f"thing {number}", text=f"={number}")
        audit_log.add(write, house.person.actor, "renamed", "thing 7", before="a", after=None)
    return house


def test_the_log_is_paged_by_number_both_ways(logged):
    first = logged.page("admin_audit")
    assert "thing 119" in first and "thing 70" not in first and "Newer ones" not in first
    with reading(logged.desk.engine) as connection:
        numbers = [one.id for one in audit_log.entries(connection, most=1000)]
    second = logged.page("admin_audit", before=str(numbers[49]))
    assert "thing 70" in second and "thing 71" not in second and "Newer ones" in second
    back = logged.page("admin_audit", after=str(numbers[50]))
    assert "thing 71" in back and "thing 119" in back and "thing 70" not in back
    assert "Newer ones" not in back and "Older ones" in back
    last = logged.page("admin_audit", before=str(numbers[100]))
    assert "person added" in last and "Older ones" not in last


def test_the_log_is_narrowed_by_person_act_subject_and_days(logged):
    mine = logged.page("admin_audit", person=str(logged.person.id))
    assert "renamed" in mine and "thing 3" not in mine
    assert "thing 3" not in logged.page("admin_audit", act="renamed")
    about = logged.page("admin_audit", subject="thing 7")
    assert "before: a" in about and "thing 8" not in about
    today = system_clock().date()
    for wrong in ({"since": str(today + timedelta(days=2))}, {"until": str(today - timedelta(days=2))}):
        assert "Nothing was written down" in logged.page("admin_audit", **wrong)
    around = {"since": str(today - timedelta(days=1)), "until": str(today + timedelta(days=1))}
    assert "renamed" in logged.page("admin_audit", **around)
    for wrong in ({"person": "me"}, {"since": "soon"}, {"before": "x"}, {"colour": "red"}):
        assert "cannot be answered" in logged.page("admin_audit", **wrong), wrong


def test_the_log_is_a_file_that_no_spreadsheet_calculates(logged):
    with logged.server.test_request_context("/"):
        answer = AuditFile(logged.desk).download({"act": "counted"})
        rows = list(csv.DictReader(io.StringIO(b"".join(answer.stream).decode())))
    assert len(rows) == 120 and rows[0]["words"] == "text: =119" and rows[0]["about"] == "thing 119"
    with logged.server.test_request_context("/"):
        assert AuditFile(logged.desk).download({"since": "soon"}).status == 400
    logged.person = somebody(Role.APPROVER)
    with logged.server.test_request_context("/"), pytest.raises(NotAllowed):
        AuditFile(logged.desk).download({})


# --- the catalogue -------------------------------------------------------------------------------


def test_a_department_that_nobody_owns_and_a_target_that_nobody_looked_at_are_to_be_mended(house):
    shown = house.page("admin_catalogue")
    owned = add_person(house.desk.engine, Role.OWNER, "parks")
    after = house.page("admin_catalogue", department="parks")
    assert "Nobody has the role of an owner of" in shown and "Nobody signs in for it" in shown
    assert "Nobody signs in for it" not in after
    assert "was due for review on" in after and "Trees cared for on time" in after
    with writing(house.desk.engine, system_clock) as write:
        people.disable(write, BY_HAND, owned.id)
    assert "Nobody signs in for it" in house.page("admin_catalogue", department="parks")


def test_the_catalogue_is_narrowed_by_name_department_and_what_is_to_be_mended(house):
    whole = house.page("admin_catalogue")
    assert "metrics have something to be mended" in whole and "Potholes filled on time" in whole
    named = house.page("admin_catalogue", named="POTHOLE")
    assert "Potholes filled on time" in named and "Ambulance response" not in named
    assert "No metric is like that" in house.page("admin_catalogue", named="nothing at all")
    for department in house.desk.catalogue.departments:
        add_person(house.desk.engine, Role.OWNER, department)
    defective = house.page("admin_catalogue", only="defects")
    assert "Requests opened" not in defective and "Requests opened" in house.page("admin_catalogue")
    assert "There is no department" in house.page("admin_catalogue", department="nowhere")
    house.person = somebody(Role.VIEWER)
    assert "Potholes filled on time" in house.page("admin_catalogue")
