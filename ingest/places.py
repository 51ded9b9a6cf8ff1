"""In which district a record is: by what it calls it, else by where it lies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from metrics.model import UNKNOWN_DISTRICT, District

POINTS_AT_ONCE = 500
"""Every point meets every edge of a polygon, so many points at a time."""

ROUNDING = 1e-14
"""Two products nearer to each other than this share of their size are compared as fractions."""

_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Outline:
    """A district's edges, each from its lower to its upper end: rows of x1, y1, x2, y2."""

    district: str
    edges: _Numbers

    def near(self, x: _Numbers, y: _Numbers) -> npt.NDArray[np.intp]:
        """The indexes of the points inside the rectangle around it."""
        low, high = self.edges.min(axis=0), self.edges.max(axis=0)
        left, right = min(low[0], low[2]), max(high[0], high[2])
        return np.flatnonzero((x >= left) & (x <= right) & (y >= low[1]) & (y <= high[3]))


class Places:
    """The districts of a city, to be asked for by spelling and by coordinates."""

    def __init__(self, districts: Iterable[District] = ()) -> None:
        self._districts = tuple(districts)
        self._spellings = {
            spelling.strip().casefold(): district.id
            for district in self._districts
            for spelling in (district.id, district.name, *district.aliases)
        } | {UNKNOWN_DISTRICT: UNKNOWN_DISTRICT}

    def __bool__(self) -> bool:
        """Whether there is any district."""
        return bool(self._districts)

    def named(self, cell: str) -> str | None:
        """The id of the district that is spelled so, case and outer blanks aside; None for no such one."""
        return self._spellings.get(cell.strip().casefold())

    def at(self, longitudes: Sequence[float], latitudes: Sequence[float]) -> list[str | None]:
        """The id of the district each point lies in, None outside of all.

        A point on a border belongs to one side only: an edge counts for the points left of it, its lower
        end included and its upper end not (even-odd rule; holes and islands are rings like all others).
        Where districts overlap, the first of them counts.
        """
        x, y = np.asarray(longitudes, dtype=np.float64), np.asarray(latitudes, dtype=np.float64)
        found: list[str | None] = [None] * len(x)
        for outline in reversed(self._outlines):
            near = outline.near(x, y)
            for start in range(0, len(near), POINTS_AT_ONCE):
                part = near[start : start + POINTS_AT_ONCE]
                for index in part[_inside(outline.edges, x[part], y[part])].tolist():
                    found[index] = outline.district
        return found

    @cached_property
    def mark(self) -> str:
        """A text that changes with any spelling and any border."""
        told = [(one.id, one.name, one.aliases, one.geometry) for one in self._districts]
        return sha256(json.dumps(told, default=dict, sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def _outlines(self) -> list[_Outline]:
        made = ((district.id, _edges(district.geometry)) for district in self._districts if district.geometry)
        return [_Outline(name, edges) for name, edges in made if len(edges)]


def _edges(geometry: Mapping[str, Any]) -> _Numbers:
    """The edges that are not level, which no level ray crosses."""
    edges = [edge for ring in _rings(geometry) for edge in _ring_edges(np.array(ring, dtype=np.float64))]
    return np.array(edges, dtype=np.float64).reshape(-1, 4)


def _ring_edges(ring: _Numbers) -> Iterator[tuple[float, float, float, float]]:
    points = ring[:, :2].tolist()
    for (x1, y1), (x2, y2) in zip(points, [*points[1:], points[0]], strict=True):
        if y1 < y2:
            yield x1, y1, x2, y2
        elif y2 < y1:
            yield x2, y2, x1, y1


def _rings(geometry: Mapping[str, Any]) -> Iterator[Sequence[Sequence[float]]]:
    """The closed lines of a GeoJSON Polygon, MultiPolygon or collection of them; others have none."""
    if geometry.get("type") == "Polygon":
        yield from geometry["coordinates"]
    elif geometry.get("type") == "MultiPolygon":
        for polygon in geometry["coordinates"]:
            yield from polygon
    for part in geometry.get("geometries", ()):
        yield from _rings(part)


def _inside(edges: _Numbers, x: _Numbers, y: _Numbers) -> npt.NDArray[np.bool_]:
    """Whether a ray to the right of each point crosses an odd number of edges."""
    x1, y1, x2, y2 = edges.T
    right, up = x[:, None], y[:, None]
    spans = (y1 <= up) & (up < y2)
    left_of = (right - x1) * (y2 - y1)
    reach = (up - y1) * (x2 - x1)
    crosses = left_of < reach
    close = spans & (np.abs(left_of - reach) <= ROUNDING * (np.abs(left_of) + np.abs(reach)))
    for point, edge in np.argwhere(close).tolist():
        crosses[point, edge] = _crosses(edges[edge].tolist(), float(x[point]), float(y[point]))
    counts: npt.NDArray[np.intp] = (spans & crosses).sum(axis=1)
    return counts % 2 == 1


def _crosses(edge: Sequence[float], x: float, y: float) -> bool:
    """The same comparison without rounding."""
    x1, y1, x2, y2 = map(Fraction, edge)
    return (Fraction(x) - x1) * (y2 - y1) < (Fraction(y) - y1) * (x2 - x1)
