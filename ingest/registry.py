"""Which module reads which kind of source."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from ingest.contract import Kind, SourceError

KINDS = {
    "ckan": "ingest.sources.ckan",
    "file": "ingest.sources.file",
    "simulated": "ingest.sources.simulated",
}


def kind(word: str) -> Kind:
    """The module that reads sources of kind `word`; SourceError lists the known kinds."""
    if word not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise SourceError(f"There is no kind of source {word!r}; write kind = one of: {known}.")
    return cast(Kind, import_module(KINDS[word]))
