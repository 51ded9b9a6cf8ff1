"""`python -m store set-target`: its words, and what it does with them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from metrics.model import Approved, Catalogue, Target, Withdrawn
from metrics.scoring import Bound
from store.approval_command import add_words, previewed
from store.engine import Clock, StoreError, reading
from store.target_lines import preview_lines
from store.target_preview import preview
from store.targets import Kind, Proposal, approve

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Commands) -> None:
    """Adds the command to those of `python -m store`."""
    parser = commands.add_parser("set-target", help="approve a target, after showing what it would change")
    add_words(parser, first_day="its first day", reason="why, in one line that everybody reads")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--value", type=float, help="the target, or the low end of a band; a share is 0.8")
    what.add_argument(
        "--withdraw", action="store_true", help="let the target that began on --from count no more"
    )
    parser.add_argument("--high", type=float, help="the high end of a band")
    parser.add_argument(
        "--floor", type=float, nargs="+", metavar="F", help="where the score is 0; below and above a band"
    )
    parser.add_argument("--correction", action="store_true", help="change scores that are published as final")


def run(engine: Engine, catalogue: Catalogue, clock: Clock, given: argparse.Namespace) -> Iterator[str]:
    """Previews what was asked for, and approves it unless it is a dry run; gives the lines to print.

    Raises StoreError where it cannot be approved.
    """
    proposal = Proposal(given.metric, _change(given), Kind.CORRECTION if given.correction else Kind.APPROVAL)
    with reading(engine) as connection:
        shown = list(preview_lines(preview(connection, catalogue, proposal)))
    yield from previewed(shown, given, lambda: approve(engine, catalogue, clock, proposal))


def _change(given: argparse.Namespace) -> Approved:
    if given.withdraw:
        if given.high is not None or given.floor:
            raise StoreError("--withdraw takes a target away; leave out --high and --floor.")
        return Withdrawn(given.from_day, given.reason, given.approved_by)
    value = given.value if given.high is None else (given.value, given.high)
    return Target(value, given.from_day, given.reason, given.approved_by, _floor(given.floor))


def _floor(given: list[float] | None) -> Bound | None:
    if given is None:
        return None
    if len(given) > 2:
        raise StoreError("--floor takes one number, or two for a band: below it and above it.")
    return given[0] if len(given) == 1 else (given[0], given[1])
