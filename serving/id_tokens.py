"""ID tokens: whether one was made by the provider, for us, just now and for this very sign-in."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, import_key
from joserfc.jws import JWSRegistry

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519"),
)
"""Signatures with a key of the provider's alone: neither none, nor one of a secret that both sides have."""

KINDS_OF_KEYS = frozenset({"RSA", "EC", "OKP"})
LEEWAY_SECONDS = 60
"""By how much the clocks of the provider and of this machine may differ."""

LONGEST_SUBJECT = 255
"""OpenID Connect Core 1.0, 2: sub."""


class TokenError(Exception):
    """An ID token that proves nothing; says which rule it breaks, and nothing that stands in it."""


class UnknownKeyError(TokenError):
    """The token is signed with a key that is not among those that are known."""


@dataclass(frozen=True)
class Expected:
    """What an ID token has to say. access_token: the one that came with it, where one did."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


def keys_of(words: Mapping[str, Any]) -> KeySet:
    """The keys of a JWK set (RFC 7517) that can sign; those that we cannot read are left out."""
    listed = words.get("keys")
    found = []
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("kty") in KINDS_OF_KEYS and one.get("use", "sig") == "sig":
            try:
                found.append(import_key(one))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return KeySet(found)


def claims_of(token: str, keys: KeySet, expected: Expected, now: datetime) -> Mapping[str, Any]:
    """What a token says that holds (OpenID Connect Core 1.0, 3.1.3.7). Raises TokenError for all others."""
    try:
        read = jwt.decode(token, keys, registry=JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False))
    except InvalidKeyIdError as error:
        raise UnknownKeyError("unknown key") from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenError(_rule(error)) from error
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "azp": {"value": expected.client_id},
    }
    params = {"client_id": expected.client_id, "access_token": expected.access_token}
    said = CodeIDToken(read.claims, read.header, options, params)
    try:
        said.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenError(_rule(error)) from error
    _refuse_other_sign_ins(said.get("nonce"), expected.nonce)
    _refuse_no_subject(said.get("sub"))
    return dict(said)


def _refuse_other_sign_ins(nonce: object, expected: str) -> None:
    given = nonce if isinstance(nonce, str) else ""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise TokenError("nonce")


def _refuse_no_subject(subject: object) -> None:
    is_one = isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT and subject.isprintable()
    if not is_one:
        raise TokenError("sub")


def _rule(error: Exception) -> str:
    """Which rule a token breaks, in words of the library's and of the standard's alone."""
    claim = getattr(error, "claim", None)
    return f"{getattr(error, 'error', type(error).__name__)}{f' ({claim})' if claim in _CLAIMS else ''}"


_CLAIMS: Sequence[str] = ("iss", "sub", "aud", "exp", "nbf", "iat", "azp", "at_hash", "nonce")
