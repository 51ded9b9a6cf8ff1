"""The pieces of the staff pages: the same chips, tiles and tables as on the public ones, for Dash."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component
from markupsafe import Markup

from layouts import formats
from layouts.charts.embedded import Svg
from layouts.charts.glyphs import arrow, glyph, sign, theme_glyph
from layouts.charts.small import score_bar
from layouts.formats import Level, Movement, _, signals
from layouts.views import Edition
from metrics.model import Catalogue, Composite, Grain, Metric, Period, Score, Status
from metrics.signals import Assurance, Variation
from store.signals import Finding

Children = str | Component | Sequence[Any] | None
Head = tuple[str, str] | html.Th


def labelled(text: str) -> dict[str, Any]:
    """The attribute that names a part of a page for those who do not see it."""
    return {"aria-label": text}


def labelled_by(id: str) -> dict[str, Any]:
    """The attribute that names a part of a page by its heading."""
    return {"aria-labelledby": id}


def scrolling(shown: Component, name: dict[str, Any], style: str = "scroll") -> html.Div:
    """Something wide in a frame that scrolls by keyboard too, under a name."""
    return html.Div(shown, className=style, tabIndex="0", role="region", **name)


def chip(level: Level, word: str) -> html.Span:
    """A status: glyph, word and colour."""
    return html.Span([Svg(glyph(level)), word], className=f"chip level-{level}")


def score_chip(score: Score | None) -> html.Span:
    """The status of a metric."""
    level = formats.level(score.score if score else None)
    return chip(level, formats.standing_word(score, level))


def signs(finding: Finding | None) -> html.Span | None:
    """What the chart of a metric says, as two shapes with their words for those who do not see them."""
    if finding is None:
        return None
    words = signals.spoken_words(finding.variation, finding.assurance, finding.grain)
    if not words:
        return None
    shapes = [
        html.Span(Svg(sign(one)), className=f"sign-{one}")
        for one in (finding.variation, finding.assurance)
        if one is not None
    ]
    return html.Span([*shapes, html.Span(words, className="unseen")], className="signs", title=words)


def signs_key() -> html.Ul:
    """The words of all that a chart may say."""
    rows = [
        html.Li([Svg(sign(one)), signals.meaning_word(one)], className=f"sign-{one}")
        for one in (*Variation, *Assurance)
    ]
    return html.Ul(rows, className="key signs-key", role="list")


def drawing(made: Markup) -> Component | None:
    """A drawing, or nothing for an empty one."""
    return Svg(made) if made else None


def section(title: str, *children: Children, id: str, beside: str = "") -> html.Section:
    """A part of a page under its heading."""
    head: list[Component] = [html.H2(title, id=id)]
    if beside:
        head.append(html.P(beside, className="small muted"))
    inside: list[Any] = [html.Div(head, className="section-head"), *children]
    return html.Section(inside, **labelled_by(id))


def notes(edition: Edition, *texts: str, is_pinned_said: bool = True) -> list[html.P]:
    """The remarks that belong to a publication: invented, pinned (where it is asked for), provisional."""
    invented = _("A demonstration: this city and its records are invented.")
    pinned = formats.pinned(edition) if is_pinned_said else ""
    said = [invented if edition.city.demonstration else "", pinned, *texts]
    return [html.P(text, className="note") for text in said if text]


def colophon(edition: Edition) -> html.P:
    """Which publication a page was made from."""
    return html.P(formats.edition(edition), className="section small muted")


def theme_switch() -> html.Div:
    """Light, dark or as the system has it; assets/theme.js shows it and does the rest."""
    buttons = [
        html.Button(Svg(theme_glyph(theme)), value=theme, type="button", title=name, **labelled(name))
        for theme, name in formats.themes()
    ]
    return html.Div(buttons, className="theme", role="group", **labelled(_("Theme")))


# --- tiles -------------------------------------------------------------------------------------


def tile(grain: Grain, composite: Composite | None, catalogue: Catalogue, *, opening: bool) -> html.Li:
    """The composite of one grain: number, k of n, change, coverage; or why there is none."""
    lines: list[Component] = [html.H2(formats.grain_word(grain), className="name")]
    if composite is None:
        lines += [figure(None), _line(_("No period of this length has ended yet."))]
    else:
        lines.append(html.P(formats.short_period(composite.period), className="when"))
        lines += _without_number(composite, catalogue) if composite.score is None else _number(composite)
    return html.Li(lines, className=f"card tile{' opening' if opening else ''}")


def _without_number(composite: Composite, catalogue: Catalogue) -> list[Component]:
    lines: list[Component] = [figure(None), _line(formats.reason(composite.reason, catalogue))]
    if composite.total:
        lines.append(_line(formats.coverage(composite)))
    return lines


def _number(composite: Composite) -> list[Component]:
    lines: list[Component] = [
        figure(composite.score),
        html.P(formats.on_target(composite), className="line strong"),
        moved(formats.movement(composite), composite.period.grain, composite.before),
        *([_line(formats.verdicts(composite))] if formats.verdicts(composite) else []),
        _line(formats.coverage(composite)),
    ]
    if composite.late:
        lines.append(_line(formats.late_seats(composite)))
    return lines


def figure(score: float | None) -> html.P:
    """A score in large digits with its status."""
    level = formats.level(score)
    return html.P(
        [
            html.Span(formats.score(score), className=f"number{'' if score is not None else ' none'}"),
            chip(level, formats.level_word(level)),
        ],
        className="figures",
    )


def metric_tile(
    metric: Metric, score: Score, catalogue: Catalogue, *, opening: bool, cases: str = ""
) -> html.Li:
    """A metric in the newest period of one grain: value, target, score and what is behind it.

    cases: the address of the records behind it.
    """
    number, unit = formats.number_and_unit(formats.value_beside_target(metric, score))
    lines: list[Component] = [
        html.H2(formats.grain_word(score.period.grain), className="name"),
        html.P(formats.short_period(score.period), className="when"),
        html.P([html.Span(number, className="number"), html.Span(unit)], className="figures"),
    ]
    if score.score is None:
        lines += [_line([score_chip(score)]), _line(formats.reason(score.reason, catalogue))]
    else:
        aim = formats.target(metric, score.target, score.target_high)
        lines += [
            _line(_("Target {target}").format(target=aim)),
            html.P(
                [_("Score {score}").format(score=formats.score(score.score)), " ", score_chip(score)],
                className="line strong",
            ),
            moved(formats.movement(score), score.period.grain),
        ]
    if formats.interval(metric, score):
        lines.append(_line(formats.interval(metric, score)))
    if formats.parts(metric, score):
        lines.append(_line(behind(formats.parts(metric, score), cases)))
    if score.status is Status.PROVISIONAL:
        lines.append(_line(formats.status_word(score.status)))
    return html.Li(lines, className=f"card tile compact{' opening' if opening else ''}")


def behind(parts: str, cases: str) -> str | Component:
    """What a value is made of, as the way to its records where there is one."""
    return dcc.Link(parts, href=cases, title=_("See the records")) if cases and parts else parts


def moved(movement: Movement | None, grain: Grain, before: Period | None = None) -> html.P:
    """A change with its arrow."""
    text = formats.change(movement, grain, before)
    return _line([Svg(arrow(movement.direction)), text] if movement else text)


def _line(children: Children) -> html.P:
    return html.P(children, className="line")


# --- tables ------------------------------------------------------------------------------------


def table(caption: str, heads: Sequence[Head], rows: Iterable[html.Tr], **named: Any) -> html.Table:
    """A table with a caption; heads are (text, class), or cells made elsewhere."""
    return table_in_parts(caption, heads, [list(rows)], **named)


def table_in_parts(
    caption: str, heads: Sequence[Head], parts: Iterable[list[html.Tr]], **named: Any
) -> html.Table:
    """A table whose rows stand together in parts, each of which may open with a heading of its own."""
    cells = [
        one
        if isinstance(one, html.Th)
        else html.Th(one[0], scope="col", className=one[1] or None, role="columnheader")
        for one in heads
    ]
    return html.Table(
        [
            html.Caption(caption),
            html.Thead(html.Tr(cells, role="row"), role="rowgroup"),
            *(html.Tbody(rows, role="rowgroup") for rows in parts),
        ],
        role="table",
        **named,
    )


def row(head: Children, *cells: tuple[Children, str], **named: Any) -> html.Tr:
    """A row: its header, then cells of (content, class)."""
    return html.Tr(
        [
            html.Th(head, scope="row", role="rowheader"),
            *(html.Td(content, className=style or None, role="cell") for content, style in cells),
        ],
        role="row",
        **named,
    )


def with_bar(score: float) -> html.Span:
    """A score and the bar of its distance from target."""
    bar = Svg(score_bar(score, formats.level(score)))
    return html.Span([html.B(formats.score(score)), bar], className="with-bar")


def small_score(of: Score | Composite | None) -> html.Span:
    """A score in a cell, in the colour of its level."""
    if of is None or of.score is None:
        return html.Span(formats.NOTHING, className="muted")
    return html.Span(formats.score(of.score), className=f"score-text level-{formats.level(of.score)}")
