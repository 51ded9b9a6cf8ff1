"""The rooms of administration: where each is, what is done there, and who may enter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from layouts.access import Need, Role, is_allowed
from layouts.formats import _
from layouts.links import PREFIX


@dataclass(frozen=True)
class Room:
    """A room: its address under /staff/, and its name and what is done there, said when they are asked for.

    role, department: what it takes to enter, as for `access.Need`.
    """

    address: str
    name: Callable[[], str]
    purpose: Callable[[], str]
    role: Role
    department: str | None = None

    @property
    def href(self) -> str:
        """The address as a link has it."""
        return f"{PREFIX}{self.address}"


ROOMS: tuple[Room, ...] = (
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
)
"""Every room that is built, in the order of the list. A page adds its line here."""


def open_rooms() -> list[Room]:
    """The rooms that whoever asks right now may enter."""
    return [room for room in ROOMS if is_allowed(Need(room.role, room.department))]
