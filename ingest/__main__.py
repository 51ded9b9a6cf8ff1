"""`python -m ingest`: run sources, list them, and say how far each is known."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from shutil import get_terminal_size
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import settings
from ingest import discover_command, entry_command, erasing, quarantine_command
from ingest.backfill import STEPS, backfill, pieces
from ingest.contract import ReadRequest, SourceError
from ingest.dry_run import dry_run
from ingest.run import Asked, Desk, RunReport, run_source
from ingest.status_table import WIDEST, State, is_late, table
from metrics.catalogue import CatalogueError, find_city, load
from metrics.model import Catalogue, Source
from store import quarantine, records, run_profiles, runs
from store.deliveries import PUSHED
from store.engine import StoreError, database_url, open_engine, reading, system_clock
from store.migrations import migrate
from store.terminal import Progress


class UsageError(Exception):
    """The command asks for something that cannot be; the message says the fix."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 when all of it was done, 1 with one clear line for each thing that was not."""
    given = _parser().parse_args(arguments)
    try:
        chosen = settings.from_environment()
        folder = find_city(chosen.city)
        catalogue = load(folder)
        if given.command == "list":
            return _list(catalogue)
        if given.command == "discover":
            return _discover(chosen, folder, catalogue, given)
        progress = Progress()
        engine = open_engine(database_url(chosen, catalogue.city.id))
        migrate(engine, catalogue.city, system_clock)
        place = chosen.data_dir / catalogue.city.id / "snapshots"
        districts = tuple(catalogue.districts.values())
        desk = Desk(
            engine,
            catalogue.city,
            place,
            folder,
            system_clock,
            progress,
            districts,
            largest=chosen.largest_file,
            secret=settings.secret,
            runs_at_once=chosen.runs_at_once,
        )
        if given.command in ("enter", "entered"):
            return _enter(desk, catalogue, given)
        if given.command == "backfill":
            return _backfill(desk, catalogue, given)
        if given.command in ("erase", "erased"):
            return _erase(desk, catalogue, given)
        if given.command == "quarantine":
            _refuse_unknown(catalogue, given.sources)
            return quarantine_command.run_command(desk, catalogue, given, _print_table, _say)
        return _status(desk, catalogue) if given.command == "status" else _run(desk, catalogue, given)
    except (CatalogueError, SourceError, StoreError, UsageError, settings.SettingError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ingest", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="read sources into records")
    run.add_argument("sources", nargs="*", metavar="SOURCE", help="which sources (default: every one)")
    run.add_argument("--since", type=_day, metavar="DAY", help="only rows that arrived on this day or later")
    run.add_argument(
        "--until", type=_day, metavar="DAY", help="only rows that arrived up to this day, it included"
    )
    run.add_argument(
        "--from", dest="file", type=Path, metavar="FILE", help="read one source's rows from a file"
    )
    run.add_argument(
        "--sweep", action="store_true", help="also ask for every key a source still has (else weekly)"
    )
    run.add_argument(
        "--accept-fewer", action="store_true", help="read whole; fewer than half of the records are right"
    )
    run.add_argument(
        "--dry-run", action="store_true", help="show what would change, scores too, and keep nothing"
    )
    discover_command.add_parser(commands)
    entry_command.add_parsers(commands)
    quarantine_command.add_commands(commands)
    erasing.add_commands(commands)
    back = commands.add_parser("backfill", help="read a long range step by step; goes on where it stopped")
    back.add_argument("source", metavar="SOURCE")
    back.add_argument("--since", type=_day, metavar="DAY", required=True, help="the first day")
    back.add_argument("--until", type=_day, metavar="DAY", required=True, help="the last day, it included")
    back.add_argument("--step", choices=STEPS, default="month", help="how much one run reads (default month)")
    commands.add_parser("list", help="the sources of the city and where they come from")
    commands.add_parser("status", help="the last run of each source and how far it is known")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day like 2026-01-31") from error


def _run(desk: Desk, catalogue: Catalogue, given: argparse.Namespace) -> int:
    asked = Asked(given.since, given.until, given.file, sweep=given.sweep, accept_fewer=given.accept_fewer)
    failed = 0
    for source in _chosen(catalogue, given):
        if given.dry_run:
            failed += _try(desk, catalogue, source, asked)
            continue
        report = run_source(desk, source, asked, dated=records.dated_columns(catalogue, source))
        if isinstance(desk.progress, Progress):
            desk.progress.clear()
        failed += _say(report)
    return 1 if failed else 0


def _backfill(desk: Desk, catalogue: Catalogue, given: argparse.Namespace) -> int:
    """Reads a range in steps; 1 when one of them failed, which is where the same command goes on."""
    _refuse_unknown(catalogue, [given.source])
    if given.since > given.until:
        raise UsageError(f"--since {given.since} is after --until {given.until}; change one of them.")

    def tell(line: str) -> None:
        if isinstance(desk.progress, Progress):
            desk.progress.clear()
        print(line, flush=True)

    source = catalogue.sources[given.source]
    wanted = pieces(given.since, given.until, given.step)
    failed = backfill(desk, source, wanted, tell, records.dated_columns(catalogue, source))
    if failed is not None:
        _say(failed)
        print("Mend that and give the same command again: it goes on there.", file=sys.stderr)
    return int(failed is not None)


def _erase(desk: Desk, catalogue: Catalogue, given: argparse.Namespace) -> int:
    """Erases a record, or shows every act of erasing."""
    if given.command == "erased":
        print("\n".join(erasing.history(desk)))
        return 0
    _refuse_unknown(catalogue, [given.source])
    source = catalogue.sources[given.source]
    done = erasing.erase(desk, catalogue, source, given.key, given.by, given.reason, unseen=given.unseen)
    if isinstance(desk.progress, Progress):
        desk.progress.clear()
    print("\n".join(erasing.lines(desk, done)))
    return 0


def _try(desk: Desk, catalogue: Catalogue, source: Source, asked: Asked) -> int:
    """Prints what a run would do; 1 when it would fail."""
    trial = dry_run(desk, source, catalogue, asked)
    if isinstance(desk.progress, Progress):
        desk.progress.clear()
    is_failure = trial.report.outcome not in runs.GOOD_OUTCOMES
    print("\n".join(trial.lines()), file=sys.stderr if is_failure else sys.stdout, flush=True)
    return int(is_failure)


def _chosen(catalogue: Catalogue, given: argparse.Namespace) -> list[Source]:
    _refuse_unknown(catalogue, given.sources)
    if given.file is not None and len(given.sources) != 1:
        raise UsageError("--from reads the rows of one source; name it: run SOURCE --from FILE.")
    if given.since and given.until and given.since > given.until:
        raise UsageError(f"--since {given.since} is after --until {given.until}; change one of them.")
    if (given.sweep or given.accept_fewer) and (given.since or given.until or given.file):
        word = "--sweep" if given.sweep else "--accept-fewer"
        raise UsageError(f"{word} is about all a source has; leave --since, --until and --from away.")
    if not catalogue.sources:
        raise UsageError(f"{catalogue.city.id} has no source; add one in sources/ (docs/adding_a_source.md).")
    return [catalogue.sources[name] for name in given.sources or catalogue.sources]


def _discover(
    chosen: settings.Settings, folder: Path, catalogue: Catalogue, given: argparse.Namespace
) -> int:
    progress = Progress()
    with TemporaryDirectory() as work:
        request = ReadRequest(
            catalogue.city,
            system_clock(),
            folder=Path.cwd(),
            work=Path(work),
            progress=progress,
            secret=settings.secret,
            largest=chosen.largest_file,
        )
        called = f"CITY={chosen.city} {settings.interpreter()}"
        return discover_command.run_command(folder, catalogue, given, request, _print_table, called)


def _enter(desk: Desk, catalogue: Catalogue, given: argparse.Namespace) -> int:
    """Gives values by hand, or shows what was given."""
    if given.source not in catalogue.sources:
        known = ", ".join(catalogue.sources) or "none"
        raise UsageError(f"{catalogue.city.id} has no source {given.source}; its sources are: {known}.")
    source = catalogue.sources[given.source]
    if given.command == "entered":
        print("\n".join(entry_command.history(desk, source, given.day)))
        return 0
    done = entry_command.run(desk, source, given, records.dated_columns(catalogue, source), catalogue)
    if isinstance(desk.progress, Progress):
        desk.progress.clear()
    for line in done.difference.rejections:
        print(f"  {source.id}: {line}", file=sys.stderr)
    print("\n".join(entry_command.lines(done)))
    has_run = done.report is None or done.report.outcome in runs.GOOD_OUTCOMES
    return 0 if has_run and not done.difference.rejections else 1


def _refuse_unknown(catalogue: Catalogue, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in catalogue.sources]
    if unknown:
        known = ", ".join(catalogue.sources) or "none"
        raise UsageError(f"{catalogue.city.id} has no source {unknown[0]}; its sources are: {known}.")


def _say(report: RunReport) -> int:
    """Prints what a run did; 1 when it failed."""
    if report.outcome not in runs.GOOD_OUTCOMES:
        print(report.line(), file=sys.stderr, flush=True)
        return 1
    for sentence in report.rejections:
        print(f"  {report.source}: {sentence}", file=sys.stderr)
    if report.message:
        print(f"  {report.source}: {report.message}", file=sys.stderr, flush=True)
    print(report.line(), flush=True)
    return 0


def _list(catalogue: Catalogue) -> int:
    rows = [
        (source.id, source.kind, source.name, source.schedule, source.publisher)
        for source in catalogue.sources.values()
    ]
    _print_table(("source", "kind", "name", "schedule", "publisher"), rows)
    return 0


def _status(desk: Desk, catalogue: Catalogue) -> int:
    with reading(desk.engine) as connection:
        last = runs.last_runs(connection)
        unusual = run_profiles.unusual(connection)
        known = runs.knowledge(connection, catalogue.sources)
        refused = quarantine.open_rows(connection)
    now = desk.clock()
    states = [
        State(
            name,
            last.get(name),
            known[name].known_until,
            refused.get(name, 0),
            _next_run(catalogue, source, now),
            is_late(catalogue.city, source, known[name].known_until, now),
        )
        for name, source in catalogue.sources.items()
    ]
    is_terminal = sys.stdout.isatty()
    width = get_terminal_size().columns if is_terminal else WIDEST
    zone = ZoneInfo(catalogue.city.time_zone)
    print("\n".join(table(states, now, zone, width, colour=is_terminal)))
    for name in catalogue.sources:
        run = last.get(name)
        if run is None:
            print(f"{name} has never run: python -m ingest run {name} (or add --from FILE)")
        elif run.outcome not in (*runs.GOOD_OUTCOMES, "running"):
            print(f"{name}: {run.message}")
        for sentence in unusual.get(name, []):
            print(f"{name}: unusual: {sentence}")
    return 0


def _next_run(catalogue: Catalogue, source: Source, now: datetime) -> datetime | None:
    """When the worker reads a source next; None where its rows are brought."""
    # What schedules is not needed by any other command, and takes long to load.
    from worker import Timetable

    if source.kind == PUSHED:
        return None
    return Timetable(source.schedule, catalogue.city.time_zone).after(now)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
