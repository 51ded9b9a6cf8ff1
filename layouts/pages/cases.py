"""The records behind a number of a metric: filtered, a page at a time, for those who work with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts.access import Need, Role, guarded, is_allowed, of_metric
from layouts.case_filter import case_filter
from layouts.cases_view import (
    AFTER,
    BEFORE,
    CasesView,
    cases_view,
    chosen_words,
    listed_columns,
    place_text,
)
from layouts.charts.embedded import Svg
from layouts.components import colophon, labelled, notes, row, scrolling, table
from layouts.desk import at_hand
from layouts.formats import _, case_lists
from layouts.links import case_link, cases_file_link, cases_link, metric_link
from layouts.page_parts import crumbs, metric_exists, metric_named, no_page, refused
from layouts.public.answer import NothingPublished, Refusal
from layouts.public.asking import PIN, opened
from layouts.staff import staff_page
from layouts.views import Edition
from metrics.model import Metric
from store import corrections
from store.cases import Case, Place
from store.corrections import Correction
from store.withheld import Audience


def title(metric_id: str = "") -> str:
    """The name of the metric in the browser's tab, for whoever may read it."""
    desk = at_hand()
    found = metric_named(metric_id)
    name = desk.catalogue.city.name
    return _("Records: {metric} | {city}").format(metric=found.name, city=name) if found else name


dash.register_page(__name__, path_template="/metric/<metric_id>/cases", title=title, exists=metric_exists)


@staff_page(Role.VIEWER)
def layout(metric_id: str = "", **query: Any) -> html.Div:
    """The records of the period `grain=` and `start=`; who may not see them is told whom to ask."""
    given = {word: value if isinstance(value, str) else str(value[-1]) for word, value in query.items()}
    try:
        pin = {word: given[word] for word in PIN if given.get(word)}
        with opened(at_hand(), pin, Audience.STAFF) as (connection, edition):
            metric = edition.catalogue.metrics.get(str(metric_id))
            if metric is None:
                return no_page(_("There is no such metric"))
            if not is_allowed(Need(Role.EDITOR, of_metric({"metric_id": metric.id}))):
                return _refused(edition, metric)
            view = _view(connection, edition, metric, given, metric_id=metric.id)
            return html.Div(_page(view, corrections.waiting(connection, metric.id)))
    except Refusal as refusal:
        return refused(refusal)
    except NothingPublished:
        return no_page(_("Nothing has been published yet"))


@guarded(Role.EDITOR, of_metric)
def _view(
    connection: Any, edition: Edition, metric: Metric, query: Mapping[str, str], *, metric_id: str
) -> CasesView:
    """Personal data: guarded once more, where it is read."""
    assert metric_id == metric.id, "the guard has looked at the metric that is read"
    return cases_view(connection, edition, metric, query)


def _refused(edition: Edition, metric: Metric) -> html.Div:
    heading, why = case_lists.refused(metric, edition.department_of(metric))
    back = dcc.Link(metric.name, href=metric_link(edition, metric.id))
    return html.Div([_crumbs(edition, metric), html.H1(heading), html.P(why, className="lead"), html.P(back)])


def _crumbs(edition: Edition, metric: Metric, **query: str) -> html.Nav:
    return crumbs(edition, dcc.Link(metric.name, href=metric_link(edition, metric.id, **query)), _("Records"))


def _page(view: CasesView, flags: list[Correction]) -> list[Any]:
    edition, metric = view.edition, view.metric
    period = view.score.period
    words = {"grain": str(period.grain), "start": period.start.isoformat()}
    return [
        _crumbs(edition, metric, **words),
        html.H1(case_lists.headline(view)),
        html.P(case_lists.joined([case_lists.equality(view), case_lists.dated_by(metric)]), className="lead"),
        *_rule(view),
        *notes(edition),
        *_waiting(view, flags),
        html.Section(Svg(case_filter(view)), className="card choosing", **labelled(_("Which records"))),
        html.Section([*_list(view), _ways(view)], **labelled(_("Records"))),
        colophon(edition),
    ]


def _waiting(view: CasesView, flags: list[Correction]) -> list[Component]:
    """The way to every record of the metric that is flagged and not decided."""
    if not flags:
        return []
    links: list[Any] = []
    for one in flags:
        links += [" ", dcc.Link(one.key, href=case_link(view.edition, view.metric.id, one.key))]
    return [html.P([case_lists.flags_waiting(len(flags)), *links], className="note")]


def _rule(view: CasesView) -> list[Component]:
    if not (view.is_share and view.metric.numerator):
        return []
    return [html.P([case_lists.rule(view.metric), " ", html.Code(view.metric.numerator)], className="lead")]


def _list(view: CasesView) -> list[Component]:
    said = case_lists.joined([case_lists.chosen(view), case_lists.page_words(view)])
    beside = html.P(said, className="small muted beside", id="shown")
    if not view.page.cases:
        return [beside]
    head = case_lists.adds_word(view.metric)
    columns = listed_columns(view.source)
    heads = [(columns[0].name, ""), *([(head, "")] if head else [])]
    heads += [(column.name, "") for column in columns[1:]]
    rows = [_row(view, one) for one in view.page.cases]
    shown = table(case_lists.headline(view), heads, rows, className="case-table")
    return [beside, scrolling(shown, labelled(_("Records")), "sheet scroll")]


def _row(view: CasesView, case: Case) -> html.Tr:
    city = view.edition.city
    _key, *columns = listed_columns(view.source)
    adds = [(case_lists.adds(view.metric, case.numerator), "")] if case_lists.adds_word(view.metric) else []
    cells = [(case_lists.cell(one, case.fields[one.name], city), "") for one in columns]
    link = dcc.Link(str(case.key), href=case_link(view.edition, view.metric.id, case.key))
    return row(link, *adds, *cells)


def _ways(view: CasesView) -> html.Nav:
    """The pages before and after, and everything as a file."""
    page, words = view.page, chosen_words(view.listed)
    ways: list[Component] = []
    if page.before is not None:
        ways += [_way(view, _("First page")), _way(view, _("Earlier ones"), BEFORE, page.before)]
    if page.after is not None:
        ways.append(_way(view, _("Later ones"), AFTER, page.after))
    file = html.A(_("Download as CSV"), href=cases_file_link(view.edition, view.metric.id, **words))
    return html.Nav([*ways, file], className="switch ways", **labelled(_("Pages")))


def _way(view: CasesView, name: str, word: str = "", place: Place | None = None) -> Component:
    words = chosen_words(view.listed)
    if place is not None:
        words[word] = place_text(place)
    return dcc.Link(name, href=cases_link(view.edition, view.metric.id, **words))
