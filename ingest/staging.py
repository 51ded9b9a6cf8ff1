"""The pages of one reading on their way into a stage: parsed, refused, counted, each row's place kept."""

from __future__ import annotations

import gc
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter

from ingest.cells import Value
from ingest.contract import Page, Progress
from ingest.parse import Parsed, Parser
from ingest.quarantine import Refusals, Rejection, printable
from ingest.scrubbing import is_of_erased
from metrics.model import Source
from store.computing import Unfit
from store.erasures import Marks
from store.records import Conflict, Stage, stage_columns

STANDS_AGAIN = "key stands again further down, with other values"


@dataclass
class Filling:
    """What was read of a source so far.

    latest: arrivals after it are mistakes. newest: the newest arrival but those; None before there is one.
    marks: the records that were erased: their rows are passed over, as if they were not there.
    """

    source: Source
    latest: str
    newest: str | None = None
    staged: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    marks: Marks = field(default_factory=Marks)
    passed_over: int = 0
    _refused: int = 0
    _lines: array[int] = field(default_factory=lambda: array("q"))
    _places: list[tuple[int, str]] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many rows were read: those staged and those refused, one that is both counted once."""
        return self.staged + self._refused

    def fill(self, stage: Stage, pages: Iterable[Page], parser: Parser, progress: Progress) -> None:
        """Puts the good rows of every page into the stage and remembers the others."""
        with _uncollected():
            for page in pages:
                parsed = self._without_erased(parser.parse(page))
                stage.add(parsed.rows)
                self._remember(page, parsed)
                progress(f"{self.source.id}: {self.read} rows read")

    def add_unfit(self, unfit: Sequence[Unfit]) -> None:
        """Refuses rows for what was computed from them."""
        self.refusals.add(map(self._unfit, unfit))

    def add_conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """Refuses rows that a later one of the same key contradicts; a stage counts its rows from 1."""
        self.refusals.add(map(self._conflict, conflicts))

    @property
    def places(self) -> frozenset[str]:
        """The files or addresses whose rows were read."""
        return frozenset(place for _, place in self._places)

    def lost(self, missing: Iterable[str]) -> list[str] | None:
        """Of the keys the stage lacks, those the source lacks too; None where a refused row hides its key."""
        refused = self.refusals.keys
        if None in refused or (refused and self.source.column(self.source.key).type != "text"):
            return None
        return [key for key in missing if str(key) not in refused]

    def _without_erased(self, parsed: Parsed) -> Parsed:
        if not self.marks:
            return parsed
        key = self._position(self.source.key)
        kept = [index for index, row in enumerate(parsed.rows) if not self.marks.has(row[key])]
        refused = [one for one in parsed.rejections if not is_of_erased(one, self.marks)]
        self.passed_over += len(parsed.rows) - len(kept) + len(parsed.rejections) - len(refused)
        return Parsed([parsed.rows[i] for i in kept], [parsed.lines[i] for i in kept], refused)

    def _remember(self, page: Page, parsed: Parsed) -> None:
        self._places.append((self.staged, page.place))
        self._lines.extend(parsed.lines)
        self.staged += len(parsed.rows)
        self._refused += len(parsed.rejections)
        self.refusals.add(parsed.rejections)
        if self.source.arrival is not None:
            arrivals = map(itemgetter(self._position(self.source.arrival)), parsed.rows)
            believable = [one for one in arrivals if isinstance(one, str) and one <= self.latest]
            self.newest = max([*believable, *([self.newest] if self.newest else [])], default=None)

    def _unfit(self, unfit: Unfit) -> Rejection:
        index = unfit.order - 1
        return self._typed(index, unfit.row, unfit.column, unfit.value, unfit.reason)

    def _conflict(self, conflict: Conflict) -> Rejection:
        first, last = conflict.line - 1, conflict.last - 1
        reason = f"key stands again at {self._standing(last, self._place(first))}"
        return self._typed(first, conflict.row, self.source.key, conflict.key, reason, STANDS_AGAIN)

    def _typed(
        self, index: int, row: Sequence[Value], column: str, value: str, reason: str, rule: str = ""
    ) -> Rejection:
        """A staged row that is refused after all: its fields as records would have them."""
        values = dict(zip(stage_columns(self.source), row, strict=True))
        found = {one.name: values[one.name] for one in self.source.columns}
        return Rejection(
            line=self._lines[index],
            key=printable(str(values[self.source.key])),
            column=column,
            value=printable(value),
            reason=reason,
            row={name: None if value is None else str(value) for name, value in found.items()},
            place=self._place(index),
            rule=rule,
            form="typed",
        )

    def _standing(self, index: int, here: str) -> str:
        place = self._place(index)
        return f"line {self._lines[index]}" + ("" if place == here else f" of {place}")

    def _place(self, index: int) -> str:
        return self._places[bisect_right(self._places, index, key=itemgetter(0)) - 1][1]

    def _position(self, name: str) -> int:
        return stage_columns(self.source).index(name)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for reference cycles: rows are millions of objects with no cycle among them."""
    was_searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_searching:
            gc.enable()
