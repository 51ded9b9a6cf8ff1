"""Secrets that are shown once: 256 random bits, of which only the hash is kept."""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32


def new_secret() -> str:
    """A secret that nobody can guess, as text for a cookie or an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_of(secret: str) -> str:
    """What is kept of a secret.

    256 random bits cannot be guessed from their hash, so a slow hash would gain nothing.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
