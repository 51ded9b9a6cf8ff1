"""Districts one under the other: value, interval, and how far chance reaches for each, as SVG."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from layouts.charts.course import NARROW, Size
from layouts.charts.district_map import numbered
from layouts.charts.drawing import element, picture
from layouts.charts.lettering import cut
from layouts.charts.scale import Scale, span, tick_digits, ticks
from layouts.district_view import DistrictsView
from layouts.formats import districts as say
from layouts.formats import standings
from metrics.districts import Comparison, Limits, Standing
from metrics.districts import Scale as Compared
from metrics.fairness import Place
from metrics.model import WITHHELD

ROW, TOP, BOTTOM = 28.0, 8.0, 30.0
MOST_ROWS = 80
"""Of more districts no picture is drawn: nobody would read it, and the table is there."""

LETTER = 13.0
BROAD = Size("wide", 700.0, 0.0, 6)
"""Beside a map; how high it is follows from the rows."""

_LABELS = {BROAD.name: 150.0, NARROW.name: 118.0}


def dot_plot(view: DistrictsView, size: Size) -> Markup:
    """The districts that are compared, in the order of the rows; empty for fewer than two or too many."""
    shown = view.by.compared
    if view.by.base is None or not 2 <= len(shown) <= MOST_ROWS:
        return Markup("")
    axes = _axes(view, shown, size)
    height = TOP + ROW * len(shown) + BOTTOM
    parts = [*_grid(view, axes, height), *_lines(view, axes, height)]
    numbers = numbered(view)
    for index, row in enumerate(shown):
        assert row.comparison is not None, "only those are shown"
        middle = TOP + ROW * (index + 0.5)
        style = f"dot outside level-{standings.place_level(view.metric, row.place)}"
        parts += _row(row.comparison, axes, middle, style)
        parts.append(_label(view, row, numbers.get(row.district), size, middle))
    return picture(size.width, height, parts, text=say.dots_text(view), class_=f"chart dots {size.name}")


@dataclass(frozen=True)
class _Axes:
    across: Scale
    left: float
    right: float

    def at(self, number: float) -> float:
        """The place of a number; what lies beyond the picture is drawn at its edge."""
        return min(max(self.across.at(number), self.left), self.right)


def _axes(view: DistrictsView, shown: tuple[Standing, ...], size: Size) -> _Axes:
    levels = [row.comparison.level for row in shown if row.comparison]
    ends = [
        end
        for row in shown
        if row.comparison
        for limits in [row.comparison.limits]
        for end in (row.comparison.low, row.comparison.high, *((limits.low, limits.high) if limits else ()))
        if end is not None
    ]
    low, high = span([*levels, *ends, *_aims(view)], margin=0.03)
    if view.metric.unit == "percent" and view.by.scale is Compared.VALUE:
        high = min(high, max(1.0, *levels))
    left, right = _LABELS[size.name] + 10, size.width - 20
    return _Axes(Scale(low, high, left, right), left, right)


def _aims(view: DistrictsView) -> list[float]:
    """The target, or both ends of its band, where districts are held against it."""
    if view.by.rule is None:
        return []
    aim = view.by.rule.target
    return list(aim) if isinstance(aim, tuple) else [float(aim)]


def _grid(view: DistrictsView, axes: _Axes, height: float) -> list[Markup]:
    found = ticks(axes.across.low, axes.across.high, 6 if axes.right > NARROW.width else 4)
    digits = tick_digits(found)
    if view.metric.unit == "percent" and view.by.scale is Compared.VALUE:
        digits = max(digits - 2, 0)
    parts = []
    for mark in found:
        place = axes.at(mark)
        text = standings.axis(view.by, mark, digits)
        parts.append(element("line", x1=place, x2=place, y1=TOP, y2=height - BOTTOM, class_="grid"))
        parts.append(element("text", text, x=place, y=height - 10, text_anchor="middle", class_="axis"))
    return parts


def _lines(view: DistrictsView, axes: _Axes, height: float) -> list[Markup]:
    bottom = height - BOTTOM
    made = [
        element("line", x1=axes.at(aim), x2=axes.at(aim), y1=TOP, y2=bottom, class_="target")
        for aim in _aims(view)
    ]
    place = axes.at(view.by.base or 0.0)
    return [*made, element("line", x1=place, x2=place, y1=TOP, y2=bottom, class_="together")]


def _row(found: Comparison, axes: _Axes, middle: float, outside: str) -> list[Markup]:
    parts = _bands(found.limits, axes, middle) if found.limits else []
    place, drawn_in = axes.at(found.level), axes.at(found.shrunken)
    if found.low is not None and found.high is not None:
        low, high = axes.at(found.low), axes.at(found.high)
        parts.append(element("line", x1=low, x2=high, y1=middle, y2=middle, class_="whisker"))
    parts.append(element("line", x1=drawn_in, x2=drawn_in, y1=middle - 7, y2=middle + 7, class_="drawn-in"))
    if found.limits is None or found.limits.place is Place.WITHIN:
        parts.append(element("circle", cx=place, cy=middle, r=4.4, class_="dot"))
    else:
        corners = f"M{place} {middle - 7}l7 7-7 7-7-7z"
        parts.append(element("path", d=corners, class_=outside))
    return parts


def _bands(limits: Limits, axes: _Axes, middle: float) -> list[Markup]:
    pairs = (("outer-band", limits.outer_low, limits.outer_high, 7.0), ("band", limits.low, limits.high, 7.0))
    return [
        element(
            "rect",
            x=axes.at(low),
            y=middle - half,
            width=round(max(axes.at(high) - axes.at(low), 0.0), 1),
            height=2 * half,
            class_=style,
        )
        for style, low, high, half in pairs
    ]


def _label(view: DistrictsView, row: Standing, number: int | None, size: Size, middle: float) -> Markup:
    name = standings.hidden_word() if row.district == WITHHELD else standings.row_name(view, row)
    text = f"{number} {name}" if number else name
    room = _LABELS[size.name]
    return element("text", cut(text, LETTER, room), x=0.0, y=middle + 4.5, class_="axis row-label")
