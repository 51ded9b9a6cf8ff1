"""What the commands that approve something share: their words, and a preview before anything is saved."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from store.approvals import Decision


def add_words(parser: argparse.ArgumentParser, *, first_day: str, reason: str) -> None:
    """Adds the words of every approval; first_day and reason: the help for when it begins, and for why."""
    parser.add_argument("metric", metavar="METRIC")
    parser.add_argument(
        "--from", dest="from_day", type=date.fromisoformat, required=True, metavar="DATE", help=first_day
    )
    parser.add_argument("--reason", required=True, help=reason)
    parser.add_argument("--approved-by", required=True, metavar="NAME", help="who decided it")
    parser.add_argument("--dry-run", action="store_true", help="show what it would change, and save nothing")


def previewed(
    preview: Iterable[str], given: argparse.Namespace, approve: Callable[[], Decision[Any]]
) -> Iterator[str]:
    """The lines of a preview, and what was saved after it; `approve` is not called in a dry run."""
    yield from preview
    if given.dry_run:
        yield "nothing was saved (--dry-run)"
        return
    decision = approve()
    yield f"saved as decision {decision.id}; the next publication follows it (`python -m store publish`)"
