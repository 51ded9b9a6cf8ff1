"""People in tests: somebody of a role who is not in any database, and somebody who is, signed in.

`an_admin` is a judge for `staff.mount`; `judged_as(Role.EDITOR, "works")` makes others.
`sign_in(client, engine, Role.VIEWER)` signs a client of Flask in; `secret_of` gives what a cookie holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from layouts.access import Person, Role
from serving.cookies import CSRF
from serving.who import CSRF_HEADER, csrf_of
from store import people, sessions
from store.audit_log import BY_HAND
from store.engine import (
    Clock,
    Engine,
    Writing,
    from_text,
    instant_text,
    reading,
    system_clock,
    writing,
)
from store.people import OF_DEPARTMENTS, Grant
from store.schema import house

COOKIE = "cityscore_session"
"""What the cookie of a session is called on this machine; over HTTPS `__Host-` stands before it."""

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = itertools.count(1)


def somebody(role: Role | None = Role.ADMIN, department: str | None = None) -> Person:
    """A person with one role, or with none, who is in no database."""
    held = () if role is None else (Grant(1, role, department, "a test", _BEGAN, None, None),)
    return Person(1, "Ada Example", "ada@city.example", _BEGAN, None, held)


def judged_as(role: Role | None, department: str | None = None) -> Callable[[], Person]:
    """A judge to whom everybody is a person of this role."""
    return lambda: somebody(role, department)


def an_admin() -> Person:
    """A judge to whom everybody is an admin."""
    return somebody()


def nobody() -> None:
    """A judge to whom nobody is signed in."""


def add_person(
    engine: Engine,
    role: Role | None = Role.ADMIN,
    department: str | None = None,
    *,
    email: str = "",
    clock: Clock | None = None,
) -> Person:
    """A person with a role in a database, whose clock stays where it is unless one is given."""
    address = email or f"{role or 'nobody'}{next(_numbers)}@city.example"
    with writing(engine, clock or _at_rest(engine)) as write:
        made = people.add(write, BY_HAND, str(role or "nobody").title(), address)
        return made if role is None else people.grant(write, BY_HAND, made.id, role, department)


def secret_of(engine: Engine, person: Person, clock: Clock = system_clock) -> str:
    """Signs a person in at the time of a server's clock; gives the secret of the session's cookie."""
    with writing(engine, _at_rest(engine)) as write:
        now = Writing(write.connection, instant_text(clock()))
        return sessions.begin(now, person, "a test", "test")


def sign_in(
    client: Any,
    engine: Engine,
    role: Role | None = Role.ADMIN,
    department: str | None = None,
    clock: Clock = system_clock,
) -> Person:
    """Signs a client of Flask in as somebody new of this role; what it sends carries the token of forms."""
    made = add_person(engine, role, department)
    sign_in_as(client, engine, made, clock)
    return made


def sign_in_as(client: Any, engine: Engine, person: Person, clock: Clock = system_clock) -> str:
    """Signs a client of Flask in as a person of the database; gives the secret of the session."""
    secret = secret_of(engine, person, clock)
    client.set_cookie(COOKIE, secret)
    client.set_cookie(CSRF, csrf_of(secret))
    client.environ_base[f"HTTP_{CSRF_HEADER.upper().replace('-', '_')}"] = csrf_of(secret)
    return secret


def _at_rest(engine: Engine) -> Clock:
    """A clock that stands where a database was last written: what is written after it need not be late."""
    with reading(engine) as connection:
        written = connection.execute(select(house.c.last_written_at)).scalar_one()
    return lambda: from_text(written)


def roles(department: str = "public_works", other: str = "parks") -> list[tuple[Role | None, str | None]]:
    """Every role, those of departments for two of them, and somebody without any."""
    of_two = [(role, one) for role in sorted(OF_DEPARTMENTS) for one in (department, other)]
    return [(None, None), (Role.VIEWER, None), *of_two, (Role.APPROVER, None), (Role.ADMIN, None)]
