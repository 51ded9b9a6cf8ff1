"""The sentences around what people wrote about a metric; what they wrote is printed as it is."""

from __future__ import annotations

from layouts.formats import days
from layouts.formats.language import _
from metrics.model import City, Period
from metrics.periods import local_day
from store.notes import Note, NoteKind


def kind_word(kind: NoteKind) -> str:
    """What kind of a note it is."""
    return {NoteKind.EXPLANATION: _("Explanation"), NoteKind.REPLY: _("Reply")}[kind]


def kinds() -> list[tuple[str, str]]:
    """The kinds of notes to choose from, as pairs of what is sent and what is read."""
    return [
        (str(NoteKind.EXPLANATION), _("Explanation: why the number is what it is")),
        (str(NoteKind.REPLY), _("Reply: what those say whom the number is about")),
    ]


def seen_by(*, may_be_public: bool) -> list[tuple[str, str]]:
    """Who may see something, as pairs of what is sent and what is read."""
    everybody = [("public", _("Everybody: it stands on the public page"))] if may_be_public else []
    return [("internal", _("Staff only")), *everybody]


def about(note: Note, period: Period | None) -> str:
    """Which kind of a note about which period; the day it begins where the period cannot be named."""
    when = days.period(period) if period else days.day(note.start)
    return _("{kind}, {period}").format(kind=kind_word(note.kind), period=when)


def written(note: Note, city: City) -> str:
    """Who wrote a note, when, and who may see it: for staff."""
    said = {"name": note.writer_name, "day": days.day(local_day(city, note.written_at))}
    if note.is_public:
        return _("{name}, {day}, public").format(**said)
    return _("{name}, {day}, for staff only").format(**said)


def written_publicly(note: Note, department: str, city: City) -> str:
    """Which department wrote a note, and when: for everybody."""
    day = days.day(local_day(city, note.written_at))
    return _("{department}, {day}").format(department=department, day=day)
