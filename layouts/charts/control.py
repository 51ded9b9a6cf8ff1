"""A control chart as SVG: the band of what is usual, the centre, and signals by a shape of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from markupsafe import Markup

from layouts import formats
from layouts.charts.course import Axes, Marks, Size, axes_of, marks_of, upward_of
from layouts.charts.drawing import Place, element, path, picture
from layouts.charts.scale import Scale, tick_digits, ticks
from layouts.formats import _, notes, signals
from layouts.signal_view import ControlView
from metrics.limits import ChartKind
from metrics.signals import Chart, Point, Variation

MARK = 5.0
"""How far the mark of a signal reaches from its middle."""

LETTER = 15.0
"""How much room the letter of a marked day takes."""


def control_chart(view: ControlView, size: Size) -> Markup:
    """The chart of a metric; empty where it has no limits or fewer than two values."""
    chart = view.chart
    if chart is None or chart.judged is None or sum(one.value is not None for one in chart.points) < 2:
        return Markup("")
    ends = _ends(view, chart)
    axes = _axes(view, chart, ends, size)
    parts = [*_band(chart, axes), *axes.grid(), *_center(chart, axes), *_target(view, axes)]
    parts += [*_marks(view, axes), *_values(view, chart, axes), *axes.ends(ends)]
    return picture(
        size.width,
        size.height,
        parts,
        text=signals.chart_alt(view.metric, view.grain, chart),
        class_=f"chart control {size.name}",
    )


def sign_shape(variation: Variation, x: float, y: float, reach: float) -> Markup:
    """The shape of what a signal means: none of them is told by its colour alone."""
    if variation is Variation.IMPROVEMENT:
        corners = ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85))
    elif variation is Variation.CONCERN:
        corners = ((0.0, -1.15), (1.15, 0.0), (0.0, 1.15), (-1.15, 0.0))
    elif variation is Variation.HIGH:
        corners = ((0.0, -1.0), (1.0, 0.8), (-1.0, 0.8), (0.0, -1.0))
    else:
        corners = ((0.0, 1.0), (1.0, -0.8), (-1.0, -0.8), (0.0, 1.0))
    outline = path((x + reach * right, y + reach * down) for right, down in corners)
    return element("path", d=f"{outline}Z", class_=f"sign-{variation}")


def spans(chart: Chart) -> list[list[Point]]:
    """The points between two borders, of those that have limits."""
    found: list[list[Point]] = [[]]
    for before, point in pairwise([None, *chart.points]):
        assert point is not None, "only the first has none before it"
        is_new = before is not None and any(before.start < one.day <= point.start for one in chart.borders)
        if is_new or point.lower is None or point.upper is None:
            found.append([])
        if point.lower is not None and point.upper is not None:
            found[-1].append(point)
    return [one for one in found if one]


# --- inside ---------------------------------------------------------------------------------------


def _axes(view: ControlView, chart: Chart, ends: Marks, size: Size) -> Axes:
    drawn = [
        number
        for point in chart.points
        for number in (point.value, point.lower, point.upper)
        if number is not None
    ]
    upward = upward_of([*drawn, *view.targets], size)
    marks = _days(upward) if chart.kind is ChartKind.G else marks_of(view.metric, upward)
    starts = [point.start for point in chart.points]
    return axes_of(starts, upward, marks, [text for _number, text in ends], size)


def _days(upward: Scale) -> Marks:
    """Round numbers of days, whatever the metric's own unit is."""
    found = ticks(upward.low, upward.high)
    return tuple((mark, formats.plain(mark, tick_digits(found))) for mark in found)


def _ends(view: ControlView, chart: Chart) -> Marks:
    """What stands beside the end of the lines: both limits, the centre and the target."""
    last = spans(chart)[-1][-1]
    named = (
        (last.upper, _("Upper {value}")),
        (last.center, _("Centre {value}")),
        (last.lower, _("Lower {value}")),
    )
    found = [
        (number, text.format(value=formats.number_and_unit(signals.amount(view.metric, chart, number))[0]))
        for number, text in named
        if number is not None
    ]
    aims = [
        (
            aim,
            _("Target {target}").format(target=formats.number_and_unit(formats.target(view.metric, aim))[0]),
        )
        for aim in view.targets
    ]
    return (*found, *aims)


def _band(chart: Chart, axes: Axes) -> Iterator[Markup]:
    for points in spans(chart):
        over = [axes.place(one.start, one.upper) for one in points if one.upper is not None]
        under = [axes.place(one.start, one.lower) for one in points if one.lower is not None]
        if len(points) == 1:
            over, under = _widened(over[0]), _widened(under[0])
        yield element("path", d=f"{path([*over, *reversed(under)])}Z", class_="band")
        yield element("path", d=path(over), class_="limit")
        yield element("path", d=path(under), class_="limit")


def _widened(place: Place) -> list[Place]:
    return [(place[0] - MARK, place[1]), (place[0] + MARK, place[1])]


def _center(chart: Chart, axes: Axes) -> Iterator[Markup]:
    for points in spans(chart):
        places = [axes.place(one.start, one.center) for one in points if one.center is not None]
        yield element("path", d=path(places), class_="center")


def _target(view: ControlView, axes: Axes) -> Iterator[Markup]:
    for aim in view.targets:
        height = axes.upward.at(aim)
        yield element(
            "path", d=path([(axes.across.start, height), (axes.across.end, height)]), class_="target"
        )


def _marks(view: ControlView, axes: Axes) -> Iterator[Markup]:
    """A line on each marked day with its letter on top; letters of days that lie close go lower."""
    low, high, before = axes.upward.start, axes.upward.end, -LETTER
    step = 0
    for number, mark in view.lettered:
        x = min(max(axes.across.at(mark.day.toordinal()), axes.across.start), axes.across.end)
        step = (step + 1) % 3 if x - before < LETTER else 0
        before, y = x, high + step * LETTER
        yield element("path", d=path([(x, low), (x, y)]), class_="marked-day")
        yield element("circle", cx=x, cy=y, r=LETTER / 2, class_="marked-place")
        yield element(
            "text", notes.letter(number), x=x, y=y + 4, text_anchor="middle", class_="marked-letter"
        )


def _values(view: ControlView, chart: Chart, axes: Axes) -> list[Markup]:
    places = [None if one.value is None else axes.place(one.start, one.value) for one in chart.points]
    drawn = list(zip(chart.points, places, strict=True))
    dots = [
        element("circle", cx=at[0], cy=at[1], r=2.4, class_="dot hollow" if one.provisional else "dot")
        for one, at in drawn
        if at is not None and one.signal is None
    ]
    marks = [
        sign_shape(meaning, *at, MARK)
        for one, at in drawn
        if at is not None and (meaning := view.meaning(one)) is not None
    ]
    return [element("path", d=path(places), class_="line"), *dots, *marks]
