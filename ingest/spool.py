"""The answers of a paged protocol on disk: complete before a row is used, then kept as the snapshot."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.contract import Cell, Copy, Page, ReadRequest

Decoded = tuple[Sequence[str], Sequence[Sequence[Cell]]]
"""The columns and the rows of one answer."""


@dataclass(frozen=True)
class _Answer:
    """Where an answer stands in the file, the line of its first row, and its rows that are used."""

    begins: int
    length: int
    line: int
    fresh: tuple[int, ...]


class Spool:
    """The answers of one place (a table, a layer), each row used once however often it came.

    A kind adds each answer with a mark of each of its rows, begins again when they do not fit together,
    keeps them, and gives the pages.
    """

    def __init__(self, request: ReadRequest, name: str) -> None:
        self._request = request
        self._path = request.work / f"{re.sub('[^A-Za-z0-9]+', '-', name).strip('-')}.jsonl"
        self.begin()

    def begin(self) -> None:
        """Forgets every answer, to read the place from its beginning."""
        self._path.write_bytes(b"")
        self._answers: list[_Answer] = []
        self._seen: set[int] = set()

    @property
    def rows(self) -> int:
        """How many different rows came."""
        return len(self._seen)

    @property
    def answers(self) -> int:
        """How many answers had a row that none before had."""
        return len(self._answers)

    def add(self, body: bytes, marks: Iterable[Hashable], line: int | None = None) -> int:
        """Adds an answer; gives how many of its rows are new, which is when it is kept at all.

        marks: for each row what tells it from others, as little as its key or as much as all its cells.
        line: where its first row stands among all rows; None goes on from the rows that came.
        """
        first = self.rows + 1 if line is None else line
        fresh = []
        for index, mark in enumerate(marks):
            size = len(self._seen)
            self._seen.add(hash(mark))
            if len(self._seen) > size:
                fresh.append(index)
        if fresh:
            with self._path.open("ab") as file:
                self._answers.append(_Answer(file.tell(), len(body), first, tuple(fresh)))
                file.write(body + b"\n")
        return len(fresh)

    def keep(self) -> None:
        """Hands the answers over for the snapshot, packed."""
        packed = self._path.with_name(f"{self._path.name}.gz")
        # Without a time of its own the same answers make the same bytes, and one snapshot.
        with (
            self._path.open("rb") as answers,
            packed.open("wb") as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as file,
        ):
            shutil.copyfileobj(answers, file)
        self._request.keep(Copy(packed, packed.name))
        packed.unlink(missing_ok=True)

    def pages(self, decode: Callable[[bytes], Decoded], place: str) -> Iterator[Page]:
        """The answers as pages, read back one at a time; `place` names them in messages."""
        with self._path.open("rb") as file:
            for answer in self._answers:
                file.seek(answer.begins)
                columns, rows = decode(file.read(answer.length))
                yield Page(
                    tuple(columns),
                    [rows[index] for index in answer.fresh],
                    place=place,
                    lines=[answer.line + index for index in answer.fresh],
                )
