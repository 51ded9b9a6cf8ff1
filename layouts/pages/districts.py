"""A metric by district for staff: map, dots, funnel and table; all that is chosen is in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.components import colophon, labelled, labelled_by, notes
from layouts.desk import at_hand
from layouts.district_section import comparison
from layouts.district_view import GRAINS, Apart, DistrictsView, districts_view, gap_view
from layouts.formats import _
from layouts.formats import districts as say
from layouts.gap_section import gap_section
from layouts.links import district_link, districts_link, metric_link
from layouts.page_parts import crumbs, no_page, refused
from layouts.public.answer import NothingPublished, Refusal, legible
from layouts.public.asking import PIN, day, district_grain, opened
from layouts.staff import staff_page
from layouts.views import Edition
from metrics.model import Family, Grain, Metric, Period
from store.withheld import Audience


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city
    return f"{say.districts_word(city)} | {city.name}" if is_allowed(Need(Role.VIEWER)) else city.name


dash.register_page(__name__, path="/districts", title=title)

MOST_LINKS = 40
"""Of more districts the links to them are folded."""


@staff_page(Role.VIEWER)
def layout(**query: Any) -> html.Div:
    """The metric in `metric=` by district, in the period of `grain=` that begins on `start=`."""
    given: dict[str, str] = {word: str(query[word]) for word in (*PIN, "grain", "start") if word in query}
    try:
        grain, start = district_grain(given), day(given, "start")
        with opened(at_hand(), given, Audience.STAFF) as (connection, edition):
            known = [one for one in edition.catalogue.live_metrics() if one.district]
            wanted = str(query["metric"]) if "metric" in query else None
            metric = _chosen(known, wanted)
            view = districts_view(connection, edition, metric, grain, start) if metric else None
            points = gap_view(connection, view) if view else ()
    except Refusal as refusal:
        return refused(refusal)
    except NothingPublished:
        return no_page(_("Nothing has been published yet"))
    if metric is None:
        return no_page(
            _("There is no such metric by district: {metric}").format(metric=legible(wanted or ""))
        )
    if view is None:
        heading, detail = say.no_districts(metric, grain or Grain.MONTH, start)
        return html.Div(
            [html.H1(heading), html.P(detail, className="lead"), _metrics(edition, known, metric)]
        )
    return html.Div(_page(view, known, points))


def _chosen(known: list[Metric], wanted: str | None) -> Metric | None:
    """The metric asked for; the heaviest service where none is."""
    if wanted is not None:
        return next((one for one in known if one.id == wanted), None)
    services = [one for one in known if one.family is Family.SERVICE]
    return max(services, key=lambda one: one.weights[-1].value if one.weights else 0.0, default=None) or next(
        iter(known), None
    )


def _page(view: DistrictsView, known: list[Metric], points: Sequence[Apart]) -> list[Component]:
    edition, metric = view.edition, view.metric
    way = dcc.Link(metric.name, href=metric_link(edition, metric.id, grain=view.period.grain))
    outside = say.expected(view) if view.by.judged else ""
    said = [formats.period(view.period), outside, say.widened(view.by)]
    return [
        crumbs(edition, way),
        html.H1(say.headline(view)),
        *(html.P(text, className="lead") for text in said if text),
        *notes(edition),
        _yours(view),
        html.Div([_grains(view), _periods(view)], className="tools section"),
        *comparison(view),
        *gap_section(view, points),
        _metrics(edition, known, metric),
        colophon(edition),
    ]


def _yours(view: DistrictsView) -> Component:
    """The way to the page of each district: whoever calls lives in one. Folded where there are many."""
    edition, name = view.edition, say.your_district(view.edition.city)
    known = sorted(edition.catalogue.districts.values(), key=lambda one: one.name.casefold())
    links = [
        dcc.Link(one.name, href=district_link(edition, one.id, grain=view.period.grain)) for one in known
    ]
    nav = html.Nav(links, className="switch yours", **labelled(name))
    if len(known) <= MOST_LINKS:
        return html.Div([html.P(name, className="small muted"), nav], className="section")
    return html.Details([html.Summary(name), nav], className="section")


def _grains(view: DistrictsView) -> html.Nav:
    links = [
        dcc.Link(
            formats.grain_word(grain),
            href=districts_link(view.edition, metric=view.metric.id, grain=grain),
            className="chosen" if grain is view.period.grain else None,
        )
        for grain in GRAINS
    ]
    return html.Nav(links, className="switch", **labelled(_("Length of a period")))


def _periods(view: DistrictsView) -> html.Nav:
    """The periods beside the one shown."""
    links = []
    for period, word in ((view.before, _("Before: {period}")), (view.after, _("After: {period}"))):
        if period is not None:
            text = word.format(period=formats.short_period(period))
            links.append(dcc.Link(text, href=_at(view, period)))
    return html.Nav(links, className="switch", **labelled(_("Other periods")))


def _at(view: DistrictsView, period: Period) -> str:
    return districts_link(
        view.edition, metric=view.metric.id, grain=period.grain, start=period.start.isoformat()
    )


def _metrics(edition: Edition, known: list[Metric], chosen: Metric) -> html.Section:
    """Every metric that has districts."""
    links = [
        dcc.Link(
            one.name,
            href=districts_link(edition, metric=one.id),
            className="chosen" if one.id == chosen.id else None,
        )
        for one in known
    ]
    heading = html.H2(_("Another measure"), id="others")
    nav = html.Nav(links, className="switch", **labelled(_("Another measure")))
    return html.Section([html.Div(heading, className="section-head"), nav], **labelled_by("others"))
