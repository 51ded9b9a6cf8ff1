"""The audit log as a page shows it: what is asked for, and a page of entries, found by their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from layouts.formats import _
from layouts.public import asking
from layouts.public.answer import Refusal, legible
from metrics.model import City
from metrics.periods import local_midnight
from store import audit_log, people
from store.audit_log import Entry
from store.engine import Connection, instant_text
from store.people import Person

WORDS = ("person", "act", "subject", "since", "until", "before", "after")
"""What an address says: who, what, about whom or what, from which day to which, where the page begins."""

SHOWN = 50
AT_ONCE = 500


@dataclass(frozen=True)
class Wanted:
    """Which entries are asked for; since and until are days, both included."""

    person: int | None = None
    act: str | None = None
    subject: str | None = None
    since: date | None = None
    until: date | None = None

    def words(self) -> dict[str, str]:
        """The same as an address carries it."""
        told = {
            "person": None if self.person is None else str(self.person),
            "act": self.act,
            "subject": self.subject,
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
        }
        return {word: text for word, text in told.items() if text is not None}


@dataclass(frozen=True)
class AuditView:
    """A page of the log. before, after: the numbers that older and newer pages begin at; None for none."""

    wanted: Wanted
    entries: tuple[Entry, ...]
    before: int | None
    after: int | None
    people: tuple[Person, ...]
    acts: tuple[str, ...]
    city: City


def audit_view(connection: Connection, city: City, query: Mapping[str, str]) -> AuditView:
    """A page of the log. Raises Refusal for what cannot be meant."""
    wanted = wanted_of(query)
    before, after = _number(query, "before"), _number(query, "after")
    found = _entries(connection, city, wanted, before=before, after=after, most=SHOWN + 1)
    more = len(found) > SHOWN
    entries = found[-SHOWN:] if after is not None else found[:SHOWN]
    is_newest = before is None and (after is None or not more)
    is_oldest = not more if after is None else False
    return AuditView(
        wanted,
        tuple(entries),
        None if is_oldest or not entries else entries[-1].id,
        None if is_newest or not entries else entries[0].id,
        tuple(people.everybody(connection)),
        tuple(audit_log.acts(connection)),
        city,
    )


def all_entries(connection: Connection, city: City, wanted: Wanted) -> Iterator[Entry]:
    """Every entry that is asked for, newest first."""
    before: int | None = None
    while found := _entries(connection, city, wanted, before=before, after=None, most=AT_ONCE):
        yield from found
        before = found[-1].id


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """Which entries an address asks for. Raises Refusal for what cannot be meant."""
    asking.known_words(query, WORDS)
    given = {word: text for word, text in query.items() if text}
    return Wanted(
        _number(given, "person"),
        given.get("act"),
        given.get("subject"),
        asking.day(given, "since"),
        asking.day(given, "until"),
    )


def _entries(
    connection: Connection, city: City, wanted: Wanted, *, before: int | None, after: int | None, most: int
) -> list[Entry]:
    until = None if wanted.until is None else wanted.until + timedelta(days=1)
    return audit_log.entries(
        connection,
        subject=wanted.subject,
        actor=wanted.person,
        act=wanted.act,
        since=_begin(city, wanted.since),
        until=_begin(city, until),
        before=before,
        after=after,
        most=most,
    )


def _begin(city: City, day: date | None) -> str | None:
    """The instant at which a day of the city begins, as it is kept."""
    if day is None:
        return None
    begin: datetime = local_midnight(city, day)
    return instant_text(begin)


def _number(query: Mapping[str, str], word: str) -> int | None:
    text = query.get(word)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        detail = _("{word} is {text!r}; follow the links of the page instead.").format(
            word=word, text=legible(text)
        )
        raise Refusal(400, _("This cannot be answered"), detail)
    return int(text)
