"""The people of a city as administration shows them: who they are, what they may, when they were here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from layouts.formats import _
from layouts.public.answer import Refusal, legible
from metrics.model import Department
from store import audit_log, one_time_links, people, sessions
from store.audit_log import Entry
from store.engine import Connection
from store.one_time_links import Link
from store.people import Grant, Person, Role
from store.sessions import Session

ROLE, NAMED = "role", "named"
"""How the words of the address begin that choose among people."""

NONE, DISABLED = "none", "disabled"
"""In place of a role: who has none, and who is not let in."""

RECENT = 50


@dataclass(frozen=True)
class PersonLine:
    """Somebody in the list. seen: when they were last here; link: one they have not used; None: none."""

    person: Person
    seen: datetime | None
    link: Link | None


@dataclass(frozen=True)
class PeopleView:
    """Who is chosen, among all there are. role and named are what the address says, "" for nothing."""

    lines: tuple[PersonLine, ...]
    role: str
    named: str
    everybody: int
    let_in: int
    admins: int
    departments: Mapping[str, Department]

    @property
    def is_narrowed(self) -> bool:
        """Whether the address chooses among people."""
        return bool(self.role or self.named)


@dataclass(frozen=True)
class PersonView:
    """One person: what they may and might, where they are signed in, and what was done to them."""

    line: PersonLine
    grants: tuple[Grant, ...]
    signed_in: tuple[Session, ...]
    log: tuple[Entry, ...]
    is_last_admin: bool
    departments: Mapping[str, Department]


def people_view(
    connection: Connection, departments: Mapping[str, Department], query: Mapping[str, str], now: datetime
) -> PeopleView:
    """Everybody whom the address chooses. Raises Refusal for a role there is none of."""
    role, named = query.get(ROLE, ""), query.get(NAMED, "").strip()
    if role and role not in (NONE, DISABLED, *Role):
        detail = _("{role} is no role.").format(role=legible(role))
        raise Refusal(400, _("This cannot be answered"), detail)
    everybody = people.everybody(connection)
    chosen = [one for one in everybody if _is_meant(one, role) and _is_named(one, named)]
    seen, links = sessions.last_seen(connection), one_time_links.waiting(connection, now)
    return PeopleView(
        tuple(PersonLine(one, seen.get(one.id), links.get(one.id)) for one in chosen),
        role,
        named,
        len(everybody),
        sum(one.disabled_at is None for one in everybody),
        sum(one.may(Role.ADMIN) for one in everybody),
        departments,
    )


def person_view(
    connection: Connection, departments: Mapping[str, Department], number: int, now: datetime
) -> PersonView | None:
    """One person; None where there is none."""
    person = people.get(connection, number)
    if person is None:
        return None
    seen, links = sessions.last_seen(connection), one_time_links.waiting(connection, now)
    return PersonView(
        PersonLine(person, seen.get(number), links.get(number)),
        tuple(people.all_grants(connection, number)),
        tuple(sessions.of_person(connection, number, now)),
        tuple(audit_log.entries(connection, subject=people.subject(number), most=RECENT)),
        [one.id for one in people.admins(connection)] == [number],
        departments,
    )


def _is_meant(person: Person, role: str) -> bool:
    if role == DISABLED:
        return person.disabled_at is not None
    if role == NONE:
        return person.disabled_at is None and not person.grants
    return not role or any(grant.role == role for grant in person.grants)


def _is_named(person: Person, named: str) -> bool:
    wanted = named.casefold()
    return not wanted or wanted in person.name.casefold() or wanted in person.email.casefold()
