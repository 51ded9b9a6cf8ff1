"""Keys made of several columns, for sources that have none of their own: a day and a district, say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ingest.contract import Cell, Page, SourceError
from metrics.model import Source


def key_of(parts: Sequence[Cell]) -> str | None:
    """One text for several cells, different for different cells; None where the first one is empty."""
    texts = [(part or "").strip() for part in parts]
    return "/".join(text.replace("\\", "\\\\").replace("/", "\\/") for text in texts) if texts[0] else None


def refuse_strange(source: Source, key_from: Sequence[str]) -> None:
    """SourceError where one of the columns `key_from` is not declared."""
    declared = {column.name for column in source.columns}
    strange = [name for name in key_from if name not in declared]
    if strange:
        raise SourceError(f"sources/{source.id}.toml, [options] key_from: there is no column {strange[0]}.")


def keyed(pages: Iterable[Page], source: Source, key_from: Sequence[str]) -> Iterator[Page]:
    """The pages with the key of the source made of the columns `key_from` where a header has no key.

    Nothing is added where key_from is empty or a header lacks the first of its columns.
    """
    for page in pages:
        found = [name.strip().casefold() for name in page.columns]
        places = [_place(source, name, found) for name in key_from]
        if not places or places[0] is None or _place(source, source.key, found) is not None:
            yield page
        else:
            yield _with_key(page, source.key, places)


def _place(source: Source, name: str, found: Sequence[str]) -> int | None:
    """Where a header, in small letters, has a declared column."""
    names = [one.casefold() for one in (name, *source.column(name).aliases)]
    return next((found.index(one) for one in names if one in found), None)


def _with_key(page: Page, key: str, places: Sequence[int | None]) -> Page:
    def cells(row: Sequence[Cell]) -> list[Cell]:
        return [row[place] if place is not None and place < len(row) else None for place in places]

    return replace(page, columns=(*page.columns, key), rows=[[*row, key_of(cells(row))] for row in page.rows])
