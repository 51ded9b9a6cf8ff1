"""Outlines of districts on a flat picture: projected, scaled to fit, and as simple as the picture allows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from layouts.charts.drawing import Place
from metrics.model import Catalogue

WIDTH, MOST_HIGH = 560.0, 520.0
EDGE = 6.0
COARSE = 0.7
"""A corner that lies nearer than this to the line without it is left out."""

Ring = tuple[Place, ...]


@dataclass(frozen=True)
class Outlines:
    """The rings of each district on a picture of WIDTH by `height`, and where its number stands."""

    height: float
    rings: Mapping[str, tuple[Ring, ...]]
    middles: Mapping[str, Place]


def outlines(catalogue: Catalogue) -> Outlines | None:
    """The map of a city; None where no district has an outline."""
    return _drawn(_Geometries(catalogue.hash, catalogue))


@dataclass(frozen=True)
class _Geometries:
    """A catalogue that is known by its hash, so that its map is worked out once."""

    hash: str
    catalogue: Catalogue

    def __hash__(self) -> int:
        return hash(self.hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Geometries) and other.hash == self.hash


@lru_cache(maxsize=8)
def _drawn(given: _Geometries) -> Outlines | None:
    shapes = {one.id: _rings(one.geometry) for one in given.catalogue.districts.values()}
    points = [point for rings in shapes.values() for ring in rings for point in ring]
    if not points:
        return None
    place, height = _projection(points)
    drawn = {
        name: tuple(_simple([place(point) for point in ring]) for ring in rings)
        for name, rings in shapes.items()
    }
    kept = {name: tuple(ring for ring in rings if len(ring) > 2) for name, rings in drawn.items()}
    kept = {name: rings for name, rings in kept.items() if rings}
    return Outlines(height, kept, {name: _middle(max(rings, key=_area)) for name, rings in kept.items()})


def _rings(geometry: Mapping[str, Any] | None) -> list[list[Place]]:
    """The outer and inner rings of a polygon or of several; nothing of what is no area."""
    if not geometry:
        return []
    many = {"Polygon": lambda found: [found], "MultiPolygon": list}.get(str(geometry.get("type")))
    polygons = many(geometry["coordinates"]) if many else []
    return [[(float(point[0]), float(point[1])) for point in ring] for one in polygons for ring in one]


def _projection(points: Sequence[Place]) -> tuple[Any, float]:
    """Degrees to the picture, with a degree of longitude as long as it is in the middle of the city."""
    west, east = min(x for x, _y in points), max(x for x, _y in points)
    south, north = min(y for _x, y in points), max(y for _x, y in points)
    squeeze = math.cos(math.radians((south + north) / 2))
    across, upward = max((east - west) * squeeze, 1e-9), max(north - south, 1e-9)
    scale = min((WIDTH - 2 * EDGE) / across, (MOST_HIGH - 2 * EDGE) / upward)
    left = (WIDTH - across * scale) / 2

    def place(point: Place) -> Place:
        return left + (point[0] - west) * squeeze * scale, EDGE + (north - point[1]) * scale

    return place, upward * scale + 2 * EDGE


def _simple(ring: Sequence[Place]) -> Ring:
    """A ring without corners nobody would see, its first not repeated (Douglas and Peucker 1973)."""
    points = list(ring[:-1]) if len(ring) > 1 and ring[0] == ring[-1] else list(ring)
    if len(points) < 4:
        return tuple((round(x, 1), round(y, 1)) for x, y in points)
    far = max(range(len(points)), key=lambda index: math.dist(points[0], points[index]))
    kept = {0, far, len(points)}
    closed = [*points, points[0]]
    waiting = [(0, far), (far, len(points))]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        away, index = max(
            (_away(closed[index], closed[first], closed[last]), index) for index in range(first + 1, last)
        )
        if away > COARSE:
            kept.add(index)
            waiting += [(first, index), (index, last)]
    return tuple((round(closed[i][0], 1), round(closed[i][1], 1)) for i in sorted(kept - {len(points)}))


def _away(point: Place, one: Place, other: Place) -> float:
    """How far a point lies from the piece of line between two others."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    length = dx * dx + dy * dy
    along = ((point[0] - one[0]) * dx + (point[1] - one[1]) * dy) / length if length else 0.0
    share = min(max(along, 0.0), 1.0)
    return math.dist(point, (one[0] + share * dx, one[1] + share * dy))


def _area(ring: Ring) -> float:
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, (*ring[1:], ring[0]), strict=True))) / 2


def _middle(ring: Ring) -> Place:
    """The centre of a ring's area; of its box where it has none."""
    pairs = list(zip(ring, (*ring[1:], ring[0]), strict=True))
    twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)
    if abs(twice) < 1e-6:
        return sum(x for x, _y in ring) / len(ring), sum(y for _x, y in ring) / len(ring)
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (3 * twice)
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (3 * twice)
    return round(x, 1), round(y, 1)
