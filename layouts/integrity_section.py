"""Whether a number can be trusted, on the staff page of its metric: findings, and what to read beside it."""

from __future__ import annotations

from dash import dcc, html

from layouts.components import labelled_by
from layouts.formats import _, honesty
from layouts.links import metric_link
from layouts.views import MetricView
from store.integrity import Integrity


def integrity_section(view: MetricView, given: Integrity) -> list[html.Section]:
    """The findings as sentences; nothing where there are none."""
    said = honesty.sentences(view.metric, given)
    if not said:
        return []
    inside = [html.H2(_("Can it be trusted?"), id="trust"), *map(html.P, said), *_read_with(view, given)]
    return [html.Section(html.Div(inside, className="card"), className="section", **labelled_by("trust"))]


def _read_with(view: MetricView, given: Integrity) -> list[html.P]:
    if not given.pairs:
        return []
    links: list[dcc.Link | str] = []
    for one in given.pairs:
        links += [" · "] if links else [_("Read it together with:"), " "]
        links.append(dcc.Link(one.metric.name, href=metric_link(view.edition, one.metric.id)))
    return [html.P(links)]
