"""One source for those who look after it: how it came along, what was refused, what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from markupsafe import Markup

from layouts import formats, forms
from layouts.access import Need, Role, guarded, is_allowed, of_source
from layouts.acts.sources import STEPS
from layouts.charts.embedded import Svg
from layouts.components import labelled, row, scrolling, section, table
from layouts.desk import at_hand
from layouts.formats import _, freshness
from layouts.formats import sources as say
from layouts.links import PREFIX, source_link, sources_link
from layouts.page_parts import no_page
from layouts.quarantine_section import quarantine_section
from layouts.request_section import NUMBER, OF_SOURCE, POLL, TOLD, request_section, told
from layouts.source_parts import days_table, facts, invented, strip_key, strip_of
from layouts.sources_view import Refused, SourceView, is_about, refused_view, source_view
from layouts.staff import staff_page
from metrics.model import Catalogue
from metrics.periods import local_day
from store import requests, source_requests
from store.engine import Connection, reading
from store.source_ledger import Run


def exists(source_id: str) -> bool:
    """Whether the city has the source."""
    return source_id in at_hand().catalogue.sources


def title(source_id: str = "") -> str:
    """The name of the source in the browser's tab, for whoever may read it."""
    catalogue = at_hand().catalogue
    found = catalogue.sources.get(source_id) if is_allowed(Need(Role.VIEWER)) else None
    name = catalogue.city.name
    return _("Source: {source} | {city}").format(source=found.name, city=name) if found else name


dash.register_page(__name__, path_template="/source/<source_id>", title=title, exists=exists)


@staff_page(Role.VIEWER)
def layout(source_id: str = "", **query: Any) -> html.Div:
    """The source; `request=` follows one that was asked for, `before=` shows older runs.

    `column=` and `rule=` open the rows that were refused for one reason.
    """
    desk = at_hand()
    source = desk.catalogue.sources.get(source_id)
    if source is None:
        return no_page(_("There is no such source"))
    request, before = (_number(query.get(word)) for word in ("request", "before"))
    is_theirs = is_allowed(Need(Role.EDITOR, of_source({"source_id": source_id})))
    now = desk.clock()
    with reading(desk.engine) as connection:
        view = source_view(connection, desk.catalogue, source, now, request=request, before=before)
        chosen = _refused(connection, view, query, source_id=source_id) if is_theirs else None
    return html.Div(_page(view, desk.catalogue, chosen, is_theirs=is_theirs))


@dash.callback(
    dash.Output(TOLD, "children"),
    dash.Output(POLL, "disabled"),
    dash.Input(POLL, "n_intervals"),
    dash.State(OF_SOURCE, "data"),
    dash.State(NUMBER, "data"),
    prevent_initial_call=True,
)
@staff_page(Role.EDITOR, of_source)
def follow(_looks: int | None, source_id: Any, number: Any) -> tuple[list[Component], bool]:
    """How far a request of this source is now, and whether it is over."""
    desk = at_hand()
    with reading(desk.engine) as connection:
        found = requests.get(connection, number) if isinstance(number, int) else None
    if found is None or not is_about(found, source_id):
        raise PreventUpdate
    return told(found, source_id, desk.catalogue), found.finished_at is not None


@guarded(Role.EDITOR, of_source)
def _refused(
    connection: Connection, view: SourceView, query: Mapping[str, Any], *, source_id: str
) -> Refused | None:
    """Personal data: guarded once more, where it is read. The reason asked for, else the most frequent."""
    assert source_id == view.line.source.id, "the guard has looked at the source that is read"
    asked = (str(query.get("column", "")), str(query.get("rule", "")))
    found = [one for one in view.reasons if (one.column or "", one.rule) == asked] or view.reasons[:1]
    return refused_view(connection, found[0]) if found else None


def _number(given: Any) -> int | None:
    text = str(given or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


def _page(
    view: SourceView, catalogue: Catalogue, chosen: Refused | None, *, is_theirs: bool
) -> list[Component]:
    line, source = view.line, view.line.source
    said = say.worker(view)
    ways = [dcc.Link(_("Today"), href=f"{PREFIX}today"), html.Span("›")]
    ways += [dcc.Link(_("Sources"), href=sources_link()), html.Span("›"), html.Span(source.name)]
    followed = [request_section(view.request, source.id, catalogue)] if view.request and is_theirs else []
    return [
        html.Nav(ways, className="crumbs", **labelled(_("Where you are"))),
        html.H1(say.source_headline(line)),
        html.P(say.about(line, catalogue), className="lead"),
        html.P(say.as_of(view.now, view.city), className="lead"),
        *invented(view.city),
        *([html.P(said, className="note")] if said else []),
        *followed,
        section(_("How it stands"), _facts(view, is_theirs=is_theirs), id="standing"),
        *([_doing(view)] if is_theirs else []),
        _freshness(view),
        quarantine_section(view, catalogue, chosen),
        _runs(view, is_theirs=is_theirs),
    ]


def _facts(view: SourceView, *, is_theirs: bool) -> Component:
    line, run = view.line, view.line.run
    until = line.status.known_until
    known = _("Nothing is known of it") if until is None else formats.instant(until, view.city)
    pairs: list[tuple[str, Any]] = [
        (_("Known until"), known),
        (_("Behind"), freshness.behind(line.status)),
        (_("Last run"), say.run_outcome(run)),
    ]
    if run is not None:
        pairs += [
            (_("Begun"), formats.instant(run.started_at, view.city)),
            (_("Rows read"), formats.count(run.read)),
            (_("New"), formats.count(run.new)),
            (_("Changed"), formats.count(run.changed)),
            (_("Rejected"), formats.count(run.rejected)),
        ]
    if source_requests.can_run(line.source):
        pairs.append((_("Schedule"), html.Code(line.source.schedule)))
    inside: list[Component] = [facts(pairs)]
    if is_theirs and run is not None and run.message:
        inside.append(html.P(run.message, className="words"))
    return html.Div(inside, className="card")


# --- what may be done ------------------------------------------------------------------------------


def _doing(view: SourceView) -> html.Section:
    source = view.line.source
    if not source_requests.can_run(source):
        said = html.P(_("The rows of this source are sent in; nothing can be fetched."), className="card")
        return section(_("Read it"), said, id="read")
    hidden = {"source_id": source.id}
    days = _days(view) if source_requests.can_be_ranged(source) else ()
    made = [
        forms.form("run_source", button=_("Run now"), hidden=hidden),
        forms.folded(
            _("Try it first: a dry run"),
            _explained(
                _("It reads the source and shows what would change, scores too. Nothing of it is kept."),
                forms.form("dry_run_source", *days, button=_("Try it"), hidden=hidden),
            ),
        ),
    ]
    if days:
        made.append(forms.folded(_("Read a range of days: a backfill"), _backfill(view, hidden)))
    return section(_("Read it"), html.Div([forms.shown(one) for one in made], className="card"), id="read")


def _days(view: SourceView) -> tuple[forms.Field, ...]:
    latest = local_day(view.city, view.now)
    return (
        forms.optional(forms.day_field("since", _("First day"), latest=latest)),
        forms.optional(forms.day_field("until", _("Last day"), latest=latest)),
    )


def _backfill(view: SourceView, hidden: dict[str, str]) -> Markup:
    latest = local_day(view.city, view.now)
    words = {
        "month": _("a month"),
        "week": _("a week"),
        "day": _("a day"),
        "quarter": _("a quarter"),
        "year": _("a year"),
    }
    return _explained(
        _("The range is read in steps, the newest first, when nothing else waits; it can be stopped."),
        forms.form(
            "backfill_source",
            forms.day_field("since", _("First day"), latest=latest),
            forms.day_field("until", _("Last day"), latest=latest),
            forms.choice_field("step", _("One step is"), [(one, words[one]) for one in STEPS]),
            button=_("Read these days"),
            hidden=hidden,
        ),
    )


def _explained(sentence: str, made: Markup) -> Markup:
    return Markup('<p class="small muted">{}</p>{}').format(sentence, made)


# --- how it came along -----------------------------------------------------------------------------


def _freshness(view: SourceView) -> html.Section:
    days, city = view.line.days, view.city
    if not days:
        never = html.P(_("It has never run, so there is nothing to show."), className="card")
        return section(_("The last 30 days"), never, id="fresh")
    figure = html.Figure(
        [
            Svg(strip_of(days)),
            html.Figcaption(say.strip_caption(days), className="small muted"),
            strip_key(),
            days_table(days, city),
        ],
        className="card",
    )
    return section(_("The last 30 days"), figure, id="fresh")


def _runs(view: SourceView, *, is_theirs: bool) -> html.Section:
    if not view.runs:
        return section(_("Runs"), html.P(_("There is no run."), className="card"), id="runs")
    name = _("Runs, the newest first")
    heads = [
        (_("Begun"), ""),
        (_("Outcome"), ""),
        (_("Took"), "number-cell"),
        (_("Read"), "number-cell"),
        (_("New"), "number-cell"),
        (_("Changed"), "number-cell"),
        (_("Rejected"), "number-cell"),
        (_("Vanished"), "number-cell"),
        *([(_("What was said"), "")] if is_theirs else []),
    ]
    rows = [_run(view, one, is_theirs=is_theirs) for one in view.runs]
    shown = scrolling(table(name, heads, rows, className="runs-table"), labelled(name), "sheet scroll")
    inside: list[Component] = [shown]
    if view.older is not None:
        older = source_link(view.line.source.id, before=str(view.older))
        inside.append(html.Nav(dcc.Link(_("Older runs"), href=f"{older}#runs"), className="ways",
                               **labelled(_("Pages"))))  # fmt: skip
    return section(_("Runs"), *inside, id="runs")


def _run(view: SourceView, run: Run, *, is_theirs: bool) -> html.Tr:
    begun = [
        formats.instant(run.started_at, view.city),
        html.Span(say.asked_by(run.trigger), className="beneath"),
    ]
    counts = (run.read, run.new, run.changed, run.rejected, run.withdrawn)
    cells: list[tuple[Any, str]] = [
        (say.run_outcome(run), "broken" if run.outcome in say.BROKEN else ""),
        (say.took(run), "number-cell"),
        *((formats.count(count), "number-cell") for count in counts),
    ]
    if is_theirs:
        cells.append((_said(run, view), "said-cell"))
    return row(begun, *cells)


def _said(run: Run, view: SourceView) -> Any:
    """The run's own words; what was unusual of it stands by itself."""
    unusual = list(view.unusual.get(run.id, ()))
    message = run.message or ""
    for sentence in unusual:
        message = message.replace(f"unusual: {sentence}", "").strip("; ")
    said: list[Component] = [html.P(message)] if message else []
    said += [html.P([html.B(_("Unusual:")), " ", sentence]) for sentence in unusual]
    return said or formats.NOTHING
