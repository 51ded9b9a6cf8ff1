"""A map of a city's districts, each with the shade, the pattern and the number of where it stands, as SVG."""

from __future__ import annotations

from markupsafe import Markup

from layouts.charts.drawing import element, picture
from layouts.charts.geography import WIDTH, Ring, outlines
from layouts.district_view import DistrictsView
from layouts.formats import districts as say
from layouts.formats import standings, words
from metrics.districts import Shade, Standing

SWATCH = 26.0
TILE = 8
"""The size of a pattern: it repeats after so much."""

HIDDEN, NOTHING, FEW = "hidden", "nothing", "few"
"""The shades of a district without a value to see, and of one whose value rests on few cases."""

_MARKS = {
    Shade.FAR_WORSE: "M0 0L8 8M8 0L0 8",
    Shade.WORSE: "M4 3v2M3 4h2",
    Shade.NEAR: "",
    Shade.BETTER: "M0 4h8",
    Shade.FAR_BETTER: "M0 2h8M0 6h8",
    HIDDEN: "M0 8L8 0",
    NOTHING: "",
    FEW: "M0 0L8 8",
}
"""What is drawn on each shade, so that no colour is needed to tell them apart."""


def district_map(view: DistrictsView) -> Markup:
    """The map of a metric by district; empty where no district has an outline.

    Shades follow the value drawn towards the city's. The numbers are those of the rows of `numbered`.
    """
    drawn = outlines(view.edition.catalogue)
    if drawn is None:
        return Markup("")
    numbers = numbered(view)
    parts = [_patterns()]
    for district, rings in drawn.rings.items():
        row, name = view.by.row(district), view.name(district) or district
        shade = _shade(view, district, row)
        parts.append(
            element(
                "path",
                element("title", _title(view, name, row, district in view.hidden)),
                d="".join(_ring(one) for one in rings),
                fill=f"url(#map-{shade})",
                class_="area" if shade not in (HIDDEN, NOTHING, FEW) else "area unseen-area",
            )
        )
    for district, (x, y) in drawn.middles.items():
        if district in numbers:
            parts.append(
                element(
                    "text", str(numbers[district]), x=x, y=y + 5, text_anchor="middle", class_="place-number"
                )
            )
    return picture(WIDTH, drawn.height, parts, text=say.map_text(view), class_="chart district-map")


def numbered(view: DistrictsView) -> dict[str, int]:
    """The number of each district that is compared, in the order of the rows."""
    shown = [row.district for row in view.by.compared if row.district in view.edition.catalogue.districts]
    return {district: number for number, district in enumerate(shown, 1)}


def map_key(view: DistrictsView) -> list[tuple[Markup, str]]:
    """What each shade of the map means: a piece of it and words, those in use and the five of the scale."""
    found = [(str(shade), say.shade_word(view.by, shade)) for shade in Shade]
    if view.hidden:
        found.append((HIDDEN, standings.hidden_word()))
    named = {row.district for row in view.by.rows} | set(view.hidden)
    valued = {row.district for row in view.by.compared}
    if any(
        one not in valued and one not in view.hidden for one in named & set(view.edition.catalogue.districts)
    ):
        found.append((NOTHING, say.shade_word(view.by, None)))
    if any(standings.is_few(row) for row in view.by.compared):
        found.append((FEW, words.capital(standings.few_word())))
    return [(_swatch(shade), word) for shade, word in found]


def _swatch(shade: str) -> Markup:
    box = element(
        "rect", x=0.5, y=0.5, width=SWATCH - 1, height=15.0, fill=f"url(#map-{shade})", class_="area"
    )
    return picture(SWATCH, 16.0, (box,), class_="swatch")


def _patterns() -> Markup:
    made = [
        element(
            "pattern",
            element("rect", width=TILE, height=TILE, class_=f"map-{shade}"),
            *([element("path", d=marks, class_="mark-of-shade")] if marks else []),
            id=f"map-{shade}",
            width=TILE,
            height=TILE,
            patternUnits="userSpaceOnUse",
        )
        for shade, marks in _MARKS.items()
    ]
    return element("defs", *made)


def _shade(view: DistrictsView, district: str, row: Standing | None) -> str:
    if district in view.hidden:
        return HIDDEN
    if row and row.comparison and standings.is_few(row):
        return FEW
    shade = row.comparison.shade if row and row.comparison else None
    return str(shade) if shade else NOTHING


def _title(view: DistrictsView, name: str, row: Standing | None, is_hidden: bool) -> str:
    if is_hidden or row is None:
        return f"{name}: {standings.hidden_word() if is_hidden else say.shade_word(view.by, None)}"
    said = [
        standings.value(view.metric, row),
        standings.interval(view.metric, row),
        standings.place_word(view.metric, row.place),
    ]
    return f"{name}: {', '.join(text for text in said if text)}"


def _ring(points: Ring) -> str:
    """A ring as the `d` of a path: the first corner, then steps from one to the next."""
    (x, y), *others = points
    written = [f"M{_short(x)} {_short(y)}l"]
    for other_x, other_y in others:
        written.append(f"{_short(other_x - x)} {_short(other_y - y)} ")
        x, y = other_x, other_y
    return "".join(written).rstrip() + "z"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
