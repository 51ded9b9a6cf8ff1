"""What staff pages have in common: the way to where one is, and what is said where there is no page."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from layouts.access import Need, Role, is_allowed
from layouts.components import labelled
from layouts.desk import at_hand
from layouts.formats import _
from layouts.links import PREFIX, today_link
from layouts.public.answer import Refusal
from layouts.views import Edition
from metrics.model import Metric


def crumbs(edition: Edition, *places: Component | str) -> html.Nav:
    """The way from the mayor's page to where one is, each place after the one above it."""
    way: list[Component] = [dcc.Link(_("Today"), href=today_link(edition))]
    for place in places:
        way += [html.Span("›"), html.Span(place) if isinstance(place, str) else place]
    return html.Nav(way, className="crumbs", **labelled(_("Where you are")))


def no_page(text: str) -> html.Div:
    """A sentence in the place of a page, and the way on."""
    return html.Div([html.H1(text), html.P(dcc.Link(_("Today"), href=f"{PREFIX}today"), className="lead")])


def refused(refusal: Refusal) -> html.Div:
    """Why an address cannot be answered, in the place of a page."""
    return html.Div([html.H1(refusal.title), html.P(refusal.detail, className="lead")])


def metric_named(metric_id: str) -> Metric | None:
    """The metric that a page is about, for whoever may read its name; None where there is none."""
    return at_hand().find_metric(metric_id) if is_allowed(Need(Role.VIEWER)) else None


def metric_exists(metric_id: str) -> bool:
    """Whether the current publication knows the metric."""
    return at_hand().find_metric(metric_id) is not None
