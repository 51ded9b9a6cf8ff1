"""What the last runs of a metric's source did, on the staff page of the metric."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html

from layouts.components import labelled, row, scrolling, section, table
from layouts.formats import _, run_log, sources
from layouts.links import source_link
from layouts.views import Edition, MetricView
from store.source_ledger import Run

MOST = 8


def runs_section(view: MetricView, runs: Sequence[Run]) -> list[html.Section]:
    """Each run in a row: when, how it ended, what it brought; that there is none where there is none."""
    source = view.source
    if source is None:
        return []
    name = _("What the last runs of its source did")
    if not runs:
        shown = html.P(_("No run of {source} is on record.").format(source=source.name), className="muted")
        return [section(name, shown, id="runs")]
    heads = [
        (_("Began"), ""),
        (_("How it ended"), ""),
        (_("Rows read"), "number-cell"),
        (_("New"), "number-cell"),
        (_("Changed"), "number-cell"),
        (_("Refused"), "number-cell"),
        (_("Known until"), ""),
    ]
    rows = [_row(view.edition, run) for run in runs]
    whole = scrolling(table(source.name, heads, rows), labelled(name), "sheet scroll")
    way = html.P(dcc.Link(_("All about this source"), href=source_link(source.id)), className="beside")
    return [section(name, whole, way, id="runs")]


def _row(edition: Edition, run: Run) -> html.Tr:
    counts = [(text, "number-cell") for text in run_log.counts(run)]
    return row(
        run_log.began(run, edition.city),
        (sources.run_outcome(run), ""),
        *counts,
        (run_log.known_until(run, edition.city), ""),
    )
