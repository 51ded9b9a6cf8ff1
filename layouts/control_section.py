"""The control chart on the staff page of a metric: what it says, the figure, the same as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from dash import dcc, html

from layouts import formats
from layouts.charts.embedded import Svg
from layouts.charts.glyphs import sign
from layouts.charts.graph import graph
from layouts.charts.plotly_control import control_figure
from layouts.components import labelled, labelled_by, row, scrolling, table
from layouts.formats import _, notes, signals
from layouts.formats import reaches as reaches_of
from layouts.metric_asked import RANGE, Asked
from layouts.reach_view import Reached
from layouts.signal_view import ControlView, control_of
from layouts.views import MetricView
from metrics.model import Score
from metrics.signals import Assurance, Chart, Point, Variation
from store.notes import Mark


def control_section(
    view: MetricView, shown: Reached, asked: Asked, marks: tuple[Mark, ...] = ()
) -> html.Section:
    """Whether a metric changed or only goes up and down, as its chart says; marks: the days marked on it."""
    control = replace(
        control_of(view, marks),
        chart=shown.chart,
        rows=shown.rows,
        earlier=shown.earlier,
        year_ago=shown.year_ago,
    )
    head = html.Div(
        [html.H2(signals.title(control.grain), id="control"), *_switches(view, shown, asked)],
        className="section-head",
    )
    chart = control.chart
    if chart is None or chart.judged is None:
        inside: list[Any] = [html.P(signals.why_nothing(chart), className="muted")]
    else:
        inside = _said(control, chart)
    return html.Section(
        html.Figure([head, *inside], className="card"), className="section", **labelled_by("control")
    )


def _switches(view: MetricView, shown: Reached, asked: Asked) -> list[html.Nav]:
    """How long a period is, and how far back the chart is shown."""

    def way(text: str, is_on: bool, **choice: str) -> dcc.Link:
        href = asked.address(view.edition, view.metric, part="control", **choice)
        return dcc.Link(text, href=href, className="chosen" if is_on else None)

    grains = [way(formats.grain_word(one), one is view.chart_grain, grain=one) for one in view.grains]
    backs = [way(reaches_of.word(one), one is shown.reach, **{RANGE: one}) for one in shown.choices]
    made = [(_("Length of a period of this chart"), grains), (_("How far back"), backs)]
    return [html.Nav(links, className="switch", **labelled(name)) for name, links in made if links]


def _said(control: ControlView, chart: Chart) -> list[Any]:
    metric, grain = control.metric, control.grain
    remarks = [html.Li(text) for text in signals.remarks(grain, chart)]
    figure = graph("control-graph", control_figure(control, chart))
    return [
        html.Ul(_words(chart), className="said-signs", role="list"),
        *(html.P(text, className="small") for text in signals.findings(metric, grain, chart)),
        html.Div(figure, role="group", **labelled(signals.chart_alt(metric, grain, chart))),
        html.Figcaption(
            [f"{signals.caption(chart)} {reaches_of.caption(control)}", *map(_in_key, control.meanings)]
        ),
        *([html.Ul(remarks, className="small remarks")] if remarks else []),
        *_marked(control),
        _twin(control, chart),
    ]


def _marked(control: ControlView) -> list[html.Ul]:
    """What the letters on the chart say."""
    rows = [
        html.Li([html.B(notes.letter(number), className="letter"), notes.mark(mark)], dir="auto")
        for number, mark in control.lettered
    ]
    return [html.Ul(rows, className="small plain marked", **labelled(_("Marked days")))] if rows else []


def _words(chart: Chart) -> list[html.Li]:
    said: list[Variation | Assurance | None] = [chart.variation, chart.assurance]
    found = [one for one in said if one is not None]
    return [
        html.Li([Svg(sign(one)), html.B(signals.meaning_word(one))], className=f"sign-{one}") for one in found
    ]


def _in_key(one: Variation) -> html.Span:
    return html.Span([Svg(sign(one)), signals.variation_word(one)], className=f"in-key sign-{one}")


def _twin(control: ControlView, chart: Chart) -> html.Details:
    heads = [
        (_("From"), ""),
        (_("Value"), "number-cell"),
        *([(_("A year before"), "number-cell")] if control.year_ago else []),
        (_("Usual"), "number-cell"),
        *([(_("Target"), "number-cell")] if control.rows else []),
        (_("Signal"), ""),
    ]
    aims = {
        row.period.start: formats.target(control.metric, row.target, row.target_high) for row in control.rows
    }
    rows = [_row(control, chart, point, aims) for point in reversed(chart.points)]
    rows += [_earlier_row(control, row, aims) for row in reversed(control.earlier)]
    name = _("The chart as a table")
    shown = scrolling(table(signals.title(control.grain), heads, rows), labelled(name))
    return html.Details([html.Summary(name), shown])


def _row(control: ControlView, chart: Chart, point: Point, aims: Mapping[date, str]) -> html.Tr:
    meaning = control.meaning(point)
    note: list[Any] = [signals.point_note(point)]
    if meaning is not None:
        shape = html.Span([Svg(sign(meaning)), signals.variation_word(meaning)], className=f"sign-{meaning}")
        note = [shape, ", ", *note]
    before = control.year_ago.get(point.start)
    value_before = formats.value(control.metric, before.value) if before else formats.NOTHING
    return row(
        formats.day(point.start),
        (signals.amount(control.metric, chart, point.value), "number-cell"),
        *([(value_before, "number-cell")] if control.year_ago else []),
        (signals.expected_range(control.metric, chart, point), "number-cell"),
        *([(aims.get(point.start, formats.NOTHING), "number-cell")] if control.rows else []),
        (note, ""),
    )


def _earlier_row(control: ControlView, score: Score, aims: Mapping[date, str]) -> html.Tr:
    """A period before the chart: it has no limits and is not judged."""
    return row(
        formats.day(score.period.start),
        (formats.value(control.metric, score.value), "number-cell"),
        (formats.NOTHING, "number-cell"),
        (aims[score.period.start], "number-cell"),
        (_("Before the limits"), ""),
    )
