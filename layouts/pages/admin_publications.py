"""Publications: the list of them, to publish now, and to say final scores again with a reason."""

from __future__ import annotations

from datetime import date
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from layouts import formats, forms
from layouts.access import Need, Role, is_allowed
from layouts.components import labelled, labelled_by, row, scrolling, section, table
from layouts.desk import at_hand
from layouts.formats import _
from layouts.formats import publishing as say
from layouts.formats import sources as of_requests
from layouts.links import PREFIX
from layouts.request_section import EVERY
from layouts.room_parts import room_crumbs, texts
from layouts.source_parts import facts
from layouts.staff import staff_page
from metrics.model import City, Publication
from metrics.periods import local_day
from store import publication_requests, publications, requests
from store.engine import reading
from store.publication_requests import LONGEST_REASON, PUBLISH
from store.requests import Request

TOLD, POLL, NUMBER = "publish-told", "publish-poll", "publish-number"
SHOWN = 20


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city.name
    return f"{_('Publications')} | {city}" if is_allowed(Need(Role.APPROVER)) else city


dash.register_page(__name__, path="/admin/publications", title=title)


@staff_page(Role.APPROVER)
def layout(**query: Any) -> html.Div:
    """Publications, newest first; `before=` shows older ones, `request=` follows one that was asked for."""
    desk, words = at_hand(), texts(query)
    with reading(desk.engine) as connection:
        current = publications.current(connection)
        found = publications.page(connection, SHOWN + 1, _number(words.get("before")))
        wanted = _number(words.get("request"))
        request = requests.get(connection, wanted) if wanted is not None else None
        waiting = [one for one in publication_requests.newest(connection) if one.finished_at is None]
    if request is None or request.kind != PUBLISH:
        request = next(iter(waiting), None)
    city = desk.catalogue.city
    stands = current.publication if current else None
    head = [
        room_crumbs(_("Publications")),
        html.H1(say.headline(stands)),
        *([html.P(say.made_at(stands, city), className="lead")] if stands else []),
    ]
    today = local_day(city, desk.clock())
    return html.Div(
        [
            *head,
            *([_request(request, city)] if request else []),
            section(_("Publish"), _doing(today), id="publish"),
            *([_list(found, city)] if found else []),
        ]
    )


@dash.callback(
    dash.Output(TOLD, "children"),
    dash.Output(POLL, "disabled"),
    dash.Input(POLL, "n_intervals"),
    dash.State(NUMBER, "data"),
    prevent_initial_call=True,
)
@staff_page(Role.APPROVER)
def follow_publication(_looks: int | None, number: Any) -> tuple[list[Component], bool]:
    """How far a publication that was asked for is now, and whether that is over."""
    desk = at_hand()
    with reading(desk.engine) as connection:
        found = requests.get(connection, number) if isinstance(number, int) else None
    if found is None or found.kind != PUBLISH:
        raise PreventUpdate
    return _told(found, desk.catalogue.city), found.finished_at is not None


def _number(given: str | None) -> int | None:
    text = given or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


def _request(request: Request, city: City) -> html.Section:
    return html.Section(
        [
            html.Div(html.H2(_("What was asked for"), id="request"), className="section-head"),
            html.Div(_told(request, city), id=TOLD, className="card", role="status"),
            dcc.Interval(id=POLL, interval=EVERY, disabled=request.finished_at is not None),
            dcc.Store(id=NUMBER, data=request.id),
        ],
        **labelled_by("request"),
    )


def _told(request: Request, city: City) -> list[Component]:
    lines: list[Component] = [
        html.H3(say.request_title(request), id="request-state"),
        html.P(of_requests.request_asked(request, city), className="small muted"),
    ]
    if request.arguments.get("reason"):
        lines.append(html.P(str(request.arguments["reason"]), className="words"))
    if request.finished_at is None:
        sentence = of_requests.request_sentence(request)
        return [*lines, *([html.P(sentence, className="words")] if sentence else [])]
    words = request.result or {}
    lines.append(html.P(say.result_sentence(words), className="words"))
    counts = say.result_counts(words)
    if counts:
        lines.append(facts(counts))
    lines.append(html.P(html.A(_("Show the list as it is now"), href=f"{PREFIX}admin/publications")))
    return lines


def _doing(today: date) -> Component:
    now = forms.form(
        "publish_now",
        forms.optional(
            forms.day_field(
                "as_of",
                _("For the day"),
                latest=today,
                hint=_(
                    "Left out: the newest there can be. One for an earlier day never becomes the current one."
                ),
            )
        ),
        button=_("Publish now"),
    )
    again = forms.form(
        "restate",
        forms.line_field(
            "reason",
            _("Why final scores are said again"),
            most=LONGEST_REASON,
            hint=_("It stands in public beside every score that changes, with your name."),
        ),
        button=_("Restate"),
    )
    hint = _("It takes a reason where definitions have changed final scores; both numbers stay visible.")
    return html.Div(
        [
            forms.shown(now),
            html.P(hint, className="small muted"),
            forms.shown(forms.folded(_("Say final scores again: a restatement"), again)),
        ],
        className="card",
    )


def _list(found: list[Publication], city: City) -> Component:
    name = _("Publications, the newest first")
    heads = [(_("Number"), ""), (_("For the day"), ""), (_("Made"), ""), (_("Rank"), ""), (_("Reason"), "")]
    rows = [_row(one, city) for one in found[:SHOWN]]
    shown = scrolling(table(name, heads, rows), labelled(name), "sheet scroll")
    inside: list[Component] = [shown]
    if len(found) > SHOWN:
        older = f"{PREFIX}admin/publications?before={found[SHOWN - 1].id}"
        way = dcc.Link(_("Older ones"), href=older)
        inside.append(html.Nav(way, className="ways", **labelled(_("Pages"))))
    return section(_("All publications"), *inside, id="publications")


def _row(one: Publication, city: City) -> html.Tr:
    link = dcc.Link(str(one.id), href=f"{PREFIX}today?publication={one.id}")
    return row(
        link,
        (formats.day(one.as_of), ""),
        (formats.instant(one.published_at, city), ""),
        (say.kind(one), ""),
        (one.reason or formats.NOTHING, "said-cell" if one.reason else ""),
    )
