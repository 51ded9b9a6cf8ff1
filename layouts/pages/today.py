"""The mayor's page: one sentence, four windows, what needs attention, why the score moved, every metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Role
from layouts.charts.small import change_bar, sparkline
from layouts.company_section import company_section
from layouts.components import (
    chip,
    colophon,
    drawing,
    labelled,
    labelled_by,
    notes,
    row,
    score_chip,
    scrolling,
    section,
    signs_key,
    small_score,
    table,
    tile,
)
from layouts.desk import at_hand
from layouts.formats import Level, PrintedPart, _, signals
from layouts.formats import today as sentences
from layouts.links import PREFIX, department_link, metric_link, today_link
from layouts.manual_section import reminder
from layouts.public import asking
from layouts.public.answer import NothingPublished, Refusal
from layouts.public.asking import PIN, opened
from layouts.scoreboard import board
from layouts.staff import staff_page
from layouts.today_view import (
    MOST_PARTS,
    MOST_SILENT,
    Grouping,
    Improvement,
    Silence,
    TodayView,
    today_view,
)
from layouts.views import CityView, DepartmentLine, Edition, Line
from layouts.written_section import beside
from metrics.model import Grain, Metric
from store import publications
from store.withheld import Audience

WORDS = (*PIN, "group", "q")
"""What the address of the page may say."""

NOW = f"{PREFIX}today"

SHOWN: dict[str, Any] = {"aria-current": "date"}
SILENT: dict[str, Any] = {"aria-hidden": "true"}


def title() -> str:
    """The name of the page in the browser's tab."""
    return f"{_('Today')} | {at_hand().catalogue.city.name}"


dash.register_page(__name__, path="/today", title=title)


@staff_page(Role.VIEWER)
def layout(**query: Any) -> html.Div:
    """The page for the current publication, or the one named by `publication=` or `as_of=`."""
    given = {word: str(query[word]) for word in WORDS if word in query}
    try:
        by = _grouping(given)
        with opened(at_hand(), given, Audience.STAFF) as (connection, edition):
            view = today_view(connection, edition, asking.day(given, "as_of"))
            due = reminder(connection)
    except Refusal as refusal:
        return html.Div(_refused(refusal, given))
    except NothingPublished:
        return html.Div(
            [
                html.H1(_("Nothing has been published yet")),
                html.P(html.A(_("How far the first loading is"), href="/"), className="lead"),
            ]
        )
    opening, remarks, *rest = _page(view, by, given.get("q", ""))
    return html.Div([opening, remarks, *due, *rest], className="today")


def _grouping(given: Mapping[str, str]) -> Grouping:
    text = given.get("group", Grouping.NEED)
    if text not in list(Grouping):
        detail = sentences.one_of(list(Grouping), "group", text)
        raise Refusal(400, _("This cannot be answered"), detail)
    return Grouping(text)


def _refused(refusal: Refusal, given: Mapping[str, str]) -> list[Component]:
    """Why there is no such page, and the ways to pages there are."""
    ways = [dcc.Link(_("Show what is published now"), href=NOW)]
    first = _first_day() if refusal.status == 404 and "as_of" in given else None
    if first is not None:
        text = _("Show the first published day, {day}").format(day=formats.day(first))
        ways.append(dcc.Link(text, href=f"{NOW}?as_of={first}"))
    return [
        html.H1(refusal.title),
        html.P(refusal.detail, className="lead"),
        html.P(ways, className="ways"),
    ]


def _first_day() -> date | None:
    with at_hand().open() as (connection, _now):
        return publications.days_around(connection, date.min)[1]


def _page(view: TodayView, by: Grouping, wanted: str) -> list[Any]:
    city, edition = view.city, view.edition
    period = formats.period(city.composite.period) if city.composite else ""
    return [
        html.Div(
            [
                html.Div([html.H1(formats.headline(city)), _lead(city, period)]),
                _days(view),
            ],
            className="opening-line",
        ),
        html.Div(_notes(view), className="notes"),
        *_overview(view),
        *_every_metric(city, period, by, wanted),
        *company_section(view.sure, edition),
        *_departments(city),
        colophon(edition),
    ]


def _lead(city: CityView, period: str) -> html.P:
    """What the numbers mean, and how many measures show a signal beside how many would by chance."""
    meaning = _("1.00 means on target.")
    told = signals.tally(city.tally, is_pinned=city.edition.is_pinned) if city.tally else ""
    said = f"{period} · {meaning}" if period else meaning
    return html.P(" ".join(text for text in (said, told) if text), className="lead")


# --- which day ---------------------------------------------------------------------------------


def _days(view: TodayView) -> html.Nav:
    """The published days before and after the one shown."""
    shown = html.Span(formats.day(view.edition.publication.as_of), **SHOWN)
    links = [
        *([_day_link(view.day_before, is_next=False)] if view.day_before else []),
        shown,
        *([_day_link(view.day_after, is_next=True)] if view.day_after else []),
    ]
    return html.Nav(links, className="days", **labelled(_("Published days")))


def _day_link(day: date, *, is_next: bool) -> dcc.Link:
    written = formats.day(day)
    name = sentences.published_day(written, is_next=is_next)
    signs = [
        html.Span(written, className="date"),
        html.Span("\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"),
    ]
    if not is_next:
        signs = [html.Span("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"), signs[0]]
    return dcc.Link(
        [html.Span(signs, **SILENT), html.Span(name, className="unseen")],
        href=f"{NOW}?as_of={day}",
        title=name,
    )


def _notes(view: TodayView) -> list[html.P]:
    """What must be known before the numbers are read: invented, an older day, provisional."""
    pinned = " ".join(text for text in (sentences.asked_day(view), sentences.published(view.edition)) if text)
    said = notes(view.edition, formats.provisional(view.city.provisional), is_pinned_said=False)
    if not pinned:
        return said
    inside: list[Any] = [pinned]
    if view.edition.is_pinned:
        inside += [" ", dcc.Link(_("Show what is published now"), href=NOW)]
    return [html.P(inside, className="note pinned"), *said]


# --- one screen ----------------------------------------------------------------------------------


def _overview(view: TodayView) -> list[Component]:
    city = view.city
    if not city.services and not city.conditions:
        return [html.P(sentences.empty_city(), className="card section")]
    return [
        html.Div(
            [
                *_windows(city)[:1],
                _attention(view),
                *_windows(city)[1:],
                _why_moved(city),
                html.Div([_improving(view), _missing(view)], className="side"),
            ],
            className="overview",
        )
    ]


def _windows(city: CityView) -> list[html.Ul]:
    """The window the page opens on by itself, then the others."""
    catalogue = city.edition.catalogue
    opening = city.opening or Grain.WEEK
    first = tile(opening, city.composites.get(opening), catalogue, opening=True)
    others = [
        tile(grain, city.composites.get(grain), catalogue, opening=False)
        for grain in Grain
        if grain is not opening
    ]
    return [
        html.Ul([first], className="tiles first", role="list"),
        html.Ul(others, className="tiles others", role="list", **labelled(sentences.windows_but(opening))),
    ]


def _attention(view: TodayView) -> html.Section:
    city = view.city
    rows = [_attention_row(line, view) for line in city.lowest]
    inside = html.Ul(rows, className="plain rows") if rows else html.P(sentences.no_attention(city))
    rule = sentences.attention_rule() if rows else ""
    return _part(_("Needs attention"), inside, id="attention", beside=rule)


def _attention_row(line: Line, view: TodayView) -> html.Li:
    city = view.city
    score = line.score.score if line.score else None
    catalogue = city.edition.catalogue
    missed = sentences.how_often_missed(line, city.opening or Grain.WEEK)
    return html.Li(
        [
            _name(city.edition, line.metric),
            html.P([score_chip(line.score), " ", html.B(formats.score(score))]),
            html.P(f"{formats.finding(line, catalogue)} {missed}", className="small muted"),
            html.P(
                dcc.Link(
                    sentences.who(line),
                    href=f"{metric_link(city.edition, line.metric.id)}#notes",
                    className="said-beside",
                ),
                className="small muted",
            ),
            *beside(view.written, line.metric),
            drawing(sparkline(line.recent, formats.sparkline_text(line))),
        ],
        className="attention",
    )


def _improving(view: TodayView) -> html.Section:
    rows = [_improving_row(one, view.edition) for one in view.improving]
    inside = html.Ul(rows, className="plain rows") if rows else html.P(sentences.no_improvement(view.city))
    rule = sentences.improving_rule() if rows else ""
    return _part(_("Improving"), inside, id="improving", beside=rule)


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
    return html.Li(
        [
            _name(edition, one.line.metric),
            html.P([score_chip(one.score), " ", html.Span(sentences.silence(one), className="small")]),
            html.P(formats.reason(one.score.reason, edition.catalogue), className="small muted"),
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


# --- why it moved --------------------------------------------------------------------------------


def _why_moved(city: CityView) -> html.Section:
    parts = formats.printed_parts(city)
    inside: list[Component] = [html.P(formats.why_moved(city))]
    if parts:
        short = sentences.largest_parts(parts, MOST_PARTS)
        inside.append(_parts_table(city, short, _("The parts add up to the change")))
        if len(short) < len(parts):
            inside.append(
                html.Details(
                    [
                        html.Summary(_("Every part")),
                        _parts_table(city, parts, _("Every part of the change")),
                    ]
                )
            )
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


# --- every metric --------------------------------------------------------------------------------


def _every_metric(city: CityView, period: str, by: Grouping, wanted: str) -> list[html.Section]:
    found: list[html.Section] = []
    if city.services:
        caption = _("Every service, {period}").format(period=period)
        shown = board(city, city.services, caption, by)
        found.append(section(_("Every service"), _tools(city, by, wanted), shown, _key(), id="services"))
    if city.conditions:
        caption = _("Conditions of the city, {period}").format(period=period)
        beside = _("Conditions stand beside the city's score, never inside it.")
        tools = [] if city.services else [_tools(city, by, wanted)]
        shown = board(city, city.conditions, caption, by)
        found.append(section(_("How the city is doing"), *tools, shown, id="conditions", beside=beside))
    return found


def _tools(city: CityView, by: Grouping, wanted: str) -> html.Div:
    """How the rows are grouped, and a field that filters them by name (assets/pages.js)."""
    return html.Div(
        [
            html.Nav(
                [_grouping_link(city, one, by) for one in Grouping],
                className="switch",
                **labelled(_("Order")),
            ),
            html.Div(
                [
                    html.Label(_("Filter by name"), htmlFor="filter"),
                    dcc.Input(id="filter", name="q", type="search", value=wanted, className="filters"),
                    html.Span(id="filtered", role="status", className="small muted", **_said()),
                ],
                className="filter",
                role="search",
            ),
        ],
        className="tools",
    )


def _said() -> dict[str, Any]:
    return {"data-said": sentences.matching()}


def _grouping_link(city: CityView, one: Grouping, by: Grouping) -> dcc.Link:
    query = {} if one is Grouping.NEED else {"group": str(one)}
    return dcc.Link(
        sentences.grouping_word(one),
        href=today_link(city.edition, part="services", **query),
        className="chosen" if one is by else None,
    )


def _key() -> html.Div:
    chips = [html.Li(chip(level, formats.level_word(level))) for level in Level]
    return html.Div(
        [html.Ul(chips, className="key", role="list"), signs_key()],
        className="table-foot",
    )


# --- departments ---------------------------------------------------------------------------------


def _departments(city: CityView) -> list[html.Section]:
    asked = [one for one in city.departments if any(part.total for part in one.composites.values())]
    if len(asked) < 2:
        return []
    heads = [
        (_("Department"), ""),
        (_("On target"), ""),
        *((formats.grain_word(grain), "number-cell") for grain in Grain),
    ]
    rows = [_department_row(one, city) for one in asked]
    shown = table(_("The score of each department's services"), heads, rows, className="departments")
    card = scrolling(shown, labelled_by("departments"), "sheet scroll")
    return [section(_("Departments"), card, id="departments")]


def _department_row(one: DepartmentLine, city: CityView) -> html.Tr:
    """A department's scores; why it has none stands under its name."""
    shown = one.composites.get(city.opening) if city.opening else None
    counted = formats.on_target(shown) if shown and shown.total else formats.NOTHING
    name: list[Component] = [dcc.Link(one.name, href=department_link(city.edition, one.id))]
    if shown and shown.total and shown.score is None:
        why = formats.reason(shown.reason, city.edition.catalogue)
        name.append(html.Span(why, className="muted"))
    made = row(name, (counted, "counted"))
    made.children.extend(_department_cell(one, grain) for grain in Grain)
    return made


def _department_cell(one: DepartmentLine, grain: Grain) -> html.Td:
    named: dict[str, Any] = {"data-grain": formats.grain_word(grain)}
    return html.Td(small_score(one.composites.get(grain)), className="number-cell", role="cell", **named)
