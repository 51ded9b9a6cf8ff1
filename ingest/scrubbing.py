"""Bytes as received, without erased records: rows leave tables and JSON, everything else goes whole."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingest import registry
from ingest.contract import Copy, ReadRequest, SourceError
from ingest.desk import Desk
from ingest.parse import Parser
from ingest.quarantine import Rejection
from metrics.model import Source
from store import erasures, records, runs, snapshots
from store.engine import reading, writing
from store.erasures import Marks

JSON = (".json", ".jsonl", ".ndjson")
PLAIN = (".csv", ".tsv", ".txt")
_SIGNS = re.compile(r'[,;\t|"]+')


def without(copy: Copy, source: Source, desk: Desk, marks: Marks, work: Path) -> Copy | None:
    """The bytes without the rows of erased records: the same copy where it has none.

    None where it has some, or nobody can tell, and they cannot be taken out: such bytes are not kept.
    work: a folder for the new bytes.
    """
    ending = "".join(Path(copy.name).suffixes[-2:]).lower()
    if ending.removesuffix(".gz").endswith(JSON) and not source.options.get("key_from"):
        return _from_json(copy, _Keys(source, desk, marks), work, is_packed=ending.endswith(".gz"))
    try:
        erased, starts = _lines(copy.path, source, desk, marks, work)
        if not erased:
            return copy
        if not ending.endswith(PLAIN):
            return None
        fresh = work / f"scrubbed{Path(copy.name).suffix}"
        fresh.write_bytes(_without_lines(copy.path.read_bytes(), erased, starts))
        left, _ = _lines(fresh, source, desk, marks, work)
    except SourceError:
        return copy if ending.endswith(PLAIN) and not _names_any(copy.path, marks) else None
    return None if left else Copy(fresh, copy.name)


def finish_open(desk: Desk, source: Source) -> tuple[int, int]:
    """Takes erased records out of every snapshot of a source where that is not done yet.

    Gives how many were written anew and how many were removed. Killed at any moment it is done over: a
    snapshot is removed only when the new one is there and the ledger names it. Only for who has the turn.
    """
    with reading(desk.engine) as connection:
        is_open = any(one.finished_at is None for one in erasures.history(connection, source.id))
        marks = erasures.marks(connection, source.id)
    if not is_open:
        return 0, 0
    anew = removed = 0
    for path in snapshots.of_source(desk.snapshots, source.id):
        desk.progress(f"{source.id}: looking through {path.name}")
        with TemporaryDirectory(prefix=f"ingest-{source.id}-", dir=desk.snapshots.parent) as work:
            fresh = without(Copy(path, path.name), source, desk, marks, Path(work))
            if fresh is not None and fresh.path == path:
                continue
            new = None if fresh is None else snapshots.put_in_place_of(path, fresh.path)
        with writing(desk.engine, desk.clock) as write:
            old_name = path.relative_to(desk.snapshots).as_posix()
            new_name = None if new is None else new.relative_to(desk.snapshots).as_posix()
            runs.rename_snapshot(write, source.id, old_name, new_name)
        if new != path:
            path.unlink(missing_ok=True)
        anew, removed = anew + (new is not None), removed + (new is None)
    with writing(desk.engine, desk.clock) as write:
        erasures.finish(write, source.id)
    return anew, removed


# --- tables --------------------------------------------------------------------------------------


def _lines(path: Path, source: Source, desk: Desk, marks: Marks, work: Path) -> tuple[set[int], list[int]]:
    """The lines on which rows of erased records begin, and those on which any row begins."""
    request = ReadRequest(desk.city, datetime.now(UTC), folder=desk.folder, work=work, largest=desk.largest)
    parser = Parser(source, desk.city.time_zone, records.stage_columns(source))
    key_at = records.stage_columns(source).index(source.key)
    erased: set[int] = set()
    starts: set[int] = set()
    for page in registry.file_reader(source.kind)(source, path, request).pages:
        parsed = parser.parse(page)
        starts |= {*page.all_lines(), *(one.line for one in page.unreadable)}
        rows = zip(parsed.lines, parsed.rows, strict=True)
        erased |= {line for line, row in rows if marks.has(row[key_at])}
        erased |= {one.line for one in parsed.rejections if is_of_erased(one, marks)}
    return erased, sorted(starts)


def is_of_erased(one: Rejection, marks: Marks) -> bool:
    """Whether a refused row is of an erased record: by its key, else by any of its words."""
    if one.key is not None:
        return marks.has(one.key)
    return _has_any((cell for cell in one.row.values() if cell), marks)


def _names_any(path: Path, marks: Marks) -> bool:
    """Whether a text that is no table here names an erased record anywhere."""
    return _has_any(path.read_bytes().decode("utf-8", "replace").splitlines(), marks)


def _has_any(texts: Iterable[str], marks: Marks) -> bool:
    return any(
        marks.has(word.strip()) for text in texts for word in (text, *_SIGNS.split(text), *text.split())
    )


def _without_lines(content: bytes, erased: set[int], starts: list[int]) -> bytes:
    """The text without rows, each from its line up to the line of the next one."""
    lines = content.splitlines(keepends=True)
    ends = dict(zip(starts, [*starts[1:], len(lines) + 1], strict=True))
    gone = {number for first in erased for number in range(first, ends[first])}
    return b"".join(line for number, line in enumerate(lines, 1) if number not in gone)


# --- JSON ----------------------------------------------------------------------------------------


class _Keys:
    """Tells whether a value of an answer is the key of an erased record."""

    def __init__(self, source: Source, desk: Desk, marks: Marks) -> None:
        key = source.column(source.key)
        words = [name.casefold() for name in (key.name, *key.aliases)]
        self._names = frozenset([*words, *(word.rpartition(".")[2] for word in words)])
        self._marks = marks
        self._parser = Parser(source, desk.city.time_zone, records.stage_columns(source))
        self._is_typed = key.type != "text" or key.pad is not None or bool(key.values)

    def names(self, name: str) -> bool:
        """Whether this is what the column of keys is called."""
        return name.casefold() in self._names

    def has(self, value: Any) -> bool:
        """Whether a value, however it is written, is an erased key."""
        if not isinstance(value, str | int | float):
            return False
        text = str(value).strip()
        typed = self._parser.keys([text]) if self._is_typed else ()
        return self._marks.has(text) or any(map(self._marks.has, typed))


def _from_json(copy: Copy, keys: _Keys, work: Path, *, is_packed: bool) -> Copy | None:
    """JSON, whole or line by line, without the objects in lists that have an erased key."""
    try:
        raw = copy.path.read_bytes()
        parts = _parsed((gzip.decompress(raw) if is_packed else raw).decode("utf-8-sig"))
    except (OSError, EOFError, ValueError, RecursionError):
        return None
    fresh = [_pruned(one, keys) for one in parts if not _is_erased(one, keys)]
    if fresh == parts:
        return copy
    said = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in fresh).encode()
    path = work / "scrubbed.json"
    path.write_bytes(gzip.compress(said, 6, mtime=0) if is_packed else said)
    return Copy(path, copy.name)


def _parsed(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except ValueError:
        return [json.loads(text)]


def _pruned(found: Any, keys: _Keys) -> Any:
    if isinstance(found, dict):
        return {name: _pruned(one, keys) for name, one in found.items()}
    if isinstance(found, list):
        return [_pruned(one, keys) for one in found if not _is_erased(one, keys)]
    return found


def _is_erased(one: Any, keys: _Keys) -> bool:
    """Whether an object has an erased key, itself or in an object within, or a list of cells has one."""
    if isinstance(one, list):
        return any(map(keys.has, one))
    if not isinstance(one, dict):
        return False
    return any(
        keys.has(value) if keys.names(name) else isinstance(value, dict) and _is_erased(value, keys)
        for name, value in one.items()
    )
