"""How sure a score is, as a part of a staff page: read in other ways, and what each service weighs in it."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from layouts.company_view import CompanyView
from layouts.components import labelled, row, scrolling, section, table
from layouts.formats import _, company
from layouts.links import metric_link
from layouts.views import Edition


def company_section(view: CompanyView | None, edition: Edition) -> list[html.Section]:
    """The company of the composite a page opens on; nothing where there is none."""
    if view is None:
        return []
    inside: list[Component] = [
        html.P(company.lead(view)),
        _folded(_("Other ways to read it"), _readings(view)),
    ]
    if view.weighed:
        inside.append(_folded(_("What each service weighs"), _weights(view, edition)))
    return [section(company.title(), html.Div(html.Div(inside), className="card"), id="sure")]


def _folded(name: str, shown: html.Table) -> html.Details:
    return html.Details([html.Summary(name), scrolling(shown, labelled(name))])


def _readings(view: CompanyView) -> html.Table:
    heads = [(_("Reading"), ""), (_("Score"), "number-cell")]
    rows = [
        row([one.name, html.Span(one.meaning, className="muted")], (one.number, "number-cell"))
        for one in company.readings(view)
    ]
    return table(_("The score beside itself"), heads, rows, className="readings")


def _weights(view: CompanyView, edition: Edition) -> html.Table:
    heads = [
        (_("Service"), ""),
        (_("Weight"), "number-cell"),
        (_("Share of the score"), "number-cell"),
    ]
    rows = [
        row(
            dcc.Link(one.line.metric.name, href=metric_link(edition, one.line.metric.id)),
            (company.weight(one.weight), "number-cell"),
            (company.share_of_score(one), "number-cell"),
        )
        for one in view.weighed
    ]
    return table(_("The weights in force in this period"), heads, rows, className="weights")
