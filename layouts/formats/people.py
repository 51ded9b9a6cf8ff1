"""The sentences about people, their roles and where they are signed in, and of the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from metrics.model import City, Department
from store.audit_log import Entry
from store.one_time_links import Purpose
from store.people import OF_DEPARTMENTS, Grant, Role
from store.sessions import Session

if TYPE_CHECKING:
    from layouts.audit_view import AuditView
    from layouts.people_view import PeopleView, PersonLine, PersonView

Choices = list[tuple[str, str]]


# --- roles ---------------------------------------------------------------------------------------


def role_word(role: Role) -> str:
    """A role by its name."""
    return {
        Role.VIEWER: _("Viewer"),
        Role.EDITOR: _("Editor"),
        Role.OWNER: _("Owner"),
        Role.APPROVER: _("Approver"),
        Role.ADMIN: _("Admin"),
    }[role]


def grant_words(role: Role, department: str | None, departments: Mapping[str, Department]) -> str:
    """A role with its department, by name where the catalogue has it."""
    if department is None:
        return role_word(role)
    found = departments.get(department)
    name = found.name if found else department
    return _("{role} of {department}").format(role=role_word(role), department=name)


def roles_held(grants: Iterable[Grant], departments: Mapping[str, Department]) -> str:
    """The roles of somebody in one line."""
    held = [grant_words(one.role, one.department, departments) for one in grants]
    return ", ".join(held) if held else _("No role")


def role_choices() -> Choices:
    """The roles to give, each with what it lets somebody do."""
    return [
        (str(Role.VIEWER), _("Viewer: sees every published number")),
        (str(Role.EDITOR), _("Editor of a department: notes, flags, values given by hand; sees its records")),
        (str(Role.OWNER), _("Owner of a department: what an editor may; proposes targets, answers for it")),
        (str(Role.APPROVER), _("Approver: targets, restatements and first publications of all departments")),
        (str(Role.ADMIN), _("Admin: everything, this page too")),
    ]


def role_filters(none: str, disabled: str) -> Choices:
    """The roles by which people are chosen in the list."""
    return [
        ("", _("Anybody")),
        *((str(role), role_word(role)) for role in Role),
        (none, _("Without a role")),
        (disabled, _("Not let in any more")),
    ]


def department_choices(departments: Mapping[str, Department]) -> Choices:
    """The departments to give a role for."""
    named = sorted(departments.values(), key=lambda one: one.name)
    return [("", _("The whole city")), *((one.id, one.name) for one in named)]


def why_no_department(role: Role) -> str:
    """What is wrong with a role and a department that do not go together."""
    if role in OF_DEPARTMENTS:
        return _("Choose the department it is for.")
    return _("This role is for the whole city; choose no department.")


# --- the list ------------------------------------------------------------------------------------


def headline(view: PeopleView) -> str:
    """How many may sign in, and how many of them are admins."""
    said = ngettext("{count} person may sign in", "{count} people may sign in", view.let_in)
    with_admins = ngettext("{said}, {count} of them an admin", "{said}, {count} of them admins", view.admins)
    return with_admins.format(said=said.format(count=numbers.count(view.let_in)), count=view.admins)


def few_admins(view: PeopleView) -> str:
    """The danger of a single admin; "" where there are more."""
    if view.admins > 1:
        return ""
    return _("Only one person is an admin: when they are away nobody can let anybody in. Make a second one.")


def shown(view: PeopleView) -> str:
    """How many are chosen."""
    if not view.is_narrowed:
        return ""
    return ngettext("{count} of {all} people", "{count} of {all} people", view.everybody).format(
        count=numbers.count(len(view.lines)), all=numbers.count(view.everybody)
    )


def standing(line: PersonLine, city: City) -> str:
    """Whether somebody is let in, has been invited, or when they were last here."""
    if line.person.disabled_at is not None:
        return _("Not let in since {day}").format(day=days.instant(line.person.disabled_at, city))
    if line.seen is not None:
        return _("Last here {instant}").format(instant=days.instant(line.seen, city))
    if line.link is not None:
        return _("Invited; the link can be used until {instant}").format(
            instant=days.instant(line.link.expires_at, city)
        )
    return _("Never here, and no link is open")


# --- one person ----------------------------------------------------------------------------------


def person_headline(view: PersonView) -> str:
    """Who it is and what they may."""
    person = view.line.person
    if person.disabled_at is not None:
        return _("{name} is not let in any more").format(name=person.name)
    return _("{name}: {roles}").format(name=person.name, roles=roles_held(person.grants, view.departments))


def open_link(line: PersonLine, city: City) -> str:
    """What link somebody has not used yet; "" for none."""
    if line.link is None:
        return ""
    until = days.instant(line.link.expires_at, city)
    if line.link.purpose is Purpose.INVITE:
        return _("An invitation waits to be used until {instant}.").format(instant=until)
    return _("A link for a new password waits to be used until {instant}.").format(instant=until)


def grant_since(grant: Grant, city: City) -> str:
    """Since when and by whom somebody has or had a role."""
    begun = _("{by}, {instant}").format(by=grant.granted_by, instant=days.instant(grant.granted_at, city))
    if grant.ended_at is None:
        return begun
    ended = _("{by}, {instant}").format(by=grant.ended_by, instant=days.instant(grant.ended_at, city))
    return _("{begun}; ended: {ended}").format(begun=begun, ended=ended)


def where_signed_in(signed_in: Iterable[Session]) -> str:
    """In how many browsers somebody is signed in right now."""
    count = len(list(signed_in))
    if not count:
        return _("Is signed in nowhere.")
    return ngettext("Is signed in in one browser.", "Is signed in in {count} browsers.", count).format(
        count=count
    )


def link_made(name: str, purpose: Purpose) -> str:
    """What is said beside a link that is shown once."""
    if purpose is Purpose.INVITE:
        said = _("Send {name} this link; it is shown only now, works once and for seven days.")
    else:
        said = _("Give {name} this link for a new password; it is shown only now, works once and for a day.")
    return said.format(name=name)


# --- the log -------------------------------------------------------------------------------------


def log_headline(view: AuditView) -> str:
    """What the page of the log shows."""
    if not view.entries:
        return _("Nothing was written down that is like this")
    newest = view.entries[0]
    last = days.instant(newest.at, view.city)
    if view.after is not None or view.before is not None or view.wanted.words():
        return _("What was changed up to {instant}").format(instant=last)
    return _("The last change was made on {instant}").format(instant=last)


def log_lead() -> str:
    """What the log is."""
    return _("Everything that a person changes stands here, written with the change and never altered.")


def entry_words(entry: Entry) -> str:
    """The words of an entry in one line: `role: owner; department: parks`."""
    return "; ".join(f"{name}: {_told(value)}" for name, value in entry.words.items() if value is not None)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
