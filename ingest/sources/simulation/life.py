"""A record of the town over its whole life, and what of it is known at an instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ingest.sources.simulation.dice import Dice

Row = tuple[str | None, ...]


class Later(NamedTuple):
    """A cell that is empty until an instant (seconds since 1970)."""

    known: int
    text: str


class Life(NamedTuple):
    """A record: the instant it arrives, and its cells as they will be in the end."""

    arrives: int
    cells: tuple[str | Later | None, ...]


@dataclass(frozen=True)
class Stream:
    """A source of the town.

    day: the records that belong to a day, in the order of their keys. settles: after how many days
    nothing about a day's records changes any more. fresh: up to which instant the source has
    spoken, seen at an instant.
    """

    columns: tuple[str, ...]
    day: Callable[[Dice, date], Iterator[Life]]
    settles: int
    fresh: Callable[[int], int]


def at_once(instant: int) -> int:
    """The freshness of a source that hears of everything at once."""
    return instant


def as_known(life: Life, instant: int) -> Row:
    """The record as it reads at an instant: what happens at it or later is not in it."""
    return tuple(
        cell if not isinstance(cell, Later) else cell.text if cell.known < instant else None
        for cell in life.cells
    )
