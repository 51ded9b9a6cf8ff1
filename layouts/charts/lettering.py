"""How much room a text takes on a picture, and texts broken or cut to fit.

A picture cannot ask the browser how wide a letter is. The widths here are those of Public Sans with some
room to spare, because a reader without that font sees another.
"""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"

_NARROW = frozenset("ijlI.,:;'|!()[]{}ftr·‘’ \N{NO-BREAK SPACE}")
_BROAD = frozenset("mwMW%@—…")
_EM = {"narrow": 0.34, "broad": 0.94, "capital": 0.72, "square": 1.0, "other": 0.6}
_BOLD = 1.07
_SHARES = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is at a font size, rather too much than too little."""
    ems = sum(_ems(letter) for letter in text)
    return ems * size * (_BOLD if bold else 1.0)


def lines(text: str, size: float, room: float, *, bold: bool = False, most: int = 3) -> list[str]:
    """A text broken at its spaces into at most `most` lines of `room`; what is left over is cut off with …"""
    found: list[str] = []
    words = text.split(" ")
    while words:
        if len(found) == most - 1:
            return [*found, cut(" ".join(words), size, room, bold=bold)]
        taken = _taken(words, size, room, bold)
        found.append(cut(" ".join(words[:taken]), size, room, bold=bold))
        words = words[taken:]
    return found


def balanced(text: str, size: float, room: float, *, bold: bool = False, most: int = 3) -> list[str]:
    """The same, with lines about equally long: none holds a single word where that can be helped."""
    found = lines(text, size, room, bold=bold, most=most)
    for share in _SHARES:
        closer = lines(text, size, room * share, bold=bold, most=most)
        if len(closer) > len(found) or " ".join(closer) != text:
            break
        found = closer
    return found


def cut(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """A text as it is where it fits, else its beginning with …"""
    ems = room / (size * (_BOLD if bold else 1.0))
    taken, fits = 0.0, 0
    for number, letter in enumerate(text, start=1):
        taken += _ems(letter)
        if taken > ems:
            return text[:fits].rstrip() + ELLIPSIS
        if taken + _ems(ELLIPSIS) <= ems:
            fits = number
    return text


def _taken(words: list[str], size: float, room: float, bold: bool) -> int:
    """How many words go onto a line: at least one."""
    taken = width(words[0], size, bold=bold)
    for number, word in enumerate(words[1:], start=1):
        taken += width(f" {word}", size, bold=bold)
        if taken > room:
            return number
    return len(words)


def _ems(letter: str) -> float:
    if letter in _NARROW:
        return _EM["narrow"]
    if letter in _BROAD:
        return _EM["broad"]
    if unicodedata.east_asian_width(letter) in "WF":
        return _EM["square"]
    return _EM["capital" if letter.isupper() else "other"]
