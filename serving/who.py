"""Who asks: the session that a request's cookie opens, its person, and the token of its forms."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from flask import Request, g, has_request_context, request

from serving import guard
from serving.cookies import CSRF, DEVICE, SESSION, Cookies
from store import sessions
from store.attempts import DEVICE_LASTS, remember_device
from store.engine import Clock, Engine, Writing, reading
from store.people import Person
from store.sessions import Session

CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRFToken"
_ASKING = "asking"


@dataclass(frozen=True)
class Asking:
    """Somebody who is signed in and asks: with the secret of their cookie, which is told to nobody."""

    session: Session
    person: Person
    secret: str

    @property
    def csrf(self) -> str:
        """The token bound to the session that every form of theirs carries."""
        return csrf_of(self.secret)


@dataclass(frozen=True)
class Who:
    """Tells who asks, from the sessions in a database. way: under which names staff may come."""

    engine: Engine
    clock: Clock
    way: guard.Way

    def asking(self) -> Asking | None:
        """Who asks right now; None for nobody who is signed in, or who came a way that is not for staff.

        Read once a request: a role that ended, a person who was disabled and a session that was ended are
        seen by the next one.
        """
        if not has_request_context():
            return None
        if _ASKING not in g:
            g.setdefault(_ASKING, self._found(request))
        found: Asking | None = g.get(_ASKING)
        return found

    def is_signed_in(self) -> bool:
        """Whether somebody who is signed in asks right now."""
        return self.asking() is not None

    def person(self) -> Person | None:
        """The person who asks right now; None for nobody."""
        found = self.asking()
        return None if found is None else found.person

    def address(self) -> str:
        """Where a request comes from, for counting alone (`guard.address_of`)."""
        return guard.address_of(request, self.way)

    def cookies(self) -> Cookies:
        """The cookies of the way a request came."""
        return Cookies(secure=self.way.is_secure(request))

    def sign_in(self, write: Writing, person: Person, how: str, *, is_new_device: bool) -> None:
        """Signs a person in with the answer to this request, under a session of its own.

        Whatever the browser was signed in as before ends: nobody can hand somebody a session to use.
        """
        cookies = self.cookies()
        self.sign_out(write)
        secret = sessions.begin(write, person, request.headers.get("User-Agent", ""), how)
        cookies.give(SESSION, secret)
        cookies.give_csrf(csrf_of(secret))
        if is_new_device:
            cookies.give(DEVICE, remember_device(write, person.id), DEVICE_LASTS)
        g.pop(_ASKING, None)

    def sign_out(self, write: Writing) -> None:
        """Ends the session of this request, where it has one, and takes its cookies back."""
        found = self.asking()
        if found is not None:
            sessions.end(write, found.person.actor, found.person.id, found.session.id)
        if self.cookies().read(SESSION) is not None:
            self.cookies().take(SESSION, CSRF)
        g.pop(_ASKING, None)

    def token(self) -> str:
        """The token that forms of whoever asks carry; "" for nobody."""
        found = self.asking()
        return "" if found is None else found.csrf

    def is_own_form(self, asked: Request) -> bool:
        """Whether what is sent carries the token of the session: in a header, else in the form."""
        found = self.asking()
        sent = asked.headers.get(CSRF_HEADER) or asked.form.get(CSRF_FIELD, "")
        return found is not None and hmac.compare_digest(found.csrf.encode(), sent.encode("utf-8", "replace"))

    def _found(self, asked: Request) -> Asking | None:
        secret = self.cookies().read(SESSION)
        if secret is None or not self.way.is_for_staff(asked):
            return None
        with reading(self.engine) as connection:
            found = sessions.find(connection, secret, self.clock())
        if found is None:
            return None
        session, person = found
        # How long a session lasts is asked by a script, which is no use of it.
        is_use = (asked.method, asked.path) != ("GET", "/session")
        return Asking(sessions.touch(self.engine, self.clock, session) if is_use else session, person, secret)


def csrf_of(secret: str) -> str:
    """The token of forms that belongs to the secret of a session, which it does not tell."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), b"csrf", hashlib.sha256).hex()
