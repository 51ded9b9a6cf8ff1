"""Secrets of sources: never in a definition, only its name, and the value in the environment or a file."""

from __future__ import annotations

import os
from pathlib import Path

from ingest.contract import SourceError


def secret(name: str) -> str | None:
    """The secret in the environment variable `name`, or in the file that `name`_FILE names; else None.

    Raises SourceError when the file cannot be read.
    """
    given = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if given or not path:
        return given or None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{name}_FILE names {path}, which cannot be read; correct it.") from error
