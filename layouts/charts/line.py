"""A metric's values over time with the target they are held against, as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from layouts import formats
from layouts.charts.course import PER_LETTER, Axes, Marks, Size, axes_of, marks_of, upward_of
from layouts.charts.drawing import element, lone, path, picture, stepped
from layouts.charts.small import last_dot
from layouts.formats import _
from layouts.views import MetricView
from metrics.model import Score, Status

MOST_DOTS = 40
"""Up to so many periods each value is a dot on its line; beyond, only those without a neighbour."""


def line_with_target(view: MetricView, size: Size) -> Markup:
    """The chart of a metric; empty where fewer than two values are known."""
    known = [score for score in view.past if score.value is not None]
    if len(known) < 2:
        return Markup("")
    ends = _ends(view, known[-1], size)
    axes = _axes(view, known, ends, size)
    parts = [
        *axes.grid(),
        *_targets(view.past, axes),
        *_values(view.past, axes),
        *axes.ends(ends, "value-label"),
    ]
    return picture(
        size.width,
        size.height,
        parts,
        text=formats.chart_text(view, view.past),
        class_=f"chart {size.name}",
    )


def fitting(text: str, room: float) -> str:
    """A label, without its unit where that would not fit."""
    return text if len(text) * PER_LETTER < room else formats.number_and_unit(text)[0]


def end_labels(view: MetricView, last: Score) -> list[str]:
    """What stands beside the end of a chart: the last value, then its target or both ends of its band."""
    labels = [formats.value_beside_target(view.metric, last)]
    aims = [aim for aim in (last.target, last.target_high) if aim is not None]
    return labels + [_("Target {target}").format(target=formats.target(view.metric, aim)) for aim in aims]


def _axes(view: MetricView, known: Sequence[Score], ends: Marks, size: Size) -> Axes:
    drawn = [score.value for score in known if score.value is not None]
    aims = [aim for score in known for aim in (score.target, score.target_high) if aim is not None]
    upward = upward_of([*drawn, *aims], size)
    starts = [score.period.start for score in view.past]
    return axes_of(starts, upward, marks_of(view.metric, upward), [text for _number, text in ends], size)


def _ends(view: MetricView, last: Score, size: Size) -> Marks:
    amounts = [number for number in (last.value, last.target, last.target_high) if number is not None]
    labels = (fitting(text, size.width / 4) for text in end_labels(view, last))
    return tuple(zip(amounts, labels, strict=True))


def _targets(past: Sequence[Score], axes: Axes) -> list[Markup]:
    """The target as steps, dashed: it may change from one period to the next."""
    lines = []
    for aims in ([score.target for score in past], [score.target_high for score in past]):
        places = [
            None if aim is None else axes.place(score.period.start, aim)
            for score, aim in zip(past, aims, strict=True)
        ]
        if any(places):
            lines.append(element("path", d=path(stepped(places)), class_="target"))
    return lines


def _values(past: Sequence[Score], axes: Axes) -> list[Markup]:
    places = [None if score.value is None else axes.place(score.period.start, score.value) for score in past]
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
