"""Coded values of an ArcGIS layer: the names that its maps show for the codes in its cells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from ingest.answers import as_text, objects

Json = dict[str, Any]
Names = Mapping[str, str]


class Domains:
    """What a layer says of its codes: by field, and by field for rows of one subtype.

    mark: a short text that changes with any code or name; empty where there are none.
    """

    def __init__(self, said: Json) -> None:
        types = objects(said.get("types"))
        by_field = {str(one.get("name")): _names(one.get("domain")) for one in objects(said.get("fields"))}
        called = str(said.get("typeIdField")).casefold()
        self._type = next((name for name in by_field if name.casefold() == called), "")
        if self._type and types:
            by_field[self._type] = dict(_pairs(types, "id"))
        self._fields = {name: names for name, names in by_field.items() if names}
        self._of_type = {_code(one.get("id")): _of_fields(one.get("domains")) for one in types}
        told = (self._fields, self._of_type)
        is_any = self._fields or any(self._of_type.values())
        self.mark = sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16] if is_any else ""

    def named(self, row: Json, key: str) -> Json:
        """The row with names for its codes, but for the key; a code without a name stays."""
        if not self.mark:
            return row
        fields = {**self._fields, **self._of_type.get(_code(row.get(self._type)), {})}
        found = {name: names.get(_code(row.get(name))) for name, names in fields.items() if name != key}
        return row | {name: text for name, text in found.items() if text is not None and name in row}


def _of_fields(said: object) -> Mapping[str, Names]:
    found = {str(name): _names(domain) for name, domain in said.items()} if isinstance(said, dict) else {}
    return {name: names for name, names in found.items() if names}


def _names(domain: object) -> Names:
    """The names of a domain of coded values; none of a range, or of one that is inherited."""
    return dict(_pairs(objects(domain.get("codedValues")), "code")) if isinstance(domain, dict) else {}


def _pairs(said: list[Json], code: str) -> Iterator[tuple[str, str]]:
    for one in said:
        name = as_text(one.get("name"))
        if name and one.get(code) is not None:
            yield _code(one[code]), name


def _code(value: object) -> str:
    """A code as text: a column of decimals has 1.0 for what its domain calls 1."""
    return (as_text(value) or "").strip().removesuffix(".0")
