"""The words of one kind of source, checked before anything is asked of the network."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ingest.contract import SourceError
from metrics.model import Source

Shape = TypeVar("Shape", bound=BaseModel)


def options_of(source: Source, shape: type[Shape]) -> Shape:
    """The options of a source as `shape`; SourceError names the first wrong word and the known ones."""
    try:
        return shape.model_validate(dict(source.options))
    except ValidationError as error:
        first = error.errors()[0]
        word = ".".join(str(part) for part in first["loc"]) or "options"
        known = ", ".join(shape.model_fields)
        raise SourceError(
            f"sources/{source.id}.toml, [options] {word}: {first['msg']}; "
            f"the words of this kind are: {known}."
        ) from error
