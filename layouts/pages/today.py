"""The mayor's page: one sentence, four windows, why the score moved, what needs attention, every metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash
from dash import dcc, html

from layouts import formats
from layouts.access import Role
from layouts.charts.small import sparkline
from layouts.components import (
    board,
    chip,
    colophon,
    drawing,
    labelled_by,
    notes,
    row,
    score_chip,
    scrolling,
    section,
    small_score,
    table,
    tile,
)
from layouts.desk import at_hand
from layouts.formats import Level, _
from layouts.links import department_link
from layouts.public.answer import NothingPublished, Refusal
from layouts.public.asking import opened
from layouts.staff import PREFIX, staff_page
from layouts.views import CityView, DepartmentLine, Edition, Line, city_view
from metrics.model import Catalogue, Grain

METRIC = f"{PREFIX}metric/"


def title() -> str:
    """The name of the page in the browser's tab."""
    return f"{_('Today')} | {at_hand().catalogue.city.name}"


dash.register_page(__name__, path="/today", title=title)


@staff_page(Role.READER)
def layout(**query: Any) -> html.Div:
    """The page for the current publication, or the one named by `publication=` or `as_of=`."""
    try:
        with opened(at_hand(), _pins(query)) as (connection, edition):
            view = city_view(connection, edition, public_only=False)
    except Refusal as refusal:
        return html.Div([html.H1(refusal.title), html.P(refusal.detail, className="lead")])
    except NothingPublished:
        return html.Div(
            [
                html.H1(_("Nothing has been published yet")),
                html.P(html.A(_("How far the first loading is"), href="/"), className="lead"),
            ]
        )
    return html.Div(_page(view))


def _pins(query: dict[str, Any]) -> dict[str, str]:
    return {word: str(query[word]) for word in ("publication", "as_of") if word in query}


def _page(view: CityView) -> list[Any]:
    edition = view.edition
    period = formats.period(view.composite.period) if view.composite else ""
    return [
        html.H1(formats.headline(view)),
        html.P(
            f"{period} · {_('1.00 means on target.')}" if period else _("1.00 means on target."),
            className="lead",
        ),
        *notes(edition, formats.provisional(view.provisional)),
        html.Ul(
            [
                tile(grain, view.composites.get(grain), edition.catalogue, opening=grain is view.opening)
                for grain in Grain
            ],
            className="tiles",
            role="list",
        ),
        html.Div(
            [_attention(view), _why_moved(view), *_unheard(view)],
            className="columns section",
        ),
        *_every_service(view, period),
        *_departments(view),
        *_conditions(view, period),
        colophon(edition),
    ]


def _attention(view: CityView) -> html.Section:
    catalogue = view.edition.catalogue
    rows = [_attention_row(line, catalogue) for line in view.lowest]
    if not rows:
        text = _("No service with a score is below its target.")
        return section(_("Needs attention"), html.P(text, className="card"), id="attention")
    return section(
        _("Needs attention"),
        html.Ul(rows, className="card plain rows"),
        id="attention",
        beside=_("The lowest scores below target"),
    )


def _attention_row(line: Line, catalogue: Catalogue) -> html.Li:
    score = line.score.score if line.score else None
    return html.Li(
        [
            html.H3(dcc.Link(line.metric.name, href=f"{METRIC}{line.metric.id}")),
            html.P([score_chip(line.score), " ", html.B(formats.score(score))]),
            html.P(f"{formats.finding(line, catalogue)} {line.department}.", className="small muted"),
            drawing(sparkline(line.recent, formats.sparkline_text(line))),
        ],
        className="attention",
    )


def _why_moved(view: CityView) -> html.Section:
    parts = formats.printed_parts(view)
    sentence = html.P(formats.why_moved(view))
    if not parts:
        return section(_("Why the score moved"), html.Div(sentence, className="card"), id="moved")
    composite = view.composite
    movement = formats.movement(composite) if composite else None
    rows = [
        row(
            dcc.Link(formats.part_text(part), href=f"{METRIC}{part.metric.id}")
            if part.metric
            else formats.part_text(part),
            (formats.signed(part.amount), "number-cell"),
        )
        for part in parts
    ]
    if movement is not None:
        rows.append(row(_("All together"), (formats.signed(movement.amount), "number-cell"), className="sum"))
    heads = [(_("Where it comes from"), ""), (_("Change"), "number-cell")]
    card = html.Div(
        [sentence, table(_("The parts add up to the change"), heads, rows)], className="card scroll"
    )
    return section(_("Why the score moved"), card, id="moved")


def _unheard(view: CityView) -> list[html.Section]:
    if not view.unheard:
        return []
    rows = [
        html.Li(
            [
                dcc.Link(line.metric.name, href=f"{METRIC}{line.metric.id}"),
                " ",
                score_chip(line.score),
                " ",
                html.Span(
                    formats.reason(line.score.reason, view.edition.catalogue) if line.score else "",
                    className="muted small",
                ),
            ]
        )
        for line in view.unheard
    ]
    return [
        section(_("Late or missing"), html.Ul(rows, className="card plain rows"), id="unheard"),
    ]


def _every_service(view: CityView, period: str) -> list[html.Section]:
    if not view.services:
        return []
    caption = _("Every service, {period}").format(period=period)
    shown = board(view, view.services, caption)
    return [section(_("Every service"), shown, _key(), id="services", beside=_("Lowest score first"))]


def _key() -> html.Ul:
    chips = [html.Li(chip(level, formats.level_word(level))) for level in Level]
    return html.Ul(chips, className="key table-foot", role="list")


def _conditions(view: CityView, period: str) -> list[html.Section]:
    if not view.conditions:
        return []
    caption = _("Conditions of the city, {period}").format(period=period)
    beside = _("Conditions stand beside the city's score, never inside it.")
    shown = board(view, view.conditions, caption)
    return [section(_("How the city is doing"), shown, id="conditions", beside=beside)]


def _departments(view: CityView) -> list[html.Section]:
    asked = [one for one in view.departments if any(part.total for part in one.composites.values())]
    if len(asked) < 2:
        return []
    grains: Sequence[Grain] = list(Grain)
    heads = [
        (_("Department"), ""),
        (_("On target"), ""),
        *((formats.grain_word(grain), "number-cell") for grain in grains),
    ]
    rows = [_department_row(one, view.opening, grains, view.edition) for one in asked]
    shown = table(_("The score of each department's services"), heads, rows)
    card = scrolling(shown, labelled_by("departments"), "sheet scroll")
    return [section(_("Departments"), card, id="departments")]


def _department_row(
    one: DepartmentLine, opening: Grain | None, grains: Sequence[Grain], edition: Edition
) -> html.Tr:
    shown = one.composites.get(opening) if opening else None
    counted = formats.on_target(shown) if shown and shown.total else formats.NOTHING
    if shown and shown.total and shown.score is None:
        counted = f"{counted} · {formats.reason(shown.reason, edition.catalogue)}"
    scores = ((small_score(one.composites.get(grain)), "number-cell") for grain in grains)
    name = dcc.Link(one.name, href=department_link(edition, one.id))
    return row(name, (counted, ""), *scores)
