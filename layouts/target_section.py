"""What a target that was tried would have made of the last year, and would change of what is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats, forms
from layouts.components import labelled, labelled_by, row, scrolling, table
from layouts.formats import _
from layouts.formats import targets as say
from metrics.model import Grain, Metric
from store.requests import Request
from store.target_requests import proposal_of

TOLD, POLL, METRIC, NUMBER = "tried-told", "tried-poll", "tried-metric", "tried-number"
EVERY = 1500
"""Milliseconds between two looks, as long as the worker has not answered."""


def tried_section(metric: Metric, request: Request) -> html.Section:
    """A target that was tried: what was asked, and what came of it as soon as the worker has answered."""
    asked = proposal_of(request.arguments)
    return html.Section(
        [
            html.Div(html.H2(_("What it would change"), id="tried"), className="section-head"),
            html.Div(
                [
                    html.P(html.B(say.asked_words(metric, asked))),
                    html.P(asked.change.reason, className="words", dir="auto"),
                    html.Div(told(metric, request), id=TOLD, role="status", className="spaced"),
                ],
                className="card",
            ),
            dcc.Interval(id=POLL, interval=EVERY, disabled=request.finished_at is not None),
            dcc.Store(id=METRIC, data=metric.id),
            dcc.Store(id=NUMBER, data=request.id),
        ],
        **labelled_by("tried"),
    )


def told(metric: Metric, request: Request) -> list[Component]:
    """How it stands: it waits, it could not be tried, or what it would change, to be proposed."""
    if request.finished_at is None:
        return [html.P(_("The worker is trying it; this takes some seconds."), className="muted")]
    result = request.result or {}
    if not say.is_good(result):
        return [html.P(str(result.get("sentence", "")), className="note pinned")]
    propose = forms.form(
        "propose_target",
        button=_("Propose this target"),
        hidden={"metric_id": metric.id, "request_id": request.id},
    )
    return [*preview_parts(metric, result), forms.shown(propose)]


def preview_parts(metric: Metric, result: Mapping[str, Any]) -> list[Component]:
    """What a preview says: the finding, the last year by it, what it changes and what is doubtful."""
    parts: list[Component] = [html.P(html.B(say.finding(result)))]
    if result["trials"]:
        parts.append(_trials(metric, result["trials"]))
    parts.append(html.P(say.effect_words(result["effect"])))
    headlines = (result["effect"] or {}).get("headlines", [])
    if headlines:
        parts.append(html.P(_("The city’s newest scores:")))
        parts.append(html.Ul([html.Li(say.headline_change(one)) for one in headlines]))
    parts += [html.P(text, className="note pinned") for text in result["warnings"]]
    return parts


def _trials(metric: Metric, trials: list[Mapping[str, Any]]) -> Component:
    heads = [
        (_("Length"), ""),
        (_("Met last year"), ""),
        (_("Likely to meet it"), ""),
        (_("Met by the targets so far"), ""),
        (_("Newest period"), ""),
        (_("Value"), ""),
        (_("Score"), ""),
    ]
    rows = [
        row(
            formats.grain_word(Grain(one["grain"])),
            (say.met_words(one["met"], one["periods"]), ""),
            (say.likely_words(one["likely"]), ""),
            (say.met_words(one["met_so_far"], one["periods_so_far"]), ""),
            (say.newest_words(one), ""),
            (formats.value(metric, one["value"]), ""),
            (say.score_words(one), ""),
        )
        for one in trials
    ]
    name = _("Held against the last year")
    return scrolling(table(name, heads, rows), labelled(name))
