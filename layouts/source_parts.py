"""Pieces that the pages of sources share: the strip of days with its key and its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component
from markupsafe import Markup

from layouts import formats
from layouts.charts.embedded import Svg
from layouts.charts.strip import sample, strip
from layouts.components import labelled, row, scrolling, table
from layouts.formats import _
from layouts.formats import sources as say
from layouts.sources_view import Arrival, DayMark
from metrics.model import City


def strip_of(days: Sequence[DayMark]) -> Markup:
    """The strip of a source; empty where it never ran."""
    return strip([(one.arrival, say.mark_words(one)) for one in days], say.strip_sentence(days))


def strip_key() -> html.Ul:
    """What the cells of a strip mean, in words."""
    rows = [
        html.Li([Svg(sample(one)), f"{say.arrival_word(one)}: {say.arrival_meaning(one)}"]) for one in Arrival
    ]
    return html.Ul(rows, className="key strip-key", role="list")


def days_table(days: Sequence[DayMark], city: City) -> html.Details:
    """The same as a table, the newest day first."""
    heads = [(_("Day"), ""), (_("State"), ""), (_("Due"), ""), (_("Known since"), ""), (_("Runs"), "")]
    rows = [
        row(
            formats.day(one.day),
            (say.arrival_word(one.arrival), ""),
            (formats.instant(one.due, city), ""),
            (say.known_since(one, city), ""),
            (say.mark_runs(one), ""),
        )
        for one in reversed(days)
    ]
    name = _("The last 30 days, the newest first")
    shown = scrolling(table(name, heads, rows), labelled(name), "sheet scroll")
    return html.Details([html.Summary(_("Day by day")), shown], className="folded")


def invented(city: City) -> list[Component]:
    """That a demonstration is one."""
    if not city.demonstration:
        return []
    return [html.P(_("A demonstration: this city and its records are invented."), className="note")]


def facts(pairs: Sequence[tuple[str, Any]]) -> html.Dl:
    """Names with what they stand for, side by side."""
    inside = [html.Div([html.Dt(name), html.Dd(said)]) for name, said in pairs]
    return html.Dl(inside, className="facts-row")
