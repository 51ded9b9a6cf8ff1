"""How far districts lie apart over time, as SVG: the two ends, and nine tenths of the way between them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from layouts.charts.course import Axes, Size, axes_of, upward_of
from layouts.charts.drawing import element, path, picture
from layouts.charts.scale import tick_digits, ticks
from layouts.district_view import Apart, DistrictsView
from layouts.formats import gaps


def gap_chart(view: DistrictsView, points: Sequence[Apart], size: Size) -> Markup:
    """Two lines with their last values beside them; empty for fewer than two periods."""
    if len(points) < 2:
        return Markup("")
    upward = upward_of([0.0, *(one.spread.widest for one in points)], size)
    found = ticks(upward.low, upward.high)
    marks = tuple((mark, gaps.axis(view.by, mark, tick_digits(found))) for mark in found)
    last = points[-1].spread
    ends = (
        (last.widest, gaps.end(view.by, last.widest, is_widest=True)),
        (last.inner, gaps.end(view.by, last.inner, is_widest=False)),
    )
    axes = axes_of([one.period.start for one in points], upward, marks, [text for _at, text in ends], size)
    parts = [
        *axes.grid(),
        _line(points, axes, [one.spread.inner for one in points], "target"),
        _line(points, axes, [one.spread.widest for one in points], "line"),
        *axes.ends(ends, "value-label"),
    ]
    return picture(size.width, size.height, parts, text=gaps.alt(view, points), class_=f"chart {size.name}")


def _line(points: Sequence[Apart], axes: Axes, numbers: Sequence[float], style: str) -> Markup:
    places = [axes.place(one.period.start, number) for one, number in zip(points, numbers, strict=True)]
    return element("path", d=path(places), class_=style)
