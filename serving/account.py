"""One's own account: where one is signed in, another password, signing out here and everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from serving import guard
from serving.entering import AccountView, Entry, TooManyTriesError, checking, given, sent_to
from serving.guard import Refused
from serving.routes import Answer, Kind, Reply, Route
from serving.who import Asking
from store import passwords, sessions
from store.engine import reading

LONGEST_NUMBER = 18
SIGNED_OUT = "signed-out"
"""In the address of the page to sign in: that somebody has just signed out."""


@dataclass(frozen=True)
class Account:
    """The pages of whoever is signed in about themselves.

    has_city_accounts: whether people sign in at a provider, too, where signing out here ends nothing.
    """

    entry: Entry
    has_city_accounts: bool = False

    def routes(self) -> tuple[Route, ...]:
        """The addresses of one's own account."""
        return (
            Route("/sign-out", Kind.STAFF, self.sign_out, method="POST"),
            Route("/sign-out-everywhere", Kind.STAFF, self.sign_out_everywhere, method="POST"),
            Route("/account", Kind.STAFF, self.show),
            Route("/account/password", Kind.STAFF, self.change_password, method="POST"),
            Route("/account/sessions/<number>/end", Kind.STAFF, self.end_session, method="POST"),
            Route("/session", Kind.STAFF, self.session),
            Route("/session", Kind.STAFF, self.session, method="POST"),
        )

    def show(self, query: Mapping[str, str]) -> Answer:
        """What somebody sees of their own account."""
        return self._page(self.entry.asking(), done=query.get("done"))

    def change_password(self, _query: Mapping[str, str]) -> Answer:
        """Gives whoever is signed in another password; ends every other session of theirs."""
        asking, password = self.entry.asking(), given("new")
        problem = passwords.problem(password)
        if problem is not None:
            return self._page(asking, problem)
        try:
            with self.entry.a_try(asking.person.email) as tried:
                tried.succeeded = self._is_right(asking, given("password"))
        except TooManyTriesError:
            return self._page(asking, "too many")
        if not tried.succeeded:
            return self._page(asking, "wrong")
        with checking():
            made = passwords.hashed(password)
        with self.entry.writing() as write:
            passwords.change(write, asking.person.actor, asking.person.id, made)
            self.entry.who.sign_in(write, asking.person, "new password", is_new_device=False)
        return sent_to("/account?done=password")

    def end_session(self, _query: Mapping[str, str], number: str) -> Answer:
        """Ends one session of whoever is signed in; that of somebody else is not there."""
        asking = self.entry.asking()
        is_number = number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER
        with self.entry.writing() as write:
            person = asking.person
            if not is_number or not sessions.end(write, person.actor, person.id, int(number)):
                raise Refused(404, "There is no such session.")
        return sent_to("/account")

    def sign_out(self, _query: Mapping[str, str]) -> Answer:
        """Ends this session."""
        with self.entry.writing() as write:
            self.entry.who.sign_out(write)
        return self._signed_out()

    def sign_out_everywhere(self, _query: Mapping[str, str]) -> Answer:
        """Ends every session of whoever is signed in."""
        person = self.entry.asking().person
        with self.entry.writing() as write:
            sessions.end_all(write, person.actor, person.id)
            self.entry.who.sign_out(write)
        return self._signed_out()

    def session(self, _query: Mapping[str, str]) -> Answer:
        """How many seconds the session lasts; a POST is a use of it, which makes it last again.

        may_last: whether using it makes it last longer.
        """
        session = self.entry.asking().session
        left = (session.ends_at - self.entry.who.clock()).total_seconds()
        may_last = session.ends_at < session.created_at + sessions.ABSOLUTE
        words = {"seconds": max(0, int(left)), "may_last": may_last}
        return Reply(json.dumps(words).encode(), "application/json")

    def _signed_out(self) -> Answer:
        return sent_to(f"{guard.SIGN_IN}?{SIGNED_OUT}=1" if self.has_city_accounts else guard.SIGN_IN)

    def _is_right(self, asking: Asking, password: str) -> bool:
        with reading(self.entry.who.engine) as connection:
            kept = passwords.kept_hash(connection, asking.person.id)
        with checking():
            return passwords.is_right(kept, password)

    def _page(self, asking: Asking, problem: str | None = None, done: str | None = None) -> Answer:
        with reading(self.entry.who.engine) as connection:
            live = tuple(sessions.of_person(connection, asking.person.id, self.entry.who.clock()))
            has_password = passwords.kept_hash(connection, asking.person.id) is not None
        view = AccountView(asking.person, asking.csrf, asking.session, live, has_password, problem, done)
        return self.entry.pages.account(view, 200 if problem is None else 400)
