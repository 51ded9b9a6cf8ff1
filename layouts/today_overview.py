"""The first screen of the mayor's page: four windows, what needs attention, improves, is missing, and why."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.charts.embedded import Svg
from layouts.charts.glyphs import arrow
from layouts.charts.small import change_bar, sparkline
from layouts.components import (
    Children,
    drawing,
    figure,
    labelled,
    row,
    score_chip,
    section,
    signs,
    table,
)
from layouts.formats import PrintedPart, _, boards
from layouts.formats import today as sentences
from layouts.links import metric_link, today_link
from layouts.today_query import Grouping
from layouts.today_view import MOST_PARTS, MOST_SILENT, Improvement, Silence, TodayView
from layouts.views import CityView, Edition, Line
from layouts.written_section import beside
from metrics.model import Catalogue, Composite, Grain, Metric


def overview(view: TodayView) -> list[Component]:
    """All that a mayor needs before the scoreboard; how to begin where nothing is measured."""
    city = view.city
    if not city.services and not city.conditions:
        return [html.P(boards.empty_city(), className="card section")]
    parts = formats.printed_parts(city)
    return [
        html.Div(
            [
                _windows(city),
                _attention(view),
                _briefly(view, parts),
                _why_moved(city, parts),
                html.Div([_improving(view), _missing(view)], className="side"),
            ],
            className="overview",
        )
    ]


# --- four windows --------------------------------------------------------------------------------


def _windows(city: CityView) -> html.Ul:
    """The window the page opens on by itself, then the others."""
    opening = city.opening or Grain.WEEK
    order = [opening, *(grain for grain in Grain if grain is not opening)]
    shown = [_window(grain, city, is_opening=grain is opening) for grain in order]
    return html.Ul(shown, className="tiles", role="list", **labelled(_("The city's score")))


def _window(grain: Grain, city: CityView, *, is_opening: bool) -> html.Li:
    composite, catalogue = city.composites.get(grain), city.edition.catalogue
    when = html.Span(formats.short_period(composite.period), className="when") if composite else None
    lines: list[Component | None] = [html.H2([formats.grain_word(grain), when], className="name")]
    if composite is None:
        lines += [figure(None), _line(_("No period of this length has ended yet."))]
    elif composite.score is None:
        lines += _withheld(composite, catalogue)
    else:
        lines += _scored(composite)
    return html.Li(lines, className=f"card tile{' opening' if is_opening else ''}")


def _withheld(composite: Composite, catalogue: Catalogue) -> list[Component]:
    covered = [_line(formats.coverage(composite), "full")] if composite.total else []
    return [figure(None), _line(formats.reason(composite.reason, catalogue)), *covered]


def _scored(composite: Composite) -> list[Component]:
    moved = formats.movement(composite)
    glyph = [Svg(arrow(moved.direction))] if moved else []
    said = formats.change(moved, composite.period.grain, composite.before)
    chance = formats.verdicts(composite)
    return [
        figure(composite.score),
        html.P(
            [
                html.B(formats.on_target(composite)),
                html.Span([*glyph, html.Span(said, className="full"), _brief(sentences.brief_change(moved))]),
            ],
            className="line",
        ),
        html.P(
            [
                html.Span(sentences.covered(composite), className="full"),
                _brief(sentences.briefly_covered(composite)),
            ],
            className="line",
        ),
        *([_line(chance, "full")] if chance else []),
    ]


def _line(text: str, style: str = "") -> html.P:
    return html.P(text, className=f"line {style}".strip())


def _brief(text: str) -> html.Span:
    """What stands in the place of a longer sentence where there is no room for it."""
    return html.Span(text, className="brief")


# --- what to look at -----------------------------------------------------------------------------


def _attention(view: TodayView) -> html.Section:
    city = view.city
    rows = [_attention_row(line, view) for line in city.lowest]
    inside = html.Ul(rows, className="plain rows") if rows else html.P(sentences.no_attention(city))
    return _part(
        _("Needs attention"), inside, id="attention", beside=sentences.attention_rule() if rows else ""
    )


def _attention_row(line: Line, view: TodayView) -> html.Li:
    city, edition = view.city, view.edition
    score = line.score.score if line.score else None
    missed = sentences.how_often_missed(line, city.opening or Grain.WEEK)
    shapes = signs(line.finding)
    whether = sentences.is_real(line)
    said: Children = [f"{formats.finding(line, edition.catalogue)} ", html.Span(missed, className="full")]
    return html.Li(
        [
            _name(edition, line.metric),
            html.P([score_chip(line.score), " ", html.B(formats.score(score))], className="standing"),
            html.P(said, className="small muted finding"),
            *([html.P([shapes, " ", whether], className="small muted whether full")] if shapes else []),
            html.P(
                dcc.Link(
                    [html.Span(f"{line.department} · ", className="full"), line.metric.owner],
                    href=f"{metric_link(edition, line.metric.id)}#notes",
                    className="said-beside",
                ),
                className="small muted who",
            ),
            *beside(view.written, line.metric),
            drawing(sparkline(line.recent, formats.sparkline_text(line))),
        ],
        className="attention",
    )


def _improving(view: TodayView) -> html.Section:
    rows = [_improving_row(one, view.edition) for one in view.improving]
    inside = html.Ul(rows, className="plain rows") if rows else html.P(sentences.no_improvement(view.city))
    return _part(_("Improving"), inside, id="improving", beside=sentences.improving_rule() if rows else "")


def _improving_row(one: Improvement, edition: Edition) -> html.Li:
    return html.Li(
        [
            _name(edition, one.line.metric),
            html.P(sentences.risen(one), className="small"),
            html.P(sentences.who(one.line), className="small muted"),
            drawing(sparkline(one.line.recent, formats.sparkline_text(one.line))),
        ],
        className="attention",
    )


def _missing(view: TodayView) -> html.Section:
    rows = [_missing_row(one, view.edition) for one in view.silent[:MOST_SILENT]]
    if len(view.silent) > MOST_SILENT:
        href = today_link(view.edition, part="services", group=Grouping.STATUS)
        rows.append(html.Li(dcc.Link(sentences.more_silent(len(view.silent) - MOST_SILENT), href=href)))
    inside = html.Ul(rows, className="plain rows") if rows else html.P(sentences.no_silence(view.city))
    return _part(_("Missing data"), inside, id="missing")


def _missing_row(one: Silence, edition: Edition) -> html.Li:
    why = formats.reason(one.score.reason, edition.catalogue)
    return html.Li(
        [
            _name(edition, one.line.metric),
            html.P([score_chip(one.score), " ", html.Span(sentences.silence(one), className="small")]),
            html.P(why, className="small muted clipped", title=why),
        ]
    )


def _name(edition: Edition, metric: Metric) -> html.H3:
    """A metric's name as the way to its page; a long one is clipped here and whole in the scoreboard."""
    return html.H3(
        dcc.Link(metric.name, href=metric_link(edition, metric.id), title=metric.name, className="clipped"),
        dir="auto",
    )


def _part(name: str, inside: Component, *, id: str, beside: str = "") -> html.Section:
    return section(name, html.Div(inside, className="card"), id=id, beside=beside)


# --- the same in a few lines, for phones -----------------------------------------------------------


def _briefly(view: TodayView, parts: Sequence[PrintedPart]) -> html.Div:
    """Each of the parts below in a line or two, the way to it: what a phone's first screen has room for."""
    city = view.city
    said = [
        ("moved", _("Why it moved"), sentences.moved_briefly(city, parts)),
        ("improving", _("Improving"), sentences.improving_briefly(view)),
        ("missing", _("Missing data"), sentences.missing_briefly(view)),
    ]
    lines = [
        html.P([html.A(name, href=f"#{id}"), " ", html.Span(text, dir="auto")], className="small")
        for id, name, text in said
    ]
    return html.Div(lines, className="briefly card")


# --- why it moved --------------------------------------------------------------------------------


def _why_moved(city: CityView, parts: Sequence[PrintedPart]) -> html.Section:
    inside: list[Component] = [html.P(formats.why_moved(city))]
    if parts:
        short = sentences.largest_parts(parts, MOST_PARTS)
        inside.append(_parts_table(city, short, _("The parts add up to the change")))
        if len(short) < len(parts):
            every = _parts_table(city, parts, _("Every part of the change"))
            inside.append(html.Details([html.Summary(_("Every part")), every]))
    return _part(_("Why the score moved"), html.Div(inside), id="moved")


def _parts_table(city: CityView, parts: Sequence[PrintedPart], caption: str) -> html.Table:
    heads = [
        (_("Where it comes from"), ""),
        (_("Change"), "number-cell"),
        (_("Down or up"), "bar-cell"),
    ]
    largest = max(abs(part.amount) for part in parts)
    rows = [_part_row(city.edition, part, float(part.amount / largest) if largest else 0.0) for part in parts]
    movement = formats.movement(city.composite) if city.composite else None
    total = formats.signed(movement.amount) if movement else formats.NOTHING
    rows.append(row(_("All together"), (total, "number-cell"), ("", "bar-cell"), className="sum"))
    return table(caption, heads, rows, className="parts")


def _part_row(edition: Edition, part: PrintedPart, share: float) -> html.Tr:
    text = formats.part_text(part)
    head: str | Component = text
    if part.metric is not None:
        head = dcc.Link(text, href=metric_link(edition, part.metric.id), title=text, className="clipped")
    return row(head, (formats.signed(part.amount), "number-cell"), (drawing(change_bar(share)), "bar-cell"))
