"""People: who may sign in, with which roles, and what each role lets them do."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, insert, select, update

from store import audit_log
from store.audit_log import Actor
from store.engine import StoreError, Writing, from_text, from_text_or_none
from store.schema import grants, one_time_links, people, sessions

LONGEST_NAME = 100
LONGEST_EMAIL = 254
ANY_DEPARTMENT = "*"
"""In place of a department: whichever somebody has the role for."""


class Role(StrEnum):
    """What somebody may do; every role includes VIEWER.

    VIEWER reads every published figure, public or not. EDITOR, of a department: its notes, flags and manual
    values, and sees its records. OWNER, of a department: what an editor may, proposes targets and answers for
    it. APPROVER approves targets, restatements and first publications of all departments. ADMIN: everything.
    """

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"
    APPROVER = "approver"
    ADMIN = "admin"


OF_DEPARTMENTS = frozenset({Role.EDITOR, Role.OWNER})
"""The roles that somebody has for one department each; the others are for the whole city."""

_SUFFICE = {
    Role.VIEWER: frozenset(Role),
    Role.EDITOR: frozenset({Role.EDITOR, Role.OWNER}),
    Role.OWNER: frozenset({Role.OWNER}),
    Role.APPROVER: frozenset({Role.APPROVER}),
    Role.ADMIN: frozenset[Role](),
}
"""Which roles are enough for what takes a role, besides ADMIN, which is enough for everything."""


@dataclass(frozen=True)
class Grant:
    """A role of somebody, from one instant until another; ended_at None: it holds."""

    id: int
    role: Role
    department: str | None
    granted_by: str
    granted_at: datetime
    ended_by: str | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Person:
    """Somebody with the grants that hold. disabled_at: since when they are not let in; None: they are."""

    id: int
    name: str
    email: str
    created_at: datetime
    disabled_at: datetime | None
    grants: tuple[Grant, ...] = ()

    @property
    def actor(self) -> Actor:
        """The person as the audit log names who acts."""
        return Actor(self.id, f"{self.name} <{self.email}>")

    @property
    def subject(self) -> str:
        """The person as the audit log names what something was done to."""
        return subject(self.id)

    def may(self, role: Role, department: str | None = None) -> bool:
        """Whether their roles are enough for what takes `role`, in `department` where it is one of those.

        A role of departments is refused without a department, except to an admin: it could not be told.
        ANY_DEPARTMENT: in whichever department.
        """
        if self.disabled_at is not None:
            return False
        return any(_is_enough(grant, role, department) for grant in self.grants)

    def departments(self, role: Role) -> frozenset[str]:
        """The departments for which they have what takes a role of departments; an admin's are not listed."""
        enough = [grant for grant in self.grants if grant.role in _SUFFICE[role]]
        return frozenset(grant.department for grant in enough if grant.department is not None)


def subject(person: int) -> str:
    """A person as the audit log names what something was done to."""
    return f"person {person}"


def email_key(email: str) -> str:
    """An e-mail address in the form it is compared in: case-folded NFC."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).casefold())


def is_same_address(one: str, other: str) -> bool:
    """Whether two e-mail addresses are one to everybody: letter for letter, but for A-Z.

    Stricter than `email_key`, to which ß is ss and ſ is s: who vouches for one need not mean the other.
    """
    plain = [unicodedata.normalize("NFC", text.strip()).encode("utf-8", "replace") for text in (one, other)]
    return plain[0].lower() == plain[1].lower()


def checked_email(email: str) -> str:
    """An e-mail address as it is kept. Raises StoreError for what is none."""
    clean = unicodedata.normalize("NFC", email.strip())
    local, at, host = clean.rpartition("@")
    is_one = bool(local and at and host) and len(clean) <= LONGEST_EMAIL and "@" not in local
    if not is_one or not clean.isprintable() or any(letter in clean for letter in ' <>,;"\\'):
        raise StoreError("That is no e-mail address; give one like ada@city.example.")
    return clean


# --- reading -------------------------------------------------------------------------------------


def get(connection: Connection, person: int) -> Person | None:
    """A person by number, disabled or not; None where there is none."""
    return _one(connection, people.c.id == person)


def by_email(connection: Connection, email: str) -> Person | None:
    """A person by e-mail address, disabled or not; None where there is none."""
    return _one(connection, people.c.email_key == email_key(email))


def everybody(connection: Connection) -> list[Person]:
    """All people there ever were, by name."""
    held = _held(connection)
    rows = connection.execute(select(people).order_by(people.c.name, people.c.id))
    return [_person(row, held.get(row.id, ())) for row in rows]


def all_grants(connection: Connection, person: int) -> list[Grant]:
    """Every role that somebody has or had, newest first."""
    statement = select(grants).where(grants.c.person == person).order_by(grants.c.id.desc())
    return [_grant(row) for row in connection.execute(statement)]


def admins(connection: Connection) -> list[Person]:
    """Who may do everything right now; a city without one needs `python -m store grant-admin`."""
    return [one for one in everybody(connection) if one.may(Role.ADMIN)]


# --- changing ------------------------------------------------------------------------------------


def add(write: Writing, actor: Actor, name: str, email: str) -> Person:
    """Adds somebody who may not do anything yet. Raises StoreError for an e-mail address that is taken."""
    name, email = _name(name), checked_email(email)
    if by_email(write.connection, email) is not None:
        raise StoreError(f"There is somebody with the e-mail address {email} already.")
    row = {"name": name, "email": email, "email_key": email_key(email), "created_at": write.now}
    made = write.connection.execute(insert(people).values(row).returning(people.c.id)).scalar_one()
    audit_log.add(write, actor, "person added", subject(made), name=name, email=email)
    return _there(write.connection, made)


def rename(write: Writing, actor: Actor, person: int, name: str) -> Person:
    """Gives somebody another name."""
    before, name = _there(write.connection, person), _name(name)
    write.connection.execute(update(people).where(people.c.id == person).values(name=name))
    audit_log.add(write, actor, "person renamed", subject(person), before=before.name, after=name)
    return _there(write.connection, person)


def grant(
    write: Writing,
    actor: Actor,
    person: int,
    role: Role,
    department: str | None = None,
    *,
    known: Collection[str] | None = None,
) -> Person:
    """Gives somebody a role; one they have already changes nothing.

    known: the departments there are, where that is to be checked. Raises StoreError for a role of departments
    without a department, one of the city with a department, and for a department that is not known.
    """
    before = _there(write.connection, person)
    _refuse_department(role, department, known)
    if any((one.role, one.department) == (role, department) for one in before.grants):
        return before
    row = {
        "person": person,
        "role": str(role),
        "department": department,
        "granted_by": actor.name,
        "granted_at": write.now,
    }
    write.connection.execute(insert(grants), row)
    audit_log.add(write, actor, "role granted", subject(person), role=str(role), department=department)
    return _there(write.connection, person)


def end_grant(write: Writing, actor: Actor, number: int) -> Person:
    """Ends a role of somebody. Raises StoreError where it has ended, and for the last admin's."""
    row = write.connection.execute(select(grants).where(grants.c.id == number)).one_or_none()
    if row is None or row.ended_at is not None:
        raise StoreError("That role has ended already.")
    if row.role == Role.ADMIN:
        _refuse_last_admin(write.connection, row.person)
    ended = {"ended_by": actor.name, "ended_at": write.now}
    write.connection.execute(update(grants).where(grants.c.id == number).values(ended))
    words = {"role": row.role, "department": row.department}
    audit_log.add(write, actor, "role ended", subject(row.person), **words)
    return _there(write.connection, row.person)


def disable(write: Writing, actor: Actor, person: int) -> Person:
    """Lets somebody in no longer; ends where they are signed in, and their links.

    Raises StoreError for the last admin.
    """
    before = _there(write.connection, person)
    if before.disabled_at is not None:
        return before
    _refuse_last_admin(write.connection, person)
    write.connection.execute(update(people).where(people.c.id == person).values(disabled_at=write.now))
    still = (sessions.c.person == person, sessions.c.ended_at.is_(None))
    write.connection.execute(update(sessions).where(*still).values(ended_at=write.now))
    end_links(write, before)
    audit_log.add(write, actor, "person disabled", subject(person))
    return _there(write.connection, person)


def enable(write: Writing, actor: Actor, person: int) -> Person:
    """Lets somebody in again, with the roles they had."""
    if _there(write.connection, person).disabled_at is not None:
        write.connection.execute(update(people).where(people.c.id == person).values(disabled_at=None))
        audit_log.add(write, actor, "person enabled", subject(person))
    return _there(write.connection, person)


def end_links(write: Writing, person: Person) -> None:
    """Ends what links somebody could still be let in with: those for them, and those for their address."""
    links = one_time_links.c
    unused = (links.used_at.is_(None), links.expires_at > write.now)
    found = write.connection.execute(select(links.id, links.person, links.email).where(*unused)).all()
    key = email_key(person.email)
    theirs = [
        one.id
        for one in found
        if one.person == person.id or (one.person is None and one.email and email_key(one.email) == key)
    ]
    write.connection.execute(update(one_time_links).where(links.id.in_(theirs)).values(expires_at=write.now))


# --- inside --------------------------------------------------------------------------------------


def _is_enough(grant: Grant, role: Role, department: str | None) -> bool:
    if grant.role is Role.ADMIN:
        return True
    if grant.role not in _SUFFICE[role]:
        return False
    return role not in OF_DEPARTMENTS or department in (grant.department, ANY_DEPARTMENT)


def _refuse_department(role: Role, department: str | None, known: Collection[str] | None) -> None:
    if role in OF_DEPARTMENTS and not department:
        raise StoreError(f"The role {role} is for one department; name it.")
    if role not in OF_DEPARTMENTS and department is not None:
        raise StoreError(f"The role {role} is for the whole city; name no department.")
    if department is not None and known is not None and department not in known:
        raise StoreError(f"There is no department {department}.")


def _refuse_last_admin(connection: Connection, person: int) -> None:
    if [one.id for one in admins(connection)] == [person]:
        raise StoreError("This is the last admin; make somebody else an admin first.")


def _name(name: str) -> str:
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        raise StoreError(f"A name is one line of at most {LONGEST_NAME} characters.")
    return clean


def _one(connection: Connection, which: object) -> Person | None:
    row = connection.execute(select(people).where(which)).one_or_none()  # type: ignore[arg-type]
    return None if row is None else _person(row, _held(connection, row.id).get(row.id, ()))


def _there(connection: Connection, person: int) -> Person:
    found = get(connection, person)
    if found is None:
        raise StoreError(f"There is no person {person}.")
    return found


def _held(connection: Connection, person: int | None = None) -> dict[int, list[Grant]]:
    """The grants that hold, by person."""
    statement = select(grants).where(grants.c.ended_at.is_(None)).order_by(grants.c.id)
    if person is not None:
        statement = statement.where(grants.c.person == person)
    held: dict[int, list[Grant]] = {}
    for row in connection.execute(statement):
        held.setdefault(row.person, []).append(_grant(row))
    return held


def _person(row: Row, held: Iterable[Grant]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        email=row.email,
        created_at=from_text(row.created_at),
        disabled_at=from_text_or_none(row.disabled_at),
        grants=tuple(held),
    )


def _grant(row: Row) -> Grant:
    return Grant(
        id=row.id,
        role=Role(row.role),
        department=row.department,
        granted_by=row.granted_by,
        granted_at=from_text(row.granted_at),
        ended_by=row.ended_by,
        ended_at=from_text_or_none(row.ended_at),
    )
