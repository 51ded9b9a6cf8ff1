"""One-time links followed: an invitation, a forgotten password, the first admin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from serving.entering import ENTRANCE, Entry, LinkView, checking, given, sent_to
from serving.routes import Answer, Kind, Reply, Route
from store import audit_log, one_time_links, passwords, people
from store.audit_log import Actor
from store.engine import StoreError, Writing, reading
from store.one_time_links import Link, Purpose
from store.people import Person, Role


@dataclass(frozen=True)
class LinkPages:
    """The pages behind a one-time link.

    The secret stands in the first address alone, which tells no referrer; from there it goes on in forms.
    """

    entry: Entry

    def routes(self) -> tuple[Route, ...]:
        """The addresses of one-time links."""
        return (
            Route("/link/<secret>", Kind.ENTRY, self.show),
            Route("/link", Kind.ENTRY, self.open, method="POST"),
            Route("/link/use", Kind.ENTRY, self.use, method="POST"),
        )

    def show(self, _query: Mapping[str, str], secret: str) -> Answer:
        """A page with one button: programs that look at links in messages use none up."""
        made = self.entry.pages.link(LinkView(self.entry.form(), secret), 200)
        headers = {**made.headers, "Referrer-Policy": "no-referrer"}
        return Reply(made.body, made.media_type, made.status, headers)

    def open(self, _query: Mapping[str, str]) -> Answer:
        """What is to be given to use a link: a password, and for somebody new a name."""
        self.entry.refuse_foreign_form()
        secret = given("secret")
        found = self._find(secret)
        return self._ended() if found is None else self._page(found, secret)

    def use(self, _query: Mapping[str, str]) -> Answer:
        """Uses a link up: gives its person the password they chose, and signs them in."""
        self.entry.refuse_foreign_form()
        secret, password = given("secret"), given("password")
        found, problem = self._find(secret), passwords.problem(password)
        if found is None:
            return self._ended()
        if problem is not None:
            return self._page(found, secret, problem)
        with checking():
            made = passwords.hashed(password)
        try:
            with self.entry.writing() as write:
                self._let_in(write, secret, made)
        except StoreError as error:
            return self._page(found, secret, str(error))
        return sent_to(ENTRANCE)

    def _find(self, secret: str) -> tuple[Link, Person | None] | None:
        """A link that can be used, with its person; None where it cannot (any more)."""
        with reading(self.entry.who.engine) as connection:
            link = one_time_links.find(connection, secret, self.entry.who.clock())
            if link is None:
                return None
            return link, None if link.person is None else people.get(connection, link.person)

    def _ended(self) -> Answer:
        return self.entry.pages.link(LinkView(self.entry.form(), "", problem="ended"), 410)

    def _page(self, found: tuple[Link, Person | None], secret: str, problem: str | None = None) -> Answer:
        link, person = found
        name, email = (person.name, person.email) if person else (None, link.email)
        view = LinkView(self.entry.form(), secret, link.purpose, name, email, problem)
        return self.entry.pages.link(view, 200 if problem is None else 400)

    def _let_in(self, write: Writing, secret: str, made: str) -> None:
        """Does what a link is for. Raises StoreError where it cannot be done: then it is not used up."""
        link = one_time_links.use(write, secret)
        if link is None:
            raise StoreError("The link has been used.")
        person = _admin(write, link) if link.purpose is Purpose.ADMIN else _invited(write, link)
        passwords.change(write, person.actor, person.id, made)
        audit_log.add(write, person.actor, "link used", person.subject, purpose=str(link.purpose))
        self.entry.who.sign_in(write, person, "link", is_new_device=True)


def _invited(write: Writing, link: Link) -> Person:
    found = None if link.person is None else people.get(write.connection, link.person)
    if found is None or found.disabled_at is not None:
        raise StoreError("This account was disabled; ask an admin.")
    return found


def _admin(write: Writing, link: Link) -> Person:
    """The person of a link for admins, who is made where there is none, and let in again.

    One for whoever comes first was printed where others may read it: it is over when there is an admin.
    """
    if link.email is None and people.admins(write.connection):
        raise StoreError("There is an admin by now; ask for an invitation.")
    actor, email = Actor(None, link.made_by), link.email or given("email")
    person = people.by_email(write.connection, email) or people.add(write, actor, given("name"), email)
    people.enable(write, actor, person.id)
    return people.grant(write, actor, person.id, Role.ADMIN)
