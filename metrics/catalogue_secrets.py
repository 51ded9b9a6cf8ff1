"""What looks like a secret in a catalogue, which everybody may read, and what is the name of one."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|(^|_)token$|api_?key|access_?key|account_?key|private_?key|connection_string",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_SIGNED_IN = re.compile(r"://[^\s:@]*:(?!\d{1,5}/)[^\s@]+@")
_ASKED = re.compile(
    r"[?&;](pass(word)?|pwd|secret|token|access_token|api_?key|sig|(x-amz-)?signature|x-amz-security-token)=[^&\s]",
    re.IGNORECASE,
)
_REPOSITORY = re.compile(r"github://[\w.-]+:(?!gh[a-z]_|github_pat_)[\w.-]+@", re.IGNORECASE)
"""A repository of GitHub by its owner and name, which stand where others have a name and password."""


def names_a_secret(name: str) -> bool:
    """Whether an option so called is for a secret."""
    return _NAME.search(name) is not None


def is_variable(word: str) -> bool:
    """Whether a word can be the name of a variable of the environment."""
    return _VARIABLE.fullmatch(word) is not None


def is_signed_in(address: str) -> bool:
    """Whether an address, well formed or not, has a password or a signature."""
    plain = _REPOSITORY.sub("github://", address)
    return _SIGNED_IN.search(plain) is not None or _ASKED.search(plain) is not None
