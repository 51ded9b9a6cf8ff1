"""`python -m store`: all that is done to a city's database by hand, from migrating to restoring it."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

import settings
from metrics.catalogue import CatalogueError, find_city, load
from metrics.model import UNKNOWN_DISTRICT, WHOLE_CITY, Catalogue, Grain
from metrics.selftest import self_test
from serving.kept import build_id
from store import (
    admin_command,
    audit_command,
    housekeeping,
    publications,
    rebase_command,
    runs,
    target_command,
    targets,
    token_command,
)
from store.backup import back_up, default_name
from store.engine import Clock, StoreError, database_url, instant_text, open_engine, reading, system_clock
from store.explain import clauses, explain
from store.export import export
from store.migrations import migrate
from store.publish import inputs_now, publish, verify
from store.receipt_lines import receipt_lines
from store.restore import restore
from store.selftest_lines import self_test_lines
from store.terminal import Progress

_Command = Callable[[Engine, Catalogue, argparse.Namespace], int]
"""What a command does, and the exit code of the program after it."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 when it did what was asked, 1 with one clear line when it could not."""
    given = _parser().parse_args(arguments)
    try:
        chosen = settings.from_environment()
        catalogue = load(find_city(chosen.city))
        engine = open_engine(database_url(chosen, catalogue.city.id))
        if given.command == "restore":
            return _restore(engine, catalogue, given, chosen)
        applied = migrate(engine, catalogue.city, system_clock)
        if given.command == "migrate":
            return _migrate(catalogue, applied)
        if given.command == "backup":
            return _back_up(engine, catalogue, given, chosen)
        return _COMMANDS[given.command](engine, catalogue, given)
    except (CatalogueError, StoreError, settings.SettingError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m store", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the database up to this version of the code")
    one = commands.add_parser("publish", help="publish the scores of every period that has ended")
    one.add_argument("--as-of", type=date.fromisoformat, help="the date to publish for (default: today)")
    one.add_argument("--reason", help="why final scores change, where definitions did")
    commands.add_parser("check", help="what each clause keeps, and which grains and targets can be scored")
    commands.add_parser("tidy", help="remove old snapshots and ledger rows, as the worker does every night")
    kept = commands.add_parser("backup", help="write all rows, as they are at one moment, into one file")
    kept.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a new file, or a folder (default: in DATA_DIR)"
    )
    kept.add_argument("--with-snapshots", action="store_true", help="what every run received too")
    again = commands.add_parser("restore", help="fill an empty database from a backup")
    again.add_argument("file", type=Path, metavar="FILE")
    target_command.add_parser(commands)
    audit_command.add_parser(commands)
    rebase_command.add_parser(commands)
    token_command.add_parser(commands)
    admin_command.add_parser(commands)
    out = commands.add_parser("export-catalogue", help="write approved targets into the catalogue's files")
    out.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="another folder of the city, or one to make"
    )
    commands.add_parser("verify", help="recompute every published score from the facts of its time")
    receipt = commands.add_parser("explain", help="the receipt of one published score")
    receipt.add_argument("metric")
    receipt.add_argument("--grain", type=Grain, default=Grain.MONTH, choices=list(Grain))
    receipt.add_argument("--start", type=date.fromisoformat, help="the first day of the period")
    receipt.add_argument("--district", default=WHOLE_CITY, help=f"a district id, or `{UNKNOWN_DISTRICT}`")
    receipt.add_argument("--publication", type=int, help="the number of a publication (default: the current)")
    return parser


def _migrate(catalogue: Catalogue, applied: list[str]) -> int:
    print(
        f"{catalogue.city.id}: {len(applied)} migrations applied" + "".join(f"\n  {one}" for one in applied)
    )
    return 0


def _publish(engine: Engine, catalogue: Catalogue, given: argparse.Namespace) -> int:
    report = publish(engine, catalogue, system_clock, as_of=given.as_of, reason=given.reason)
    print(report.line(catalogue.city.id))
    return 0


def _tidy(engine: Engine, catalogue: Catalogue, _given: argparse.Namespace) -> int:
    chosen = settings.from_environment()
    folder = chosen.data_dir / catalogue.city.id / "snapshots"
    done = housekeeping.tidy(engine, system_clock, catalogue, folder, chosen.snapshot_days)
    print(done.line(catalogue.city.id))
    return 0


def _check(engine: Engine, catalogue: Catalogue, _given: argparse.Namespace) -> int:
    with reading(engine) as connection:
        catalogue = targets.merged(connection, catalogue)
        now = publications.current(connection)
        as_of = now.publication.as_of if now else system_clock().date()
        known = runs.knowledge(connection, catalogue.sources)
        unknown = sorted(name for name, one in known.items() if one.known_until is None)
        for name in unknown:
            print(f"source {name} has never run, so nothing can be said of its metrics")
        print(f"{'metric':32} {'clause':10} {'kept':>9} {'excluded':>9} {'empty':>9}")
        for one in clauses(connection, catalogue, as_of):
            print(f"{one.metric:32} {one.clause:10} {one.kept:9d} {one.excluded:9d} {one.empty:9d}")
        if now:
            tests = self_test(inputs_now(connection, catalogue, now))
            print("\n".join(self_test_lines(catalogue, tests)))
    return 0


def _export(engine: Engine, _catalogue: Catalogue, given: argparse.Namespace) -> int:
    home = find_city(settings.from_environment().city)
    with reading(engine) as connection:
        print(export(connection, home, given.folder or home).line())
    return 0


def _told_by(run: Callable[[Engine, Catalogue, Clock, argparse.Namespace], Iterator[str]]) -> _Command:
    """A command with a module of its own, which gives the lines to print."""

    def told(engine: Engine, catalogue: Catalogue, given: argparse.Namespace) -> int:
        for line in run(engine, catalogue, system_clock, given):
            print(line, flush=True)
        return 0

    return told


def _verify(engine: Engine, _catalogue: Catalogue, _given: argparse.Namespace) -> int:
    wrong = count = 0
    with reading(engine) as connection:
        for publication, lines in verify(connection):
            count += 1
            wrong += len(lines)
            print(f"publication {publication.id} as of {publication.as_of}: {len(lines)} differ", flush=True)
            for line in lines[:20]:
                print(f"  {line}")
    print(f"{count} publications verified, {wrong} scores do not recompute")
    return 1 if wrong else 0


def _back_up(
    engine: Engine, catalogue: Catalogue, given: argparse.Namespace, chosen: settings.Settings
) -> int:
    home, now = chosen.data_dir / catalogue.city.id, instant_text(system_clock())
    path = given.file or home / "backups"
    if given.file is None or path.is_dir():
        path /= default_name(catalogue.city.id, now)
    progress = Progress()
    report = back_up(
        engine,
        path,
        now=now,
        program=build_id(settings.PROJECT),
        tell=progress,
        snapshots=home / "snapshots" if given.with_snapshots else None,
    )
    progress.clear()
    print(report.line())
    return 0


def _grant_admin(engine: Engine, catalogue: Catalogue, given: argparse.Namespace) -> int:
    address = settings.from_environment().address
    for line in admin_command.run(engine, catalogue, system_clock, given, address):
        print(line, flush=True)
    return 0


def _restore(
    engine: Engine, catalogue: Catalogue, given: argparse.Namespace, chosen: settings.Settings
) -> int:
    progress = Progress()
    snapshots = chosen.data_dir / catalogue.city.id / "snapshots"
    report = restore(engine, catalogue.city, system_clock, given.file, snapshots=snapshots, tell=progress)
    progress.clear()
    print(report.line())
    return 0


def _explain(engine: Engine, _catalogue: Catalogue, given: argparse.Namespace) -> int:
    with reading(engine) as connection:
        opened = publications.find(connection, number=given.publication)
        if opened is None:
            raise StoreError("There is no such publication; run `python -m store publish` first.")
        receipt = explain(connection, opened, given.metric, given.grain, given.start, given.district)
    print("\n".join(receipt_lines(receipt)))
    return 0


_COMMANDS: dict[str, _Command] = {
    "publish": _publish,
    "check": _check,
    "verify": _verify,
    "explain": _explain,
    "export-catalogue": _export,
    "tidy": _tidy,
    "set-target": _told_by(target_command.run),
    "rebase": _told_by(rebase_command.run),
    "audit": _told_by(audit_command.run),
    "token": _told_by(token_command.run),
    "grant-admin": _grant_admin,
}

if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
