"""A metric taken apart by kind of record, on its staff page: asked for in the address, counted when shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.cases_view import EMPTY, IS
from layouts.charts.control import control_chart
from layouts.charts.course import Size
from layouts.charts.multiples import multiple
from layouts.components import chip, drawing, labelled, labelled_by, row, scrolling, table
from layouts.desk import Desk
from layouts.formats import Level, _, signals, splits, words
from layouts.links import cases_link
from layouts.metric_asked import SPLIT, Asked, asked_of, checked_split
from layouts.public import asking
from layouts.public.answer import NothingPublished, Refusal
from layouts.signal_view import ControlView
from layouts.split_view import SplitPart, SplitView, split_view
from layouts.views import Edition
from metrics.model import Metric
from metrics.signals import Variation
from store.withheld import Audience

ASKED, SHOWN = "split-asked", "split-shown"
"""The ids of what is asked for and of where it is shown."""

PART = Size("part", 350.0, 210.0, 4)

_LEVELS = {Variation.CONCERN: Level.BELOW, Variation.IMPROVEMENT: Level.ABOVE}


def split_section(edition: Edition, metric: Metric, asked: Asked) -> list[html.Section]:
    """The choice of columns, and what is counted for the one chosen; nothing where none is declared."""
    if not metric.split_by:
        return []
    choice = [(None, _("All together")), *((one, splits.column_word(one)) for one in metric.split_by)]
    links = [
        dcc.Link(
            text,
            href=asked.address(edition, metric, part="split", **{SPLIT: column}),
            className="chosen" if column == asked.split else None,
        )
        for column, text in choice
    ]
    head = [
        html.H2(_("By kind of record"), id="split"),
        html.Nav(links, className="switch", **labelled(_("Taken apart by"))),
    ]
    inside: list[Component] = [html.Div(head, className="section-head")]
    if asked.split:
        inside += [dcc.Store(id=ASKED, data=_data(edition, metric, asked)), _waiting()]
    return [html.Section(inside, className="section", **labelled_by("split"))]


def asked_split(desk: Desk, data: Any) -> Any:
    """What a page shows of the split it asks for. A browser sends `data`: nothing in it is believed."""
    given = {str(word): str(one) for word, one in data.items()} if isinstance(data, Mapping) else {}
    try:
        asked = asked_of(given)
        with asking.opened(desk, given, Audience.STAFF) as (connection, edition):
            metric = edition.catalogue.metrics.get(given.get("metric", ""))
            column = checked_split(asked, metric) if metric else None
            if metric is None or column is None:
                return _("There is nothing to take apart.")
            view = split_view(connection, edition, metric, asked.chart_grain, column)
    except Refusal as refusal:
        return refusal.detail
    except NothingPublished:
        return _("Nothing has been published yet")
    return contents(view)


def contents(view: SplitView) -> list[Component]:
    """A picture of each part, and all of them as a table."""
    pictures = [_card(view, part) for part in view.parts]
    return [
        html.H3(splits.title(view)),
        *(html.P(text, className="small") for text in splits.findings(view)),
        *([html.Ul(pictures, className="multiples splits", role="list")] if pictures else []),
        *([_table(view)] if pictures else []),
    ]


def _data(edition: Edition, metric: Metric, asked: Asked) -> dict[str, str]:
    return {
        "metric": metric.id,
        "grain": asked.chart_grain.value,
        SPLIT: asked.split or "",
        "publication": str(edition.publication.id),
    }


def _waiting() -> html.Div:
    text = html.P(_("The records are being counted…"), className="muted")
    return html.Div(text, id=SHOWN, className="split-parts", role="status")


def _card(view: SplitView, part: SplitPart) -> html.Li:
    drawn = control_chart(ControlView(view.metric, view.grain, part.chart, part.newest), PART)
    if not drawn:
        drawn = multiple(view.metric, part.share.rows, splits.picture_text(view, part))
    name = splits.name(part, view.column)
    return html.Li(
        [
            html.H4(name, className="clipped", title=name, dir="auto"),
            html.P([html.B(splits.figures(view, part)), " ", _sign(part)], className="figures"),
            drawing(drawn),
        ],
        className="card",
    )


def _sign(part: SplitPart) -> html.Span:
    said = part.chart.variation if part.chart else None
    return chip(_LEVELS.get(said, Level.NONE) if said else Level.NONE, signals.variation_word(said))


def _table(view: SplitView) -> html.Div:
    heads = [
        (words.capital(splits.column_word(view.column.name)), ""),
        (formats.period(view.city[-1].period), "number-cell"),
        (_("Usual"), "number-cell"),
        (_("Signal"), ""),
        (_("Records in all"), "number-cell"),
    ]
    rows = [
        row(
            _name(view, part),
            (splits.figures(view, part), "number-cell"),
            (splits.usual(view, part), "number-cell"),
            (signals.variation_word(part.chart.variation if part.chart else None), ""),
            (formats.count(part.share.records), "number-cell"),
        )
        for part in view.parts
    ]
    shown = table(splits.title(view), heads, rows)
    return scrolling(shown, labelled(splits.title(view)), "sheet scroll section")


def _name(view: SplitView, part: SplitPart) -> list[Any]:
    """The name of a part, and the way to its records for those who work with them."""
    name: list[Any] = [html.Span(splits.name(part, view.column), dir="auto")]
    is_theirs = is_allowed(Need(Role.EDITOR, view.metric.department))
    if part.share.together or part.newest.value is None or not is_theirs:
        return name
    value, column = part.share.value, view.column.name
    chosen = {f"{EMPTY}_{column}": "1"} if value is None else {f"{IS}{column}": value}
    period = part.newest.period
    link = cases_link(
        view.edition, view.metric.id, grain=period.grain, start=period.start.isoformat(), **chosen
    )
    return [*name, html.Span(dcc.Link(_("See the records"), href=link), className="beneath")]
