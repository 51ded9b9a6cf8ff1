"""One metric for staff: where it stands, its course to explore, how its score was made, what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.breach_section import breach_section
from layouts.breach_view import BreachView, breach_view
from layouts.charts.graph import graph
from layouts.charts.plotly_line import line_figure
from layouts.compared_section import compared_section
from layouts.components import (
    colophon,
    labelled,
    labelled_by,
    metric_tile,
    notes,
    row,
    score_chip,
    scrolling,
    table,
)
from layouts.control_section import control_section
from layouts.desk import at_hand
from layouts.distribution_section import distribution_section
from layouts.district_view import GRAINS, DistrictsView, districts_view
from layouts.formats import _, company, method, vintages
from layouts.formats.freshness import how_fresh
from layouts.integrity_section import integrity_section
from layouts.integrity_view import trust_of
from layouts.links import department_link, metric_link, records_link
from layouts.metric_asked import WORDS, Asked, asked_of, checked_split
from layouts.metric_view import metric_view
from layouts.notes_section import notes_section
from layouts.notes_view import NotesView, notes_view
from layouts.page_parts import crumbs, metric_exists, metric_named, no_page, refused
from layouts.public.answer import NothingPublished, Refusal
from layouts.public.asking import PIN, opened
from layouts.reach_view import Reached, reached
from layouts.receipt import (
    ASKED,
    OPENS,
    SHOWN,
    asked_receipt,
    opened_receipt,
    receipt_link,
    receipt_section,
)
from layouts.receipt_view import receipt_of
from layouts.runs_section import MOST as MOST_RUNS
from layouts.runs_section import runs_section
from layouts.split_section import ASKED as SPLIT_ASKED
from layouts.split_section import SHOWN as SPLIT_SHOWN
from layouts.split_section import asked_split, split_section
from layouts.staff import staff_page
from layouts.views import MetricView
from layouts.vintage_section import vintage_section
from layouts.vintage_view import VintageView, vintage_view
from metrics.distribution import Distribution
from metrics.model import Metric, Score, Status, Target
from store import source_ledger, spreads
from store.engine import Connection
from store.integrity import Integrity
from store.source_ledger import Run
from store.withheld import Audience


def title(metric_id: str = "") -> str:
    """The name of the metric in the browser's tab, for whoever may read it."""
    desk = at_hand()
    found = metric_named(metric_id)
    return f"{found.name} | {desk.catalogue.city.name}" if found else desk.catalogue.city.name


dash.register_page(__name__, path_template="/metric/<metric_id>", title=title, exists=metric_exists)


@staff_page(Role.VIEWER)
def layout(metric_id: str = "", **query: Any) -> html.Div:
    """The page of a metric, at the grain in `grain=`, for the publication named or the current one.

    `start=`, the first day of a period, opens the receipt of that period; `range=` says how far back its
    chart is shown; `split=`, a column its definition names, takes its course apart.
    """
    given: dict[str, str] = {word: str(query[word]) for word in (*PIN, *WORDS) if word in query}
    try:
        asked = asked_of(given)
        start = asked.start
        with opened(at_hand(), given, Audience.STAFF) as (connection, edition):
            metric = edition.catalogue.metrics.get(str(metric_id))
            if metric is None:
                return no_page(_("There is no such metric"))
            checked_split(asked, metric)
            view = metric_view(connection, edition, metric, asked.grain)
            shown = reached(connection, view, asked)
            spread = _spread(connection, view)
            told = vintage_view(connection, view)
            trust = trust_of(connection, edition, metric)
            found = receipt_of(connection, edition, metric, view.grain, start) if start else None
            is_theirs = is_allowed(Need(Role.EDITOR, metric.department))
            due = breach_view(connection, edition, metric, oldest=is_theirs)
            about = view.score.period if view.score else None
            by_district = districts_view(
                connection, edition, metric, view.grain if view.grain in GRAINS else None
            )
            log = source_ledger.page(connection, metric.source, MOST_RUNS)
            written = notes_view(connection, edition, metric, about, view.scores)
    except Refusal as refusal:
        return refused(refusal)
    except NothingPublished:
        return no_page(_("Nothing has been published yet"))
    receipt = [opened_receipt(view, found, start)] if start else []
    return html.Div(_page(view, asked, shown, spread, told, trust, receipt, written, due, by_district, log))


@dash.callback(
    dash.Output(SHOWN, "children"),
    dash.Input(OPENS, "n_clicks"),
    dash.State(ASKED, "data"),
    prevent_initial_call=True,
)
@staff_page(Role.VIEWER)
def open_receipt(clicks: int | None, data: Any) -> Any:
    """The receipt that a page asks for when it is opened: every other click closes it."""
    if not isinstance(clicks, int) or clicks % 2 == 0:
        raise PreventUpdate
    return asked_receipt(at_hand(), data)


@dash.callback(dash.Output(SPLIT_SHOWN, "children"), dash.Input(SPLIT_ASKED, "data"))
@staff_page(Role.VIEWER)
def show_split(data: Any) -> Any:
    """The parts that a page asks for as soon as it is there."""
    return asked_split(at_hand(), data)


def _page(
    view: MetricView,
    asked: Asked,
    shown: Reached,
    spread: Distribution | None,
    told: VintageView,
    trust: Integrity,
    receipt: list[html.Section],
    written: NotesView,
    due: BreachView | None,
    by: DistrictsView | None,
    log: Sequence[Run],
) -> list[Any]:
    metric, score, edition = view.metric, view.score, view.edition
    may_change = formats.provisional(1) if score and score.status is Status.PROVISIONAL else ""
    return [
        crumbs(edition, dcc.Link(view.department, href=department_link(edition, metric.department))),
        html.H1(formats.metric_headline(view)),
        *_lead(view),
        *notes(edition, formats.not_in_headline(metric), may_change, *vintages.restated(view, told)),
        html.Ul(
            [
                metric_tile(
                    metric,
                    view.scores[grain],
                    edition.catalogue,
                    opening=grain is view.grain,
                    cases=records_link(edition, view.scores[grain]),
                )
                for grain in view.grains
            ],
            className="tiles",
            role="list",
        ),
        _on_this_page(metric, spread, by),
        *receipt,
        _course(view, told),
        control_section(view, shown, asked, written.marks),
        *split_section(edition, metric, asked),
        *distribution_section(metric, score, spread),
        *notes_section(written),
        html.Div(
            [*_worked(view), *_waits(view), _meaning(view), _targets(view)],
            className="columns section",
        ),
        *breach_section(due),
        *integrity_section(view, trust),
        *vintage_section(told),
        *runs_section(view, log),
        *([] if receipt else receipt_section(view)),
        *compared_section(by),
        colophon(edition),
    ]


def _spread(connection: Connection, view: MetricView) -> Distribution | None:
    if view.score is None:
        return None
    made, known = view.edition, view.edition.knowledge.get(view.metric.source)
    return spreads.spread(connection, made.publication, made.catalogue, known, view.metric, view.score.period)


def _on_this_page(metric: Metric, spread: Distribution | None, by: DistrictsView | None) -> html.Nav:
    """The way to the parts of a long page."""
    parts = [
        ("control", _("Signal or noise")),
        *([("split", _("By kind of record"))] if metric.split_by else []),
        *([("spread", _("How the values spread"))] if spread else []),
        *([("districts", _("By {district}").format(district=by.edition.city.district_word))] if by else []),
        ("notes", _("Notes")),
        ("meaning", _("What is measured")),
        ("targets", _("Targets")),
        ("runs", _("Runs of its source")),
    ]
    links = [html.A(text, href=f"#{id}") for id, text in parts]
    return html.Nav(links, className="jumps", **labelled(_("On this page")))


def _lead(view: MetricView) -> list[html.P]:
    score = view.score
    if score is None:
        return []
    why = formats.standing(score, view.edition.catalogue)
    said: list[Any] = [score_chip(score), " ", formats.period(score.period), f" · {why}"]
    remarks = formats.remarks(view.metric, score)
    return [html.P(said, className="lead"), *(html.P(text, className="lead") for text in remarks)]


def _course(view: MetricView, told: VintageView) -> html.Section:
    name = _("{metric}, {daily}").format(metric=view.metric.name, daily=formats.how_often(view.grain))
    links = [
        dcc.Link(
            formats.grain_word(grain),
            href=metric_link(view.edition, view.metric.id, grain=grain),
            className="chosen" if grain is view.grain else None,
        )
        for grain in view.grains
    ]
    drawn = sum(1 for score in view.past if score.value is not None) > 1
    shown = (
        graph("course-graph", line_figure(view))
        if drawn
        else html.P(_("There are not yet two periods to draw."), className="muted")
    )
    figure = html.Figure(
        [
            html.Div(
                [
                    html.H2(name, id="course"),
                    html.Nav(links, className="switch", **labelled(_("Length of a period"))),
                ],
                className="section-head",
            ),
            html.Div(shown, role="group", **labelled(formats.chart_text(view, view.past))),
            html.Figcaption(_("Line: value. Dashed: target in force. Hollow: may still change.")),
            _twin(view, told, name),
        ],
        className="card",
    )
    return html.Section(figure, **labelled_by("course"))


def _twin(view: MetricView, told: VintageView, name: str) -> html.Details:
    heads = [
        (_("Period"), ""),
        (_("Value"), "number-cell"),
        (_("Based on"), "number-cell"),
        (_("Target"), "number-cell"),
        (_("Score"), "number-cell"),
        (_("Status"), ""),
    ]
    rows = [_twin_row(view, told, score) for score in reversed(view.past)]
    return html.Details(
        [
            html.Summary(_("The same as a table")),
            scrolling(table(name, heads, rows), labelled(_("The same as a table"))),
        ]
    )


def _twin_row(view: MetricView, told: VintageView, score: Score) -> html.Tr:
    metric = view.metric
    first = vintages.first_beside(metric, score, told.first(score))
    beneath = [html.Br(), html.Span(first, className="small muted")] if first else []
    return row(
        receipt_link(view, score),
        ([formats.value_beside_target(metric, score), *beneath], "number-cell"),
        (formats.parts(metric, score), "number-cell"),
        (formats.target(metric, score.target, score.target_high), "number-cell"),
        (formats.score(score.score), "number-cell"),
        (formats.status_word(score.status), ""),
    )


def _worked(view: MetricView) -> list[html.Section]:
    steps = formats.worked_example(view.metric, view.score) if view.score else []
    if not steps or view.score is None:
        return []
    return [
        _card(
            _("How this score was made"),
            html.P(formats.period(view.score.period), className="small muted"),
            html.Ol([html.Li(step) for step in steps], className="steps"),
            id="scored",
        )
    ]


def _meaning(view: MetricView) -> html.Section:
    metric = view.metric
    facts = [
        (_("Definition"), metric.definition),
        (_("What it does not show"), metric.limitations),
        *([(_("The clock"), method.clock(metric))] if method.clock(metric) else []),
        *_complete(view),
        (
            _("How"),
            f"{formats.aggregation_words(metric)}; {formats.direction_words(metric.direction)}",
        ),
        (_("Who answers for it"), metric.owner),
        (_("Source"), view.source.name if view.source else metric.source),
        (_("How fresh"), how_fresh(view.known_until, view.edition)),
    ]
    pairs = [part for word, text in facts for part in (html.Dt(word), html.Dd(text))]
    return _card(_("What is measured"), html.Dl(pairs, className="facts"), id="meaning")


def _complete(view: MetricView) -> list[tuple[str, str]]:
    text = formats.last_mature_day(view.maturity.last_mature_day if view.maturity else None)
    return [(_("How complete"), text)] if text else []


def _waits(view: MetricView) -> list[html.Section]:
    waiting = view.maturity.waiting if view.maturity else None
    if waiting is None:
        return []
    said = [formats.time_to_close(waiting), formats.open_cases_count(waiting), formats.backlog(waiting)]
    pairs = [part for word, text in formats.waiting_facts(waiting) for part in (html.Dt(word), html.Dd(text))]
    return [
        _card(
            _("How long it takes"),
            *[html.P(text) for text in said if text],
            html.Dl(pairs, className="facts"),
            id="waits",
        )
    ]


def _targets(view: MetricView) -> html.Section:
    return _card(_("Targets"), _target_list(view.metric), *_weights(view.metric), id="targets")


def _target_list(metric: Metric) -> Component:
    if metric.historical:
        return html.P(method.own_past())
    if not metric.targets:
        return html.P(_("No target has been set."))
    rows = [_target_row(metric, target) for target in reversed(metric.targets)]
    return html.Ul(rows, className="plain rows")


def _weights(metric: Metric) -> list[Component]:
    """What a service weighs in the city's score, and since when; nothing for a condition."""
    rows = [
        html.Li(
            [company.weight_since(one), html.Br(), html.Span(company.weight_reason(one), className="muted")]
        )
        for one in reversed(metric.weights)
    ]
    if not rows:
        return []
    return [html.H3(_("Weight in the score")), html.Ul(rows, className="plain rows")]


def _target_row(metric: Metric, target: Target) -> html.Li:
    return html.Li(
        [
            html.B(formats.target_set(metric, target)),
            " ",
            _("from {day}").format(day=formats.day(target.valid_from)),
            html.Br(),
            html.Span(f"{target.reason} ({target.approved_by})", className="muted"),
        ]
    )


def _card(name: str, *children: Any, id: str) -> html.Section:
    return html.Section(html.Div([html.H2(name, id=id), *children], className="card"), **labelled_by(id))
