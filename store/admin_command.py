"""`python -m store grant-admin`, and the link that a city without any admin prints when it starts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from metrics.model import Catalogue
from store import one_time_links, people
from store.audit_log import BY_HAND, Actor
from store.engine import Clock, reading, writing
from store.one_time_links import LASTS, PATH, Purpose

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

FIRST_START = Actor(None, "first start")


def add_parser(commands: Commands) -> None:
    """Adds the command to those of `python -m store`."""
    parser = commands.add_parser("grant-admin", help="print a link with which somebody becomes an admin")
    parser.add_argument("email", metavar="E-MAIL", help="of whom the link is for")


def run(
    engine: Engine, _catalogue: Catalogue, clock: Clock, given: argparse.Namespace, address: str
) -> Iterator[str]:
    """Makes the link; gives the lines to print. Raises StoreError for what is no e-mail address."""
    email = people.checked_email(given.email)
    with writing(engine, clock) as write:
        secret = one_time_links.make(write, BY_HAND, Purpose.ADMIN, email=email)
    yield f"{email} becomes an admin with this link, once and within {_hours()} hours:"
    yield f"{address}{PATH}{secret}"


def first_admin_link(engine: Engine, clock: Clock) -> str | None:
    """The path of a new link for a city that has no admin; None where it has one. Earlier ones end."""
    with reading(engine) as connection:
        if people.admins(connection):
            return None
    with writing(engine, clock) as write:
        return PATH + one_time_links.make(write, FIRST_START, Purpose.ADMIN)


def _hours() -> int:
    return int(LASTS[Purpose.ADMIN].total_seconds() // 3600)
