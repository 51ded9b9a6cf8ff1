"""Signing in with the account one has with the city: to its OpenID Connect provider and back."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from flask import request

from serving import guard
from serving.cookies import CITY_ACCOUNT
from serving.entering import ENTRANCE, Entry, TooManyTriesError, sent_to
from serving.id_tokens import TokenError
from serving.provider import Account, AwayError, Provider, SignInBegun
from serving.routes import Answer, Kind, Route
from store import attempts, identities, people
from store.engine import Writing, reading
from store.people import Person
from store.secrets import new_secret

BEGIN = "/sign-in/city-account"
BACK = "/sign-in/city-account/back"
LASTS = timedelta(minutes=15)
"""How long somebody may take at the provider."""

LONGEST_WAY = 1500
"""Of the address to go back to, which stands in a cookie: browsers keep 4096 bytes of one."""

LONGEST_CODE = 4096
PROBLEMS = frozenset(
    {
        *("away", "cancelled", "city account", "too many"),
        *("disabled", "not invited", "other account", "unverified"),
    }
)
"""Why the account of the city did not let somebody in, as `SignInView.problem` has it."""

_log = logging.getLogger(__name__)


class NotLetInError(Exception):
    """Somebody whom the provider knows is not let in; its text is one of PROBLEMS."""


@dataclass(frozen=True)
class CityAccount:
    """The way to the provider and back.

    A cookie holds one secret and the way back; state, nonce and the verifier of PKCE are made of the secret.
    So whatever comes back is bound to the browser that went, and the server keeps nothing meanwhile.
    """

    entry: Entry
    provider: Provider

    def routes(self) -> tuple[Route, ...]:
        """The addresses of signing in with the account of the city."""
        return (Route(BEGIN, Kind.ENTRY, self.begin), Route(BACK, Kind.ENTRY, self.back))

    def begin(self, query: Mapping[str, str]) -> Answer:
        """Sends somebody to the provider."""
        wanted = guard.way_back(query.get("next", "")) or ENTRANCE
        if self.entry.who.is_signed_in():
            return sent_to(wanted)
        secret, wanted = new_secret(), wanted if len(wanted) <= LONGEST_WAY else ENTRANCE
        try:
            address = self.provider.way_in(self._begun(secret))
        except AwayError as error:
            return _refused("away", wanted, str(error))
        self.entry.who.cookies().give(CITY_ACCOUNT, f"{secret}{wanted}", LASTS)
        return sent_to(address)

    def back(self, query: Mapping[str, str]) -> Answer:
        """Signs in whom the provider sends back with a code, if it is somebody who was invited."""
        cookies = self.entry.who.cookies()
        secret, slash, rest = (cookies.read(CITY_ACCOUNT) or "").partition("/")
        begun = self._begun(secret)
        if not secret or not _is_same(query.get("state", ""), begun.state):
            return _refused("city account", ENTRANCE, "it is not the browser that went, or it went long ago")
        # What came back is used up, whatever it was.
        cookies.take(CITY_ACCOUNT)
        wanted = guard.way_back(slash + rest) or ENTRANCE
        try:
            self._let_in(query, begun)
        except (AwayError, TokenError, TooManyTriesError, NotLetInError) as error:
            return _refused(_problem(error), wanted, str(error) or type(error).__name__)
        return sent_to(wanted)

    def _begun(self, secret: str) -> SignInBegun:
        own = (
            self.entry.who.way.base_url if self.entry.who.way.is_secure(request) else f"http://{request.host}"
        )
        return SignInBegun(
            back=own + BACK,
            state=_made(secret, "state"),
            nonce=_made(secret, "nonce"),
            verifier=_made(secret, "verifier"),
        )

    def _is_known(self, subject: str) -> bool:
        with reading(self.entry.who.engine) as connection:
            return identities.find(connection, self.provider.registration.issuer, subject) is not None

    def _let_in(self, query: Mapping[str, str], begun: SignInBegun) -> None:
        code, issuer = query.get("code", ""), self.provider.registration.issuer
        # RFC 9207: who answers says so, where it does.
        if query.get("iss", issuer) != issuer:
            raise TokenError("the answer is of another issuer")
        if "error" in query or not 0 < len(code) <= LONGEST_CODE:
            raise NotLetInError("cancelled" if query.get("error") == "access_denied" else "city account")
        with self.entry.counted(attempts.of_city_account(self.entry.who.address())) as tried:
            try:
                account = self.provider.account(code, begun, self._is_known)
            except AwayError:
                tried.succeeded = True  # It was no try of theirs that failed.
                raise
            with self.entry.writing() as write:
                person = _person(write, account)
                self.entry.who.sign_in(write, person, "city account", is_new_device=False)
            tried.succeeded = True


def _person(write: Writing, account: Account) -> Person:
    """Whose an account is. Raises NotLetInError for one that is nobody's, or somebody's who was disabled."""
    person = identities.find(write.connection, account.issuer, account.subject)
    if person is None:
        person = _invited(write, account)
        identities.link(write, person, account.issuer, account.subject)
    if person.disabled_at is not None:
        raise NotLetInError("disabled")
    return person


def _invited(write: Writing, account: Account) -> Person:
    """The person whom an admin has added with this e-mail address, for whom no account is known yet."""
    if account.email is None or not account.is_checked:
        raise NotLetInError("unverified")
    person = people.by_email(write.connection, account.email)
    if person is None or not people.is_same_address(person.email, account.email):
        raise NotLetInError("not invited")
    if person.disabled_at is not None:
        raise NotLetInError("disabled")
    # An address that was given to somebody new opens nothing of who had it before.
    if identities.has_one(write.connection, person.id, account.issuer):
        raise NotLetInError("other account")
    return person


def _refused(problem: str, wanted: str, why: str) -> Answer:
    """Back to the page to sign in, which says why; the log says which rule it was, and of nobody."""
    _log.warning("a sign-in with a city account failed (%s): %s", problem, why)
    return sent_to(f"{guard.SIGN_IN}?{urlencode({'problem': problem, 'next': wanted})}")


def _problem(error: Exception) -> str:
    if isinstance(error, NotLetInError):
        return str(error)
    if isinstance(error, TooManyTriesError):
        return "too many"
    return "away" if isinstance(error, AwayError) else "city account"


def _made(secret: str, word: str) -> str:
    return hmac.digest(secret.encode("utf-8", "replace"), word.encode(), hashlib.sha256).hex()


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
