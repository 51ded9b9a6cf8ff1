"""The kind `file`: tables in text files and workbooks, from a folder, a pattern, or any address.

Options of a source:

    path        a path, a pattern like drop/*.csv, or an address (https://…, sftp://…, s3://…);
                a relative path begins at the city's folder
    encoding    `auto` (default: UTF-8, else Windows-1252) or a name that Python knows
    delimiter   found by itself among , ; tab | when left out
    header_row  the line that names the columns, counted from 1 (default 1)
    sheet       the sheet of a workbook; the first one when left out
    whole       true when the files always hold every record there ever was: records that are no
                longer in them are withdrawn

Files that are as they were at the last run are not read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from glob import has_magic
from pathlib import Path

import fsspec
from pydantic import BaseModel, ConfigDict, Field

from ingest import http
from ingest.contract import Copy, Extract, Page, ReadRequest, SourceError
from ingest.sources.options import options_of
from ingest.sources.tables import Layout, pages
from metrics.model import Source


class Options(BaseModel):
    """The words of a file source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    path: str = Field(min_length=1)
    encoding: str = "auto"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    header_row: int = Field(default=1, ge=1)
    sheet: str | None = None
    whole: bool = False


@dataclass(frozen=True)
class _File:
    """A file on this machine: where its bytes are, its name in messages and in the cursor, its SHA-256."""

    path: Path
    name: str
    hash: str


def read(source: Source, request: ReadRequest) -> Extract:
    """The rows of the files that are new or different since the request's cursor.

    Raises SourceError when there is no such file or it changes while it is read.
    """
    options = options_of(source, Options)
    before = _hashes(request.cursor)
    files = [_File(path, name, _hash(path, name)) for path, name in _found(options.path, request)]
    fresh = [file for file in files if before.get(file.name) != file.hash]
    for file in fresh:
        request.keep(Copy(file.path, Path(file.name).name))
    return Extract(
        pages=_pages(fresh, source, _layout(options)),
        cursor=json.dumps({file.name: file.hash for file in files}),
        unchanged=not fresh,
        complete=options.whole and len(fresh) == len(files),
    )


def read_one(source: Source, path: Path, request: ReadRequest) -> Extract:
    """The rows of one file on this machine, whatever kind the source is."""
    _refuse_no_file(path)
    layout = Layout()
    if source.kind == "file":
        named = replace(source, options={**source.options, "path": str(path)})
        layout = _layout(options_of(named, Options))
    file = _File(path, str(path), _hash(path, str(path)))
    request.keep(Copy(path, path.name))
    return Extract(pages=_pages([file], source, layout))


def _layout(options: Options) -> Layout:
    return Layout(options.encoding, options.delimiter, options.header_row, options.sheet)


def _pages(files: list[_File], source: Source, layout: Layout) -> Iterator[Page]:
    for file in files:
        yield from pages(file.path, file.name, source, layout)
        if _hash(file.path, file.name) != file.hash:
            raise SourceError(f"{file.name} changed while it was read; run again when it is complete.")


def _hashes(cursor: str | None) -> dict[str, str]:
    return json.loads(cursor) if cursor else {}


def _found(path: str, request: ReadRequest) -> list[tuple[Path, str]]:
    """(where the bytes are on this machine, name) of each file the option means, in order of name."""
    if path.startswith(("http://", "https://")):
        return [_downloaded(path, request)]
    if "://" in path:
        return list(_fetched(path, request))
    wanted = request.folder / Path(path).expanduser()
    if not has_magic(path):
        _refuse_no_file(wanted)
        return [(wanted, path)]
    found = sorted(Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor))))
    files = [(one, str(one)) for one in found if one.is_file()]
    if not files:
        raise SourceError(f"No file is like {wanted}; put one there, or correct `path` of the source.")
    return files


def _refuse_no_file(path: Path) -> None:
    if path.is_dir():
        raise SourceError(f"{path} is a folder; give a file, or a pattern like {path}/*.csv.")
    if not path.exists():
        raise SourceError(f"There is no file {path}; put it there, or correct the path.")


def _downloaded(address: str, request: ReadRequest) -> tuple[Path, str]:
    path = request.work / "download"
    with http.client(request.city.contact) as client:
        http.download(client, address, path, progress=request.progress)
    return path, http.without_query(address)


def _fetched(address: str, request: ReadRequest) -> Iterator[tuple[Path, str]]:
    """Copies of the files of another file system, by its fsspec driver."""
    try:
        system, inside = fsspec.url_to_fs(address)
        names = sorted(system.glob(inside)) if has_magic(inside) else [inside]
        for number, name in enumerate(names):
            request.progress(f"fetching {name}")
            path = request.work / f"fetched-{number}"
            system.get_file(name, str(path))
            yield path, system.unstrip_protocol(name)
    except (OSError, ImportError, ValueError) as error:
        cause = " ".join(str(error).split())
        raise SourceError(f"{address} cannot be fetched ({cause}); correct `path` of the source.") from error
    if not names:
        raise SourceError(f"No file is like {address}; put one there, or correct `path` of the source.")


def _hash(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{name} cannot be read ({error.strerror}); mend that and run again.") from error
