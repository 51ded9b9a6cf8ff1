"""What is said of values that were given: by a command at once, by the worker to the page that asked."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingest.contract import Page, SourceError
from ingest.desk import Asked, Desk, RunReport
from ingest.dry_run import dry_run as try_run
from ingest.entering import Difference, Giver, enter
from ingest.run import run_source
from ingest.sources.headers import Layout
from ingest.sources.tables import pages
from metrics.model import Catalogue, Source
from store.entries import Kind
from store.manual_values import ENTER

REQUEST = ENTER
"""The kind of request by which a page gives values."""

MOST_ROWS = 10_000


@dataclass(frozen=True)
class Given:
    """What became of values that were given; report None: nothing was kept, so the source was not run.

    effects: of values that are only shown, what they would do to the scores, line by line.
    """

    difference: Difference
    report: RunReport | None
    effects: tuple[str, ...] = ()

    def words(self) -> dict[str, Any]:
        """The same as a JSON object."""
        outcome = "rejected" if self.difference.rejections else "entered" if self.report else "shown"
        return {
            "outcome": outcome,
            **self.difference.counts,
            "changes": [one.line() for one in self.difference.changes],
            "rejections": list(self.difference.rejections),
            "effects": list(self.effects),
            "sentence": self.line(),
            "run": None if self.report is None else self.report.words(),
        }

    def line(self) -> str:
        """What became of them in one line of counts."""
        counts = ", ".join(f"{count} {word}" for word, count in self.difference.counts.items())
        kept = "kept" if self.report else "nothing was kept"
        return f"values: {counts}; {kept}"


def give(
    desk: Desk,
    source: Source,
    pages: Iterable[Page],
    giver: Giver,
    *,
    kind: Kind = Kind.VALUE,
    dry_run: bool = False,
    dated: Iterable[str] = (),
    catalogue: Catalogue | None = None,
) -> Given:
    """Gives values to a source and runs it, so that they are records; raises SourceError as `enter` does.

    catalogue: of a dry run, whose scores are asked for what the values would do to them.
    """
    difference = enter(desk, source, pages, giver, kind=kind, dry_run=dry_run)
    # Somebody took a value back by name: that there are fewer then is right, however few there were.
    asked = Asked(trigger=REQUEST, accept_fewer=kind is Kind.WITHDRAWAL)
    if difference.rejections:
        return Given(difference, None)
    if dry_run:
        if catalogue is None or not difference.changes:
            return Given(difference, None)
        trial = try_run(desk, source, catalogue, replace(asked, entered=difference.entered))
        return Given(difference, None, tuple(trial.effects()))
    return Given(difference, run_source(desk, source, asked, dated=dated))


def answer(
    desk: Desk,
    source: Source,
    arguments: Mapping[str, Any],
    dated: Iterable[str],
    catalogue: Catalogue | None = None,
) -> dict[str, Any]:
    """Answers a page: rows (a list of objects) or a file, by, reason, withdraw and dry_run.

    file: its name and its content in base64. catalogue: as for `give`. Raises SourceError for a request that
    is not of this form, and as `enter` does.
    """
    giver = Giver(str(arguments.get("by") or ""), str(arguments.get("reason") or ""))
    kind = Kind.WITHDRAWAL if arguments.get("withdraw") else Kind.VALUE
    dry_run = bool(arguments.get("dry_run"))
    with _pages(desk, source, arguments) as found:
        done = give(desk, source, found, giver, kind=kind, dry_run=dry_run, dated=dated, catalogue=catalogue)
    return done.words()


@contextmanager
def _pages(desk: Desk, source: Source, arguments: Mapping[str, Any]) -> Iterator[list[Page]]:
    """What a page sends: rows that were typed, or those of a file, which is on disk as long as it is read."""
    file = arguments.get("file")
    if file is None:
        yield [_page(arguments.get("rows"))]
        return
    name = str(file["name"])
    with TemporaryDirectory(prefix="ingest-entered-", dir=desk.snapshots.parent) as folder:
        path = Path(folder) / "file"
        path.write_bytes(base64.b64decode(file["content"], validate=True))
        yield list(pages(path, name, source, Layout(), work=Path(folder), largest=desk.largest))


def _page(rows: object) -> Page:
    if not isinstance(rows, Sequence) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise SourceError("The rows are no list of objects; give [{column: text}].")
    if len(rows) > MOST_ROWS:
        raise SourceError(f"{len(rows)} rows are too many to be given at once; give at most {MOST_ROWS}.")
    columns = tuple(dict.fromkeys(str(name) for row in rows for name in row))
    cells = [[None if row.get(name) is None else str(row[name]) for name in columns] for row in rows]
    return Page(columns, cells, place="the values given")
