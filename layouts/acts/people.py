"""Acts on people: to invite somebody, to give and end roles, to make a link, to let in no longer."""

from __future__ import annotations

from flask import request

from layouts.access import OF_DEPARTMENTS, Person, Role
from layouts.acts import Done, Form, Wrong, act
from layouts.formats import _
from layouts.formats import people as sentences
from layouts.links import PREFIX
from store import one_time_links, people
from store.engine import Writing
from store.one_time_links import PATH, Purpose
from store.people import LONGEST_EMAIL, LONGEST_NAME


@act("invite_person", Role.ADMIN)
def invite_person(form: Form) -> Done:
    """Adds somebody with a role, and makes the link by which they come in."""
    name = form.line("name", most=LONGEST_NAME)
    email = form.line("email", most=LONGEST_EMAIL)
    role, department = _role_given(form)
    with form.writing() as write:
        if people.by_email(write.connection, email) is not None:
            raise Wrong("email", _("There is somebody with this address already."))
        made = people.add(write, form.person.actor, name, email)
        people.grant(write, form.person.actor, made.id, role, department)
        secret = one_time_links.make(write, form.person.actor, Purpose.INVITE, made.id, made.email)
    return Done(page_of(made.id), sentences.link_made(made.name, Purpose.INVITE), _address(form, secret))


@act("grant_role", Role.ADMIN)
def grant_role(form: Form) -> Done:
    """Gives somebody a role."""
    number = form.id("person_id")
    role, department = _role_given(form)
    with form.writing() as write:
        before = _there(write, number)
        if any((one.role, one.department) == (role, department) for one in before.grants):
            raise Wrong("role", _("They have this role already."))
        people.grant(write, form.person.actor, number, role, department)
    return Done(page_of(number), _("The role is given; it counts from their next click."))


@act("end_role", Role.ADMIN)
def end_role(form: Form) -> Done:
    """Ends a role of somebody; the last admin's stays."""
    number = form.id("grant_id")
    with form.writing() as write:
        after = people.end_grant(write, form.person.actor, number)
    return Done(page_of(after.id), _("The role has ended."))


@act("make_link", Role.ADMIN)
def make_link(form: Form) -> Done:
    """Makes a link for a new password; an invitation again for who has none yet."""
    number = form.id("person_id")
    with form.writing() as write:
        person = _there(write, number)
        if person.disabled_at is not None:
            raise Wrong("", _("They are not let in; let them in again first."))
        purpose = one_time_links.purpose_for(write.connection, number)
        secret = one_time_links.make(write, form.person.actor, purpose, number, person.email)
    return Done(page_of(number), sentences.link_made(person.name, purpose), _address(form, secret))


@act("rename_person", Role.ADMIN)
def rename_person(form: Form) -> Done:
    """Gives somebody another name."""
    number, name = form.id("person_id"), form.line("name", most=LONGEST_NAME)
    with form.writing() as write:
        people.rename(write, form.person.actor, number, name)
    return Done(page_of(number), _("The name is changed."))


@act("disable_person", Role.ADMIN)
def disable_person(form: Form) -> Done:
    """Lets somebody in no longer, wherever they are signed in; the last admin stays."""
    number = form.id("person_id")
    with form.writing() as write:
        if _there(write, number).disabled_at is not None:
            raise Wrong("", _("They are not let in any more already."))
        people.disable(write, form.person.actor, number)
    return Done(page_of(number), _("They are signed out everywhere and not let in any more."))


@act("enable_person", Role.ADMIN)
def enable_person(form: Form) -> Done:
    """Lets somebody in again, with the roles they had."""
    number = form.id("person_id")
    with form.writing() as write:
        if _there(write, number).disabled_at is None:
            raise Wrong("", _("They are let in already."))
        people.enable(write, form.person.actor, number)
    return Done(page_of(number), _("They are let in again, with the roles they had."))


def page_of(person: int) -> str:
    """The page of somebody."""
    return f"{PREFIX}admin/people/{person}"


def _role_given(form: Form) -> tuple[Role, str | None]:
    role = form.one_of("role", Role)
    department = form.choice("department", ["", *form.desk.catalogue.departments])
    if (role in OF_DEPARTMENTS) != bool(department):
        raise Wrong("department", sentences.why_no_department(role))
    return role, department or None


def _there(write: Writing, number: int) -> Person:
    found = people.get(write.connection, number)
    if found is None:
        raise Wrong("", _("There is no such person; open the page again."))
    return found


def _address(form: Form, secret: str) -> str:
    """The whole address of a link, as it is sent to somebody: under a name that staff may come by."""
    base = form.desk.base_url
    return f"{base if base.startswith('https://') else request.host_url.rstrip('/')}{PATH}{secret}"
