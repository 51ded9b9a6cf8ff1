"""Which module reads which kind of source."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from ingest.contract import Extract, Kind, ReadRequest, SourceError
from ingest.sources import file as files
from metrics.model import Source

KINDS = {
    "arcgis": "ingest.sources.arcgis",
    "ckan": "ingest.sources.ckan",
    "file": "ingest.sources.file",
    "manual": "ingest.sources.manual",
    "open311": "ingest.sources.open311",
    "push": "ingest.sources.push",
    "socrata": "ingest.sources.socrata",
    "sql": "ingest.sources.sql",
    "simulated": "ingest.sources.simulated",
}


def kind(word: str) -> Kind:
    """The module that reads sources of kind `word`; SourceError lists the known kinds."""
    if word not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise SourceError(f"There is no kind of source {word!r}; write kind = one of: {known}.")
    return cast(Kind, import_module(KINDS[word]))


def file_reader(word: str) -> Callable[[Source, Path, ReadRequest], Extract]:
    """What reads one file in place of a source: `read_file` of its kind, where that has one."""
    own = getattr(kind(word), "read_file", None) if word in KINDS else None
    return own or files.read_one
