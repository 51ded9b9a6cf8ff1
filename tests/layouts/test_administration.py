"""Administration: which rooms are open to whom, and what is shown in them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import dash
import pytest
from flask import Flask

from layouts import access, forms, rooms, staff
from layouts.access import Role
from layouts.desk import Desk
from layouts.rooms import Room
from tests.people import somebody

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@dataclasses.dataclass
class House:
    """A server of staff pages in which everybody is `person`."""

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


def _written(one):
    return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)


@pytest.fixture(scope="module")
def made(published_city):
    server = Flask("administration")
    desk = Desk(published_city.engine, published_city.catalogue, lambda: None, "build")
    house = House(server, desk)
    staff.mount(server, desk, lambda: house.person, ASSETS)
    forms.put_token(server, lambda: "of the session")
    return house


@pytest.fixture
def house(made):
    made.person = somebody()
    return made


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
