"""What was asked to be done with a source, how far it is and what came of it, for whoever asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats, forms
from layouts.components import labelled, labelled_by, row, scrolling, table
from layouts.formats import _
from layouts.formats import sources as say
from layouts.links import source_link
from layouts.source_parts import facts
from metrics.model import Catalogue
from store.requests import Request
from store.source_requests import BACKFILL, DRY_RUN

TOLD, POLL, OF_SOURCE, NUMBER = "request-told", "request-poll", "request-source", "request-number"
EVERY = 1500
"""Milliseconds between two looks, as long as it is not over."""


def request_section(request: Request, source_id: str, catalogue: Catalogue) -> html.Section:
    """The request with what follows it: one interval, which stops when it is over."""
    return html.Section(
        [
            html.Div(html.H2(_("What was asked for"), id="request"), className="section-head"),
            html.Div(told(request, source_id, catalogue), id=TOLD, className="card", role="status"),
            dcc.Interval(id=POLL, interval=EVERY, disabled=request.finished_at is not None),
            dcc.Store(id=OF_SOURCE, data=source_id),
            dcc.Store(id=NUMBER, data=request.id),
        ],
        **labelled_by("request"),
    )


def told(request: Request, source_id: str, catalogue: Catalogue) -> list[Component]:
    """How a request stands: in words, as a bar where it has steps, and its result."""
    has_counts = request.finished_at is not None and (request.result or {}).get("outcome") in say.WELL
    sentence = "" if has_counts else say.request_sentence(request)
    lines: list[Component] = [
        html.H3(say.request_title(request), id="request-state"),
        html.P(say.request_asked(request, catalogue.city), className="small muted"),
    ]
    if sentence:
        lines.append(html.P(sentence, className="words"))
    lines += _steps(request, source_id)
    if request.finished_at is None:
        return lines
    words = request.result or {}
    lines += _result(words, request, source_id, catalogue)
    if request.kind != DRY_RUN:
        lines.append(html.P(html.A(_("Show the source as it is now"), href=source_link(source_id))))
    return lines


def _steps(request: Request, source_id: str) -> Iterator[Component]:
    words = request.result or request.progress or {}
    done, of = words.get("done"), words.get("of")
    if isinstance(done, int) and isinstance(of, int) and of:
        said = say.steps_words(done, of)
        bar = html.Progress(value=str(done), max=str(of), **labelled(said))
        yield html.P([bar, " ", said], className="steps-bar")
    if request.kind == BACKFILL and request.finished_at is None:
        stop = forms.form(
            "stop_backfill",
            button=_("Stop it"),
            hidden={"source_id": source_id, "request_id": request.id},
        )
        yield forms.shown(stop)


def _result(
    words: Mapping[str, Any], request: Request, source_id: str, catalogue: Catalogue
) -> Iterator[Component]:
    counts = say.counted(words)
    if counts:
        yield facts([(name, formats.count(count)) for name, count in counts])
    if words.get("notes"):
        yield html.P(str(words["notes"]), className="words")
    if request.kind == DRY_RUN and words.get("outcome") in say.WELL:
        yield from _difference(words, catalogue)
        yield from _commit(request, source_id)


def _difference(words: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Component]:
    """What is new, changed, vanished and rejected, by examples; then what it does to the scores."""
    named = {
        "new": _("Some that are new"),
        "changed": _("Some that change"),
        "vanished": _("Some that vanish"),
    }
    examples = words.get("examples") or {}
    for kind, name in named.items():
        if examples.get(kind):
            yield from _listed(name, examples[kind])
    if words.get("rejections"):
        yield from _listed(_("What is rejected"), words["rejections"])
    effect = words.get("effect")
    yield html.H4(_("What it would do to the scores"))
    yield html.P(say.effect_sentence(effect))
    if effect and effect.get("moved"):
        yield _moved(effect["moved"], catalogue)


def _listed(name: str, lines: Sequence[str]) -> Iterator[Component]:
    yield html.H4(name)
    yield html.Ul([html.Li(html.Code(line)) for line in lines], className="plain examples")


def _moved(moved: Sequence[Mapping[str, Any]], catalogue: Catalogue) -> Component:
    name = _("Scores that would be others")
    heads = [(_("Score of"), ""), (_("Period"), ""), (_("Now"), "number-cell"), (_("Then"), "number-cell")]
    rows = [
        row(
            _named(one["metric"], catalogue),
            (say.moved_period(one), ""),
            (formats.score(one["before"]), "number-cell"),
            (formats.score(one["after"]), "number-cell"),
        )
        for one in moved
    ]
    return scrolling(table(name, heads, rows), labelled(name), "sheet scroll")


def _named(metric: str, catalogue: Catalogue) -> str:
    if not metric:
        return _("The whole city")
    found = catalogue.metrics.get(metric)
    return found.name if found else metric


def _commit(request: Request, source_id: str) -> Iterator[Component]:
    """The run that was tried, to be done: what the source says by then is what it reads."""
    days = {word: str(request.arguments[word]) for word in ("since", "until") if word in request.arguments}
    made = forms.form(
        "run_source",
        button=_("Do this run, and keep what it reads"),
        id="commit-run",
        hidden={"source_id": source_id, **days},
    )
    yield forms.shown(made)
