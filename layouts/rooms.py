"""The rooms of administration: where each is, what is done there, and who may enter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from layouts.access import ANY_DEPARTMENT, Need, Role, is_allowed
from layouts.formats import _
from layouts.links import PREFIX


@dataclass(frozen=True)
class Room:
    """A room: its address under /staff/, and its name and what is done there, said when they are asked for.

    role, department: what it takes to have something to do there, as for `access.Need`; also: what else
    is enough.
    """

    address: str
    name: Callable[[], str]
    purpose: Callable[[], str]
    role: Role
    department: str | None = None
    also: tuple[Need, ...] = ()

    @property
    def needs(self) -> tuple[Need, ...]:
        """What is enough to have something to do there."""
        return (Need(self.role, self.department), *self.also)

    @property
    def href(self) -> str:
        """The address as a link has it."""
        return f"{PREFIX}{self.address}"


ROOMS: tuple[Room, ...] = (
    Room(
        "targets",
        lambda: _("Targets"),
        lambda: _("Try a target on the last year, propose it, approve or refuse what is proposed."),
        Role.OWNER,
        ANY_DEPARTMENT,
        also=(Need(Role.APPROVER),),
    ),
    Room(
        "manual",
        lambda: _("Values given by hand"),
        lambda: _("Give the values that are due, one by one or from a spreadsheet."),
        Role.EDITOR,
        ANY_DEPARTMENT,
    ),
    Room(
        "admin/catalogue",
        lambda: _("Catalogue"),
        lambda: _("Every metric with who answers for it, its target, and what is to be mended."),
        Role.OWNER,
        ANY_DEPARTMENT,
        also=(Need(Role.APPROVER),),
    ),
    Room(
        "admin/people",
        lambda: _("People and roles"),
        lambda: _("Who may sign in and do what; invite somebody, give and end roles, make a new link."),
        Role.ADMIN,
    ),
    Room(
        "admin/audit",
        lambda: _("Audit log"),
        lambda: _("Everything people changed: who, what and when."),
        Role.ADMIN,
    ),
    Room(
        "admin/publications",
        lambda: _("Publications"),
        lambda: _("Publish now, say final scores again with a reason, and what was published when."),
        Role.APPROVER,
    ),
    Room(
        "admin/tokens",
        lambda: _("Tokens"),
        lambda: _("Which programs send in rows, to which sources and until when; make and revoke one."),
        Role.ADMIN,
    ),
)
"""Every room that is built, in the order of the list. A page adds its line here."""


def open_rooms() -> list[Room]:
    """The rooms that whoever asks right now may enter."""
    return [room for room in ROOMS if any(is_allowed(need) for need in room.needs)]
