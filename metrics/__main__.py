"""`python -m metrics check [CITY_DIR]`: every mistake in a city's catalogue, with file and fix."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from metrics.catalogue import CatalogueError, Mistake, find_city, read
from metrics.catalogue_files import Draft
from settings import SettingError, from_environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when there is no error (warnings are none), 1 with one, 2 for a wrong usage."""
    given = _parser().parse_args(arguments)
    try:
        folder = find_city(given.city_dir or from_environment().city)
    except (CatalogueError, SettingError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return _check(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m metrics", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="print every mistake of a catalogue; exit 1 if one is an error")
    check.add_argument(
        "city_dir", nargs="?", metavar="CITY_DIR", help="a folder, or a name in data/cities/; default: CITY"
    )
    return parser


def _check(folder: Path) -> int:
    draft, mistakes = read(folder)
    for mistake in mistakes:
        print(replace(mistake, file=_shown(folder / mistake.file)))
    print(f"{_shown(folder)}: {_contents(draft)}: {_findings(mistakes)}")
    return 1 if any(mistake.level == "error" for mistake in mistakes) else 0


def _shown(path: Path) -> str:
    """The path as short as it can be typed from here."""
    here = Path.cwd()
    resolved = path.resolve()
    return str(resolved.relative_to(here)) if resolved.is_relative_to(here) else str(path)


def _contents(draft: Draft) -> str:
    return ", ".join(
        (
            _counted(len(draft.metrics), "metric"),
            _counted(len(draft.sources), "source"),
            _counted(len(draft.departments), "department"),
            _counted(len(draft.districts), "district"),
        )
    )


def _findings(mistakes: Sequence[Mistake]) -> str:
    levels = [mistake.level for mistake in mistakes]
    return f"{_counted(levels.count('error'), 'error')}, {_counted(levels.count('warning'), 'warning')}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
