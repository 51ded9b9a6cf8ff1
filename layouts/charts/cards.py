"""Whole pictures that stand alone on pages of others: a metric, the score, the scoreboard, a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from layouts import formats
from layouts.charts.course import Size
from layouts.charts.drawing import element
from layouts.charts.glyphs import SIZE as GLYPH
from layouts.charts.glyphs import glyph
from layouts.charts.lettering import balanced, cut, lines, width
from layouts.charts.line import line_with_target
from layouts.charts.palette import Theme, written_out
from layouts.charts.small import BAR_WIDTH, score_bar
from layouts.formats import Level, _, captions, signals
from layouts.views import CityView, Edition, Line, MetricView
from metrics.model import Composite, Grain

WIDTH = 640.0
EDGE = 20.0
INNER = WIDTH - 2 * EDGE
CHART = Size("alone", INNER, 230.0, 6)
MOST_ROWS = 40
"""How many rows a scoreboard's picture has at most: a taller one nobody reads."""

FOLDER = Path(__file__).resolve().parent
DRAWING_RULES, ALONE_RULES = "card.css", "card_alone.css"

_TITLE, _TEXT, _SMALL, _TINY = 20.0, 14.0, 12.5, 12.0
_LEADING = 1.32
_CHIP_HEIGHT, _CHIP_TEXT = 24.0, 13.0
_NUMBER = 60.0
_BESIDE = 210.0
_ROW, _BENEATH = 30.0, 15.0
_VALUE_END, _AIM_END, _SCORE_END, _STATUS = 372.0, 448.0, 500.0, 514.0


def metric_card(view: MetricView, theme: Theme, *, titled: bool = True) -> Markup:
    """A metric: the finding, where it stands, its chart, and where it comes from."""
    sheet = _Sheet()
    is_said = titled and sheet.heading(formats.metric_headline(view))
    if view.score is not None:
        level = formats.level(view.score.score)
        beside = captions.score_and_period(view.metric, view.score, with_value=not is_said)
        sheet.chip_line(level, formats.standing_word(view.score, level), beside)
    sheet.paragraph(captions.why_nothing(view.score, view))
    sheet.paragraph(captions.beyond_chance(view))
    sheet.paragraph(signals.chart_words(view))
    chart = line_with_target(view, CHART)
    if chart:
        sheet.drawing(chart, CHART.height)
    else:
        sheet.paragraph(_("There are not yet two periods to draw."), class_="muted")
    sheet.footer(view.edition, captions.origin(view.edition, [view.source]), captions.metric_notes(view))
    return sheet.document(theme, formats.metric_headline(view), captions.metric_alt(view))


def score_card(view: CityView, theme: Theme, *, titled: bool = True) -> Markup:
    """The city's number with what it never stands without, and the other grains."""
    sheet = _Sheet()
    if titled:
        sheet.heading(formats.headline(view))
    composite = view.composite
    if composite is not None and composite.score is not None:
        sheet.number(composite, composite.score)
    elif composite is not None:
        sheet.paragraph(formats.reason(composite.reason, view.edition.catalogue))
    sheet.windows(view)
    sheet.footer(
        view.edition,
        captions.origin(view.edition, captions.sources_of(view)),
        captions.city_notes(view),
    )
    return sheet.document(theme, formats.headline(view), captions.city_alt(view))


def scoreboard_card(view: CityView, theme: Theme, *, titled: bool = True) -> Markup:
    """Every service in a row: value, target, score and where it stands."""
    sheet = _Sheet()
    if titled:
        sheet.heading(formats.headline(view))
    grain = view.opening or Grain.WEEK
    if view.composite is not None:
        sheet.paragraph(formats.period(view.composite.period), class_="muted")
    sheet.heads()
    for line in view.services[:MOST_ROWS]:
        sheet.row(line, grain)
    sheet.paragraph(captions.more_services(len(view.services) - MOST_ROWS), class_="muted")
    sheet.footer(
        view.edition,
        captions.origin(view.edition, captions.sources_of(view)),
        captions.city_notes(view),
    )
    return sheet.document(theme, formats.headline(view), captions.board_alt(view))


def message_card(title: str, detail: str, theme: Theme) -> Markup:
    """Why there is no picture, as a picture: what stands in a page's place for one must say it."""
    sheet = _Sheet()
    sheet.heading(title)
    sheet.paragraph(detail, most=6)
    return sheet.document(theme, title, detail)


@lru_cache
def rules(*names: str) -> str:
    """The style of the drawings, on one line per rule, from the files of this folder."""
    return "".join((FOLDER / name).read_text("utf-8").replace("\n", "") for name in names)


class _Sheet:
    """A picture that grows downwards as pieces are put on it."""

    def __init__(self) -> None:
        self._parts: list[Markup] = []
        self._end = EDGE

    def heading(self, text: str) -> bool:
        """The finding, bold, on up to three lines; gives whether all of it fits."""
        shown = balanced(text, _TITLE, INNER, bold=True)
        self._lines(shown, _TITLE, "ink strong")
        self._end += 8
        return " ".join(shown) == text

    def paragraph(self, text: str, *, class_: str = "ink", most: int = 3) -> None:
        """A text on as many lines as it needs; nothing for an empty one."""
        if text:
            self._lines(lines(text, _TEXT, INNER, most=most), _TEXT, class_)
            self._end += 6

    def chip_line(self, level: Level, word: str, beside: str) -> None:
        """A status chip and a text to its right, below it where there is no room."""
        wide = self._chip(level, word, EDGE, self._end)
        room = INNER - wide - 12
        if width(beside, _TEXT) <= room:
            self._put(beside, EDGE + wide + 12, self._end + 17, _TEXT, "ink")
            self._end += _CHIP_HEIGHT + 10
            return
        self._end += _CHIP_HEIGHT + 6
        self.paragraph(beside)

    def drawing(self, made: Markup, height: float) -> None:
        """A drawing over the whole width."""
        self._place(made, EDGE, self._end)
        self._end += height + 10

    def number(self, composite: Composite, score: float) -> None:
        """The score in large figures, its chip and bar, and beside it what it never stands without."""
        level, top = formats.level(score), self._end
        self._put(formats.score(score), EDGE - 2, top + 52, _NUMBER, "ink strong")
        self._chip(level, formats.level_word(level), EDGE, top + 68)
        self._put(formats.short_period(composite.period), EDGE + _BESIDE, top + 14, _SMALL, "muted")
        below = top + 36
        for index, text in enumerate(captions.composite_lines(composite)):
            style = "ink strong" if index == 0 else "ink"
            for part in lines(text, _TEXT, INNER - _BESIDE, bold=index == 0, most=2):
                self._put(part, EDGE + _BESIDE, below, _TEXT, style)
                below += _TEXT * _LEADING
        self._end = max(top + 68 + _CHIP_HEIGHT, below) + 12

    def windows(self, view: CityView) -> None:
        """The four grains side by side."""
        self._rule()
        column = INNER / len(Grain)
        top = self._end
        for index, grain in enumerate(Grain):
            self._window(view.composites.get(grain), grain, EDGE + index * column, top)
        self._end = top + 66

    def heads(self) -> None:
        """The heads of the scoreboard's columns."""
        base = self._end + 12
        self._put(_("Measure"), EDGE, base, _TINY, "muted")
        for text, end in ((_("Value"), _VALUE_END), (_("Target"), _AIM_END), (_("Score"), _SCORE_END)):
            self._put(text, end, base, _TINY, "muted", anchor="end")
        self._put(_("Status"), _STATUS, base, _TINY, "muted")
        self._end += 20

    def row(self, line: Line, grain: Grain) -> None:
        """One service of the scoreboard."""
        self._parts.append(
            element("line", x1=EDGE, x2=WIDTH - EDGE, y1=self._end, y2=self._end, class_="rule")
        )
        score = line.scores.get(grain)
        level = formats.level(score.score if score else None)
        base = self._end + 20
        value, aim = captions.value_and_target(line, grain)
        room = _VALUE_END - width(value, _SMALL) - EDGE - 10
        name = cut(line.metric.name, _SMALL, room, bold=True)
        whole = [element("title", line.metric.name)] if name != line.metric.name else []
        self._parts.append(
            element("text", name, *whole, x=EDGE, y=base, font_size=_SMALL, class_="ink strong")
        )
        self._put(value, _VALUE_END, base, _SMALL, "ink", anchor="end")
        self._put(formats.number_and_unit(aim)[0], _AIM_END, base, _SMALL, "muted", anchor="end")
        shown = formats.score(score.score if score else None)
        self._put(shown, _SCORE_END, base, _SMALL, "ink strong", anchor="end")
        self._marked(level, formats.standing_word(score, level), _STATUS, base)
        marks = captions.marks(score)
        if marks:
            self._beneath(marks, base + _BENEATH)
        self._end += _ROW + (_BENEATH if marks else 0.0)

    def footer(self, edition: Edition, origin: str, notes: Sequence[str]) -> None:
        """Marks, then whose numbers these are, as of when, and by which publication."""
        self._rule()
        for text in notes:
            self._lines(lines(text, _TINY, INNER, bold=True), _TINY, "ink strong")
        self._lines(lines(origin, _TINY, INNER), _TINY, "muted")
        self._lines(lines(formats.edition(edition), _TINY, INNER), _TINY, "muted")

    def document(self, theme: Theme, title: str, alt: str) -> Markup:
        """The whole SVG, with its title and what it shows in words."""
        height = round(self._end + EDGE - 6)
        frame = {"x": 0.5, "y": 0.5, "width": WIDTH - 1, "height": height - 1.0, "rx": 10}
        return element(
            "svg",
            element("title", title, id="t"),
            element("desc", alt, id="d"),
            element("style", Markup(written_out(rules(DRAWING_RULES, ALONE_RULES), theme))),
            element("rect", **frame, class_="paper"),
            element("rect", **frame, class_="rim"),
            *self._parts,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH:.0f} {height}",
            width=WIDTH,
            height=height,
            role="img",
            aria_labelledby="t d",
        )

    # --- pieces --------------------------------------------------------------------------------

    def _lines(self, texts: Iterable[str], size: float, class_: str) -> None:
        for text in texts:
            self._put(text, EDGE, self._end + size * 0.82, size, class_)
            self._end += size * _LEADING

    def _put(
        self, text: str, x: float, y: float, size: float, class_: str, *, anchor: str | None = None
    ) -> None:
        self._parts.append(
            element("text", text, x=x, y=round(y, 1), font_size=size, text_anchor=anchor, class_=class_)
        )

    def _place(self, made: Markup, x: float, y: float, *, scale: float = 1.0) -> None:
        larger = f" scale({scale:g})" if scale != 1 else ""
        self._parts.append(element("g", made, transform=f"translate({x:g} {y:.1f}){larger}"))

    def _rule(self) -> None:
        self._parts.append(
            element("line", x1=EDGE, x2=WIDTH - EDGE, y1=self._end, y2=self._end, class_="rule")
        )
        self._end += 12

    def _chip(self, level: Level, word: str, x: float, y: float) -> float:
        """A chip; gives its width."""
        wide = width(word, _CHIP_TEXT, bold=True) + GLYPH + 28
        parts = [
            element("rect", x=0.5, y=0.5, width=wide - 1, height=_CHIP_HEIGHT - 1, rx=11.5, class_="tint"),
            element("g", glyph(level), transform="translate(10 6)"),
            element("text", word, x=10.0 + GLYPH + 6, y=16.5, font_size=_CHIP_TEXT, class_="strong"),
        ]
        self._parts.append(
            element("g", *parts, transform=f"translate({x:g} {y:.1f})", class_=f"level-{level}")
        )
        return wide

    def _marked(self, level: Level, word: str, x: float, base: float) -> None:
        """A glyph and its word, without a chip around them."""
        room = WIDTH - EDGE - x - GLYPH - 6
        parts = [
            element("g", glyph(level), transform="translate(0 -10)"),
            element("text", cut(word, _TINY, room), x=GLYPH + 6.0, y=0.0, font_size=_TINY, class_="strong"),
        ]
        self._parts.append(
            element("g", *parts, transform=f"translate({x:g} {base:.1f})", class_=f"level-{level}")
        )

    def _beneath(self, marks: str, base: float) -> None:
        """What stands beside a level, under its word; where it is longer it ends with the row."""
        start = _STATUS + GLYPH + 6
        if width(marks, _TINY) <= WIDTH - EDGE - start:
            self._put(marks, start, base, _TINY, "muted")
        else:
            self._put(marks, WIDTH - EDGE, base, _TINY, "muted", anchor="end")

    def _window(self, composite: Composite | None, grain: Grain, x: float, top: float) -> None:
        score = composite.score if composite else None
        level = formats.level(score)
        self._put(formats.grain_word(grain), x, top + 10, _TINY, "muted")
        self._put(formats.score(score), x, top + 34, _TITLE, "ink strong")
        self._place(
            score_bar(score, level), x, top + 42, scale=min(1.0, (INNER / len(Grain) - 20) / BAR_WIDTH)
        )
