"""The mayor's page: one sentence, four windows, what needs attention, why the score moved, every metric."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Role
from layouts.boston_board import boston
from layouts.boston_view import boston_view
from layouts.company_section import company_section
from layouts.components import colophon
from layouts.desk import at_hand
from layouts.formats import _, signals
from layouts.manual_section import reminder
from layouts.public import asking
from layouts.public.answer import NothingPublished, Refusal
from layouts.public.asking import opened
from layouts.staff import staff_page
from layouts.today_board import departments, every_metric, tools
from layouts.today_days import NOW, days, remarks, restated_section
from layouts.today_overview import overview
from layouts.today_query import Asked, asked_of, given_words
from layouts.today_view import TodayView, today_view
from layouts.views import CityView
from store import publications
from store.withheld import Audience


def title() -> str:
    """The name of the page in the browser's tab."""
    return f"{_('Today')} | {at_hand().catalogue.city.name}"


dash.register_page(__name__, path="/today", title=title)


@staff_page(Role.VIEWER)
def layout(**query: Any) -> html.Div:
    """The page for the current publication, or the one named by `publication=` or `as_of=`."""
    given = given_words(query)
    try:
        asked = asked_of(given)
        with opened(at_hand(), given, Audience.STAFF) as (connection, edition):
            view = today_view(connection, edition, asking.day(given, "as_of"))
            due = reminder(connection)
            scores = boston_view(connection, view.city) if asked.is_boston else None
    except Refusal as refusal:
        return html.Div(_refused(refusal, given))
    except NothingPublished:
        return html.Div(
            [
                html.H1(_("Nothing has been published yet")),
                html.P(html.A(_("How far the first loading is"), href="/"), className="lead"),
            ]
        )
    if scores is None:
        board = every_metric(view.city, asked)
    else:
        board = boston(scores, tools(view.city, asked), asked.wanted)
    return html.Div(_page(view, asked, due, board), className="today")


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


def _page(view: TodayView, asked: Asked, due: list[Any], board: list[html.Section]) -> list[Any]:
    city, edition = view.city, view.edition
    return [
        html.H1(formats.headline(city)),
        html.Div([_lead(city), days(view, asked)], className="opening-line"),
        html.Div(remarks(view), className="notes"),
        *due,
        *overview(view),
        *restated_section(view),
        *board,
        *company_section(view.sure, edition),
        *departments(city),
        colophon(edition),
    ]


def _lead(city: CityView) -> html.P:
    """What the numbers mean, and how many measures show a signal beside how many would by chance."""
    meaning = _("1.00 = target.")
    told = signals.tally(city.tally, is_pinned=city.edition.is_pinned) if city.tally else ""
    period = formats.period(city.composite.period) if city.composite else ""
    said = f"{period} · {meaning}" if period else meaning
    return html.P([said, *([html.Span(f" {told}", className="full")] if told else [])], className="lead")
