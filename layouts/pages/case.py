"""One record behind a number: what was known of it when, for those who work with it."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html

from layouts.access import Need, Role, guarded, is_allowed, of_metric, signed_in
from layouts.cases_view import listed_columns
from layouts.components import colophon, labelled, notes, row, scrolling, table
from layouts.desk import at_hand
from layouts.flag_section import flag_section
from layouts.formats import _, case_lists, deadlines
from layouts.links import metric_link
from layouts.page_parts import crumbs, metric_exists, metric_named, no_page, refused
from layouts.public.answer import NothingPublished, Refusal, legible
from layouts.public.asking import PIN, opened
from layouts.staff import staff_page
from layouts.views import Edition
from metrics.model import Column, Metric
from store import corrections
from store.case_versions import Version, versions
from store.corrections import Correction
from store.withheld import Audience

MOST_SHOWN = 8


def title(metric_id: str = "") -> str:
    """The name of the metric in the browser's tab, for whoever may read it; never the key of the record."""
    desk = at_hand()
    found = metric_named(metric_id)
    name = desk.catalogue.city.name
    return _("Record: {metric} | {city}").format(metric=found.name, city=name) if found else name


dash.register_page(__name__, path_template="/metric/<metric_id>/case", title=title, exists=metric_exists)


@staff_page(Role.VIEWER)
def layout(metric_id: str = "", **query: Any) -> html.Div:
    """All versions of the record `key=`; who may not see it is told whom to ask."""
    given = {word: str(query[word]) for word in (*PIN, "key") if word in query}
    try:
        with opened(at_hand(), given, Audience.STAFF) as (connection, edition):
            metric = edition.catalogue.metrics.get(str(metric_id))
            if metric is None:
                return no_page(_("There is no such metric"))
            if not is_allowed(Need(Role.EDITOR, of_metric({"metric_id": metric.id}))):
                heading, why = case_lists.refused(metric, edition.department_of(metric))
                return html.Div([_crumbs(edition, metric), html.H1(heading), html.P(why, className="lead")])
            found = _versions(connection, edition, metric, given.get("key", ""), metric_id=metric.id)
            flags = corrections.of_record(connection, metric.source, given.get("key", "")) if found else []
    except Refusal as refusal:
        return refused(refusal)
    except NothingPublished:
        return no_page(_("Nothing has been published yet"))
    if not found:
        said = _("There is no record {key} behind this measure; it may have been erased.")
        return html.Div(
            [
                _crumbs(edition, metric),
                html.H1(_("There is no such record")),
                html.P(said.format(key=legible(given.get("key", ""))), className="lead"),
            ]
        )
    return html.Div(_page(edition, metric, found, flags))


@guarded(Role.EDITOR, of_metric)
def _versions(
    connection: Any, edition: Edition, metric: Metric, key: str, *, metric_id: str
) -> tuple[Version, ...]:
    """Personal data: guarded once more, where it is read."""
    assert metric_id == metric.id, "the guard has looked at the metric that is read"
    source = edition.catalogue.sources[metric.source]
    if source.column(source.key).type == "integer":
        if not key.removeprefix("-").isdecimal() or len(key) > 18:
            return ()
        return versions(connection, edition.catalogue, metric, int(key), edition.publication.as_of)
    return versions(connection, edition.catalogue, metric, key, edition.publication.as_of)


def _crumbs(edition: Edition, metric: Metric) -> html.Nav:
    return crumbs(edition, dcc.Link(metric.name, href=metric_link(edition, metric.id)), _("Record"))


def _page(edition: Edition, metric: Metric, found: tuple[Version, ...], flags: list[Correction]) -> list[Any]:
    source = edition.catalogue.sources[metric.source]
    key = _key(found[0].fields[source.key])
    return [
        _crumbs(edition, metric),
        html.H1(_("{source}: record {key}").format(source=source.name, key=key)),
        html.P(case_lists.version_count(found), className="lead"),
        *notes(edition),
        html.Section(_table(edition, metric, found), className="section", **labelled(_("Versions"))),
        flag_section(source, metric, key, flags, signed_in(), edition.city),
        colophon(edition),
    ]


def _key(given: Any) -> str | int:
    """A key is a text or a whole number, never empty."""
    return given if isinstance(given, int) else str(given)


def _table(edition: Edition, metric: Metric, found: tuple[Version, ...]) -> Any:
    source, shown = edition.catalogue.sources[metric.source], found[:MOST_SHOWN]
    heads = [(_("Column"), "")]
    heads += [(deadlines.known((one.since, one.until), edition.city), "") for one in shown]
    rows = [_row(edition, column, shown, found) for column in listed_columns(source)]
    if any(one.is_withdrawn for one in shown):
        held = [_("no longer in the source") if one.is_withdrawn else _("in the source") for one in shown]
        rows.append(row(_("Held"), *((text, "") for text in held)))
    name = _("What was known when, the newest first")
    return scrolling(table(name, heads, rows, className="version-table"), labelled(name), "sheet scroll")


def _row(edition: Edition, column: Column, shown: tuple[Version, ...], found: tuple[Version, ...]) -> html.Tr:
    cells = []
    for place, one in enumerate(shown):
        said: Any = case_lists.cell(column, one.fields[column.name], edition.city)
        before = found[place + 1] if place + 1 < len(found) else None
        if before is not None and before.fields[column.name] != one.fields[column.name]:
            said = [html.B(said), html.Span(_("changed"), className="beneath")]
        cells.append((said, ""))
    return row(column.name, *cells)
