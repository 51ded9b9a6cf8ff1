"""What the pages of signing in, of links and of accounts share: what they show, forms, tries."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from flask import request

from serving import guard
from serving.cookies import DEVICE, FORM
from serving.guard import Refused, SignInNeeded
from serving.routes import Answer, Reply
from serving.turns import NoTurnError, Turns
from serving.who import Asking, Who
from store import attempts
from store.engine import Writing, instant_text, reading, writing
from store.one_time_links import Purpose
from store.passwords import LONGEST, SHORTEST
from store.people import Person
from store.secrets import new_secret
from store.sessions import Session

ENTRANCE = "/staff/today"
AT_ONCE, IN_LINE, CHECK_SECONDS = 2, 4, 10.0
"""Checking a password takes memory and time on purpose; more at once would leave none for readers."""

_checks = Turns(AT_ONCE, IN_LINE, CHECK_SECONDS)


@dataclass(frozen=True)
class SignInView:
    """What the page to sign in shows. problem: why it did not work; None at first.

    form: the token of the form. next: where to go afterwards. examples: roles to try with one click.
    city_account: where people sign in with the account they have with the city; None where they cannot.
    signed_out: whether whoever asks has just signed out.
    """

    form: str
    next: str
    email: str = ""
    problem: str | None = None
    examples: tuple[str, ...] = ()
    city_account: str | None = None
    signed_out: bool = False


@dataclass(frozen=True)
class LinkView:
    """What the page of a one-time link shows. purpose: None until somebody has chosen to go on with it.

    name and email are of the person it is for; None where they are to be given. problem: why it did not
    work. length: the fewest and the most characters of a password.
    """

    form: str
    secret: str
    purpose: Purpose | None = None
    name: str | None = None
    email: str | None = None
    problem: str | None = None
    length: tuple[int, int] = (SHORTEST, LONGEST)


@dataclass(frozen=True)
class AccountView:
    """What somebody sees of their own account. has_password: whether there is one to change."""

    person: Person
    csrf: str
    session: Session
    sessions: tuple[Session, ...]
    has_password: bool
    problem: str | None = None
    done: str | None = None
    length: tuple[int, int] = (SHORTEST, LONGEST)


class Pages(Protocol):
    """Who makes the pages (`layouts.account.AccountPages` has this shape); status is that of the answer."""

    def sign_in(self, view: SignInView, status: int) -> Answer: ...

    def link(self, view: LinkView, status: int) -> Answer: ...

    def account(self, view: AccountView, status: int) -> Answer: ...


class TooManyTriesError(Exception):
    """Too many tries to give a password have failed."""


@dataclass
class Try:
    """A try that was counted; whether it succeeded, or was none after all."""

    succeeded: bool = False


@dataclass(frozen=True)
class Entry:
    """Who asks, and who makes the pages: what every page here begins with."""

    who: Who
    pages: Pages

    def asking(self) -> Asking:
        """Whoever is signed in. Raises SignInNeeded where nobody is."""
        found = self.who.asking()
        if found is None:
            raise SignInNeeded(guard.SIGN_IN)
        return found

    def writing(self) -> AbstractContextManager[Writing]:
        """A write transaction."""
        return writing(self.who.engine, self.who.clock)

    def form(self) -> str:
        """The token of forms before anybody is signed in: in the form and in a cookie of ours."""
        cookies = self.who.cookies()
        token = cookies.read(FORM)
        if token is None:
            token = new_secret()
            cookies.give(FORM, token)
        return token

    def refuse_foreign_form(self) -> None:
        """Raises Refused for what no form of ours in this browser sent."""
        token, sent = self.who.cookies().read(FORM), given("form")
        if token is None or not hmac.compare_digest(_bytes(token), _bytes(sent)):
            raise Refused(403, "The form is not one of ours, or too old; open the page again.")

    @contextmanager
    def a_try(self, email: str) -> Iterator[Try]:
        """A try to give a password, counted before it is made; taken back when it succeeded.

        Raises TooManyTriesError.
        """
        address, device = self.who.address(), self.who.cookies().read(DEVICE)
        now = instant_text(self.who.clock())
        with reading(self.who.engine) as connection:
            keys = attempts.keys(connection, address, email, device, now)
        with self.counted(keys) as tried:
            yield tried

    @contextmanager
    def counted(self, keys: Sequence[str]) -> Iterator[Try]:
        """The same for a try of whatever kind; keys: what it is counted for (`store.attempts`)."""
        with reading(self.who.engine) as connection:
            # Who is refused already makes nobody wait for the writer.
            if attempts.are_too_many(connection, keys, instant_text(self.who.clock())):
                raise TooManyTriesError
        with self.writing() as write:
            if not attempts.begin(write, keys):
                raise TooManyTriesError
        tried = Try()
        try:
            yield tried
        finally:
            if tried.succeeded:
                with self.writing() as after:
                    attempts.forget(after, keys, write.now)


@contextmanager
def checking() -> Iterator[None]:
    """A turn to hash a password; Refused 503 where none comes free."""
    with ExitStack() as turn:
        try:
            turn.enter_context(_checks.taken())
        except NoTurnError:
            raise Refused(503, "Many people are signing in; try again in a moment.") from None
        yield


def given(name: str) -> str:
    """A field of the form that was sent."""
    return request.form.get(name, "")


def sent_to(path: str) -> Reply:
    """The way to a page of ours, after a form."""
    return Reply(b"", "text/plain; charset=utf-8", 303, {"Location": path})


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
