"""The control chart on the staff page of a metric: what it says, the figure, the same as a table."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import formats
from layouts.charts.embedded import Svg
from layouts.charts.glyphs import sign
from layouts.charts.graph import graph
from layouts.charts.plotly_control import control_figure
from layouts.components import labelled, labelled_by, row, scrolling, table
from layouts.formats import _, notes, signals
from layouts.signal_view import ControlView, control_of
from layouts.views import MetricView
from metrics.signals import Assurance, Chart, Point, Variation
from store.notes import Mark


def control_section(view: MetricView, marks: tuple[Mark, ...] = ()) -> html.Section:
    """Whether a metric changed or only goes up and down, as its chart says; marks: the days marked on it."""
    control = control_of(view, marks)
    head = html.H2(signals.title(control.grain), id="control")
    chart = control.chart
    if chart is None or chart.judged is None:
        inside: list[Any] = [html.P(signals.why_nothing(chart), className="muted")]
    else:
        inside = _said(control, chart)
    return html.Section(
        html.Figure([head, *inside], className="card"), className="section", **labelled_by("control")
    )


def _said(control: ControlView, chart: Chart) -> list[Any]:
    metric, grain = control.metric, control.grain
    remarks = [html.Li(text) for text in signals.remarks(grain, chart)]
    figure = graph("control-graph", control_figure(control, chart))
    return [
        html.Ul(_words(chart), className="said-signs", role="list"),
        *(html.P(text, className="small") for text in signals.findings(metric, grain, chart)),
        html.Div(figure, role="group", **labelled(signals.chart_alt(metric, grain, chart))),
        html.Figcaption([signals.caption(chart), *(_in_key(one) for one in control.meanings)]),
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
        (_("Usual"), "number-cell"),
        (_("Signal"), ""),
    ]
    rows = [_row(control, chart, point) for point in reversed(chart.points)]
    name = _("The chart as a table")
    shown = scrolling(table(signals.title(control.grain), heads, rows), labelled(name))
    return html.Details([html.Summary(name), shown])


def _row(control: ControlView, chart: Chart, point: Point) -> html.Tr:
    meaning = control.meaning(point)
    note: list[Any] = [signals.point_note(point)]
    if meaning is not None:
        shape = html.Span([Svg(sign(meaning)), signals.variation_word(meaning)], className=f"sign-{meaning}")
        note = [shape, ", ", *note]
    return row(
        formats.day(point.start),
        (signals.amount(control.metric, chart, point.value), "number-cell"),
        (signals.expected_range(control.metric, chart, point), "number-cell"),
        (note, ""),
    )
