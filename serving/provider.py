"""The city's OpenID Connect provider: where it lets people in, its keys, and whose a code is."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.jwk import KeySet

from serving.id_tokens import Expected, TokenError, UnknownKeyError, claims_of, keys_of
from serving.turns import NoTurnError, Turns
from store.engine import Clock

DISCOVERY = "/.well-known/openid-configuration"
SCOPE = "openid email"
KEPT = timedelta(hours=1)
"""How long is believed what a provider says of itself, and its keys."""

ASK_AGAIN = timedelta(seconds=30)
"""How soon a provider that did not answer, or whose keys lack one, is asked again."""

TIMEOUT = httpx.Timeout(5.0, connect=3.0)
TURNS, IN_LINE, TURN_SECONDS = 2, 3, 2.0
"""How many wait for the provider at once in each process, and for a turn: readers need the others."""

MOST_BYTES = 1_000_000
OK = 200
REFUSALS = frozenset(
    {"invalid_grant", "invalid_client", "invalid_request", "unauthorized_client", "unsupported_grant_type"}
)
"""How a provider refuses a code (RFC 6749, 5.2); what it says besides is not repeated."""

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
CHECKED = "email_verified"
CHECKED_BY_DOMAIN = "xms_edov"
"""Entra ID sends no email_verified: this optional claim says that the tenant owns the address's domain."""


class AwayError(Exception):
    """The provider does not answer as one; says what of it did not."""


@dataclass(frozen=True)
class Registration:
    """As what a provider knows us. secret: for the provider alone."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class SignInBegun:
    """What one sign-in at the provider is bound to: where it comes back to, and secrets of this browser."""

    back: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class Account:
    """Who signed in. email: None where the provider does not say it; is_checked: whether it is theirs."""

    issuer: str
    subject: str
    email: str | None
    is_checked: bool


class Provider:
    """Talks to one provider. What it says of itself is kept for KEPT, in this process."""

    def __init__(
        self, registration: Registration, clock: Clock, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.registration = registration
        self._clock, self._transport = clock, transport
        self._turns = Turns(TURNS, IN_LINE, TURN_SECONDS)
        self._words: tuple[datetime, Mapping[str, Any]] | None = None
        self._keys: tuple[datetime, KeySet] | None = None
        self._failed_at: datetime | None = None

    def way_in(self, begun: SignInBegun) -> str:
        """The address where somebody signs in. Raises AwayError."""
        with self._turn():
            address = str(self._metadata()["authorization_endpoint"])
        asked = {
            "response_type": "code",
            "client_id": self.registration.client_id,
            "redirect_uri": begun.back,
            "scope": SCOPE,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": create_s256_code_challenge(begun.verifier),
            "code_challenge_method": "S256",
        }
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"

    def account(self, code: str, begun: SignInBegun, is_known: Callable[[str], bool]) -> Account:
        """Whose a code is. is_known: whether a subject's e-mail address need not be asked for.

        Raises AwayError, and TokenError for a code that proves nothing, or buys nothing that does.
        """
        with self._turn():
            bought = self._bought(code, begun)
            token, access = bought.get("id_token"), bought.get("access_token")
            if not isinstance(token, str):
                raise TokenError("no ID token")
            access = access if isinstance(access, str) else None
            claims = self._claims(token, access, begun.nonce)
            subject = str(claims["sub"])
            told = [claims]
            if not is_known(subject) and not _says_whether_checked(claims) and access is not None:
                told.append(self._user_info(access, subject))
        email, is_checked = _email(told)
        return Account(self.registration.issuer, subject, email, is_checked)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with ExitStack() as turn:
            try:
                turn.enter_context(self._turns.taken())
            except NoTurnError:
                raise AwayError("no turn came free") from None
            yield

    # --- what the provider says of itself -----------------------------------------------------------

    def _metadata(self) -> Mapping[str, Any]:
        now = self._clock()
        if self._words is not None and now < self._words[0] + KEPT:
            return self._words[1]
        if self._failed_at is not None and now < self._failed_at + ASK_AGAIN:
            raise AwayError("it did not answer a moment ago")
        try:
            words = self._said(f"{self.registration.issuer.rstrip('/')}{DISCOVERY}")
            self._refuse_stranger(words)
        except AwayError:
            self._failed_at = now
            raise
        self._words, self._failed_at = (now, words), None
        return words

    def _refuse_stranger(self, words: Mapping[str, Any]) -> None:
        """OpenID Connect Discovery 1.0, 4.3: the issuer is the one that was asked, letter for letter."""
        if words.get("issuer") != self.registration.issuer:
            raise AwayError("the discovery document is of another issuer than OIDC_ISSUER")
        wanted = [*ENDPOINTS, *(one for one in ("userinfo_endpoint",) if one in words)]
        scheme = urlsplit(self.registration.issuer).scheme
        for name in wanted:
            if not _is_address(words.get(name), scheme):
                raise AwayError(f"the discovery document has no {name} under {scheme}")

    def _known_keys(self) -> KeySet:
        now = self._clock()
        if self._keys is None or now >= self._keys[0] + KEPT:
            self._keys = (now, keys_of(self._said(self._metadata()["jwks_uri"])))
        return self._keys[1]

    def _newer_keys(self) -> KeySet:
        """The keys once more, for one that is not among them; at most every ASK_AGAIN."""
        if self._keys is not None and self._clock() >= self._keys[0] + ASK_AGAIN:
            self._keys = None
        return self._known_keys()

    # --- what a code buys ---------------------------------------------------------------------------

    def _bought(self, code: str, begun: SignInBegun) -> Mapping[str, Any]:
        metadata, own = self._metadata(), self.registration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.back,
            "code_verifier": begun.verifier,
        }
        sent: dict[str, Any] = {"data": form}
        ways = metadata.get("token_endpoint_auth_methods_supported")
        if isinstance(ways, list) and "client_secret_post" in ways:
            form |= {"client_id": own.client_id, "client_secret": own.secret}
        else:
            # RFC 6749, 2.3.1: each is encoded as in a form before the two are joined.
            sent["auth"] = httpx.BasicAuth(quote_plus(own.client_id), quote_plus(own.secret))
        status, words = self._asked("POST", metadata["token_endpoint"], **sent)
        if status == OK and words is not None:
            return words
        if words is not None and words.get("error") in REFUSALS:
            raise TokenError(f"the code was refused: {words['error']}")
        raise AwayError(f"the token endpoint answered {status}")

    def _claims(self, token: str, access: str | None, nonce: str) -> Mapping[str, Any]:
        expected = Expected(self.registration.issuer, self.registration.client_id, nonce, access)
        try:
            return claims_of(token, self._known_keys(), expected, self._clock())
        except UnknownKeyError:
            return claims_of(token, self._newer_keys(), expected, self._clock())

    def _user_info(self, access: str, subject: str) -> Mapping[str, Any]:
        """What the provider tells apart from the token (OpenID Connect Core 1.0, 5.4): Okta, for one."""
        address = self._metadata().get("userinfo_endpoint")
        if address is None:
            return {}
        words = self._said(address, {"Authorization": f"Bearer {access}"})
        # OpenID Connect Core 1.0, 5.3.2: what is told of somebody else must not be used.
        if words.get("sub") != subject:
            raise TokenError("the user info is of somebody else")
        return words

    def _said(self, address: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """What an address of the provider says, as an object. Raises AwayError where it does not."""
        status, words = self._asked("GET", address, headers=headers)
        if status != OK or words is None:
            raise AwayError(f"{urlsplit(address).path} answered {status}{'' if words else ' and no object'}")
        return words

    def _asked(self, method: str, address: str, **sent: Any) -> tuple[int, Mapping[str, Any] | None]:
        """The status of an answer and its object, None without. No redirect is followed."""
        try:
            with (
                httpx.Client(timeout=TIMEOUT, verify=_trusted(), transport=self._transport) as client,
                client.stream(method, address, **sent) as answer,
            ):
                return answer.status_code, _object(_read(answer))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # What an error says may hold an address: its kind is enough.
            raise AwayError(type(error).__name__) from None


@cache
def _trusted() -> ssl.SSLContext:
    """Whom this machine trusts, which takes a while to read."""
    return httpx.create_ssl_context()


def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise AwayError("its answer does not end")
    return bytes(body)


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        words = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, dict) else None


def _is_address(given: object, scheme: str) -> bool:
    """Whether something is an address to which secrets may go: over HTTPS, as the issuer."""
    if not isinstance(given, str) or not given.isascii() or not given.isprintable() or " " in given:
        return False
    try:
        parts = urlsplit(given)
    except ValueError:
        return False
    return parts.scheme == scheme and bool(parts.hostname) and not parts.fragment and "@" not in parts.netloc


def _email(told: Sequence[Mapping[str, Any]]) -> tuple[str | None, bool]:
    """The e-mail address, and whether the provider vouches for it in the same breath.

    What one answer says of its address is not put together with the address of another.
    """
    pairs = [one for one in told if _says_whether_checked(one)] or [one for one in told if one.get("email")]
    if not pairs:
        return None, False
    is_doubted = any(one.get(CHECKED, True) is not True for one in told)
    email = pairs[0]["email"]
    return email if isinstance(email, str) else None, not is_doubted and _is_checked(pairs[0])


def _says_whether_checked(claims: Mapping[str, Any]) -> bool:
    return bool(claims.get("email")) and (CHECKED in claims or CHECKED_BY_DOMAIN in claims)


def _is_checked(claims: Mapping[str, Any]) -> bool:
    """Whether an address is vouched for. Entra ID writes its own claim in several ways."""
    if CHECKED in claims:
        return claims[CHECKED] is True
    return str(claims.get(CHECKED_BY_DOMAIN)).lower() in ("true", "1")
