"""The kind `file`: tables in files of every common format, from a folder, a pattern, or any address.

Options of a source:

    path            a path, a pattern like drop/*.csv, or an address (https://…, sftp://…, s3://…, a
                    published Google or Excel-online sheet); a relative path begins at the city's folder
    path_env        in place of path where the address holds a secret: the environment variable that has it;
                    or, with _FILE behind its name, the path of a file that does
    drop            true when path is a folder (or a pattern) that others put files into: a file is taken
                    when its size and time were the same at two looks, or a .done marker stands beside it
    settle_seconds  how long between the two looks of one run (default 5; 0 looks again at the next run)
    newest          true when every file is a whole export: only the last one by name is read
    member          which files inside a zip file, a name or a pattern
    encoding        `auto` (default: UTF-8, else Windows-1252) or a name that Python knows
    delimiter       found by itself among , ; tab | when left out
    header_row      the line that names the columns, counted from 1 (default 1)
    header_rows     how many lines name them, where merged cells stand above others (default 1)
    sheet           the sheet of a workbook, or a pattern for several; the first one when left out
    end_at          the table ends before a row whose first filled cell is like this ("Total*")
    leave_out       rows whose first filled cell is like this are no records ("Subtotal*")
    key_from        columns whose cells together are the key, where the file has none of its own
    storage         words for the fsspec driver of an address, such as endpoint_url; its passwords, secrets
                    and tokens are names of variables, as for path_env
    whole           true when the files always hold every record there ever was: records that are no
                    longer in them are withdrawn

Files that are as they were at the last run are not read again: size and time, or the tag a server gives,
decide; where they differ or say nothing, the SHA-256 of the bytes. Files are never changed or moved.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ingest.contract import Copy, Extract, Page, ReadRequest, SourceError
from ingest.redaction import public
from ingest.sources.fetching import Found, Mark, look, refuse_no_file
from ingest.sources.headers import Layout, Trim
from ingest.sources.keys import keyed, refuse_strange
from ingest.sources.options import options_of, secret_of, secrets_in
from ingest.sources.tables import pages
from metrics.model import Source

MOST_REMEMBERED = 2000
"""So many files that a drop no longer has are remembered, lest one that comes back be taken again."""


class Options(BaseModel):
    """The words of a file source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    path: str = ""
    path_env: str = ""
    drop: bool = False
    settle_seconds: int = Field(default=5, ge=0, le=600)
    newest: bool = False
    member: str | None = Field(default=None, min_length=1)
    encoding: str = "auto"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    header_row: int = Field(default=1, ge=1)
    header_rows: int = Field(default=1, ge=1, le=20)
    sheet: str | None = None
    end_at: str | None = Field(default=None, min_length=1)
    leave_out: str | None = Field(default=None, min_length=1)
    key_from: list[str] = Field(default_factory=list)
    storage: dict[str, Any] = Field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True)
class _File:
    """A file on this machine: where its bytes are, its name in messages and in the cursor, its SHA-256."""

    path: Path
    name: str
    hash: str


@dataclass
class _Memory:
    """What the cursor keeps: of each file taken its mark and SHA-256, and how the others looked last."""

    taken: dict[str, tuple[Mark, str]] = field(default_factory=dict)
    looks: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str | None) -> _Memory:
        kept = json.loads(cursor) if cursor else {}
        return cls(
            {name: (mark, hash_) for name, (mark, hash_) in kept.get("taken", {}).items()},
            kept.get("looks", {}),
        )

    def text(self) -> str:
        return json.dumps({"taken": self.taken, "looks": self.looks})


def read(source: Source, request: ReadRequest) -> Extract:
    """The rows of the files that are new or different since the request's cursor.

    Raises SourceError when there is no such file, it cannot be read or changes while it is read.
    """
    options = options_of(source, Options)
    refuse_strange(source, options.key_from)
    options = _with_secrets(source, options, request)
    before = _Memory.of(request.cursor)
    now = _Memory()
    notes: list[str] = []
    with ExitStack() as closing:
        found = look(options.path, request, options.storage, closing, drop=options.drop, notes=notes)
        if options.drop:
            found, now.looks = _settled(found, before, options, request)
            notes += [f"{public(name)} may be incomplete and waits for the next run" for name in now.looks]
            now.taken = dict(list(before.taken.items())[-MOST_REMEMBERED:])
        if options.newest:
            found = found[-1:]
        fresh = [file for one in found if (file := _fresh(one, before, now)) is not None]
    for file in fresh:
        request.keep(Copy(file.path, Path(file.name).name))
    return Extract(
        pages=_pages(fresh, source, options, request, notes),
        cursor=now.text(),
        unchanged=not fresh,
        complete=options.whole and 0 < len(fresh) == len(found),
        notes=notes,
    )


def read_one(source: Source, path: Path, request: ReadRequest) -> Extract:
    """The rows of one file on this machine, whatever kind the source is."""
    refuse_no_file(path)
    options = Options(path=str(path))
    if source.kind == "file":
        options = options_of(
            replace(source, options={**source.options, "path": str(path), "path_env": ""}), Options
        )
    file = _File(path, str(path), _hash(path, str(path)))
    request.keep(Copy(path, path.name))
    notes: list[str] = []
    return Extract(pages=_pages([file], source, options, request, notes), notes=notes)


def _with_secrets(source: Source, options: Options, request: ReadRequest) -> Options:
    """The options with the address and the words of the driver that the environment has."""
    if bool(options.path) == bool(options.path_env):
        raise SourceError(f"sources/{source.id}.toml, [options] path: give one of path and path_env.")
    path = options.path or secret_of(source, request, options.path_env)
    return options.model_copy(update={"path": path, "storage": secrets_in(source, request, options.storage)})


def _settled(
    found: list[Found], before: _Memory, options: Options, request: ReadRequest
) -> tuple[list[Found], dict[str, str | None]]:
    """The files of a drop that are complete, and the looks of those that may not be."""
    waiting = [one for one in found if not _is_complete(one, before)]
    again: Mapping[str, str | None] = {}
    if waiting and options.settle_seconds:
        request.progress(f"{len(waiting)} files came just now; looking again in {options.settle_seconds} s")
        time.sleep(options.settle_seconds)
        with ExitStack() as closing:
            there = look(options.path, request, options.storage, closing, drop=True)
        again = {one.name: one.look for one in there}
    looks = {one.name: one.look for one in waiting if again.get(one.name) != one.look or one.look is None}
    looks = {name: again.get(name, look_) for name, look_ in looks.items()}
    return [one for one in found if one.name not in looks], looks


def _is_complete(file: Found, before: _Memory) -> bool:
    taken = before.taken.get(file.name)
    is_as_taken = taken is not None and file.mark is not None and taken[0] == file.mark
    looks_as_before = file.look is not None and before.looks.get(file.name) == file.look
    return is_as_taken or looks_as_before or file.is_done()


def _fresh(found: Found, before: _Memory, now: _Memory) -> _File | None:
    """The file where it is another than before; what is known of it goes into `now` either way."""
    mark, hash_ = before.taken.get(found.name, (None, None))
    if hash_ is not None and mark is not None and mark == found.mark:
        now.taken[found.name] = (mark, hash_)
        return None
    brought = found.bring(mark)
    if brought is None:
        now.taken[found.name] = (mark, hash_ or "")
        return None
    path, mark = brought
    file = _File(path, found.name, _hash(path, found.name))
    now.taken[found.name] = (mark, file.hash)
    return None if file.hash == hash_ else file


def _pages(
    files: list[_File], source: Source, options: Options, request: ReadRequest, notes: list[str]
) -> Iterator[Page]:
    layout = Layout(
        options.encoding,
        options.delimiter,
        options.header_row,
        options.header_rows,
        options.sheet,
        options.member,
    )
    trim = Trim(options.end_at, options.leave_out)
    for file in files:
        found = pages(file.path, file.name, source, layout, work=request.work, largest=request.largest)
        yield from keyed(trim.pages(found), source, options.key_from)
        if _hash(file.path, file.name) != file.hash:
            raise SourceError(f"{file.name} changed while it was read; run again when it is complete.")
    notes += trim.notes()


def _hash(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{name} cannot be read ({error.strerror}); mend that and run again.") from error
