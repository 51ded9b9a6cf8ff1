"""One department: how many of its measures are on target, why that moved, each of them, its sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.breach_section import department_breaches
from layouts.breach_view import BreachView, breach_views
from layouts.charts.multiples import multiple
from layouts.company_section import company_section
from layouts.components import (
    chip,
    colophon,
    drawing,
    notes,
    row,
    score_chip,
    section,
    table,
    tile,
)
from layouts.demand_section import demand_section
from layouts.demand_view import DemandView, demand_view
from layouts.department_view import DepartmentView, SourceKnown, department_view
from layouts.desk import at_hand
from layouts.formats import Level, _, captions, departments
from layouts.formats import notes as promised
from layouts.links import metric_link, records_link
from layouts.page_parts import crumbs, no_page, refused
from layouts.public.answer import NothingPublished, Refusal
from layouts.public.asking import PIN, opened
from layouts.scoreboard import board
from layouts.staff import staff_page
from layouts.views import Line
from layouts.written_section import written_section
from metrics.model import Department, Grain, Status
from store.withheld import Audience


def title(department_id: str = "") -> str:
    """The name of the department in the browser's tab, for whoever may read it."""
    desk = at_hand()
    found = _known(department_id) if is_allowed(Need(Role.VIEWER)) else None
    return f"{found.name} | {desk.catalogue.city.name}" if found else desk.catalogue.city.name


def exists(department_id: str) -> bool:
    """Whether the current publication knows the department."""
    return _known(department_id) is not None


dash.register_page(__name__, path_template="/department/<department_id>", title=title, exists=exists)


@staff_page(Role.VIEWER)
def layout(department_id: str = "", **query: Any) -> html.Div:
    """The page of a department, for the publication named or the current one."""
    given: dict[str, str] = {word: str(query[word]) for word in PIN if word in query}
    try:
        with opened(at_hand(), given, Audience.STAFF) as (connection, edition):
            department = edition.catalogue.departments.get(str(department_id))
            if department is None:
                return no_page(_("There is no such department"))
            view = department_view(connection, edition, department)
            demand = demand_view(connection, view)
            due = breach_views(connection, edition, [line.metric for line in view.lines])
    except Refusal as refusal:
        return refused(refusal)
    except NothingPublished:
        return no_page(_("Nothing has been published yet"))
    return html.Div(_page(view, due, demand))


def _known(department: str) -> Department | None:
    with at_hand().open() as (_connection, now):
        return now.catalogue.departments.get(department) if now else None


def _page(view: DepartmentView, due: Sequence[BreachView], demand: DemandView | None) -> list[Any]:
    scores, edition = view.scores, view.edition
    return [
        crumbs(edition, view.department.name),
        html.H1(departments.headline(view)),
        html.P(_lead(view), className="lead"),
        *notes(edition, departments.late_measures_note(view), formats.provisional(scores.provisional)),
        *_windows(view),
        *_why_and_sources(view),
        *written_section(view.written),
        *demand_section(demand),
        *_pictures(view),
        *department_breaches(due),
        *_every_measure(view),
        *company_section(view.sure, edition),
        *_context(view),
        colophon(edition),
    ]


def _lead(view: DepartmentView) -> str:
    composite = view.scores.composite
    texts = [
        formats.period(composite.period) if composite else "",
        departments.head(view),
        promised.due_headline(view.written.open_actions, view.written.today),
        _("1.00 means on target."),
    ]
    return " · ".join(text for text in texts if text)


def _windows(view: DepartmentView) -> list[html.Ul]:
    if not view.scores.services:
        return []
    return [html.Ul([_window(view, grain) for grain in Grain], className="tiles", role="list")]


def _window(view: DepartmentView, grain: Grain) -> html.Li:
    scores = view.scores
    composite = scores.composites.get(grain)
    made = tile(grain, composite, scores.edition.catalogue, opening=grain is scores.opening)
    if composite is not None and composite.total:
        before = departments.year_before(view.composites_before.get(grain))
        made.children.append(html.P(before, className="line year-before"))
    return made


# --- why it moved, and how fresh it is -----------------------------------------------------------


def _why_and_sources(view: DepartmentView) -> list[html.Div]:
    parts = [*_why_moved(view), *_sources(view)]
    return [html.Div(parts, className="columns section")] if parts else []


def _why_moved(view: DepartmentView) -> list[html.Section]:
    if not view.scores.services:
        return []
    inside: list[Component] = [html.P(formats.why_moved(view.scores))]
    printed = formats.printed_parts(view.scores)
    composite = view.scores.composite
    movement = formats.movement(composite) if composite else None
    if printed and movement is not None:
        rows = [_part_row(view, part) for part in printed]
        rows.append(row(_("All together"), (formats.signed(movement.amount), "number-cell"), className="sum"))
        heads = [(_("Where it comes from"), ""), (_("Change"), "number-cell")]
        inside.append(table(_("The parts add up to the change"), heads, rows))
    return [section(_("Why the score moved"), html.Div(inside, className="card scroll"), id="moved")]


def _part_row(view: DepartmentView, part: formats.PrintedPart) -> html.Tr:
    text = formats.part_text(part)
    head = dcc.Link(text, href=metric_link(view.edition, part.metric.id)) if part.metric else text
    return row(head, (formats.signed(part.amount), "number-cell"))


def _sources(view: DepartmentView) -> list[html.Section]:
    if not view.sources:
        return []
    rows = [_source_row(view, known) for known in view.sources]
    shown = html.Ul(rows, className="plain rows")
    everything = html.P(html.A(_("Every source of the city, right now"), href="/status"), className="small")
    card = html.Div([shown, everything], className="card")
    return [section(_("How fresh its data are"), card, id="sources")]


def _source_row(view: DepartmentView, known: SourceKnown) -> html.Li:
    is_late = known.known_until is None or bool(known.late)
    state = chip(Level.NONE, formats.status_word(Status.LATE)) if is_late else chip(Level.ON, _("On time"))
    waiting = departments.late_measures(known)
    return html.Li(
        [
            html.P([html.B(known.source.name), " ", state]),
            html.P(departments.freshness(known, view), className="small muted"),
            *([html.P(waiting, className="small muted")] if waiting else []),
        ]
    )


# --- its measures --------------------------------------------------------------------------------


def _pictures(view: DepartmentView) -> list[html.Section]:
    shown = view.scores.services
    if not shown or view.scores.opening is None:
        return []
    name = _("Its measures, {daily}").format(daily=formats.how_often(view.scores.opening))
    beside = _("Line: value. Dashed: target in force. Hollow: may still change.")
    compared = html.P(departments.compared_period(view), className="small muted table-foot")
    return [section(name, _cards(view, shown), compared, id="pictures", beside=beside)]


def _cards(view: DepartmentView, lines: tuple[Line, ...]) -> html.Ul:
    return html.Ul([_card(view, line) for line in lines], className="multiples", role="list")


def _card(view: DepartmentView, line: Line) -> html.Li:
    """A metric's picture under its name; a long name is clipped and whole in its title."""
    edition, grain = view.edition, view.scores.opening or Grain.WEEK
    name = dcc.Link(
        line.metric.name,
        href=metric_link(edition, line.metric.id, grain=grain),
        title=line.metric.name,
        className="clipped",
    )
    text = departments.multiple_text(line, grain)
    return html.Li(
        [
            html.H3(name, dir="auto"),
            html.P(_standing(line), className="figures"),
            drawing(multiple(line.metric, line.recent, text)),
            *(html.P(said, className="small muted") for said in _beneath(view, line)),
            *_records(view, line),
        ],
        className="card",
    )


def _records(view: DepartmentView, line: Line) -> list[html.P]:
    """The way to the records behind a value, for those who work with them."""
    if line.score is None or line.score.value is None:
        return []
    if not is_allowed(Need(Role.EDITOR, line.metric.department)):
        return []
    link = dcc.Link(_("See the records"), href=records_link(view.edition, line.score))
    return [html.P(link, className="small")]


def _standing(line: Line) -> list[Any]:
    score = line.score
    if score is None or score.score is None:
        return [score_chip(score)]
    marks = captions.marks(score)
    said = [html.Span(f" {marks}", className="mark-small")] if marks else []
    return [html.B(formats.score(score.score)), " ", score_chip(score), *said]


def _beneath(view: DepartmentView, line: Line) -> list[str]:
    """What a value stands on, the value a year before, and why there is no score."""
    score, metric = line.score, line.metric
    before = view.scores_before.get(metric.id)
    said = [formats.parts(metric, score) if score else ""]
    if before is not None and before.value is not None:
        said.append(_("a year before {value}").format(value=departments.value_year_before(metric, before)))
    why = formats.reason(score.reason, view.edition.catalogue) if score else ""
    joined = " · ".join(text for text in said if text)
    seat = formats.late_seat(score) if score else ""
    return [text for text in (joined, departments.few_records(metric, score), why, seat) if text]


def _every_measure(view: DepartmentView) -> list[html.Section]:
    scores = view.scores
    if not scores.services:
        return []
    period = formats.period(scores.composite.period) if scores.composite else ""
    caption = _("Every service of the department, {period}").format(period=period)
    shown = html.Div(board(scores, scores.services, caption), className="own")
    return [section(_("Every service"), shown, id="services", beside=_("Lowest score first"))]


def _context(view: DepartmentView) -> list[html.Section]:
    """Volume, backlog and other conditions: what the work stands in, never part of the score."""
    lines = view.scores.conditions
    if not lines:
        return []
    beside = _("Context: shown beside the score, never inside it.")
    return [section(_("Volume, backlog and conditions"), _cards(view, lines), id="context", beside=beside)]
