"""A control chart as SVG: the band of what is usual, the centre, and signals by a shape of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from layouts import formats
from layouts.charts.drawing import Place, element, path, picture
from layouts.charts.line import LABEL_APART, LONG, PER_LETTER, Size
from layouts.charts.scale import Scale, span, spread, tick_digits, ticks
from layouts.formats import _, signals
from layouts.signal_view import ControlView
from metrics.limits import ChartKind
from metrics.model import Metric
from metrics.signals import Chart, Point, Variation

MARK = 5.0
"""How far the mark of a signal reaches from its middle."""

_TOP, _BOTTOM = 14.0, 30.0


@dataclass(frozen=True)
class _Axes:
    across: Scale
    upward: Scale
    marks: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str], ...]

    def place(self, point: Point, number: float) -> Place:
        return self.across.at(point.start.toordinal()), self.upward.at(number)


def control_chart(view: ControlView, size: Size) -> Markup:
    """The chart of a metric; empty where it has no limits or fewer than two values."""
    chart = view.chart
    if chart is None or chart.judged is None or sum(one.value is not None for one in chart.points) < 2:
        return Markup("")
    axes = _axes(view, chart, size)
    parts = [*_band(chart, axes), *_grid(chart, axes, size), *_center(chart, axes), *_target(view, axes)]
    parts += [*_values(view, chart, axes), *_labels(axes, size)]
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


def _axes(view: ControlView, chart: Chart, size: Size) -> _Axes:
    drawn = [
        number
        for point in chart.points
        for number in (point.value, point.lower, point.upper)
        if number is not None
    ]
    aims = view.targets
    upward = Scale(*span([*drawn, *aims]), size.height - _BOTTOM, _TOP)
    marks, labels = _marks(view.metric, chart, upward), _ends(view, chart)
    left = max((len(text) for _mark, text in marks), default=0) * PER_LETTER + 20
    right = size.width - max(len(text) for _number, text in labels) * PER_LETTER - 12
    first, last = (point.start.toordinal() for point in (chart.points[0], chart.points[-1]))
    return _Axes(Scale(first, max(last, first + 1), left, right), upward, marks, labels)


def _marks(metric: Metric, chart: Chart, upward: Scale) -> tuple[tuple[float, str], ...]:
    found = ticks(upward.low, upward.high)
    digits = tick_digits(found)
    if chart.kind is ChartKind.G:
        return tuple((mark, formats.plain(mark, digits)) for mark in found)
    if metric.unit == "percent":
        digits = max(digits - 2, 0)
    return tuple((mark, formats.axis(metric, mark, digits)) for mark in found)


def _ends(view: ControlView, chart: Chart) -> tuple[tuple[float, str], ...]:
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


def _band(chart: Chart, axes: _Axes) -> Iterator[Markup]:
    for points in spans(chart):
        over = [axes.place(one, one.upper) for one in points if one.upper is not None]
        under = [axes.place(one, one.lower) for one in points if one.lower is not None]
        if len(points) == 1:
            over, under = _widened(over[0]), _widened(under[0])
        yield element("path", d=f"{path([*over, *reversed(under)])}Z", class_="band")
        yield element("path", d=path(over), class_="limit")
        yield element("path", d=path(under), class_="limit")


def _widened(place: Place) -> list[Place]:
    return [(place[0] - MARK, place[1]), (place[0] + MARK, place[1])]


def _center(chart: Chart, axes: _Axes) -> Iterator[Markup]:
    for points in spans(chart):
        places = [axes.place(one, one.center) for one in points if one.center is not None]
        yield element("path", d=path(places), class_="center")


def _target(view: ControlView, axes: _Axes) -> Iterator[Markup]:
    for aim in view.targets:
        height = axes.upward.at(aim)
        yield element(
            "path", d=path([(axes.across.start, height), (axes.across.end, height)]), class_="target"
        )


def _grid(chart: Chart, axes: _Axes, size: Size) -> Iterator[Markup]:
    left, right = axes.across.start - 6, axes.across.end + 6
    for mark, text in axes.marks:
        height = axes.upward.at(mark)
        yield element("line", x1=left, x2=right, y1=height, y2=height, class_="grid")
        yield element("text", text, x=left - 6, y=height + 4, text_anchor="end", class_="axis")
    for text, place in _dates(chart, axes, size):
        yield element("text", text, x=place, y=size.height - 8, text_anchor="middle", class_="axis")


def _dates(chart: Chart, axes: _Axes, size: Size) -> list[tuple[str, float]]:
    starts = [point.start for point in chart.points]
    by_year = starts[-1] - starts[0] > LONG
    found: list[tuple[str, float]] = []
    for start in reversed(starts):
        text = formats.tick(start, by_year)
        half = len(text) * PER_LETTER / 2
        place = min(max(axes.across.at(start.toordinal()), half), size.width - half)
        if not found or found[-1][1] - place >= max(size.width / size.dates, 2.4 * half):
            found.append((text, place))
    return found


def _values(view: ControlView, chart: Chart, axes: _Axes) -> list[Markup]:
    places = [None if one.value is None else axes.place(one, one.value) for one in chart.points]
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


def _labels(axes: _Axes, size: Size) -> list[Markup]:
    heights = [axes.upward.at(number) + 5 for number, _text in axes.labels]
    places: Sequence[float] = spread(heights, LABEL_APART, _TOP, size.height - _BOTTOM)
    return [
        element("text", text, x=axes.across.end + 10, y=place, class_="axis")
        for (_number, text), place in zip(axes.labels, places, strict=True)
    ]
