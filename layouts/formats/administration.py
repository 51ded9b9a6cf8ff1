"""The sentences of administration: its rooms, people and their roles."""

from __future__ import annotations

from layouts.formats.language import _, ngettext


def opening(rooms: int) -> tuple[str, str]:
    """The heading of the list of rooms, and what is beneath it."""
    if not rooms:
        return _("Nothing here is yours to change"), _("An admin of the city can give you a role.")
    return (
        ngettext("One room is open to you", "{count} rooms are open to you", rooms).format(count=rooms),
        _("What is changed in any of them is written down with your name."),
    )
