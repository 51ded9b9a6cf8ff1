"""Tables inside files, whatever the files are: their first bytes say it, not their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.contract import LARGEST_FILE, Page, SourceError
from ingest.sources.delimited import text_pages
from ingest.sources.headers import Layout
from ingest.sources.json_lines import json_pages
from ingest.sources.packed import GZIP, ZIP, is_workbook, members, refuse_larger, unpack, unpacked
from ingest.sources.parquet import MAGIC, parquet_pages
from ingest.sources.workbooks import workbook_pages
from metrics.model import Source

_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_HEAD = 512
_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*(\{|\[\s*(\{|\]))")


def pages(
    path: Path,
    name: str,
    source: Source,
    layout: Layout,
    *,
    work: Path | None = None,
    largest: int = LARGEST_FILE,
) -> Iterator[Page]:
    """The table or tables of one file in pages of at most PAGE_ROWS rows.

    work: a folder for what is unpacked. largest: how many bytes the file may have, and what is packed in
    it. Raises SourceError naming `name` for a web page, a damaged, empty or too large file, bytes that are
    not in the encoding, a missing sheet or member; none of them after a row of the file was given, damage
    and the second of several tables apart.
    """
    refuse_larger(path.stat().st_size, name, largest)
    begins = _begins(path)
    if begins == ZIP and not is_workbook(path):
        return _zipped(path, name, source, layout, work, largest)
    if begins.startswith(GZIP) and not _is_text(_head(path, name)):
        return _gzipped(path, name, source, layout, work, largest)
    return _plain(path, name, source, layout, largest)


def is_written(path: Path) -> bool:
    """Whether a file is text from its first byte on: neither packed nor a workbook or the like."""
    return _is_text(_begins(path))


def _plain(path: Path, name: str, source: Source, layout: Layout, largest: int) -> Iterator[Page]:
    head = _head(path, name)
    if head.startswith((ZIP, _OLD_WORKBOOK)):
        return workbook_pages(path, name, layout, largest)
    if head.startswith(MAGIC):
        return parquet_pages(path, name)
    if _JSON.match(head):
        return json_pages(path, name, largest)
    return text_pages(path, name, source, layout, largest)


def _zipped(
    path: Path, name: str, source: Source, layout: Layout, work: Path | None, largest: int
) -> Iterator[Page]:
    with TemporaryDirectory(dir=work) as folder:
        for inside, inside_name in members(path, name, layout.member, Path(folder), largest):
            if _begins(inside) == ZIP and not is_workbook(inside):
                raise SourceError(f"{inside_name} is a zip file inside another; pack the tables once.")
            yield from pages(inside, inside_name, source, layout, work=work, largest=largest)


def _gzipped(
    path: Path, name: str, source: Source, layout: Layout, work: Path | None, largest: int
) -> Iterator[Page]:
    """Workbooks and the like are not read as a stream: they are unpacked first."""
    with TemporaryDirectory(dir=work) as folder:
        inside = unpack(path, name, Path(folder) / "unpacked", largest)
        begins = _begins(inside)
        if begins.startswith(GZIP) or (begins == ZIP and not is_workbook(inside)):
            raise SourceError(f"{name} is packed twice; pack it once.")
        yield from _plain(inside, name, source, layout, largest)


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(ZIP))


def _head(path: Path, name: str) -> bytes:
    with unpacked(path, name) as file:
        return file.read(_HEAD)


def _is_text(head: bytes) -> bool:
    return not head.startswith((ZIP, GZIP, MAGIC, _OLD_WORKBOOK))
