"""What is said of a row that was refused, and how many refusals are told in a few words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ingest.contract import Cell
from store.quarantine import Form, QuarantinedRow

REASONS_SHOWN = 5
KEPT_OF_A_REASON, KEPT_OF_A_RUN, CHARACTERS_KEPT = 5_000, 20_000, 20_000_000
"""How much of the rows that one run refused is kept: all are counted, the first are kept."""

VALUE_LENGTH = 80
KEPT_LENGTH = 1000


@dataclass(frozen=True)
class Rejection:
    """One refused row: where it stood, what was wrong with which cell, and the row as received.

    place is the file or address, line the line on which the row begins there. key and value are the
    texts as received, None where there is none. rule is the reason without what differs from row to row.
    form says what a replay can make of the row.
    """

    line: int
    key: str | None
    column: str | None
    value: str | None
    reason: str
    row: Mapping[str, Cell]
    place: str = ""
    rule: str = ""
    form: Form = "received"


@dataclass
class Tally:
    """Refused rows summed by column and rule, each with the first as an example."""

    counts: dict[tuple[str | None, str], int] = field(default_factory=dict)
    first: dict[tuple[str | None, str], Rejection] = field(default_factory=dict)

    def add(self, one: Rejection) -> int:
        """Counts one more refused row; gives how many there are for its reason."""
        what = (one.column, one.rule or one.reason)
        self.counts[what] = self.counts.get(what, 0) + 1
        self.first.setdefault(what, one)
        return self.counts[what]

    def lines(self) -> list[str]:
        """One sentence per column and rule, the most frequent first; [] when nothing was refused."""
        ranked = sorted(self.counts, key=lambda what: -self.counts[what])
        told = [_sentence(self.counts[what], self.first[what]) for what in ranked[:REASONS_SHOWN]]
        rest = ranked[REASONS_SHOWN:]
        if rest:
            told.append(f"{sum(self.counts[what] for what in rest)} rejected for {len(rest)} other reasons")
        return told


@dataclass
class Refusals:
    """The rows one reading refused: every one counted, by key too, and the first of them kept whole.

    keys are those of all refused rows, None among them where one shows none.
    """

    count: int = 0
    kept: list[Rejection] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)
    _characters: int = 0

    def add(self, rejections: Iterable[Rejection]) -> None:
        """Refuses more rows."""
        for one in rejections:
            self.count += 1
            self.keys.add(one.key)
            of_its_reason = self.tally.add(one)
            size = sum(len(cell or "") for cell in one.row.values())
            if of_its_reason > KEPT_OF_A_REASON or len(self.kept) >= KEPT_OF_A_RUN:
                continue
            if self._characters + size <= CHARACTERS_KEPT:
                self._characters += size
                self.kept.append(one)

    def rows(self, staged: Collection[str]) -> list[QuarantinedRow]:
        """The kept rows as the store has them; a row whose key is among those staged is a repeated one."""
        return [_stored(one, staged) for one in self.kept]

    def notes(self) -> list[str]:
        """That not all rows are kept, where it is so."""
        if len(self.kept) == self.count:
            return []
        return [f"the quarantine keeps the first {len(self.kept)} of {self.count} refused rows"]


def _stored(one: Rejection, staged: Collection[str]) -> QuarantinedRow:
    return QuarantinedRow(
        one.line,
        one.key,
        one.column,
        one.value,
        one.reason,
        {keepable(name): cell and keepable(cell) for name, cell in one.row.items()},
        keepable(one.place),
        one.rule,
        "repeated" if one.key in staged and one.form != "broken" else one.form,
    )


def printable(cell: Cell) -> str | None:
    """A cell as text that any database keeps, shortened; None for an empty one."""
    if not cell:
        return None
    return keepable(cell[:KEPT_LENGTH]).replace("\x00", "\\x00")


def keepable(text: str) -> str:
    """A text with nothing in it that has no bytes: half of a surrogate pair is written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def readable(text: str) -> str:
    """A text as a log shows it: signs that a terminal obeys, or that have no bytes, are written out."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _sentence(count: int, example: Rejection) -> str:
    column = f"{example.column} " if example.column else ""
    value = f": {_shortened(example.value)}" if example.value else ""
    place = f"{example.place} " if example.place else ""
    reason = example.rule or example.reason
    return f"{count} rejected, {column}{reason} (first: {place}line {example.line}{value})"


def _shortened(value: str) -> str:
    text = repr(value)
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"
