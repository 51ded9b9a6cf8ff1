"""Every source of the city for those who look after them: how it stands, its last run, its last days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.charts.embedded import Svg
from layouts.components import chip, labelled, labelled_by, scrolling
from layouts.desk import at_hand
from layouts.formats import Level, _, freshness
from layouts.formats import sources as say
from layouts.links import PREFIX, source_link, sources_link
from layouts.source_parts import invented, strip_key, strip_of
from layouts.sources_view import SourceLine, SourcesView, sources_view
from layouts.staff import staff_page
from store.engine import reading

Key = Callable[[SourceLine], Any]

SHOWN: dict[str, Callable[[SourceLine], bool]] = {
    "all": lambda _line: True,
    "open": lambda line: line.needs_somebody,
    "late": lambda line: line.status.is_late,
    "failed": lambda line: line.has_failed,
    "refused": lambda line: bool(line.refused),
}
"""What may be shown: the word in `show=`."""

ORDERS: dict[str, Key] = {
    "name": lambda line: line.source.name.casefold(),
    "known": lambda line: (line.status.known_until is not None, line.status.known_until),
    "run": lambda line: (line.run is not None, line.run and line.run.started_at),
    "read": lambda line: -(line.run.read if line.run else 0),
    "refused": lambda line: -line.refused,
}
"""What the list may be sorted by: the word in `sort=`; without it the catalogue's own order."""


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city
    return f"{_('Sources')} | {city.name}" if is_allowed(Need(Role.VIEWER)) else city.name


dash.register_page(__name__, path="/sources", title=title)


@staff_page(Role.VIEWER)
def layout(**query: Any) -> html.Div:
    """The sources that `show=` names (all without it), sorted by `sort=`."""
    desk = at_hand()
    with reading(desk.engine) as connection:
        view = sources_view(connection, desk.catalogue, desk.clock())
    show, sort = str(query.get("show", "all")), str(query.get("sort", ""))
    return html.Div(_page(view, show if show in SHOWN else "all", sort if sort in ORDERS else ""))


def _page(view: SourcesView, show: str, sort: str) -> list[Component]:
    lines = [one for one in view.lines if SHOWN[show](one)]
    if sort:
        lines.sort(key=ORDERS[sort])
    said = say.worker(view)
    return [
        html.Nav(
            [dcc.Link(_("Today"), href=f"{PREFIX}today"), html.Span("›"), html.Span(_("Sources"))],
            className="crumbs",
            **labelled(_("Where you are")),
        ),
        html.H1(say.headline(view)),
        html.P(say.as_of(view.now, view.city), className="lead"),
        *invented(view.city),
        *([html.P(said, className="note")] if said else []),
        *([_section(view, lines, show, sort)] if view.lines else [_empty()]),
    ]


def _empty() -> html.P:
    return html.P(
        _("A source is one file in sources/ of the city's folder; docs/adding_a_source.md shows how."),
        className="lead",
    )


def _section(view: SourcesView, lines: list[SourceLine], show: str, sort: str) -> html.Section:
    body: Component = html.P(_("None of them."), className="card")
    if lines:
        listed = _table(view, lines, show, sort)
        body = scrolling(listed, labelled(_("Sources")), "sheet scroll")
    return html.Section(
        [
            html.Div(
                [html.H2(_("Sources"), id="sources"), _filter(view, show, sort)], className="section-head"
            ),
            body,
            *([strip_key()] if lines else []),
        ],
        **labelled_by("sources"),
    )


def _filter(view: SourcesView, show: str, sort: str) -> html.Nav:
    words = {
        "all": _("All"),
        "open": _("To see to"),
        "late": _("Late"),
        "failed": _("Failed"),
        "refused": _("With refused rows"),
    }
    links = [
        dcc.Link(
            _("{word} ({count})").format(word=word, count=formats.count(sum(map(SHOWN[name], view.lines)))),
            href=sources_link(show="" if name == "all" else name, sort=sort),
            className="chosen" if name == show else None,
        )
        for name, word in words.items()
    ]
    return html.Nav(links, className="switch", **labelled(_("Which sources")))


def _table(view: SourcesView, lines: list[SourceLine], show: str, sort: str) -> html.Table:
    heads = [
        _head("name", _("Source"), show, sort),
        _head("known", _("State"), show, sort),
        _head("run", _("Last run"), show, sort),
        _head("read", _("Rows read"), show, sort, "number-cell"),
        _head("", _("New"), show, sort, "number-cell"),
        _head("", _("Changed"), show, sort, "number-cell"),
        _head("", _("Rejected"), show, sort, "number-cell"),
        _head("refused", _("In quarantine"), show, sort, "number-cell"),
        _head("", _("30 days"), show, sort),
    ]
    return html.Table(
        [
            html.Caption(
                _("Every source: state, last run, refused rows that are open, and the last 30 days")
            ),
            html.Thead(html.Tr(heads, role="row"), role="rowgroup"),
            html.Tbody([_row(view, one) for one in lines], role="rowgroup"),
        ],
        className="stacked sources-table",
        role="table",
    )


def _head(name: str, text: str, show: str, sort: str, style: str = "") -> html.Th:
    inside: Any = text
    if name:
        inside = dcc.Link(text, href=sources_link(show="" if show == "all" else show, sort=name))
    falls = name in ("read", "refused")
    order: dict[str, Any] = (
        {"aria-sort": "descending" if falls else "ascending"} if name and name == sort else {}
    )
    return html.Th(inside, scope="col", role="columnheader", className=style or None, **order)


def _row(view: SourcesView, line: SourceLine) -> html.Tr:
    run, city = line.run, view.city
    state = [
        chip(Level.NONE if line.status.is_late else Level.ON, freshness.standing(line.status)),
        html.Span(freshness.behind(line.status), className="beneath"),
    ]
    ended: list[Any] = [html.Span(say.run_outcome(run), className="broken" if line.has_failed else None)]
    if run is not None:
        ended.append(html.Span(formats.instant(run.started_at, city), className="beneath"))
    if line.unusual:
        ended.append(html.Span(say.seen_to(line), className="beneath"))
    head: list[Component] = [dcc.Link(line.source.name, href=source_link(line.source.id))]
    if line.source.publisher:
        head.append(html.Span(line.source.publisher, className="muted"))
    return html.Tr(
        [
            html.Th(head, scope="row", role="rowheader"),
            html.Td(state, role="cell"),
            _cell(_("Last run"), html.Span(ended)),
            _number(_("Rows read"), run.read if run else None),
            _number(_("New"), run.new if run else None, " wide-only"),
            _number(_("Changed"), run.changed if run else None, " wide-only"),
            _number(_("Rejected"), run.rejected if run else None),
            _number(_("In quarantine"), line.refused),
            _cell(_("30 days"), Svg(strip_of(line.days)) if line.days else formats.NOTHING),
        ],
        role="row",
    )


def _number(name: str, count: int | None, style: str = "") -> html.Td:
    return _cell(name, formats.NOTHING if count is None else formats.count(count), f"number-cell{style}")


def _cell(name: str, inside: Any, style: str = "") -> html.Td:
    """A cell that says on a phone what its column is called."""
    named: dict[str, Any] = {"data-head": name}
    return html.Td(inside, role="cell", className=style or None, **named)
