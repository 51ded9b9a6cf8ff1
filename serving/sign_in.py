"""Signing in with a password, and as an example of the demonstration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from serving import guard
from serving.account import SIGNED_OUT
from serving.city_account import PROBLEMS
from serving.cookies import DEVICE
from serving.entering import ENTRANCE, Entry, SignInView, TooManyTriesError, Try, checking, given, sent_to
from serving.guard import Refused
from serving.routes import Answer, Kind, Route
from store import attempts, passwords, people
from store.audit_log import Actor
from store.engine import Writing, reading
from store.people import Person, Role

DEMONSTRATION = Actor(None, "demonstration")


@dataclass(frozen=True)
class Example:
    """Somebody of the demonstration as whom one click signs in."""

    name: str
    email: str
    role: Role
    department: str | None = None


@dataclass(frozen=True)
class SignIn:
    """The pages on which people sign in. examples: whom the demonstration offers, by their word.

    city_account: where people sign in with the account they have with the city; None where they cannot.
    """

    entry: Entry
    examples: Mapping[str, Example]
    city_account: str | None = None

    def routes(self) -> tuple[Route, ...]:
        """The addresses of signing in."""
        return (
            Route("/sign-in", Kind.ENTRY, self.show),
            Route("/sign-in", Kind.ENTRY, self.submit, method="POST"),
            Route("/sign-in/as/<word>", Kind.ENTRY, self.as_example, method="POST"),
        )

    def show(self, query: Mapping[str, str]) -> Answer:
        """The page to sign in; whoever is signed in already is sent on.

        problem: why an account of the city let nobody in, where somebody came back with one.
        """
        wanted = guard.way_back(query.get("next", "")) or ENTRANCE
        if self.entry.who.is_signed_in():
            return sent_to(wanted)
        problem = query.get("problem") if self.city_account else None
        return self.page(
            wanted,
            problem=problem if problem in PROBLEMS else None,
            signed_out=SIGNED_OUT in query and self.city_account is not None,
        )

    def submit(self, _query: Mapping[str, str]) -> Answer:
        """Signs in who gives the right password."""
        self.entry.refuse_foreign_form()
        wanted = guard.way_back(given("next")) or ENTRANCE
        email = given("email")
        try:
            with self.entry.a_try(email) as tried:
                person = self._with_password(email, given("password"), tried)
        except TooManyTriesError:
            return self.page(wanted, email, "too many", 429)
        if person is None:
            return self.page(wanted, email, "wrong", 401)
        return sent_to(wanted)

    def as_example(self, _query: Mapping[str, str], word: str) -> Answer:
        """Signs in as somebody of the demonstration, on this machine; anywhere else this is no page."""
        example = self.examples.get(word) if self._offers_examples() else None
        if example is None:
            raise Refused(404, "There is no such page.")
        self.entry.refuse_foreign_form()
        with self.entry.writing() as write:
            person = people.by_email(write.connection, example.email) or _made(write, example)
            if person.disabled_at is not None:
                raise Refused(403, "This example was disabled.")
            self.entry.who.sign_in(write, person, "example", is_new_device=False)
        return sent_to(guard.way_back(given("next")) or ENTRANCE)

    def page(
        self,
        wanted: str,
        email: str = "",
        problem: str | None = None,
        status: int = 200,
        *,
        signed_out: bool = False,
    ) -> Answer:
        """The page to sign in, with why it did not work where it did not."""
        examples = tuple(self.examples) if self._offers_examples() else ()
        view = SignInView(self.entry.form(), wanted, email, problem, examples, self.city_account, signed_out)
        return self.entry.pages.sign_in(view, status)

    def _offers_examples(self) -> bool:
        return not self.entry.who.way.base_url and guard.is_direct(request)

    def _with_password(self, email: str, password: str, tried: Try) -> Person | None:
        """Signs in the person of an address and a password; None where there is none such.

        An address that nobody has, somebody without a password and a wrong one take the same steps: one
        check of one hash.
        """
        with reading(self.entry.who.engine) as connection:
            person = people.by_email(connection, email)
            kept = None if person is None else passwords.kept_hash(connection, person.id)
        with checking():
            is_right = passwords.is_right(kept, password)
            is_old = is_right and kept is not None and passwords.is_outdated(kept)
            better = passwords.hashed(password) if is_old else None
        if person is None or not is_right:
            return None
        with self.entry.writing() as write:
            now = people.get(write.connection, person.id)
            is_same = passwords.kept_hash(write.connection, person.id) == kept
            if now is None or now.disabled_at is not None or not is_same:
                return None
            if better is not None:
                passwords.keep(write, now.id, better)
            self.entry.who.sign_in(write, now, "password", is_new_device=not self._is_known(write, now))
        tried.succeeded = True
        return now

    def _is_known(self, write: Writing, person: Person) -> bool:
        device = self.entry.who.cookies().read(DEVICE)
        found = device and attempts.is_device_of(write.connection, device, person.email, write.now)
        return bool(found)


def _made(write: Writing, example: Example) -> Person:
    made = people.add(write, DEMONSTRATION, example.name, example.email)
    return people.grant(write, DEMONSTRATION, made.id, example.role, example.department)
