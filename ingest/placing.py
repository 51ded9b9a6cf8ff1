"""A column of districts: names become ids, records without one are looked for on the map, both counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ingest.cells import Converted, Value
from ingest.contract import Cell
from ingest.places import Places
from metrics.model import UNKNOWN_DISTRICT

NO_DISTRICT = "names no district"
NAMES_SHOWN = 3

_Coordinates = tuple[Sequence[Value], Sequence[Value]]


@dataclass
class Placing:
    """What became of the names in one column of a reading, page after page.

    unknown counts the names no district has; located the records that were found by their coordinates,
    unlocated those that name none and were not.
    """

    unknown: Counter[str] = field(default_factory=Counter)
    located: int = 0
    unlocated: int = 0
    _names: dict[int, str] = field(default_factory=dict)
    _without: dict[int, bool] = field(default_factory=dict)

    def place(
        self, found: Sequence[Cell], coordinates: _Coordinates | None, others: str, places: Places
    ) -> Converted:
        """Ids of districts, UNKNOWN_DISTRICT for a name that is none, None where there is no name.

        coordinates: longitudes and latitudes of the rows, None where no columns have them. others: the
        column's word for names that are none.
        """
        names = {cell: places.named(cell) for cell in set(found) if cell and cell.strip()}
        values: list[Value] = [names.get(cell or "") for cell in found]
        self._names = {i: str(cell) for i, cell in enumerate(found) if cell in names and names[cell] is None}
        nameless = [i for i, cell in enumerate(found) if cell not in names]
        sought = nameless + (list(self._names) if others == "locate" else [])
        places_found = _located(sought, coordinates, places)
        for index, district in places_found.items():
            values[index] = district
        self._names = {i: name for i, name in self._names.items() if i not in places_found}
        self._without = {i: i in places_found for i in {*nameless, *places_found}}
        if others in ("keep", "locate"):
            for index in self._names:
                values[index] = UNKNOWN_DISTRICT
        return Converted(values, dict.fromkeys(self._names, NO_DISTRICT) if others == "refuse" else {})

    def count(self, kept: Collection[int] | None) -> None:
        """Counts the rows of the last page that are kept; None is all of them."""
        self.unknown.update(name for i, name in self._names.items() if kept is None or i in kept)
        for index, was_located in self._without.items():
            if kept is None or index in kept:
                self.located += was_located
                self.unlocated += not was_located
        self._names, self._without = {}, {}

    def notes(self, column: str) -> Iterator[str]:
        """What was counted, in sentences."""
        if self.unknown:
            most = ", ".join(f"{name!r} {count}" for name, count in self.unknown.most_common(NAMES_SHOWN))
            more = ", …" if len(self.unknown) > NAMES_SHOWN else ""
            yield f"{column} names no district we know: {sum(self.unknown.values())} ({most}{more})"
        if self.located:
            yield f"{column} found by coordinates: {self.located}, and {self.unlocated} without a name not"


def _located(indexes: Sequence[int], coordinates: _Coordinates | None, places: Places) -> dict[int, str]:
    """{index: district} of the rows whose coordinates lie in one."""
    if coordinates is None:
        return {}
    points = {
        index: (float(x), float(y))
        for index in indexes
        if (x := coordinates[0][index]) is not None and (y := coordinates[1][index]) is not None
    }
    found = places.at([x for x, _ in points.values()], [y for _, y in points.values()])
    return {index: place for index, place in zip(points, found, strict=True) if place is not None}
