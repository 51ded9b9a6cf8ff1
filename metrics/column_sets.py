"""Ready-made sets of columns that a source may name, change and add to, instead of writing every column."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metrics.catalogue_shapes import Mistake, Table, did_you_mean, error

FOLDER = Path(__file__).resolve().parents[1] / "data" / "column_sets"
"""Where the sets that come with the product are; a city may have its own in its folder column_sets/."""

WORDS = ("key", "arrival", "modified", "closed", "quiet_minutes")
"""What of a source a set may say beside its columns; the source's own word wins."""

OWN = "own_columns"


def set_of(text: str) -> str | None:
    """The set of columns that the text of a source names; None where it names none or is no TOML."""
    try:
        found = tomllib.loads(text).get("columns")
    except tomllib.TOMLDecodeError:
        return None
    return found if isinstance(found, str) else None


def known() -> list[str]:
    """The names of the sets that come with the product."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def spread(file: str, table: Table, sets: Mapping[str, Table], mistakes: list[Mistake]) -> Table | None:
    """The table of a source with the columns of the set it names, its own ones laid over them.

    A column of [own_columns.NAME] that the set has gets its other words from there, and the aliases of
    both; any other is one more. None, with the mistake, where there is no such set.
    """
    name = table.get("columns")
    if not isinstance(name, str):
        if OWN in table:
            message = "they change a ready-made set of columns, and this source names none."
            fix = f'Write columns = "{known()[0]}" or another set, or [columns.…] for columns of its own.'
            mistakes.append(error(OWN, message, fix, file))
        return {word: value for word, value in table.items() if word != OWN}
    if name not in sets:
        message = f"there is no set of columns `{name}`."
        mistakes.append(error("columns", message, did_you_mean(name, {*known(), *sets}), file))
        return None
    given = sets[name]
    mistakes += _strange(name, given)
    said = {word: given[word] for word in WORDS if word in given}
    rest = {word: value for word, value in table.items() if word != OWN}
    return said | rest | {"columns": _laid_over(given.get("columns", {}), table.get(OWN, {}))}


def _strange(name: str, given: Table) -> list[Mistake]:
    file = f"column_sets/{name}.toml"
    return [
        error(word, f"`{word}` is not a word of a set of columns.", did_you_mean(word, WORDS), file)
        for word in given
        if word not in (*WORDS, "columns")
    ]


def _laid_over(columns: Any, own: Any) -> Any:
    """Shapes that are no tables are left as they are: what reads the source says so."""
    if not (isinstance(columns, dict) and isinstance(own, dict)):
        return own
    return {name: _column(columns.get(name), own.get(name)) for name in {**columns, **own}}


def _column(ours: Any, own: Any) -> Any:
    if not (isinstance(ours, dict) and isinstance(own, dict)):
        return ours if own is None else own
    aliases = own.get("aliases", [])
    both = [*aliases, *ours.get("aliases", [])] if isinstance(aliases, list) else aliases
    return {**ours, **own, **({"aliases": both} if both else {})}
