"""What no message, progress or row of the ledger may repeat: secrets and signed-in addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from ingest.quarantine import readable

HIDDEN = "***"
SHORTEST = 4
"""A shorter word is no secret, and stands in every sentence."""

LONG = 16
"""So long a value in the query of an address may be a secret whatever its name is."""

EXAMPLE = "user:password"
"""What stands for a name and password in a sentence that says how an address is written."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s<>\"`]+")
_END_OF_SENTENCE = re.compile(r"[.,:;!?)\]}']*$")
_NEXT_LINK = re.compile(r"::(?=[A-Za-z][A-Za-z0-9+.-]*:)")
"""Between the links of a chained address, zip://inside.csv::sftp://host/outside.zip."""

_ASSIGNED = re.compile(
    r"\b(pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|(?:secret_?)?access_?key|account_?key|sig(?:nature)?)"
    r"=(?!=)[^\s&;,]+",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(r"\b(authorization\W{1,4}(?:basic|bearer|token)\s+)[^\s'\",]+", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"pass|pwd|secret|token|key|^sig|signature|auth|credential|^code$|^sas$", re.IGNORECASE
)
_HOST_AND_PORT = re.compile(r"[\w-]+(\.[\w-]+)+:\d{1,5}/")


@dataclass
class Secrets:
    """The secrets one run was given."""

    _words: set[str] = field(default_factory=set)

    def add(self, secret: str | None) -> None:
        """Remembers a secret, and where it is an address what is secret in it."""
        if secret:
            self._remember(secret)
            self.see(secret)

    def see(self, address: str) -> None:
        """Remembers what may be secret in an address; one without a name, password and query has nothing."""
        if "://" in address or _is_signed_in(address):
            for word in _secret_parts(address):
                self._remember(word)

    def hidden(self, said: str) -> str:
        """A sentence without secrets."""
        return hidden(_covered(said, self._words))

    def _remember(self, word: str) -> None:
        """In the forms that libraries and messages give a word."""
        if len(word) < SHORTEST:
            return
        plain = {word, unquote(word), unquote_plus(word)}
        coded = {made for one in plain for made in (quote(one, safe=""), quote(one), quote_plus(one))}
        escaped = {made for one in plain for made in (repr(one)[1:-1], json.dumps(one)[1:-1], readable(one))}
        spaced = {" ".join(one.split()) for one in plain | escaped}
        found = plain | coded | escaped | spaced | {readable(one) for one in spaced}
        self._words |= {one for one in found if len(one) >= SHORTEST}


def hidden(said: str) -> str:
    """A sentence without what stands in its addresses before an @ or after a ?, and after `password=`."""
    said = _ADDRESS.sub(lambda found: _open(found[0]), said)
    said = _ASSIGNED.sub(rf"\1={HIDDEN}", said)
    return _AUTHORIZATION.sub(rf"\1{HIDDEN}", said)


def public(address: str) -> str:
    """One address, well formed or not, as anybody may see it: without name, password, query and fragment."""
    return "::".join(_public_link(link, "", "") for link in _NEXT_LINK.split(address))


def _covered(said: str, words: Iterable[str]) -> str:
    """A sentence with all words covered where they stand, also where one begins inside another."""
    shown: list[str] = []
    until = 0
    spans = [
        (at.start(), at.start() + len(word))
        for word in words
        for at in re.finditer(f"(?={re.escape(word)})", said)
    ]
    for start, end in sorted(spans):
        if start > until or not shown:
            shown += [said[until:start], HIDDEN]
        until = max(until, end)
    return "".join([*shown, said[until:]])


def _open(found: str) -> str:
    """An address in a sentence, with signs in the place of what is left out."""
    end = _END_OF_SENTENCE.search(found)
    whole = found[: end.start()] if end else found
    links = (_public_link(link, f"{HIDDEN}@", HIDDEN) for link in _NEXT_LINK.split(whole))
    return "::".join(links) + found[len(whole) :]


def _public_link(link: str, signed_in: str, asked: str) -> str:
    """One link of an address; signed_in and asked: what stands for its name and password, and its query."""
    scheme, _, rest = link.partition("://")
    if not _is_address(link):
        return f"{HIDDEN}@{link.rpartition('@')[2]}" if _is_signed_in(link) else link
    start = f"{scheme}://"
    head, mark, query = _halves(rest)
    if "@" in query:
        # The ? or # may belong to a password, or the @ to the query: nothing of either is told.
        return f"{start}{HIDDEN}"
    name, at, place = head.rpartition("@")
    shown = f"{signed_in}{place}" if at and name != EXAMPLE else head
    return f"{start}{shown}{mark}{asked}" if mark and asked else f"{start}{shown}"


def _halves(rest: str) -> tuple[str, str, str]:
    """What stands before the first ? or #, that sign, and what stands after it."""
    found = re.search(r"[?#]", rest)
    return (rest, "", "") if found is None else (rest[: found.start()], found[0], rest[found.end() :])


def _is_address(text: str) -> bool:
    return re.match(r"[A-Za-z0-9+.-]*://", text) is not None


def _is_signed_in(text: str) -> bool:
    """Whether a text that is no address has what looks like a name and password: user:password@host."""
    return re.search(r":[^@]*[^@/].*@", text, re.DOTALL) is not None


def _secret_parts(address: str) -> Iterator[str]:
    """Every part of an address that a reading of it, right or wrong, may take for a secret."""
    for link in _NEXT_LINK.split(address):
        rest = link.partition("://")[2] if _is_address(link) else link
        name, at, _ = rest.rpartition("@")
        if at and not _HOST_AND_PORT.match(name):
            yield name
            password = name.partition(":")[2] or name
            yield password
            yield from _pieces(password)
        is_secret = False
        for part in re.split(r"[?&;#]", _halves(rest)[2]):
            key, equals, value = part.partition("=")
            # A sign of a secret that ends a part makes the next part a piece of it.
            is_secret = is_secret or not equals or _SECRET_NAME.search(unquote(key)) is not None
            if is_secret or len(value) >= LONG:
                yield value or key
                yield from _pieces(value or key)


def _pieces(secret: str) -> list[str]:
    """What messages tell of a secret whose signs were taken for those of an address."""
    return re.split(r"[/@#?:\\\[\]&=]", secret)
