"""Small graphics that stand in a row: the recent course of a metric and the bar of a score."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from layouts.charts.drawing import Place, element, lone, path, picture
from layouts.charts.scale import Scale, span
from layouts.formats import Level
from metrics.model import Score, Status

SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 128.0, 32.0, 4.0
BAR_WIDTH, BAR_HEIGHT = 120.0, 16.0
BAR_FROM, BAR_TO = 0.5, 1.25
"""The scores at the two ends of a bar; one outside is cut there, and says so by a notch."""

CHANGE_WIDTH = 72.0

_NOTCH = 5.0


def sparkline(recent: Sequence[Score], text: str = "") -> Markup:
    """The values of a metric as a line, its target dashed, the last one marked; empty for fewer than two."""
    values = [score.value for score in recent]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    targets = [score.target for score in recent if score.target is not None]
    low, high = span([*known, *targets[-1:]])
    across = Scale(0, max(len(values) - 1, 1), SPARK_EDGE, SPARK_WIDTH - SPARK_EDGE)
    upward = Scale(low, high, SPARK_HEIGHT - SPARK_EDGE, SPARK_EDGE)
    places = [
        None if value is None else (across.at(index), upward.at(value)) for index, value in enumerate(values)
    ]
    parts = [element("path", d=path(places), class_="line")]
    parts += [element("circle", cx=x, cy=y, r=1.4, class_="dot") for x, y in lone(places)]
    if targets:
        height = upward.at(targets[-1])
        parts.insert(0, element("line", x1=0.0, x2=SPARK_WIDTH, y1=height, y2=height, class_="target"))
    parts.append(last_dot(recent, places, 2.8))
    return picture(SPARK_WIDTH, SPARK_HEIGHT, parts, text=text, class_="spark")


def last_dot(scores: Sequence[Score], places: Sequence[Place | None], size: float) -> Markup:
    """The mark of the last known value; hollow while the value may still change."""
    last = max(index for index, place in enumerate(places) if place is not None)
    x, y = places[last] or (0.0, 0.0)
    hollow = " hollow" if scores[last].status is Status.PROVISIONAL else ""
    return element("circle", cx=x, cy=y, r=size, class_=f"last{hollow}")


def score_bar(score: float | None, level: Level) -> Markup:
    """A bar from the target tick at 1.00 to the score: its length is the distance from target."""
    across = Scale(BAR_FROM, BAR_TO, 0.0, BAR_WIDTH)
    middle = across.at(1.0)
    parts = [element("rect", x=0.0, y=5.0, width=BAR_WIDTH, height=6.0, rx=3, class_="track")]
    if score is not None:
        end = across.at(min(max(score, BAR_FROM), BAR_TO))
        left, right = min(middle, end), max(middle, end)
        parts.append(
            element("rect", x=left, y=3.0, width=right - left, height=10.0, class_=f"bar level-{level}")
        )
        if not BAR_FROM <= score <= BAR_TO:
            notch = end + _NOTCH if score < BAR_FROM else end - _NOTCH
            parts.append(element("rect", x=notch, y=2.0, width=2.0, height=12.0, class_="notch"))
    parts.append(element("rect", x=middle - 1, y=0.0, width=2.0, height=BAR_HEIGHT, class_="tick"))
    return picture(BAR_WIDTH, BAR_HEIGHT, parts, class_="score-bar")


def change_bar(share: float) -> Markup:
    """A bar from the middle to the right for a rise, to the left for a fall; share is -1 to 1."""
    middle = CHANGE_WIDTH / 2
    end = middle + share * middle
    level = Level.ABOVE if share > 0 else Level.BELOW
    parts = [
        element(
            "rect",
            x=min(middle, end),
            y=3.0,
            width=abs(end - middle),
            height=10.0,
            class_=f"bar level-{level}",
        ),
        element("rect", x=middle - 0.5, y=0.0, width=1.0, height=BAR_HEIGHT, class_="tick"),
    ]
    return picture(CHANGE_WIDTH, BAR_HEIGHT, parts, class_="score-bar change-bar")
