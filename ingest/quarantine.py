"""What is said of a row that was refused, and how many refusals are told in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ingest.contract import Cell

REASONS_SHOWN = 5
VALUE_LENGTH = 80
KEPT_LENGTH = 1000


@dataclass(frozen=True)
class Rejection:
    """One refused row: where it stood, what was wrong with which cell, and the row as received.

    place is the file or address, line the line on which the row begins there. key and value are the
    texts as received, None where there is none. rule is the reason without what differs from row to row.
    """

    line: int
    key: str | None
    column: str | None
    value: str | None
    reason: str
    row: Mapping[str, Cell]
    place: str = ""
    rule: str = ""


@dataclass
class Tally:
    """Refused rows summed by column and rule, each with the first as an example."""

    counts: dict[tuple[str | None, str], int] = field(default_factory=dict)
    first: dict[tuple[str | None, str], Rejection] = field(default_factory=dict)

    def add(self, rejections: Iterable[Rejection]) -> None:
        """Counts more refused rows."""
        for one in rejections:
            what = (one.column, one.rule or one.reason)
            self.counts[what] = self.counts.get(what, 0) + 1
            self.first.setdefault(what, one)

    def lines(self) -> list[str]:
        """One sentence per column and rule, the most frequent first; [] when nothing was refused."""
        ranked = sorted(self.counts, key=lambda what: -self.counts[what])
        told = [_sentence(self.counts[what], self.first[what]) for what in ranked[:REASONS_SHOWN]]
        rest = ranked[REASONS_SHOWN:]
        if rest:
            told.append(f"{sum(self.counts[what] for what in rest)} rejected for {len(rest)} other reasons")
        return told


def printable(cell: Cell) -> str | None:
    """A cell as text that any database keeps, shortened; None for an empty one."""
    if not cell:
        return None
    return keepable(cell[:KEPT_LENGTH]).replace("\x00", "\\x00")


def keepable(text: str) -> str:
    """A text with nothing in it that has no bytes: half of a surrogate pair is written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _sentence(count: int, example: Rejection) -> str:
    column = f"{example.column} " if example.column else ""
    value = f": {_shortened(example.value)}" if example.value else ""
    place = f"{example.place} " if example.place else ""
    reason = example.rule or example.reason
    return f"{count} rejected, {column}{reason} (first: {place}line {example.line}{value})"


def _shortened(value: str) -> str:
    text = repr(value)
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"
