"""What charts over time share: their sizes, numbers on the side, dates below, a grid, labels at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from layouts import formats
from layouts.charts.drawing import Place, element
from layouts.charts.scale import Scale, span, spread, tick_digits, ticks
from metrics.model import Metric

Marks = tuple[tuple[float, str], ...]
"""Numbers beside an axis, each with its text."""

LABEL_APART = 17.0
LONG = timedelta(days=300)
"""From here on a date beside the axis is a month and a year."""

PER_LETTER = 7.4
"""How wide a letter is drawn, at most, in units of the picture."""

_TOP, _BOTTOM = 14.0, 30.0


@dataclass(frozen=True)
class Size:
    """The measures of a drawing; a narrow one is for phones, so that letters stay readable."""

    name: str
    width: float
    height: float
    dates: int


WIDE = Size("wide", 960.0, 300.0, 8)
NARROW = Size("narrow", 350.0, 240.0, 4)


@dataclass(frozen=True)
class Axes:
    """Where numbers and days lie. starts: the first day of each period, in order."""

    size: Size
    starts: Sequence[date]
    across: Scale
    upward: Scale
    marks: Marks

    def place(self, start: date, number: float) -> Place:
        """Where a number of a period lies."""
        return self.across.at(start.toordinal()), self.upward.at(number)

    def grid(self) -> list[Markup]:
        """A line for each mark with its text beside it, and the dates below."""
        parts: list[Markup] = []
        left, right = self.across.start - 6, self.across.end + 6
        for mark, text in self.marks:
            height = self.upward.at(mark)
            parts.append(element("line", x1=left, x2=right, y1=height, y2=height, class_="grid"))
            parts.append(element("text", text, x=left - 6, y=height + 4, text_anchor="end", class_="axis"))
        below = self.size.height - 8
        for text, place in self._dates():
            parts.append(element("text", text, x=place, y=below, text_anchor="middle", class_="axis"))
        return parts

    def ends(self, labels: Marks, first: str = "axis") -> list[Markup]:
        """Labels beside the end of the lines, apart and near their numbers; first: the class of the first."""
        heights = [self.upward.at(number) + 5 for number, _text in labels]
        places = spread(heights, LABEL_APART, _TOP, self.size.height - _BOTTOM)
        return [
            element(
                "text",
                text,
                x=self.across.end + 10,
                y=place,
                class_="axis" if index else first,
            )
            for index, ((_number, text), place) in enumerate(zip(labels, places, strict=True))
        ]

    def _dates(self) -> list[tuple[str, float]]:
        """Dates under the picture, the last one always, as many as stand apart."""
        width = self.size.width
        by_year = self.starts[-1] - self.starts[0] > LONG
        found: list[tuple[str, float]] = []
        for start in reversed(self.starts):
            at = self.across.at(start.toordinal())
            # Most are too near the one before whatever is written there, and writing takes time.
            if found and found[-1][1] - at < width / self.size.dates:
                continue
            text = formats.tick(start, by_year)
            half = len(text) * PER_LETTER / 2
            place = min(max(at, half), width - half)
            if not found or found[-1][1] - place >= max(width / self.size.dates, 2.4 * half):
                found.append((text, place))
        return found


def upward_of(numbers: Sequence[float], size: Size) -> Scale:
    """The scale on which all numbers of a picture lie."""
    return Scale(*span(numbers), size.height - _BOTTOM, _TOP)


def axes_of(starts: Sequence[date], upward: Scale, marks: Marks, ends: Sequence[str], size: Size) -> Axes:
    """The axes of a picture, with room for its marks on the left and for the labels of its ends."""
    left = max((len(text) for _mark, text in marks), default=0) * PER_LETTER + 20
    right = size.width - max(len(text) for text in ends) * PER_LETTER - 12
    first, last = (start.toordinal() for start in (starts[0], starts[-1]))
    return Axes(size, starts, Scale(first, max(last, first + 1), left, right), upward, marks)


def marks_of(metric: Metric, upward: Scale) -> Marks:
    """Round numbers of a metric for the side of a picture."""
    found = ticks(upward.low, upward.high)
    digits = tick_digits(found)
    if metric.unit == "percent":
        digits = max(digits - 2, 0)
    return tuple((mark, formats.axis(metric, mark, digits)) for mark in found)
