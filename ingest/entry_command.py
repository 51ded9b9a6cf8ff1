"""`python -m ingest enter` and `entered`: their words, and what they do with them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.contract import Page, SourceError
from ingest.desk import Desk
from ingest.entering import Giver, one_page
from ingest.entry_answers import Given, give
from ingest.sources.headers import Layout
from ingest.sources.manual import options_for
from ingest.sources.tables import pages
from metrics.model import Catalogue, Source
from store import entries
from store.engine import instant_text, reading
from store.entries import Kind

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parsers(commands: Commands) -> None:
    """Adds the commands to those of `python -m ingest`."""
    one = commands.add_parser("enter", help="give daily values by hand; all of them are kept, or none")
    one.add_argument("source", metavar="SOURCE", help="a source of kind manual")
    one.add_argument("--day", metavar="DAY", help="the day they are for, as the source writes days")
    one.add_argument("--value", metavar="V", help="the value, where the source has one column of values")
    one.add_argument("--district", metavar="NAME", help="which district it is for")
    one.add_argument(
        "--set", dest="cells", action="append", default=[], metavar="COLUMN=V", help="any column; repeatable"
    )
    one.add_argument("--from", dest="file", type=Path, metavar="FILE", help="many values, a table or JSON")
    one.add_argument("--by", required=True, metavar="NAME", help="who gives them")
    one.add_argument("--reason", default="", metavar="TEXT", help="why a value that was given changes")
    one.add_argument("--withdraw", action="store_true", help="take values back that should never have been")
    one.add_argument("--dry-run", action="store_true", help="show what would change, and keep nothing")
    shown = commands.add_parser("entered", help="every value given by hand: who gave it, when and why")
    shown.add_argument("source", metavar="SOURCE")
    shown.add_argument("--day", type=date.fromisoformat, metavar="DAY", help="those for one day (2026-07-01)")


def run(
    desk: Desk,
    source: Source,
    given: argparse.Namespace,
    dated: Iterable[str],
    catalogue: Catalogue | None = None,
) -> Given:
    """Gives the values that were asked for; SourceError where they cannot be given."""
    kind = Kind.WITHDRAWAL if given.withdraw else Kind.VALUE
    giver = Giver(given.by, given.reason)
    pages = _pages(desk, source, given)
    return give(
        desk, source, pages, giver, kind=kind, dry_run=given.dry_run, dated=dated, catalogue=catalogue
    )


def lines(given: Given) -> Iterator[str]:
    """What became of the values, line by line."""
    yield from (one.line() for one in given.difference.changes)
    yield from given.effects
    if given.report is not None:
        yield given.report.line()
    yield given.line()


def history(desk: Desk, source: Source, day: date | None) -> Iterator[str]:
    """Everything that was given to a source, one line for each, oldest first."""
    with reading(desk.engine) as connection:
        found = entries.history(connection, source.id, day)
    for one in found:
        cells = ", ".join(f"{name} {cell}" for name, cell in one.given.cells.items() if name != source.key)
        what = f"withdrawn {one.given.key}" if one.given.kind is Kind.WITHDRAWAL else cells
        reason = f": {one.reason}" if one.reason else ""
        yield f"{instant_text(one.entered_at)} {one.entered_by}: {what}{reason}"
    if not found:
        yield f"{source.id}: nobody has given a value" + (f" for {day}" if day else "")


def _pages(desk: Desk, source: Source, given: argparse.Namespace) -> Iterable[Page]:
    if given.file is None:
        return one_page(_typed(source, given))
    if given.day or given.value or given.district or given.cells:
        raise SourceError("--from takes all values from a file; leave --day, --value, --district, --set out.")
    if not given.file.is_file():
        raise SourceError(f"There is no file {given.file}; correct the path.")
    return pages(given.file, given.file.name, source, Layout(), largest=desk.largest)


def _typed(source: Source, given: argparse.Namespace) -> dict[str, str]:
    options = options_for(source)
    if given.day is None:
        raise SourceError("Say for which day: --day DAY, or give many with --from FILE.")
    cells = {options.key_from[0]: given.day}
    if given.district is not None:
        cells[_district_column(source)] = given.district
    if given.value is not None:
        cells[_value_column(source, (source.key, *options.key_from))] = given.value
    for one in given.cells:
        name, sign, cell = one.partition("=")
        if not sign:
            raise SourceError(f"--set {one}: write COLUMN=VALUE.")
        cells[name.strip()] = cell
    return cells


def _district_column(source: Source) -> str:
    found = [
        column.name for column in source.columns if column.type == "district" or column.name == "district"
    ]
    if len(found) != 1:
        raise SourceError(f"{source.id} has {len(found)} columns of districts; use --set COLUMN=NAME.")
    return found[0]


def _value_column(source: Source, others: tuple[str, ...]) -> str:
    found = [one.name for one in source.columns if one.name not in others and one.expression is None]
    if len(found) != 1:
        names = ", ".join(found) or "none"
        raise SourceError(f"{source.id} has more than one column of values ({names}); use --set COLUMN=V.")
    return found[0]
