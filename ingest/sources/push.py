"""The kind `push`: rows that departments send in (docs/adding_a_source.md); a run reads one delivery.

Options of a source:

    key_from    the columns that together make the key, as they are written, where the rows have none of
                their own: ["day", "district"]

A delivery is a CSV file, a JSON list of objects, or JSON lines. A row that comes again replaces the one
before of the same key; rows that are not in a delivery stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ingest.contract import Copy, Extract, Page, ReadRequest, SourceError
from ingest.sources.delimited import text_pages
from ingest.sources.headers import Layout
from ingest.sources.json_lines import json_pages
from ingest.sources.keys import keyed, refuse_strange
from ingest.sources.options import options_of
from ingest.sources.tables import is_written
from metrics.model import Source

JSON_ENDINGS = (".json", ".jsonl", ".ndjson")
"""What is JSON because its sender says so, even where its first bytes do not."""


class Options(BaseModel):
    """The words of a pushed source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    key_from: list[str] = []


def read(source: Source, request: ReadRequest) -> Extract:
    """Nothing: the rows of this kind are brought, not fetched."""
    options_of(source, Options)
    notes = [f"nothing to fetch; rows are delivered to /api/v1/ingest/{source.id}"]
    return Extract(unchanged=True, cursor=request.cursor, notes=notes)


def read_file(source: Source, path: Path, request: ReadRequest) -> Extract:
    """The rows of one delivery; SourceError when it cannot be understood."""
    options = options_of(source, Options)
    refuse_strange(source, options.key_from)
    if not path.is_file():
        raise SourceError(f"There is no file {path}; correct the path.")
    request.keep(Copy(path, path.name))
    return Extract(pages=keyed(_pages(source, path, request), source, options.key_from))


def _pages(source: Source, path: Path, request: ReadRequest) -> Iterator[Page]:
    """Messages go back to the sender, who knows nothing of the folders of this machine: a name is enough.

    A workbook or a packed file may be thousands of times larger inside, and senders are strangers.
    """
    if not is_written(path):
        raise SourceError(f"{path.name} is packed or a workbook; send the rows as CSV or JSON, as they are.")
    if path.suffix in JSON_ENDINGS:
        return json_pages(path, path.name, request.largest)
    return text_pages(path, path.name, source, Layout(), request.largest)
