"""The glyph of each level: a shape of its own, so that no colour is ever needed to tell them apart."""

from __future__ import annotations

from markupsafe import Markup

from layouts.charts.drawing import element, picture
from layouts.formats import Level
from metrics.signals import Assurance, Variation

SIZE = 12

MARK = picture(14, 14, (element("path", d="M0 9h4v5H0zM5 5h4v9H5zM10 0h4v14h-4z"),), class_="mark")
"""The mark beside the name of a city."""

_SHAPES: dict[Level, tuple[Markup, ...]] = {
    Level.ABOVE: (element("path", d="M6 1.5L11 10.5H1Z", class_="fill"),),
    Level.ON: (element("circle", cx=6, cy=6, r=4.6, class_="fill"),),
    Level.WATCH: (
        element("circle", cx=6, cy=6, r=4.4, class_="edge"),
        element("path", d="M6 1.6A4.4 4.4 0 0 0 6 10.4Z", class_="fill"),
    ),
    Level.BELOW: (element("path", d="M6 10.5L1 1.5H11Z", class_="fill"),),
    Level.NONE: (element("circle", cx=6, cy=6, r=4.4, class_="edge"),),
}

_ARROWS = {
    "up": "M6 1.5L10.5 6.5H7.2V10.5H4.8V6.5H1.5Z",
    "down": "M6 10.5L1.5 5.5H4.8V1.5H7.2V5.5H10.5Z",
    "same": "M1.5 4.8H10.5V7.2H1.5Z",
}

_THEMES = {
    "auto": (
        element("circle", cx=6, cy=6, r=4.6, class_="edge"),
        element("path", d="M6 1.4A4.6 4.6 0 0 1 6 10.6Z", class_="fill"),
    ),
    "light": (
        element("circle", cx=6, cy=6, r=2.4, class_="fill"),
        element(
            "path",
            d="M6 .6V2M6 10v1.4M.6 6H2M10 6h1.4M2.2 2.2l1 1M8.8 8.8l1 1M9.8 2.2l-1 1M3.2 8.8l-1 1",
            class_="edge",
        ),
    ),
    "dark": (element("path", d="M10.6 7.4A5 5 0 1 1 4.6 1.4A4.2 4.2 0 0 0 10.6 7.4Z", class_="fill"),),
}


_SIGNS: dict[Variation | Assurance, tuple[Markup, ...]] = {
    Variation.IMPROVEMENT: (element("path", d="M1.8 1.8H10.2V10.2H1.8Z", class_="fill"),),
    Variation.CONCERN: (element("path", d="M6 .4L11.6 6L6 11.6L.4 6Z", class_="fill"),),
    Variation.HIGH: (element("path", d="M6 1.8L10.6 10.2H1.4Z", class_="edge"),),
    Variation.LOW: (element("path", d="M6 10.2L1.4 1.8H10.6Z", class_="edge"),),
    Variation.COMMON_CAUSE: (element("path", d="M.8 6C2.4 1.4 4.4 1.4 6 6S9.6 10.6 11.2 6", class_="edge"),),
    Assurance.PASS: (element("path", d="M1.4 6.4L4.7 9.7L10.6 2.6", class_="edge"),),
    Assurance.FAIL: (element("path", d="M2 2L10 10M10 2L2 10", class_="edge"),),
    Assurance.HIT_OR_MISS: (
        element("path", d="M.6 6H11.4", class_="edge"),
        element("circle", cx=3.2, cy=2.6, r=1.6, class_="fill"),
        element("circle", cx=8.8, cy=9.4, r=1.6, class_="fill"),
    ),
}


def sign(given: Variation | Assurance) -> Markup:
    """The shape of what a chart says: of change, a square for the better, a rhomb for the worse."""
    return picture(SIZE, SIZE, _SIGNS[given], class_="glyph")


def glyph(level: Level) -> Markup:
    """The shape that stands beside the word of a level."""
    return picture(SIZE, SIZE, _SHAPES[level], class_="glyph")


def arrow(direction: str) -> Markup:
    """An arrow `up` or `down`, or a bar for `same`."""
    return picture(SIZE, SIZE, (element("path", d=_ARROWS[direction], class_="fill"),), class_="glyph")


def theme_glyph(theme: str) -> Markup:
    """The sign of a theme: `auto`, `light` or `dark`."""
    return picture(SIZE, SIZE, _THEMES[theme], class_="glyph")
