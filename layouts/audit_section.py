"""Entries of the audit log as a table."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from layouts.components import labelled, row, scrolling, table
from layouts.formats import _, days
from layouts.formats import people as sentences
from layouts.links import PREFIX
from metrics.model import City
from store.audit_log import Entry

AUDIT = f"{PREFIX}admin/audit"


def audit_link(**words: str) -> str:
    """The audit log, narrowed by the words of its address."""
    return f"{AUDIT}?{urlencode(words)}" if words else AUDIT


def entries_table(entries: Sequence[Entry], city: City) -> Component:
    """When, who, what, about whom or what and in which words; newest first."""
    if not entries:
        return html.P(_("Nothing was written down."), className="card muted")
    heads = [(_("When"), ""), (_("Who"), ""), (_("What"), ""), (_("About"), ""), (_("In words"), "")]
    shown = table(_("Newest first"), heads, [_row(one, city) for one in entries], className="entries")
    return scrolling(shown, labelled(_("What was done")), "sheet scroll")


def _row(entry: Entry, city: City) -> html.Tr:
    about = dcc.Link(entry.subject, href=audit_link(subject=entry.subject))
    return row(
        days.instant(entry.at, city),
        (html.Span(entry.actor.name, dir="auto"), ""),
        (entry.act, ""),
        (about, ""),
        (html.Span(sentences.entry_words(entry), dir="auto"), "words-cell"),
    )
