"""A metric's values over time with the target they are held against, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from layouts import formats
from layouts.charts.drawing import Place, element, lone, path, picture, stepped
from layouts.charts.scale import Scale, span, spread, tick_digits, ticks
from layouts.charts.small import last_dot
from layouts.formats import _
from layouts.views import MetricView
from metrics.model import Score, Status

LABEL_APART = 17.0
LONG = timedelta(days=300)
"""From here on a date beside the axis is a month and a year."""

MOST_DOTS = 40
"""Up to so many periods each value is a dot on its line; beyond, only those without a neighbour."""

PER_LETTER = 7.4
"""How wide a letter is drawn, at most, in units of the picture."""


@dataclass(frozen=True)
class Size:
    """The measures of a drawing; a narrow one is for phones, so that letters stay readable."""

    name: str
    width: float
    height: float
    dates: int


WIDE = Size("wide", 960.0, 300.0, 8)
NARROW = Size("narrow", 350.0, 240.0, 4)

_TOP, _BOTTOM = 14.0, 30.0


def line_with_target(view: MetricView, size: Size) -> Markup:
    """The chart of a metric; empty where fewer than two values are known."""
    known = [score for score in view.past if score.value is not None]
    if len(known) < 2:
        return Markup("")
    axes = _axes(view, known, size)
    parts = [*_grid(view, axes, size), *_targets(view.past, axes), *_values(view.past, axes)]
    parts += _end_labels(known[-1], axes, size)
    return picture(
        size.width,
        size.height,
        parts,
        text=formats.chart_text(view, view.past),
        class_=f"chart {size.name}",
    )


@dataclass(frozen=True)
class _Axes:
    """Where numbers and days lie, the marks on the side, and what stands at the end of the lines."""

    across: Scale
    upward: Scale
    marks: tuple[tuple[float, str], ...]
    labels: tuple[str, ...]

    def place(self, score: Score, number: float) -> Place:
        """Where a number of a period lies."""
        return self.across.at(score.period.start.toordinal()), self.upward.at(number)


def _axes(view: MetricView, known: Sequence[Score], size: Size) -> _Axes:
    drawn = [score.value for score in known if score.value is not None]
    aims = [aim for score in known for aim in (score.target, score.target_high) if aim is not None]
    upward = Scale(*span([*drawn, *aims]), size.height - _BOTTOM, _TOP)
    marks = _marks(view, upward)
    labels = tuple(fitting(text, size.width / 4) for text in end_labels(view, known[-1]))
    left = max((len(text) for _mark, text in marks), default=0) * PER_LETTER + 20
    right = size.width - max(len(text) for text in labels) * PER_LETTER - 12
    first, last = (score.period.start.toordinal() for score in (view.past[0], view.past[-1]))
    return _Axes(Scale(first, max(last, first + 1), left, right), upward, marks, labels)


def _marks(view: MetricView, upward: Scale) -> tuple[tuple[float, str], ...]:
    found = ticks(upward.low, upward.high)
    digits = tick_digits(found)
    if view.metric.unit == "percent":
        digits = max(digits - 2, 0)
    return tuple((mark, formats.axis(view.metric, mark, digits)) for mark in found)


def _grid(view: MetricView, axes: _Axes, size: Size) -> list[Markup]:
    parts: list[Markup] = []
    left, right = axes.across.start - 6, axes.across.end + 6
    for mark, text in axes.marks:
        height = axes.upward.at(mark)
        parts.append(element("line", x1=left, x2=right, y1=height, y2=height, class_="grid"))
        parts.append(element("text", text, x=left - 6, y=height + 4, text_anchor="end", class_="axis"))
    for text, place in _dates(view, axes, size):
        parts.append(element("text", text, x=place, y=size.height - 8, text_anchor="middle", class_="axis"))
    return parts


def _dates(view: MetricView, axes: _Axes, size: Size) -> list[tuple[str, float]]:
    """Dates under the picture, the last one always, as many as stand apart."""
    starts = [score.period.start for score in view.past]
    by_year = starts[-1] - starts[0] > LONG
    found: list[tuple[str, float]] = []
    for start in reversed(starts):
        text = formats.tick(start, by_year)
        half = len(text) * PER_LETTER / 2
        place = min(max(axes.across.at(start.toordinal()), half), size.width - half)
        if not found or found[-1][1] - place >= max(size.width / size.dates, 2.4 * half):
            found.append((text, place))
    return found


def _targets(past: Sequence[Score], axes: _Axes) -> list[Markup]:
    """The target as steps, dashed: it may change from one period to the next."""
    lines = []
    for aims in ([score.target for score in past], [score.target_high for score in past]):
        places = [
            None if aim is None else axes.place(score, aim) for score, aim in zip(past, aims, strict=True)
        ]
        if any(places):
            lines.append(element("path", d=path(stepped(places)), class_="target"))
    return lines


def _values(past: Sequence[Score], axes: _Axes) -> list[Markup]:
    places = [None if score.value is None else axes.place(score, score.value) for score in past]
    alone = set(lone(places))
    parts = [element("path", d=path(places), class_="line")]
    parts += [
        element("circle", cx=place[0], cy=place[1], r=2.6, class_=_dot(score))
        for score, place in zip(past, places, strict=True)
        if place is not None and (len(places) <= MOST_DOTS or place in alone)
    ]
    return [*parts, last_dot(past, places, 4.2)]


def _dot(score: Score) -> str:
    return "dot hollow" if score.status is Status.PROVISIONAL else "dot"


def fitting(text: str, room: float) -> str:
    """A label, without its unit where that would not fit."""
    return text if len(text) * PER_LETTER < room else formats.number_and_unit(text)[0]


def end_labels(view: MetricView, last: Score) -> list[str]:
    """What stands beside the end of a chart: the last value, then its target or both ends of its band."""
    labels = [formats.value_beside_target(view.metric, last)]
    aims = [aim for aim in (last.target, last.target_high) if aim is not None]
    return labels + [_("Target {target}").format(target=formats.target(view.metric, aim)) for aim in aims]


def _end_labels(last: Score, axes: _Axes, size: Size) -> list[Markup]:
    amounts = [number for number in (last.value, last.target, last.target_high) if number is not None]
    places = spread(
        [axes.upward.at(number) + 5 for number in amounts], LABEL_APART, _TOP, size.height - _BOTTOM
    )
    return [
        element("text", text, x=axes.across.end + 10, y=place, class_="value-label" if not index else "axis")
        for index, (text, place) in enumerate(zip(axes.labels, places, strict=True))
    ]
