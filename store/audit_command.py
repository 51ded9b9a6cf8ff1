"""`python -m store audit`: its words, and what it does with them."""

from __future__ import annotations

import argparse
import csv
import io
import secrets
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from metrics.audits import size_for, width
from metrics.model import Catalogue
from store.audits import Audit, Drawn, Found, Sample, audits, record, take
from store.engine import Clock, StoreError, reading

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_FOUND = {"done": Found.DONE, "not-done": Found.NOT_DONE}
_SEEDS = 2**31
_MOST_SEED = 2**63


def add_parser(commands: Commands) -> None:
    """Adds the command to those of `python -m store`."""
    parser = commands.add_parser("audit", help="draw closed cases at random, and record what the place says")
    what = parser.add_subparsers(dest="what", required=True)
    _add_draw(what)
    one = what.add_parser("record", help="what was found of one drawn case; a later record replaces it")
    one.add_argument("sample", type=int, metavar="SAMPLE")
    one.add_argument("key", metavar="KEY", help="the case, as the work list has it")
    one.add_argument("--found", required=True, choices=list(_FOUND))
    one.add_argument("--by", required=True, metavar="NAME", help="who looked")
    one.add_argument("--note", default="", metavar="TEXT", help="one line, kept and never published")
    shown = what.add_parser("list", help="every sample of a metric, and what was found so far")
    shown.add_argument("metric", metavar="METRIC")


def run(engine: Engine, catalogue: Catalogue, clock: Clock, given: argparse.Namespace) -> Iterator[str]:
    """Does what was asked for; gives the lines to print. Raises StoreError where it cannot be done."""
    if given.what == "draw":
        yield from _draw(engine, catalogue, clock, given)
    elif given.what == "record":
        kept = record(engine, clock, given.sample, given.key, _FOUND[given.found], given.by, given.note)
        yield audit_line(kept)
    else:
        with reading(engine) as connection:
            found = audits(connection, [given.metric])
        yield from map(audit_line, found)
        if not found:
            yield f"{given.metric}: no sample was drawn"


def audit_line(given: Audit) -> str:
    """An audit in one line, with n of N and the interval."""
    sample, found = given.sample, given.verified
    start = f"sample {sample.id} of {sample.metric}, closed {sample.since} up to {sample.until}"
    if found.rate is None or found.low is None or found.high is None:
        return f"{start}: none of {found.size} checked yet"
    so_far = "" if found.is_complete else " so far"
    return (
        f"{start}: {found.done} of {found.checked} done{so_far} ({found.rate:.1%}, 95% interval "
        f"{found.low:.1%} to {found.high:.1%}), {found.checked} of {found.size} checked"
    )


def _add_draw(what: Commands) -> None:
    one = what.add_parser("draw", help="draw closed cases and print them as a work list, as CSV")
    one.add_argument("metric", metavar="METRIC")
    one.add_argument(
        "--since", type=date.fromisoformat, required=True, metavar="DAY", help="closed on this day or later"
    )
    one.add_argument(
        "--until", type=date.fromisoformat, required=True, metavar="DAY", help="closed before this day"
    )
    many = one.add_mutually_exclusive_group(required=True)
    many.add_argument("--size", type=int, metavar="N", help="how many cases")
    many.add_argument("--width", type=float, metavar="W", help="as many as make the interval this wide: 0.1")
    one.add_argument("--seed", type=int, metavar="S", help="draw as another draw did (default: by chance)")


def _draw(engine: Engine, catalogue: Catalogue, clock: Clock, given: argparse.Namespace) -> Iterator[str]:
    """The work list; what was drawn goes to standard error, so that the list is a file as it is."""
    size = given.size if given.size is not None else _size(given.width)
    seed = secrets.randbelow(_SEEDS) if given.seed is None else given.seed
    if not 0 <= seed < _MOST_SEED:
        raise StoreError(f"--seed is {seed}; give a whole number from 0 to {_MOST_SEED - 1}.")
    sample, cases = take(engine, catalogue, clock, given.metric, given.since, given.until, size, seed)
    print(_advice(sample), file=sys.stderr)
    yield from _work_list(sample, cases)


def _size(wanted: float) -> int:
    try:
        return size_for(wanted)
    except ValueError as error:
        raise StoreError(f"--width: {error}.") from error


def _advice(sample: Sample) -> str:
    n = len(sample.cases)
    return (
        f"sample {sample.id}: {n} of {sample.closed} closed cases, seed {sample.seed}; when all are checked "
        f"the 95% interval is at most {100 * width(n):.0f} points wide, {100 * width(n, 0.9):.0f} where 90% "
        "are done"
    )


def _work_list(sample: Sample, cases: Iterable[Drawn]) -> Iterator[str]:
    yield _csv_line("sample", "key", "opened", "closed", "district")
    for one in cases:
        yield _csv_line(sample.id, one.key, one.opened, one.closed, one.district)


def _csv_line(*cells: object) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
