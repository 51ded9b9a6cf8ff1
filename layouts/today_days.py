"""Which published day the mayor's page shows, the way to any other, and what was restated since."""

from __future__ import annotations

from datetime import date
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.asking_form import asking_form, date_input
from layouts.components import labelled, labelled_by, notes, row, scrolling, section, table
from layouts.formats import _, vintages
from layouts.formats import today as sentences
from layouts.links import PREFIX, metric_link
from layouts.restated_view import Restated
from layouts.today_query import Asked
from layouts.today_view import TodayView

NOW = f"{PREFIX}today"
MOST_RESTATED = 60

_SHOWN: dict[str, Any] = {"aria-current": "date"}
_SILENT: dict[str, Any] = {"aria-hidden": "true"}


def days(view: TodayView, asked: Asked) -> html.Nav:
    """The published days before and after the one shown, which opens a field for any day."""
    links = [
        *([_day_link(view.day_before, asked, is_next=False)] if view.day_before else []),
        _picker(view, asked),
        *([_day_link(view.day_after, asked, is_next=True)] if view.day_after else []),
    ]
    return html.Nav(links, className="days", **labelled(_("Published days")))


def _day_link(day: date, asked: Asked, *, is_next: bool) -> dcc.Link:
    written = formats.day(day)
    name = sentences.published_day(written, is_next=is_next)
    signs = [
        html.Span(written, className="date"),
        html.Span("\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"),
    ]
    if not is_next:
        signs = [html.Span("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"), signs[0]]
    return dcc.Link(
        [html.Span(signs, **_SILENT), html.Span(name, className="unseen")],
        href=asked.day_link(day),
        title=name,
    )


def _picker(view: TodayView, asked: Asked) -> html.Details:
    """A field for a day; one without a publication is answered with the newest before it."""
    shown = view.asked or view.edition.publication.as_of
    form = asking_form(
        NOW,
        date_input("as_of", _("Day"), shown, earliest=view.first_day, latest=view.last_day),
        button=_("Show"),
        hidden=asked.words(),
    )
    date_shown = html.Span(formats.day(view.edition.publication.as_of), **_SHOWN)
    name = html.Span(_("another day"), className="unseen")
    return html.Details(
        [html.Summary([date_shown, name]), html.Div([form, html.P(sentences.days_there_are(view))])],
        className="pick-day",
    )


def remarks(view: TodayView) -> list[html.P]:
    """What must be known before the numbers are read: invented, an older day, provisional."""
    edition = view.edition
    pinned = " ".join(text for text in (sentences.asked_day(view), sentences.published(edition)) if text)
    said = notes(edition, formats.provisional(view.city.provisional), is_pinned_said=False)
    if not pinned:
        return said
    inside: list[Any] = [pinned]
    if edition.is_pinned:
        inside += [" ", html.A(sentences.restated_counted(view), href="#restated"), " "]
        inside.append(dcc.Link(_("Show what is published now"), href=NOW))
    return [html.P(inside, className="note pinned"), *said]


def restated_section(view: TodayView) -> list[Component]:
    """What of a pinned page is said otherwise now; nothing on a page of now."""
    if not view.edition.is_pinned:
        return []
    title = _("Restated since")
    if not view.restated:
        return [section(title, html.P(sentences.restated_counted(view), className="card"), id="restated")]
    heads = [
        (_("Measure"), ""),
        (_("Period"), ""),
        (_("Published then"), "number-cell"),
        (_("Said now"), "number-cell"),
        (_("Why"), ""),
    ]
    rows = [_restated_row(one, view) for one in view.restated[:MOST_RESTATED]]
    shown = scrolling(
        table(sentences.restated_caption(view), heads, rows), labelled_by("restated"), "sheet scroll"
    )
    left = len(view.restated) - len(rows)
    more = [html.P(sentences.more_restated(left), className="small muted")] if left > 0 else []
    return [section(title, shown, *more, id="restated")]


def _restated_row(one: Restated, view: TodayView) -> html.Tr:
    name: Component | str = _("The city's score")
    if one.metric is not None:
        name = dcc.Link(one.metric.name, href=metric_link(view.edition, one.metric.id))
    why = sentences.why_restated(one)
    if one.change is not None:
        why = f"{vintages.kind_word(one.change.kind)}: {why}"
    return row(
        name,
        (formats.short_period(one.period), ""),
        (sentences.as_read(one.metric, one.then), "number-cell"),
        (sentences.as_read(one.metric, one.now), "number-cell"),
        (html.Span(why, dir="auto"), "small"),
    )
