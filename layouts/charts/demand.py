"""A department's score over its periods, and under it how many records there were: two panels on one time."""

from __future__ import annotations

from markupsafe import Markup

from layouts import formats
from layouts.charts.course import NARROW, PER_LETTER, Size
from layouts.charts.drawing import element, lone, path, picture
from layouts.charts.scale import Scale, span, ticks
from layouts.demand_view import DemandView
from layouts.formats import _, demand

LEFT, RIGHT = 52.0, 14.0
TOP, SCORES, BARS, BOTTOM = 24.0, 150.0, 186.0, 270.0
"""Where the panel of scores begins and ends, and that of records."""

HEIGHT = 300.0
LETTERS = 11


def demand_picture(view: DemandView, size: Size) -> Markup:
    """The two panels; a period without a number leaves its place empty."""
    place = Scale(0.0, float(len(view.past)), LEFT, size.width - RIGHT)
    parts = [*_scores(view, place), *_bars(view, place), *_dates(view, place, size)]
    return picture(size.width, HEIGHT, parts, text=demand.picture_text(view), class_=f"chart {size.name}")


def _scores(view: DemandView, place: Scale) -> list[Markup]:
    known = [one.score for one in view.past if one.score is not None]
    upward = Scale(*span([*known, 1.0]), SCORES, TOP)
    parts = [_name(_("Score"), TOP)]
    for mark in ticks(upward.low, upward.high, 3):
        parts += _mark(formats.score(mark), upward.at(mark), place)
    level = upward.at(1.0)
    parts.append(element("path", d=path([(place.start, level), (place.end, level)]), class_="target"))
    places = [
        None if one.score is None else (place.at(number + 0.5), upward.at(one.score))
        for number, one in enumerate(view.past)
    ]
    parts.append(element("path", d=path(places), class_="line"))
    return [*parts, *(element("circle", cx=x, cy=y, r=2.4, class_="dot") for x, y in lone(places))]


def _bars(view: DemandView, place: Scale) -> list[Markup]:
    most = max(one.records or 0 for one in view.past) or 1
    upward = Scale(0.0, most * 1.08, BOTTOM, BARS)
    parts = [_name(_("Records"), BARS)]
    for mark in ticks(0.0, upward.high, 3):
        parts += _mark(formats.count(mark), upward.at(mark), place)
    wide = (place.at(1.0) - place.at(0.0)) * 0.72
    for number, one in enumerate(view.past):
        if one.records is not None:
            height = upward.at(one.records)
            parts.append(
                element(
                    "rect",
                    x=place.at(number + 0.5) - wide / 2,
                    y=height,
                    width=wide,
                    height=BOTTOM - height,
                    class_="volume",
                )
            )
    if view.usual is not None:
        level = upward.at(view.usual)
        parts.append(element("path", d=path([(place.start, level), (place.end, level)]), class_="center"))
    return parts


def _mark(text: str, height: float, place: Scale) -> list[Markup]:
    return [
        element("line", x1=place.start, x2=place.end, y1=height, y2=height, class_="grid"),
        element("text", text, x=place.start - 6, y=height + 4, text_anchor="end", class_="axis"),
    ]


def _name(text: str, top: float) -> Markup:
    return element("text", text, x=0.0, y=top - 10, class_="axis panel-name")


def _dates(view: DemandView, place: Scale, size: Size) -> list[Markup]:
    """The first day of some periods, the newest always."""
    room = size.width - LEFT - RIGHT
    most = max(2, int(room / (LETTERS * PER_LETTER)))
    step = max(1, -(-len(view.past) // most))
    by_year = size is not NARROW and (view.past[-1].period.start - view.past[0].period.start).days > 366
    found = []
    for number in range(len(view.past) - 1, -1, -step):
        text = formats.tick(view.past[number].period.start, by_year)
        half = len(text) * PER_LETTER / 2
        x = min(max(place.at(number + 0.5), half), size.width - half)
        found.append(element("text", text, x=x, y=HEIGHT - 10, text_anchor="middle", class_="axis"))
    return found
