"""The fields of a form that was sent, each taken as what it must be, or refused beside itself."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from layouts.formats import _, day

LONGEST_LINE = 200
LONGEST_TEXT = 2000

_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of what follows: a text could make the words around it lie."""

_UNSEEN = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Unicode's controls, surrogates, private and unassigned characters."""

E = TypeVar("E", bound=StrEnum)


class Wrong(Exception):
    """A field that cannot be taken: which, and a sentence with the fix; "" is the form as a whole."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


@dataclass(frozen=True)
class Upload:
    """A file somebody sent: what they call it, which is never a path of ours, and its bytes."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Fields:
    """Fields by name: the first of each, the files, and every one of those that may be sent twice."""

    given: Mapping[str, str]
    files: Mapping[str, Upload]
    repeated: Mapping[str, Sequence[str]]

    def line(self, name: str, *, most: int = LONGEST_LINE, optional: bool = False) -> str:
        """One line of text without space around it; "" only where it is optional."""
        text = self.text(name, most=most, optional=optional)
        if "\n" in text:
            raise Wrong(name, _("Write this in one line."))
        return text

    def text(self, name: str, *, most: int = LONGEST_TEXT, optional: bool = False) -> str:
        """Lines of plain text, in composed form, their ends as \\n; "" only where it is optional."""
        text = self.given.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
        text = unicodedata.normalize("NFC", text).replace("\t", " ").strip()
        if not text and not optional:
            raise Wrong(name, _("Fill this in."))
        if len(text) > most:
            raise Wrong(name, _("Write at most {most} characters; these are {count}.").format(
                most=most, count=len(text)
            ))  # fmt: skip
        if any(_is_unfit(letter) for letter in text):
            raise Wrong(name, _("There is a character in it that cannot be shown; write it anew."))
        return text

    def choice(self, name: str, options: Collection[str]) -> str:
        """One of the words that may be chosen."""
        chosen = self.given.get(name, "")
        if chosen not in options:
            raise Wrong(name, _("Choose one of these."))
        return chosen

    def one_of(self, name: str, words: type[E]) -> E:
        """One word of an enumeration."""
        return words(self.choice(name, [str(word) for word in words]))

    def choices(self, name: str, options: Collection[str]) -> tuple[str, ...]:
        """Those of the words that were chosen, each once, in the order of `options`; none is none."""
        chosen = self.repeated.get(name, ())
        if not set(chosen) <= set(options):
            raise Wrong(name, _("Choose among these."))
        return tuple(word for word in options if word in chosen)

    def is_checked(self, name: str) -> bool:
        """Whether a box is checked."""
        return self.given.get(name) == "yes"

    def day(self, name: str, *, earliest: date | None = None, latest: date | None = None) -> date:
        """A day as browsers send it, YYYY-MM-DD, within what is allowed."""
        try:
            found = date.fromisoformat(self.given.get(name, ""))
        except ValueError:
            raise Wrong(name, _("Give a day, like 2026-11-24.")) from None
        if earliest is not None and found < earliest:
            raise Wrong(name, _("The first day this can be is {day}.").format(day=day(earliest)))
        if latest is not None and found > latest:
            raise Wrong(name, _("The last day this can be is {day}.").format(day=day(latest)))
        return found

    def number(self, name: str, *, least: float | None = None, most: float | None = None) -> float:
        """A finite number written with a point."""
        text = self.given.get(name, "").strip()
        try:
            found = float(text)
        except ValueError:
            raise Wrong(name, _("Give a number, like 12.5.")) from None
        is_plain = text.isascii() and "_" not in text and found - found == 0
        if not is_plain or (least is not None and found < least) or (most is not None and found > most):
            raise Wrong(name, _("Give a number that this can be, like 12.5."))
        return found

    def id(self, name: str) -> int:
        """The number of something that is stored: what a hidden field says."""
        text = self.given.get(name, "")
        if not (text.isascii() and text.isdecimal() and len(text) < 18):
            raise Wrong("", _("This page is out of date; open it again."))
        return int(text)

    def file(self, name: str, *, most: int) -> Upload:
        """A file that is not empty, of at most so many bytes."""
        found = self.files.get(name)
        if found is None or not found.body:
            raise Wrong(name, _("Choose a file that is not empty."))
        if len(found.body) > most:
            raise Wrong(name, _("The file is larger than {count} kB.").format(count=most // 1000))
        return found


def _is_unfit(letter: str) -> bool:
    return letter != "\n" and (letter in _TURNS or unicodedata.category(letter) in _UNSEEN)
