"""What no message, progress or row of the ledger may repeat: secrets and signed-in addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"
SHORTEST = 4
"""A shorter word is no secret, and stands in every sentence."""

_SIGNED_IN = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")


@dataclass
class Secrets:
    """The secrets one run was given."""

    _words: set[str] = field(default_factory=set)

    def add(self, secret: str | None) -> None:
        """Remembers a secret, and where it is an address the password in it."""
        if not secret:
            return
        try:
            password = urlsplit(secret).password
        except ValueError:
            password = None
        for word in (secret, password):
            if word and len(word) >= SHORTEST:
                self._words |= {word, quote(word, safe=""), unquote(word)}

    def hidden(self, said: str) -> str:
        """A sentence without secrets."""
        for word in sorted(self._words, key=len, reverse=True):
            said = said.replace(word, HIDDEN)
        return _SIGNED_IN.sub(f"{HIDDEN}@", said)
