"""The words of one kind of source, checked before anything is asked of the network, and its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ingest.contract import ReadRequest, SourceError
from metrics.catalogue_secrets import is_variable, names_a_secret
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


def secret_of(source: Source, request: ReadRequest, name: str) -> str:
    """The secret called `name`; SourceError where neither the environment nor a file has it."""
    found = request.secret(name)
    if not found:
        raise SourceError(f"{source.id}: set {name}, or {name}_FILE, in the environment; it is not there.")
    return found


def secrets_in(source: Source, request: ReadRequest, words: Mapping[str, Any]) -> dict[str, Any]:
    """Words for a driver with the secrets that those for secrets name; SourceError as secret_of."""

    def meant(name: str, word: Any) -> Any:
        if isinstance(word, Mapping):
            return secrets_in(source, request, word)
        is_named = isinstance(word, str) and names_a_secret(name) and is_variable(word)
        return secret_of(source, request, word) if is_named else word

    return {name: meant(name, word) for name, word in words.items()}
