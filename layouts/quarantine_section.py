"""The refused rows of a source: counted by reason, shown with a rule that would let them in, read again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats, forms
from layouts.components import labelled, row, scrolling, section, table
from layouts.formats import _
from layouts.formats import sources as say
from layouts.links import source_link
from layouts.public.answer import legible
from layouts.source_fixes import fixes
from layouts.sources_view import Refused, SourceView
from metrics.model import Catalogue, City, Source
from store.engine import from_text
from store.quarantine import QuarantinedRow, Reason


def quarantine_section(view: SourceView, catalogue: Catalogue, chosen: Refused | None) -> html.Section:
    """The quarantine by reason. chosen: the reason that is opened, for whoever may see its rows."""
    if not view.reasons:
        return section(_("Quarantine"), html.P(_("No row is refused."), className="card"), id="quarantine")
    inside: list[Component] = [_reasons(view, chosen)]
    if chosen is None:
        named = [catalogue.departments[one].name for one in view.line.departments]
        inside.append(html.P(say.refused_hidden(named), className="note"))
    else:
        inside += _opened(view, chosen)
    stacked = html.Div(inside, className="stack")
    return section(_("Quarantine"), stacked, id="quarantine", beside=say.rows_wait(view.line.refused))


def _reasons(view: SourceView, chosen: Refused | None) -> Component:
    name = _("Refused rows that are open, by reason")
    heads = [(_("Why"), ""), (_("Rows"), "number-cell"), (_("Since"), "")]
    rows = [
        row(
            _why(view, one, chosen),
            (formats.count(one.count), "number-cell"),
            (formats.instant(from_text(one.since), view.city), ""),
        )
        for one in view.reasons
    ]
    return scrolling(table(name, heads, rows), labelled(name), "sheet scroll")


def _why(view: SourceView, one: Reason, chosen: Refused | None) -> Any:
    words = say.refused_reason(one.column, one.rule)
    if chosen is None or len(view.reasons) == 1:
        return words
    query = {"column": one.column or "", "rule": one.rule}
    link = f"{source_link(one.source, **query)}#quarantine"
    is_open = one == chosen.reason
    return dcc.Link(words, href=link, className="chosen" if is_open else None)


def _opened(view: SourceView, chosen: Refused) -> Iterator[Component]:
    reason, source = chosen.reason, view.line.source
    yield html.H3(say.refused_reason(reason.column, reason.rule))
    yield from _fixes(source, chosen)
    yield _replay(view)
    shown = say.some_of(len(chosen.rows), reason.count)
    if shown:
        yield html.P(shown, className="small muted")
    name = _("Refused rows")
    heads = [
        (_("Line"), ""),
        (_("Key"), ""),
        (_("Cell"), ""),
        (_("Why"), ""),
        (_("Refused"), ""),
        (_("All of the row"), ""),
    ]
    rows = [_row(one, view.city) for one in chosen.rows]
    yield scrolling(table(name, heads, rows, className="refused-table"), labelled(name), "sheet scroll")


def _row(one: QuarantinedRow, city: City) -> html.Tr:
    place = html.Span(legible(one.place), className="beneath")
    fields = html.Dl(
        [html.Div([html.Dt(legible(str(name))), html.Dd(_cell(value))]) for name, value in one.row.items()],
        className="row-fields",
    )
    whole = html.Details([html.Summary(_("Show")), fields])
    return row(
        [formats.NOTHING if one.line is None else str(one.line), place],
        (_cell(one.key), ""),
        (_cell(one.value), ""),
        (say.refused_reason(one.column, one.reason), ""),
        (formats.instant(from_text(one.recorded_at), city), ""),
        (whole, ""),
    )


def _cell(value: object) -> str:
    return formats.NOTHING if value is None or value == "" else legible(str(value))


def _fixes(source: Source, chosen: Refused) -> Iterator[Component]:
    found = fixes(source, chosen.reason.column, chosen.reason.rule, chosen.values)
    if not found:
        yield html.P(say.no_fix(), className="card")
        return
    rules = [html.Li([html.P(say.fix_words(one.means)), html.Pre(one.toml, tabIndex="0")]) for one in found]
    lead = html.P(say.fix_lead(source.id))
    heading, listed = html.H4(_("A rule that lets them in")), html.Ul(rules, className="plain rows")
    yield html.Div([heading, lead, listed], className="card")


def _replay(view: SourceView) -> Component:
    made = forms.form(
        "replay_source",
        button=say.replay_words(view.line.refused),
        hidden={"source_id": view.line.source.id},
    )
    return html.Div(forms.shown(made), className="card")
