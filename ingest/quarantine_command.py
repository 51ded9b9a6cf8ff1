"""`python -m ingest quarantine`: refused rows counted by reason, shown, written to a file and read again."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from ingest.desk import Desk, RunReport
from ingest.quarantine import VALUE_LENGTH, readable
from ingest.replay import replay
from metrics.model import Catalogue, Source
from store import quarantine, records
from store.engine import StoreError, from_text, reading
from store.quarantine import QuarantinedRow

SHOWN = 20
HEADER = ("source", "column", "reason", "rows", "since", "first line", "first value")
ROW_HEADER = ("place", "line", "key", "column", "value", "reason", "refused_at")
"""What an export says of each row before its fields."""

_FORMULA = re.compile(r"(?![+-]?[0-9.,]+$)[=+@\t\r-]")
"""How a cell begins that a spreadsheet would calculate; a number is none."""

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], None]
Say = Callable[[RunReport], int]


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The words of this command."""
    parser = commands.add_parser("quarantine", help="the rows that were refused, and what becomes of them")
    actions = parser.add_subparsers(dest="action", required=True)
    listed = actions.add_parser("list", help="how many rows each source refused, by reason")
    listed.add_argument("sources", nargs="*", metavar="SOURCE", help="which sources (default: every one)")
    shown = actions.add_parser("show", help="the refused rows of one source")
    shown.add_argument("sources", nargs=1, metavar="SOURCE")
    shown.add_argument("--limit", type=int, default=SHOWN, metavar="N", help=f"how many (default: {SHOWN})")
    export = actions.add_parser("export", help="the refused rows of one source as CSV")
    export.add_argument("sources", nargs=1, metavar="SOURCE")
    export.add_argument("--csv", type=Path, metavar="FILE", help="the file to write (default: the terminal)")
    again = actions.add_parser("replay", help="read the refused rows again by today's definition")
    again.add_argument("sources", nargs=1, metavar="SOURCE")


def run_command(desk: Desk, catalogue: Catalogue, given: argparse.Namespace, table: Table, say: Say) -> int:
    """Does one of the actions; 0 when it was done. Raises StoreError where a file cannot be written."""
    sources = [catalogue.sources[name] for name in given.sources or catalogue.sources]
    if given.action == "list":
        return _list(desk, sources, table)
    if given.action == "show":
        return _show(desk, sources[0], given.limit, table)
    if given.action == "export":
        return _export(desk, sources[0], given.csv)
    return say(replay(desk, sources[0], records.dated_columns(catalogue, sources[0])))


def _list(desk: Desk, sources: Sequence[Source], table: Table) -> int:
    with reading(desk.engine) as connection:
        found = quarantine.reasons(connection, [source.id for source in sources])
    if not found:
        print("The quarantine is empty.")
        return 0
    zone = ZoneInfo(desk.city.time_zone)
    rows = [
        (r.source, r.column or "", r.rule, str(r.count), _day(r.since, zone), _text(r.line), _short(r.value))
        for r in found
    ]
    table(HEADER, [tuple(map(readable, row)) for row in rows])
    return 0


def _show(desk: Desk, source: Source, limit: int, table: Table) -> int:
    with reading(desk.engine) as connection:
        found = quarantine.quarantined(connection, source.id, limit)
    if not found:
        print(f"{source.id} has no row in quarantine.")
        return 0
    cells = [
        (row.place, _text(row.line), row.key or "", row.column or "", _short(row.value), row.reason)
        for row in found
    ]
    table(ROW_HEADER[:6], [tuple(map(readable, row)) for row in cells])
    return 0


def _export(desk: Desk, source: Source, path: Path | None) -> int:
    with reading(desk.engine) as connection:
        found = quarantine.quarantined(connection, source.id)
    names = list(dict.fromkeys(name for row in found for name in row.row))
    try:
        with (
            nullcontext(sys.stdout) if path is None else path.open("w", newline="", encoding="utf-8") as file
        ):
            _write(file, names, found)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}); name another file.") from error
    if path is not None:
        print(f"{source.id}: {len(found)} refused rows written to {path}")
    return 0


def _write(file: TextIO, names: Sequence[str], rows: Iterable[QuarantinedRow]) -> None:
    """The fields of a row follow what is said of it, under their own names."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(_harmless, (*ROW_HEADER, *names)))
    for row in rows:
        said = (row.place, row.line, row.key, row.column, row.value, row.reason, row.recorded_at)
        writer.writerow(map(_harmless, (*said, *(row.row.get(name) for name in names))))


def _harmless(cell: object) -> object:
    """A cell that is text in every spreadsheet: whoever sent it must not calculate on another's machine."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _day(instant: str, zone: ZoneInfo) -> str:
    moment: datetime = from_text(instant)
    return f"{moment.astimezone(zone):%Y-%m-%d}"


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _short(value: str | None) -> str:
    text = "" if value is None else " ".join(value.split())
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"
