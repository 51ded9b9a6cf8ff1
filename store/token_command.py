"""`python -m store token`: its words, and what it does with them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from metrics.catalogue_shapes import did_you_mean
from metrics.model import Catalogue
from metrics.periods import local_midnight
from store.deliveries import PUSHED
from store.engine import Clock, StoreError, reading
from store.tokens import Token, all_tokens, create, revoke

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Commands) -> None:
    """Adds the command to those of `python -m store`."""
    parser = commands.add_parser("token", help="let a department deliver rows, or let it no longer")
    what = parser.add_subparsers(dest="what", required=True)
    new = what.add_parser("create", help="make a token; its secret is shown this once")
    new.add_argument("name", metavar="NAME", help="who delivers with it")
    new.add_argument(
        "--source", dest="sources", action="append", required=True, metavar="SOURCE", help="may be repeated"
    )
    new.add_argument(
        "--expires", type=date.fromisoformat, metavar="DAY", help="the last day on which it works"
    )
    what.add_parser("list", help="every token: its sources, and whether it works")
    gone = what.add_parser("revoke", help="let a token open nothing any more, at once")
    gone.add_argument("number", type=int, metavar="NUMBER", help="as `token list` shows it")
    gone.add_argument(
        "--discard", action="store_true", help="what it delivered and nobody has begun to load too"
    )


def run(engine: Engine, catalogue: Catalogue, clock: Clock, given: argparse.Namespace) -> Iterator[str]:
    """Does what was asked for; gives the lines to print. Raises StoreError where it cannot be done."""
    if given.what == "create":
        yield from _create(engine, catalogue, clock, given)
    elif given.what == "revoke":
        done = revoke(engine, clock, given.number, discard=given.discard)
        yield f"token {done.token.id} ({done.token.name}) is revoked: it opens nothing any more"
        if done.discarded:
            yield f"{done.discarded} deliveries that waited are discarded"
        if done.waiting:
            yield (
                f"{done.waiting} deliveries that were accepted before are still loaded; "
                f"`token revoke {done.token.id} --discard` discards those that have not begun"
            )
    else:
        with reading(engine) as connection:
            found = all_tokens(connection)
        now = clock()
        yield from (_line(one, now) for one in found)
        if not found:
            yield "there is no token; `python -m store token create NAME --source SOURCE` makes one"


def _create(engine: Engine, catalogue: Catalogue, clock: Clock, given: argparse.Namespace) -> Iterator[str]:
    for name in given.sources:
        _refuse_source(catalogue, name)
    # The day after, as the token works on its last day.
    expires = local_midnight(catalogue.city, given.expires + timedelta(days=1)) if given.expires else None
    token, secret = create(engine, clock, given.name, given.sources, expires)
    yield _line(token, clock())
    yield "its secret, shown this once and kept nowhere:"
    yield secret


def _refuse_source(catalogue: Catalogue, name: str) -> None:
    source = catalogue.sources.get(name)
    if source is None:
        raise StoreError(
            f"{catalogue.city.id} has no source {name}. {did_you_mean(name, list(catalogue.sources))}"
        )
    if source.kind != PUSHED:
        raise StoreError(
            f"{name} is a source of kind {source.kind}; rows are delivered to sources of kind push only."
        )


def _line(token: Token, now: datetime) -> str:
    sources = ", ".join(token.sources)
    return f"token {token.id}: {token.name}, for {sources}, {_state(token, now)}"


def _state(token: Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return f"revoked {_shown(token.revoked_at)}"
    if token.expires_at is None:
        return "works until it is revoked"
    word = "works until" if token.is_valid(now) else "expired"
    return f"{word} {_shown(token.expires_at)}"


def _shown(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
