"""Which column of a table seems to name the city's districts, and which of its spellings name none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ingest.guessing import Guess, Guesses
from ingest.looking import Look
from ingest.places import Places
from metrics.model import District

MOSTLY = 0.5
"""The share of filled cells that must name districts, where a column's own name does not say it."""

MOST_SPELLINGS = 500
LIKE = 0.75
"""How alike two spellings are (difflib) of which one is proposed for the other."""

_LATITUDE = re.compile(r"(^|_)lat(itude)?($|_)")
_LONGITUDE = re.compile(r"(^|_)(lon|lng|long|longitude)($|_)")


@dataclass(frozen=True)
class Spelled:
    """A column of districts. named, filled: how many rows name a district, and anything.

    strange: spellings of no district with their rows, the most frequent first; likely: for some of them the
    id of a district that is spelled alike. latitude, longitude: columns of coordinates, where the city has
    shapes.
    """

    column: str
    named: int
    filled: int
    strange: Mapping[str, int]
    likely: Mapping[str, str]
    latitude: str | None = None
    longitude: str | None = None


def spelled(look: Look, found: Guesses, districts: Sequence[District]) -> Spelled | None:
    """The column whose cells name the most districts, else the one that is called like one; None for none."""
    places = Places(districts)
    made = [
        _spelled(one, look.columns[one.written], places) for one in found.columns if _may_name(one, found)
    ]
    best = max(made, key=lambda one: one.named / one.filled, default=None)
    if best is None or best.named < best.filled * MOSTLY:
        best = next((one for one in made if one.column == found.place), None)
    if best is None or not places:
        return None
    latitude, longitude = (_coordinate(found.columns, name) for name in (_LATITUDE, _LONGITUDE))
    has_places = bool(latitude and longitude) and any(one.geometry for one in districts)
    return Spelled(
        best.column,
        best.named,
        best.filled,
        best.strange,
        dict(_likely(best.strange, districts)),
        latitude if has_places else None,
        longitude if has_places else None,
    )


def _may_name(one: Guess, found: Guesses) -> bool:
    is_free = one.column.name not in found.key and not one.personal
    return is_free and one.column.type == "text" and 0 < one.distinct <= MOST_SPELLINGS


def _spelled(one: Guess, cells: Iterable[str | None], places: Places) -> Spelled:
    rows = Counter(cell.strip() for cell in cells if cell and cell.strip())
    strange: dict[str, int] = {}
    first: dict[str, str] = {}
    for spelling, count in rows.most_common():
        if places.named(spelling) is None:
            written = first.setdefault(spelling.casefold(), spelling)
            strange[written] = strange.get(written, 0) + count
    return Spelled(one.column.name, rows.total() - sum(strange.values()), rows.total(), strange, {})


def _likely(strange: Iterable[str], districts: Sequence[District]) -> Iterable[tuple[str, str]]:
    spellings = {
        one.casefold(): district.id
        for district in districts
        for one in (district.id, district.name, *district.aliases)
    }
    for spelling in strange:
        for alike in get_close_matches(spelling.casefold(), spellings, n=1, cutoff=LIKE):
            yield spelling, spellings[alike]


def _coordinate(columns: Iterable[Guess], name: re.Pattern[str]) -> str | None:
    fitting = (one.column for one in columns if one.column.type == "number")
    return next((one.name for one in fitting if name.search(one.name)), None)
