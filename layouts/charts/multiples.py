"""Small pictures of many metrics that are read side by side: all of one width, each with its own axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from layouts import formats
from layouts.charts.drawing import Place, element, lone, path, picture, stepped
from layouts.charts.lettering import cut, width
from layouts.charts.scale import Scale, span, spread, tick_digits, ticks
from layouts.charts.small import last_dot
from layouts.formats import _
from metrics.model import Metric, Score

WIDTH, HEIGHT = 280.0, 118.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 62.0, 10.0, 22.0
"""The room around the lines: the same in every picture, so that their dates lie under each other."""

MOST_TICKS = 3
LABEL_APART = 15.0
LETTER, VALUE_LETTER = 11.5, 12.5
"""The sizes of letters here, as the style sheet has them too."""


def multiple(metric: Metric, recent: Sequence[Score], text: str) -> Markup:
    """The recent values of a metric with its target as dashed steps, the last value written beside it.

    What is not known breaks the line; a value alone between two gaps is a dot; one that may still change
    is hollow at the end. Without any value it is an empty frame that says so.
    """
    known = [score for score in recent if score.value is not None]
    if not known:
        return picture(WIDTH, HEIGHT, _empty(), text=text, class_="chart multiple")
    axes = _axes(recent, known)
    parts = [
        *_sides(metric, axes),
        *_dates(recent),
        *_targets(recent, axes),
        *_values(recent, axes),
        *_ends(metric, known[-1], axes),
    ]
    return picture(WIDTH, HEIGHT, parts, text=text, class_="chart multiple")


@dataclass(frozen=True)
class _Axes:
    across: Scale
    upward: Scale

    def place(self, score: Score, number: float) -> Place:
        """Where a number of a period lies."""
        return self.across.at(score.period.start.toordinal()), self.upward.at(number)


def _axes(recent: Sequence[Score], known: Sequence[Score]) -> _Axes:
    drawn = [
        number
        for score in known
        for number in (score.value, score.target, score.target_high)
        if number is not None
    ]
    first, last = (score.period.start.toordinal() for score in (recent[0], recent[-1]))
    return _Axes(
        # A single period stands at the right end, where the last value is always looked for.
        Scale(min(first, last - 1), last, LEFT + 4, WIDTH - RIGHT),
        Scale(*span(drawn), HEIGHT - BOTTOM, TOP),
    )


def _empty() -> list[Markup]:
    width, height = WIDTH - 1, HEIGHT - 1
    return [
        element("rect", x=0.5, y=0.5, width=width, height=height, rx=6, class_="empty"),
        element(
            "text", _("No values yet"), x=WIDTH / 2, y=HEIGHT / 2 + 4, text_anchor="middle", class_="axis"
        ),
    ]


def _sides(metric: Metric, axes: _Axes) -> list[Markup]:
    """Two or three round numbers with their lines."""
    marks = ticks(axes.upward.low, axes.upward.high, MOST_TICKS)
    digits = tick_digits(marks)
    if metric.unit == "percent":
        digits = max(digits - 2, 0)
    parts = []
    for mark in marks:
        height = axes.upward.at(mark)
        text = _fitting(formats.axis(metric, mark, digits), mark, LETTER, LEFT - 6)
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=height, y2=height, class_="grid"))
        parts.append(element("text", text, x=LEFT - 5, y=height + 4, text_anchor="end", class_="axis"))
    return parts


def _dates(recent: Sequence[Score]) -> list[Markup]:
    """The start of the first and of the last period."""
    ends = [(recent[-1], WIDTH - RIGHT, "end")]
    if len(recent) > 1:
        ends.insert(0, (recent[0], LEFT, "start"))
    by_year = recent[-1].period.start.year != recent[0].period.start.year
    return [
        element(
            "text",
            formats.tick(score.period.start, by_year),
            x=place,
            y=HEIGHT - 6,
            text_anchor=anchor,
            class_="axis",
        )
        for score, place, anchor in ends
    ]


def _targets(recent: Sequence[Score], axes: _Axes) -> list[Markup]:
    lines = []
    for aims in ([score.target for score in recent], [score.target_high for score in recent]):
        places = [
            None if aim is None else axes.place(score, aim) for score, aim in zip(recent, aims, strict=True)
        ]
        steps = stepped(places)
        if len(places) == 1 and places[0] is not None:
            steps = [(axes.across.start, places[0][1]), *places]
        if any(steps):
            lines.append(element("path", d=path(steps), class_="target"))
    return lines


def _values(recent: Sequence[Score], axes: _Axes) -> list[Markup]:
    places = [None if score.value is None else axes.place(score, score.value) for score in recent]
    parts = [element("path", d=path(places), class_="line")]
    parts += [element("circle", cx=x, cy=y, r=2.0, class_="dot") for x, y in lone(places)]
    return [*parts, last_dot(recent, places, 3.4)]


def _ends(metric: Metric, last: Score, axes: _Axes) -> list[Markup]:
    """The last value and its target, beside the ends of their lines and never on each other."""
    assert last.value is not None, "the last that is known"
    said = [(last.value, formats.value_beside_target(metric, last), "value-label", VALUE_LETTER)]
    said += [
        (aim, formats.target(metric, aim), "axis", LETTER)
        for aim in (last.target, last.target_high)
        if aim is not None
    ]
    places = spread(
        [axes.upward.at(number) + 4 for number, *_rest in said], LABEL_APART, TOP, HEIGHT - BOTTOM + 4
    )
    return [
        element("text", _short(text, number, size), x=WIDTH - RIGHT + 8, y=place, class_=style)
        for (number, text, style, size), place in zip(said, places, strict=True)
    ]


def _short(text: str, number: float, size: float) -> str:
    """A label without its unit."""
    return _fitting(formats.number_and_unit(text)[0], number, size, RIGHT - 9)


def _fitting(text: str, number: float, size: float, room: float) -> str:
    """A number that fits: as it is, else in thousands or millions, cut only where even that is too long."""
    is_bold = size == VALUE_LETTER
    if width(text, size, bold=is_bold) <= room:
        return text
    return cut(formats.compact(number), size, room, bold=is_bold)
