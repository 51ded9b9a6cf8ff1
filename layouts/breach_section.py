"""What is about to miss its deadline, on the pages of a metric and of a department."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.breach_view import AGES, BreachView, by_age, by_day
from layouts.components import labelled, row, scrolling, section, table
from layouts.formats import _, deadlines
from layouts.links import case_link, metric_link


def breach_section(view: BreachView | None) -> list[html.Section]:
    """Of one metric: by due date, by age, and the oldest open cases; nothing for one without a deadline."""
    if view is None:
        return []
    parts = [_due(by_day([view])), _ages([view]), *_oldest(view)]
    said = [deadlines.summary(view), deadlines.accuracy(view.found), deadlines.as_of(view.found)]
    words = [html.P(said[0]), html.P(" ".join(said[1:]), className="small muted")]
    inside = html.Div([*words, html.Div(parts, className="dues")], className="card")
    return [section(deadlines.title(), inside, id="due")]


def department_breaches(views: Sequence[BreachView]) -> list[html.Section]:
    """Of the metrics of a department: each in a row, and all of them by due date and by age."""
    if not views:
        return []
    each = scrolling(_measures(views), labelled(_("Open cases by measure")))
    together = html.Div([_due(by_day(views)), _ages(views)], className="dues")
    beside = deadlines.as_of(views[0].found)
    return [section(deadlines.title(), html.Div([each, together], className="card"), id="due", beside=beside)]


def _measures(views: Sequence[BreachView]) -> html.Table:
    heads = [
        (_("Measure"), ""),
        (_("Open, due within 14 days"), "number-cell"),
        (_("Expected to miss it"), "number-cell"),
        (_("Overdue already"), "number-cell"),
        (_("How far forecasts were off"), ""),
    ]
    rows = [
        row(
            dcc.Link(one.metric.name, href=f"{metric_link(one.edition, one.metric.id)}#due"),
            (formats.count(one.open), "number-cell"),
            (deadlines.expected_count(one.misses), "number-cell"),
            (formats.count(one.overdue), "number-cell"),
            (deadlines.accuracy(one.found), "small muted"),
        )
        for one in sorted(views, key=lambda one: -(one.overdue + (one.misses or 0)))
    ]
    return table(_("Open cases by measure"), heads, rows)


def _due(days: Sequence[tuple[date, int, float | None]]) -> Component:
    heads = [(_("Due on"), ""), (_("Open"), "number-cell"), (_("Expected to miss it"), "number-cell")]
    rows = [
        row(
            formats.day(day),
            (formats.count(count), "number-cell"),
            (deadlines.expected_count(misses), "number-cell"),
        )
        for day, count, misses in days
        if count
    ]
    if not rows:
        return html.P(_("No open case is due within 14 days."))
    return scrolling(table(_("Open cases by the day they are due"), heads, rows), labelled(_("By due date")))


def _ages(views: Sequence[BreachView]) -> Component:
    counts = [sum(some) for some in zip(*(by_age(one.found.overdue) for one in views), strict=True)]
    if not any(counts):
        return html.P(_("Nothing is overdue."))
    heads = [(_("Overdue for"), ""), (_("Open cases"), "number-cell")]
    rows = [
        row(name, (formats.count(count), "number-cell"))
        for name, count in zip(deadlines.age_classes(AGES), counts, strict=True)
    ]
    rows.append(row(_("All together"), (formats.count(sum(counts)), "number-cell"), className="sum"))
    return scrolling(table(_("How old what is overdue is"), heads, rows), labelled(_("By age")))


def _oldest(view: BreachView) -> list[Component]:
    if not view.oldest:
        return []
    heads = [(_("Oldest open cases"), ""), (_("Opened"), ""), (_("Deadline"), "")]
    rows = [
        row(
            dcc.Link(str(one.key), href=case_link(view.edition, view.metric.id, one.key)),
            (formats.day(one.opened), ""),
            (deadlines.overdue_by(one, view.found), ""),
        )
        for one in view.oldest
    ]
    return [scrolling(table(_("The oldest open cases"), heads, rows), labelled(_("The oldest open cases")))]
