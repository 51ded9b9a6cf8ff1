"""The receipt of a score on its page: from the records of its period to the published number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.components import labelled_by, row, table
from layouts.desk import Desk
from layouts.formats import _, receipts, words
from layouts.links import metric_link, records_link
from layouts.public import asking
from layouts.public.answer import NothingPublished, Refusal
from layouts.receipt_view import receipt_of
from layouts.views import Edition, MetricView
from metrics.model import Score
from store.explain import Explanation
from store.withheld import Audience

OPENS, ASKED, SHOWN = "receipt-opens", "receipt-asked", "receipt-shown"
"""The ids of what opens the receipt, of what it is asked for, and of where it is shown."""


def receipt_link(view: MetricView, score: Score) -> Component:
    """The name of a period, leading to its receipt."""
    start = score.period.start.isoformat()
    href = metric_link(view.edition, view.metric.id, grain=score.period.grain, start=start)
    return dcc.Link(formats.short_period(score.period), href=href)


def receipt_section(view: MetricView) -> list[html.Section]:
    """The receipt of the newest period, worked out when somebody opens it; nothing where nothing is known."""
    if view.score is None:
        return []
    asked = {
        "metric": view.metric.id,
        "grain": view.grain.value,
        "start": view.score.period.start.isoformat(),
        "publication": str(view.edition.publication.id),
    }
    waiting = html.P(_("The records are being counted…"), className="muted")
    details = html.Details(
        [
            html.Summary(_("Show what this score was made of"), id=OPENS, n_clicks=0),
            dcc.Store(id=ASKED, data=asked),
            html.Div(waiting, id=SHOWN, className="receipt"),
        ]
    )
    return [_section(formats.period(view.score.period), details)]


def opened_receipt(view: MetricView, receipt: Explanation | None, start: date) -> html.Section:
    """The receipt of the period that was asked for by its first day."""
    if receipt is None:
        text = _("No {period} that starts on {day} was published.").format(
            period=formats.grain_word(view.grain).lower(), day=formats.day(start)
        )
        return _section("", html.P(text))
    return _section(formats.period(receipt.score.period), html.Div(contents(receipt, view.edition)))


def contents(receipt: Explanation, edition: Edition) -> list[Component]:
    """Everything a receipt says."""
    why = formats.reason(receipt.score.reason, edition.catalogue)
    return [
        *_records(receipt, records_link(edition, receipt.score)),
        *(html.P(text, className="small muted") for text in receipts.remarks(receipt)),
        html.Dl(list(_facts(receipt, edition)), className="facts receipt-facts"),
        *_formula(receipt),
        *([html.P(why)] if why else []),
        *_shift(receipt, edition),
    ]


def asked_receipt(desk: Desk, data: Any) -> Any:
    """What a page shows for the receipt it asks for. A browser sends `data`: nothing in it is believed."""
    given = _words(data)
    try:
        grain, start = asking.grain(given, None), asking.day(given, "start")
        with asking.opened(desk, given, Audience.STAFF) as (connection, edition):
            metric = edition.catalogue.metrics.get(given.get("metric", ""))
            if metric is None or grain is None or start is None:
                return _("There is no such receipt.")
            receipt = receipt_of(connection, edition, metric, grain, start)
    except Refusal as refusal:
        return refusal.detail
    except NothingPublished:
        return _("Nothing has been published yet")
    return contents(receipt, edition) if receipt else _("There is no such receipt.")


def _words(data: Any) -> dict[str, str]:
    known = ("metric", "grain", "start", "publication")
    return {word: str(data[word]) for word in known if word in data} if isinstance(data, Mapping) else {}


def _section(period: str, *children: Component) -> html.Section:
    head = [html.H2(_("Receipt"), id="receipt")]
    beneath = [html.P(period, className="small muted")] if period else []
    inside = html.Div([*head, *beneath, *children], className="card")
    return html.Section(inside, **labelled_by("receipt"))


def _records(receipt: Explanation, records: str) -> list[Component]:
    counted = receipts.counted(receipt)
    if counted is None:
        return []
    rows = [_count_row(count) for count in receipts.counts(receipt)]
    rows.append(_count_row(counted, className="sum"))
    met = receipts.met(receipt)
    if met is not None:
        rows.append(_count_row(met))
    heads = [(_("Records"), ""), (_("How many"), "number-cell")]
    shown = html.Div(table(_("What became of the records"), heads, rows), className="scroll")
    return [shown, html.P(dcc.Link(_("See the records that count"), href=records), className="small")]


def _count_row(count: receipts.Count, **named: Any) -> html.Tr:
    head: list[Any] = [count.said]
    if count.test:
        head.append(html.Code(count.test, className="beneath"))
    return row(head, (formats.count(count.records), "number-cell"), **named)


def _facts(receipt: Explanation, edition: Edition) -> Iterator[Component]:
    approvals: list[Any] = [html.Span(text, className="beneath") for text in receipts.approvals(receipt)]
    facts: list[tuple[str, Any]] = [
        (_("Period"), receipts.period(receipt)),
        (_("Made of"), receipts.made_of(receipt)),
        (_("Value"), receipts.value(receipt)),
        (_("Target"), [receipts.target(receipt), *approvals]),
        (_("Floor"), receipts.floor(receipt)),
        (_("Score"), receipts.score(receipt)),
        (_("Publication"), receipts.publication(receipt, edition.city)),
    ]
    for word, said in facts:
        if said:
            yield html.Dt(word)
            yield html.Dd(said)


def _formula(receipt: Explanation) -> list[Component]:
    steps = receipts.formula(receipt)
    if not steps:
        return []
    return [html.H3(_("The arithmetic")), html.Ol([html.Li(step) for step in steps], className="steps")]


def _shift(receipt: Explanation, edition: Edition) -> list[Component]:
    """The change by district: where it is, not why."""
    shift = receipt.shift
    if shift is None:
        return []
    word = edition.city.district_word
    heads = [
        (words.capital(word), ""),
        (_("Own rate"), "number-cell"),
        (_("Share of the cases"), "number-cell"),
    ]
    rows = [
        row(one.said, (one.rate, "number-cell"), (one.mix, "number-cell"))
        for one in receipts.shifted(receipt, edition.catalogue)
    ]
    return [
        html.H3(_("Where the change is, not why")),
        html.P(receipts.change_by_district(receipt)),
        html.Div(table(_("Change by district"), heads, rows), className="scroll"),
    ]
