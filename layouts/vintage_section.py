"""The vintages of a metric on its staff page: every change of a published number, definitions both ways."""

from __future__ import annotations

from dash import html

from layouts import formats
from layouts.components import labelled, labelled_by, row, scrolling, table
from layouts.formats import _, vintages
from layouts.vintage_view import VintageView
from store.revisions import DefinitionChange


def vintage_section(told: VintageView) -> list[html.Section]:
    """First published against now; nothing where no period was published at its time."""
    if not told.is_shown:
        return []
    said = (vintages.revision_counts(told.summary), vintages.revision_summary(told.metric, told.summary))
    inside = [
        html.H2(_("First published and now"), id="vintages"),
        html.P(" ".join(text for text in said if text)),
        *_revisions(told),
        *(_both_ways(told, change) for change in told.changes),
    ]
    return [html.Section(html.Div(inside, className="card"), className="section", **labelled_by("vintages"))]


def _revisions(told: VintageView) -> list[html.Details]:
    if not told.rows:
        return []
    name = _("Every change of a published number")
    heads = [(_("Period"), ""), (_("Published"), ""), (_("Kind"), ""), (_("What changed"), "")]
    rows = [
        row(
            formats.short_period(one.period),
            (vintages.published_on(one, told.edition), ""),
            (vintages.kind_word(one.kind), ""),
            (vintages.revision_sentence(told.metric, one), ""),
        )
        for one in told.rows
    ]
    shown = scrolling(table(vintages.revisions_caption(told), heads, rows), labelled(name))
    older = [html.P(vintages.older_revisions(told), className="small muted")] if told.more else []
    return [html.Details([html.Summary(name), shown, *older])]


def _both_ways(told: VintageView, change: DefinitionChange) -> html.Details:
    heads = [
        (_("Period"), ""),
        (_("Value, old"), "number-cell"),
        (_("Value, new"), "number-cell"),
        (_("Score, old"), "number-cell"),
        (_("Score, new"), "number-cell"),
    ]
    rows = [
        row(
            formats.short_period(one.period),
            (formats.value(told.metric, one.old_value), "number-cell"),
            (formats.value(told.metric, one.new_value), "number-cell"),
            (formats.score(one.old_score), "number-cell"),
            (formats.score(one.new_score), "number-cell"),
        )
        for one in reversed(change.periods)
    ]
    caption = _("The twelve months before, by the old and by the new definition")
    shown = scrolling(table(caption, heads, rows), labelled(_("By the old and by the new definition")))
    return html.Details([html.Summary(vintages.definition_change(change)), shown])
