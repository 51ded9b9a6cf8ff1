"""A strip of days, one cell a day: how each came along, told by height and pattern before any colour."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from layouts.charts.drawing import element, picture
from layouts.sources_view import Arrival

CELL, GAP, HEIGHT = 12.0, 3.0, 26.0


def strip(days: Sequence[tuple[Arrival, str]], text: str) -> Markup:
    """The days in their order, each with the words it says of itself; empty for none."""
    if not days:
        return Markup("")
    cells = [
        element("g", element("title", words), *_cell(index * (CELL + GAP), arrival), class_=f"day-{arrival}")
        for index, (arrival, words) in enumerate(days)
    ]
    return picture(len(days) * (CELL + GAP) - GAP, HEIGHT, cells, text=text, class_="strip")


def sample(arrival: Arrival) -> Markup:
    """One cell, for a key."""
    return picture(
        CELL, HEIGHT, [element("g", *_cell(0.0, arrival), class_=f"day-{arrival}")], class_="strip"
    )


def _cell(left: float, arrival: Arrival) -> list[Markup]:
    """On time: a full bar. Late: half a bar. Failed: a cross in a frame. Missing: a frame. Before: a dot."""
    if arrival is Arrival.BEFORE:
        return [element("circle", cx=left + CELL / 2, cy=HEIGHT - 3, r=1.6, class_="fill")]
    if arrival is Arrival.ON_TIME:
        return [element("rect", x=left, y=0.0, width=CELL, height=HEIGHT, rx=2, class_="fill")]
    frame = element("rect", x=left + 0.8, y=0.8, width=CELL - 1.6, height=HEIGHT - 1.6, rx=2, class_="edge")
    if arrival is Arrival.LATE:
        half = HEIGHT / 2
        return [frame, element("rect", x=left, y=half, width=CELL, height=half, rx=2, class_="fill")]
    if arrival is Arrival.MISSING:
        return [frame]
    low, high = left + 3, left + CELL - 3
    cross = f"M{low:g} 8L{high:g} 18M{high:g} 8L{low:g} 18"
    return [frame, element("path", d=cross, class_="edge")]
