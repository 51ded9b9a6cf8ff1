"""`python -m store rebase`: its words, and what it does with them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from metrics.model import Catalogue, Grain, Metric
from metrics.signals import Border, Chart
from store import publications, rebases
from store.approval_command import add_words, previewed
from store.engine import Clock, reading
from store.rebases import Kind, Rebase
from store.signals import chart_of

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Commands) -> None:
    """Adds the command to those of `python -m store`."""
    parser = commands.add_parser(
        "rebase", help="approve new limits for a metric's chart, after showing what they would be"
    )
    first_day, reason = "the first day the new limits are made of", "the cause of the change, in one line"
    add_words(parser, first_day=first_day, reason=reason)
    parser.add_argument(
        "--grain", type=Grain, choices=list(Grain), help="the chart of one grain (default: every chart)"
    )
    parser.add_argument("--withdraw", action="store_true", help="take the rebase from that day back")


def run(engine: Engine, catalogue: Catalogue, clock: Clock, given: argparse.Namespace) -> Iterator[str]:
    """Shows what was asked for, and approves it unless it is a dry run; gives the lines to print.

    Raises StoreError where it cannot be approved.
    """
    kind = Kind.WITHDRAWAL if given.withdraw else Kind.REBASE
    rebase = Rebase(given.metric, given.grain, given.from_day, given.reason, given.approved_by, kind)
    with reading(engine) as connection:
        metric = rebases.checked(connection, catalogue, rebase)
        shown = list(_preview(connection, metric, rebase))
    yield from previewed(shown, given, lambda: rebases.approve(engine, catalogue, clock, rebase))


def _preview(connection: Connection, metric: Metric, rebase: Rebase) -> Iterator[str]:
    """The newest limits of each chart concerned, as published and with the rebase."""
    what = "no new limits" if rebase.kind is Kind.WITHDRAWAL else "new limits"
    yield f"{metric.id}: {what} from {rebase.from_day}, by {rebase.approved_by}: {rebase.reason}"
    now = publications.current(connection)
    if now is None or rebase.kind is Kind.WITHDRAWAL:
        return
    more = [Border(rebase.from_day, rebase.reason)]
    for grain in [rebase.grain] if rebase.grain else Grain:
        was = chart_of(connection, now.publication, metric, grain)
        new = chart_of(connection, now.publication, metric, grain, more)
        if was is not None and new is not None and new.borders != was.borders:
            yield f"  {grain:8} {_limits(was)} becomes {_limits(new)}"


def _limits(chart: Chart) -> str:
    point = next((one for one in chart.points if one.start == chart.judged), None)
    if point is None or point.lower is None or point.upper is None:
        return "no limits"
    trial = ", on trial" if chart.trial else ""
    return f"{point.lower:.4g} to {point.upper:.4g} around {point.center:.4g} ({chart.variation}{trial})"
